package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// A fault is a store with one thing wrong, and the case that must show it.
type fault struct {
	name     string
	caughtBy string
	wrap     func(s storetest.Store) storetest.Store
}

var faults = []fault{
	{"drops events", "commits/CreateAgent commits whole", func(s storetest.Store) storetest.Store { return dropsEvents{s} }},
	{"drops work", "commits/Enqueue commits whole", func(s storetest.Store) storetest.Store { return dropsWork{s} }},
	{"drops audit entries", "commits/DeleteAgent commits whole", func(s storetest.Store) storetest.Store { return dropsAudit{s} }},
	{"counts nothing of what goes", "deletion/agent", func(s storetest.Store) storetest.Store { return countsNothing{s} }},
	{"commits half a step", "commits/EndTurn under an old receipt", func(s storetest.Store) storetest.Store { return halfSteps{s} }},
	{"ignores fences", "turns/fenced", func(s storetest.Store) storetest.Store { return &ignoresFences{Store: s} }},
	{"takes turns too soon", "turns/take", func(s storetest.Store) storetest.Store { return shortLeases{s} }},
	{"begins beside a running turn", "turns/busy", func(s storetest.Store) storetest.Store { return neverBusy{s} }},
	{"ignores cancels", "turns/cancel", func(s storetest.Store) storetest.Store { return ignoresCancels{s} }},
	{"lists everybody's messages", "conversations/messages across conversations", func(s storetest.Store) storetest.Store { return everybodys{s} }},
	{"keeps old remarks", "feedback/put again", func(s storetest.Store) storetest.Store { return keepsRemarks{s} }},
	{"forgets users", "turns/user's conversation", func(s storetest.Store) storetest.Store { return forgetsUsers{s} }},
	{"trims texts", "turns/hostile text", func(s storetest.Store) storetest.Store { return trims{s} }},
	{"checks no citation", "citations/wrong", func(s storetest.Store) storetest.Store { return uncheckedCitations{s} }},
	{"checks no owner of a citation", "citations/another agent's", func(s storetest.Store) storetest.Store { return uncheckedCitations{s} }},
	{"leaves quotes", "deletion/nothing left", func(s storetest.Store) storetest.Store { return &leavesQuotes{Store: s} }},
	{"forgets the company", "tenancy/Document", func(s storetest.Store) storetest.Store { return &forgetsCompany{Store: s} }},
	{"tells that there is something", "tenancy/Conversation", func(s storetest.Store) storetest.Store { return &tellsTooMuch{Store: s} }},
	{"notes nothing in a receipt", "knowledge/receipt", func(s storetest.Store) storetest.Store { return notesNothing{s} }},
	{"writes when it checks", "knowledge/checked", func(s storetest.Store) storetest.Store { return writesChecked{s} }},
	{"writes half a batch", "knowledge/all or none", func(s storetest.Store) storetest.Store { return halfBatches{s} }},
	{"forgets a filter", "knowledge/list", func(s storetest.Store) storetest.Store { return forgetsFilter{s} }},
	{"cuts revisions", "feed/whole revisions", func(s storetest.Store) storetest.Store { return cutsRevisions{s} }},
	{"skips live documents", "feed/live documents", func(s storetest.Store) storetest.Store { return skipsLive{s} }},
	{"skips changes", "feed/replay", func(s storetest.Store) storetest.Store { return skipsChanges{s} }},
	{"skips events", "events/while others write", func(s storetest.Store) storetest.Store { return skipsEvents{s} }},
	{"swaps events of a stream", "events/numbered", func(s storetest.Store) storetest.Store { return swapsEvents{s} }},
	{"swaps events where much is done", "model/random moves", func(s storetest.Store) storetest.Store { return swapsEvents{s} }},
	{"hides events", "events/late commits", func(s storetest.Store) storetest.Store { return &hidesEvents{Store: s} }},
	{"hides revisions", "feed/late commits", func(s storetest.Store) storetest.Store { return &hidesRevisions{Store: s} }},
	{"skips events that commit late", "events/late commits", func(s storetest.Store) storetest.Store { return &skipsLateEvents{lends{Store: s}} }},
	{"skips revisions that commit late", "feed/late commits", func(s storetest.Store) storetest.Store { return &skipsLateRevisions{lends{Store: s}} }},
	{"takes any cursor", "pages/agents cursors", func(s storetest.Store) storetest.Store { return anyCursor{s} }},
	{"claims twice", "receipts/concurrent duplicates", func(s storetest.Store) storetest.Store { return claimsTwice{s} }},
	{"completes old claims", "receipts/fenced", func(s storetest.Store) storetest.Store { return completesOld{s} }},
	{"leases held keys", "work/claim", func(s storetest.Store) storetest.Store { return &leasesHeldKeys{Store: s} }},
	{"turns jobs around", "work/order", func(s storetest.Store) storetest.Store { return turnsJobsAround{s} }},
	{"replaces a key twice", "keys/concurrent rotations", func(s storetest.Store) storetest.Store { return replacesTwice{s} }},
	{"remembers keys", "keys/revoke", func(s storetest.Store) storetest.Store { return &remembersKeys{Store: s} }},
	{"tells whose key it is", "tenancy/Key", func(s storetest.Store) storetest.Store { return tellsWhoseKey{s} }},
	{"counts wrong", "model/random moves", func(s storetest.Store) storetest.Store { return countsWrong{s} }},
}

type dropsEvents struct{ storetest.Store }

func (f dropsEvents) CreateAgent(ctx context.Context, c store.Commit, a agent.Agent) error {
	c.Events = nil
	return f.Store.CreateAgent(ctx, c, a)
}

type dropsWork struct{ storetest.Store }

func (f dropsWork) Enqueue(ctx context.Context, c store.Commit) error {
	c.Work = nil
	return f.Store.Enqueue(ctx, c)
}

type dropsAudit struct{ storetest.Store }

func (f dropsAudit) DeleteAgent(ctx context.Context, c store.Commit, id string) (agent.Deleted, error) {
	return f.Store.DeleteAgent(ctx, store.Commit{Company: c.Company, Events: c.Events, Work: c.Work, Receipt: c.Receipt}, id)
}

type countsNothing struct{ storetest.Store }

func (f countsNothing) DeleteAgent(ctx context.Context, c store.Commit, id string) (agent.Deleted, error) {
	out, err := f.Store.DeleteAgent(ctx, c, id)
	return agent.Deleted{ID: out.ID, Revision: out.Revision, DeletedAt: out.DeletedAt}, err
}

type halfSteps struct{ storetest.Store }

func (f halfSteps) EndTurn(ctx context.Context, c store.Commit, t agent.TurnRef, e agent.End) error {
	err := f.Store.EndTurn(ctx, store.Commit{Company: c.Company, Events: c.Events}, t, e)
	if err != nil {
		return err
	}
	c.Events = nil
	return f.Store.Enqueue(ctx, c)
}

// ignoresFences writes under the newest fence of a conversation.
type ignoresFences struct {
	storetest.Store
	newest sync.Map
}

func (f *ignoresFences) TakeTurn(ctx context.Context, company, conversation, worker string, lease time.Duration) (agent.Turn, error) {
	t, err := f.Store.TakeTurn(ctx, company, conversation, worker, lease)
	if err == nil {
		f.newest.Store(conversation, t.Fence)
	}
	return t, err
}

func (f *ignoresFences) RecordStep(ctx context.Context, c store.Commit, t agent.TurnRef, s ...agent.Step) error {
	if fence, taken := f.newest.Load(t.ConversationID); taken {
		t.Fence = fence.(int64)
	}
	return f.Store.RecordStep(ctx, c, t, s...)
}

type shortLeases struct{ storetest.Store }

func (f shortLeases) BeginTurn(ctx context.Context, c store.Commit, b agent.Begin) (agent.Turn, error) {
	b.Lease /= 4
	return f.Store.BeginTurn(ctx, c, b)
}

type neverBusy struct{ storetest.Store }

func (f neverBusy) BeginTurn(ctx context.Context, c store.Commit, b agent.Begin) (agent.Turn, error) {
	t, err := f.Store.BeginTurn(ctx, c, b)
	if errors.Is(err, agent.ErrTurnInProgress) {
		b.Message.ConversationID, b.Message.User.ID = "", ""
		return f.Store.BeginTurn(ctx, c, b)
	}
	return t, err
}

type ignoresCancels struct{ storetest.Store }

func (f ignoresCancels) RenewTurn(ctx context.Context, company string, t agent.TurnRef, lease time.Duration) error {
	if err := f.Store.RenewTurn(ctx, company, t, lease); !errors.Is(err, agent.ErrCancelled) {
		return err
	}
	return nil
}

type everybodys struct{ storetest.Store }

func (f everybodys) Messages(ctx context.Context, company string, filter agent.MessageFilter, p store.Page) (store.List[agent.Message], error) {
	filter.UserID = ""
	return f.Store.Messages(ctx, company, filter, p)
}

type keepsRemarks struct{ storetest.Store }

func (f keepsRemarks) PutFeedback(ctx context.Context, c store.Commit, given agent.Feedback) (agent.Feedback, error) {
	if m, err := f.Store.Message(ctx, c.Company, given.MessageID); err == nil && m.Feedback != nil && given.Remark == "" {
		given.Remark = m.Feedback.Remark
	}
	return f.Store.PutFeedback(ctx, c, given)
}

type forgetsUsers struct{ storetest.Store }

func (f forgetsUsers) BeginTurn(ctx context.Context, c store.Commit, b agent.Begin) (agent.Turn, error) {
	b.Message.User.ID = ""
	return f.Store.BeginTurn(ctx, c, b)
}

type trims struct{ storetest.Store }

func (f trims) BeginTurn(ctx context.Context, c store.Commit, b agent.Begin) (agent.Turn, error) {
	b.Message.Text = strings.TrimSpace(b.Message.Text)
	return f.Store.BeginTurn(ctx, c, b)
}

type uncheckedCitations struct{ storetest.Store }

func (f uncheckedCitations) EndTurn(ctx context.Context, c store.Commit, t agent.TurnRef, e agent.End) error {
	err := f.Store.EndTurn(ctx, c, t, e)
	if errors.Is(err, agent.ErrCitation) {
		e.Reply.Citations = nil
		return f.Store.EndTurn(ctx, c, t, e)
	}
	return err
}

// leavesQuotes reads replies as they were when the turn ended.
type leavesQuotes struct {
	storetest.Store
	replies sync.Map
}

func (f *leavesQuotes) EndTurn(ctx context.Context, c store.Commit, t agent.TurnRef, e agent.End) error {
	err := f.Store.EndTurn(ctx, c, t, e)
	if err == nil {
		f.replies.Store(e.Reply.ID, e.Reply)
	}
	return err
}

func (f *leavesQuotes) Message(ctx context.Context, company, id string) (agent.Message, error) {
	m, err := f.Store.Message(ctx, company, id)
	if r, is := f.replies.Load(id); is && err == nil {
		r := r.(agent.Reply)
		m.Text, m.Reply = r.Text, &r
	}
	return m, err
}

// others calls fn for every company.
func others(ctx context.Context, s storetest.Store, fn func(company string)) {
	l, err := s.Companies(ctx, store.Page{Limit: store.MaxLimit})
	if err != nil {
		return
	}
	for _, c := range l.Data {
		fn(c.ID)
	}
}

type forgetsCompany struct{ storetest.Store }

func (f *forgetsCompany) Document(ctx context.Context, company, id string) (knowledge.Document, error) {
	d, err := f.Store.Document(ctx, company, id)
	if err != nil {
		others(ctx, f.Store, func(other string) {
			if found, e := f.Store.Document(ctx, other, id); e == nil {
				d, err = found, nil
			}
		})
	}
	return d, err
}

type tellsTooMuch struct{ storetest.Store }

func (f *tellsTooMuch) Conversation(ctx context.Context, company, id string) (agent.Conversation, error) {
	c, err := f.Store.Conversation(ctx, company, id)
	if err != nil {
		others(ctx, f.Store, func(other string) {
			if _, e := f.Store.Conversation(ctx, other, id); e == nil {
				err = fmt.Errorf("it is another company's: %w", err)
			}
		})
	}
	return c, err
}

// notesNothing leaves a receipt as its caller gave it.
type notesNothing struct{ storetest.Store }

func (f notesNothing) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	given := c.Receipt
	c.Receipt = nil
	out, err := f.Store.WriteDocuments(ctx, c, writes)
	if err == nil && given != nil {
		err = f.Store.Enqueue(ctx, store.Commit{Company: c.Company, Receipt: given})
	}
	return out, err
}

type writesChecked struct{ storetest.Store }

func (f writesChecked) CheckDocuments(ctx context.Context, company string, writes []knowledge.Write) ([]knowledge.Ingested, error) {
	out, err := f.Store.CheckDocuments(ctx, company, writes)
	for i, w := range writes {
		if w.KeepText && out[i].Err == nil {
			_, err = f.Store.WriteDocuments(ctx, store.Commit{Company: company}, writes[i:i+1])
		}
	}
	return out, err
}

type halfBatches struct{ storetest.Store }

func (f halfBatches) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (out knowledge.Written, err error) {
	for _, w := range writes {
		one, err := f.Store.WriteDocuments(ctx, c, []knowledge.Write{w})
		if err != nil {
			return out, err
		}
		out.Documents, out.Revision = append(out.Documents, one.Documents...), one.Revision
	}
	return out, nil
}

type forgetsFilter struct{ storetest.Store }

func (f forgetsFilter) Documents(ctx context.Context, company string, filter knowledge.Filter, p store.Page) (store.List[knowledge.Document], error) {
	filter.AgentID = ""
	return f.Store.Documents(ctx, company, filter, p)
}

type cutsRevisions struct{ storetest.Store }

func (f cutsRevisions) Changes(ctx context.Context, company string, after int64, limit int) ([]knowledge.Change, error) {
	all, err := f.Store.Changes(ctx, company, after, limit)
	return all[:min(len(all), limit)], err
}

type skipsLive struct{ storetest.Store }

func (f skipsLive) LiveDocuments(ctx context.Context, company, after string, maxBytes int) ([]knowledge.Live, error) {
	all, err := f.Store.LiveDocuments(ctx, company, after, maxBytes)
	if len(all) > 2 {
		all = slices.Delete(all, 1, 2)
	}
	return all, err
}

type skipsChanges struct{ storetest.Store }

func (f skipsChanges) Changes(ctx context.Context, company string, after int64, limit int) ([]knowledge.Change, error) {
	all, err := f.Store.Changes(ctx, company, after, limit)
	if len(all) > 2 {
		all = slices.Delete(all, 1, 2)
	}
	return all, err
}

type skipsEvents struct{ storetest.Store }

func (f skipsEvents) Events(ctx context.Context, company, after string, limit int) ([]event.Event, error) {
	all, err := f.Store.Events(ctx, company, after, limit)
	if len(all) > 2 && len(all) < limit { // as if one that is late were not waited for
		all = slices.Delete(all, 1, 2)
	}
	return all, err
}

type anyCursor struct{ storetest.Store }

func (f anyCursor) Agents(ctx context.Context, company string, p store.Page) (store.List[agent.Agent], error) {
	l, err := f.Store.Agents(ctx, company, p)
	if err != nil && p.Cursor != "" {
		return f.Store.Agents(ctx, company, store.Page{Limit: p.Limit})
	}
	return l, err
}

type claimsTwice struct{ storetest.Store }

func (f claimsTwice) ClaimReceipt(ctx context.Context, c store.ReceiptClaim) (store.ReceiptState, error) {
	s, err := f.Store.ClaimReceipt(ctx, c)
	s.Claimed = s.Claimed || !s.Done && !s.Differs
	return s, err
}

type completesOld struct{ storetest.Store }

func (f completesOld) Enqueue(ctx context.Context, c store.Commit) error {
	err := f.Store.Enqueue(ctx, c)
	if errors.Is(err, store.ErrFenced) {
		c.Receipt = nil
		return f.Store.Enqueue(ctx, c)
	}
	return err
}

// leasesHeldKeys gives out leases again that it gave before.
type leasesHeldKeys struct {
	storetest.Store
	mu    sync.Mutex
	given []store.Lease
}

func (f *leasesHeldKeys) ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) ([]store.Lease, error) {
	leases, err := f.Store.ClaimKeys(ctx, company, queue, worker, lease, limit)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.given = append(f.given, leases...)
	if len(leases) == 0 && err == nil {
		leases = slices.Clone(f.given)
	}
	return leases, err
}

type turnsJobsAround struct{ storetest.Store }

func (f turnsJobsAround) DueJobs(ctx context.Context, l store.Lease, ordered bool, limit int) ([]store.Job, error) {
	jobs, err := f.Store.DueJobs(ctx, l, ordered, limit)
	slices.Reverse(jobs)
	return jobs, err
}

type countsWrong struct{ storetest.Store }

func (f countsWrong) DeleteDocument(ctx context.Context, c store.Commit, id string) (knowledge.Deleted, error) {
	d, err := f.Store.DeleteDocument(ctx, c, id)
	d.Replies = 0
	return d, err
}

type replacesTwice struct{ storetest.Store }

func (f replacesTwice) RotateKey(ctx context.Context, c store.Commit, old string, expires time.Time, k access.Key, hash [32]byte) error {
	err := f.Store.RotateKey(ctx, c, old, expires, k, hash)
	if errors.Is(err, store.ErrConflict) {
		return f.Store.CreateKey(ctx, c, k, hash)
	}
	return err
}

// remembersKeys finds what it has found before, as a cache would.
type remembersKeys struct {
	storetest.Store
	found sync.Map
}

func (f *remembersKeys) KeyByHash(ctx context.Context, hash [32]byte) (access.Key, error) {
	if k, seen := f.found.Load(hash); seen {
		return k.(access.Key), nil
	}
	k, err := f.Store.KeyByHash(ctx, hash)
	if err == nil {
		f.found.Store(hash, k)
	}
	return k, err
}

type tellsWhoseKey struct{ storetest.Store }

func (f tellsWhoseKey) Key(ctx context.Context, company, id string) (access.Key, error) {
	k, err := f.Store.Key(ctx, company, id)
	if err != nil {
		others(ctx, f.Store, func(other string) {
			if found, e := f.Store.Key(ctx, other, id); e == nil {
				k, err = found, nil
			}
		})
	}
	return k, err
}
