package index

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/postings"
)

// A Query is a question and who may see what.
type Query struct {
	Text  string
	Limit int // of hits; default 10
	// AgentID leaves out the documents of other agents; "": none.
	AgentID string
	// Filter chooses documents; nil: all.
	Filter Filter
	// Languages the question may be in, ISO 639-1 codes, the likeliest first; nil:
	// those of the documents.
	Languages []string
}

// A Hit is a passage that was found.
type Hit struct {
	DocumentID string
	Version    int
	Ordinal    int
	Score      float64 // what the result is ordered by; comparable within one result only
	BM25       float64 // what the words of the question give
	Proximity  float64 // what they give that stand near each other as in the question
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
	// For is the word of the question, which stands nowhere, that this one is
	// looked for instead; "": it is of the question itself.
	For string
}

// A search is one query under way, with the memory it uses.
type search struct {
	view  *view
	query []analysis.Term
	terms []term // of the question; from said on stop words
	said  int
	order []int   // of those before said: the rarest first, as their scores are added up
	lists []found // of each term in each part
	top   []candidate
	front []candidate // of top before the limit and questions: what signals look at

	ids    []byte // of the hits
	idEnds []int

	scoring
	binder
	lifting
	reading
	pairing
	guessing
}

// A term is a different word of the question.
type term struct {
	analysis.Term
	count  int // in the question
	df     int
	single float32 // idf · (k1+1) · share
	weight float32 // the same · count
	guess  int     // the term it stands in for, plus one
}

// A candidate is a row that may be a hit.
type candidate struct {
	score      float32 // bm25 and near
	bm25, near float32
	part, row  uint32
}

var searches = sync.Pool{New: func() any { return new(search) }}

// end gives the search back. The pool keeps no index alive.
func (s *search) end() {
	s.view = nil
	clear(s.query)
	clear(s.terms[:cap(s.terms)])
	clear(s.lists[:cap(s.lists)])
	s.binder.reset(nil)
	for i := range s.cursors {
		s.cursors[i].Begin(postings.List{})
		s.cursors[i].common = nil
	}
	clear(s.asides[:cap(s.asides)])
	searches.Put(s)
}

// Search ranks the passages that hold any word of the question, of those the
// query allows. Words weigh by how rare they are in the whole index.
func (x *Index) Search(q Query) Result {
	if q.Limit <= 0 {
		q.Limit = 10
	}
	s := searches.Get().(*search)
	defer s.end()
	s.begin(x, &q)
	best := s.rank(x, &q)

	r := Result{Hits: make([]Hit, len(s.top)), Terms: make([]QueryTerm, s.said)}
	for i := range r.Terms {
		r.Terms[i] = s.queryTerm(i)
	}
	s.ids, s.idEnds = s.ids[:0], s.idEnds[:0]
	for i, c := range s.top {
		h := &r.Hits[i]
		s.view.describe(c, h)
		s.ids = s.view.appendID(s.ids, c)
		s.idEnds = append(s.idEnds, len(s.ids))
		h.Matched = s.matched(c)
		if i < len(s.lifted) { // above all that are not
			h.Asked = s.lifted[i].likeness
			h.Score = (1 + best) * (1 + h.Asked)
		}
	}
	ids, begin := string(s.ids), 0 // one string for all
	for i, end := range s.idEnds {
		r.Hits[i].DocumentID = ids[begin:end]
		begin = end
	}
	r.Signals = s.signals()
	return r
}

// begin reads the question and looks its words up.
func (s *search) begin(x *Index, q *Query) {
	s.view = x.view.Load()
	s.forget()
	s.nearby = s.nearby[:0]
	among := q.Languages
	if len(among) == 0 {
		among = s.view.languages
	}
	if len(among) == 0 {
		among = []string{x.options.Language}
	}
	s.query = analysis.Question(s.query[:0], q.Text, among)
	s.top, s.lifted = s.top[:0], s.lifted[:0]
	s.terms, s.lists = s.terms[:0], s.lists[:0]
	s.resolve(false)
	s.guess()
	s.said = len(s.terms)
	s.resolve(true)
	s.pair(q.Text)
	s.order = s.order[:0]
	for i := range s.said {
		s.order = append(s.order, i)
	}
	slices.SortStableFunc(s.order, func(a, b int) int { return cmp.Compare(s.terms[a].df, s.terms[b].df) })
}

// rank finds the hits, and returns the best score that no question lifted.
func (s *search) rank(x *Index, q *Query) (best float64) {
	s.run(q, max(q.Limit, pairDepth))
	s.bring(s.top)
	if len(s.top) > 0 {
		best = float64(s.top[0].score)
	}
	s.front = append(s.front[:0], s.top[:min(pairDepth, len(s.top))]...)
	if s.view.questions {
		s.lift(x, q)
	}
	s.top = s.top[:min(q.Limit, len(s.top))]
	return best
}

// resolve looks up the different words of the question, or its stop words.
func (s *search) resolve(stops bool) {
	begin := len(s.terms)
next:
	for _, t := range s.query {
		if t.Stop != stops {
			continue
		}
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
		s.look(term{Term: t, count: 1})
	}
	for i := begin; i < len(s.terms); i++ {
		s.view.weigh(&s.terms[i])
	}
}

// look looks a term up in all parts.
func (s *search) look(t term) {
	v := s.view
	for i := range v.parts {
		p := &v.parts[i]
		number, list := p.find([]byte(t.Text))
		t.df += p.df(number, &list)
		s.lists = append(s.lists, found{list, number, p.common(number, &list)})
	}
	s.terms = append(s.terms, t)
}

// list returns the postings of a term in a part.
func (s *search) list(term int, part uint32) *postings.List {
	return &s.found(term, part).List
}

// found returns what there is of a term in a part.
func (s *search) found(term int, part uint32) *found {
	return &s.lists[term*len(s.view.parts)+int(part)]
}

// A found is a term in a part.
type found struct {
	postings.List
	number uint32
	common *common // nil unless it is
}

// maxTerms is how many different words of a question are looked for. Questions
// have five, pasted letters a hundred.
const maxTerms = 256

// weigh sets what a term gives a passage that holds it again and again.
func (v *view) weigh(t *term) {
	w := idf(v.live, t.df) * (v.k1 + 1) * v.share(t.Content)
	if t.guess > 0 {
		w *= guessWeight
	}
	t.single = float32(w)
	t.weight = t.single * float32(t.count)
}

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
func (v *view) share(content bool) float64 {
	if content {
		return 1
	}
	return 0.7 * float64(v.live) / float64(v.live+1000)
}

// appendID appends the id of the document of a candidate.
func (v *view) appendID(dst []byte, c candidate) []byte {
	p := &v.parts[c.part]
	return p.ids.Append(dst, p.docs[c.row])
}

// describe fills in what is known of a candidate but the id of its document.
func (v *view) describe(c candidate, h *Hit) {
	p := &v.parts[c.part]
	d := p.docs[c.row]
	h.Version, h.Ordinal = int(p.versions.At(d)), int(p.ordinals.At(c.row))
	h.Score, h.BM25, h.Proximity = float64(c.score), float64(c.bm25), float64(c.near)
}

// matched tells which terms a row holds.
func (s *search) matched(c candidate) uint64 {
	for _, n := range s.nearby {
		if n.row == c.row && n.part == c.part {
			return n.terms
		}
	}
	s.read(c.part, c.row)
	return s.matches()
}

// matches tells which terms the row holds that was read last.
func (s *search) matches() (m uint64) {
	for i, places := range s.places[:min(s.said, 64)] {
		if len(places) > 0 {
			m |= 1 << i
		}
	}
	return m
}

// bm25 returns what the terms of the query give a row.
func (s *search) bm25(part, row uint32) (score float32) {
	length := s.view.parts[part].lengths[row]
	s.read(part, row)
	for _, i := range s.order {
		if tf := len(s.places[i]); tf > 0 {
			score += s.terms[i].weight * s.view.impact(uint32(tf), length)
		}
	}
	return score
}
