// Package evidence tells whether texts bear out what a sentence says: its words, its
// names, its numbers with their units, and whether it says so or denies it.
//
// It compares words, and does not understand them. Names and numbers must stand in
// the text as they do in the sentence, and a denial must be met by one; of the other
// words of content a share must stand there, so that a sentence may be worded
// differently. A sentence in another language than the text is borne out by none.
package evidence
