package extractive

import (
	"unicode"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/agent"
)

const (
	// adds is the share of the question's weight that a neighbour, or a part of the
	// question, must add to be quoted too.
	adds = 0.2

	// mostly is the share of a part of the question that answers the part.
	mostly = 0.5

	// line is how wide a quote is, in characters, that stands well alone: one
	// narrower takes in what follows it. Without full stops it takes three of them,
	// since what is parted there may be half of a sentence.
	line = 60
)

// cite cites a sentence with what belongs to it.
func (a *Answerer) cite(p *pick) []quote {
	if p.sentences[p.at].row {
		return a.citeRow(p)
	}
	from, to := a.around(p)
	return []quote{{Citation: agent.Cite(p.Passage, p.Start+p.sentences[from].start, p.Start+p.sentences[to].end)}}
}

// around returns which sentences are quoted for the one picked.
func (a *Answerer) around(p *pick) (from, to int) {
	s, at := p.sentences, p.at
	fits := func(from, to int) bool { return s[to].end-s[from].start <= a.opts.MaxBytes }
	if s[at].row {
		return at, at
	}
	if s[at].record {
		if first, last := p.record(); fits(first, last) {
			return first, last
		}
	}
	from, to = at, at
	for to+1 < len(s) && (s[to].leads || s[to].item && s[to+1].item) && !s[to+1].heading && fits(from, to+1) {
		to++
	}
	if s[at].item { // the list from where it is led up to
		if i := p.leadIn(); i >= 0 && fits(i, to) {
			from = i
		}
	}
	if from < to || s[at].item {
		return from, to
	}
	return a.sentences(p, fits)
}

// sentences returns the sentence picked and those of its neighbours that it takes
// to answer, as few as will do.
func (a *Answerer) sentences(p *pick, fits func(from, to int) bool) (from, to int) {
	from, to = p.at, p.at
	before := func() bool { return to-from+1 < a.opts.MaxSentences && p.follows(from) && fits(from-1, to) }
	after := func() bool { return to-from+1 < a.opts.MaxSentences && p.follows(to+1) && fits(from, to+1) }
	for before() && pointsBack(p.text(from)) {
		from--
	}
	held := func() (held set) {
		for i := from; i <= to; i++ {
			held |= p.both[i]
		}
		return held
	}
	if after() && p.share(p.own[to+1]&^held()) >= adds {
		to++
	}
	if before() && p.share(p.own[from-1]&^held()) >= adds {
		from--
	}
	if p.asked.wants.beside() && !p.met(p.Text[p.sentences[from].start:p.sentences[to].end]) {
		switch {
		case after() && p.met(p.text(to+1)):
			to++
		case before() && p.met(p.text(from-1)):
			from--
		}
	}
	wide := line
	if r, _ := utf8.DecodeLastRuneInString(p.text(p.at)); unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer) {
		wide *= 3
	}
	for after() && width(p.Text[p.sentences[from].start:p.sentences[to].end]) < wide {
		to++
	}
	return from, to
}

// width counts characters, those of Chinese, Japanese and Korean twice: they say
// about twice as much.
func width(s string) (n int) {
	for _, r := range s {
		n++
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			n++
		}
	}
	return n
}

// leadIn returns the sentence that leads up to the list the pick stands in, or -1.
func (p *pick) leadIn() int {
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

// other returns the sentence that answers a part of the question best, if what is
// quoted leaves it open; else nil.
func (a *Answerer) other(picks []*pick, quoted *pick, part int) *pick {
	open := quoted.parts[part]
	if quoted.share(open) < adds {
		return nil
	}
	from, to := a.around(quoted)
	held := set(0)
	for i := from; i <= to; i++ {
		held |= quoted.both[i]
	}
	if quoted.share(held&open) >= mostly*quoted.share(open) {
		return nil
	}
	var best *pick
	at, top := 0, 0.0
	for _, p := range picks {
		open := p.parts[part]
		for i := range p.sentences {
			if !p.says(i) || p.own[i]&open == 0 || p.sentences[i].question && !p.sentences[i].record || p.same(quoted) && from <= i && i <= to {
				continue
			}
			if got := p.share(p.both[i] & open); got >= mostly*p.share(open) && got > top {
				best, at, top = p, i, got
			}
		}
	}
	if best == nil {
		return nil
	}
	other := *best
	other.at = at
	return &other
}

// same reports whether two picks are of one passage.
func (p *pick) same(q *pick) bool {
	return p.DocumentID == q.DocumentID && p.Version == q.Version && p.Ordinal == q.Ordinal
}
