package store

import "time"

// A Lease is the right to work on one key of a queue until a moment. Its fence
// grows with every claim of the key; a store refuses what comes under an older
// one with [ErrFenced].
type Lease struct {
	Company, Queue, Key string

	Worker string    // who holds it
	Fence  int64     // the claim it came from
	Until  time.Time // by the store's clock
}

// A Job is a [Work] that is due, and how often it has been tried.
type Job struct {
	Work
	Attempt int       // 1 at the first try
	Queued  time.Time // when it was committed
}

// An Outcome is how an attempt at a job ended: exactly one of Done, RetryIn and
// Dead is set.
type Outcome struct {
	ID      string
	Done    bool
	RetryIn time.Duration // try again after this long
	Dead    bool          // give up; the job stays, to be looked at and revived
	Reason  string        // why it failed: a class of error, never a customer's words
}

// A DeadJob is a job that was given up.
type DeadJob struct {
	Job
	Reason string
	Died   time.Time
}
