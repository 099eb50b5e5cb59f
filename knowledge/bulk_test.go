package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

const (
	noAgent    = "agt_01999999999999999999999999"
	noDocument = "doc_01999999999999999999999999"
)

// told returns what became of documents, one word each.
func told(in []knowledge.Ingested) (out []string) {
	for _, d := range in {
		switch invalid, is := errors.AsType[*knowledge.InvalidError](d.Err); {
		case d.Err == nil:
			out = append(out, string(d.Status))
		case is:
			out = append(out, invalid.Field)
		case errors.Is(d.Err, store.ErrNotFound):
			out = append(out, "missing")
		case errors.Is(d.Err, store.ErrConflict):
			out = append(out, "conflict")
		default:
			out = append(out, d.Err.Error())
		}
	}
	return out
}

// became fails the test unless that is what became of documents.
func became(t testing.TB, what string, in []knowledge.Ingested, err error, want []string) {
	t.Helper()
	got := told(in)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%s = %d documents, %v, want %d", what, len(got), err, len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: item %d = %s, want %s", what, i, got[i], want[i])
		}
	}
}

// listed returns all documents of a company by their ids.
func listed(t testing.TB, kb *knowledge.Base) map[string]knowledge.Document {
	t.Helper()
	out := map[string]knowledge.Document{}
	for p := (store.Page{Limit: store.MaxLimit}); ; {
		l, err := kb.List(t.Context(), knowledge.Filter{}, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range l.Data {
			out[d.ID] = d
		}
		if p.Cursor = l.NextCursor; !l.HasMore {
			return out
		}
	}
}

// claim claims a request whose claim lapses at once.
func claim(t testing.TB, st store.Receipts, company, key string) store.ReceiptState {
	t.Helper()
	time.Sleep(time.Millisecond) // longer than the claim before holds
	s, err := st.ClaimReceipt(t.Context(), store.ReceiptClaim{
		Company: company, Scope: "key_1 POST /v1/content/bulk", Key: key, Hash: []byte("hash"), Lease: time.Microsecond, Keep: time.Hour,
	})
	if err != nil || !s.Claimed && !s.Done {
		t.Fatalf("ClaimReceipt = %+v, %v, want it claimed or done", s, err)
	}
	return s
}

// mixture returns some of everything: good ones with and without external ids, the
// same external id more than once, and ones that cannot be taken.
func mixture(n int) (docs []knowledge.Document, want []string) {
	for i := range n {
		d, status := knowledge.Document{Kind: knowledge.KindContent, Text: fmt.Sprintf("Boat %d.", i)}, "created"
		switch i % 10 {
		case 1, 2:
			d.ExternalID = fmt.Sprint("boat ", i)
		case 3:
			d.ExternalID, status = fmt.Sprint("boat ", i-1), "updated"
		case 4:
			d.ExternalID, d.Text, status = fmt.Sprint("boat ", i-2), fmt.Sprintf("Boat %d.", i-1), "unchanged"
		case 5:
			d.Text, status = " ", "text"
		case 6:
			d.AgentID, status = noAgent, "missing"
		case 7:
			d.ID, status = noDocument, "missing"
		case 8:
			d.ExternalID, d.Kind, d.Questions, status = fmt.Sprint("boat ", i-7), knowledge.KindQA, []string{"Is it?"}, "conflict"
		}
		docs, want = append(docs, d), append(want, status)
	}
	return docs, want
}

// What cannot be taken is refused alone, and the rest is stored in small commits.
func TestBulk(t *testing.T) {
	st := openStore(t, t.TempDir())
	counted := &breaking{Store: st, left: 100}
	kb := knowledge.New(counted, nil).Company(company(t, st))
	docs, want := mixture(1000)
	out, err := kb.Bulk(t.Context(), docs, nil)
	became(t, "Bulk", out, err, want)
	if len(counted.sizes) != 2*16 {
		t.Errorf("Bulk tried to write %v documents, want each batch once more at most", counted.sizes)
	}
	if r := revision(t, kb); r != 16 {
		t.Errorf("Bulk of 1000 took %d commits, want 16 of 64 documents at most", r)
	}
	there := listed(t, kb)
	if len(there) != 400 { // four of ten are created
		t.Errorf("Bulk has stored %d documents, want 400", len(there))
	}
	for i, in := range out {
		if in.Err != nil {
			if !reflect.DeepEqual(in.Document, knowledge.Document{ExternalID: docs[i].ExternalID}) {
				t.Errorf("item %d was refused with %+v, want the external id alone", i, in.Document)
			}
			continue
		}
		if d, ok := there[in.Document.ID]; !ok || in.Document.Text != "" || in.Document.ExternalID != docs[i].ExternalID || d.Kind != knowledge.KindContent {
			t.Errorf("item %d = %+v, stored as %+v", i, in.Document, d)
		}
	}
	if out[2].Document.ID != out[3].Document.ID || out[3].Document.Version != 2 {
		t.Errorf("two items of one external id are %+v and %+v, want one document and its next version", out[2].Document, out[3].Document)
	}
	if got := found(t, kb, knowledge.Query{Text: "boat"}); len(got) != knowledge.DefaultHits {
		t.Errorf("Search after the bulk = %q", got)
	}
	if _, err := kb.Bulk(t.Context(), make([]knowledge.Document, knowledge.MaxBatch+1), nil); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("Bulk of %d = error %v, want %v", knowledge.MaxBatch+1, err, knowledge.ErrInvalid)
	}
	if out, err := kb.Bulk(t.Context(), nil, nil); err != nil || len(out) != 0 || revision(t, kb) != 16 {
		t.Errorf("Bulk of nothing = %v, %v", out, err)
	}
}

// A batch has no more than 64 KiB, unless that is one document.
func TestBulkBytes(t *testing.T) {
	st := openStore(t, t.TempDir())
	counted := &breaking{Store: st, left: 100}
	kb := knowledge.New(counted, nil).Company(company(t, st))
	var docs []knowledge.Document
	for _, size := range []int{25, 25, 25, 70, 1, 62, 2, 1} { // KiB
		docs = append(docs, knowledge.Document{Text: strings.Repeat("Boat and sea. \n\n", size<<10/16)})
	}
	if out, err := kb.Bulk(t.Context(), docs, nil); err != nil || len(out) != len(docs) {
		t.Fatalf("Bulk = %d, %v", len(out), err)
	}
	if want := []int{2, 1, 1, 2, 2}; !slices.Equal(counted.sizes, want) {
		t.Errorf("Bulk made commits of %v documents, want %v", counted.sizes, want)
	}
}

var errBroken = fmt.Errorf("%w: the disk is gone", store.ErrUnavailable)

// breaking is a store that breaks after some commits: before the next one, or when
// that has been made and nobody learns of it.
type breaking struct {
	knowledge.Store
	left  int
	after bool
	sizes []int // of the commits tried
}

func (s *breaking) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (out knowledge.Written, err error) {
	s.sizes = append(s.sizes, len(writes))
	if s.left > 0 {
		if out, err = s.Store.WriteDocuments(ctx, c, writes); err == nil {
			s.left--
		}
		return out, err
	}
	if s.after {
		if _, err := s.Store.WriteDocuments(ctx, c, writes); err != nil {
			return knowledge.Written{}, err
		}
	}
	return knowledge.Written{}, errBroken
}

// A bulk that was broken off anywhere is carried on by whoever takes up its claim:
// nothing is lost, nothing is stored twice, and the answer is the same.
func TestBulkContinues(t *testing.T) {
	st := openStore(t, t.TempDir())
	good := func(n int) (docs []knowledge.Document, want []string) {
		for i := range n {
			docs, want = append(docs, knowledge.Document{Text: fmt.Sprintf("Boat %d.", i)}), append(want, "created")
		}
		return docs, want
	}
	bad := func(docs []knowledge.Document, want []string, n int) ([]knowledge.Document, []string) {
		for range n {
			docs, want = append(docs, knowledge.Document{AgentID: noAgent, Text: "Boat."}), append(want, "missing")
		}
		return docs, want
	}
	mixed, ofMixed := mixture(150)
	first, ofFirst := good(64)
	first, ofFirst = bad(first, ofFirst, 10)
	none, ofNone := bad(nil, nil, 75)
	few, ofFew := good(3)
	last, ofLast := good(4)
	last, ofLast = append(none[:64:64], last...), append(ofNone[:64:64], ofLast...)
	for _, tt := range []struct {
		name    string
		docs    []knowledge.Document
		want    []string
		commits int
	}{
		{"some of everything", mixed, ofMixed, 3},
		{"a last batch that is refused", first, ofFirst, 2},
		{"a first batch that is refused", last, ofLast, 1},
		{"all refused", none, ofNone, 1},
		{"few", few, ofFew, 1},
		{"nothing", nil, nil, 1},
	} {
		for broken := range tt.commits + 1 {
			for _, after := range []bool{false, true} {
				name := fmt.Sprintf("%s, broken off before commit %d", tt.name, broken)
				if after {
					name = fmt.Sprintf("%s, broken off after commit %d", tt.name, broken)
				}
				t.Run(name, func(t *testing.T) {
					continues(t, st, tt.docs, tt.want, tt.commits, &breaking{Store: st, left: broken, after: after})
				})
			}
		}
	}
}

func continues(t *testing.T, st *sqlite.Store, docs []knowledge.Document, want []string, commits int, broken *breaking) {
	t.Helper()
	of := newCompany(t, st)
	kb := knowledge.New(st, nil).Company(of)
	breaks := broken.left < commits
	s := claim(t, st, of, "key")
	before, err := knowledge.New(broken, nil).Company(of).By(store.Request{Actor: "key_1", Receipt: &s.Receipt}).Bulk(t.Context(), docs, nil)
	if errors.Is(err, errBroken) != breaks || err == nil == breaks || !slices.Equal(told(before), want[:len(before)]) || !breaks && len(before) != len(docs) {
		t.Fatalf("Bulk on a store that breaks: %v = %d documents, %v", breaks, len(before), err)
	}
	for range 3 {
		s = claim(t, st, of, "key")
		if broken.after && broken.left == commits-1 && !s.Done {
			t.Error("the last commit did not complete the receipt")
		}
		out, err := kb.By(store.Request{Receipt: &s.Receipt}).Bulk(t.Context(), docs, nil)
		became(t, "Bulk carried on", out, err, want)
		for i, in := range before {
			if in.Document.ID != out[i].Document.ID || in.Document.ExternalID != out[i].Document.ExternalID {
				t.Errorf("item %d is %s, and was %s", i, out[i].Document.ID, in.Document.ID)
			}
		}
		before = out
	}
	if !s.Done {
		t.Error("the receipt is not complete")
	}
	created := map[string]bool{}
	for _, in := range before {
		if in.Status == knowledge.Created {
			created[in.Document.ID] = true
		}
	}
	if there := listed(t, kb); len(there) != len(created) {
		t.Errorf("%d documents are there, want the %d that were created", len(there), len(created))
	}
	if r := revision(t, kb); r > int64(commits) {
		t.Errorf("the bulk raised the revision %d times, want %d at most", r, commits)
	}
}

// Whoever has lost the claim stores nothing more.
func TestBulkFenced(t *testing.T) {
	st := openStore(t, t.TempDir())
	of := company(t, st)
	kb := knowledge.New(st, nil).Company(of)
	docs := []knowledge.Document{{Text: "Boat."}}
	old := claim(t, st, of, "key")
	now := claim(t, st, of, "key")
	if out, err := kb.By(store.Request{Receipt: &old.Receipt}).Bulk(t.Context(), docs, nil); !errors.Is(err, store.ErrFenced) || len(out) != 0 {
		t.Errorf("Bulk under an old claim = %v, %v, want %v", out, err, store.ErrFenced)
	}
	if _, err := kb.By(store.Request{Receipt: &now.Receipt}).Bulk(t.Context(), docs, nil); err != nil || len(listed(t, kb)) != 1 {
		t.Errorf("Bulk under the claim = error %v, %d documents", err, len(listed(t, kb)))
	}
	odd := now.Receipt
	for _, result := range []string{"msg_1", "c:a c:b", "c:"} {
		odd.Result, odd.Done = result, false
		if _, err := kb.By(store.Request{Receipt: &odd}).Bulk(t.Context(), docs, nil); err == nil {
			t.Errorf("Bulk under a receipt of %q = nil, want an error", result)
		}
	}
}

// shifting is a store in which the reason to refuse a write has gone when one looks.
type shifting struct {
	knowledge.Store
	times int
}

func (s *shifting) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	if s.times--; s.times >= 0 {
		return knowledge.Written{}, &knowledge.ItemError{Index: 1, Err: store.NotFound("agent", noAgent)}
	}
	return s.Store.WriteDocuments(ctx, c, writes)
}

func TestBulkShifting(t *testing.T) {
	st := openStore(t, t.TempDir())
	kb := knowledge.New(&shifting{Store: st, times: 2}, nil).Company(company(t, st))
	out, err := kb.Bulk(t.Context(), slices.Repeat([]knowledge.Document{{Text: "Boat."}}, 4), nil)
	became(t, "Bulk", out, err, []string{"created", "missing", "missing", "created"})
}

// A bulk that is all or none is one commit, and an error names the item.
func TestBulkAtomic(t *testing.T) {
	st := openStore(t, t.TempDir())
	of := company(t, st)
	kb := knowledge.New(st, nil).Company(of)
	var docs []knowledge.Document
	for i := range 600 {
		docs = append(docs, knowledge.Document{ExternalID: fmt.Sprint(i), Text: fmt.Sprintf("Boat %d.", i)})
	}
	atomic := &knowledge.BulkOptions{Atomic: true}
	for _, tt := range []struct {
		name string
		bad  knowledge.Document
		want error
	}{
		{"an empty one", knowledge.Document{}, knowledge.ErrInvalid},
		{"an unknown agent", knowledge.Document{AgentID: noAgent, Text: "x"}, store.ErrNotFound},
		{"an unknown id", knowledge.Document{ID: noDocument, Text: "x"}, store.ErrNotFound},
		{"another kind", knowledge.Document{ExternalID: "5", Kind: knowledge.KindContent, Text: "x"}, store.ErrConflict},
	} {
		for _, dry := range []bool{false, true} {
			s := claim(t, st, of, tt.name)
			out, err := kb.By(store.Request{Actor: "key_1", Receipt: &s.Receipt}).Bulk(t.Context(),
				slices.Insert(slices.Clone(docs), 300, tt.bad), &knowledge.BulkOptions{Atomic: true, DryRun: dry})
			item, is := errors.AsType[*knowledge.ItemError](err)
			if !is || item.Index != 300 || !errors.Is(err, tt.want) || len(out) != 0 {
				t.Errorf("Bulk with %s = %d, %v, want an ItemError of 300: %v", tt.name, len(out), err, tt.want)
			}
			if again := claim(t, st, of, tt.name); again.Done || again.Result != "" {
				t.Errorf("after Bulk with %s the receipt says %q", tt.name, again.Result)
			}
		}
		if r := revision(t, kb); r != 0 || len(audit(t, st, of)) != 0 {
			t.Errorf("after Bulk with %s the revision is %d and the log has %v", tt.name, r, audit(t, st, of))
		}
	}
	s := claim(t, st, of, "good")
	out, err := kb.By(store.Request{Actor: "key_1", Receipt: &s.Receipt}).Bulk(t.Context(), docs, atomic)
	if err != nil || len(out) != 600 || revision(t, kb) != 1 || len(audit(t, st, of)) != 1 {
		t.Fatalf("Bulk = %d, %v at revision %d, want 600 at 1", len(out), err, revision(t, kb))
	}
	s = claim(t, st, of, "good")
	again, err := kb.By(store.Request{Receipt: &s.Receipt}).Bulk(t.Context(), docs, atomic)
	if err != nil || !s.Done || !slices.Equal(told(again), told(out)) || again[599].Document.ID != out[599].Document.ID {
		t.Errorf("Bulk of what is done = %d, %v, want the same answer", len(again), err)
	}
}

// A dry run says what the bulk would do, and does nothing.
func TestBulkDryRun(t *testing.T) {
	st := openStore(t, t.TempDir())
	of := company(t, st)
	lib := knowledge.New(st, nil)
	kb := lib.Company(of)
	a, err := agent.New(st, lib, nil, nil).Agents(of).Create(t.Context(), agent.Settings{Name: "A"})
	if err != nil {
		t.Fatal(err)
	}
	put(t, kb, knowledge.Document{Kind: knowledge.KindContent, ExternalID: "boat 1", Text: "Boat 1."})
	put(t, kb, knowledge.Document{Kind: knowledge.KindContent, ExternalID: "boat 12", Text: "An older boat."})
	other := put(t, kb, knowledge.Document{Kind: knowledge.KindContent, AgentID: a.ID, ExternalID: "boat 21", Text: "Another agent's boat."})
	docs, want := mixture(600)
	want[1], want[12] = "unchanged", "updated"
	docs = append(docs, knowledge.Document{ID: other.ID, Kind: knowledge.KindContent, ExternalID: "boat 21", Text: "Its next text."},
		knowledge.Document{Text: strings.Repeat("x", knowledge.MaxText+1)}, knowledge.Document{ID: other.ID, AgentID: noAgent, Text: "x"})
	want = append(want, "updated", "text", "conflict")

	before, rev := listed(t, kb), revision(t, kb)
	s := claim(t, st, of, "key")
	dry, err := kb.By(store.Request{Actor: "key_1", Receipt: &s.Receipt}).Bulk(t.Context(), docs, &knowledge.BulkOptions{DryRun: true})
	became(t, "Bulk as a dry run", dry, err, want)
	if !reflect.DeepEqual(listed(t, kb), before) || revision(t, kb) != rev || len(audit(t, st, of)) != 0 {
		t.Error("a dry run has written something")
	}
	if s := claim(t, st, of, "key"); s.Done || s.Result != "" {
		t.Errorf("after a dry run the receipt says %q", s.Result)
	}
	for i, in := range dry {
		if known := before[in.Document.ID].ID != ""; in.Document.Text != "" || known != (in.Document.ID != "") || known && in.Err != nil {
			t.Errorf("item %d of the dry run is %+v, want an id only of what is there", i, in.Document)
		}
	}
	out, err := kb.Bulk(t.Context(), docs, nil)
	became(t, "Bulk after the dry run", out, err, want)
	for i := range out {
		if d := dry[i].Document; d.ID != "" && d.ID != out[i].Document.ID || d.Title != out[i].Document.Title || d.Version != out[i].Document.Version {
			t.Errorf("item %d became %+v, and was to become %+v", i, out[i].Document, d)
		}
	}
}

// A bulk whose context ends keeps what it tells.
func TestBulkLeft(t *testing.T) {
	st := openStore(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	kb := knowledge.New(&leaving{Store: st, leave: cancel}, nil).Company(company(t, st))
	docs, _ := mixture(150)
	out, err := kb.Bulk(ctx, docs, nil)
	if !errors.Is(err, context.Canceled) || len(out) != 64 || revision(t, kb) != 1 {
		t.Errorf("Bulk = %d documents, %v at revision %d, want the first 64 at 1", len(out), err, revision(t, kb))
	}
}

// Documents of a bulk are made when their turn comes, and what became of them is
// told as soon as it is stored.
func TestBulkOf(t *testing.T) {
	kb := newBase(t)
	asked, told := 0, 0
	errUnread := errors.New("cannot be read")
	document := func(i int) (knowledge.Document, error) {
		if i != asked || asked > told+64 {
			t.Errorf("document %d is asked for when %d were asked for and %d told of", i, asked, told)
		}
		asked++
		if i == 100 {
			return knowledge.Document{ExternalID: "100"}, errUnread
		}
		return knowledge.Document{ExternalID: fmt.Sprint(i), Text: fmt.Sprintf("Boat %d.", i)}, nil
	}
	for in, err := range kb.BulkOf(t.Context(), 150, document, nil) {
		if err != nil || in.Document.ExternalID != fmt.Sprint(told) || (told == 100) != errors.Is(in.Err, errUnread) {
			t.Fatalf("item %d = %+v, %v", told, in, err)
		}
		if told++; told == 130 {
			break
		}
	}
	if there := listed(t, kb); len(there) != 149 || asked != 150 {
		t.Errorf("%d documents are there and %d were asked for, want the three batches", len(there), asked)
	}
	unread := func(i int) (knowledge.Document, error) {
		if i == 2 {
			return knowledge.Document{}, errUnread
		}
		return knowledge.Document{Text: "Boat."}, nil
	}
	for in, err := range kb.BulkOf(t.Context(), 3, unread, &knowledge.BulkOptions{Atomic: true}) {
		if item, ok := errors.AsType[*knowledge.ItemError](err); !ok || item.Index != 2 || !errors.Is(err, errUnread) {
			t.Errorf("an atomic bulk with an item that cannot be read = %+v, %v, want an ItemError of 2", in, err)
		}
	}
}

// leaving is a store whose caller leaves after the first commit.
type leaving struct {
	knowledge.Store
	leave func()
}

func (s *leaving) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	out, err := s.Store.WriteDocuments(ctx, c, writes)
	if err == nil {
		s.leave()
	}
	return out, err
}

// audit returns a company's log as actions and objects, oldest first.
func audit(t testing.TB, st store.Auditor, company string) (out []string) {
	t.Helper()
	l, err := st.AuditLog(t.Context(), company, store.Page{Limit: store.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range slices.Backward(l.Data) {
		if _, err := id.Parse(id.Audit, a.ID); err != nil || a.At.IsZero() || a.Actor != "key_1" {
			t.Errorf("the log has %+v, want an id, a time and key_1", a)
		}
		out = append(out, strings.TrimSpace(a.Action+" "+a.Object))
	}
	return out
}
