// Peers measures one small GET and one small POST through package client, beside
// net/http alone and the clients of OpenAI and Anthropic for Go, each used as its
// own documentation says and pointed at a server on loopback, and at a transport
// that answers without one:
//
//	go run . [-rounds 6]
//
// It is a module of its own, since openai-go takes minutes to compile.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	openaioption "github.com/openai/openai-go/v3/option"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

var rounds = flag.Int("rounds", 6, "rounds; the best of each counts")

const (
	agent  = `{"id":"agt_01m80jqarvea0tqxkp6p9yga6t","name":"Support","is_default":true,"version":1,"created_at":"2026-11-22T02:52:48Z","updated_at":"2026-11-22T02:52:48Z"}`
	reply  = `{"id":"msg_1","conversation_id":"conv_1","agent_id":"agt_1","text":"At nine.","outcome":"answer","confidence":{"score":0.9,"threshold":0.5,"calibrated":false,"reasons":[]},"citations":[],"knowledge_revision":1,"created_at":"2026-11-22T02:52:48Z"}`
	model  = `{"id":"gpt-x","object":"model","created":1700000000,"owned_by":"somebody"}`
	claude = `{"id":"claude-x","type":"model","display_name":"Claude X","created_at":"2026-01-01T00:00:00Z"}`
)

// answer is what the server, or the transport, says to a path.
func answer(path string) string {
	switch {
	case strings.HasSuffix(path, "/message"):
		return reply
	case strings.Contains(path, "/models/gpt"):
		return model
	case strings.Contains(path, "/models/claude"):
		return claude
	}
	return agent
}

type stub struct{}

func (stub) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body) // bytes in memory
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(answer(r.URL.Path))),
	}, nil
}

func main() {
	flag.Parse()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the client is gone
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer(r.URL.Path))
	}))
	defer srv.Close()
	compare("GET, loopback", calls(srv.URL, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}))
	compare("GET, no network", calls(srv.URL, &http.Client{Transport: stub{}}))
}

type call struct {
	name string
	do   func(context.Context) error
}

func calls(url string, hc *http.Client) []call {
	ours, err := client.New(url, client.WithAPIKey("key"), client.WithHTTPClient(hc))
	if err != nil {
		log.Fatal(err)
	}
	oa := openai.NewClient(openaioption.WithAPIKey("key"), openaioption.WithBaseURL(url), openaioption.WithHTTPClient(hc))
	an := anthropic.NewClient(anthropicoption.WithAPIKey("key"), anthropicoption.WithBaseURL(url), anthropicoption.WithHTTPClient(hc))
	return []call{
		{"net/http", func(ctx context.Context) error {
			return raw(ctx, hc, http.MethodGet, url+"/v1/agents/agt_1", nil, new(api.Agent))
		}},
		{"answerdesk/client", func(ctx context.Context) error { _, err := ours.Agents.Get(ctx, "agt_1"); return err }},
		{"openai-go", func(ctx context.Context) error { _, err := oa.Models.Get(ctx, "gpt-x"); return err }},
		{"anthropic-sdk-go", func(ctx context.Context) error {
			_, err := an.Models.Get(ctx, "claude-x", anthropic.ModelGetParams{})
			return err
		}},
		{"net/http, POST", func(ctx context.Context) error {
			return raw(ctx, hc, http.MethodPost, url+"/v1/message", []byte(`{"message":"When do you open?"}`), new(api.Reply))
		}},
		{"answerdesk/client, POST", func(ctx context.Context) error {
			_, err := ours.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?"})
			return err
		}},
	}
}

// raw is the least that a program must write itself.
func raw(ctx context.Context, hc *http.Client, method, url string, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer key")
	resp, err := hc.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// compare runs all in turns, and prints the best round of each.
func compare(title string, calls []call) {
	fmt.Println(title)
	best := make([]float64, len(calls))
	last := make([]testing.BenchmarkResult, len(calls))
	for i := range best {
		best[i] = math.Inf(1)
	}
	for range *rounds {
		for i, c := range calls {
			r := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := c.do(b.Context()); err != nil {
						b.Fatal(c.name, ": ", err)
					}
				}
			})
			best[i], last[i] = min(best[i], float64(r.NsPerOp())), r
		}
	}
	for i, c := range calls {
		base := best[0]
		if strings.HasSuffix(c.name, "POST") {
			base = best[len(best)-2]
		}
		fmt.Printf("  %-24s %6.1f µs  %4.2fx  %4d allocations  %6d bytes\n", c.name, best[i]/1e3, best[i]/base, last[i].AllocsPerOp(), last[i].AllocedBytesPerOp())
	}
}
