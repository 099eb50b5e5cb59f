package sqlite

import (
	"context"
	"io/fs"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/schema"
)

// edit changes the database of a folder behind the store's back.
func edit(t *testing.T, dir, query string, args ...any) {
	t.Helper()
	db := lent(t, dir)
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// tables returns how many tables the database of a folder has.
func tables(t *testing.T, dir string) (n int) {
	t.Helper()
	db := lent(t, dir)
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A database that this program did not write, or that a newer one has written, is
// refused with a sentence and stays as it is.
func TestDatabasesOfOtherVersions(t *testing.T) {
	ms, err := schema.Read(Migrations())
	if err != nil || len(ms) == 0 {
		t.Fatalf("Read = %d, %v", len(ms), err)
	}
	last := len(ms)
	for _, test := range []struct {
		name, edit string
		args       []any
		mode       store.Migrate
		want       string // in the error; empty: it is opened
	}{
		{name: "of this version, checked", mode: store.MigrateCheck},
		{name: "newer", edit: `INSERT INTO schema_version VALUES (?, 'later.sql', 'sum', 0)`, args: []any{last + 1}, want: "written by a newer version"},
		{name: "newer, checked", edit: `INSERT INTO schema_version VALUES (?, 'later.sql', 'sum', 0)`, args: []any{last + 1}, mode: store.MigrateCheck, want: "written by a newer version"},
		{name: "newer, not looked at", edit: `INSERT INTO schema_version VALUES (?, 'later.sql', 'sum', 0)`, args: []any{last + 1}, mode: store.MigrateOff},
		{name: "changed", edit: `UPDATE schema_version SET sha256 = 'other' WHERE version = 1`, want: "do not belong together"},
		{name: "with a gap", edit: `DELETE FROM schema_version WHERE version = 1`, want: "do not belong together"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			company(t, openStore(t, dir, nil))
			if test.edit != "" {
				edit(t, dir, test.edit, test.args...)
			}
			before := tables(t, dir)
			s, err := Open(t.Context(), dir, &Options{Migrate: test.mode})
			if err == nil {
				err = s.Close()
			}
			switch {
			case test.want == "" && err != nil:
				t.Errorf("Open = %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("Open = %v, want an error with %q", err, test.want)
			}
			if after := tables(t, dir); after != before {
				t.Errorf("Open has left %d tables where there were %d", after, before)
			}
		})
	}
}

// A database without a schema is brought up to date by default, refused when it is
// only to be checked, and left alone when it is not to be looked at.
func TestEmptyDatabase(t *testing.T) {
	for mode, want := range map[store.Migrate]string{store.MigrateAuto: "", store.MigrateCheck: "version 0 of the schema", store.MigrateOff: ""} {
		dir := t.TempDir()
		edit(t, dir, "PRAGMA user_version = 0; CREATE TABLE theirs (x); DROP TABLE theirs")
		s, err := Open(t.Context(), dir, &Options{Migrate: mode})
		if err == nil {
			err = s.Close()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("Open with Migrate %q = %v, want an error with %q", mode, err, want)
		}
		if n := tables(t, dir); (n > 0) != (mode == store.MigrateAuto) {
			t.Errorf("Open with Migrate %q has left %d tables", mode, n)
		}
	}
}

// A migration that fails in the middle leaves nothing of it.
func TestFailedMigrationLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	edit(t, dir, "CREATE TABLE events (theirs TEXT)") // one of ours comes to be in the way
	if s, err := Open(t.Context(), dir, nil); err == nil {
		s.Close()
		t.Fatal("Open returned no error")
	}
	if n := tables(t, dir); n != 1 {
		t.Errorf("%d tables are left, want the one there was", n)
	}
}

// The migrations that are exported make the database that Open makes.
func TestMigrationsByAnotherTool(t *testing.T) {
	own, other := t.TempDir(), t.TempDir()
	company(t, openStore(t, own, nil))
	files, err := fs.Glob(Migrations(), "*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("Migrations has %v, %v", files, err)
	}
	for _, name := range files {
		b, err := fs.ReadFile(Migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		edit(t, other, string(b))
	}
	schema := func(dir string) string {
		db := lent(t, dir)
		defer db.Close()
		var all string
		err := db.QueryRowContext(t.Context(), `SELECT group_concat(sql, char(10)) FROM (SELECT sql FROM sqlite_master
			WHERE tbl_name <> 'schema_version' AND sql IS NOT NULL ORDER BY name)`).Scan(&all)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if a, b := schema(own), schema(other); a != b {
		t.Errorf("Open makes\n%s\nand the files make\n%s", a, b)
	}
	company(t, openStore(t, other, &Options{Migrate: store.MigrateOff}))
}

// A caller who has given up opens nothing, and keeps nothing open.
func TestOpenGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "new")
	if s, err := Open(ctx, dir, nil); err == nil {
		s.Close()
		t.Error("Open under a context that has ended returned no error")
	}
	db := lent(t, dir)
	var mode string
	if err := db.QueryRowContext(t.Context(), "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; PRAGMA journal_mode").Scan(&mode); err != nil {
		t.Errorf("somebody still has the database: %v", err)
	}
}

func TestLibcFits(t *testing.T) {
	module := func(path, version string) *debug.Module { return &debug.Module{Path: path, Version: version} }
	var driver, libc string
	for driver, libc = range libcOf {
	}
	other := module("modernc.org/libc", "v1.0.0")
	for name, test := range map[string]struct {
		deps []*debug.Module
		fits bool
	}{
		"the one it needs":         {[]*debug.Module{module("modernc.org/sqlite", driver), module("modernc.org/libc", libc)}, true},
		"another":                  {[]*debug.Module{module("modernc.org/sqlite", driver), other}, false},
		"a newer one":              {[]*debug.Module{module("modernc.org/libc", "v9.0.0"), module("modernc.org/sqlite", driver)}, false},
		"none":                     {[]*debug.Module{module("modernc.org/sqlite", driver)}, false},
		"replaced by another":      {[]*debug.Module{module("modernc.org/sqlite", driver), {Path: "modernc.org/libc", Version: libc, Replace: other}}, false},
		"replaced by the right":    {[]*debug.Module{module("modernc.org/sqlite", driver), {Path: "modernc.org/libc", Version: "v1.0.0", Replace: module("modernc.org/libc", libc)}}, true},
		"of an unknown SQLite":     {[]*debug.Module{module("modernc.org/sqlite", "v9.9.9"), other}, true},
		"without modernc's SQLite": {[]*debug.Module{other}, true},
		"nothing known":            {nil, true},
	} {
		err := libcFits(test.deps)
		if (err == nil) != test.fits {
			t.Errorf("libcFits(%s) = %v, want no error: %v", name, err, test.fits)
		}
		if err != nil && !strings.Contains(err.Error(), "go get modernc.org/libc@"+libc) {
			t.Errorf("libcFits(%s) = %v, which does not say what to do", name, err)
		}
	}
}

// The table of versions knows the SQLite that this module requires.
func TestLibcOfThisModule(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "modernc.org/sqlite", "modernc.org/libc").Output()
	if err != nil {
		t.Fatal(err)
	}
	versions := strings.Fields(string(out))
	if len(versions) != 2 || libcOf[versions[0]] != versions[1] {
		t.Errorf("go.mod has %q, and libcOf %v: add what the go.mod of that version of modernc.org/sqlite says", versions, libcOf)
	}
}
