package server_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/services/order"
	"tiffin/services/order/ordertest"
)

// ask sends a request as an operator does with the nats command: without an actor.
func (f *fixture) ask(t *testing.T, subject, body string) (answer, code string) {
	t.Helper()
	msg, err := f.NATS.Conn("ops").Request(subject, []byte(body), 10*time.Second)
	require.NoError(t, err)
	return string(msg.Data), msg.Header.Get("Nats-Service-Error-Code")
}

func TestAnOperatorAtATerminal(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	_, placed := f.place(t)
	for _, c := range []struct{ subject, body, code, contains string }{
		{"order.get", `{"id":"` + placed.ID + `"}`, "", `"totalAmount":25.00`},
		{"order.get", `{"id":"` + f.NewUser("Boston") + `"}`, "404", "not found"},
		{"order.get", `{"id":"` + placed.ID + `","ID":"x"}`, "422", "unknown field"},
		{"order.get", `{"id":`, "400", ""},
		{"order.list", `{"limit":1}`, "", placed.ID},
		{"order.list", `{"limit":1000}`, "422", "limit"},
		{"order.history", `{"id":"` + placed.ID + `"}`, "", `"from":null,"to":"pending"`},
		{"order.updates", `{"id":"` + placed.ID + `","since":0}`, "", `"seq":1`},
		{"order.overview", ``, "", `"pending":1`},
		{"order.create", `{"restaurantId":"x"}`, "422", "items"},
		{"order.status", `{"id":"` + placed.ID + `","status":"ready"}`, "409", `"allowed":["confirmed","rejected","cancelled"]`},
		{"order.status", `{"id":"` + placed.ID + `","status":"confirmed","reason":"by phone"}`, "", `"status":"confirmed"`},
	} {
		answer, code := f.ask(t, c.subject, c.body)
		require.Equal(t, c.code, code, "%s %s: %s", c.subject, c.body, answer)
		require.Contains(t, answer, c.contains)
	}
	history, err := f.orders.History(ordertest.Admin(t.Context()), placed.ID)
	require.NoError(t, err)
	require.Equal(t, "operator", history.History[1].ActorRole, "the history says who it was")
	require.Equal(t, "by phone", history.History[1].Reason)
}

func TestDiscoveryShowsEveryVerbWithItsSchemas(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	msg, err := f.NATS.Conn("").Request("$SRV.INFO.order", nil, 10*time.Second)
	require.NoError(t, err, "an observer may ask")
	var info struct {
		Version   string `json:"version"`
		Endpoints []struct {
			Subject  string            `json:"subject"`
			Metadata map[string]string `json:"metadata"`
		} `json:"endpoints"`
	}
	require.NoError(t, json.Unmarshal(msg.Data, &info))
	require.Equal(t, order.ServiceVersion, info.Version)
	seen := map[string]bool{}
	for _, e := range info.Endpoints {
		seen[e.Subject] = true
		require.NotEmpty(t, e.Metadata["description"], e.Subject)
		for _, schema := range []string{"request_schema", "response_schema"} {
			require.True(t, strings.HasPrefix(e.Metadata[schema], "{") && json.Valid([]byte(e.Metadata[schema])), "%s %s", e.Subject, schema)
		}
	}
	for _, verb := range []string{"create", "get", "list", "status", "history", "updates", "overview", "health"} {
		require.True(t, seen["order."+verb], verb)
	}
}

// Nothing a client can send makes the service fail: every answer is an order or a reason.
func TestNoIdIsAFaultOfOurs(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	for _, id := range []string{"", "x", "\\u0000", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-8fff-bfff-ffffffffffff",
		"' or 1=1 --", strings.Repeat("a", 5000), "{01a203e2-3fec-8568-b1a8-1ebd643d00e1}", "urn:uuid:01a203e2-3fec-8568-b1a8-1ebd643d00e1"} {
		for _, subject := range []string{"order.get", "order.history", "order.updates"} {
			_, code := f.ask(t, subject, `{"id":"`+id+`"}`)
			require.Equal(t, "404", code, "%s %.40q", subject, id)
		}
		_, code := f.ask(t, "order.status", `{"id":"`+id+`","status":"confirmed"}`)
		require.Equal(t, "404", code, "%.40q", id)
	}
}
