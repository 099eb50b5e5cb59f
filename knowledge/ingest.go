package knowledge

import (
	"context"
	"errors"
	"iter"
	"slices"
)

// A batch is committed when it has so many documents, or so many bytes: small
// enough for turns to get in between.
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
		flush := func() bool {
			out, err := b.ingest(ctx, batch)
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
			batch = append(batch, d)
			size += len(d.Text)
			if (len(batch) == batchDocuments || size >= batchBytes) && !flush() {
				return
			}
		}
		if len(batch) > 0 {
			flush()
		}
	}
}

// ingest puts one batch, and says what became of each document, in order.
func (b *Base) ingest(ctx context.Context, batch []Document) ([]Ingested, error) {
	unchanged, err := b.Unchanged(ctx, batch...)
	if err != nil {
		return nil, err
	}
	out := make([]Ingested, len(batch))
	var writes []Write
	var at []int // of each write, in out
	for i, d := range batch {
		w := Write{Document: d}
		if !unchanged[i] {
			w, err = prepare(d)
		}
		d.Text = ""
		switch {
		case unchanged[i]:
			out[i] = Ingested{Document: d, Status: Unchanged}
		case err != nil:
			out[i] = Ingested{Document: Document{ExternalID: d.ExternalID}, Err: err}
		default:
			writes, at = append(writes, w), append(at, i)
		}
	}
	if len(writes) == 0 {
		return out, nil
	}
	written, err := b.write(ctx, writes)
	if err != nil {
		out = slices.DeleteFunc(out, func(in Ingested) bool { return in.Status == "" && in.Err == nil })
		return out, err
	}
	for j, d := range written {
		out[at[j]] = Ingested{Document: d.Document, Status: d.Status}
	}
	return out, nil
}
