package agent

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// A UserRecord sums up what is stored of a customer.
type UserRecord struct {
	User                    // as the latest message has it that says more than the id
	Conversations int       // that began as theirs, or in which they said something
	Messages      int       // in those, replies included
	FirstSeenAt   time.Time // when the first of the conversations began
	LastSeenAt    time.Time // when something was said in one of them last
}

// A DeletedUser says what a delete of a customer's data reached.
type DeletedUser struct {
	UserID        string
	Conversations int
	Messages      int
	DeletedAt     time.Time
}

// Users reads, exports and deletes what customers have said.
type Users struct {
	engine  *Engine
	company string
	request store.Request
}

// Users returns the customers of a company.
func (e *Engine) Users(company string) *Users { return &Users{engine: e, company: company} }

// By returns the customers as changed for a request: the audit log says who asked
// for a delete.
func (us *Users) By(r store.Request) *Users {
	by := *us
	by.request = r
	return &by
}

// Get sums up what is stored of a user, by the id that the caller gave them.
func (us *Users) Get(ctx context.Context, userID string) (UserRecord, error) {
	if err := known(userID); err != nil {
		return UserRecord{}, err
	}
	return us.engine.store.User(ctx, us.company, userID)
}

// An Exported is a conversation of a user with all that was said in it, in order.
type Exported struct {
	Conversation Conversation
	Messages     []Message
}

// exportBatch is how many conversations are read at a time.
const exportBatch = 100

// Export yields all conversations of a user, oldest first. One that is deleted
// meanwhile is passed over. There are none of a user who is not there.
func (us *Users) Export(ctx context.Context, userID string) iter.Seq2[Exported, error] {
	return func(yield func(Exported, error) bool) {
		if known(userID) != nil {
			return
		}
		for after := ""; ; {
			list, err := us.engine.store.UserConversations(ctx, us.company, userID, after, exportBatch)
			if err != nil {
				yield(Exported{}, err)
				return
			}
			for _, c := range list {
				after = c.ID
				messages, err := us.said(ctx, c.ID)
				if err != nil {
					yield(Exported{}, err)
					return
				}
				if len(messages) > 0 && !yield(Exported{c, messages}, nil) {
					return
				}
			}
			if len(list) < exportBatch {
				return
			}
		}
	}
}

// said returns the messages of a conversation, in order.
func (us *Users) said(ctx context.Context, conversationID string) ([]Message, error) {
	var out []Message
	for p := (store.Page{Limit: store.MaxLimit}); ; {
		l, err := us.engine.store.Messages(ctx, us.company, MessageFilter{ConversationID: conversationID}, p)
		if err != nil {
			return nil, err
		}
		out = append(out, l.Data...)
		if !l.HasMore {
			break
		}
		p.Cursor = l.NextCursor
	}
	slices.Reverse(out)
	return out, nil
}

// Delete removes all conversations of a user, those of others too in which they
// said something. When it returns, nothing of them is read any more; a turn that
// runs in one ends without a reply. The audit log does not name the user.
func (us *Users) Delete(ctx context.Context, userID string) (DeletedUser, error) {
	if err := known(userID); err != nil {
		return DeletedUser{}, err
	}
	c := us.request.Audited(us.request.Commit(us.company), id.New(id.Audit), "user.delete", "user", stamp())
	return us.engine.store.DeleteUser(ctx, c, userID)
}

// known returns the error for what cannot be a user's id: nobody has it.
func known(userID string) error {
	if userID == "" || len(userID) > 256 {
		return store.NotFound("user", clip(userID))
	}
	return nil
}

// Citing lists the replies that cite a document, newest first.
func (cs *Conversations) Citing(ctx context.Context, documentID string, p store.Page) (store.List[Reply], error) {
	canonical, err := parseAs(id.Document, "document", documentID)
	if err != nil {
		return store.List[Reply]{}, err
	}
	l, err := cs.engine.store.Citing(ctx, cs.company, canonical, p)
	out := store.List[Reply]{NextCursor: l.NextCursor, HasMore: l.HasMore}
	for _, m := range l.Data {
		if m.Reply != nil {
			out.Data = append(out.Data, *m.Reply)
		}
	}
	return out, err
}
