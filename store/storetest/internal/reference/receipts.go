package reference

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// receiptName names a receipt of a company.
type receiptName struct{ scope, key string }

type receipt struct {
	store.Receipt
	hash        []byte
	lease       time.Duration
	until, keep time.Time // of the claim, and of the receipt
}

// ClaimReceipt implements [store.Receipts].
func (s *Store) ClaimReceipt(ctx context.Context, rc store.ReceiptClaim) (out store.ReceiptState, err error) {
	err = s.step(ctx, store.Commit{Company: rc.Company}, func(c *tenant, _ *store.Commit) error {
		name, now := receiptName{rc.Scope, rc.Key}, time.Now()
		r, there := c.receipts[name]
		if there && !now.Before(r.keep) {
			r, there = receipt{}, false
		}
		switch {
		case there && !bytes.Equal(r.hash, rc.Hash):
			out = store.ReceiptState{Receipt: r.Receipt, Differs: true}
			return nil
		case there && (r.Done || now.Before(r.until)):
			out = store.ReceiptState{Receipt: r.Receipt}
			return nil
		}
		r.Scope, r.Key, r.Fence = rc.Scope, rc.Key, s.nextFence()
		r.hash, r.lease, r.until, r.keep = slices.Clone(rc.Hash), rc.Lease, now.Add(rc.Lease), now.Add(rc.Keep)
		c.receipts[name] = r
		out = store.ReceiptState{Receipt: r.Receipt, Claimed: true}
		return nil
	})
	return out, err
}

// claimed returns the receipt that a claim gives the right to move on.
func (c *tenant) claimed(r store.Receipt) (receipt, error) {
	there, ok := c.receipts[receiptName{r.Scope, r.Key}]
	if !ok || there.Fence != r.Fence || there.Done {
		return there, fmt.Errorf("receipt of %s: %w", r.Scope, store.ErrFenced)
	}
	return there, nil
}

// moveReceipt writes what a commit says of a receipt, and renews its claim.
func (c *tenant) moveReceipt(r store.Receipt) error {
	there, err := c.claimed(r)
	if err != nil {
		return err
	}
	r.Company = ""
	there.Receipt, there.until = r, time.Now().Add(there.lease)
	c.receipts[receiptName{r.Scope, r.Key}] = there
	return nil
}

// ReleaseReceipt implements [store.Receipts].
func (s *Store) ReleaseReceipt(ctx context.Context, company string, r store.Receipt) error {
	return s.giveUp(ctx, company, r, func(receipt) bool { return true })
}

// AbandonReceipt implements [store.Receipts].
func (s *Store) AbandonReceipt(ctx context.Context, company string, r store.Receipt) error {
	return s.giveUp(ctx, company, r, func(there receipt) bool { return there.Result == r.Result })
}

// giveUp ends a claim, and forgets the receipt or else lets the claim lapse.
func (s *Store) giveUp(ctx context.Context, company string, r store.Receipt, forget func(receipt) bool) error {
	return s.step(ctx, store.Commit{Company: company}, func(c *tenant, _ *store.Commit) error {
		there, err := c.claimed(r)
		if err != nil {
			return err
		}
		name := receiptName{r.Scope, r.Key}
		if forget(there) {
			delete(c.receipts, name)
			return nil
		}
		there.until = time.Time{}
		c.receipts[name] = there
		return nil
	})
}
