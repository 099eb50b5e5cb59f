package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A window is how many questions a second one searcher was answered, alone and then
// while documents were written: knowledge/internal/speed tells the same of the index.
type window struct {
	Alone, Beside float64
	Written       int
}

// In knowledge/internal/speed, too: how many documents are written a second, how many
// at a time, and how many pairs of windows there are.
const (
	pace    = 1000
	written = 10
	windows = 20
)

// writes measures what searches lose while documents are written.
func (b *bench) writes(ctx context.Context) error {
	seconds := "10"
	if *short {
		seconds = "1"
	}
	place, err := b.in("desk-writes")
	if err != nil {
		return err
	}
	var index, desk, built window
	if err := b.inside(ctx, &index, "writes", b.tmp, "-seconds", seconds); err != nil {
		return err
	}
	if err := b.self(ctx, &built, "build desk", place); err != nil {
		return err
	}
	if err := b.self(ctx, &desk, "write desk", place, "-seconds", seconds); err != nil {
		return err
	}
	fmt.Printf("\nOne searcher, narrow questions, beside one that replaces documents, %d at a time\n%-10s %14s %14s %12s %8s\n", written, "", "alone", "beside", "documents/s", "lost")
	for _, x := range []struct {
		name string
		window
	}{{"index", index}, {"desk", desk}} {
		lost := 100 * (1 - x.Beside/x.Alone)
		fmt.Printf("%-10s %10.0f a s %10.0f a s %12d %6.1f %%\n", x.name, x.Alone, x.Beside, x.Written, lost)
		b.atMost(x.name+", searches lost beside 1,000 documents/s, %", lost, 20)
	}
	return os.RemoveAll(place)
}

// writeDesk searches in a desk with one goroutine, while in one half of each window
// another one replaces documents, durably.
func writeDesk(ctx context.Context) (w window, err error) {
	questions, err := textOf(*asking)
	if err != nil {
		return w, err
	}
	asker, err := os.ReadFile(filepath.Join(*place, "asking"))
	if err != nil {
		return w, err
	}
	desk, st, err := openDesk(ctx)
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, desk.Close(), st.Close()) }()
	var docs []knowledge.Document
	n := 0
	for d, err := range corpus.Unpacked(*plain) {
		if err != nil {
			return w, err
		}
		if owner(n) == "" { // ids of agents are not needed for these
			d.ExternalID = strconv.Itoa(n) + " " + d.ExternalID
			d.Format, d.Metadata = knowledge.Text, map[string]any{"section": section(n), "price": n % 100}
			docs = append(docs, d)
		}
		if n++; len(docs) == 20_000 {
			break
		}
	}
	if _, err := ask(ctx, desk, questions[0], string(asker)); err != nil { // the index is made
		return w, err
	}
	var answered atomic.Int64
	var failed error
	var searcher sync.WaitGroup
	searching, stop := context.WithCancel(ctx)
	searcher.Go(func() {
		for i := 0; searching.Err() == nil; i++ {
			if _, err := ask(ctx, desk, questions[i%len(questions)], string(asker)); err != nil {
				failed = err
				return
			}
			answered.Add(1)
		}
	})
	defer searcher.Wait()
	defer stop()
	length := time.Duration(*seconds * float64(time.Second) / 2 / windows)
	var all []window
	next := 0
	for range windows {
		var one window
		before, begun := answered.Load(), time.Now()
		time.Sleep(length)
		one.Alone = float64(answered.Load()-before) / time.Since(begun).Seconds()

		before, begun = answered.Load(), time.Now()
		for tick := time.NewTicker(time.Second * written / pace); time.Since(begun) < length; <-tick.C {
			batch := make([]knowledge.Document, written)
			for i := range batch {
				batch[i] = docs[next%len(docs)]
				batch[i].Text += fmt.Sprintf(" Revised %d.", next)
				next++
			}
			if _, err := desk.Knowledge().PutAll(ctx, batch...); err != nil {
				return w, err
			}
			one.Written += written
		}
		took := time.Since(begun).Seconds()
		one.Beside, one.Written = float64(answered.Load()-before)/took, int(float64(one.Written)/took)
		all = append(all, one)
	}
	stop()
	searcher.Wait()
	if failed != nil {
		return w, failed
	}
	slices.SortFunc(all, func(a, b window) int { return cmp.Compare(a.Beside/a.Alone, b.Beside/b.Alone) })
	return all[len(all)/2], nil
}

// ask puts a narrow question to a desk.
func ask(ctx context.Context, desk *answerdesk.Desk, text, asker string) (knowledge.Results, error) {
	return desk.Knowledge().Search(ctx, knowledge.Query{Text: text, AgentID: asker, Filter: map[string]any{
		"section": []any{"s0", "s1", "s2", "s3"}, "price": map[string]any{"$lt": 95},
	}})
}
