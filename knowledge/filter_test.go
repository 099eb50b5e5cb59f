package knowledge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// m is a filter or metadata.
type m = map[string]any

// What each operator chooses.
func TestFilterOperators(t *testing.T) {
	kb := newBase(t)
	for _, d := range []knowledge.Document{
		{Title: "a", Metadata: m{"price": 10, "sku": "A-1", "tags": []string{"new", "boat"}, "day": "2026-01-31", "public": true}},
		{Title: "b", Metadata: m{"price": 20.5, "sku": "A-2", "tags": []string{"old"}, "day": "2026-02-01T08:00:00Z", "public": false}},
		{Title: "c", Metadata: m{"price": "10", "sku": "B-1", "tags": []string{}, "$odd": "x", "$$odd": "y"}},
		{Title: "d", Metadata: m{"price": []int{5, 25}, "sku": ""}, URL: "https://shop.example/d", ExternalID: "shelf/d.md"},
		{Title: "e", Kind: knowledge.KindQA, Questions: []string{"open?"}, URL: "https://shop.example/e"},
		{Title: "f", Kind: knowledge.KindContent, Metadata: m{"category": "Docs"}},
		{Title: "g", Kind: knowledge.KindContent, Metadata: m{"title": "own"}},
	} {
		d.Text = "We open at nine."
		put(t, kb, d)
	}
	for _, tt := range []struct {
		filter m
		want   string
	}{
		{m{"price": m{"$gte": 10}}, "abd"},
		{m{"price": m{"$gt": 10}}, "bd"},
		{m{"price": m{"$lt": 10}}, "d"},
		{m{"price": m{"$lte": 10}}, "ad"},
		{m{"price": m{"$gte": 10, "$lt": 20}}, "a"},
		{m{"price": m{"$gt": 5, "$lt": 25}}, "ab"}, // no price of d is both
		{m{"price": m{"$gt": "1"}}, "c"},
		{m{"price": m{"$eq": 10}}, "a"},
		{m{"price": m{"$ne": 10}}, "bcdefg"},
		{m{"price": m{"$ne": 10, "$exists": true}}, "bcd"},
		{m{"price": m{"$in": []any{"10", 25}}}, "cd"},
		{m{"price": m{"$nin": []int{10, 25}, "$gt": 0}}, "b"},
		{m{"price": m{"$in": []int{10, 20, 25}, "$gt": 10}}, "d"},
		{m{"price": m{"$exists": false}}, "efg"},
		{m{"tags": m{"$exists": true}}, "ab"},
		{m{"tags": m{"$in": []string{"boat", "old"}}}, "ab"},
		{m{"tags": m{"$nin": []string{"boat"}}}, "bcdefg"},
		{m{"tags": m{"$prefix": "b"}}, "a"},
		{m{"sku": m{"$prefix": "A-"}}, "ab"},
		{m{"sku": m{"$prefix": ""}}, "abcd"},
		{m{"sku": m{"$gt": "A-1", "$lte": "B-1"}}, "bc"},
		{m{"day": m{"$gte": "2026-02-01"}}, "b"},
		{m{"public": m{"$eq": false}}, "b"},
		{m{"public": m{"$ne": true}}, "bcdefg"},
		{m{"$or": []any{m{"sku": "A-1"}, m{"price": 20.5}}}, "ab"},
		{m{"$or": []m{{"sku": "A-1"}, {"$and": []m{{"sku": m{"$prefix": "A"}}, {"tags": "old"}}}}}, "ab"},
		{m{"$not": m{"sku": m{"$exists": true}}}, "efg"},
		{m{"$not": m{"sku": "A-1", "price": 20.5}}, "abcdefg"},
		{m{"$and": []any{m{"price": m{"$gt": 0}}, m{"price": m{"$lt": 20}}}}, "ad"},
		{m{"sku": m{"$prefix": "A"}, "$not": m{"tags": "new"}}, "b"},
		{m{"$$odd": "x"}, "c"},
		{m{"$$$odd": "y"}, "c"},
		{m{"$kind": "qa"}, "e"},
		{m{"$kind": []knowledge.Kind{knowledge.KindQA, knowledge.KindContent}}, "efg"},
		{m{"$url": m{"$prefix": "https://shop.example/"}}, "de"},
		{m{"$url": m{"$exists": false}}, "abcfg"},
		{m{"$external_id": "shelf/d.md"}, "d"},
		{m{"$language": "no-such"}, ""},
		{m{"$source_id": m{"$exists": true}}, ""},
		{m{"title": "f", "category": "Docs"}, "f"},
		{m{"title": "own"}, "g"},
		{m{"title": "a"}, ""},
	} {
		if got := strings.Join(sorted(t, kb, knowledge.Query{Text: "open", Filter: tt.filter}), ""); got != tt.want {
			t.Errorf("Search with filter %v = %q, want %q", tt.filter, got, tt.want)
		}
	}
}

// nested is a filter in so many others.
func nested(depth int) m {
	f := m{"a": 1}
	for range depth - 1 {
		f = m{"$not": f}
	}
	return f
}

// What cannot be taken is named by its place.
func TestFilterErrors(t *testing.T) {
	kb := newBase(t)
	many := m{}
	for i := range knowledge.MaxConditions {
		many[fmt.Sprint("k", i)] = 1
	}
	long := strings.Repeat("x", knowledge.MaxFilterBytes/49)
	longs := make([]string, 50)
	for i := range longs {
		longs[i] = long
	}
	for _, tt := range []struct {
		field, reason string
		filter        m
	}{
		{"", "", many},
		{"", "", nested(knowledge.MaxFilterDepth)},
		{"", "", m{"a": make([]int, knowledge.MaxFilterValues)}},
		{"filter.z.$gt", "more than 100 conditions", m{"$and": []any{many}, "z": m{"$gt": 1}}},
		{"filter.$or", "more than 100 conditions", m{"$or": slices.Repeat([]any{m{"a": 1}}, 101)}},
		{"filter.$or[99].a", "more than 100 conditions", m{"$or": slices.Repeat([]any{m{"a": 1}}, 100), "$and": []any{m{"a": 1}}}},
		{"filter" + strings.Repeat(".$not", knowledge.MaxFilterDepth), "write it flatter", nested(knowledge.MaxFilterDepth + 1)},
		{"filter.a", "ask in parts", m{"a": make([]int, knowledge.MaxFilterValues+1)}},
		{"filter.a.$in[49]", "ask in parts", m{"a": m{"$in": longs}}},
		{"filter.$or[1].price.$gte", "booleans have no order", m{"$or": []any{m{"a": 1}, m{"price": m{"$gte": true}}}}},
		{"filter.price.$regex", "no operator: write one of $eq", m{"price": m{"$regex": "x"}}},
		{"filter.address.city", "metadata holds no objects", m{"address": m{"city": "Graz"}}},
		{"filter.price.$or", "no operator", m{"price": m{"$or": []any{}}}},
		{"filter.$gt", "write $$gt for metadata of this name", m{"$gt": 1}},
		{"filter.$title", "$url", m{"$title": "x"}},
		{"filter.a", "no operator", m{"a": m{}}},
		{"filter.a", `{"$exists": false}`, m{"a": nil}},
		{"filter.a.$in[1]", `{"$exists": false}`, m{"a": m{"$in": []any{1, nil}}}},
		{"filter.a[0]", "text, a number or a boolean", m{"a": []any{[]any{1}}}},
		{"filter.a.$eq", "text, a number or a boolean", m{"a": m{"$eq": []string{"x"}}}},
		{"filter.a.$ne", "text, a number or a boolean", m{"a": m{"$ne": []string{"x"}}}},
		{"filter.a.$in", "must be a list", m{"a": m{"$in": "x"}}},
		{"filter.a.$nin", "must be a list", m{"a": m{"$nin": m{}}}},
		{"filter.a.$prefix", "must be text", m{"a": m{"$prefix": 1}}},
		{"filter.a.$exists", "true or false", m{"a": m{"$exists": 1}}},
		{"filter.a", "text, a number or a boolean", m{"a": math.NaN()}},
		{"filter.a", "text, a number or a boolean", m{"a": json.Number("x")}},
		{"filter.a", "zero byte", m{"a": "\x00"}},
		{"filter.a.$lt", "UTF-8", m{"a": m{"$lt": "\xff"}}},
		{"filter", "1 to 128 bytes", m{"": 1}},
		{"filter.$not", "1 to 128 bytes", m{"$not": m{strings.Repeat("k", 129): 1}}},
		{"filter.$not", "an object", m{"$not": []any{m{"a": 1}}}},
		{"filter.$not", "leave it out", m{"$not": m{}}},
		{"filter.$and", "leave it out", m{"$and": []any{}}},
		{"filter.$and[0]", "leave it out", m{"$and": []any{m{}}}},
		{"filter.$and", "list of filters", m{"$and": m{"a": 1}}},
		{"filter.$and[1]", "an object", m{"$and": []any{m{"a": 1}, 1}}},
	} {
		_, err := kb.Search(t.Context(), knowledge.Query{Text: "open", Filter: tt.filter})
		invalid, _ := errors.AsType[*knowledge.InvalidError](err)
		switch {
		case tt.field == "" && err != nil:
			t.Errorf("Search with a filter at its limits = error %v, want none", err)
		case tt.field != "" && (invalid == nil || invalid.Field != tt.field || !strings.Contains(invalid.Reason, tt.reason)):
			t.Errorf("Search with filter %.100v = error %v, want %s: …%s…", tt.filter, err, tt.field, tt.reason)
		}
	}
}

// naive reports what a filter chooses by reading it from the top for each
// document.
func naive(filter, metadata m) bool {
	for key, v := range filter {
		switch key {
		case "$and":
			if slices.ContainsFunc(v.([]any), func(f any) bool { return !naive(f.(m), metadata) }) {
				return false
			}
			continue
		case "$or":
			if !slices.ContainsFunc(v.([]any), func(f any) bool { return naive(f.(m), metadata) }) {
				return false
			}
			continue
		case "$not":
			if naive(v.(m), metadata) {
				return false
			}
			continue
		}
		have, isList := metadata[key].([]any)
		if !isList && metadata[key] != nil {
			have = []any{metadata[key]}
		}
		is := func(name string, want any) func(any) bool {
			return func(got any) bool { return naiveTest(name, got, want) }
		}
		asked, isOperators := v.(m)
		switch list, isList := v.([]any); {
		case isList:
			asked = m{"$in": list}
		case !isOperators:
			asked = m{"$eq": v}
		}
		positive := false
		for name, want := range asked {
			switch name {
			case "$exists":
				if (len(have) > 0) != want {
					return false
				}
			case "$ne", "$nin":
				if slices.ContainsFunc(have, is(name, want)) {
					return false
				}
			default:
				positive = true
			}
		}
		if positive && !slices.ContainsFunc(have, func(got any) bool {
			for name, want := range asked {
				if name != "$exists" && name != "$ne" && name != "$nin" && !is(name, want)(got) {
					return false
				}
			}
			return true
		}) {
			return false
		}
	}
	return true
}

func naiveTest(name string, got, want any) bool {
	order := 2 // of another type
	switch a := got.(type) {
	case string:
		if b, ok := want.(string); ok {
			order = strings.Compare(a, b)
		}
	case float64:
		if b, ok := want.(float64); ok {
			order = int(math.Copysign(1, a-b))
			if a == b {
				order = 0
			}
		}
	case bool:
		if a == want {
			order = 0
		}
	}
	switch name {
	case "$eq", "$ne":
		return order == 0
	case "$in", "$nin":
		return slices.Contains(want.([]any), got)
	case "$gt":
		return order == 1
	case "$gte":
		return order == 0 || order == 1
	case "$lt":
		return order == -1
	case "$lte":
		return order == 0 || order == -1
	case "$prefix":
		a, ok := got.(string)
		return ok && strings.HasPrefix(a, want.(string))
	}
	return false
}

// A random value, of few, so that they meet.
func randomValue(r *rand.Rand) any {
	switch r.IntN(7) {
	case 0:
		return r.IntN(2) == 0
	case 1, 2:
		return []float64{-1e300, -2, -0.5, 0, 1, 1.5, 2, 10, 1e300}[r.IntN(9)]
	case 3:
		return fmt.Sprintf("2026-%02d-%02d", 1+r.IntN(3), 1+r.IntN(3))
	}
	return strings.Repeat("abé\u4e2d\U0010ffff", 2)[:[]int{0, 1, 2, 4, 7, 11}[r.IntN(6)]]
}

func randomFilter(r *rand.Rand, depth int) m {
	f := m{}
	for range 1 + r.IntN(2) {
		switch n := r.IntN(10); {
		case n == 0 && depth > 0:
			f["$not"] = randomFilter(r, depth-1)
		case n < 3 && depth > 0:
			list := []any{randomFilter(r, depth-1), randomFilter(r, depth-1)}
			f[[]string{"$and", "$or"}[r.IntN(2)]] = list[:1+r.IntN(2)]
		case n < 5:
			f[randomKey(r)] = randomValue(r)
		case n < 6:
			f[randomKey(r)] = []any{randomValue(r), randomValue(r)}
		default:
			asked := m{}
			for range 1 + r.IntN(2) {
				switch op := []string{"$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$prefix", "$exists"}[r.IntN(10)]; op {
				case "$exists":
					asked[op] = r.IntN(2) == 0
				case "$in", "$nin":
					asked[op] = []any{randomValue(r), randomValue(r), randomValue(r)}[:r.IntN(4)]
				default:
					v := randomValue(r)
					if _, isBool := v.(bool); isBool && op != "$eq" && op != "$ne" {
						v = 1.0
					}
					if _, isText := v.(string); !isText && op == "$prefix" {
						v = "a"
					}
					asked[op] = v
				}
			}
			f[randomKey(r)] = asked
		}
	}
	return f
}

func randomKey(r *rand.Rand) string { return []string{"a", "b", "ab", "aa"}[r.IntN(4)] }

// Random filters choose of random documents what the naive reading of them does.
func TestFilterAgainstNaive(t *testing.T) {
	kb := newBase(t)
	r := rand.New(rand.NewPCG(1, 2))
	metadata := map[string]m{}
	write := func(n int) {
		docs := make([]knowledge.Document, n)
		for i := range docs {
			d := m{}
			for range r.IntN(4) {
				switch r.IntN(4) {
				case 0:
					list := []any{randomValue(r), randomValue(r), randomValue(r)}
					d[randomKey(r)] = list[:r.IntN(4)]
				default:
					d[randomKey(r)] = randomValue(r)
				}
			}
			id := fmt.Sprint(r.IntN(90))
			metadata[id] = d
			docs[i] = knowledge.Document{ExternalID: id, Text: "We open at nine.", Metadata: d}
		}
		if _, err := kb.PutAll(t.Context(), docs...); err != nil {
			t.Fatal(err)
		}
	}
	chosen := 0
	for step := range 1000 {
		if step%50 == 0 {
			write(1 + 60/(1+step/50))
		}
		filter := randomFilter(r, 3)
		found, err := kb.Search(t.Context(), knowledge.Query{Text: "open", Filter: filter, Limit: knowledge.MaxHits})
		if err != nil {
			t.Fatalf("Search with filter %v = error %v", filter, err)
		}
		got := map[string]bool{}
		for _, h := range found.Hits {
			got[h.ExternalID] = true
		}
		for id, d := range metadata {
			if want := naive(filter, d); got[id] != want {
				t.Fatalf("the filter %v chooses a document with %v: %t, want %t", filter, d, got[id], want)
			}
		}
		if len(got) > 0 && len(got) < len(metadata) {
			chosen++
		}
	}
	if chosen < 300 {
		t.Errorf("%d of 1000 filters choose some documents and not others, want more: otherwise this shows little", chosen)
	}
}

// Whatever a filter looks like, it is taken or refused by its place, and what is
// taken chooses what the naive reading of it does.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`{"a":1}`, `{"a":["x",true,2]}`, `{"a":{"$gte":1,"$lt":"b"}}`, `{"$or":[{"a":{"$prefix":"x"}},{"$not":{"b":{"$exists":true}}}]}`,
		`{"$and":[{"a":{"$ne":1}},{"a":{"$nin":[]}}]}`, `{"$$a":1}`, `{"$kind":"qa"}`, `{"$or":[]}`, `{"a":{"b":1}}`, `{"a":null}`,
	} {
		f.Add(s)
	}
	kb := newBase(f)
	metadata := []m{{"a": 1.0}, {"a": "x"}, {"a": []any{1.0, "xy", true}, "b": "b"}, {}, {"b": false}}
	for i, d := range metadata {
		put(f, kb, knowledge.Document{ExternalID: fmt.Sprint(i), Text: "We open at nine.", Metadata: d})
	}
	f.Fuzz(func(t *testing.T, text string) {
		var filter m
		if json.Unmarshal([]byte(text), &filter) != nil {
			return
		}
		found, err := kb.Search(t.Context(), knowledge.Query{Text: "open", Filter: filter})
		if invalid, ok := errors.AsType[*knowledge.InvalidError](err); ok && strings.HasPrefix(invalid.Field, "filter") && invalid.Reason != "" {
			return
		}
		if err != nil {
			t.Fatalf("Search with filter %s = error %v, want none or a place in the filter", text, err)
		}
		if strings.Contains(text, "$$") || strings.Contains(text, `$`+`kind`) || strings.Contains(text, "_id") || strings.Contains(text, "$url") || strings.Contains(text, "$language") || strings.Contains(text, `\u`) {
			return // the naive reading knows the metadata and no fields
		}
		for i, d := range metadata {
			got := slices.ContainsFunc(found.Hits, func(h knowledge.Hit) bool { return h.ExternalID == fmt.Sprint(i) })
			if want := naive(filter, d); got != want {
				t.Errorf("the filter %s chooses a document with %v: %t, want %t", text, d, got, want)
			}
		}
	})
}
