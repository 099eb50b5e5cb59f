package knowledge

import (
	"context"
	"fmt"

	"github.com/answerdesk-go/answerdesk/store"
)

// BulkOptions are what may be chosen about a [Base.Bulk].
type BulkOptions struct {
	Atomic bool // all or none, in one commit
	DryRun bool // only say what would be done
}

// Bulk puts up to [MaxBatch] documents one after the other, and says of each what
// became of it, in order. One that cannot be taken is refused alone, and the others
// are stored in commits of at most 256 documents or 1 MiB of text, so that others
// get in between. When the store fails on the way, what is returned beside the
// error is stored. Two documents with the same external id are one: the later
// replaces the earlier. A nil opts means the zero value.
//
// With Atomic the documents are stored all or none, in one commit, and an
// [ItemError] names the one that cannot be taken.
//
// With DryRun everything is checked that a write would check, and nothing is
// written: a document that would be new has no id yet, and a receipt is left
// alone.
//
// A receipt notes with each commit what was done. When it says something already,
// because the request was broken off, Bulk goes on behind that: of what is done it
// returns ids and statuses as the receipt has them. Of a receipt that is complete
// it returns all that way, and writes nothing. So after an error the receipt is to
// be left to lapse, rather than released, if anything was returned beside it.
func (b *Base) Bulk(ctx context.Context, docs []Document, opts *BulkOptions) ([]Ingested, error) {
	var o BulkOptions
	if opts != nil {
		o = *opts
	}
	if len(docs) > MaxBatch {
		return nil, invalid("items", "%d are more than the %d that are put at once", len(docs), MaxBatch)
	}
	if o.DryRun {
		return b.rehearse(ctx, docs, o.Atomic)
	}
	out, err := b.made(ctx, docs)
	if err != nil || b.request.Receipt != nil && b.request.Receipt.Done {
		return out, err
	}
	result, settled := b.result(), false
	for len(out) < len(docs) {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		rest := docs[len(out):]
		if !o.Atomic {
			rest = rest[:cut(rest)]
		}
		bt := prepareAll(ctx, rest)
		last := len(out)+len(rest) == len(docs)
		commit := func() store.Commit {
			c := b.commit("document.put", "")
			if last {
				return b.request.Ending(c, bt.result(result))
			}
			return b.request.Moving(c, bt.result(result))
		}
		if o.Atomic {
			err = b.putTogether(ctx, bt, commit)
		} else {
			err = b.put(ctx, bt, commit)
		}
		if err != nil {
			return out, err
		}
		out, result = append(out, bt.items...), bt.result(result)
		settled = last && len(bt.writes) > 0
	}
	if !settled {
		err = b.settle(ctx, result)
	}
	return out, err
}

// cut returns how many of the documents make a batch.
func cut(docs []Document) int {
	size := 0
	for i, d := range docs {
		if size += d.size(); i == batchDocuments || i > 0 && size > batchBytes {
			return i
		}
	}
	return len(docs)
}

// made returns what the request's receipt says of the documents it accounts for.
func (b *Base) made(ctx context.Context, docs []Document) ([]Ingested, error) {
	made, err := ParseResult(b.result())
	if err != nil {
		return nil, err
	}
	if len(made) > len(docs) || b.request.Receipt != nil && b.request.Receipt.Done && len(made) < len(docs) {
		return nil, fmt.Errorf("the receipt accounts for %d documents, the request has %d", len(made), len(docs))
	}
	bt := &batch{}
	for i, m := range made {
		if m.Status == "" {
			w, err := prepare(ctx, docs[i])
			bt.add(docs[i], w, err)
			continue
		}
		bt.items = append(bt.items, Ingested{Document: Document{ID: m.DocumentID, ExternalID: docs[i].ExternalID}, Status: m.Status})
	}
	if len(bt.writes) == 0 {
		return bt.items, nil
	}
	// The store has refused these. It is asked again why, and if it would take
	// them now, there is no more to be said.
	checked, err := b.lib.store.CheckDocuments(ctx, b.company, bt.writes)
	for j, in := range checked {
		if in.Err == nil {
			checked[j] = Ingested{Document: in.Document, Err: errRefusedBefore}
		}
	}
	bt.done(checked)
	return bt.items, err
}

// errRefusedBefore stands for a reason that has gone since.
var errRefusedBefore = fmt.Errorf("%w: it was refused when it was first put", store.ErrConflict)

// putTogether writes all of a batch, or nothing.
func (b *Base) putTogether(ctx context.Context, bt *batch, commit func() store.Commit) error {
	if err := bt.refused(); err != nil {
		return err
	}
	written, err := b.write(ctx, commit(), bt.writes)
	if err != nil {
		return err
	}
	bt.wrote(written)
	return nil
}

// rehearse says what putting documents would do.
func (b *Base) rehearse(ctx context.Context, docs []Document, atomic bool) ([]Ingested, error) {
	bt := &batch{}
	fresh := map[string]bool{} // ids that documents do not have yet
	for _, d := range docs {
		w, err := prepare(ctx, d)
		w.Text, w.Passages = "", nil // which need not be held for all of them
		fresh[w.NewID] = true
		bt.add(d, w, err)
	}
	checked, err := b.lib.store.CheckDocuments(ctx, b.company, bt.writes)
	if err != nil {
		return nil, err
	}
	for j := range checked {
		if fresh[checked[j].Document.ID] {
			checked[j].Document.ID = ""
		}
	}
	bt.done(checked)
	if atomic {
		if err := bt.refused(); err != nil {
			return nil, err
		}
	}
	return bt.items, nil
}
