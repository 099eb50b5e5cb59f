package e2e

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/client/api"
)

// What callers want of servers. The first four carry an Idempotency-Key.
const (
	opAsk    = "ask"    // a message, and its reply at once
	opStream = "stream" // a message, and its reply as it comes
	opPut    = "put"    // a document
	opBulk   = "bulk"   // several
	opDelete = "delete" // a document, by its id
	opSearch = "search" // the passages about a document
	opList   = "list"   // a document, by its external id
	opRead   = "read"   // the messages of a conversation
)

// A history is what callers wanted of the servers of one store and what came of
// it, in the order they began.
type history struct {
	mu     sync.Mutex
	Ops    []*op
	Faults []*trouble
	closed bool
}

// forever is later than everything.
const forever = time.Duration(math.MaxInt64)

// An op is something that a caller wants. Until a server has acknowledged it, it
// is asked of one server after the other, as the same request.
type op struct {
	N      int
	Caller string
	Do     string

	// Keys are the documents it is about, by the names in their texts. An op
	// that writes gives Keys[i] the text of Marks[i], which no other has.
	Keys  []string
	Marks []int

	Target string // the id of the document or conversation
	Talk   string // of a message: the id of a shared conversation, or empty

	// MinRevision is the revision of the knowledge that the answer is to be made
	// from at least, if that was asked for.
	MinRevision int64

	Begin, End time.Duration // since the round began; End is when it was acknowledged or given up
	State      opState
	Attempts   []*attempt
}

// An opState is what has become of an op, as far as its caller knows.
type opState string

// The states of an op. No server has acknowledged one that is pending.
const (
	pending opState = ""
	acked   opState = "acknowledged"
	refused opState = "refused" // for good
	failed  opState = "failed"  // a message is stored, and its turn ended without a reply
)

// An attempt is one request.
type attempt struct {
	Server     int
	Start, End time.Duration

	// One that failed has either the failure of the connection, or a status
	// and what the error says.
	Err     string
	Timeout bool // the caller has not waited longer
	Status  int
	Code    string
	Message string

	// Of an answer.
	Replayed bool
	Revision int64 // of the knowledge that was written or read
	IDs      []string
	Reply    *api.Reply
	Listed   []api.Document
	Messages []api.Message
	Text     string // all of it that may hold a text of a document
}

// ok reports whether the attempt was answered as wanted.
func (a *attempt) ok() bool { return a.Err == "" && a.Code == "" }

// first is the attempt that acknowledged an op; those after it are repetitions.
func (o *op) first() *attempt {
	for _, a := range o.Attempts {
		if a.ok() {
			return a
		}
	}
	return nil
}

// repeatable reports whether the op carries an Idempotency-Key.
func (o *op) repeatable() bool { return o.asks() || o.Do == opPut || o.Do == opBulk }

// asks reports whether the op is a message.
func (o *op) asks() bool { return o.Do == opAsk || o.Do == opStream }

// writes reports whether the op changes documents.
func (o *op) writes() bool { return o.Do == opPut || o.Do == opBulk || o.Do == opDelete }

// A trouble is a fault, from when it was caused until the servers could be
// expected to serve again.
type trouble struct {
	What        string
	From, Until time.Duration
}

// begin adds an op.
func (h *history) begin(o *op) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Ops = append(h.Ops, o)
}

// trouble adds a fault.
func (h *history) trouble(f *trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Faults = append(h.Faults, f)
}

// mend notes that a fault is over.
func (h *history) mend(f *trouble, at time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.Until = at
}

// over returns when the last fault was over, and whether that is so. A history is
// closed when no more are to come.
func (h *history) over() (at time.Duration, closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.Faults {
		at = max(at, f.Until)
	}
	return at, h.closed
}

// close says that no more faults are to come.
func (h *history) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}

// keep writes the history to a file and returns its name.
func (h *history) keep(t *testing.T) string {
	t.Helper()
	b, err := json.MarshalIndent(h, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(os.TempDir(), "answerdesk-"+strings.ReplaceAll(t.Name(), "/", "-")+".json")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// errorKinds counts the failed attempts by what they failed with.
func (h *history) errorKinds() map[string]int {
	out := map[string]int{}
	for _, o := range h.Ops {
		for _, a := range o.Attempts {
			switch {
			case a.Timeout:
				out["no answer in time"]++
			case a.Err != "":
				out[connectionError(a.Err)]++
			case a.Code != "":
				out[strconv.Itoa(a.Status)+" "+a.Code]++
			}
		}
	}
	return out
}

// connectionError is the kind of a failed connection.
func connectionError(text string) string {
	for _, kind := range []string{"connection refused", "connection reset", "broken pipe", "EOF", "server closed idle connection", "use of closed network connection", "the stream ended"} {
		if strings.Contains(text, kind) {
			return kind
		}
	}
	return text
}
