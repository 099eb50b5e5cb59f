package index

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
)

// exhaustive ranks by the textbook: no postings, no windows, no heap, no segments.
type exhaustive struct {
	rows      []textRow
	df        map[string]int
	average   float64
	languages []string
}

type textRow struct {
	doc     *Document
	ordinal int
	places  map[string][]uint32 // by term
	length  float64
}

// newExhaustive reads documents with weights for title, heading and question.
func newExhaustive(o Options, live map[string]Document) *exhaustive {
	e := &exhaustive{df: map[string]int{}}
	total := 0.0
	spoken := map[string]int{}
	for _, id := range slices.Sorted(maps.Keys(live)) {
		d := live[id]
		if len(d.Passages) > 0 {
			spoken[cmp.Or(d.Language, "en")]++
		}
		for _, p := range d.Passages {
			for _, question := range append([]string(nil), cmpOr(p.Questions, []string{""})...) {
				r := textRow{doc: &d, ordinal: p.Ordinal, places: map[string][]uint32{}}
				from, length := uint32(0), 0
				for i, text := range []string{p.Title, p.Heading, question, p.Body} {
					if text == "" {
						continue
					}
					weight := []int{o.TitleWeight, o.HeadingWeight, o.QuestionWeight, 1}[i]
					last := uint32(0)
					for _, token := range analysis.For(d.Language).Tokens(nil, text) {
						for range weight {
							r.places[token.Term] = append(r.places[token.Term], from+token.At)
						}
						last = token.At
						if !token.Stop {
							length += weight
						}
					}
					from += last + 8
				}
				for term, places := range r.places {
					r.places[term] = places[:min(len(places), 255)]
					e.df[term]++
				}
				r.length = byte4(length)
				total += r.length
				e.rows = append(e.rows, r)
			}
		}
	}
	e.average = 1
	if total > 0 {
		e.average = total / float64(len(e.rows))
	}
	e.languages = slices.SortedFunc(maps.Keys(spoken), func(a, b string) int { return cmp.Or(cmp.Compare(spoken[b], spoken[a]), cmp.Compare(a, b)) })
	return e
}

func cmpOr(a, b []string) []string {
	if len(a) > 0 {
		return a
	}
	return b
}

// byte4 keeps four significant bits of what is above 24, as Lucene does.
func byte4(n int) float64 {
	if n < 40 {
		return float64(n)
	}
	v := n - 24
	unit := 1
	for v/unit >= 16 {
		unit *= 2
	}
	return float64(24 + v/unit*unit)
}

// search returns the best passages of those that allowed lets pass.
func (e *exhaustive) search(q Query, allowed func(*Document) bool) []Hit {
	among := q.Languages
	if len(among) == 0 {
		among = e.languages
	}
	query := analysis.Question(nil, q.Text, among)
	n := float64(len(e.rows))
	weights := map[string]float32{} // of each different word
	count := map[string]int{}
	content := map[string]bool{}
	var terms []string
	for _, t := range query {
		if t.Stop {
			continue
		}
		if count[t.Text] == 0 {
			terms = append(terms, t.Text)
		}
		count[t.Text]++
		content[t.Text] = content[t.Text] || t.Content
	}
	weigh := func(text string, content bool, count int) float32 {
		df := float64(e.df[text])
		w := math.Log1p((n-df+0.5)/(df+0.5)) * 2.2
		if !content {
			w *= 0.7 * n / (n + 1000)
		}
		return float32(w) * float32(count)
	}
	for _, t := range terms {
		weights[t] = weigh(t, content[t], count[t])
	}
	terms = e.stand(query, terms, content, count, weights, weigh)
	slices.SortStableFunc(terms, func(a, b string) int { return cmp.Compare(e.df[a], e.df[b]) }) // as scores are added up
	best := map[string]Hit{}
	rowOf := map[string]int{}
	for i, r := range e.rows {
		if !allowed(r.doc) || q.AgentID != "" && r.doc.AgentID != "" && q.AgentID != r.doc.AgentID {
			continue
		}
		norm := e.norm(r)
		score := float32(0)
		for _, t := range terms {
			if tf := float32(len(r.places[t])); tf > 0 {
				score += weights[t] * (tf / (tf + norm))
			}
		}
		key := fmt.Sprintf("%s\x00%d", r.doc.ID, r.ordinal)
		if score > 0 && float64(score) > best[key].Score {
			best[key] = Hit{DocumentID: r.doc.ID, Version: r.doc.Version, Ordinal: r.ordinal, Score: float64(score), BM25: float64(score)}
			rowOf[key] = i
		}
	}
	order := func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.DocumentID, b.DocumentID), cmp.Compare(a.Ordinal, b.Ordinal))
	}
	list := slices.SortedFunc(maps.Values(best), order)
	first := list[:min(len(list), 32)]
	for i := range first {
		h := &first[i]
		second := e.second(q.Text, query, count, content, weigh, e.rows[rowOf[fmt.Sprintf("%s\x00%d", h.DocumentID, h.Ordinal)]])
		h.Proximity = float64(second)
		h.Score = float64(float32(h.BM25) + second)
	}
	slices.SortFunc(first, order)
	return list[:min(len(list), q.Limit)]
}

// stand adds the terms that stand in for unknown words.
func (e *exhaustive) stand(query []analysis.Term, terms []string, content map[string]bool, count map[string]int, weights map[string]float32, weigh func(string, bool, int) float32) []string {
	place := map[string]analysis.Term{}
	for _, t := range query {
		if _, ok := place[t.Text]; !ok {
			place[t.Text] = t
		}
	}
	guessed := 0
	said := slices.Clone(terms)
	for _, word := range said {
		letters := []rune(word)
		known := e.df[word] > 0 || place[word].Whole || !content[word]
		for _, other := range said {
			known = known || e.df[other] > 0 && place[other].At == place[word].At && !place[other].Whole
		}
		if known || guessed == 4 || len(letters) < 5 || len(letters) > 32 || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
			continue
		}
		guessed++
		most := 1
		if len(letters) >= 8 {
			most = 2
		}
		for edits := 1; edits <= most; edits++ {
			var near []string
			for term, df := range e.df {
				if df > 0 && []rune(term)[0] == letters[0] && editsBetween(letters, []rune(term)) == edits {
					near = append(near, term)
				}
			}
			slices.SortFunc(near, func(a, b string) int { return cmp.Or(cmp.Compare(e.df[b], e.df[a]), strings.Compare(a, b)) })
			n := 0
			for _, term := range near {
				if n < 3 && !slices.Contains(terms, term) {
					n++
					terms = append(terms, term)
					weights[term] = weigh(term, true, count[word]) / 2
				}
			}
			if len(near) > 0 {
				break
			}
		}
	}
	return terms
}

// editsBetween counts the letters that are added, missing, others, or swapped with
// their neighbour.
func editsBetween(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					rows[i][j] = min(rows[i][j], 1+rows[i-2][j-2])
				}
			}
		}
	}
	return rows[len(a)][len(b)]
}

// begin is what a word begins with of which stem is the stem.
func begin(stem string) string {
	if n := len(stem) - 1; n >= 4 && stem[n] < 0x80 {
		return stem[:n]
	}
	return stem
}

func (e *exhaustive) norm(r textRow) float32 {
	return float32(1.2 * (1 - 0.75 + 0.75*r.length/e.average))
}

// second is what the second stage adds to a row.
func (e *exhaustive) second(text string, query []analysis.Term, count map[string]int, content map[string]bool, weigh func(string, bool, int) float32, r textRow) float32 {
	norm := e.norm(r)
	part := func(n int) float32 { return float32(n) / (float32(n) + norm) }
	sum := float32(0)
	stops := map[string]int{}
	var order []string
	var words []analysis.Term
	for _, t := range query {
		if t.Stop {
			if stops[t.Text] == 0 {
				order = append(order, t.Text)
			}
			stops[t.Text]++
		}
		if !t.Whole && (len(words) == 0 || words[len(words)-1].At != t.At) {
			words = append(words, t)
		}
	}
	for _, t := range order {
		if tf := len(r.places[t]); tf > 0 && count[t] == 0 {
			sum += weigh(t, false, stops[t]) * part(tf)
		}
	}
	seen := map[[2]string]bool{}
	for i := 1; i < len(words); i++ {
		a, b := words[i-1], words[i]
		pair := [2]string{a.Text, b.Text}
		if a.Text == b.Text || e.df[a.Text] == 0 || e.df[b.Text] == 0 || overlap(a.Text, b.Text) || seen[pair] {
			continue
		}
		seen[pair] = true
		type place struct {
			at    uint32
			first bool
		}
		var all []place
		for _, at := range r.places[a.Text] {
			all = append(all, place{at, true})
		}
		for _, at := range r.places[b.Text] {
			all = append(all, place{at, false})
		}
		slices.SortStableFunc(all, func(a, b place) int { return cmp.Compare(a.at, b.at) })
		inOrder, near := 0, 0
		for j := 1; j < len(all); j++ {
			x, y := all[j-1], all[j]
			if x.first == y.first || y.at-x.at >= 8 {
				continue
			}
			near++
			if x.first && (y.at-x.at == 1 || y.at-x.at == b.At-a.At) {
				inOrder++
			}
		}
		if near > 0 {
			w := (weigh(a.Text, content[a.Text], 1) + weigh(b.Text, content[b.Text], 1)) / 2
			quotes := strings.Split(strings.ToLower(text), `"`)
			for j := 1; j < len(quotes)-1; j += 2 {
				if _, rest, found := strings.Cut(quotes[j], begin(a.Text)); found && strings.Contains(begin(a.Text)+rest, begin(b.Text)) {
					w *= 3
				}
			}
			sum += w * (0.2*part(inOrder) + 0.2*part(near))
		}
	}
	return sum
}
