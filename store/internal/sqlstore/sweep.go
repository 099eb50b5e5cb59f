package sqlstore

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// nearby is among how many of the oldest rows of a log what has had its time is
// looked for: clocks of those who write may differ.
const nearby = 100

// Sweep implements [knowledge.RunStore]. Each company is swept in steps of its own.
// The last event of a company stays, since the log goes on after its position.
func (s *Store) Sweep(ctx context.Context, r knowledge.Retention, limit int) (knowledge.Swept, error) {
	r = r.Filled()
	ctx = Unlent(ctx)
	w := &sweeper{store: s, limit: int64(limit), swept: knowledge.Swept{}}
	err := s.engine.Get(ctx, func(tx Tx) (err error) {
		w.now, err = tx.Now()
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, sweep := range []func(context.Context, knowledge.Retention) error{w.versions, w.events, w.bulks, w.runs, w.changes, w.jobs, w.receipts, w.audit, w.conversations, w.attachments} {
		if err := sweep(ctx, r); err != nil {
			return nil, err
		}
	}
	return w.swept, nil
}

// A sweeper is one call of Sweep.
type sweeper struct {
	store *Store
	limit int64 // rows of each thing
	now   int64
	swept knowledge.Swept
}

// before returns the moment before which a thing is older than it is kept, and
// whether there is one.
func (w *sweeper) before(kept time.Duration) (int64, bool) {
	return w.now - kept.Microseconds(), kept > 0
}

// all removes things of the companies that a query returns, as many at a time as
// remove takes, until it finds none.
func (w *sweeper) all(ctx context.Context, thing, query string, args []any, remove func(tx Tx, company string, most int64) (int64, error)) error {
	var companies []string
	err := w.store.engine.Get(ctx, func(tx Tx) (err error) {
		companies, err = column(tx, query, args...)
		return err
	})
	if err != nil {
		return err
	}
	for _, company := range companies {
		for w.swept[thing] < w.limit {
			var n int64
			err := w.store.engine.WriteLong(ctx, func(tx Tx) (err error) {
				n, err = remove(tx, company, w.limit-w.swept[thing])
				return err
			})
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
			w.swept[thing] += n
		}
	}
	return nil
}

// versions removes texts of documents beyond the newest.
func (w *sweeper) versions(ctx context.Context, r knowledge.Retention) error {
	if r.Versions < 0 {
		return nil
	}
	return w.all(ctx, "versions", `SELECT c.id FROM companies c WHERE (SELECT d.id FROM documents d WHERE d.company = c.id AND d.version > 1 AND
			(SELECT MIN(v.version) FROM document_versions v WHERE v.company = d.company AND v.document_id = d.id) <= d.version - ? LIMIT 1) <> ''`,
		[]any{r.Versions}, func(tx Tx, company string, most int64) (n int64, err error) {
			var dropped [][]any
			err = all(tx, func(rows Rows) error {
				var document string
				var live, oldest int64
				err := rows.Scan(&document, &live, &oldest)
				if last := min(live-int64(r.Versions), oldest+most-n-1); last >= oldest {
					dropped = append(dropped, []any{company, document, last})
					n += last - oldest + 1
				}
				return err
			}, `SELECT d.id, d.version, (SELECT MIN(v.version) FROM document_versions v WHERE v.company = d.company AND v.document_id = d.id)
				FROM documents d WHERE d.company = ? AND d.version > 1 AND
				(SELECT MIN(v.version) FROM document_versions v WHERE v.company = d.company AND v.document_id = d.id) <= d.version - ?
				ORDER BY d.id LIMIT ?`, company, r.Versions, most)
			if err != nil {
				return 0, err
			}
			return n, dropVersions(tx, dropped)
		})
}

// dropVersions removes the texts of documents up to a version: each has company,
// document and version.
func dropVersions(tx Tx, versions [][]any) error {
	if err := tx.Each(`DELETE FROM passages WHERE company = ? AND document_id = ? AND version <= ?`, versions); err != nil {
		return err
	}
	return tx.Each(`DELETE FROM document_versions WHERE company = ? AND document_id = ? AND version <= ?`, versions)
}

// events removes old events, those that have a position.
func (w *sweeper) events(ctx context.Context, r knowledge.Retention) error {
	before, some := w.before(r.Events)
	if !some {
		return nil
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	return w.all(ctx, "events", `SELECT c.id FROM companies c WHERE (SELECT MIN(o.created_at) FROM (SELECT e.created_at FROM events e
			WHERE e.company = c.id AND e.position > 0 ORDER BY e.position LIMIT ?) AS o) < ?`,
		[]any{nearby, before}, func(tx Tx, company string, most int64) (int64, error) {
			var old [][]any
			var last int64
			err := all(tx, func(rows Rows) error {
				var created int64
				err := rows.Scan(&last, &created)
				if created < before {
					old = append(old, []any{company, last})
				}
				return err
			}, `SELECT position, created_at FROM events WHERE company = ? AND position > 0 ORDER BY position LIMIT ?`, company, max(most+1, nearby))
			if err != nil {
				return 0, err
			}
			// The last of those read may be the last there is.
			if n := len(old); n > 0 && old[n-1][1] == last {
				old = old[:n-1]
			}
			old = old[:min(int64(len(old)), most)]
			return int64(len(old)), tx.Each(`DELETE FROM events WHERE company = ? AND position = ? AND position > 0`, old)
		})
}

// settle gives positions to events that nobody has read yet.
func (w *sweeper) settle(ctx context.Context) error {
	var companies []string
	err := w.store.engine.Get(ctx, func(tx Tx) (err error) {
		companies, err = column(tx, `SELECT c.id FROM companies c WHERE (SELECT e.id FROM events e WHERE e.company = c.id AND e.position = 0 LIMIT 1) <> ''`)
		return err
	})
	if err != nil {
		return err
	}
	for _, company := range companies {
		for n := int64(0); n <= w.limit; n += settleAtOnce {
			if err := w.store.log.settle(ctx, w.store.engine, company); err != nil {
				return err
			}
		}
	}
	return nil
}

// fewRuns is how many runs are removed in one step: each may have seen thousands of
// pages.
const fewRuns = 8

// runs removes runs that ended long ago with what they saw, but for the latest of a
// source and the latest one that was published.
func (w *sweeper) runs(ctx context.Context, r knowledge.Retention) error {
	before, some := w.before(r.Runs)
	if !some {
		return nil
	}
	return w.all(ctx, "runs", `SELECT c.id FROM companies c WHERE (SELECT MIN(r.ended_at) FROM runs r WHERE r.company = c.id AND r.ended_at > 0) < ?`,
		[]any{before}, func(tx Tx, company string, most int64) (int64, error) {
			ids, err := column(tx, `SELECT r.id FROM runs r WHERE r.company = ? AND r.ended_at > 0 AND r.ended_at < ? AND NOT EXISTS
				(SELECT 1 FROM sources s WHERE s.company = r.company AND s.id = r.source_id AND (s.run_id = r.id OR s.published_id = r.id))
				ORDER BY r.ended_at LIMIT ?`, company, before, min(most, fewRuns))
			if err != nil {
				return 0, err
			}
			each := make([][]any, len(ids))
			for i, id := range ids {
				each[i] = []any{company, id}
			}
			if err := tx.Each(`DELETE FROM runs WHERE company = ? AND id = ?`, each); err != nil {
				return 0, err
			}
			return int64(len(ids)), removeRuns(tx, company, ids)
		})
}

// bulks ends runs of bulks whose process is gone, with what they staged.
func (w *sweeper) bulks(ctx context.Context, r knowledge.Retention) error {
	before, some := w.before(r.Bulks)
	if !some {
		return nil
	}
	return w.all(ctx, "bulks", `SELECT c.id FROM companies c WHERE
			(SELECT MIN(r.updated_at) FROM runs r WHERE r.company = c.id AND r.kind = ? AND r.ended_at = 0) < ?`,
		[]any{string(knowledge.RunBulk), before}, func(tx Tx, company string, most int64) (int64, error) {
			if err := haveCompany(tx, company, keyShare); isItem(err) {
				return 0, nil // it was deleted meanwhile
			} else if err != nil {
				return 0, err
			}
			ids, err := column(tx, `SELECT id FROM runs WHERE company = ? AND kind = ? AND ended_at = 0 AND updated_at < ? ORDER BY id LIMIT ?`+forChange,
				company, string(knowledge.RunBulk), before, min(most, fewRuns))
			if err != nil {
				return 0, err
			}
			for _, id := range ids {
				r, err := readRun(tx, company, id, forChange)
				if err != nil {
					return 0, err
				}
				r.State, r.Error = knowledge.RunFailed, &knowledge.RunError{Kind: "crashed", Message: "the request that brought it was broken off: send it again"}
				if err := endRun(tx, company, &r, w.now); err != nil {
					return 0, err
				}
			}
			return int64(len(ids)), nil
		})
}

// changes removes what the feed says of revisions that every index is to have by
// now, each revision as a whole.
func (w *sweeper) changes(ctx context.Context, r knowledge.Retention) error {
	if r.Changes < 0 {
		return nil
	}
	return w.all(ctx, "changes", `SELECT c.id FROM companies c WHERE
			(SELECT MIN(k.revision) FROM knowledge_changes k WHERE k.company = c.id) <= c.knowledge_revision - ?`,
		[]any{r.Changes}, func(tx Tx, company string, most int64) (int64, error) {
			revision, err := revisionOf(tx, company)
			if err != nil {
				return 0, err
			}
			last := int64(-1)
			err = all(tx, func(rows Rows) error { return rows.Scan(&last) }, `SELECT revision FROM knowledge_changes
				WHERE company = ? AND revision <= ? ORDER BY revision, document_id LIMIT ?`, company, revision-r.Changes, most)
			if err != nil || last < 0 {
				return 0, err
			}
			return tx.Exec(`DELETE FROM knowledge_changes WHERE company = ? AND revision <= ?`, company, last)
		})
}

// jobs removes jobs that were given up long ago.
func (w *sweeper) jobs(ctx context.Context, r knowledge.Retention) error {
	before, some := w.before(r.DeadJobs)
	if !some {
		return nil
	}
	return w.all(ctx, "jobs", `SELECT c.id FROM companies c WHERE (SELECT MIN(d.died_at) FROM work_dead d WHERE d.company = c.id) < ?`,
		[]any{before}, func(tx Tx, company string, most int64) (int64, error) {
			ids, err := column(tx, `SELECT id FROM work_dead WHERE company = ? AND died_at < ? ORDER BY died_at LIMIT ?`, company, before, most)
			if err != nil {
				return 0, err
			}
			each := make([][]any, len(ids))
			for i, id := range ids {
				each[i] = []any{company, id, before}
			}
			return int64(len(ids)), tx.Each(`DELETE FROM work_dead WHERE company = ? AND id = ? AND died_at < ?`, each)
		})
}

// receipts removes receipts that are not valid any more.
func (w *sweeper) receipts(ctx context.Context, _ knowledge.Retention) error {
	return w.all(ctx, "receipts", `SELECT c.id FROM companies c WHERE (SELECT MIN(r.expires_at) FROM receipts r WHERE r.company = c.id) < ?`,
		[]any{w.now}, func(tx Tx, company string, most int64) (int64, error) {
			var old [][]any
			err := all(tx, func(rows Rows) error {
				var scope, key string
				err := rows.Scan(&scope, &key)
				old = append(old, []any{company, scope, key, w.now})
				return err
			}, `SELECT scope, key FROM receipts WHERE company = ? AND expires_at < ? ORDER BY expires_at LIMIT ?`, company, w.now, most)
			if err != nil {
				return 0, err
			}
			return int64(len(old)), tx.Each(`DELETE FROM receipts WHERE company = ? AND scope = ? AND key = ? AND expires_at < ?`, old)
		})
}

// audit removes old entries of the audit log, which are about in the order of their
// ids.
func (w *sweeper) audit(ctx context.Context, r knowledge.Retention) error {
	before, some := w.before(r.Audit)
	if !some {
		return nil
	}
	return w.all(ctx, "audit", `SELECT c.id FROM companies c WHERE (SELECT MIN(o.at) FROM (SELECT a.at FROM audit_log a
			WHERE a.company = c.id ORDER BY a.id LIMIT ?) AS o) < ?`,
		[]any{nearby, before}, func(tx Tx, company string, most int64) (int64, error) {
			var old [][]any
			err := all(tx, func(rows Rows) error {
				var id string
				var at int64
				err := rows.Scan(&id, &at)
				if at < before {
					old = append(old, []any{company, id})
				}
				return err
			}, `SELECT id, at FROM audit_log WHERE company = ? ORDER BY id LIMIT ?`, company, max(most, nearby))
			if err != nil {
				return 0, err
			}
			old = old[:min(int64(len(old)), most)]
			return int64(len(old)), tx.Each(`DELETE FROM audit_log WHERE company = ? AND id = ?`, old)
		})
}
