package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/answerdesk-go/answerdesk/agent"
)

// A Book is what is known from outside about the data of a desk: the steps that
// were begun, and those that were acknowledged. The zero value is the book of a
// new folder. Its methods may be called by many goroutines.
type Book struct {
	mu       sync.Mutex
	last     int          // number of the last step
	inFlight map[int]Note // begun and not acknowledged
	acked    map[string]int

	docs   map[string][]*lifetime // by external id: those that had it, the last one last
	asked  map[int]*exchange      // by step
	gone   map[string]bool        // conversations that were deleted
	queued map[string]bool        // jobs
	log    []string               // ids of the events at the last check, in order
	faults []Fault                // of what calls returned
}

// A lifetime is a document from its first put to its delete.
type lifetime struct {
	id      string // empty while no call has returned it
	writes  []write
	deleted bool
}

// A write is a step that changed a document.
type write struct {
	step int
	text bool // whether it gave it a new text
}

// An exchange is a question, and what was answered.
type exchange struct {
	step  int
	user  string
	reply *agent.Reply // nil if none was acknowledged
}

// Write adds a note.
func (b *Book) Write(n Note) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.docs == nil {
		b.inFlight, b.docs, b.asked = map[int]Note{}, map[string][]*lifetime{}, map[int]*exchange{}
		b.gone, b.queued, b.acked = map[string]bool{}, map[string]bool{}, map[string]int{}
	}
	if !n.Done {
		b.last = max(b.last, n.Step)
		b.inFlight[n.Step] = n
		return
	}
	delete(b.inFlight, n.Step)
	b.acked[n.Do]++
	b.apply(n)
}

// apply notes that a step has been taken.
func (b *Book) apply(n Note) {
	switch n.Do {
	case doPut, doPatch, doDelete:
		var ids []string
		if err := json.Unmarshal(n.Got, &ids); n.Got != nil && (err != nil || len(ids) != len(n.Keys)) {
			b.faults = append(b.faults, Fault{Invented, fmt.Sprintf("step %d, %s of %v, returned %s", n.Step, n.Do, n.Keys, n.Got)})
			return
		}
		for i, key := range n.Keys {
			d := b.live(key)
			if d == nil {
				d = &lifetime{}
				b.docs[key] = append(b.docs[key], d)
			}
			switch {
			case ids == nil: // taken without being acknowledged: see settle
			case d.id == "":
				d.id = ids[i]
			case d.id != ids[i]:
				b.faults = append(b.faults, Fault{Lost, fmt.Sprintf("step %d, %s of %s, found document %s in place of %s", n.Step, n.Do, key, ids[i], d.id)})
			}
			if n.Do == doDelete {
				d.deleted = true
			} else {
				d.writes = append(d.writes, write{n.Step, n.Do == doPut})
			}
		}
	case doAsk:
		x := &exchange{step: n.Step, user: n.Keys[0]}
		if n.Got != nil {
			x.reply = &agent.Reply{}
			if err := json.Unmarshal(n.Got, x.reply); err != nil {
				b.faults = append(b.faults, Fault{Invented, fmt.Sprintf("step %d returned %s", n.Step, n.Got)})
			}
			b.acked[string(x.reply.Outcome)]++
		}
		b.asked[n.Step] = x
	case doForget:
		b.gone[n.Keys[0]] = true
	case doQueue:
		b.queued[n.Keys[0]] = true
	}
}

// live returns the document that has an external id, or nil.
func (b *Book) live(key string) *lifetime {
	if ds := b.docs[key]; len(ds) > 0 && !ds[len(ds)-1].deleted {
		return ds[len(ds)-1]
	}
	return nil
}

// Last returns the number of the last step.
func (b *Book) Last() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

// Acked returns how many steps were acknowledged, by kind, and how many of the
// replies had an outcome.
func (b *Book) Acked() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.acked)
}

// InFlight says what was begun and not acknowledged, a word a step.
func (b *Book) InFlight() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, n := range b.inFlight {
		out = append(out, n.Do)
	}
	slices.Sort(out)
	return out
}

// A Fault is a promise that was broken.
type Fault struct {
	Kind Kind
	What string
}

func (f Fault) String() string { return string(f.Kind) + ": " + f.What }

// A Kind is how a promise was broken.
type Kind string

// The kinds of faults.
const (
	Lost     Kind = "lost"     // it was acknowledged, and is not there as it was
	Half     Kind = "half"     // a part of a step is there, and another is not
	Invented Kind = "invented" // nobody asked for it
	Undone   Kind = "undone"   // it was to be done afterwards, and was not
	Corrupt  Kind = "corrupt"  // the database does not hold together
)
