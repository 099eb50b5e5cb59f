package reference

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A sweep is one call of Sweep.
type sweep struct {
	now   time.Time
	limit int
	swept knowledge.Swept
}

// room reports whether one more of a thing may be removed, and counts it.
func (w *sweep) room(thing string) bool {
	if w.swept[thing] >= int64(w.limit) {
		return false
	}
	w.swept[thing]++
	return true
}

// old reports whether a moment is longer ago than things are kept.
func (w *sweep) old(at time.Time, kept time.Duration) bool {
	return kept > 0 && at.Before(w.now.Add(-kept))
}

// Sweep implements [knowledge.RunStore].
func (s *Store) Sweep(ctx context.Context, r knowledge.Retention, limit int) (knowledge.Swept, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	r = r.Filled()
	w := &sweep{now: time.Now(), limit: limit, swept: knowledge.Swept{}}
	for i := range s.companies {
		c := s.companies[i].clone()
		w.documents(&c, r.Versions)
		w.bulks(&c, r.Bulks)
		w.runs(&c, r.Runs)
		c.events = slices.DeleteFunc(slices.Clone(c.events), func(ev told) bool {
			return ev.place < c.told && w.old(ev.CreatedAt, r.Events) && w.room("events") // the last one stays
		})
		c.changes = slices.DeleteFunc(slices.Clone(c.changes), func(ch knowledge.Change) bool {
			gone := r.Changes > 0 && ch.Revision <= c.revision-r.Changes && w.room("changes")
			if gone {
				c.pruned = ch.Revision
			}
			return gone
		})
		c.jobs = slices.DeleteFunc(c.jobs, func(j job) bool { return j.dead && w.old(j.died, r.DeadJobs) && w.room("jobs") })
		c.audit = slices.DeleteFunc(slices.Clone(c.audit), func(a store.Audit) bool { return w.old(a.At, r.Audit) && w.room("audit") })
		maps.DeleteFunc(c.receipts, func(_ receiptName, r receipt) bool { return !w.now.Before(r.keep) && w.room("receipts") })
		w.conversations(&c)
		maps.DeleteFunc(c.attachments, func(_ string, a attachment) bool {
			return a.conversation == "" && a.ExpiresAt.Before(w.now) && w.room("attachments")
		})
		s.companies[i] = c
	}
	return w.swept, nil
}

// documents removes all but the newest versions of each.
func (w *sweep) documents(c *tenant, kept int) {
	for docID, d := range c.documents {
		for kept > 0 && len(d.versions) > kept && w.room("versions") {
			d.versions = d.versions[1:]
			c.documents[docID] = d
		}
	}
}

// conversations removes those that are older than their agents keep them.
func (w *sweep) conversations(c *tenant) {
	for _, v := range c.conversations {
		days := time.Duration(c.agents[v.AgentID].RetentionDays)
		if v.Running || !w.old(v.LastMessageAt, days*24*time.Hour) || !w.room("conversations") {
			continue
		}
		delete(c.conversations, v.ID)
		_ = c.commit(store.Commit{Company: c.ID, Events: []event.Event{{
			ID: id.New(id.Event), Type: event.ConversationDeleted, Stream: v.ID, CreatedAt: stored(w.now),
			Refs: event.Refs{AgentID: v.AgentID, ConversationID: v.ID},
		}}})
	}
}

// bulks ends those that have said nothing for long.
func (w *sweep) bulks(c *tenant, silent time.Duration) {
	for runID, r := range c.runs {
		if r.Kind == knowledge.RunBulk && !r.State.Ended() && w.old(r.UpdatedAt, silent) && w.room("bulks") {
			r.Error = &knowledge.RunError{Kind: "crashed", Message: "the request that brought it was broken off: send it again"}
			r.end(knowledge.RunFailed)
			c.runs[runID] = r
		}
	}
}

// runs removes those that ended long ago, but for the latest of a source and the
// one that was published last.
func (w *sweep) runs(c *tenant, kept time.Duration) {
	maps.DeleteFunc(c.runs, func(runID string, r run) bool {
		src := c.sources[r.SourceID]
		return r.State.Ended() && w.old(r.EndedAt, kept) && runID != src.RunID && runID != src.PublishedID && w.room("runs")
	})
}
