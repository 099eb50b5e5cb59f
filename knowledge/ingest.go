package knowledge

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/answerdesk-go/answerdesk/store"
)

// Ingest puts documents as they come, in batches of one commit each, and yields
// what became of each: documents that are stored just as given are passed over,
// and one that cannot be taken is refused without stopping the rest. An error of
// the store ends it; what was yielded before is stored.
//
//	for in, err := range kb.Ingest(ctx, knowledge.Files(os.DirFS("manuals"))) {
//		…
//	}
func (b *Base) Ingest(ctx context.Context, docs iter.Seq2[Document, error]) iter.Seq2[Ingested, error] {
	return func(yield func(Ingested, error) bool) {
		var batch []Document
		size := 0
		known := true // whether documents are likely to be there already
		flush := func() bool {
			out, err := b.ingest(ctx, batch, known)
			known = slices.ContainsFunc(out, func(in Ingested) bool { return in.Status == Unchanged })
			batch, size = batch[:0], 0
			for _, in := range out {
				if !yield(in, nil) {
					return false
				}
			}
			if err != nil {
				yield(Ingested{}, err)
			}
			return err == nil
		}
		for d, err := range docs {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				if _, ok := errors.AsType[*FileError](err); !ok {
					yield(Ingested{}, err)
					return
				}
				if !yield(Ingested{Document: Document{ExternalID: d.ExternalID}, Err: err}, nil) {
					return
				}
				continue
			}
			if len(batch) > 0 && size+len(d.Text) > batchBytes && !flush() {
				return
			}
			batch = append(batch, d)
			size += len(d.Text)
			if len(batch) == batchDocuments && !flush() {
				return
			}
		}
		if len(batch) > 0 {
			flush()
		}
	}
}

// ingest puts one batch, and says what became of each document, in order. Where
// some are likely to be known, the store is asked first, which spares preparing
// those; what is unchanged it leaves alone in any case.
func (b *Base) ingest(ctx context.Context, docs []Document, known bool) (_ []Ingested, err error) {
	unchanged := make([]bool, len(docs))
	if known {
		if unchanged, err = b.Unchanged(ctx, docs...); err != nil {
			return nil, err
		}
	}
	bt := &batch{}
	type name struct{ agentID, externalID string }
	seen := map[name]bool{}
	for i, d := range docs {
		n := name{d.AgentID, d.ExternalID}
		if unchanged[i] && !seen[n] { // one before it may change what is there
			d.Text = ""
			bt.items = append(bt.items, Ingested{Document: d, Status: Unchanged})
		} else {
			w, err := prepare(ctx, d)
			bt.add(d, w, err)
		}
		seen[n] = true
	}
	err = b.put(ctx, bt, func() store.Commit { return b.commit("document.put", "") })
	if err != nil {
		return slices.DeleteFunc(bt.items, func(in Ingested) bool { return in.Status == "" && in.Err == nil }), err
	}
	return bt.items, nil
}
