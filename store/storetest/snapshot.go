package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	Texts         map[string][]string              // of each version kept, newest first
	Versions      map[string][]knowledge.Version   // of each document, newest first
	Passages      map[string][][]knowledge.Passage // of each version kept, newest first
	Live          []knowledge.Live
	Sources       []knowledge.Source
	Runs          []knowledge.Run
	Gathered      map[string]gathered                  // by run
	Vectors       map[string][]knowledge.PassageVector // by space, of all documents in order
	Calibration   *knowledge.Calibration               // nil if there is none
	Revision      int64
	Changes       []knowledge.Change
	Events        []event.Event // by stream, those of one in the order read
	Audit         []store.Audit
	Keys          []access.Key
	Dead          []store.DeadJob
	Due           bool // whether there is work to claim in [queue]
}

// gathered is what belongs to a run.
type gathered struct {
	Events []knowledge.RunEvent
	Staged []knowledge.Staged
	Pages  []knowledge.Page // last first
}

// read returns all that can be read of a company.
func read(t *testing.T, s Store, company string) snapshot {
	t.Helper()
	out, err := readAll(t.Context(), s, company)
	ok(t, "reading company "+company, err)
	return out
}

// readAll is read for where there is no test to fail.
func readAll(ctx context.Context, s Store, company string) (out snapshot, err error) {
	// get keeps the first error.
	get := func(what string, fn func() error) {
		if err == nil {
			if e := fn(); e != nil {
				err = fmt.Errorf("%s: %w", what, e)
			}
		}
	}
	get("Company", func() (e error) { out.Company, e = s.Company(ctx, company); return e })
	get("Agents", func() (e error) {
		out.Agents, e = paged(store.MaxLimit, func(p store.Page) (store.List[agent.Agent], error) { return s.Agents(ctx, company, p) })
		return e
	})
	get("Conversations", func() (e error) {
		out.Conversations, e = paged(store.MaxLimit, func(p store.Page) (store.List[agent.Conversation], error) {
			return s.Conversations(ctx, company, agent.ConversationFilter{}, p)
		})
		slices.SortFunc(out.Conversations, func(a, b agent.Conversation) int { return cmp.Compare(b.ID, a.ID) })
		return e
	})
	get("Messages", func() error { return out.readMessages(ctx, s, company) })
	get("Documents", func() error { return out.readDocuments(ctx, s, company) })
	get("Vectors", func() error { return out.readVectors(ctx, s, company) })
	get("Calibration", func() error {
		c, e := s.Calibration(ctx, company)
		if errors.Is(e, store.ErrNotFound) {
			return nil
		}
		out.Calibration = &c
		return e
	})
	get("Sources", func() (e error) {
		out.Sources, e = paged(store.MaxLimit, func(p store.Page) (store.List[knowledge.Source], error) {
			return s.Sources(ctx, company, knowledge.SourceFilter{}, p)
		})
		return e
	})
	get("Runs", func() error { return out.readRuns(ctx, s, company) })
	get("LiveDocuments", func() (e error) { out.Live, e = pagedLive(ctx, s, company, 1<<20); return e })
	get("Revision", func() (e error) { out.Revision, e = s.Revision(ctx, company); return e })
	get("Changes", func() (e error) { out.Changes, e = pagedChanges(ctx, s, company, 0, 1000); return e })
	get("Events", func() (e error) {
		out.Events, e = pagedEvents(ctx, s, company, 100)
		out.Events = byStream(out.Events)
		return e
	})
	get("AuditLog", func() (e error) {
		out.Audit, e = paged(store.MaxLimit, func(p store.Page) (store.List[store.Audit], error) { return s.AuditLog(ctx, company, p) })
		return e
	})
	get("Keys", func() (e error) {
		out.Keys, e = paged(store.MaxLimit, func(p store.Page) (store.List[access.Key], error) { return s.Keys(ctx, company, p) })
		return e
	})
	get("DeadJobs", func() (e error) {
		out.Dead, e = paged(store.MaxLimit, func(p store.Page) (store.List[store.DeadJob], error) { return s.DeadJobs(ctx, company, queue, p) })
		return e
	})
	get("DueCompanies", func() error {
		due, e := s.DueCompanies(ctx, queue, 10_000)
		out.Due = slices.Contains(due, company)
		return e
	})
	return out, err
}

func (out *snapshot) readMessages(ctx context.Context, s Store, company string) error {
	out.Explanations = map[string]string{}
	for _, c := range out.Conversations {
		all, err := paged(store.MaxLimit, func(p store.Page) (store.List[agent.Message], error) {
			return s.Messages(ctx, company, agent.MessageFilter{ConversationID: c.ID}, p)
		})
		if err != nil {
			return err
		}
		out.Messages = append(out.Messages, all)
		for _, m := range all {
			if m.Role != agent.RoleAgent {
				continue
			}
			b, err := s.Explanation(ctx, company, m.ID)
			if err != nil {
				return err
			}
			out.Explanations[m.ID] = string(b)
		}
	}
	return nil
}

func (out *snapshot) readDocuments(ctx context.Context, s Store, company string) (err error) {
	out.Documents, err = paged(store.MaxLimit, func(p store.Page) (store.List[knowledge.Document], error) {
		return s.Documents(ctx, company, knowledge.Filter{}, p)
	})
	if err != nil {
		return err
	}
	out.Texts, out.Versions, out.Passages = map[string][]string{}, map[string][]knowledge.Version{}, map[string][][]knowledge.Passage{}
	for _, d := range out.Documents {
		if out.Versions[d.ID], err = s.Versions(ctx, company, d.ID); err != nil {
			return err
		}
		for _, v := range out.Versions[d.ID] {
			text, err := s.DocumentText(ctx, company, d.ID, v.Version)
			if err != nil {
				return err
			}
			passages, err := s.VersionPassages(ctx, company, d.ID, v.Version)
			if err != nil {
				return err
			}
			out.Texts[d.ID] = append(out.Texts[d.ID], text)
			out.Passages[d.ID] = append(out.Passages[d.ID], passages)
		}
	}
	return nil
}

func (out *snapshot) readRuns(ctx context.Context, s Store, company string) (err error) {
	out.Runs, err = paged(store.MaxLimit, func(p store.Page) (store.List[knowledge.Run], error) {
		return s.Runs(ctx, company, knowledge.RunFilter{}, p)
	})
	if err != nil {
		return err
	}
	out.Gathered = map[string]gathered{}
	for _, r := range out.Runs {
		var g gathered
		if g.Events, err = pagedRunEvents(ctx, s, company, r.ID, 1000); err != nil {
			return err
		}
		if g.Staged, err = pagedStaged(ctx, s, company, r.ID, 1000); err != nil {
			return err
		}
		g.Pages, err = paged(store.MaxLimit, func(p store.Page) (store.List[knowledge.Page], error) { return s.Pages(ctx, company, r.ID, p) })
		if err != nil {
			return err
		}
		out.Gathered[r.ID] = g
	}
	return nil
}

// messages returns a conversation's messages, newest first.
func messages(t *testing.T, s Store, company, conversation string) []agent.Message {
	t.Helper()
	return everyPage(t, store.MaxLimit, func(p store.Page) (store.List[agent.Message], error) {
		return s.Messages(t.Context(), company, agent.MessageFilter{ConversationID: conversation}, p)
	})
}

// allEvents returns a company's events in the order they are read, which says
// nothing of two streams, each once.
func allEvents(t *testing.T, s Store, company string) []event.Event {
	t.Helper()
	all, err := pagedEvents(t.Context(), s, company, 100)
	ok(t, "Events", err)
	return all
}

func pagedEvents(ctx context.Context, s Store, company string, limit int) (all []event.Event, err error) {
	type place struct {
		id, stream string
		sequence   int64
	}
	after, seen := "", map[place]bool{}
	for {
		evs, err := s.Events(ctx, company, after, limit)
		if err != nil || len(evs) == 0 {
			return all, err
		}
		for _, ev := range evs {
			at := place{ev.ID, ev.Stream, ev.Sequence}
			if !seen[at] { // once or more is allowed
				all = append(all, ev)
			}
			seen[at] = true
		}
		next := evs[len(evs)-1].Cursor
		if next == after || next == "" {
			return nil, fmt.Errorf("events after %q end with the cursor %q", after, next)
		}
		after = next
	}
}

// byStream sorts events by their streams, and leaves those of one stream in the
// order they have: only that one is promised.
func byStream(evs []event.Event) []event.Event {
	return slices.SortedStableFunc(slices.Values(evs), func(a, b event.Event) int { return cmp.Compare(a.Stream, b.Stream) })
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
	all, err := pagedChanges(t.Context(), s, company, after, limit)
	ok(t, "Changes", err)
	return all
}

func pagedChanges(ctx context.Context, s Store, company string, after int64, limit int) (all []knowledge.Change, err error) {
	for {
		part, err := s.Changes(ctx, company, after, limit)
		if err != nil || len(part) == 0 {
			return all, err
		}
		all = append(all, part...)
		last := part[len(part)-1].Revision
		if last <= after {
			return nil, fmt.Errorf("changes after revision %d end at revision %d", after, last)
		}
		after = last
	}
}

// liveDocuments returns all live documents, about maxBytes of text at a time.
func liveDocuments(t *testing.T, s Store, company string, maxBytes int) []knowledge.Live {
	t.Helper()
	all, err := pagedLive(t.Context(), s, company, maxBytes)
	ok(t, "LiveDocuments", err)
	return all
}

func pagedLive(ctx context.Context, s Store, company string, maxBytes int) (all []knowledge.Live, err error) {
	after := ""
	for {
		part, err := s.LiveDocuments(ctx, company, after, maxBytes)
		if err != nil || len(part) == 0 {
			return all, err
		}
		for _, l := range part {
			if l.ID <= after {
				return nil, fmt.Errorf("live documents after %q have document %s", after, l.ID)
			}
			after = l.ID
		}
		all = append(all, part...)
	}
}
