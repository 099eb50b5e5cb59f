// Package e2e holds a whole desk to its promises from outside. Only tests and
// the programs of bench use it.
//
// A [Load] is many callers who use a desk at the same time, and who say of each
// step when they begin it and when its call has returned. A [Book] writes that
// down. When the process or the machine has been cut off in the middle, and the
// data was opened again, [Book.Check] compares the two: what was acknowledged is
// there, what was not is there whole or not at all, and nothing is there that
// nobody asked for.
//
// Rounds of two servers on one store go further: their callers note every request
// and its answer while servers and database are killed, stopped and restarted, and
// a judge compares that history with what the store holds in the end.
//
// The tests also play sessions of callers with the hosted API, each one in the
// process and over the network, and hold every request and answer against
// openapi.yaml. All run on folders of SQLite or, if ANSWERDESK_STORE is the URL of a
// PostgreSQL database, on schemas there.
package e2e
