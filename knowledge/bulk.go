package knowledge

import (
	"context"
	"fmt"
	"iter"

	"github.com/answerdesk-go/answerdesk/store"
)

// BulkOptions are what may be chosen about a [Base.Bulk].
type BulkOptions struct {
	Atomic bool // all or none, at one revision
	DryRun bool // only say what would be done
}

// Bulk puts up to [MaxBatch] documents one after the other, and says of each what
// became of it, in order. One that cannot be taken is refused alone, and the others
// are stored in commits of at most 64 documents or 64 KiB of text, or of one that is
// larger, so that others get in between. When the store fails on the way, what is
// returned beside the error is stored. Two documents with the same external id are
// one: the later replaces the earlier. A nil opts means the zero value.
//
// With Atomic the documents are stored all or none, at one revision, and an
// [ItemError] names the one that cannot be taken. The texts of more than 256
// documents or 1 MiB are staged first, in commits as small, by a run of kind [RunBulk]
// that is completed in the commit that publishes them. Who cancels the run before
// that keeps all of them from being stored: that is an error that wraps [ErrRunEnded].
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
func (b *Base) Bulk(ctx context.Context, docs []Document, opts *BulkOptions) (out []Ingested, err error) {
	for in, err := range b.BulkOf(ctx, len(docs), func(i int) (Document, error) { return docs[i], nil }, opts) {
		if err != nil {
			return out, err
		}
		out = append(out, in)
	}
	return out, nil
}

// BulkOf is [Base.Bulk] of n documents that are made when their turn comes, so that
// those of one commit alone are held, or with Atomic all. Document i is asked for
// until it was yielded, and once more when a request that was broken off is carried
// on; an error refuses it. What became of a document is yielded, in order, once it
// is stored. Whoever leaves the loop leaves the rest undone.
func (b *Base) BulkOf(ctx context.Context, n int, document func(i int) (Document, error), opts *BulkOptions) iter.Seq2[Ingested, error] {
	var o BulkOptions
	if opts != nil {
		o = *opts
	}
	return func(yield func(Ingested, error) bool) {
		if n > MaxBatch {
			yield(Ingested{}, invalid("items", "%d are more than the %d that are put at once", n, MaxBatch))
			return
		}
		s := &supply{n: n, document: document}
		tell := func(items []Ingested, err error) bool {
			for _, in := range items {
				if !yield(in, nil) {
					return false
				}
			}
			return err == nil || yield(Ingested{}, err) && false
		}
		if o.DryRun {
			tell(b.rehearse(ctx, s, o.Atomic))
			return
		}
		if !tell(b.made(ctx, s)) || b.request.Receipt != nil && b.request.Receipt.Done {
			return
		}
		result, settled := b.result(), false
		for s.at < n {
			if err := ctx.Err(); err != nil {
				yield(Ingested{}, err)
				return
			}
			bt := s.batch(ctx, o.Atomic)
			last := s.at == n
			if err := b.putBatch(ctx, bt, o.Atomic, last, result); err != nil {
				yield(Ingested{}, err)
				return
			}
			result, settled = bt.result(result), last && len(bt.writes) > 0
			if !tell(bt.items, nil) {
				return
			}
		}
		if !settled {
			tell(nil, b.settle(ctx, result))
		}
	}
}

// putBatch writes a batch of a bulk of which the receipt says result so far.
func (b *Base) putBatch(ctx context.Context, bt *batch, atomic, last bool, result string) error {
	commit := func() store.Commit {
		c := b.commit("document.put", "")
		if last {
			return b.request.Ending(c, bt.result(result))
		}
		return b.request.Moving(c, bt.result(result))
	}
	if atomic {
		return b.putTogether(ctx, bt, commit)
	}
	return b.put(ctx, bt, commit)
}

// made returns what the request's receipt says of the documents it accounts for.
func (b *Base) made(ctx context.Context, s *supply) ([]Ingested, error) {
	made, err := ParseResult(b.result())
	if err != nil {
		return nil, err
	}
	if len(made) > s.n || b.request.Receipt != nil && b.request.Receipt.Done && len(made) < s.n {
		return nil, fmt.Errorf("the receipt accounts for %d documents, the request has %d", len(made), s.n)
	}
	bt := &batch{}
	for _, m := range made {
		if m.Status == "" {
			s.prepare(ctx, bt)
		} else {
			bt.items = append(bt.items, Ingested{Document: Document{ID: m.DocumentID, ExternalID: s.next().document.ExternalID}, Status: m.Status})
		}
		s.move()
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

// rehearse says what putting documents would do.
func (b *Base) rehearse(ctx context.Context, s *supply, atomic bool) ([]Ingested, error) {
	bt := &batch{}
	fresh := map[string]bool{} // ids that documents do not have yet
	for ; s.at < s.n; s.move() {
		s.prepare(ctx, bt)
		if n := len(bt.writes); n > 0 {
			w := &bt.writes[n-1]
			w.Text, w.Passages = "", nil // which need not be held for all of them
			fresh[w.NewID] = true
		}
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
