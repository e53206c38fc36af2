package bridge_test

import (
	"errors"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/bridge"
	"tiffin/micro"
)

// rows are what the outboxes would say of the events published so far, and then the extra ones.
func (w *world) rows(extra ...bridge.Row) iter.Seq2[bridge.Row, error] {
	return func(yield func(bridge.Row, error) bool) {
		for i, e := range w.events {
			if !yield(bridge.Row{ID: e.ID, Type: e.Type, Key: e.Key, Shard: "a", Sent: true, StreamSeq: uint64(i + 1)}, nil) {
				return
			}
		}
		for _, r := range extra {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// reconcile compares with the rights of the role bridge.
func (w *world) reconcile(extra ...bridge.Row) bridge.Report {
	w.t.Helper()
	report, err := bridge.Reconcile(w.t.Context(), w.operator().JS, w.rows(extra...))
	require.NoError(w.t, err)
	require.Equal(w.t, len(report.Findings) == 0, report.Agrees())
	return report
}

// halfWay is a world in which some events are relayed, one is dead, and some wait for a bridge. It gives how many are
// relayed.
func halfWay(t *testing.T) (*world, int) {
	t.Helper()
	w := newWorld(t)
	stop := w.start()
	w.publish(orders(10)...)
	bad := created("o-bad")
	bad.Payload = []byte(`{}`)
	w.publish(bad)
	w.drained()
	stop()
	relayed := len(w.events) - 1
	w.publish(orders(5)...)
	status := created("o-1")
	status.Type = "order.status"
	w.publish(status)
	return w, relayed
}

func TestReconcileAccountsForEveryEvent(t *testing.T) {
	t.Parallel()
	w, relayed := halfWay(t)
	report := w.reconcile(bridge.Row{ID: "waiting"}, bridge.Row{ID: "long ago", Sent: true})
	require.Equal(t, bridge.Report{
		Rows: len(w.events) + 2, Waiting: 1, Earlier: 1, Stream: len(w.events), Relayed: relayed, Dead: 1,
		Lag: len(w.events) - relayed - 2, Others: 1, Findings: []bridge.Finding{},
	}, report)

	// Waiting in an outbox and in the stream already: its relay has not noted the acknowledgement yet.
	ahead := created("o-7")
	_, err := micro.NewPublisher(w.js).PublishBatch(t.Context(), []micro.Event{ahead})
	require.NoError(t, err)
	require.True(t, w.reconcile(bridge.Row{ID: ahead.ID}).Agrees())
}

// TestReconcileFindsWhatIsPutInOnPurpose: each way of losing track of an event.
func TestReconcileFindsWhatIsPutInOnPurpose(t *testing.T) {
	t.Parallel()
	w, relayed := halfWay(t)
	last := uint64(len(w.events))

	report := w.reconcile(bridge.Row{ID: "lost", Type: "order.created", Key: "o-9", Shard: "b", Sent: true, StreamSeq: last + 1})
	require.Equal(t, []bridge.Finding{
		{Problem: bridge.Missing, ID: "lost", Type: "order.created", Key: "o-9", Shard: "b", StreamSeq: last + 1},
	}, report.Findings)

	stream, err := w.nats.JS().Stream(t.Context(), micro.StreamEvents)
	require.NoError(t, err)
	require.NoError(t, stream.DeleteMsg(t.Context(), 3))
	foreign := created("o-x")
	_, err = micro.NewPublisher(w.js).PublishBatch(t.Context(), []micro.Event{foreign})
	require.NoError(t, err)
	waits := w.events[relayed+1] // one that RabbitMQ does not have, whose row points elsewhere
	w.events[relayed+1].ID = "gone"
	report = w.reconcile(bridge.Row{ID: waits.ID, Type: waits.Type, Key: waits.Key, Shard: "c", Sent: true, StreamSeq: 2})
	require.Equal(t, []bridge.Finding{
		{Problem: bridge.Displaced, ID: waits.ID, Type: waits.Type, Key: waits.Key, Shard: "c", StreamSeq: 2},
		{Problem: bridge.Missing, ID: w.events[2].ID, Type: w.events[2].Type, Key: w.events[2].Key, Shard: "a", StreamSeq: 3},
		{Problem: bridge.Missing, ID: "gone", Type: waits.Type, Key: waits.Key, Shard: "a", StreamSeq: uint64(relayed + 2)},
		{Problem: bridge.Unknown, ID: foreign.ID, Type: "order.created", Key: "o-x", StreamSeq: last + 1},
	}, report.Findings)
}

func TestReconcileWithoutAStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.True(t, w.reconcile().Agrees())
	w.publish(created("o-1"))
	require.NoError(t, w.nats.JS().DeleteStream(t.Context(), micro.StreamEvents))
	report := w.reconcile()
	require.Len(t, report.Findings, 1)
	require.Equal(t, w.events[0].ID, report.Findings[0].ID)

	trouble := errors.New("shard is down")
	_, err := bridge.Reconcile(t.Context(), w.operator().JS, func(yield func(bridge.Row, error) bool) { yield(bridge.Row{}, trouble) })
	require.ErrorIs(t, err, trouble)
}
