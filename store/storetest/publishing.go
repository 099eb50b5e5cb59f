package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var publishing = []promise{
	{
		name:  "at once",
		text:  "all that a run has staged is published at one revision, each document with its event, and counted",
		check: publishAtOnce,
	},
	{
		name:  "nothing new",
		text:  "a run that changes nothing leaves the revision and the feed as they are, and tells of no document",
		check: publishNothing,
	},
	{
		name:  "not published",
		text:  "of a run that ends in any other way nothing is left but the run, and the next one begins with nothing",
		check: publishNot,
	},
	{
		name:  "deletes",
		text:  "a document that a run deletes is gone with its quotes, and may come back with a later run",
		check: publishDeletes,
	},
	{
		name:  "deleted meanwhile",
		text:  "a document that somebody deletes after it was staged, or its like, stays gone",
		check: publishDeleted,
	},
	{
		name:  "changed meanwhile",
		text:  "what another run has published since a document was staged stays as it is",
		check: publishChanged,
	},
	{
		name:  "external ids change hands",
		text:  "documents that take each other's external ids in one run are published",
		check: publishSwapped,
	},
	{
		name:  "taken up again",
		text:  "a run that is taken up again has what it had staged, and publishes it with the rest",
		check: publishTakenUp,
	},
	{
		name:  "pages",
		text:  "a run that is published has the only pages of its source; one that is not leaves those alone",
		check: publishPages,
	},
	{
		name:  "replies",
		text:  "citations of a document stand or not by what is live, whatever is staged",
		check: publishCited,
	},
	{
		name:  "training",
		text:  "a run without a source ends in any state with the counts that it has, and publishes nothing",
		check: publishTraining,
	},
	{
		name:  "refused",
		text:  "a run does not end in a state that is none to end in",
		check: publishRefused,
	},
}

func publishAtOnce(t *testing.T, k *kit) {
	s := k.addSource(t, k.agent)
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."), aPage("c", "Gamma."), aPage("d", "Delta."))
	put := k.putOne(t, hours())
	g := k.gather(t, s)
	fresh, next, renamed := g.page("e", "Epsilon.", "More."), g.page("a", "Alpha, again."), g.page("b", "Beta.")
	renamed.Title, renamed.Metadata, renamed.Language = "Another title", map[string]any{"n": 1.5}, "de"
	renamed = hashed(renamed)
	fresh.Passages[0].Page, fresh.Passages[1].Page = 3, 4
	g.stage(t, fresh, next)
	g.stage(t, renamed, g.page("c", "Gamma."))
	g.drop(t, docs[3])
	f := snapshotOf(t, k, 1<<20)
	before := read(t, k, k.company)

	counts := knowledge.Counts{Total: 5, Done: 5, Created: 77, Updated: 78, Deleted: 79, Unchanged: 1, Skipped: 2, Failed: 3, Bytes: 4, Errors: map[string]int{"network": 3}}
	r := g.run
	r.State, r.Phase, r.Counts = knowledge.RunCompleted, "done", counts
	ev := aboutRun(event.TrainingCompleted, r.ID)
	got, err := k.EndRun(t.Context(), k.commit(ev), g.lease, r)
	ok(t, "EndRun", err)
	counts.Created, counts.Updated, counts.Deleted = 1, 2, 1
	r.Counts, r.Revision, r.EndedAt = counts, before.Revision+1, got.EndedAt
	sameRun(t, "EndRun", got, r)
	if got.EndedAt.IsZero() || got.EndedAt.Before(got.StartedAt) {
		t.Errorf("the run ended at %v", got.EndedAt)
	}
	same(t, "Run", k.runNow(t, r.ID), got)

	k.asRead(t, fresh, fresh.NewID, 1)
	k.asRead(t, next, docs[0], 2)
	k.asRead(t, renamed, docs[1], 1)
	k.asRead(t, g.page("c", "Gamma."), docs[2], 1)
	missingDocument(t, k, docs[3])
	after := read(t, k, k.company)
	if after.Revision != before.Revision+1 {
		t.Errorf("the revision went from %d to %d, want one more", before.Revision, after.Revision)
	}
	var touched []string
	for _, c := range allChanges(t, k, k.company, before.Revision, 100) {
		touched = append(touched, c.DocumentID)
	}
	slices.Sort(touched)
	wantIDs(t, "the documents of the new revision", touched, docs[0], docs[1], docs[3], fresh.NewID)
	f.follow(t, k, 2)
	f.agrees(t, "a follower of the feed", k)
	for docID, want := range map[string]event.Event{
		fresh.NewID: {Type: event.ContentCreated, Sequence: 1, Refs: event.Refs{Version: 1}},
		docs[0]:     {Type: event.ContentUpdated, Sequence: 2, Refs: event.Refs{Version: 2}},
		docs[1]:     {Type: event.ContentUpdated, Sequence: 2, Refs: event.Refs{Version: 1}},
		docs[2]:     {Type: event.ContentCreated, Sequence: 1, Refs: event.Refs{Version: 1}},
		docs[3]:     {Type: event.ContentDeleted, Sequence: 2},
	} {
		evs := ofStream(after.Events, docID)
		last := evs[len(evs)-1]
		want.Refs.AgentID, want.Refs.DocumentID, want.Refs.SourceID, want.Refs.RunID = k.agent, docID, s.ID, r.ID
		if docID == docs[2] {
			want.Refs.RunID = last.Refs.RunID // of the run before
		}
		if last.Type != want.Type || last.Sequence != want.Sequence || last.Refs != want.Refs || last.CreatedAt.IsZero() {
			t.Errorf("the last event of document %s is %s, want %s", docID, canonical(last), canonical(want))
		}
	}
	if told := ofStream(after.Events, r.ID); told[len(told)-1].ID != ev.ID {
		t.Errorf("the run's events are %s, want that of the commit last", canonical(told))
	}
	gapless(t, after.Events)
	evs := k.runEvents(t, r.ID)
	if last := evs[len(evs)-1]; last.Type != knowledge.RunIsCompleted || canonical(last.Counts) != canonical(counts) {
		t.Errorf("the run's last event is %s, want that it completed with its counts", canonical(last))
	}
	if left := k.staged(t, r.ID); len(left) != 0 {
		t.Errorf("once it is published, staged is %s", canonical(left))
	}
	if got := k.sourceNow(t, s.ID); got.PublishedID != r.ID || got.Documents != 4 || got.State() != knowledge.SourceReady {
		t.Errorf("the source is %s", canonical(got))
	}
	if d, err := k.Document(t.Context(), k.company, put.ID); err != nil || canonical(d) != canonical(put) {
		t.Errorf("a document that was put is %s (%v), want %s", canonical(d), err, canonical(put))
	}
}

func publishNothing(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."))
	for _, stage := range []func(g *gathering){
		func(*gathering) {},
		func(g *gathering) { g.stage(t, g.page("a", "Alpha."), g.page("b", "Beta.")) },
		func(g *gathering) { // as it was, after all
			g.stage(t, g.page("a", "Alpha, again."), g.page("c", "Gamma."))
			g.drop(t, docs[1])
			g.stage(t, g.page("a", "Alpha."), g.page("b", "Beta."))
			for _, d := range k.staged(t, g.run.ID) {
				g.drop(t, d.DocumentID)
			}
		},
	} {
		g := k.gather(t, s)
		stage(g)
		g.see(t, seenPage("https://example.com/docs/a"))
		before := read(t, k, k.company)
		got := g.finish(t, knowledge.RunCompleted)
		if n := got.Counts; got.Revision != before.Revision || n.Created+n.Updated+n.Deleted != 0 {
			t.Errorf("a run that changes nothing came to %s, want revision %d", canonical(got), before.Revision)
		}
		after := read(t, k, k.company)
		same(t, "the feed", after.Changes, before.Changes)
		if len(after.Events) != len(before.Events)+1 || after.Revision != before.Revision {
			t.Errorf("a run that changes nothing went from revision %d to %d and told %d events", before.Revision, after.Revision, len(after.Events)-len(before.Events))
		}
		same(t, "the documents", after.Documents, before.Documents)
		if got := k.sourceNow(t, s.ID); got.PublishedID != g.run.ID {
			t.Errorf("the source's published run is %s, want %s", got.PublishedID, g.run.ID)
		}
	}
	empty := newKit(t, k.Store)
	g := empty.gather(t, empty.addSource(t, ""))
	if got := g.finish(t, knowledge.RunCompleted); got.Revision != 0 {
		t.Errorf("a first run without documents ends at revision %d, want 0", got.Revision)
	}
}

func publishNot(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."))
	for _, state := range []knowledge.RunState{knowledge.RunFailed, knowledge.RunCancelled} {
		g := k.gather(t, s)
		before := read(t, k, k.company)
		g.stage(t, g.page("a", "Alpha, again."), g.page("c", "Gamma."))
		g.drop(t, docs[1])
		got := g.finish(t, state)
		want := g.run
		want.State, want.Phase, want.EndedAt = state, string(state), got.EndedAt
		if state == knowledge.RunFailed {
			want.Error = &knowledge.RunError{Kind: "network", Message: "it does not answer", Status: 503}
		}
		sameRun(t, "EndRun", got, want)
		after := read(t, k, k.company)
		same(t, "the company", withoutRun(after, g.run.ID), withoutRun(before, g.run.ID))
		if left := k.staged(t, g.run.ID); len(left) != 0 || got.EndedAt.IsZero() {
			t.Errorf("of a run that is %s %s is left", state, canonical(left))
		}
		evs := k.runEvents(t, g.run.ID)
		if last := evs[len(evs)-1]; last.Type != "run."+string(state) || canonical(last.Error) != canonical(want.Error) {
			t.Errorf("the last event of a run that is %s is %s", state, canonical(last))
		}
		if told := ofStream(after.Events, g.run.ID); told[len(told)-1].Type != endings[state] {
			t.Errorf("the events of a run that is %s are %s", state, canonical(told))
		}
	}
	g := k.gather(t, s)
	wantIDs(t, "Stage by the next run", became(g.stage(t, g.page("c", "Gamma."), g.page("b", "Beta."))), "c created", "b unchanged")
	if n := g.finish(t, knowledge.RunCompleted).Counts; n.Created != 1 || n.Updated != 0 || n.Deleted != 0 {
		t.Errorf("the next run came to %s, want one document created", canonical(n))
	}
}

func publishDeletes(t *testing.T, k *kit) {
	const answer = "Hello. Claimmarker one. Claimmarker two. Bye."
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Secretmarker alpha."), aPage("b", "Secretmarker beta."), aPage("c", "Gamma."))
	turn := k.begin(t, agent.Message{})
	k.end(t, turn, answer, claims(k.cite(t, docs[0], "Secretmarker alpha."), answer, "Claimmarker one."), claims(k.cite(t, docs[2], "Gamma."), answer, "Claimmarker two."))
	g := k.gather(t, s)
	g.drop(t, docs[:2]...)
	if n := g.finish(t, knowledge.RunCompleted).Counts; n.Deleted != 2 {
		t.Errorf("the run came to %s, want two documents deleted", canonical(n))
	}
	k.left(t, turn.ReplyID, "Hello. Claimmarker two. Bye.", "", "Claimmarker two.")
	for _, docID := range docs[:2] {
		missingDocument(t, k, docID)
	}
	again := k.publish(t, s, aPage("a", "Secretmarker alpha."), aPage("elsewhere", "Secretmarker beta."))
	if again[0] == docs[0] || len(again) != 2 || k.sourceNow(t, s.ID).Documents != 3 {
		t.Errorf("documents that came back are %q, want new ones", again)
	}
}

func publishDeleted(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("updated", "One."), aPage("deleted", "Two."), aPage("moves", "Three."), aPage("copied", "Four."), aPage("stays", "Five."))
	g := k.gather(t, s)
	g.stage(t, g.page("updated", "One, again."), as(g.page("moved", "Three."), docs[2]), g.page("copy", "Four."), g.page("stays", "Five, again."), g.page("new", "New."))
	g.drop(t, docs[1])
	for _, docID := range docs[:4] {
		k.deleteDocument(t, docID)
	}
	before := read(t, k, k.company)
	got := g.finish(t, knowledge.RunCompleted)
	if n := got.Counts; n.Created != 1 || n.Updated != 1 || n.Deleted != 0 || got.Revision != before.Revision+1 {
		t.Errorf("the run came to %s, want one document created and one updated", canonical(got))
	}
	for _, docID := range docs[:4] {
		missingDocument(t, k, docID)
		if evs := ofStream(allEvents(t, k, k.company), docID); evs[len(evs)-1].Type != event.ContentDeleted || len(evs) != 2 {
			t.Errorf("the events of a document that was deleted are %s", canonical(evs))
		}
	}
	var left []string
	for _, d := range read(t, k, k.company).Documents {
		left = append(left, d.ExternalID)
	}
	slices.Sort(left)
	wantIDs(t, "the documents", left, "new", "stays")
}

func publishChanged(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."), aPage("c", "Gamma."), aPage("d", "Delta."), aPage("e", "Epsilon."))
	late, early := k.gather(t, s), k.gather(t, s)
	late.stage(t, late.page("a", "Alpha, late."), late.page("d", "Delta, late."), late.page("e", "Epsilon, late."), late.page("new", "New, late."), late.page("late", "Late."))
	late.drop(t, docs[1], docs[2])
	early.stage(t, early.page("a", "Alpha, early."), early.page("b", "Beta, early."), early.page("new", "New, early."))
	early.drop(t, docs[2], docs[3])
	if n := early.finish(t, knowledge.RunCompleted).Counts; n.Created != 1 || n.Updated != 2 || n.Deleted != 2 {
		t.Errorf("the first run to end came to %s", canonical(n))
	}
	before := read(t, k, k.company)
	got := late.finish(t, knowledge.RunCompleted)
	if n := got.Counts; n.Created != 1 || n.Updated != 1 || n.Deleted != 0 || got.Revision != before.Revision+1 {
		t.Errorf("the second run to end came to %s, want what the first one left alone", canonical(got))
	}
	k.asRead(t, early.page("a", "Alpha, early."), docs[0], 2)
	k.asRead(t, early.page("b", "Beta, early."), docs[1], 2)
	missingDocument(t, k, docs[2])
	missingDocument(t, k, docs[3])
	k.asRead(t, late.page("e", "Epsilon, late."), docs[4], 2)
	var left []string
	for _, d := range read(t, k, k.company).Live {
		left = append(left, d.ExternalID+": "+d.Passages[0].Text)
	}
	slices.Sort(left)
	wantIDs(t, "the documents", left, "a: Alpha, early.", "b: Beta, early.", "e: Epsilon, late.", "late: Late.", "new: New, early.")
}

func publishSwapped(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."), aPage("c", "Gamma."), aPage("d", "Delta."))
	g := k.gather(t, s)
	g.stage(t, as(g.page("free", "Alpha."), docs[0])) // a makes room for b, and b for c, and c for a
	g.stage(t, as(g.page("a", "Beta."), docs[1]))
	g.stage(t, as(g.page("b", "Gamma."), docs[2]))
	g.stage(t, as(g.page("c", "Alpha."), docs[0]))
	g.drop(t, docs[3])
	fresh := g.page("e", "Epsilon.")
	g.stage(t, fresh)
	moved := as(g.page("d", "Epsilon, moved."), fresh.NewID) // what is new takes the place of what goes
	g.stage(t, moved)
	if n := g.finish(t, knowledge.RunCompleted).Counts; n.Created != 1 || n.Updated != 3 || n.Deleted != 1 {
		t.Errorf("the run came to %s, want one document created, three updated and one deleted", canonical(n))
	}
	for i, w := range []knowledge.Write{g.page("c", "Alpha."), g.page("a", "Beta."), g.page("b", "Gamma.")} {
		k.asRead(t, w, docs[i], 1)
	}
	missingDocument(t, k, docs[3])
	k.asRead(t, moved, fresh.NewID, 1)
}

func publishTakenUp(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."))
	g := k.gather(t, s)
	g.stage(t, g.page("a", "Alpha, again."), g.page("c", "Gamma."), g.page("e", "Epsilon."))
	g.drop(t, docs[1])
	g.see(t, seenPage("https://example.com/docs/a"))
	ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), g.lease))
	g.lease = k.grip(t, long)
	g.begin(t)
	wantIDs(t, "Stage of what the first attempt had staged", became(g.stage(t, g.page("c", "Gamma."), g.page("d", "Delta."))), "c created", "d created")
	g.see(t, seenPage("https://example.com/docs/d"))
	got := g.finish(t, knowledge.RunCompleted)
	if n := got.Counts; n.Created != 3 || n.Updated != 1 || n.Deleted != 1 || got.Attempts != 2 {
		t.Errorf("the run came to %s, want what both attempts have staged", canonical(got))
	}
	if n := len(k.pagesOf(t, g.run.ID)); n != 2 {
		t.Errorf("the run has %d pages, want 2", n)
	}
}

func publishPages(t *testing.T, k *kit) {
	s, other := k.addSource(t, ""), k.addSource(t, "")
	beside := k.gather(t, other)
	beside.see(t, seenPage("https://example.com/docs/a"))
	run := func(state knowledge.RunState, pages int) string {
		g := k.gather(t, s)
		for i := range pages {
			g.see(t, seenPage(fmt.Sprint("https://example.com/docs/", i)))
		}
		if state == "" {
			return g.run.ID
		}
		return g.finish(t, state).ID
	}
	counts := map[string]int{beside.run.ID: 1}
	check := func(when string) {
		t.Helper()
		for runID, want := range counts {
			if n := len(k.pagesOf(t, runID)); n != want {
				t.Errorf("%s, run %s has %d pages, want %d", when, runID, n, want)
			}
		}
	}
	failed := run(knowledge.RunFailed, 1)
	counts[failed] = 1
	first := run(knowledge.RunCompleted, 2)
	counts[failed], counts[first] = 0, 2
	check("after the first was published")
	for _, state := range []knowledge.RunState{knowledge.RunFailed, knowledge.RunCancelled, ""} {
		counts[run(state, 3)] = 3
	}
	check("after others were not")
	second := run(knowledge.RunCompleted, 1)
	for runID := range counts {
		if runID != beside.run.ID {
			counts[runID] = 0
		}
	}
	counts[second] = 1
	check("after the second was published")
	if got := k.sourceNow(t, s.ID).PublishedID; got != second {
		t.Errorf("the published run is %s, want %s", got, second)
	}
}

func publishCited(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	doc := k.publish(t, s, aPage("a", "We open at nine."))[0]
	g := k.gather(t, s)
	g.stage(t, g.page("a", "We open at ten."))
	one, two := k.begin(t, agent.Message{}), k.begin(t, agent.Message{})
	cited := k.cite(t, doc, "open at nine")
	k.end(t, one, "At nine.", cited)
	staged := cited
	staged.DocumentVersion, staged.Quote = 2, "open at ten."
	refused(t, "EndTurn that cites what is staged", k.EndTurn(t.Context(), k.ended(two), two.TurnRef, reply(two, "At ten.", staged)), agent.ErrCitation)
	g.finish(t, knowledge.RunCompleted)
	refused(t, "EndTurn that cites what is live no more", k.EndTurn(t.Context(), k.ended(two), two.TurnRef, reply(two, "At nine.", cited)), agent.ErrCitation)
	k.end(t, two, "At ten.", k.cite(t, doc, "open at ten"))
	if got := k.deleteDocument(t, doc); got.Replies != 2 || got.Versions != 2 {
		t.Errorf("DeleteDocument = %s, want 2 replies and 2 versions", canonical(got))
	}
}

func publishTraining(t *testing.T, k *kit) {
	k.put(t, hours())
	l := k.grip(t, long)
	for _, state := range []knowledge.RunState{knowledge.RunCompleted, knowledge.RunFailed, knowledge.RunCancelled} {
		for _, begun := range []bool{true, false} {
			r := k.start(t, knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunTraining, Phase: "queued", AgentID: k.agent, CreatedAt: now()})
			if begun {
				_, err := k.BeginRun(t.Context(), k.commit(), l, r.ID)
				ok(t, "BeginRun", err)
			}
			g := &gathering{kit: k, run: r, lease: l}
			g.run.Counts = knowledge.Counts{Total: 2, Done: 2, Created: 4}
			before := read(t, k, k.company)
			got := g.finish(t, state)
			if got.State != state || got.Counts.Done != 2 || got.Counts.Created != 4 || begun == got.StartedAt.IsZero() || got.EndedAt.IsZero() {
				t.Errorf("a training that is %s is %s", state, canonical(got))
			}
			after := read(t, k, k.company)
			same(t, "the company", withoutRun(after, r.ID), withoutRun(before, r.ID))
		}
	}
}

func publishRefused(t *testing.T, k *kit) {
	g := k.gather(t, k.addSource(t, ""))
	g.stage(t, g.page("a", "Alpha."))
	before := read(t, k, k.company)
	for _, state := range []knowledge.RunState{knowledge.RunQueued, knowledge.RunRunning, "", "other"} {
		r := g.run
		r.State = state
		_, err := k.EndRun(t.Context(), k.commit(aboutRun("a.b", r.ID)), g.lease, r)
		refused(t, fmt.Sprintf("EndRun as %q", state), err, store.ErrConflict)
	}
	same(t, "the company", read(t, k, k.company), before)
}
