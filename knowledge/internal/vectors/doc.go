// Package vectors finds the passages of one company whose vectors are nearest to
// a question's, in memory, by reading all of them in a short form.
//
//	set := vectors.New(0)
//	err := set.Apply([]vectors.Change{{Put: &vectors.Document{ID: "doc_1", Vectors: []vectors.Vector{{Ordinal: 0, Values: v}}}}})
//	hits, err := set.Search(question, 10, nil)
//
// A vector is kept twice: in 16 bits a number, from which every score that comes
// back is computed, and in one and two bits with a bound on the error ([code]),
// from which a search sees, 64 numbers at a time, that most vectors cannot be
// among the nearest. So a filter costs nothing in what is found, unlike in
// structures that walk from neighbour to neighbour, and a write costs some
// microseconds a vector and needs no training.
//
// A search sees the state before or after a call of Apply, and neither waits for
// the other.
package vectors
