package extractive

import (
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/sentence"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A span is a sentence of a passage.
type span struct {
	start, end int // bytes of the passage's text
	heading    bool
	item       bool // of a list
	paragraph  bool // it begins one
	leads      bool // it ends in a colon, and what follows belongs to it
	question   bool
	row        bool // of a table
	head       int  // of a row: the number of the sentence, from 1, that names its columns; 0: none
	record     bool // it is of names and values that belong together
}

// header reports whether sentence number i, from 0, is the header of a table.
func (s span) header(i int) bool { return s.row && s.head == i+1 }

// spans returns the sentences of a passage.
func spans(p knowledge.Passage) []span {
	var out []span
	at := 0
	for start, end := range sentence.All(p.Text) {
		text, before := p.Text[start:end], p.Text[at:start]
		line := p.Text[strings.LastIndexByte(p.Text[:start], '\n')+1 : start]
		marks := strings.TrimSpace(line)
		s := span{
			start: start, end: end,
			item:      isBullet(marks) || marks == "" && isNumbered(text) || goesOn(out, before),
			paragraph: len(out) == 0 || strings.Count(before, "\n") > 1,
			leads:     strings.HasSuffix(text, ":"),
			question:  strings.HasSuffix(text, "?"),
		}
		s.heading = strings.HasPrefix(marks, "#")
		for _, h := range p.Heading {
			s.heading = s.heading || h == text
		}
		out = append(out, s)
		at = end
	}
	markRows(p.Text, out)
	markRecords(p.Text, out)
	return out
}

// isBullet reports whether what stands before a sentence on its line makes it an
// item of a list.
func isBullet(marks string) bool {
	const bullets = "-*+•–·◦▪"
	return strings.ContainsAny(marks, bullets) && strings.Trim(marks, bullets+"> \t") == ""
}

// goesOn reports whether a sentence belongs to the item of the one before it, by
// what stands between them: nothing, or a line break and the item's indent.
func goesOn(earlier []span, between string) bool {
	if len(earlier) == 0 || !earlier[len(earlier)-1].item {
		return false
	}
	_, indent, broken := strings.Cut(between, "\n")
	return !broken || indent != "" && strings.Trim(indent, " \t") == ""
}

// isNumbered reports whether a line begins with the number of an item of a list.
func isNumbered(line string) bool {
	rest := strings.TrimLeft(line, "0123456789")
	return 1 <= len(line)-len(rest) && len(line)-len(rest) <= 3 && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") "))
}

// A pick is the best sentence of a passage.
type pick struct {
	knowledge.Passage
	sentences []span
	at        int
	score     float64
	held      set    // terms that the sentence and its headings hold
	alike     []bool // of each sentence: whether it holds the same terms
}

// leadIn returns the sentence that leads up to the list the pick stands in, or -1.
func (p pick) leadIn() int {
	for i := p.at - 1; i >= 0; i-- {
		switch {
		case p.sentences[i].leads:
			return i
		case !p.sentences[i].item:
			return -1
		}
	}
	return -1
}

// A weigher says how much of a question a text holds.
type weigher struct {
	terms []knowledge.QueryTerm
	index map[string]int
	all   float64
	words []string // scratch
}

func newWeigher(terms []knowledge.QueryTerm) *weigher {
	w := &weigher{terms: terms, index: make(map[string]int, len(terms))}
	for i, t := range terms {
		w.index[t.Text] = i
		w.all += t.Weight
	}
	w.all = max(w.all, 1e-9)
	return w
}

// held returns the terms of the question that a text holds.
func (w *weigher) held(text string) set {
	out := make(set, len(w.terms))
	w.words = knowledge.AppendTerms(w.words[:0], text)
	for _, t := range w.words {
		if i, ok := w.index[t]; ok {
			out[i] = true
		}
	}
	return out
}

// What counts beside the words a sentence shares with the question.
const (
	byHeading  = 0.5  // of the words that only the title or a heading holds
	byRank     = 0.3  // of the passage, by its score
	byOpening  = 0.05 // if it is the first of the passage
	asQuestion = -0.3 // if it asks rather than answers
	tooShort   = -0.2 // if it says next to nothing
)

// best picks the sentence of a passage that answers best. rank is the passage's
// score as a share of the best one's.
func (w *weigher) best(h knowledge.Hit, rank float64) pick {
	out := pick{Passage: h.Passage, sentences: spans(h.Passage), held: make(set, len(w.terms))}
	above := w.held(strings.Join(append([]string{h.Title}, h.Heading...), "\n"))
	helds := make([]set, len(out.sentences))
	found, heads := false, map[int]set{}
	for i, s := range out.sentences {
		if s.heading || s.header(i) {
			continue
		}
		over := above
		if s.head > 0 {
			if heads[s.head] == nil {
				head := out.sentences[s.head-1]
				heads[s.head] = above.and(w.held(h.Text[head.start:head.end]))
			}
			over = heads[s.head]
		}
		own := w.held(h.Text[s.start:s.end])
		both := own.and(over)
		helds[i] = both
		score := own.share(w) + byHeading*(both.share(w)-own.share(w)) + byRank*rank
		if i == 0 || i == 1 && (out.sentences[0].heading || out.sentences[0].header(0)) {
			score += byOpening
		}
		if s.question && !s.record {
			score += asQuestion
		}
		if s.end-s.start < 25 && !s.row && !s.record {
			score += tooShort
		}
		if !found || score > out.score {
			found = true
			out.at, out.score, out.held = i, score, both
		}
	}
	for _, held := range helds {
		out.alike = append(out.alike, slices.Equal(held, out.held))
	}
	if !found { // nothing but headings, or no sentence at all
		out.sentences = []span{{end: len(h.Text)}}
		out.at, out.score, out.held = 0, 0, make(set, len(w.terms))
	}
	return out
}
