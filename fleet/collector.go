package fleet

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// collectEvery is how far apart collections shall be, and spareMemory what
	// garbage may be kept for that, in bytes. As much as lives is kept anyway: that
	// is Go's own target.
	collectEvery = 2 * time.Second
	spareMemory  = 128 << 20
	// calmDown is the part of a rate that is remembered a second later: load that
	// pauses for a moment is no rest.
	calmDown = 0.9
)

// PaceCollector lets a process that is hard at work collect its garbage less
// often than Go does by itself, until ctx ends. A collection takes 10 ms of both
// cores of a small machine however much garbage there is, and whoever asks
// meanwhile waits: with the few MiB that live here there were four in a second.
// At rest the target is Go's, and memory is given back.
//
// Who has set GOGC is obeyed, and GOMEMLIMIT bounds everything as ever.
func PaceCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	p := pace{samples: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}, percent: goTarget}
	p.look(0)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			percent, changed := p.look(now.Sub(last))
			if changed {
				debug.SetGCPercent(percent)
			}
			if changed && percent == goTarget {
				debug.FreeOSMemory() // Go itself would keep most of it for minutes
			}
			last = now
		}
	}
}

// goTarget is the garbage that Go lets grow by itself, in percent of what lives.
const goTarget = 100

// pace is what is known of a process's memory.
type pace struct {
	samples   []metrics.Sample
	allocated uint64  // since the process began, in bytes
	rate      float64 // bytes a second
	percent   int     // the target that is set
}

// look measures what was allocated since the last look, and gives the target
// for it. Changes of less than a quarter are none, since each stops the world,
// but for the last one to rest.
func (p *pace) look(since time.Duration) (percent int, changed bool) {
	metrics.Read(p.samples)
	allocated, live := p.samples[0].Value.Uint64(), p.samples[1].Value.Uint64()
	if since > 0 {
		p.rate = max(p.rate*math.Pow(calmDown, since.Seconds()), float64(allocated-p.allocated)/since.Seconds())
	}
	p.allocated = allocated
	percent = target(p.rate, live)
	if small := 4*max(percent-p.percent, p.percent-percent) < p.percent; percent == p.percent || small && percent != goTarget {
		return p.percent, false
	}
	p.percent = percent
	return percent, true
}

// target is the garbage that may grow, in percent of what lives, where rate
// bytes a second are allocated.
func target(rate float64, live uint64) int {
	living := float64(max(live, 4<<20)) // Go collects no smaller heaps
	garbage := min(rate*collectEvery.Seconds(), spareMemory)
	return int(100 * max(1, garbage/living))
}
