package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A folder whose first process was killed while it made the database can be
// opened and used.
func TestKilledWhileOpening(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	met := 0 // kills before the first step
	for range 12 {
		place := newPlace(t)
		p := start(t, role{Do: "load", Store: place, Effects: filepath.Join(t.TempDir(), "effects"), Writers: 1})
		kill := time.AfterFunc(time.Duration(5+r.IntN(40))*time.Millisecond, func() { _ = p.cmd.Process.Kill() })
		steps := 0
		p.notes(new(Book), func() { steps++ })
		p.wait()
		kill.Stop()
		if steps == 0 {
			met++
		}
		desk := open(t, place)
		eager(t, desk.Desk)
		if _, err := desk.Knowledge().Put(t.Context(), knowledge.Document{Text: Text("gadget", 1)}); err != nil {
			t.Fatalf("Put after a kill: %v", err)
		}
		reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: question("gadget")})
		if err != nil || reply.Outcome != agent.Answer {
			t.Fatalf("Ask after a kill = %q, %v, want an answer", reply.Outcome, err)
		}
		if err := desk.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("12 kills, %d of them before the first step", met)
}

// Run ends the turns of processes that are no more, with an answer.
func TestRunTakesTurnsOver(t *testing.T) {
	l := newLife(t, 7)
	l.kill("turn.begun")
	db, err := raw(l.place)
	if err != nil {
		t.Fatal(err)
	}
	lapse(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	desk := open(t, l.place)
	defer desk.Close()
	lapsed := running(t, desk.Conversations())
	if len(lapsed) == 0 {
		t.Fatal("no turn was under way")
	}

	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	ended := make(chan error)
	go func() { ended <- desk.Run(ctx) }()
	for ev, err := range desk.Events(ctx, "") {
		if err != nil {
			t.Fatalf("turns of %v have not ended: %v", lapsed, err)
		}
		if ev.Type == event.MessageSent && len(running(t, desk.Conversations())) == 0 {
			break
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatalf("Run = %v", err)
	}
	for _, id := range lapsed {
		messages, err := desk.Conversations().Messages(t.Context(), id, store.Page{Limit: 2})
		if err != nil || messages.Data[0].Reply == nil || messages.Data[0].Reply.Failure != "" {
			t.Errorf("the last message of conversation %s is %+v, %v, want a reply", id, messages.Data[0], err)
		}
	}
	if faults := l.check(); len(faults) > 0 {
		t.Error(faults)
	}
}

// running returns the conversations with a turn that has not ended.
func running(t *testing.T, cs *agent.Conversations) (out []string) {
	t.Helper()
	list, err := cs.List(t.Context(), agent.ConversationFilter{}, store.Page{Limit: store.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list.Data {
		if c.Running {
			out = append(out, c.ID)
		}
	}
	slices.Sort(out)
	return out
}

// Many processes may make the same folder at the same moment.
func TestManyOpenANewFolder(t *testing.T) {
	place := newPlace(t)
	var book Book
	effects := filepath.Join(t.TempDir(), "effects")
	var all []*process
	for i := range 4 {
		all = append(all, start(t, role{Do: "load", Store: place, Effects: effects, First: 1 + 1_000_000*i}))
	}
	for _, p := range all {
		p.notes(&book, func() { _ = p.in.Close() })
		if p.wait() {
			t.Error("a process was killed")
		}
	}
	desk := open(t, place)
	defer desk.Close()
	companies, err := desk.Companies().List(t.Context(), store.Page{})
	if err != nil || len(companies.Data) != 1 {
		t.Errorf("Companies = %v, %v, want one", companies.Data, err)
	}
	fmt.Fprintln(t.Output(), book.Acked())
}
