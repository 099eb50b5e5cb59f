package pull_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/pull"
)

func TestOnePage(t *testing.T) {
	for name, c := range map[string]struct{ body, items, want string }{
		"list":            {`[{"id":1,"body":"One."},{"id":2,"body":"Two."}]`, "", "1 2"},
		"named":           {`{"items":[{"id":1,"body":"One."},{"id":2,"body":"Two."}]}`, "items", "1 2"},
		"nested":          {`{"data":{"items":[{"id":1,"body":"One."}]}}`, "data.items", "1"},
		"query":           {`{"data":{"items":[{"id":1,"body":"One."}]}}`, "$.data.items[*]", "1"},
		"query of a list": {`{"data":{"items":[{"id":1,"body":"One."}]}}`, "$.data.items", "1"},
		"object":          {`{"id":"only","body":"One."}`, "", "only"},
		"named object":    {`{"data":{"id":"only","body":"One."}}`, "data", "only"},
		"by id":           {`{"articles":{"a":{"id":"a","body":"One."},"b":{"id":"b","body":"Two."}}}`, "articles.*", "a b"},
		"edges":           {`{"data":{"edges":[{"node":{"id":1,"body":"One."}},{"node":{"id":2,"body":"Two."}}]}}`, "data.edges[*].node", "1 2"},
		"lists of lists":  {`{"groups":[{"rows":[{"id":1,"body":"One."}]},{"rows":[{"id":2,"body":"Two."}]}]}`, "groups[*].rows", "1 2"},
		"filter":          {`[{"id":1,"body":"One.","draft":true},{"id":2,"body":"Two.","draft":false}]`, "$[?@.draft == false]", "2"},
		"empty":           {`{"items":[]}`, "items", ""},
		"empty, no names": {`{"edges":[]}`, "$.edges[*].node", ""},
		"null":            {`{"items":null}`, "items", ""},
		"nothing at all":  {``, "items", ""},
		"byte order mark": {"\uFEFF" + `[{"id":1,"body":"One."}]`, "", "1"},
		"the last counts": {`{"items":[{"id":1,"body":"One."}],"\u0069tems":[{"id":2,"body":"Two."}]}`, "items", "2"},
		"white space":     {" \n{ \"items\" : [ { \"id\" : 1 , \"body\" : \"One.\" } , {\"id\":2,\"body\":\"Two.\"}\t] } ", "items", "1 2"},
	} {
		t.Run(name, func(t *testing.T) {
			got := pullFrom(t, answer(c.body), pull.Source{Items: c.items, Mapping: pull.Mapping{ID: "id", Text: "body"}})
			got.wantEnd(t, pull.EndDone, true)
			if got.ids() != c.want {
				t.Errorf("items = %q, want %q", got.ids(), c.want)
			}
		})
	}
}

// pagesOf serves n articles in pages of size, each as one way of paging has it.
func pagesOf(t testing.TB, n, size int, page func(w http.ResponseWriter, req *http.Request, items []map[string]any, from int, more bool) any) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Bearer sesame" {
			t.Errorf("%s came without the source's header", req.URL)
		}
		q := req.URL.Query()
		from := 0
		for _, name := range []string{"offset", "after", "cursor", "from"} {
			if at, err := strconv.Atoi(q.Get(name)); err == nil {
				from = at
			}
		}
		if at, err := strconv.Atoi(q.Get("page")); err == nil {
			from = (at - 1) * size
		}
		if at, err := strconv.Atoi(q.Get("p")); err == nil {
			from = at * size
		}
		count := max(0, min(size, n-from))
		w.Header().Set("Content-Type", "application/json")
		v := page(w, req, articles(from+1, count), from, from+size < n)
		fmt.Fprint(w, encode(v))
	}
}

func TestPagination(t *testing.T) {
	type object = map[string]any
	list := func(_ http.ResponseWriter, _ *http.Request, items []map[string]any, _ int, _ bool) any { return items }
	here := func(req *http.Request, from int) string {
		return fmt.Sprintf("http://%s%s?from=%d", req.Host, req.URL.Path, from)
	}
	for name, c := range map[string]struct {
		page     func(http.ResponseWriter, *http.Request, []map[string]any, int, bool) any
		paging   pull.Pagination
		items    string
		requests int
	}{
		"page":           {page: list, paging: pull.Pagination{Kind: pull.Page}, requests: 4},
		"page from zero": {page: list, paging: pull.Pagination{Kind: pull.Page, Param: "p", FromZero: true}, requests: 4},
		"page that says which is the last": {page: func(w http.ResponseWriter, _ *http.Request, items []map[string]any, _ int, _ bool) any {
			w.Header().Set("X-WP-TotalPages", "3")
			return items
		}, paging: pull.Pagination{Kind: pull.Page}, requests: 3},
		"page with links": {page: func(w http.ResponseWriter, req *http.Request, items []map[string]any, from int, more bool) any {
			w.Header().Add("Link", "<"+here(req, 0)+">; rel=first")
			if more {
				w.Header().Add("Link", "<"+here(req, from+3)+">; rel=next")
			}
			return items
		}, paging: pull.Pagination{Kind: pull.Page}, requests: 3},
		"offset": {page: list, paging: pull.Pagination{Kind: pull.Offset, Size: 100}, requests: 4},
		"offset that says whether there is more": {page: func(_ http.ResponseWriter, _ *http.Request, items []map[string]any, _ int, more bool) any {
			return object{"has_more": more, "data": items}
		}, paging: pull.Pagination{Kind: pull.Offset, More: "has_more"}, items: "data", requests: 3},
		"cursor": {page: func(_ http.ResponseWriter, _ *http.Request, items []map[string]any, from int, more bool) any {
			next := any(nil)
			if more {
				next = strconv.Itoa(from + 3)
			}
			return object{"data": items, "meta": object{"next": next}}
		}, paging: pull.Pagination{Kind: pull.Cursor, Path: "meta.next"}, items: "data", requests: 3},
		"cursor that is a number, in an answer read as a whole": {page: func(_ http.ResponseWriter, _ *http.Request, items []map[string]any, from int, more bool) any {
			if !more {
				return object{"groups": []any{items}, "next": ""}
			}
			return object{"groups": []any{items}, "next": from + 3}
		}, paging: pull.Pagination{Kind: pull.Cursor, Path: "next"}, items: "$.groups[*][*]", requests: 3},
		"cursor that is the last item": {page: func(_ http.ResponseWriter, _ *http.Request, items []map[string]any, from int, more bool) any {
			return object{"data": items, "more": more}
		}, paging: pull.Pagination{Kind: pull.Cursor, Param: "after", Path: "$.data[-1].id", More: "more"}, items: "data", requests: 3},
		"cursor that is the last item, without a word about more": {page: func(_ http.ResponseWriter, _ *http.Request, items []map[string]any, from int, more bool) any {
			return object{"data": items}
		}, paging: pull.Pagination{Kind: pull.Cursor, Param: "after", Path: "$.data[-1].id"}, items: "data", requests: 4},
		"link": {page: func(w http.ResponseWriter, req *http.Request, items []map[string]any, from int, more bool) any {
			if more {
				w.Header().Set("Link", fmt.Sprintf(`</other>; title="a, b; rel=next", <%s>; rel="x next"; title=c`, here(req, from+3)))
			}
			return items
		}, paging: pull.Pagination{Kind: pull.Link}, requests: 3},
		"next": {page: func(w http.ResponseWriter, req *http.Request, items []map[string]any, from int, more bool) any {
			if !more {
				return object{"items": items, "links": object{"next": false}}
			}
			return object{"items": items, "links": object{"next": here(req, from+3)}}
		}, paging: pull.Pagination{Kind: pull.Next, Path: "links.next"}, items: "items", requests: 3},
		"next that is relative": {page: func(w http.ResponseWriter, req *http.Request, items []map[string]any, from int, more bool) any {
			if !more {
				return object{"items": items}
			}
			return object{"items": items, "next": fmt.Sprintf("?from=%d", from+3)}
		}, paging: pull.Pagination{Kind: pull.Next, Path: "next"}, items: "items", requests: 3},
	} {
		t.Run(name, func(t *testing.T) {
			got := pullFrom(t, pagesOf(t, 8, 3, c.page), pull.Source{
				URL: "/api/articles?lang=en", Header: http.Header{"Authorization": {"Bearer sesame"}}, Items: c.items, Mapping: plain, Pagination: c.paging,
			})
			got.wantEnd(t, pull.EndDone, true)
			if want := "1 2 3 4 5 6 7 8"; got.ids() != want {
				t.Errorf("items = %q, want %q", got.ids(), want)
			}
			if got.report.Requests != c.requests {
				t.Errorf("requests = %d, want %d", got.report.Requests, c.requests)
			}
			for i, it := range got.items {
				if it.Page != i/3+1 || it.Index != i%3 {
					t.Errorf("item %s is %d of page %d, want %d of %d", it.ID, it.Index, it.Page, i%3, i/3+1)
				}
			}
		})
	}
}

func TestParametersAreKept(t *testing.T) {
	var asked []string
	pullFrom(t, func(w http.ResponseWriter, req *http.Request) {
		asked = append(asked, req.URL.RawQuery)
		fmt.Fprint(w, encode(articles(len(asked)*10, max(0, 3-len(asked)))))
	}, pull.Source{URL: "/?q=a+b&filter[x]=%2F&page=9", Mapping: plain, Pagination: pull.Pagination{Kind: pull.Page, Size: 2, SizeParam: "page[size]"}})
	want := []string{"q=a+b&filter[x]=%2F&page=1&page%5Bsize%5D=2", "q=a+b&filter[x]=%2F&page%5Bsize%5D=2&page=2", "q=a+b&filter[x]=%2F&page%5Bsize%5D=2&page=3"}
	if got := strings.Join(asked, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("asked for\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// TestEndsBehindTheLastPage is of APIs that refuse the page behind the last one.
func TestEndsBehindTheLastPage(t *testing.T) {
	for _, c := range []struct {
		n, size, status int
		complete        bool
	}{
		{8, 3, 404, true}, {9, 3, 404, true}, {8, 3, 416, true},
		{8, 3, 400, true}, {8, 3, 422, true},
		{9, 3, 400, false}, // a full page came before: it may be another error
	} {
		got := pullFrom(t, func(w http.ResponseWriter, req *http.Request) {
			page, _ := strconv.Atoi(req.URL.Query().Get("page"))
			if (page-1)*c.size >= c.n {
				w.WriteHeader(c.status)
				return
			}
			fmt.Fprint(w, encode(articles((page-1)*c.size+1, min(c.size, c.n-(page-1)*c.size))))
		}, pull.Source{URL: "/", Mapping: plain, Pagination: pull.Pagination{Kind: pull.Page}})
		if len(got.items) != c.n || got.report.Complete != c.complete || (got.err == nil) != c.complete {
			t.Errorf("%d items in pages of %d, then %d: %d items, complete %v, error %v; want complete %v", c.n, c.size, c.status, len(got.items), got.report.Complete, got.err, c.complete)
		}
	}
}

func TestEndlessPages(t *testing.T) {
	type object = map[string]any
	for name, c := range map[string]struct {
		serve    func(n int, req *http.Request) any
		paging   pull.Pagination
		complete bool
		items    int
	}{
		"a page parameter that is not known": {func(int, *http.Request) any { return articles(1, 3) }, pull.Pagination{Kind: pull.Page}, false, 3},
		"the last page again":                {func(n int, _ *http.Request) any { return articles(min(n, 4)*10, 3) }, pull.Pagination{Kind: pull.Page}, true, 12},
		"the last page again, by offset":     {func(n int, _ *http.Request) any { return articles(min(n, 4)*10, 3) }, pull.Pagination{Kind: pull.Offset}, true, 12},
		"pages in a circle":                  {func(n int, _ *http.Request) any { return articles(n%3*10, 3) }, pull.Pagination{Kind: pull.Page}, false, 9},
		"the same items in another order":    {func(n int, _ *http.Request) any { l := articles(1, 9); return append(l[n%9:], l[:n%9]...) }, pull.Pagination{Kind: pull.Page}, false, 9},
		"the same cursor":                    {func(n int, _ *http.Request) any { return object{"data": articles(n*10, 3), "next": "x"} }, pull.Pagination{Kind: pull.Cursor, Path: "next"}, false, 6},
		"the same cursor with nothing":       {func(n int, _ *http.Request) any { return object{"data": articles(n*10, max(0, 2-n)), "next": "x"} }, pull.Pagination{Kind: pull.Cursor, Path: "next"}, true, 1},
		"another cursor with the same page":  {func(n int, _ *http.Request) any { return object{"data": articles(1, 3), "next": n} }, pull.Pagination{Kind: pull.Cursor, Path: "next"}, false, 3},
		"addresses in a circle": {func(n int, _ *http.Request) any {
			return object{"data": articles(n*10, 3), "next": fmt.Sprint("?x=", n%3)}
		}, pull.Pagination{Kind: pull.Next, Path: "next"}, false, 12},
		"an address that is its own next": {func(n int, req *http.Request) any {
			return object{"data": articles(n*10, 3), "next": req.URL.RequestURI()}
		}, pull.Pagination{Kind: pull.Next, Path: "next"}, false, 3},
		"one page, whose successor is it again": {func(n int, req *http.Request) any { return object{"data": articles(1, 3), "next": "?page=2"} }, pull.Pagination{Kind: pull.Next, Path: "next"}, false, 3},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			src := pull.Source{URL: "/", Mapping: plain, Pagination: c.paging}
			if c.paging.Path != "" {
				src.Items = "data"
			}
			got := pullFrom(t, func(w http.ResponseWriter, req *http.Request) {
				n++
				fmt.Fprint(w, encode(c.serve(n, req)))
			}, src)
			end := pull.EndRepeats
			if name == "the same cursor with nothing" {
				end = pull.EndDone
			}
			got.wantEnd(t, end, c.complete)
			if (len(got.report.Problems) == 0) != c.complete {
				t.Errorf("problems = %v", got.report.Problems)
			}
			if len(got.items) != c.items || got.report.Requests > 8 {
				t.Errorf("%d items with %d requests, want %d", len(got.items), got.report.Requests, c.items)
			}
		})
	}
}
