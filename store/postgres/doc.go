// Package postgres keeps everything a desk knows in PostgreSQL, version 15 or
// newer, without extensions, in a schema of its own.
//
//	pool, err := pgxpool.New(ctx, "postgres://user:secret@localhost/app")
//	desk, err := answerdesk.New(ctx, postgres.New(pool, nil), nil)
//
// Any number of processes may use one schema. A step takes one connection, runs in
// one transaction of isolation level READ COMMITTED, locks the rows that it rests
// on, and is run again when the database has chosen it to give way to another
// (SQLSTATE 40001 and 40P01), or when its connection breaks before it was to be
// committed. When a method returns nil the step is committed, as durably as the
// server's synchronous_commit says: leave it on. When the connection breaks while
// the server commits, nobody can say whether it did; the error says so, and what
// asks again under the same idempotency key gets the answer. A caller who leaves ends
// the step, unless its COMMIT is sent: that is waited for, for 30 s at most.
//
// A server that is away, as in a restart, is waited for, for 3 s: then a step fails
// with an error that wraps store.ErrUnavailable and says why.
//
// Nothing that is correct depends on notifications, sequences, triggers or advisory
// locks, but that migrations take one, so that of several processes one migrates.
// Every table can be distributed by its company: see the first of [Migrations].
//
// The store takes times from the server's clock, so that the clocks of those who
// use it need not agree.
//
// What was deleted cannot be read again through the store. The server itself keeps
// the bytes of a deleted row until it vacuums the table, and in its write-ahead log;
// [Store.OutOfReach] says so, and so does each deletion's receipt.
package postgres
