// Package analysis turns text into the terms that are indexed and searched:
// the same word of a document and of a question becomes the same term.
//
// A term is a lower-case word without its endings, as its language has them.
// Apostrophes are dropped, full-width letters, ligatures and the digits of other
// scripts become plain ones. Chinese, Japanese, Korean, Thai, Lao, Khmer and
// Burmese, which part no words or few, become pairs of characters. What is
// written as one (API_KEY, go.mod, v1.2.3, sales@example.com, 1,000) is a term as
// a whole and in its parts.
//
// Documents are read by the [Analyzer] of their language, see [For]; a question
// by [Question], which tells its language first.
package analysis
