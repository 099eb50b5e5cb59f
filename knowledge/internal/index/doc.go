// Package index ranks the passages of one company for a question, in memory,
// by BM25 and by how near the question's words stand to each other.
//
// It holds terms, counts, places and ids, and no text. A write becomes visible at
// once and whole, and no search waits for one: a search looks at the [view] there
// is when it begins. A view is a list of segments, which never change, and of what
// is gone from them; a write adds a small segment, and small segments are merged
// into larger ones. Scores depend on what is in the index now and on nothing that
// was: replacing and deleting documents leaves the same statistics as building anew.
//
// A search reads the rows of the rarer words of a question. Of the common ones it is
// known which rows hold them and what they can give a row at most, by blocks of 64
// rows: it looks first where all words together may give most, leaves out the blocks
// that cannot have anything as good, and only of rows that may be among the best is the
// score added up (see sweep). Documents of one folder stand together, so that few blocks
// are left (see reorder).
package index
