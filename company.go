package answerdesk

import (
	"context"
	"iter"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A Company is the part of a desk that belongs to one tenant. It is a handle:
// making one costs nothing, and that there is no such company shows when it is
// used.
type Company struct {
	desk *Desk
	id   string

	request store.Request
}

// By returns the same company, whose steps are put down to a request: who made it
// goes into the audit log, and its receipt is moved on by the step that serves it.
func (c *Company) By(r store.Request) *Company {
	return &Company{desk: c.desk, id: c.id, request: r}
}

// Company returns the part of the desk that belongs to a company, by its id.
func (d *Desk) Company(companyID string) *Company {
	if canonical, err := id.Parse(id.Company, companyID); err == nil {
		companyID = canonical
	}
	return &Company{desk: d, id: companyID}
}

// ID returns the company's id.
func (c *Company) ID() string { return c.id }

// Agent returns an agent by its id; "" is the company's default agent.
func (c *Company) Agent(agentID string) *agent.Handle {
	return c.desk.agents.Agent(c.id, agentID).By(c.request)
}

// Agents creates, lists, changes and deletes the company's agents.
func (c *Company) Agents() *agent.Agents { return c.desk.agents.Agents(c.id).By(c.request) }

// Conversations reads and deletes the company's conversations.
func (c *Company) Conversations() *agent.Conversations {
	return c.desk.agents.Conversations(c.id).By(c.request)
}

// Users reads, exports and deletes what the company's customers have said.
func (c *Company) Users() *agent.Users { return c.desk.agents.Users(c.id).By(c.request) }

// Attachments keeps files for messages to the company's agents.
func (c *Company) Attachments() *agent.Attachments {
	return c.desk.agents.Attachments(c.id).By(c.request)
}

// Knowledge is what the company's agents may answer from.
func (c *Company) Knowledge() *knowledge.Base { return c.desk.library.Company(c.id).By(c.request) }

// Keys creates, lists, rotates and revokes the company's API keys.
func (c *Company) Keys() *access.Keys { return access.NewKeys(c.desk.store, c.id).By(c.request) }

// AuditLog returns who changed what, newest first.
func (c *Company) AuditLog(ctx context.Context, p store.Page) (store.List[store.Audit], error) {
	return c.desk.store.AuditLog(ctx, c.id, p)
}

// Claim takes up the work of a request that may be repeated: see
// [store.Receipts]. The company of the claim is this one. The steps of the work
// are made by the handle that [Company.By] returns for the receipt.
func (c *Company) Claim(ctx context.Context, claim store.ReceiptClaim) (store.ReceiptState, error) {
	claim.Company = c.id
	return c.desk.store.ClaimReceipt(ctx, claim)
}

// Release forgets a claim whose work came to nothing.
func (c *Company) Release(ctx context.Context, r store.Receipt) error {
	return c.desk.store.ReleaseReceipt(ctx, c.id, r)
}

// Abandon gives up a claim of which nobody knows how far its work came: see
// [store.Receipts].
func (c *Company) Abandon(ctx context.Context, r store.Receipt) error {
	return c.desk.store.AbandonReceipt(ctx, c.id, r)
}

const (
	eventsRead  = 256                    // at a time
	eventsPause = 250 * time.Millisecond // before looking for more, when there were none
)

// Events yields the company's events after a cursor, from the beginning if it is
// empty, and goes on with new ones as they are committed, until ctx ends or the
// loop is left. Whoever keeps the cursor of the last event handled misses none
// and sees each once or more, those of one stream in order, in any process and
// after any crash.
func (c *Company) Events(ctx context.Context, after string) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		pause := time.NewTimer(0)
		defer pause.Stop()
		for {
			events, err := c.desk.store.Events(ctx, c.id, after, eventsRead)
			if err != nil {
				yield(event.Event{}, err)
				return
			}
			for _, ev := range events {
				if !yield(ev, nil) {
					return
				}
				after = ev.Cursor
			}
			if len(events) == eventsRead {
				continue
			}
			pause.Reset(eventsPause)
			select {
			case <-ctx.Done():
				yield(event.Event{}, ctx.Err())
				return
			case <-pause.C:
			}
		}
	}
}
