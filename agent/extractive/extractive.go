package extractive

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// Options are what may be chosen about an answerer. The zero value suits most.
type Options struct {
	// MaxSentences is how many sentences of a passage a reply quotes, besides
	// a list they lead up to; 0 means 3.
	MaxSentences int

	// MaxBytes bounds a quote, but for a single sentence that is longer and the
	// answer of a pair; 0 means 1200.
	MaxBytes int
}

// An Answerer quotes. It implements [agent.Answerer].
type Answerer struct{ opts Options }

// New returns an answerer. A nil opts means the defaults written on [Options].
func New(opts *Options) *Answerer {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.MaxSentences <= 0 {
		o.MaxSentences = 3
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 1200
	}
	return &Answerer{opts: o}
}

const (
	looked = 5 // passages whose sentences are weighed

	// enough is the share of the question's weight that a sentence and its
	// headings must hold to be quoted at all.
	enough = 0.3

	// more is what a second passage must add to what the first one held.
	more = 0.25
)

// Answer implements [agent.Answerer].
func (a *Answerer) Answer(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
	return func(yield func(agent.Part, error) bool) {
		for i, quoted := range a.quotes(q) {
			if i > 0 && !yield(agent.Part{Text: cmp.Or(quoted.parted, "\n\n")}, nil) {
				return
			}
			if !yield(agent.Part{Text: quoted.Quote, Citation: &quoted.Citation}, nil) {
				return
			}
		}
	}
}

// A quote is what a reply consists of.
type quote struct {
	agent.Citation
	parted string // how from the quote before it; a blank line if empty
}

// quotes returns what a reply consists of.
func (a *Answerer) quotes(q agent.Question) []quote {
	passages := q.Passages[:min(looked, len(q.Passages))]
	if len(passages) == 0 {
		return nil
	}
	if p := passages[0].Passage; p.Kind == knowledge.KindQA {
		return []quote{{Citation: agent.Cite(p, p.Start, p.End)}}
	}
	terms := q.Terms
	if len(terms) == 0 { // of a retriever of another make
		terms = knowledge.QueryTerms(q.Query)
	}
	w := newWeigher(terms)
	best, at := pick{}, -1
	picks := make([]pick, len(passages))
	for i, h := range passages {
		rank := 1.0
		if top := passages[0].Score; top > 0 {
			rank = h.Score / top
		}
		picks[i] = w.best(h, rank)
		if at < 0 || picks[i].score > best.score {
			best, at = picks[i], i
		}
	}
	if best.held.share(w) < enough {
		return nil
	}
	quotes := a.cite(best)
	for i, p := range picks {
		if i == at || p.DocumentID == best.DocumentID && p.Version == best.Version && p.Ordinal == best.Ordinal {
			continue
		}
		if p.held.and(best.held).share(w)-best.held.share(w) >= more {
			quotes = append(quotes, a.cite(p)...)
			break
		}
	}
	return quotes
}

// cite widens the sentence picked to what belongs to it, and cites that.
func (a *Answerer) cite(p pick) []quote {
	if p.sentences[p.at].row {
		return a.citeRow(p)
	}
	from, to := p.sentences[p.at].start, p.sentences[p.at].end
	if p.sentences[p.at].record {
		first, last := p.record()
		if start, end := p.sentences[first].start, p.sentences[last].end; end-start <= a.opts.MaxBytes {
			return []quote{{Citation: agent.Cite(p.Passage, p.Start+start, p.Start+end)}}
		}
	}
	for n, i := 1, p.at+1; i < len(p.sentences); i, n = i+1, n+1 {
		next := p.sentences[i]
		if next.end-from > a.opts.MaxBytes || next.heading {
			break
		}
		before := p.sentences[i-1]
		belongs := before.leads || next.item && before.item
		if !belongs && (n >= a.opts.MaxSentences || next.paragraph) {
			break
		}
		to = next.end
	}
	if p.sentences[p.at].item { // the list from where it is led up to
		if i := p.leadIn(); i >= 0 && to-p.sentences[i].start <= a.opts.MaxBytes {
			from = p.sentences[i].start
		}
	}
	return []quote{{Citation: agent.Cite(p.Passage, p.Start+from, p.Start+to)}}
}

// A set is a set of the question's terms.
type set []bool

// and returns the terms of both sets.
func (s set) and(t set) set {
	out := slices.Clone(s)
	for i, in := range t {
		out[i] = out[i] || in
	}
	return out
}

// share returns the share of the question's weight that a set holds.
func (s set) share(w *weigher) float64 {
	held := 0.0
	for i, in := range s {
		if in {
			held += w.terms[i].Weight
		}
	}
	return held / w.all
}
