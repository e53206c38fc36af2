package bridge

import (
	"context"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go"
)

// acker acknowledges the floor to JetStream. It works beside the publisher, so that the round trip delays nothing, and
// only ever sends the newest floor, which stands for all below.
type acker struct {
	conn *nats.Conn
	log  *slog.Logger

	mu      sync.Mutex
	pending []delivery // delivered, not acknowledged, in order
	floor   uint64
	rose    chan struct{} // holds one token when the floor has risen
	closed  chan struct{}
}

// delivery is a place in the stream and the subject that acknowledges it. The message itself is not kept.
type delivery struct {
	seq   uint64
	reply string
}

func newAcker(conn *nats.Conn, log *slog.Logger) *acker {
	return &acker{conn: conn, log: log, rose: make(chan struct{}, 1), closed: make(chan struct{})}
}

// delivered notes a message that will have to be acknowledged, in stream order.
func (a *acker) delivered(seq uint64, reply string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pending = append(a.pending, delivery{seq, reply})
}

// raise says that everything up to seq is confirmed. A lower seq than before is ignored.
func (a *acker) raise(seq uint64) {
	a.mu.Lock()
	a.floor = max(a.floor, seq)
	a.mu.Unlock()
	select {
	case a.rose <- struct{}{}:
	default:
	}
}

// close lets run acknowledge the last floor and end.
func (a *acker) close() { close(a.closed) }

// take gives the reply subject of the floor, "" when it is acknowledged already.
func (a *acker) take() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for n < len(a.pending) && a.pending[n].seq <= a.floor {
		n++
	}
	if n == 0 {
		return ""
	}
	reply := a.pending[n-1].reply
	a.pending = a.pending[n:]
	return reply
}

// run acknowledges until close. Each acknowledgement is confirmed by the server before the next; one that fails costs
// nothing as long as the session lives, because the next stands for it, too.
func (a *acker) run(ctx context.Context) {
	for last := false; !last; {
		select {
		case <-a.rose:
		case <-a.closed:
			last = true
		case <-ctx.Done():
			return
		}
		reply := a.take()
		if reply == "" {
			continue
		}
		ack, cancel := context.WithTimeout(ctx, drainTimeout)
		if _, err := a.conn.RequestWithContext(ack, reply, []byte("+ACK")); err != nil {
			a.log.Warn("acknowledgement failed", "error", err)
		}
		cancel()
	}
}
