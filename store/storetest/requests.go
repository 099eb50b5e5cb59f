package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// requestPromises are what a request that writes documents rests on.
var requestPromises = []promise{
	{
		name:  "receipt",
		text:  "the receipt of a write gets what was done to each document behind what it says, or in the places it keeps for them",
		check: receiptOfDocuments,
	},
	{
		name:  "receipt alone",
		text:  "a write of no documents writes its commit all the same, at the revision there is",
		check: receiptAlone,
	},
	{
		name:  "audit",
		text:  "an audit entry without an object gets the document, if there is one only; the caller's stays as it is",
		check: auditOfDocuments,
	},
	{
		name:  "item",
		text:  "an error that one of several documents causes says which",
		check: itemOfError,
	},
	{
		name:  "kind",
		text:  "a document of another kind never replaces one, neither by id nor by external id",
		check: kindKept,
	},
	{
		name:  "agent",
		text:  "a document replaced by its id keeps its agent, and is not another one's",
		check: agentKept,
	},
	{
		name:  "checked",
		text:  "a check says of each document what a write then does, refuses each alone, and writes nothing",
		check: checkedDocuments,
	},
}

func receiptOfDocuments(t *testing.T, k *kit) {
	s := k.claimed(t, "key", long)
	a, b, c := external(hours(), "a"), external(text("B", "Beta."), "b"), external(text("C", "Gamma."), "c")
	write := func(result string, done bool, writes ...knowledge.Write) {
		t.Helper()
		r := s.Receipt
		r.Result, r.Done = result, done
		_, err := k.WriteDocuments(t.Context(), store.Commit{Company: k.company, Receipt: &r}, writes)
		ok(t, "WriteDocuments", err)
		if r.Result != result {
			t.Errorf("WriteDocuments has changed its caller's receipt to %q", r.Result)
		}
	}
	reads := func(want string, done bool) {
		t.Helper()
		if got := k.claim(t, "key", "hash", long); got.Result != want || got.Done != done || got.Claimed {
			t.Errorf("the receipt is %+v, want %q", got, want)
		}
	}
	write("", false, a)
	one := "c:" + a.NewID
	reads(one, false)

	next := external(text("A", "Changed."), "a")
	write(one, false, a, next, b)
	two := one + " n:" + a.NewID + " u:" + a.NewID + " c:" + b.NewID
	reads(two, false)

	write(two+" - ? - ?", true, b, c, next)
	reads(two+" - n:"+b.NewID+" - c:"+c.NewID+" n:"+a.NewID, true)
	made, err := knowledge.ParseResult(k.claim(t, "key", "hash", long).Result)
	ok(t, "ParseResult", err)
	if want := (knowledge.Made{Status: knowledge.Created, DocumentID: c.NewID}); len(made) != 9 || made[7] != want || made[4] != (knowledge.Made{}) {
		t.Errorf("the receipt reads %+v", made)
	}
}

func receiptAlone(t *testing.T, k *kit) {
	k.put(t, hours())
	before := read(t, k, k.company)
	cm := laden(t, k, k.agent)
	got, err := k.WriteDocuments(t.Context(), cm, nil)
	ok(t, "WriteDocuments of nothing", err)
	if len(got.Documents) != 0 || got.Revision != 1 {
		t.Errorf("WriteDocuments of nothing = %s, want nothing at revision 1", canonical(got))
	}
	allOf(t, k, cm, before)
	if s := k.claim(t, "key", "hash", long); s.Result != cm.Receipt.Result {
		t.Errorf("the receipt is %+v, want it to say no more than %q", s, cm.Receipt.Result)
	}
	after := read(t, k, k.company)
	same(t, "the documents", after.Documents, before.Documents)
	same(t, "the changes", after.Changes, before.Changes)
}

func auditOfDocuments(t *testing.T, k *kit) {
	var want []store.Audit
	write := func(object, noted string, writes ...knowledge.Write) {
		t.Helper()
		a := store.Audit{ID: id.New(id.Audit), Actor: "key_1", Action: "document.put", Object: object, At: now()}
		_, err := k.WriteDocuments(t.Context(), store.Commit{Company: k.company, Audit: &a}, writes)
		ok(t, "WriteDocuments", err)
		if a.Object != object {
			t.Errorf("WriteDocuments has changed its caller's entry to one of %q", a.Object)
		}
		a.Object = noted
		want = append(want, a)
	}
	a, b := external(hours(), "a"), external(text("B", "Beta."), "b")
	write("", a.NewID, a)
	again := a
	again.NewID = id.New(id.Document)
	write("", a.NewID, again) // unchanged
	write("run_1", "run_1", b)
	write("", "", a, b)
	write("", "")
	slices.Reverse(want)
	same(t, "the audit log", read(t, k, k.company).Audit, want)
}

func itemOfError(t *testing.T, k *kit) {
	there := external(hours(), "there")
	k.put(t, there)
	good := text("Good", "Good.")
	stranger, taken, stale, nobodys := text("Bad", "Bad."), external(text("Other", "Other."), "other"), external(hours(), "there"), text("Bad", "Bad.")
	stranger.ID, nobodys.AgentID, stale.IfVersion = id.New(id.Document), id.New(id.Agent), 7
	k.put(t, taken)
	taken.ID = there.NewID
	before := read(t, k, k.company)
	for what, bad := range map[string]knowledge.Write{"of no document": stranger, "of another's external id": taken, "at another version": stale, "of no agent": nobodys} {
		for at := range 3 {
			_, err := k.WriteDocuments(t.Context(), k.commit(), slices.Insert([]knowledge.Write{good, there}, at, bad))
			item, is := errors.AsType[*knowledge.ItemError](err)
			if !is || item.Index != at || !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrConflict) {
				t.Errorf("WriteDocuments with one %s at %d = %v, want an ItemError of %d", what, at, err, at)
			}
		}
	}
	same(t, "the company", read(t, k, k.company), before)
}

func kindKept(t *testing.T, k *kit) {
	kinds := []knowledge.Kind{knowledge.KindUpload, knowledge.KindQA, knowledge.KindContent}
	for _, kind := range kinds {
		w := external(hours(), string(kind))
		w.Kind = kind
		was := k.putOne(t, hashed(w))
		before := read(t, k, k.company)
		for _, docID := range []string{"", was.ID} {
			for _, other := range kinds {
				next := external(text("Next", "Next."), w.ExternalID)
				next.ID, next.Kind = docID, other
				for what, next := range map[string]knowledge.Write{"another text": hashed(next), "the same hash": {Document: next.Document, NewID: next.NewID, Hash: w.Hash}} {
					if other == kind {
						continue
					}
					_, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{next})
					refused(t, fmt.Sprintf("WriteDocuments of kind %s over %s with %s", other, kind, what), err, store.ErrConflict)
				}
			}
		}
		same(t, "the company", read(t, k, k.company), before)
		next := external(text("Next", "Next."), w.ExternalID)
		next.Kind = kind
		if got := k.put(t, hashed(next))[0]; got.Status != knowledge.Updated || got.Kind != kind {
			t.Errorf("WriteDocuments of the same kind = %s, want it replaced", canonical(got))
		}
	}
}

func agentKept(t *testing.T, k *kit) {
	other := k.newAgent(t)
	own, everyones := external(hours(), "hours"), external(text("All", "All."), "all")
	own.AgentID = k.agent
	own = hashed(own)
	k.put(t, own, everyones)
	before := read(t, k, k.company)
	for docID, agents := range map[string][]string{own.NewID: {other, id.New(id.Agent)}, everyones.NewID: {k.agent}} {
		for _, agentID := range agents {
			next := text("Next", "Next.")
			next.ID, next.AgentID = docID, agentID
			_, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{hashed(next)})
			if !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("WriteDocuments for another agent = %v, want an error wrapping %q", err, store.ErrConflict)
			}
		}
	}
	same(t, "the company", read(t, k, k.company), before)
	for i, agentID := range []string{"", k.agent} {
		next := external(text(fmt.Sprint("Next ", i), "Next."), "hours")
		next.ID, next.AgentID = own.NewID, agentID
		if got := k.put(t, hashed(next))[0]; got.AgentID != k.agent || got.Status != knowledge.Updated {
			t.Errorf("WriteDocuments by id for agent %q = %s, want agent %s's", agentID, canonical(got), k.agent)
		}
	}
	fresh := external(text("Fresh", "Fresh."), "hours") // the external id is still the agent's only
	if got := k.put(t, fresh)[0]; got.Status != knowledge.Created {
		t.Errorf("an external id that only an agent's document has = %s, want a new one", canonical(got))
	}
}

func checkedDocuments(t *testing.T, k *kit) {
	there, moved, qa := external(hours(), "there"), external(text("M", "Moved."), "moved"), external(text("Q", "Yes."), "qa")
	qa.Kind, qa.Questions = knowledge.KindQA, []string{"Is it?"}
	qa = hashed(qa)
	k.put(t, there, moved, qa)

	changed, onto, unknown, nobodys := external(text("T", "Changed."), "there"), external(text("Q", "No."), "qa"), text("U", "Unknown."), text("N", "Nobody's.")
	unknown.ID, nobodys.AgentID = id.New(id.Document), id.New(id.Agent)
	renamed, taken, freed := external(text("M", "Moved."), "renamed"), external(text("M", "Moved."), "there"), external(text("F", "Freed."), "moved")
	renamed.ID, taken.ID = moved.NewID, moved.NewID
	fresh, again := external(text("F", "Fresh."), "fresh"), external(text("F", "Fresh again."), "fresh")
	bad := external(text("F", "Fresh, but bad."), "bad")
	bad.IfVersion = 1
	fine := external(text("F", "Fine."), "bad")
	kept := text("K", "")
	kept.ID, kept.KeepText = there.NewID, true
	old, newer := external(text("T", "At one."), "there"), external(text("T", "At two."), "there")
	old.IfVersion, newer.IfVersion = 1, 2

	for name, writes := range map[string][]knowledge.Write{
		"nothing":                    nil,
		"one of each":                {text("New", "New."), there, changed, unknown, onto, nobodys, fresh},
		"one twice":                  {fresh, again, again, fresh},
		"one renamed, and its place": {freed, renamed, freed, renamed, taken},
		"one refused, then taken":    {bad, fine, bad},
		"without the text":           {kept, kept},
		"versions":                   {newer, old, old, newer},
		"what there is":              {there, moved, qa},
	} {
		before := read(t, k, k.company)
		bare := slices.Clone(writes)
		for i := range bare {
			bare[i].Text, bare[i].Passages = "", nil
		}
		checked, err := k.CheckDocuments(t.Context(), k.company, bare)
		ok(t, "CheckDocuments of "+name, err)
		same(t, "the company after a check of "+name, read(t, k, k.company), before)
		if len(checked) != len(writes) {
			t.Fatalf("CheckDocuments of %s returned %d for %d", name, len(checked), len(writes))
		}
		var good []knowledge.Write
		var want []knowledge.Ingested
		for i, in := range checked {
			if (in.Err == nil) == (in.Status == "") || in.Document.Text != "" {
				t.Errorf("CheckDocuments of %s, %d = %+v, want a status or an error, and no text", name, i, in)
			}
			if in.Err != nil {
				if !errors.Is(in.Err, store.ErrNotFound) && !errors.Is(in.Err, store.ErrConflict) {
					t.Errorf("CheckDocuments of %s, %d = %v", name, i, in.Err)
				}
				continue
			}
			good, want = append(good, writes[i]), append(want, in)
		}
		// Each of those refused is refused in its place by a write, too.
		for i, in := range checked {
			if in.Err == nil {
				continue
			}
			var before []knowledge.Write
			for j := range i {
				if checked[j].Err == nil {
					before = append(before, writes[j])
				}
			}
			_, err := k.WriteDocuments(t.Context(), k.commit(), append(before, writes[i]))
			item, is := errors.AsType[*knowledge.ItemError](err)
			if !is || item.Index != len(before) || errors.Is(err, store.ErrNotFound) != errors.Is(in.Err, store.ErrNotFound) {
				t.Errorf("WriteDocuments of %s up to %d = %v, want item %d: %v", name, i, err, len(before), in.Err)
			}
		}
		cm := k.commit()
		got, err := k.WriteDocuments(t.Context(), cm, good)
		ok(t, "WriteDocuments of "+name, err)
		for i, d := range got.Documents {
			if d.Status != want[i].Status {
				t.Errorf("WriteDocuments of %s, %d = %s, want %s", name, i, d.Status, want[i].Status)
			}
			sameDocument(t, "the document of "+name, d.Document, want[i].Document)
		}
		for _, d := range got.Documents { // back to what there was
			if slices.ContainsFunc(before.Documents, func(b knowledge.Document) bool { return b.ID == d.ID }) {
				continue
			}
			if _, err := k.Document(t.Context(), k.company, d.ID); err == nil {
				k.deleteDocument(t, d.ID)
			}
		}
		for _, w := range []knowledge.Write{there, moved, qa} {
			w.ID = w.NewID
			k.put(t, w)
			d, err := k.Document(t.Context(), k.company, w.ID)
			ok(t, "Document", err)
			if d.Version > 1 { // versions count from 1 in each case
				k.deleteDocument(t, w.ID)
				w.ID = ""
				k.put(t, w)
			}
		}
	}
	_, err := k.CheckDocuments(t.Context(), id.New(id.Company), []knowledge.Write{fresh})
	missing(t, "CheckDocuments of a company that is not there", err)
	if evs := ofStream(allEvents(t, k, k.company), fresh.NewID); len(evs) == 0 || evs[0].Type != event.ContentCreated {
		t.Errorf("the events of a document that was checked, then written are %s", canonical(evs))
	}
}
