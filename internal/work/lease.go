package work

import (
	"context"
	"errors"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// beat renews the lease at a third of its length, and sooner again after an
// error, until leased ends. When somebody else has the key, or the lease is about
// to run out, it ends leased.
//
// The lease is reckoned by this process's clock from before the store was asked
// for it, and given up a twentieth early: handlers are to have stopped, not to be
// told to, when the next worker begins.
func (h *hold) beat(leased context.Context) {
	length := h.queue.Lease
	left := func(since time.Time) time.Duration { return time.Until(since.Add(length - length/20)) }
	end := time.AfterFunc(left(h.began), h.lost)
	defer end.Stop()
	for wait := time.Until(h.began.Add(length / 3)); sleep(leased, wait); {
		began := time.Now()
		_, err := h.store.RenewLease(leased, h.lease, length)
		switch {
		case errors.Is(err, store.ErrFenced):
			h.lost()
		case err != nil && leased.Err() == nil:
			h.log.Warn("cannot renew a lease", "error", err)
			wait = length / 12
		case err == nil && end.Stop():
			end.Reset(left(began))
			wait = time.Until(began.Add(length / 3))
		}
	}
}

// lost ends what runs under the lease.
func (h *hold) lost() {
	h.log.Warn("lease lost")
	h.lose(store.ErrFenced)
}
