package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// bulks are about writes whose texts are staged first.
var bulks = []promise{
	{
		name:  "as without",
		text:  "writes whose texts are staged first come to the same as writes whose texts are not, whatever happened in between",
		check: bulkAsWithout,
	},
	{
		name:  "found by nobody",
		text:  "texts that are staged change nothing but the run that stages them",
		check: bulkInvisible,
	},
	{
		name:  "run",
		text:  "the run of a bulk is begun with its first texts and completed with its writes, in one step with them",
		check: bulkRun,
	},
	{
		name:  "cancelled",
		text:  "of a bulk whose run is cancelled nothing can be staged or written any more, and nothing is left",
		check: bulkCancelled,
	},
	{
		name:  "refused",
		text:  "writes that are refused leave their staged texts as they are; texts that are not staged, or by another run or company, are not written",
		check: bulkRefused,
	},
	{
		name: "silent", fresh: true,
		text:  "a bulk that says nothing for long has failed, and what it staged goes",
		check: bulkSilent,
	},
}

// newBulk returns a run of a bulk.
func newBulk() knowledge.Run {
	return knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunBulk, Phase: "stage", Counts: knowledge.Counts{Total: 2}, CreatedAt: now()}
}

// stageTexts stages the texts of writes by a run, one at a time, and returns the
// writes as they are written after that.
func (k *kit) stageTexts(t *testing.T, r knowledge.Run, writes ...knowledge.Write) (staged []knowledge.Write) {
	t.Helper()
	for _, w := range writes {
		ok(t, "StageTexts", k.StageTexts(t.Context(), k.company, r, []knowledge.Write{w}))
		w.StagedBy = r.ID
		staged = append(staged, w)
	}
	return staged
}

func bulkAsWithout(t *testing.T, k *kit) {
	twin := newKit(t, k.Store)
	both := func(do func(k *kit)) { do(k); do(twin) }
	a, b, gone, late := external(hours(), "a"), external(text("B", "Beta."), "b"), external(text("Gone", "Gone."), "gone"), text("Late", "Late.")
	both(func(k *kit) { k.put(t, a, b, gone) })
	next, renamed, again := external(text("A", "Alpha.", "More."), "a"), external(text("B renamed", "Beta."), "b"), external(text("Gone", "Back."), "gone")
	same1, last := external(text("New", "First."), "new"), external(text("New", "Second.", "Third."), "new")
	unchanged, plain, overtaken := b, text("Plain", "Not staged."), external(text("Late", "Later."), "late")
	unchanged.NewID = id.New(id.Document)
	writes := []knowledge.Write{unchanged, next, renamed, again, same1, last, overtaken, plain}
	staged := k.stageTexts(t, newBulk(), writes[:7]...)
	both(func(k *kit) {
		k.deleteDocument(t, gone.NewID)
		k.put(t, external(late, "late"))
	})
	k.put(t, append(staged, plain)...)
	twin.put(t, writes...)

	got, want := read(t, k, k.company), read(t, twin, twin.company)
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"the documents", got.Documents, want.Documents},
		{"the texts", got.Texts, want.Texts},
		{"the versions", got.Versions, want.Versions},
		{"the passages", got.Passages, want.Passages},
		{"what is live", got.Live, want.Live},
		{"the feed", got.Changes, want.Changes},
		{"the events", told(got.Events), told(want.Events)},
	} {
		same(t, c.what, c.got, c.want)
	}
	if text, err := k.DocumentText(t.Context(), k.company, same1.NewID, 2); err != nil || text != last.Text {
		t.Errorf("DocumentText of what was written twice = %q, %v, want %q", text, err, last.Text)
	}
	k.deleteDocument(t, a.NewID)
	k.deleteDocument(t, same1.NewID)
}

// told is what events say of documents.
func told(events []event.Event) (out []string) {
	for _, ev := range events {
		if ev.Refs.DocumentID != "" {
			out = append(out, fmt.Sprint(ev.Type, ev.Stream, ev.Sequence, ev.Refs.Version, ev.Refs.RunID))
		}
	}
	return out
}

func bulkInvisible(t *testing.T, k *kit) {
	d := k.putOne(t, external(hours(), "a"))
	before, r := read(t, k, k.company), newBulk()
	fresh := text("Secret", "Secretmarker.")
	k.stageTexts(t, r, external(text("Hours", "Secretmarker hours."), "a"), fresh)
	same(t, "the company", withoutRun(read(t, k, k.company), r.ID), withoutRun(before, r.ID))
	missingDocument(t, k, fresh.NewID)
	found, err := k.Passages(t.Context(), k.company, slices.Concat(refs(fresh.NewID, 1, 3), refs(d.ID, 2, 3)))
	if err != nil || len(found) != 0 {
		t.Errorf("Passages of what is staged = %s, %v", canonical(found), err)
	}
}

func bulkRun(t *testing.T, k *kit) {
	r := newBulk()
	old := k.putOne(t, external(hours(), "a"))
	begun := now()
	staged := k.stageTexts(t, r, external(text("Hours", "At ten."), "a"), text("New", "New."))
	got, err := k.Run(t.Context(), k.company, r.ID)
	ok(t, "Run", err)
	if got.Kind != r.Kind || got.State != knowledge.RunRunning || got.Phase != r.Phase || got.Attempts != 1 || !got.EndedAt.IsZero() ||
		got.StartedAt.Before(begun.Add(-long)) || got.Revision != 0 {
		t.Errorf("the run of a bulk under way = %s", canonical(got))
	}
	same(t, "its counts", got.Counts, knowledge.Counts{Total: 2, Done: 2, Bytes: int64(len("At ten.New."))})
	l, err := k.Runs(t.Context(), k.company, knowledge.RunFilter{Kind: knowledge.RunBulk}, store.Page{Limit: 10})
	if err != nil || len(l.Data) != 1 || l.Data[0].ID != r.ID {
		t.Errorf("Runs = %s, %v, want the bulk's", canonical(l), err)
	}
	k.stageTexts(t, r, text("Never written", "Nothing of it stays."))
	written, err := k.WriteDocuments(t.Context(), k.commit(), staged)
	ok(t, "WriteDocuments", err)
	got, err = k.Run(t.Context(), k.company, r.ID)
	ok(t, "Run", err)
	if got.State != knowledge.RunCompleted || got.Revision != written.Revision || got.EndedAt.IsZero() || got.Counts.Created != 1 || got.Counts.Updated != 1 ||
		got.Counts.Done != 2 {
		t.Errorf("the run of a bulk that is written = %s", canonical(got))
	}
	var types []string
	for _, ev := range k.runEvents(t, r.ID) {
		types = append(types, ev.Type)
	}
	same(t, "the events of the run", types, []string{knowledge.RunStarted, knowledge.RunIsCompleted})
	if left, err := k.StagedDocuments(t.Context(), k.company, r.ID, "", 10); err != nil || len(left) != 0 {
		t.Errorf("StagedDocuments = %s, %v, want none", canonical(left), err)
	}
	_, err = k.WriteDocuments(t.Context(), k.commit(), staged)
	refused(t, "WriteDocuments once more", err, knowledge.ErrRunEnded)
	if d, err := k.Document(t.Context(), k.company, old.ID); err != nil || d.Version != 2 {
		t.Errorf("Document = %s, %v, want version 2", canonical(d), err)
	}
}

func bulkCancelled(t *testing.T, k *kit) {
	r, w := newBulk(), text("New", "New.", "Newer.")
	staged := k.stageTexts(t, r, w)
	_, err := k.CancelRun(t.Context(), k.commit(), r.ID)
	ok(t, "CancelRun", err)
	before := read(t, k, k.company)
	_, err = k.WriteDocuments(t.Context(), k.commit(), staged)
	refused(t, "WriteDocuments of a bulk that was cancelled", err, knowledge.ErrRunEnded)
	refused(t, "StageTexts of a bulk that was cancelled", k.StageTexts(t.Context(), k.company, r, newDocuments(1)), knowledge.ErrRunEnded)
	same(t, "the company", read(t, k, k.company), before)
	k.put(t, k.stageTexts(t, newBulk(), w)...) // under the same ids: nothing was left there
	if d, err := k.DocumentText(t.Context(), k.company, w.NewID, 1); err != nil || d != w.Text {
		t.Errorf("DocumentText = %q, %v, want %q", d, err, w.Text)
	}
}

func bulkRefused(t *testing.T, k *kit) {
	d := k.putOne(t, external(hours(), "a"))
	clash := external(text("Hours", "Of another kind."), "a")
	clash.Kind = knowledge.KindContent
	r, w := newBulk(), text("New", "New.")
	staged := k.stageTexts(t, r, w, hashed(clash))
	before := read(t, k, k.company)
	write := func(what string, want error, writes ...knowledge.Write) {
		t.Helper()
		_, err := k.WriteDocuments(t.Context(), k.commit(), writes)
		refused(t, what, err, want)
		same(t, "the company", read(t, k, k.company), before)
	}
	write("WriteDocuments of another kind", store.ErrConflict, staged...)
	other, elsewhere := text("Other", "Other."), newKit(t, k.Store)
	foreign := elsewhere.stageTexts(t, newBulk(), other)
	write("WriteDocuments of another company's bulk", store.ErrNotFound, foreign...)
	other.StagedBy = r.ID
	if _, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{staged[0], other}); err == nil {
		t.Error("WriteDocuments of a text that is not staged is no error")
	}
	same(t, "the company", read(t, k, k.company), before)
	training := k.start(t, knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunTraining, CreatedAt: now()})
	refused(t, "StageTexts of a training", k.StageTexts(t.Context(), k.company, training, newDocuments(1)), store.ErrConflict)
	missing(t, "StageTexts of a company that is not there", k.StageTexts(t.Context(), id.New(id.Company), newBulk(), newDocuments(1)))
	k.put(t, staged[0])
	if got, err := k.Document(t.Context(), k.company, d.ID); err != nil || got.Version != 1 {
		t.Errorf("Document = %s, %v, want version 1", canonical(got), err)
	}
}

func bulkSilent(t *testing.T, k *kit) {
	r, w := newBulk(), text("New", "New.")
	staged := k.stageTexts(t, r, w)
	gathering := k.gather(t, k.addSource(t, ""))
	time.Sleep(2 * tick)
	keep := forGood
	if keep.Bulks = long; k.sweep(t, keep, 100, "bulks") != 0 {
		t.Error("Sweep ended a bulk that had said something")
	}
	keep.Bulks = time.Millisecond
	if n := k.sweep(t, keep, 100, "bulks"); n != 1 {
		t.Errorf("Sweep ended %d bulks, want 1", n)
	}
	got, err := k.Run(t.Context(), k.company, r.ID)
	if err != nil || got.State != knowledge.RunFailed || got.Error == nil || got.Error.Kind != "crashed" {
		t.Errorf("Run = %s, %v, want a failed one", canonical(got), err)
	}
	_, err = k.WriteDocuments(t.Context(), k.commit(), staged)
	refused(t, "WriteDocuments of a bulk that was swept", err, knowledge.ErrRunEnded)
	k.put(t, k.stageTexts(t, newBulk(), w)...)
	if n := gathering.finish(t, knowledge.RunCompleted).Counts; n.Failed != 0 {
		t.Errorf("the run that was under way came to %s", canonical(n))
	}
}
