package index

// A Builder adds many documents to an index, as when a company is loaded: it makes
// segments as large as its memory allows, so that hardly anything is merged afterwards.
// They become visible with [Builder.Close], or sooner. Until then it takes up to some
// 130 MB: it gathers the terms of about 55 MB of text in 32 MB, holds their
// spellings in 48 MB, and needs as much again while it writes a segment, of which 25 MB
// stay as that. It is for one goroutine.
type Builder struct {
	x      *Index
	stager *stager
	most   int            // tokens in a segment; a test has less
	last   map[string]int // ids in the segment under way
}

// builtTokens is how many tokens a Builder gathers before they become a segment, in
// four bytes each; buildVocabulary is how many bytes their spellings may take.
const (
	builtTokens     = 1 << 23
	builtVocabulary = 48 << 20
)

// Builder returns one that adds documents to the index. One that is left without
// Close adds no more.
func (x *Index) Builder() *Builder {
	return &Builder{x: x, stager: x.stager(), most: builtTokens, last: map[string]int{}}
}

// Put adds a document, in place of any earlier version of it. Its text is not needed
// afterwards.
func (b *Builder) Put(d *Document) {
	if len(b.stager.tokens) > b.most || b.stager.vocabulary.Size() > builtVocabulary {
		b.flush()
	}
	before := len(b.last)
	if b.last[d.ID] = 0; len(b.last) == before { // it is there again
		b.flush()
		b.last[d.ID] = 0
	}
	if len(d.Passages) > 0 {
		b.stager.put(d)
	}
}

// flush makes a segment of what was put, and lets searches see it.
func (b *Builder) flush() {
	b.stager.flush()
	b.x.Take(&Prepared{made: b.stager.made, last: b.last})
	b.stager.made = nil
	clear(b.last)
}

// Close makes the last documents visible. The builder is of no use afterwards. What
// there is to merge is left to [Index.Maintain].
func (b *Builder) Close() {
	b.flush()
	b.stager.end()
}
