package outbox

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/micro"
)

func goodEvent() Event {
	return Event{ID: uuid.NewString(), Type: "order.created", Region: "us-west", Key: "k", Payload: map[string]int{"a": 1}}
}

func TestCheckTakesWhatCanBeSent(t *testing.T) {
	t.Parallel()
	event := goodEvent()
	id, payload, err := check(event)
	require.NoError(t, err)
	require.Equal(t, event.ID, id.String())
	require.JSONEq(t, `{"a":1}`, string(payload))

	event.ID = ""
	event.Payload = json.RawMessage(`{"totalAmount":45.90}`)
	event.Headers = map[string]string{"X-Request-Id": "r", "traceparent": "00-…"}
	id, payload, err = check(event)
	require.NoError(t, err)
	require.Equal(t, uuid.Version(7), id.Version(), "an event without an id gets one")
	require.Equal(t, `{"totalAmount":45.90}`, string(payload), "as the service wrote it")
}

// TestWhatIsTakenCanBePublished: the relay must never meet a row that the
// publisher refuses, for it would wait there.
func TestWhatIsTakenCanBePublished(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		event := goodEvent()
		event.Type = rapid.OneOf(rapid.Just("order.created"), rapid.StringMatching(`[a-z.*> A-Z]{0,8}`)).Draw(t, "type")
		event.Region = rapid.OneOf(rapid.Just("mx"), rapid.StringMatching(`[a-z.*> -]{0,6}`)).Draw(t, "region")
		event.Key = rapid.OneOf(rapid.Just("key"), rapid.String()).Draw(t, "key")
		event.Headers = map[string]string{
			rapid.OneOf(rapid.Just("A"), rapid.String()).Draw(t, "header"): rapid.String().Draw(t, "value"),
		}
		if _, _, err := check(event); err != nil {
			return
		}
		require.NotEmpty(t, micro.EventSubject(event.Type, event.Region))
		for name, value := range event.Headers {
			require.NotContains(t, name+value, "\n")
			require.NotContains(t, name+value, "\r")
			require.NotEqual(t, jetstream.MsgIDHeader, name)
		}
		require.NotContains(t, event.Key, "\n")
	})
}

func TestQueueRefusesAndSendsNothing(t *testing.T) {
	t.Parallel()
	var batch pgx.Batch
	event := goodEvent()
	event.Type = "order.>"
	require.ErrorContains(t, Queue(&batch, event), "order.>")
	require.Zero(t, batch.Len())
	require.NoError(t, Queue(&batch, goodEvent()))
	require.Equal(t, 1, batch.Len())
}

func TestSizesAreBounded(t *testing.T) {
	t.Parallel()
	event := goodEvent()
	event.Payload = strings.Repeat("x", maxPayload)
	_, _, err := check(event)
	require.ErrorContains(t, err, "bytes")
	require.NotContains(t, err.Error(), "xxx", "a payload is nobody's business")
	event = goodEvent()
	event.Headers = map[string]string{"A": strings.Repeat("x", maxHeaders)}
	_, _, err = check(event)
	require.ErrorContains(t, err, "bytes")
}

func FuzzCheck(f *testing.F) {
	f.Add("order.created", "us-west", "key", "X-Request-Id", "r")
	f.Add("*", ">", "", "Nats-Msg-Id", "\r\n")
	f.Fuzz(func(t *testing.T, typ, region, key, header, value string) {
		_, payload, err := check(Event{Type: typ, Region: region, Key: key, Headers: map[string]string{header: value}, Payload: value})
		if err != nil {
			return
		}
		require.True(t, json.Valid(payload))
		require.NotEmpty(t, micro.EventSubject(typ, region))
		require.NotContains(t, header+value+key, "\n")
	})
}
