package store

import "time"

// Applied is a migration of a store's schema, and when the database got it.
type Applied struct {
	Version int
	Name    string
	At      time.Time // zero if the database has not got it yet
}
