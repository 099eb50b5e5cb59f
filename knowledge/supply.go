package knowledge

import "context"

// A batch of a bulk is smaller than that of an ingest: customers ask meanwhile, and
// each commit lets them in.
const (
	bulkDocuments = 64
	bulkBytes     = 64 << 10
)

// A supply makes the documents of a bulk.
type supply struct {
	n        int
	document func(int) (Document, error)
	at       int // the next one
	held     *given
}

// given is a document, or why there is none.
type given struct {
	document Document
	err      error
}

// next returns document at, without moving on.
func (s *supply) next() *given {
	if s.held == nil {
		d, err := s.document(s.at)
		s.held = &given{d, err}
	}
	return s.held
}

// batch prepares the next documents: all that are left, or as many as make a batch.
func (s *supply) batch(ctx context.Context, all bool) *batch {
	bt := &batch{}
	for size := 0; s.at < s.n; s.move() {
		g := s.next()
		size += g.document.size()
		if !all && (len(bt.items) == bulkDocuments || len(bt.items) > 0 && size > bulkBytes) {
			break
		}
		s.prepare(ctx, bt)
	}
	return bt
}

// prepare adds the next document to a batch.
func (s *supply) prepare(ctx context.Context, bt *batch) {
	g, w := s.next(), Write{}
	if g.err == nil {
		w, g.err = prepare(ctx, g.document)
	}
	bt.add(g.document, w, g.err)
}

func (s *supply) move() { s.at, s.held = s.at+1, nil }
