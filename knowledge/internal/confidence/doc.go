// Package confidence says how likely it is that what was found answers a
// question.
//
// It is a logistic function of how the best passage meets the question. Its weights
// are in weights.gen.go, which
//
//	go run ./knowledge/internal/measure -data DIR -write knowledge/internal/confidence/weights.gen.go
//
// writes. It fits them to half of 42,000 questions asked of companies that are drawn
// from clinc150 (CC BY 3.0, clinc/oos-eval) and msdocs100k (CC BY 4.0, MicrosoftDocs),
// of some hundred to 1.6 million terms in size, and prints how they do on the other
// half and on sets that they were not fitted on. docs/confidence.md has the figures.
package confidence
