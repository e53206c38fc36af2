package shard

// GroupsUnderWay is how many groups of a region are committed at once.
const GroupsUnderWay = groupsUnderWay

// Waiting is how many transactions of a region have not begun.
func (g *Group[T]) Waiting(region Region) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if lane := g.lanes[region]; lane != nil {
		return len(lane.waiting)
	}
	return 0
}

// Running is how many groups of a region are being committed.
func (g *Group[T]) Running(region Region) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if lane := g.lanes[region]; lane != nil {
		return lane.running
	}
	return 0
}

// Waiting is how many readers of a region no query has begun for.
func (g *Gather[T]) Waiting(region Region) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if lane := g.lanes[region]; lane != nil {
		return len(lane.waiting)
	}
	return 0
}

// Endure makes every query keep the next one waiting.
func (g *Gather[T]) Endure() { g.patience = 1 << 62 }
