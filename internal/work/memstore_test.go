package work_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/store"
)

// A memStore is a work.Store in memory, with a record of what was asked of it.
type memStore struct {
	mu    sync.Mutex
	fence int64
	keys  map[memName]*memKey
	dead  []store.DeadJob

	calls map[string]int  // by method
	done  []string        // ids, in the order they were recorded
	tries []store.Outcome // all outcomes, in the order they were recorded
}

type memName struct{ company, queue, key string }

type memKey struct {
	jobs  []store.Job // in the order queued
	due   time.Time   // since when the key waits, or until when
	lease store.Lease // alive until lease.Until
}

func newMemStore() *memStore {
	return &memStore{keys: make(map[memName]*memKey), calls: make(map[string]int)}
}

func (s *memStore) enter(method string) func() {
	s.mu.Lock()
	s.calls[method]++
	return s.mu.Unlock
}

// waiting returns the keys of a queue that may be claimed, longest waiting first.
func (s *memStore) waiting(company, queue string) []memName {
	now := time.Now()
	var names []memName
	for n, k := range s.keys {
		if (company == "" || n.company == company) && n.queue == queue && len(k.jobs) > 0 && !k.due.After(now) && !k.lease.Until.After(now) {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, func(a, b memName) int {
		return cmp.Or(s.keys[a].due.Compare(s.keys[b].due), cmp.Compare(a.company, b.company), cmp.Compare(a.key, b.key))
	})
	return names
}

func (s *memStore) DueCompanies(ctx context.Context, queue string, limit int) ([]string, error) {
	defer s.enter("DueCompanies")()
	var companies []string
	for _, n := range s.waiting("", queue) {
		if !slices.Contains(companies, n.company) && len(companies) < limit {
			companies = append(companies, n.company)
		}
	}
	return companies, ctx.Err()
}

func (s *memStore) ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) ([]store.Lease, error) {
	defer s.enter("ClaimKeys")()
	var leases []store.Lease
	for _, n := range s.waiting(company, queue) {
		if len(leases) < limit {
			s.fence++
			l := store.Lease{Company: company, Queue: queue, Key: n.key, Worker: worker, Fence: s.fence, Until: time.Now().Add(lease)}
			s.keys[n].lease = l
			leases = append(leases, l)
		}
	}
	return leases, nil
}

// leased returns the key of the lease if that is the newest.
func (s *memStore) leased(l store.Lease) (*memKey, error) {
	k := s.keys[memName{l.Company, l.Queue, l.Key}]
	if k == nil || k.lease.Fence != l.Fence {
		return nil, fmt.Errorf("key %s: %w", l.Key, store.ErrFenced)
	}
	return k, nil
}

func (s *memStore) DueJobs(ctx context.Context, l store.Lease, ordered bool, limit int) ([]store.Job, error) {
	defer s.enter("DueJobs")()
	k, err := s.leased(l)
	if err != nil {
		return nil, err
	}
	var due []store.Job
	for _, j := range k.jobs {
		if !j.RunAt.After(time.Now()) {
			due = append(due, j)
		} else if ordered && len(due) == 0 {
			k.due = j.RunAt
		}
		if ordered || len(due) == limit {
			break
		}
	}
	return due, nil
}

func (s *memStore) RenewLease(ctx context.Context, l store.Lease, d time.Duration) (store.Lease, error) {
	defer s.enter("RenewLease")()
	k, err := s.leased(l)
	if err != nil {
		return l, err
	}
	k.lease.Until = time.Now().Add(d)
	return k.lease, nil
}

func (s *memStore) FinishJobs(ctx context.Context, l store.Lease, outcomes []store.Outcome) error {
	defer s.enter("FinishJobs")()
	k, err := s.leased(l)
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		i := slices.IndexFunc(k.jobs, func(j store.Job) bool { return j.ID == o.ID })
		if i < 0 {
			continue // recorded before
		}
		s.tries = append(s.tries, o)
		switch {
		case o.Done:
			s.done = append(s.done, o.ID)
			k.jobs = slices.Delete(k.jobs, i, i+1)
		case o.Dead:
			s.dead = append(s.dead, store.DeadJob{Job: k.jobs[i], Reason: o.Reason, Died: time.Now()})
			k.jobs = slices.Delete(k.jobs, i, i+1)
		case o.RetryIn > 0:
			k.jobs[i].Attempt++
			k.jobs[i].RunAt = time.Now().Add(o.RetryIn)
		default:
			return fmt.Errorf("outcome of %s says nothing", o.ID)
		}
	}
	for i, j := range k.jobs {
		if i == 0 || j.RunAt.Before(k.due) {
			k.due = j.RunAt
		}
	}
	return nil
}

func (s *memStore) ReleaseKey(ctx context.Context, l store.Lease) error {
	defer s.enter("ReleaseKey")()
	k, err := s.leased(l)
	if err != nil {
		return err
	}
	k.lease = store.Lease{}
	if now := time.Now(); k.due.Before(now) {
		k.due = now // behind those that wait
	}
	return nil
}

func (s *memStore) DeadJobs(ctx context.Context, company, queue string, p store.Page) (store.List[store.DeadJob], error) {
	defer s.enter("DeadJobs")()
	return store.List[store.DeadJob]{Data: slices.Clone(s.dead)}, nil
}

func (s *memStore) ReviveJob(ctx context.Context, company, id string) error {
	defer s.enter("ReviveJob")()
	i := slices.IndexFunc(s.dead, func(j store.DeadJob) bool { return j.ID == id })
	if i < 0 {
		return store.NotFound("dead job", id)
	}
	s.put(company, s.dead[i].Work)
	s.dead = slices.Delete(s.dead, i, i+1)
	return nil
}

func (s *memStore) Enqueue(ctx context.Context, c store.Commit) error {
	defer s.enter("Enqueue")()
	for _, w := range c.Work {
		s.put(c.Company, w)
	}
	return nil
}

func (s *memStore) put(company string, w store.Work) {
	now := time.Now()
	if w.RunAt.Before(now) {
		w.RunAt = now
	}
	n := memName{company, w.Queue, w.Key}
	k := s.keys[n]
	if k == nil {
		k = &memKey{}
		s.keys[n] = k
	}
	if len(k.jobs) == 0 || w.RunAt.Before(k.due) {
		k.due = w.RunAt
	}
	k.jobs = append(k.jobs, store.Job{Work: w, Attempt: 1, Queued: now})
}

// asked returns how often a method was called.
func (s *memStore) asked(method string) int {
	defer s.lock()()
	return s.calls[method]
}

// recorded returns the ids of the jobs that are done, and of those that are
// dead, in the order recorded, and how many are still to be done.
func (s *memStore) recorded() (done, dead []string, left int) {
	defer s.lock()()
	for _, j := range s.dead {
		dead = append(dead, j.ID)
	}
	for _, k := range s.keys {
		left += len(k.jobs)
	}
	return slices.Clone(s.done), dead, left
}

// leases returns how many leases are alive.
func (s *memStore) leases() (n int) {
	defer s.lock()()
	for _, k := range s.keys {
		if k.lease.Until.After(time.Now()) {
			n++
		}
	}
	return n
}

// steal gives a key to somebody else, for longer than any test looks.
func (s *memStore) steal(n memName) {
	defer s.lock()()
	s.fence++
	s.keys[n].lease.Fence, s.keys[n].lease.Until = s.fence, time.Now().Add(24*time.Hour)
}

func (s *memStore) lock() func() {
	s.mu.Lock()
	return s.mu.Unlock
}

// A node is one process's way to the store, which may be slow, fail, or be gone.
type node struct {
	work.Store

	mu    sync.Mutex
	down  error         // what every call returns, without asking the store
	stuck chan struct{} // calls wait until it is closed or their context ends

	fail float64       // how many of the calls fail, half of them after the store has acted
	slow time.Duration // the longest that a call takes
}

func (n *node) set(f func(n *node)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f(n)
}

func (n *node) call(ctx context.Context, ask func() error) error {
	n.mu.Lock()
	down, stuck, fail, slow := n.down, n.stuck, n.fail, n.slow
	n.mu.Unlock()
	if stuck != nil {
		select {
		case <-stuck:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if slow > 0 {
		time.Sleep(rand.N(slow))
	}
	if err := cmp.Or(down, ctx.Err()); err != nil {
		return err
	}
	lost := rand.Float64() < fail
	if lost && rand.N(2) == 0 {
		return store.ErrUnavailable
	}
	if err := ask(); err != nil {
		return err
	}
	if slow > 0 {
		time.Sleep(rand.N(slow))
	}
	if lost {
		return store.ErrUnavailable
	}
	return nil
}

func (n *node) DueCompanies(ctx context.Context, queue string, limit int) (out []string, err error) {
	err = n.call(ctx, func() (err error) { out, err = n.Store.DueCompanies(ctx, queue, limit); return })
	return out, err
}

func (n *node) ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) (out []store.Lease, err error) {
	err = n.call(ctx, func() (err error) {
		out, err = n.Store.ClaimKeys(ctx, company, queue, worker, lease, limit)
		return
	})
	return out, err
}

func (n *node) DueJobs(ctx context.Context, l store.Lease, ordered bool, limit int) (out []store.Job, err error) {
	err = n.call(ctx, func() (err error) { out, err = n.Store.DueJobs(ctx, l, ordered, limit); return })
	return out, err
}

func (n *node) RenewLease(ctx context.Context, l store.Lease, d time.Duration) (out store.Lease, err error) {
	err = n.call(ctx, func() (err error) { out, err = n.Store.RenewLease(ctx, l, d); return })
	return out, err
}

func (n *node) FinishJobs(ctx context.Context, l store.Lease, outcomes []store.Outcome) error {
	return n.call(ctx, func() error { return n.Store.FinishJobs(ctx, l, outcomes) })
}

func (n *node) ReleaseKey(ctx context.Context, l store.Lease) error {
	return n.call(ctx, func() error { return n.Store.ReleaseKey(ctx, l) })
}
