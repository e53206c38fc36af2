package server

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCursorsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := offer{
			offeredAt: time.UnixMicro(rapid.Int64Range(1e15, 4e15).Draw(t, "at")).UTC(),
			order:     uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")).String(),
			seq:       rapid.Int64Range(0, 1<<62).Draw(t, "seq"),
		}
		back, err := decodeCursor(cursorBehind(o).encode())
		require.NoError(t, err)
		require.Equal(t, cursorBehind(o), back)
	})
}

func TestNoCursorIsTheNewest(t *testing.T) {
	t.Parallel()
	c, err := decodeCursor("")
	require.NoError(t, err)
	require.Equal(t, newest(), c)
}

// Whatever clients send, a cursor is refused or it is the one text of a place the database can be asked for.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("AQ")
	f.Add(cursor{offeredAt: time.UnixMicro(1e15), order: uuid.Max.String(), seq: 7}.encode())
	f.Fuzz(func(t *testing.T, text string) {
		c, err := decodeCursor(text)
		if err != nil || text == "" {
			return
		}
		require.Equal(t, text, c.encode())
		require.GreaterOrEqual(t, c.seq, int64(0))
	})
}
