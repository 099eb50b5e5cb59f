package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// reasonContext and reasonFiles are among the reasons where the reply stands on what
// came with the message, of which the score and the threshold say as little.
const (
	reasonContext = "message_context"
	reasonFiles   = "message_files"
)

// reasonTools is among the reasons of the confidence of a reply that stands on what
// tools have returned. The score is then what it always is, how likely the passages
// answer the question: how often such replies are right nobody has measured, and the
// threshold does not hold for them.
const reasonTools = "tool_results"

// fromKnowledge is the innermost [TurnFunc]: it finds passages and, if they are
// likely to answer or a tool may, has the Answerer write a reply.
func (e *Engine) fromKnowledge(ctx context.Context, x *Exchange) (Reply, error) {
	r := x.turn
	if r.outcomeUnknown.Load() {
		r.note.Decision = decidedOutcome
		return r.handOff(), nil
	}
	q, err := r.question(ctx, x)
	if err != nil {
		return Reply{}, err
	}
	begun := time.Now()
	found, err := r.search(ctx, x, q)
	if err != nil {
		return Reply{}, err
	}
	r.note.Revision = found.Revision
	r.note.Confidence, r.note.Reasons, r.note.Retrieval = found.Confidence, found.Reasons, time.Since(begun)
	r.note.Candidates, r.fitted = candidates(found.Hits, nil), found.Calibrated
	failpoint.At("turn.retrieved")

	q.Passages, q.Terms = found.Hits, found.Terms
	refused := ""
	switch {
	case len(found.Hits) == 0:
		refused = decidedNothingFound
	case found.Confidence < x.Agent.threshold():
		refused = decidedLowConfidence
	}
	if refused != "" {
		q.Passages = nil
		if len(q.Tools) == 0 && !carriesMore(q) {
			r.note.Decision = refused
			return r.refuse(), nil
		}
	} else if reply, asks := r.clarify(q.Query, found); asks {
		r.note.Decision = decidedClarify
		r.tell(Event{Type: TextDelta, Delta: reply.Text})
		reply.Confidence = r.confidence()
		return reply, nil
	}
	begun = time.Now()
	reply, err := r.write(ctx, q, refused != "")
	r.note.Answering = time.Since(begun)
	return r.decide(ctx, reply, err, refused, found)
}

// search finds what there is for a query, with words of the context and of files if they
// help: a question that is answered without them never fails for them, and one that says
// what it is about is searched for alone first. It puts on record what was searched for.
func (r *running) search(ctx context.Context, x *Exchange, q Question) (knowledge.Results, error) {
	text, other := searchText(q.Query, x.Agent.Languages, q.Message.Context, q.Files), q.Query
	if text != other && !leans(q.Query, x.Agent.Languages) { // it says what it is about, if in few words
		text, other = other, text
	}
	found, err := r.find(ctx, x, text)
	if err == nil && text != other && (len(found.Hits) == 0 || found.Confidence < x.Agent.threshold()) {
		var also knowledge.Results
		if also, err = r.find(ctx, x, other); len(also.Hits) > 0 && (len(found.Hits) == 0 || also.Confidence > found.Confidence) {
			found, text = also, other
		}
	}
	r.note.Query, r.note.Rewritten = text, text != x.Message.Text
	return found, err
}

func (r *running) find(ctx context.Context, x *Exchange, text string) (knowledge.Results, error) {
	found, err := r.engine.retriever.Retrieve(ctx, x.Company, knowledge.Query{
		Text: text, AgentID: x.Agent.ID, Languages: x.Agent.Languages, Filter: x.Agent.KnowledgeFilter,
		Limit: considered, MinRevision: x.Message.MinRevision,
	})
	if err != nil {
		err = fmt.Errorf("search: %w", err)
	}
	return found, err
}

// decide says what becomes of what the Answerer wrote.
func (r *running) decide(ctx context.Context, reply Reply, err error, refused string, found knowledge.Results) (Reply, error) {
	_, _, over := r.account.state()
	switch cause := context.Cause(ctx); {
	case cause != nil && err != nil:
		return Reply{}, fmt.Errorf("answer: %w", err)
	case r.outcomeUnknown.Load():
		r.note.Decision = decidedOutcome
		return r.handOff(), nil
	case over, errors.Is(err, ErrBudget):
		r.note.Decision = decidedBudget
		return r.refuse(), nil
	case err != nil:
		return Reply{}, fmt.Errorf("answer: %w", err)
	}
	onTools, onContext, onFiles := r.completedCalls(), r.standsOn(OnContext), r.standsOn(OnFiles)
	switch {
	case reply.Outcome == Handoff:
		r.note.Decision = decidedHandoff
		if strings.TrimSpace(reply.Text) == "" {
			reply.Text = r.agent.handoff()
		}
	case reply.Outcome == Clarify && strings.TrimSpace(reply.Text) != "":
		r.note.Decision = decidedClarify
	case reply.Outcome == Refuse:
		r.note.Decision = decidedNoAnswer
		if strings.TrimSpace(reply.Text) == "" {
			reply.Text = r.agent.fallback()
		}
	case refused != "" && !onTools && !onContext && !onFiles:
		r.note.Decision = refused
		return r.refuse(), nil
	case strings.TrimSpace(reply.Text) == "":
		r.note.Decision = decidedNoAnswer
		return r.refuse(), nil
	case onTools && (refused != "" || len(reply.Citations) == 0):
		r.note.Decision = decidedTools
	case (onContext || onFiles) && (refused != "" || len(reply.Citations) == 0):
		r.note.Decision = decidedMessage
	default:
		r.note.Decision = decidedAnswer
	}
	r.note.Candidates = candidates(found.Hits, reply.Citations)
	for _, on := range []struct {
		it     bool
		reason string
	}{{onTools, reasonTools}, {onContext, reasonContext}, {onFiles, reasonFiles}} {
		if on.it && reply.Outcome == Answer {
			r.note.Reasons = append(slices.Clip(r.note.Reasons), on.reason)
		}
	}
	reply.Confidence = r.confidence()
	if reply.Outcome != Answer && reply.Reason == "" {
		reply.Reason = r.note.Decision
	}
	return reply, nil
}

// standsOn reports whether a sentence of the reply is borne out by something.
func (r *running) standsOn(by Basis) bool {
	return slices.ContainsFunc(r.note.Sentences, func(s Support) bool { return s.By == by && !s.LeftOut })
}

// carriesMore reports whether what came with a message may answer it though nothing that
// the agent knows does: a file with text, or a context that speaks of what is asked.
func carriesMore(q Question) bool {
	for _, f := range q.Files {
		if strings.TrimSpace(f.Text) != "" {
			return true
		}
	}
	if len(q.Message.Context) == 0 {
		return false
	}
	words := map[string]bool{}
	for _, text := range namesOf(q.Message.Context) {
		for _, t := range knowledge.QueryTerms(text, q.Language) {
			words[t.Text] = t.Weight > 0
		}
	}
	return slices.ContainsFunc(knowledge.QueryTerms(q.Query, q.Language), func(t knowledge.QueryTerm) bool { return t.Weight > 0 && words[t.Text] })
}

// question is what the Answerer is asked, but for the passages.
func (r *running) question(ctx context.Context, x *Exchange) (Question, error) {
	box, err := r.tools()
	if err != nil {
		return Question{}, err
	}
	q := Question{
		Company: x.Company, Agent: x.Agent, Message: x.Message, History: x.History, Tools: box.tools, Called: r.toolCalls(),
		Steps: ownSteps(r.turn.Steps), Record: r.record,
		Call:  func(ctx context.Context, asked []Asked) ([]ToolCall, error) { return r.call(ctx, asked) },
		Spend: func(c ModelCall) error { return r.account.spend(c, r.clock.spent()) },
		Left:  func() time.Duration { return r.account.time(r.clock.spent(), r.clock.most) },
	}
	if tag, sure := knowledge.DetectLanguage(x.Message.Text, x.Agent.Languages); sure {
		q.Language = tag
	}
	if q.Files, err = r.engine.attachments(ctx, x.Company, x.Message.Attachments); err != nil {
		return Question{}, err
	}
	text, rewritten, err := r.rewritten(ctx, q)
	if err != nil {
		return Question{}, err
	}
	r.note.Query, r.note.Rewritten = text, rewritten // unless the context joins it
	q.Query = text
	return q, nil
}

// maxRewritten bounds a message that an Answerer has made to stand on its own.
const maxRewritten = 1_000

// rewritten makes the message stand on its own, by the Answerer if it can.
func (r *running) rewritten(ctx context.Context, q Question) (query string, rewritten bool, err error) {
	if rw, ok := r.engine.answerer.(Rewriter); ok && r.turn.Number > 1 {
		text, err := rw.Rewrite(ctx, q)
		if err := context.Cause(ctx); err != nil {
			return "", false, err
		}
		text = strings.TrimSpace(text)
		if err == nil && len(text) <= maxRewritten && checkText("query", text, 0, maxRewritten) == nil {
			if text == "" || text == q.Message.Text {
				return q.Message.Text, false, nil
			}
			return text, true, nil
		}
	}
	return r.standalone(ctx, q.Message.Text)
}

// refuse is the reply that says that the agent does not know.
func (r *running) refuse() Reply {
	text := r.agent.fallback()
	r.tell(Event{Type: TextDelta, Delta: text})
	return Reply{Text: text, Outcome: Refuse, Reason: r.note.Decision, Confidence: r.confidence()}
}

// handOff is the reply that says that a person will take over.
func (r *running) handOff() Reply {
	text := r.agent.handoff()
	r.tell(Event{Type: TextDelta, Delta: text})
	return Reply{Text: text, Outcome: Handoff, Reason: r.note.Decision, Confidence: r.confidence()}
}

func (r *running) confidence() Confidence {
	return Confidence{Score: r.note.Confidence, Threshold: r.agent.threshold(), Calibrated: r.fitted, Reasons: r.note.Reasons}
}
