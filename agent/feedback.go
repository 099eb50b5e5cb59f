package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// A Rating says whether a reply helped.
type Rating string

// The ratings.
const (
	RatingUp   Rating = "up"
	RatingDown Rating = "down"
)

// Feedback is what somebody thinks of a reply.
type Feedback struct {
	MessageID string    `json:"message_id"` // of the reply
	Rating    Rating    `json:"rating"`
	Remark    string    `json:"remark,omitzero"`  // in their own words, up to 2,000 characters
	Reasons   []string  `json:"reasons,omitzero"` // the caller's own codes for why, up to 8 of 1 to 64 characters
	CreatedAt time.Time `json:"created_at"`       // when it was first given
	UpdatedAt time.Time `json:"updated_at"`
}

// check returns an [InvalidError] naming the first field that cannot be stored.
func (f *Feedback) check() error {
	if f.Rating != RatingUp && f.Rating != RatingDown {
		return invalid("rating", "is neither %q nor %q", RatingUp, RatingDown)
	}
	if err := checkText("remark", f.Remark, 0, 2_000); err != nil {
		return err
	}
	if len(f.Reasons) > 8 {
		return invalid("reasons", "%d are more than 8", len(f.Reasons))
	}
	for i, r := range f.Reasons {
		if err := checkText(fmt.Sprintf("reasons[%d]", i), r, 1, 64); err != nil {
			return err
		}
	}
	return nil
}

// checkText returns an [InvalidError] unless a field is text of least to most
// characters.
func checkText(field, value string, least, most int) error {
	if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		return invalid(field, "is not valid UTF-8 text")
	}
	if n := utf8.RuneCountInString(value); n < least || n > most {
		return invalid(field, "must have %d to %d characters, has %d", least, most, n)
	}
	return nil
}

// PutFeedback stores what somebody thinks of a reply, in place of what they said
// before; the times are filled in. It returns an [InvalidError] for a field that
// cannot be stored, and a [store.NotFoundError] for what is no reply.
func (cs *Conversations) PutFeedback(ctx context.Context, f Feedback) (Feedback, error) {
	if err := f.check(); err != nil {
		return Feedback{}, err
	}
	m, err := cs.reply(ctx, f.MessageID)
	if err != nil {
		return Feedback{}, err
	}
	f.MessageID, f.CreatedAt = m.ID, stamp()
	f.UpdatedAt = f.CreatedAt
	c := cs.request.Commit(cs.company, event.Event{
		ID: id.New(id.Event), Type: event.MessageFeedback, Stream: m.ConversationID, CreatedAt: f.UpdatedAt,
		Refs: event.Refs{AgentID: m.AgentID, ConversationID: m.ConversationID, MessageID: m.ID},
	})
	return cs.engine.store.PutFeedback(ctx, cs.request.Ending(c, m.ID), f)
}

// reply returns the message that is the reply with an id.
func (cs *Conversations) reply(ctx context.Context, replyID string) (Message, error) {
	canonical, err := parseAs(id.Message, "reply", replyID)
	if err != nil {
		return Message{}, err
	}
	m, err := cs.engine.store.Message(ctx, cs.company, canonical)
	if errors.Is(err, store.ErrNotFound) || err == nil && m.Reply == nil {
		return Message{}, store.NotFound("reply", canonical)
	}
	return m, err
}
