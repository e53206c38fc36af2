package micro_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
)

// refused reports whether the server denies what do sends. Denials of publishes and subscriptions come later, as an
// asynchronous error, so it flushes and looks at the last one.
func refused(t *testing.T, nc *nats.Conn, do func() error) bool {
	t.Helper()
	denied := make(chan error, 10)
	nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrPermissionViolation) {
			denied <- err
		}
	})
	require.NoError(t, do())
	require.NoError(t, nc.Flush())
	select {
	case err := <-denied: // the handler runs on another goroutine, but the denial precedes the answer to the flush
		return err != nil
	case <-time.After(100 * time.Millisecond):
		return false
	}
}

// TestLeastPermissions tries with each role's password what is not that role's work.
func TestLeastPermissions(t *testing.T) {
	t.Parallel()
	srv := testenv.NATS(t)
	publish := map[string][]string{
		"": {
			"order.create", "events.order.created.mx", "auth.login", "$JS.API.STREAM.DELETE.EVENTS", "$JS.API.INFO",
			"_INBOX.someone", "_INBOX_edge.x", "$SYS.REQ.SERVER.PING", "dead.bridge.x",
		},
		"auth":       {"events.order.created.mx", "order.create", "$SRV.PING", "$JS.API.INFO", "_INBOX_delivery.x", "dead.auth.x"},
		"restaurant": {"events.order.created.mx", "order.status", "auth.login", "auth.key-create", "auth.key-verify", "$JS.API.INFO", "_INBOX_delivery.x"},
		"order": {
			"auth.login", "auth.key-create", "auth.key-verify", "auth.audit", "delivery.accept", "$SRV.PING", "dead.order.x", "$JS.API.STREAM.DELETE.EVENTS",
			"$JS.API.STREAM.PURGE.EVENTS", "$JS.API.STREAM.CREATE.OTHER", "$JS.API.CONSUMER.CREATE.EVENTS.order",
			"$JS.API.CONSUMER.DELETE.EVENTS.bridge", "$JS.API.CONSUMER.MSG.NEXT.EVENTS.bridge", "$JS.ACK.EVENTS.bridge.1.1.1.1.0",
		},
		"delivery": {
			"auth.login", "auth.note", "restaurant.update", "dead.bridge.x", "$JS.API.STREAM.DELETE.EVENTS", "$JS.API.CONSUMER.CREATE.EVENTS.bridge",
			"$JS.API.CONSUMER.MSG.NEXT.EVENTS.tracking", "$JS.ACK.EVENTS.tracking.1.1.1.1.0", "$JS.API.CONSUMER.DELETE.EVENTS.delivery",
		},
		"tracking": {
			"events.order.status.mx", "auth.login", "restaurant.update", "$JS.API.STREAM.CREATE.EVENTS", "$JS.API.STREAM.MSG.GET.EVENTS",
			"$JS.API.CONSUMER.CREATE.EVENTS.bridge", "$JS.ACK.EVENTS.bridge.1.1.1.1.0", "dead.delivery.x",
		},
		"edge": {"events.order.created.mx", "$JS.API.INFO", "$JS.API.STREAM.DELETE.EVENTS", "_INBOX.x", "_INBOX_order.x", "dead.edge.x"},
		"bridge": {
			"events.order.created.mx", "order.create", "auth.login", "$SRV.PING", "$JS.API.STREAM.DELETE.EVENTS",
			"$JS.API.STREAM.CREATE.EVENTS", "$JS.API.CONSUMER.DELETE.EVENTS.bridge", "$JS.API.CONSUMER.CREATE.EVENTS.tracking",
		},
	}
	listen := map[string][]string{
		"": {">", "order.*", "events.>", "$SRV.PING", "_INBOX_edge.>", "_INBOX_order.x", "$JS.API.>", "*"},
	}
	for _, role := range []string{"auth", "restaurant", "order", "delivery", "tracking", "edge", "bridge"} {
		for _, other := range []string{"auth", "restaurant", "order", "delivery", "tracking", "bridge"} {
			if other != role {
				listen[role] = append(listen[role], other+".*", "_INBOX_"+other+".>", "$SRV.PING."+other)
			}
		}
		listen[role] = append(listen[role], ">", "events.>", "_INBOX.>", "dead.>", "$JS.>", "$SRV.>")
	}
	for role := range listen {
		nc := srv.Conn(role)
		for _, subject := range publish[role] {
			require.True(t, refused(t, nc, func() error { return nc.Publish(subject, nil) }), "%q publishes %s", role, subject)
		}
		for _, subject := range listen[role] {
			require.True(t, refused(t, nc, func() error {
				_, err := nc.QueueSubscribe(subject, "q", func(*nats.Msg) {})
				return err
			}), "%q listens on %s", role, subject)
		}
	}
}

func TestServicesOutsideTheirQueueGroupAreRefused(t *testing.T) {
	t.Parallel()
	nc := testenv.NATS(t).Conn("order")
	require.True(t, refused(t, nc, func() error {
		_, err := nc.Subscribe("order.*", func(*nats.Msg) {}) // would get a copy of every order
		return err
	}))
}

func TestOpsMayDoEverything(t *testing.T) {
	t.Parallel()
	nc := testenv.NATS(t).Conn("ops")
	require.False(t, refused(t, nc, func() error { return nc.Publish("events.order.created.mx", nil) }))
	require.False(t, refused(t, nc, func() error {
		_, err := nc.Subscribe(">", func(*nats.Msg) {})
		return err
	}))
}

func TestWrongPasswordIsRefused(t *testing.T) {
	t.Parallel()
	srv := testenv.NATS(t)
	for _, role := range []string{"ops", "order", "edge"} {
		_, err := nats.Connect(srv.URL, nats.UserInfo(role, "guess"))
		require.ErrorIs(t, err, nats.ErrAuthorization, role)
	}
}

// TestObserverDiscoversAndHarmsNothing is the promise of the embedded default: whoever is on this machine may look.
func TestObserverDiscoversAndHarmsNothing(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	var log logBuffer
	run(t, newEcho(t, srv, micro.ServiceConfig{Log: slog.New(slog.NewTextHandler(&log, nil))}))
	js := srv.js("order")
	stream, err := micro.EnsureStream(t.Context(), js, 1)
	require.NoError(t, err)
	observer := srv.conn("")

	answer, err := observer.Request("$SRV.PING", nil, 5*time.Second)
	require.NoError(t, err)
	require.Contains(t, string(answer.Data), `"name":"order"`)

	// The role order may publish events. An observer who names an event's subject as the reply of a ping must not make
	// the service publish one; nor may it send the answer of a ping to an endpoint, as a request without an actor.
	for _, reply := range []string{"events.order.created.us-west", "order.echo", "restaurant.update", "$JS.API.STREAM.DELETE.EVENTS"} {
		require.NoError(t, observer.PublishRequest("$SRV.PING.order", reply, nil))
		require.NoError(t, observer.PublishRequest("$SRV.INFO", reply, nil))
	}
	require.NoError(t, observer.Flush())
	require.Eventually(t, func() bool { return strings.Count(log.String(), "its reply subject is no inbox") == 8 },
		5*time.Second, time.Millisecond)
	info, err := stream.Info(t.Context())
	require.NoError(t, err)
	require.Zero(t, info.State.Msgs)
	require.NotContains(t, log.String(), "operator request")
}

// TestALeakedRoleCannotForgeThroughAnother: the role tracking may call order.* but not publish events; order may.
func TestALeakedRoleCannotForgeThroughAnother(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	run(t, newEcho(t, srv, micro.ServiceConfig{}))
	js := srv.js("order")
	stream, err := micro.EnsureStream(t.Context(), js, 1)
	require.NoError(t, err)
	leaked := srv.conn("tracking")
	require.NoError(t, leaked.PublishRequest("order.echo", "events.order.created.us-west", []byte(`{"text":"forged"}`)))
	require.NoError(t, leaked.Flush())
	_, err = micro.Call[echoRequest, echoResponse](t.Context(), micro.NewClient(leaked, micro.ClientConfig{}), "order.echo", echoRequest{})
	require.NoError(t, err, "its own work goes on; the forged request came before and is done with")
	info, err := stream.Info(t.Context())
	require.NoError(t, err)
	require.Zero(t, info.State.Msgs)
}

// TestMessagesThatJetStreamDeliversAreNoRequests: a role that may make consumers could have events delivered to the
// subject of an endpoint. They carry no actor, and without this rule they would run with the operator's rights.
func TestMessagesThatJetStreamDeliversAreNoRequests(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	var log logBuffer
	run(t, newEcho(t, srv, micro.ServiceConfig{Log: slog.New(slog.NewTextHandler(&log, nil))}))
	js := srv.js("order")
	_, err := micro.EnsureStream(t.Context(), js, 1)
	require.NoError(t, err)
	leaked := srv.conn("tracking")
	for _, ack := range []string{"none", "explicit"} {
		body, err := json.Marshal(map[string]any{"stream_name": "EVENTS", "config": map[string]any{
			"durable_name": "tracking", "name": "tracking", "ack_policy": ack, "deliver_subject": "order.echo", "deliver_group": "q",
		}})
		require.NoError(t, err)
		_, err = leaked.Request("$JS.API.CONSUMER.CREATE.EVENTS.tracking", body, 5*time.Second)
		require.NoError(t, err)
		_, err = micro.NewPublisher(js).PublishBatch(context.Background(), []micro.Event{event("1")})
		require.NoError(t, err)
		require.NoError(t, srv.js("ops").DeleteConsumer(t.Context(), micro.StreamEvents, "tracking"))
	}
	require.Eventually(t, func() bool { return strings.Count(log.String(), "its reply subject is no inbox") > 0 }, 5*time.Second, time.Millisecond)
	require.NotContains(t, log.String(), "operator request")
}
