package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/answerdesk-go/answerdesk/store/transfer"
)

var copyCommand = command{
	name: "copy", about: "copy a desk from a folder to PostgreSQL, or back",
	more: `Copies everything: companies, agents, documents, conversations, API keys, events,
queued work. Ids, times and keys stay what they are. Stop every server and command
that uses the desk before, and begin to use the copy when this has ended well.

The target must be a new folder, or a new schema of the database. It is no desk
until the copy is complete. A copy that was broken off, however that happened, goes
on where it was when the same command is called again. With --restart the target is
emptied first, if it is an unfinished copy; one that is complete is never touched.

At the end every table is read on both sides and compared. The table that is
printed has the number of rows, and the first digits of the SHA-256 of all of them.`,
	settings: []setting{
		{
			name: "from", value: "STORE", about: "where the desk is, as --store says it elsewhere", required: "it says where the desk is",
			set: func(given *call, s string) (err error) { given.from, err = readPlace(s); return err },
		},
		{
			name: "to", value: "STORE", about: "where the copy is to be", required: "it says where the copy is to be",
			set: func(given *call, s string) (err error) { given.to, err = readPlace(s); return err },
		},
		{
			name: "restart", about: "empty an unfinished copy, and begin it anew",
			set: func(given *call, s string) (err error) { given.restart, err = readBool(s); return err },
		},
	},
	do: copyDesk,
}

func copyDesk(ctx context.Context, given *call) error {
	var (
		bar   progress
		shown transfer.Step
	)
	tables, err := transfer.Copy(ctx, given.from.side(), given.to.side(), &transfer.Options{
		Restart: given.restart,
		Progress: func(s transfer.Step, done, total int64) {
			if s != shown {
				bar.end()
				bar, shown = newProgress(given.stderr, string(s), func() int { return int(total) }), s
			}
			bar.reach(done)
		},
	})
	bar.end()
	if len(tables) > 0 {
		err = errors.Join(err, given.compared(tables))
	}
	switch {
	case errors.Is(err, transfer.ErrDiffers):
		return fmt.Errorf("%w (--restart)", err)
	case err != nil:
		return err
	}
	_, err = fmt.Fprintf(given.stdout, "the desk in %s is copied to %s\n", given.from, given.to)
	return err
}

// side is the place in the words of package transfer.
func (p place) side() transfer.Database {
	if p.url != "" {
		return transfer.Postgres(p.url)
	}
	return transfer.Folder(p.folder)
}

// compared prints what both sides hold.
func (given *call) compared(tables []transfer.Table) error {
	w := tabwriter.NewWriter(given.stdout, 0, 0, 2, ' ', 0)
	say(w, "TABLE\tROWS\tOF THE COPY\tSHA-256\tOF THE COPY\n") // Flush has the error
	for _, t := range tables {
		say(w, "%s\t%d\t%d\t%.8x\t%.8x", t.Name, t.From.Rows, t.To.Rows, t.From.Hash, t.To.Hash)
		if !t.Same() {
			say(w, "  differs")
		}
		say(w, "\n")
	}
	return w.Flush()
}
