package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTheAxisHoldsEverythingInFewMarks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(1e-6, 1e9).Draw(t, "value")
		most, step := Panel{Lines: []Line{{Points: [][]float64{{value / 2, value}}}}}.scale()
		require.GreaterOrEqual(t, most, value*(1-1e-9))
		marks := most / step
		require.InDelta(t, math.Round(marks), marks, 1e-6)
		require.True(t, marks >= 3.9 && marks <= 8.1, "%v marks", marks)
	})
}

func TestNothingMeasuredIsAnEmptyAxis(t *testing.T) {
	t.Parallel()
	most, step := Panel{}.scale()
	require.Equal(t, []float64{1, 1}, []float64{most, step})
}

func TestThePictureIsXMLWithEveryPoint(t *testing.T) {
	t.Parallel()
	text := Chart{
		Title: `"a" < b & c`, X: []string{"1×", "10×"}, XLabel: "data",
		Panels: []Panel{
			{Title: "CPU, µs", Lines: []Line{{Name: "<cpu>", Points: [][]float64{{1, 2, 3}, {4}}}}},
			{Title: "latency, ms", Lines: []Line{{Name: "p50", Points: [][]float64{{1}, {1}}}, {Name: "p99", Points: [][]float64{{2}, {3}}}}},
		},
	}.SVG()
	reader, circles := xml.NewDecoder(strings.NewReader(text)), 0
	for {
		token, err := reader.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "circle" {
			circles++
		}
	}
	require.Equal(t, 6+3, circles, "a dot for each point and each name")
	require.Contains(t, text, "2 (1–3)")
}
