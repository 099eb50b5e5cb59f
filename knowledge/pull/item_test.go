package pull_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/pull"
)

// one pulls a single item with a mapping.
func one(t testing.TB, m pull.Mapping, item string) pull.Item {
	t.Helper()
	got := pullFrom(t, answer("["+item+`,{"id":"keeps the run going","body":"x","title":"x"}]`), pull.Source{URL: "/api/v2/articles?x=y", Mapping: m})
	for _, it := range slices.Concat(got.items, got.failed) {
		if it.Index == 0 {
			return it
		}
	}
	t.Fatalf("the item was not yielded: %+v, %v", got.report, got.err)
	return pull.Item{}
}

func TestMapping(t *testing.T) {
	for name, c := range map[string]struct {
		mapping pull.Mapping
		item    string
		want    pull.Item
	}{
		"all parts": {
			pull.Mapping{ID: "id", Title: "title", Text: "body", URL: "url", Metadata: map[string]string{"category": "category.name", "tags": "tags", "stock": "stock", "price": "$.price", "sale": "sale"}},
			`{"id":17,"title":"Returns","body":"Send it back.","url":"https://example.com/r","category":{"name":"Orders"},"tags":["a","b"],"stock":3,"price":9.5,"sale":true}`,
			pull.Item{ID: "17", Title: "Returns", Text: "Send it back.", URL: "https://example.com/r", Metadata: map[string]any{"category": "Orders", "tags": []any{"a", "b"}, "stock": int64(3), "price": 9.5, "sale": true}},
		},
		"nested lists are joined": {
			pull.Mapping{ID: "id", Text: "sections[*].blocks[*].text", Title: "names", Metadata: map[string]string{"authors": "sections[*].by.name"}},
			`{"id":"a","names":["Big","Book"],"sections":[{"by":{"name":"Ann"},"blocks":[{"text":"One."},{"text":"Two."}]},{"by":{"name":"Bob"},"blocks":[{"text":null},{"text":"Three."}]}]}`,
			pull.Item{ID: "a", Title: "Big Book", Text: "One.\n\nTwo.\n\nThree.", Metadata: map[string]any{"authors": []any{"Ann", "Bob"}}},
		},
		"several texts": {
			pull.Mapping{ID: "id", Text: "question", Texts: []string{"answer", "notes"}},
			`{"id":1,"answer":"At nine.","question":"When?"}`,
			pull.Item{ID: "1", Text: "When?\n\nAt nine.", Problems: []pull.Problem{{Field: "text", Path: "notes", Message: "matches nothing"}}},
		},
		"an order of its own": {
			pull.Mapping{ID: "id", Text: "$['b','a']"}, `{"id":1,"a":"A.","b":"B."}`, pull.Item{ID: "1", Text: "B.\n\nA."},
		},
		"html": {
			pull.Mapping{ID: "id", Title: "title.rendered", Text: "content"},
			`{"id":1,"title":{"rendered":"Caf&eacute; &#8211; <em>Menu</em>"},"content":"<h2>Today</h2><p>Soup &amp; bread</p>"}`,
			pull.Item{ID: "1", Title: "Café – Menu", Text: "<h2>Today</h2><p>Soup &amp; bread</p>", HTML: true},
		},
		"html beside text": {
			pull.Mapping{ID: "id", Text: "intro", Texts: []string{"content"}},
			`{"id":1,"intro":"If a < b\nthen c","content":"<p>Soup</p>"}`,
			pull.Item{ID: "1", Text: "<p>If a &lt; b<br>then c</p>\n\n<p>Soup</p>", HTML: true},
		},
		"text that only looks like html": {
			pull.Mapping{ID: "id", Text: "body"}, `{"id":1,"body":"x <y and y> z, List<String>, a & b, <https://example.com/p>"}`,
			pull.Item{ID: "1", Text: "x <y and y> z, List<String>, a & b, <https://example.com/p>"},
		},
		"characters that are none of a text": {
			pull.Mapping{ID: "id", Title: "title", Text: "body"}, `{"id":1,"title":" A\u0000\n B ","body":"one\r\ntwo\u0000\u001b\rthree\ud800"}`,
			pull.Item{ID: "1", Title: "A B", Text: "one\ntwo\nthree\uFFFD"},
		},
		"a relative address": {
			pull.Mapping{ID: "id", Text: "body", URL: "link"}, `{"id":1,"body":"x","link":"/help/1"}`, pull.Item{ID: "1", Text: "x", URL: "ADDRESS/help/1"},
		},
		"what does not fit is left out": {
			pull.Mapping{ID: "id", Title: "name", Text: "body", URL: "link", Metadata: map[string]string{"a": "nothing", "b": "object"}},
			`{"id":1,"body":"x","name":{"en":"x"},"link":"javascript:alert(1)","object":{"x":1}}`,
			pull.Item{ID: "1", Text: "x", Problems: []pull.Problem{
				{Field: "title", Path: "name", Message: "matches an object: name a value inside it, or set mapping.flatten"},
				{Field: "url", Path: "link", Message: "matches what is no address of a page"},
				{Field: "metadata.a", Path: "nothing", Message: "matches nothing"},
				{Field: "metadata.b", Path: "object", Message: "matches an object: name a value inside it, or set mapping.flatten"},
			}},
		},
		"known by its address": {
			pull.Mapping{Text: "body", URL: "url"}, `{"body":"x","url":"https://example.com/1"}`,
			pull.Item{ID: "https://example.com/1", Text: "x", URL: "https://example.com/1"},
		},
		"numbers as they are": {
			pull.Mapping{ID: "id", Text: "body", Metadata: map[string]string{"big": "big", "huge": "huge"}}, `{"id":12345678901234567890,"body":1.50,"big":9007199254740993,"huge":1e999}`,
			pull.Item{ID: "12345678901234567890", Text: "1.50", Metadata: map[string]any{"big": int64(9007199254740993), "huge": "1e999"}},
		},
		"flatten": {
			pull.Mapping{ID: "id", Title: "name", Flatten: true},
			`{"name":"Lamp","id":7,"price":{"amount":5.50,"currency_code":"EUR"},"colours":["red","blue"],"variants":[{"sku":"a","stock":null},{"sku":"b","size":""}],"available":true,"notes":"<p>Very <b>bright</b></p>",
			 "_links":{"self":"https://x"},"photo":"` + strings.Repeat("A", 300) + `","matrix":[[1,2],[3]],"empty":[],"none":{}}`,
			pull.Item{ID: "7", Title: "Lamp", Text: "available: true\ncolours: red, blue\nmatrix › 1: 1, 2\nmatrix › 2: 3\nnotes: Very bright\nprice › amount: 5.50\nprice › currency code: EUR\nvariants › 1 › sku: a\nvariants › 2 › sku: b"},
		},
		"flatten what is left": {
			pull.Mapping{ID: "id", Text: "body", Metadata: map[string]string{"tag": "tags[0]"}, Flatten: true}, `{"id":1,"body":"Says this.","tags":["a","b"],"more":{"x":1}}`,
			pull.Item{ID: "1", Text: "Says this.\n\nmore › x: 1\ntags: b", Metadata: map[string]any{"tag": "a"}},
		},
		"flatten an object that the text is": {
			pull.Mapping{ID: "id", Text: "spec", Flatten: true}, `{"id":1,"spec":{"w":1,"h":2},"also":"x"}`,
			pull.Item{ID: "1", Text: "h: 2\nw: 1\n\nalso: x"},
		},
		"a scalar": {pull.Mapping{Text: "$"}, `"Just this."`, pull.Item{Text: "Just this."}},
	} {
		t.Run(name, func(t *testing.T) {
			got := one(t, c.mapping, c.item)
			if got.Err != nil {
				t.Fatalf("error %v", got.Err)
			}
			if got.Hash == ([32]byte{}) {
				t.Error("no hash")
			}
			if strings.HasPrefix(c.want.URL, "ADDRESS") {
				if !strings.HasPrefix(got.URL, "http://127.0.0.1:") || !strings.HasSuffix(got.URL, c.want.URL[len("ADDRESS"):]) {
					t.Errorf("url = %s, want %s", got.URL, c.want.URL)
				}
				got.URL = c.want.URL
			}
			if c.mapping.ID == "" && c.want.ID == "" {
				if len(got.ID) != 32 {
					t.Errorf("id = %q, want one made of the content", got.ID)
				}
				got.ID = ""
			}
			got.Hash, got.Page = [32]byte{}, 0
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("item = %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestItemsThatCannotBeTaken(t *testing.T) {
	for name, c := range map[string]struct {
		mapping pull.Mapping
		item    string
		id      string
		path    string
		message string
	}{
		"no text":           {plain, `{"id":1,"title":"x"}`, "1", "body", "item 1: path of the text matches nothing"},
		"empty text":        {plain, `{"id":1,"body":" \n"}`, "1", "body", "item 1: path of the text matches only what is empty"},
		"text is an object": {plain, `{"id":1,"body":{"en":"x"}}`, "1", "body", "matches an object"},
		"no id":             {plain, `{"body":"x"}`, "", "id", "item 1 of page 1: path of the id matches nothing"},
		"id is an object":   {plain, `{"id":{"a":1},"body":"x"}`, "", "id", "path of the id matches an object"},
		"id is a list":      {plain, `{"id":[1,2],"body":"x"}`, "", "id", "path of the id matches 2 values"},
		"id is true":        {plain, `{"id":true,"body":"x"}`, "", "id", "path of the id matches true or false"},
		"id is empty":       {plain, `{"id":"","body":"x"}`, "", "id", "path of the id matches only what is empty"},
		"id is long":        {plain, `{"id":"` + strings.Repeat("x", 513) + `","body":"x"}`, "", "id", "id is longer than 512 bytes"},
		"nothing to flatten": {pull.Mapping{ID: "id", Flatten: true, Metadata: map[string]string{"x": "body", "y": "title"}}, `{"id":1,"x":null}`, "1", "",
			"there is no text in it"},
		"much metadata": {pull.Mapping{ID: "id", Text: "body", Metadata: map[string]string{"x": "x"}}, `{"id":1,"body":"x","x":[` + strings.Repeat(`"`+strings.Repeat("y", 999)+`",`, 30) + `1]}`, "1", "x",
			"metadata is more than 16384 bytes"},
		"many matches": {pull.Mapping{ID: "id", Text: "$..*"}, `{"id":1,"x":[` + strings.Repeat("1,", 10_001) + `1]}`, "1", "$..*", "matches more than 10000 values"},
		"deep":         {plain, strings.Repeat(`{"a":`, 70) + `1` + strings.Repeat(`}`, 70), "", "", "has more than 64 objects and lists within each other"},
		"many keys":    {plain, `{"id":1,"x":[` + strings.Repeat("1,", 100_001) + `1]}`, "", "", "too many keys and values"},
	} {
		t.Run(name, func(t *testing.T) {
			got := one(t, c.mapping, c.item)
			if got.Err == nil || got.ID != c.id || got.Err.Path != c.path || !strings.Contains(got.Err.Error(), c.message) {
				t.Fatalf("item %q has error %v with path %q, want item %q, path %q and %q", got.ID, got.Err, got.Err.Path, c.id, c.path, c.message)
			}
			if got.Err.Status != 200 || !strings.HasPrefix(got.Err.Curl, "curl ") || got.Text != "" {
				t.Errorf("item = %+v, error %+v", got, got.Err)
			}
		})
	}
}

func TestHash(t *testing.T) {
	m := pull.Mapping{ID: "id", Title: "title", Text: "body", Metadata: map[string]string{"tag": "tag"}}
	base := one(t, m, `{"id":1,"title":"T","body":"B","tag":"x","views":1}`)
	if same := one(t, m, `{"views":2,"tag":"x","body":"B","title":"T","id":1}`); same.Hash != base.Hash {
		t.Error("the hash depends on the order of members, or on one that is not mapped")
	}
	for _, other := range []string{`{"id":2,"title":"T","body":"B","tag":"x"}`, `{"id":1,"title":"TB","body":"B","tag":"x"}`, `{"id":1,"title":"T","body":"C","tag":"x"}`, `{"id":1,"title":"T","body":"B","tag":"y"}`, `{"id":1,"title":"T","body":"B"}`} {
		if got := one(t, m, other); got.Hash == base.Hash {
			t.Errorf("%s has the same hash", other)
		}
	}
	m = pull.Mapping{ID: "id", Flatten: true}
	if a, b := one(t, m, `{"id":1,"b":{"y":1,"x":2},"a":3}`), one(t, m, `{"a":3,"id":1,"b":{"x":2,"y":1}}`); a.Hash != b.Hash {
		t.Errorf("flattened %q and %q", a.Text, b.Text)
	}
}

func TestIDsOfARun(t *testing.T) {
	got := pullFrom(t, answer(`[{"id":1,"body":"One."},{"id":2,"body":"Two."},{"id":1,"body":"One."},{"id":2,"body":"Another."},{"id":3,"body":"Three."}]`), pull.Source{Mapping: pull.Mapping{ID: "id", Text: "body"}})
	got.wantEnd(t, pull.EndDone, true)
	if got.ids() != "1 2 3" || got.report.Repeated != 1 || len(got.failed) != 1 || got.failed[0].ID != "2" || !strings.Contains(got.failed[0].Err.Message, "same id") {
		t.Errorf("items %q, failed %+v, report %+v", got.ids(), got.failed, got.report)
	}
	got = pullFrom(t, answer(`[{"id":1,"body":"One."},{"body":"Two."}]`), pull.Source{Mapping: pull.Mapping{ID: "id", Text: "body"}})
	got.wantEnd(t, pull.EndDone, false) // who knows which item failed
}

func TestMappingThatMatchesNothing(t *testing.T) {
	got := pullFrom(t, answer(`[{"id":1,"descr":"x","name":"y"},{"id":2,"descr":"x"}]`), pull.Source{Mapping: plain})
	e := got.wantErr(t, pull.KindMapping, "none of the first 2 items can be taken: path of the text matches nothing; the first one has descr, id, name")
	if e.Path != "body" || e.Item != "" || len(got.failed) != 2 || got.report.Complete {
		t.Errorf("error = %+v, report %+v", e, got.report)
	}
	got = pullFrom(t, answer(`{"data":{"entries":[]}}`), pull.Source{Items: "data.items", Mapping: plain})
	if e := got.wantErr(t, pull.KindMapping, "path of the items matches nothing: what is at data has no member items"); e.Path != "data.items" || e.Status != 200 {
		t.Errorf("error = %+v", e)
	}
	got = pullFrom(t, answer(`{"data":"soon"}`), pull.Source{Items: "data", Mapping: plain})
	got.wantErr(t, pull.KindMapping, "neither a list nor an object")
	got = pullFrom(t, answer(`{"data":[1]}`), pull.Source{Items: "$.items[?@.x]", Mapping: plain})
	got.wantErr(t, pull.KindMapping, "path of the items matches nothing")
	got = pullFrom(t, answer(`{"data":[{"id":1,"body":"x"}],"next":{"a":1}}`), pull.Source{Items: "data", Mapping: plain, Pagination: pull.Pagination{Kind: pull.Cursor, Path: "next"}})
	if e := got.wantErr(t, pull.KindMapping, "neither a string nor a number"); e.Path != "next" {
		t.Errorf("error = %+v", e)
	}
}

// TestItemsMissingLater is of an API that says with status 200 that it failed.
func TestItemsMissingLater(t *testing.T) {
	n := 0
	got := pullFrom(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 2 {
			fmt.Fprint(w, `{"ok":false,"error":"internal"}`)
			return
		}
		fmt.Fprint(w, encode(map[string]any{"data": articles(n*10, 2)}))
	}, pull.Source{Items: "data", Mapping: plain, Pagination: pull.Pagination{Kind: pull.Page}})
	got.wantErr(t, pull.KindMapping, "has no member data")
	if got.report.Complete || len(got.items) != 2 {
		t.Errorf("report = %+v", got.report)
	}
}
