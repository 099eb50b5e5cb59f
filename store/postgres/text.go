package postgres

import (
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// A texts turns the statements of the steps, which every engine shares, into those
// of PostgreSQL: each ? into its number, and each table's name into one with its
// schema, since the connections are the host's and so is their search_path.
type texts struct {
	schema string
	known  sync.Map // a statement, by its shared form
}

func (t *texts) of(query string) string {
	if q, ok := t.known.Load(query); ok {
		return q.(string)
	}
	q := qualified(numbered(query), pgx.Identifier{t.schema}.Sanitize())
	t.known.Store(query, q)
	return q
}

// numbered gives the parameters of a statement their numbers.
func numbered(query string) string {
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// qualified puts a schema before the tables of a statement. A table keeps its bare
// name for the columns that are named with it.
func qualified(query, schema string) string {
	return tableName.ReplaceAllStringFunc(query, func(match string) string {
		parts := tableName.FindStringSubmatch(match)
		if !tables()[parts[2]] {
			return match
		}
		return parts[1] + schema + "." + parts[2]
	})
}

var tableName = regexp.MustCompile(`(\b(?:FROM|JOIN|INTO|UPDATE)\s+)([a-z_]+)\b`)

// tables are the names of the store's tables, as the migrations make them.
var tables = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	files, err := fs.Glob(Migrations(), "*.sql")
	if err != nil {
		panic(err) // the pattern is the one above
	}
	for _, file := range files {
		b, err := fs.ReadFile(Migrations(), file)
		if err != nil {
			panic(err) // it is embedded
		}
		for _, match := range createTable.FindAllStringSubmatch(string(b), -1) {
			names[match[1]] = true
		}
	}
	return names
})

var createTable = regexp.MustCompile(`(?m)^CREATE TABLE ([a-z_]+)`)
