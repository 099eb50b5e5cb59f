package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A seen is one search for a document: when it began and ended, the revision that
// was searched, and whether the document was there.
type seen struct {
	N          int
	Begun, End int64
	Revision   int64
	Found      bool
}

// Searched is what the searching process tells at its end.
type searched struct {
	Seen []seen
	Lost []int // documents that were acknowledged and are not found at the end
	CPU  time.Duration
	For  time.Duration
}

// search searches until the writer closes the pipe on descriptor 3, and then once
// for every document.
func search(ctx context.Context, desk *answerdesk.Desk) error {
	base := desk.Knowledge()
	if _, err := base.Search(ctx, knowledge.Query{Text: "which documents are there?"}); err != nil { // loads the index
		return err
	}
	fmt.Println("ready")

	var newest atomic.Pointer[toldOf]
	var all []int
	came, closed := make(chan struct{}, 1), make(chan struct{})
	var failed error
	go func() {
		defer close(closed)
		lines := bufio.NewScanner(os.NewFile(3, "pipe"))
		for lines.Scan() {
			var t toldOf
			if _, failed = fmt.Sscan(lines.Text(), &t.n, &t.revision); failed != nil {
				return
			}
			all = append(all, t.n)
			newest.Store(&t)
			select {
			case came <- struct{}{}:
			default: // it is there already
			}
		}
		failed = lines.Err()
	}()
	select {
	case <-came:
	case <-closed:
		return errors.Join(errors.New("the writer has told of nothing"), failed)
	}

	each, errs := make([][]seen, *searchers), make([]error, *searchers)
	var wg sync.WaitGroup
	cpu, begun := machine.CPU(), time.Now()
	select {
	case came <- struct{}{}: // the first is to be searched for as well
	default:
	}
	for i := range *searchers {
		wg.Go(func() {
			for errs[i] == nil {
				if *child == "told" {
					select {
					case <-came:
					case <-closed:
						return
					}
				}
				select {
				case <-closed:
					return
				default:
				}
				t := *newest.Load()
				var s seen
				s, errs[i] = look(ctx, base, t)
				each[i] = append(each[i], s)
			}
		})
	}
	wg.Wait()
	out := searched{Seen: slices.Concat(each...), CPU: machine.CPU() - cpu, For: time.Since(begun)}
	if err := errors.Join(errors.Join(errs...), failed); err != nil {
		return err
	}
	revision, err := base.Revision(ctx)
	if err != nil {
		return err
	}
	for _, n := range all {
		s, err := look(ctx, base, toldOf{n, revision})
		if err != nil {
			return err
		}
		if !s.Found {
			out.Lost = append(out.Lost, n)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// look asks for a document in words that all the new ones have, and one that it
// alone has.
func look(ctx context.Context, base *knowledge.Base, t toldOf) (seen, error) {
	s := seen{N: t.n, Begun: time.Now().UnixNano()}
	r, err := base.Search(ctx, knowledge.Query{Text: "Where is the parcel " + word(t.n) + ", and when can it be collected?", MinRevision: t.revision})
	s.End, s.Revision = time.Now().UnixNano(), r.Revision
	s.Found = slices.ContainsFunc(r.Hits, func(h knowledge.Hit) bool { return strings.Contains(h.Text, word(t.n)) })
	return s, err
}
