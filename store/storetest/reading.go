package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// documents are the promises about writing and reading them.
var documents = slices.Concat(writePromises, readPromises, requestPromises)

var readPromises = []promise{
	{
		name:  "versions",
		text:  "every version's text can be read, and no other",
		check: versions,
	},
	{
		name:  "passages",
		text:  "Passages returns those that belong to the live version of a document that is there, and no others",
		check: passages,
	},
	{
		name:  "hostile text",
		text:  "any text that is valid UTF-8 without zero bytes reads back byte for byte",
		check: hostileDocuments,
	},
	{
		name:  "text between passages",
		text:  "a document's text reads back whole also where no passage covers it, or the document is refused",
		check: textBetween,
	},
	{
		name:  "list",
		text:  "documents are listed newest first, without their texts, filtered by agent, kind and external id",
		check: listDocuments,
	},
	{
		name:  "unknown",
		text:  "a document that is not there is not found",
		check: unknownDocument,
	},
	{
		name:  "hashes",
		text:  "DocumentHashes returns the hash of the last write of those documents of one agent, or of none, that have the external ids",
		check: documentHashes,
	},
}

func versions(t *testing.T, k *kit) {
	w := text("Hours", "Version 1.")
	d := k.putOne(t, w)
	for v := 2; v <= 4; v++ {
		next := text("Hours", fmt.Sprintf("Version %d.", v))
		next.ID = d.ID
		k.put(t, next)
	}
	for v, want := range map[int]string{0: "Version 4.", 1: "Version 1.", 2: "Version 2.", 3: "Version 3.", 4: "Version 4."} {
		got, err := k.DocumentText(t.Context(), k.company, d.ID, v)
		ok(t, "DocumentText", err)
		if got != want {
			t.Errorf("DocumentText(%d) = %q, want %q", v, got, want)
		}
	}
	for _, v := range []int{5, -1, 1 << 40} {
		_, err := k.DocumentText(t.Context(), k.company, d.ID, v)
		missing(t, fmt.Sprintf("DocumentText(%d)", v), err)
	}
	back := text("Hours", "Version 1.")
	back.ID = d.ID
	if got := k.put(t, back)[0]; got.Version != 5 {
		t.Errorf("going back to an earlier text makes version %d, want 5", got.Version)
	}
}

func passages(t *testing.T, k *kit) {
	a, b, gone := k.putOne(t, hours()), k.putOne(t, hours()), k.putOne(t, hours())
	own := hours()
	own.AgentID = k.newAgent(t)
	c := k.putOne(t, hashed(own))
	next := text("Hours", "We open at ten.", "We close at six.")
	next.ID = b.ID
	k.put(t, next)
	k.deleteDocument(t, gone.ID)
	var asked []knowledge.Ref
	for _, d := range []knowledge.Document{a, b, gone, c} {
		for v := range 3 {
			asked = append(asked, refs(d.ID, v, 4)...)
		}
	}
	asked = append(asked, knowledge.Ref{DocumentID: a.ID, Version: 1, Ordinal: -1}, knowledge.Ref{DocumentID: id.New(id.Document), Version: 1},
		knowledge.Ref{}, knowledge.Ref{DocumentID: k.agent, Version: 1})
	found, err := k.Passages(t.Context(), k.company, asked)
	ok(t, "Passages", err)
	var got []string
	for _, p := range found {
		got = append(got, fmt.Sprint(p.DocumentID, " ", p.Version, " ", p.Ordinal))
	}
	var want []string
	for _, ref := range slices.Concat(refs(a.ID, 1, 3), refs(b.ID, 2, 2), refs(c.ID, 1, 3)) {
		want = append(want, fmt.Sprint(ref.DocumentID, " ", ref.Version, " ", ref.Ordinal))
	}
	slices.Sort(got)
	slices.Sort(want)
	wantIDs(t, "Passages", got, want...)
	none, err := k.Passages(t.Context(), k.company, nil)
	ok(t, "Passages of nothing", err)
	if len(none) != 0 {
		t.Errorf("Passages of nothing = %s", canonical(none))
	}
}

func hostileDocuments(t *testing.T, k *kit) {
	for i, s := range hostile {
		brief := strings.ToValidUTF8(s[:min(len(s), 200)], "")
		w := text(brief, s, brief)
		w.ExternalID, w.URL, w.Metadata = brief, brief, map[string]any{brief: brief, "list": []any{brief}}
		w.Passages[0].Heading = []string{brief, brief}
		w = hashed(w)
		k.put(t, w)
		k.asRead(t, w, w.NewID, 1)
		found := everyPage(t, 0, func(p store.Page) (store.List[knowledge.Document], error) {
			return k.Documents(t.Context(), k.company, knowledge.Filter{ExternalID: brief}, p)
		})
		if len(found) != 1 || found[0].ID != w.NewID {
			t.Errorf("Documents with hostile external id %d = %s", i, canonical(found))
		}
	}
}

func textBetween(t *testing.T, k *kit) {
	const body = "\n\n# Head\n\nFirst part. Second part. Third part.\n\n---\n"
	find := func(ordinal int, s string) knowledge.Passage {
		at := strings.Index(body, s)
		return knowledge.Passage{Ref: knowledge.Ref{Ordinal: ordinal}, Start: at, End: at + len(s), Text: s}
	}
	for _, c := range []struct {
		may   bool // whether it may be refused
		parts []knowledge.Passage
	}{
		{false, []knowledge.Passage{find(0, "First part."), find(1, "Third part.")}},
		{false, []knowledge.Passage{find(0, body)}},
		{false, []knowledge.Passage{find(0, "Third part.\n\n---\n")}},
		{true, []knowledge.Passage{find(0, "First part. Second part."), find(1, "Second part. Third part.")}}, // they overlap
		{true, nil},
	} {
		w := text("Parts", body)
		w.Passages = c.parts
		if _, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{w}); err == nil {
			k.asRead(t, w, w.NewID, 1)
		} else if !c.may {
			t.Errorf("WriteDocuments: %v", err)
		} else {
			missingDocument(t, k, w.NewID)
		}
	}
}

func listDocuments(t *testing.T, k *kit) {
	other := k.newAgent(t)
	var made []knowledge.Document
	for i, agentID := range []string{"", k.agent, other, "", other, k.agent} {
		w := text(fmt.Sprint("Document ", i), "Text.")
		w.AgentID, w.ExternalID = agentID, fmt.Sprint("x", i/2)
		if i%2 == 1 {
			w.Kind, w.Questions = knowledge.KindQA, []string{"Question?"}
		}
		made = append(made, k.putOne(t, hashed(w)))
	}
	slices.Reverse(made)
	for _, f := range []knowledge.Filter{
		{}, {AgentID: other}, {AgentID: k.agent, Kind: knowledge.KindQA}, {Kind: knowledge.KindUpload}, {ExternalID: "x1"},
		{ExternalID: "x2", AgentID: other}, {ExternalID: "x1", Kind: knowledge.KindQA}, {ExternalID: "x2", AgentID: k.agent, Kind: knowledge.KindQA}, {ExternalID: "x%"}, {Kind: "page"}, {AgentID: id.New(id.Agent)},
	} {
		want := slices.DeleteFunc(slices.Clone(made), func(d knowledge.Document) bool {
			return f.AgentID != "" && d.AgentID != f.AgentID || f.Kind != "" && d.Kind != f.Kind || f.ExternalID != "" && d.ExternalID != f.ExternalID
		})
		got := everyPage(t, 2, func(p store.Page) (store.List[knowledge.Document], error) {
			return k.Documents(t.Context(), k.company, f, p)
		})
		same(t, "Documents of "+canonical(f), got, want)
		for _, d := range got {
			if d.Text != "" {
				t.Errorf("Documents lists the text of %s", d.ID)
			}
		}
	}
}

func unknownDocument(t *testing.T, k *kit) {
	k.put(t, hours())
	for _, docID := range []string{id.New(id.Document), k.agent, "", "doc_x"} {
		missingDocument(t, k, docID)
	}
}

func documentHashes(t *testing.T, k *kit) {
	a, b, own := external(hours(), "a"), external(hours(), "b"), hours()
	own.AgentID, own.Title = k.agent, "Own"
	own = external(own, "a")
	bare := hours() // without an external id
	gone := external(hours(), "gone")
	k.put(t, a, b, own, bare, gone)
	k.deleteDocument(t, gone.NewID)
	b = external(text("Title", "Another text."), "b")
	k.put(t, b)
	newKit(t, k.Store).put(t, external(hours(), "c"))
	for agentID, want := range map[string]map[string][32]byte{
		"":               {"a": a.Hash, "b": b.Hash},
		k.agent:          {"a": own.Hash},
		id.New(id.Agent): {},
	} {
		got, err := k.DocumentHashes(t.Context(), k.company, agentID, []string{"a", "b", "c", "", "gone", "a", hostile[0], "a%"})
		ok(t, "DocumentHashes", err)
		if !maps.Equal(got, want) {
			t.Errorf("DocumentHashes of agent %q = %x, want %x", agentID, got, want)
		}
	}
	if got, err := k.DocumentHashes(t.Context(), k.company, "", nil); len(got) != 0 || err != nil {
		t.Errorf("DocumentHashes of nothing = %x, %v", got, err)
	}
}
