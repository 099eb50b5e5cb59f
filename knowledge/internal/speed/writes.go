//go:build unix

package main

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// pace is how many documents are written a second, ten at a time.
const pace = 1000

// windows is how many pairs of them there are: they are short, so that what else the
// machine does is in both of a pair or in few.
const windows = 20

// A window is how many questions a second one searcher was answered, alone and then
// while documents were written.
type window struct {
	Alone, Beside float64
	Written       int
}

// writes searches with one goroutine, while in one half of each window another one
// replaces documents. What is printed is the median by what was lost.
func writes() (w window, err error) {
	list, err := asked()
	if err != nil {
		return w, err
	}
	x, _, err := fill()
	if err != nil {
		return w, err
	}
	var docs []document
	for d, err := range read(*documents) {
		if err != nil {
			return w, err
		}
		if docs = append(docs, d); len(docs) == 20_000 {
			break
		}
	}
	stopProfile, err := profiled()
	if err != nil {
		return w, err
	}
	defer stopProfile()
	var answered atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				x.Search(narrow(list[i%len(list)]))
				answered.Add(1)
			}
		}
	}()
	length := time.Duration(*seconds * float64(time.Second) / 2 / windows)
	var all []window
	next := 0
	for range windows {
		var one window
		n, begun := answered.Load(), time.Now()
		time.Sleep(length)
		one.Alone = float64(answered.Load()-n) / time.Since(begun).Seconds()

		n, begun = answered.Load(), time.Now()
		for tick := time.NewTicker(time.Second * 10 / pace); time.Since(begun) < length; <-tick.C {
			var changes []index.Change
			for range 10 {
				c := put(next%len(docs), docs[next%len(docs)])
				c.Put.Version = next/len(docs) + 2
				changes = append(changes, c)
				next++
			}
			x.Apply(changes)
			one.Written += 10
		}
		maintain(x)
		one.Beside = float64(answered.Load()-n) / time.Since(begun).Seconds()
		one.Written = int(float64(one.Written) / time.Since(begun).Seconds())
		all = append(all, one)
	}
	close(stop)
	<-done
	slices.SortFunc(all, func(a, b window) int { return cmp.Compare(a.Beside/a.Alone, b.Beside/b.Alone) })
	w = all[len(all)/2]
	if w.Alone == 0 {
		return w, fmt.Errorf("nothing was answered in %v", length)
	}
	return w, nil
}
