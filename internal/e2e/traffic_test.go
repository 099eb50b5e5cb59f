package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk/client"
)

const (
	attemptTime = 8 * time.Second // that a caller waits for a server before it asks the other
	patience    = 2 * time.Minute // within which service is back when the last fault is over
	bulkSize    = 300             // pieces of a large bulk: more than are stored in one step
	pieces      = 50              // number, after its caller's first, of the first document that is put by bulk
)

// Traffic is callers who use the servers of one store at the same time, and note
// what comes of it.
type traffic struct {
	seed    uint64
	shared  string               // the id of a conversation that all of them speak in
	clients []*client.Client     // one a server
	now     func() time.Duration // since the round began
	callers int
	unaware bool // they ask for no revision at least
	history *history
	ops     atomic.Int64
	marks   atomic.Int64
}

// run has callers do what they want until ctx ends, and to the end what they are
// at then.
func (tr *traffic) run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range tr.callers {
		c := &trafficCaller{traffic: tr, name: fmt.Sprint("caller", i), first: 100 * (i + 1), rand: rand.New(rand.NewPCG(tr.seed, uint64(i))), docs: map[string]string{}}
		wg.Go(func() {
			for ctx.Err() == nil {
				c.do(c.want())
			}
		})
	}
	wg.Wait()
}

// look has one caller look at every document there is or was, at each server.
func (tr *traffic) look() {
	c := &trafficCaller{traffic: tr, name: "look", rand: rand.New(rand.NewPCG(tr.seed, 99))}
	var keys []string
	for _, o := range tr.history.Ops {
		if o.writes() && len(o.Keys) < bulkSize {
			keys = append(keys, o.Keys...)
		}
	}
	slices.Sort(keys)
	for i, key := range slices.Compact(keys) {
		o := c.op(opSearch, key)
		o.prefer = i % len(tr.clients)
		c.do(o)
	}
	for server := range tr.clients {
		for _, of := range []wanted{c.op(opAsk, documentKey(0)), c.op(opPut, fmt.Sprint("lone", 900+server)), c.op(opRead)} {
			of.prefer = server
			of.Target = tr.shared
			c.do(of)
		}
	}
}

// A trafficCaller wants one thing at a time.
type trafficCaller struct {
	*traffic
	name  string
	first int // number of its first document; nobody else writes those
	rand  *rand.Rand
	docs  map[string]string // ids of its documents, by key
	seen  int64             // the latest revision that a server told it
}

// A wanted is an op that is to be done.
type wanted struct {
	*op
	prefer int // the server to ask first
}

// op returns an op.
func (c *trafficCaller) op(do string, keys ...string) wanted {
	o := &op{N: int(c.ops.Add(1)), Caller: c.name, Do: do, Keys: keys}
	if do == opPut || do == opBulk {
		for range keys {
			o.Marks = append(o.Marks, int(c.marks.Add(1)))
		}
	}
	return wanted{o, c.rand.IntN(len(c.clients))}
}

// want makes up an op.
func (c *trafficCaller) want() wanted {
	r := c.rand
	own := documentKey(c.first + r.IntN(6))
	piece := documentKey(c.first + pieces + r.IntN(4))
	anyone := documentKey(100*(1+r.IntN(c.callers)) + []int{0, pieces}[r.IntN(2)] + r.IntN(6))
	lone := func() string { return fmt.Sprint("lone", c.ops.Load(), "of", c.name) } // without an external id
	switch n := r.IntN(100); {
	case n < 15:
		return c.op(opAsk, anyone)
	case n < 30:
		return c.op(opStream, anyone)
	case n < 45:
		return c.op(opPut, own)
	case n < 50:
		return c.op(opPut, lone())
	case n < 60:
		keys := []string{lone()}
		for i := range 1 + r.IntN(4) {
			keys = append(keys, documentKey(c.first+pieces+i))
		}
		if r.IntN(12) == 0 {
			for i := range bulkSize {
				keys = append(keys, fmt.Sprint(keys[0], "x", i))
			}
		}
		return c.op(opBulk, keys...)
	case n < 66 && c.docs[own] != "":
		return c.delete(own)
	case n < 70 && c.docs[piece] != "":
		return c.delete(piece)
	case n < 90:
		return c.op(opSearch, anyone)
	case n < 95:
		return c.op(opList, anyone)
	}
	o := c.op(opRead)
	o.Target = c.shared
	return o
}

// delete returns the delete of a document that is there.
func (c *trafficCaller) delete(key string) wanted {
	o := c.op(opDelete, key)
	o.Target = c.docs[key]
	return o
}

// do does what is wanted, with another server each time that one fails, until it
// is acknowledged or refused for good, or service is not back in time.
func (c *trafficCaller) do(w wanted) {
	o := w.op
	if o.asks() && c.rand.IntN(3) == 0 {
		o.Talk = c.shared
	}
	if (o.asks() || o.Do == opSearch) && !c.unaware && c.rand.IntN(2) == 0 {
		o.MinRevision = c.seen
	}
	o.Begin = c.now()
	c.history.begin(o)
	for server, failures := w.prefer, 0; ; server++ {
		a := c.attempt(o, server%len(c.clients))
		switch {
		case a.ok():
			o.State = acked
		case a.Code == "turn_failed" || a.Code == "turn_cancelled":
			if failures++; failures > 3 { // it is the answer
				o.State = failed
			}
		case o.Do == opDelete && a.Status == http.StatusNotFound && len(o.Attempts) > 1:
			o.State = acked // by an attempt whose answer was lost
		case !passing(a):
			o.State = refused
		}
		over, quiet := c.history.over()
		if o.End = c.now(); o.State != pending || quiet && o.End-max(over, o.Begin) > patience {
			break
		}
		time.Sleep(time.Duration(10+c.rand.IntN(90)) * time.Millisecond) // as callers do who are told to try again
	}
	if o.Do == opDelete && o.State == acked {
		delete(c.docs, o.Keys[0])
	}
	if a := o.first(); a != nil {
		c.learn(o, a)
	}
	if o.State == acked && o.repeatable() && c.rand.IntN(8) == 0 {
		c.attempt(o, c.rand.IntN(len(c.clients)))
	}
}

// learn notes what later ops depend on.
func (c *trafficCaller) learn(o *op, a *attempt) {
	c.seen = max(c.seen, a.Revision)
	for i, id := range a.IDs {
		if o.writes() && i < len(o.Keys) && c.docs != nil {
			c.docs[o.Keys[i]] = id
		}
	}
}

// passing reports whether a failure is one that time or another server mends.
func passing(a *attempt) bool {
	again := []string{"turn_in_progress", "server_draining", "store_unavailable"} // also within a stream, whose status is 200
	return a.Err != "" || slices.Contains(again, a.Code) || slices.Contains([]int{429, 500, 502, 503, 504}, a.Status)
}
