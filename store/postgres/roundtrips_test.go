package postgres_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// trips counts how often a pool's connections wait for an answer.
type trips struct{ n atomic.Int64 }

func (c *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (c *trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (c *trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (c *trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// A step asks the server no more often than it did, the begin and the end of its
// transaction among that: where the server is a millisecond away, a step takes as
// many milliseconds.
func TestRoundTrips(t *testing.T) {
	config, err := pgxpool.ParseConfig(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	var count trips
	config.ConnConfig.Tracer = &count
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s, ctx := open(t, pool), t.Context()
	company, agentID := id.New(id.Company), id.New(id.Agent)
	at := time.Now().UTC().Truncate(time.Microsecond)
	if _, err := s.FirstCompany(ctx, store.Commit{Company: company}, access.Company{ID: company, Name: "First", DefaultAgent: agentID, CreatedAt: at}); err != nil {
		t.Fatal(err)
	}
	commit := func(types ...event.Type) store.Commit {
		cm := store.Commit{Company: company}
		for _, kind := range types {
			cm.Events = append(cm.Events, event.Event{ID: id.New(id.Event), Type: kind, CreatedAt: at})
		}
		return cm
	}
	asks := func(conversation, user string) agent.Begin {
		return agent.Begin{
			Message: agent.Message{
				ID: id.New(id.Message), ConversationID: conversation, AgentID: agentID, User: agent.User{ID: user}, Text: "When do you open?", CreatedAt: at,
			},
			NewConversation: id.New(id.Conversation), ReplyID: id.New(id.Message), Worker: "worker", Lease: time.Hour,
		}
	}
	var (
		turn  agent.Turn
		cites []agent.Citation
		claim store.ReceiptState
	)
	begin := func(b agent.Begin) error {
		turn, err = s.BeginTurn(ctx, commit(event.ConversationStarted, event.MessageReceived), b)
		return err
	}
	end := func(cites ...agent.Citation) error {
		r := agent.Reply{ID: turn.ReplyID, ConversationID: turn.ConversationID, AgentID: agentID, Text: "At nine.", Citations: cites, CreatedAt: at}
		return s.EndTurn(ctx, commit(event.MessageSent), turn.TurnRef, agent.End{Reply: r})
	}
	write := func(version, n int) error {
		var writes []knowledge.Write
		for i := range n {
			body := fmt.Sprintf("Text %d of version %d.", i, version)
			writes = append(writes, knowledge.Write{
				Document: knowledge.Document{
					Kind: knowledge.KindUpload, Text: body, ExternalID: fmt.Sprint("external ", i), State: knowledge.StateReady, CreatedAt: at, UpdatedAt: at,
				},
				NewID: id.New(id.Document), Hash: sha256.Sum256([]byte(body)), TextHash: sha256.Sum256([]byte(body)),
				Passages: []knowledge.Passage{{End: len(body), Text: body}},
			})
		}
		written, err := s.WriteDocuments(ctx, commit(), writes)
		cites = nil
		for i, d := range written.Documents[:min(3, len(written.Documents))] {
			cites = append(cites, agent.Citation{DocumentID: d.ID, DocumentVersion: d.Version, End: len(writes[i].Text), Quote: writes[i].Text})
		}
		return err
	}
	claims := func() error {
		claim, err = s.ClaimReceipt(ctx, store.ReceiptClaim{
			Company: company, Scope: "key_1 POST /v1/message", Key: "key", Hash: []byte("hash"), Lease: time.Hour, Keep: time.Hour,
		})
		return err
	}
	var (
		source = knowledge.Source{ID: id.New(id.Source), Kind: knowledge.SourceWebsite, CreatedAt: at}
		run    = knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunCrawl, SourceID: source.ID, CreatedAt: at}
		lease  store.Lease
	)
	claimRun := func() error {
		cm := commit()
		cm.Work = []store.Work{{ID: id.New(id.Work), Queue: "runs", Key: source.ID}}
		if err := s.CreateSource(ctx, cm, source, &run); err != nil {
			return err
		}
		leases, err := s.ClaimKeys(ctx, company, "runs", "worker", time.Hour, 1)
		if err == nil {
			lease = leases[0]
		}
		return err
	}
	stage := func(version, n int) func() error {
		return func() error {
			var st knowledge.Staging
			for i := range n {
				body, url := fmt.Sprintf("Page %d of version %d.", i, version), fmt.Sprint("https://example.com/", i)
				st.Writes = append(st.Writes, knowledge.Write{
					Document: knowledge.Document{Kind: knowledge.KindPage, Text: body, ExternalID: url, CreatedAt: at, UpdatedAt: at},
					NewID:    id.New(id.Document), Hash: sha256.Sum256([]byte(body)), TextHash: sha256.Sum256([]byte(body)),
					Passages: []knowledge.Passage{{End: len(body), Text: body}},
				})
				st.Pages = append(st.Pages, knowledge.Page{URL: url, Outcome: "fetched"})
			}
			_, err := s.Stage(ctx, lease, run.ID, st)
			return err
		}
	}
	ofRun := func(kind event.Type) store.Commit {
		cm := commit(kind)
		cm.Events[0].Stream = run.ID
		return cm
	}
	ends := func() error {
		_, err := s.EndRun(ctx, ofRun(event.TrainingCompleted), lease, knowledge.Run{ID: run.ID, State: knowledge.RunCompleted})
		return err
	}
	again := func() error {
		run.ID = id.New(id.Run)
		_, err := s.StartRun(ctx, commit(), run, time.Time{}, time.Time{})
		return err
	}
	begins := func() error { _, err := s.BeginRun(ctx, ofRun(event.TrainingStarted), lease, run.ID); return err }
	for _, step := range []struct {
		name string
		most int64
		make func() error
	}{
		{"WriteDocuments, one that is new", 10, func() error { return write(1, 1) }},
		{"WriteDocuments, 100 of which 99 are new", 11, func() error { return write(2, 100) }},
		{"WriteDocuments, 100 versions", 11, func() error { return write(3, 100) }},
		{"WriteDocuments, 100 unchanged", 5, func() error { return write(3, 100) }},
		{"BeginTurn of a conversation", 6, func() error { return begin(asks("", "")) }},
		{"EndTurn", 5, func() error { return end() }},
		{"BeginTurn in a conversation", 5, func() error { return begin(asks(turn.ConversationID, "")) }},
		{"EndTurn with three citations", 7, func() error { return end(cites...) }},
		{"BeginTurn of a user", 7, func() error { return begin(asks("", "ann")) }},
		{"RecordStep", 4, func() error {
			return s.RecordStep(ctx, commit(), turn.TurnRef, agent.Step{CallID: "call_1", Name: "look up", State: agent.StepIntent, Data: []byte(`{}`), At: at})
		}},
		{"RenewTurn", 4, func() error { return s.RenewTurn(ctx, company, turn.TurnRef, time.Hour) }},
		{"EndTurn of a user", 5, func() error { return end() }},
		{"BeginTurn of a user again", 6, func() error { return begin(asks("", "ann")) }},
		{"EndTurn of a user again", 5, func() error { return end() }},
		{"PutFeedback", 7, func() error {
			cm := commit(event.MessageFeedback)
			cm.Events[0].Stream = turn.ConversationID
			_, err := s.PutFeedback(ctx, cm, agent.Feedback{MessageID: turn.ReplyID, Rating: agent.RatingUp, CreatedAt: at, UpdatedAt: at})
			return err
		}},
		{"ClaimReceipt", 4, claims},
		{"ClaimReceipt again", 5, claims},
		{"Enqueue under a receipt", 6, func() error {
			r := claim.Receipt
			r.Done = true
			cm := commit()
			cm.Work, cm.Receipt = []store.Work{{ID: id.New(id.Work), Queue: "runs", Key: "key"}}, &r
			return s.Enqueue(ctx, cm)
		}},
		{"CreateSource with a run, and ClaimKeys", 13, claimRun},
		{"BeginRun", 9, begins},
		{"MoveRun", 7, func() error {
			return s.MoveRun(ctx, lease, run.ID, "fetch", knowledge.Counts{Done: 1}, []knowledge.RunEvent{{Type: knowledge.RunProgress, CreatedAt: at}})
		}},
		{"LeaveRun", 6, func() error { return s.LeaveRun(ctx, lease, run.ID) }},
		{"Stage, one that is new", 17, stage(1, 1)},
		{"Stage, 150 of which 149 are new", 19, stage(2, 150)},
		{"Stage, 150 again", 18, stage(3, 150)},
		{"EndRun that publishes 150", 25, ends},
		{"StartRun", 9, again},
		{"BeginRun again", 9, begins},
		{"Stage, 150 unchanged", 15, stage(3, 150)},
		{"Stage, 150 versions", 16, stage(4, 150)},
		{"EndRun that publishes 150 versions", 26, ends},
		{"Events", 8, func() error { _, err := s.Events(ctx, company, "", 100); return err }},
		{"Events when all have a position", 2, func() error { _, err := s.Events(ctx, company, "", 100); return err }},
	} {
		before := count.n.Load()
		if err := step.make(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if n := count.n.Load() - before; n > step.most {
			t.Errorf("%s makes %d round trips, want %d at most", step.name, n, step.most)
		} else {
			t.Logf("%-42s %d", step.name, n)
		}
	}
}
