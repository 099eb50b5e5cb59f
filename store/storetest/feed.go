package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var feed = []promise{
	{
		name:  "empty",
		text:  "a company without documents is at revision 0 and has neither changes nor live documents",
		check: feedEmpty,
	},
	{
		name:  "revisions",
		text:  "each write that changes what can be found raises the revision by one, and the feed names what it touched",
		check: revisions,
	},
	{
		name:  "whole revisions",
		text:  "Changes returns at most as many entries as asked for, but all of the last revision among them",
		check: wholeRevisions,
	},
	{
		name:  "live documents",
		text:  "LiveDocuments returns every document once, ordered by id, about as much as asked for at a time",
		check: livePages,
	},
	{
		name:  "live again",
		text:  "a live document is the document as it is now, with the passages of its live version",
		check: liveAgain,
	},
	{
		name:  "replay",
		text:  "whoever has the live documents of any revision and follows the feed from there has those of today",
		check: replay,
	},
	{
		name:  "late commits",
		text:  "no revision comes to be seen after a later one, and each is seen whole: also if its write ends late",
		check: lateRevisions,
	},
}

func feedEmpty(t *testing.T, k *kit) {
	if r, err := k.Revision(t.Context(), k.company); r != 0 || err != nil {
		t.Errorf("Revision = %d, %v, want 0", r, err)
	}
	if c, err := k.Changes(t.Context(), k.company, 0, 10); len(c) != 0 || err != nil {
		t.Errorf("Changes = %v, %v, want none", c, err)
	}
	if l, err := k.LiveDocuments(t.Context(), k.company, "", 1<<20); len(l) != 0 || err != nil {
		t.Errorf("LiveDocuments = %s, %v, want none", canonical(l), err)
	}
}

func revisions(t *testing.T, k *kit) {
	a, b := text("A", "Alpha."), text("B", "Beta.")
	k.put(t, a, b)
	a2 := text("A", "Alpha, changed.")
	a2.ID = a.NewID
	k.put(t, a2)
	k.deleteDocument(t, b.NewID)
	k.put(t, a2) // unchanged
	if _, err := k.DeleteDocument(t.Context(), k.commit(), b.NewID); err == nil {
		t.Error("DeleteDocument deleted a document twice")
	}
	want := []knowledge.Change{{Revision: 1, DocumentID: a.NewID}, {Revision: 1, DocumentID: b.NewID}, {Revision: 2, DocumentID: a.NewID}, {Revision: 3, DocumentID: b.NewID}}
	for after := range 5 {
		expect := slices.DeleteFunc(slices.Clone(want), func(c knowledge.Change) bool { return c.Revision <= int64(after) })
		for _, limit := range []int{1, 2, 100} {
			got := allChanges(t, k, k.company, int64(after), limit)
			slices.SortFunc(got, func(a, b knowledge.Change) int { // within a revision they come in any order
				return cmp.Or(cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.DocumentID, b.DocumentID))
			})
			same(t, fmt.Sprintf("Changes after %d, by %d", after, limit), got, expect)
		}
	}
	if r, err := k.Revision(t.Context(), k.company); r != 3 || err != nil {
		t.Errorf("Revision = %d, %v, want 3", r, err)
	}
}

func wholeRevisions(t *testing.T, k *kit) {
	sizes := []int{3, 1, 1, 5, 2, 1}
	var all []int // the revision of each entry
	for r, n := range sizes {
		var writes []knowledge.Write
		for range n {
			writes = append(writes, text("Document", "Text."))
			all = append(all, r+1)
		}
		k.put(t, writes...)
	}
	for after := range len(sizes) + 1 {
		for limit := 1; limit <= len(all)+1; limit++ {
			got, err := k.Changes(t.Context(), k.company, int64(after), limit)
			ok(t, "Changes", err)
			rest := slices.DeleteFunc(slices.Clone(all), func(r int) bool { return r <= after })
			n := min(limit, len(rest))
			for n > 0 && n < len(rest) && rest[n] == rest[n-1] {
				n++ // to the end of its revision
			}
			var revs []int
			for _, c := range got {
				revs = append(revs, int(c.Revision))
			}
			// Stopping at the end of an earlier revision is allowed too.
			if len(revs) > n || len(revs) == 0 && n > 0 || !slices.Equal(revs, rest[:len(revs)]) ||
				len(revs) < len(rest) && len(revs) > 0 && rest[len(revs)] == rest[len(revs)-1] {
				t.Errorf("Changes after %d, limit %d, has the revisions %v of %v", after, limit, revs, rest)
			}
		}
	}
}

func livePages(t *testing.T, k *kit) {
	var want []string
	for i := range 9 {
		w := text("Document", strings.Repeat("x", 100*(i%3)+1))
		k.put(t, w)
		want = append(want, w.NewID)
	}
	gone := text("Gone", "Gone.")
	k.put(t, gone)
	k.deleteDocument(t, gone.NewID)
	for _, size := range []int{1, 100, 150, 400, 1 << 20} {
		var got []string
		for _, l := range liveDocuments(t, k, k.company, size) {
			got = append(got, l.ID)
			if l.Text != "" {
				t.Errorf("LiveDocuments has the text of %s", l.ID)
			}
		}
		wantIDs(t, fmt.Sprintf("LiveDocuments by %d bytes", size), got, want...)
	}
	var stamped []string
	for after := ""; ; {
		part, err := k.Stamps(t.Context(), k.company, after, 2)
		ok(t, "Stamps", err)
		if len(part) == 0 {
			break
		}
		for _, s := range part {
			d, err := k.Document(t.Context(), k.company, s.DocumentID)
			ok(t, "Document", err)
			if !d.UpdatedAt.Equal(s.UpdatedAt) {
				t.Errorf("Stamps says that %s was changed %v, want %v", d.ID, s.UpdatedAt, d.UpdatedAt)
			}
			stamped = append(stamped, s.DocumentID)
		}
		after = part[len(part)-1].DocumentID
	}
	wantIDs(t, "Stamps", stamped, want...)
	few, err := k.LiveDocuments(t.Context(), k.company, "", 1)
	ok(t, "LiveDocuments", err)
	if len(few) >= len(want) {
		t.Errorf("LiveDocuments of about 1 byte returned all %d documents", len(few))
	}
	k.deleteDocument(t, want[4])
	rest, err := k.LiveDocuments(t.Context(), k.company, want[4], 1<<20)
	ok(t, "LiveDocuments", err)
	if len(rest) != 4 {
		t.Errorf("LiveDocuments after one that was deleted returned %d, want 4", len(rest))
	}
}

func liveAgain(t *testing.T, k *kit) {
	w := hours()
	d := k.putOne(t, w)
	next := text("Hours", "We open at ten.", "We close at six.")
	next.ID = d.ID
	k.put(t, next)
	next.Title, next.Metadata = "Opening hours", map[string]any{"a": "b"}
	next = hashed(next)
	k.put(t, next)
	k.asRead(t, next, d.ID, 2)
	live, err := k.LiveDocument(t.Context(), k.company, d.ID)
	ok(t, "LiveDocument", err)
	same(t, "LiveDocuments", liveDocuments(t, k, k.company, 1<<20), []knowledge.Live{live})
}

// A follower keeps live documents by following the feed.
type follower struct {
	revision int64
	live     map[string]string // by document, as JSON
}

// snapshotOf returns a follower that begins with the live documents of now.
func snapshotOf(t *testing.T, k *kit, maxBytes int) *follower {
	t.Helper()
	f := &follower{live: map[string]string{}}
	var err error
	f.revision, err = k.Revision(t.Context(), k.company) // before reading: what changes meanwhile is in the feed
	ok(t, "Revision", err)
	for _, l := range liveDocuments(t, k, k.company, maxBytes) {
		f.live[l.ID] = canonical(l)
	}
	return f
}

// catchUp reads the feed up to now.
func (f *follower) catchUp(ctx context.Context, k *kit, limit int) error {
	for {
		part, err := k.Changes(ctx, k.company, f.revision, limit)
		if err != nil || len(part) == 0 {
			return err
		}
		for _, c := range part {
			if c.Revision != f.revision && c.Revision != f.revision+1 {
				return fmt.Errorf("after revision %d comes %d", f.revision, c.Revision)
			}
			f.revision = c.Revision
			l, err := k.LiveDocument(ctx, k.company, c.DocumentID)
			switch {
			case errors.Is(err, store.ErrNotFound):
				delete(f.live, c.DocumentID)
			case err != nil:
				return err
			default:
				f.live[c.DocumentID] = canonical(l)
			}
		}
	}
}

// follow is catchUp for the goroutine of a test.
func (f *follower) follow(t *testing.T, k *kit, limit int) {
	t.Helper()
	ok(t, "following the feed", f.catchUp(t.Context(), k, limit))
}

// agrees fails the test unless the follower has what is live now.
func (f *follower) agrees(t *testing.T, what string, k *kit) {
	t.Helper()
	today := snapshotOf(t, k, 1<<20)
	if f.revision != today.revision {
		t.Errorf("%s is at revision %d, want %d", what, f.revision, today.revision)
	}
	if !maps.Equal(f.live, today.live) {
		t.Errorf("%s has the documents %v, want %v", what, slices.Sorted(maps.Keys(f.live)), slices.Sorted(maps.Keys(today.live)))
	}
}

func replay(t *testing.T, k *kit) {
	var (
		docs      []string
		followers []*follower
	)
	agentID := k.newAgent(t)
	for i := range 24 {
		followers = append(followers, snapshotOf(t, k, 1<<(i%12)))
		w := text(fmt.Sprint("Document ", i), fmt.Sprintf("Text %d.", i))
		switch {
		case i == 20:
			ok(t, "DeleteAgent", second(k.DeleteAgent(t.Context(), k.commit(), agentID)))
			continue
		case i%4 == 3:
			k.deleteDocument(t, docs[0])
			docs = docs[1:]
			continue
		case i%4 == 2:
			w.ID = docs[len(docs)-1]
			k.put(t, w)
			continue
		case i%8 == 1:
			w.AgentID = agentID
			k.put(t, hashed(w))
			continue
		}
		second := text("Second", fmt.Sprintf("Second %d.", i))
		k.put(t, w, second)
		docs = append(docs, w.NewID, second.NewID)
	}
	for i, f := range followers {
		f.follow(t, k, i%5+1)
		f.agrees(t, fmt.Sprintf("the follower from step %d", i), k)
	}
	if _, err := k.LiveDocument(t.Context(), k.company, id.New(id.Document)); err == nil {
		t.Error("LiveDocument returned a document that never was")
	}
}
