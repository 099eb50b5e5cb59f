package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// sourceRaces are about runs whose steps meet each other, or whoever deletes what
// they are about.
var sourceRaces = []promise{
	{
		name:  "start at once",
		text:  "of many runs of one source, or trainings of one agent, started at once one is queued, with its work, and all get that one",
		check: startAtOnce,
	},
	{
		name:  "due at once",
		text:  "of many that start what is due one does, and the others are told that somebody did",
		check: dueAtOnce,
	},
	{
		name:  "stage or cancel",
		text:  "nothing is staged for a run after it was cancelled, whatever was under way",
		check: stageOrCancel,
	},
	{
		name:  "end or cancel",
		text:  "a run is published or cancelled, and never both or half",
		check: endOrCancel,
	},
	{
		name:  "gather or delete the source",
		text:  "nothing is left of a source after its delete returned, whatever its runs did meanwhile",
		check: gatherOrDeleteSource,
	},
	{
		name:  "gather or delete documents",
		text:  "no document comes back that somebody deleted while it was staged and published",
		check: gatherOrDeleteDocuments,
	},
	{
		name:  "gather or delete the agent",
		text:  "nothing is left of an agent's sources and runs after its delete returned, whatever these did meanwhile",
		check: gatherOrDeleteAgent,
	},
	{
		name:  "gather at once",
		text:  "runs of many sources stage and publish at once, each whole, at a revision of its own",
		check: gatherAtOnce,
	},
}

func startAtOnce(t *testing.T, k *kit) {
	const callers = 8
	for round := range 6 {
		s := k.addSource(t, "")
		a := k.newAgent(t)
		var got [2 * callers]string
		together(2*callers, func(i int) {
			r := newRun(s)
			if i >= callers {
				r = knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunTraining, AgentID: a, CreatedAt: now()}
			}
			cm := k.commit(aboutRun("run.queued", r.ID))
			cm.Work = []store.Work{{ID: id.New(id.Work), Queue: queue, Key: fmt.Sprint(round, i/callers), Payload: []byte(r.ID)}}
			started, err := k.StartRun(t.Context(), cm, r, time.Time{}, time.Time{})
			if err != nil {
				t.Errorf("StartRun: %v", err)
			}
			got[i] = started.ID
		})
		work := map[string]string{} // the key of a run's
		for i, of := range [][]string{got[:callers], got[callers:]} {
			if slices.Sort(of); of[0] != of[callers-1] {
				t.Errorf("of %d runs started at once the callers got %q, want one", callers, slices.Compact(of))
			}
			if evs := ofStream(allEvents(t, k, k.company), of[0]); len(evs) != 1 {
				t.Errorf("%d events tell of the run that was started, want 1", len(evs))
			}
			work[of[0]] = fmt.Sprint(round, i)
		}
		for _, l := range k.claimKeys(t, long, 10) {
			if jobs := k.due(t, l, true); len(jobs) != 1 || work[string(jobs[0].Payload)] != l.Key {
				t.Errorf("the work of key %s is %+v, want that of the run that was started", l.Key, jobs)
			}
		}
		if n := len(everyPage(t, 100, func(p store.Page) (store.List[knowledge.Run], error) {
			return k.Runs(t.Context(), k.company, knowledge.RunFilter{}, p)
		})); n != 2*(round+1) {
			t.Fatalf("there are %d runs, want %d", n, 2*(round+1))
		}
	}
}

func dueAtOnce(t *testing.T, k *kit) {
	for range 6 {
		s := newSource("")
		s.NextRunAt = now().Add(-time.Hour)
		ok(t, "CreateSource", k.CreateSource(t.Context(), k.commit(), s, nil))
		next := now().Add(long)
		oneWins(t, "StartRun of what is due", 8, store.ErrConflict, func(int) error {
			return second(k.StartRun(t.Context(), k.commit(), newRun(s), next, s.NextRunAt))
		})
		if got := k.sourceNow(t, s.ID).NextRunAt; !got.Equal(next) {
			t.Errorf("the source is due at %v, want %v", got, next)
		}
	}
}

func stageOrCancel(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	k.publish(t, s, aPage("0", "Alpha."))
	for range 8 {
		g := k.gather(t, s)
		before := read(t, k, k.company)
		var cancelled atomic.Bool
		together(4, func(i int) {
			if i == 3 {
				time.Sleep(2 * time.Millisecond)
				if _, err := k.CancelRun(t.Context(), k.commit(), g.run.ID); err != nil {
					t.Errorf("CancelRun: %v", err)
				}
				cancelled.Store(true)
				return
			}
			for n := range 1000 {
				after := cancelled.Load()
				_, err := k.Stage(t.Context(), g.lease, g.run.ID, knowledge.Staging{
					Writes: []knowledge.Write{g.page(fmt.Sprint(n%4), fmt.Sprintf("Text %d of %d.", n, i)), g.page(fmt.Sprint(i, " ", n), "Alpha, again.")},
				})
				among(t, "Stage", err, knowledge.ErrRunEnded)
				if err == nil && after {
					t.Error("Stage of a run that was cancelled")
				}
				if err != nil {
					return
				}
			}
		})
		after := read(t, k, k.company)
		same(t, "the company", withoutRun(after, g.run.ID), withoutRun(before, g.run.ID))
		if left := after.Gathered[g.run.ID].Staged; len(left) != 0 {
			t.Errorf("%d documents are staged for a run that was cancelled", len(left))
		}
	}
	k.noOrphans(t)
}

func endOrCancel(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."))
	for round := range 10 {
		g := k.gather(t, s)
		fresh := g.stage(t, g.page("a", fmt.Sprintf("Alpha %d.", round)), g.page(fmt.Sprint("new ", round), "New."))[1].DocumentID
		before := read(t, k, k.company)
		var ended, failed error
		together(4, func(i int) {
			switch i {
			case 0:
				_, ended = g.ends(t.Context(), knowledge.RunCompleted)
				among(t, "EndRun", ended, knowledge.ErrRunEnded)
			case 1:
				_, failed = g.ends(t.Context(), knowledge.RunFailed)
				among(t, "EndRun that fails", failed, knowledge.ErrRunEnded)
			default:
				if _, err := k.CancelRun(t.Context(), k.commit(aboutRun(event.TrainingCancelled, g.run.ID)), g.run.ID); err != nil {
					t.Errorf("CancelRun: %v", err)
				}
			}
		})
		r, after := k.runNow(t, g.run.ID), read(t, k, k.company)
		if (ended == nil) != (r.State == knowledge.RunCompleted) || (failed == nil) != (r.State == knowledge.RunFailed) || !r.State.Ended() {
			t.Errorf("a run that was ended (%v), failed (%v) and cancelled at once is %s", ended, failed, r.State)
		}
		told := types(ofStream(after.Events, r.ID))
		if want := []event.Type{event.TrainingStarted, endings[r.State]}; !slices.Equal(told, want) {
			t.Errorf("the events of a run that is %s are %q, want %q", r.State, told, want)
		}
		if kinds := kindsOf(k.runEvents(t, r.ID)); kinds != "run.started run."+string(r.State) {
			t.Errorf("a run that is %s tells of %q", r.State, kinds)
		}
		if r.State == knowledge.RunCompleted {
			k.asRead(t, g.page("a", fmt.Sprintf("Alpha %d.", round)), docs[0], len(after.Versions[docs[0]]))
			k.asRead(t, as(g.page(fmt.Sprint("new ", round), "New."), fresh), fresh, 1)
			if after.Revision != before.Revision+1 {
				t.Errorf("the revision went from %d to %d", before.Revision, after.Revision)
			}
			continue
		}
		same(t, "the company", withoutRun(after, r.ID), withoutRun(before, r.ID))
	}
	k.noOrphans(t)
}

// busyWith does runs of a source, several at once and again and again, while remove
// is called. It fails the test if one is done after that returned, unless the source
// stays.
func (k *kit) busyWith(t *testing.T, s knowledge.Source, stays bool, remove func() error) {
	t.Helper()
	var gone atomic.Bool
	var leases [4]store.Lease
	for i := range leases {
		leases[i] = k.grip(t, long)
	}
	run := func(i int) error {
		ctx := t.Context()
		r, err := k.StartRun(ctx, k.commit(), newRun(s), time.Time{}, time.Time{})
		if err != nil {
			return err
		}
		g := &gathering{kit: k, source: s, run: r, lease: leases[i]}
		steps := []func() error{
			func() error { return second(k.BeginRun(ctx, k.commit(), g.lease, r.ID)) },
			func() error {
				return second(k.Stage(ctx, g.lease, r.ID, knowledge.Staging{
					Writes: []knowledge.Write{g.page("a", fmt.Sprintf("Secretmarker alpha %d %s.", i, r.ID)), g.page(fmt.Sprint("by ", i), "Secretmarker "+r.ID)},
					Pages:  []knowledge.Page{seenPage("https://example.com/" + r.ID)},
				}))
			},
			func() error { return k.MoveRun(ctx, g.lease, r.ID, "fetch", knowledge.Counts{Done: 1}, nil) },
			func() error { return second(g.ends(ctx, knowledge.RunCompleted)) },
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}
	together(len(leases)+1, func(i int) {
		if i == len(leases) {
			time.Sleep(10 * time.Millisecond)
			if err := remove(); err != nil {
				t.Errorf("the delete: %v", err)
			}
			gone.Store(true)
			return
		}
		for range 1000 {
			after := gone.Load()
			err := run(i)
			among(t, "a step of a run", err, knowledge.ErrRunEnded, store.ErrNotFound)
			if err == nil && after && !stays {
				t.Error("a run was done after the delete had returned")
			}
			if after {
				return
			}
		}
	})
}

func gatherOrDeleteSource(t *testing.T, k *kit) {
	for range 4 {
		s := k.addSource(t, "")
		k.publish(t, s, aPage("a", "Secretmarker alpha."), aPage("b", "Secretmarker beta."))
		k.busyWith(t, s, false, func() error { return second(k.DeleteSource(t.Context(), k.commit(), s.ID)) })
		after := read(t, k, k.company)
		if left := canonical(after); len(after.Documents) != 0 || strings.Contains(left, "Secretmarker") {
			t.Errorf("of a deleted source there are %s", clip(canonical(after.Documents)))
		}
		_, err := k.Source(t.Context(), k.company, s.ID)
		missing(t, "Source", err)
		k.noOrphans(t)
	}
}

func gatherOrDeleteAgent(t *testing.T, k *kit) {
	for range 4 {
		a := k.newAgent(t)
		s := k.addSource(t, a)
		k.publish(t, s, aPage("a", "Secretmarker alpha."))
		k.busyWith(t, s, false, func() error { return second(k.DeleteAgent(t.Context(), k.commit(tell(event.AgentDeleted, a)), a)) })
		after := read(t, k, k.company)
		after.Events = nil // they name what was, by its id
		if left := canonical(after); strings.Contains(left, a) || strings.Contains(left, s.ID) || strings.Contains(left, "Secretmarker") {
			t.Errorf("agent %s was deleted, and it or its source are still named in %s", a, clip(left))
		}
		k.noOrphans(t)
	}
}

func gatherOrDeleteDocuments(t *testing.T, k *kit) {
	const answer = "Hello. Claimmarker. Bye."
	for round := range 4 {
		s := k.addSource(t, "")
		doc := k.publish(t, s, aPage("a", "Secretmarker alpha."))[0]
		turn := k.begin(t, agent.Message{})
		k.end(t, turn, answer, claims(k.cite(t, doc, "Secretmarker alpha."), answer, "Claimmarker."))
		k.busyWith(t, s, true, func() error { return second(k.DeleteDocument(t.Context(), k.commit(), doc)) })
		missingDocument(t, k, doc)
		k.left(t, turn.ReplyID, "Hello. Bye.", "")
		for _, d := range read(t, k, k.company).Documents {
			if d.SourceID == s.ID && d.ExternalID == "a" {
				t.Errorf("in round %d document %s came back as %s", round, doc, d.ID)
			}
		}
		evs := ofStream(allEvents(t, k, k.company), doc)
		if last := evs[len(evs)-1]; last.Type != event.ContentDeleted {
			t.Errorf("the last event of a document that was deleted is %s", canonical(last))
		}
		k.noOrphans(t)
	}
}

func gatherAtOnce(t *testing.T, k *kit) {
	const many, each = 6, 5
	var all []*gathering
	for range many {
		all = append(all, k.gather(t, k.addSource(t, "")))
	}
	before, err := k.Revision(t.Context(), k.company)
	ok(t, "Revision", err)
	var revisions [many]int64
	together(2*many, func(i int) {
		if i >= many { // others go on meanwhile
			for range each {
				if err := second(k.WriteDocuments(t.Context(), k.commit(), newDocuments(1))); err != nil {
					t.Errorf("WriteDocuments: %v", err)
				}
			}
			return
		}
		g := all[i]
		for n := range each {
			var st knowledge.Staging
			for j := range 10 {
				st.Writes = append(st.Writes, g.page(fmt.Sprint(n, " ", j), fmt.Sprintf("Text %d of %d by %d.", j, n, i)))
			}
			if _, err := k.Stage(t.Context(), g.lease, g.run.ID, st); err != nil {
				t.Errorf("Stage: %v", err)
			}
		}
		r, err := g.ends(t.Context(), knowledge.RunCompleted)
		if err != nil || r.Counts.Created != 10*each {
			t.Errorf("EndRun = %s, %v, want %d documents", canonical(r.Counts), err, 10*each)
		}
		revisions[i] = r.Revision
	})
	after := allChanges(t, k, k.company, before, 1000)
	sizes := map[int64]int{}
	for _, c := range after {
		sizes[c.Revision]++
	}
	for i, r := range revisions {
		if n := sizes[r]; n != 10*each || k.sourceNow(t, all[i].source.ID).Documents != 10*each {
			t.Errorf("run %d was published at revision %d, which has %d changes, want %d", i, r, n, 10*each)
		}
	}
	if len(sizes) != many+many*each {
		t.Errorf("there are %d revisions, want %d", len(sizes), many+many*each)
	}
	gapless(t, allEvents(t, k, k.company))
	k.noOrphans(t)
}
