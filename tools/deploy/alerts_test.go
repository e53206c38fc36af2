package deploy_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
)

// history is how long the series of a story are: rules look back a day and a bit. A sample is taken each minute.
const history = 26 * time.Hour

// value is a metric's value so long before the end of the story.
type value func(ago time.Duration) float64

// is a gauge that stands still.
func is(v float64) value { return func(time.Duration) float64 { return v } }

// grows is a counter that grows so much a second.
func grows(rate float64) value {
	return func(ago time.Duration) float64 { return rate * (history - ago).Seconds() }
}

// stopped is a counter that grew until an hour ago.
func stopped(rate float64) value {
	return func(ago time.Duration) float64 { return rate * (history - max(ago, time.Hour)).Seconds() }
}

// flaps is a gauge that is 1 one minute and 0 for the next three.
func flaps(ago time.Duration) float64 {
	if int(ago.Minutes())%4 == 0 {
		return 1
	}
	return 0
}

// now is the end of every story.
var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// story is what is measured, by series.
type story map[string]value

// Querier gives the story to Prometheus' engine.
func (s story) Querier(int64, int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		return &set{found: s.match(matchers)}
	}}, nil
}

// match lists the series that are asked for, in the order of their labels.
func (s story) match(matchers []*labels.Matcher) (found []storage.Series) {
	for name, at := range s {
		lset, err := parser.NewParser(parser.Options{}).ParseMetric(name)
		if err != nil {
			panic(err) // a mistake in the table below
		}
		if slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(lset.Get(m.Name)) }) {
			continue
		}
		var samples []chunks.Sample
		for ago := history; ago >= 0; ago -= time.Minute {
			samples = append(samples, sample{now.Add(-ago).UnixMilli(), at(ago)})
		}
		found = append(found, storage.NewListSeries(lset, samples))
	}
	slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return found
}

// fires tells whether a rule's expression has a result at a moment.
func (s story) fires(t *testing.T, expr string, at time.Time) bool {
	t.Helper()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, LookbackDelta: 5 * time.Minute})
	query, err := engine.NewInstantQuery(t.Context(), s, nil, expr, at)
	require.NoError(t, err)
	defer query.Close()
	result := query.Exec(t.Context())
	require.NoError(t, result.Err)
	vector, err := result.Vector()
	require.NoError(t, err)
	return len(vector) > 0
}

// TestEveryAlertFiresWhenItShould tells Prometheus' own engine two stories for each rule: in one it must fire, for as long
// as it has to before anybody is told, in the other it must be silent.
func TestEveryAlertFiresWhenItShould(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "deploy/prometheus/rules/*.yml"))
	require.NoError(t, err)
	told := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		groups, errs := parseRules(data)
		require.Empty(t, errs)
		for _, group := range groups.Groups {
			for _, rule := range group.Rules {
				told[rule.Alert] = true
				s, ok := stories[rule.Alert]
				require.True(t, ok, "%s has no story", rule.Alert)
				for _, at := range []time.Time{now, now.Add(-time.Duration(rule.For))} {
					require.True(t, s.loud.fires(t, rule.Expr, at), "%s does not fire at %s", rule.Alert, at)
					require.False(t, s.quiet.fires(t, rule.Expr, at), "%s fires for nothing at %s", rule.Alert, at)
				}
			}
		}
	}
	for name := range stories {
		require.True(t, told[name], "no rule %s", name)
	}
}

// set walks through what was found.
type set struct {
	found []storage.Series
	at    int
}

func (s *set) Next() bool                        { s.at++; return s.at <= len(s.found) }
func (s *set) At() storage.Series                { return s.found[s.at-1] }
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }

// sample is one measurement.
type sample struct {
	ms int64
	v  float64
}

func (s sample) T() int64                      { return s.ms }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.v }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }
