package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
)

// refunds is an answerer that asks for a refund once, and tells what came of it.
type refunds struct{}

// Answer implements [agent.Answerer].
func (refunds) Answer(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
	return func(yield func(agent.Part, error) bool) {
		made, err := q.Called, error(nil)
		if len(made) == 0 {
			made, err = q.Call(ctx, []agent.Asked{{Name: "refund", Arguments: json.RawMessage(`{}`)}})
		}
		if err != nil {
			yield(agent.Part{}, err)
			return
		}
		yield(agent.Part{Text: string(made[0].State) + " " + string(made[0].Result)}, nil)
	}
}

var errAfter = errors.New("after the transaction")

// A tool puts its result on record in the transaction that does its work: either both
// are there or neither, whatever becomes of its connection and of what it returns.
func TestRecordCallWithHostsTransaction(t *testing.T) {
	for _, tt := range []struct {
		name  string
		end   func(context.Context, pgx.Tx) error
		fails error
		state agent.CallState
		rows  int
	}{
		{"committed", func(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) }, nil, agent.CallCompleted, 1},
		{"committed, and an error", func(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) }, errAfter, agent.CallCompleted, 1},
		{"rolled back", func(ctx context.Context, tx pgx.Tx) error { return tx.Rollback(ctx) }, errAfter, agent.CallFailed, 0},
		{"cut off before the commit", func(ctx context.Context, tx pgx.Tx) error {
			if err := tx.Conn().Close(ctx); err != nil {
				return err
			}
			if tx.Commit(ctx) == nil {
				return errors.New("a connection that is closed has committed")
			}
			return nil
		}, errAfter, agent.CallFailed, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pool := newPool(t)
			st := open(t, pool)
			type in struct {
				Call agent.Call `json:"-"`
			}
			refund := agent.MustTool("refund", "", func(ctx context.Context, i in) (string, error) {
				tx, err := pool.Begin(ctx)
				if err != nil {
					return "", err
				}
				defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
				if _, err := tx.Exec(ctx, `INSERT INTO refunds (call) VALUES ($1)`, i.Call.ID); err != nil {
					return "", err
				}
				if err := st.RecordCall(ctx, tx, i.Call, json.RawMessage(`"refunded"`)); err != nil {
					return "", err
				}
				if err := tt.end(ctx, tx); err != nil {
					t.Error(err)
				}
				return "what is returned does not count", tt.fails
			}, nil)
			exec(t, pool, `CREATE TABLE refunds (call TEXT PRIMARY KEY)`)
			desk, err := answerdesk.New(t.Context(), st.Store, &answerdesk.Options{Answerer: refunds{}, Tools: []agent.Tool{refund}})
			if err != nil {
				t.Fatal(err)
			}
			defer desk.Close()
			reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: "Give me my money back."})
			if err != nil || len(reply.ToolCalls) != 1 {
				t.Fatalf("Ask = %d calls, %v, want one", len(reply.ToolCalls), err)
			}
			c := reply.ToolCalls[0]
			if c.State != tt.state || c.State == agent.CallCompleted && string(c.Result) != `"refunded"` {
				t.Errorf("the call is %s with the result %s, want %s with what was recorded", c.State, c.Result, tt.state)
			}
			var want []string
			if tt.rows > 0 {
				want = []string{c.ID}
			}
			if rows := column(t, pool, `SELECT call FROM refunds`); !slices.Equal(rows, want) {
				t.Errorf("the refunds are %v, want %v", rows, want)
			}
		})
	}
}

// What was recorded in the host's transaction counts also when the process is lost
// before it hears of it: another one goes on, and does not make the call again.
func TestRecordedCallSurvives(t *testing.T) {
	pool := newPool(t)
	st := open(t, pool)
	stuck, free := make(chan struct{}), make(chan struct{})
	runs := 0
	type in struct {
		Call agent.Call `json:"-"`
	}
	refund := agent.MustTool("refund", "", func(ctx context.Context, i in) (string, error) {
		runs++
		tx, err := pool.Begin(ctx)
		if err != nil {
			return "", err
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		if err := st.RecordCall(ctx, tx, i.Call, json.RawMessage(`"refunded"`)); err != nil {
			return "", err
		}
		if err := tx.Commit(ctx); err != nil {
			return "", err
		}
		close(stuck)
		<-free // as good as lost
		return "", nil
	}, &agent.ToolOptions{Timeout: time.Minute})
	opts := &answerdesk.Options{Answerer: refunds{}, Tools: []agent.Tool{refund}}
	desk, err := answerdesk.New(t.Context(), st.Store, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	defer close(free)
	begun, err := desk.Agent("").Start(t.Context(), agent.Message{Text: "Give me my money back."})
	if err != nil {
		t.Fatal(err)
	}
	<-stuck
	exec(t, pool, `UPDATE `+st.name+`.conversations SET lease_until = 1, fence = fence + 1`) // which it cannot renew any more
	other, err := answerdesk.New(t.Context(), st.Store, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	reply, err := other.Conversations().Wait(t.Context(), begun.ReplyID)
	if err != nil || runs != 1 || reply.Text != `completed "refunded"` || reply.Outcome != agent.Answer {
		t.Errorf("the tool was run %d times, and the reply is %s %q, %v", runs, reply.Outcome, reply.Text, err)
	}
}
