package vectors_test

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkSearch searches 100,000 vectors of 384 dimensions. Besides the time it
// says how many of the ten nearest were found, and how many bytes a vector takes.
//
//	go test -run=- -bench=Search -cpu=1 ./knowledge/internal/vectors
func BenchmarkSearch(b *testing.B) {
	for _, kind := range kinds {
		b.Run(kind, func(b *testing.B) {
			next := generator(rand.New(rand.NewPCG(7, 7)), kind, 384)
			s, m := filled(b, 100_000, next)
			var questions [][]float32
			found, of := 0, 0
			for range 20 {
				q := next()
				questions = append(questions, q)
				f, o := m.check(b, q, 10, nil, search(b, s, q, 10, nil))
				found, of = found+f, of+o
			}
			for n := 0; b.Loop(); n++ {
				search(b, s, questions[n%len(questions)], 10, nil)
			}
			b.ReportMetric(float64(found)/float64(of), "recall@10")
			b.ReportMetric(float64(s.Bytes())/float64(s.Len()), "B/vector")
		})
	}
}

// BenchmarkApply adds a document of three passages to 10,000 and takes it out.
func BenchmarkApply(b *testing.B) {
	next := generator(rand.New(rand.NewPCG(8, 8)), "cone", 384)
	s, _ := filled(b, 10_000, next)
	x, y, z := next(), next(), next()
	for b.Loop() {
		apply(b, s, put("doc_new", 1, x, y, z))
		apply(b, s, put("doc_new", 1))
	}
}
