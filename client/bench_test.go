package client_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// agentJSON is what the benchmarks read.
const agentJSON = `{"id":"agt_01","name":"Front desk","is_default":true,"version":3,"languages":["en"],"threshold":0.5,` +
	`"created_at":"2026-11-21T10:00:00Z","updated_at":"2026-11-21T10:00:00Z"}`

// A canned transport answers every request without a network.
type canned struct{ header http.Header }

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: c.header, Body: io.NopCloser(bytes.NewReader([]byte(agentJSON))), ContentLength: int64(len(agentJSON)),
	}, nil
}

// answerHeader are the headers of an answer of the API.
var answerHeader = http.Header{
	"Content-Type":          {"application/json"},
	"X-Request-Id":          {"req_01"},
	"X-Ratelimit-Limit":     {"100"},
	"X-Ratelimit-Remaining": {"99"},
	"X-Ratelimit-Reset":     {"1800000000"},
}

// getting returns a way to read an agent with the client and one with net/http
// alone, over the transport given; nil is that of net/http.
func getting(tb testing.TB, url string, rt http.RoundTripper) (typed, plain func()) {
	tb.Helper()
	hc := &http.Client{Transport: rt}
	c, err := client.New(url, client.WithAPIKey("key"), client.WithHTTPClient(hc))
	if err != nil {
		tb.Fatal(err)
	}
	ctx := tb.Context()
	typed = func() {
		if a, err := c.Agents.Get(ctx, "agt_01"); err != nil || a.Version != 3 {
			tb.Fatal(a, err)
		}
	}
	plain = func() {
		req, err := http.NewRequestWithContext(ctx, "GET", url+"/v1/agents/agt_01", nil)
		if err != nil {
			tb.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer key")
		resp, err := hc.Do(req)
		if err != nil {
			tb.Fatal(err)
		}
		defer resp.Body.Close()
		var a api.Agent
		if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || a.Version != 3 {
			tb.Fatal(a, err)
		}
	}
	return typed, plain
}

// loopback starts a server that answers like canned, and returns its URL.
func loopback(tb testing.TB) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), answerHeader)
		io.WriteString(w, agentJSON)
	}))
	tb.Cleanup(s.Close)
	return s.URL
}

func BenchmarkGet(b *testing.B) {
	stub, stubPlain := getting(b, "https://desk.example.com", canned{answerHeader})
	wire, wirePlain := getting(b, loopback(b), http.DefaultTransport.(*http.Transport).Clone())
	for _, bench := range []struct {
		name string
		get  func()
	}{
		{"stub/client", stub},
		{"stub/net-http", stubPlain},
		{"loopback/client", wire},
		{"loopback/net-http", wirePlain},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.get()
			}
		})
	}
}

// TestAllocations bounds what a call costs beside the network.
func TestAllocations(t *testing.T) {
	stub, stubPlain := getting(t, "https://desk.example.com", canned{answerHeader})
	wire, wirePlain := getting(t, loopback(t), http.DefaultTransport.(*http.Transport).Clone())
	for _, test := range []struct {
		name        string
		most        float64
		typed, bare func()
	}{
		{"on a stub", 50, stub, stubPlain},
		{"on loopback, with the server", 115, wire, wirePlain},
	} {
		test.typed() // the connection
		got, plain := testing.AllocsPerRun(20, test.typed), testing.AllocsPerRun(20, test.bare)
		for range 4 { // what else goes on in the process only ever adds to it
			got, plain = min(got, testing.AllocsPerRun(20, test.typed)), min(plain, testing.AllocsPerRun(20, test.bare))
		}
		t.Logf("%s: %v allocations, net/http alone %v", test.name, got, plain)
		most := test.most
		if racing {
			most += plain / 4
		}
		if got > most {
			t.Errorf("a GET %s makes %v allocations, want at most %v", test.name, got, most)
		}
	}
}
