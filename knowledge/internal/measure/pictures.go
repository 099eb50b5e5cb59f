package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/judged"
)

// A series is a line of a picture.
type series struct {
	name string
	list []judged.Outcome
}

// Colours that are told apart by those who do not see all of them (Okabe and Ito,
// "Color universal design", 2008), on white and on black.
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7"}

// draw writes the two pictures of how good a confidence is.
func draw(dir string, list []series) error {
	reliable := newPicture("How often the best hit is right, by the confidence in it", "confidence", "share that is right")
	reliable.path("#888888", "2", [][2]float64{{0, 0}, {1, 1}}, 1)
	risk := newPicture("How many answers are wrong if only the surest questions are answered", "share of questions answered", "share of answers that are wrong")
	for i, s := range list {
		var points [][2]float64
		for _, t := range judged.Reliability(s.list) {
			if t.Questions >= 10 {
				points = append(points, [2]float64{t.Confidence, t.Right})
			}
		}
		reliable.line(i, s.name, points)
		curve := judged.RiskCoverage(s.list)
		points = nil
		for k := 1; k <= 50; k++ {
			n := len(curve) * k / 50
			points = append(points, [2]float64{float64(n) / float64(len(curve)), curve[n-1]})
		}
		risk.line(i, s.name, points)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := reliable.write(filepath.Join(dir, "reliability.svg")); err != nil {
		return err
	}
	return risk.write(filepath.Join(dir, "risk-coverage.svg"))
}

// A picture is an SVG of lines between 0 and 1, readable on light and dark.
type picture struct{ strings.Builder }

// The plot's place in the picture, and its size.
const (
	left, top     = 60, 40
	width, height = 420, 280
)

func newPicture(title, across, up string) *picture {
	p := new(picture)
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 380" font-family="sans-serif" font-size="13" role="img" aria-label="%s">`, title)
	p.printf(`<style>text{fill:#333}.grid{stroke:#ccc}@media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#555}}</style>`)
	p.printf(`<text x="%d" y="22" font-size="15">%s</text>`, left, title)
	for i := range 6 {
		v := float64(i) / 5
		x, y := place(v, v)
		p.printf(`<path class="grid" d="M%.0f %d V%d M%d %.0f H%d"/>`, x, top, top+height, left, y, left+width)
		p.printf(`<text x="%.0f" y="%d" text-anchor="middle">%.1f</text><text x="%d" y="%.0f" text-anchor="end">%.1f</text>`, x, top+height+18, v, left-8, y+4, v)
	}
	p.printf(`<text x="%d" y="%d" text-anchor="middle">%s</text>`, left+width/2, top+height+42, across)
	p.printf(`<text transform="translate(18 %d) rotate(-90)" text-anchor="middle">%s</text>`, top+height/2, up)
	return p
}

func place(x, y float64) (float64, float64) { return left + width*x, top + height*(1-y) }

func (p *picture) printf(format string, args ...any) { _, _ = fmt.Fprintf(p, format+"\n", args...) }

// line draws points and names them.
func (p *picture) line(i int, name string, points [][2]float64) {
	colour := colours[i%len(colours)]
	p.path(colour, "", points, 2)
	p.printf(`<path d="M%d %d h20" stroke="%s" stroke-width="3"/><text x="%d" y="%d">%s</text>`, left+width+16, top+14+22*i, colour, left+width+42, top+18+22*i, name)
}

func (p *picture) path(colour, dashes string, points [][2]float64, wide int) {
	p.WriteString(`<path fill="none" d="`)
	for i, at := range points {
		x, y := place(at[0], at[1])
		letter := "L"
		if i == 0 {
			letter = "M"
		}
		_, _ = fmt.Fprintf(p, "%s%.1f %.1f", letter, x, y)
	}
	p.printf(`" stroke="%s" stroke-width="%d" stroke-dasharray="%s"/>`, colour, wide, dashes)
}

func (p *picture) write(file string) error {
	return os.WriteFile(file, []byte(p.String()+"</svg>\n"), 0o644)
}
