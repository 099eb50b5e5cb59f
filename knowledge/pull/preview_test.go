package pull_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/pull"
)

func preview(t testing.TB, h http.HandlerFunc, src pull.Source) pull.Preview {
	t.Helper()
	address := serve(t, h)
	src.URL = address + src.URL
	p := newPuller(t, guarded(t, address), nil)
	got, err := p.Preview(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.Preview(t.Context(), src)
	if err != nil || !reflect.DeepEqual(got, again) {
		t.Errorf("a second preview = %+v, %v\nwant %+v", again, err, got)
	}
	return got
}

// TestSuggestions are of answers as the APIs of well-known systems give them.
func TestSuggestions(t *testing.T) {
	long := "Send the parcel back within thirty days, and the money is on its way."
	for name, c := range map[string]struct {
		body    string
		header  string // Link
		items   string
		mapping pull.Mapping
		paging  pull.Pagination
	}{
		"help center": {
			body: `{"articles":[
				{"id":35436,"url":"https://x.example.com/api/v2/articles/35436.json","html_url":"https://x.example.com/hc/articles/35436","title":"Returns","name":"Returns","body":"<p>` + long + `</p>","locale":"en-us","section_id":98838,"draft":false,"label_names":["orders","money"],"created_at":"2025-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"},
				{"id":35437,"url":"https://x.example.com/api/v2/articles/35437.json","html_url":"https://x.example.com/hc/articles/35437","title":"Payment","name":"Payment","body":"<p>By card.</p>","locale":"en-us","section_id":98838,"draft":true,"label_names":[],"created_at":"2025-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}],
				"meta":{"has_more":true,"after_cursor":"xxx","before_cursor":"yyy"},"links":{"prev":null,"next":"https://x.example.com/api/v2/articles.json?page[after]=xxx"}}`,
			items: "$.articles",
			mapping: pull.Mapping{ID: "$.id", Title: "$.title", Text: "$.body", URL: "$.html_url",
				Metadata: map[string]string{"label_names": "$.label_names[*]", "locale": "$.locale", "created_at": "$.created_at", "updated_at": "$.updated_at"}},
			paging: pull.Pagination{Kind: pull.Next, Path: "$.links.next"},
		},
		"blog": {
			body:   `[{"id":1,"date":"2026-01-01","slug":"a","status":"publish","link":"https://x.example.com/a","title":{"rendered":"Returns"},"content":{"rendered":"<p>` + long + `</p>","protected":false},"excerpt":{"rendered":"<p>Send it.</p>"},"tags":[4,5]},{"id":2,"date":"2026-01-02","slug":"b","status":"publish","link":"https://x.example.com/b","title":{"rendered":"Payment"},"content":{"rendered":"<p>By card.</p>","protected":false},"excerpt":{"rendered":""},"tags":[]}]`,
			header: `<https://x.example.com/wp-json/wp/v2/posts?page=2>; rel="next"`,
			items:  "$",
			mapping: pull.Mapping{ID: "$.id", Title: "$.title.rendered", Text: "$.content.rendered", URL: "$.link",
				Metadata: map[string]string{"tags": "$.tags[*]", "status": "$.status", "date": "$.date"}},
			paging: pull.Pagination{Kind: pull.Link},
		},
		"json:api": {
			body:    `{"data":[{"type":"articles","id":"1","attributes":{"title":"Returns","body":"` + long + `"},"relationships":{"author":{"data":{"id":"9","type":"people"}}}}],"included":[{"type":"people","id":"9","attributes":{"name":"Ann"}}]}`,
			items:   "$.data",
			mapping: pull.Mapping{ID: "$.id", Title: "$.attributes.title", Text: "$.attributes.body", Metadata: map[string]string{"type": "$.type"}},
		},
		"questions": {
			body:    `{"faqs":[{"question":"When do you open?","answer":"At nine in the morning."},{"question":"Where?","answer":"In Kuwait City."}],"next_cursor":"abc","has_more":true}`,
			items:   "$.faqs",
			mapping: pull.Mapping{Title: "$.question", Text: "$.answer"},
			paging:  pull.Pagination{Kind: pull.Cursor, Path: "$.next_cursor", More: "$.has_more"},
		},
		"products": {
			body:    `{"count":2,"products":[{"sku":"a1","name":"Lamp","price":{"amount":5,"currency":"EUR"},"colour":"red"},{"sku":"a2","name":"Bulb","price":{"amount":1,"currency":"EUR"},"colour":"white"}]}`,
			items:   "$.products",
			mapping: pull.Mapping{ID: "$.sku", Title: "$.name", Flatten: true, Metadata: map[string]string{"currency": "$.price.currency"}},
		},
		"one object":  {body: `{"id":1,"name":"Hours","text":"We open at nine, every day."}`, items: "$", mapping: pull.Mapping{ID: "$.id", Title: "$.name", Text: "$.text"}},
		"odd names":   {body: `{"the list":[{"a b":{"id":1},"it's":"` + long + `"}]}`, items: "$['the list']", mapping: pull.Mapping{ID: "$['a b'].id", Text: `$['it\'s']`}},
		"nothing yet": {body: `{"total":0,"items":[]}`, items: "$.items"},
	} {
		t.Run(name, func(t *testing.T) {
			src := pull.Source{}
			got := preview(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.header != "" {
					w.Header().Set("Link", c.header)
				}
				fmt.Fprint(w, c.body)
			}, src)
			if got.Items != c.items || !reflect.DeepEqual(got.Mapping, c.mapping) || got.Pagination != c.paging {
				t.Errorf("items %s, mapping %+v, pagination %+v\nwant  %s, mapping %+v, pagination %+v", got.Items, got.Mapping, got.Pagination, c.items, c.mapping, c.paging)
			}
			for _, it := range got.Sample {
				if it.Err != nil {
					t.Errorf("item %+v: %v", it, it.Err)
				}
			}
			// What is suggested can be pulled, and gives the same.
			if len(got.Sample) == 0 {
				return
			}
			pulled := pullFrom(t, answer(c.body), pull.Source{Items: got.Items, Mapping: got.Mapping})
			for i, it := range pulled.items {
				if strings.HasPrefix(it.URL, "http://127.0.0.1") {
					continue
				}
				if !reflect.DeepEqual(it, got.Sample[i]) {
					t.Errorf("pulled %+v\npreview %+v", it, got.Sample[i])
				}
			}
		})
	}
}

func TestPreview(t *testing.T) {
	list := articles(1, 25)
	list[3]["body"] = ""
	list[4]["id"] = 1
	list[5]["tags"] = []any{"a", 2, nil, map[string]any{"x": strings.Repeat("é", 100)}}
	body := encode(map[string]any{"data": map[string]any{"items": list}, "total": 25})
	got := preview(t, answer(body), pull.Source{Items: "data.items", Mapping: pull.Mapping{ID: "id", Title: "name", Text: "body"}})
	if got.Total != 25 || len(got.Sample) != 10 || got.Sample[0].Text != "What article 1 says." || got.Sample[3].Err == nil || got.Sample[0].Page != 1 || got.Sample[9].Index != 9 {
		t.Errorf("total %d, sample %+v", got.Total, got.Sample)
	}
	wantAnswer := []pull.Found{
		{Path: "$", Types: []string{"object"}, Count: 1},
		{Path: "$.data", Types: []string{"object"}, Count: 1},
		{Path: "$.data.items", Types: []string{"list"}, Count: 1},
		{Path: "$.total", Types: []string{"number"}, Count: 1, Example: "25"},
	}
	if !reflect.DeepEqual(got.Answer, wantAnswer) {
		t.Errorf("answer = %+v\nwant %+v", got.Answer, wantAnswer)
	}
	want := []pull.Found{
		{Path: "$.body", Types: []string{"string"}, Count: 25, Example: "What article 1 says."},
		{Path: "$.id", Types: []string{"number"}, Count: 25, Example: "1"},
		{Path: "$.tags", Types: []string{"list"}, Count: 1},
		{Path: "$.tags[*]", Types: []string{"null", "number", "object", "string"}, Count: 4, Example: "a"},
		{Path: "$.tags[*].x", Types: []string{"string"}, Count: 1, Example: strings.Repeat("é", 79) + "…"},
		{Path: "$.title", Types: []string{"string"}, Count: 25, Example: "Article 1"},
	}
	if !reflect.DeepEqual(got.Paths, want) {
		t.Errorf("paths = %+v\nwant %+v", got.Paths, want)
	}
	problems := []string{
		"body path of the text matches only what is empty (in 1 of 25 items)",
		"id: id names more than one item (in 1 of 25 items)",
		"title: name matches nothing (in 24 of 25 items)",
	}
	if !reflect.DeepEqual(got.Problems, problems) {
		t.Errorf("problems = %q\nwant %q", got.Problems, problems)
	}
}

func TestPreviewOfAWrongPath(t *testing.T) {
	got := preview(t, answer(encode(map[string]any{"data": articles(1, 2)})), pull.Source{Items: "items"})
	if got.Items != "$.data" || got.Total != 2 || len(got.Sample) != 2 || len(got.Problems) != 1 || !strings.Contains(got.Problems[0], "has no member items") {
		t.Errorf("preview = %+v", got)
	}
	if got := preview(t, answer(""), pull.Source{}); len(got.Problems) != 1 || got.Sample == nil {
		t.Errorf("preview of nothing = %+v", got)
	}
	big := encode(map[string]any{"data": articles(1, 30_000), "other": make([]int, 300_000)})
	if got := preview(t, answer(big), pull.Source{}); got.Items != "$.data" || got.Total != 30_000 {
		t.Errorf("preview of a large answer = %s, %d items", got.Items, got.Total)
	}
}

func TestPreviewsThatFail(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/words" {
			fmt.Fprint(w, "words")
			return
		}
		w.WriteHeader(401)
	})
	p := newPuller(t, guarded(t, address), nil)
	for path, kind := range map[string]pull.Kind{"/": pull.KindAuth, "/words": pull.KindSchema} {
		_, err := p.Preview(t.Context(), pull.Source{URL: address + path, Header: http.Header{"X-Key": {"SENTINEL"}}})
		if e, ok := errors.AsType[*pull.Error](err); !ok || e.Kind != kind || !strings.Contains(e.Curl, `"X-Key: $TOKEN"`) {
			t.Errorf("%s: %+v", path, err)
		}
	}
	if _, err := p.Preview(t.Context(), pull.Source{}); err == nil {
		t.Error("a preview of no url = nil")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Preview(ctx, pull.Source{URL: address}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want the context's", err)
	}
}
