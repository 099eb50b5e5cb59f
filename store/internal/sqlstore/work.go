package sqlstore

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// never is when a key without jobs is due.
const never = math.MaxInt64

// lostAfter is how long after its lease ran out a worker is taken not to come
// back; until then it may renew a lease that nobody else has claimed.
const lostAfter = 24 * time.Hour

// Enqueue implements work.Store.
func (s *Store) Enqueue(ctx context.Context, c store.Commit) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		if err := haveCompany(tx, c.Company, keyShare); err != nil {
			return err
		}
		c := c
		c.Events = foreign(c.Events)
		return s.write(c, tx)
	})
}

func enqueue(tx Tx, company string, w store.Work) error {
	if len(w.Payload) > maxPayload {
		return fmt.Errorf("work %s: its payload of %d bytes is over %d: queue ids, not content", w.ID, len(w.Payload), maxPayload)
	}
	at, err := tx.Now()
	if err != nil {
		return err
	}
	return putJob(tx, company, w, 1, at, max(micros(w.RunAt), at))
}

// putJob adds a job behind those of its key, and wakes the key.
func putJob(tx Tx, company string, w store.Work, attempt, queued, runAt int64) error {
	payload := w.Payload
	if payload == nil {
		payload = []byte{}
	}
	// The key first: who has it knows the last position.
	if _, err := tx.Exec(`INSERT INTO work_keys (company, queue, key, due_at, worker, fence, lease_until) VALUES (?, ?, ?, ?, '', 0, 0)
		ON CONFLICT (company, queue, key) DO UPDATE SET
			due_at = CASE WHEN excluded.due_at < work_keys.due_at THEN excluded.due_at ELSE work_keys.due_at END`,
		company, w.Queue, w.Key, runAt); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO work_jobs (company, queue, key, position, id, payload, run_at, attempt, queued_at)
		SELECT ?, ?, ?, COALESCE(MAX(position), 0) + 1, ?, ?, ?, ?, ? FROM work_jobs WHERE company = ? AND queue = ? AND key = ?`,
		company, w.Queue, w.Key, w.ID, payload, runAt, attempt, queued, company, w.Queue, w.Key)
	return err
}

// DueCompanies implements work.Store.
func (s *Store) DueCompanies(ctx context.Context, queue string, limit int) (companies []string, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		at, err := tx.Now()
		if err != nil {
			return err
		}
		companies, err = column(tx, `SELECT company FROM work_keys WHERE queue = ? AND due_at <= ? AND lease_until <= ?
			GROUP BY company ORDER BY MIN(due_at), company LIMIT ?`, queue, at, at, limit)
		return err
	})
	return companies, err
}

// ClaimKeys implements work.Store.
func (s *Store) ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) (leases []store.Lease, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		leases = nil
		at, err := tx.Now()
		if err != nil {
			return err
		}
		until := at + lease.Microseconds()
		// Keys whose last job is done, and whose worker was lost before it gave them back.
		lost, err := column(tx, `SELECT key FROM work_keys WHERE company = ? AND queue = ? AND due_at = ? AND lease_until <= ?`+skipLocked,
			company, queue, int64(never), at-lostAfter.Microseconds())
		if err != nil {
			return err
		}
		for _, key := range lost {
			if _, err := tx.Exec(`DELETE FROM work_keys WHERE company = ? AND queue = ? AND key = ?`, company, queue, key); err != nil {
				return err
			}
		}
		err = all(tx, func(r Rows) error {
			l := store.Lease{Company: company, Queue: queue, Worker: worker, Until: moment(until)}
			err := r.Scan(&l.Key, &l.Fence)
			l.Fence = max(l.Fence+1, at) // so that it grows even if the row was removed in between
			leases = append(leases, l)
			return err
		}, `SELECT key, fence FROM work_keys WHERE company = ? AND queue = ? AND due_at <= ? AND lease_until <= ?
			ORDER BY due_at, key LIMIT ?`+skipLocked, company, queue, at, at, limit)
		if err != nil {
			return err
		}
		for _, l := range leases {
			if _, err := tx.Exec(`UPDATE work_keys SET worker = ?, fence = ?, lease_until = ? WHERE company = ? AND queue = ? AND key = ?`,
				worker, l.Fence, until, company, queue, l.Key); err != nil {
				return err
			}
		}
		return nil
	})
	return leases, err
}

// leased returns [store.ErrFenced] unless the lease is the newest claim of its
// key. A step that writes gives the lock under which it stays so.
func leased(tx Tx, l store.Lease, lock string) error {
	var fence, until int64
	found, err := one(tx, []any{&fence, &until}, `SELECT fence, lease_until FROM work_keys WHERE company = ? AND queue = ? AND key = ?`+lock,
		l.Company, l.Queue, l.Key)
	if err != nil {
		return err
	}
	if !found || fence != l.Fence || until == 0 {
		return fmt.Errorf("key %s of queue %s: %w", l.Key, l.Queue, store.ErrFenced)
	}
	return nil
}

// DueJobs implements work.Store.
func (s *Store) DueJobs(ctx context.Context, l store.Lease, ordered bool, limit int) (jobs []store.Job, err error) {
	waits := false
	err = s.engine.Read(ctx, func(tx Tx) error {
		var next int64
		jobs, next, err = dueJobs(tx, l, ordered, limit, "")
		waits = next > 0
		return err
	})
	if err != nil || !waits {
		return jobs, err
	}
	// Younger jobs made the key due before its turn came.
	err = s.engine.Write(ctx, func(tx Tx) error {
		var next int64
		if jobs, next, err = dueJobs(tx, l, ordered, limit, forUpdate); err != nil || next == 0 {
			return err
		}
		_, err = tx.Exec(`UPDATE work_keys SET due_at = ? WHERE company = ? AND queue = ? AND key = ?`, next, l.Company, l.Queue, l.Key)
		return err
	})
	return jobs, err
}

// dueJobs reads the jobs of a key that are due, and when the oldest one of an
// ordered key may run if that is later.
func dueJobs(tx Tx, l store.Lease, ordered bool, limit int, lock string) (jobs []store.Job, next int64, err error) {
	if err := leased(tx, l, lock); err != nil {
		return nil, 0, err
	}
	at, err := tx.Now()
	if err != nil {
		return nil, 0, err
	}
	query, args := `SELECT id, payload, run_at, attempt, queued_at FROM work_jobs WHERE company = ? AND queue = ? AND key = ?`,
		[]any{l.Company, l.Queue, l.Key}
	if ordered {
		query, limit = query+` ORDER BY position LIMIT ?`, 1
	} else {
		query, args = query+` AND run_at <= ? ORDER BY position LIMIT ?`, append(args, at)
	}
	err = all(tx, func(r Rows) error {
		j := store.Job{Work: store.Work{Queue: l.Queue, Key: l.Key}}
		var run, queued int64
		if err := r.Scan(&j.ID, &j.Payload, &run, &j.Attempt, &queued); err != nil {
			return err
		}
		if run > at {
			next = run
			return nil
		}
		j.RunAt, j.Queued = moment(run), moment(queued)
		jobs = append(jobs, j)
		return nil
	}, query, append(args, limit)...)
	return jobs, next, err
}

// RenewLease implements work.Store.
func (s *Store) RenewLease(ctx context.Context, l store.Lease, d time.Duration) (store.Lease, error) {
	err := s.engine.Write(ctx, func(tx Tx) error {
		if err := leased(tx, l, forUpdate); err != nil {
			return err
		}
		at, err := tx.Now()
		if err != nil {
			return err
		}
		until := at + d.Microseconds()
		l.Until = moment(until)
		_, err = tx.Exec(`UPDATE work_keys SET lease_until = ? WHERE company = ? AND queue = ? AND key = ?`, until, l.Company, l.Queue, l.Key)
		return err
	})
	return l, err
}

// FinishJobs implements work.Store.
func (s *Store) FinishJobs(ctx context.Context, l store.Lease, outcomes []store.Outcome) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		if err := leased(tx, l, forUpdate); err != nil {
			return err
		}
		at, err := tx.Now()
		if err != nil {
			return err
		}
		for _, o := range outcomes {
			if err := finish(tx, l, o, at); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`UPDATE work_keys SET due_at = (SELECT COALESCE(MIN(run_at), ?) FROM work_jobs WHERE company = ? AND queue = ? AND key = ?)
			WHERE company = ? AND queue = ? AND key = ?`, int64(never), l.Company, l.Queue, l.Key, l.Company, l.Queue, l.Key)
		return err
	})
}

func finish(tx Tx, l store.Lease, o store.Outcome, at int64) error {
	where, args := ` WHERE company = ? AND queue = ? AND key = ? AND id = ?`, []any{l.Company, l.Queue, l.Key, o.ID}
	switch {
	case o.Dead:
		if _, err := tx.Exec(`INSERT INTO work_dead (company, id, queue, key, payload, run_at, attempt, reason, queued_at, died_at)
			SELECT company, id, queue, key, payload, run_at, attempt, ?, queued_at, ? FROM work_jobs`+where,
			append([]any{o.Reason, at}, args...)...); err != nil {
			return err
		}
		fallthrough
	case o.Done:
		_, err := tx.Exec(`DELETE FROM work_jobs`+where, args...)
		return err
	}
	_, err := tx.Exec(`UPDATE work_jobs SET attempt = attempt + 1, run_at = ?`+where,
		append([]any{at + o.RetryIn.Microseconds()}, args...)...)
	return err
}

// ReleaseKey implements work.Store.
func (s *Store) ReleaseKey(ctx context.Context, l store.Lease) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		if err := leased(tx, l, forUpdate); err != nil {
			return err
		}
		n, err := tx.Exec(`DELETE FROM work_keys WHERE company = ? AND queue = ? AND key = ? AND NOT EXISTS
			(SELECT 1 FROM work_jobs j WHERE j.company = work_keys.company AND j.queue = work_keys.queue AND j.key = work_keys.key)`,
			l.Company, l.Queue, l.Key)
		if err != nil || n > 0 {
			return err
		}
		at, err := tx.Now()
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE work_keys SET worker = '', lease_until = 0, due_at = CASE WHEN due_at < ? THEN ? ELSE due_at END
			WHERE company = ? AND queue = ? AND key = ?`, at, at, l.Company, l.Queue, l.Key)
		return err
	})
}

// DeadJobs implements work.Store.
func (s *Store) DeadJobs(ctx context.Context, company, queue string, p store.Page) (store.List[store.DeadJob], error) {
	return list(ctx, s, p, []string{"dead", company, queue}, func(d store.DeadJob) string { return d.ID },
		func(r Rows) (d store.DeadJob, err error) {
			var run, queued, died int64
			err = r.Scan(&d.ID, &d.Queue, &d.Key, &d.Payload, &run, &d.Attempt, &d.Reason, &queued, &died)
			d.RunAt, d.Queued, d.Died = moment(run), moment(queued), moment(died)
			return d, err
		}, `SELECT id, queue, key, payload, run_at, attempt, reason, queued_at, died_at FROM work_dead WHERE company = ? AND queue = ?`, company, queue)
}

// ReviveJob implements work.Store.
func (s *Store) ReviveJob(ctx context.Context, company, id string) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		if err := haveCompany(tx, company, keyShare); err != nil {
			return err
		}
		var (
			w      = store.Work{ID: id}
			queued int64
		)
		found, err := one(tx, []any{&w.Queue, &w.Key, &w.Payload, &queued},
			`DELETE FROM work_dead WHERE company = ? AND id = ? RETURNING queue, key, payload, queued_at`, company, id)
		if err != nil {
			return err
		}
		if !found {
			return store.NotFound("dead job", id)
		}
		at, err := tx.Now()
		if err != nil {
			return err
		}
		return putJob(tx, company, w, 1, queued, at)
	})
}
