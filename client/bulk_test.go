package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

// A bulker is a server that takes bulks as the contract has them, and notes
// what was in them. Items that are empty fail.
type bulker struct {
	items  []int
	agents []string
	fail   int // the request that fails, counted from 1
}

func (b *bulker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var req api.BulkRequest
	if err := json.Unmarshal(body, &req); err != nil || len(req.Items) > 1000 || len(body) > 100e6 {
		w.WriteHeader(400)
		return
	}
	b.items, b.agents = append(b.items, len(req.Items)), append(b.agents, req.AgentID)
	if len(b.items) == b.fail {
		w.WriteHeader(403)
		return
	}
	result := api.BulkResult{KnowledgeRevision: int64(10 + len(b.items)), Results: []api.BulkItemResult{}}
	for i, item := range req.Items {
		r := api.BulkItemResult{Index: int32(i), Status: "created", ID: item.ExternalID}
		switch n, _ := strconv.Atoi(item.ExternalID); {
		case item.Content == "":
			r.Status, r.Error = "failed", api.ErrorBody{Code: "invalid_request"}
			result.Failed++
		case n%3 == 1:
			r.Status = "updated"
			result.Updated++
		case n%3 == 2:
			r.Status = "unchanged"
			result.Unchanged++
		default:
			result.Created++
		}
		result.Results = append(result.Results, r)
	}
	json.NewEncoder(w).Encode(result)
}

func items(n int, content string) []api.BulkItem {
	all := make([]api.BulkItem, n)
	for i := range all {
		all[i] = api.BulkItem{Content: content, ExternalID: strconv.Itoa(i)}
	}
	return all
}

// TestBulk parts a bulk by number, and joins the results.
func TestBulk(t *testing.T) {
	for n, want := range map[int]string{1: "[1]", 999: "[999]", 1000: "[1000]", 1001: "[1000 1]", 2500: "[1000 1000 500]"} {
		var b bulker
		s := clienttest.New(t, clienttest.Handler(&b))
		req := api.BulkRequest{AgentID: `agt [] "items":[] \`, Items: items(n, "x"), DryRun: new(true)}
		req.Items[n-1].Content = ""
		got, err := to(t, s).Content.Bulk(t.Context(), req)
		if err != nil || fmt.Sprint(b.items) != want {
			t.Fatalf("%d items: %v in requests of %v, want %s", n, err, b.items, want)
		}
		if len(got.Results) != n || int(got.Created+got.Updated+got.Unchanged) != n-1 || got.Failed != 1 || got.KnowledgeRevision != int64(10+len(b.items)) {
			t.Errorf("%d items: %d results, %d created, %d updated, %d unchanged, %d failed at %d", n, len(got.Results), got.Created, got.Updated, got.Unchanged, got.Failed, got.KnowledgeRevision)
		}
		for i, r := range got.Results {
			if int(r.Index) != i || r.ID != strconv.Itoa(i) || (r.Status == "failed") != (i == n-1) {
				t.Fatalf("%d items: result %d is %+v", n, i, r)
			}
		}
		if b.agents[len(b.agents)-1] != req.AgentID {
			t.Errorf("agent %q", b.agents)
		}
		if k := keys(s); len(k) != len(b.items) {
			t.Errorf("%d keys for %d requests", len(k), len(b.items))
		}
	}
	s := clienttest.New(t, clienttest.Handler(&bulker{}))
	if got, err := to(t, s).Content.Bulk(t.Context(), api.BulkRequest{}); err != nil || len(got.Results) != 0 || len(s.Requests()) != 1 {
		t.Errorf("an empty bulk is the server's to judge: %v, %v", got, err)
	}
}

// TestBulkBytes parts a bulk by its size as JSON, and not by that of the texts.
func TestBulkBytes(t *testing.T) {
	if racing {
		return // its encoding takes long; TestBulkBody has the same in small
	}
	var sent []int
	s := clienttest.New(t, clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		n := bytes.Count(body, []byte(`"external_id"`))
		if sent = append(sent, n); err != nil || len(body) > 100e6 {
			t.Errorf("a request of %d bytes: %v", len(body), err)
		}
		fmt.Fprintf(w, `{"created":%d}`, n)
	})))
	text := strings.Repeat("<", 8.5e6) // 51 MB as JSON
	got, err := to(t, s).Content.Bulk(t.Context(), api.BulkRequest{Items: items(2, text)})
	if err != nil || fmt.Sprint(sent) != "[1 1]" || got.Created != 2 {
		t.Errorf("%v, %v in requests of %v items", got, err, sent)
	}
}

// TestBulkAtomic is one request, or none.
func TestBulkAtomic(t *testing.T) {
	s := clienttest.New(t, clienttest.Handler(&bulker{}))
	c := to(t, s)
	if _, err := c.Content.Bulk(t.Context(), api.BulkRequest{Items: items(1000, "x"), Atomic: new(true)}); err != nil {
		t.Error(err)
	}
	if r, err := c.Content.Bulk(t.Context(), api.BulkRequest{Items: items(1001, "x"), Atomic: new(true)}); err == nil || r != nil || len(s.Requests()) != 1 {
		t.Errorf("1001 items: %v after %d requests", err, len(s.Requests()))
	}
}

// TestBulkFails returns what was done before a request failed.
func TestBulkFails(t *testing.T) {
	for fail, done := range map[int]int{1: 0, 2: 1000, 3: 2000} {
		s := clienttest.New(t, clienttest.Handler(&bulker{fail: fail}))
		got, err := to(t, s).Content.Bulk(t.Context(), api.BulkRequest{Items: items(2500, "x")})
		e, ok := errors.AsType[*client.Error](err)
		if !ok || e.StatusCode != 403 || done == 0 && got != nil || done > 0 && (len(got.Results) != done || !strings.Contains(err.Error(), fmt.Sprintf("items %d to ", done))) {
			t.Errorf("request %d fails: %v", fail, err)
		}
	}
	s := clienttest.New(t, clienttest.Handler(&bulker{}))
	bad := items(1500, "x")
	bad[1200].Metadata = map[string]any{"f": func() {}}
	if got, err := to(t, s).Content.Bulk(t.Context(), api.BulkRequest{Items: bad}); err == nil || !strings.Contains(err.Error(), "item 1200") || len(got.Results) != 1000 {
		t.Errorf("an item that is no JSON: %v", err)
	}
}

// TestBulkKeys makes the keys of the parts from that of the caller, the same ones
// each time.
func TestBulkKeys(t *testing.T) {
	for _, key := range []string{"import-7", strings.Repeat("k", 255)} {
		s := clienttest.New(t, clienttest.Handler(&bulker{}))
		c := to(t, s)
		opts := []client.Option{client.WithIdempotencyKey(key), client.WithMaxRetries(0)}
		for range 2 {
			if _, err := c.Content.Bulk(t.Context(), api.BulkRequest{Items: items(2500, "x")}, opts...); err != nil {
				t.Fatal(err)
			}
		}
		var sent []string
		for _, r := range s.Requests() {
			k := r.Header.Get("Idempotency-Key")
			if sent = append(sent, k); len(k) > 255 {
				t.Errorf("a key of %d characters", len(k))
			}
		}
		if len(keys(s)) != 3 || sent[0] != key || sent[3] != sent[0] || sent[4] != sent[1] || sent[5] != sent[2] {
			t.Errorf("keys %q", sent)
		}
	}
}

// FuzzBulk takes what JSON leaves of any agent's id, and every item once.
func FuzzBulk(f *testing.F) {
	f.Add(`"items":[]`, "x", uint16(3))
	f.Add("\xff\\", "\x00<", uint16(1001))
	f.Fuzz(func(t *testing.T, agent, content string, n uint16) {
		if n == 0 || content == "" {
			return
		}
		n = n%1500 + 1
		var b bulker
		c := newClient(t, "http://localhost", client.WithHTTPClient(&http.Client{Transport: round(func(r *http.Request) (*http.Response, error) {
			w := &answer{header: http.Header{}, status: 200}
			b.ServeHTTP(w, r)
			return &http.Response{StatusCode: w.status, Body: io.NopCloser(strings.NewReader(w.body.String()))}, nil
		})}))
		got, err := c.Content.Bulk(t.Context(), api.BulkRequest{AgentID: agent, Items: items(int(n), content)})
		if err != nil || len(got.Results) != int(n) || b.agents[0] != strings.ToValidUTF8(agent, "\ufffd") && len(agent) == len(b.agents[0]) {
			t.Errorf("Bulk of %d for %q: %v, and the server saw %q", n, agent, err, b.agents)
		}
	})
}

// An answer is what a handler wrote.
type answer struct {
	header http.Header
	status int
	body   strings.Builder
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
