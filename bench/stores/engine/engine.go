package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store/postgres"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// Pool is how many connections a process has to PostgreSQL at most.
const Pool = 64

// A Store is one of either kind.
type Store interface {
	storetest.Store
	Close() error
}

// An Engine makes places for stores of one kind.
type Engine struct {
	Name   string
	Server int // the id of the postmaster's process; 0 if the engine has no server

	root   string         // of SQLite's folders
	server *pgtest.Server // of PostgreSQL's databases
	made   int
}

// Both returns SQLite, in folders below dir, and PostgreSQL, whose files are below
// the temporary directory. Close both.
func Both(dir string) ([]*Engine, error) {
	root, err := os.MkdirTemp(dir, "sqlite")
	if err != nil {
		return nil, err
	}
	lite := &Engine{Name: "SQLite", root: root}
	server, err := pgtest.Start(&pgtest.Options{Fsync: true})
	if err != nil {
		return nil, errors.Join(err, lite.Close())
	}
	pg := &Engine{Name: "PostgreSQL", server: server}
	if pg.Server, err = postmaster(server.URL("postgres")); err != nil {
		return nil, errors.Join(err, lite.Close(), pg.Close())
	}
	return []*Engine{lite, pg}, nil
}

// Close stops the server and removes all places.
func (e *Engine) Close() error {
	if e.server != nil {
		return e.server.Close()
	}
	return os.RemoveAll(e.root)
}

// New returns a place with nothing in it.
func (e *Engine) New(ctx context.Context) (string, error) { return e.place(ctx, "") }

// Copy returns a place that has all that another one of the engine has, which
// nobody may have open.
func (e *Engine) Copy(ctx context.Context, place string) (string, error) { return e.place(ctx, place) }

func (e *Engine) place(ctx context.Context, from string) (string, error) {
	e.made++
	name := fmt.Sprint("place", e.made)
	if e.server == nil {
		folder := filepath.Join(e.root, name)
		if from == "" {
			return folder, os.Mkdir(folder, 0o700)
		}
		return folder, os.CopyFS(folder, os.DirFS(from))
	}
	template := "template0"
	if from != "" {
		template = database(from)
	}
	return e.server.URL(name) + fmt.Sprint("&pool_max_conns=", Pool), e.execute(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template)
}

// Remove removes a place, which nobody may have open.
func (e *Engine) Remove(ctx context.Context, place string) error {
	if e.server == nil {
		return os.RemoveAll(place)
	}
	return e.execute(ctx, "DROP DATABASE "+database(place))
}

func database(place string) string {
	u, err := url.Parse(place)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Path, "/")
}

func (e *Engine) execute(ctx context.Context, statement string) error {
	db, err := sql.Open("pgx", e.server.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	return errors.Join(err, db.Close())
}

// Warm returns the same place, where a store opens n connections before they are
// asked for.
func Warm(place string, n int) string {
	if strings.HasPrefix(place, "postgres://") {
		return place + fmt.Sprint("&pool_min_conns=", n)
	}
	return place
}

// Open opens the store in a place, making it if the place is empty.
func Open(ctx context.Context, place string) (Store, error) {
	if strings.HasPrefix(place, "postgres://") {
		return postgres.Open(ctx, place, nil)
	}
	return sqlite.Open(ctx, place, nil)
}

// Connect opens a connection to a place that is not a store's. Names of tables in
// statements need the prefix.
func Connect(place string) (db *sql.DB, prefix string, err error) {
	if strings.HasPrefix(place, "postgres://") {
		address, _, _ := strings.Cut(place, "&pool_")
		db, err = sql.Open("pgx", address)
		return db, postgres.DefaultSchema + ".", err
	}
	db, err = sql.Open("sqlite", "file:"+filepath.Join(place, sqlite.FileName))
	return db, "", err
}

// Rows counts the rows of some tables.
func Rows(ctx context.Context, place string, tables ...string) (map[string]int, error) {
	db, prefix, err := Connect(place)
	if err != nil {
		return nil, err
	}
	rows := make(map[string]int, len(tables))
	for _, table := range tables {
		var n int
		err = errors.Join(err, db.QueryRowContext(ctx, "SELECT count(*) FROM "+prefix+table).Scan(&n))
		rows[table] = n
	}
	return rows, errors.Join(err, db.Close())
}

// Differ returns an error that names the tables of which two places have not as
// many rows, or nil.
func Differ(a, b map[string]int) error {
	var differ []string
	for _, table := range slices.Sorted(maps.Keys(a)) {
		if a[table] != b[table] {
			differ = append(differ, fmt.Sprintf("%s: %d and %d", table, a[table], b[table]))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return fmt.Errorf("rows differ: %s", strings.Join(differ, ", "))
}
