package postgres_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// statements are those that the stores of a suite have run.
type statements struct {
	mu   sync.Mutex
	seen map[string]bool
}

// planned is the schema in which statements are explained.
const planned = `"planned"`

var anySchema = regexp.MustCompile(`"test_[0-9]+"`)

func (st *statements) note(s *postgres.Store) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.seen == nil {
		st.seen = map[string]bool{}
	}
	for _, query := range postgres.Statements(s) {
		st.seen[anySchema.ReplaceAllString(strings.Join(strings.Fields(query), " "), planned)] = true
	}
}

// Statements that may read or sort more rows of a table than those they are about,
// by a part of their text, and why that is no harm.
var mayRead = []struct{ part, why string }{
	{"companies WHERE id = (SELECT company FROM", "operators has one row"},
	{"companies WHERE 1 = 1 ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"operators WHERE id = 1", "one row"},
	{"UPDATE " + planned + ".operators", "one row"},
	{"agents a JOIN " + planned + ".companies c ON c.id = a.company WHERE a.company = $1", "in the order of the key, as far as the page goes"},
	{"conversations WHERE company = $1 ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"messages WHERE company = $1 ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"documents WHERE company = $1 ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"audit_log WHERE company = $1 ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"api_keys WHERE company = $1 ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"work_dead WHERE company = $1 AND queue = $2 ORDER BY id DESC LIMIT", "what was given up is little, and looked at by people"},
	{"work_keys WHERE queue = $1 AND due_at <= $2 AND lease_until <= $3 GROUP BY company", "the keys that have work, and no others"},
	{"user_id = $2 AND agent_id = $3 AND user_id <> '' ORDER BY last_message_at DESC", "a user has one with an agent"},
	{"user_id = $2 AND user_id <> ''", "those of one user are sorted"},
	{"AND external_id = ", "those of one external id, at most one an agent and source, are sorted"},
	{"runs r ON r.company = s.company AND r.id = s.run_id WHERE s.company = $1 ORDER BY s.id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"runs r WHERE r.company = $1 ORDER BY r.id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"WHERE s.next_run_at > 0 AND s.next_run_at <= $1", "the sources with a schedule, and no others"},
	{"SELECT c.id FROM " + planned + ".companies c WHERE (SELECT", "the first rows of a key, once a company"},
	{"documents d WHERE d.company = $1 AND d.version > 1", "the index has the documents with more than one text, and no others"},
	{"SELECT position, created_at FROM " + planned + ".events", "in the order of the index, as far as the limit goes"},
	{"SELECT id, at FROM " + planned + ".audit_log WHERE company = $1 ORDER BY id LIMIT", "in the order of the key, as far as the limit goes"},
	{"runs WHERE company = $1 AND kind = $2 AND ended_at = 0", "the runs that have not ended, and no others"},
	{"position = 0", "what has no position yet, of which a bounded part is sorted"},
	{"agent_id = $2 AND user_id = $3 AND user_id <> ''", "those of one user are sorted"},
	{"citations c CROSS JOIN", "the replies that cite one document are sorted"},
	{"UNION SELECT conversation_id", "the conversations of one user are sorted"},
	{"last_message_at < $4 AND running = 0 ORDER BY id", "those of one agent that began too long ago are sorted, most of which go"},
	{"agents WHERE company = $1 AND retention_days > 0", "the index has the agents that keep conversations for a time, and no others"},
	{"vector_spaces WHERE company = $", "a company has one, and another while its embedder changes"},
	{"calibrations WHERE company = $", "a company has one"},
	{"p.document_id >= $2 AND p.document_id <= $3", "the passages of a batch of documents are sorted"},
}

// check explains every statement as it would run in a database of some size, and
// finds none that reads a large table to its end.
func (st *statements) check(t *testing.T, pool *pgxpool.Pool) {
	s := postgres.New(pool, &postgres.Options{Schema: "planned"})
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	fill(t, pool)
	c, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	used := map[string]bool{}
	explained := 0
	for query := range st.seen {
		explained++
		if strings.HasPrefix(query, "DELETE FROM ") && strings.HasSuffix(query, " WHERE company = $1") {
			continue // all that a company has is what it is about
		}
		for _, step := range plan(t, c.Conn(), query) {
			allowed := false
			for _, may := range mayRead {
				if strings.Contains(query, may.part) {
					allowed, used[may.part] = true, true
				}
			}
			if !allowed {
				t.Errorf("%s\n%s", query, step)
			}
		}
	}
	if explained < 100 {
		t.Errorf("%d statements were explained, which cannot be all", explained)
	}
	for _, may := range mayRead {
		if !used[may.part] {
			t.Errorf("no statement needs to be allowed for %q any more", may.part)
		}
	}
	t.Logf("%d statements explained", explained)
}

// A node is a step of a plan, as EXPLAIN tells it in JSON.
type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Cond     string `json:"Index Cond"`
	Plans    []node
}

// companyAlone matches the condition of an index that leaves all that a company
// has.
var companyAlone = regexp.MustCompile(`^\(?\(?([a-z]+\.)?company = [^()]*\)?\)?$`)

// bad returns the steps that read every row of a table or of a company, or sort.
func (n node) bad() (steps []string) {
	reads := strings.Contains(n.Type, "Index") && (n.Cond == "" || companyAlone.MatchString(n.Cond))
	if n.Type == "Seq Scan" || n.Type == "Sort" || reads {
		steps = append(steps, strings.Join(strings.Fields(fmt.Sprint(n.Type, " ", n.Relation, " ", n.Index, " ", n.Cond)), " "))
	}
	for _, p := range n.Plans {
		steps = append(steps, p.bad()...)
	}
	return steps
}

// plan explains a statement for parameters that are not known.
func plan(t *testing.T, c *pgx.Conn, query string) []string {
	t.Helper()
	prepared, err := c.Prepare(t.Context(), "", query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	nulls := strings.TrimSuffix(strings.Repeat("NULL, ", len(prepared.ParamOIDs)), ", ")
	if nulls != "" {
		nulls = "(" + nulls + ")"
	}
	results, err := c.PgConn().Exec(t.Context(), "SET plan_cache_mode = force_generic_plan; PREPARE explained AS "+query+
		"; EXPLAIN (FORMAT JSON) EXECUTE explained"+nulls+"; DEALLOCATE explained").ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal(results[2].Rows[0][0], &plans); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return plans[0].Plan.bad()
}

// How often a value repeats in the columns of the rows that [fill] makes: each that
// is not named here is different in each row.
var repeats = map[string]string{
	"company": "i % 20", "agent_id": "i % 100", "kind": "i % 5", "user_id": "i / 5", "queue": "i % 3", "document_id": "i / 20",
	"conversation_id": "i / 10", "stream": "i / 10", "role": "i % 2",
}

// fill puts 20,000 rows into each table that grows, and lets the database look at
// them.
func fill(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	inserts := column(t, pool, `SELECT 'INSERT INTO planned.' || table_name || ' SELECT ' || string_agg(
			CASE WHEN data_type = 'bytea' THEN 'decode(lpad(to_hex(i), 64, ''0''), ''hex'')'
				WHEN column_name IN ('running', 'done', 'cancelled') THEN '(i % 500 = 0)::int'
				WHEN data_type = 'text' THEN quote_literal(left(column_name, 3) || '_') || ' || (' || COALESCE($1::jsonb ->> column_name, 'i') || ')'
				ELSE 'i' END, ', ' ORDER BY ordinal_position) || ' FROM generate_series(1, 20000) AS i'
		FROM information_schema.columns WHERE table_schema = 'planned' AND table_name NOT IN ('operators', 'calibrations', 'schema_version') GROUP BY table_name`, repeats)
	if len(inserts) < 15 {
		t.Fatalf("%d tables were found, which cannot be all", len(inserts))
	}
	for _, query := range append(inserts, `VACUUM ANALYZE`) {
		if _, err := pool.Exec(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
}
