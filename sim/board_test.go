package sim

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/services/order"
)

func newTestBoard() (*board, *strings.Builder, func(time.Duration)) {
	now := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	out := &strings.Builder{}
	return newBoard(out, func() time.Time { return now }), out, func(d time.Duration) { now = now.Add(d) }
}

func TestBoardTellsAnOrdersStoryOnce(t *testing.T) {
	t.Parallel()
	b, out, pass := newTestBoard()
	o := order.Order{ID: "0192f7e4-0000-8abc-8000-000000abc123", Status: order.Pending, TotalAmount: 2350, Items: []order.Item{{Quantity: 2}, {Quantity: 1}}}
	b.place("Toronto", o, "Golden Wok")
	b.assigned(o.ID, "rider 1")
	b.assigned(o.ID, "rider 1")
	b.rode(o.ID, "accepted", "by rider 1")
	for range 2 { // the kitchen knows first, then the push comes
		b.reached(o.ID, order.Confirmed)
	}
	pass(90 * time.Second)
	b.reached(o.ID, order.Delivered)
	b.reached(o.ID, order.Ready) // late, and after the end
	b.assigned(o.ID, "rider 2")
	b.reached("another order", order.Ready)
	require.Equal(t, `18:00:00  Toronto          #abc123  placed     Golden Wok, 3 dishes for 23.50
18:00:00  Toronto          #abc123  offered    to rider 1
18:00:00  Toronto          #abc123  accepted   by rider 1
18:00:00  Toronto          #abc123  confirmed
18:01:30  Toronto          #abc123  delivered  after 1m30s
`, out.String())
	require.Zero(t, b.open())
}

func TestSummary(t *testing.T) {
	t.Parallel()
	b, out, pass := newTestBoard()
	for i, end := range []order.Status{order.Delivered, order.Delivered, order.Cancelled, ""} {
		o := order.Order{ID: strings.Repeat("0", i) + "order", Status: order.Pending, Items: []order.Item{{Quantity: 1}}}
		b.place("Toronto", o, "Golden Wok")
		pass(time.Minute)
		if end != "" {
			b.reached(o.ID, end)
		}
	}
	b.resume("Toronto", order.Order{ID: "left over", Status: order.Ready})
	b.resume("Toronto", order.Order{ID: "left over", Status: order.Ready})
	b.resume("Toronto", order.Order{ID: "long ago", Status: order.Delivered})
	b.reached("left over", order.Delivered)
	for range 3 {
		b.fix()
		b.trouble("positions could not be reported", errors.New("503"))
	}
	b.sight()
	require.Equal(t, 1, strings.Count(out.String(), "positions could not be reported"), "the first of a kind is printed")
	require.Equal(t, `
4 orders placed, 1 of earlier evenings ended, 1 cancelled, 3 delivered, 1 still under way
delivered after 1m0s (median), 1m0s (slowest)
3 positions sent, 1 seen by customers
2 answers asked us to slow down, 1 requests failed for a time
3× positions could not be reported
`, b.summary(2, 1))
}

func TestSlugAndOrdinal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"San Francisco CA": "san-francisco-ca", "St. John's": "st-john-s", "Montréal QC": "montr-al-qc", "--x--": "x"} {
		require.Equal(t, want, slug(in))
	}
	for in, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 112: "112th"} {
		require.Equal(t, want, ordinal(in))
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good, err := Config{Edge: "http://localhost:3000"}.withDefaults()
	require.NoError(t, err)
	require.Equal(t, DefaultCities, good.Cities)
	require.NotZero(t, good.Seed)
	for _, bad := range []Config{
		{}, {Edge: "localhost:3000"}, {Edge: "ftp://x"}, {Edge: "http://x", OrdersPerMinute: -1}, {Edge: "http://x", OrdersPerMinute: 1e9},
		{Edge: "http://x", Speed: 1000}, {Edge: "http://x", Speed: -1},
	} {
		_, err := bad.withDefaults()
		require.Error(t, err, "%+v", bad)
	}
	_, err = gazetteer([]string{"Boston", "Atlantis"})
	require.ErrorContains(t, err, "Atlantis")
	cities, err := gazetteer(DefaultCities)
	require.NoError(t, err)
	regions := map[string]bool{}
	for _, c := range cities {
		regions[string(c.Region)] = true
	}
	require.Len(t, regions, 6, "one of each region")
}
