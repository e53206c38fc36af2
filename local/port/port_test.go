package port_test

import (
	"net"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/local/port"
)

// base keeps these tests away from the ports other packages take.
const base = 47000

func book(t *testing.T) *port.Book {
	t.Helper()
	b := port.NewBook()
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func TestTakeSkipsWhatListens(t *testing.T) {
	t.Parallel()
	b := book(t)
	p, err := b.Take(base)
	require.NoError(t, err)
	require.NoError(t, b.Release(p))

	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p)))
	require.NoError(t, err)
	defer l.Close()
	next, err := b.Take(p)
	require.NoError(t, err)
	require.Greater(t, next, p)
	require.ErrorIs(t, port.Check("127.0.0.1", p), syscall.EADDRINUSE)
}

func TestTakeSkipsWhatAnotherBookHolds(t *testing.T) {
	t.Parallel()
	mine, theirs := book(t), book(t)
	seen := map[int]bool{}
	for range 20 {
		for _, b := range []*port.Book{mine, theirs} {
			p, err := b.Take(base + 100)
			require.NoError(t, err)
			require.False(t, seen[p], "port %d was given twice", p)
			require.NoError(t, port.Check("127.0.0.1", p))
			seen[p] = true
		}
	}
}

func TestReleasedPortsAreFreeAgain(t *testing.T) {
	t.Parallel()
	mine, theirs := book(t), book(t)
	p, err := mine.Take(base + 500)
	require.NoError(t, err)
	require.NoError(t, mine.Release(p))
	require.NoError(t, mine.Release(p), "releasing twice is harmless")
	again, err := theirs.Take(p)
	require.NoError(t, err)
	require.Equal(t, p, again)
}

func TestTakeBeyondTheLastPort(t *testing.T) {
	t.Parallel()
	_, err := book(t).Take(65536)
	require.ErrorIs(t, err, port.ErrNone)
}

func TestCheckTellsTheKernelsReason(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, port.Check("192.0.2.1", 0), syscall.EADDRNOTAVAIL)
	require.NoError(t, port.Check("127.0.0.1", 0))
}
