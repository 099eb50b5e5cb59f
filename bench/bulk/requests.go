package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
)

// read returns the texts of so many documents.
func read(n int) (texts []string, err error) {
	for d, err := range corpus.Documents(*file, n) {
		if err != nil {
			return nil, err
		}
		texts = append(texts, d.Text)
	}
	if len(texts) < n {
		return nil, fmt.Errorf("%s has %d documents, not %d", *file, len(texts), n)
	}
	return texts, nil
}

// body returns a bulk of items.
func body(name string, texts []string) []byte {
	type item struct {
		Content    string         `json:"content"`
		ExternalID string         `json:"external_id"`
		Metadata   map[string]any `json:"metadata"`
	}
	items := make([]item, len(texts))
	for i, text := range texts {
		id := fmt.Sprint(name, " ", i)
		items[i] = item{text, id, map[string]any{"title": "Item " + id, "category": "bench", "tags": []string{"a", "b"}}}
	}
	out, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		panic(err) // strings and maps of them
	}
	return out
}

// bodies returns a bulk of as many items as there may be, of not more than so many
// bytes.
func bodies(texts []string, size int) []byte {
	items := make([]string, perBulk)
	next := 0
	for i := range items {
		var b strings.Builder
		for each := size / perBulk * 9 / 10; ; next++ { // what is escaped takes more
			text := texts[next%len(texts)]
			if b.Len()+len(text)+2 > each {
				break
			}
			b.WriteString(text + "\n\n")
		}
		items[i] = b.String()
	}
	out := body(largeName(0), items)
	for n := len(items[0]); len(out) > size; out = body(largeName(0), items) {
		n = n * 49 / 50
		for i := range items {
			items[i] = strings.ToValidUTF8(items[i][:min(n, len(items[i]))], "")
		}
	}
	return out
}

// largeName is what the items of a large bulk are called, in as many bytes each.
func largeName(n int) string { return fmt.Sprintf("large %06d", n) }

// named returns the large bulk that bodies made with the names of another one, which
// takes less than making it anew: turns are being timed.
func named(items []byte, n int) []byte {
	return bytes.ReplaceAll(items, []byte(largeName(0)), []byte(largeName(n)))
}

// call sends a request, and reads the answer into a value.
func (s *server) call(ctx context.Context, path string, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.Key)
	resp, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000)) // to say what it can
		return fmt.Errorf("%s: %s: %s", path, resp.Status, text)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// post sends a bulk, of which all items must be new.
func (s *server) post(ctx context.Context, body []byte) error {
	var out struct{ Created, Updated, Unchanged, Failed int }
	err := s.call(ctx, "/v1/content/bulk", body, &out)
	if err == nil && out.Created != perBulk {
		err = fmt.Errorf("of %d items %d were created, %d failed", perBulk, out.Created, out.Failed)
	}
	return err
}

// fill puts the documents that are there before, and asks about them.
func (s *server) fill(ctx context.Context, texts []string) error {
	if err := s.ask(ctx, "Is there anything?"); err != nil {
		return err
	}
	for i := 0; i < len(texts); i += perBulk {
		var out struct{ Failed int }
		part := texts[i:min(i+perBulk, len(texts))]
		if err := s.call(ctx, "/v1/content/bulk", body(fmt.Sprint("before ", i), part), &out); err != nil {
			return err
		}
		if out.Failed > 0 {
			return fmt.Errorf("%d items failed", out.Failed)
		}
	}
	return nil
}

// small measures bulks of small items.
func (s *server) small(ctx context.Context, texts []string) error {
	var requests [][]byte
	size := 0
	for i := range *bulks {
		requests = append(requests, body(fmt.Sprint("small ", i), texts[i*perBulk:(i+1)*perBulk]))
		size += len(requests[i])
	}
	before, err := s.settled()
	if err != nil {
		return err
	}
	var each []time.Duration
	for _, b := range requests {
		begun := time.Now()
		if err := s.post(ctx, b); err != nil {
			return err
		}
		each = append(each, time.Since(begun))
	}
	after, err := s.tell("")
	if err != nil {
		return err
	}
	n := uint64(*bulks * perBulk)
	fmt.Printf("\n1,000 items:  %d kB a bulk  p50 %v  p99 %v; an item: CPU %v, %d allocations, %d bytes\n", size / *bulks >> 10,
		machine.Percentile(each, .5).Round(time.Millisecond), machine.Percentile(each, .99).Round(time.Millisecond),
		((after.CPU - before.CPU) / time.Duration(n)).Round(time.Microsecond), (after.Mallocs-before.Mallocs)/n, (after.Bytes-before.Bytes)/n)
	return nil
}

func (s *server) ask(ctx context.Context, question string) error {
	b, err := json.Marshal(map[string]string{"message": question})
	if err != nil {
		return err
	}
	return s.call(ctx, "/v1/message", b, new(struct{}))
}

// turns asks at the steady rate until the context ends, and returns how long each
// took from when it was due.
func (s *server) turns(ctx context.Context, questions []string) (took []time.Duration, err error) {
	var (
		mu  sync.Mutex
		wg  sync.WaitGroup
		due = time.Now()
	)
	for i := 0; ctx.Err() == nil; i++ {
		at, question := due, questions[i%len(questions)]
		wg.Go(func() {
			failed := s.ask(context.WithoutCancel(ctx), question)
			mu.Lock()
			defer mu.Unlock()
			took, err = append(took, time.Since(at)), errors.Join(err, failed)
		})
		due = due.Add(time.Second / time.Duration(*rate))
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
		}
	}
	wg.Wait()
	return took, err
}
