package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"tiffin/micro"
	"tiffin/services/edge/realtime/frame"
	"tiffin/services/edge/realtime/hub"
	"tiffin/services/order"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a hub with a live channel and an order service in memory.
type bench struct {
	*hub.Hub

	mu      sync.Mutex
	watched map[string]int   // Watch minus Unwatch
	quiet   bool             // Watch is not confirmed by itself
	seqs    map[string]int64 // of orders, as the order service has them
	fetched int
	failing int // fetches that are still to fail
}

func newBench(t testing.TB, workers int) *bench {
	t.Helper()
	b := &bench{watched: map[string]int{}, seqs: map[string]int64{}}
	b.Hub = hub.New(hub.Config{Channel: b, Fetch: b.fetch, Workers: workers, Log: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-done) })
	return b
}

func (b *bench) Watch(orderID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watched[orderID]++
	if !b.quiet {
		go b.Confirmed(orderID) // as Redis does: a moment later
	}
}

func (b *bench) Unwatch(orderID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watched[orderID]--
}

// fetch is the order service.
func (b *bench) fetch(_ context.Context, orderID string, since int64) (hub.Snapshot, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fetched++
	if b.failing > 0 {
		b.failing--
		return hub.Snapshot{}, micro.E(micro.CodeUnavailable, "away")
	}
	return b.snapshot(orderID, since), nil
}

func (b *bench) snapshot(orderID string, since int64) hub.Snapshot {
	seq := b.seqs[orderID]
	snap := hub.Snapshot{Status: order.Ready, Seq: seq}
	for s := since + 1; s <= seq; s++ {
		snap.Updates = append(snap.Updates, order.Update{OrderID: orderID, Seq: s, Status: order.Ready})
	}
	return snap
}

// commit gives the order one more change, without publishing it.
func (b *bench) commit(orderID string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seqs[orderID]++
	return b.seqs[orderID]
}

// join enters a room with a snapshot of now.
func (b *bench) join(t testing.TB, orderID string, to hub.Receiver, since *int64) *hub.Member {
	t.Helper()
	m := b.Enter(orderID, to)
	require.NoError(t, m.Listening(t.Context()))
	after := int64(0)
	if since != nil {
		after = *since
	}
	b.mu.Lock()
	snap := b.snapshot(orderID, after)
	b.mu.Unlock()
	require.True(t, m.Admit(snap, since, ackFrame(to.Form())))
	return m
}

func ackFrame(form frame.Form) func(hub.State) *frame.Frame {
	return func(s hub.State) *frame.Frame {
		f := frame.Event("ack", fmt.Appendf(nil, `{"status":%q,"seq":%d}`, s.Status, s.Seq))
		f.Ensure(form)
		return f
	}
}

// receiver remembers what it was sent.
type receiver struct {
	form   frame.Form
	barred int64 // the change that takes the right to see the order away, 0 for none

	mu  sync.Mutex
	got []message
}

// message is a frame, as far as tests look.
type message struct {
	Event string
	Data  struct {
		Seq       int64
		Timestamp string
		Latitude  float64
	}
	replaceable bool
}

func (r *receiver) Form() frame.Form { return r.form }

// Stays takes the right to see the order away with the change that r.barred tells.
func (r *receiver) Stays(u order.Update) bool { return r.barred == 0 || u.Seq < r.barred }

func (r *receiver) Send(f *frame.Frame, slot any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := message{replaceable: slot != nil}
	if err := json.Unmarshal([]byte(f.Live()), &m); err != nil || f.Framed(r.form) == nil {
		panic(fmt.Sprintf("frame without the form %d: %q", r.form, f.Live()))
	}
	r.got = append(r.got, m)
}

func (r *receiver) all() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]message(nil), r.got...)
}

// seqs gives the changes received.
func (r *receiver) seqs() []int64 {
	var seqs []int64
	for _, m := range r.all() {
		if m.Event == hub.EventOrder {
			seqs = append(seqs, m.Data.Seq)
		}
	}
	return seqs
}

func (r *receiver) eventually(t testing.TB, want ...int64) {
	t.Helper()
	require.Eventually(t, func() bool { return len(r.seqs()) >= len(want) }, 5*time.Second, time.Millisecond)
	require.Equal(t, want, r.seqs())
}

func change(orderID string, seq int64) string {
	return fmt.Sprintf(`{"event":"order-updated","data":{"orderId":%q,"seq":%d,"status":"ready"}}`, orderID, seq)
}

func position(second int, latitude float64) string {
	return fmt.Sprintf(`{"event":"location-updated","data":{"timestamp":"2026-11-22T14:08:%02d.000Z","latitude":%v}}`, second, latitude)
}

func ptr(v int64) *int64 { return &v }

func TestEveryMemberGetsEveryChangeOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	one, two := &receiver{form: frame.JSON}, &receiver{form: frame.SocketIO}
	b.commit("o")
	defer b.join(t, "o", one, nil).Leave()
	for range 3 {
		b.Deliver("o", change("o", b.commit("o")))
	}
	one.eventually(t, 2, 3, 4)
	defer b.join(t, "o", two, ptr(1)).Leave()
	b.Deliver("o", change("o", b.commit("o")))
	one.eventually(t, 2, 3, 4, 5)
	two.eventually(t, 2, 3, 4, 5)
	require.Equal(t, "ack", two.all()[0].Event)
	require.EqualValues(t, 4, two.all()[0].Data.Seq)
	b.Deliver("elsewhere", change("elsewhere", 1)) // a room nobody is in
	require.Positive(t, b.Delivered())
}

func TestDuplicatesAndOvertakenChanges(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	r := &receiver{}
	b.commit("o")
	defer b.join(t, "o", r, nil).Leave()
	for _, seq := range []int64{3, 1, 2, 2, 3, 5, 4} {
		b.Deliver("o", change("o", seq))
	}
	r.eventually(t, 2, 3, 4, 5)
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Zero(t, b.fetched, "what was only overtaken is not fetched")
}

// TestLostChangeIsFetched, also when fetching fails at first.
func TestLostChangeIsFetched(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	r := &receiver{}
	b.commit("o")
	defer b.join(t, "o", r, nil).Leave()
	b.failing = 1
	b.commit("o") // and nobody hears of it
	b.Deliver("o", change("o", b.commit("o")))
	r.eventually(t, 2, 3)
}

// TestConfirmedAgainCatchesUp: the live channel was away, and nothing tells what it missed.
func TestConfirmedAgainCatchesUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	r := &receiver{}
	b.commit("o")
	m := b.join(t, "o", r, nil)
	b.commit("o")
	b.failing = 2
	b.Confirmed("o")
	r.eventually(t, 2)
	m.Leave()
	b.Confirmed("o") // of a room that is gone
}

// TestJoiningLosesNothing: changes arrive at every moment of joining.
func TestJoiningLosesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	for round := range 50 {
		id := fmt.Sprint("o", round)
		b.commit(id)
		var writer sync.WaitGroup
		writer.Go(func() {
			for range 10 {
				b.Deliver(id, change(id, b.commit(id)))
			}
		})
		r := &receiver{}
		m := b.join(t, id, r, ptr(0))
		writer.Wait()
		r.eventually(t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
		m.Leave()
	}
}

// TestStaleSnapshot: the room has moved on while the snapshot was read. What its log still has is added; beyond that
// the snapshot must be read again.
func TestStaleSnapshot(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	first, late := &receiver{}, &receiver{}
	b.commit("o")
	defer b.join(t, "o", first, nil).Leave()
	m := b.Enter("o", late)
	defer m.Leave()
	stale := b.snapshot("o", 0)
	for range 3 {
		b.Deliver("o", change("o", b.commit("o")))
	}
	first.eventually(t, 2, 3, 4)
	require.True(t, m.Admit(stale, ptr(0), ackFrame(frame.JSON)))
	late.eventually(t, 1, 2, 3, 4)
	require.EqualValues(t, 4, late.all()[0].Data.Seq, "the answer tells where the order is, not where it was")

	for range 100 { // more than the log holds
		b.Deliver("o", change("o", b.commit("o")))
	}
	require.Eventually(t, func() bool { return len(first.seqs()) == 103 }, 5*time.Second, time.Millisecond)
	again := b.Enter("o", &receiver{})
	defer again.Leave()
	require.False(t, again.Admit(stale, ptr(0), ackFrame(frame.JSON)))
	require.True(t, again.Admit(stale, nil, ackFrame(frame.JSON)), "who asks for no changes needs no log")
}

func TestPositions(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	r := &receiver{}
	b.commit("o")
	m := b.Enter("o", r)
	require.NoError(t, m.Listening(t.Context()))
	b.Deliver("o", position(1, 1)) // before anybody is admitted: remembered
	snap := b.snapshot("o", 0)
	snap.Live = position(2, 2)
	require.True(t, m.Admit(snap, nil, ackFrame(frame.JSON)))
	for _, p := range []string{position(2, 2), position(1, 1), position(3, 3), `{"event":"location-updated","data":{}}`} {
		b.Deliver("o", p)
		b.Deliver("o", change("o", b.commit("o"))) // to see that it was looked at
		want := int(b.seqs["o"]) - 1
		require.Eventually(t, func() bool { return len(r.seqs()) == want }, 5*time.Second, time.Millisecond)
	}
	var latitudes []float64
	for _, m := range r.all() {
		require.Equal(t, m.Event == hub.EventLocation, m.replaceable, "only positions may be replaced")
		if m.Event == hub.EventLocation {
			latitudes = append(latitudes, m.Data.Latitude)
		}
	}
	require.Equal(t, []float64{2, 3}, latitudes, "newer ones only, each once")
	m.Leave()
}

// TestWhoLosesTheRightSeesNoMore: from the change that takes it, which goes to the others only.
func TestWhoLosesTheRightSeesNoMore(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	loser, other := &receiver{barred: 3}, &receiver{}
	b.commit("o")
	m := b.join(t, "o", loser, nil)
	defer b.join(t, "o", other, nil).Leave()
	for range 3 {
		b.Deliver("o", change("o", b.commit("o")))
	}
	other.eventually(t, 2, 3, 4) // a position that comes together with a change is older than it
	b.Deliver("o", position(1, 1))
	b.Deliver("o", change("o", b.commit("o")))
	other.eventually(t, 2, 3, 4, 5)
	require.Equal(t, []int64{2}, loser.seqs())
	require.Len(t, loser.all(), 3) // ack, one change, and that this was the last
	require.Equal(t, hub.EventError, loser.all()[2].Event)
	m.Leave()

	// The same for one who asked before the change and is admitted after it.
	late := b.Enter("o", loser)
	defer late.Leave()
	require.False(t, late.Admit(hub.Snapshot{Status: order.Ready, Seq: 2}, nil, ackFrame(frame.JSON)))
}

// TestNothingIsSeenAfterTheHandOver, neither by those who are in the room nor by those who come.
func TestNothingIsSeenAfterTheHandOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	r, late := &receiver{}, &receiver{}
	b.commit("o")
	m := b.Enter("o", r)
	defer m.Leave()
	snap := b.snapshot("o", 0)
	snap.Live = position(1, 1)
	require.True(t, m.Admit(snap, nil, ackFrame(frame.JSON)))
	b.Deliver("o", fmt.Sprintf(`{"event":"order-updated","data":{"orderId":"o","seq":%d,"status":"delivered"}}`, b.commit("o")))
	r.eventually(t, 2)
	b.Deliver("o", position(5, 5))
	b.Deliver("o", change("o", b.commit("o")))
	r.eventually(t, 2, 3)
	require.Len(t, r.all(), 4) // ack, position, two changes

	other := b.Enter("o", late)
	defer other.Leave()
	over := hub.Snapshot{Status: order.Delivered, Seq: 3, Live: position(9, 9)}
	require.True(t, other.Admit(over, nil, ackFrame(frame.JSON)))
	require.Len(t, late.all(), 1)
}

// TestOverloadLeavesOutOldPositions: a room whose worker is busy keeps only the newest position.
func TestOverloadLeavesOutOldPositions(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	slow := &gatedReceiver{gate: make(chan struct{})}
	b.commit("o")
	b.commit("busy")
	defer b.join(t, "busy", slow, nil).Leave()
	slow.armed.Store(true)
	r := &receiver{}
	defer b.join(t, "o", r, nil).Leave()
	b.Deliver("busy", position(1, 1))
	require.Eventually(t, slow.waiting.Load, 5*time.Second, time.Millisecond)
	for second := range 50 {
		b.Deliver("o", position(second, float64(second)))
	}
	b.Deliver("o", position(48, 48)) // overtaken on its way
	close(slow.gate)
	require.Eventually(t, func() bool { return len(r.all()) == 2 }, 5*time.Second, time.Millisecond)
	require.InDelta(t, 49, r.all()[1].Data.Latitude, 0)
	require.EqualValues(t, 50, b.Replaced())
}

func TestRoomsComeAndGo(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	var everybody sync.WaitGroup
	for worker := range 8 {
		everybody.Go(func() {
			for i := range 50 {
				m := b.join(t, fmt.Sprint("o", (worker+i)%5), &receiver{}, nil)
				m.Leave()
			}
		})
	}
	everybody.Wait()
	require.Zero(t, b.Rooms())
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, n := range b.watched {
		require.Zero(t, n, id)
	}
}

func TestListeningWaitsForTheChannel(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.quiet = true
	m := b.Enter("o", &receiver{})
	defer m.Leave()
	require.Equal(t, "o", m.OrderID())
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, m.Listening(short), context.DeadlineExceeded)
	b.Confirmed("o")
	require.NoError(t, m.Listening(t.Context()))
}

func TestMessagesOfUnknownShapeAreDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	r := &receiver{}
	b.commit("o")
	defer b.join(t, "o", r, nil).Leave()
	for _, m := range []string{"", "x", `{"event":"order-updated","data":7}`, `{"event":"order-updated","data":{"seq":"x"}}`} {
		b.Deliver("o", m)
	}
	b.Deliver("o", change("o", 2))
	r.eventually(t, 2)
}

// TestChannelMayDoAnything: lose, repeat and swap changes as it likes. With one confirmation at the end, every member
// has had every change once and in order.
func TestChannelMayDoAnything(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		id := fmt.Sprint("o", round)
		b.commit(id)
		members := []*receiver{{}, {form: frame.SocketIO}}
		var left []*hub.Member
		for _, m := range members {
			left = append(left, b.join(t, id, m, ptr(0)))
		}
		changes := rapid.IntRange(1, 12).Draw(r, "changes")
		var want []int64
		for range changes {
			b.commit(id)
		}
		for seq := int64(1); seq <= int64(changes)+1; seq++ {
			want = append(want, seq)
		}
		for _, seq := range rapid.SliceOfN(rapid.Int64Range(1, int64(changes)+1), 0, 20).Draw(r, "heard") {
			b.Deliver(id, change(id, seq))
		}
		b.Confirmed(id)
		for i, m := range members {
			m.eventually(t, want...)
			left[i].Leave()
		}
	})
}
