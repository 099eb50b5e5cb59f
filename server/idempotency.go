package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

const (
	receiptLease = 10 * time.Second // a claim holds without a step that renews it
	receiptKept  = 24 * time.Hour
	claimTries   = 10 // to do the work of a request that others take up meanwhile

	firstLook = 10 * time.Millisecond // between looks at a request that another is serving
	laterLook = 250 * time.Millisecond
)

// claim takes up the work of a request that carries an Idempotency-Key. If the
// same request has been served, or has come so far that what it made is known,
// the call is to answer with that; while another is serving it, claim waits.
func (s *Server) claim(r *http.Request, c *call) error {
	c.claimed, c.replayed, c.result, c.goesOn = nil, false, "", false
	key := r.Header.Get("Idempotency-Key")
	if !c.op.repeatable || key == "" {
		return nil
	}
	if c.hash == nil {
		sum := sha256.Sum256(c.body)
		c.hash = sum[:]
	}
	want := store.ReceiptClaim{
		Scope: c.principal.ID + " " + c.op.method + " " + r.URL.Path, Key: key, Hash: c.hash,
		Lease: receiptLease, Keep: receiptKept,
	}
	for pause := firstLook; ; pause = min(2*pause, laterLook) {
		found, err := s.desk.Company(c.principal.Company).Claim(r.Context(), want)
		switch {
		case err != nil:
			return err
		case found.Differs:
			return &problem{keyReused, "this Idempotency-Key was used for another request: make a new one for each request", map[string]any{"field": "Idempotency-Key"}}
		}
		if found.Claimed {
			found.Receipt.Company = c.principal.Company
			c.claimed, c.result = &found.Receipt, found.Result
		}
		if found.Done || found.Result != "" && c.op.attaches() {
			c.replayed, c.result = true, found.Result
			c.header.Set("Idempotent-Replayed", "true")
			return nil
		}
		if found.Claimed {
			return nil
		}
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-s.drained.Done():
			return agent.ErrDraining // another process is serving it
		case <-time.After(pause):
		}
	}
}

// attaches reports whether what a request has begun can be followed to its end by
// another that is the same.
func (op *operation) attaches() bool { return op.id == "createMessage" || op.id == "streamMessage" }

// release forgets a claim whose work came to nothing, because of an error or because
// nothing was to be done, so that the request may be made again. If the store was not
// there, it may have taken a step without an answer: then whoever makes the request
// again goes on from that. A claim whose work goes on is left to lapse, and its
// receipt tells how far it has come.
func (s *Server) release(ctx context.Context, c *call, why error) {
	if c.claimed == nil || c.goesOn {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), receiptLease)
	defer cancel()
	company := s.desk.Company(c.principal.Company)
	giveUp := company.Release
	if errors.Is(why, store.ErrUnavailable) {
		giveUp = company.Abandon
	}
	err := giveUp(ctx, *c.claimed)
	if err != nil && !errors.Is(err, store.ErrFenced) { // completed, or taken up by another
		s.log.WarnContext(ctx, "the claim of a request that failed is left to lapse", "request", c.id, "error", err)
	}
	c.claimed = nil
}
