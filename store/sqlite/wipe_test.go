package sqlite

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// pageOf returns a page of a b-tree with a header of a kind, where cells begin
// at content.
func pageOf(number int64, kind byte, cells, content int) []byte {
	page := bytes.Repeat([]byte{0xee}, 512)
	header := page
	if number == 1 {
		header = page[100:]
	}
	header[0] = kind
	binary.BigEndian.PutUint16(header[3:], uint16(cells))
	binary.BigEndian.PutUint16(header[5:], uint16(content))
	return page
}

func TestUnused(t *testing.T) {
	for name, test := range map[string]struct {
		number   int64
		page     []byte
		from, to int
	}{
		"a leaf":                             {2, pageOf(2, 13, 3, 400), 8 + 6, 400},
		"a leaf of an index":                 {2, pageOf(2, 10, 0, 512), 8, 512},
		"an interior page":                   {2, pageOf(2, 5, 2, 300), 12 + 4, 300},
		"an interior page of an index":       {9, pageOf(9, 2, 2, 300), 12 + 4, 300},
		"the first page":                     {1, pageOf(1, 13, 3, 400), 100 + 8 + 6, 400},
		"a full page":                        {2, pageOf(2, 13, 3, 14), 14, 14},
		"an overflow page":                   {2, pageOf(2, 0, 3, 400), 0, 0},
		"more pointers than there is room":   {2, pageOf(2, 13, 300, 400), 0, 0},
		"cells beyond the end":               {2, pageOf(2, 13, 3, 600), 0, 0},
		"cells at 65536, which is no offset": {2, pageOf(2, 13, 3, 0), 0, 0},
		"an empty page":                      {2, nil, 0, 0},
		"a first page cut off":               {1, pageOf(1, 13, 3, 400)[:105], 0, 0},
	} {
		got := unused(test.number, test.page)
		if len(got) != test.to-test.from {
			t.Errorf("unused(%s) has %d bytes, want those from %d to %d", name, len(got), test.from, test.to)
			continue
		}
		clear(got)
		if want := slices.Concat(bytes.Repeat([]byte{0}, test.to-test.from), bytes.Repeat([]byte{0xee}, len(test.page)-test.to)); len(got) > 0 && !bytes.Equal(test.page[test.from:], want) {
			t.Errorf("unused(%s) is not from %d to %d", name, test.from, test.to)
		}
	}
}

func FuzzUnused(f *testing.F) {
	f.Add(int64(1), pageOf(1, 13, 3, 400))
	f.Add(int64(2), pageOf(2, 5, 2, 300))
	f.Fuzz(func(t *testing.T, number int64, page []byte) {
		before := bytes.Clone(page)
		clear(unused(number, page))
		head := min(len(page), 8)
		if number == 1 {
			head = min(len(page), 108)
		}
		if !bytes.Equal(page[:head], before[:head]) {
			t.Errorf("the header of page %d is part of its unused space: %x", number, before)
		}
	})
}

// dirty returns the pages with something in their unused space.
func dirty(t *testing.T, s *Store) (dirty []int64) {
	t.Helper()
	err := s.engine().Get(t.Context(), func(tx sqlstore.Tx) error {
		var pages int64
		err := scanOne(tx, &pages, `PRAGMA page_count`)
		if err == nil {
			dirty, err = dirtyPages(tx, 1, pages)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirty
}

// In a database too large for a delete to look through, upkeep and Close do so:
// nothing is left in the unused space of pages, and all that is used is left.
func TestUpkeepOverwritesUnusedSpace(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, nil)
	kb := company(t, s)
	r := rand.New(rand.NewPCG(1, 1))
	var docs []knowledge.Document
	text := func(i int) string { return strings.Repeat(fmt.Sprintf("Word%d says things. ", i), 1+i%400) }
	for range 12 {
		var batch []knowledge.Document
		for range 250 {
			batch = append(batch, knowledge.Document{ExternalID: fmt.Sprint(r.Uint64()), Text: text(len(docs) + len(batch))})
		}
		out, err := kb.PutAll(t.Context(), batch...)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range out {
			docs = append(docs, d.Document)
		}
	}
	for _, by := range []string{"upkeep", "close"} {
		for range 20 {
			if _, err := kb.Delete(t.Context(), docs[0].ID); err != nil {
				t.Fatal(err)
			}
			docs = docs[1:]
		}
		if len(dirty(t, s)) == 0 {
			t.Fatal("no page has anything in its unused space: this test tries too little")
		}
		switch by {
		case "upkeep":
			if done, err := s.Maintain(t.Context()); !done || err != nil {
				t.Fatalf("Maintain = %v, %v, want true", done, err)
			}
		case "close":
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openStore(t, dir, nil)
			kb = knowledge.New(s, nil).Company(firstCompany)
		}
		if left := dirty(t, s); len(left) > 0 {
			t.Errorf("after %s, %d pages have something in their unused space", by, len(left))
		}
		integrity(t, s)
		for i, d := range docs {
			if got, err := kb.Text(t.Context(), d.ID, 0); err != nil || got != text(3000-len(docs)+i) {
				t.Fatalf("after %s, the text of document %s has changed: %d bytes, %v", by, d.ID, len(got), err)
			}
		}
	}
}

// firstCompany is the company of the tests in this package.
const firstCompany = "cmp_first"

// openStore opens a store that is closed with the test.
func openStore(t *testing.T, dir string, opts *Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// company returns the knowledge of a new store's first company.
func company(t *testing.T, s *Store) *knowledge.Base {
	t.Helper()
	c := access.Company{ID: firstCompany, Name: "First", DefaultAgent: "agt_first"}
	if _, err := s.FirstCompany(t.Context(), store.Commit{Company: c.ID}, c); err != nil {
		t.Fatal(err)
	}
	return knowledge.New(s, nil).Company(c.ID)
}

// integrity checks that the database holds together.
func integrity(t *testing.T, s *Store) {
	t.Helper()
	var result string
	err := s.writer.outside(t.Context(), func(c *conn) error {
		return c.sql.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&result)
	})
	if err != nil || result != "ok" {
		t.Errorf("integrity_check = %q, %v", result, err)
	}
}
