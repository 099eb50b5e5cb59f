// Serve measures POST /v1/message over many passages, beside a bare net/http
// handler that does the same turn in its process: the difference is what the
// hosted API costs. Both are called over loopback by the same clients, in turns
// within one run, on the same desk:
//
//	go run ./serve -corpus ../../shared/data/msdocs100k/corpus.jsonl.gz [-passages 10000] [-n 4000] [-clients 16] [-rounds 5]
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/server"
)

var (
	file     = flag.String("corpus", "../../shared/data/msdocs100k/corpus.jsonl.gz", "documents, gzipped JSON lines")
	passages = flag.Int("passages", 10_000, "documents taken; those of msdocs100k are a passage each")
	count    = flag.Int("n", 4000, "messages a round")
	clients  = flag.Int("clients", 16, "clients at once")
	rounds   = flag.Int("rounds", 5, "rounds of each")
)

func main() {
	flag.Parse()
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "serve")
	check(err)
	defer os.RemoveAll(dir)
	machine.Print(dir, *passages, " documents, ", *count, " messages a round, ", *clients, " clients")
	desk, err := answerdesk.Open(ctx, dir, nil)
	check(err)
	defer desk.Close()
	for in, err := range desk.Knowledge().Ingest(ctx, corpus.Documents(*file, *passages)) {
		check(err)
		check(in.Err)
	}
	questions, err := corpus.Questions(corpus.Documents(*file, *passages), *count)
	check(err)
	_, key, err := desk.Keys().Create(ctx, access.NewKey{Name: "bench", Scope: access.ScopeWrite, Plan: access.PlanUnlimited})
	check(err)

	whole, bare := httptest.NewServer(server.New(desk, nil)), httptest.NewServer(bareHandler(desk))
	defer whole.Close()
	defer bare.Close()
	measure(whole.URL, key, questions[:min(500, *count)], 1) // connections, and the index
	for _, atOnce := range []int{1, *clients} {
		fmt.Printf("%d at once\n", atOnce)
		for range *rounds {
			b := measure(bare.URL, key, questions, atOnce)
			w := measure(whole.URL, key, questions, atOnce)
			fmt.Printf("  bare %v\n  API  %v\n  API/bare %.2f of the throughput, %+d µs CPU a message\n", b, w, w.rate/b.rate, (w.cpu - b.cpu).Microseconds())
		}
	}
}

// bareHandler is the least that answers a message over HTTP.
func bareHandler(desk *answerdesk.Desk) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Message string `json:"message"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply, err := desk.Agent("").Ask(r.Context(), agent.Message{Text: in.Message})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply) // the client is gone
	})
}

// A result is what a round came to. CPU and allocations include the clients', which
// are the same for both.
type result struct {
	rate     float64
	p50, p99 time.Duration
	cpu      time.Duration
	allocs   uint64
	bytes    uint64
}

func (r result) String() string {
	return fmt.Sprintf("%5.0f/s  p50 %v  p99 %v  CPU %v  %d allocations, %d bytes each", r.rate, r.p50.Round(10*time.Microsecond),
		r.p99.Round(10*time.Microsecond), r.cpu.Round(time.Microsecond), r.allocs, r.bytes)
}

// measure sends every question once, from several clients.
func measure(url, key string, questions []string, atOnce int) result {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
	defer client.CloseIdleConnections()
	each := make([]time.Duration, len(questions))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, begun := machine.CPU(), time.Now()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(questions)); i = next.Add(1) - 1 {
				at := time.Now()
				ask(client, url, key, questions[i])
				each[i] = time.Since(at)
			}
		})
	}
	wg.Wait()
	took := time.Since(begun)
	cpu = machine.CPU() - cpu
	runtime.ReadMemStats(&after)
	n := uint64(len(questions))
	return result{
		rate: float64(n) / took.Seconds(), p50: machine.Percentile(each, .5), p99: machine.Percentile(each, .99),
		cpu: cpu / time.Duration(n), allocs: (after.Mallocs - before.Mallocs) / n, bytes: (after.TotalAlloc - before.TotalAlloc) / n,
	}
}

func ask(client *http.Client, url, key, question string) {
	body, err := json.Marshal(map[string]string{"message": question})
	check(err)
	r, err := http.NewRequest(http.MethodPost, url+"/v1/message", bytes.NewReader(body))
	check(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key)
	resp, err := client.Do(r)
	check(err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	check(err)
	if resp.StatusCode != http.StatusOK {
		log.Fatal(resp.Status)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
