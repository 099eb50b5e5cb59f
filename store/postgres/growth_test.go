package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A table that was empty a moment ago is planned for what it holds now: without that,
// each of many documents that are staged at once would cost a look at all others,
// until the database's own look at the table a minute later.
func TestGrownTablesArePlannedFor(t *testing.T) {
	pool := newPool(t)
	s, ctx := open(t, pool), t.Context()
	company, source := id.New(id.Company), id.New(id.Source)
	cm := store.Commit{Company: company}
	if _, err := s.FirstCompany(ctx, cm, access.Company{ID: company, Name: "First", DefaultAgent: id.New(id.Agent), CreatedAt: now()}); err != nil {
		t.Fatal(err)
	}
	run := knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunCrawl, CreatedAt: now()}
	queued := cm
	queued.Work = []store.Work{{ID: id.New(id.Work), Queue: "runs", Key: source}}
	if err := s.CreateSource(ctx, queued, knowledge.Source{ID: source, Kind: knowledge.SourceWebsite, CreatedAt: now()}, &run); err != nil {
		t.Fatal(err)
	}
	leases, err := s.ClaimKeys(ctx, company, "runs", "worker", time.Hour, 1)
	if err != nil || len(leases) != 1 {
		t.Fatalf("ClaimKeys = %v, %v", leases, err)
	}
	known := func(table string) (rows float64) {
		t.Helper()
		const query = `SELECT c.reltuples FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`
		if err := pool.QueryRow(ctx, query, s.name, table).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	const many, at = 750, 250
	for from := 0; from < many; from += at {
		var st knowledge.Staging
		for i := range at {
			w := document(fmt.Sprint("page ", from+i))
			w.Kind = knowledge.KindPage
			st.Writes = append(st.Writes, w)
		}
		if _, err := s.Stage(ctx, leases[0], run.ID, st); err != nil {
			t.Fatal(err)
		}
	}
	if n := known("staged"); n < 500 {
		t.Errorf("the planner knows of %v rows that are staged, of %d", n, many)
	}
	r, err := s.EndRun(ctx, cm, leases[0], knowledge.Run{ID: run.ID, State: knowledge.RunCompleted})
	if err != nil || r.Counts.Created != many {
		t.Fatalf("EndRun = %+v, %v", r, err)
	}
	if n := known("documents"); n < many {
		t.Errorf("the planner knows of %v documents, of %d", n, many)
	}
}
