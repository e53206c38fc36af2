package server

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/restaurant"
	"tiffin/wire"
)

// serve runs an instance on a nats-server of its own and returns a client that acts for the edge.
func serve(tb testing.TB) (*testenv.NATSServer, *restaurant.Client) {
	tb.Helper()
	ns := testenv.NATS(tb)
	s, err := New(tb.Context(), Config{
		Conn: ns.Conn("restaurant"), MongoURL: testenv.Mongo(tb), Router: newRouter(tb), Redis: testenv.Redis(tb),
	})
	require.NoError(tb, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	tb.Cleanup(func() { stop(); require.NoError(tb, <-done) })
	select {
	case <-s.Ready():
	case err := <-done:
		require.NoError(tb, err)
	}
	return ns, restaurant.NewClient(micro.NewClient(ns.Conn("edge"), micro.ClientConfig{}))
}

// A restaurant's life over the wire, as the edge lives it.
func TestServiceOverNATS(t *testing.T) {
	t.Parallel()
	_, client := serve(t)
	me := owner(t)
	r, err := client.Create(me, opening("Taquería", "sf"))
	require.NoError(t, err)
	got, err := client.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, r, got)

	price := wire.Money(1299)
	item, err := client.MenuAdd(me, r.ID, restaurant.ItemFields{Name: "Burrito", Price: &price})
	require.NoError(t, err)
	menu, err := client.Menu(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, []restaurant.MenuItem{item}, menu.Items)
	quote, err := client.Quote(t.Context(), restaurant.QuoteRequest{RestaurantID: r.ID, Items: []restaurant.QuoteLine{{MenuItemID: item.ID, Quantity: 2}}})
	require.NoError(t, err)
	require.Equal(t, wire.Money(1299), quote.Items[0].UnitPrice)

	for _, req := range []restaurant.ListRequest{{City: "San Francisco"}, {Q: "taq"}, {Latitude: ptr(37.75), Longitude: ptr(-122.4), RadiusKm: ptr(5.0)}} {
		page, err := client.List(t.Context(), req)
		require.NoError(t, err)
		require.Len(t, page.Restaurants, 1)
	}
	_, err = client.List(t.Context(), restaurant.ListRequest{RadiusKm: ptr(5.0)})
	require.ErrorIs(t, err, micro.E(micro.CodeInvalid, ""))

	_, err = client.Update(owner(t), r.ID, restaurant.Changes{Name: ptr("Mine now")})
	require.ErrorIs(t, err, micro.E(micro.CodeForbidden, ""))
	_, err = client.Update(me, r.ID, restaurant.Changes{Name: ptr("Renamed")})
	require.NoError(t, err)
	changed, err := client.MenuUpdate(me, r.ID, item.ID, restaurant.ItemChanges{IsAvailable: ptr(false)})
	require.NoError(t, err)
	require.False(t, changed.IsAvailable)
	require.NoError(t, client.MenuDelete(me, r.ID, item.ID))
	require.ErrorIs(t, client.MenuDelete(me, r.ID, item.ID), micro.E(micro.CodeNotFound, ""))
	_, err = client.Get(t.Context(), item.ID)
	require.ErrorIs(t, err, micro.E(micro.CodeNotFound, ""))
}

// An operator with the nats CLI sees JSON, cached or not, as the contract has it.
func TestOperatorOverPlainNATS(t *testing.T) {
	t.Parallel()
	ns, client := serve(t)
	r, err := client.Create(by(t, auth.RoleAdmin), opening("Taquería", "Boston"))
	require.NoError(t, err)
	ops := ns.Conn("ops")
	for range 2 {
		msg, err := ops.RequestWithContext(t.Context(), "restaurant.list", []byte(`{"city":"boston"}`))
		require.NoError(t, err)
		var page struct{ Restaurants []map[string]any }
		require.NoError(t, json.Unmarshal(msg.Data, &page))
		require.Equal(t, r.ID, page.Restaurants[0]["id"])
		require.NotContains(t, page.Restaurants[0], "rev")
		require.NotContains(t, page.Restaurants[0], "distanceKm")
	}
	msg, err := ops.RequestWithContext(t.Context(), "restaurant.update", []byte(`{"id":"`+r.ID+`","isActive":false}`))
	require.NoError(t, err)
	require.Empty(t, msg.Header.Get("Nats-Service-Error"))
	msg, err = ops.RequestWithContext(t.Context(), "restaurant.get", []byte(`{"id":"nonsense"}`))
	require.NoError(t, err)
	require.Equal(t, "404", msg.Header.Get("Nats-Service-Error-Code"))
}

// What `nats micro info restaurant` shows of an answer that is kept encoded is the answer's shape, not "bytes".
func TestSchemaOfEncodedAnswers(t *testing.T) {
	t.Parallel()
	ns, _ := serve(t)
	msg, err := ns.Conn("").RequestWithContext(t.Context(), "$SRV.INFO.restaurant", nil)
	require.NoError(t, err)
	var info struct {
		Endpoints []struct {
			Subject  string
			Metadata map[string]string
		}
	}
	require.NoError(t, json.Unmarshal(msg.Data, &info))
	seen := 0
	for _, e := range info.Endpoints {
		switch e.Subject {
		case "restaurant.list":
			require.Contains(t, e.Metadata["response_schema"], "nextCursor")
			seen++
		case "restaurant.get":
			require.Contains(t, e.Metadata["response_schema"], "ownerUserId")
			seen++
		case "restaurant.menu":
			require.Contains(t, e.Metadata["response_schema"], "items")
			seen++
		}
	}
	require.Equal(t, 3, seen)
}

// BenchmarkListFromCache is what GET /restaurants?city= costs behind the edge, next to an endpoint that does nothing.
func BenchmarkListFromCache(b *testing.B) {
	ns, client := serve(b)
	me := owner(b)
	for range 20 {
		_, err := client.Create(me, opening("Taquería", "Boston"))
		require.NoError(b, err)
	}
	echo(b, ns)
	conn := ns.Conn("ops")
	for name, tc := range map[string]struct{ subject, body string }{
		"list": {"restaurant.list", `{"city":"boston"}`},
		"echo": {"echo.echo", `{"city":"boston"}`},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(32) // 64 requests at once on two cores: an edge under load, not one patient client
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					msg, err := conn.RequestWithContext(b.Context(), tc.subject, []byte(tc.body))
					if err != nil || msg.Header.Get("Nats-Service-Error") != "" {
						b.Error(err, msg)
						return
					}
				}
			})
		})
	}
}

// echo serves what the kit alone costs.
func echo(b *testing.B, ns *testenv.NATSServer) {
	b.Helper()
	service := micro.NewService(micro.ServiceConfig{Name: "echo", Version: "1.0.0", Conn: ns.Conn("ops")})
	micro.Handle(service, "echo", "Answer the request", func(_ context.Context, req restaurant.ListRequest) (restaurant.ListRequest, error) {
		return req, nil
	})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- service.Run(ctx) }()
	b.Cleanup(func() { stop(); require.NoError(b, <-done) })
	<-service.Ready()
}
