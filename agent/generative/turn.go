package generative

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/generative/internal/evidence"
	"github.com/answerdesk-go/answerdesk/llm"
)

// A turn is one reply that is being written, in two stages. First, if the agent has
// tools, the model calls them: it sees the customer's own words, and what tools
// returned, and no other data. Then it writes the reply from all the data there is, and
// calls nothing. So no text that somebody put into a document or a file can have a tool
// called.
type turn struct {
	a      *Answerer
	q      agent.Question
	out    writer
	model  llm.Model
	why    string        // the reason that the reply has, if any
	last   bool          // one more answer of the model is paid for, without tools
	rounds []llm.Message // the calls that were made, with their results
	heard  bool          // one of them came to more than being refused for what it was itself

	confided  []string // the words of the instructions, once they are read
	own, open wording  // those, and what customers may hear of in any case
}

// maxRounds bounds the answers of a model in a turn, whatever the budget is.
const maxRounds = 64

func (a *Answerer) newTurn(q agent.Question, yield func(agent.Part, error) bool) *turn {
	t := &turn{a: a, q: q}
	t.out = writer{yield: yield, q: &t.q}
	t.model, t.why = a.choose(q.Agent.Model)
	return t
}

// A modelError is one of the model's, not of the engine's.
type modelError struct{ error }

func (e modelError) Unwrap() error { return e.error }

func isModelError(err error) bool {
	_, ok := errors.AsType[modelError](err)
	return ok
}

// run writes the reply.
func (t *turn) run(ctx context.Context) error {
	t.rounds = called(t.q.Called)
	t.learn(t.q.Called)
	if len(t.q.Tools) > 0 {
		if done, err := t.useTools(ctx); done || err != nil {
			return err
		}
	}
	t.out.clean = false // from here on it reads data
	before, err := t.conversation(ctx)
	if err != nil {
		return err
	}
	req := t.a.request(t.q, before, question(t.q))
	req.Messages = append(req.Messages, t.rounds...)
	if len(req.Tools) > 0 {
		req.ToolChoice = llm.ToolNone
	}
	if t.q.Message.ReplySchema != nil {
		return t.fill(ctx, req)
	}
	if _, _, err := t.listen(ctx, req, "answer", t.write); err != nil || t.out.left {
		return err
	}
	t.out.finish(t.why)
	return nil
}

// useTools is the first stage. Done says that the reply is written: the model asks for
// something that it needs for a call, or there is no data but what tools returned.
func (t *turn) useTools(ctx context.Context) (done bool, err error) {
	before, err := t.words(ctx)
	if err != nil {
		return false, err
	}
	var write func(unit)
	if len(t.q.Passages) == 0 && len(t.q.Files) == 0 && len(t.q.Message.Context) == 0 && t.q.Message.ReplySchema == nil {
		write = t.write
	}
	req := t.a.request(t.q, before, task(t.q, write != nil))
	req.Messages = append(req.Messages, t.rounds...)
	for range maxRounds {
		t.out.clean = !t.heard
		text, calls, err := t.listen(ctx, req, "answer", write)
		switch {
		case err != nil || t.out.left:
			return false, err
		case len(calls) > 0:
		case write != nil:
			t.out.finish(t.why)
			return true, nil
		case strings.HasPrefix(strings.TrimSpace(text), markClarify) && t.out.clean:
			t.tell(text)
			return true, nil
		default:
			return false, nil
		}
		t.out.reset() // what it said before the calls is no answer yet
		made, err := t.call(ctx, calls)
		if err != nil {
			return false, err
		}
		round := []llm.Message{{Role: llm.Assistant, Text: text, ToolCalls: calls}, results(calls, made)}
		t.rounds = append(t.rounds, round...)
		req.Messages = append(slices.Clip(req.Messages), round...)
		if t.last {
			return false, nil
		}
	}
	return false, modelError{fmt.Errorf("the model still calls tools after %d answers", maxRounds)}
}

// tell writes a text that is there whole.
func (t *turn) tell(text string) {
	var s splitter
	for _, u := range append(s.add(text), s.rest()...) {
		t.write(u)
	}
	t.out.finish(t.why)
}

// call makes the calls of one answer. When the budget has none left they are not made,
// and the next answer is the last.
func (t *turn) call(ctx context.Context, calls []llm.ToolCall) (made []agent.ToolCall, err error) {
	if t.last || t.q.Call == nil {
		t.last = true
		return nil, nil
	}
	asked := make([]agent.Asked, len(calls))
	for i, c := range calls {
		asked[i] = agent.Asked{Name: c.Name, Arguments: c.Arguments, ModelID: c.ID, Signature: c.Signature, Informed: t.heard}
	}
	made, err = t.q.Call(ctx, asked)
	if errors.Is(err, agent.ErrBudget) {
		t.last, err = true, nil
	}
	t.learn(made)
	return made, err
}

// learn takes what calls returned as something that sentences may stand on.
func (t *turn) learn(calls []agent.ToolCall) {
	for _, c := range calls {
		t.heard = t.heard || !c.Refused
		if c.State != agent.CallCompleted {
			continue
		}
		about := []string{strings.ReplaceAll(c.Name, "_", " "), flat(c.Arguments)}
		if i := slices.IndexFunc(t.q.Tools, func(tool agent.Tool) bool { return tool.Name == c.Name }); i >= 0 {
			about = append(about, t.q.Tools[i].Description)
		}
		text, v := flattened(c.Result)
		t.out.data = append(t.out.data, given{Source: evidence.NewSource(text, t.q.Language, about...), by: agent.OnTools, id: c.ID, flags: flagsOf(v)})
	}
}

// listen has the model answer once, and passes the units of what it says on as they
// come. It puts the call on record.
func (t *turn) listen(ctx context.Context, req llm.Request, purpose string, write func(unit)) (text string, calls []llm.ToolCall, err error) {
	var s splitter
	var whole strings.Builder
	pass := func(units []unit) {
		for _, u := range units {
			if len(calls) == 0 && !t.out.left {
				write(u)
			}
		}
	}
	var done *llm.Done
	begun := time.Now()
	call := agent.ModelCall{Purpose: purpose}
	bounded := ctx
	if t.q.Left != nil { // a model that is too slow has failed, and the turn goes on
		var stop context.CancelFunc
		bounded, stop = context.WithTimeout(ctx, t.q.Left())
		defer stop()
	}
	for ev, failed := range llm.Fallback(t.model).Generate(bounded, req) { // which counts what an answer took that failed
		if call.First == 0 {
			call.First = time.Since(begun)
		}
		if failed != nil {
			err = failed
			break
		}
		switch ev := ev.(type) {
		case llm.TextDelta:
			if whole.WriteString(ev.Text); whole.Len() > agent.MaxReply {
				err = &llm.Error{Provider: "model", Kind: llm.Malformed, Detail: "the answer is too long"}
			} else if write != nil {
				pass(s.add(ev.Text))
			}
		case llm.ToolCall:
			if req.ToolChoice != llm.ToolNone {
				calls = append(calls, ev)
			}
		case llm.Reset:
			whole.Reset()
			s, calls = splitter{}, nil
			if write != nil {
				t.out.reset()
			}
		case llm.Done:
			done = &ev
		}
		if err != nil || t.out.left {
			break
		}
	}
	call.Duration = time.Since(begun)
	switch {
	case t.out.left:
		return "", nil, nil
	case err == nil && done == nil:
		err = llm.ErrIncomplete
	case err == nil && done.Reason == llm.FinishFiltered:
		err = &llm.Error{Provider: cmp.Or(done.Model, "model"), Kind: llm.BadRequest, Code: string(done.Reason)}
	}
	if err == nil && len(calls) == 0 && write != nil {
		rest := s.rest()
		if n := len(rest); done.Reason == llm.FinishLength && n > 0 && !isWhole(rest[n-1].text) {
			rest = rest[:n-1] // it was cut off
		}
		pass(rest)
	}
	if spent := t.spend(call, done, err); spent != nil {
		return "", nil, spent
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return "", nil, cause
		}
		return "", nil, modelError{fmt.Errorf("model: %w", err)}
	}
	return whole.String(), calls, nil
}

// isWhole reports whether a unit ends as a sentence does.
func isWhole(text string) bool {
	clean := strings.TrimRight(unmarked(text), "*_\"')”’」 ")
	return clean != "" && endsIn(clean, ".!?。！？؟।")
}

func endsIn(text, ends string) bool {
	for _, r := range ends {
		if strings.HasSuffix(text, string(r)) {
			return true
		}
	}
	return false
}

// spend puts a call of the model on record. When the budget is used up, the next
// answer is the last.
func (t *turn) spend(call agent.ModelCall, done *llm.Done, failed error) error {
	if done != nil {
		call.Model, call.Finish = done.Model, string(done.Reason)
		call.Failed, call.Usage = done.Usage.Failed, usage(done.Usage, done.Model)
	}
	if failed != nil {
		if done == nil {
			u := llm.Taken(failed)
			call.Failed, call.Usage = u.Failed, usage(u, "")
		}
		call.Error = "failed"
		if e, ok := errors.AsType[*llm.Error](failed); ok {
			call.Error = string(e.Kind)
		} else if errors.Is(failed, llm.ErrIncomplete) {
			call.Error = "incomplete"
		}
	}
	if t.q.Spend == nil {
		return nil
	}
	err := t.q.Spend(call)
	if errors.Is(err, agent.ErrBudget) {
		t.last = true
		return nil
	}
	return err
}

// usage is what one answer of a model took.
func usage(u llm.Usage, model string) agent.Usage {
	return agent.Usage{
		Model: model, ModelCalls: 1, InputTokens: u.Input, CachedTokens: u.Cached, OutputTokens: u.Output, Cost: u.Cost, Estimated: u.Estimated,
	}
}
