package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// statements are those that the stores of a suite have prepared.
type statements struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (st *statements) note(s *sqlite.Store) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.seen == nil {
		st.seen = map[string]bool{}
	}
	for _, query := range sqlite.Statements(s) {
		st.seen[strings.Join(strings.Fields(query), " ")] = true
	}
}

// Statements that may read more rows of a table than those they are about, by a
// part of their text, and why that is no harm.
var mayRead = []struct{ part, why string }{

	{"FROM companies WHERE 1 = 1 ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"FROM agents a JOIN companies c", "in the order of the key, as far as the page goes"},
	{"FROM conversations WHERE company = ? ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"FROM messages WHERE company = ? ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"FROM documents WHERE company = ? ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"FROM audit_log WHERE company = ? ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"FROM api_keys WHERE company = ? ORDER BY id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"FROM work_dead WHERE company = ? AND queue = ? ORDER BY id DESC LIMIT", "what was given up is little, and looked at by people"},
	{"COALESCE(MAX(position), 0)", "the last row of the key"},
	{"FROM work_keys WHERE queue = ? AND due_at <= ? AND lease_until <= ? GROUP BY company", "once a company, of those with work"},
	{"FROM conversations WHERE running = 1 AND lease_until <= ?", "the index has the turns that run, and no others"},
	{"user_id = ? AND agent_id = ? AND user_id <> '' ORDER BY last_message_at DESC", "those of one user with one agent are sorted"},
	{"user_id = ? AND user_id <> ''", "those of one user are sorted"},
	{"AND external_id = ?", "those of one external id, at most one an agent and source, are sorted"},
	{"FROM sources s LEFT JOIN runs r ON r.company = s.company AND r.id = s.run_id WHERE s.company = ? ORDER BY s.id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"FROM runs r WHERE r.company = ? ORDER BY r.id DESC LIMIT", "in the order of the key, as far as the page goes"},
	{"WHERE s.next_run_at > 0 AND s.next_run_at <= ?", "the index has the sources with a schedule, and no others"},
	{"SELECT c.id FROM companies c WHERE (SELECT", "the first rows of a key, once a company"},
	{"FROM documents d WHERE d.company = ? AND d.version > 1", "the index has the documents with more than one text, and no others"},
	{"SELECT id, at FROM audit_log WHERE company = ? ORDER BY id LIMIT", "in the order of the key, as far as the limit goes"},
	{"FROM citations c CROSS JOIN messages m", "the replies that cite one document are sorted"},
	{"FROM agents WHERE company = ? AND retention_days > 0", "the index has the agents that keep conversations for a time, and no others"},
	{"FROM vector_spaces WHERE company = ?", "a company has one, and another while its embedder changes"},
	{"FROM calibrations WHERE company = ?", "a company has one"},
	{"sqlite_dbpage", "pages by number"},
}

// everyRow matches the steps of a plan that read every row of a table, or every
// row that a company has there, or that sort.
var everyRow = regexp.MustCompile(`^SCAN [a-z_]+($| USING| VIRTUAL)|\(company=\?\)$|\(ANY\(|^USE TEMP B-TREE`)

// check explains every statement in a database without statistics of its own, and
// finds none that reads a large table to its end.
func (st *statements) check(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	used := map[string]bool{}
	explained := 0
	for query := range st.seen {
		verb, _, _ := strings.Cut(query, " ")
		switch verb {
		case "SELECT", "INSERT", "UPDATE", "DELETE":
		default:
			continue // it has no plan
		}
		explained++
		if strings.HasPrefix(query, "DELETE FROM ") && strings.HasSuffix(query, " WHERE company = ?") {
			continue // all that a company has is what it is about
		}
		for _, step := range plan(t, db, query) {
			if !everyRow.MatchString(step) {
				continue
			}
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

func plan(t *testing.T, db *sql.DB, query string) (steps []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return steps
}
