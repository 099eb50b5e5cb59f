package pgtest_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
)

func TestDatabase(t *testing.T) {
	watcher := connect(t, pgtest.Database(t))
	const named = "SELECT count(*) FROM pg_database WHERE datname = $1"
	var name string
	var left *pgx.Conn
	t.Run("ends", func(t *testing.T) {
		execute(t, watcher, "CREATE TABLE note (text text)")
		url := pgtest.Database(t)
		conn := connect(t, url)
		name = one[string](t, conn, "SELECT current_database()")
		if name == one[string](t, watcher, "SELECT current_database()") {
			t.Errorf("two databases are called %s", name)
		}
		if n := one[int](t, conn, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"); n != 0 {
			t.Errorf("a new database has %d tables, want none", n)
		}
		if encoding := one[string](t, conn, "SHOW server_encoding"); encoding != "UTF8" {
			t.Errorf("encoding = %s, want UTF8", encoding)
		}
		if n := one[int](t, watcher, named, name); n != 1 {
			t.Errorf("%d databases of the shared server are called %s, want 1", n, name)
		}
		var err error
		if left, err = pgx.Connect(t.Context(), url); err != nil {
			t.Fatal(err)
		}
	})
	if n := one[int](t, watcher, named, name); n != 0 {
		t.Errorf("database %s outlives its test", name)
	}
	if _, err := left.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("a client of a database that was dropped still has an answer")
	}
	left.Close(t.Context())
}

// TestElsewhere has a second server, with options, and databases made on it as on
// one that is there already.
func TestElsewhere(t *testing.T) {
	ours := connect(t, pgtest.Database(t))
	s := pgtest.Own(t, &pgtest.Options{
		Fsync:    true,
		Settings: map[string]string{"work_mem": "5MB", "log_line_prefix": `it's a \`},
		Locale:   "C",
	})
	t.Setenv("ANSWERDESK_TEST_POSTGRES", s.URL("postgres")+"&application_name=elsewhere")
	got, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	if want, err := url.Parse(s.URL("")); err != nil || got.Host != want.Host || !strings.HasPrefix(got.Path, "/answerdesk_test_") {
		t.Errorf("Database = %s, want one at %s", got, want)
	}
	theirs := connect(t, got.String())
	execute(t, ours, "CREATE TABLE public.note (text text)")
	if one[bool](t, theirs, "SELECT to_regclass('public.note') IS NOT NULL") {
		t.Error("a table of one server is on the other")
	}
	for name, want := range map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "max_connections": "200",
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "lc_collate": "C",
		"work_mem": "5MB", "log_line_prefix": `it's a \`, "application_name": "elsewhere",
	} {
		if got := one[string](t, theirs, "SELECT current_setting($1)", name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got := one[string](t, ours, "SHOW fsync"); got != "off" {
		t.Errorf("fsync = %q without options, want off", got)
	}
}
