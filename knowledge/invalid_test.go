package knowledge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// Each field that cannot be stored is refused by name, and nothing is stored.
func TestDocumentInvalid(t *testing.T) {
	kb := newBase(t)
	const secret = "my secret words"
	for _, tt := range []struct {
		field string
		doc   knowledge.Document
	}{
		{"text", knowledge.Document{}},
		{"text", knowledge.Document{Text: " \t\r\n"}},
		{"text", knowledge.Document{Text: strings.Repeat("x", knowledge.MaxText+1)}},
		{"text", knowledge.Document{Text: secret + "\x00"}},
		{"text", knowledge.Document{Text: secret + " caf\xe9"}},
		{"text", knowledge.Document{Text: "\xff\xfe" + secret}},
		{"text", knowledge.Document{Text: "---\n---", Format: knowledge.Markdown}},
		{"text", knowledge.Document{Text: "<html><script>" + secret + "</script>", Format: knowledge.HTML}},
		{"kind", knowledge.Document{Text: "x", Kind: "page"}},
		{"format", knowledge.Document{Text: "x", Format: "pdf"}},
		{"title", knowledge.Document{Text: "x", Title: strings.Repeat("ö", knowledge.MaxTitle+1)}},
		{"title", knowledge.Document{Text: "x", Title: secret + "\xff"}},
		{"url", knowledge.Document{Text: "x", URL: "https://" + strings.Repeat("x", 2041)}},
		{"url", knowledge.Document{Text: "x", URL: "javascript:alert(1)"}},
		{"url", knowledge.Document{Text: "x", URL: "/hours"}},
		{"url", knowledge.Document{Text: "x", URL: "https://\xff"}},
		{"external_id", knowledge.Document{Text: "x", ExternalID: strings.Repeat("x", knowledge.MaxID+1)}},
		{"external_id", knowledge.Document{Text: "x", ExternalID: "a\x00b"}},
		{"questions", knowledge.Document{Text: "x", Kind: knowledge.KindQA}},
		{"questions", knowledge.Document{Text: "x", Kind: knowledge.KindQA, Questions: slices.Repeat([]string{"Why?"}, knowledge.MaxAlternates+2)}},
		{"questions[1]", knowledge.Document{Text: "x", Kind: knowledge.KindQA, Questions: []string{"Why?", " "}}},
		{"questions[0]", knowledge.Document{Text: "x", Kind: knowledge.KindQA, Questions: []string{"\xff"}}},
		{"questions[0]", knowledge.Document{Text: "x", Kind: knowledge.KindQA, Questions: []string{strings.Repeat("x", 4*knowledge.MaxTitle+1)}}},
		{"metadata", knowledge.Document{Text: "x", Metadata: map[string]any{"": 1}}},
		{"metadata", knowledge.Document{Text: "x", Metadata: map[string]any{strings.Repeat("k", 129): 1}}},
		{"metadata", knowledge.Document{Text: "x", Metadata: map[string]any{"\xff": 1}}},
		{"metadata", knowledge.Document{Text: "x", Metadata: map[string]any{"k": math.NaN()}}},
		{"metadata", knowledge.Document{Text: "x", Metadata: map[string]any{"k": json.Number("one")}}},
		{"metadata", knowledge.Document{Text: "x", Metadata: map[string]any{"k": strings.Repeat("x", knowledge.MaxMetadata)}}},
		{"metadata.k", knowledge.Document{Text: "x", Metadata: map[string]any{"k": map[string]any{"nested": 1}}}},
		{"metadata.k", knowledge.Document{Text: "x", Metadata: map[string]any{"k": []any{1, []any{2}}}}},
		{"metadata.k", knowledge.Document{Text: "x", Metadata: map[string]any{"k": func() {}}}},
		{"metadata.k", knowledge.Document{Text: "x", Metadata: map[string]any{"k": secret + "\xff"}}},
		{"metadata.k", knowledge.Document{Text: "x", Metadata: map[string]any{"k": []string{"a", "\x00"}}}},
		{"metadata.a", knowledge.Document{Text: "x", Metadata: map[string]any{"b": struct{}{}, "a": struct{}{}}}},
	} {
		_, err := kb.Put(t.Context(), tt.doc)
		invalid, ok := errors.AsType[*knowledge.InvalidError](err)
		if !ok || invalid.Field != tt.field || !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("Put(%.60q…) = error %v, want an InvalidError of %s", fmt.Sprintf("%.80v", tt.doc), err, tt.field)
			continue
		}
		if strings.Contains(err.Error(), secret) || len(err.Error()) > 300 {
			t.Errorf("the error repeats what was put: %v", err)
		}
	}
	if page, err := kb.List(t.Context(), knowledge.Filter{}, store.Page{}); err != nil || len(page.Data) != 0 || revision(t, kb) != 0 {
		t.Errorf("List = %d documents, %v, want none", len(page.Data), err)
	}
}

// What is just within the limits is taken, and read back as it was.
func TestDocumentLimits(t *testing.T) {
	kb := newBase(t)
	for _, d := range []knowledge.Document{
		{Title: strings.Repeat("ö", knowledge.MaxTitle), Text: "x"},
		{ExternalID: strings.Repeat("x", knowledge.MaxID), URL: "https://" + strings.Repeat("x", 2040), Text: "x"},
		{Text: "Lines.\r\nAnd \u2028 odd\u0085 breaks.\x01\x7f And a late \ufeff mark."},
		{Text: "� was a broken character."},
		{Text: strings.Repeat("word ", 100_000)},
		{Text: strings.Repeat("x", 1<<20)},
		{Text: strings.Repeat("Short. ", 50_000)},
		{Text: "|" + strings.Repeat("a|", 10_000), Format: knowledge.Markdown},
		{Text: strings.Repeat("> ", 5_000) + "deep", Format: knowledge.Markdown},
		{Text: "text " + strings.Repeat("\n", 100_000) + "text"},
	} {
		got, err := kb.Put(t.Context(), d)
		if err != nil {
			t.Errorf("Put(%.40q of %d bytes) = error %v", d.Text, len(d.Text), err)
			continue
		}
		if text, err := kb.Text(t.Context(), got.ID, 0); err != nil || text != d.Text {
			t.Errorf("Text of %.40q = %d bytes, %v, want the %d that were put", d.Text, len(text), err, len(d.Text))
		}
	}
}

// A byte order mark says how a file is written, and is no part of the text.
func TestByteOrderMark(t *testing.T) {
	kb := newBase(t)
	d := put(t, kb, knowledge.Document{Text: "\ufeffWe open at nine."})
	if text, err := kb.Text(t.Context(), d.ID, 0); err != nil || text != "We open at nine." || d.Title != text {
		t.Errorf("Text = %q with the title %q, %v, want it without its mark", text, d.Title, err)
	}
}

// Metadata reads back as JSON has it.
func TestMetadata(t *testing.T) {
	kb := newBase(t)
	for _, tt := range []struct{ put, want map[string]any }{
		{nil, nil},
		{map[string]any{}, nil},
		{map[string]any{"a": nil}, nil},
		{map[string]any{"a": nil, "b": "x"}, map[string]any{"b": "x"}},
		{map[string]any{"i": 1, "i64": int64(2), "u": uint32(3), "f": float32(0.5), "n": json.Number("1e3")}, map[string]any{"i": 1.0, "i64": 2.0, "u": 3.0, "f": 0.5, "n": 1000.0}},
		{map[string]any{"s": []string{"a"}, "e": []string{}, "x": []any{"a", 1, true}, "i": []int{7}, "b": []bool{true}}, map[string]any{"s": []any{"a"}, "e": []any{}, "x": []any{"a", 1.0, true}, "i": []any{7.0}, "b": []any{true}}},
		{map[string]any{"ключ <&> \u2028": "значение"}, map[string]any{"ключ <&> \u2028": "значение"}},
	} {
		if got := put(t, kb, knowledge.Document{Text: "x", Metadata: tt.put}).Metadata; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("metadata %v is stored as %v, want %v", tt.put, got, tt.want)
		}
	}
}

func TestSearchInvalid(t *testing.T) {
	kb := newBase(t)
	put(t, kb, knowledge.Document{Text: "We open at nine."})
	for _, tt := range []struct {
		field string
		query knowledge.Query
	}{
		{"query", knowledge.Query{}},
		{"query", knowledge.Query{Text: " \n"}},
		{"query", knowledge.Query{Text: "open\xff"}},
		{"query", knowledge.Query{Text: "open\x00"}},
		{"query", knowledge.Query{Text: strings.Repeat("x", knowledge.MaxQuery+1)}},
		{"limit", knowledge.Query{Text: "open", Limit: -1}},
		{"limit", knowledge.Query{Text: "open", Limit: knowledge.MaxHits + 1}},
		{"filter.a", knowledge.Query{Text: "open", Filter: map[string]any{"a": map[string]any{}}}},
		{"filter.a", knowledge.Query{Text: "open", Filter: map[string]any{"a": nil}}},
		{"filter.a", knowledge.Query{Text: "open", Filter: map[string]any{"a": math.Inf(1)}}},
	} {
		_, err := kb.Search(t.Context(), tt.query)
		if invalid, ok := errors.AsType[*knowledge.InvalidError](err); !ok || invalid.Field != tt.field {
			t.Errorf("Search(%.60q…) = error %v, want an InvalidError of %s", fmt.Sprintf("%.80v", tt.query), err, tt.field)
		}
	}
	if _, err := kb.Search(t.Context(), knowledge.Query{Text: "open", AgentID: "doc_1"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Search as agent doc_1 = error %v, want %v", err, store.ErrNotFound)
	}
	if r, err := kb.Search(t.Context(), knowledge.Query{Text: strings.Repeat("open ", knowledge.MaxQuery/5), Limit: knowledge.MaxHits}); err != nil || len(r.Hits) != 1 {
		t.Errorf("Search of as much as may be = %d hits, %v, want one", len(r.Hits), err)
	}
}
