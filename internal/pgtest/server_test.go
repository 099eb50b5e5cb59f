package pgtest_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
)

func TestStopsAndStarts(t *testing.T) {
	t.Parallel()
	s := pgtest.Own(t, nil)
	url := s.URL("postgres")
	execute(t, connect(t, url), "CREATE TABLE note (text text)")
	ways := map[string]func() error{
		"fast":      func() error { return s.Restart("fast") },
		"immediate": func() error { return s.Restart("immediate") },
		"smart": func() error {
			return errors.Join(s.Stop("fast"), s.Start(), s.Stop("smart"), s.Start())
		},
		"kill": func() error { return errors.Join(s.Kill(), s.Start()) },
	}
	for name, restart := range ways {
		before := connect(t, url)
		execute(t, before, "TRUNCATE note; INSERT INTO note VALUES ('"+name+"')")
		pids := processes(t, before)
		if err := restart(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		allEnded(t, pids)
		if s.URL("postgres") != url {
			t.Errorf("%s: URL = %s, was %s", name, s.URL("postgres"), url)
		}
		if got := one[string](t, connect(t, url), "SELECT text FROM note"); got != name {
			t.Errorf("after %s the server has %q, want %q", name, got, name)
		}
	}
	killBusy(t, s)
	for what, refused := range map[string]error{
		"it does not run": s.Kill(),
		"it runs":         errors.Join(s.Start(), s.Start()),
		`"slow"`:          s.Stop("slow"),
	} {
		if refused == nil || !strings.Contains(refused.Error(), what) {
			t.Errorf("error %v, want one that says: %s", refused, what)
		}
	}
}

// killBusy kills a server whose clients are all in the middle of something.
func killBusy(t *testing.T, s *pgtest.Server) {
	t.Helper()
	watcher := connect(t, s.URL("postgres"))
	busy := make(chan error)
	for range 3 {
		conn := connect(t, s.URL("postgres"))
		go func() {
			_, err := conn.Exec(t.Context(), "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b")
			busy <- err
		}()
	}
	until(t, time.Minute, "three busy clients", func() bool {
		return one[int](t, watcher, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()") == 3
	})
	pids := processes(t, watcher)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	allEnded(t, pids)
	for range 3 {
		if err := <-busy; err == nil {
			t.Error("a query of a killed server succeeds")
		}
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	s, err := pgtest.Start(&pgtest.Options{Locale: "icu:en-US"})
	if err != nil {
		pgtest.Own(t, nil) // skips where there is no PostgreSQL at all
		t.Fatal(err)
	}
	conn := connect(t, s.URL("postgres"))
	if !one[bool](t, conn, "SELECT 'a' < 'B'") {
		t.Error("'a' < 'B' is false, as without the locale icu:en-US")
	}
	pids, folder := processes(t, conn), folderOf(t, conn)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	allEnded(t, pids)
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of a closed server: %v, want that it is not there", err)
	}
}

// TestStartFails wants to read what the server says of a setting that there is not.
func TestStartFails(t *testing.T) {
	t.Parallel()
	s, err := pgtest.Start(&pgtest.Options{Settings: map[string]string{"no_such_setting": "1"}})
	if err == nil {
		t.Fatal("a server starts with a setting that does not exist:", s.Close())
	}
	if !strings.Contains(err.Error(), "no_such_setting") {
		pgtest.Own(t, nil) // skips where there is no PostgreSQL at all
		t.Errorf("Start = %v, want the name of the setting", err)
	}
}
