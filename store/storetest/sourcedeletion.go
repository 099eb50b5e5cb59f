package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// sourceDeletion is about deleting sources, and documents of them.
var sourceDeletion = []promise{
	{
		name:  "delete",
		text:  "a deleted source is gone with its documents, their quotes, what its runs saw and staged, and its tombstones; its runs stay, none of them under way",
		check: deleteSource,
	},
	{
		name:  "delete a document",
		text:  "a document of a source that somebody deleted is gone with what was staged of it, and does not come back by its external id or its text",
		check: deleteSourceDocument,
	},
	{
		name:  "delete agent",
		text:  "an agent's sources are gone with it, with all their runs, and those of others stay",
		check: deleteAgentWithSources,
	},
	{
		name: "nothing left of what was staged", fresh: true,
		text:  "when a document or a source is deleted, nothing is left of its text or of what was staged, wherever the store may have put it",
		check: nothingLeftOfStaged,
	},
}

func deleteSource(t *testing.T, k *kit) {
	s, other := k.addSource(t, k.agent), k.addSource(t, k.agent)
	ids := k.publish(t, s, aPage("a", "Alpha opens at nine."), aPage("b", "Beta closes at five."), aPage("c", "Gamma."))
	k.publish(t, s, aPage("a", "Alpha opens at ten."))
	kept := k.publish(t, other, aPage("a", "Alpha opens at nine."), aPage("b", "Beta."))
	put := k.putOne(t, external(text("Own", "Alpha opens at nine."), "a"))
	const answer = "Hello. Claimmarker one. Claimmarker two. Bye."
	var replies []string
	for range 2 {
		turn := k.begin(t, agent.Message{})
		k.end(t, turn, answer, claims(k.cite(t, ids[0], "opens at ten"), answer, "Claimmarker one."), claims(k.cite(t, ids[1], "closes at five"), answer, "Claimmarker two."))
		replies = append(replies, turn.ReplyID)
	}
	k.deleteDocument(t, ids[2])
	g := k.gather(t, s)
	g.see(t, seenPage("https://example.com/docs/a"))
	g.stage(t, g.page("a", "Secretmarker."), g.page("new", "Secretmarker."))
	queued := k.start(t, newRun(s))
	before := read(t, k, k.company)
	f := snapshotOf(t, k, 1<<20)

	start := now()
	got, err := k.DeleteSource(t.Context(), k.commit(tell("source.deleted", s.ID)), s.ID)
	ok(t, "DeleteSource", err)
	if got.DocumentID != s.ID || got.Versions != 3 || got.Passages != 3 || got.Replies != 2 || got.Revision != before.Revision+1 || got.DeletedAt.Before(start.Add(-tick)) {
		t.Errorf("DeleteSource = %s, want 3 versions, 3 passages and 2 replies at revision %d", canonical(got), before.Revision+1)
	}
	_, err = k.Source(t.Context(), k.company, s.ID)
	missing(t, "Source", err)
	_, err = k.DeleteSource(t.Context(), k.commit(), s.ID)
	missing(t, "DeleteSource again", err)
	_, err = k.StartRun(t.Context(), k.commit(), newRun(s), time.Time{}, time.Time{})
	missing(t, "StartRun of a deleted source", err)
	for _, docID := range ids[:2] {
		missingDocument(t, k, docID)
		evs := ofStream(allEvents(t, k, k.company), docID)
		if last := evs[len(evs)-1]; last.Type != event.ContentDeleted || last.Refs.SourceID != s.ID || last.Refs.DocumentID != docID {
			t.Errorf("the last event of a document of a deleted source is %s", canonical(last))
		}
	}
	for _, reply := range replies {
		k.left(t, reply, "Hello. Bye.", "", "")
	}
	f.follow(t, k, 10)
	f.agrees(t, "a follower of the feed", k)
	after := read(t, k, k.company)
	if len(after.Documents) != 3 || after.Sources[0].ID != other.ID || len(after.Sources) != 1 {
		t.Errorf("what is left is %s, want the documents %s and %s", canonical(after.Documents), kept, put.ID)
	}
	for _, r := range after.Runs {
		if r.SourceID == s.ID && (!r.State.Ended() || len(after.Gathered[r.ID].Pages) != 0 || len(after.Gathered[r.ID].Staged) != 0) {
			t.Errorf("run %s of a deleted source is %s, with %s", r.ID, r.State, canonical(after.Gathered[r.ID]))
		}
	}
	for _, runID := range []string{g.run.ID, queued.ID} {
		r := k.runNow(t, runID)
		if evs := k.runEvents(t, runID); r.State != knowledge.RunCancelled || r.EndedAt.IsZero() || evs[len(evs)-1].Type != knowledge.RunIsCancelled {
			t.Errorf("a run under way of a source that was deleted is %s with the events %s", canonical(r), kindsOf(evs))
		}
	}
	g.shutOut(t, knowledge.ErrRunEnded)

	again := newSource(k.agent) // under the same id, nothing is forbidden
	again.ID = s.ID
	ok(t, "CreateSource", k.CreateSource(t.Context(), k.commit(), again, nil))
	if got := k.sourceNow(t, s.ID); got.Documents != 0 || got.State() != knowledge.SourceIdle || !got.LastSuccessAt.IsZero() {
		t.Errorf("a source made again is %s", canonical(got))
	}
	if got := k.gather(t, again); got.stage(t, got.page("c", "Gamma."))[0].Status != knowledge.Created {
		t.Error("a tombstone outlived its source")
	}
}

func deleteSourceDocument(t *testing.T, k *kit) {
	s, other := k.addSource(t, ""), k.addSource(t, "")
	ids := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."))
	g, beside := k.gather(t, s), k.gather(t, other)
	g.stage(t, g.page("a", "Alpha, again."), g.page("copy", "Alpha."), g.page("b", "Beta, again."), g.page("c", "Gamma."))
	beside.stage(t, beside.page("a", "Alpha."))
	if got := k.deleteDocument(t, ids[0]); got.Versions != 1 || got.Passages != 1 {
		t.Errorf("DeleteDocument = %s, want 1 version with 1 passage", canonical(got))
	}
	var left []string
	for _, d := range g.staged(t, g.run.ID) {
		left = append(left, d.ExternalID)
	}
	slices.Sort(left)
	wantIDs(t, "what is staged after the delete", left, "b", "c")
	if n := len(k.staged(t, beside.run.ID)); n != 1 {
		t.Error("the delete reached what a run of another source has staged")
	}
	moved := g.page("elsewhere", "Alpha.")
	for what, w := range map[string]knowledge.Write{
		"the external id": g.page("a", "Another text."), "the text": g.page("elsewhere", "Alpha."), "both": g.page("a", "Alpha."), "the text, by the id of another": as(moved, ids[1]),
	} {
		if got := g.stage(t, w)[0]; got.Status != knowledge.Refused || got.ExternalID != w.ExternalID {
			t.Errorf("Stage of %s that was deleted = %s, want it refused", what, canonical(got))
		}
	}
	g.finish(t, knowledge.RunCompleted)
	missingDocument(t, k, ids[0])
	g = k.gather(t, s)
	if got := g.stage(t, g.page("a", "Alpha."), g.page("d", "Alpha."), g.page("d", "Delta.")); got[0].Status != knowledge.Refused || got[1].Status != knowledge.Refused || got[2].Status != knowledge.Created {
		t.Errorf("Stage by a later run = %s, want what was deleted refused", canonical(got))
	}
	g.finish(t, knowledge.RunCompleted)
	if got := beside.finish(t, knowledge.RunCompleted); got.Counts.Created != 1 {
		t.Errorf("the run of another source published %s, want its document", canonical(got.Counts))
	}
	var titles []string
	for _, d := range read(t, k, k.company).Documents {
		titles = append(titles, d.ExternalID)
	}
	slices.Sort(titles)
	wantIDs(t, "the documents", titles, "a", "b", "c", "d")

	// A text that the document had before is its too.
	older := k.addSource(t, "")
	first := k.publish(t, older, aPage("x", "First."))
	k.publish(t, older, aPage("x", "Second."))
	g = k.gather(t, older)
	g.stage(t, g.page("y", "First."))
	k.deleteDocument(t, first[0])
	if left := g.staged(t, g.run.ID); len(left) > 0 {
		t.Errorf("after the delete %s is staged, want nothing with a text that was deleted", canonical(left))
	}
	for _, lines := range []string{"First.", "Second."} {
		if got := g.stage(t, g.page("y", lines))[0]; got.Status != knowledge.Refused {
			t.Errorf("Stage of %q, which a deleted document said, = %s, want it refused", lines, canonical(got))
		}
	}
	g.finish(t, knowledge.RunCompleted)
}

func deleteAgentWithSources(t *testing.T, k *kit) {
	gone := k.newAgent(t)
	own, shared := k.addSource(t, gone), k.addSource(t, "")
	ids := k.publish(t, own, aPage("a", "Alpha."))
	k.publish(t, shared, aPage("a", "Alpha."))
	g := k.gather(t, own)
	g.stage(t, g.page("b", "Beta."))
	training := k.start(t, knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunTraining, AgentID: gone, CreatedAt: now()})
	ok(t, "DeleteAgent", second(k.DeleteAgent(t.Context(), k.commit(tell(event.AgentDeleted, gone)), gone)))
	_, err := k.Source(t.Context(), k.company, own.ID)
	missing(t, "Source", err)
	missingDocument(t, k, ids[0])
	for _, runID := range []string{g.run.ID, training.ID} {
		_, err := k.Run(t.Context(), k.company, runID)
		missing(t, "Run", err)
	}
	_, err = k.Stage(t.Context(), g.lease, g.run.ID, knowledge.Staging{Writes: []knowledge.Write{g.page("c", "Gamma.")}})
	missing(t, "Stage", err)
	after := read(t, k, k.company)
	if len(after.Sources) != 1 || len(after.Documents) != 1 || len(after.Runs) != 1 || after.Sources[0].Documents != 1 {
		t.Errorf("what is left is %s, want one source with its document and its run", canonical(after))
	}
	k.noOrphans(t)
}

func nothingLeftOfStaged(t *testing.T, k *kit) {
	searcher, can := k.Store.(Searcher)
	s := k.addSource(t, "")
	ids := k.publish(t, s, aPage("a", "Secretmarker alpha."), aPage("b", "Beta."))
	k.publish(t, s, aPage("a", "Secretmarker beta."))
	g := k.gather(t, s)
	staged := g.page("a", "Secretmarker gamma.")
	staged.Title, staged.Metadata, staged.Passages[0].Heading = "Secretmarker title", map[string]any{"note": "Secretmarker note"}, []string{"Secretmarker heading"}
	g.stage(t, hashed(staged))
	find := func(when string, want bool) {
		t.Helper()
		if got := strings.Contains(canonical(read(t, k, k.company)), "Secretmarker"); got && !want {
			t.Errorf("%s, the text can still be read", when)
		}
		if !can {
			return
		}
		places, err := searcher.Search(t.Context(), "Secretmarker")
		ok(t, "Search", err)
		if (len(places) > 0) != want {
			t.Errorf("%s, the text is in %q, want it to be there: %v", when, places, want)
		}
	}
	find("before the delete", true)
	k.deleteDocument(t, ids[0])
	find("after the document was deleted", false)
	vanishes := g.stage(t, g.page("c", "Secretmarker delta."), g.page("d", "Secretmarker epsilon."))
	g.finish(t, knowledge.RunCompleted)
	g = k.gather(t, s)
	g.drop(t, vanishes[0].DocumentID, vanishes[1].DocumentID)
	find("before a run deleted what had vanished", true)
	g.finish(t, knowledge.RunCompleted)
	find("after a run deleted what had vanished", false)
	g = k.gather(t, s)
	g.stage(t, g.page("c", "Secretmarker delta."), g.page("b", "Secretmarker epsilon."))
	_, err := k.CancelRun(t.Context(), k.commit(), g.run.ID)
	ok(t, "CancelRun", err)
	g = k.gather(t, s)
	g.stage(t, g.page("c", "Secretmarker delta."), g.page("b", "Secretmarker epsilon."))
	_, err = k.DeleteSource(t.Context(), k.commit(), s.ID)
	ok(t, "DeleteSource", err)
	find("after the source was deleted", false)
}
