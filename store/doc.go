// Package store says what every store of Answerdesk promises, and holds the
// values that ride along with each change.
//
// The rooms ([github.com/answerdesk-go/answerdesk/agent],
// [github.com/answerdesk-go/answerdesk/knowledge] and so on) each declare the
// few methods they need of a store; an engine has them all:
// [github.com/answerdesk-go/answerdesk/store/sqlite] in a folder,
// [github.com/answerdesk-go/answerdesk/store/postgres] in a database that many
// servers share. These hold for every one of them, and package storetest shows
// it:
//
//   - A method that changes something is a whole step of the business. It takes
//     values and a [Commit], and all of it is written in one transaction: the
//     rows, the events that tell of them, the work they cause, the receipt of
//     the request and the entry in the audit log. When the method returns nil,
//     that transaction survives a killed process and a power cut; when it
//     returns an error, nothing of it is there.
//   - Every row belongs to a company, and no method reaches a row of another
//     one: to company B, an id of company A has never existed.
//   - Text that was deleted cannot be read again through any method. A store that
//     has files of its own overwrites the bytes there; where copies may be that a
//     delete does not reach, its method OutOfReach says.
//   - Methods may be called by many goroutines and by several processes at once.
//
// Errors wrap [ErrNotFound], [ErrConflict], [ErrFenced] or [ErrUnavailable]
// where a caller may want to act on them.
package store
