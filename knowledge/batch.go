package knowledge

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/answerdesk-go/answerdesk/store"
)

// A batch is committed when it has so many documents, or before it has more than
// so many bytes: small enough for turns to get in between.
const (
	batchDocuments = 256
	batchBytes     = 1 << 20
)

// Ingested is what became of a document.
type Ingested struct {
	Document Document // without its text; only the external id if it was refused
	Status   Status   // empty if it was refused
	Err      error    // why it was refused
}

// A batch is documents on their way into one commit.
type batch struct {
	items  []Ingested // what becomes of each document, in the order given
	writes []Write    // those that have not been refused
	at     []int      // of each write, in items
}

// prepareAll returns a batch of documents that are ready to be written.
func prepareAll(ctx context.Context, docs []Document) *batch {
	bt := &batch{}
	for _, d := range docs {
		w, err := prepare(ctx, d)
		bt.add(d, w, err)
	}
	return bt
}

// add adds a document, or why it is refused.
func (bt *batch) add(d Document, w Write, err error) {
	if d.SourceID != "" {
		err = invalid("source_id", "a document of a source is written by the runs of the source alone: leave it out")
	}
	if err == nil {
		bt.writes, bt.at = append(bt.writes, w), append(bt.at, len(bt.items))
	}
	bt.items = append(bt.items, Ingested{Document: Document{ExternalID: d.ExternalID}, Err: err})
}

// refused returns the first document that was, or nil.
func (bt *batch) refused() error {
	for i, in := range bt.items {
		if in.Err != nil {
			return &ItemError{Index: i, Err: in.Err}
		}
	}
	return nil
}

// wrote notes that the writes were made.
func (bt *batch) wrote(written []WrittenDocument) {
	for j, d := range written {
		bt.items[bt.at[j]] = Ingested{Document: d.Document, Status: d.Status}
	}
}

// done notes what became of the writes.
func (bt *batch) done(out []Ingested) {
	for j, in := range out {
		if in.Err != nil {
			in.Document = Document{ExternalID: in.Document.ExternalID}
		}
		bt.items[bt.at[j]] = in
	}
}

// drop takes those writes out that were refused.
func (bt *batch) drop(out []Ingested) {
	writes, at := bt.writes[:0], bt.at[:0]
	for j, in := range out {
		if in.Err != nil {
			bt.items[bt.at[j]].Err = in.Err
			continue
		}
		writes, at = append(writes, bt.writes[j]), append(at, bt.at[j])
	}
	bt.writes, bt.at = writes, at
}

// result returns what a receipt that says before is to say with the batch in it.
// Until they are written, it keeps the places of documents.
func (bt *batch) result(before string) string {
	tokens := strings.Fields(before)
	for _, in := range bt.items {
		t := keptToken
		if in.Status != "" || in.Err != nil {
			t = token(WrittenDocument{in.Document, in.Status})
		}
		tokens = append(tokens, t)
	}
	return strings.Join(tokens, " ")
}

// put writes what can be written of a batch in one commit, and refuses the rest of
// it. Commit is asked anew each time something was refused.
func (b *Base) put(ctx context.Context, bt *batch, commit func() store.Commit) error {
	for len(bt.writes) > 0 {
		written, err := b.write(ctx, commit(), bt.writes)
		if err == nil {
			bt.wrote(written)
			return nil
		}
		item, ok := errors.AsType[*ItemError](err)
		if !ok {
			return err
		}
		checked, err := b.lib.store.CheckDocuments(ctx, b.company, bt.writes)
		if err != nil {
			return err
		}
		checked[item.Index].Err = cmp.Or(checked[item.Index].Err, item.Err) // it may have changed meanwhile
		bt.drop(checked)
	}
	return nil
}
