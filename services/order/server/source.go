package server

import (
	"tiffin/shard"
)

// source is a shard with the regions to be read there. Naming them keeps what a region left behind when it moved, and
// what is arriving of one that is about to, out of every list and count.
type source struct {
	db      *shard.DB
	regions []shard.Region
}

// sources groups regions by the shard they live on.
func (s *store) sources(regions []shard.Region) []source {
	var list []source
	at := map[string]int{}
	for _, region := range regions {
		id, known := s.shards.Router().ShardOf(region)
		if !known {
			continue // a note about a region that has left the configuration
		}
		i, seen := at[id]
		if !seen {
			i, at[id] = len(list), len(list)
			list = append(list, source{db: s.shards.ByShard(id)})
		}
		list[i].regions = append(list[i].regions, region)
	}
	for i := range list {
		list[i].db = list[i].db.Holding(list[i].regions...)
	}
	return list
}

// stale gives the sources for a read that may be a moment old.
func stale(list []source) []source {
	for i := range list {
		list[i].db = list[i].db.Stale()
	}
	return list
}
