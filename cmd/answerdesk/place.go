package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A place is where a desk can be: what --store names.
type place struct {
	folder string // if it is one
	url    string // of a database, with its password
	shown  string // the same without
}

var (
	scheme   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://|^(?i:postgres|postgresql):`)
	keywords = regexp.MustCompile(`(?i)(^|\s)(host|hostaddr|user|password|dbname|service)\s*=`)
)

// readPlace reads what --store says. Its errors do not repeat it, since it may
// have a password.
func readPlace(s string) (place, error) {
	switch name := strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(scheme.FindString(s), "//"), ":")); {
	case name == "postgres", name == "postgresql":
		shown, err := showURL(s)
		return place{url: s, shown: shown}, err
	case name != "":
		return place{}, fmt.Errorf("%s: is no store: give a folder, or a URL that begins with postgres://", name)
	case keywords.MatchString(s):
		return place{}, errors.New("write a database as a URL: postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME")
	case strings.ContainsRune(s, 0):
		return place{}, errors.New("the name of a folder cannot have a zero byte")
	}
	return place{folder: s, shown: s}, nil
}

// showURL returns the URL of a database as it may be printed. It refuses one that
// may hide a password elsewhere than where it belongs.
func showURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || strings.Contains(u.EscapedPath()+u.RawQuery, "@") || strings.Contains(s, "#") {
		return "", errors.New("cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME, and what is no letter and no digit in the password as % and two digits, such as %40 for @")
	}
	shown := u.Host + u.EscapedPath()
	if name := u.User.Username(); name != "" {
		shown = url.User(name).String() + "@" + shown
	}
	if schema := u.Query().Get("schema"); schema != "" {
		shown += "?schema=" + url.QueryEscape(schema)
	}
	return "postgres://" + shown, nil
}

// String is the place as it may be printed: without a password.
func (p place) String() string { return p.shown }

// A desk is one that is closed with its store.
type desk struct {
	*answerdesk.Desk
	store io.Closer
}

// Close closes the desk, and then its store.
func (d desk) Close() error { return errors.Join(d.Desk.Close(), d.store.Close()) }

// An engine is a store that can tell of its schema.
type engine interface {
	answerdesk.Store
	io.Closer
	Schema(ctx context.Context) ([]store.Applied, error)
}

// connect opens the store, which may be older than the program says it has to be
// if m is [store.MigrateOff].
func (p place) connect(ctx context.Context, m store.Migrate) (engine, error) {
	if p.url != "" {
		return postgres.Open(ctx, p.url, &postgres.Options{Migrate: m})
	}
	return sqlite.Open(ctx, p.folder, &sqlite.Options{Migrate: m})
}

// open opens the desk, and makes a new one if there is none. This is the one way
// from what --store says to a desk.
func (p place) open(ctx context.Context, opts answerdesk.Options) (desk, error) {
	st, err := p.connect(ctx, opts.Migrate)
	if err != nil {
		return desk{}, err
	}
	if p.folder != "" {
		opts.Keyring = answerdesk.Keys(p.folder, opts.Logger)
	}
	d, err := answerdesk.New(ctx, st, &opts)
	if err != nil {
		return desk{}, errors.Join(err, st.Close())
	}
	return desk{d, st}, nil
}

// schema returns the migrations that the store has got, and those that it lacks.
// It changes nothing.
func (p place) schema(ctx context.Context) (applied, lacking []store.Applied, err error) {
	st, err := p.connect(ctx, store.MigrateOff)
	if err != nil {
		return nil, nil, err
	}
	all, err := st.Schema(ctx)
	for _, m := range all {
		if m.At.IsZero() {
			lacking = append(lacking, m)
		} else {
			applied = append(applied, m)
		}
	}
	return applied, lacking, errors.Join(err, st.Close())
}

// empty reports that there is no desk yet.
func (p place) empty(ctx context.Context) (bool, error) {
	if p.url == "" {
		_, err := os.Stat(filepath.Join(p.folder, sqlite.FileName))
		return errors.Is(err, fs.ErrNotExist), nil // any other error is told by opening it
	}
	applied, _, err := p.schema(ctx)
	return len(applied) == 0, err
}

// file returns the absolute path of the desk's database, and nothing if it is no
// file of ours.
func (p place) file() (string, error) {
	if p.url != "" {
		return "", nil
	}
	return filepath.Abs(filepath.Join(p.folder, sqlite.FileName))
}

// hasFiles refuses a place that has no files of ours, where the tool named is to
// be used.
func (p place) hasFiles(tool string) error {
	if p.url == "" {
		return nil
	}
	return fmt.Errorf("%s is in PostgreSQL, which has tools of its own for this: use %s, as docs/operating.md says under \"Backup\"", p, tool)
}
