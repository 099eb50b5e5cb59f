package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A world is a store and what the moves so far have made in it. Moves choose from
// these tables by number. Two stores that returned the same have the same tables,
// but for the fences.
type world struct {
	store     Store
	companies [2]*kit
	given     int // how many ids were given out

	agents, conversations, messages, documents, jobs, sources, runs []string
	turns                                                           []agent.Turn
	leases                                                          []store.Lease
	claims                                                          []store.Receipt
	holds                                                           map[*kit]store.Lease // of each company, the one for its runs

	queued int  // how much work there is, about
	lapses bool // whether a lease was taken that runs out at once
}

func newWorld(s Store, companies [2]*kit) *world {
	w := &world{store: s, holds: map[*kit]store.Lease{}}
	for i, c := range companies {
		w.companies[i] = &kit{Store: s, company: c.company, agent: c.agent}
	}
	return w
}

// id returns a new id: the same in every world that was played alike, and larger
// than those before.
func (w *world) id(kind id.Kind) string {
	w.given++
	s, err := id.Parse(kind, fmt.Sprintf("019a%04x-%04x-7000-8000-000000000000", w.given>>16, w.given&0xffff))
	if err != nil {
		panic(err) // the format above is wrong
	}
	return s
}

// pick returns one of a table, mostly one of the last, or nothing if it is empty.
func pick[T any](table []T, n int) (v T) {
	if len(table) == 0 {
		return v
	}
	switch {
	case n%8 > 4:
		table = table[len(table)-1:]
	case n%8 > 0:
		table = table[max(0, len(table)-3):]
	}
	return table[n/8%len(table)]
}

// dropped returns a table without an entry that is of no more use, but keeps some.
func dropped[T any](table []T, n int, is func(T) bool) []T {
	if n%4 == 0 {
		return table
	}
	return slices.DeleteFunc(slices.Clone(table), is)
}

// lease is a long one or one that runs out at once.
func (w *world) lease(n int) time.Duration {
	if n%3 > 0 {
		return long
	}
	w.lapses = true
	return time.Microsecond
}

// make makes a move, or the one that makes what it needs, and returns what it
// returned, as text.
func (w *world) make(ctx context.Context, m move) string {
	for instead := w.lacks(moves[m.kind].needs); instead != ""; instead = w.lacks(moves[m.kind].needs) {
		m.kind = slices.IndexFunc(moves, func(kind moveKind) bool { return kind.name == instead })
	}
	k := w.companies[1-min(m.n[0]%8, 1)] // mostly the first
	return moves[m.kind].name + ": " + w.told(moves[m.kind].make(ctx, w, k, m.n))
}

// told is what a call returned, without what stores choose for themselves:
// fences, times, cursors, and the ids of events and passages.
func (w *world) told(v any, err error) string {
	if err != nil {
		return class(err)
	}
	b, err := json.Marshal(plain(v))
	if err != nil {
		return fmt.Sprintf("unreadable %T: %v", v, err)
	}
	var tree any
	if err := json.Unmarshal(b, &tree); err != nil {
		return fmt.Sprintf("unreadable %T: %v", v, err)
	}
	return canonical(w.blot(tree))
}

// class names the error a caller would act on.
func class(err error) string {
	if busy, is := errors.AsType[*agent.BusyError](err); is {
		return fmt.Sprintf("busy: %s, lapsed: %v", busy.ConversationID, busy.Lapsed)
	}
	for _, known := range []error{store.ErrNotFound, store.ErrConflict, store.ErrFenced, agent.ErrCitation, agent.ErrCancelled, knowledge.ErrRunEnded} {
		if errors.Is(err, known) {
			return "error: " + known.Error()
		}
	}
	return "error: " + err.Error()
}

// blot takes out of a JSON tree what stores choose for themselves.
func (w *world) blot(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			switch key {
			case "Fence", "Until", "next_cursor", "has_more":
				delete(v, key)
			default:
				v[key] = w.blot(e)
			}
		}
	case []any:
		for i, e := range v {
			v[i] = w.blot(e)
		}
	case string:
		switch at, err := time.Parse(time.RFC3339Nano, v); {
		case err == nil && at.IsZero():
			return nil
		case err == nil:
			return "a time"
		case strings.HasPrefix(v, string(id.Event)+"_"), strings.HasPrefix(v, string(id.Passage)+"_"):
			return "an id"
		}
		for i, c := range w.companies {
			if v == c.company {
				return fmt.Sprint("company ", i)
			}
		}
	}
	return v
}

// plain takes out of a result what may differ between two stores that are both
// right.
func plain(v any) any {
	switch v := v.(type) {
	case agent.Message:
		return plainMessage(v)
	case []agent.Message:
		out := make([]agent.Message, len(v))
		for i, m := range v {
			out[i] = plainMessage(m)
		}
		return out
	case []agent.Conversation: // in the order of their ids, or of their last messages
		return slices.SortedFunc(slices.Values(v), func(a, b agent.Conversation) int { return strings.Compare(a.ID, b.ID) })
	case []store.DeadJob: // in the order of their ids, or of their deaths; they are due no more
		out := slices.SortedFunc(slices.Values(v), func(a, b store.DeadJob) int { return strings.Compare(a.ID, b.ID) })
		for i := range out {
			out[i].RunAt = time.Time{}
		}
		return out
	case []event.Event: // in any order of the streams
		return byStream(v)
	case []knowledge.Change: // in any order within a revision
		return slices.SortedFunc(slices.Values(v), func(a, b knowledge.Change) int {
			if a.Revision != b.Revision {
				return int(a.Revision - b.Revision)
			}
			return strings.Compare(a.DocumentID, b.DocumentID)
		})
	case []knowledge.Live:
		out := make([]knowledge.Live, len(v))
		for i, l := range v {
			out[i] = knowledge.Live{Document: l.Document, Passages: bare(l.Passages)}
		}
		return out
	case knowledge.Live:
		return knowledge.Live{Document: v.Document, Passages: bare(v.Passages)}
	case knowledge.Deleted:
		v.OutOfReach = nil
		return v
	case snapshot:
		for i, all := range v.Messages {
			v.Messages[i] = plain(all).([]agent.Message)
		}
		v.Live = plain(v.Live).([]knowledge.Live)
		v.Dead = plain(v.Dead).([]store.DeadJob)
		v.Changes = plain(v.Changes).([]knowledge.Change)
		return v
	}
	return v
}

// plainMessage replaces the places of claims by their words where a reply has
// lost some: stores may mark the gap or close it.
func plainMessage(m agent.Message) agent.Message {
	if m.Reply == nil || !slices.ContainsFunc(m.Reply.Citations, func(c agent.Citation) bool { return c.Erased }) {
		return m
	}
	r := *m.Reply
	r.Citations = slices.Clone(r.Citations)
	for i, c := range r.Citations {
		if c.Erased {
			r.Citations[i] = agent.Citation{DocumentID: c.DocumentID, Erased: true, Quote: c.Quote, Title: c.Title, Heading: c.Heading}
			continue
		}
		from := max(0, min(c.ClaimStart, len(r.Text)))
		to := max(from, min(c.ClaimEnd, len(r.Text)))
		c.Heading = append(slices.Clone(c.Heading), "claim: "+words(r.Text[from:to]))
		c.ClaimStart, c.ClaimEnd = 0, 0
		r.Citations[i] = c
	}
	r.Text = words(r.Text)
	m.Text, m.Reply = words(m.Text), &r
	return m
}
