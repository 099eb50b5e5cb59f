package agenttest

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"strings"

	"github.com/answerdesk-go/answerdesk/agent"
)

// A Step is what a [Script] does next: it returns a part of the reply, nothing if
// the part is empty, or the error that the answer ends with.
type Step func(ctx context.Context, q agent.Question) (agent.Part, error)

// Script returns an answerer that does the same steps at every turn, one after
// the other. A step that does something else is a function literal: it may
// record steps of the turn, delete the document that was just quoted, or panic.
func Script(steps ...Step) agent.Answerer { return script(steps) }

type script []Step

// Answer implements [agent.Answerer].
func (s script) Answer(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
	return func(yield func(agent.Part, error) bool) {
		for _, step := range s {
			part, err := step(ctx, q)
			if reflect.ValueOf(part).IsZero() && err == nil {
				continue
			}
			if !yield(part, err) || err != nil {
				return
			}
		}
	}
}

// Say writes text that nothing bears out.
func Say(text string) Step {
	return func(context.Context, agent.Question) (agent.Part, error) {
		return agent.Part{Text: text}, nil
	}
}

// Quote writes words that stand in one of the passages found, and cites them
// there. If none of the passages has them, it is an error.
func Quote(words string) Step {
	return func(_ context.Context, q agent.Question) (agent.Part, error) {
		for _, h := range q.Passages {
			if i := strings.Index(h.Text, words); i >= 0 {
				c := agent.Cite(h.Passage, h.Start+i, h.Start+i+len(words))
				return agent.Part{Text: words, Citation: &c}, nil
			}
		}
		return agent.Part{}, fmt.Errorf("script: %q stands in none of the %d passages found", words, len(q.Passages))
	}
}

// Fail ends the answer with an error.
func Fail(err error) Step {
	return func(context.Context, agent.Question) (agent.Part, error) { return agent.Part{}, err }
}

// Block waits until release is closed or gives a value, or ends the answer with
// ctx's error when the turn is cancelled.
func Block(release <-chan struct{}) Step {
	return func(ctx context.Context, _ agent.Question) (agent.Part, error) {
		select {
		case <-release:
			return agent.Part{}, nil
		case <-ctx.Done():
			return agent.Part{}, ctx.Err()
		}
	}
}
