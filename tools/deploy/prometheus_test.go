package deploy_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// parseRules reads a file of rules as Prometheus does: unknown fields, wrong
// expressions and wrong templates are errors.
func parseRules(data []byte) (*rulefmt.RuleGroups, []error) {
	return rulefmt.Parse(data, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
}

func TestAlertRulesAreValidAndHaveARunbook(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "deploy/prometheus/rules/*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	runbook := read(t, "docs/runbook.md")
	alerts := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		groups, errs := parseRules(data)
		require.Empty(t, errs, file)
		for _, group := range groups.Groups {
			for _, rule := range group.Rules {
				require.False(t, alerts[rule.Alert], "%s is there twice", rule.Alert)
				alerts[rule.Alert] = true
				require.Contains(t, []string{"critical", "warning"}, rule.Labels["severity"], rule.Alert)
				require.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
				require.Contains(t, runbook, "\n## "+rule.Alert+"\n", "docs/runbook.md says what to do")
			}
		}
	}
	for _, section := range regexp.MustCompile(`(?m)^## (Tiffin\w+)$`).FindAllStringSubmatch(runbook, -1) {
		require.True(t, alerts[section[1]], "docs/runbook.md has a section for %s, which no rule raises", section[1])
	}
}

// dashboard is as much of Grafana's model as the panels here use.
type dashboard struct {
	UID    string `json:"uid"`
	Title  string `json:"title"`
	Panels []struct {
		ID      int    `json:"id"`
		Title   string `json:"title"`
		Type    string `json:"type"`
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
}

func TestDashboardsAreValid(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "deploy/grafana/dashboards/*.json"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	seen := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var d dashboard
		require.NoError(t, json.Unmarshal(data, &d), file)
		require.NotEmpty(t, d.Title)
		require.False(t, seen[d.UID], d.UID)
		seen[d.UID] = true
		ids := map[int]bool{}
		for _, panel := range d.Panels {
			require.False(t, ids[panel.ID], "%s: two panels %d", file, panel.ID)
			ids[panel.ID] = true
			if panel.Type != "row" {
				require.NotEmpty(t, panel.Targets, panel.Title)
			}
			for _, target := range panel.Targets {
				// Grafana puts a duration there.
				_, err := parser.NewParser(parser.Options{}).ParseExpr(strings.ReplaceAll(target.Expr, "$__rate_interval", "1m"))
				require.NoError(t, err, "%s: %s", panel.Title, target.Expr)
			}
		}
	}
}

func TestPrometheusScrapesEveryRole(t *testing.T) {
	t.Parallel()
	config := read(t, "deploy/prometheus/prometheus.yml")
	for name, s := range project(t).Services {
		if s.Build != nil {
			require.Regexp(t, `names: \[.*\b`+name+`\b.*\]`, config)
		}
	}
}
