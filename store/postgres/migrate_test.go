package postgres_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// What a store does with a schema of each kind in each mode.
func TestMigrate(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	needs := len(migrationFiles(t))
	for i, c := range []struct {
		name             string
		change           string // of a complete schema; "none" drops it
		auto, check, off string // what the error says
	}{
		{"complete", "SELECT 1", "", "", ""},
		{"nothing", "none", "", fmt.Sprintf("has version 0 of the schema, this program needs %d: migrate it first", needs), ""},
		{"older", "none; CREATE SCHEMA %[1]s; CREATE TABLE %[1]s.schema_version (version BIGINT PRIMARY KEY, name TEXT, sha256 TEXT, applied_at BIGINT)",
			"", "has version 0 of the schema", ""},
		{"newer", "INSERT INTO %s.schema_version VALUES (99, '0099_more.sql', 'x', 1)", "newer version of this program", "newer version of this program", ""},
		{"foreign", "UPDATE %s.schema_version SET sha256 = 'x'", "do not belong together", "do not belong together", ""},
		{"half a copy", "INSERT INTO %s.schema_version VALUES (0, 'copy under way', '', 1)", "not complete", "not complete", "not complete"},
	} {
		for mode, want := range map[store.Migrate]string{store.MigrateAuto: c.auto, "": c.auto, store.MigrateCheck: c.check, store.MigrateOff: c.off} {
			name := fmt.Sprintf("mode_%d_%s", i, mode)
			quoted := pgx.Identifier{name}.Sanitize()
			if err := postgres.New(pool, &postgres.Options{Schema: name}).Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			for query := range strings.SplitSeq(c.change, ";") {
				if query == "none" {
					query = "DROP SCHEMA %s CASCADE"
				}
				if strings.Contains(query, "%") {
					query = fmt.Sprintf(strings.ReplaceAll(query, "%s", "%[1]s"), quoted)
				}
				exec(t, pool, query)
			}
			st := postgres.New(pool, &postgres.Options{Schema: name, Migrate: mode})
			err := st.Prepare(t.Context())
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s, mode %q: Prepare = %v, want %q", c.name, mode, err, want)
			}
			_, stepped := st.Company(t.Context(), "cmp_1")
			switch {
			case err != nil:
				if fmt.Sprint(stepped) != err.Error() {
					t.Errorf("%s, mode %q: a step = %v, want %v", c.name, mode, stepped, err)
				}
			case mode == store.MigrateOff && (c.name == "nothing" || c.name == "older"):
				if !errors.Is(stepped, store.ErrUnavailable) || !strings.Contains(stepped.Error(), "migrate first") {
					t.Errorf("%s, mode %q: a step = %v", c.name, mode, stepped)
				}
			case !errors.Is(stepped, store.ErrNotFound):
				t.Errorf("%s, mode %q: a step = %v", c.name, mode, stepped)
			}
		}
	}
	if err := postgres.New(pool, &postgres.Options{Migrate: "odd"}).Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), `"odd" is none of`) {
		t.Errorf(`Prepare in mode "odd" = %v`, err)
	}
}

// Schema tells what a database has, before and after, and refuses as migrating does.
func TestSchema(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	st := postgres.New(pool, &postgres.Options{Migrate: store.MigrateOff})
	has := func() (n int) {
		t.Helper()
		list, err := st.Schema(t.Context())
		if err != nil || len(list) == 0 {
			t.Fatalf("Schema = %v, %v", list, err)
		}
		for i, a := range list {
			if a.Version != i+1 || a.Name == "" {
				t.Errorf("migration %d = %+v", i+1, a)
			}
			if !a.At.IsZero() {
				n++
			}
		}
		return n
	}
	if n := has(); n != 0 {
		t.Errorf("%d migrations of nothing are applied", n)
	}
	if err := postgres.New(pool, nil).Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, files := has(), migrationFiles(t); n != len(files) {
		t.Errorf("%d migrations of %d are applied", n, len(files))
	}
	exec(t, pool, `UPDATE answerdesk.schema_version SET sha256 = 'x'`)
	if _, err := st.Schema(t.Context()); err == nil || !strings.Contains(err.Error(), "do not belong together") {
		t.Errorf("Schema of a foreign one = %v", err)
	}
}

func migrationFiles(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(postgres.Migrations(), "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("Migrations has %v, %v", names, err)
	}
	return names
}

// Of several that open an empty database at once, whatever their transactions are
// by default, one makes the schema and all find it.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	var wg sync.WaitGroup
	for i := range 10 {
		config := newConfig(t, database)
		config.MaxConns = 1
		config.ConnConfig.RuntimeParams["default_transaction_isolation"] = []string{"read committed", "repeatable read", "serializable"}[i%3]
		pool := connectPool(t, config)
		wg.Go(func() {
			st := postgres.New(pool, nil)
			if _, err := st.Company(t.Context(), "cmp_1"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the first step of process %d = %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := column(t, connectPool(t, newConfig(t, database)), `SELECT count(*)::text FROM answerdesk.schema_version`); n[0] != fmt.Sprint(len(migrationFiles(t))) {
		t.Errorf("%s migrations were noted", n[0])
	}
}

// shape is what a schema consists of.
func shape(t *testing.T, pool *pgxpool.Pool, schema string) []string {
	t.Helper()
	columns := column(t, pool, `SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, is_nullable, column_default, collation_name)
		FROM information_schema.columns WHERE table_schema = $1 AND table_name <> 'schema_version' ORDER BY 1`, schema)
	indexes := column(t, pool, `SELECT replace(indexdef, format('%I.', schemaname), '') FROM pg_indexes
		WHERE schemaname = $1 AND tablename <> 'schema_version' ORDER BY 1`, schema)
	rows := column(t, pool, `SELECT 'operators ' || t FROM (SELECT * FROM `+pgx.Identifier{schema, "operators"}.Sanitize()+`) AS t (id, company)`)
	return slices.Concat(columns, indexes, rows)
}

// The files run by hand make what the store makes, and the store runs on it.
func TestMigrationsByHand(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	made := open(t, pool)
	c, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	var all strings.Builder
	all.WriteString(`CREATE SCHEMA hand; SET LOCAL search_path TO hand;`)
	for _, name := range migrationFiles(t) {
		b, err := fs.ReadFile(postgres.Migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(string(b) + ";")
	}
	if _, err := c.Exec(t.Context(), all.String()); err != nil {
		t.Fatal(err)
	}
	hand, want := shape(t, pool, "hand"), shape(t, pool, made.name)
	if len(want) < 100 || !slices.Equal(hand, want) {
		t.Errorf("by hand there is\n%s\nthe store makes\n%s", strings.Join(hand, "\n"), strings.Join(want, "\n"))
	}
	useDesk(t, postgres.New(pool, &postgres.Options{Schema: "hand", Migrate: store.MigrateOff}))
}

// Schemas of one database are stores that see nothing of each other, whatever they
// are called.
func TestSchemaNames(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	names := []string{"", "Answerdesk", "with space", `"quoted"`, "it's", "documents", "select", "$1 ?", "é漢", "a.b", "%s", strings.Repeat("x", 63)}
	pool := connectPool(t, newConfig(t, database))
	var stores []*stepper
	for _, name := range names {
		st := postgres.New(pool, &postgres.Options{Schema: name})
		stores = append(stores, firstCompany(t, st, pool, pgx.Identifier{name}.Sanitize()))
	}
	for i, s := range stores {
		if err := s.step(t.Context(), "write", "w"); err != nil {
			t.Errorf("schema %q: %v", names[i], err)
		}
		if names[i] == "" {
			s.schema = postgres.DefaultSchema
		}
	}
	look := connect(t, database)
	for i, s := range stores {
		s.judge(t, look, []made{{"write", "w", nil}})
		for _, other := range stores {
			if _, err := s.Company(t.Context(), other.company); (err == nil) != (s == other) || err != nil && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("schema %q has another's company: %v", names[i], err)
			}
		}
	}
	if made := column(t, pool, `SELECT schema_name::text FROM information_schema.schemata WHERE schema_name !~ '^(pg_|information_schema|public)' ORDER BY 1`); len(made) != len(names) {
		t.Errorf("there are the schemas %q, want %q", made, names)
	}
	for _, name := range names[1:] {
		st, err := postgres.Open(t.Context(), database+"&schema="+url.QueryEscape(name), &postgres.Options{Migrate: store.MigrateCheck})
		if strings.Contains(name, " ") {
			st, err = postgres.Open(t.Context(), database+"&schema="+url.PathEscape(name), &postgres.Options{Migrate: store.MigrateCheck})
		}
		if err != nil {
			t.Errorf("Open with ?schema= of %q = %v", name, err)
			continue
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{strings.Repeat("x", 64), strings.Repeat("é", 32), "a\x00b", "pg_mine"} {
		if err := postgres.New(pool, &postgres.Options{Schema: name}).Prepare(t.Context()); err == nil {
			t.Errorf("schema %q is taken", name)
		}
	}
}

// Documents from before they told of their live texts have the versions they had, and
// keep them when they change.
func TestVersionsFromBefore(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	if err := postgres.New(pool, &postgres.Options{Schema: "older"}).Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	// As the program before left it.
	exec(t, pool, `ALTER TABLE older.documents DROP COLUMN bytes, DROP COLUMN actor, DROP COLUMN written_at`)
	exec(t, pool, `DELETE FROM older.schema_version WHERE version >= 7`)
	exec(t, pool, `INSERT INTO older.companies (id, name, default_agent, created_at) VALUES ('cmp_1', 'First', 'agt_1', 1)`)
	exec(t, pool, `INSERT INTO older.documents (company, id, agent_id, kind, title, url, external_id, metadata, format, questions, version, state, hash, text_hash,
		events, created_at, updated_at) VALUES ('cmp_1', 'doc_1', '', 'upload', 'Title', '', '', 'null', 'text', 'null', 2, 'ready', '\x01', '\x02', 1, 1000000, 2000000)`)
	exec(t, pool, `INSERT INTO older.document_versions SELECT 'cmp_1', 'doc_1', n, 'Title ' || n, 'text', 4, '\x02', 'key_' || n, n * 1000000 FROM generate_series(1, 2) n`)
	exec(t, pool, `INSERT INTO older.passages SELECT 'cmp_1', 'doc_1', n, 0, 0, 0, 4, 'null', 'Tea.', 0 FROM generate_series(1, 2) n`)
	s := postgres.New(pool, &postgres.Options{Schema: "older"})
	want := func(want ...string) {
		t.Helper()
		all, err := s.Versions(t.Context(), "cmp_1", "doc_1")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range all {
			got = append(got, fmt.Sprintf("%d %s by %q, %d bytes, %d, %t", v.Version, v.Title, v.Actor, v.Bytes, v.CreatedAt.Unix(), v.Live))
		}
		if !slices.Equal(got, want) {
			t.Errorf("Versions = %q, want %q", got, want)
		}
	}
	want(`2 Title 2 by "key_2", 4 bytes, 2, true`, `1 Title 1 by "key_1", 4 bytes, 1, false`)
	at := time.Unix(50, 0)
	if _, err := s.WriteDocuments(t.Context(), store.Commit{Company: "cmp_1"}, []knowledge.Write{{
		Document: knowledge.Document{ID: "doc_1", Kind: knowledge.KindUpload, Title: "Coffee", Text: "Coffee.", Format: knowledge.Text, CreatedAt: at, UpdatedAt: at},
		Passages: []knowledge.Passage{{End: 7, Text: "Coffee."}},
	}}); err != nil {
		t.Fatal(err)
	}
	want(`3 Coffee by "", 7 bytes, 50, true`, `2 Title 2 by "key_2", 4 bytes, 2, false`, `1 Title 1 by "key_1", 4 bytes, 1, false`)
	if gone, err := s.DeleteDocument(t.Context(), store.Commit{Company: "cmp_1"}, "doc_1"); err != nil || gone.Versions != 3 || gone.Passages != 3 {
		t.Errorf("DeleteDocument = %+v, %v, want 3 versions gone", gone, err)
	}
}
