package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const variable = "ANSWERDESK_TEST_POSTGRES"

// shared is the server that all tests of the process put their databases on.
var shared struct {
	sync.Mutex
	server *Server
	err    error // why there is none
}

// Main runs the tests of a package, stops the server that they have started and
// ends the process.
func Main(m *testing.M) {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Database returns the URL of a new, empty database, which is dropped when the
// test ends, whoever is still connected to it. The first call of a process starts
// the server. Without PostgreSQL on the machine the test is skipped, or fails, as
// the package's comment says.
func Database(t testing.TB) string {
	t.Helper()
	server, err := base()
	if err != nil {
		refuse(t, err)
	}
	name := "answerdesk_test_" + strings.ToLower(rand.Text())
	if err := execute(server, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := execute(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	database := *server
	database.Path = "/" + name
	return database.String()
}

// Own starts a server for this test alone, which is closed when the test ends. A
// nil opts means the defaults written on [Options]. Without PostgreSQL on the
// machine the test is skipped, or fails, as the package's comment says.
func Own(t testing.TB, opts *Options) *Server {
	t.Helper()
	s, err := Start(opts)
	if err != nil {
		refuse(t, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// base returns the URL of a database from which others can be created.
func base() (*url.URL, error) {
	switch value := os.Getenv(variable); {
	case strings.HasPrefix(value, "postgres://"), strings.HasPrefix(value, "postgresql://"):
		u, err := url.Parse(value)
		if err != nil {
			return nil, fmt.Errorf("%s is not a URL", variable) // it may hold a password
		}
		return u, nil
	case value != "" && value != "required":
		return nil, fmt.Errorf(`%s must be empty, "required" or a URL postgres://…`, variable)
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = Start(nil)
	}
	if shared.err != nil {
		return nil, shared.err
	}
	return url.Parse(shared.server.URL("postgres"))
}

// execute runs one statement in a connection of its own.
func execute(database *url.URL, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, database.String())
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// refuse ends a test that has no server.
func refuse(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, errAbsent) || os.Getenv(variable) == "required" {
		t.Fatal(err)
	}
	fmt.Fprintf(os.Stderr, "NOT TESTED: %s: %v\n", t.Name(), err)
	t.Skip(err)
}

// patience is how long a server may take to start, to stop or to answer.
const patience = 2 * time.Minute
