package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzRequests sends anything as the body, the query and a header of each operation
// that takes JSON: the answer is always one of the contract, and never a fault of the
// server.
func FuzzRequests(f *testing.F) {
	h := open(f, nil, nil)
	var doc, pair, content, key, website, source struct {
		ID   string
		Data []struct{ ID string }
	}
	h.do(f, "POST", "/v1/knowledge/documents", `{"text":"A text."}`).read(f, 201, &doc)
	h.do(f, "POST", "/v1/knowledge/qa-pairs", `{"question":"When?","answer":"At nine."}`).read(f, 201, &pair)
	h.do(f, "POST", "/v1/content", `{"content":"A shirt."}`).read(f, 201, &content)
	h.do(f, "POST", "/v1/api-keys", `{"name":"k","scope":"read"}`).read(f, 201, &key)
	h.do(f, "POST", "/v1/knowledge/websites", `{"url":"https://shop.example"}`).read(f, 201, &website)
	h.do(f, "POST", "/v1/knowledge/api-sources", `{"name":"a","url":"https://shop.example","mapping":{"text":"a"}}`).read(f, 201, &source)
	operations := []struct{ method, path string }{
		{"POST", "/v1/message"},
		{"POST", "/v1/agents"},
		{"PUT", "/v1/agents/" + h.agent(f) + "/settings"},
		{"POST", "/v1/knowledge/documents"},
		{"PATCH", "/v1/knowledge/documents/" + doc.ID},
		{"POST", "/v1/knowledge/qa-pairs"},
		{"PATCH", "/v1/knowledge/qa-pairs/" + pair.Data[0].ID},
		{"POST", "/v1/content"},
		{"PUT", "/v1/content/" + content.ID},
		{"POST", "/v1/content/bulk"},
		{"POST", "/v1/knowledge/search"},
		{"POST", "/v1/api-keys"},
		{"POST", "/v1/api-keys/" + key.ID + "/rotate"},
		{"POST", "/v1/companies"},
		{"POST", "/v1/knowledge/documents/" + doc.ID + "/rollback"},
		{"POST", "/v1/knowledge/websites"},
		{"PATCH", "/v1/knowledge/websites/" + website.ID},
		{"POST", "/v1/knowledge/websites/" + website.ID + "/crawl"},
		{"POST", "/v1/knowledge/api-sources"},
		{"PATCH", "/v1/knowledge/api-sources/" + source.ID},
		{"POST", "/v1/train"},
		{"GET", "/v1/runs"},
		{"GET", "/v1/messages"},
		{"GET", "/v1/content"},
	}
	for i, body := range []string{
		`{"message":"When do you open?","user":{"id":"u1"},"metadata":{"a":[1,null,{"b":2}]}}`,
		`{"name":"New","languages":["en","pt-BR"],"threshold":0.5,"website_url":"https://shop.example"}`,
		`{"name":"N","languages":null,"language":"de","threshold":null}`,
		`{"text":"# A","format":"markdown","external_id":"a","metadata":{"a":"b"}}`,
		`{"title":null,"text":"B","metadata":null}`,
		`{"items":[{"question":"a","answer":"b","alternates":["c"]}]}`,
		`{"question":"Q","alternates":[],"metadata":{"a":null}}`,
		`{"content":"A","metadata":{"title":"T","tags":["a"]},"agent_id":""}`,
		`{"content":"B","metadata":{"title":null}}`,
		`{"atomic":true,"dry_run":false,"items":[{"content":"A"},{"content":"B","external_id":"b"}]}`,
		`{"query":"shirt","limit":3,"filter":{"a":["b",1,true]}}`,
		`{"name":"k","scope":"write","plan":"pro","expires_at":"2031-05-04T03:02:01Z"}`,
		`{"overlap_seconds":1.0}`,
		`{"version":1}`,
		`{"url":"https://shop.example","max_depth":0,"include":["/a"],"exclude":["*.pdf$"],"schedule":"CRON_TZ=Asia/Kuwait 30 3 * * *"}`,
		`{"max_pages":null,"schedule":null,"metadata":{"a":null}}`,
		`{"force":true,"include_new_pages":false}`,
		`{"name":"a","url":"https://shop.example","items":"data","mapping":{"id":"$.id","text":"a.b","texts":["c"],"flatten":true},"pagination":{"type":"cursor","path":"next"}}`,
		`{"auth":null,"headers":null,"mapping":{"text":"$..a"},"pagination":null,"max_items":null}`,
		`kind=crawl&state=queued&source_id=x`,
		`{"name":"C"}`,
		`limit=1&cursor=a`,
		`external_id=%C3%A9&agent_id=x`,
	} {
		f.Add(uint8(i), body, "k")
	}
	f.Add(uint8(0), `{"message":"\ud800 \u0000","metadata":{"n":-1e308}}`, `"1"`)
	f.Add(uint8(2), `{"name":" ","threshold":-0}`, `W/"0"`)
	f.Fuzz(func(t *testing.T, which uint8, body, header string) {
		op := operations[int(which)%len(operations)]
		r := httptest.NewRequestWithContext(t.Context(), op.method, op.path, strings.NewReader(body))
		if op.method == http.MethodGet {
			r.URL.RawQuery, r.Body = body, http.NoBody
		}
		r.Header.Set("X-Api-Key", h.key)
		r.Header.Set("Content-Type", "application/json")
		for _, name := range []string{"Idempotency-Key", "If-Match", "X-Request-Id"} {
			if header != "" {
				r.Header.Set(name, header)
			}
		}
		if a := h.serve(t, r); a.Code >= 500 {
			t.Errorf("%s %s with %q and %q = %d %s", op.method, op.path, body, header, a.Code, a.body)
		}
	})
}
