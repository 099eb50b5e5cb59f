package store

import (
	"time"

	"github.com/answerdesk-go/answerdesk/event"
)

// A Commit is what a step writes besides its own rows, in the same transaction.
type Commit struct {
	Company string // whose step it is; required

	// Events tell of the step. The store sets Company, and numbers those of
	// one stream in the order given.
	Events []event.Event

	// Work is queued by the step.
	Work []Work

	// Receipt, if any, is moved on by the step: see [Receipt].
	Receipt *Receipt

	// Audit, if any, says who did it.
	Audit *Audit
}

// Work is something to be done later, at least once, under the lease of its key.
// The payload holds ids, never a customer's words: whoever does the work reads
// what they name.
type Work struct {
	ID      string    // wrk_…, the same at each attempt
	Queue   string    // what kind of work: "deliveries", "runs"
	Key     string    // what it must not run beside: an endpoint, a source, a conversation
	Payload []byte    // ids, at most 4 KiB
	RunAt   time.Time // not before; zero means at once
}

// A Receipt remembers that a request with an idempotency key was taken, so that
// the same request gets the same answer. It is claimed when work begins and
// completed in the commit that ends it. After a crash in between, the claim
// lapses and the next duplicate does the work. It holds ids; the answer is
// rendered again from what they name.
type Receipt struct {
	Scope  string // API key, method and path
	Key    string // the idempotency key
	Fence  int64  // as the claim returned it
	Result string // ids of what the request made; empty until known
	Done   bool   // whether the answer is complete

	// Company is whose the receipt is, where the step is another company's, as
	// when the operator makes a key for one; empty means the commit's.
	Company string
}

// A ReceiptClaim asks for the right to do the work of a request.
type ReceiptClaim struct {
	Company, Scope, Key string

	Hash  []byte        // of the request's body
	Lease time.Duration // how long the claim holds without being renewed by a commit
	Keep  time.Duration // how long the receipt is remembered
}

// A ReceiptState is what a claim found.
type ReceiptState struct {
	Receipt
	Claimed bool // the caller is to do the work, under Receipt.Fence
	Differs bool // the key was used with another body
}

// Audit says who did something that the owner of a company may ask about later.
type Audit struct {
	ID     string
	Actor  string // a principal's id
	Action string // such as "document.delete"
	Object string // the id it was done to
	At     time.Time
}
