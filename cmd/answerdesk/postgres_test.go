package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// inSchema names a schema of a new database.
func inSchema(t testing.TB, name string) string {
	t.Helper()
	return schemaOf(pgtest.Database(t), name)
}

func schemaOf(url, name string) string {
	if strings.Contains(url, "?") {
		return url + "&schema=" + name
	}
	return url + "?schema=" + name
}

// query returns what a statement returns, as text.
func query(t testing.TB, url, statement string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(values, " ")
}

// Every command does on PostgreSQL what it does on a folder.
func TestPostgres(t *testing.T) {
	url := pgtest.Database(t)
	store := schemaOf(url, "one")
	folder := t.TempDir()
	write(t, folder, map[string]string{"hours.md": "# Opening hours\n\nThe shop opens at nine in the morning.\n"})

	program(t, "ask", "--store", store, whenOpen).want(t, 1, "there is no desk in postgres://", "schema=one: serve it or ingest something first")
	program(t, "keys", "list", "--store", store).want(t, 1, "there is no desk in postgres://")
	if made := query(t, url, `SELECT COUNT(*)::text FROM pg_namespace WHERE nspname = 'one'`); made != "0" {
		t.Error("what only asks has made a schema")
	}
	r := program(t, "keys", "create", "--store", store, "--name", "n", "--scope", "full")
	r.want(t, 0, "there was no desk in postgres://", "a new one is made")
	key := strings.TrimSpace(r.stdout)
	program(t, "ingest", "--store", store, folder).want(t, 0, "1 created, 0 updated")
	program(t, "ingest", "--data", store, folder).want(t, 0, "1 unchanged")
	program(t, "ask", "--store", store, whenOpen).want(t, 0, "outcome: answer", "at nine")
	program(t, "keys", "list", "--store", store).want(t, 0, "key_")
	program(t, "ask", "--store", schemaOf(url, "two"), whenOpen).want(t, 1, "there is no desk in")

	t.Setenv("ANSWERDESK_STORE", store)
	program(t, "ask", whenOpen).want(t, 0, "outcome: answer")
	t.Setenv("ANSWERDESK_STORE", "")
	// Two servers on one database.
	a, b := startServe(t, store), startServe(t, store, "--staleness", "0s")
	if status, body := a.call(t, "POST", "/v1/knowledge/documents", key, `{"title": "New", "text": "The shop has a green door."}`); status != 201 {
		t.Fatalf("POST = %d %s", status, body)
	}
	if got := b.ask(t, key, "Is the door of the shop green?"); !strings.Contains(got, "green door") {
		t.Errorf("the other server answers %q", got)
	}
	for _, s := range []*served{a, b} {
		if status := s.end(); status != 0 {
			t.Errorf("serve = %d\n%s", status, s.log)
		}
		if log := s.log.String(); !strings.Contains(log, `"store":"postgres://`) {
			t.Errorf("the log does not tell the store:\n%s", log)
		}
	}
}

// A server that knows its users refuses, is away or has no such database: each is
// told with what to do, and without the password.
func TestPostgresRefuses(t *testing.T) {
	const password = "hunter2%21"
	hba := filepath.Join(t.TempDir(), "pg_hba.conf")
	write(t, filepath.Dir(hba), map[string]string{"pg_hba.conf": "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"})
	for d := filepath.Dir(hba); d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil { // the server is another user
			t.Fatal(err)
		}
	}
	server := pgtest.Own(t, &pgtest.Options{Settings: map[string]string{"hba_file": hba}})
	root := server.URL("postgres")
	conn, err := pgx.Connect(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `CREATE ROLE ann LOGIN PASSWORD 'hunter2!'; CREATE ROLE bob LOGIN PASSWORD 'hunter2!'`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `CREATE DATABASE desk OWNER ann`); err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
	as := func(user, secret, database string) string {
		rest, _, _ := strings.Cut(root[strings.LastIndex(root, "@")+1:], "?")
		host, _, _ := strings.Cut(rest, "/")
		return "postgres://" + user + ":" + secret + "@" + host + "/" + database
	}
	good := as("ann", password, "desk")
	t.Run("each", func(t *testing.T) { refuses(t, as, good) })

	s := startServe(t, good, "--log-level", "debug")
	if err := server.Stop("immediate"); err != nil {
		t.Fatal(err)
	}
	if status, body := s.call(t, "GET", "/readyz", "", ""); status != 503 {
		t.Errorf("GET /readyz without a database = %d %s", status, body)
	}
	if status := s.end(); status != 0 {
		t.Errorf("serve = %d\n%s", status, s.log)
	}
	if strings.Contains(s.log.String(), "hunter") {
		t.Errorf("the log tells the password:\n%s", s.log)
	}
}

func refuses(t *testing.T, as func(user, secret, database string) string, good string) {
	const password = "hunter2%21"
	folder, here := shop(t)
	for _, test := range []struct {
		name  string
		store string
		want  []string
	}{
		{"wrong password", as("ann", "hunter3", "desk"), []string{"check name, password and pg_hba.conf"}},
		{"no such user", as("eve", "hunter3", "desk"), []string{"check name, password and pg_hba.conf"}},
		{"no such database", as("ann", password, "none"), []string{"there is no such database: create it first"}},
		{"no rights", as("bob", password, "desk"), []string{"give it CREATE on the database"}},
		{"nobody there", "postgres://ann:" + password + "@127.0.0.1:1/desk", []string{"the database cannot be reached: check that it runs, and its address"}},
		{"bad setting", good + "?sslmode=odd", []string{"sslmode"}},
		{"bad setting and password in the query", strings.Replace(good, ":"+password, "", 1) + "?password=hunter2!&sslmode=x", []string{"sslmode"}},
		{"bad schema", good + "?schema=" + strings.Repeat("x", 64), []string{"the name of a schema has 1 to 63 bytes"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, args := range [][]string{
				{"ingest", "--store", test.store, folder}, {"ask", "--store", test.store, whenOpen}, {"serve", "--store", test.store, "--addr", "127.0.0.1:0"},
				{"migrate", "--store", test.store}, {"copy", "--from", here, "--to", test.store},
			} {
				if test.name == "nobody there" && args[0] != "ask" {
					continue // who is not there is asked for some seconds
				}
				t.Run(args[0], func(t *testing.T) {
					t.Parallel()
					r := program(t, args...)
					if strings.Contains(r.stdout+r.stderr, "hunter") {
						t.Errorf("answerdesk %s tells the password:\n%s%s", args[0], r.stdout, r.stderr)
					}
					if args[0] == "ask" && test.name == "no rights" {
						r.want(t, 1, "there is no desk in")
						return
					}
					r.want(t, 1, append(test.want, "answerdesk "+args[0]+": ")...)
				})
			}
		})
	}
}

// older makes a desk as a program wrote it that had only the first migrations.
func older(t testing.TB, versions int) (dir string, all []string) {
	t.Helper()
	dir = t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	do := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	do(`CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)`)
	all, err = fs.Glob(sqlite.Migrations(), "*.sql")
	if err != nil || len(all) <= versions {
		t.Fatalf("migrations = %q, %v, want more than %d", all, err, versions)
	}
	for i, name := range all[:versions] {
		b, err := fs.ReadFile(sqlite.Migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		do(string(b))
		do(`INSERT INTO schema_version VALUES (?, ?, ?, 1)`, i+1, name, fmt.Sprintf("%x", sha256.Sum256(b)))
	}
	return dir, all
}

func TestMigrate(t *testing.T) {
	dir, all := older(t, 3)
	var applied, lacking strings.Builder
	for i, name := range all[3:] {
		fmt.Fprintf(&applied, "applied %d %s\n", i+4, name)
		fmt.Fprintf(&lacking, "lacking %d %s\n", i+4, name)
	}
	current := fmt.Sprintf("the desk in %s is up to date: migration %d\n", dir, len(all))
	check := program(t, "migrate", "--store", dir, "--check")
	check.want(t, 1, fmt.Sprintf("the desk in %s lacks %d of %d migrations: answerdesk migrate applies them", dir, len(all)-3, len(all)))
	if check.stdout != lacking.String() {
		t.Errorf("--check prints %q, want %q", check.stdout, lacking.String())
	}
	for _, want := range []string{applied.String() + current, current} {
		r := program(t, "migrate", "--store", dir)
		r.want(t, 0)
		if r.stdout != want {
			t.Errorf("migrate prints %q, want %q", r.stdout, want)
		}
	}
	program(t, "migrate", "--store", dir, "--check").want(t, 0, current)

	none := filepath.Join(t.TempDir(), "none")
	for _, store := range []string{none, inSchema(t, "one")} {
		program(t, "migrate", "--store", store, "--check").want(t, 1, "there is no desk in ", ": answerdesk migrate makes one")
		if _, err := os.Stat(none); err == nil {
			t.Error("--check has made a folder")
		}
		program(t, "migrate", "--store", store).want(t, 0, "applied 1 0001_init.sql\n", "is up to date: migration ")
		program(t, "migrate", "--store", store, "--check").want(t, 0, "is up to date: migration ")
		if r := program(t, "migrate", "--store", store); strings.Contains(r.stdout, "applied") {
			t.Errorf("migrate for the second time prints %q", r.stdout)
		}
		none = filepath.Join(t.TempDir(), "other")
	}
}

func TestCopy(t *testing.T) {
	folder, here := shop(t)
	there, back := inSchema(t, "one"), filepath.Join(t.TempDir(), "back")
	r := program(t, "copy", "--from", here, "--to", there)
	r.want(t, 0, "TABLE ", "SHA-256", "\ndocuments ", "the desk in "+here+" is copied to postgres://")
	for line := range strings.Lines(r.stdout) {
		if f := strings.Fields(line); f[0] == "documents" && (len(f) != 5 || f[1] != "1" || f[2] != "1" || f[3] != f[4] || len(f[3]) != 16) {
			t.Errorf("of documents it prints %q", line)
		}
	}
	program(t, "ask", "--store", there, whenOpen).want(t, 0, "outcome: answer", "at nine")
	program(t, "ingest", "--store", there, folder).want(t, 0, "1 unchanged")
	program(t, "copy", "--from", here, "--to", there).want(t, 1, "target: table ", "has data already: copy into a new folder, or into a new schema (?schema=NAME)")
	program(t, "copy", "--from", there, "--to", back).want(t, 0, "is copied to "+back)
	program(t, "ask", "--store", back, whenOpen).want(t, 0, "outcome: answer", "at nine")

	program(t, "copy", "--from", here, "--to", back+"-2").want(t, 1, "use backup and restore between folders, pg_dump and pg_restore between databases")
	program(t, "copy", "--from", here).want(t, 2, "--to is missing: it says where the copy is to be")
	program(t, "copy", "--to", here).want(t, 2, "--from is missing: it says where the desk is")
	program(t, "copy", "--from", "mysql://ann:hunter2@h/d", "--to", here).want(t, 2, "--from: mysql: is no store")
	program(t, "copy", "--from", back+"-3", "--to", inSchema(t, "one")).want(t, 1, "source: open "+back+"-3: no database to open")
}

// A copy that is interrupted is no desk until it has been called again.
func TestCopyInterrupted(t *testing.T) {
	_, here := shop(t)
	there := inSchema(t, "one")
	db, err := sql.Open("sqlite", filepath.Join(here, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `INSERT INTO streams (company, stream, events) VALUES ('cmp_z', CAST(x'ff' AS TEXT), 1)`); err != nil {
		t.Fatal(err)
	}
	program(t, "copy", "--from", here, "--to", there).want(t, 1, `source: table streams, key "cmp_z" "\xff": column stream has a text that is not UTF-8`)
	for _, args := range [][]string{{"ask", "--store", there, whenOpen}, {"serve", "--store", there, "--migrate", "off", "--addr", "127.0.0.1:0"}, {"migrate", "--store", there}} {
		program(t, args...).want(t, 1, "a copy that is not complete: run the same answerdesk copy again to finish it")
	}
	if _, err := db.ExecContext(t.Context(), `DELETE FROM streams WHERE company = 'cmp_z'`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	program(t, "copy", "--from", here, "--to", there).want(t, 0, "is copied to")
	program(t, "ask", "--store", there, whenOpen).want(t, 0, "outcome: answer")
}
