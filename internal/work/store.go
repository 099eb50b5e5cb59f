package work

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// A Store keeps queued work, as storetest checks it. Work is queued by the
// commit of the step that causes it.
type Store interface {
	// DueCompanies names companies with work of the queue that is due under no
	// living lease, those waiting longest first.
	DueCompanies(ctx context.Context, queue string, limit int) ([]string, error)

	// ClaimKeys leases keys of the queue that have work due and that nobody
	// holds, those due longest first.
	ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) ([]store.Lease, error)

	// DueJobs returns jobs of a leased key that are due, in the order they
	// were queued. If ordered, it returns the oldest job only, and none while
	// that one waits for its next try; the key is then not due before.
	DueJobs(ctx context.Context, l store.Lease, ordered bool, limit int) ([]store.Job, error)

	// RenewLease extends a lease, or returns [store.ErrFenced].
	RenewLease(ctx context.Context, l store.Lease, d time.Duration) (store.Lease, error)

	// FinishJobs records how jobs of a leased key ended, or returns
	// [store.ErrFenced] and records nothing. Outcomes of jobs that are not
	// there are passed over.
	FinishJobs(ctx context.Context, l store.Lease, outcomes []store.Outcome) error

	// ReleaseKey gives a lease back before it runs out, and puts the key
	// behind those that are due by now.
	ReleaseKey(ctx context.Context, l store.Lease) error

	// DeadJobs lists jobs that were given up, newest first.
	DeadJobs(ctx context.Context, company, queue string, p store.Page) (store.List[store.DeadJob], error)

	// ReviveJob queues a job that was given up once more, at attempt 1.
	ReviveJob(ctx context.Context, company, id string) error

	// Enqueue commits work that no other step causes.
	Enqueue(ctx context.Context, c store.Commit) error
}
