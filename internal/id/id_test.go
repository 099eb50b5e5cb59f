package id_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/id"
)

func TestNewIsSortedAndParses(t *testing.T) {
	var ids []string
	for range 10_000 {
		ids = append(ids, id.New(id.Document))
	}
	if !slices.IsSorted(ids) {
		t.Error("ids made one after another do not sort")
	}
	for _, s := range []string{ids[0], strings.ToUpper(ids[0]), id.UUID(ids[0]), strings.ToUpper(id.UUID(ids[0]))} {
		if got, err := id.Parse(id.Document, s); got != ids[0] || err != nil {
			t.Errorf("Parse(%q) = %q, %v, want %q", s, got, err, ids[0])
		}
	}
}

func TestParseRefuses(t *testing.T) {
	doc := id.New(id.Document)
	for _, s := range []string{
		"", "doc", "doc_", doc + "0", doc[:len(doc)-1], strings.Replace(doc, "doc_", "msg_", 1),
		"doc_8zzzzzzzzzzzzzzzzzzzzzzzzz", "doc_" + strings.Repeat("u", 26), strings.Repeat("x", 36),
		"doc_" + strings.Repeat("é", 13), strings.Repeat("a", 1<<16),
	} {
		if got, err := id.Parse(id.Document, s); err == nil {
			t.Errorf("Parse(%.40q) = %q, want an error", s, got)
		} else if len(err.Error()) > 200 {
			t.Errorf("Parse of %d bytes repeats them in its error", len(s))
		}
	}
}

func TestDeriveIsStable(t *testing.T) {
	doc := id.New(id.Document)
	a, b := id.Derive(id.Passage, doc, 1, 2), id.Derive(id.Passage, doc, 1, 2)
	if a != b {
		t.Errorf("Derive gave %q, then %q", a, b)
	}
	if c := id.Derive(id.Passage, doc, 12); c == a {
		t.Error("other numbers gave the same id")
	}
	if _, err := id.Parse(id.Passage, a); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(id.New(id.Document))
	f.Add("01927c5e-1e5f-7b7e-8f1a-0123456789ab")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := id.Parse(id.Document, s)
		if err != nil {
			return
		}
		if again, err := id.Parse(id.Document, got); again != got || err != nil {
			t.Errorf("Parse(Parse(%q)) = %q, %v, want %q", s, again, err, got)
		}
	})
}
