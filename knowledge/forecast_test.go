package knowledge_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A seer says of each write whether it was foreseen.
type seer struct {
	*sqlite.Store
	lib  *knowledge.Library
	said []string
}

func (s *seer) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	ahead := knowledge.Foresee(ctx, s.lib, c.Company, writes)
	out, err := s.Store.WriteDocuments(ctx, c, writes)
	switch {
	case ahead == nil:
		s.said = append(s.said, "not read")
	case ahead.Right(writes, out):
		s.said = append(s.said, "foreseen")
	default:
		s.said = append(s.said, "mistaken")
	}
	return out, err
}

// Large texts are read for the index before they are stored, if they are new; either
// way they are found afterwards, once.
func TestForecast(t *testing.T) {
	st := &seer{Store: openStore(t, t.TempDir())}
	st.lib = knowledge.New(st, nil)
	kb := st.lib.Company(company(t, st.Store))
	long := strings.Repeat("The barge carries coal up the canal.\n\n", 1000)
	metadata := map[string]any{"n": 3.5, "tags": []any{"a", "b"}}
	many := func(words ...string) (docs []knowledge.Document) {
		for i := range 20 {
			name := fmt.Sprint(words[0], i)
			docs = append(docs, knowledge.Document{ExternalID: name, Title: name, Text: strings.Join(words, " ") + long[:len(long)/16]})
		}
		return docs
	}
	for _, tt := range []struct {
		name string
		docs []knowledge.Document
		want string
	}{
		{"before there is an index", []knowledge.Document{{Title: "Zero", Text: long}}, "not read"},
		{"new", []knowledge.Document{{Title: "One", Text: long, Metadata: metadata, URL: "https://example.com/one"}}, "foreseen"},
		{"new under a name", []knowledge.Document{{ExternalID: "x", Title: "Two", Text: long}}, "foreseen"},
		{"there already", []knowledge.Document{{ExternalID: "x", Title: "Two", Text: long + "And back."}}, "not read"},
		{"short", []knowledge.Document{{Title: "Three", Text: "A tug pulls the barge."}}, "not read"},
		{"several", []knowledge.Document{{Title: "Four", Text: long}, {ExternalID: "y", Title: "Five", Text: "Short, about a barge.", Format: knowledge.Text}}, "foreseen"},
		{"the same one twice", []knowledge.Document{{ExternalID: "z", Title: "Six", Text: long}, {ExternalID: "z", Title: "Seven", Text: long + "Again."}}, "mistaken"},
		{"many new", many(""), "foreseen"},
		{"many more", many("more"), "foreseen"},
		{"many there", many("more", "changed"), "mistaken"},
		{"many there again", many("more", "changed", "twice"), "not read"},
		{"some there", []knowledge.Document{{Title: "Eight", Text: long}, {ExternalID: "y", Title: "Five", Text: "Another text about a barge."}}, "not read"},
	} {
		st.said = nil
		if _, err := kb.PutAll(t.Context(), tt.docs...); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if !slices.Equal(st.said, []string{tt.want}) {
			t.Errorf("%s: the write was %q, want %s", tt.name, st.said, tt.want)
		}
		r, err := kb.Search(t.Context(), knowledge.Query{Text: "barge", Limit: knowledge.MaxHits})
		if err != nil {
			t.Fatal(err)
		}
		places := map[string]bool{}
		for _, h := range r.Hits {
			place := fmt.Sprint(h.DocumentID, h.Ordinal)
			if places[place] {
				t.Errorf("%s: %s is found twice", tt.name, place)
			}
			places[place] = true
		}
		anew := knowledge.New(st.Store, nil).Company(company(t, st.Store))
		want, err := anew.Search(t.Context(), knowledge.Query{Text: "barge", Limit: knowledge.MaxHits})
		if err != nil || len(want.Hits) != len(r.Hits) {
			t.Fatalf("%s: %d hits, anew %d, %v", tt.name, len(r.Hits), len(want.Hits), err)
		}
		for i := range r.Hits {
			if r.Hits[i].Ref != want.Hits[i].Ref || r.Hits[i].Score != want.Hits[i].Score {
				t.Errorf("%s: hit %d is %v of %v, anew %v of %v", tt.name, i, r.Hits[i].Ref, r.Hits[i].Score, want.Hits[i].Ref, want.Hits[i].Score)
			}
		}
	}
}
