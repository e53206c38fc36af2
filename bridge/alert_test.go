package bridge_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/stretchr/testify/require"

	"tiffin/bridge"
	"tiffin/local/testenv"
	"tiffin/shard/outbox"
)

// metricName finds what a rule asks for.
var metricName = regexp.MustCompile(`tiffin_[a-z_]+`)

// TestAlertRules: the rules are Prometheus's language, and everything they ask for is what a running bridge and relay say.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	registry := prometheus.NewRegistry()
	w.start(func(c *bridge.Config) { c.Metrics = registry })
	db := testenv.ShardSet(t).ByShard("a")
	outbox.NewRelay(outbox.RelayConfig{DB: db, JS: w.js, Metrics: registry})
	known := map[string]bool{}
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		known[f.GetName()] = true
	}

	text, err := os.ReadFile("../deploy/prometheus/rules/bridge.yml")
	require.NoError(t, err)
	groups, errs := rulefmt.Parse(text, false)
	require.Empty(t, errs)
	var age bool
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			names := metricName.FindAllString(rule.Expr, -1)
			require.NotEmpty(t, names, rule.Alert)
			for _, name := range names {
				require.True(t, known[name], "%s asks for %s, which nobody measures", rule.Alert, name)
				age = age || name == "tiffin_bridge_oldest_event_seconds"
			}
		}
	}
	require.True(t, age, "the age of the oldest event is watched")
}
