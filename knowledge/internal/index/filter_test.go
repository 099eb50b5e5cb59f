package index

import (
	"strings"
	"testing"
)

func TestFilters(t *testing.T) {
	x := New(nil)
	put := func(id, agent, kind string, metadata map[string]any) {
		x.Put(Document{ID: id, AgentID: agent, Fields: map[string]string{"$kind": kind, "$language": ""}, ExternalID: id + id, URL: strings.ReplaceAll("https://x/"+id, "https://x/b", ""), Metadata: metadata, Passages: []Passage{{Body: "tea"}}})
	}
	put("a", "", "page", map[string]any{"lang": "en", "tags": []any{"x", "y"}, "year": 2024, "t": "\U0010FFFF"})
	put("b", "agt_1", "qa", map[string]any{"lang": "fr", "tags": []string{"y"}, "year": 2025.0, "zero": 0.0, "t": ""})
	put("c", "agt_2", "page", map[string]any{"lang": "en", "draft": true, "tags": nil, "n": map[string]any{"a": 1}, "year": []int{1999, 2050}, "$kind": "own", "t": []any{nil}})
	has := func(name string, tests ...Test) Filter { return Has{name, tests} }
	is := func(name string, v any) Filter { return has(name, Test{Op: Eq, Value: v}) }
	in := func(name string, v ...any) Filter { return has(name, Test{Op: In, In: v}) }
	for _, tt := range []struct {
		query Query
		want  string
	}{
		{Query{}, "a b c"},
		{Query{AgentID: "agt_1"}, "a b"},
		{Query{AgentID: "agt_3"}, "a"},
		{Query{Filter: is("$kind", "page")}, "a c"},
		{Query{Filter: in("$kind", "qa", "page"), AgentID: "agt_2"}, "a c"},
		{Query{Filter: is("$kind", "none")}, ""},
		{Query{Filter: is("$$kind", "own")}, "c"},
		{Query{Filter: has("$language")}, ""},
		{Query{Filter: has("$url")}, "a c"},
		{Query{Filter: Not{has("$url")}}, "b"},
		{Query{Filter: is("$url", "")}, ""},
		{Query{Filter: is("$url", "https://x/a")}, "a"},
		{Query{Filter: is("$url", 1.0)}, ""},
		{Query{Filter: in("$external_id", "cc", 1.0, "aa", "ab")}, "a c"},
		{Query{Filter: in("$external_id")}, ""},
		{Query{Filter: has("$external_id", Test{Op: Gt, Value: "aa"}, Test{Op: Lte, Value: "cc"})}, "b c"},
		{Query{Filter: has("$external_id", Test{Op: Gte, Value: "aa"}, Test{Op: Lt, Value: "cc"}, Test{Op: Lt, Value: "bb"})}, "a"},
		{Query{Filter: has("$external_id", Test{Op: Prefix, Value: "b"})}, "b"},
		{Query{Filter: has("$external_id", Test{Op: Prefix, Value: ""})}, "a b c"},
		{Query{Filter: has("$external_id", Test{Op: Gt, Value: 1.0})}, ""},
		{Query{Filter: has("$external_id", Test{Op: Gt, Value: "aa"}, Test{Op: In, In: []any{"aa", "bb"}}, Test{Op: Eq, Value: "bb"})}, "b"},
		{Query{Filter: is("lang", "en")}, "a c"},
		{Query{Filter: in("lang", "fr", "de", 3.0, true)}, "b"},
		{Query{Filter: is("tags", "y")}, "a b"},
		{Query{Filter: in("tags", "x", "z")}, "a"},
		{Query{Filter: is("tags", nil)}, ""},
		{Query{Filter: has("tags")}, "a b"},
		{Query{Filter: has("t")}, "a b"},
		{Query{Filter: has("n")}, ""},
		{Query{Filter: All{is("tags", "y"), is("lang", "fr")}}, "b"},
		{Query{Filter: is("year", 2024.0)}, "a"},
		{Query{Filter: is("year", int64(2025))}, "b"},
		{Query{Filter: is("year", uint8(5))}, ""},
		{Query{Filter: is("year", "2025")}, ""},
		{Query{Filter: is("draft", true)}, "c"},
		{Query{Filter: is("draft", false)}, ""},
		{Query{Filter: is("zero", -1/1e400)}, "b"},
		{Query{Filter: in("lang")}, ""},
		{Query{Filter: is("other", "en")}, ""},
		{Query{Filter: is("", "en")}, ""},
		{Query{Filter: All{}}, "a b c"},
		{Query{Filter: Any{}}, ""},
		{Query{Filter: Any{is("lang", "fr"), is("draft", true), is("no", "no")}}, "b c"},
		{Query{Filter: Any{is("lang", "fr"), All{}}}, "a b c"},
		{Query{Filter: Not{is("lang", "en")}}, "b"},
		{Query{Filter: Not{is("no", "no")}}, "a b c"},
		{Query{Filter: Not{All{}}}, ""},
		{Query{Filter: Not{Not{is("lang", "fr")}}}, "b"},
		{Query{Filter: Not{Any{is("lang", "fr"), is("draft", true)}}}, "a"},
		{Query{Filter: has("year", Test{Op: Gte, Value: 2025.0})}, "b c"},
		{Query{Filter: has("year", Test{Op: Gt, Value: 2024.5}, Test{Op: Lte, Value: 2025})}, "b"}, // of c no year is both
		{Query{Filter: has("year", Test{Op: Lt, Value: 2024})}, "c"},
		{Query{Filter: has("year", Test{Op: Gt, Value: -1e308})}, "a b c"},
		{Query{Filter: has("year", Test{Op: Lt, Value: -1.0})}, ""},
		{Query{Filter: has("year", Test{Op: Gt, Value: "2"})}, ""},
		{Query{Filter: has("year", Test{Op: Gt, Value: 1.0}, Test{Op: Lt, Value: "3"})}, ""},
		{Query{Filter: has("year", Test{Op: In, In: []any{1999.0, 2024.0}}, Test{Op: Gt, Value: 2000.0})}, "a"},
		{Query{Filter: has("year", Test{Op: In, In: []any{1999.0, 2024.0}}, Test{Op: Eq, Value: 1999.0})}, "c"},
		{Query{Filter: has("lang", Test{Op: Prefix, Value: "f"})}, "b"},
		{Query{Filter: has("lang", Test{Op: Prefix, Value: ""})}, "a b c"},
		{Query{Filter: has("t", Test{Op: Prefix, Value: "\U0010FFFF"})}, "a"},
		{Query{Filter: has("t", Test{Op: Lte, Value: ""})}, "b"},
		{Query{Filter: has("t", Test{Op: Gt, Value: ""})}, "a"},
		{Query{Filter: has("t", Test{Op: Gt, Value: nil})}, ""},
	} {
		tt.query.Text = "tea"
		r := x.Search(tt.query)
		got := strings.ReplaceAll(ids(r), "/0", "")
		if got != tt.want {
			t.Errorf("Search(%+v) = %q, want %q", tt.query, got, tt.want)
		}
		if none := len(r.Hits) == 0; none != (r.Signals.Coverage == 0 && r.Signals.Top == 0) {
			t.Errorf("Search(%+v) has %d hits and signals %+v", tt.query, len(r.Hits), r.Signals)
		}
	}
}

// Of many values each is found, also after most documents are gone.
func TestFiltersOfManyValues(t *testing.T) {
	x := New(nil)
	var changes []Change
	for i := range 3000 {
		changes = append(changes, Change{Put: &Document{ID: string(rune('a' + i)), Metadata: map[string]any{"n": float64(i)}, Passages: []Passage{{Body: "tea"}}}})
	}
	x.Apply(changes)
	size := x.Bytes()
	for range 2 {
		wanted := make([]any, 1000)
		for i := range wanted {
			wanted[i] = float64(2*i + 1000)
		}
		for _, n := range []struct {
			name   string
			filter Filter
			want   int
		}{
			{"a list", Has{"n", []Test{{Op: In, In: wanted}}}, 1000},
			{"a stretch", Has{"n", []Test{{Op: Gte, Value: 2000.0}, {Op: Lt, Value: 2999.0}}}, 999},
			{"all but one", Not{Has{"n", []Test{{Op: Eq, Value: 2500.0}}}}, -1},
		} {
			if n.want < 0 {
				n.want = x.Passages() - 1
			}
			if got := len(x.Search(Query{Text: "tea", Limit: 3000, Filter: n.filter}).Hits); got != n.want {
				t.Errorf("%s finds %d of %d, want %d", n.name, got, x.Passages(), n.want)
			}
		}
		for _, c := range changes[:1000] {
			x.Delete(c.Put.ID)
		}
	}
	if got := x.Bytes(); got > size {
		t.Errorf("after a third is gone the index takes %d bytes, want less than %d", got, size)
	}
}
