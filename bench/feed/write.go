package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// Wrote is what the writing process tells at its end. Times are those of the
// machine's clock, which both processes read, in nanoseconds.
type wrote struct {
	Acked []int64         // when each write was acknowledged; 0 if it was not made in time
	Took  []time.Duration // from when each was due
	CPU   time.Duration
	For   time.Duration // that the writing went on
}

// toldOf is what goes through the pipe for each write: the document, and in "told"
// the revision that the knowledge had after it.
type toldOf struct {
	n        int
	revision int64
}

// word is one that no other document has. Nothing of it can be taken for an ending.
func word(n int) string {
	const letters = "bcdfghjklmnpqrtv"
	w := []byte("zq")
	for i := 16; i >= 0; i -= 4 {
		w = append(w, letters[n>>i&15])
	}
	return string(append(w, "zq"...))
}

// write writes documents at a pace and tells of each on descriptor 3, once it is
// acknowledged.
func write(ctx context.Context, desk *answerdesk.Desk) error {
	pipe := os.NewFile(3, "pipe")
	base := desk.Knowledge()
	if _, err := base.Search(ctx, knowledge.Query{Text: "which documents are there?"}); err != nil { // loads the index
		return err
	}
	w := wrote{Acked: make([]int64, *pace**seconds), Took: make([]time.Duration, *pace**seconds)}
	errs := make([]error, *writers)
	var next atomic.Int64
	var telling sync.Mutex
	var wg sync.WaitGroup
	fmt.Println("ready")
	cpu, begun := machine.CPU(), time.Now()
	end := begun.Add(time.Duration(*seconds) * time.Second)
	one := func(n int, due time.Time) error {
		_, err := base.Put(ctx, knowledge.Document{
			ExternalID: fmt.Sprint("new-", n),
			Title:      "Parcel " + word(n),
			Text:       "The parcel " + word(n) + " is at the counter. " + strings.Repeat("It can be collected from nine in the morning until it is dark outside. ", 4),
		})
		if err != nil {
			return err
		}
		acked := time.Now()
		var revision int64
		if *told {
			if revision, err = base.Revision(ctx); err != nil {
				return err
			}
		}
		w.Acked[n], w.Took[n] = acked.UnixNano(), acked.Sub(due)
		telling.Lock()
		defer telling.Unlock()
		_, err = fmt.Fprintln(pipe, n, revision)
		return err
	}
	for i := range *writers {
		wg.Go(func() {
			for n := int(next.Add(1) - 1); n < len(w.Acked) && errs[i] == nil; n = int(next.Add(1) - 1) {
				due := begun.Add(time.Duration(n) * time.Second / time.Duration(*pace))
				time.Sleep(time.Until(due))
				if time.Now().After(end) {
					return
				}
				errs[i] = one(n, due)
			}
		})
	}
	wg.Wait()
	w.CPU, w.For = machine.CPU()-cpu, max(time.Since(begun), end.Sub(begun))
	if err := errors.Join(errors.Join(errs...), pipe.Close(), json.NewEncoder(os.Stdout).Encode(w)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin) // until the server's processes are counted, this one's connections among them
	return err
}
