package ordertest

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Cutter is a proxy in front of PostgreSQL that can lose the answer to one transaction: its statements and the end of
// it arrive in one message, the server commits, and the connection is gone before the client hears of it.
type Cutter struct {
	URL string // of the database through the proxy

	target string
	marker atomic.Pointer[string]
	done   atomic.Bool
	conns  sync.WaitGroup
}

// NewCutter starts a proxy in front of a database, which ends with the test.
func NewCutter(t testing.TB, target string) *Cutter {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &Cutter{target: u.Host}
	u.Host = listener.Addr().String()
	c.URL = u.String()
	c.conns.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			c.conns.Go(func() { c.serve(client) })
		}
	})
	// Runs after the pools have closed their connections, because the pools are opened later.
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		c.conns.Wait()
	})
	return c
}

// Commit marks a COMMIT that is a message of its own.
const Commit = "commit\x00"

// Arm makes the answer get lost to the next message that carries the marker: Commit, or for a transaction in one message
// a parameter of type text.
func (c *Cutter) Arm(marker string) {
	c.done.Store(false)
	c.marker.Store(&marker)
}

// Cut reports whether the answer was lost since Arm.
func (c *Cutter) Cut() bool { return c.done.Load() }

// serve carries one connection. The answer comes on the same connection, so losing it loses the connection.
func (c *Cutter) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.target)
	if err != nil {
		return // the client finds its connection closed, as it would without the proxy
	}
	var lose atomic.Bool
	var group sync.WaitGroup
	group.Go(func() {
		defer server.Close()
		pump(client, server, func(data []byte) bool {
			marker := c.marker.Load()
			if marker != nil && bytes.Contains(data, []byte(*marker)) && c.marker.CompareAndSwap(marker, nil) {
				lose.Store(true)
			}
			return true
		})
	})
	group.Go(func() {
		defer client.Close()
		pump(server, client, func([]byte) bool {
			if lose.Load() {
				c.done.Store(true)
				return false
			}
			return true
		})
	})
	group.Wait()
}

// pump copies until one side ends or pass says to stop.
func pump(from, to net.Conn, pass func(data []byte) bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !pass(buffer[:n]) {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
