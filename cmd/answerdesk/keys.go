package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// keyFlags are what may be said of an API key.
type keyFlags struct {
	name    string
	scope   access.Scope
	plan    access.Plan
	expires time.Time
	overlap time.Duration
}

var keysCreateCommand = command{
	name: "keys create", about: "make an API key, and print it",
	more: `Prints the key alone, on one line. It is shown this once: only its SHA-256 is
stored. It works at once, also while a server has the desk open; the desk is made
if it is not there.

A read key may read and search, a write key may send messages and change things
and read nothing, and a full key may do both and manage the company's keys.`,
	settings: []setting{
		storeSetting, dataSetting,
		{
			name: "name", value: "NAME", about: "what the key is called, for those who manage them", required: "it is what the key is called",
			set: func(given *call, s string) error { given.key.name = s; return nil },
		},
		{
			name: "scope", value: "SCOPE", about: "what the key may be used for: read, write or full", required: "it is read, write or full",
			set: func(given *call, s string) (err error) {
				given.key.scope, err = access.ParseScope(s)
				return plainly(err)
			},
		},
		{
			name: "plan", value: "PLAN", about: "how often: standard, free, pro, enterprise or unlimited", initial: string(access.PlanStandard),
			set: func(given *call, s string) (err error) {
				given.key.plan, err = access.ParsePlan(s)
				return plainly(err)
			},
		},
		companySetting,
		{
			name: "expires", value: "WHEN", about: "when it stops working: in 90d or 12h, or on 2030-12-31 as that day begins (UTC); never if it is left out",
			set: func(given *call, s string) (err error) { given.key.expires, err = readExpiry(s); return err },
		},
	},
	do: createKey,
}

var keysListCommand = command{
	name: "keys list", about: "show the API keys that there are, without the keys themselves",
	more: `Shows the keys, newest first: their ids, names, scopes, plans and last 4
characters, and when they were made, expire and were used last.`,
	settings: []setting{storeSetting, dataSetting, companySetting},
	do:       listKeys,
}

var keysRotateCommand = command{
	name: "keys rotate", takes: "ID", about: "replace an API key, and print the new one",
	more: `Prints a new key with the name, scope, plan and expiry of the old one, alone on
one line. Both work until the overlap ends; then the old one does not any more.`,
	settings: []setting{
		storeSetting, dataSetting, companySetting,
		{
			name: "overlap", value: "DURATION", about: "how long the old key goes on working, up to 30d", initial: "24h",
			set: func(given *call, s string) (err error) {
				given.key.overlap, err = readDuration(s)
				if err == nil && given.key.overlap > access.MaxOverlap {
					err = fmt.Errorf("%q is longer than 30d", s)
				}
				return err
			},
		},
	},
	min: 1, max: 1, do: rotateKey,
}

var keysRevokeCommand = command{
	name: "keys revoke", takes: "ID", about: "end an API key",
	more: `The key is refused from the next request on, by every server on this desk. It
cannot be undone.`,
	settings: []setting{storeSetting, dataSetting, companySetting},
	min:      1, max: 1, do: revokeKey,
}

// operator is who changes keys from the command line, in the audit log.
const operator = "command line"

func createKey(ctx context.Context, given *call) error {
	switch empty, err := given.store.empty(ctx); {
	case err != nil:
		return err
	case empty:
		say(given.stderr, "there was no desk in %s: a new one is made\n", printable(given.store.String()))
	}
	desk, err := given.store.open(ctx, answerdesk.Options{})
	if err != nil {
		return err
	}
	defer desk.Close()
	return given.withKeys(ctx, desk, func(keys *access.Keys) error {
		_, secret, err := keys.Create(ctx, access.NewKey{
			Name: given.key.name, Scope: given.key.scope, Plan: given.key.plan, ExpiresAt: given.key.expires,
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(given.stdout, secret)
		return err
	})
}

func listKeys(ctx context.Context, given *call) error {
	return given.keys(ctx, func(keys *access.Keys) error {
		table := tabwriter.NewWriter(given.stdout, 0, 0, 2, ' ', 0)
		say(table, "ID\tNAME\tSCOPE\tPLAN\tENDS IN\tCREATED\tEXPIRES\tLAST USED\n") // Flush has the error
		for p := (store.Page{Limit: 100}); ; {
			l, err := keys.List(ctx, p)
			if err != nil {
				return err
			}
			for _, k := range l.Data {
				say(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, oneLine(k.Name), k.Scope, k.Plan, k.Hint,
					day(k.CreatedAt), day(k.ExpiresAt), day(k.LastUsedAt))
			}
			if !l.HasMore {
				return table.Flush()
			}
			p.Cursor = l.NextCursor
		}
	})
}

func rotateKey(ctx context.Context, given *call) error {
	return given.keys(ctx, func(keys *access.Keys) error {
		_, secret, err := keys.Rotate(ctx, given.args[0], given.key.overlap)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(given.stdout, secret)
		return err
	})
}

func revokeKey(ctx context.Context, given *call) error {
	return given.keys(ctx, func(keys *access.Keys) error {
		if err := keys.Revoke(ctx, given.args[0]); err != nil {
			return err
		}
		_, err := fmt.Fprintf(given.stdout, "%s is revoked\n", given.args[0])
		return err
	})
}

// keys opens a desk that must be there, and does something with the keys of the
// company that was named.
func (given *call) keys(ctx context.Context, do func(*access.Keys) error) error {
	desk, err := given.open(ctx)
	if err != nil {
		return err
	}
	defer desk.Close()
	return given.withKeys(ctx, desk, do)
}

func (given *call) withKeys(ctx context.Context, desk desk, do func(*access.Keys) error) error {
	company, err := given.of(ctx, desk)
	if err != nil {
		return err
	}
	err = do(company.By(store.Request{Actor: operator}).Keys())
	if err == nil || errors.Is(err, access.ErrInvalid) {
		return err // about the key
	}
	return given.named(err)
}

// plainly leaves out of an error the name of the setting, which is told before it.
func plainly(err error) error {
	if e, ok := errors.AsType[*access.InvalidError](err); ok {
		return errors.New(e.Reason)
	}
	if e, ok := errors.AsType[*knowledge.InvalidError](err); ok {
		return errors.New(e.Reason)
	}
	return err
}

// readExpiry reads how long it is until something, or its day or time.
func readExpiry(s string) (time.Time, error) {
	if d, err := readDuration(s); err == nil && d > 0 {
		return time.Now().Add(d).UTC(), nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(form, s); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a duration such as 90d nor a day such as 2030-12-31", s)
}

// day is a time in a table, to the minute.
func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04")
}
