// Package transfer copies a desk from SQLite to PostgreSQL, or back.
//
//	tables, err := transfer.Copy(ctx, transfer.Folder("data"), transfer.Postgres("postgres://user@host/database"), nil)
//
// The copy is the whole desk: ids, times, revisions, keys, receipts and the events
// with their cursors stay what they are. It reads one state of the source, and ends
// with a comparison of every table on both sides.
//
// A copy that was broken off, however that happened, goes on where it was when it
// is begun again. Until it has ended well the target carries a mark, and no program
// opens it as a desk: see [Copy].
//
// Tables and columns are read from the databases themselves. Those of both must be
// the same, so bring the source up to date first.
package transfer
