package sqlite

import (
	"errors"
	"fmt"

	"github.com/answerdesk-go/answerdesk/store"
)

// The result codes of SQLite that mean that the store cannot work just now, from
// https://sqlite.org/rescode.html, and what to do about each.
var unavailable = map[int]string{
	5:  "another process has held the database for too long: see which one writes to it",
	8:  "the database may not be written: check the owner and the permissions of its folder and files",
	10: "reading or writing the disk failed: check the disk, then open the store again",
	11: "the database is damaged: restore a backup into a new folder",
	13: "the disk is full: free some space; nothing of this step was stored",
	14: "the database file cannot be opened: check that its folder is there and may be written",
	23: "access was denied",
	26: "the file is not a database",
}

// constraint is the result code for a row that another one excludes.
const constraint = 19

// explain turns an error of SQLite into one that a person can act on, and leaves
// others as they are.
func explain(err error) error {
	var coded interface{ Code() int }
	if !errors.As(err, &coded) {
		return err
	}
	if coded.Code()&0xff == constraint && !errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("%w: it is there already (%v)", store.ErrConflict, err)
	}
	if advice, ok := unavailable[coded.Code()&0xff]; ok && !errors.Is(err, store.ErrUnavailable) {
		return fmt.Errorf("%w: %s (%v)", store.ErrUnavailable, advice, err)
	}
	return err
}

// isBusy reports whether another connection is in the way.
func isBusy(err error) bool {
	var coded interface{ Code() int }
	return errors.As(err, &coded) && (coded.Code()&0xff == 5 || coded.Code()&0xff == 6)
}
