package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// sweeps are about how long things are kept. Each has a store of its own, since a
// sweep is of all companies.
var sweeps = []promise{
	{
		name: "nothing", fresh: true,
		text:  "a sweep that keeps everything, or finds nothing old, removes nothing and says so",
		check: sweepNothing,
	},
	{
		name: "versions", fresh: true,
		text:  "of each document the newest texts stay, the live one among them, under their numbers",
		check: sweepVersions,
	},
	{
		name: "events", fresh: true,
		text:  "events that are old are read no more; whoever reads on and whoever begins anew miss nothing of the others, and numbers go on",
		check: sweepEvents,
	},
	{
		name: "runs", fresh: true,
		text:  "runs that ended long ago go with what they saw, but for a source's latest and its latest that was published",
		check: sweepRuns,
	},
	{
		name: "changes", fresh: true,
		text:  "the feed loses what is further behind than it is kept, and says so to whoever asks for it",
		check: sweepChanges,
	},
	{
		name: "dead jobs", fresh: true,
		text:  "jobs that were given up long ago go, and no others",
		check: sweepDeadJobs,
	},
	{
		name: "audit log", fresh: true,
		text:  "entries of the audit log stay for good, unless it is said how long they are kept",
		check: sweepAudit,
	},
	{
		name: "limited", fresh: true,
		text:  "a sweep removes no more than it may of each thing, and what is left with the next ones",
		check: sweepLimited,
	},
}

// forGood keeps everything.
var forGood = knowledge.Retention{Versions: -1, Events: -1, Bulks: -1, Runs: -1, Changes: -1, DeadJobs: -1, Audit: -1}

// sweep sweeps until there is nothing left to remove, and returns how much of a
// thing was. It fails the test if anything else was removed.
func (k *kit) sweep(t *testing.T, r knowledge.Retention, limit int, thing string) (n int64) {
	t.Helper()
	for {
		swept, err := k.Sweep(t.Context(), r, limit)
		ok(t, "Sweep", err)
		if len(swept) == 0 {
			return n
		}
		for what, count := range swept {
			if what != thing || count < 1 || count > int64(limit) {
				t.Fatalf("Sweep = %v, want up to %d %s", swept, limit, thing)
			}
			n += count
		}
	}
}

func sweepNothing(t *testing.T, k *kit) {
	k.fill(t)
	before := read(t, k, k.company)
	for _, r := range []knowledge.Retention{{}, forGood, {Versions: 20, Events: long, Runs: long, Changes: 1000, DeadJobs: long, Audit: long}} {
		if n := k.sweep(t, r, 100, ""); n != 0 {
			t.Errorf("Sweep removed %d", n)
		}
	}
	same(t, "the company", read(t, k, k.company), before)
}

func sweepVersions(t *testing.T, k *kit) {
	other := newKit(t, k.Store)
	var docs []string
	for i := range 6 {
		for n := range 3 { // documents of 6, 4 and 2 versions
			if i < 6-2*n {
				docs = append(docs, k.put(t, external(text("Title", fmt.Sprintf("Text %d of %d.", i+1, n)), fmt.Sprint(n)))[0].ID)
			}
		}
		other.put(t, external(text("Title", fmt.Sprintf("Text %d.", i+1)), "a"))
	}
	long, quoted := docs[0], text("Quoted", "Version one.")
	d := k.putOne(t, quoted)
	turn := k.begin(t, agent.Message{})
	k.end(t, turn, "One.", k.cite(t, d.ID, "Version one."))
	next := text("Quoted", "Version two.")
	next.ID = d.ID
	k.put(t, next)
	before := read(t, k, k.company)
	keep := forGood
	keep.Versions = 3
	if n := k.sweep(t, keep, 100, "versions"); n != 3+1+3 {
		t.Errorf("Sweep removed %d versions, want 7", n)
	}
	after := read(t, k, k.company)
	for docID, all := range before.Versions {
		same(t, "the versions of "+docID, after.Versions[docID], all[:min(len(all), 3)])
		same(t, "the texts of "+docID, after.Texts[docID], before.Texts[docID][:min(len(all), 3)])
		same(t, "the passages of "+docID, after.Passages[docID], before.Passages[docID][:min(len(all), 3)])
	}
	after.Versions, after.Texts, after.Passages = before.Versions, before.Texts, before.Passages
	same(t, "the company", after, before)
	for v := range 7 {
		_, err := k.DocumentText(t.Context(), k.company, long, v)
		if _, e := k.VersionPassages(t.Context(), k.company, long, v); v > 0 && errors.Is(e, store.ErrNotFound) != (v < 4) {
			t.Errorf("VersionPassages(%d) of a document of which 3 are kept: %v", v, e)
		}
		if (v > 0 && v < 4) != errors.Is(err, store.ErrNotFound) {
			t.Errorf("DocumentText(%d) of a document of which 3 are kept: %v", v, err)
		}
	}
	if v := k.put(t, external(text("Title", "One more."), "0"))[0].Version; v != 7 {
		t.Errorf("the next version is %d, want 7", v)
	}
	keep.Versions = 1
	k.sweep(t, keep, 100, "versions")
	if all := k.versionsNow(t, long); len(all) != 1 || !all[0].Live || all[0].Version != 7 {
		t.Errorf("the versions are %s, want the live one", canonical(all))
	}
	if got := k.deleteDocument(t, long); got.Versions != 1 || got.Passages != 1 {
		t.Errorf("DeleteDocument = %s, want the version that was left", canonical(got))
	}
	if got := k.deleteDocument(t, d.ID); got.Replies != 1 || got.Versions != 1 {
		t.Errorf("DeleteDocument = %s, want the reply that quoted an earlier version", canonical(got))
	}
}

func sweepEvents(t *testing.T, k *kit) {
	other := newKit(t, k.Store)
	aged := func(stream string, age time.Duration) event.Event {
		ev := tell("a.b", stream)
		ev.CreatedAt = now().Add(-age)
		return ev
	}
	halfway, all := "", newEventReader()
	for i := range 4 {
		for _, k := range []*kit{k, other} {
			ok(t, "Enqueue", k.Enqueue(t.Context(), k.commit(aged("one", 10*time.Hour), aged("two", time.Duration(9-3*i)*time.Hour))))
		}
		if i == 1 {
			ok(t, "Events", all.readOn(t.Context(), k, 100))
			halfway = all.after
		}
	}
	ok(t, "Events", all.readOn(t.Context(), k, 1))
	ok(t, "Enqueue", k.Enqueue(t.Context(), k.commit(aged("one", 0))))
	before := allEvents(t, k, k.company)
	keep := forGood
	keep.Events = 5 * time.Hour
	if n := k.sweep(t, keep, 100, "events"); n != 12 { // of each company four of stream one, and two of stream two
		t.Errorf("Sweep removed %d events, want the 12 that are older than 5 hours", n)
	}
	young := slices.DeleteFunc(slices.Clone(before), func(ev event.Event) bool { return time.Since(ev.CreatedAt) > 5*time.Hour })
	same(t, "Events", byStream(allEvents(t, k, k.company)), byStream(young))
	got, err := k.Events(t.Context(), k.company, halfway, 100)
	ok(t, "Events", err)
	same(t, "Events after a cursor of before the sweep", byStream(got), byStream(young[1:])) // but for that of the company's agent
	ok(t, "Enqueue", k.tells(t.Context(), "one", "two"))
	ok(t, "Events", all.readOn(t.Context(), k, 2))
	if missed := all.missed(allEvents(t, k, k.company)); len(missed) > 0 {
		t.Errorf("whoever had read on before the sweep missed %s", canonical(missed))
	}
	for stream, sequence := range map[string]int64{"one": 6, "two": 5} {
		evs := ofStream(allEvents(t, k, k.company), stream)
		if got := evs[len(evs)-1].Sequence; got != sequence {
			t.Errorf("the next event of stream %s has the sequence %d, want %d", stream, got, sequence)
		}
	}
}

func sweepRuns(t *testing.T, k *kit) {
	s, other := k.addSource(t, ""), k.addSource(t, "")
	end := func(s knowledge.Source, state knowledge.RunState) string {
		g := k.gather(t, s)
		g.see(t, seenPage("https://example.com/docs"))
		g.stage(t, g.page(string(state), "Text of "+g.run.ID))
		return g.finish(t, state).ID
	}
	end(s, knowledge.RunCompleted)
	published := end(s, knowledge.RunCompleted)
	end(s, knowledge.RunFailed)
	latest := end(s, knowledge.RunCancelled)
	alone := end(other, knowledge.RunFailed)
	runs := k.gather(t, other)
	runs.stage(t, runs.page("a", "Alpha."))
	file := external(hours(), "file")
	file.RunID = id.New(id.Run)
	k.put(t, file)
	training := k.start(t, knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunTraining, CreatedAt: now()})
	_, err := k.CancelRun(t.Context(), k.commit(), training.ID)
	ok(t, "CancelRun", err)
	gone := k.addSource(t, "")
	end(gone, knowledge.RunCompleted)
	_, err = k.DeleteSource(t.Context(), k.commit(), gone.ID)
	ok(t, "DeleteSource", err)
	waits := k.start(t, newRun(s))
	_ = latest
	before := read(t, k, k.company)
	time.Sleep(2 * tick)
	keep := forGood
	keep.Runs = time.Millisecond
	// Of the source the queued one is the latest, so that the one cancelled goes, too.
	if n := k.sweep(t, keep, 100, "runs"); n != 7 {
		t.Errorf("Sweep removed %d runs, want 7", n)
	}
	after := read(t, k, k.company)
	var left []string
	for _, r := range after.Runs {
		left = append(left, r.ID)
	}
	wantIDs(t, "the runs left", left, waits.ID, runs.run.ID, published)
	for _, runID := range left {
		same(t, "what belongs to a run that is left", after.Gathered[runID], before.Gathered[runID])
	}
	for _, r := range before.Runs {
		if slices.Contains(left, r.ID) {
			continue
		}
		_, err := k.Run(t.Context(), k.company, r.ID)
		missing(t, "Run", err)
		if n := len(k.runEvents(t, r.ID)) + len(k.pagesOf(t, r.ID)); n != 0 {
			t.Errorf("%d events and pages are left of run %s", n, r.ID)
		}
	}
	same(t, "the sources", after.Sources, before.Sources)
	after.Runs, after.Gathered = before.Runs, before.Gathered
	same(t, "the company", after, before)
	if slices.Contains(left, alone) {
		t.Errorf("run %s, which is not its source's latest, is left", alone)
	}
	if n := runs.finish(t, knowledge.RunCompleted).Counts; n.Created != 1 {
		t.Errorf("the run that was under way came to %s", canonical(n))
	}
}

func sweepChanges(t *testing.T, k *kit) {
	other := newKit(t, k.Store)
	other.put(t, hours())
	var docs []string
	for i := range 10 {
		writes := newDocuments(i%3 + 1)
		k.put(t, writes...)
		docs = append(docs, writes[0].NewID)
	}
	k.deleteDocument(t, docs[0])
	before, start := read(t, k, k.company), snapshotOf(t, k, 1<<20)
	keep := forGood
	keep.Changes = 4
	if n := k.sweep(t, keep, 100, "changes"); n != 1+2+3+1+2+3+1 {
		t.Errorf("Sweep removed %d changes, want those of 7 revisions", n)
	}
	for after := range int64(13) {
		got, err := k.Changes(t.Context(), k.company, after, 1000)
		if after < 7 {
			if !errors.Is(err, knowledge.ErrFeedPruned) {
				t.Errorf("Changes after revision %d = %s, %v, want an error wrapping %q", after, canonical(got), err, knowledge.ErrFeedPruned)
			}
			continue
		}
		ok(t, "Changes", err)
		want := slices.DeleteFunc(slices.Clone(before.Changes), func(c knowledge.Change) bool { return c.Revision <= after })
		same(t, fmt.Sprintf("Changes after revision %d", after), plain(got), plain(want))
	}
	k.put(t, hours())
	start.follow(t, k, 1)
	start.agrees(t, "whoever followed", k)
	if r, err := k.Revision(t.Context(), k.company); r != 12 || err != nil {
		t.Errorf("Revision = %d, %v, want 12", r, err)
	}
	if got := allChanges(t, other, other.company, 0, 10); len(got) != 1 {
		t.Errorf("the feed of a company that is not behind is %s", canonical(got))
	}
}

func sweepDeadJobs(t *testing.T, k *kit) {
	k.fill(t)
	dead := newWork("dead again")
	dead.Queue = "another"
	k.enqueue(t, dead, newWork("alive"))
	leases, err := k.ClaimKeys(t.Context(), k.company, dead.Queue, "worker", long, 1)
	ok(t, "ClaimKeys", err)
	k.finish(t, leases[0], store.Outcome{ID: dead.ID, Dead: true, Reason: "refused"})
	before := read(t, k, k.company)
	time.Sleep(2 * tick)
	keep := forGood
	keep.DeadJobs = time.Millisecond
	if n := k.sweep(t, keep, 100, "jobs"); n != 2 {
		t.Errorf("Sweep removed %d jobs, want the 2 dead ones", n)
	}
	missing(t, "ReviveJob", k.ReviveJob(t.Context(), k.company, dead.ID))
	after := read(t, k, k.company)
	if len(after.Dead) != 0 || len(before.Dead) != 1 {
		t.Errorf("the dead jobs are %s", canonical(after.Dead))
	}
	after.Dead = before.Dead
	same(t, "the company", after, before)
	jobs := 0
	for _, l := range k.claimKeys(t, long, 100) {
		jobs += len(k.due(t, l, false))
	}
	if jobs != 2 { // the one of what rode along, and the one queued just now
		t.Errorf("%d jobs are due after the sweep, want 2", jobs)
	}
}

func sweepAudit(t *testing.T, k *kit) {
	for _, age := range []time.Duration{1000 * 24 * time.Hour, 3 * time.Hour, time.Hour, 0} {
		a := store.Audit{ID: id.New(id.Audit), Actor: "key_1", Action: "probe", At: now().Add(-age)}
		ok(t, "Enqueue", k.Enqueue(t.Context(), store.Commit{Company: k.company, Audit: &a}))
	}
	before := read(t, k, k.company)
	if n := k.sweep(t, knowledge.Retention{}, 100, "audit"); n != 0 {
		t.Errorf("Sweep removed %d entries of the audit log, which is kept for good", n)
	}
	keep := forGood
	keep.Audit = 2 * time.Hour
	if n := k.sweep(t, keep, 100, "audit"); n != 2 {
		t.Errorf("Sweep removed %d entries of the audit log, want 2", n)
	}
	after := read(t, k, k.company)
	same(t, "the audit log", after.Audit, before.Audit[:2])
}

func sweepLimited(t *testing.T, k *kit) {
	docs := map[*kit]string{k: "", newKit(t, k.Store): ""}
	for k := range docs {
		for i := range 8 {
			docs[k] = k.put(t, external(text("Title", fmt.Sprintf("Text %d.", i)), "a"))[0].ID
		}
	}
	keep := forGood
	keep.Versions, keep.Changes = 3, 5
	total := knowledge.Swept{}
	for calls := 0; ; calls++ {
		swept, err := k.Sweep(t.Context(), keep, 4)
		ok(t, "Sweep", err)
		if len(swept) == 0 {
			if calls < 3 {
				t.Errorf("%d calls swept everything, want at least 3", calls)
			}
			break
		}
		for thing, n := range swept {
			if n > 4 {
				t.Errorf("Sweep removed %d %s, want 4 at most", n, thing)
			}
			total[thing] += n
		}
		for k, docID := range docs {
			if all, err := k.Versions(t.Context(), k.company, docID); err != nil || len(all) < 3 || !all[0].Live {
				t.Errorf("while it is swept, a document has the versions %s (%v)", canonical(all), err)
			}
		}
	}
	same(t, "what was swept", total, knowledge.Swept{"versions": 10, "changes": 6})
}
