package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Tables whose keys do not begin with a company, and why that is no harm where
// tables are distributed by it.
var undistributed = map[string]string{
	"companies":      "its id is the company, and it is distributed by that",
	"operators":      "one row, copied to every node",
	"api_keys":       "few rows, copied to every node: who shows a key does not say whose it is",
	"schema_version": "a row for each migration, copied to every node",
}

// The schema has nothing that Citus, CockroachDB, YugabyteDB or Aurora DSQL forbid,
// or on whose order or moment something correct might come to depend: see
// https://docs.citusdata.com/en/stable/develop/reference_workarounds.html and
// https://docs.aws.amazon.com/aurora-dsql/latest/userguide/working-with-postgresql-compatibility-unsupported-features.html.
func TestSchemaCanBeDistributed(t *testing.T) {
	pool := newPool(t)
	s := open(t, pool)
	name := s.name
	for what, query := range map[string]string{
		"sequences":       `SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'S'`,
		"views":           `SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('v', 'm', 'f', 'p')`,
		"triggers":        `SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = $1::regnamespace`,
		"foreign keys":    `SELECT conname FROM pg_constraint WHERE connamespace = $1::regnamespace AND contype NOT IN ('p', 'n')`,
		"functions":       `SELECT proname FROM pg_proc WHERE pronamespace = $1::regnamespace`,
		"types":           `SELECT typname FROM pg_type t WHERE typnamespace = $1::regnamespace AND typtype <> 'c' AND typelem = 0`,
		"unlogged tables": `SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relpersistence <> 'p'`,
		"generated or defaulted by a function": `SELECT adrelid::regclass || ': ' || pg_get_expr(adbin, adrelid) FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
			WHERE c.relnamespace = $1::regnamespace AND pg_get_expr(adbin, adrelid) LIKE '%(%'`,
		"columns of other types": `SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns
			WHERE table_schema = $1 AND data_type NOT IN ('text', 'bigint', 'bytea')`,
		"key columns in the order of a language": `SELECT i.indexrelid::regclass || '.' || a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
			JOIN pg_attribute a ON a.attrelid = i.indexrelid WHERE c.relnamespace = $1::regnamespace
			AND a.atttypid = 'text'::regtype AND a.attcollation <> '"C"'::regcollation`,
		"indexes that are no plain btree": `SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
			WHERE c.relnamespace = $1::regnamespace AND (m.amname <> 'btree' OR i.indexprs IS NOT NULL OR i.indisexclusion)`,
		"tables without a primary key": `SELECT relname FROM pg_class c WHERE relnamespace = $1::regnamespace AND relkind = 'r'
			AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)`,
		"extensions": `SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' AND $1 <> ''`,
	} {
		if found := column(t, pool, query, name); len(found) > 0 {
			t.Errorf("the schema has %s: %v", what, found)
		}
	}
	leading := column(t, pool, `SELECT t.relname || ' ' || c.relname || ' ' || a.attname FROM pg_index i
		JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
		JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = 1
		WHERE c.relnamespace = $1::regnamespace`, name)
	if len(leading) < 20 {
		t.Fatalf("%d indexes were found, which cannot be all", len(leading))
	}
	var excepted []string
	for _, line := range leading {
		parts := strings.Fields(line)
		if parts[2] == "company" {
			continue
		}
		if undistributed[parts[0]] == "" {
			t.Errorf("index %s of table %s begins with %s, not with the company", parts[1], parts[0], parts[2])
		}
		excepted = append(excepted, parts[0])
	}
	for table := range undistributed {
		if !slices.Contains(excepted, table) {
			t.Errorf("table %s needs no exception any more", table)
		}
	}
}

// column returns the one column of a query's rows.
func column(t *testing.T, pool *pgxpool.Pool, query string, args ...any) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}
