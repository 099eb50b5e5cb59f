package transfer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A table is a table of both databases.
type table struct {
	name    string
	columns []column // sorted by name
	key     []int    // the columns of its primary key, in order
	ordered bool     // whether the key is SQLite's
}

// A column has a name, and holds one kind of values that are never null.
type column struct {
	name string
	kind kind
}

// A kind is what the values of a column are.
type kind byte

const (
	text    kind = 't' // string
	integer kind = 'i' // int64
	blob    kind = 'b' // []byte
)

// kinds are the types of columns, as the databases name them.
var kinds = map[string]kind{"text": text, "bigint": integer, "blob": blob, "bytea": blob}

// newTable returns a table of columns whose places in the primary key are given, 0
// for those that are not in it.
func newTable(name string, columns []column, places []int) (table, error) {
	t := table{name: name, columns: slices.Clone(columns)}
	slices.SortFunc(t.columns, func(a, b column) int { return cmp.Compare(a.name, b.name) })
	for place := 1; ; place++ {
		i := slices.Index(places, place)
		if i < 0 {
			break
		}
		t.key = append(t.key, slices.Index(t.columns, columns[i]))
	}
	if len(t.key) == 0 {
		return t, fmt.Errorf("table %s has no primary key", name)
	}
	return t, nil
}

// kindOf returns the kind of a column of some type.
func kindOf(table, column, typ string) (kind, error) {
	k, ok := kinds[strings.ToLower(typ)]
	if !ok {
		return 0, fmt.Errorf("table %s: column %s has type %s, which this version cannot copy", table, column, typ)
	}
	return k, nil
}

// skipped are tables that are no part of what a desk holds: what the database was
// made by.
func skipped(name string) bool { return name == "schema_version" || strings.HasPrefix(name, "sqlite_") }

// Rows that are left alone: those of one engine's own, which is how it numbers its
// log. See [postgresDB.finish] for the other way.
var parts = map[string]string{
	"streams": "stream <> ''",
	"events":  "position > 0",
}

// untouched are the rows that a new database is born with.
var untouched = map[string]string{"operators": "company = ''"}

// where returns the condition of the rows that are copied, "" for all.
func (t table) where() string { return parts[t.name] }

// names returns the quoted names of all columns.
func (t table) names() string {
	var names []string
	for _, c := range t.columns {
		names = append(names, quote(c.name))
	}
	return strings.Join(names, ", ")
}

// order returns the columns of the key, each with something behind it.
func (t table) order(behind string) string {
	var names []string
	for _, i := range t.key {
		names = append(names, quote(t.columns[i].name)+behind)
	}
	return strings.Join(names, ", ")
}

// query returns a SELECT of the rows that are copied, in the order of their keys;
// with place, of those whose key comes after one whose values are its parameters.
func (t table) query(from string, place func(i int) string) string {
	var conditions []string
	if w := t.where(); w != "" {
		conditions = append(conditions, w)
	}
	if place != nil {
		var places []string
		for i := range t.key {
			places = append(places, place(i))
		}
		conditions = append(conditions, "("+t.order("")+") > ("+strings.Join(places, ", ")+")")
	}
	q := "SELECT " + t.names() + " FROM " + from
	if len(conditions) > 0 {
		q += " WHERE " + strings.Join(conditions, " AND ")
	}
	return q + " ORDER BY " + t.order("")
}

// counting returns a SELECT of how many rows are copied.
func (t table) counting(from string) string {
	q := "SELECT COUNT(*) FROM " + from
	if w := t.where(); w != "" {
		q += " WHERE " + w
	}
	return q
}

// lasting returns a SELECT of the row with the last key.
func (t table) lasting(from string) string {
	q := "SELECT " + t.names() + " FROM " + from
	if w := t.where(); w != "" {
		q += " WHERE " + w
	}
	return q + " ORDER BY " + t.order(" DESC") + " LIMIT 1"
}

// filled returns a SELECT of whether there are rows that a new database has not.
func (t table) filled(from string) string {
	q := "SELECT COUNT(*) FROM (SELECT 1 FROM " + from
	if u := untouched[t.name]; u != "" {
		q += " WHERE NOT (" + u + ")"
	}
	return q + " LIMIT 1) AS found"
}

// keyOf returns the values of a row's key.
func (t table) keyOf(r row) []any {
	key := make([]any, len(t.key))
	for i, k := range t.key {
		key[i] = r[k]
	}
	return key
}

// quote quotes a name, in the way of both databases.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
