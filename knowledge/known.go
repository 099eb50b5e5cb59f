package knowledge

import (
	"context"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// followWrite lets the index of a company, if it is in memory, follow a write that
// this process made. To an index that stands just before the write's revision that
// entry of the feed is known, and nothing is read from the store again.
func (x *indexes) followWrite(ctx context.Context, company string, writes []Write, out Written, ahead *forecast) {
	x.mu.Lock()
	f := x.byCompany[company]
	x.mu.Unlock()
	if f == nil || f.wrote(out.Revision) {
		return
	}
	defer f.tidy() // the write is found before
	if known := knownChanges(writes, out.Documents); known != nil && (x.space == "" || allCreated(out.Documents)) && f.take(out.Revision, ahead.of(f, known)) {
		if err := x.fit(company, f, out.Revision); err != nil {
			x.log.WarnContext(ctx, "index could not follow a write", "company", company, "error", err)
		}
		return
	}
	x.follow(ctx, company, out.Revision)
}

// take brings an index that stands just before a revision to it, by the changes
// that the revision is. At any other it does nothing, and returns false.
func (f *followed) take(revision int64, changes *index.Prepared) bool {
	<-f.following
	defer func() { f.following <- struct{}{} }()
	if f.at() != revision-1 {
		return false
	}
	f.index.Take(changes)
	f.set(revision)
	return true
}

// tidy merges small parts of an index that have become many. Searches go on, and
// whoever changes the index waits.
func (f *followed) tidy() {
	<-f.following
	defer func() { f.following <- struct{}{} }()
	f.index.Tidy()
}

// allCreated reports whether documents are new, so that no vectors go with texts
// they had.
func allCreated(written []WrittenDocument) bool {
	return !slices.ContainsFunc(written, func(d WrittenDocument) bool { return d.Status == Updated })
}

// knownChanges returns what a write changed, or nil if that is nothing, so that
// its revision is another write's, or if it cannot be told without reading.
func knownChanges(writes []Write, written []WrittenDocument) []index.Change {
	var out []index.Change
	for i, w := range writes {
		switch d := written[i]; {
		case d.Status == Unchanged:
		case w.KeepText:
			return nil
		default:
			out = append(out, index.Change{Put: indexed(Live{Document: d.Document, Passages: w.Passages})})
		}
	}
	return out
}
