package main

import (
	"fmt"
	"io"

	"github.com/answerdesk-go/answerdesk/internal/judged"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/confidence"
)

// A report is written line by line; the first error is kept.
type report struct {
	w   io.Writer
	err error
}

func (r *report) line(format string, args ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.w, format+"\n", args...)
	}
}

// results are the outcomes of questions: whether the best hit was right, and whether
// some document was.
type results struct{ right, possible []judged.Outcome }

func (o *results) add(e *example, p float64) {
	o.right = append(o.right, judged.Outcome{Confidence: p, Right: e.right})
	o.possible = append(o.possible, judged.Outcome{Confidence: p, Right: e.possible})
}

func (o *results) join(other results) {
	o.right, o.possible = append(o.right, other.right...), append(o.possible, other.possible...)
}

// outcomes asks for the confidence in the examples of groups that take returns true
// for.
func outcomes(groups []group, w confidence.Weights, take func(*example) bool) (o results) {
	for _, g := range groups {
		for i := range g.list {
			if take(&g.list[i]) {
				o.add(&g.list[i], w.Of(g.list[i].signals))
			}
		}
	}
	return o
}

// sure is the confidence from which an answer counts as sure.
const sure = 0.9

// heading explains the columns of row.
func (r *report) heading() {
	r.line("%-26s %9s %6s %8s | %6s %8s | %6s | %11s %6s | %s", "", "", "", "", "AUROC", "", "calibr.", "sure (.9)", "", "wrong in % if the surest ... are answered")
	r.line("%-26s %9s %6s %8s | %6s %8s | %6s  | %11s %6s | %6s %6s %6s %6s %6s", "", "questions", "right", "possible", "right", "possible", "error", "of possible", "right", "20 %", "40 %", "60 %", "80 %", "all")
}

// row prints how well the confidence in some questions does.
func (r *report) row(name string, o results) {
	var many, fine, can, with float64
	for i, e := range o.right {
		if o.possible[i].Right {
			can++
			if e.Confidence >= sure {
				with++
			}
		}
		if e.Confidence >= sure {
			many++
			if e.Right {
				fine++
			}
		}
	}
	curve := judged.RiskCoverage(o.right)
	at := func(share float64) float64 { return 100 * curve[int(share*float64(len(curve)))-1] }
	r.line("%-26s %9d %6.2f %8.2f | %6.3f %8.3f | %6.3f  | %11.2f %6.2f | %6.1f %6.1f %6.1f %6.1f %6.1f", name, len(o.right), judged.Share(o.right), judged.Share(o.possible),
		judged.AUROC(o.right), judged.AUROC(o.possible), judged.CalibrationError(o.right), with/can, fine/many, at(.2), at(.4), at(.6), at(.8), at(1))
}

// reliability prints what confidence and share of right answers are in each tenth.
func (r *report) reliability(name string, list []judged.Outcome) {
	r.line("%s:\n%-12s %9s %10s %6s", name, "confidence", "questions", "mean", "right")
	for i, t := range judged.Reliability(list) {
		if t.Questions > 0 {
			r.line("%.1f to %.1f   %9d %10.3f %6.3f", float64(i)/10, float64(i+1)/10, t.Questions, t.Confidence, t.Right)
		}
	}
}
