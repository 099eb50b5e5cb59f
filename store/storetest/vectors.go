package storetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var vectors = []promise{
	{
		name:  "put",
		text:  "vectors read back as they were given, to the last bit; each step that stores some is a revision whose documents stand in the feed, and no event",
		check: putVectors,
	},
	{
		name:  "put again",
		text:  "a vector takes the place of the one before of its passage and space, and of no other",
		check: putVectorsAgain,
	},
	{
		name:  "left out",
		text:  "a vector of a passage that is not live is left out, and a step that stores none leaves revision and feed alone",
		check: deadVectors,
	},
	{
		name:  "refused",
		text:  "a space without a name or with a long one, and a vector without numbers or with too many, are refused, and nothing is stored",
		check: refusedVectors,
	},
	{
		name:  "unembedded",
		text:  "live passages without a vector are read in order, a document whole or not at all, whatever the limit",
		check: unembedded,
	},
	{
		name:  "many unembedded",
		text:  "what has no vector is found also behind a thousand documents that have",
		check: manyUnembedded,
	},
	{
		name:  "go with their passages",
		text:  "the vectors of a document go with its text, whatever takes that away, and do not come back with its id",
		check: vectorsGo,
	},
	{
		name:  "published",
		text:  "what is staged has no vectors until it is published, and takes those of the text before away",
		check: publishedVectors,
	},
	{
		name:  "drop",
		text:  "vectors of other spaces are removed, as many at a time as asked for, and those of the one to keep stay",
		check: dropVectors,
	},
	{
		name: "nothing left", fresh: true,
		text:  "after a document was deleted, nothing has the bytes of its vectors",
		check: nothingLeftOfVectors,
	},
	{
		name:  "set calibration",
		text:  "a calibration reads back as it was set, takes the place of the one before, and goes when it is told to; each is a revision without a document, and no event",
		check: calibrated,
	},
}

// Spaces of vectors.
const (
	spaceOne = "test:one:2"
	spaceTwo = "test:two:3"
)

// someVectors returns a vector for each of the first n passages of a version, which
// seed tells from others.
func someVectors(docID string, version, n, seed int) (out []knowledge.PassageVector) {
	for _, ref := range refs(docID, version, n) {
		out = append(out, knowledge.PassageVector{Ref: ref, Vector: []float32{float32(seed), float32(ref.Ordinal) / 3}})
	}
	return out
}

// embed stores vectors.
func (k *kit) embed(t *testing.T, space string, all ...knowledge.PassageVector) int64 {
	t.Helper()
	revision, err := k.PutVectors(t.Context(), k.commit(), space, all)
	ok(t, "PutVectors", err)
	return revision
}

// vectorsOf returns the vectors of documents, in the order of their passages.
func (k *kit) vectorsOf(t *testing.T, space string, documents ...string) []knowledge.PassageVector {
	t.Helper()
	all, err := k.Vectors(t.Context(), k.company, space, documents)
	ok(t, "Vectors", err)
	return sortedVectors(all)
}

func sortedVectors(all []knowledge.PassageVector) []knowledge.PassageVector {
	return slices.SortedFunc(slices.Values(all), func(a, b knowledge.PassageVector) int { return compareRefs(a.Ref, b.Ref) })
}

func compareRefs(a, b knowledge.Ref) int {
	return strings.Compare(fmt.Sprintf("%s %9d %9d", a.DocumentID, a.Version, a.Ordinal), fmt.Sprintf("%s %9d %9d", b.DocumentID, b.Version, b.Ordinal))
}

// lacking returns the passages without a vector, of documents after an id, as text.
func (k *kit) lacking(t *testing.T, space, after string, limit int) (out []string) {
	t.Helper()
	all, err := k.Unembedded(t.Context(), k.company, space, after, limit)
	ok(t, "Unembedded", err)
	for _, p := range all {
		out = append(out, fmt.Sprint(p.DocumentID, " ", p.Version, " ", p.Ordinal))
	}
	return out
}

// placesOf returns refs as lacking does.
func placesOf(all ...knowledge.Ref) (out []string) {
	for _, ref := range all {
		out = append(out, fmt.Sprint(ref.DocumentID, " ", ref.Version, " ", ref.Ordinal))
	}
	return out
}

func putVectors(t *testing.T, k *kit) {
	a, b := k.putOne(t, hours()), k.putOne(t, text("Prices", "Bread is two euros.", "Milk is one."))
	before := read(t, k, k.company)
	odd := []float32{0, float32(math.Copysign(0, -1)), 1e-45, math.MaxFloat32, -math.SmallestNonzeroFloat32, 1.0 / 3, -2.5}
	given := slices.Concat(someVectors(b.ID, 1, 2, 1), []knowledge.PassageVector{{Ref: refs(a.ID, 1, 1)[0], Vector: odd}})
	if got := k.embed(t, spaceOne, given...); got != before.Revision+1 {
		t.Errorf("PutVectors returned revision %d, want %d", got, before.Revision+1)
	}
	got := k.vectorsOf(t, spaceOne, a.ID, b.ID)
	same(t, "Vectors", got, sortedVectors(given))
	for _, v := range got {
		if v.DocumentID == a.ID && !slices.EqualFunc(v.Vector, odd, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			t.Errorf("a vector reads back as %v, want %v", v.Vector, odd)
		}
	}
	same(t, "Vectors of one document", k.vectorsOf(t, spaceOne, b.ID), given[:2])
	if all := slices.Concat(k.vectorsOf(t, spaceTwo, a.ID, b.ID), k.vectorsOf(t, spaceOne), k.vectorsOf(t, spaceOne, id.New(id.Document), ""), k.vectorsOf(t, "", a.ID)); len(all) > 0 {
		t.Errorf("Vectors of other spaces and of nothing = %s", canonical(all))
	}
	after := read(t, k, k.company)
	var touched []string
	for _, c := range after.Changes[len(before.Changes):] {
		touched = append(touched, c.DocumentID)
	}
	slices.Sort(touched)
	wantIDs(t, "the documents in the feed", touched, slices.Sorted(slices.Values([]string{a.ID, b.ID}))...)
	same(t, "the events", after.Events, before.Events)
	same(t, "the documents", after.Documents, before.Documents)
	if got := k.embed(t, spaceOne); got != before.Revision+1 {
		t.Errorf("PutVectors of nothing returned revision %d, want %d", got, before.Revision+1)
	}
	big := knowledge.PassageVector{Ref: refs(a.ID, 1, 2)[1], Vector: make([]float32, knowledge.MaxDimensions)}
	big.Vector[knowledge.MaxDimensions-1] = 1.5
	long := strings.Repeat("ü", knowledge.MaxSpace/2)
	k.embed(t, long, big)
	same(t, "a vector as long as may be", k.vectorsOf(t, long, a.ID), []knowledge.PassageVector{big})
}

func putVectorsAgain(t *testing.T, k *kit) {
	d := k.putOne(t, hours())
	k.embed(t, spaceOne, someVectors(d.ID, 1, 3, 1)...)
	k.embed(t, spaceTwo, someVectors(d.ID, 1, 3, 2)...)
	again := someVectors(d.ID, 1, 2, 3)
	before, err := k.Revision(t.Context(), k.company)
	ok(t, "Revision", err)
	if got := k.embed(t, spaceOne, slices.Concat(someVectors(d.ID, 1, 1, 9), again)...); got != before+1 {
		t.Errorf("PutVectors again returned revision %d, want %d", got, before+1)
	}
	same(t, "Vectors", k.vectorsOf(t, spaceOne, d.ID), slices.Concat(again, someVectors(d.ID, 1, 3, 1)[2:]))
	same(t, "Vectors of the other space", k.vectorsOf(t, spaceTwo, d.ID), someVectors(d.ID, 1, 3, 2))
}

func deadVectors(t *testing.T, k *kit) {
	a, gone, b := k.putOne(t, hours()), k.putOne(t, hours()), k.putOne(t, hours())
	next := text("Hours", "We open at ten.", "We close at six.")
	next.ID = b.ID
	k.put(t, next)
	k.deleteDocument(t, gone.ID)
	g := k.gather(t, k.addSource(t, ""))
	staged := g.stage(t, g.page("a", "Alpha."))[0].DocumentID
	other := newKit(t, k.Store)
	theirs := other.putOne(t, hours())
	dead := slices.Concat(someVectors(gone.ID, 1, 3, 1), someVectors(b.ID, 1, 3, 1), someVectors(b.ID, 3, 1, 1), someVectors(a.ID, 1, 5, 1)[3:], someVectors(a.ID, 0, 1, 1),
		someVectors(staged, 1, 1, 1), someVectors(theirs.ID, 1, 3, 1), someVectors(id.New(id.Document), 1, 1, 1), someVectors("", 1, 1, 1),
		[]knowledge.PassageVector{{Ref: knowledge.Ref{DocumentID: a.ID, Version: 1, Ordinal: -1}, Vector: []float32{1}}})
	before := read(t, k, k.company)
	cm := k.commit()
	cm.Audit = &store.Audit{ID: id.New(id.Audit), Actor: "key_1", Action: "probe", Object: "thing", At: now()}
	revision, err := k.PutVectors(t.Context(), cm, spaceOne, dead)
	ok(t, "PutVectors of nothing that is live", err)
	after := read(t, k, k.company)
	if revision != before.Revision || len(after.Audit) != 1 {
		t.Errorf("PutVectors of nothing that is live returned revision %d and left %d audit entries, want %d and the one of the commit", revision, len(after.Audit), before.Revision)
	}
	after.Audit = before.Audit
	same(t, "the company after that", after, before)
	live := someVectors(b.ID, 2, 2, 1)
	if got := k.embed(t, spaceOne, slices.Concat(dead, live)...); got != before.Revision+1 {
		t.Errorf("PutVectors returned revision %d, want %d", got, before.Revision+1)
	}
	same(t, "Vectors", k.vectorsOf(t, spaceOne, a.ID, b.ID, gone.ID, staged, theirs.ID), live)
	if changes := allChanges(t, k, k.company, before.Revision, 10); len(changes) != 1 || changes[0].DocumentID != b.ID {
		t.Errorf("the feed has %s, want %s alone", canonical(changes), b.ID)
	}
	_, err = k.PutVectors(t.Context(), store.Commit{Company: id.New(id.Company)}, spaceOne, live)
	missing(t, "PutVectors of a company that is not there", err)
}

func refusedVectors(t *testing.T, k *kit) {
	d := k.putOne(t, hours())
	before := read(t, k, k.company)
	fine := someVectors(d.ID, 1, 3, 1)
	for what, try := range map[string]struct {
		space   string
		vectors []knowledge.PassageVector
	}{
		"a space without a name":         {"", fine},
		"a space with a long name":       {strings.Repeat("s", knowledge.MaxSpace+1), fine},
		"a vector without numbers":       {spaceOne, append(slices.Clone(fine), knowledge.PassageVector{Ref: fine[0].Ref})},
		"a vector with too many of them": {spaceOne, append(slices.Clone(fine), knowledge.PassageVector{Ref: fine[0].Ref, Vector: make([]float32, knowledge.MaxDimensions+1)})},
	} {
		if _, err := k.PutVectors(t.Context(), k.commit(), try.space, try.vectors); err == nil {
			t.Errorf("PutVectors took %s", what)
		}
	}
	same(t, "the company after that", read(t, k, k.company), before)
}

func unembedded(t *testing.T, k *kit) {
	if got := k.lacking(t, spaceOne, "", 10); len(got) > 0 {
		t.Errorf("Unembedded of a company without documents = %v", got)
	}
	a := k.putOne(t, text("A", "A one.", "A two.", "A three.", "A four."))
	own := text("B", "B one.", "B two.")
	own.AgentID, own.Language, own.Metadata, own.URL = k.newAgent(t), "en", map[string]any{"a": "b"}, "https://example.com"
	own = external(own, "b")
	b := k.putOne(t, own)
	c := k.putOne(t, text("C", "C before."))
	next := text("C", "C one.")
	next.ID = c.ID
	k.put(t, next)
	d := k.putOne(t, text("D", "D one.", "D two."))
	ofA, ofB, ofC, ofD := placesOf(refs(a.ID, 1, 4)...), placesOf(refs(b.ID, 1, 2)...), placesOf(refs(c.ID, 2, 1)...), placesOf(refs(d.ID, 1, 2)...)
	for _, r := range []struct {
		after string
		limit int
		want  []string
	}{
		{"", 100, slices.Concat(ofA, ofB, ofC, ofD)}, {"", 9, slices.Concat(ofA, ofB, ofC, ofD)}, {"", 8, slices.Concat(ofA, ofB, ofC)}, {"", 7, slices.Concat(ofA, ofB, ofC)},
		{"", 6, slices.Concat(ofA, ofB)}, {"", 5, ofA}, {"", 4, ofA}, {"", 1, ofA}, {a.ID, 1, ofB}, {a.ID, 2, ofB}, {a.ID, 3, slices.Concat(ofB, ofC)},
		{a.ID, 4, slices.Concat(ofB, ofC)}, {b.ID, 1, ofC}, {c.ID, 10, ofD}, {d.ID, 10, nil}, {"doc_", 1, ofA},
	} {
		wantIDs(t, fmt.Sprintf("Unembedded after %q, %d at most", r.after, r.limit), k.lacking(t, spaceOne, r.after, r.limit), r.want...)
	}
	k.embed(t, spaceOne, slices.Concat(someVectors(a.ID, 1, 4, 1)[1:3], someVectors(b.ID, 1, 2, 1))...)
	wantIDs(t, "Unembedded when some are", k.lacking(t, spaceOne, "", 100), slices.Concat(ofA[:1], ofA[3:], ofC, ofD)...)
	wantIDs(t, "Unembedded when some are, one at most", k.lacking(t, spaceOne, "", 1), ofA[0], ofA[3])
	wantIDs(t, "Unembedded when some are, three at most", k.lacking(t, spaceOne, "", 3), ofA[0], ofA[3], ofC[0])
	wantIDs(t, "Unembedded in another space", k.lacking(t, spaceTwo, "", 5), ofA...)

	all, err := k.Unembedded(t.Context(), k.company, spaceTwo, a.ID, 2)
	ok(t, "Unembedded", err)
	found, err := k.Passages(t.Context(), k.company, refs(b.ID, 1, 2))
	ok(t, "Passages", err)
	slices.SortFunc(found, func(a, b knowledge.Passage) int { return a.Ordinal - b.Ordinal })
	same(t, "passages as Unembedded and Passages return them", all, found)
	if p := found[0]; p.Language != "en" || p.Title != "B" || p.Kind != knowledge.KindUpload || p.URL != own.URL || p.ExternalID != "b" || p.AgentID != own.AgentID || p.Metadata["a"] != "b" {
		t.Errorf("a passage is %s, want what its document has filled in", canonical(p))
	}
	live, err := k.LiveDocument(t.Context(), k.company, b.ID)
	ok(t, "LiveDocument", err)
	for _, l := range append(liveDocuments(t, k, k.company, 1<<20), live) {
		for _, p := range l.Passages {
			if p.Language != l.Language {
				t.Errorf("a passage of document %s has the language %q, want %q", l.ID, p.Language, l.Language)
			}
		}
	}
}

func manyUnembedded(t *testing.T, k *kit) {
	const many = 1030
	var (
		writes []knowledge.Write
		all    []knowledge.PassageVector
	)
	for i := range many {
		writes = append(writes, text(fmt.Sprint("Title ", i), fmt.Sprintf("Text %d.", i)))
	}
	slices.SortFunc(writes, func(a, b knowledge.Write) int { return strings.Compare(a.NewID, b.NewID) })
	k.put(t, writes...)
	lacks := []int{511, 512, 513, many - 1}
	var want []string
	for i, w := range writes {
		if slices.Contains(lacks, i) {
			want = append(want, placesOf(refs(w.NewID, 1, 1)...)...)
			continue
		}
		all = append(all, someVectors(w.NewID, 1, 1, i)...)
	}
	k.embed(t, spaceOne, all...)
	wantIDs(t, "Unembedded", k.lacking(t, spaceOne, "", 10), want...)
	wantIDs(t, "Unembedded, three at most", k.lacking(t, spaceOne, "", 3), want[:3]...)
	wantIDs(t, "Unembedded, two at most", k.lacking(t, spaceOne, writes[511].NewID, 2), want[1:3]...)
}

func vectorsGo(t *testing.T, k *kit) {
	both := func(docID string, version int) {
		t.Helper()
		k.embed(t, spaceOne, someVectors(docID, version, 3, 1)...)
		k.embed(t, spaceTwo, someVectors(docID, version, 3, 2)...)
	}
	has := func(what, docID string, want int) {
		t.Helper()
		for _, space := range []string{spaceOne, spaceTwo} {
			if n := len(k.vectorsOf(t, space, docID)); n != want {
				t.Errorf("%s, %d passages have vectors in %s, want %d", what, n, space, want)
			}
		}
	}
	beside, first := k.putOne(t, hours()), hours()
	d := k.putOne(t, first)
	both(beside.ID, 1)
	both(d.ID, 1)
	titled := first
	titled.ID, titled.Metadata = d.ID, map[string]any{"a": "b"}
	k.put(t, hashed(titled))
	has("after a write that kept the text", d.ID, 3)
	next := text("Hours", "We open at ten.", "We close at six.", "Never on Sundays.")
	next.ID = d.ID
	k.put(t, next)
	has("after another text", d.ID, 0)
	both(d.ID, 2)
	titled.Metadata = nil
	k.put(t, hashed(titled)) // back to the text before
	has("after the text before was written again", d.ID, 0)
	both(d.ID, 3)
	k.deleteDocument(t, d.ID)
	has("after the delete", d.ID, 0)
	again := first
	again.NewID = d.ID
	k.put(t, again)
	has("after the same was written again under its id", d.ID, 0)
	wantIDs(t, "Unembedded", k.lacking(t, spaceOne, beside.ID, 10), placesOf(refs(d.ID, 1, 3)...)...)
	has("beside all that", beside.ID, 3)

	own := hours()
	own.AgentID = k.newAgent(t)
	agents := k.putOne(t, hashed(own))
	both(agents.ID, 1)
	ok(t, "DeleteAgent", second(k.DeleteAgent(t.Context(), k.commit(tell(event.AgentDeleted, own.AgentID)), own.AgentID)))
	own.NewID, own.AgentID = agents.ID, ""
	k.put(t, hashed(own))
	has("after the agent was deleted", agents.ID, 0)
	turn := k.begin(t, agent.Message{})
	k.end(t, turn, "At nine.", k.cite(t, beside.ID, "open at nine"))
	keep := forGood
	keep.Versions = 3 // of all companies, and other tests count on two
	_, err := k.Sweep(t.Context(), keep, 1000)
	ok(t, "Sweep", err)
	has("beside a sweep", beside.ID, 3)
}

func publishedVectors(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	docs := k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."), aPage("c", "Gamma."))
	for i, docID := range docs {
		k.embed(t, spaceOne, someVectors(docID, 1, 1, i)...)
	}
	g := k.gather(t, s)
	g.stage(t, g.page("a", "Alpha, again."))
	same(t, "what is staged beside vectors", k.vectorsOf(t, spaceOne, docs...), slices.Concat(someVectors(docs[0], 1, 1, 0), someVectors(docs[1], 1, 1, 1), someVectors(docs[2], 1, 1, 2)))
	k.embed(t, spaceOne, someVectors(docs[0], 2, 1, 9)...)
	wantIDs(t, "Unembedded before it is published", k.lacking(t, spaceOne, "", 10))
	g.drop(t, docs[1])
	g.finish(t, knowledge.RunCompleted)
	same(t, "Vectors when it is published", k.vectorsOf(t, spaceOne, docs...), someVectors(docs[2], 1, 1, 2))
	wantIDs(t, "Unembedded when it is published", k.lacking(t, spaceOne, "", 10), placesOf(refs(docs[0], 2, 1)...)...)
	k.embed(t, spaceOne, someVectors(docs[0], 2, 1, 3)...)
	same(t, "Vectors of the new text", k.vectorsOf(t, spaceOne, docs[0]), someVectors(docs[0], 2, 1, 3))
	_, err := k.DeleteSource(t.Context(), k.commit(), s.ID)
	ok(t, "DeleteSource", err)
	for _, docID := range docs {
		w := text("Again", "Alpha.")
		w.NewID = docID
		k.put(t, w)
	}
	if left := k.vectorsOf(t, spaceOne, docs...); len(left) > 0 {
		t.Errorf("after the source was deleted, there are the vectors %s", canonical(left))
	}
}

func dropVectors(t *testing.T, k *kit) {
	var docs []string
	for i := range 3 {
		d := k.putOne(t, hours())
		docs = append(docs, d.ID)
		k.embed(t, spaceOne, someVectors(d.ID, 1, 3, i)...)
		k.embed(t, spaceTwo, someVectors(d.ID, 1, 2, i)...)
		k.embed(t, "third", someVectors(d.ID, 1, 1, i)...)
	}
	other := newKit(t, k.Store)
	theirs := other.putOne(t, hours())
	other.embed(t, spaceOne, someVectors(theirs.ID, 1, 3, 1)...)
	before, stay := read(t, k, k.company), k.vectorsOf(t, spaceTwo, docs...)
	left := 12
	for _, limit := range []int{0, 5, 1, 4, 100, 100} {
		want := min(limit, left)
		n, err := k.DropVectors(t.Context(), k.company, spaceTwo, limit)
		ok(t, "DropVectors", err)
		left -= want
		if there := len(k.vectorsOf(t, spaceOne, docs...)) + len(k.vectorsOf(t, "third", docs...)); n != want || there != left {
			t.Errorf("DropVectors of %d at most removed %d, which leaves %d, want %d, which leaves %d", limit, n, there, want, left)
		}
	}
	same(t, "the vectors to keep", k.vectorsOf(t, spaceTwo, docs...), stay)
	after := read(t, k, k.company)
	after.Vectors = before.Vectors
	same(t, "the company but for its vectors", after, before)
	if n := len(k.lacking(t, spaceOne, "", 100)); n != 9 {
		t.Errorf("%d passages lack a vector in the space that was dropped, want 9", n)
	}
	k.embed(t, spaceOne, someVectors(docs[0], 1, 3, 7)...)
	same(t, "a space that comes back", k.vectorsOf(t, spaceOne, docs...), someVectors(docs[0], 1, 3, 7))
	n, err := k.DropVectors(t.Context(), k.company, "", 100)
	if all := slices.Concat(k.vectorsOf(t, spaceOne, docs...), k.vectorsOf(t, spaceTwo, docs...)); err != nil || n != 9 || len(all) > 0 {
		t.Errorf("DropVectors of all removed %d, %v, and leaves %s", n, err, canonical(all))
	}
	if n := len(other.vectorsOf(t, spaceOne, theirs.ID)); n != 3 {
		t.Errorf("another company has %d vectors left, want 3", n)
	}
	_, err = k.DropVectors(t.Context(), id.New(id.Company), "", 1)
	missing(t, "DropVectors of a company that is not there", err)
}

// spelled returns a vector whose bytes are a text again and again. The length of the
// text is a multiple of four.
func spelled(s string) []float32 {
	v := make([]float32, 0, 1536)
	for len(v) < cap(v) {
		for i := 0; i < len(s) && len(v) < cap(v); i += 4 {
			v = append(v, math.Float32frombits(binary.LittleEndian.Uint32([]byte(s[i:]))))
		}
	}
	return v
}

func nothingLeftOfVectors(t *testing.T, k *kit) {
	searcher, can := k.Store.(Searcher)
	const marker, before = "vectormarker", "markerbefore"
	put := func(docID string, version int, marker string) {
		k.embed(t, spaceOne, knowledge.PassageVector{Ref: refs(docID, version, 1)[0], Vector: spelled(marker)})
	}
	find := func(when, marker string, want bool) {
		t.Helper()
		if !can {
			return
		}
		places, err := searcher.Search(t.Context(), marker)
		ok(t, "Search", err)
		if (len(places) > 0) != want {
			t.Errorf("%s, the bytes of a vector are in %q, want them to be there: %v", when, places, want)
		}
	}
	d, beside := k.putOne(t, hours()), k.putOne(t, hours())
	put(beside.ID, 1, "besidemarker")
	put(d.ID, 1, before)
	find("once it is stored", before, true)
	put(d.ID, 1, marker)
	find("once it is stored", marker, true)
	k.deleteDocument(t, d.ID)
	find("after the document was deleted", marker, false)
	find("after the document was deleted", before, false)
	find("after another document was deleted", "besidemarker", true)
	if n := len(k.vectorsOf(t, spaceOne, d.ID)); n > 0 {
		t.Errorf("the deleted document has %d vectors", n)
	}

	s := k.addSource(t, "")
	ids := k.publish(t, s, aPage("a", "Alpha."))
	put(ids[0], 1, marker)
	g := k.gather(t, s)
	g.drop(t, ids...)
	find("before a run deleted what had vanished", marker, true)
	g.finish(t, knowledge.RunCompleted)
	k.deleteDocument(t, k.putOne(t, hours()).ID)
	find("after a run deleted what had vanished", marker, false)
}

// aCalibration is one with everything in it.
func aCalibration(n int) *knowledge.Calibration {
	return &knowledge.Calibration{
		Intercept: -0.1 - float64(n), Slope: 1.0 / 3, Questions: 200 + n, Answered: 120, Error: 0.04, Before: 0.11, Revision: 7, FittedAt: now(),
	}
}

func calibrated(t *testing.T, k *kit) {
	_, err := k.Calibration(t.Context(), k.company)
	missing(t, "Calibration", err)
	_, err = k.Calibration(t.Context(), id.New(id.Company))
	missing(t, "Calibration of a company that is not there", err)
	d := k.putOne(t, hours())
	before := read(t, k, k.company)
	f := snapshotOf(t, k, 1<<20)
	set := func(c *knowledge.Calibration, want int64) {
		t.Helper()
		got, err := k.SetCalibration(t.Context(), k.commit(), c)
		ok(t, "SetCalibration", err)
		if got != want {
			t.Errorf("SetCalibration returned revision %d, want %d", got, want)
		}
		changes := allChanges(t, k, k.company, want-1, 1)
		if len(changes) != 1 || changes[0] != (knowledge.Change{Revision: want}) {
			t.Errorf("the feed has %s, want an entry without a document", canonical(changes))
		}
		there, err := k.Calibration(t.Context(), k.company)
		if c == nil {
			missing(t, "Calibration", err)
			return
		}
		ok(t, "Calibration", err)
		same(t, "Calibration", there, *c)
	}
	set(aCalibration(1), before.Revision+1)
	set(aCalibration(2), before.Revision+2)
	set(nil, before.Revision+3)
	set(nil, before.Revision+4)
	set(aCalibration(3), before.Revision+5)
	after := read(t, k, k.company)
	same(t, "the events", after.Events, before.Events)
	same(t, "the live documents", after.Live, before.Live)
	f.follow(t, k, 2)
	f.agrees(t, "a follower of the feed", k)
	other := newKit(t, k.Store)
	_, err = other.Calibration(t.Context(), other.company)
	missing(t, "Calibration of another company", err)
	if _, err := k.SetCalibration(t.Context(), k.commit(), &knowledge.Calibration{Slope: math.NaN()}); err == nil {
		if there, err := k.Calibration(t.Context(), k.company); err != nil || !math.IsNaN(there.Slope) {
			t.Errorf("a slope that is no number reads back as %v, %v", there.Slope, err)
		}
	}
	_, err = k.SetCalibration(t.Context(), store.Commit{Company: id.New(id.Company)}, aCalibration(1))
	missing(t, "SetCalibration of a company that is not there", err)
	k.deleteDocument(t, d.ID)
	if _, err := k.Calibration(t.Context(), k.company); err != nil {
		t.Errorf("Calibration after a document was deleted: %v", err)
	}
}

// readVectors reads the vectors of all documents, and the calibration.
func (out *snapshot) readVectors(ctx context.Context, s Store, company string) error {
	docs := []string{}
	for _, d := range out.Documents {
		docs = append(docs, d.ID)
	}
	out.Vectors = map[string][]knowledge.PassageVector{}
	for _, space := range []string{spaceOne, spaceTwo} {
		all, err := s.Vectors(ctx, company, space, docs)
		if err != nil {
			return err
		}
		out.Vectors[space] = sortedVectors(all)
	}
	return nil
}
