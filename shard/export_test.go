package shard

// GroupsUnderWay is how many groups of a region are committed at once.
const GroupsUnderWay = groupsUnderWay

// Waiting is how many transactions of a region have not begun.
func (g *Group) Waiting(region Region) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if lane := g.lanes[region]; lane != nil {
		return len(lane.waiting)
	}
	return 0
}

// Running is how many groups of a region are being committed.
func (g *Group) Running(region Region) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if lane := g.lanes[region]; lane != nil {
		return lane.running
	}
	return 0
}
