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
			if len(batch) > 0 && size+d.size() > batchBytes && !flush() {
				return
			}
			batch = append(batch, d)
			size += d.size()
			if len(batch) == batchDocuments && !flush() {
				return
			}
		}
		if len(batch) > 0 {
			flush()
		}
	}
}

// size is about how large a document's text is, as far as is known before it is
// read.
func (d *Document) size() int {
	if d.fromFile() {
		return int(d.file.size)
	}
	return len(d.Text)
}

// ingest puts one batch, and says what became of each document, in order. Where
// some are likely to be known, or have yet to be read from files, the store is asked
// first, which spares preparing those; what is unchanged it leaves alone in any case.
// What is read from files may be much larger than they are: it is committed in
// between.
func (b *Base) ingest(ctx context.Context, docs []Document, known bool) (_ []Ingested, err error) {
	unchanged := make([]bool, len(docs))
	if known || slices.ContainsFunc(docs, func(d Document) bool { return d.fromFile() }) {
		if unchanged, err = b.Unchanged(ctx, docs...); err != nil {
			return nil, err
		}
	}
	bt, size := &batch{}, 0
	commit := func() store.Commit { return b.commit("document.put", "") }
	broken := func(err error) ([]Ingested, error) { // what has been written is told
		return slices.DeleteFunc(bt.items, func(in Ingested) bool { return in.Status == "" && in.Err == nil }), err
	}
	type name struct{ agentID, externalID string }
	seen := map[name]bool{}
	for i, d := range docs {
		n := name{d.AgentID, d.ExternalID}
		if unchanged[i] && !seen[n] { // one before it may change what is there
			d.Text, d.file = "", nil
			bt.items = append(bt.items, Ingested{Document: d, Status: Unchanged})
		} else {
			w, err := prepare(ctx, d)
			if ctx.Err() != nil {
				return broken(ctx.Err())
			}
			bt.add(d, w, err)
			size += len(w.Text)
		}
		seen[n] = true
		if size > batchBytes || i == len(docs)-1 {
			if err := b.put(ctx, bt, commit); err != nil {
				return broken(err)
			}
			bt.writes, bt.at, size = nil, nil, 0
		}
	}
	return bt.items, nil
}
