package main

import (
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"path"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/judged"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/confidence"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// An example is what a search said of a question, and whether its best hit
// answers it.
type example struct {
	signals  index.Signals
	right    bool
	possible bool // some document answers it
}

// fit prints the coefficients of package confidence, fitted on companies drawn
// from clinc150 and msdocs100k, and how well its confidence does on sets it was
// not fitted on: their licences let them test and no more.
func fit(w io.Writer, data string) error {
	clinc, err := judged.Read(data, "clinc150")
	if err != nil {
		return err
	}
	help, err := judged.Read(data, "msdocs100k")
	if err != nil {
		return err
	}
	train := append(clincCompanies(clinc), helpCompanies(help)...)
	r := report{w: w}
	n := 0
	for _, g := range train {
		n += len(g.list)
	}
	b := coefficients(train)
	r.line("fitted on %d questions: intercept %.2f, coverage %.2f, evidence %.2f, volume %.2f\n", n, b[0], b[1], b[2], b[3])
	r.line("%-22s %9s %9s %14s %18s %18s", "set", "questions", "right", "AUROC of right", "AUROC of possible", "calibration error")
	for _, g := range train {
		r.row(g)
	}
	r.line("not fitted on:")
	for _, name := range []string{"xquad-en", "stackfaq", "xquad-ar", "xquad-de", "xquad-zh", "xquad-th"} {
		s, err := judged.Read(data, name)
		if err != nil {
			return err
		}
		r.row(group{name + ", half removed", halved(s)})
	}
	whole := group{name: "clinc150, whole"}
	x := build(clinc.Documents, "en")
	for _, q := range clinc.Questions {
		whole.list = append(whole.list, askOne(x, q, clinc.Label[q.ID] != "oos", clinc.Right))
	}
	r.row(whole)
	return pairs(&r, data)
}

// A group is the examples of companies of one kind and size. All groups weigh
// the same.
type group struct {
	name string
	list []example
}

// row prints how the shipped confidence does on a group.
func (r *report) row(g group) {
	var right, possible []judged.Outcome
	n := 0.0
	for _, e := range g.list {
		c := confidence.Of(e.signals)
		right = append(right, judged.Outcome{Confidence: c, Right: e.right})
		possible = append(possible, judged.Outcome{Confidence: c, Right: e.possible})
		if e.right {
			n++
		}
	}
	r.line("%-22s %9d %9.2f %14.3f %18.3f %18.3f", g.name, len(g.list), n/float64(len(g.list)), judged.AUROC(right), judged.AUROC(possible), judged.CalibrationError(right))
}

// clincCompanies draws companies that know some of clinc150's intents by some
// of their phrasings. Half of what they are asked is of other intents or none.
func clincCompanies(s *judged.Set) []group {
	rnd := rand.New(rand.NewPCG(1, 150))
	phrasings := map[string][]judged.Record{}
	for _, d := range s.Documents {
		phrasings[s.Label[d.ID]] = append(phrasings[s.Label[d.ID]], d)
	}
	intents := slices.Sorted(maps.Keys(phrasings))
	questions := slices.Clone(s.Questions)
	var groups []group
	for _, size := range []struct {
		name                   string
		intents, each, company int
	}{
		{"150 intents of 5", 150, 5, 1}, {"20 intents of 100", 20, 100, 4}, {"150 intents of 20", 150, 20, 1},
		{"60 intents of 100", 60, 100, 2}, {"150 intents of 100", 150, 100, 1},
	} {
		g := group{name: size.name}
		for range size.company {
			shuffle(rnd, intents)
			mine := map[string]bool{}
			var documents []judged.Record
			for _, intent := range intents[:size.intents] {
				mine[intent] = true
				shuffle(rnd, phrasings[intent])
				documents = append(documents, phrasings[intent][:size.each]...)
			}
			x := build(documents, "en")
			shuffle(rnd, questions)
			g.list = append(g.list, ask(x, questions, 3000/size.company, func(q string) bool { return mine[s.Label[q]] }, s.Right)...)
		}
		groups = append(groups, g)
	}
	return groups
}

// helpCompanies draws companies that have some of msdocs100k's pages. Half of
// what they are asked stands on pages they do not have. One page is in the set
// in several versions; they count as one.
func helpCompanies(s *judged.Set) []group {
	rnd := rand.New(rand.NewPCG(2, 100))
	page := func(document string) string {
		file, _, _ := strings.Cut(document, "#")
		return path.Base(file)
	}
	pages := map[string][]judged.Record{}
	for _, d := range s.Documents {
		pages[page(d.ID)] = append(pages[page(d.ID)], d)
	}
	answer := map[string]string{} // page by question
	for q, documents := range s.Judged {
		for d := range documents {
			answer[q] = page(d)
		}
	}
	asked := slices.Compact(slices.Sorted(maps.Values(answer)))
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(pages)), func(p string) bool { return slices.Contains(asked, p) })
	questions := slices.Clone(s.Questions)
	var groups []group
	for _, size := range []struct {
		name              string
		passages, company int
	}{{"200 passages", 200, 40}, {"1,000 passages", 1000, 16}, {"5,000 passages", 5000, 8}, {"20,000 passages", 20000, 2}, {"50,000 passages", 50000, 2}} {
		g := group{name: size.name}
		for range size.company {
			shuffle(rnd, others)
			shuffle(rnd, asked)
			mine := map[string]bool{}
			var documents []judged.Record
			take := func(list []string, until int) {
				for _, p := range list {
					if len(documents) < until {
						mine[p] = true
						documents = append(documents, pages[p]...)
					}
				}
			}
			take(asked[:len(asked)/2], size.passages/2)
			take(others, size.passages)
			shuffle(rnd, questions)
			g.list = append(g.list, ask(build(documents, "en"), questions, len(questions),
				func(q string) bool { return mine[answer[q]] },
				func(q, document string) bool { return page(document) == answer[q] })...)
		}
		groups = append(groups, g)
	}
	return groups
}

func shuffle[T any](rnd *rand.Rand, list []T) {
	rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// ask asks up to most questions that have an answer, and as many that do not.
func ask(x *index.Index, questions []judged.Record, most int, possible func(question string) bool, right func(question, document string) bool) []example {
	var list []example
	for _, with := range []bool{true, false} {
		begin := len(list)
		for _, q := range questions {
			if possible(q.ID) == with && len(list)-begin < most {
				list = append(list, askOne(x, q, with, right))
			}
		}
		most = len(list)
	}
	return list
}

// askOne makes an example of a question.
func askOne(x *index.Index, q judged.Record, possible bool, right func(question, document string) bool) example {
	r := x.Search(index.Query{Text: q.Text})
	return example{r.Signals, possible && len(r.Hits) > 0 && right(q.ID, r.Hits[0].DocumentID), possible}
}

// halved asks all questions of a company that has half of the documents, those
// of one thread or page together.
func halved(s *judged.Set) []example {
	x := build(slices.DeleteFunc(slices.Clone(s.Documents), func(d judged.Record) bool { return !s.Kept(d.ID) }), language(s.Name))
	var list []example
	for _, q := range s.Questions {
		possible := false
		for d := range s.Judged[q.ID] {
			possible = possible || s.Kept(d)
		}
		list = append(list, askOne(x, q, possible, s.Right))
	}
	return list
}

// coefficients fits the logistic part of the confidence by Fisher scoring, with
// its rules in place.
func coefficients(groups []group) [4]float64 {
	var b [4]float64
	for range 50 {
		var gradient [4]float64
		var information [4][4]float64
		for _, g := range groups {
			for _, e := range g.list {
				if e.signals.Coverage <= 0 {
					continue
				}
				f := confidence.Features(e.signals)
				x := [4]float64{1, f[0], f[1], f[2]}
				s := 1 / (1 + math.Exp(-confidence.Logit(e.signals, b[0], b[1], b[2], b[3])))
				d := confidence.Discount(e.signals)
				p := min(max(s*d, 1e-9), 1-1e-9)
				slope := s * (1 - s) * d
				y := 0.0
				if e.right {
					y = 1
				}
				w := 1 / float64(len(g.list)) / (p * (1 - p))
				for i := range x {
					gradient[i] += w * (y - p) * slope * x[i]
					for j := range x {
						information[i][j] += w * slope * slope * x[i] * x[j]
					}
				}
			}
		}
		step := solve(information, gradient)
		for i := range b {
			b[i] += step[i]
		}
	}
	return b
}

// solve returns the x with a·x = y, by Gauss and Jordan.
func solve(a [4][4]float64, y [4]float64) [4]float64 {
	for i := range a {
		best := i
		for k := i; k < len(a); k++ {
			if math.Abs(a[k][i]) > math.Abs(a[best][i]) {
				best = k
			}
		}
		a[i], a[best], y[i], y[best] = a[best], a[i], y[best], y[i]
		for k := range a {
			if k == i {
				continue
			}
			f := a[k][i] / a[i][i]
			for j := range a {
				a[k][j] -= f * a[i][j]
			}
			y[k] -= f * y[i]
		}
	}
	for i := range y {
		y[i] /= a[i][i]
	}
	return y
}

// language returns the code that the name of a set ends in, or English's.
func language(name string) string {
	if _, code, ok := strings.Cut(name, "-"); ok {
		return code
	}
	return "en"
}

// build indexes documents, each as one passage.
func build(documents []judged.Record, language string) *index.Index {
	x := index.New(&index.Options{Language: language})
	changes := make([]index.Change, len(documents))
	for i, d := range documents {
		changes[i].Put = &index.Document{ID: d.ID, Passages: []index.Passage{{Title: d.Title, Body: d.Text}}}
	}
	x.Apply(changes)
	return x
}
