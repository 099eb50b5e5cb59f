package pgtest_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
)

// childVariable makes this program one that starts a server, names its database on
// the standard output and waits until the input ends.
const childVariable = "ANSWERDESK_PGTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv("ANSWERDESK_TEST_POSTGRES") != "required" {
		os.Unsetenv("ANSWERDESK_TEST_POSTGRES") // these tests are about servers of our own
	}
	pgtest.Main(m)
}

func child() error {
	s, err := pgtest.Start(nil)
	if err != nil {
		return err
	}
	fmt.Println(s.URL("postgres"))
	fmt.Scanln()
	return s.Close()
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(t.Context()) })
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// one returns the only value that a query has for an answer.
func one[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// folderOf returns the folder of the server behind a connection.
func folderOf(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	return filepath.Dir(one[string](t, conn, "SHOW data_directory"))
}

// processes returns the ids of the postmaster behind a connection and of all its
// children that have to do with it.
func processes(t *testing.T, conn *pgx.Conn) []int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folderOf(t, conn), "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	postmaster, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	pids := append(one[[]int](t, conn, "SELECT array_agg(pid) FROM pg_stat_activity"), postmaster)
	if slices.ContainsFunc(pids, ended) || len(pids) < 5 {
		t.Fatalf("processes %d of a server that runs: want some that run", pids)
	}
	return pids
}

// ended reports whether a process does nothing any more: it is not there, or only
// its number is, since its parent has not asked how it ended.
func ended(pid int) bool {
	if runtime.GOOS == "linux" {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return errors.Is(err, os.ErrNotExist) || strings.Contains(string(stat), ") Z ")
	}
	out, _ := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	state := strings.TrimSpace(string(out))
	return state == "" || strings.HasPrefix(state, "Z")
}

// allEnded fails the test if a process is left. What ends gives up its files, by
// which the end of a server is seen, a moment before its number.
func allEnded(t *testing.T, pids []int) {
	t.Helper()
	until(t, time.Minute, fmt.Sprintf("of processes %d none is left", pids), func() bool {
		return !slices.ContainsFunc(pids, func(pid int) bool { return !ended(pid) })
	})
}

// until waits for something that another process does.
func until(t *testing.T, within time.Duration, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}
