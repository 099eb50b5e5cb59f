package main

import (
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/judged"
)

// The company that has all of clinc150 is the only one that is asked what its makers
// say people ask, in their shares; of all others half the questions have no answer
// because they are drawn so. It weighs as much as all others together.
const (
	whole       = "whole"
	wholeWeight = 16
)

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
		name                         string
		intents, each, company, most int
	}{
		{"150 intents of 5", 150, 5, 1, 3000}, {"20 intents of 100", 20, 100, 4, 750}, {"150 intents of 20", 150, 20, 1, 3000},
		{"60 intents of 100", 60, 100, 2, 1500}, {whole, 150, 100, 1, len(questions)},
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
			if g.name == whole {
				documents = s.Documents // in their order, which decides between equal scores
			}
			x := build(documents, "en")
			shuffle(rnd, questions)
			g.list = append(g.list, ask(x, questions, size.most, func(q string) bool { return mine[s.Label[q]] }, s.Right)...)
		}
		if g.name == whole {
			g.weight = wholeWeight
		}
		groups = append(groups, g)
	}
	return groups
}

// helpCompanies draws companies that have some of msdocs100k's pages. Half of
// what they are asked stands on pages they do not have. One page is in the set
// in several versions; they count as one, but from 50,000 passages on there are so
// many that the labels say little.
//
// The questions of the set are words of the passages that answer them. People use
// words of their own: two of them name the same thing alike in less than one case of
// five (Furnas and others, "The vocabulary problem in human-system communication",
// 1987). So the questions are asked a second time, reworded.
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
	}{{"5 passages", 5, 200}, {"20 passages", 20, 80}, {"200 passages", 200, 40}, {"1,000 passages", 1000, 16}, {"5,000 passages", 5000, 8}, {"20,000 passages", 20000, 2}} {
		g, other := group{name: size.name}, group{name: size.name + ", reworded"}
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
			x := build(documents, "en")
			possible := func(q string) bool { return mine[answer[q]] }
			right := func(q, document string) bool { return page(document) == answer[q] }
			g.list = append(g.list, ask(x, questions, len(questions), possible, right)...)
			other.list = append(other.list, ask(x, reworded(rnd, questions), len(questions), possible, right)...)
		}
		groups = append(groups, g, other)
	}
	return groups
}

// rewording is how many of the words of a question are replaced by those of others.
const rewording = 0.3

// reworded returns the questions with some of their words replaced by words of any
// of them.
func reworded(rnd *rand.Rand, questions []judged.Record) []judged.Record {
	var words []string
	for _, q := range questions {
		words = append(words, strings.Fields(q.Text)...)
	}
	list := slices.Clone(questions)
	for i := range list {
		own := strings.Fields(list[i].Text)
		for k := range own {
			if rnd.Float64() < rewording {
				own[k] = words[rnd.IntN(len(words))]
			}
		}
		list[i].Text = strings.Join(own, " ")
	}
	return list
}

func shuffle[T any](rnd *rand.Rand, list []T) {
	rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}
