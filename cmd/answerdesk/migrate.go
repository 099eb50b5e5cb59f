package main

import (
	"context"
	"fmt"

	"github.com/answerdesk-go/answerdesk/store"
)

var migrateCommand = command{
	name: "migrate", about: "bring the tables of a desk up to date",
	more: `Applies what this version of the program lacks in the desk's tables, in one
transaction, and names it. A desk that is not there is made. Every command does the
same when it opens a desk, unless a server is told otherwise with --migrate; this
one is for doing it before, in a step of its own.

With --check nothing is changed: what there is to apply is named, and the status is
1 if there is something.`,
	settings: []setting{
		storeSetting, dataSetting,
		{
			name: "check", about: "change nothing, and fail if there is something to apply",
			set: func(given *call, s string) (err error) { given.check, err = readBool(s); return err },
		},
	},
	do: migrate,
}

func migrate(ctx context.Context, given *call) error {
	empty, err := given.store.empty(ctx)
	if err != nil {
		return err
	}
	if empty && given.check {
		return fmt.Errorf("there is no desk in %s: answerdesk migrate makes one", given.store)
	}
	var before []store.Applied
	if !empty {
		var lacking []store.Applied
		if before, lacking, err = given.store.schema(ctx); err != nil {
			return err
		}
		if given.check && len(lacking) > 0 {
			if err := given.name("lacking", lacking); err != nil {
				return err
			}
			return fmt.Errorf("the desk in %s lacks %d of %d migrations: answerdesk migrate applies them", given.store, len(lacking), len(before)+len(lacking))
		}
	}
	if !given.check {
		st, err := given.store.connect(ctx, store.MigrateAuto)
		if err != nil {
			return err
		}
		if err := st.Close(); err != nil {
			return err
		}
	}
	after, _, err := given.store.schema(ctx)
	if err != nil {
		return err
	}
	if err := given.name("applied", after[len(before):]); err != nil {
		return err
	}
	_, err = fmt.Fprintf(given.stdout, "the desk in %s is up to date: migration %d\n", given.store, len(after))
	return err
}

// name prints migrations, a line each.
func (given *call) name(what string, migrations []store.Applied) error {
	for _, m := range migrations {
		if _, err := fmt.Fprintf(given.stdout, "%s %d %s\n", what, m.Version, m.Name); err != nil {
			return err
		}
	}
	return nil
}
