package storetest

import (
	"cmp"
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// queue is the queue that most cases use.
const queue = "runs"

// A snapshot is all that can be read of a company.
type snapshot struct {
	Company       access.Company
	Agents        []agent.Agent
	Conversations []agent.Conversation
	Messages      [][]agent.Message // of each conversation, newest first
	Explanations  map[string]string // of each reply
	Documents     []knowledge.Document
	Texts         map[string][]string // of each version, oldest first
	Live          []knowledge.Live
	Revision      int64
	Changes       []knowledge.Change
	Events        []event.Event
	Audit         []store.Audit
	Dead          []store.DeadJob
	Due           bool // whether there is work to claim in [queue]
}

// read returns all that can be read of a company.
func read(t *testing.T, s Store, company string) snapshot {
	t.Helper()
	var (
		ctx = t.Context()
		out snapshot
		err error
	)
	out.Company, err = s.Company(ctx, company)
	ok(t, "Company", err)
	out.Agents = everyPage(t, store.MaxLimit, func(p store.Page) (store.List[agent.Agent], error) { return s.Agents(ctx, company, p) })
	out.Conversations = everyPage(t, store.MaxLimit, func(p store.Page) (store.List[agent.Conversation], error) {
		return s.Conversations(ctx, company, agent.ConversationFilter{}, p)
	})
	slices.SortFunc(out.Conversations, func(a, b agent.Conversation) int { return cmp.Compare(b.ID, a.ID) })
	out.Explanations = map[string]string{}
	for _, c := range out.Conversations {
		all := messages(t, s, company, c.ID)
		out.Messages = append(out.Messages, all)
		for _, m := range all {
			if m.Role == agent.RoleAgent {
				b, err := s.Explanation(ctx, company, m.ID)
				ok(t, "Explanation", err)
				out.Explanations[m.ID] = string(b)
			}
		}
	}
	out.Documents = everyPage(t, store.MaxLimit, func(p store.Page) (store.List[knowledge.Document], error) {
		return s.Documents(ctx, company, knowledge.Filter{}, p)
	})
	out.Texts = map[string][]string{}
	for _, d := range out.Documents {
		for v := range d.Version {
			text, err := s.DocumentText(ctx, company, d.ID, v+1)
			ok(t, "DocumentText", err)
			out.Texts[d.ID] = append(out.Texts[d.ID], text)
		}
	}
	out.Live = liveDocuments(t, s, company, 1<<20)
	out.Revision, err = s.Revision(ctx, company)
	ok(t, "Revision", err)
	out.Changes = allChanges(t, s, company, 0, 1000)
	out.Events = allEvents(t, s, company)
	out.Audit = everyPage(t, store.MaxLimit, func(p store.Page) (store.List[store.Audit], error) { return s.AuditLog(ctx, company, p) })
	out.Dead = everyPage(t, store.MaxLimit, func(p store.Page) (store.List[store.DeadJob], error) { return s.DeadJobs(ctx, company, queue, p) })
	due, err := s.DueCompanies(ctx, queue, 10_000)
	ok(t, "DueCompanies", err)
	out.Due = slices.Contains(due, company)
	return out
}

// messages returns a conversation's messages, newest first.
func messages(t *testing.T, s Store, company, conversation string) []agent.Message {
	t.Helper()
	return everyPage(t, store.MaxLimit, func(p store.Page) (store.List[agent.Message], error) {
		return s.Messages(t.Context(), company, conversation, p)
	})
}

// allEvents returns a company's events, in the order they are read.
func allEvents(t *testing.T, s Store, company string) []event.Event {
	t.Helper()
	var all []event.Event
	after := ""
	for {
		evs, err := s.Events(t.Context(), company, after, 100)
		ok(t, "Events", err)
		if len(evs) == 0 {
			return all
		}
		all = append(all, evs...)
		if next := evs[len(evs)-1].Cursor; next == after || next == "" {
			t.Fatalf("Events after %q ends with the cursor %q", after, next)
		} else {
			after = next
		}
	}
}

// ofStream returns the events of one stream.
func ofStream(evs []event.Event, stream string) []event.Event {
	return slices.DeleteFunc(slices.Clone(evs), func(ev event.Event) bool { return ev.Stream != stream })
}

// types returns the types of events.
func types(evs []event.Event) []event.Type {
	var out []event.Type
	for _, ev := range evs {
		out = append(out, ev.Type)
	}
	return out
}

// allChanges returns the feed after a revision, read limit entries at a time.
func allChanges(t *testing.T, s Store, company string, after int64, limit int) []knowledge.Change {
	t.Helper()
	var all []knowledge.Change
	for {
		part, err := s.Changes(t.Context(), company, after, limit)
		ok(t, "Changes", err)
		if len(part) == 0 {
			return all
		}
		if last := part[len(part)-1].Revision; last <= after {
			t.Fatalf("Changes after revision %d end at revision %d", after, last)
		} else {
			after = last
		}
		all = append(all, part...)
	}
}

// liveDocuments returns all live documents, about maxBytes of text at a time.
func liveDocuments(t *testing.T, s Store, company string, maxBytes int) []knowledge.Live {
	t.Helper()
	var all []knowledge.Live
	after := ""
	for {
		part, err := s.LiveDocuments(t.Context(), company, after, maxBytes)
		ok(t, "LiveDocuments", err)
		if len(part) == 0 {
			return all
		}
		for _, l := range part {
			if l.ID <= after {
				t.Fatalf("LiveDocuments after %q has document %s", after, l.ID)
			}
			after = l.ID
		}
		all = append(all, part...)
	}
}
