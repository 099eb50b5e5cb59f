package main

import (
	"context"
	"fmt"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

var backupCommand = command{
	name: "backup", takes: "FILE", about: "copy the desk, as it is at this moment, to a new file",
	more: `The copy is one file with everything in it, checked and on disk when the command
returns. Another process may have the folder open, and write to it, meanwhile. A
FILE that is there already is never replaced.

A desk in PostgreSQL is copied with pg_dump instead: docs/operating.md says how.

The copy holds documents and conversations in plain: keep it as you keep the
folder itself, and somewhere else.`,
	settings: []setting{storeSetting, dataSetting}, min: 1, max: 1, do: backup,
}

// backup leaves the schema as it is, so that a copy can be taken before a new
// version of the program changes it.
func backup(ctx context.Context, given *call) error {
	if err := given.store.hasFiles("pg_dump"); err != nil {
		return err
	}
	st, err := sqlite.Open(ctx, given.store.folder, &sqlite.Options{Migrate: store.MigrateOff})
	if err != nil {
		return err
	}
	defer st.Close()
	if err := st.Backup(ctx, given.args[0]); err != nil {
		return err
	}
	_, err = fmt.Fprintf(given.stdout, "the desk in %s is copied to %s\n", given.store, given.args[0])
	return err
}
