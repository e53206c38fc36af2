// Package report turns measured rounds into the table of ratios that
// `just bench` prints and docs/performance.md keeps.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// Figure is one line of the table: how Tiffin stands to a peer or ceiling
// measured in the same rounds, or an absolute value when Peer is empty.
type Figure struct {
	Name   string    `json:"name"`
	Peer   string    `json:"peer,omitempty"`
	Goal   string    `json:"goal"` // "≥ 0.8", "≤ 15 ms"
	Unit   string    `json:"unit"` // "×", "ms", "MiB"
	Rounds []float64 `json:"rounds"`
	Met    bool      `json:"met"`
	Detail any       `json:"detail,omitempty"` // what each side measured, per round
}

// Goal judges a figure by its median.
type Goal struct {
	AtLeast, AtMost float64 // 0 = unset
}

func (g Goal) String(unit string) string {
	switch {
	case g.AtLeast > 0:
		return fmt.Sprintf("≥ %g %s", g.AtLeast, unit)
	case g.AtMost > 0:
		return fmt.Sprintf("≤ %g %s", g.AtMost, unit)
	}
	return "–" // measured for orientation
}

func (g Goal) met(v float64) bool {
	return (g.AtLeast == 0 || v >= g.AtLeast) && (g.AtMost == 0 || v <= g.AtMost)
}

// New makes a figure of its rounds.
func New(name, peer, unit string, goal Goal, rounds []float64, detail any) Figure {
	return Figure{Name: name, Peer: peer, Unit: unit, Goal: goal.String(unit), Rounds: rounds, Met: goal.met(Median(rounds)), Detail: detail}
}

// Median of at least one value.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// Print writes the table: median, least and greatest of the rounds.
func Print(w io.Writer, figures []Figure) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	if _, err := fmt.Fprintln(t, "figure\tbeside\tmedian\tmin–max\tgoal\t"); err != nil {
		return err
	}
	for _, f := range figures {
		verdict := "met"
		switch {
		case f.Goal == Goal{}.String(""):
			verdict = ""
		case !f.Met:
			verdict = "short"
		}
		if _, err := fmt.Fprintf(t, "%s\t%s\t%.3g %s\t%.3g–%.3g\t%s\t%s\n", f.Name, f.Peer, Median(f.Rounds), f.Unit,
			slices.Min(f.Rounds), slices.Max(f.Rounds), f.Goal, verdict); err != nil {
			return err
		}
	}
	return t.Flush()
}

// Save keeps the figures with all rounds under dir, named by suite and time.
func Save(dir, suite string, figures []Figure) (path string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	raw, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, fmt.Sprintf("%s-%s.json", suite, time.Now().UTC().Format("20060102T150405")))
	return path, os.WriteFile(path, append(raw, '\n'), 0o644)
}
