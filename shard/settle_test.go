package shard

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// imagined is a set without databases, in which the shards have said what is
// given.
func imagined(t *testing.T, said map[string][]claim) *Set {
	t.Helper()
	config := Config{Shards: []ShardConfig{
		{ID: "a", URL: "x", Regions: []string{"us-west", "ca"}},
		{ID: "b", URL: "x", Regions: []string{"us-east", "us-central"}},
		{ID: "c", URL: "x", Regions: []string{"us-south", "mx"}},
	}}
	router, err := NewRouter(config)
	require.NoError(t, err)
	s := &Set{router: router, nodes: map[string]*node{}, initial: *router.homes.Load(), opts: Options{Log: slog.New(slog.DiscardHandler)}}
	for _, id := range router.Shards() {
		n := &node{id: id}
		n.claims.Store(&claims{byRegion: map[Region]claim{}, asked: time.Now()})
		for _, row := range said[id] {
			n.claims.Load().byRegion[row.Region] = row
		}
		s.nodes[id], s.order = n, append(s.order, n)
	}
	return s
}

func TestWhereARegionLives(t *testing.T) {
	t.Parallel()
	owner := func(epoch int64, peer string) claim { return claim{"mx", epoch, stateOwner, peer} }
	moved := func(epoch int64, peer string) claim { return claim{"mx", epoch, stateMoved, peer} }
	incoming := func(epoch int64, peer string) claim { return claim{"mx", epoch, stateIncoming, peer} }
	for name, tc := range map[string]struct {
		said map[string][]claim
		want string
	}{
		"nobody has said anything":               {nil, "c"},
		"as configured":                          {map[string][]claim{"c": {owner(1, "")}}, "c"},
		"configuration edited instead of moved":  {map[string][]claim{"a": {owner(1, "")}}, "a"},
		"moving":                                 {map[string][]claim{"c": {owner(1, "a")}, "a": {incoming(2, "c")}}, "c"},
		"frozen":                                 {map[string][]claim{"c": {{"mx", 1, stateFrozen, "a"}}, "a": {incoming(2, "c")}}, "c"},
		"let go, not yet taken":                  {map[string][]claim{"c": {moved(1, "a")}}, "a"},
		"moved":                                  {map[string][]claim{"c": {moved(1, "a")}, "a": {owner(2, "")}}, "a"},
		"moved, the new home is away":            {map[string][]claim{"c": {moved(1, "b")}}, "b"},
		"moved, the old home is away":            {map[string][]claim{"b": {owner(2, "")}}, "b"},
		"moved on":                               {map[string][]claim{"c": {moved(1, "a")}, "a": {moved(2, "b")}, "b": {owner(3, "")}}, "b"},
		"moved there and back":                   {map[string][]claim{"c": {owner(3, "")}, "a": {moved(2, "c")}}, "c"},
		"on its way back":                        {map[string][]claim{"c": {incoming(3, "a")}, "a": {owner(2, "c")}}, "a"},
		"two say so: the configuration decides":  {map[string][]claim{"a": {owner(1, "")}, "c": {owner(1, "")}}, "c"},
		"two others say so: the first":           {map[string][]claim{"b": {owner(1, "")}, "a": {owner(1, "")}}, "a"},
		"moved to a shard nobody has configured": {map[string][]claim{"c": {moved(1, "z")}}, "c"},
		"only incoming":                          {map[string][]claim{"a": {incoming(2, "c")}}, "c"},
	} {
		s := imagined(t, tc.said)
		homes := s.whereabouts()
		require.Equal(t, tc.want, homes["mx"], name)
		require.Len(t, homes, 6, name)
		require.Equal(t, "a", homes["us-west"], "%s: other regions are where they were", name)
	}
}

func TestAQuietYoungViewNeedsNoQuestion(t *testing.T) {
	t.Parallel()
	quiet := map[string][]claim{"c": {{"mx", 1, stateOwner, ""}}}
	s := imagined(t, quiet)
	// Without a database, any question would be a nil pointer.
	require.NoError(t, s.stillHome(context.Background(), s.nodes["c"], "mx"))

	for name, asks := range map[string]func(s *Set){
		"old":       func(s *Set) { s.nodes["c"].claims.Load().asked = time.Now().Add(-Lease) },
		"announced": func(s *Set) { s.nodes["c"].claims.Load().byRegion["mx"] = claim{"mx", 1, stateOwner, "a"} },
		"frozen":    func(s *Set) { s.nodes["c"].claims.Load().byRegion["mx"] = claim{"mx", 1, stateFrozen, "a"} },
		"unknown":   func(s *Set) { delete(s.nodes["c"].claims.Load().byRegion, "mx") },
	} {
		s := imagined(t, quiet)
		asks(s)
		require.Panics(t, func() { _ = s.stillHome(context.Background(), s.nodes["c"], "mx") }, name)
	}
}
