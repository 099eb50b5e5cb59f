package knowledge_test

import (
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

func TestAppendResult(t *testing.T) {
	doc := func(id string, s knowledge.Status) knowledge.WrittenDocument {
		return knowledge.WrittenDocument{Document: knowledge.Document{ID: id}, Status: s}
	}
	a, b, c, refused := doc("doc_a", knowledge.Created), doc("doc_b", knowledge.Updated), doc("doc_c", knowledge.Unchanged), doc("", "")
	for _, tt := range []struct {
		result string
		docs   []knowledge.WrittenDocument
		want   string
	}{
		{"", nil, ""},
		{"c:doc_x", nil, "c:doc_x"},
		{"", []knowledge.WrittenDocument{a, b, refused, c}, "c:doc_a u:doc_b - n:doc_c"},
		{"c:doc_x -", []knowledge.WrittenDocument{a}, "c:doc_x - c:doc_a"},
		{"? - ?", []knowledge.WrittenDocument{a, b}, "c:doc_a - u:doc_b"},
		{"- ?", []knowledge.WrittenDocument{a, b, c}, "- c:doc_a u:doc_b n:doc_c"},
	} {
		if got := knowledge.AppendResult(tt.result, tt.docs); got != tt.want {
			t.Errorf("AppendResult(%q, %d documents) = %q, want %q", tt.result, len(tt.docs), got, tt.want)
		}
	}
	made, err := knowledge.ParseResult("c:doc_a u:doc_b - n:doc_c")
	want := []knowledge.Made{{Status: knowledge.Created, DocumentID: "doc_a"}, {Status: knowledge.Updated, DocumentID: "doc_b"}, {}, {Status: knowledge.Unchanged, DocumentID: "doc_c"}}
	if err != nil || !slices.Equal(made, want) {
		t.Errorf("ParseResult = %+v, %v, want %+v", made, err, want)
	}
	const run = "run_01m819seqke5ds6nb0gkz0nqfw"
	made, err = knowledge.ParseResult(knowledge.AppendResult(run, []knowledge.WrittenDocument{a}))
	if err != nil || !slices.Equal(made, want[:1]) || knowledge.RunOf(run+" c:doc_a") != run || knowledge.RunOf("c:doc_a "+run) != "" || knowledge.RunOf("") != "" {
		t.Errorf("of a result that begins with a run, ParseResult = %+v, %v, and RunOf = %q", made, err, knowledge.RunOf(run+" c:doc_a"))
	}
	if made, err := knowledge.ParseResult(""); len(made) != 0 || err != nil {
		t.Errorf("ParseResult of nothing = %+v, %v", made, err)
	}
	for _, s := range []string{"msg_1", "c:", "x:doc_a", ":doc_a", "c:doc_a ?", "--"} {
		if made, err := knowledge.ParseResult(s); err == nil {
			t.Errorf("ParseResult(%q) = %+v, want an error", s, made)
		}
	}
}

func FuzzParseResult(f *testing.F) {
	f.Add("c:doc_a u:doc_b - n:doc_c")
	f.Add("? c:c:c:")
	f.Fuzz(func(t *testing.T, s string) {
		made, err := knowledge.ParseResult(s)
		if err != nil {
			return
		}
		docs := make([]knowledge.WrittenDocument, len(made))
		for i, m := range made {
			docs[i] = knowledge.WrittenDocument{Document: knowledge.Document{ID: m.DocumentID}, Status: m.Status}
		}
		again, err := knowledge.ParseResult(knowledge.AppendResult("", docs))
		if err != nil || !slices.Equal(again, made) {
			t.Errorf("ParseResult(%q) = %+v, and then %+v, %v", s, made, again, err)
		}
	})
}
