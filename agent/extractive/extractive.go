package extractive

import (
	"cmp"
	"context"
	"iter"
	"math/bits"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/internal/plain"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// Options are what may be chosen about an answerer. The zero value suits most.
type Options struct {
	// MaxSentences is how many sentences a quote has at most, besides a list they
	// lead up to; 0 means 3.
	MaxSentences int

	// MaxBytes bounds a quote, but for a single sentence that is longer and the
	// answer of a pair; 0 means 1200.
	MaxBytes int
}

// An Answerer quotes. It implements [agent.Answerer] and
// [agent.Chooser].
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

var (
	_ agent.Answerer = (*Answerer)(nil)
	_ agent.Chooser  = (*Answerer)(nil)
)

// Models implements [agent.Chooser]: there are none.
func (a *Answerer) Models() []string { return nil }

// Answer implements [agent.Answerer].
func (a *Answerer) Answer(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
	return func(yield func(agent.Part, error) bool) {
		said := false
		for _, quoted := range a.quotes(q) {
			text, parted := plain.Text(quoted.Quote, q.Message.ReplyFormat), cmp.Or(quoted.parted, "\n\n")
			if text == "" {
				continue // nothing but marks
			}
			if q.Message.ReplyFormat == agent.FormatSpeech {
				parted = " "
			}
			if said && !yield(agent.Part{Text: parted}, nil) {
				return
			}
			said = true
			if !yield(agent.Part{Text: text, Citation: &quoted.Citation}, nil) {
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

const (
	looked = 5 // passages whose sentences are weighed

	// near is the share of the best passage's score that others have if they are
	// looked at for a question that asks one thing.
	near = 0.5

	// enough is the share of the question's weight that a sentence and its
	// headings must hold to be quoted at all.
	enough = 0.3
)

// quotes returns what a reply consists of.
func (a *Answerer) quotes(q agent.Question) []quote {
	passages := q.Passages[:min(looked, len(q.Passages))]
	if len(passages) == 0 {
		return nil
	}
	if p := passages[0].Passage; p.Kind == knowledge.KindQA {
		return []quote{{Citation: agent.Cite(p, p.Start, p.End)}}
	}
	asked, top := newQuestion(q), passages[0].Score
	var picks []*pick
	var best *pick
	for i, h := range passages {
		rank := 1.0
		if top > 0 {
			rank = h.Score / top
		}
		if i > 0 && rank < near && len(asked.parts) == 1 {
			break
		}
		p := newPick(asked, h, rank)
		if picks = append(picks, p); best == nil || p.score > best.score {
			best = p
		}
	}
	if best.share(best.both[best.at]) < enough {
		return nil
	}
	for i := range best.parts {
		if other := a.other(picks, best, i); other != nil {
			return inOrder(best, other, a.cite(best), a.cite(other))
		}
	}
	return a.cite(best)
}

// inOrder joins what two picks quote: in one document as it stands there, and of two
// as the question asks for it.
func inOrder(a, b *pick, as, bs []quote) []quote {
	swap := bits.TrailingZeros64(uint64(b.both[b.at]&^a.both[a.at])) < bits.TrailingZeros64(uint64(a.both[a.at]&^b.both[b.at]))
	if a.DocumentID == b.DocumentID && a.Version == b.Version {
		swap = bs[0].Start < as[0].Start
	}
	if swap {
		as, bs = bs, as
	}
	return append(as, bs...)
}
