package wholefleet

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/sim"
)

func place(key string, status int, body string) sim.Request {
	return sim.Request{Account: "c1", Method: http.MethodPost, Path: "/orders", Key: key, Status: status, Body: []byte(body)}
}

func TestTheLedgerKeepsWhatWasPromised(t *testing.T) {
	t.Parallel()
	l := newLedger()
	l.Asked(sim.Request{Method: http.MethodPost, Path: "/auth/login", Status: 200, Body: []byte(`{"user":{"id":"c1"},"token":"t1"}`)})
	l.Asked(place("k1", 0, ""))
	l.Asked(place("k1", 201, `{"id":"o1","totalAmount":45.90}`))
	l.Asked(place("k1", 201, `{"id":"o1","totalAmount":45.90}`)) // asked again, the same
	l.Asked(place("k2", 503, `{}`))
	gone := place("k3", 0, "")
	gone.GaveUp = true
	l.Asked(gone)
	l.Asked(sim.Request{Account: "r1", Method: http.MethodPost, Path: "/delivery/o1/accept", Status: 200, Began: noon, Took: time.Second})
	l.Asked(sim.Request{Account: "r2", Method: http.MethodPost, Path: "/delivery/o1/accept", Status: 409})
	c := l.clients()
	require.Equal(t, []Placed{
		{Key: "k1", Customer: "c1", IDs: []string{"o1"}, Total: "45.90"}, {Key: "k2", Customer: "c1"}, {Key: "k3", Customer: "c1"},
	}, c.Placed, "what was given up may have been placed all the same")
	require.Equal(t, []Acceptance{{Order: "o1", Rider: "r1", Began: noon, Answered: noon.Add(time.Second)}}, c.Acceptances)
	require.Len(t, l.attemptsMade(), 7, "what the asker gave up is nobody's failure")
	require.Equal(t, map[string]string{"c1": "t1"}, l.tokens())
}

// frame is one of a customer's on the first connection.
func frame(sent bool, event, data string) sim.Frame {
	return sim.Frame{Account: "c1", Connection: 1, Sent: sent, Event: event, Data: json.RawMessage(data)}
}

func TestTheLedgerFollowsSubscriptions(t *testing.T) {
	t.Parallel()
	l := newLedger()
	l.Asked(place("k1", 201, `{"id":"o1","totalAmount":1.00}`))
	subscribe := frame(true, "subscribe-order", `{"orderId":"o1","since":0}`)
	l.Said(subscribe)
	l.Said(sim.Frame{Account: "c1", Connection: 1, ID: "o1", Refused: true}) // and asked again
	l.Said(subscribe)
	for seq := range 2 {
		l.Said(frame(false, "order-updated", fmt.Sprintf(`{"orderId":"o1","seq":%d}`, seq+1)))
	}
	l.Said(frame(false, "location-updated", `{"orderId":"o1"}`))
	l.Said(frame(true, "unsubscribe-order", `{"orderId":"o1"}`))
	l.Said(frame(false, "order-updated", `{"orderId":"o1","seq":9}`)) // nobody's any more
	again := frame(true, "subscribe-order", `{"orderId":"o1","since":2}`)
	again.Connection = 2
	l.Said(again)
	stranger := subscribe
	stranger.Account = "r1"
	l.Said(stranger)
	updates := l.clients().Updates
	require.Len(t, updates, 3, "a rider's room is theirs to leave and to enter")
	require.Equal(t, Following{Connection: 1, Order: "o1"}, updates[0], "refused")
	require.Equal(t, Following{Connection: 1, Order: "o1", Seqs: []int64{1, 2}}, updates[1])
	require.Equal(t, Following{Connection: 2, Order: "o1", Since: 2}, updates[2])
}
