package storetest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// These stores look first and act then, as if nobody else could do anything in
// between. The moment in between is made long enough to be met.

// meanwhile is that moment.
func meanwhile() { time.Sleep(200 * time.Microsecond) }

var raceFaults = []fault{
	{"deletes what is deleted", "concurrency/one id", func(s storetest.Store) storetest.Store { return deletesTwice{s} }},
	{"deletes what is deleted beside a step", "concurrency/any two at once", func(s storetest.Store) storetest.Store { return deletesTwice{s} }},
	{"deletes documents beside conversations twice", "concurrency/delete conversation and document", func(s storetest.Store) storetest.Store { return deletesTwice{s} }},
	{"revives what is revived", "concurrency/revive once", func(s storetest.Store) storetest.Store { return revivesTwice{s} }},
	{"revives what is revived by a step held open", "concurrency/overtaken by a step held open", func(s storetest.Store) storetest.Store {
		return revivesHeld{revivesTwice{s}, &lends{Store: s}}
	}},
	{"loses an erasure", "concurrency/delete cited documents at once", func(s storetest.Store) storetest.Store { return &losesErasures{leavesQuotes: leavesQuotes{Store: s}} }},
	{"loses an erasure to feedback", "concurrency/feedback at once", func(s storetest.Store) storetest.Store { return &losesErasures{leavesQuotes: leavesQuotes{Store: s}} }},
	{"loses the end of an erasure", "concurrency/delete all while citing", func(s storetest.Store) storetest.Store { return &losesErasures{leavesQuotes: leavesQuotes{Store: s}} }},
	{"ends what is taken over", "concurrency/end or take", func(s storetest.Store) storetest.Store { return endsTwice{s} }},
	{"loses work", "concurrency/one queue", func(s storetest.Store) storetest.Store { return &losesWork{Store: s} }},
	{"meets itself", "concurrency/documents in opposite orders", func(s storetest.Store) storetest.Store { return &deadlocks{Store: s} }},
	{"meets itself when it commits", "concurrency/commits in opposite orders", func(s storetest.Store) storetest.Store { return &deadlocks{Store: s} }},
	{"meets itself when it cites", "concurrency/citations in opposite orders", func(s storetest.Store) storetest.Store { return &deadlocks{Store: s} }},
	{"leaves work of a company", "concurrency/delete company while reviving", func(s storetest.Store) storetest.Store { return &leavesWork{Store: s} }},
	{"leaves work of a company in the midst of all", "concurrency/delete company during every step", func(s storetest.Store) storetest.Store { return &leavesWork{Store: s} }},
	{"leaves work of a company that was held open", "concurrency/delete beside a step held open", func(s storetest.Store) storetest.Store {
		return leavesHeldWork{&leavesWork{Store: s}, &lends{Store: s}}
	}},
	{"leaves an agent's conversations", "concurrency/delete agent while writing", func(s storetest.Store) storetest.Store { return &leavesConversations{Store: s} }},
	{"talks on in what is deleted", "concurrency/delete conversation while talking", func(s storetest.Store) storetest.Store { return &leavesMessages{leavesQuotes: leavesQuotes{Store: s}} }},
	{"makes several first companies", "companies/first at once", func(s storetest.Store) storetest.Store { return severalFirst{s} }},
	{"takes the oldest for the first", "companies/first by making", func(s storetest.Store) storetest.Store { return oldestFirst{s} }},
	{"replaces a key that was revoked", "keys/many rotate and revoke at once", func(s storetest.Store) storetest.Store { return replacesRevoked{s} }},
	{"claims what is done", "receipts/done or lapsed", func(s storetest.Store) storetest.Store { return claimsDone{s} }},
	{"claims what is held", "receipts/passed on", func(s storetest.Store) storetest.Store { return claimsTwice{s} }},
	{"claims at once what was forgotten", "receipts/forgotten at once", func(s storetest.Store) storetest.Store { return claimsTwice{s} }},
	{"releases what is done", "receipts/released or done", func(s storetest.Store) storetest.Store { return releasesDone{s} }},
}

type deletesTwice struct{ storetest.Store }

func (f deletesTwice) DeleteDocument(ctx context.Context, c store.Commit, id string) (knowledge.Deleted, error) {
	_, err := f.Document(ctx, c.Company, id)
	if err != nil {
		return knowledge.Deleted{}, err
	}
	meanwhile()
	d, err := f.Store.DeleteDocument(ctx, c, id)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return d, err
}

type revivesTwice struct{ storetest.Store }

func (f revivesTwice) ReviveJob(ctx context.Context, company, id string) error {
	meanwhile()
	if err := f.Store.ReviveJob(ctx, company, id); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// revivesHeld is that of a Lender.
type revivesHeld struct {
	revivesTwice
	lender *lends
}

func (f revivesHeld) Lend(ctx context.Context) (context.Context, func() error, func() error, error) {
	return f.lender.Lend(ctx)
}

// losesErasures writes a reply back as it was if it is changed twice at once.
type losesErasures struct {
	leavesQuotes
	changing atomic.Int32
	lost     atomic.Bool
}

func (f *losesErasures) change() (done func()) {
	if f.changing.Add(1) > 1 {
		f.lost.Store(true)
	}
	meanwhile()
	return func() { f.changing.Add(-1) }
}

func (f *losesErasures) DeleteDocument(ctx context.Context, c store.Commit, id string) (knowledge.Deleted, error) {
	defer f.change()()
	return f.Store.DeleteDocument(ctx, c, id)
}

func (f *losesErasures) PutFeedback(ctx context.Context, c store.Commit, given agent.Feedback) (agent.Feedback, error) {
	defer f.change()()
	return f.Store.PutFeedback(ctx, c, given)
}

func (f *losesErasures) Message(ctx context.Context, company, id string) (agent.Message, error) {
	if f.lost.Load() {
		return f.leavesQuotes.Message(ctx, company, id)
	}
	return f.Store.Message(ctx, company, id)
}

func (f *losesErasures) Messages(ctx context.Context, company string, filter agent.MessageFilter, p store.Page) (store.List[agent.Message], error) {
	l, err := f.Store.Messages(ctx, company, filter, p)
	for i, m := range l.Data {
		if was, e := f.Message(ctx, company, m.ID); e == nil {
			l.Data[i] = was
		}
	}
	return l, err
}

type endsTwice struct{ storetest.Store }

func (f endsTwice) EndTurn(ctx context.Context, c store.Commit, t agent.TurnRef, e agent.End) error {
	if err := f.Store.EndTurn(ctx, c, t, e); !errors.Is(err, store.ErrFenced) {
		return err
	}
	return nil
}

// losesWork queues nothing to a key that is being given back.
type losesWork struct {
	storetest.Store
	releasing atomic.Int32
}

func (f *losesWork) ReleaseKey(ctx context.Context, l store.Lease) error {
	f.releasing.Add(1)
	defer f.releasing.Add(-1)
	meanwhile()
	return f.Store.ReleaseKey(ctx, l)
}

func (f *losesWork) Enqueue(ctx context.Context, c store.Commit) error {
	if f.releasing.Load() > 0 && len(c.Work) > 0 {
		c.Work = c.Work[1:]
	}
	return f.Store.Enqueue(ctx, c)
}

// deadlocks fails a step that meets another one.
type deadlocks struct {
	storetest.Store
	busy atomic.Int32
}

var errDeadlock = errors.New("deadlock detected")

func (f *deadlocks) meets() bool {
	defer f.busy.Add(-1)
	met := f.busy.Add(1) > 1
	meanwhile()
	return met
}

func (f *deadlocks) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	if f.meets() {
		return knowledge.Written{}, errDeadlock
	}
	return f.Store.WriteDocuments(ctx, c, writes)
}

func (f *deadlocks) Enqueue(ctx context.Context, c store.Commit) error {
	if f.meets() {
		return errDeadlock
	}
	return f.Store.Enqueue(ctx, c)
}

// leavesWork has work of a deleted company, which is seen when the id is used
// again.
type leavesWork struct {
	storetest.Store
	deleted sync.Map
}

func (f *leavesWork) DeleteCompany(ctx context.Context, cm store.Commit) error {
	f.deleted.Store(cm.Company, true)
	return f.Store.DeleteCompany(ctx, cm)
}

func (f *leavesWork) CreateCompany(ctx context.Context, cm store.Commit, c access.Company) error {
	if _, again := f.deleted.Load(c.ID); again {
		cm.Work = append(cm.Work, store.Work{ID: id.New(id.Work), Queue: "runs", Key: "left"})
	}
	return f.Store.CreateCompany(ctx, cm, c)
}

// leavesHeldWork is that of a Lender.
type leavesHeldWork struct {
	*leavesWork
	lender *lends
}

func (f leavesHeldWork) Lend(ctx context.Context) (context.Context, func() error, func() error, error) {
	return f.lender.Lend(ctx)
}

// leavesConversations lists the conversations of an agent also when it is deleted,
// if they were begun while that happened.
type leavesConversations struct {
	storetest.Store
	deleting atomic.Int32
	mu       sync.Mutex
	left     []agent.Conversation
}

func (f *leavesConversations) DeleteAgent(ctx context.Context, c store.Commit, id string) (agent.Deleted, error) {
	f.deleting.Add(1)
	defer f.deleting.Add(-1)
	l, _ := f.Store.Conversations(ctx, c.Company, agent.ConversationFilter{AgentID: id}, store.Page{Limit: 1})
	f.mu.Lock()
	f.left = append(f.left, l.Data...)
	f.mu.Unlock()
	return f.Store.DeleteAgent(ctx, c, id)
}

func (f *leavesConversations) Conversations(ctx context.Context, company string, filter agent.ConversationFilter, p store.Page) (store.List[agent.Conversation], error) {
	l, err := f.Store.Conversations(ctx, company, filter, p)
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.Cursor == "" {
		l.Data = append(l.Data, f.left...)
	}
	return l, err
}

// leavesMessages has the reply of a turn that ended while its conversation was
// deleted.
type leavesMessages struct{ leavesQuotes }

func (f *leavesMessages) Message(ctx context.Context, company, id string) (agent.Message, error) {
	m, err := f.Store.Message(ctx, company, id)
	if r, was := f.replies.Load(id); was && err != nil {
		return agent.Message{ID: id, Text: r.(agent.Reply).Text}, nil
	}
	return m, err
}

type severalFirst struct{ storetest.Store }

func (f severalFirst) FirstCompany(ctx context.Context, cm store.Commit, c access.Company) (access.Company, error) {
	l, err := f.Companies(ctx, store.Page{})
	if err != nil || len(l.Data) > 0 {
		return f.Store.FirstCompany(ctx, cm, c)
	}
	meanwhile()
	return c, f.CreateCompany(ctx, cm, c)
}

type oldestFirst struct{ storetest.Store }

func (f oldestFirst) FirstCompany(ctx context.Context, cm store.Commit, c access.Company) (access.Company, error) {
	first, err := f.Store.FirstCompany(ctx, cm, c)
	if l, e := f.Companies(ctx, store.Page{Limit: store.MaxLimit}); e == nil {
		for _, c := range l.Data {
			if c.CreatedAt.Before(first.CreatedAt) {
				first = c
			}
		}
	}
	return first, err
}

type replacesRevoked struct{ storetest.Store }

func (f replacesRevoked) RotateKey(ctx context.Context, c store.Commit, old string, expires time.Time, k access.Key, hash [32]byte) error {
	err := f.Store.RotateKey(ctx, c, old, expires, k, hash)
	if errors.Is(err, store.ErrNotFound) {
		return f.CreateKey(ctx, c, k, hash)
	}
	return err
}

type claimsDone struct{ storetest.Store }

func (f claimsDone) ClaimReceipt(ctx context.Context, c store.ReceiptClaim) (store.ReceiptState, error) {
	s, err := f.Store.ClaimReceipt(ctx, c)
	s.Claimed = !s.Differs
	return s, err
}

type releasesDone struct{ storetest.Store }

func (f releasesDone) ReleaseReceipt(ctx context.Context, company string, r store.Receipt) error {
	meanwhile()
	if err := f.Store.ReleaseReceipt(ctx, company, r); !errors.Is(err, store.ErrFenced) {
		return err
	}
	return nil
}
