package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// What is acknowledged is durable, and what is deleted is overwritten: by the
// settings of the very connection that writes.
func TestSettingsOfTheWriter(t *testing.T) {
	s := openStore(t, t.TempDir(), nil)
	err := s.writer.outside(t.Context(), func(c *conn) error {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "fullfsync": "1", "busy_timeout": "10000",
		} {
			if err := expect(t.Context(), c.sql, pragma, want); err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.reader.run(t.Context(), func(c *conn) error {
		return errors.Join(expect(t.Context(), c.sql, "query_only", "1"), expect(t.Context(), c.sql, "busy_timeout", "10000"))
	})
	if err != nil {
		t.Error(err)
	}
}

// lent opens a handle as a host might, with settings of its own.
func lent(t *testing.T, dir string, settings ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, FileName), "rwc", settings))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// A handle whose connections would not keep the store's promises is refused, and
// stays the host's.
func TestNewRefusesWeakHandles(t *testing.T) {
	safe := []string{"journal_mode(WAL)", "synchronous(FULL)", "secure_delete(1)"}
	for _, test := range []struct {
		name     string
		settings []string
		want     string // in the error; empty: it is taken
	}{
		{"as it should be", safe, ""},
		{"synchronous=NORMAL", []string{safe[0], "synchronous(NORMAL)", safe[2]}, `synchronous="1", not 2`},
		{"synchronous=OFF", []string{safe[0], "synchronous(OFF)", safe[2]}, `synchronous="0", not 2`},
		{"a rollback journal", []string{"journal_mode(DELETE)", safe[1], safe[2]}, `journal_mode="delete", not wal`},
		{"no secure_delete", []string{safe[0], safe[1], "secure_delete(0)"}, `secure_delete="0", not 1`},
		{"fast secure_delete", []string{safe[0], safe[1], "secure_delete(FAST)"}, `secure_delete="2", not 1`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			db := lent(t, dir, test.settings...)
			s, err := New(t.Context(), db, nil)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("New = %v, want an error with %q", err, test.want)
				}
			} else if err != nil {
				t.Errorf("New = %v", err)
			} else {
				kb := company(t, s)
				if _, err := kb.Put(t.Context(), knowledge.Document{Text: "A document."}); err != nil {
					t.Error(err)
				}
				if err := s.Backup(t.Context(), filepath.Join(dir, "backup")); err == nil {
					t.Error("Backup of a lent handle returned no error")
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			if err := db.PingContext(t.Context()); err != nil {
				t.Errorf("the host's handle is closed: %v", err)
			}
		})
	}

	t.Run("too few connections", func(t *testing.T) {
		db := lent(t, t.TempDir(), safe...)
		db.SetMaxOpenConns(4)
		if _, err := New(t.Context(), db, nil); err == nil || !strings.Contains(err.Error(), "4 connections at most") {
			t.Errorf("New = %v, want an error about connections", err)
		}
	})
}

func TestOpenRefusesOddNumbersOfReaders(t *testing.T) {
	for _, n := range []int{-1, 1025} {
		if s, err := Open(t.Context(), t.TempDir(), &Options{Readers: n}); err == nil {
			s.Close()
			t.Errorf("Open with %d readers returned no error", n)
		}
	}
	s := openStore(t, t.TempDir(), &Options{Readers: 1})
	if _, err := company(t, s).Put(t.Context(), knowledge.Document{Text: "A document."}); err != nil {
		t.Error(err)
	}
}

// Whatever a folder is called, the database is in it and nowhere else.
func TestNamesOfFolders(t *testing.T) {
	for _, name := range []string{
		"with spaces", "100%", "%41%zz", "a?mode=memory", "a#b", "a&b=c;d", "'quoted' \"twice\"", "Ünïcödé 日本語 🗂", "file:x", "-v", "a\nb", strings.Repeat("long", 50),
	} {
		dir := filepath.Join(t.TempDir(), name, "data")
		s, err := Open(t.Context(), dir, nil)
		if err != nil {
			t.Errorf("Open(%q) = %v", name, err)
			continue
		}
		if _, err := company(t, s).Put(t.Context(), knowledge.Document{Text: "A document."}); err != nil {
			t.Errorf("Put in %q: %v", name, err)
		}
		if err := s.Backup(t.Context(), filepath.Join(dir, "backup of "+name[:1])); err != nil {
			t.Errorf("Backup in %q: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close of %q: %v", name, err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
			t.Errorf("folder %q has %v, %v, want a database and its backup", name, entries, err)
		}
		if entries, err := os.ReadDir(filepath.Dir(filepath.Dir(dir))); err != nil || len(entries) != 1 {
			t.Errorf("beside folder %q there are %v, %v", name, entries, err)
		}
	}
}

// A path that cannot be a data folder is refused by name, and nothing is made.
func TestOpenNamesWhatIsWrong(t *testing.T) {
	base := t.TempDir()
	path := func(name string) string { return filepath.Join(base, name) }
	write := func(name string, content []byte) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path(name)), 0o700), os.WriteFile(path(name), content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("file", []byte("words"))
	write("words/"+FileName, bytes.Repeat([]byte("these are words, and no database. "), 200))
	write("short/"+FileName, []byte("SQLite format 3\x00"))
	write("other/"+FileName, otherDatabase(t))
	if err := errors.Join(os.Symlink(path("b"), path("a")), os.Symlink(path("a"), path("b")), os.MkdirAll(path("folder/"+FileName), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, want string
		mode       store.Migrate
	}{
		{name: "file", want: "not a directory"},
		{name: "file/below", want: "not a directory"},
		{name: "a/below", want: "too many levels of symbolic links"},
		{name: "words", want: "not a database"},
		{name: "short", want: "not a database"},
		{name: "folder", want: "cannot be opened"},
		{name: "other", want: "already exists"},
		{name: "nothing", mode: store.MigrateCheck, want: "no database to open"},
		{name: "nothing", mode: store.MigrateOff, want: "no database to open"},
		{name: "nothing", mode: "perhaps", want: `"perhaps" is none of`},
	} {
		before := listing(t, base)
		s, err := Open(t.Context(), path(test.name), &Options{Migrate: test.mode})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path(test.name)) {
			t.Errorf("Open(%q) = %v, want an error that names it, with %q", test.name, err, test.want)
		}
		if after := listing(t, base); after != before {
			t.Errorf("Open(%q) has changed the files from %s to %s", test.name, before, after)
		}
	}
}

// otherDatabase returns a database of another program.
func otherDatabase(t *testing.T) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE agents (name TEXT); INSERT INTO agents VALUES ('007')"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// listing tells one state of a folder from another.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintf(&b, "%s %v %d\n", strings.TrimPrefix(path, dir), info.Mode(), info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A damaged database says so when it is read, and does not bring down the
// program.
func TestDamagedPages(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, nil)
	kb := company(t, s)
	var docs []knowledge.Document
	for i := range 200 {
		d, err := kb.Put(t.Context(), knowledge.Document{Text: strings.Repeat(fmt.Sprintf("Document %d says much. ", i), 100)})
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, FileName)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for at := len(b) / 2; at < len(b)*3/4; at++ {
		b[at] = byte(at * 7)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged, err := Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatalf("Open = %v: the first pages are whole", err)
	}
	defer damaged.Close()
	kb = knowledge.New(damaged, nil).Company(firstCompany)
	failed := 0
	for _, d := range docs {
		if _, err := kb.Text(t.Context(), d.ID, 0); err != nil {
			failed++
			if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "damaged") {
				t.Fatalf("Text = %v, want that the database is damaged", err)
			}
		}
	}
	if failed == 0 {
		t.Error("no damage was noticed: this test tries too little")
	}
	if err := damaged.Backup(t.Context(), filepath.Join(dir, "backup")); err == nil {
		t.Error("a damaged database was backed up without an error")
	}
}

// Nobody but its owner reads a new database, wherever its folder is.
func TestNewDatabasesAreTheOwners(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir, nil)
	company(t, s)
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Fatalf("the folder has %v, %v, want a database, its WAL and its index", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
			t.Errorf("%s has the mode %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

// Many may make the same database at the same moment: one does, and the others
// find it done.
func TestManyMakeOneDatabase(t *testing.T) {
	for range 8 {
		dir := filepath.Join(t.TempDir(), "new")
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				s, err := Open(context.WithoutCancel(t.Context()), dir, nil)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		company(t, openStore(t, dir, &Options{Migrate: store.MigrateCheck}))
	}
}
