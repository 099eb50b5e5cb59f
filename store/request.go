package store

import (
	"time"

	"github.com/answerdesk-go/answerdesk/event"
)

// A Request is what the steps made for one request have in common: who asked for
// it, and the receipt that makes a repetition of it harmless. The zero value is a
// request of the program's own, of which nothing is noted.
type Request struct {
	Actor   string   // a principal's id, for the audit log; empty: no entry is written
	Receipt *Receipt // as the claim returned it; nil: the request may not be repeated

	// More says that other steps follow: what would complete the receipt only
	// moves it on.
	More bool
}

// Commit returns what a step for the request writes besides its own rows, without
// a receipt: see [Request.Ending].
func (r Request) Commit(company string, events ...event.Event) Commit {
	return Commit{Company: company, Events: events}
}

// Audited returns c with an entry in the audit log, if it is known who asked. An
// empty object is filled in by the store where the id is known to it alone.
func (r Request) Audited(c Commit, id, action, object string, at time.Time) Commit {
	if r.Actor != "" {
		c.Audit = &Audit{ID: id, Actor: r.Actor, Action: action, Object: object, At: at}
	}
	return c
}

// Moving returns c with the receipt, if there is one, moved on to a result that is
// not complete yet.
func (r Request) Moving(c Commit, result string) Commit { return r.moved(c, result, false) }

// Ending returns c with the receipt, if there is one, completed: from now on the
// same request gets the answer that result names. Where there is More, it is Moving.
func (r Request) Ending(c Commit, result string) Commit { return r.moved(c, result, !r.More) }

func (r Request) moved(c Commit, result string, done bool) Commit {
	if r.Receipt != nil {
		receipt := *r.Receipt
		receipt.Result, receipt.Done = result, done
		c.Receipt = &receipt
	}
	return c
}
