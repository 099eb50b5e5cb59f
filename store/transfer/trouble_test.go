package transfer_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
	"github.com/answerdesk-go/answerdesk/store/transfer"
)

// The tests start their own binary again as a process that copies, which they kill.
const copierVariable = "ANSWERDESK_TEST_COPY"

func TestMain(m *testing.M) {
	if os.Getenv(copierVariable) != "" {
		if err := copier(os.Args[1], os.Args[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	pgtest.Main(m)
}

// copier copies, and tells of each step that it takes.
func copier(from, to string) error {
	_, err := transfer.Copy(context.Background(), database(from), database(to), &transfer.Options{
		Progress: func(s transfer.Step, done, total int64) { fmt.Println(s, done, total) },
	})
	return err
}

func database(s string) transfer.Database {
	if strings.HasPrefix(s, "postgres") {
		return transfer.Postgres(s)
	}
	return transfer.Folder(s)
}

// empty returns a folder with a new desk.
func empty(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "desk")
	st, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// fill gives a desk many rows of one table.
func fill(t testing.TB, dir string, n int) {
	t.Helper()
	execute(t, filepath.Join(dir, sqlite.FileName), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO streams (company, stream, events) SELECT 'cmp_' || (i % 3), printf('s%08d', i), i FROM n`, n)
}

// refused fails unless neither engine opens an unfinished copy, whatever is said
// about migrations.
func refused(t testing.TB, target string) {
	t.Helper()
	for _, m := range []store.Migrate{store.MigrateAuto, store.MigrateCheck, store.MigrateOff} {
		var err error
		if strings.HasPrefix(target, "postgres") {
			_, err = postgres.Open(t.Context(), target, &postgres.Options{Migrate: m})
		} else {
			_, err = sqlite.Open(t.Context(), target, &sqlite.Options{Migrate: m})
		}
		if err == nil || !strings.Contains(err.Error(), "a copy that is not complete: run the same answerdesk copy again to finish it") {
			t.Fatalf("with migrate=%s an unfinished copy opens: %v", m, err)
		}
	}
}

// A copy that is killed again and again goes on where it was, and is no desk before
// it has ended.
func TestKilled(t *testing.T) {
	source := empty(t)
	fill(t, source, 45_000)
	there := pgtest.Database(t)
	if _, err := transfer.Copy(t.Context(), transfer.Folder(source), transfer.Postgres(there+"&schema=source"), nil); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, from, to string }{
		{"to PostgreSQL", source, there + "&schema=target"},
		{"to a folder", there + "&schema=source", filepath.Join(t.TempDir(), "target")},
	} {
		t.Run(test.name, func(t *testing.T) {
			begun := map[string]bool{}
			for kill := range 8 {
				first, last := killed(t, test.from, test.to, kill)
				refused(t, test.to)
				begun[first] = true
				t.Logf("from %s to %s", first, last)
			}
			if len(begun) < 3 {
				t.Errorf("the copies began at %v: none went on where the one before had been killed", begun)
			}
			tables, err := transfer.Copy(t.Context(), database(test.from), database(test.to), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, table := range tables {
				if table.Name == "streams" && table.To.Rows != 45_000 {
					t.Errorf("%d rows are there, want 45000", table.To.Rows)
				}
			}
			if _, err := transfer.Copy(t.Context(), database(test.from), database(test.to), nil); !errors.Is(err, transfer.ErrNotEmpty) {
				t.Errorf("a copy into one that is complete: %v, want ErrNotEmpty", err)
			}
		})
	}
}

// killed kills a process that copies, a while after it has told of some steps, and
// returns the first and the last one that it told of.
func killed(t testing.TB, from, to string, kill int) (first, last string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, from, to)
	cmd.Env = append(os.Environ(), copierVariable+"=1")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for steps := 0; steps <= kill%3 && lines.Scan(); steps++ {
		if last = lines.Text(); first == "" {
			first = last
		}
		if !strings.HasPrefix(last, string(transfer.Copying)) {
			break
		}
	}
	<-time.After(time.Duration(kill) * time.Millisecond) // into the next batch, which takes some 30 ms
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if first == "" {
		t.Fatalf("the process that copies says nothing but %q", &said)
	}
	return first, last
}

// Of two copies into one target at a time one ends well, and nothing is there twice:
// each that ends well has compared both sides. The other one finds rows that it was
// about to write, or goes on where the first one is.
func TestTwoCopies(t *testing.T) {
	source := empty(t)
	fill(t, source, 45_000)
	there := pgtest.Database(t)
	if _, err := transfer.Copy(t.Context(), transfer.Folder(source), transfer.Postgres(there+"&schema=source"), nil); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ from, to string }{
		{source, there + "&schema=target"},
		{there + "&schema=source", filepath.Join(t.TempDir(), "target")},
	} {
		errs, tables := make([]error, 2), make([][]transfer.Table, 2)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { tables[i], errs[i] = transfer.Copy(t.Context(), database(test.from), database(test.to), nil) })
		}
		wg.Wait()
		if errs[0] != nil && errs[1] != nil {
			t.Errorf("the copies end with %v and %v, want one nil", errs[0], errs[1])
		}
		if errs[0] == nil && errs[1] == nil && !reflect.DeepEqual(tables[0], tables[1]) {
			t.Errorf("both copies end well, with %+v and %+v, want the same", tables[0], tables[1])
		}
		t.Log(errs)
	}
}

// What is in the target is never written over, nor mixed with.
func TestNotEmpty(t *testing.T) {
	dir, _, _ := furnish(t)
	for _, target := range []string{pgtest.Database(t), filepath.Join(t.TempDir(), "desk")} {
		source := transfer.Folder(dir)
		if !strings.HasPrefix(target, "postgres") {
			first := pgtest.Database(t)
			if _, err := transfer.Copy(t.Context(), source, transfer.Postgres(first), nil); err != nil {
				t.Fatal(err)
			}
			source = transfer.Postgres(first)
		}
		if _, err := transfer.Copy(t.Context(), source, database(target), nil); err != nil {
			t.Fatal(err)
		}
		for _, restart := range []bool{false, true} {
			_, err := transfer.Copy(t.Context(), source, database(target), &transfer.Options{Restart: restart})
			if !errors.Is(err, transfer.ErrNotEmpty) || !strings.Contains(err.Error(), "table agent_versions: ") {
				t.Errorf("restart %t: %v, want ErrNotEmpty of table agent_versions", restart, err)
			}
		}
		if strings.HasPrefix(target, "postgres") {
			st, err := postgres.Open(t.Context(), target, nil) // it is still a desk
			if err != nil {
				t.Fatal(err)
			}
			st.Close()
		}
	}
}

// What changes in the source after it was read is noticed, the target stays
// refused, and a copy that is begun anew ends well.
func TestSourceChanges(t *testing.T) {
	for name, change := range map[string]string{
		"a row more":    `INSERT INTO streams (company, stream, events) VALUES ('cmp_0', 's0', 1)`, // before those that are there
		"a row less":    `DELETE FROM streams WHERE stream = 's00000007'`,
		"another value": `UPDATE streams SET events = 0 WHERE stream = 's00000007'`,
	} {
		t.Run(name, func(t *testing.T) {
			source, target := empty(t), pgtest.Database(t)
			fill(t, source, 100)
			changed := false
			tables, err := transfer.Copy(t.Context(), transfer.Folder(source), transfer.Postgres(target), &transfer.Options{
				Progress: func(s transfer.Step, done, total int64) {
					if done == total && !changed { // all is copied, nothing is compared
						execute(t, filepath.Join(source, sqlite.FileName), change)
						changed = true
					}
				},
			})
			if !errors.Is(err, transfer.ErrDiffers) || !strings.Contains(err.Error(), "differ in streams: ") {
				t.Fatalf("Copy = %v, want ErrDiffers in streams", err)
			}
			for _, table := range tables {
				if table.Same() == (table.Name == "streams") {
					t.Errorf("table %s: same is %t", table.Name, table.Same())
				}
			}
			refused(t, target)
			if _, err := transfer.Copy(t.Context(), transfer.Folder(source), transfer.Postgres(target), &transfer.Options{Restart: true}); err != nil {
				t.Fatal(err)
			}
			st, err := postgres.Open(t.Context(), target, &postgres.Options{Migrate: store.MigrateCheck})
			if err != nil {
				t.Fatal(err)
			}
			st.Close()
		})
	}
}

// Text that PostgreSQL cannot store is refused by table and key.
func TestBadText(t *testing.T) {
	for name, test := range map[string]struct{ value, want string }{
		"zero byte": {"CAST(x'610062' AS TEXT)", "column default_agent has a text with a zero byte"},
		"not UTF-8": {"CAST(x'61ff62' AS TEXT)", "column default_agent has a text that is not UTF-8"},
		"bytes":     {"x'61ff62'", "column default_agent has a text that is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			source, target := empty(t), pgtest.Database(t)
			execute(t, filepath.Join(source, sqlite.FileName), `INSERT INTO companies (id, name, default_agent, created_at) VALUES ('cmp_1', '', '', 0), ('cmp_2', '', `+test.value+`, 0)`)
			_, err := transfer.Copy(t.Context(), transfer.Folder(source), transfer.Postgres(target), nil)
			if err == nil || !strings.Contains(err.Error(), `source: table companies, key "cmp_2": `+test.want) {
				t.Fatalf("Copy = %v, want %s", err, test.want)
			}
			refused(t, target)
			execute(t, filepath.Join(source, sqlite.FileName), `UPDATE companies SET default_agent = 'agt_1'`)
			if _, err := transfer.Copy(t.Context(), transfer.Folder(source), transfer.Postgres(target), &transfer.Options{Restart: true}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Databases of different versions are refused before anything is written.
func TestOtherVersions(t *testing.T) {
	target := pgtest.Database(t)
	st, err := postgres.Open(t.Context(), target, nil)
	if err != nil {
		t.Fatal(err)
	}
	st.Close()
	source := transfer.Folder(empty(t))
	for _, test := range []struct{ change, undo, want string }{
		{`ALTER TABLE agents ADD COLUMN more BIGINT`, `ALTER TABLE agents DROP COLUMN more`, "table agents has other columns"},
		{`ALTER TABLE agents ALTER COLUMN version TYPE TEXT`, `ALTER TABLE agents ALTER COLUMN version TYPE BIGINT USING 1`, "table agents has other columns"},
		{`ALTER TABLE agents ALTER COLUMN version TYPE INT`, `ALTER TABLE agents ALTER COLUMN version TYPE BIGINT`, "column version has type integer"},
		{`CREATE TABLE answerdesk.more (id TEXT PRIMARY KEY)`, `DROP TABLE more`, "table more is in the target alone"},
		{`ALTER TABLE streams RENAME TO streams2`, `ALTER TABLE streams2 RENAME TO streams`, "table streams is in the source alone"},
	} {
		alter(t, target, test.change)
		if _, err := transfer.Copy(t.Context(), source, transfer.Postgres(target), nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("after %s: %v, want %s", test.change, err, test.want)
		}
		alter(t, target, test.undo)
	}
	old := filepath.Join(t.TempDir(), "none")
	if _, err := transfer.Copy(t.Context(), transfer.Folder(old), transfer.Postgres(target), nil); err == nil || !strings.Contains(err.Error(), "source: open "+old) {
		t.Errorf("from a folder that is not there: %v", err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("the source was made")
	}
	if _, err := transfer.Copy(t.Context(), source, transfer.Postgres(target), nil); err != nil {
		t.Error(err)
	}
}

// alter runs a statement in the schema that is there by default.
func alter(t testing.TB, url, query string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "SET search_path TO answerdesk; "+query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func TestBothSides(t *testing.T) {
	const secret = "postgres://ann:hunter2@127.0.0.1:1/desk"
	for _, test := range []struct {
		from, to, want string
	}{
		{"a", "b", "one side must be a folder"},
		{secret, secret, "one side must be a folder"},
		{empty(t), secret, "target: open store"},
		{secret, t.TempDir(), "source: open store"},
	} {
		_, err := transfer.Copy(t.Context(), database(test.from), database(test.to), nil)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Copy(%s, %s) = %v, want %s", test.from, test.to, err, test.want)
		}
	}
}
