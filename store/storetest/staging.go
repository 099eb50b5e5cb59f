package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var staging = []promise{
	{
		name:  "found by nobody",
		text:  "what a run has staged is found by nobody: whatever else is read is as it was",
		check: stagedInvisible,
	},
	{
		name:  "statuses",
		text:  "a run is told of each write what it will do to what is live, and under which id",
		check: stagedStatuses,
	},
	{
		name:  "by id",
		text:  "a document that has moved is staged by its id, under another external id, and is found under that one from then on",
		check: stagedByID,
	},
	{
		name:  "again",
		text:  "a document staged again replaces what was staged of it; one that is as it was after all is not staged any more; one that is seen again does not go",
		check: stagedAgain,
	},
	{
		name:  "refused",
		text:  "what somebody deleted is refused by its external id and by its text, and what was unchanged stays so",
		check: stagedRefused,
	},
	{
		name:  "errors",
		text:  "an error that one write causes says which, and nothing of the call is staged",
		check: stagingErrors,
	},
	{
		name:  "list",
		text:  "what is staged and not deleted again is read in the order of the documents' ids, in parts of any size",
		check: listStaged,
	},
	{
		name:  "batch",
		text:  "256 documents and as many pages are staged at once, and published",
		check: stagedBatch,
	},
	{
		name:  "moved",
		text:  "a staged document that turns out to be one that is live becomes its next version",
		check: restaged,
	},
	{
		name:  "moved refused",
		text:  "a document is moved only from what is staged as new to what is live in the same source",
		check: restageRefused,
	},
}

func stagedInvisible(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."))
	k.put(t, external(hours(), "a"))
	g := k.gather(t, s)
	hashes, err := k.DocumentHashes(t.Context(), k.company, "", []string{"a", "b", "c"})
	ok(t, "DocumentHashes", err)
	before := read(t, k, k.company)
	c := g.page("c", "Secretmarker gamma.")
	c.Title = "Secretmarker title"
	staged := g.stage(t, g.page("a", "Secretmarker alpha."), hashed(c), as(g.page("moved", "Secretmarker beta."), docs[1]))
	g.drop(t, docs[0])
	g.stage(t, g.page("a", "Secretmarker alpha."))
	g.drop(t, staged[1].DocumentID)
	g.stage(t, hashed(c))
	g.see(t, seenPage("https://example.com/docs/c"))
	staged = append(staged, g.staged(t, g.run.ID)...)
	if n := len(staged); n != 6 {
		t.Errorf("%d documents are staged, want 3: %s", n-3, canonical(staged))
	}

	after := read(t, k, k.company)
	same(t, "the company", withoutRun(after, g.run.ID), withoutRun(before, g.run.ID))
	if left := canonical(after); strings.Contains(left, "Secretmarker") {
		t.Errorf("what is staged can be read: %s", left)
	}
	now, err := k.DocumentHashes(t.Context(), k.company, "", []string{"a", "b", "c", "moved"})
	ok(t, "DocumentHashes", err)
	same(t, "DocumentHashes", now, hashes)
	fresh := staged[1].DocumentID
	if fresh == docs[0] || fresh == docs[1] {
		t.Fatalf("a new document is staged as %s, which is there", fresh)
	}
	missingDocument(t, k, fresh)
	for _, docID := range []string{fresh, docs[0], docs[1]} {
		found, err := k.Passages(t.Context(), k.company, slices.Concat(refs(docID, 0, 3), refs(docID, 1, 3), refs(docID, 2, 3)))
		ok(t, "Passages", err)
		if want := map[bool]int{true: 0, false: 1}[docID == fresh]; len(found) != want {
			t.Errorf("Passages of %s = %s, want %d", docID, canonical(found), want)
		}
		if _, err := k.DocumentText(t.Context(), k.company, docID, 2); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("DocumentText of a version that is staged: %v", err)
		}
	}
	put, more := text("Title", "Put by somebody."), text("Title", "Put by somebody else.")
	checked, err := k.CheckDocuments(t.Context(), k.company, []knowledge.Write{external(put, "c"), external(more, "moved")})
	ok(t, "CheckDocuments", err)
	for _, in := range checked {
		if in.Status != knowledge.Created || in.Err != nil {
			t.Errorf("CheckDocuments of what is staged elsewhere = %s, %v, want it to be new", in.Status, in.Err)
		}
	}
}

// became tells what became of writes.
func became(staged []knowledge.Staged) (out []string) {
	for _, s := range staged {
		out = append(out, s.ExternalID+" "+string(s.Status))
	}
	return out
}

func stagedStatuses(t *testing.T, k *kit) {
	s := k.addSource(t, k.agent)
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."), aPage("c", "Gamma."))
	g := k.gather(t, s)
	renamed := g.page("c", "Gamma.")
	renamed.Title = "Another title"
	renamed = hashed(renamed)
	fresh := g.page("d", "Delta.")
	writes := []knowledge.Write{fresh, g.page("a", "Alpha, again."), g.page("b", "Beta."), renamed, g.page("e", "Alpha, again.")}
	got := g.stage(t, writes...)
	wantIDs(t, "Stage", became(got), "d created", "a updated", "b unchanged", "c updated", "e created")
	for i, want := range []string{fresh.NewID, docs[0], docs[1], docs[2], writes[4].NewID} {
		if got[i].DocumentID != want || got[i].TextHash != writes[i].TextHash {
			t.Errorf("Stage of write %d = %s, want document %s with its text hash", i, canonical(got[i]), want)
		}
	}
	again := g.stage(t, g.page("d", "Delta, again."), g.page("d", "Delta, a third time."))
	wantIDs(t, "Stage of what was staged", became(again), "d created", "d created")
	if again[0].DocumentID != fresh.NewID || again[1].DocumentID != fresh.NewID {
		t.Errorf("a document staged again is %s, want %s", canonical(again), fresh.NewID)
	}
	if none, err := k.Stage(t.Context(), g.lease, g.run.ID, knowledge.Staging{}); len(none) != 0 || err != nil {
		t.Errorf("Stage of nothing = %s, %v", canonical(none), err)
	}
	if n := g.finish(t, knowledge.RunCompleted).Counts; n.Created != 2 || n.Updated != 2 || n.Deleted != 0 {
		t.Errorf("the run came to %s, want 2 documents created and 2 updated", canonical(n))
	}
	third := g.page("d", "Delta, a third time.")
	k.asRead(t, third, fresh.NewID, 1)
	k.asRead(t, renamed, docs[2], 1)
	k.asRead(t, g.page("a", "Alpha, again."), docs[0], 2)
}

func stagedByID(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."))
	g := k.gather(t, s)
	moved := g.page("moved", "Alpha.")
	moved.TextHash = g.page("a", "Alpha.").TextHash
	got := g.stage(t, as(moved, docs[0]))
	wantIDs(t, "Stage of a document that has moved", became(got), "moved updated")
	again := g.stage(t, g.page("moved", "Alpha, again."))
	if again[0].DocumentID != docs[0] {
		t.Errorf("Stage = %s, want what was staged under that external id, %s", canonical(again), docs[0])
	}
	fresh := g.stage(t, g.page("a", "Another page."))
	if fresh[0].Status != knowledge.Created || fresh[0].DocumentID == docs[0] {
		t.Errorf("Stage = %s, want a new document: the one that was there has moved", canonical(fresh))
	}
	later := g.stage(t, as(g.page("later", "Another page, moved."), fresh[0].DocumentID)) // one that is only staged
	if later[0].DocumentID != fresh[0].DocumentID || later[0].Status != knowledge.Created {
		t.Errorf("Stage of a staged document by its id = %s, want it created as %s", canonical(later), fresh[0].DocumentID)
	}
	g.finish(t, knowledge.RunCompleted)
	k.asRead(t, g.page("moved", "Alpha, again."), docs[0], 2)
	k.asRead(t, g.page("later", "Another page, moved."), fresh[0].DocumentID, 1)
	if n := k.sourceNow(t, s.ID).Documents; n != 3 {
		t.Errorf("the source has %d documents, want 3", n)
	}

	g = k.gather(t, s) // each takes the other's place
	g.drop(t, docs[1])
	g.stage(t, as(g.page("b", "Alpha, again."), docs[0]))
	g.finish(t, knowledge.RunCompleted)
	missingDocument(t, k, docs[1])
	k.asRead(t, g.page("b", "Alpha, again."), docs[0], 2)
}

func stagedAgain(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."), aPage("c", "Gamma."), aPage("d", "Delta."))
	g := k.gather(t, s)
	stagedNow := func() (ids []string) {
		for _, d := range k.staged(t, g.run.ID) {
			ids = append(ids, d.ExternalID)
		}
		slices.Sort(ids)
		return ids
	}
	g.stage(t, g.page("a", "Alpha, again."), g.page("b", "Beta, again."), g.page("e", "Epsilon."))
	g.stage(t, g.page("a", "Alpha, a third time."))
	wantIDs(t, "what is staged", stagedNow(), "a", "b", "e")
	wantIDs(t, "Stage", became(g.stage(t, g.page("b", "Beta."))), "b unchanged")
	wantIDs(t, "what is staged once b is as it was", stagedNow(), "a", "e")

	g.drop(t, docs...) // all but b, which is then seen as it was, and c, which has changed
	wantIDs(t, "what is staged once all is to go", stagedNow(), "e")
	wantIDs(t, "Stage", became(g.stage(t, g.page("b", "Beta."), g.page("c", "Gamma, again."))), "b unchanged", "c updated")
	e := g.staged(t, g.run.ID)
	wantIDs(t, "what is staged once b and c were seen", stagedNow(), "c", "e")
	for _, d := range e {
		if d.ExternalID == "e" {
			g.drop(t, d.DocumentID)
		}
	}
	wantIDs(t, "what is staged once e is gone", stagedNow(), "c")
	g.drop(t, docs[0], docs[0], id.New(id.Document), "", k.agent) // twice, and what is not there

	if n := g.finish(t, knowledge.RunCompleted).Counts; n.Created != 0 || n.Updated != 1 || n.Deleted != 2 {
		t.Errorf("the run came to %s, want one document updated and two deleted", canonical(n))
	}
	missingDocument(t, k, docs[0])
	k.asRead(t, g.page("b", "Beta."), docs[1], 1)
	k.asRead(t, g.page("c", "Gamma, again."), docs[2], 2)
	missingDocument(t, k, docs[3])
}

func stagedRefused(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("twin", "Alpha."), aPage("b", "Beta."))
	k.deleteDocument(t, docs[0])
	g := k.gather(t, s)
	renamed := g.page("twin", "Alpha.")
	renamed.Title = "Another title"
	got := g.stage(t, g.page("a", "Another text."), g.page("elsewhere", "Alpha."), g.page("twin", "Alpha."), hashed(renamed), g.page("b", "Beta, again."))
	wantIDs(t, "Stage", became(got), "a refused", "elsewhere refused", "twin unchanged", "twin refused", "b updated")
	if got[3].DocumentID != docs[1] || got[4].DocumentID != docs[2] {
		t.Errorf("Stage = %s, want the ids of what is live", canonical(got))
	}
	if staged := k.staged(t, g.run.ID); len(staged) != 1 || staged[0].DocumentID != docs[2] {
		t.Errorf("staged is %s, want b alone", canonical(staged))
	}
	if n := g.finish(t, knowledge.RunCompleted).Counts; n.Created != 0 || n.Updated != 1 || n.Deleted != 0 {
		t.Errorf("the run came to %s, want one document updated", canonical(n))
	}
	missingDocument(t, k, docs[0])
	k.asRead(t, g.page("twin", "Alpha."), docs[1], 1)
}

func stagingErrors(t *testing.T, k *kit) {
	s, other := k.addSource(t, ""), k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."))
	theirs := k.publish(t, other, aPage("a", "Alpha."))
	put := k.putOne(t, external(hours(), "a"))
	gone := k.publish(t, s, aPage("gone", "Gone."))
	k.deleteDocument(t, gone[0])
	g := k.gather(t, s)
	g.stage(t, g.page("staged", "Staged."))
	before := read(t, k, k.company)
	conflict, unknown := store.ErrConflict, store.ErrNotFound
	kind := g.page("a", "Another kind.")
	kind.Kind = knowledge.KindSynced
	version, updated := g.page("a", "Another version."), g.page("a", "Another time.")
	version.IfVersion, updated.IfUpdated = 2, now().Add(long)
	keep, taken := g.page("new", "Text."), g.page("new", "Text.")
	keep.KeepText, taken.NewID = true, put.ID
	for what, c := range map[string]struct {
		write knowledge.Write
		want  error
	}{
		"an id that is not there":                {as(g.page("x", "X."), id.New(id.Document)), unknown},
		"the id of another source's document":    {as(g.page("x", "X."), theirs[0]), unknown},
		"the id of a document that was put":      {as(g.page("x", "X."), put.ID), unknown},
		"the id of a document that was deleted":  {as(g.page("x", "X."), gone[0]), unknown},
		"the external id of another document":    {as(g.page("b", "X."), docs[0]), conflict},
		"the external id of what is staged":      {as(g.page("staged", "X."), docs[0]), conflict},
		"another kind":                           {hashed(kind), conflict},
		"another version":                        {version, conflict},
		"another time of update":                 {updated, conflict},
		"no text, where there is no document":    {keep, unknown},
		"a new id that another document has got": {taken, conflict},
	} {
		_, err := k.Stage(t.Context(), g.lease, g.run.ID, knowledge.Staging{
			Writes:  []knowledge.Write{g.page("fine", "Fine."), g.page("b", "Fine, too."), c.write, g.page("never", "Never.")},
			Deletes: []string{docs[1]}, Pages: []knowledge.Page{seenPage("https://example.com/docs/a")},
		})
		refused(t, "Stage with "+what, err, c.want)
		if item, is := errors.AsType[*knowledge.ItemError](err); !is || item.Index != 2 {
			t.Errorf("Stage with %s = %v, want an error of write 2", what, err)
		}
	}
	same(t, "the company", read(t, k, k.company), before)

	training := k.start(t, knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunTraining, CreatedAt: now()})
	_, err := k.BeginRun(t.Context(), k.commit(), g.lease, training.ID)
	ok(t, "BeginRun", err)
	_, err = k.Stage(t.Context(), g.lease, training.ID, knowledge.Staging{Writes: []knowledge.Write{external(hours(), "a")}})
	refused(t, "Stage of a run without a source", err, conflict)
	refused(t, "Restage of a run without a source", k.Restage(t.Context(), g.lease, training.ID, put.ID, put.ID), conflict)
}

func listStaged(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."), aPage("c", "Gamma."))
	g := k.gather(t, s)
	var want []knowledge.Staged
	for i, w := range []knowledge.Write{g.page("new 1", "One."), g.page("b", "Beta, again."), g.page("new 2", "Two."), g.page("a", "Alpha, again."), g.page("new 3", "Three.")} {
		want = append(want, g.stage(t, w)...)
		if status := []knowledge.Status{knowledge.Created, knowledge.Updated}[i%2]; want[i].Status != status {
			t.Errorf("Stage = %s, want it %s", canonical(want[i]), status)
		}
	}
	g.drop(t, docs[2], want[2].DocumentID)
	want = slices.Delete(want, 2, 3)
	slices.SortFunc(want, func(a, b knowledge.Staged) int { return strings.Compare(a.DocumentID, b.DocumentID) })
	for limit := 1; limit <= 5; limit++ {
		got, err := pagedStaged(t.Context(), k, k.company, g.run.ID, limit)
		ok(t, "StagedDocuments", err)
		same(t, fmt.Sprintf("StagedDocuments by %d", limit), got, want)
	}
	beside := k.gather(t, k.addSource(t, ""))
	if got := k.staged(t, beside.run.ID); len(got) != 0 {
		t.Errorf("another run has staged %s", canonical(got))
	}
}

func stagedBatch(t *testing.T, k *kit) {
	const many = 256
	s := k.addSource(t, "")
	g := k.gather(t, s)
	var st knowledge.Staging
	for i := range many {
		st.Writes = append(st.Writes, g.page(fmt.Sprint("page ", i), fmt.Sprintf("Text %d.", i), "Second."))
		st.Pages = append(st.Pages, seenPage(fmt.Sprint("https://example.com/docs/", i)))
	}
	staged, err := k.Stage(t.Context(), g.lease, g.run.ID, st)
	ok(t, "Stage", err)
	for i, d := range staged {
		if d.DocumentID != st.Writes[i].NewID || d.Status != knowledge.Created || d.ExternalID != st.Writes[i].ExternalID {
			t.Fatalf("Stage of write %d of %d = %s", i, many, canonical(d))
		}
	}
	got := g.finish(t, knowledge.RunCompleted)
	if got.Counts.Created != many || got.Revision != 1 || k.sourceNow(t, s.ID).Documents != many {
		t.Errorf("the run came to %s, want %d documents at revision 1", canonical(got), many)
	}
	for _, i := range []int{0, 100, many - 1} {
		k.asRead(t, st.Writes[i], st.Writes[i].NewID, 1)
	}
	if n := len(everyPage(t, 100, func(p store.Page) (store.List[knowledge.Page], error) {
		return k.Pages(t.Context(), k.company, g.run.ID, p)
	})); n != many {
		t.Errorf("the run has %d pages, want %d", n, many)
	}
	if evs := allEvents(t, k, k.company); len(evs) < many {
		t.Errorf("%d events tell of %d documents", len(evs), many)
	}
}

func restaged(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."))
	g := k.gather(t, s)
	w := g.page("moved", "Alpha.")
	w.TextHash = g.page("a", "Alpha.").TextHash
	fresh := g.stage(t, w, g.page("b moved", "Beta, again."))
	page := seenPage("https://example.com/docs/moved")
	page.DocumentID = fresh[0].DocumentID
	g.see(t, page)
	g.drop(t, docs...)
	for i, f := range fresh {
		ok(t, "Restage", k.Restage(t.Context(), g.lease, g.run.ID, f.DocumentID, docs[i]))
	}
	staged := k.staged(t, g.run.ID)
	if len(staged) != 2 || staged[0].DocumentID != docs[0] || staged[0].Status != knowledge.Updated || staged[0].ExternalID != "moved" || staged[1].DocumentID != docs[1] {
		t.Errorf("staged is %s, want what is live under its new external ids", canonical(staged))
	}
	got, _, err := k.Page(t.Context(), k.company, g.run.ID, page.URL)
	ok(t, "Page", err)
	if got.DocumentID != docs[0] {
		t.Errorf("the page became document %s, want %s", got.DocumentID, docs[0])
	}
	if n := g.finish(t, knowledge.RunCompleted).Counts; n.Created != 0 || n.Updated != 2 || n.Deleted != 0 {
		t.Errorf("the run came to %s, want two documents updated", canonical(n))
	}
	k.asRead(t, w, docs[0], 1)
	k.asRead(t, g.page("b moved", "Beta, again."), docs[1], 2)
	missingDocument(t, k, fresh[0].DocumentID)
	if got := k.publish(t, s, aPage("moved", "Alpha, a third time.")); got[0] != docs[0] {
		t.Errorf("a page that has moved is document %s, want %s", got[0], docs[0])
	}
}

func restageRefused(t *testing.T, k *kit) {
	s, other := k.addSource(t, ""), k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."), aPage("c", "Gamma."))
	theirs := k.publish(t, other, aPage("a", "Alpha."))
	put := k.putOne(t, external(hours(), "a"))
	k.deleteDocument(t, docs[2])
	g := k.gather(t, s)
	staged := g.stage(t, g.page("new", "New."), g.page("newer", "Newer."), g.page("a", "Alpha, again."))
	beside := k.gather(t, s)
	unstaged := beside.stage(t, beside.page("elsewhere", "Elsewhere."))[0].DocumentID
	before := read(t, k, k.company)
	for what, c := range map[string]struct {
		from, to string
		want     error
	}{
		"from what is not staged":              {id.New(id.Document), docs[0], store.ErrNotFound},
		"from what another run has staged":     {unstaged, docs[0], store.ErrNotFound},
		"from what is live":                    {docs[1], docs[0], store.ErrNotFound},
		"from what would not be new":           {docs[0], docs[1], store.ErrConflict},
		"to what is not there":                 {staged[0].DocumentID, id.New(id.Document), store.ErrNotFound},
		"to what is staged alone":              {staged[0].DocumentID, staged[1].DocumentID, store.ErrNotFound},
		"to what was deleted":                  {staged[0].DocumentID, docs[2], store.ErrNotFound},
		"to a document of another source":      {staged[0].DocumentID, theirs[0], store.ErrNotFound},
		"to a document that somebody has put":  {staged[0].DocumentID, put.ID, store.ErrNotFound},
		"from nothing to nothing, and no more": {"", "", store.ErrNotFound},
	} {
		refused(t, "Restage "+what, k.Restage(t.Context(), g.lease, g.run.ID, c.from, c.to), c.want)
	}
	same(t, "the company", read(t, k, k.company), before)
}
