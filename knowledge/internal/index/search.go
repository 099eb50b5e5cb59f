package index

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
)

// A Query is a question and who may see what.
type Query struct {
	Text  string
	Limit int // of hits; default 10
	// AgentID leaves out the documents of other agents; "": none.
	AgentID string
	// Filter chooses documents; nil: all.
	Filter Filter
}

// A Hit is a passage that was found.
type Hit struct {
	DocumentID string
	Version    int
	Ordinal    int
	Score      float64 // what the result is ordered by; comparable within one result only
	BM25       float64
	// Asked is 1 if the passage answers the question that was asked, word for
	// word, and less if it answers one that is nearly the same; 0 otherwise.
	Asked float64
	// Matched has bit i set if the passage holds [Result.Terms] i, for the
	// first 64 of them.
	Matched uint64
}

// A Result is what a search found, best first. Equal scores are ordered by
// document id, then ordinal.
type Result struct {
	Hits    []Hit
	Terms   []QueryTerm // of the question, each once
	Signals Signals
}

// A QueryTerm is a different word of a question. Weight is what it counts in
// [Signals]; a word that says nothing about what is asked weighs next to nothing.
type QueryTerm struct {
	Text   string
	Weight float64
}

// Rows are scored a window at a time, so that their scores stay in the
// processor's nearest cache. Leaving the common words aside until a row comes
// close (MaxScore) was tried and is slower here: it takes longer to look rows up
// than to add all of them.
const (
	window = 1 << 13
	stride = 32 // rows that are looked through or passed over together
)

// A search is one query under way, with the memory it uses.
type search struct {
	scores  [window]float32
	touched [window / stride]bool
	query   []analysis.Term
	terms   []term
	top     []candidate

	// What lift uses.
	lifted       []asked
	spare        []candidate
	wanted       []wantedTerm
	wantedWeight float64
}

// A term is a different word of the question.
type term struct {
	analysis.Term
	count  int // in the question
	df     int
	weight float32 // idf · (k1+1) · count
	rows   []uint32
	next   int // in rows
}

type candidate struct {
	score float32
	row   uint32
}

var searches = sync.Pool{New: func() any { return new(search) }}

// Search ranks the passages that hold any word of the question, of those the
// query allows. Words weigh by how rare they are in the whole index.
func (x *Index) Search(q Query) Result {
	if q.Limit <= 0 {
		q.Limit = 10
	}
	s := searches.Get().(*search)
	defer searches.Put(s)
	s.query = x.analyzer.Query(s.query[:0], q.Text)

	if q.Filter != nil && q.Filter.stretches() {
		x.order()
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	st := &x.state
	s.resolve(st)
	s.lifted = s.lifted[:0]
	best := 0.0
	if f := st.filter(&q); f.kind != never {
		if len(st.questions) == 0 {
			s.run(st, &f, q.Limit)
		} else {
			s.run(st, &f, max(q.Limit, nearDepth))
			if len(s.top) > 0 {
				best = float64(s.top[0].score)
			}
			s.lift(st, &f, word(x.analyzer, q.Text), q.AgentID, q.Limit)
		}
	}
	r := Result{Hits: make([]Hit, len(s.top)), Terms: make([]QueryTerm, len(s.terms))}
	for i := range s.terms {
		t := &s.terms[i]
		weight, _ := st.weight(t)
		r.Terms[i] = QueryTerm{Text: t.Text, Weight: weight}
	}
	for i, c := range s.top {
		d := &st.documents[st.docs[c.row]]
		h := Hit{DocumentID: d.id, Version: d.version, Ordinal: int(st.ordinals[c.row]), Score: float64(c.score), BM25: float64(c.score), Matched: s.matched(c.row)}
		if i < len(s.lifted) { // above all that are not
			h.Asked = s.lifted[i].likeness
			h.Score = (1 + best) * (1 + h.Asked)
		}
		r.Hits[i] = h
	}
	r.Signals = s.signals(st)
	clear(s.terms) // the pool keeps no index alive
	return r
}

// resolve looks up the different words of the question.
func (s *search) resolve(st *state) {
	s.terms, s.top = s.terms[:0], s.top[:0]
next:
	for _, t := range s.query {
		for i := range s.terms {
			if s.terms[i].Text == t.Text {
				s.terms[i].count++
				s.terms[i].Content = s.terms[i].Content || t.Content
				continue next
			}
		}
		if len(s.terms) == maxTerms {
			break
		}
		s.terms = append(s.terms, term{Term: t, count: 1})
	}
	for i := range s.terms {
		t := &s.terms[i]
		n, ok := st.terms[t.Text]
		if !ok {
			continue
		}
		p := &st.postings[n]
		t.df = st.df(p)
		t.rows = p.rows
		t.weight = float32(idf(st.live, t.df) * (st.k1 + 1) * float64(t.count) * st.share(t.Content))
	}
}

// maxTerms is how many different words of a question are looked for. Questions
// have five, pasted letters a hundred.
const maxTerms = 256

// idf is BM25's weight of a word as Lucene has it, never negative:
// ln(1 + (n − df + ½) / (df + ½)).
func idf(n, df int) float64 {
	return math.Log1p((float64(n-df) + 0.5) / (float64(df) + 0.5))
}

// share returns what words like "how" and "please" weigh beside those that say
// what a question is about. In large collections their frequency says most of
// it already, and .7 of what it says does best; in a small one it cannot, for a
// word of five passages is as rare as another. Over stackfaq, cranfield, cisi and
// xquad-en that gains .008 in mean nDCG@10 over full weight; it costs .006 in hit@1
// on clinc150, whose questions often have no other words.
func (s *state) share(content bool) float64 {
	if content {
		return 1
	}
	return 0.7 * float64(s.live) / float64(s.live+1000)
}

// run ranks the rows, window after window.
func (s *search) run(st *state, f *filter, limit int) {
	best := ranking{st: st, limit: limit, list: s.top, enough: math.SmallestNonzeroFloat32}
	rows := len(st.lengths)
	for base := 0; base < rows; base += window {
		end := min(base+window, rows)
		if s.score(st, uint32(base), uint32(end)) {
			s.offer(&best, f, base, end)
		}
	}
	s.top = best.done()
}

// score adds up what the terms give the rows from base to end.
func (s *search) score(st *state, base, end uint32) (any bool) {
	limit := end << 8
	norms, lengths := st.norms, st.lengths[base:end]
	for i := range s.terms {
		t := &s.terms[i]
		rows, weight := t.rows[t.next:], t.weight
		n := 0
		for n < len(rows) && rows[n] < limit {
			p := rows[n]
			slot := p>>8 - base
			tf := float32(p & maxCount)
			s.scores[slot%window] += weight * tf / (tf + norms[lengths[slot]])
			s.touched[slot/stride%(window/stride)] = true
			n++
		}
		t.next += n
		any = any || n > 0
	}
	return any
}

// offer ranks the rows of a window that are alive and allowed, and clears their
// scores.
func (s *search) offer(best *ranking, f *filter, base, end int) {
	st := best.st
	for b := range (end - base + stride - 1) / stride {
		if !s.touched[b] {
			continue
		}
		s.touched[b] = false
		block := s.scores[b*stride : b*stride+stride]
		for i, score := range block {
			if score < best.enough {
				continue
			}
			row := uint32(base + b*stride + i)
			if !st.isDead(row) && f.allows(st, st.docs[row]) {
				best.offer(candidate{score, row})
			}
		}
		clear(block)
	}
}

// matched tells which terms a row holds.
func (s *search) matched(row uint32) uint64 {
	var m uint64
	for i := range min(len(s.terms), 64) {
		if s.terms[i].in(row) > 0 {
			m |= 1 << i
		}
	}
	return m
}

// in returns how often the term stands in a row.
func (t *term) in(row uint32) uint32 {
	at, _ := slices.BinarySearch(t.rows, row<<8)
	if at < len(t.rows) && t.rows[at]>>8 == row {
		return t.rows[at] & maxCount
	}
	return 0
}

// A ranking keeps the best candidates, each passage once. They are offered in
// the order of their rows, so those of one passage follow each other.
type ranking struct {
	st      *state
	limit   int
	list    []candidate // a heap, the worst first
	enough  float32     // what a candidate needs to be looked at
	pending candidate   // the best so far of the passage under way
}

func (r *ranking) offer(c candidate) {
	if r.pending.score > 0 && r.st.samePassage(r.pending.row, c.row) {
		if c.score > r.pending.score {
			r.pending = c
		}
		return
	}
	r.push()
	r.pending = c
}

// samePassage reports whether two rows are of one passage.
func (s *state) samePassage(a, b uint32) bool {
	return s.docs[a] == s.docs[b] && s.ordinals[a] == s.ordinals[b]
}

// compare orders candidates best first.
func (s *state) compare(a, b candidate) int {
	if a.score != b.score {
		return cmp.Compare(b.score, a.score)
	}
	if da, db := s.docs[a.row], s.docs[b.row]; da != db {
		return cmp.Compare(s.documents[da].id, s.documents[db].id)
	}
	return cmp.Compare(s.ordinals[a.row], s.ordinals[b.row])
}

// push moves the pending candidate into the heap if it is among the best.
func (r *ranking) push() {
	c := r.pending
	if c.score <= 0 {
		return
	}
	h := r.list
	if len(h) < r.limit {
		h = append(h, c)
		for i := len(h) - 1; i > 0; {
			up := (i - 1) / 2
			if r.st.compare(h[i], h[up]) <= 0 {
				break
			}
			h[i], h[up] = h[up], h[i]
			i = up
		}
		r.list = h
	} else if r.st.compare(c, h[0]) < 0 {
		h[0] = c
		for i := 0; ; {
			down := 2*i + 1
			if down >= len(h) {
				break
			}
			if down+1 < len(h) && r.st.compare(h[down+1], h[down]) > 0 {
				down++
			}
			if r.st.compare(h[down], h[i]) <= 0 {
				break
			}
			h[i], h[down] = h[down], h[i]
			i = down
		}
	}
	if len(r.list) == r.limit {
		r.enough = r.list[0].score
	}
}

func (r *ranking) done() []candidate {
	r.push()
	slices.SortFunc(r.list, r.st.compare)
	return r.list
}
