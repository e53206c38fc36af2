package bridge

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// ackAgain is how soon an acknowledgement that failed is sent again. A server that restarts has its consumers back within
// about a second.
const ackAgain = 250 * time.Millisecond

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

// run acknowledges until close. Each acknowledgement is confirmed by the server before the next. One that fails is sent
// again until it or a newer one arrives: the server stops delivering when too much is unacknowledged, and then no newer
// one would ever come.
func (a *acker) run(ctx context.Context) {
	owed := "" // the reply subject of the newest floor that is not acknowledged
	for last := false; !last; {
		var again <-chan time.Time
		if owed != "" {
			again = time.After(ackAgain)
		}
		select {
		case <-a.rose:
		case <-again:
		case <-a.closed:
			last = true
		case <-ctx.Done():
			return
		}
		owed = cmp.Or(a.take(), owed)
		if owed != "" && a.send(ctx, owed) {
			owed = ""
		}
	}
}

// send acknowledges one floor and reports whether the server has confirmed it.
func (a *acker) send(ctx context.Context, reply string) bool {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	_, err := a.conn.RequestWithContext(ctx, reply, []byte("+ACK"))
	if err != nil {
		a.log.Warn("acknowledgement failed", "error", err)
	}
	return err == nil
}
