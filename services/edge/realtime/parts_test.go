package realtime

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/micro"
)

func TestLimiterCounts(t *testing.T) {
	t.Parallel()
	var limits Limits
	limits.setDefaults()
	require.Equal(t, Limits{PerAddress: 20000, PerUser: 5000, Rooms: 100, Frames: 50}, limits)
	home, office := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("10.0.0.1")
	l := newLimiter(Limits{PerAddress: 2, PerUser: 1}, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	require.NoError(t, l.enter(home))
	require.NoError(t, l.full(home))
	require.NoError(t, l.enter(home))
	require.Equal(t, micro.CodeLimited, micro.CodeOf(l.full(home)))
	require.Equal(t, micro.CodeLimited, micro.CodeOf(l.enter(home)))
	for range 5 {
		require.NoError(t, l.enter(office), "exempt")
		require.NoError(t, l.signIn("them", office))
	}
	require.NoError(t, l.signIn("me", home))
	require.Equal(t, micro.CodeLimited, micro.CodeOf(l.signIn("me", home)))
	l.signOut("me")
	require.NoError(t, l.signIn("me", home))
	l.signOut("me")
	l.leave(home)
	l.leave(home)
	for range 5 {
		l.leave(office)
		l.signOut("them")
	}
	require.Empty(t, l.addresses, "who has left is forgotten")
	require.Empty(t, l.users)
}

// TestBucket: over any time no more than the burst and the rate pass, and a client that keeps the rate is never stopped.
func TestBucket(t *testing.T) {
	t.Parallel()
	const rate = 10
	rapid.Check(t, func(r *rapid.T) {
		var b bucket
		start := time.Now()
		now, passed := start, 0
		for _, pause := range rapid.SliceOfN(rapid.IntRange(0, 300), 1, 200).Draw(r, "pauses") {
			now = now.Add(time.Duration(pause) * time.Millisecond)
			if b.take(now, rate) {
				passed++
			}
		}
		require.LessOrEqual(r, float64(passed), rate*burstSeconds+now.Sub(start).Seconds()*rate+1)
		var steady bucket
		for i := range 200 {
			require.True(r, steady.take(start.Add(time.Duration(i)*time.Second/rate), rate))
		}
	})
}

func TestWheelKeepsPlaces(t *testing.T) {
	t.Parallel()
	w := newWheel(25*time.Second, 20*time.Second)
	require.Equal(t, time.Second, w.tick)
	require.Equal(t, 20, w.behind)
	rapid.Check(t, func(r *rapid.T) {
		var in []*client
		for _, step := range rapid.SliceOf(rapid.IntRange(-1, 50)).Draw(r, "steps") {
			if step < 0 || len(in) == 0 {
				c := &client{}
				w.add(c)
				in = append(in, c)
				continue
			}
			i := step % len(in)
			w.remove(in[i])
			in = append(in[:i], in[i+1:]...)
		}
		require.ElementsMatch(r, in, w.all())
		for _, c := range in {
			require.Same(r, c, w.slots[c.slot][c.place])
			w.remove(c)
		}
	})
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	o := newOrigins([]string{"https://App.example/", "http://localhost:5173"})
	require.True(t, o["https://app.example"])
	require.True(t, o["http://localhost:5173"])
	require.False(t, o["http://app.example"])
}

func TestSessionIDsCannotBeGuessed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		id := newID()
		require.Len(t, id, 24)
		require.False(t, seen[id])
		seen[id] = true
	}
}

func FuzzParseTarget(f *testing.F) {
	f.Add([]byte(`{"orderId":"0197a9c2-7b1c-8abc-9def-0123456789ab","since":3}`))
	f.Add([]byte(`"0197a9c2-7b1c-8abc-9def-0123456789ab"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseTarget(data)
		if err == nil {
			require.Len(t, got.OrderID, 36)
			require.True(t, got.Since == nil || *got.Since >= 0)
		}
	})
}
