package backing

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"tiffin/local/process"
)

// Server is a backing server as its keeper sees it.
type Server struct {
	// Name is short and unique: "postgres-a". Logs and records carry it.
	Name string
	// Address is host:port, for people.
	Address string
	// URL is what clients connect with. It holds the password.
	URL string

	// Prepare makes folders and configuration. It is called before every start
	// and waits for what the server cannot start without.
	Prepare func(ctx context.Context) error
	Command process.Command
	// Probe is nil once the server does its work; it is asked until then.
	Probe func(ctx context.Context) error
	// Setup runs after each start, before the server counts as ready.
	Setup func(ctx context.Context) error
}

// TLSFiles are what a server speaks nothing but TLS with: its certificate and
// key in PEM form, and the authority that signed it. nil is plain text.
type TLSFiles struct{ Cert, Key, CA string }

// probeTimeout bounds one look at a server that may accept and not answer.
const probeTimeout = 2 * time.Second

// await asks until probe succeeds, ended is closed, or ctx ends.
func await(ctx context.Context, probe func(context.Context) error, ended <-chan struct{}) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		one, cancel := context.WithTimeout(ctx, probeTimeout)
		err := probe(one)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (last: %w)", context.Cause(ctx), err)
		case <-ended:
			return errEnded
		case <-tick.C:
		}
	}
}

// dialable is the probe of "something listens there".
func dialable(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
