package storetest

import "context"

// A Searcher is a store that can look for a text in all that it has written, also
// where none of its methods reads any more: in free pages, logs and rows that are
// not committed. The test of an engine that can adds the method to its store.
type Searcher interface {
	// Search names the places that have the text.
	Search(ctx context.Context, text string) (places []string, err error)
}
