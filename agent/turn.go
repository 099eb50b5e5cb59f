package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

const (
	maxAttempts = 3  // to write a reply whose sources keep changing
	considered  = 10 // passages given to the Answerer
	remembered  = 50 // earlier messages that a turn looks at
)

// answer writes the reply and stores it. When a document it cites is changed or
// deleted meanwhile, it begins again from what there is now.
func (r *running) answer(ctx context.Context) (Reply, error) {
	for attempt := 1; ; attempt++ {
		r.note = Explanation{Attempts: attempt, Settings: r.agent.Version, Missing: r.engine.missing(r.agent.Settings), Threshold: r.agent.threshold(), Decision: decidedMiddleware, Recovered: r.turn.Taken > 0}
		r.forget() // it may hold what was deleted meanwhile
		reply, err := r.draft(ctx, &Exchange{Company: r.company, Agent: r.agent, Message: r.turn.Message, turn: r})
		if err == nil && errors.Is(context.Cause(ctx), errReleased) {
			err = errReleased
		}
		if err != nil {
			return Reply{}, err
		}
		failpoint.At("turn.answered")
		err = r.end(ctx, &reply)
		failpoint.At("turn.ended")
		if err == nil || !errors.Is(err, ErrCitation) {
			return reply, err
		}
		r.tell(Event{Type: MessageReplaced})
		if attempt == maxAttempts {
			r.note.Decision = decidedGone
			reply = r.refuse()
			return reply, r.end(ctx, &reply)
		}
	}
}

// history reads the messages before the turn, once.
func (r *running) history(ctx context.Context) ([]Message, error) {
	r.historyMu.Lock()
	defer r.historyMu.Unlock()
	if r.turn.Number == 1 || r.earlier != nil {
		return r.earlier, nil
	}
	page, err := r.engine.store.Messages(ctx, r.company, MessageFilter{ConversationID: r.turn.ConversationID}, store.Page{Limit: remembered + 1})
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	for _, m := range slices.Backward(page.Data) {
		if m.ID != r.turn.Message.ID {
			r.earlier = append(r.earlier, m)
		}
	}
	return r.earlier, nil
}

// forget lets the history be read again.
func (r *running) forget() {
	r.historyMu.Lock()
	defer r.historyMu.Unlock()
	r.earlier = nil
}

// draft runs the middleware and what it wraps. A panic there fails the turn and
// nothing else.
func (r *running) draft(ctx context.Context, x *Exchange) (reply Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			// Its value might hold a customer's words.
			r.engine.opts.Logger.ErrorContext(ctx, "panic while answering", "company", r.company, "reply", r.turn.ReplyID,
				"panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = errors.New("panic while answering")
		}
	}()
	before := r.told()
	reply, err = r.engine.answer(ctx, x)
	if err != nil {
		return reply, err
	}
	if err := checkReply(&reply); err != nil {
		return Reply{}, err
	}
	reply.Confidence.Threshold = r.agent.threshold()
	if streamed := r.textSince(before); streamed != reply.Text {
		r.tell(Event{Type: MessageReplaced, Delta: reply.Text})
	}
	return reply, nil
}

// checkReply makes what was written fit to be stored, or says why it is not.
func checkReply(reply *Reply) error {
	switch {
	case len(reply.Text) > MaxReply:
		return fmt.Errorf("the reply is longer than %d bytes", MaxReply)
	case !utf8.ValidString(reply.Text) || strings.ContainsRune(reply.Text, 0):
		return errors.New("the reply is not valid UTF-8 text")
	case reply.Outcome == "":
		reply.Outcome = Answer
	}
	reply.Citations = slices.Clone(reply.Citations)
	for i := range reply.Citations {
		c := &reply.Citations[i]
		if !utf8.ValidString(c.Quote) {
			return fmt.Errorf("citation %d: the quote from %d to %d of document %s cuts a character in two", i, c.Start, c.End, c.DocumentID)
		}
		if !isClaim(reply.Text, c.ClaimStart, c.ClaimEnd) {
			c.ClaimStart, c.ClaimEnd = 0, len(reply.Text)
		}
	}
	slices.SortStableFunc(reply.Citations, func(a, b Citation) int { return a.ClaimStart - b.ClaimStart })
	return checkExtras(reply)
}

// isClaim reports whether a range holds some of the text, in whole characters.
func isClaim(text string, start, end int) bool {
	return 0 <= start && start < end && end <= len(text) &&
		utf8.RuneStart(text[start]) && (end == len(text) || utf8.RuneStart(text[end]))
}

// told is how many events there are.
func (r *running) told() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.events)
}

// textSince puts the text together that was streamed after n events.
func (r *running) textSince(n int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, ev := range r.events[n:] {
		b.WriteString(ev.Delta)
	}
	return b.String()
}

// end fills in the rest of a reply and puts it on record.
func (r *running) end(ctx context.Context, reply *Reply) error {
	reply.ID, reply.ConversationID, reply.AgentID = r.turn.ReplyID, r.turn.ConversationID, r.agent.ID
	if err := r.settle(ctx); err != nil {
		return err
	}
	reply.CreatedAt = stamp()
	var models []ModelCall
	models, reply.Usage, _ = r.account.state()
	if reply.ToolCalls = r.toolCalls(); len(reply.ToolCalls) == 0 {
		reply.ToolCalls = nil
	}
	told := event.MessageFailed
	var explanation []byte
	if reply.Failure == "" {
		told = event.MessageSent
		reply.Language, reply.KnowledgeRevision = r.agent.language(r.turn.Message.Text), r.note.Revision
		if reply.Citations == nil {
			reply.Citations = []Citation{}
		}
		if reply.Confidence.Reasons == nil {
			reply.Confidence.Reasons = []string{}
		}
		if reply.Reason != r.note.Decision {
			r.note.Reason = reply.Reason
		}
		r.note.Steps, r.note.ModelCalls, r.note.ToolCalls = int(r.steps.Load()), models, r.callNotes()
		var err error
		if explanation, err = json.Marshal(r.note); err != nil {
			return fmt.Errorf("explanation of %s: %w", reply.ID, err)
		}
	}
	ending := event.Event{
		ID: id.New(id.Event), Type: told, CreatedAt: reply.CreatedAt,
		Refs: event.Refs{AgentID: r.agent.ID, MessageID: reply.ID},
	}
	c := r.request.Commit(r.company, ending)
	if reply.Outcome == Handoff {
		ending.ID, ending.Type = id.New(id.Event), event.HandoffRequested
		c.Events = append(c.Events, ending)
	}
	if reply.Failure == "" {
		c = r.request.Ending(c, reply.ID)
	}
	e := End{Reply: *reply, Explanation: explanation}
	err := r.engine.store.EndTurn(ctx, c, r.turn.TurnRef, e)
	if c.Receipt != nil && errors.Is(err, store.ErrFenced) {
		// Whoever took the request up again has the receipt now, and waits for
		// this turn, which may still be ours.
		c.Receipt = nil
		err = r.engine.store.EndTurn(ctx, c, r.turn.TurnRef, e)
	}
	return err
}
