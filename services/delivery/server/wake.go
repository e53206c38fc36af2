package server

import "tiffin/shard"

// wakes holds one bell a region. A bell that has rung and was not yet heard does not ring twice: one look finds
// everything.
type wakes map[shard.Region]chan struct{}

func newWakes(regions []shard.Region) wakes {
	w := make(wakes, len(regions))
	for _, region := range regions {
		w[region] = make(chan struct{}, 1)
	}
	return w
}

// wake rings a region's bell. A region that is not configured here has none.
func (w wakes) wake(region shard.Region) {
	select {
	case w[region] <- struct{}{}:
	default:
	}
}
