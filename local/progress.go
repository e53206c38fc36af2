package local

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress prints one line per server as it becomes ready. It is safe for
// concurrent use.
type progress struct {
	out   io.Writer
	since time.Time
	mu    sync.Mutex
}

func newProgress(out io.Writer) *progress { return &progress{out: out, since: time.Now()} }

// ready reports that something serves, and after how long.
func (p *progress) ready(name, address string) {
	p.line(fmt.Sprintf("  ready  %-20s %-22s %4.1f s", name, address, time.Since(p.since).Seconds()))
}

// line prints one line. Whether anybody can read it changes nothing here.
func (p *progress) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintln(p.out, text)
}
