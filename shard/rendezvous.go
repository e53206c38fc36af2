package shard

import "github.com/cespare/xxhash/v2"

// rendezvous picks the region with the highest score for a key (highest random
// weight hashing). A region that is added takes its even share from all others
// and moves nothing else; no ring and no state are needed.
func rendezvous(regions []Region, key string) Region {
	var best Region
	var bestScore uint64
	hash := xxhash.Sum64String(key)
	for _, region := range regions {
		if score := mix(hash ^ mix(xxhash.Sum64String(string(region)))); best == "" || score > bestScore {
			best, bestScore = region, score
		}
	}
	return best
}

// mix is the finalizer of SplitMix64: without it the scores of similar keys
// would rise and fall together.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
