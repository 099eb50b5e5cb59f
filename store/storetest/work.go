package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

var jobPromises = []promise{
	{
		name:  "due",
		text:  "work is not done before its time, and keys that are due longest come first",
		check: dueLongestFirst,
	},
	{
		name:  "limits",
		text:  "ClaimKeys, DueJobs and DueCompanies return no more than they were asked for",
		check: workLimits,
	},
	{
		name:  "order",
		text:  "jobs of a key come in the order they were queued",
		check: jobOrder,
	},
	{
		name:  "head of line",
		text:  "ordered, only the oldest job comes, and none while it waits for its next try",
		check: headOfLine,
	},
	{
		name:  "key that waits",
		text:  "a key whose oldest job was seen to wait is not claimed before that one is due",
		check: keyThatWaits,
	},
	{
		name:  "outcomes of nothing",
		text:  "the outcome of a job that is not there is passed over, and the others count",
		check: outcomesOfNothing,
	},
	{
		name:  "outcomes",
		text:  "what is done is gone, what is to be tried again comes back with the next attempt, what is dead comes no more",
		check: jobOutcomes,
	},
	{
		name:  "retry",
		text:  "a job to be tried again waits that long, and no shorter",
		check: retryWaits,
	},
	{
		name:  "dead jobs",
		text:  "a job that was given up is listed with its reason and its attempts, and can be revived, once, at attempt 1",
		check: deadJobs,
	},
}

// newWork returns work that is due at once.
func newWork(key string) store.Work {
	w := store.Work{ID: id.New(id.Work), Queue: queue, Key: key}
	w.Payload = []byte(w.ID)
	return w
}

// enqueue queues work.
func (k *kit) enqueue(t *testing.T, work ...store.Work) {
	t.Helper()
	ok(t, "Enqueue", k.Enqueue(t.Context(), store.Commit{Company: k.company, Work: work}))
}

// claimKeys claims keys of [queue].
func (k *kit) claimKeys(t *testing.T, lease time.Duration, limit int) []store.Lease {
	t.Helper()
	leases, err := k.ClaimKeys(t.Context(), k.company, queue, "worker", lease, limit)
	ok(t, "ClaimKeys", err)
	return leases
}

// claimKey claims the one key that has work, waiting for it if need be.
func (k *kit) claimKey(t *testing.T, lease time.Duration) store.Lease {
	t.Helper()
	var leases []store.Lease
	eventually(t, "ClaimKeys", func() error {
		leases = k.claimKeys(t, lease, 10)
		return holds(len(leases) == 1, "%d keys", len(leases))
	})
	return leases[0]
}

// due returns the jobs of a key.
func (k *kit) due(t *testing.T, l store.Lease, ordered bool) []store.Job {
	t.Helper()
	jobs, err := k.DueJobs(t.Context(), l, ordered, 100)
	ok(t, "DueJobs", err)
	return jobs
}

// dueIDs returns the ids of the jobs of a key.
func (k *kit) dueIDs(t *testing.T, l store.Lease, ordered bool) []string {
	t.Helper()
	var ids []string
	for _, j := range k.due(t, l, ordered) {
		ids = append(ids, j.ID)
	}
	return ids
}

// finish records the outcome of jobs.
func (k *kit) finish(t *testing.T, l store.Lease, outcomes ...store.Outcome) {
	t.Helper()
	ok(t, "FinishJobs", k.FinishJobs(t.Context(), l, outcomes))
}

// dead lists the jobs of [queue] that were given up.
func (k *kit) dead(t *testing.T) []store.DeadJob {
	t.Helper()
	return everyPage(t, 0, func(p store.Page) (store.List[store.DeadJob], error) {
		return k.DeadJobs(t.Context(), k.company, queue, p)
	})
}

func keysOf(leases []store.Lease) []string {
	var keys []string
	for _, l := range leases {
		keys = append(keys, l.Key)
	}
	return keys
}

func wantIDs(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s = %q, want %q", what, got, want)
	}
}

func dueLongestFirst(t *testing.T, k *kit) {
	inTime(t, 2*short, func(apart time.Duration) bool {
		start := time.Now()
		name := func(i int) string { return fmt.Sprint(apart, i) }
		var queued []store.Work
		for i, after := range []time.Duration{3 * apart, apart, 2 * apart, long} {
			w := newWork(name(i))
			w.RunAt = start.Add(after)
			queued = append(queued, w)
		}
		k.enqueue(t, queued...)
		early := time.Now().Before(start.Add(apart - tick)) // all are queued before the first is due
		time.Sleep(time.Until(start.Add(3*apart + tick)))
		if !early {
			k.claimKeys(t, long, 10)
			return false
		}
		k.enqueue(t, newWork(name(4)))
		wantIDs(t, "ClaimKeys, two", keysOf(k.claimKeys(t, long, 2)), name(1), name(2))
		wantIDs(t, "ClaimKeys, the rest", keysOf(k.claimKeys(t, long, 10)), name(0), name(4))
		return true
	})

	later := newWork("key5")
	later.RunAt = time.Now().Add(3 * short)
	k.enqueue(t, later)
	l := k.claimKey(t, long)
	if l.Key != "key5" {
		t.Fatalf("ClaimKeys = %q, want key5", l.Key)
	}
	if at := time.Now(); at.Before(later.RunAt.Add(-tick)) {
		t.Errorf("work was due at %v, %v too soon", at, later.RunAt.Sub(at))
	}
	wantIDs(t, "DueJobs", k.dueIDs(t, l, true), later.ID)
}

func workLimits(t *testing.T, k *kit) {
	for i := range 6 {
		k.enqueue(t, newWork(fmt.Sprint(i/3)), newWork(fmt.Sprint(i/3)))
	}
	newKit(t, k.Store).enqueue(t, newWork("key"))
	companies, err := k.DueCompanies(t.Context(), queue, 1)
	ok(t, "DueCompanies", err)
	if len(companies) != 1 {
		t.Errorf("DueCompanies with limit 1 = %v", companies)
	}
	leases := k.claimKeys(t, long, 1)
	if len(leases) != 1 {
		t.Fatalf("ClaimKeys with limit 1 = %v", keysOf(leases))
	}
	jobs, err := k.DueJobs(t.Context(), leases[0], false, 4)
	ok(t, "DueJobs", err)
	if len(jobs) != 4 {
		t.Errorf("DueJobs with limit 4 of 6 returned %d", len(jobs))
	}
}

func jobOrder(t *testing.T, k *kit) {
	var queued []store.Work
	for i := range 12 {
		w := newWork("key")
		w.RunAt = time.Now().Add(-time.Duration(i) * time.Minute) // the later queued, the longer due
		queued = append(queued, w)
	}
	queued[3], queued[9] = queued[9], queued[3] // whatever their ids
	k.enqueue(t, queued[:5]...)
	for _, w := range queued[5:] {
		k.enqueue(t, w)
	}
	var want []string
	for _, w := range queued {
		want = append(want, w.ID)
	}
	l := k.claimKey(t, long)
	wantIDs(t, "DueJobs", k.dueIDs(t, l, false), want...)
	for _, next := range want {
		wantIDs(t, "DueJobs, ordered", k.dueIDs(t, l, true), next)
		k.finish(t, l, store.Outcome{ID: next, Done: true})
	}
}

func headOfLine(t *testing.T, k *kit) {
	head, second, third := newWork("key"), newWork("key"), newWork("key")
	k.enqueue(t, head, second, third)
	l := k.claimKey(t, long)
	wantIDs(t, "DueJobs, ordered", k.dueIDs(t, l, true), head.ID)
	k.finish(t, l, store.Outcome{ID: head.ID, RetryIn: long, Reason: "timeout"})
	wantIDs(t, "DueJobs, ordered, while the head waits", k.dueIDs(t, l, true))
	wantIDs(t, "DueJobs, in parallel, while the head waits", k.dueIDs(t, l, false), second.ID, third.ID)

	waiting, behind := newWork("other"), newWork("other")
	waiting.RunAt = time.Now().Add(long)
	k.enqueue(t, waiting, behind)
	l = k.claimKey(t, long)
	wantIDs(t, "DueJobs, ordered, before the head's time", k.dueIDs(t, l, true))
	wantIDs(t, "DueJobs, in parallel", k.dueIDs(t, l, false), behind.ID)
	k.finish(t, l, store.Outcome{ID: behind.ID, Done: true})
	wantIDs(t, "DueJobs of an empty key", k.dueIDs(t, l, false))
}

func keyThatWaits(t *testing.T, k *kit) {
	var head, behind store.Work
	var l store.Lease
	inTime(t, 2*short, func(d time.Duration) bool {
		head, behind = newWork("key"), newWork("key")
		head.RunAt = time.Now().Add(d)
		k.enqueue(t, head, behind)
		l = k.claimKey(t, long)
		early := k.dueIDs(t, l, true)
		if time.Now().After(head.RunAt.Add(-tick)) {
			k.finish(t, l, store.Outcome{ID: head.ID, Done: true}, store.Outcome{ID: behind.ID, Done: true})
			ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), l))
			return false
		}
		wantIDs(t, "DueJobs, ordered, before the head's time", early)
		return true
	})
	ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), l))
	l = k.claimKey(t, long)
	if at := time.Now(); at.Before(head.RunAt.Add(-tick)) {
		t.Errorf("the key was claimed %v before its oldest job is due", head.RunAt.Sub(at))
	}
	wantIDs(t, "DueJobs, ordered", k.dueIDs(t, l, true), head.ID)
}

func outcomesOfNothing(t *testing.T, k *kit) {
	a, b, elsewhere := newWork("key"), newWork("key"), newWork("another key")
	k.enqueue(t, a, b)
	l := k.claimKey(t, long)
	k.enqueue(t, elsewhere)
	k.finish(t, l,
		store.Outcome{ID: id.New(id.Work), Done: true}, store.Outcome{ID: elsewhere.ID, Dead: true, Reason: "refused"},
		store.Outcome{ID: id.New(id.Work), RetryIn: long}, store.Outcome{ID: a.ID, Done: true})
	k.finish(t, l, store.Outcome{ID: a.ID, Dead: true, Reason: "late"})
	wantIDs(t, "DueJobs", k.dueIDs(t, l, false), b.ID)
	if dead := k.dead(t); len(dead) != 0 {
		t.Errorf("DeadJobs = %+v, want none", dead)
	}
	wantIDs(t, "DueJobs of the other key", k.dueIDs(t, k.claimKey(t, long), false), elsewhere.ID)
}

func jobOutcomes(t *testing.T, k *kit) {
	start := now()
	done, again, dead, next := newWork("key"), newWork("key"), newWork("key"), newWork("key")
	k.enqueue(t, done, again, dead, next)
	l := k.claimKey(t, long)
	for _, j := range k.due(t, l, false) {
		if j.Attempt != 1 || j.Queued.Before(start.Add(-tick)) || j.Queued.After(time.Now().Add(tick)) {
			t.Errorf("a new job is %+v, want attempt 1, queued now", j)
		}
	}
	k.finish(t, l,
		store.Outcome{ID: done.ID, Done: true},
		store.Outcome{ID: again.ID, RetryIn: time.Millisecond, Reason: "timeout"},
		store.Outcome{ID: dead.ID, Dead: true, Reason: "refused"},
	)
	eventually(t, "DueJobs", func() error {
		ids := k.dueIDs(t, l, false)
		return holds(slices.Equal(ids, []string{again.ID, next.ID}), "the jobs are %q", ids)
	})
	jobs := k.due(t, l, false)
	if jobs[0].Attempt != 2 || jobs[1].Attempt != 1 || string(jobs[0].Payload) != again.ID {
		t.Errorf("the jobs left are %+v, want attempts 2 and 1", jobs)
	}
	k.finish(t, l, store.Outcome{ID: again.ID, RetryIn: time.Millisecond})
	eventually(t, "the third attempt", func() error {
		jobs := k.due(t, l, true)
		return holds(len(jobs) == 1 && jobs[0].ID == again.ID && jobs[0].Attempt == 3, "the jobs are %+v", jobs)
	})
}

func retryWaits(t *testing.T, k *kit) {
	w := newWork("key")
	k.enqueue(t, w)
	l := k.claimKey(t, long)
	start := time.Now()
	k.finish(t, l, store.Outcome{ID: w.ID, RetryIn: 3 * short})
	ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), l))
	l = k.claimKey(t, long)
	wantIDs(t, "DueJobs", k.dueIDs(t, l, true), w.ID)
	if waited := time.Since(start); waited < 3*short-tick {
		t.Errorf("a job to be tried again in %v came after %v", 3*short, waited)
	}
}

func deadJobs(t *testing.T, k *kit) {
	a, b := newWork("key"), newWork("key")
	k.enqueue(t, a, b)
	l := k.claimKey(t, long)
	k.finish(t, l, store.Outcome{ID: a.ID, RetryIn: time.Millisecond})
	eventually(t, "the second attempt", func() error {
		return holds(len(k.due(t, l, false)) == 2, "not due")
	})
	start := now()
	k.finish(t, l, store.Outcome{ID: a.ID, Dead: true, Reason: "refused"})
	k.finish(t, l, store.Outcome{ID: b.ID, Dead: true, Reason: "gone"})
	dead := k.dead(t)
	if len(dead) != 2 || dead[0].ID != b.ID || dead[1].ID != a.ID {
		t.Fatalf("DeadJobs = %+v, want %s and %s", dead, b.ID, a.ID)
	}
	if d := dead[1]; d.Attempt != 2 || d.Reason != "refused" || d.Queue != queue || d.Key != "key" || string(d.Payload) != a.ID ||
		d.Died.Before(start.Add(-tick)) || d.Queued.IsZero() || d.Queued.After(d.Died.Add(tick)) {
		t.Errorf("the dead job is %+v, want its second attempt, refused", d)
	}
	wantIDs(t, "DueJobs", k.dueIDs(t, l, false))

	missing(t, "ReviveJob of a job that never was", k.ReviveJob(t.Context(), k.company, id.New(id.Work)))
	ok(t, "ReviveJob", k.ReviveJob(t.Context(), k.company, a.ID))
	missing(t, "ReviveJob again", k.ReviveJob(t.Context(), k.company, a.ID))
	if dead := k.dead(t); len(dead) != 1 || dead[0].ID != b.ID {
		t.Errorf("DeadJobs after one was revived = %+v, want %s", dead, b.ID)
	}
	jobs := k.due(t, l, true)
	if len(jobs) != 1 || jobs[0].ID != a.ID || jobs[0].Attempt != 1 || string(jobs[0].Payload) != a.ID {
		t.Errorf("DueJobs after the job was revived = %+v, want it at attempt 1", jobs)
	}
	k.finish(t, l, store.Outcome{ID: a.ID, Done: true})
	missing(t, "ReviveJob of a job that is done", k.ReviveJob(t.Context(), k.company, a.ID))
	ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), l))
	ok(t, "ReviveJob", k.ReviveJob(t.Context(), k.company, b.ID))
	l = k.claimKey(t, long)
	wantIDs(t, "DueJobs of a key that was empty", k.dueIDs(t, l, true), b.ID)
}
