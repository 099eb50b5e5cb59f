package store

import (
	"context"

	"github.com/answerdesk-go/answerdesk/event"
)

// A Log reads the events that steps have committed.
type Log interface {
	// Events returns a company's events after a cursor, at most limit of them:
	// each of them once or more over a series of reads, those of one stream in
	// order, and none skipped because its transaction ended late. The empty
	// cursor is the beginning. Each event carries the cursor behind it.
	Events(ctx context.Context, company, after string, limit int) ([]event.Event, error)
}

// Receipts claims and reads the receipts of requests.
type Receipts interface {
	// ClaimReceipt claims the work of a request, unless it is done or another
	// claim of it is still alive.
	ClaimReceipt(ctx context.Context, c ReceiptClaim) (ReceiptState, error)

	// ReleaseReceipt forgets a claim whose work came to nothing, so that the
	// request may be made again.
	ReleaseReceipt(ctx context.Context, company string, r Receipt) error

	// AbandonReceipt gives up a claim of which nobody knows how far its work
	// came, as when a connection broke while a step was committed. It is
	// forgotten if the receipt still is what is given here; otherwise it lapses
	// at once, and the next duplicate goes on from what the work came to.
	AbandonReceipt(ctx context.Context, company string, r Receipt) error
}

// An Auditor reads the audit log.
type Auditor interface {
	// AuditLog lists a company's entries, newest first.
	AuditLog(ctx context.Context, company string, p Page) (List[Audit], error)
}
