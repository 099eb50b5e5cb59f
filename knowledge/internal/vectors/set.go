package vectors

import (
	"sync"
	"sync/atomic"
)

// A Set holds the vectors of one company in one space. It is safe for concurrent
// use.
type Set struct {
	view atomic.Pointer[view] // what searches read

	mu        sync.Mutex // held by Apply: what follows is the writer's
	documents map[string]span
}

// A span is where a document's vectors stand, one after the other.
type span struct{ first, count int }

// New returns an empty set. Its vectors have as many dimensions as said, or as
// the first of them if that is 0.
func New(dimensions int) *Set {
	s := &Set{documents: map[string]span{}}
	s.view.Store(newView(dimensions))
	return s
}

// A Change is a document to put or one to delete.
type Change struct {
	Put    *Document
	Delete string // document id; used if Put is nil
}

// A Document is the set of vectors of its passages, which come and go together.
// It is put in place of any earlier version of it.
type Document struct {
	ID      string
	Version int
	Vectors []Vector
}

// A Vector is that of a document's passage, of any length but 0. It is not kept.
type Vector struct {
	Ordinal int
	Values  []float32
}

// Apply makes changes in order and all at once. If a vector is not one that
// [Check] lets pass, the error says of which passage, and nothing changes.
func (s *Set) Apply(changes []Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.view.Load().next()
	if err := next.check(changes); err != nil {
		return err
	}
	for _, c := range changes {
		id := c.Delete
		if c.Put != nil {
			id = c.Put.ID
		}
		if old, ok := s.documents[id]; ok {
			next.remove(old)
			delete(s.documents, id)
			next.documents -= documentBytes + int64(len(id))
		}
		if c.Put != nil && len(c.Put.Vectors) > 0 {
			s.documents[id] = next.add(c.Put)
			next.documents += documentBytes + int64(len(id))
		}
	}
	if gone := next.slots - next.live; gone > next.slots/4 {
		next = s.compact(next)
	}
	next.recentre()
	s.view.Store(next)
	return nil
}

// compact returns a view of the vectors that can be found. Searches under way keep
// the old one.
func (s *Set) compact(old *view) *view {
	next := newView(old.dimensions)
	next.age, next.rotation, next.documents = old.age, old.rotation, old.documents
	var last *owner
	for b, i := range old.rows() {
		o := b.owners[i]
		if last != o.owner {
			last = o.owner
			s.documents[o.id] = span{next.slots, s.documents[o.id].count}
		}
		to, row := next.grow()
		copy(to.row(row), b.row(i))
		to.scales[row], to.owners[row] = b.scales[i], o
	}
	return next
}

// Len returns how many vectors can be found.
func (s *Set) Len() int { return s.view.Load().live }

// Dimensions returns how many numbers each vector has, or 0 if the set has had
// none yet and was not told.
func (s *Set) Dimensions() int { return s.view.Load().dimensions }

// Bytes estimates the memory that the set takes, within about a tenth.
func (s *Set) Bytes() int64 { return s.view.Load().bytes() }
