package store

import "fmt"

// A Migrate says what a store does with a database whose schema is older than the
// program. One whose schema is newer, or is not the one the program wrote, is
// always refused.
type Migrate string

// What may be done.
const (
	MigrateAuto  Migrate = "auto"  // bring it up to date; make a new one if there is none
	MigrateCheck Migrate = "check" // refuse it, and one that is not there
	MigrateOff   Migrate = "off"   // do not look: somebody else has taken care
)

// Check returns an error unless m is one of the above, or empty, which is
// [MigrateAuto].
func (m Migrate) Check() error {
	switch m {
	case "", MigrateAuto, MigrateCheck, MigrateOff:
		return nil
	}
	return fmt.Errorf("migrate: %q is none of %q, %q and %q", m, MigrateAuto, MigrateCheck, MigrateOff)
}
