// Package chart draws small multiples of lines as SVG, for documents: a panel
// for each quantity, because two units on one axis would lie. Colours follow
// the reader's light or dark scheme.
package chart

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Chart is a row of panels under a title.
type Chart struct {
	Title  string
	X      []string // the labels of the points, at equal distances
	XLabel string
	Panels []Panel
}

// Panel is lines of one quantity; its axis begins at 0.
type Panel struct {
	Title string // with the unit
	Lines []Line
}

// Line has at each point the rounds that were measured: it goes through their
// medians, and whiskers reach from the least to the greatest.
type Line struct {
	Name   string
	Points [][]float64
}

// The sizes, in pixels.
const (
	panelWidth, panelHeight = 360, 220
	left, right, top        = 58, 16, 78
	bottom                  = 48
)

// style names colours by role. The second set is for readers in the dark.
const style = `<style>
.paper{fill:#fff}.ink{fill:#1f2328}.dim{fill:#59636e}.grid{stroke:#d1d9e0}.c0{--c:#0969da}.c1{--c:#bc4c00}.c2{--c:#1a7f37}
.line{fill:none;stroke:var(--c);stroke-width:2}.dot{fill:var(--c)}.whisker{stroke:var(--c);stroke-width:1}
@media(prefers-color-scheme:dark){.paper{fill:#0d1117}.ink{fill:#f0f6fc}.dim{fill:#9198a1}.grid{stroke:#3d444d}.c0{--c:#4493f8}.c1{--c:#f0883e}.c2{--c:#3fb950}}
text{font:12px system-ui,sans-serif}.h{font-size:15px;font-weight:600}
</style>`

// SVG gives the picture.
func (c Chart) SVG() string {
	b := &strings.Builder{}
	width, height := panelWidth*len(c.Panels), top+panelHeight+bottom
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n%s\n",
		width, height, width, height, html.EscapeString(c.Title), style)
	fmt.Fprintf(b, `<rect class="paper" width="%d" height="%d" rx="6"/><text class="ink h" x="16" y="26">%s</text>`+"\n", width, height, html.EscapeString(c.Title))
	for i, p := range c.Panels {
		p.draw(b, i*panelWidth, c)
	}
	fmt.Fprintf(b, `<text class="dim" x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", width/2, top+panelHeight+38, html.EscapeString(c.XLabel))
	b.WriteString("</svg>\n")
	return b.String()
}

// draw adds a panel whose left edge is at x0.
func (p Panel) draw(b *strings.Builder, x0 int, c Chart) {
	most, step := p.scale()
	y := func(v float64) float64 { return top + panelHeight*(1-v/most) }
	from, to := x0+left, x0+panelWidth-right
	x := func(i int) float64 {
		pad := 24.0
		return float64(from) + pad + (float64(to-from)-2*pad)*float64(i)/float64(max(1, len(c.X)-1))
	}
	fmt.Fprintf(b, `<text class="ink" x="%d" y="50">%s</text>`+"\n", x0+16, html.EscapeString(p.Title))
	for v := 0.0; v <= most+step/2; v += step {
		fmt.Fprintf(b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text class="dim" x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			from, to, y(v), y(v), from-8, y(v)+4, strconv.FormatFloat(math.Round(v*1e6)/1e6, 'g', -1, 64))
	}
	for i, label := range c.X {
		fmt.Fprintf(b, `<text class="dim" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(i), top+panelHeight+18, html.EscapeString(label))
	}
	for n, line := range p.Lines {
		line.draw(b, n, x0+16+n*110, x, y)
	}
}

// draw adds a line with its whiskers, and its name where the legend begins.
func (l Line) draw(b *strings.Builder, n, legend int, x func(int) float64, y func(float64) float64) {
	var path []string
	fmt.Fprintf(b, `<g class="c%d">`, n)
	for i, rounds := range l.Points {
		low, mid, high := slices.Min(rounds), median(rounds), slices.Max(rounds)
		path = append(path, fmt.Sprintf("%.1f,%.1f", x(i), y(mid)))
		fmt.Fprintf(b, `<line class="whisker" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><circle class="dot" cx="%.1f" cy="%.1f" r="3.5"><title>%s: %.3g (%.3g–%.3g)</title></circle>`,
			x(i), x(i), y(low), y(high), x(i), y(mid), html.EscapeString(l.Name), mid, low, high)
	}
	fmt.Fprintf(b, `<polyline class="line" points="%s"/><circle class="dot" cx="%d" cy="63" r="4"/></g><text class="dim" x="%d" y="67">%s</text>`+"\n",
		strings.Join(path, " "), legend+4, legend+14, html.EscapeString(l.Name))
}

// scale gives the top of the axis and the distance of its marks: 1, 2 or 5 of
// some power of ten, such that four to eight of them hold everything.
func (p Panel) scale() (most, step float64) {
	top := 0.0
	for _, line := range p.Lines {
		for _, rounds := range line.Points {
			top = max(top, slices.Max(rounds))
		}
	}
	if top <= 0 {
		return 1, 1
	}
	step = math.Pow(10, math.Floor(math.Log10(top/4)))
	for _, nice := range []float64{1, 2, 5, 10} {
		if top/(step*nice) <= 8 {
			step *= nice
			break
		}
	}
	return step * math.Ceil(top/step), step
}

func median(rounds []float64) float64 {
	sorted := slices.Sorted(slices.Values(rounds))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
