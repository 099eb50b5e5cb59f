package extractive

import (
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// What counts when sentences are weighed: shares of what the question weighs, and
// what is added to them. They are round numbers, chosen by hand on texts of our own;
// between half and twice of each the answers hardly change.
const (
	byHeading  = 0.5  // of the words that only the title or a heading holds
	byBefore   = 0.2  // of those that only the sentence before it holds
	byPointed  = 0.4  // the same, if the sentence opens with a word that points back
	byRank     = 0.3  // of the passage, by its score
	byOpening  = 0.05 // if it is the first of the passage
	asExpected = 0.1  // if it holds what such a question asks for, as "when" does a time
	asQuestion = -0.3 // if it asks rather than answers
	tooShort   = -0.2 // if it says next to nothing
)

// shortest is how many bytes a sentence has that says something.
const shortest = 25

// A pick is the best sentence of a passage.
type pick struct {
	knowledge.Passage
	*reading
	asked     *question
	sentences []span
	own       []set // of each sentence: the terms it holds
	both      []set // and those that what stands above it holds; none of what is not quoted alone
	at        int
	score     float64
}

// newPick picks the sentence of a passage that answers best. rank is the passage's
// score as a share of the best one's.
func newPick(q *question, h knowledge.Hit, rank float64) *pick {
	p := &pick{Passage: h.Passage, reading: q.in(h.Language), asked: q, sentences: spans(h.Passage), at: -1}
	if len(p.sentences) == 0 {
		p.sentences = []span{{end: len(h.Text), heading: true}}
	}
	n := len(p.sentences)
	sets := make([]set, 2*n)
	p.own, p.both = sets[:n:n], sets[n:]
	for i := range p.sentences {
		p.own[i] = p.held(p.text(i))
	}
	above := p.held(strings.Join(append([]string{h.Title}, h.Heading...), "\n"))
	for i, s := range p.sentences {
		if !p.says(i) {
			continue
		}
		over := above
		if s.head > 0 {
			over |= p.own[s.head-1]
		}
		p.both[i] = p.own[i] | over
		if score := p.weigh(i) + byRank*rank; p.at < 0 || score > p.score {
			p.at, p.score = i, score
		}
	}
	p.at = max(p.at, 0) // nothing but headings
	return p
}

// text returns the text of a sentence.
func (p *pick) text(i int) string { return p.Text[p.sentences[i].start:p.sentences[i].end] }

// says reports whether a sentence says something by itself: headings do not.
func (p *pick) says(i int) bool { return !p.sentences[i].heading && !p.sentences[i].header(i) }

// follows reports whether a sentence goes on from the one before it: both are prose
// of one paragraph.
func (p *pick) follows(i int) bool {
	return i > 0 && i < len(p.sentences) && !p.sentences[i].paragraph && p.says(i) && p.says(i-1) && !p.sentences[i].row && !p.sentences[i-1].row
}

// weigh returns how well a sentence answers.
func (p *pick) weigh(i int) float64 {
	s, own, both := p.sentences[i], p.own[i], p.both[i]
	score := p.share(own) + byHeading*p.share(both&^own)
	if i == 0 || i == 1 && !p.says(0) {
		score += byOpening
	}
	if p.follows(i) && p.own[i-1]&^both != 0 {
		by := byBefore
		if pointsBack(p.text(i)) {
			by = byPointed
		}
		score += by * p.share(p.own[i-1]&^both)
	}
	if own != 0 && p.met(p.text(i)) {
		score += asExpected
	}
	if s.record || s.row {
		return score
	}
	if s.question {
		score += asQuestion
	}
	if s.end-s.start < shortest {
		score += tooShort
	}
	return score
}
