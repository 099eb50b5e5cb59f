// Package pgtest gives tests a real PostgreSQL of their own, version 15 or newer.
//
// Most tests want an empty database on a server that their process shares:
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
//	func TestRows(t *testing.T) {
//		conn, err := pgx.Connect(t.Context(), pgtest.Database(t))
//		…
//	}
//
// A test that stops or kills the server, or wants other settings, takes one for
// itself with [Own], which returns a [Server].
//
// A server listens on 127.0.0.1 alone, where it asks nobody for a password. It ends
// with its process, however that ends. Where PostgreSQL is not installed, the tests
// that need it are skipped.
//
// The environment variable ANSWERDESK_TEST_POSTGRES changes that: with "required"
// such tests fail instead; with a URL (postgres://…) of a role that may create
// databases, [Database] makes them on that server and starts none.
//
// A program that follows ANSWERDESK_STORE is run on a server by
//
//	go run ./internal/pgtest/with COMMAND
package pgtest
