package bridge

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
)

const (
	goodCreated = `{"eventType":"order.created","orderId":"o","customerId":"c","restaurantId":"r","deliveryCity":"Mérida",` +
		`"totalAmount":0.00,"estimatedDeliveryTime":0,"timestamp":"2026-11-22T14:08:39.000Z"}`
	goodAssigned = `{"eventType":"order.assigned","orderId":"o","customerId":"c","restaurantId":"r","deliveryPartnerId":"p",` +
		`"deliveryCity":"Mérida","estimatedDeliveryTime":30,"timestamp":"2026-11-22T14:08:39.000Z"}`
)

func TestCheck(t *testing.T) {
	t.Parallel()
	require.NoError(t, check(micro.Event{Type: typeCreated, Key: "o", Payload: []byte(goodCreated)}), "zero is an amount")
	require.NoError(t, check(micro.Event{Type: typeAssigned, Payload: []byte(goodAssigned)}), "the key may be missing")
	for typ, good := range map[string]string{typeCreated: goodCreated, typeAssigned: goodAssigned} {
		var fields map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(good), &fields))
		for name := range fields {
			without := map[string]json.RawMessage{}
			for n, v := range fields {
				if n != name {
					without[n] = v
				}
			}
			body, err := json.Marshal(without)
			require.NoError(t, err)
			require.ErrorIs(t, check(micro.Event{Type: typ, Payload: body}), errBody, "%s without %s", typ, name)
			null := strings.Replace(good, `"`+name+`":`+string(fields[name]), `"`+name+`":null`, 1)
			require.ErrorIs(t, check(micro.Event{Type: typ, Payload: []byte(null)}), errBody, "%s with null %s", typ, name)
		}
		extra := strings.Replace(good, "{", `{"password":"x",`, 1)
		require.ErrorIs(t, check(micro.Event{Type: typ, Payload: []byte(extra)}), errBody)
		require.ErrorIs(t, check(micro.Event{Type: typ, Key: "other", Payload: []byte(good)}), errBody)
	}
	require.ErrorIs(t, check(micro.Event{Type: typeAssigned, Payload: []byte(goodCreated)}), errBody)
	require.ErrorIs(t, check(micro.Event{Type: "order.status", Payload: []byte(goodCreated)}), errBody)
}

func FuzzCheck(f *testing.F) {
	f.Add(typeCreated, []byte(goodCreated))
	f.Add(typeAssigned, []byte(goodAssigned))
	f.Fuzz(func(t *testing.T, typ string, body []byte) {
		if check(micro.Event{Type: typ, Payload: body}) == nil {
			require.True(t, json.Valid(body))
			require.Contains(t, []string{typeCreated, typeAssigned}, typ)
		}
	})
}
