package shard

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Names end up in subjects, SQL identifiers and metrics labels: one narrow
// alphabet is safe in all of them.
var (
	regionPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	shardPattern  = regexp.MustCompile(`^[a-z0-9]+$`)
	schemaPattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// NewRouter checks the configuration and builds the router. Its errors name the
// environment variable to mend.
func NewRouter(config Config) (*Router, error) {
	gazetteer := Cities()
	router := &Router{
		gazetteer:    gazetteer,
		emailRegions: gazetteer.Regions(),
		codes:        map[Region]uint16{},
		regionOfCode: map[uint16]Region{},
	}
	homes := map[Region]string{}
	for _, shard := range config.Shards {
		if err := router.addShard(shard, homes); err != nil {
			return nil, err
		}
	}
	if len(router.shards) == 0 {
		return nil, fmt.Errorf("POSTGRES_SHARD_A_URL: no shard is configured")
	}
	slices.Sort(router.shards)
	slices.Sort(router.regions)
	for _, region := range gazetteer.Regions() {
		if homes[region] == "" {
			return nil, fmt.Errorf("%s: no shard has region %q", variables(router.shards), region)
		}
	}
	router.homes.Store(&homes)
	return router, nil
}

func (r *Router) addShard(shard ShardConfig, homes map[Region]string) error {
	if !shardPattern.MatchString(shard.ID) {
		return fmt.Errorf("POSTGRES_SHARD_%s_URL: a shard's name is letters and digits", shard.ID)
	}
	if slices.Contains(r.shards, shard.ID) {
		return fmt.Errorf("POSTGRES_SHARD_%s_URL: shard configured twice", strings.ToUpper(shard.ID))
	}
	r.shards = append(r.shards, shard.ID)
	for _, name := range shard.Regions {
		region := Region(name)
		if !regionPattern.MatchString(name) {
			return fmt.Errorf("%s: region %q: use lower-case letters, digits and hyphens", variable(shard.ID), name)
		}
		if other, taken := homes[region]; taken {
			return fmt.Errorf("%s: region %q is already in %s", variable(shard.ID), name, variable(other))
		}
		code := regionCode(region)
		if other, taken := r.regionOfCode[code]; taken {
			return fmt.Errorf("%s: region %q has the same code as %q in ids: rename one", variable(shard.ID), name, other)
		}
		homes[region], r.codes[region], r.regionOfCode[code] = shard.ID, code, region
		r.regions = append(r.regions, region)
	}
	return nil
}

func variable(shard string) string { return "SHARD_" + strings.ToUpper(shard) + "_REGIONS" }

func variables(shards []string) string {
	names := make([]string, len(shards))
	for i, shard := range shards {
		names[i] = variable(shard)
	}
	return strings.Join(names, ", ")
}
