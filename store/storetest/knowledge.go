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

var writePromises = []promise{
	{
		name:  "create",
		text:  "a document reads back as it was given, at version 1, with its text, its passages, and one event",
		check: createDocument,
	},
	{
		name:  "questions",
		text:  "a question and its answers read back as they were given",
		check: questions,
	},
	{
		name:  "replace",
		text:  "a document with the external id of another one replaces it: same id, next version",
		check: replaceByExternalID,
	},
	{
		name:  "external ids",
		text:  "an external id is unique within its company and agent only, and none at all is no id",
		check: externalIDs,
	},
	{
		name:  "external id taken",
		text:  "a document cannot take the external id that another one has",
		check: externalIDTaken,
	},
	{
		name:  "by id",
		text:  "a document written by its id is replaced, also its external id; one that is not there is not found",
		check: replaceByID,
	},
	{
		name:  "unchanged",
		text:  "a document with the hash it had is left alone: no version, no revision, no event",
		check: unchangedDocument,
	},
	{
		name:  "other metadata",
		text:  "a document with the text it had keeps its version and passages, and has the new metadata",
		check: otherMetadata,
	},
	{
		name:  "keep text",
		text:  "a write that keeps the text keeps version, text and passages, whatever text it carries; there must be a document",
		check: keepText,
	},
	{
		name:  "if version",
		text:  "a document at another version than the writer expects is a conflict, and stays as it is",
		check: ifVersion,
	},
	{
		name:  "if updated",
		text:  "every change moves a document's time of update on, and who expects another time is in conflict",
		check: ifUpdated,
	},
	{
		name:  "id taken",
		text:  "a new document cannot have the id of another one",
		check: documentIDTaken,
	},
	{
		name:  "unknown agent",
		text:  "a document of an agent that is not there is not found, and not written",
		check: documentOfUnknownAgent,
	},
	{
		name:  "batch",
		text:  "256 documents are written at one revision, each with its event, and their results in order",
		check: batch,
	},
	{
		name:  "all or none",
		text:  "one document that cannot be written keeps all of its batch from being written",
		check: allOrNone,
	},
	{
		name:  "twice in a batch",
		text:  "two writes of one external id in a batch make one document, with the text of the last; each says what it did",
		check: twiceInBatch,
	},
}

// wantDocument returns a document as it is to be read after a write.
func wantDocument(w knowledge.Write, docID string, version int) knowledge.Document {
	d := w.Document
	d.ID, d.Version, d.Text, d.State = docID, version, "", knowledge.StateReady
	return d
}

// sameDocument compares documents without their times, which are the store's.
func sameDocument(t *testing.T, what string, got, want knowledge.Document) {
	t.Helper()
	if got.CreatedAt.IsZero() || got.UpdatedAt.Before(got.CreatedAt) {
		t.Errorf("%s was created at %v and updated at %v", what, got.CreatedAt, got.UpdatedAt)
	}
	got.CreatedAt, got.UpdatedAt = want.CreatedAt, want.UpdatedAt
	same(t, what, got, want)
}

// wantPassages returns the passages of a write as they are to be read.
func wantPassages(w knowledge.Write, d knowledge.Document) []knowledge.Passage {
	out := slices.Clone(w.Passages)
	for i := range out {
		p := &out[i]
		p.ID, p.DocumentID, p.Version = "", d.ID, d.Version
		p.Title, p.URL, p.ExternalID, p.AgentID, p.Kind, p.Language, p.Metadata = d.Title, d.URL, d.ExternalID, d.AgentID, d.Kind, d.Language, d.Metadata
	}
	return out
}

// bare returns the passages of a live document without what is filled in from
// the document beside them, which a store may leave out.
func bare(passages []knowledge.Passage) []knowledge.Passage {
	out := slices.Clone(passages)
	for i, p := range out {
		out[i] = knowledge.Passage{Ref: p.Ref, ID: p.ID, Start: p.Start, End: p.End, Page: p.Page, Heading: p.Heading, Text: p.Text}
	}
	return out
}

// samePassages compares passages but for their ids, which the store gives, and
// fails the test if those are not ids of passages.
func samePassages(t *testing.T, what string, got, want []knowledge.Passage) {
	t.Helper()
	got = slices.Clone(got)
	slices.SortFunc(got, func(a, b knowledge.Passage) int { return a.Ordinal - b.Ordinal })
	seen := map[string]bool{}
	for i, p := range got {
		if _, err := id.Parse(id.Passage, p.ID); err != nil || seen[p.ID] {
			t.Errorf("%s: passage %d has the id %q: %v", what, i, p.ID, err)
		}
		seen[p.ID] = true
		got[i].ID = ""
	}
	same(t, what, got, want)
}

// refs names the first n passages of a version.
func refs(doc string, version, n int) (out []knowledge.Ref) {
	for i := range n {
		out = append(out, knowledge.Ref{DocumentID: doc, Version: version, Ordinal: i})
	}
	return out
}

// asRead fails the test unless a document reads, everywhere, as it was written.
func (k *kit) asRead(t *testing.T, w knowledge.Write, docID string, version int) {
	t.Helper()
	want := wantDocument(w, docID, version)
	d, err := k.Document(t.Context(), k.company, docID)
	ok(t, "Document", err)
	sameDocument(t, "Document", d, want)
	for _, v := range []int{0, version} {
		body, err := k.DocumentText(t.Context(), k.company, docID, v)
		ok(t, "DocumentText", err)
		if body != w.Text {
			t.Errorf("DocumentText(%d) = %.100q, want %.100q", v, body, w.Text)
		}
	}
	live, err := k.LiveDocument(t.Context(), k.company, docID)
	ok(t, "LiveDocument", err)
	sameDocument(t, "LiveDocument", live.Document, want)
	samePassages(t, "the live passages", bare(live.Passages), bare(wantPassages(w, want)))
	found, err := k.Passages(t.Context(), k.company, refs(docID, version, len(w.Passages)))
	ok(t, "Passages", err)
	slices.SortFunc(found, func(a, b knowledge.Passage) int { return a.Ordinal - b.Ordinal })
	samePassages(t, "Passages", found, wantPassages(w, want))
	same(t, "Passages", bare(found), bare(live.Passages))
}

func createDocument(t *testing.T, k *kit) {
	w := hours()
	w.AgentID, w.URL, w.ExternalID, w.Format = k.agent, "https://example.com/?q=1&r=2", "docs/hours.md", knowledge.Markdown
	w.Metadata = map[string]any{"city": "Graz", "open": true, "floor": 2.5, "tags": []any{"a", "b", 1.0}}
	w.Passages[1].Heading = []string{"Top", "Below \"it\"", ""}
	w = hashed(w)
	got, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{w})
	ok(t, "WriteDocuments", err)
	if len(got.Documents) != 1 || got.Documents[0].Status != knowledge.Created || got.Revision != 1 {
		t.Fatalf("WriteDocuments = %s, want one document created at revision 1", canonical(got))
	}
	sameDocument(t, "WriteDocuments", got.Documents[0].Document, wantDocument(w, w.NewID, 1))
	k.asRead(t, w, w.NewID, 1)
	r, err := k.Revision(t.Context(), k.company)
	ok(t, "Revision", err)
	if r != 1 {
		t.Errorf("Revision = %d, want 1", r)
	}
	evs := ofStream(allEvents(t, k, k.company), w.NewID)
	want := event.Refs{AgentID: k.agent, DocumentID: w.NewID, Version: 1}
	if len(evs) != 1 || evs[0].Type != event.ContentCreated || evs[0].Sequence != 1 || evs[0].ID == "" || evs[0].CreatedAt.IsZero() ||
		evs[0].Refs.DocumentID != want.DocumentID || evs[0].Refs.Version != want.Version {
		t.Errorf("the document's events are %s, want one that it was created, about %+v", canonical(evs), want)
	}
}

func questions(t *testing.T, k *kit) {
	w := text("When do you open?", "At nine.")
	w.Kind, w.Questions = knowledge.KindQA, []string{"When do you open?", "Wann öffnen Sie?", hostile[0]}
	w = hashed(w)
	k.put(t, w)
	k.asRead(t, w, w.NewID, 1)
}

func replaceByExternalID(t *testing.T, k *kit) {
	for _, agentID := range []string{"", k.agent} {
		w := text("Hours", "We open at nine.", "We close at five.")
		w.AgentID, w.ExternalID = agentID, "hours"
		was := k.putOne(t, hashed(w))
		next := text("Opening hours", "We open at ten.")
		next.AgentID, next.ExternalID, next.Metadata = agentID, "hours", map[string]any{"new": true}
		next = hashed(next)
		got := k.put(t, next)[0]
		if got.Status != knowledge.Updated || got.ID != was.ID || got.Version != 2 || !got.CreatedAt.Equal(was.CreatedAt) {
			t.Errorf("WriteDocuments = %s, want version 2 of %s", canonical(got), canonical(was))
		}
		k.asRead(t, next, was.ID, 2)
		missingDocument(t, k, next.NewID)
		evs := ofStream(allEvents(t, k, k.company), was.ID)
		if !slices.Equal(types(evs), []event.Type{event.ContentCreated, event.ContentUpdated}) || evs[1].Refs.Version != 2 || evs[1].Sequence != 2 {
			t.Errorf("the document's events are %s, want created and updated to version 2", canonical(evs))
		}
	}
}

func missingDocument(t *testing.T, k *kit, docID string) {
	t.Helper()
	_, err := k.Document(t.Context(), k.company, docID)
	missing(t, "Document", err)
	_, err = k.DocumentText(t.Context(), k.company, docID, 0)
	missing(t, "DocumentText", err)
	_, err = k.LiveDocument(t.Context(), k.company, docID)
	missing(t, "LiveDocument", err)
	_, err = k.DeleteDocument(t.Context(), k.commit(), docID)
	missing(t, "DeleteDocument", err)
}

func externalIDs(t *testing.T, k *kit) {
	other, elsewhere := k.newAgent(t), newKit(t, k.Store)
	seen := map[string]bool{}
	for _, c := range []struct {
		k               *kit
		agent, external string
	}{
		{k, "", "hours"}, {k, k.agent, "hours"}, {k, other, "hours"}, {elsewhere, "", "hours"},
		{k, "", "Hours"}, {k, "", "hours "}, {k, "", "hour%"}, {k, "", ""}, {k, "", ""}, {k, other, ""},
	} {
		w := text("Hours", "We open at nine.")
		w.AgentID, w.ExternalID = c.agent, c.external
		got := c.k.put(t, hashed(w))[0]
		if got.Status != knowledge.Created || seen[got.ID] {
			t.Errorf("a document of agent %q with external id %q = %s, want a new one", c.agent, c.external, canonical(got))
		}
		seen[got.ID] = true
	}
}

func externalIDTaken(t *testing.T, k *kit) {
	a, b := text("A", "Alpha."), text("B", "Beta.")
	a.ExternalID, b.ExternalID = "a", "b"
	k.put(t, hashed(a), hashed(b))
	before := read(t, k, k.company)
	w := text("A", "Alpha again.")
	w.ID, w.ExternalID = a.NewID, "b"
	_, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{hashed(w)})
	refused(t, "WriteDocuments with another document's external id", err, store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)
}

func replaceByID(t *testing.T, k *kit) {
	a := text("A", "Alpha.")
	a.ExternalID = "a"
	k.put(t, hashed(a))
	w := text("A", "Alpha again.")
	w.ID, w.ExternalID = a.NewID, "renamed"
	w = hashed(w)
	got := k.put(t, w)[0]
	if got.ID != a.NewID || got.Version != 2 || got.Status != knowledge.Updated {
		t.Errorf("WriteDocuments by id = %s, want version 2 of %s", canonical(got), a.NewID)
	}
	k.asRead(t, w, a.NewID, 2)
	missingDocument(t, k, w.NewID)
	fresh := text("Other", "Other.")
	fresh.ExternalID = "a" // is free again
	if got := k.put(t, hashed(fresh))[0]; got.Status != knowledge.Created {
		t.Errorf("a document with an external id that was given up = %s, want a new one", canonical(got))
	}
	before := read(t, k, k.company)
	for _, docID := range []string{id.New(id.Document), k.agent, "doc_x"} {
		w := text("B", "Beta.")
		w.ID = docID
		_, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{w})
		missing(t, "WriteDocuments of a document that is not there", err)
	}
	same(t, "the company", read(t, k, k.company), before)
}

func unchangedDocument(t *testing.T, k *kit) {
	w := hours()
	w.ExternalID = "hours"
	w = hashed(w)
	was := k.putOne(t, w)
	before := read(t, k, k.company)
	for _, docID := range []string{"", was.ID} {
		again := w
		again.ID, again.NewID, again.UpdatedAt = docID, id.New(id.Document), now()
		got, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{again, again})
		ok(t, "WriteDocuments", err)
		if got.Revision != 1 || len(got.Documents) != 2 || got.Documents[0].Status != knowledge.Unchanged {
			t.Errorf("WriteDocuments of what is there = %s, want it unchanged at revision 1", canonical(got))
		}
		same(t, "the document", got.Documents[0].Document, was)
	}
	same(t, "the company", read(t, k, k.company), before)
	other := text("Prices", "Bread is two euros.")
	got, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{w, other})
	ok(t, "WriteDocuments", err)
	if got.Revision != 2 || got.Documents[0].Status != knowledge.Unchanged || got.Documents[1].Status != knowledge.Created {
		t.Errorf("WriteDocuments of one unchanged and one new = %s", canonical(got))
	}
	after := read(t, k, k.company)
	same(t, "the changes", after.Changes, []knowledge.Change{{Revision: 1, DocumentID: was.ID}, {Revision: 2, DocumentID: other.NewID}})
	if n := len(after.Events) - len(before.Events); n != 1 {
		t.Errorf("%d events tell of one change", n)
	}
}

func otherMetadata(t *testing.T, k *kit) {
	w := hours()
	w.ExternalID, w.Metadata = "hours", map[string]any{"a": "b"}
	w = hashed(w)
	was := k.putOne(t, w)
	before, err := k.LiveDocument(t.Context(), k.company, was.ID)
	ok(t, "LiveDocument", err)
	next := w
	next.Title, next.URL, next.Metadata, next.Passages = "Opening hours", "https://example.com", map[string]any{"c": "d"}, nil
	next = hashed(next)
	got, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{next})
	ok(t, "WriteDocuments", err)
	if d := got.Documents[0]; d.Status != knowledge.Updated || d.ID != was.ID || d.Version != 1 || got.Revision != 2 {
		t.Errorf("WriteDocuments = %s, want version 1 updated at revision 2", canonical(got))
	}
	next.Passages = w.Passages
	k.asRead(t, next, was.ID, 1)
	after, err := k.LiveDocument(t.Context(), k.company, was.ID)
	ok(t, "LiveDocument", err)
	for i, p := range after.Passages {
		if p.ID != before.Passages[i].ID {
			t.Errorf("passage %d has the id %s, want %s as before", i, p.ID, before.Passages[i].ID)
		}
	}
	evs := ofStream(allEvents(t, k, k.company), was.ID)
	if !slices.Equal(types(evs), []event.Type{event.ContentCreated, event.ContentUpdated}) || evs[1].Refs.Version != 1 {
		t.Errorf("the document's events are %s, want created and updated at version 1", canonical(evs))
	}
	again := text("Hours", "Another text.")
	again.ID = was.ID
	if got := k.put(t, again)[0]; got.Version != 2 {
		t.Errorf("the next text has version %d, want 2", got.Version)
	}
}

func keepText(t *testing.T, k *kit) {
	w := external(hours(), "hours")
	was := k.putOne(t, w)
	for i, docID := range []string{"", was.ID} {
		next := external(text(fmt.Sprint("Title ", i), "Another text."), "hours")
		next.ID, next.KeepText = docID, true
		got := k.put(t, next)[0]
		if got.Status != knowledge.Updated || got.Version != 1 || got.ID != was.ID {
			t.Errorf("WriteDocuments that keeps the text = %s, want version 1 of %s updated", canonical(got), was.ID)
		}
		kept := w
		kept.Title = next.Title
		k.asRead(t, kept, was.ID, 1)
	}
	again := w // the text is still the one that was written first
	if got := k.put(t, again)[0]; got.Version != 1 {
		t.Errorf("the text there, written again, makes version %d, want 1", got.Version)
	}
	before := read(t, k, k.company)
	for what, w := range map[string]knowledge.Write{"another external id": external(hours(), "other"), "no external id": hours()} {
		w.KeepText = true
		_, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{w})
		missing(t, "WriteDocuments that keeps the text of a document with "+what, err)
	}
	same(t, "the company", read(t, k, k.company), before)
}

func ifVersion(t *testing.T, k *kit) {
	w := hours()
	w.ExternalID = "hours"
	was := k.putOne(t, hashed(w))
	before := read(t, k, k.company)
	next := text("Hours", "We open at ten.")
	next.ExternalID = "hours"
	for _, version := range []int{2, -1, 100} {
		for _, docID := range []string{"", was.ID} {
			for what, w := range map[string]knowledge.Write{"another text": hashed(next), "the same": hashed(w)} {
				w.ID, w.IfVersion = docID, version
				_, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{w})
				refused(t, fmt.Sprintf("WriteDocuments of %s if at version %d", what, version), err, store.ErrConflict)
			}
		}
	}
	fresh := text("New", "New.")
	fresh.IfVersion = 1
	_, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{fresh})
	refused(t, "WriteDocuments of a new document if at version 1", err, store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)
	next.IfVersion = 1
	if got := k.put(t, hashed(next))[0]; got.Version != 2 {
		t.Errorf("WriteDocuments if at version 1 = %s, want version 2", canonical(got))
	}
}

func ifUpdated(t *testing.T, k *kit) {
	first := k.putOne(t, hashed(hours()))
	next := hashed(hours())
	next.ID, next.Title, next.KeepText, next.Hash[0] = first.ID, "Other", true, next.Hash[0]+1
	next.UpdatedAt, next.IfUpdated = first.UpdatedAt, first.UpdatedAt // written within a microsecond
	second := k.put(t, next)[0]
	if !second.UpdatedAt.After(first.UpdatedAt) {
		t.Errorf("a document changed twice within a microsecond was updated at %v, then at %v", first.UpdatedAt, second.UpdatedAt)
	}
	// A time between two that are kept is no later one.
	next.Hash[0]++
	next.UpdatedAt, next.IfUpdated = second.UpdatedAt.Add(999*time.Nanosecond), second.UpdatedAt
	third := k.put(t, next)[0]
	if !third.UpdatedAt.After(second.UpdatedAt) || !third.UpdatedAt.Equal(third.UpdatedAt.Truncate(time.Microsecond)) {
		t.Errorf("a document updated at %v was updated at %v before", third.UpdatedAt, second.UpdatedAt)
	}
	d, err := k.Document(t.Context(), k.company, first.ID)
	ok(t, "Document", err)
	same(t, "Document", d, third.Document)
	before := read(t, k, k.company)
	next.Hash[0]++
	_, err = k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{next})
	refused(t, "WriteDocuments if updated at an earlier time", err, store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)
}

func documentIDTaken(t *testing.T, k *kit) {
	w := hours()
	k.put(t, w)
	before := read(t, k, k.company)
	next := text("Other", "Other.")
	next.NewID = w.NewID
	_, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{next})
	refused(t, "WriteDocuments of a new document with an id that is there", err, store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)
}

func documentOfUnknownAgent(t *testing.T, k *kit) {
	before := read(t, k, k.company)
	for _, agentID := range []string{id.New(id.Agent), newKit(t, k.Store).agent, "agt_x"} {
		w := hours()
		w.AgentID = agentID
		_, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{hashed(w)})
		missing(t, "WriteDocuments with an agent that is not there", err)
	}
	same(t, "the company", read(t, k, k.company), before)
}

func batch(t *testing.T, k *kit) {
	var writes []knowledge.Write
	for i := range 256 {
		w := text(fmt.Sprint("Document ", i), fmt.Sprintf("Fact %d.", i), "And another.")
		w.ExternalID = fmt.Sprint("batch/", i)
		writes = append(writes, hashed(w))
	}
	slices.Reverse(writes)
	got, err := k.WriteDocuments(t.Context(), k.commit(), writes)
	ok(t, "WriteDocuments", err)
	if len(got.Documents) != 256 || got.Revision != 1 {
		t.Fatalf("WriteDocuments of 256 returned %d at revision %d", len(got.Documents), got.Revision)
	}
	for i, d := range got.Documents {
		if d.ID != writes[i].NewID || d.Status != knowledge.Created {
			t.Errorf("result %d is %s, want %s created", i, canonical(d), writes[i].NewID)
		}
	}
	k.asRead(t, writes[0], writes[0].NewID, 1)
	k.asRead(t, writes[255], writes[255].NewID, 1)
	var all []knowledge.Ref
	for _, w := range writes {
		all = append(all, refs(w.NewID, 1, 2)...)
	}
	found, err := k.Passages(t.Context(), k.company, all)
	ok(t, "Passages", err)
	if len(found) != 512 {
		t.Errorf("Passages of 512 returned %d", len(found))
	}
	told := map[string]int{}
	for _, ev := range allEvents(t, k, k.company) {
		told[ev.Refs.DocumentID]++
	}
	for _, w := range writes {
		if told[w.NewID] != 1 {
			t.Errorf("document %s has %d events, want 1", w.NewID, told[w.NewID])
		}
	}
}

func allOrNone(t *testing.T, k *kit) {
	there := hours()
	there.ExternalID = "hours"
	k.put(t, hashed(there))
	before := read(t, k, k.company)
	bad := text("Bad", "Bad.")
	bad.ID = id.New(id.Document)
	for at := range 3 {
		changed := text("Hours", "We open at ten.")
		changed.ExternalID = "hours"
		writes := slices.Insert([]knowledge.Write{text("New", "New."), hashed(changed)}, at, bad)
		_, err := k.WriteDocuments(t.Context(), k.commit(), writes)
		missing(t, fmt.Sprintf("WriteDocuments with a bad one at %d", at), err)
		same(t, "the company", read(t, k, k.company), before)
	}
}

func twiceInBatch(t *testing.T, k *kit) {
	a, b, other := external(hours(), "hours"), external(text("Hours", "We open at ten."), "hours"), external(hours(), "other")
	got := k.put(t, a, b, other, b, a)
	for i, want := range []struct {
		status  knowledge.Status
		version int
	}{{knowledge.Created, 1}, {knowledge.Updated, 2}, {knowledge.Created, 1}, {knowledge.Unchanged, 2}, {knowledge.Updated, 3}} {
		if got[i].Status != want.status || got[i].Version != want.version || (got[i].ID == a.NewID) != (i != 2) {
			t.Errorf("write %d = %s, want %+v", i, canonical(got[i]), want)
		}
	}
	after := read(t, k, k.company)
	if len(after.Documents) != 2 || len(after.Changes) != 2 || after.Revision != 1 {
		t.Fatalf("five writes of two external ids made %s", canonical(after.Documents))
	}
	if evs := ofStream(after.Events, a.NewID); len(evs) != 3 || evs[2].Sequence != 3 || evs[2].Refs.Version != 3 {
		t.Errorf("the document's events are %s, want one for each change", canonical(evs))
	}
	k.asRead(t, a, a.NewID, 3)
}
