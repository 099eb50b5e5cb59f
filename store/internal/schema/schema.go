// Package schema reads the migrations of a store, and tells from what a database
// says it has got whether the two belong together.
package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// A Migration is one file, and when the database got it.
type Migration struct {
	Version   int
	Name, Sum string // Sum is the SHA-256 of the file, in hexadecimal
	SQL       string
	At        time.Time // zero if the database has not got it
}

// Read returns the migrations that a program has, in their order.
func Read(files fs.FS) ([]Migration, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	var ms []Migration
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != len(ms)+1 {
			return nil, fmt.Errorf("migration %s is not number %d", name, len(ms)+1)
		}
		sum := sha256.Sum256(b)
		ms = append(ms, Migration{Version: version, Name: name, Sum: hex.EncodeToString(sum[:]), SQL: string(b)})
	}
	return ms, nil
}

// Rows are those of a database's table schema_version, in the order of their
// versions, as in [database/sql.Rows].
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
}

// Columns are the columns of schema_version that [Applied] reads.
const Columns = "version, name, sha256, applied_at"

// errHalf refuses a database that a copy has not filled yet.
var errHalf = errors.New("the database is a copy that is not complete: run the same answerdesk copy again to finish it, or with --restart to begin anew")

// Applied notes when the database got each of the migrations, and returns how many
// it has, or why it cannot be one that this program opens.
func Applied(rows Rows, ms []Migration) (int, error) {
	n := 0
	for rows.Next() {
		var (
			m  Migration
			at int64
		)
		if err := rows.Scan(&m.Version, &m.Name, &m.Sum, &at); err != nil {
			return 0, err
		}
		switch {
		case m.Version == 0:
			return 0, errHalf
		case m.Version > len(ms):
			return 0, fmt.Errorf("the database was written by a newer version of this program: it has migration %d, this one knows %d", m.Version, len(ms))
		case m.Version != n+1 || m.Sum != ms[n].Sum:
			return 0, fmt.Errorf("migration %d of the database, %s, is not the one this program has: they do not belong together", m.Version, m.Name)
		}
		ms[n].At = time.UnixMicro(at).UTC()
		n++
	}
	return n, rows.Err()
}

// Behind says that a database lacks migrations which it is not to be given here.
func Behind(done, all int) error {
	return fmt.Errorf("the database has version %d of the schema, this program needs %d: migrate it first", done, all)
}

// List returns migrations in the words of package store.
func List(ms []Migration) []store.Applied {
	out := make([]store.Applied, len(ms))
	for i, m := range ms {
		out[i] = store.Applied{Version: m.Version, Name: m.Name, At: m.At}
	}
	return out
}
