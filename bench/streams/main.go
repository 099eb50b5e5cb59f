// Streams opens many streams of events at once, each of a reply that is being made,
// and says what one takes and whether anything stays when they have ended:
//
//	go run ./streams [-n 1000]
//
// Before, it begins conversations, which stay open, and while the streams are open
// it has new messages answered, and says how long they take.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"iter"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server"
)

var (
	count         = flag.Int("n", 1000, "streams at once")
	conversations = flag.Int("conversations", 10_000, "begin so many conversations before")
	turns         = flag.Int("turns", 1000, "have so many messages answered beside the streams")
)

func main() {
	flag.Parse()
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "streams")
	check(err)
	defer os.RemoveAll(dir)
	machine.Print(dir, *count, " streams; figures are of server and clients together, which share the process")
	release := make(chan struct{})
	desk, err := answerdesk.Open(ctx, dir, &answerdesk.Options{Answerer: waiting(release)})
	check(err)
	defer desk.Close()
	_, err = desk.Knowledge().Put(ctx, knowledge.Document{Title: "Hours", Text: "The shop opens at nine in the morning."})
	check(err)
	_, key, err := desk.Keys().Create(ctx, access.NewKey{Name: "bench", Scope: access.ScopeWrite, Plan: access.PlanUnlimited})
	check(err)
	srv := httptest.NewServer(server.New(desk, nil))
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}

	begin(ctx, desk)
	p50, p99 := answered(ctx, desk)
	fmt.Printf("%d conversations, no stream: a new turn takes %v, p99 %v\n", *conversations, p50, p99)
	one(ctx, client, srv.URL, key, func() {}, true) // what is made once is not counted
	client.CloseIdleConnections()
	goroutines, memory := settled(), used()

	var open, all sync.WaitGroup
	open.Add(*count)
	for range *count {
		all.Go(func() { one(ctx, client, srv.URL, key, open.Done, false) })
	}
	open.Wait()
	fmt.Printf("%d open: %d goroutines and %.1f KiB each\n", *count, (runtime.NumGoroutine()-goroutines) / *count, float64(used()-memory)/float64(*count)/1024)
	p50, p99 = answered(ctx, desk)
	fmt.Printf("beside them a new turn takes %v, p99 %v\n", p50, p99)
	close(release)
	all.Wait()
	client.CloseIdleConnections()
	after := settled()
	fmt.Printf("ended: %d goroutines, %d before; %+.1f KiB a stream left\n", after, goroutines, float64(used()-memory)/float64(*count)/1024)
	if after > goroutines {
		os.Exit(1)
	}
}

// begin has as many conversations begun as are asked for, by customers of their own.
func begin(ctx context.Context, desk *answerdesk.Desk) {
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := worker; i < *conversations; i += 8 {
				_, err := desk.Agent("").Ask(ctx, agent.Message{Text: "When does the shop open now?", User: agent.User{ID: fmt.Sprint("customer-", i)}})
				check(err)
			}
		})
	}
	all.Wait()
}

// answered has messages answered, one after the other, each in one of the
// conversations, and returns how long half of them took at most, and 99 of 100.
func answered(ctx context.Context, desk *answerdesk.Desk) (p50, p99 time.Duration) {
	took := make([]time.Duration, *turns)
	for i := range took {
		begun := time.Now()
		_, err := desk.Agent("").Ask(ctx, agent.Message{Text: "When does the shop open now?", User: agent.User{ID: fmt.Sprint("customer-", i%max(1, *conversations))}})
		check(err)
		took[i] = time.Since(begun)
	}
	slices.Sort(took)
	return took[len(took)/2].Round(time.Microsecond), took[len(took)*99/100].Round(time.Microsecond)
}

// waiting is an Answerer that says a word and waits before the next.
func waiting(release chan struct{}) agent.Answerer {
	return answerer(func(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
		return func(yield func(agent.Part, error) bool) {
			c := agent.Cite(q.Passages[0].Passage, q.Passages[0].Start, q.Passages[0].End)
			if !yield(agent.Part{Text: "We open ", Citation: &c}, nil) {
				return
			}
			if !strings.Contains(q.Message.Text, "now") {
				select {
				case <-release:
				case <-ctx.Done():
				}
			}
			yield(agent.Part{Text: "at nine."}, nil)
		}
	})
}

type answerer func(context.Context, agent.Question) iter.Seq2[agent.Part, error]

func (a answerer) Answer(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
	return a(ctx, q)
}

// one reads a stream to its end, and tells when its first text has come.
func one(ctx context.Context, client *http.Client, url, key string, begun func(), now bool) {
	question := `{"message":"When does the shop open?"}`
	if now {
		question = `{"message":"When does the shop open now?"}`
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/message/stream", strings.NewReader(question))
	check(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key)
	resp, err := client.Do(r)
	check(err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		log.Fatal(resp.Status)
	}
	var seen strings.Builder
	buf, told := make([]byte, 4096), false
	for {
		n, err := resp.Body.Read(buf)
		seen.Write(buf[:n])
		if !told && strings.Contains(seen.String(), "text.delta") {
			told = true
			begun()
		}
		if err == io.EOF {
			break
		}
		check(err)
	}
	if !strings.Contains(seen.String(), "event: message.completed") {
		log.Fatal("a stream ended without its reply: ", seen.String())
	}
}

// settled waits until the goroutines that end have ended, and counts the others.
func settled() int {
	n := runtime.NumGoroutine()
	for range 50 {
		time.Sleep(20 * time.Millisecond)
		n = min(n, runtime.NumGoroutine())
	}
	return n
}

// used is the memory of heap and stacks that is in use.
func used() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
