package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var versionPromises = []promise{
	{
		name:  "versions",
		text:  "the texts that a document has had are listed newest first, with what it was called, who wrote it and which one is live",
		check: listVersions,
	},
	{
		name:  "versions of one commit",
		text:  "a document that several writes of a commit are of has the versions of all of them, however many documents there are",
		check: versionsOfOneCommit,
	},
	{
		name:  "passages of versions",
		text:  "the passages of each version read back as they were given, and one that never was or is only staged is not found",
		check: passagesOfVersions,
	},
	{
		name:  "many versions",
		text:  "all texts of a document are kept until they are swept",
		check: manyVersions,
	},
}

// versionsNow returns the versions of a document without their times, which are
// checked.
func (k *kit) versionsNow(t *testing.T, docID string) []knowledge.Version {
	t.Helper()
	all, err := k.Versions(t.Context(), k.company, docID)
	ok(t, "Versions", err)
	next := now().Add(long)
	for i, v := range all {
		if v.CreatedAt.IsZero() || !v.CreatedAt.Before(next) {
			t.Errorf("version %d of %s was written at %v, the next one at %v", v.Version, docID, v.CreatedAt, next)
		}
		next, all[i].CreatedAt = v.CreatedAt, time.Time{}
	}
	return all
}

func listVersions(t *testing.T, k *kit) {
	w := external(text("First", "One."), "a")
	by := func(actor string, w knowledge.Write) {
		t.Helper()
		cm := k.commit()
		cm.Audit = &store.Audit{ID: id.New(id.Audit), Actor: actor, Action: "document.put", At: now()}
		_, err := k.WriteDocuments(t.Context(), cm, []knowledge.Write{w})
		ok(t, "WriteDocuments", err)
	}
	by("key_1", w)
	renamed := external(text("Renamed", "One."), "a") // has the text it had
	renamed.TextHash = w.TextHash
	by("key_2", renamed)
	second := text("Second", "Two, öfter.")
	second.Format = knowledge.Markdown
	k.put(t, external(second, "a"))
	kept := external(text("Kept", "Another text."), "a")
	kept.KeepText = true
	by("key_3", kept)
	same(t, "Versions", k.versionsNow(t, w.NewID), []knowledge.Version{
		{Version: 2, Title: "Second", Format: knowledge.Markdown, Bytes: len(second.Text), Live: true},
		{Version: 1, Title: "First", Format: knowledge.Text, Bytes: len(w.Text), Actor: "key_1"},
	})

	s := k.addSource(t, "")
	doc := k.publish(t, s, aPage("a", "Alpha."))[0]
	k.publish(t, s, aPage("a", "Alpha, again."))
	g := k.gather(t, s)
	staged := g.stage(t, g.page("a", "Alpha, staged."), g.page("b", "Beta."))
	same(t, "Versions of a source's document", k.versionsNow(t, doc), []knowledge.Version{
		{Version: 2, Title: "Title of a", Format: knowledge.Text, Bytes: len("Alpha, again."), Live: true},
		{Version: 1, Title: "Title of a", Format: knowledge.Text, Bytes: len("Alpha.")},
	})
	k.deleteDocument(t, w.NewID)
	for _, docID := range []string{w.NewID, id.New(id.Document), k.agent, "", staged[1].DocumentID} {
		all, err := k.Versions(t.Context(), k.company, docID)
		missing(t, "Versions", err)
		if len(all) != 0 {
			t.Errorf("Versions of what is not there = %s", canonical(all))
		}
	}
}

func versionsOfOneCommit(t *testing.T, k *kit) {
	const documents = 37 // more than go into a statement, and not a multiple of that
	var writes []knowledge.Write
	var ids []string
	for i := range documents {
		name := "document " + string(rune('A'+i))
		first := external(text("First", "The text of "+name+"."), name)
		renamed := first // it keeps its text
		renamed.NewID, renamed.Title, renamed.Hash[0] = id.New(id.Document), "Renamed", first.Hash[0]+1
		writes = append(writes, first, renamed)
		if i%2 == 0 {
			writes = append(writes, external(text("Second", "Another text."), name), external(text("Third", "And another text."), name))
		}
		ids = append(ids, first.NewID)
	}
	k.put(t, writes...)
	for i, docID := range ids {
		want := []knowledge.Version{{Version: 1, Title: "First", Format: knowledge.Text, Bytes: len("The text of document A."), Live: i%2 != 0}}
		if i%2 == 0 {
			want = append([]knowledge.Version{
				{Version: 3, Title: "Third", Format: knowledge.Text, Bytes: len("And another text."), Live: true},
				{Version: 2, Title: "Second", Format: knowledge.Text, Bytes: len("Another text.")},
			}, want...)
		}
		same(t, "Versions", k.versionsNow(t, docID), want)
	}
	gone := k.deleteDocument(t, ids[0])
	if gone.Versions != 3 || gone.Passages != 3 {
		t.Errorf("a document of 3 versions is deleted with %d, and %d passages", gone.Versions, gone.Passages)
	}
	if gone = k.deleteDocument(t, ids[1]); gone.Versions != 1 || gone.Passages != 1 {
		t.Errorf("a document of 1 version is deleted with %d, and %d passages", gone.Versions, gone.Passages)
	}
}

func passagesOfVersions(t *testing.T, k *kit) {
	var writes []knowledge.Write
	for i, lines := range [][]string{{"One.", "Two.", "Three."}, {"Four."}, {"Five.", "Six."}} {
		w := text("Title", lines...)
		for j := range w.Passages {
			w.Passages[j].Page, w.Passages[j].Heading = i+j, []string{"Chapter", lines[j]}
		}
		w.Metadata = map[string]any{"n": float64(i)}
		writes = append(writes, external(w, "a"))
		k.put(t, writes[i])
	}
	d, err := k.Document(t.Context(), k.company, writes[0].NewID)
	ok(t, "Document", err)
	for i, w := range writes {
		got, err := k.VersionPassages(t.Context(), k.company, d.ID, i+1)
		ok(t, "VersionPassages", err)
		want := wantPassages(w, d)
		for j := range want {
			want[j].Version = i + 1
		}
		if !slices.IsSortedFunc(got, func(a, b knowledge.Passage) int { return a.Ordinal - b.Ordinal }) {
			t.Errorf("VersionPassages = %s, which are not in order", canonical(got))
		}
		samePassages(t, "VersionPassages", got, want)
	}
	live, err := k.LiveDocument(t.Context(), k.company, d.ID)
	ok(t, "LiveDocument", err)
	got, err := k.VersionPassages(t.Context(), k.company, d.ID, 3)
	ok(t, "VersionPassages", err)
	same(t, "the passages of the live version", bare(got), bare(live.Passages))

	s := k.addSource(t, "")
	doc := k.publish(t, s, aPage("a", "Alpha."))[0]
	g := k.gather(t, s)
	staged := g.stage(t, g.page("a", "Alpha, staged."), g.page("b", "Beta."))
	for _, of := range []knowledge.Ref{
		{DocumentID: d.ID, Version: 4}, {DocumentID: d.ID, Version: -1}, {DocumentID: doc, Version: 2}, {DocumentID: staged[1].DocumentID, Version: 1},
		{DocumentID: id.New(id.Document), Version: 1}, {DocumentID: "", Version: 1},
	} {
		got, err := k.VersionPassages(t.Context(), k.company, of.DocumentID, of.Version)
		missing(t, "VersionPassages", err)
		if len(got) != 0 {
			t.Errorf("VersionPassages of what is not there = %s", canonical(got))
		}
	}
}

func manyVersions(t *testing.T, k *kit) {
	const many = 24
	for i := range many {
		k.put(t, external(text("Title", "Text number "+string(rune('a'+i))), "a"))
	}
	d := read(t, k, k.company).Documents[0]
	if all := k.versionsNow(t, d.ID); len(all) != many || all[0].Version != many || all[many-1].Version != 1 {
		t.Errorf("of %d versions %d are kept", many, len(all))
	}
	body, err := k.DocumentText(t.Context(), k.company, d.ID, 1)
	if err != nil || body != "Text number a" {
		t.Errorf("DocumentText(1) = %q, %v", body, err)
	}
}
