package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A size is what an index of some passages takes: knowledge/internal/speed tells.
type size struct {
	Passages     int
	Text         int64
	CPU, Query   time.Duration
	Memory, Disk int64
}

// growth measures the index at sizes, and draws the curves.
func (b *bench) growth(ctx context.Context) error {
	var list []size
	if err := b.inside(ctx, &list, "growth", b.tmp, "-sizes", *sizes); err != nil {
		return err
	}
	fmt.Printf("\n%9s %9s %9s %8s %15s %11s %11s\n", "passages", "text", "build", "MB/s", "CPU a question", "in memory", "snapshot")
	var queries, builds, bytes []point
	for _, s := range list {
		n := float64(s.Passages)
		fmt.Printf("%9d %6.1f MB %7.2f s %8.1f %12.4f ms %8.1f MB %8.1f MB\n", s.Passages, float64(s.Text)/1e6, s.CPU.Seconds(),
			float64(s.Text)/1e6/s.CPU.Seconds(), 1e3*s.Query.Seconds(), float64(s.Memory)/1e6, float64(s.Disk)/1e6)
		queries = append(queries, point{n, 1e3 * s.Query.Seconds()})
		builds = append(builds, point{n, s.CPU.Seconds()})
		bytes = append(bytes, point{n, float64(s.Disk) / 1e6})
		if s.Passages == 1_000_000 {
			b.atMost("1,000,000 passages, narrow question, ms CPU", 1e3*s.Query.Seconds(), 1.5)
		}
	}
	if *short {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(*picture), 0o755); err != nil {
		return err
	}
	return os.WriteFile(*picture, draw(
		curve{"a question, ms CPU", queries}, curve{"build, s CPU", builds}, curve{"snapshot, MB", bytes},
	), 0o644)
}

type point struct{ x, y float64 }

type curve struct {
	title  string
	points []point
}

// draw draws curves side by side, with both axes in powers of ten.
func draw(curves ...curve) []byte {
	const width, height, left, top, gap = 210, 170, 44, 34, 66
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">
<title>What the index takes, from 1,000 to 1,000,000 passages</title>
<style>
text { fill: #444 } .axis { stroke: #999; stroke-width: .5 } .curve { fill: none; stroke: #06c; stroke-width: 2 } circle { fill: #06c }
@media (prefers-color-scheme: dark) { text { fill: #ccc } .curve { stroke: #6af } circle { fill: #6af } }
</style>
`, len(curves)*(width+gap), top+height+34)
	for i, c := range curves {
		x0, y0 := float64(left+i*(width+gap)), float64(top)
		lowX, highX, lowY, highY := decades(c.points)
		at := func(p point) (float64, float64) {
			return x0 + width*(math.Log10(p.x)-lowX)/(highX-lowX), y0 + height*(1-(math.Log10(p.y)-lowY)/(highY-lowY))
		}
		fmt.Fprintf(&s, "<text x=\"%.0f\" y=\"%.0f\" font-weight=\"bold\">%s</text>\n", x0, y0-14, c.title)
		for d := lowX; d <= highX; d++ {
			x, _ := at(point{math.Pow(10, d), math.Pow(10, lowY)})
			fmt.Fprintf(&s, "<path class=\"axis\" d=\"M%.1f %.1fv%d\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", x, y0, height, x, y0+height+16, short10(d))
		}
		for d := lowY; d <= highY; d++ {
			_, y := at(point{math.Pow(10, lowX), math.Pow(10, d)})
			fmt.Fprintf(&s, "<path class=\"axis\" d=\"M%.1f %.1fh%d\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", x0, y, width, x0-5, y+4, short10(d))
		}
		var line, dots strings.Builder
		for j, p := range c.points {
			x, y := at(p)
			fmt.Fprintf(&line, "%c%.1f %.1f", "ML"[min(j, 1)], x, y)
			fmt.Fprintf(&dots, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>%.0f passages: %.3g</title></circle>\n", x, y, p.x, p.y)
		}
		fmt.Fprintf(&s, "<path class=\"curve\" d=\"%s\"/>\n%s", line.String(), dots.String())
	}
	s.WriteString("</svg>\n")
	return []byte(s.String())
}

// decades returns the powers of ten around points.
func decades(points []point) (lowX, highX, lowY, highY float64) {
	lowX, lowY, highX, highY = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range points {
		x, y := math.Log10(p.x), math.Log10(max(p.y, 1e-6))
		lowX, highX = min(lowX, math.Floor(x)), max(highX, math.Ceil(x))
		lowY, highY = min(lowY, math.Floor(y)), max(highY, math.Ceil(y))
	}
	return lowX, max(highX, lowX+1), lowY, max(highY, lowY+1)
}

// short10 writes a power of ten.
func short10(d float64) string {
	switch {
	case d >= 6:
		return fmt.Sprintf("%.0fM", math.Pow(10, d-6))
	case d >= 3:
		return fmt.Sprintf("%.0fk", math.Pow(10, d-3))
	}
	return fmt.Sprintf("%g", math.Pow(10, d))
}
