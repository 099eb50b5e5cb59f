package index

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
)

// Options are what an index may do differently. The zero value is what was
// measured to be best over the judged sets.
type Options struct {
	// Language of the documents that do not say theirs, an ISO 639-1 code; default
	// "en". Text in other scripts is indexed by its script all the same.
	Language string
	// K1 is how slowly repeated words stop counting, B how far long passages
	// are held against. Default 1.2 and 0.75, the values of Robertson and
	// Zaragoza, "The Probabilistic Relevance Framework" (2009), and of Lucene;
	// over ten English sets no others gained more than .003 in nDCG@10.
	K1, B float64
	// TitleWeight, HeadingWeight and QuestionWeight say how often the words of
	// these fields count beside words of the body, 1 to 8: in what a passage has of
	// a word, and in its length (Robertson, Zaragoza and Taylor, "Simple BM25
	// extension to multiple weighted fields", 2004). Default 3 for titles, which
	// gained .013 to .06 on stackfaq, cranfield, cisi and msdocs100k and cost nothing
	// elsewhere, where 2 gained less and 4 no more; 3 for headings, which are titles
	// of parts; 1 for questions.
	TitleWeight, HeadingWeight, QuestionWeight int
}

// A Passage is what is ranked. Its text is not kept.
type Passage struct {
	Ordinal int // its number in the document
	Title   string
	Heading string // the headings it stands under, joined by spaces
	Body    string
	// Questions are the ways a question that Body answers is asked. Each is
	// ranked together with Body as a passage of its own, and the best counts.
	// Whoever asks one of those of a document's first passage, or nearly, is
	// told that passage first.
	Questions []string
}

// A Document is a set of passages that come and go together. One without passages
// is as good as none.
type Document struct {
	ID      string
	Version int    // 0 or more
	AgentID string // the only agent that may use it; "": all of them
	// Language it is written in, an ISO 639-1 code; "": that of the options.
	Language string
	// Stamp is told again by [Index.Stamp] and [Index.Stamps], 0 or more and below
	// 1<<57. The index makes nothing of it.
	Stamp int64

	// What a [Filter] compares: of metadata the strings, numbers, booleans and
	// lists of them; of fields, whose names begin with "$", those that are not
	// empty. URL and ExternalID are the fields $url and $external_id, which are
	// each document's own.
	Metadata        map[string]any
	Fields          map[string]string
	URL, ExternalID string

	Passages []Passage
}

// A Change is a document to put or one to delete.
type Change struct {
	Put    *Document
	Delete string // document id; used if Put is nil
}

// An Index is safe for concurrent use.
type Index struct {
	analyzer *analysis.Analyzer
	options  Options

	view atomic.Pointer[view] // what searches look at

	writer  sync.Mutex        // held while a view is made and put in the other's place
	keeper  sync.Mutex        // held by Maintain
	keeping map[*segment]bool // that Maintain merges, under writer
}

// New returns an empty index. Nil options are the defaults written on
// [Options].
func New(options *Options) *Index {
	var o Options
	if options != nil {
		o = *options
	}
	if o.K1 == 0 {
		o.K1 = 1.2
	}
	if o.B == 0 {
		o.B = 0.75
	}
	if o.Language == "" {
		o.Language = analysis.English
	}
	if o.TitleWeight == 0 {
		o.TitleWeight = 3
	}
	if o.HeadingWeight == 0 {
		o.HeadingWeight = 3
	}
	for _, weight := range []*int{&o.TitleWeight, &o.HeadingWeight, &o.QuestionWeight} {
		*weight = min(max(*weight, 1), 8)
	}
	x := &Index{analyzer: analysis.For(o.Language), options: o}
	x.view.Store(newView(&x.options, nil))
	return x
}

// Put adds a document, in place of any earlier version of it.
func (x *Index) Put(doc Document) { x.Apply([]Change{{Put: &doc}}) }

// Delete takes a document out. One that is not there is not missed.
func (x *Index) Delete(documentID string) { x.Apply([]Change{{Delete: documentID}}) }

// Apply makes changes in order and all at once, and tidies up.
func (x *Index) Apply(changes []Change) {
	x.Take(x.Prepare(changes))
	x.Tidy()
}

// Prepared is changes that are read, which is what takes long about them.
type Prepared struct {
	made []*segment
	last map[string]int // of the changes of a document the last one counts
}

// Prepare reads changes, and makes none.
func (x *Index) Prepare(changes []Change) *Prepared {
	p := &Prepared{last: make(map[string]int, len(changes))}
	for i, c := range changes {
		p.last[c.id()] = i
	}
	p.made = x.stage(changes, p.last)
	return p
}

// Take makes changes that Prepare has read, once, in order and all at once. No search
// waits for it. Tidy is to be called afterwards, when nobody waits for the changes any
// more.
func (x *Index) Take(p *Prepared) {
	x.writer.Lock()
	defer x.writer.Unlock()
	parts := x.view.Load().without(p.last)
	for _, g := range p.made {
		parts = append(parts, part{segment: g})
	}
	x.publish(slices.DeleteFunc(parts, func(p part) bool { return p.live() == 0 }))
}

// Tidy merges what has become many, as long as it is small; for what is large see
// [Index.Maintain].
func (x *Index) Tidy() {
	x.writer.Lock()
	defer x.writer.Unlock()
	before := x.view.Load().parts
	after := x.tidied(slices.Clone(before))
	if !slices.EqualFunc(before, after, func(a, b part) bool { return a.segment == b.segment }) {
		x.publish(after)
	}
}

func (c *Change) id() string {
	if c.Put != nil {
		return c.Put.ID
	}
	return c.Delete
}

// Clear takes everything out.
func (x *Index) Clear() {
	x.writer.Lock()
	defer x.writer.Unlock()
	x.publish(nil)
}

// publish lets searches see parts.
func (x *Index) publish(parts []part) { x.view.Store(newView(&x.options, parts)) }

// Passages returns how many passages can be found.
func (x *Index) Passages() int { return x.view.Load().passages }

// Bytes returns the memory the index takes, but for a few KB.
func (x *Index) Bytes() int64 {
	n := int64(0)
	for _, p := range x.view.Load().parts {
		n += p.bytes()
		if p.gone != nil {
			n += int64(8*len(p.gone.bits)) + int64(len(p.gone.known))*8
		}
	}
	return n
}
