package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of what a reply has besides its text.
const (
	maxSuggested = 10
	maxData      = 64 << 10 // bytes of JSON
	maxSummary   = 32 << 10 // bytes
	maxReason    = 64       // bytes
	maxSentences = 200      // that an explanation tells of
)

// write streams what the Answerer writes, and puts it together. What is held is
// streamed only once a tool has returned something to stand on, or the reply turns out
// to be no answer.
func (r *running) write(ctx context.Context, q Question, hold bool) (Reply, error) {
	w := writing{running: r, reply: Reply{Outcome: Answer}, hold: hold}
	parts := 0
	for part, err := range r.engine.answerer.Answer(ctx, q) {
		if err == nil {
			err = context.Cause(ctx)
		}
		if parts++; err == nil && (parts > maxParts || w.text.Len()+len(part.Text) > MaxReply) {
			err = fmt.Errorf("the reply is longer than %d bytes or %d parts", MaxReply, maxParts)
		}
		if err == nil && !utf8.ValidString(part.Text) {
			err = fmt.Errorf("part %d of the reply is not valid UTF-8 text", parts)
		}
		if err != nil {
			return Reply{}, err
		}
		w.add(part)
	}
	w.reply.Text = w.text.String()
	return w.reply, nil
}

// A writing is a reply while it is written.
type writing struct {
	*running
	reply Reply
	text  strings.Builder
	hold  bool    // whether events are kept back
	held  []Event // those
	said  bool    // whether any were told
	heard bool    // whether a sentence stands on what came with the message
}

// say streams an event, now or when it is known that the reply counts.
func (w *writing) say(ev Event) {
	w.held = append(w.held, ev)
	if w.hold && w.reply.Outcome != Clarify && w.reply.Outcome != Handoff && !w.heard && !w.completedCalls() {
		return
	}
	for _, ev := range w.held {
		w.tell(ev)
	}
	w.hold, w.held, w.said = false, nil, true
}

// add takes a part into the reply.
func (w *writing) add(part Part) {
	if part.Reset {
		w.reset()
	}
	if part.Outcome != "" {
		w.reply.Outcome = part.Outcome
	}
	if part.Reason != "" {
		w.reply.Reason = part.Reason
	}
	if part.Data != nil {
		w.reply.Data = part.Data
	}
	if part.Summary != nil {
		w.reply.Summary = part.Summary
	}
	w.reply.SuggestedReplies = append(w.reply.SuggestedReplies, part.Suggest...)
	from := w.text.Len()
	if s := part.Support; s != nil {
		if len(w.note.Sentences) < maxSentences {
			w.note.Sentences = append(w.note.Sentences, *s)
		}
		w.heard = w.heard || !s.LeftOut && s.By.OnMessage()
	}
	if part.Text != "" {
		w.text.WriteString(part.Text)
		w.say(Event{Type: TextDelta, Delta: part.Text})
	}
	start, end := 0, 0
	if trimmed := strings.TrimSpace(part.Text); trimmed != "" {
		start = from + strings.Index(part.Text, trimmed)
		end = start + len(trimmed)
		if part.Unsupported {
			w.reply.Unsupported = append(w.reply.Unsupported, Span{start, end})
		}
		if part.Support != nil && part.Support.Verdict == Translated {
			w.reply.Translated = append(w.reply.Translated, Span{start, end})
		}
	}
	if part.Citation == nil {
		return
	}
	c := *part.Citation
	if end > start {
		c.ClaimStart, c.ClaimEnd = start, end
	}
	w.reply.Citations = append(w.reply.Citations, c)
	w.say(Event{Type: CitationAdded, Citation: &c})
}

// reset forgets what was written, and has the readers of the stream forget it.
func (w *writing) reset() {
	w.text.Reset()
	w.reply = Reply{Outcome: Answer, Summary: w.reply.Summary}
	w.held, w.heard, w.note.Sentences = nil, false, nil
	if w.said {
		w.tell(Event{Type: MessageReplaced})
		w.said = false
	}
}

// checkExtras makes what a reply has besides its text and citations fit to be stored,
// or says why it is not.
func checkExtras(reply *Reply) error {
	switch reply.Outcome {
	case Answer, Clarify, Refuse, Handoff:
	default:
		return fmt.Errorf("the reply has the outcome %q, which is none", clip(string(reply.Outcome)))
	}
	if err := checkText("reason", reply.Reason, 0, maxReason); err != nil {
		return fmt.Errorf("the reply's %w", err)
	}
	if len(reply.SuggestedReplies) > maxSuggested {
		reply.SuggestedReplies = reply.SuggestedReplies[:maxSuggested]
	}
	reply.SuggestedReplies = slices.Clone(reply.SuggestedReplies)
	for i, s := range reply.SuggestedReplies {
		reply.SuggestedReplies[i] = clipTo(s, 500)
	}
	if d := reply.Data; d != nil && (len(d) > maxData || !utf8.Valid(d) || !json.Valid(d)) {
		return fmt.Errorf("the reply's data is not JSON of at most %d bytes", maxData)
	}
	if s := reply.Summary; s != nil && checkText("summary", s.Text, 0, maxSummary) != nil {
		reply.Summary = nil // it only saves tokens
	}
	for _, spans := range []*[]Span{&reply.Unsupported, &reply.Translated} {
		*spans = slices.DeleteFunc(slices.Clone(*spans), func(s Span) bool { return !isClaim(reply.Text, s.Start, s.End) })
		if len(*spans) == 0 {
			*spans = nil
		}
	}
	return nil
}
