package pull_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/pull"
)

func TestUnchanged(t *testing.T) {
	for name, c := range map[string]struct {
		etag, modified string
		pages          int
		known          bool
	}{
		"etag":          {`W/"abc"`, "", 1, true},
		"modified":      {"", "Sun, 22 Nov 2026 08:00:00 GMT", 1, true},
		"both":          {`"abc"`, "Sun, 22 Nov 2026 08:00:00 GMT", 1, true},
		"neither":       {"", "", 1, false},
		"several pages": {`"abc"`, "", 2, false}, // the first page says nothing of the second
		"endless":       {`"` + strings.Repeat("a", 2000) + `"`, "", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			address := serve(t, func(w http.ResponseWriter, req *http.Request) {
				asked++
				if c.etag != "" && req.Header.Get("If-None-Match") == c.etag || c.modified != "" && req.Header.Get("If-Modified-Since") == c.modified {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				if c.etag != "" {
					w.Header().Set("ETag", c.etag)
				}
				if c.modified != "" {
					w.Header().Set("Last-Modified", c.modified)
				}
				body := map[string]any{"data": articles(asked*10, 2)}
				if asked < c.pages {
					body["next"] = "?page=2"
				}
				fmt.Fprint(w, encode(body))
			})
			p := newPuller(t, guarded(t, address), nil)
			src := pull.Source{URL: address, Items: "data", Mapping: plain, Pagination: pull.Pagination{Kind: pull.Next, Path: "next"}}
			first := collect(t, newRun(t, p, src, pull.Known{}))
			first.wantEnd(t, pull.EndDone, true)
			if got := first.report.Known != (pull.Known{}); got != c.known {
				t.Fatalf("known = %+v, want some: %v", first.report.Known, c.known)
			}
			if !c.known {
				return
			}
			second := collect(t, newRun(t, p, src, first.report.Known))
			second.wantEnd(t, pull.EndUnchanged, true)
			if len(second.items) != 0 || second.report.Requests != 1 || second.report.Bytes != 0 || second.report.Known != first.report.Known {
				t.Errorf("report = %+v", second.report)
			}
			src.Mapping.Title = "" // what was read before was read in another way
			third := collect(t, newRun(t, p, src, first.report.Known))
			third.wantEnd(t, pull.EndDone, true)
			if len(third.items) != 2 {
				t.Errorf("%d items, want 2", len(third.items))
			}
		})
	}
}

func TestMorePagesThanOne(t *testing.T) {
	got := pullFrom(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", `<?page=2>; rel="next"`)
		fmt.Fprint(w, encode(articles(1, 2)))
	}, pull.Source{Mapping: plain})
	got.wantEnd(t, pull.EndDone, true)
	if len(got.report.Problems) != 1 || got.report.Problems["pagination: the answer points to more pages; without a pagination only the first is read"] != 1 {
		t.Errorf("problems = %v", got.report.Problems)
	}
}

func TestSourcesThatCannotBePulled(t *testing.T) {
	good := pull.Source{URL: "https://example.com/", Mapping: plain}
	for name, c := range map[string]struct {
		change func(*pull.Source)
		field  string
	}{
		"no url":                {func(s *pull.Source) { s.URL = "" }, "url"},
		"file":                  {func(s *pull.Source) { s.URL = "file:///etc/passwd" }, "url"},
		"user name":             {func(s *pull.Source) { s.URL = "https://user:SENTINEL@example.com/" }, "url"},
		"fragment":              {func(s *pull.Source) { s.URL = "https://example.com/#x" }, "url"},
		"control character":     {func(s *pull.Source) { s.URL = "https://example.com/\nSENTINEL" }, "url"},
		"long":                  {func(s *pull.Source) { s.URL += strings.Repeat("x", 5000) }, "url"},
		"no text":               {func(s *pull.Source) { s.Mapping.Text = "" }, "mapping.text"},
		"bad path":              {func(s *pull.Source) { s.Mapping.ID = "$[" }, "mapping.id"},
		"bad path of a text":    {func(s *pull.Source) { s.Mapping.Texts = []string{"a", "b..", "c"} }, "mapping.texts[1]"},
		"bad path of metadata":  {func(s *pull.Source) { s.Mapping.Metadata = map[string]string{"a": "x[0"} }, "mapping.metadata.a"},
		"no path of metadata":   {func(s *pull.Source) { s.Mapping.Metadata = map[string]string{"a": ""} }, "mapping.metadata"},
		"much metadata":         {func(s *pull.Source) { s.Mapping.Metadata = many(65) }, "mapping.metadata"},
		"many texts":            {func(s *pull.Source) { s.Mapping.Texts = strings.Split(strings.Repeat("a", 17), "") }, "mapping.texts"},
		"bad path of items":     {func(s *pull.Source) { s.Items = "a..[" }, "items"},
		"unknown paging":        {func(s *pull.Source) { s.Pagination.Kind = "scroll" }, "pagination.kind"},
		"cursor from nowhere":   {func(s *pull.Source) { s.Pagination.Kind = pull.Cursor }, "pagination.path"},
		"path of no use":        {func(s *pull.Source) { s.Pagination = pull.Pagination{Kind: pull.Page, Path: "x"} }, "pagination.path"},
		"size":                  {func(s *pull.Source) { s.Pagination.Size = -1 }, "pagination.size"},
		"negative":              {func(s *pull.Source) { s.MaxPages = -1 }, "max_pages"},
		"host":                  {func(s *pull.Source) { s.Header = http.Header{"Host": {"internal"}} }, "headers.Host"},
		"conditional":           {func(s *pull.Source) { s.Header = http.Header{"if-none-match": {"x"}} }, "headers.If-None-Match"},
		"line end":              {func(s *pull.Source) { s.Header = http.Header{"X-A": {"SENTINEL\r\nX-B: c"}} }, "headers.X-A"},
		"header's name":         {func(s *pull.Source) { s.Header = http.Header{"X A": {"SENTINEL"}} }, "headers"},
		"two values":            {func(s *pull.Source) { s.Header = http.Header{"X-A": {"SENTINEL", "b"}} }, "headers.X-A"},
		"one name in two cases": {func(s *pull.Source) { s.Header = http.Header{"X-A": {"SENTINEL"}, "x-a": {"b"}} }, "headers.X-A"},
	} {
		t.Run(name, func(t *testing.T) {
			src := good
			c.change(&src)
			_, err := newPuller(t, http.DefaultClient, nil).Pull(src, pull.Known{})
			e, ok := errors.AsType[*pull.FieldError](err)
			if !ok || e.Field != c.field {
				t.Errorf("error = %v, want one of field %s", err, c.field)
			}
			if err != nil && strings.Contains(err.Error(), "SENTINEL") {
				t.Errorf("error %q tells a secret", err)
			}
		})
	}
	if _, err := newPuller(t, http.DefaultClient, nil).Pull(good, pull.Known{}); err != nil {
		t.Error(err)
	}
}

func many(n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprint(i)] = "x"
	}
	return m
}

func TestOptions(t *testing.T) {
	for _, o := range []pull.Options{{MaxTime: -1}, {MaxItems: -1}, {MaxPageBytes: -1}, {UserAgent: "x\r\ny"}} {
		if _, err := pull.New(http.DefaultClient, &o); err == nil {
			t.Errorf("New with %+v = nil, want an error", o)
		}
	}
}
