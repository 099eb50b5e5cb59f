package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/server"
)

// A sink is a response that nobody reads.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// repeat returns how to make one request over and over, as a host's own caller.
func repeat(t testing.TB, method, path, body string, headers ...string) func() {
	t.Helper()
	h := open(t, nil, nil)
	if strings.HasSuffix(path, "/agents/") {
		path += h.agent(t)
	}
	p := access.Principal{ID: "ada", Company: h.desk.ID(), Scope: access.ScopeFull, Plan: access.PlanUnlimited}
	s := server.New(h.desk, &server.Options{Authenticate: func(*http.Request) (access.Principal, error) { return p, nil }})
	in := strings.NewReader(body)
	r := request(t, "", method, path, body, headers...)
	r.Body = http.NoBody
	return func() {
		out := &sink{header: http.Header{}}
		again := *r
		if body != "" {
			in.Reset(body)
			again.Body = rewound{in}
		}
		if s.ServeHTTP(out, &again); out.status > 200 { // 0 is 200 that was not said
			t.Fatalf("%s %s = %d", method, path, out.status)
		}
	}
}

type rewound struct{ *strings.Reader }

func (rewound) Close() error { return nil }

// What a request allocates, the work of the desk included, stays about what it is.
func TestAllocations(t *testing.T) {
	for _, tt := range []struct {
		method, path, body string
		most               float64
	}{
		{"GET", "/healthz", "", 28},
		{"GET", "/v1/agents/", "", 135},
		{"POST", "/v1/message", question, 720},
	} {
		if raced { // pools let things go at random then
			tt.most *= 1.1
		}
		do := repeat(t, tt.method, tt.path, tt.body)
		got := testing.AllocsPerRun(20, do)
		for range 4 { // what else goes on in the process only ever adds to it
			got = min(got, testing.AllocsPerRun(20, do))
		}
		t.Logf("%s %s: %.0f allocations", tt.method, tt.path, got)
		if got > tt.most {
			t.Errorf("%s %s makes %.0f allocations, want at most %.0f", tt.method, tt.path, got, tt.most)
		}
	}
}

func bench(b *testing.B, method, path, body string, headers ...string) {
	do := repeat(b, method, path, body, headers...)
	b.ReportAllocs()
	for b.Loop() {
		do()
	}
}

func BenchmarkHealth(b *testing.B)  { bench(b, "GET", "/healthz", "") }
func BenchmarkAgent(b *testing.B)   { bench(b, "GET", "/v1/agents/", "") }
func BenchmarkMessage(b *testing.B) { bench(b, "POST", "/v1/message", question) }

func BenchmarkGzip(b *testing.B) {
	bench(b, "GET", "/openapi.yaml", "", "Accept-Encoding", "gzip")
}

// BenchmarkKey is BenchmarkAgent with an API key, which is looked up each time.
func BenchmarkKey(b *testing.B) {
	h := open(b, nil, nil)
	path := "/v1/agents/" + h.agent(b)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, request(b, h.key, "GET", path, "")); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
