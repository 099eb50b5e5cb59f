// Package sqlstore holds the steps of the rooms as SQL, once for every engine.
//
// A step is a function of a [Tx], written in the subset of SQL that SQLite and
// PostgreSQL share, with ? for a parameter. An engine brings transactions and
// keeps what differs in kind. An engine may run a step's function more than
// once, and no effect of an earlier run is left when it does: the function must
// set its results anew each time.
package sqlstore
