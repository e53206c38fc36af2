package wholefleet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// checkEvery is how often an edge is asked whether it is ready, and
	// checkPatience how long it may take: as one would set a load balancer.
	checkEvery    = 500 * time.Millisecond
	checkPatience = 2 * time.Second
	dialPatience  = time.Second
	// misses in a row make an edge unready: one may be a machine that has other
	// things to do, and costs everybody there what they wait for.
	misses = 2
)

// balancer stands before the edges: connections go to those that are ready, one
// after the other. When an edge becomes unready its connections are closed, as
// they would otherwise wait for one that is silent.
type balancer struct {
	listener net.Listener
	running  sync.WaitGroup
	stop     context.CancelFunc

	mu    sync.Mutex
	edges []*backend
	turn  int
}

// backend is one edge.
type backend struct {
	address string
	ready   bool
	conns   map[net.Conn]bool // of clients, at this edge now
}

// newBalancer listens on a loopback port.
func newBalancer(edges []string) (*balancer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	b := &balancer{listener: listener, stop: stop}
	for _, address := range edges {
		edge := &backend{address: address, conns: map[net.Conn]bool{}}
		b.edges = append(b.edges, edge)
		b.running.Go(func() { b.watch(ctx, edge) })
	}
	b.running.Go(b.accept)
	return b, nil
}

// url is where clients go.
func (b *balancer) url() string { return "http://" + b.listener.Addr().String() }

// ready counts the edges that are.
func (b *balancer) ready() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.edges {
		if e.ready {
			n++
		}
	}
	return n
}

// close ends everything.
func (b *balancer) close() error {
	b.stop()
	err := b.listener.Close()
	for _, e := range b.edges {
		b.mark(e, false)
	}
	b.running.Wait()
	return err
}

// watch asks an edge for its health until ctx ends.
func (b *balancer) watch(ctx context.Context, e *backend) {
	client := &http.Client{Timeout: checkPatience, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for missed := 0; ; {
		if healthy(ctx, client, "http://"+e.address+"/readyz") {
			missed = 0
			b.mark(e, true)
		} else if missed++; missed >= misses {
			b.mark(e, false)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func healthy(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	return err == nil && res.Body.Close() == nil && res.StatusCode == http.StatusOK
}

// mark notes whether an edge is ready, and hangs up on its clients when not.
func (b *balancer) mark(e *backend, ready bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e.ready = ready
	if ready {
		return
	}
	for conn := range e.conns {
		_ = conn.Close() // its other end sees to the rest
	}
}

func (b *balancer) accept() {
	for {
		client, err := b.listener.Accept()
		if err != nil {
			return // closed
		}
		b.running.Go(func() { b.serve(client) })
	}
}

// serve joins a client with an edge until one of them hangs up.
func (b *balancer) serve(client net.Conn) {
	defer client.Close()
	for range b.edges {
		e := b.next()
		if e == nil {
			return
		}
		server, err := net.DialTimeout("tcp", e.address, dialPatience)
		if err != nil {
			b.mark(e, false)
			continue
		}
		b.join(e, client, server)
		return
	}
}

// next gives the edge whose turn it is, nil when none is ready.
func (b *balancer) next() *backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.edges {
		b.turn++
		if e := b.edges[b.turn%len(b.edges)]; e.ready {
			return e
		}
	}
	return nil
}

func (b *balancer) join(e *backend, client, server net.Conn) {
	defer server.Close()
	b.mu.Lock()
	e.conns[client] = true
	b.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { carry(server, client) })
	both.Go(func() { carry(client, server) })
	both.Wait()
	b.mu.Lock()
	delete(e.conns, client)
	b.mu.Unlock()
}

// carry copies one direction, and passes its end on.
func carry(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		_ = to.Close() // a broken connection is broken in both directions
		return
	}
	if half, can := to.(*net.TCPConn); can {
		_ = half.CloseWrite() // it may be closed altogether
	}
}
