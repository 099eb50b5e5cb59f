package main

import (
	"context"
	"fmt"

	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

var restoreCommand = command{
	name: "restore", takes: "FILE", about: "put a copy that backup made into an empty folder",
	more: `The copy is checked first. The folder must be empty, or not there: what is in a
folder is never replaced.

A desk in PostgreSQL is restored with pg_restore instead: docs/operating.md says
how.

Documents that were deleted after the copy was taken are in it again: delete them
once more.`,
	settings: []setting{storeSetting, dataSetting}, min: 1, max: 1, do: restore,
}

func restore(ctx context.Context, given *call) error {
	if err := given.store.hasFiles("pg_restore"); err != nil {
		return err
	}
	if err := sqlite.Restore(ctx, given.store.folder, given.args[0]); err != nil {
		return err
	}
	_, err := fmt.Fprintf(given.stdout, "the desk in %s is restored from %s\n", given.store, given.args[0])
	return err
}
