package micro_test

import (
	"slices"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"tiffin/config"
	"tiffin/local/testenv"
)

// answers lists, for each role, whose inboxes it may write to: those who call it. Everybody answers observers, the edge
// and operators; nobody calls the edge.
var answers = map[string][]string{
	"auth": {"edge", "ops", "order", "restaurant"}, "bridge": {"edge", "ops"}, "edge": {}, "delivery": {"edge", "ops", "order", "tracking"},
	"restaurant": {"edge", "ops", "order"}, "order": {"edge", "ops", "delivery", "tracking"},
	"tracking": {"edge", "ops", "order", "delivery"}, "": {},
}

// TestALeakedPasswordReadsNobodysAnswers: not even a role's neighbours' inboxes, and it writes only to those of its
// callers, so that it cannot answer in the name of another service.
func TestALeakedPasswordReadsNobodysAnswers(t *testing.T) {
	t.Parallel()
	srv := testenv.NATS(t)
	for role, callers := range answers {
		nc := srv.Conn(role)
		for _, other := range config.NATSRoles {
			if other == role {
				continue
			}
			for _, subject := range []string{"_INBOX_" + other + ".>", "_INBOX_" + other + ".a.b", "_INBOX_" + other + ".*.*"} {
				require.True(t, refused(t, nc, func() error {
					_, err := nc.Subscribe(subject, func(*nats.Msg) {})
					return err
				}), "%q reads %s", role, subject)
			}
			if !slices.Contains(callers, other) {
				require.True(t, refused(t, nc, func() error { return nc.Publish("_INBOX_"+other+".a", nil) }), "%q writes to %s", role, other)
			}
		}
	}
}

// TestALeakedPasswordRunsNoServer: the system account, the streams as a whole, other buckets and consumers belong to
// nobody but ops.
func TestALeakedPasswordRunsNoServer(t *testing.T) {
	t.Parallel()
	srv := testenv.NATS(t)
	publish := []string{
		"$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.PING.CONNZ", "$SYS.REQ.USER.INFO.x",
		"$JS.API.STREAM.CREATE.OTHER", "$JS.API.STREAM.DELETE.EVENTS", "$JS.API.STREAM.PURGE.DEAD", "$JS.API.STREAM.DELETE.DEAD",
		"$JS.API.STREAM.SNAPSHOT.EVENTS", "$JS.API.STREAM.RESTORE.EVENTS", "$JS.API.STREAM.MSG.DELETE.EVENTS", "$JS.API.STREAM.PEER.REMOVE.EVENTS",
		"$JS.API.STREAM.LEADER.STEPDOWN.EVENTS", "$JS.API.CONSUMER.CREATE.EVENTS", "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.mine",
		"$JS.API.CONSUMER.CREATE.EVENTS.mine", "$JS.API.CONSUMER.CREATE.EVENTS.mine.events.order.created.mx",
		"$JS.API.META.LEADER.STEPDOWN", "$JS.API.SERVER.REMOVE", "$JS.API.ACCOUNT.PURGE.FLEET", "$KV.x.y", "$O.x.C.y",
		"events", "foreign.subject",
	}
	subscribe := []string{"$SYS.>", "$SYS.ACCOUNT.>", "$JS.EVENT.>", "$JS.API.>", "$JS.ACK.>", "events.order.created.*", "dead.>", ">", "*.*", "*"}
	for role := range answers {
		nc := srv.Conn(role)
		for _, subject := range publish {
			require.True(t, refused(t, nc, func() error { return nc.Publish(subject, nil) }), "%q publishes %s", role, subject)
		}
		if role != "bridge" { // which trims what is old and confirmed
			require.True(t, refused(t, nc, func() error { return nc.Publish("$JS.API.STREAM.PURGE.EVENTS", nil) }), "%q purges", role)
		}
		if role != "order" && role != "delivery" { // whose relays carry the outbox
			for _, subject := range []string{"events.order.created", "events.order.created.mx", "events.order.status.us-west", "events.delivery.accepted.ca"} {
				require.True(t, refused(t, nc, func() error { return nc.Publish(subject, nil) }), "%q publishes %s", role, subject)
			}
		}
		for _, subject := range subscribe {
			require.True(t, refused(t, nc, func() error {
				_, err := nc.Subscribe(subject, func(*nats.Msg) {})
				return err
			}), "%q listens on %s", role, subject)
		}
		if role != "" {
			_, err := nats.Connect(srv.URL, nats.UserInfo("sys", srv.Password(role)))
			require.ErrorIs(t, err, nats.ErrAuthorization, "%q is no system user", role)
			_, err = nats.Connect(srv.URL, nats.UserInfo("ops", srv.Password(role)))
			require.ErrorIs(t, err, nats.ErrAuthorization, "%q is no operator", role)
		}
	}
}

// TestOpsIsNotTheSystem: an operator may do everything in the fleet's account, and cannot reach the server's own.
func TestOpsIsNotTheSystem(t *testing.T) {
	t.Parallel()
	nc := testenv.NATS(t).Conn("ops")
	heard, err := nc.SubscribeSync("$SYS.ACCOUNT.*.CONNECT")
	require.NoError(t, err)
	require.NoError(t, nc.Flush())
	_, err = nc.Request("$SYS.REQ.SERVER.PING.CONNZ", nil, 0)
	require.Error(t, err)
	n, _, err := heard.Pending()
	require.NoError(t, err)
	require.Zero(t, n)
}
