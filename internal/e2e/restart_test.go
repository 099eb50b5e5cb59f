package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server"
)

// answering is where a process waits, in the middle of a reply, for somebody else
// to kill it.
const answering = "answering"

// serve serves the store over HTTP until the test is no more, or the process is
// killed. It writes a line when callers may come.
func (r role) serve(ctx context.Context) error {
	wait := make(chan struct{})
	if r.At != answering {
		close(wait)
	}
	opts := &answerdesk.Options{Answerer: agenttest.Script(
		agenttest.Say("One moment. "), agenttest.Block(wait), agenttest.Quote("at nine"), agenttest.Say("."),
	)}
	if r.Do == "calls" {
		tools, closeEffects, err := r.tools()
		if err != nil {
			return err
		}
		defer closeEffects()
		opts = &answerdesk.Options{Answerer: callsInRounds{}, Tools: tools}
	}
	desk, closeBoth, err := openPlace(ctx, r.Store, opts)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", r.Addr)
	if err != nil {
		return errors.Join(err, closeBoth())
	}
	r.arm()
	fmt.Println("ready")
	srv := &http.Server{Handler: server.New(desk, nil)}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = srv.Close()
	}()
	if err := srv.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return closeBoth()
}

// A deployment is a store that is served at one address, by one process after the
// other.
type deployment struct {
	t           *testing.T
	place, addr string
	client      *client.Client
	as          role // of its processes
	deaths      int  // of them that were killed
}

// deploy makes a store with a document.
func deploy(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{t: t, place: newPlace(t), as: role{Do: "serve"}}
	desk := open(t, d.place)
	if _, err := desk.Knowledge().Put(t.Context(), knowledge.Document{Title: "Hours", Text: "We open at nine."}); err != nil {
		t.Fatal(err)
	}
	_, secret, err := desk.Keys().Create(t.Context(), access.NewKey{Name: "Full", Scope: access.ScopeFull, Plan: access.PlanUnlimited})
	if err != nil {
		t.Fatal(err)
	}
	if err := desk.Close(); err != nil {
		t.Fatal(err)
	}
	d.addr = freeAddr(t)
	if d.client, err = client.New("http://"+d.addr, client.WithAPIKey(secret), client.WithMaxRetries(8), client.WithRetryBudget(0)); err != nil {
		t.Fatal(err)
	}
	return d
}

// freeAddr returns an address that nobody listens at. It is of a range that the
// system gives to nobody who asks for any port, so that it is still free when a
// server comes back to it.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprint("127.0.0.1:", 15000+rand.IntN(15000))
		if l, err := net.Listen("tcp", addr); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return addr
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// start starts a process that serves and, if at is not empty, kills itself when it
// comes by there for the hit-th time.
func (d *deployment) start(at string, hit int) *process {
	d.t.Helper()
	r := d.as
	r.Store, r.Addr, r.At, r.Hit = d.place, d.addr, at, hit
	p := start(d.t, r)
	if line, err := p.out.ReadString('\n'); err != nil || line != "ready\n" {
		_ = p.cmd.Wait()
		d.t.Fatalf("a server wrote %q, %v: %s", line, err, p.stderr.String())
	}
	return p
}

// through makes a call while processes are killed: the first as told, after which
// another one serves. kill, if it is not nil, is called with the first process.
func through[T any](d *deployment, at string, hit int, kill func(*process), call func() (T, error)) (T, error) {
	d.t.Helper()
	type result struct {
		v   T
		err error
	}
	p := d.start(at, hit)
	called, exited := make(chan result, 1), make(chan bool, 1)
	go func() {
		v, err := call()
		called <- result{v, err}
	}()
	go func() { exited <- p.wait() }()
	if kill != nil {
		go kill(p)
	}
	var r result
	select {
	case r = <-called:
		_ = p.in.Close()
		if <-exited {
			d.deaths++
		}
	case killed := <-exited:
		if !killed {
			d.t.Fatal("a server ended by itself")
		}
		d.deaths++
		d.lapse()
		p = d.start("", 0)
		r = <-called
		_ = p.in.Close()
		if p.wait() {
			d.t.Error("the second server was killed")
		}
	}
	return r.v, r.err
}

// lapse lets the leases and claims of a killed process run out, as they would by
// themselves 10 s later.
func (d *deployment) lapse() {
	d.t.Helper()
	db, err := raw(d.place)
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	lapse(d.t, db)
	if _, err := db.ExecContext(d.t.Context(), `UPDATE receipts SET lease_until = 1 WHERE lease_until > 1`); err != nil {
		d.t.Fatal(err)
	}
}

// moments are where a server is killed in the middle of a request.
func moments() (out []struct {
	at  string
	hit int
}) {
	add := func(at string, hit int) {
		out = append(out, struct {
			at  string
			hit int
		}{at, hit})
	}
	for _, place := range places {
		switch {
		case place == "":
			add(answering, 1)
		case !isTurn(place):
			for hit := 1; hit <= 4; hit++ {
				add(place, hit)
			}
		default:
			add(place, 1)
		}
	}
	return out
}

// A message whose server is killed, wherever it is, is stored once and answered
// once: the stream goes on at the next server, and shows nothing twice.
func TestKilledInTheMiddleOfAStream(t *testing.T) {
	all := moments()
	if testing.Short() {
		all = all[:4]
	}
	d := deploy(t)
	asked := 0
	for _, m := range all {
		told := make(chan struct{}, 1)
		var kill func(*process)
		if m.at == answering {
			kill = func(p *process) {
				<-told
				_ = p.cmd.Process.Kill()
			}
		}
		user, deaths := fmt.Sprintf("%s %d", m.at, m.hit), d.deaths
		events, err := through(d, m.at, m.hit, kill, func() (events []api.StreamEvent, err error) {
			for ev, err := range d.client.Messages.Stream(t.Context(), api.MessageRequest{Message: "When do you open?", User: api.UserInput{ID: user}}) {
				if err != nil {
					return events, err
				}
				if events = append(events, ev); ev.Type == "text.delta" {
					select {
					case told <- struct{}{}:
					default:
					}
				}
			}
			return events, nil
		})
		if asked++; err != nil || len(events) == 0 {
			t.Errorf("killed at %s %d: %d events, %v", m.at, m.hit, len(events), err)
			continue
		}
		if d.deaths == deaths && isTurn(m.at) || m.at == answering && d.deaths == deaths {
			t.Errorf("a server did not come by %s", m.at)
		}
		wantToldOnce(t, m.at, events)
		reply := events[len(events)-1].Reply
		d.inspect(func(desk *answerdesk.Desk) { wantStoredOnce(t, desk, user, asked, reply) })
	}
	t.Logf("%d messages, %d servers killed", asked, d.deaths)
}

// wantToldOnce checks the events of a stream over several connections.
func wantToldOnce(t *testing.T, at string, events []api.StreamEvent) {
	t.Helper()
	sequence := int64(0)
	for i, ev := range events {
		if ev.Sequence <= sequence {
			t.Errorf("killed at %s: event %d has the sequence %d after %d", at, i, ev.Sequence, sequence)
		}
		if sequence = ev.Sequence; last(ev.Type) != (i == len(events)-1) || ev.MessageID != events[0].MessageID {
			t.Errorf("killed at %s: event %d of %d is %+v", at, i, len(events), ev)
		}
	}
	end := events[len(events)-1]
	if end.Type != "message.completed" || end.Reply.Outcome != "answer" || !strings.Contains(end.Reply.Text, "at nine") {
		t.Errorf("killed at %s: the stream ends with %+v, want an answer", at, end)
	}
}

// wantStoredOnce checks what is stored of a user's only message.
func wantStoredOnce(t *testing.T, desk *answerdesk.Desk, user string, asked int, reply api.Reply) {
	t.Helper()
	ctx := t.Context()
	principal := access.Principal{ID: "test", Company: desk.ID(), Scope: access.ScopeFull, Plan: access.PlanUnlimited}
	c := server.Client(desk, principal)
	all := 0
	for _, err := range c.Conversations.All(ctx, nil) {
		if err != nil {
			t.Fatal(err)
		}
		all++
	}
	if all != asked {
		t.Errorf("after %d messages there are %d conversations", asked, all)
	}
	list, err := c.Messages.List(ctx, &api.ListMessagesParams{UserID: &user})
	if err != nil || len(list.Data) != 2 || list.Data[0].ID != reply.ID || list.Data[0].Text != reply.Text || list.Data[1].Role != string(agent.RoleUser) {
		t.Errorf("of the user %q is stored %+v, %v, want one message and the reply %+v", user, list, err, reply)
	}
}

// inspect opens the store between two servers.
func (d *deployment) inspect(look func(*answerdesk.Desk)) {
	d.t.Helper()
	desk := open(d.t, d.place)
	look(desk.Desk)
	if err := desk.Close(); err != nil {
		d.t.Error(err)
	}
}

// A bulk of a thousand items whose server is killed is whole when it was repeated:
// each item is there once, and the answer says so.
func TestKilledInTheMiddleOfABulk(t *testing.T) {
	const size = 1000
	d := deploy(t)
	kills := []struct {
		at    string
		hit   int
		after time.Duration
	}{
		{at: "store.commit", hit: 1}, {at: "store.commit", hit: 3}, {at: "store.committed", hit: 2}, {at: "store.committed", hit: 4}, {at: "store.committed", hit: 6},
		{after: 20 * time.Millisecond}, {after: 60 * time.Millisecond}, {after: 150 * time.Millisecond},
	}
	if testing.Short() {
		kills = kills[1:3]
	}
	for n, k := range kills {
		items := make([]api.BulkItem, size)
		for i := range items {
			items[i] = api.BulkItem{Content: fmt.Sprintf("Item %d of bulk %d weighs %d kilograms.", i, n, i*7), Metadata: fields{"bulk": n, "item": i}}
			if i%2 == 0 { // half of them could not be told from another one of the same text
				items[i].ExternalID = fmt.Sprintf("%d/%d", n, i)
			}
		}
		key := fmt.Sprintf("bulk-%d", n)
		var kill func(*process)
		if k.after > 0 {
			kill = func(p *process) {
				time.AfterFunc(k.after, func() { _ = p.cmd.Process.Kill() })
			}
		}
		send := func() (*api.BulkResult, error) {
			return d.client.Content.Bulk(t.Context(), api.BulkRequest{Items: items}, client.WithIdempotencyKey(key))
		}
		result, err := through(d, k.at, k.hit, kill, send)
		if err != nil {
			t.Errorf("killed at %+v: %v", k, err)
			continue
		}
		wantWhole(t, result, size)
		again, err := through(d, "", 0, nil, send)
		if err != nil || len(again.Results) != size || again.Created != size || again.Results[0].ID != result.Results[0].ID || again.Results[size-1].ID != result.Results[size-1].ID {
			t.Errorf("the bulk once more = %d created, %d updated, %d unchanged, %d failed, %v, want the same answer", again.Created, again.Updated, again.Unchanged, again.Failed, err)
		}
		d.inspect(func(desk *answerdesk.Desk) { wantListed(t, desk, n, result) })
	}
	t.Logf("%d bulks, %d servers killed", len(kills), d.deaths)
	if d.deaths < len(kills)/2 {
		t.Errorf("of %d servers %d were killed: this test tries too little", len(kills), d.deaths)
	}
}

// wantWhole checks that a result says of every item that it was created.
func wantWhole(t *testing.T, r *api.BulkResult, size int) {
	t.Helper()
	ids := map[string]bool{}
	for i, item := range r.Results {
		if item.Status != "created" || int(item.Index) != i || ids[item.ID] || item.ID == "" {
			t.Errorf("item %d = %+v, want it created, with an id of its own", i, item)
			break
		}
		ids[item.ID] = true
	}
	if len(ids) != size || int(r.Created) != size {
		t.Errorf("the bulk = %d created, %d updated, %d unchanged, %d failed, want %d created", r.Created, r.Updated, r.Unchanged, r.Failed, size)
	}
}

// wantListed checks that the items of bulk n are those listed, and that all bulks
// are.
func wantListed(t *testing.T, desk *answerdesk.Desk, n int, r *api.BulkResult) {
	t.Helper()
	c := server.Client(desk, access.Principal{ID: "test", Company: desk.ID(), Scope: access.ScopeFull, Plan: access.PlanUnlimited})
	at := map[string]int{} // item of this bulk, by id
	total := 0
	for item, err := range c.Content.All(t.Context(), &api.ListContentParams{Limit: new(int32(100))}) {
		if err != nil {
			t.Fatal(err)
		}
		if total++; item.Metadata["bulk"] == float64(n) {
			at[item.ID] = int(item.Metadata["item"].(float64))
		}
	}
	if len(at) != len(r.Results) || total%len(r.Results) != 0 {
		t.Errorf("of bulk %d are listed %d pieces and of all bulks %d, want %d of each", n, len(at), total, len(r.Results))
	}
	for i, item := range r.Results {
		if got, there := at[item.ID]; !there || got != i {
			t.Errorf("item %d is said to be %s, which is listed as item %d, %t", i, item.ID, got, there)
			break
		}
	}
}
