package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// ingest returns what became of documents, by external id, in order.
func ingest(t *testing.T, kb *knowledge.Base, docs iter.Seq2[knowledge.Document, error]) (out []string, err error) {
	t.Helper()
	for in, err := range kb.Ingest(t.Context(), docs) {
		if err != nil {
			return out, err
		}
		status := string(in.Status)
		if in.Err != nil {
			status = "refused"
		}
		if (in.Err == nil) == (in.Status == "") || in.Document.Text != "" {
			t.Errorf("Ingest yields %+v, want a status or an error, and no text", in)
		}
		out = append(out, in.Document.ExternalID+" "+status)
	}
	return out, nil
}

// sequence yields documents, and errors in their places.
func sequence(items ...any) iter.Seq2[knowledge.Document, error] {
	return func(yield func(knowledge.Document, error) bool) {
		for _, item := range items {
			d, _ := item.(knowledge.Document)
			err, _ := item.(error)
			if f, ok := errors.AsType[*knowledge.FileError](err); ok {
				d.ExternalID = f.Path
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

func TestIngest(t *testing.T) {
	kb := newBase(t)
	doc := func(name, text string) knowledge.Document {
		return knowledge.Document{ExternalID: name, Text: text}
	}
	errGone := errors.New("the disk is gone")
	for _, tt := range []struct {
		name  string
		items []any
		want  []string
		err   error
	}{
		{"nothing", nil, nil, nil},
		{"new ones", []any{doc("a", "Nine."), doc("b", "Ten.")}, []string{"a created", "b created"}, nil},
		{"one changed", []any{doc("a", "Nine."), doc("b", "Eleven."), doc("c", "Six.")}, []string{"a unchanged", "b updated", "c created"}, nil},
		{"one that cannot be taken", []any{doc("a", "Nine."), doc("d", ""), doc("e", "Five.")}, []string{"a unchanged", "d refused", "e created"}, nil},
		{"a file that cannot be read", []any{doc("f", "Four."), &knowledge.FileError{Path: "g", Err: errGone}, doc("h", "Three.")}, []string{"g refused", "f created", "h created"}, nil},
		{"the same one twice", []any{doc("i", "Two."), doc("i", "Two."), doc("i", "One.")}, []string{"i created", "i unchanged", "i updated"}, nil},
		{"the source breaks off", []any{doc("j", "Zero."), errGone, doc("k", "Never.")}, nil, errGone},
		{"an agent that is not there", []any{knowledge.Document{ExternalID: "l", Text: "Hm.", AgentID: "agt_01999999999999999999999999"}, doc("m", "So.")}, []string{"l refused", "m created"}, nil},
		{"and back again", []any{doc("m", "So."), doc("m", "Not so."), doc("m", "So.")}, []string{"m unchanged", "m updated", "m updated"}, nil},
	} {
		got, err := ingest(t, kb, sequence(tt.items...))
		if !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) {
			t.Errorf("%s: Ingest = %q, %v, want %q, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}

// Large runs are committed in small steps, in order, each found at once; a second
// run of the same costs one look at the hashes and changes nothing.
func TestIngestBatches(t *testing.T) {
	kb := newBase(t)
	const n = 300
	docs := func(yield func(knowledge.Document, error) bool) {
		for i := range n {
			if !yield(knowledge.Document{ExternalID: fmt.Sprint(i), Text: fmt.Sprintf("Boat %d.", i)}, nil) {
				return
			}
		}
	}
	seen := 0
	for in, err := range kb.Ingest(t.Context(), docs) {
		if err != nil || in.Err != nil || in.Document.ExternalID != fmt.Sprint(seen) {
			t.Fatalf("document %d = %+v, %v", seen, in, err)
		}
		seen++
		if seen == 1 && len(found(t, kb, knowledge.Query{Text: "boat"})) == 0 {
			t.Error("the first batch is told and not found")
		}
	}
	if r := revision(t, kb); seen != n || r != 2 {
		t.Errorf("Ingest took %d documents in %d commits, want %d in 2", seen, r, n)
	}
	for in, err := range kb.Ingest(t.Context(), docs) {
		if err != nil || in.Status != knowledge.Unchanged {
			t.Fatalf("the second time: %+v, %v, want %s", in, err, knowledge.Unchanged)
		}
	}
	if r := revision(t, kb); r != 2 {
		t.Errorf("the second run raised the revision to %d", r)
	}

	// A batch in which everything has changed, and one in which nothing has, which
	// the store is not asked about beforehand.
	var changed []any
	for d := range docs {
		if len(changed) < 256 {
			d.Text += " Ship."
		}
		changed = append(changed, d)
	}
	got, err := ingest(t, kb, sequence(changed...))
	if err != nil || got[0] != "0 updated" || got[255] != "255 updated" || got[256] != "256 unchanged" || got[n-1] != "299 unchanged" || revision(t, kb) != 3 {
		t.Errorf("the third run = %q, %v at revision %d, want 256 updated, the rest unchanged, at 3", got, err, revision(t, kb))
	}

	large := func(yield func(knowledge.Document, error) bool) {
		for i := range 4 {
			if !yield(knowledge.Document{ExternalID: fmt.Sprint("large ", i), Text: strings.Repeat(fmt.Sprint("Boat ", i, ". "), 60_000)}, nil) {
				return
			}
		}
	}
	if _, err := ingest(t, kb, large); err != nil || revision(t, kb) != 3+2 {
		t.Errorf("four documents of half a megabyte and more were taken in %d commits, %v, want 2", revision(t, kb)-3, err)
	}
}

// Whoever leaves the loop, or whose context ends, keeps what was told.
func TestIngestLeft(t *testing.T) {
	kb := newBase(t)
	docs := func(yield func(knowledge.Document, error) bool) {
		for i := range 300 {
			if !yield(knowledge.Document{ExternalID: fmt.Sprint(i), Text: "Boat."}, nil) {
				return
			}
		}
	}
	for range kb.Ingest(t.Context(), docs) {
		break
	}
	if r := revision(t, kb); r != 1 {
		t.Errorf("after leaving at the first document there are %d commits, want the first batch", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var ended error
	count := 0
	for _, err := range kb.Ingest(ctx, docs) {
		if ended = err; err != nil {
			break
		}
		count++
		cancel()
	}
	if !errors.Is(ended, context.Canceled) || count != 256 {
		t.Errorf("Ingest told of %d documents and ended with %v, want the batch that was committed and %v", count, ended, context.Canceled)
	}
}

func TestUnchanged(t *testing.T) {
	kb := newBase(t)
	d := knowledge.Document{ExternalID: "a", Title: "A", Text: "Nine.", Metadata: map[string]any{"n": 1}}
	put(t, kb, d)
	change := func(f func(*knowledge.Document)) knowledge.Document {
		other := d
		f(&other)
		return other
	}
	docs := []knowledge.Document{
		d,
		change(func(d *knowledge.Document) { d.Text = "Ten." }),
		change(func(d *knowledge.Document) { d.Title = "B" }),
		change(func(d *knowledge.Document) { d.Metadata = nil }),
		change(func(d *knowledge.Document) { d.Format = knowledge.Text }), // what it is anyway
		change(func(d *knowledge.Document) { d.Format = knowledge.Markdown }),
		change(func(d *knowledge.Document) { d.ExternalID = "b" }),
		change(func(d *knowledge.Document) { d.ExternalID = "" }),
		change(func(d *knowledge.Document) { d.Text = "" }),
		change(func(d *knowledge.Document) { d.AgentID = "agt_01999999999999999999999999" }),
	}
	got, err := kb.Unchanged(t.Context(), docs...)
	if want := []bool{true, false, false, false, true, false, false, false, false, false}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Unchanged = %v, %v, want %v", got, err, want)
	}
}
