package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

const (
	maxAttempts = 3  // to write a reply whose sources keep changing
	considered  = 10 // passages given to the Answerer
	remembered  = 12 // earlier messages that a turn looks at
)

// answer writes the reply and stores it. When a document it cites is changed or
// deleted meanwhile, it begins again from what there is now.
func (r *running) answer(ctx context.Context) (Reply, error) {
	for attempt := 1; ; attempt++ {
		r.note = Explanation{Attempts: attempt, Settings: r.agent.Version, Threshold: r.agent.threshold(), Decision: decidedMiddleware, Recovered: r.turn.Taken > 0}
		r.forget() // it may hold what was deleted meanwhile
		reply, err := r.draft(ctx, &Exchange{Company: r.company, Agent: r.agent, Message: r.turn.Message, turn: r})
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
	return nil
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

// fromKnowledge is the innermost [TurnFunc]: it finds passages and, if they are
// likely to answer, has the Answerer write a reply from them.
func (e *Engine) fromKnowledge(ctx context.Context, x *Exchange) (Reply, error) {
	r := x.turn
	query, rewritten, err := r.standalone(ctx, x.Message.Text)
	if err != nil {
		return Reply{}, err
	}
	begun := time.Now()
	found, err := e.retriever.Retrieve(ctx, x.Company, knowledge.Query{
		Text: query, AgentID: x.Agent.ID, Limit: considered, MinRevision: x.Message.MinRevision,
	})
	if err != nil {
		return Reply{}, fmt.Errorf("search: %w", err)
	}
	r.note.Query, r.note.Rewritten, r.note.Revision = query, rewritten, found.Revision
	r.note.Confidence, r.note.Reasons, r.note.Retrieval = found.Confidence, found.Reasons, time.Since(begun)
	r.note.Candidates = candidates(found.Hits, nil)
	failpoint.At("turn.retrieved")

	switch {
	case len(found.Hits) == 0:
		r.note.Decision = decidedNothingFound
		return r.refuse(), nil
	case found.Confidence < x.Agent.threshold():
		r.note.Decision = decidedLowConfidence
		return r.refuse(), nil
	}
	begun = time.Now()
	reply, err := r.write(ctx, Question{
		Company: x.Company, Agent: x.Agent, Message: x.Message, History: x.History, Query: query,
		Passages: found.Hits, Terms: found.Terms, Steps: r.turn.Steps, Record: r.record,
	})
	if err != nil {
		return Reply{}, fmt.Errorf("answer: %w", err)
	}
	r.note.Answering = time.Since(begun)
	if strings.TrimSpace(reply.Text) == "" {
		r.note.Decision = decidedNoAnswer
		return r.refuse(), nil
	}
	r.note.Decision = decidedAnswer
	r.note.Candidates = candidates(found.Hits, reply.Citations)
	reply.Confidence = r.confidence()
	return reply, nil
}

// write streams what the Answerer writes, and puts it together.
func (r *running) write(ctx context.Context, q Question) (Reply, error) {
	reply := Reply{Outcome: Answer}
	var text strings.Builder
	parts := 0
	for part, err := range r.engine.answerer.Answer(ctx, q) {
		if err == nil {
			err = context.Cause(ctx)
		}
		if parts++; err == nil && (parts > maxParts || text.Len()+len(part.Text) > MaxReply) {
			err = fmt.Errorf("the reply is longer than %d bytes or %d parts", MaxReply, maxParts)
		}
		if err == nil && !utf8.ValidString(part.Text) {
			err = fmt.Errorf("part %d of the reply is not valid UTF-8 text", parts)
		}
		if err != nil {
			return Reply{}, err
		}
		from := text.Len()
		if part.Text != "" {
			text.WriteString(part.Text)
			r.tell(Event{Type: TextDelta, Delta: part.Text})
		}
		if part.Citation == nil {
			continue
		}
		c := *part.Citation
		if trimmed := strings.TrimSpace(part.Text); trimmed != "" {
			c.ClaimStart = from + strings.Index(part.Text, trimmed)
			c.ClaimEnd = c.ClaimStart + len(trimmed)
		}
		reply.Citations = append(reply.Citations, c)
		r.tell(Event{Type: CitationAdded, Citation: &c})
	}
	reply.Text = text.String()
	return reply, nil
}

// refuse is the reply that says that the agent does not know.
func (r *running) refuse() Reply {
	text := r.agent.fallback()
	r.tell(Event{Type: TextDelta, Delta: text})
	return Reply{Text: text, Outcome: Refuse, Confidence: r.confidence()}
}

func (r *running) confidence() Confidence {
	return Confidence{Score: r.note.Confidence, Threshold: r.agent.threshold(), Reasons: r.note.Reasons}
}

// end fills in the rest of a reply and puts it on record.
func (r *running) end(ctx context.Context, reply *Reply) error {
	reply.ID, reply.ConversationID, reply.AgentID = r.turn.ReplyID, r.turn.ConversationID, r.agent.ID
	reply.CreatedAt = stamp()
	told := event.MessageFailed
	var explanation []byte
	if reply.Failure == "" {
		told = event.MessageSent
		reply.Language, reply.KnowledgeRevision = r.agent.language(), r.note.Revision
		if reply.Citations == nil {
			reply.Citations = []Citation{}
		}
		if reply.Confidence.Reasons == nil {
			reply.Confidence.Reasons = []string{}
		}
		r.note.Steps = int(r.steps.Load())
		var err error
		if explanation, err = json.Marshal(r.note); err != nil {
			return fmt.Errorf("explanation of %s: %w", reply.ID, err)
		}
	}
	c := r.request.Commit(r.company, event.Event{
		ID: id.New(id.Event), Type: told, CreatedAt: reply.CreatedAt,
		Refs: event.Refs{AgentID: r.agent.ID, MessageID: reply.ID},
	})
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
