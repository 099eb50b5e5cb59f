package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"github.com/answerdesk-go/answerdesk/store"
)

// ClaimReceipt implements [store.Receipts].
func (s *Store) ClaimReceipt(ctx context.Context, c store.ReceiptClaim) (st store.ReceiptState, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		if err := haveCompany(tx, c.Company, keyShare); err != nil {
			return err
		}
		at, err := tx.Now()
		if err != nil {
			return err
		}
		// A request that is new is the usual case. Of two claims at once the second
		// waits here for the first to be committed.
		st = store.ReceiptState{Receipt: store.Receipt{Scope: c.Scope, Key: c.Key, Fence: at}, Claimed: true}
		n, err := tx.Exec(`INSERT INTO receipts (company, scope, key, hash, fence, result, done, lease, lease_until, expires_at)
			VALUES (?, ?, ?, ?, ?, '', 0, ?, ?, ?) ON CONFLICT DO NOTHING`,
			c.Company, c.Scope, c.Key, c.Hash, st.Fence, c.Lease.Microseconds(), at+c.Lease.Microseconds(), at+c.Keep.Microseconds())
		if err != nil || n > 0 {
			return err
		}
		st, err = reclaim(tx, c, at)
		return err
	})
	return st, err
}

// reclaim claims a receipt that is there, unless it is done, or another claim of it
// is alive.
func reclaim(tx Tx, c store.ReceiptClaim, at int64) (store.ReceiptState, error) {
	st := store.ReceiptState{Receipt: store.Receipt{Scope: c.Scope, Key: c.Key}}
	var (
		hash                   []byte
		done, until, expiresAt int64
	)
	found, err := one(tx, []any{&hash, &st.Fence, &st.Result, &done, &until, &expiresAt},
		`SELECT hash, fence, result, done, lease_until, expires_at FROM receipts WHERE company = ? AND scope = ? AND key = ?`+forUpdate,
		c.Company, c.Scope, c.Key)
	if err != nil {
		return st, err
	}
	if !found {
		return st, errAgain // it was released just now
	}
	if expiresAt > at {
		st.Done = done == 1
		if !bytes.Equal(hash, c.Hash) {
			st.Differs = true
			return st, nil
		}
		if st.Done || until > at {
			return st, nil
		}
	} else {
		st.Result = ""
	}
	st.Claimed, st.Done = true, false
	st.Fence = max(st.Fence+1, at)
	_, err = tx.Exec(`UPDATE receipts SET hash = ?, fence = ?, result = ?, done = 0, lease = ?, lease_until = ?, expires_at = ?
		WHERE company = ? AND scope = ? AND key = ?`,
		c.Hash, st.Fence, st.Result, c.Lease.Microseconds(), at+c.Lease.Microseconds(), at+c.Keep.Microseconds(), c.Company, c.Scope, c.Key)
	return st, err
}

// moveReceipt records how far the work of a request has come, and renews its
// claim.
func moveReceipt(tx Tx, company string, r store.Receipt) error {
	company = cmp.Or(r.Company, company)
	done := 0
	if r.Done {
		done = 1
	}
	at, err := tx.Now()
	if err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE receipts SET result = ?, done = ?, lease_until = ? + lease`+claimOf, r.Result, done, at, company, r.Scope, r.Key, r.Fence)
	return stillClaimed(r, n, err)
}

// claimOf chooses the receipt that a claim holds.
const claimOf = ` WHERE company = ? AND scope = ? AND key = ? AND fence = ? AND done = 0`

// ReleaseReceipt implements [store.Receipts].
func (s *Store) ReleaseReceipt(ctx context.Context, company string, r store.Receipt) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		n, err := tx.Exec(`DELETE FROM receipts`+claimOf, company, r.Scope, r.Key, r.Fence)
		return stillClaimed(r, n, err)
	})
}

// AbandonReceipt implements [store.Receipts].
func (s *Store) AbandonReceipt(ctx context.Context, company string, r store.Receipt) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		n, err := tx.Exec(`DELETE FROM receipts`+claimOf+` AND result = ?`, company, r.Scope, r.Key, r.Fence, r.Result)
		if err == nil && n == 0 {
			n, err = tx.Exec(`UPDATE receipts SET lease_until = 0`+claimOf, company, r.Scope, r.Key, r.Fence)
		}
		return stillClaimed(r, n, err)
	})
}

// stillClaimed returns [store.ErrFenced] if a claim was not there to be changed.
func stillClaimed(r store.Receipt, n int64, err error) error {
	if err == nil && n == 0 {
		return fmt.Errorf("receipt of %s: %w: the request was taken up again", r.Scope, store.ErrFenced)
	}
	return err
}
