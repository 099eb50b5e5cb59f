package generative

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/llm"
)

// Options are what may be chosen about an answerer. The zero value suits most.
type Options struct {
	// Models are those that agents may choose by name, see [agent.Settings.Model],
	// besides the first one. An agent with the name of a model that is not there any more
	// gets the first one, and its replies have [ReasonUnknownModel].
	Models map[string]llm.Model

	// Fallback is asked when the model fails, usually [extractive.Answerer]; its
	// replies have [ReasonModelFailed]. With nil the error of the model ends the turn.
	//
	// [extractive.Answerer]: https://pkg.go.dev/github.com/answerdesk-go/answerdesk/agent/extractive#Answerer
	Fallback agent.Answerer

	// MaxTokens bounds an answer of the model; 0 means 1,024.
	MaxTokens int

	// ContextTokens bounds the messages before the question that a model is sent;
	// older ones are summed up. 0 means 8,000. Tokens are those of
	// [llm.EstimateTokens].
	ContextTokens int
}

// Reasons that a reply may have, beside those of the engine.
const (
	ReasonModelFailed  = "model_failed"  // the fallback wrote it
	ReasonUnknownModel = "unknown_model" // the model of the settings is not there: the first one wrote it
	ReasonUnsupported  = "unsupported"   // it is refused since nothing bears out what the model said
	ReasonUnclear      = "unclear"       // the model asks which of several things is meant
	ReasonAskedBack    = "asked_back"    // the model asks for what a tool needs, before it has read any data
)

// An Answerer writes with a model. It implements [agent.Answerer],
// [agent.Rewriter] and [agent.Chooser], and is safe for use by many goroutines.
type Answerer struct {
	model llm.Model
	opts  Options
}

var (
	_ agent.Answerer = (*Answerer)(nil)
	_ agent.Rewriter = (*Answerer)(nil)
	_ agent.Chooser  = (*Answerer)(nil)
)

// New returns an answerer that writes with a model. A nil opts means the defaults
// written on [Options].
func New(model llm.Model, opts *Options) *Answerer {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.MaxTokens <= 0 {
		o.MaxTokens = 1024
	}
	if o.ContextTokens <= 0 {
		o.ContextTokens = 8000
	}
	return &Answerer{model: model, opts: o}
}

// Models implements [agent.Chooser].
func (a *Answerer) Models() []string { return slices.Sorted(maps.Keys(a.opts.Models)) }

// Answer implements [agent.Answerer].
func (a *Answerer) Answer(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
	return func(yield func(agent.Part, error) bool) {
		t := a.newTurn(q, yield)
		err := t.run(ctx)
		switch {
		case t.out.left:
		case err == nil:
		case a.opts.Fallback == nil || ctx.Err() != nil || !isModelError(err):
			yield(agent.Part{}, err)
		default:
			t.fallBack(ctx, a.opts.Fallback)
		}
	}
}

// fallBack has another answerer write what the model could not.
func (t *turn) fallBack(ctx context.Context, other agent.Answerer) {
	t.out.reset()
	if !t.out.send(agent.Part{Reason: ReasonModelFailed}) {
		return
	}
	for part, err := range other.Answer(ctx, t.q) {
		if !t.out.yield(part, err) || err != nil {
			return
		}
	}
}

// choose returns the model that an agent writes with, and the reason that its replies
// have, if any.
func (a *Answerer) choose(name string) (m llm.Model, reason string) {
	if name == "" {
		return a.model, ""
	}
	if m := a.opts.Models[name]; m != nil {
		return m, ""
	}
	return a.model, ReasonUnknownModel
}
