package reference

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// keyName names a key of a queue.
type keyName struct{ queue, key string }

type job struct {
	store.Job
	dead   bool
	reason string
	died   time.Time
}

func (j job) name() keyName         { return keyName{j.Queue, j.Key} }
func (j job) due(at time.Time) bool { return !j.dead && !j.RunAt.After(at) }

// claimable returns the keys of a queue that have work due and no living lease,
// those due longest first, and since when the first one is.
func (c *tenant) claimable(queue string) (keys []keyName, since time.Time) {
	now := time.Now()
	var due []job
	for _, j := range c.jobs {
		if floor := c.floors[j.name()]; j.RunAt.Before(floor) {
			j.RunAt = floor
		}
		if j.Queue == queue && j.due(now) && !now.Before(c.leases[j.name()].Until) {
			due = append(due, j)
		}
	}
	slices.SortStableFunc(due, func(a, b job) int { return a.RunAt.Compare(b.RunAt) })
	for _, j := range due {
		if !slices.Contains(keys, j.name()) {
			keys = append(keys, j.name())
		}
	}
	if len(due) > 0 {
		since = due[0].RunAt
	}
	return keys, since
}

// floor keeps a key from being due before a moment.
func (c *tenant) floor(k keyName, at time.Time) {
	if c.floors[k].Before(at) {
		c.floors[k] = at
	}
}

// DueCompanies implements [work.Store].
func (s *Store) DueCompanies(ctx context.Context, queue string, limit int) (out []string, err error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	waiting := map[string]time.Time{}
	for _, c := range s.companies {
		if keys, since := c.claimable(queue); len(keys) > 0 {
			waiting[c.ID] = since
			out = append(out, c.ID)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return waiting[a].Compare(waiting[b]) })
	return out[:min(len(out), limit)], nil
}

// ClaimKeys implements [work.Store].
func (s *Store) ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) (out []store.Lease, err error) {
	err = s.step(ctx, store.Commit{Company: company}, func(c *tenant, _ *store.Commit) error {
		keys, _ := c.claimable(queue)
		for _, k := range keys {
			if len(out) == limit {
				break
			}
			l := store.Lease{
				Company: company, Queue: k.queue, Key: k.key,
				Worker: worker, Fence: s.nextFence(), Until: stored(time.Now().Add(lease)),
			}
			c.leases[k] = l
			out = append(out, l)
		}
		return nil
	})
	return out, err
}

// leased returns [store.ErrFenced] unless a lease is the last one of its key.
func (c *tenant) leased(l store.Lease) error {
	if last, ok := c.leases[keyName{l.Queue, l.Key}]; !ok || last.Fence != l.Fence {
		return fmt.Errorf("key %q of queue %s: %w", l.Key, l.Queue, store.ErrFenced)
	}
	return nil
}

// DueJobs implements [work.Store].
func (s *Store) DueJobs(ctx context.Context, l store.Lease, ordered bool, limit int) (out []store.Job, err error) {
	err = s.step(ctx, store.Commit{Company: l.Company}, func(c *tenant, _ *store.Commit) error {
		if err := c.leased(l); err != nil {
			return err
		}
		now := time.Now()
		for _, j := range c.jobs {
			if j.name() != (keyName{l.Queue, l.Key}) || j.dead || len(out) >= limit {
				continue
			}
			if j.due(now) {
				v := j.Job
				v.Payload = slices.Clone(v.Payload)
				out = append(out, v)
			}
			if ordered {
				c.floor(j.name(), j.RunAt)
				break
			}
		}
		return nil
	})
	return out, err
}

// RenewLease implements [work.Store].
func (s *Store) RenewLease(ctx context.Context, l store.Lease, d time.Duration) (store.Lease, error) {
	err := s.step(ctx, store.Commit{Company: l.Company}, func(c *tenant, _ *store.Commit) error {
		if err := c.leased(l); err != nil {
			return err
		}
		l.Until = stored(time.Now().Add(d))
		c.leases[keyName{l.Queue, l.Key}] = l
		return nil
	})
	return l, err
}

// FinishJobs implements [work.Store].
func (s *Store) FinishJobs(ctx context.Context, l store.Lease, outcomes []store.Outcome) error {
	return s.step(ctx, store.Commit{Company: l.Company}, func(c *tenant, _ *store.Commit) error {
		if err := c.leased(l); err != nil {
			return err
		}
		now := time.Now()
		delete(c.floors, keyName{l.Queue, l.Key})
		for _, o := range outcomes {
			i := slices.IndexFunc(c.jobs, func(j job) bool { return j.ID == o.ID && !j.dead && j.name() == keyName{l.Queue, l.Key} })
			switch {
			case i < 0: // it is not there
			case o.Done:
				c.jobs = slices.Delete(c.jobs, i, i+1)
			case o.Dead:
				c.jobs[i].dead, c.jobs[i].reason, c.jobs[i].died = true, o.Reason, stored(now)
			default:
				c.jobs[i].Attempt++
				c.jobs[i].RunAt = now.Add(o.RetryIn)
			}
		}
		return nil
	})
}

// ReleaseKey implements [work.Store].
func (s *Store) ReleaseKey(ctx context.Context, l store.Lease) error {
	return s.step(ctx, store.Commit{Company: l.Company}, func(c *tenant, _ *store.Commit) error {
		if err := c.leased(l); err != nil {
			return err
		}
		delete(c.leases, keyName{l.Queue, l.Key})
		c.floor(keyName{l.Queue, l.Key}, time.Now())
		return nil
	})
}

// DeadJobs implements [work.Store].
func (s *Store) DeadJobs(ctx context.Context, company, queue string, p store.Page) (out store.List[store.DeadJob], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		var all []store.DeadJob
		for _, j := range c.jobs {
			if j.dead && j.Queue == queue {
				v := store.DeadJob{Job: j.Job, Reason: j.reason, Died: j.died}
				v.Payload = slices.Clone(v.Payload)
				all = append(all, v)
			}
		}
		out, err = newest(all, p, func(j store.DeadJob) string { return j.ID }, "dead", company, queue)
		return err
	})
	return out, err
}

// ReviveJob implements [work.Store].
func (s *Store) ReviveJob(ctx context.Context, company, jobID string) error {
	return s.step(ctx, store.Commit{Company: company}, func(c *tenant, _ *store.Commit) error {
		i := slices.IndexFunc(c.jobs, func(j job) bool { return j.ID == jobID && j.dead })
		if i < 0 {
			return store.NotFound("dead job", jobID)
		}
		j := c.jobs[i]
		j.dead, j.Attempt, j.RunAt = false, 1, time.Now()
		c.jobs = append(slices.Delete(c.jobs, i, i+1), j) // behind what is queued
		return nil
	})
}

// Enqueue implements [work.Store].
func (s *Store) Enqueue(ctx context.Context, cm store.Commit) error {
	return s.step(ctx, cm, func(*tenant, *store.Commit) error { return nil })
}
