package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// pages are the promises about every list.
var pages = func() (out []promise) {
	for _, l := range lists {
		out = append(out,
			promise{
				name:  l.name + " in pages",
				text:  "pages of any size put together are the whole list, newest first, and only the last one says that it is",
				fresh: l.fresh,
				check: func(t *testing.T, k *kit) { inPages(t, k, l) },
			},
			promise{
				name:  l.name + " limits",
				text:  fmt.Sprintf("a page has %d items unless asked otherwise, and a limit outside 1 to %d is refused", store.DefaultLimit, store.MaxLimit),
				fresh: l.fresh,
				check: func(t *testing.T, k *kit) { pageLimits(t, k, l) },
			},
			promise{
				name:  l.name + " cursors",
				text:  "a cursor of another list, company or filter is refused, and so is one that is none",
				fresh: l.fresh,
				check: func(t *testing.T, k *kit) { pageCursors(t, k, l) },
			},
			promise{
				name:  l.name + " while it changes",
				text:  "what is added or removed between two pages neither hides nor repeats what was there all along",
				fresh: l.fresh,
				check: func(t *testing.T, k *kit) { pagesWhileChanging(t, k, l) },
			},
		)
	}
	return out
}()

// A listing is one of the lists, seen as ids.
type listing struct {
	name  string
	fresh bool // the list is of the whole store

	// ready prepares a company, and returns what adds an item and tells its
	// id, and what removes one; nil where that cannot be done.
	ready func(t *testing.T, k *kit) (add func() string, remove func(item string))

	// read reads a page.
	read func(ctx context.Context, k *kit, p store.Page) (ids []string, next string, more bool, err error)
}

// idsOf tells a list by its ids.
func idsOf[T any](id func(T) string) func(l store.List[T], err error) ([]string, string, bool, error) {
	return func(l store.List[T], err error) ([]string, string, bool, error) {
		var ids []string
		for _, v := range l.Data {
			ids = append(ids, id(v))
		}
		return ids, l.NextCursor, l.HasMore, err
	}
}

var (
	companyIDs      = idsOf(func(v access.Company) string { return v.ID })
	agentIDs        = idsOf(func(v agent.Agent) string { return v.ID })
	conversationIDs = idsOf(func(v agent.Conversation) string { return v.ID })
	messageIDs      = idsOf(func(v agent.Message) string { return v.ID })
	documentIDs     = idsOf(func(v knowledge.Document) string { return v.ID })
	auditIDs        = idsOf(func(v store.Audit) string { return v.ID })
	deadIDs         = idsOf(func(v store.DeadJob) string { return v.ID })
)

// pagedUser has one conversation, whose messages are listed.
const pagedUser = "the user whose conversation is listed"

var lists = append([]listing{
	{
		name: "companies", fresh: true,
		ready: func(t *testing.T, k *kit) (func() string, func(string)) {
			return func() string { return newKit(t, k.Store).company },
				func(c string) { ok(t, "DeleteCompany", k.DeleteCompany(t.Context(), store.Commit{Company: c})) }
		},
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return companyIDs(k.Companies(ctx, p))
		},
	},
	{
		name: "agents",
		ready: func(t *testing.T, k *kit) (func() string, func(string)) {
			return func() string { return k.newAgent(t) },
				func(a string) { ok(t, "DeleteAgent", second(k.DeleteAgent(t.Context(), k.commit(), a))) }
		},
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return agentIDs(k.Agents(ctx, k.company, p))
		},
	},
	{
		name:  "conversations",
		ready: conversationsReady(agent.Message{}),
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return conversationIDs(k.Conversations(ctx, k.company, agent.ConversationFilter{}, p))
		},
	},
	{
		name: "conversations of an agent",
		ready: func(t *testing.T, k *kit) (func() string, func(string)) {
			k.converse(t, agent.Message{AgentID: k.newAgent(t)})
			return conversationsReady(agent.Message{})(t, k)
		},
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return conversationIDs(k.Conversations(ctx, k.company, agent.ConversationFilter{AgentID: k.agent}, p))
		},
	},
	{
		name:  "messages",
		ready: messagesReady,
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			l, err := k.Conversations(ctx, k.company, agent.ConversationFilter{UserID: pagedUser}, store.Page{})
			if err != nil {
				return nil, "", false, err
			}
			conversation := id.New(id.Conversation)
			if len(l.Data) > 0 {
				conversation = l.Data[0].ID
			}
			return messageIDs(k.Messages(ctx, k.company, agent.MessageFilter{ConversationID: conversation}, p))
		},
	},
	{
		name:  "messages of an agent",
		ready: messagesReady,
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return messageIDs(k.Messages(ctx, k.company, agent.MessageFilter{AgentID: k.agent}, p))
		},
	},
	{
		name:  "messages of a user",
		ready: messagesReady,
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return messageIDs(k.Messages(ctx, k.company, agent.MessageFilter{UserID: pagedUser}, p))
		},
	},
	{
		name: "all messages",
		ready: func(t *testing.T, k *kit) (func() string, func(string)) {
			k.converse(t, agent.Message{AgentID: k.newAgent(t)})
			return messagesReady(t, k)
		},
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return messageIDs(k.Messages(ctx, k.company, agent.MessageFilter{}, p))
		},
	},
	{
		name:  "documents",
		ready: documentsReady,
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return documentIDs(k.Documents(ctx, k.company, knowledge.Filter{}, p))
		},
	},
	{
		name: "documents of a kind",
		ready: func(t *testing.T, k *kit) (func() string, func(string)) {
			w := text("Question?", "Answer.")
			w.Kind, w.Questions = knowledge.KindQA, []string{"Question?"}
			k.put(t, hashed(w))
			return documentsReady(t, k)
		},
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return documentIDs(k.Documents(ctx, k.company, knowledge.Filter{Kind: knowledge.KindUpload}, p))
		},
	},
	{
		name: "audit log",
		ready: func(t *testing.T, k *kit) (func() string, func(string)) {
			return func() string {
				a := store.Audit{ID: id.New(id.Event), Actor: "key_1", Action: "probe", At: now()}
				ok(t, "Enqueue", k.Enqueue(t.Context(), store.Commit{Company: k.company, Audit: &a}))
				return a.ID
			}, nil
		},
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return auditIDs(k.AuditLog(ctx, k.company, p))
		},
	},
	{
		name: "dead jobs",
		ready: func(t *testing.T, k *kit) (func() string, func(string)) {
			k.enqueue(t, newWork("key"))
			l := k.claimKey(t, long)
			return func() string {
					w := newWork("key")
					k.enqueue(t, w)
					k.finish(t, l, store.Outcome{ID: w.ID, Dead: true, Reason: "refused"})
					return w.ID
				}, func(job string) {
					ok(t, "ReviveJob", k.ReviveJob(t.Context(), k.company, job))
				}
		},
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return deadIDs(k.DeadJobs(ctx, k.company, queue, p))
		},
	},
	keysListed,
}, sourceLists...)

// messagesReady adds messages and replies in turn.
func messagesReady(t *testing.T, k *kit) (func() string, func(string)) {
	var running *agent.Turn
	k.converse(t, agent.Message{User: agent.User{ID: pagedUser}})
	return func() string {
		if running == nil {
			turn := k.begin(t, agent.Message{User: agent.User{ID: pagedUser}})
			running = &turn
			return turn.Message.ID
		}
		turn := *running
		running = nil
		return k.end(t, turn, "At nine.").ID
	}, nil
}

func conversationsReady(m agent.Message) func(t *testing.T, k *kit) (func() string, func(string)) {
	return func(t *testing.T, k *kit) (func() string, func(string)) {
		return func() string { return k.converse(t, m).ConversationID },
			func(c string) {
				ok(t, "DeleteConversation", second(k.DeleteConversation(t.Context(), k.commit(tell(event.ConversationDeleted, c)), c)))
			}
	}
}

func documentsReady(t *testing.T, k *kit) (func() string, func(string)) {
	return func() string { return k.putOne(t, text("Title", "Text.")).ID },
		func(d string) { k.deleteDocument(t, d) }
}

// whole reads a list page by page.
func (l listing) whole(t *testing.T, k *kit, size int, between func()) []string {
	t.Helper()
	var all []string
	p := store.Page{Limit: size}
	for {
		ids, next, more, err := l.read(t.Context(), k, p)
		ok(t, l.name, err)
		all = append(all, ids...)
		switch {
		case more && (len(ids) != size || next == ""):
			t.Fatalf("a page of %d has %d items and the cursor %q, and more to come", size, len(ids), next)
		case !more && (len(ids) > size || next != ""):
			t.Fatalf("the last page of %d has %d items and the cursor %q", size, len(ids), next)
		case !more:
			return all
		}
		p.Cursor = next
		if between != nil {
			between()
		}
	}
}

// grown adds n items to a list and returns all of it, newest first.
func (l listing) grown(t *testing.T, k *kit, add func() string, n int) []string {
	t.Helper()
	want := l.whole(t, k, store.MaxLimit, nil) // what was there before, such as the default agent
	for range n {
		want = append([]string{add()}, want...)
	}
	return want
}

func inPages(t *testing.T, k *kit, l listing) {
	add, _ := l.ready(t, k)
	want := l.grown(t, k, add, 7)
	for size := 1; size <= len(want)+1; size++ {
		wantIDs(t, fmt.Sprintf("%s in pages of %d", l.name, size), l.whole(t, k, size, nil), want...)
	}
}

func pageLimits(t *testing.T, k *kit, l listing) {
	add, _ := l.ready(t, k)
	want := l.grown(t, k, add, store.DefaultLimit+1)
	ids, next, more, err := l.read(t.Context(), k, store.Page{})
	ok(t, l.name, err)
	if len(ids) != store.DefaultLimit || !more || next == "" {
		t.Errorf("%s without a limit = %d items, cursor %q, more: %v, want %d and more", l.name, len(ids), next, more, store.DefaultLimit)
	}
	ids, next, more, err = l.read(t.Context(), k, store.Page{Limit: store.MaxLimit})
	ok(t, l.name, err)
	if len(ids) != len(want) || more || next != "" {
		t.Errorf("%s with limit %d = %d items, cursor %q, more: %v, want all %d", l.name, store.MaxLimit, len(ids), next, more, len(want))
	}
	for _, limit := range []int{-1, store.MaxLimit + 1, 1 << 40, -1 << 40} {
		if ids, _, _, err := l.read(t.Context(), k, store.Page{Limit: limit}); err == nil {
			t.Errorf("%s with limit %d = %d items, want an error", l.name, limit, len(ids))
		}
	}
}

func pageCursors(t *testing.T, k *kit, l listing) {
	add, _ := l.ready(t, k)
	l.grown(t, k, add, 3)
	_, mine, _, err := l.read(t.Context(), k, store.Page{Limit: 1})
	ok(t, l.name, err)
	for what, cursor := range map[string]string{"nonsense": "nonsense", "a letter less": mine[1:], "an id": k.agent, "not base64": "!", "long": hostile[6]} {
		if ids, _, _, err := l.read(t.Context(), k, store.Page{Cursor: cursor}); err == nil {
			t.Errorf("%s with a cursor that is %s = %d items, want an error", l.name, what, len(ids))
		}
	}
	if !l.fresh {
		other := newKit(t, k.Store)
		add, _ := l.ready(t, other)
		l.grown(t, other, add, 3)
		if ids, _, _, err := l.read(t.Context(), other, store.Page{Cursor: mine}); err == nil {
			t.Errorf("%s with another company's cursor = %d items, want an error", l.name, len(ids))
		}
	}
	for _, o := range lists {
		if o.name == l.name {
			continue
		}
		ids, _, _, err := o.read(t.Context(), k, store.Page{Cursor: mine})
		if err == nil {
			t.Errorf("%s with a cursor of %s = %d items, want an error", o.name, l.name, len(ids))
		}
	}
}

func pagesWhileChanging(t *testing.T, k *kit, l listing) {
	add, remove := l.ready(t, k)
	want := l.grown(t, k, add, 9)
	page := 0
	got := l.whole(t, k, 2, func() {
		page++
		add()
		if remove == nil {
			return
		}
		switch page {
		case 1: // the item that the cursor stands on, and the next one
			remove(want[1])
			remove(want[2])
		case 2: // one far behind
			remove(want[7])
		}
	})
	expect := slices.Clone(want)
	if remove != nil {
		expect = slices.Delete(slices.Delete(expect, 7, 8), 2, 3)
	}
	wantIDs(t, l.name+" while it changes", got, expect...)
}
