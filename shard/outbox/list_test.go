package outbox_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/shard/outbox"
)

// listed collects all rows.
func (b *bench) listed() (rows []outbox.Row) {
	b.t.Helper()
	for row, err := range outbox.List(b.t.Context(), b.db) {
		require.NoError(b.t, err)
		rows = append(rows, row)
	}
	return rows
}

func TestListShowsWhatBecameOfEachRow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Empty(t, b.listed())
	stop := b.relay(nil)
	ids := b.advanceMany(3)
	require.Eventually(t, func() bool { return b.count("sent_at is not null") == 3 }, soon, often)
	stop()
	ids = append(ids, b.advanceMany(1)...)
	rows := b.listed()
	require.Len(t, rows, 4)
	for i, row := range rows {
		require.Equal(t, ids[i], row.ID)
		require.Equal(t, "order.status", row.Type)
		require.NotEmpty(t, row.Key)
		require.Equal(t, i < 3, row.Sent)
		require.Equal(t, row.Sent, row.StreamSeq == uint64(i+1))
	}
}

// TestListReadsMoreThanAPage: none is left out and none comes twice where one
// page ends and the next begins.
func TestListReadsMoreThanAPage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const many = 10_001
	_, err := b.db.Pool().Exec(context.Background(), `insert into outbox.events (id, type, region, key, payload)
		select gen_random_uuid(), 'order.status', 'mx', 'k', '{}' from generate_series(1, $1)`, many)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, row := range b.listed() {
		require.False(t, seen[row.ID])
		seen[row.ID] = true
	}
	require.Len(t, seen, many)

	for _, err := range outbox.List(t.Context(), b.db) {
		require.NoError(t, err)
		break // a reader may stop early
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range outbox.List(ended, b.db) {
		require.ErrorContains(t, err, "outbox of shard a")
	}
}
