package postgres_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/store/postgres"
)

func TestText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schema, query, want string }{
		{"s", `SELECT id FROM documents WHERE company = ? AND id = ?`, `SELECT id FROM "s".documents WHERE company = $1 AND id = $2`},
		{"s", `UPDATE streams SET events = streams.events + ? WHERE company = ?`, `UPDATE "s".streams SET events = streams.events + $1 WHERE company = $2`},
		{"s", `INSERT INTO streams (events) VALUES (?) ON CONFLICT (company) DO UPDATE SET events = streams.events + 1`,
			`INSERT INTO "s".streams (events) VALUES ($1) ON CONFLICT (company) DO UPDATE SET events = streams.events + 1`},
		{"s", `DELETE FROM work_keys WHERE NOT EXISTS (SELECT 1 FROM work_jobs j WHERE j.key = work_keys.key)`,
			`DELETE FROM "s".work_keys WHERE NOT EXISTS (SELECT 1 FROM "s".work_jobs j WHERE j.key = work_keys.key)`},
		{"s", "SELECT 1 FROM agents a JOIN\n\tcompanies c ON c.id = a.company FOR UPDATE", "SELECT 1 FROM \"s\".agents a JOIN\n\t\"s\".companies c ON c.id = a.company FOR UPDATE"},
		{"s", `SELECT 1 FROM unnumbered, documents_of_nobody FOR NO KEY UPDATE`, `SELECT 1 FROM unnumbered, documents_of_nobody FOR NO KEY UPDATE`},
		{`a"b`, `SELECT 1 FROM agents`, `SELECT 1 FROM "a""b".agents`},
		{`$1?`, `SELECT ? FROM agents WHERE ?`, `SELECT $1 FROM "$1?".agents WHERE $2`},
		{"s", `SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`, `SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11`},
		{"s", "", ""},
	} {
		if got := postgres.Text(c.schema, c.query); got != c.want {
			t.Errorf("Text(%q, %q) = %q, want %q", c.schema, c.query, got, c.want)
		}
	}
}

// No statement has a parameter without a number, nor a table without its schema:
// the host's search_path says nothing of ours.
func TestTextOfSteps(t *testing.T) {
	t.Parallel()
	st := open(t, newPool(t))
	useDesk(t, st.Store)
	bare := regexp.MustCompile(`(?i)\b(?:from|join|into|update|using)\s+(?:only\s+)?(?:` + strings.Join(postgres.Tables(), "|") + `)\b` +
		`|\bfrom\s+[^\s,()]+(?:\s+(?:as\s+)?[a-z_]+)?\s*,`) // a second table behind a comma would not be found
	written := postgres.Written(st.Store)
	for query, text := range written {
		if found := bare.FindString(text); found != "" {
			t.Errorf("%q is without a schema in %s", found, text)
		}
		if strings.Contains(text, "?") || strings.Count(query, "?") != strings.Count(text, "$") {
			t.Errorf("%s has parameters without numbers", text)
		}
		if !strings.Contains(text, `"`+st.name+`".`) && strings.Contains(query, "?") {
			t.Errorf("%s names no table", text)
		}
	}
	if len(written) < 60 {
		t.Errorf("%d statements were run, which cannot be all", len(written))
	}
	for _, table := range column(t, st.pool, `SELECT table_name::text FROM information_schema.tables WHERE table_schema = $1`, st.name) {
		if table != "schema_version" && !slices.Contains(postgres.Tables(), table) {
			t.Errorf("table %s is not known by its name", table)
		}
	}
}
