package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// queues are the promises about jobs and the leases of their keys.
var queues = slices.Concat(jobPromises, leasePromises)

var leasePromises = []promise{
	{
		name:  "claim",
		text:  "a key with work due is leased to one worker at a time",
		check: claimExcludes,
	},
	{
		name:  "due companies",
		text:  "DueCompanies names the companies that have work due under no living lease, and no others",
		check: dueCompanies,
	},
	{
		name:  "companies take turns",
		text:  "DueCompanies names the companies that wait longest first",
		check: companiesTakeTurns,
	},
	{
		name:  "keys take turns",
		text:  "a key that is given back with work left comes behind those that are due by then",
		check: keysTakeTurns,
	},
	{
		name:  "release",
		text:  "a key that is given back can be claimed at once",
		check: releaseKey,
	},
	{
		name:  "lapse",
		text:  "a key is claimed again when its lease runs out and no sooner, under a larger fence, and its jobs come again",
		check: leaseLapse,
	},
	{
		name:  "renew",
		text:  "a renewed lease keeps its fence and lasts longer",
		check: renewLease,
	},
	{
		name:  "fenced",
		text:  "whatever comes under an older fence of a key is refused, and changes nothing",
		check: leaseFenced,
	},
	{
		name:  "fenced after empty",
		text:  "the fences of a key grow also after its work had run out and was queued again",
		check: fencedAfterEmpty,
	},
	{
		name:  "queues apart",
		text:  "the same key in another queue is another key",
		check: queuesApart,
	},
}

func claimExcludes(t *testing.T, k *kit) {
	a, b := newWork("a"), newWork("b")
	k.enqueue(t, a, b, newWork("a"))
	start := time.Now()
	leases := k.claimKeys(t, long, 1)
	if len(leases) != 1 {
		t.Fatalf("ClaimKeys = %+v, want one key", leases)
	}
	l := leases[0]
	if l.Company != k.company || l.Queue != queue || l.Worker != "worker" || l.Fence == 0 || l.Until.Before(start.Add(long-tick)) {
		t.Errorf("the lease is %+v, want all of it filled in, until an hour from %v", l, start)
	}
	rest := k.claimKeys(t, long, 10)
	if len(rest) != 1 || rest[0].Key == l.Key {
		t.Errorf("ClaimKeys again = %v, want the key other than %q", keysOf(rest), l.Key)
	}
	if more := k.claimKeys(t, long, 10); len(more) != 0 {
		t.Errorf("ClaimKeys with all keys held = %v, want none", keysOf(more))
	}
	k.enqueue(t, newWork("a"))
	if more := k.claimKeys(t, long, 10); len(more) != 0 {
		t.Errorf("ClaimKeys after more was queued = %v, want none", keysOf(more))
	}
}

func dueCompanies(t *testing.T, k *kit) {
	other := newKit(t, k.Store)
	due := func() [2]bool {
		t.Helper()
		companies, err := k.DueCompanies(t.Context(), queue, 10_000)
		ok(t, "DueCompanies", err)
		return [2]bool{slices.Contains(companies, k.company), slices.Contains(companies, other.company)}
	}
	want := func(what string, mine, others bool) {
		t.Helper()
		if got := due(); got != [2]bool{mine, others} {
			t.Errorf("%s: DueCompanies names the companies %v, want %v", what, got, [2]bool{mine, others})
		}
	}
	future, elsewhere := newWork("key"), newWork("key")
	future.RunAt = time.Now().Add(long)
	elsewhere.Queue = "deliveries"
	other.enqueue(t, future, elsewhere)
	want("nothing due", false, false)
	w := newWork("key")
	k.enqueue(t, w)
	want("work queued", true, false)
	l := k.claimKey(t, long)
	want("work leased", false, false)
	k.enqueue(t, newWork("another key"))
	want("another key queued", true, false)
	k.claimKey(t, long)
	k.finish(t, l, store.Outcome{ID: w.ID, RetryIn: long})
	ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), l))
	want("work waiting", false, false)
}

func companiesTakeTurns(t *testing.T, k *kit) {
	w := newWork("key")
	w.Queue = id.New(id.Work) // a queue of this case's own, since it is seen by all companies
	other := newKit(t, k.Store)
	order := func() []string {
		t.Helper()
		companies, err := k.DueCompanies(t.Context(), w.Queue, 10)
		ok(t, "DueCompanies", err)
		return companies
	}
	for _, c := range []*kit{other, k} {
		c.enqueue(t, w)
		time.Sleep(tick)
	}
	wantIDs(t, "DueCompanies", order(), other.company, k.company)
	leases, err := other.ClaimKeys(t.Context(), other.company, w.Queue, "worker", long, 1)
	ok(t, "ClaimKeys", err)
	wantIDs(t, "DueCompanies with a key leased", order(), k.company)
	time.Sleep(tick)
	for _, l := range leases {
		ok(t, "ReleaseKey", other.ReleaseKey(t.Context(), l))
	}
	wantIDs(t, "DueCompanies after the key was given back", order(), k.company, other.company)
}

func keysTakeTurns(t *testing.T, k *kit) {
	for _, key := range []string{"b", "c", "a"} {
		k.enqueue(t, newWork(key), newWork(key), newWork(key))
		time.Sleep(tick)
	}
	var got []string
	for range 6 {
		leases := k.claimKeys(t, long, 1)
		if len(leases) != 1 {
			t.Fatalf("ClaimKeys = %v, want one key", keysOf(leases))
		}
		got = append(got, leases[0].Key)
		k.finish(t, leases[0], store.Outcome{ID: k.due(t, leases[0], true)[0].ID, Done: true})
		time.Sleep(tick)
		ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), leases[0]))
		time.Sleep(tick)
	}
	wantIDs(t, "the keys claimed one by one", got, "b", "c", "a", "b", "c", "a")
}

func releaseKey(t *testing.T, k *kit) {
	w := newWork("key")
	k.enqueue(t, w)
	l := k.claimKey(t, long)
	ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), l))
	leases := k.claimKeys(t, long, 10)
	if len(leases) != 1 || leases[0].Fence <= l.Fence {
		t.Fatalf("ClaimKeys after the release = %+v, want the key with a fence above %d", leases, l.Fence)
	}
	wantIDs(t, "DueJobs", k.dueIDs(t, leases[0], false), w.ID)
}

func leaseLapse(t *testing.T, k *kit) {
	w := newWork("key")
	k.enqueue(t, w)
	start := time.Now()
	old := k.claimKey(t, short)
	l := k.claimKey(t, long)
	if held := time.Since(start); held < short-tick {
		t.Errorf("a lease of %v ran out after %v", short, held)
	}
	if l.Fence <= old.Fence {
		t.Errorf("the next lease has fence %d, want more than %d", l.Fence, old.Fence)
	}
	wantIDs(t, "DueJobs", k.dueIDs(t, l, true), w.ID)
}

func renewLease(t *testing.T, k *kit) {
	k.enqueue(t, newWork("key"))
	l := k.claimKey(t, long)
	start := time.Now()
	renewed, err := k.RenewLease(t.Context(), l, 2*long)
	ok(t, "RenewLease", err)
	if renewed.Until.Before(start.Add(2*long-tick)) || renewed.Fence != l.Fence || renewed.Key != l.Key || renewed.Company != l.Company || renewed.Queue != l.Queue {
		t.Errorf("RenewLease of %+v = %+v, want it two hours from %v", l, renewed, start)
	}
	short4 := 4 * short
	renewed, err = k.RenewLease(t.Context(), renewed, short4)
	ok(t, "RenewLease", err)
	time.Sleep(short4 / 2)
	start = time.Now()
	_, err = k.RenewLease(t.Context(), renewed, short4)
	ok(t, "RenewLease", err)
	k.claimKey(t, long)
	if held := time.Since(start); held < short4-tick {
		t.Errorf("a lease renewed by %v ran out after %v", short4, held)
	}
}

// stale fails the test unless everything under a lease is refused.
func (k *kit) stale(t *testing.T, l store.Lease, job string) {
	t.Helper()
	_, err := k.DueJobs(t.Context(), l, false, 10)
	refused(t, "DueJobs under an older fence", err, store.ErrFenced)
	_, err = k.RenewLease(t.Context(), l, 2*long)
	refused(t, "RenewLease under an older fence", err, store.ErrFenced)
	refused(t, "ReleaseKey under an older fence", k.ReleaseKey(t.Context(), l), store.ErrFenced)
	for _, o := range []store.Outcome{{Done: true}, {RetryIn: long}, {Dead: true, Reason: "late"}} {
		o.ID = job
		refused(t, "FinishJobs under an older fence", k.FinishJobs(t.Context(), l, []store.Outcome{o}), store.ErrFenced)
	}
}

func leaseFenced(t *testing.T, k *kit) {
	w := newWork("key")
	k.enqueue(t, w)
	old := k.claimKey(t, short)
	l := k.claimKey(t, long)
	k.stale(t, old, w.ID)
	wantIDs(t, "DueJobs of the holder", k.dueIDs(t, l, false), w.ID)
	if dead := k.dead(t); len(dead) != 0 {
		t.Errorf("DeadJobs = %+v, want none", dead)
	}
	if leases := k.claimKeys(t, long, 10); len(leases) != 0 {
		t.Errorf("ClaimKeys = %v while the key is held", keysOf(leases))
	}
	k.finish(t, l, store.Outcome{ID: w.ID, Done: true})
}

func fencedAfterEmpty(t *testing.T, k *kit) {
	var last store.Lease
	for range 4 {
		w := newWork("key")
		k.enqueue(t, w)
		l := k.claimKey(t, long)
		if l.Fence <= last.Fence {
			t.Errorf("the next lease has fence %d, want more than %d", l.Fence, last.Fence)
		}
		k.finish(t, l, store.Outcome{ID: w.ID, Done: true})
		ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), l))
		last = l
	}
	w := newWork("key")
	k.enqueue(t, w)
	l := k.claimKey(t, long)
	k.stale(t, last, w.ID)
	wantIDs(t, "DueJobs of the holder", k.dueIDs(t, l, false), w.ID)
}

func queuesApart(t *testing.T, k *kit) {
	mine, other := newWork("key"), newWork("key")
	other.Queue = "deliveries"
	k.enqueue(t, mine, other)
	l := k.claimKey(t, long)
	wantIDs(t, "DueJobs", k.dueIDs(t, l, false), mine.ID)
	leases, err := k.ClaimKeys(t.Context(), k.company, other.Queue, "another", long, 10)
	ok(t, "ClaimKeys", err)
	if len(leases) != 1 {
		t.Fatalf("ClaimKeys of the other queue = %+v, want its key", leases)
	}
	wantIDs(t, "DueJobs of the other queue", k.dueIDs(t, leases[0], false), other.ID)
	k.finish(t, leases[0], store.Outcome{ID: other.ID, Dead: true})
	if dead := k.dead(t); len(dead) != 0 {
		t.Errorf("DeadJobs has %+v of another queue", dead)
	}
}
