package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server"
)

// TestMain looks for goroutines that the tests have left behind.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(code) // fuzzing has goroutines of its own
	}
	if left := leftBehind(before); code == 0 && left != "" {
		_, _ = os.Stderr.WriteString("goroutines are left behind:\n" + left + "\n")
		code = 1
	}
	os.Exit(code)
}

// leftBehind returns the stacks of all goroutines if there are more than before once
// those that are about to end have ended.
func leftBehind(before int) string {
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for range 6000 {
		if runtime.NumGoroutine() <= before {
			return ""
		}
		time.Sleep(10 * time.Millisecond) // nothing tells when a goroutine has ended
	}
	stacks := make([]byte, 1<<20)
	return string(stacks[:runtime.Stack(stacks, true)])
}

var hours = knowledge.Document{Title: "Hours", Text: "We open at nine in the morning. On Sundays we stay closed."}

// A host is a desk with the server that a test asks.
type host struct {
	*server.Server
	desk *answerdesk.Desk
	key  string // a full one of the first company
}

// open returns a host that knows [hours].
func open(t testing.TB, desk *answerdesk.Options, opts *server.Options) *host {
	t.Helper()
	d := agenttest.DeskWith(t, desk, hours)
	return &host{Server: server.New(d, opts), desk: d, key: newKey(t, d, d.ID(), access.NewKey{Name: "test", Scope: access.ScopeFull, Plan: access.PlanUnlimited})}
}

// newKey makes a key and returns its secret.
func newKey(t testing.TB, d *answerdesk.Desk, company string, k access.NewKey) string {
	t.Helper()
	_, secret, err := d.Company(company).Keys().Create(t.Context(), k)
	if err != nil {
		t.Fatalf("create a key: %v", err)
	}
	return secret
}

// An answer is what a request got.
type answer struct {
	*httptest.ResponseRecorder
	body []byte
}

// do makes a request with the host's key, unless headers, given by name and value,
// say otherwise. A body is JSON unless they do. The answer is compared with the
// contract.
func (h *host) do(t testing.TB, method, target, body string, headers ...string) answer {
	t.Helper()
	return h.serve(t, request(t, h.key, method, target, body, headers...))
}

func request(t testing.TB, key, method, target, body string, headers ...string) *http.Request {
	t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, in)
	r.Header.Set("X-Api-Key", key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header[http.CanonicalHeaderKey(headers[i])] = []string{headers[i+1]}
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	return r
}

func (h *host) serve(t testing.TB, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	a := answer{w, w.Body.Bytes()}
	conforms(t, r, a)
	return a
}

// read reads the JSON of an answer with a status.
func (a answer) read(t testing.TB, status int, into any) {
	t.Helper()
	if a.Code != status {
		t.Fatalf("the answer is %d %s, want %d", a.Code, short(a.body), status)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("the answer %s cannot be read: %v", short(a.body), err)
	}
}

// is checks that the answer is an error with a status and a code, and returns it.
func (a answer) is(t testing.TB, status int, code string) problem {
	t.Helper()
	var e struct{ Error problem }
	if err := json.Unmarshal(a.body, &e); err != nil || a.Code != status || e.Error.Code != code {
		t.Errorf("the answer is %d %s, want %d %s", a.Code, short(a.body), status, code)
	}
	if id := a.Header().Get("X-Request-Id"); id == "" || id != e.Error.RequestID {
		t.Errorf("the error has request id %q, the answer %q, want the same", e.Error.RequestID, id)
	}
	return e.Error
}

// A problem is an error as it is sent.
type problem struct {
	Code, Message string
	Details       map[string]any
	RequestID     string `json:"request_id"`
}

func short(b []byte) string {
	if len(b) > 600 {
		return string(b[:600]) + "…"
	}
	return string(b)
}

// contract is openapi.yaml, and a mux that knows the pattern of each operation.
var contract = sync.OnceValues(func() (*openapi3.T, *http.ServeMux) {
	doc, err := openapi3.NewLoader().LoadFromData(answerdesk.OpenAPI())
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			mux.Handle(method+" "+path, http.NotFoundHandler())
		}
	}
	return doc, mux
})

// operationOf returns the operation that a request is for, or nil.
func operationOf(r *http.Request) (template string, op *openapi3.Operation) {
	doc, mux := contract()
	_, pattern := mux.Handler(r)
	method, template, ok := strings.Cut(pattern, " ")
	if escaped := r.URL.EscapedPath(); !ok || path.Clean(escaped) != escaped {
		return "", nil
	}
	return template, doc.Paths.Find(template).GetOperation(method)
}

// conforms checks that the contract has an answer with this status, these headers
// and this body.
func conforms(t testing.TB, r *http.Request, a answer) {
	t.Helper()
	doc, _ := contract()
	body := a.body
	if a.Header().Get("Content-Encoding") == "gzip" {
		body = unzipped(t, body)
	}
	template, op := operationOf(r)
	if op == nil {
		var e any
		if err := json.Unmarshal(body, &e); err != nil || doc.Components.Schemas["ErrorResponse"].Value.VisitJSON(e) != nil {
			t.Errorf("%s %s = %d %s, want an error in the form of the contract", r.Method, r.URL, a.Code, short(body))
		}
		return
	}
	media := a.Header().Get("Content-Type")
	if a.Code == http.StatusOK && (strings.HasPrefix(media, "text/") || media == "application/yaml") || r.Method == http.MethodHead {
		return // it is looked at elsewhere
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r, Route: &routers.Route{Spec: doc, Path: template, PathItem: doc.Paths.Find(template), Method: r.Method, Operation: op},
		},
		Status: a.Code, Header: a.Header(), Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if a.Code == http.StatusNoContent || a.Code == http.StatusNotModified {
		if len(body) > 0 {
			t.Errorf("%s %s = %d with a body", r.Method, r.URL, a.Code)
		}
		in.Options.ExcludeResponseBody = true
	}
	in.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(context.Background(), in); err != nil {
		t.Errorf("%s (%s %s) = %d %s, which is not in the contract: %v", op.OperationID, r.Method, r.URL, a.Code, short(body), err)
	}
}

// listen serves the host on a port of this machine.
func (h *host) listen(t testing.TB) *httptest.Server {
	t.Helper()
	front := httptest.NewServer(h)
	t.Cleanup(front.Close)
	return front
}

// A log is what a logger has written.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func zipped(t testing.TB, body string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, body)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func unzipped(t testing.TB, body []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("the answer is not gzip: %v", err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("the answer is not gzip: %v", err)
	}
	return out
}

// A countingReader counts what is read of it.
type countingReader struct {
	io.Reader
	n int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n += n
	return n, err
}

// agent returns the id of the default agent.
func (h *host) agent(t testing.TB) string {
	t.Helper()
	a, err := h.desk.Agents().Get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// dialled returns how to make requests over the network, with a host's key.
func (h *host) dialled(t testing.TB, http2 bool, encoding string) func(*http.Request) (*http.Response, error) {
	t.Helper()
	front := httptest.NewUnstartedServer(h)
	front.EnableHTTP2 = http2
	if http2 {
		front.StartTLS()
	} else {
		front.Start()
	}
	t.Cleanup(front.Close)
	return func(r *http.Request) (*http.Response, error) {
		u, err := url.Parse(front.URL + r.URL.String())
		if err != nil {
			return nil, err
		}
		r.URL, r.Host = u, u.Host
		r.Header.Set("X-Api-Key", h.key)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept-Encoding", encoding)
		resp, err := front.Client().Do(r)
		if err == nil && http2 != (resp.ProtoMajor == 2) {
			err = fmt.Errorf("the answer is in %s", resp.Proto)
		}
		return resp, err
	}
}
