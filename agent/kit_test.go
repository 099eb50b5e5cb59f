package agent_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A desk is the parts of one on a real store, put together as a program does.
type desk struct {
	*agent.Engine
	store     *sqlite.Store
	library   *knowledge.Library
	companies *access.Companies
	company   string // the first one
}

// parts replace those of a desk; nil ones are as usual.
type parts struct {
	agent.Answerer
	agent.Retriever
	agent.Options
	store func(*sqlite.Store) agent.Store // wraps the engine's store
}

// newDesk returns a desk that knows docs, and closes it when the test ends.
func newDesk(t testing.TB, p parts, docs ...knowledge.Document) *desk {
	t.Helper()
	return deskOn(t, newStore(t), p, docs...)
}

// newDesks returns how to make desks of companies of their own on one store.
func newDesks(t testing.TB) func(testing.TB, parts, ...knowledge.Document) *desk {
	t.Helper()
	st := newStore(t)
	return func(t testing.TB, p parts, docs ...knowledge.Document) *desk {
		t.Helper()
		d := deskOn(t, st, p)
		c, err := d.companies.Create(t.Context(), "One more")
		if err != nil {
			t.Fatal(err)
		}
		d.company = c.ID
		d.put(t, docs...)
		return d
	}
}

func newStore(t testing.TB) *sqlite.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return st
}

// deskOn is newDesk on a store that is there: another process, as it were.
func deskOn(t testing.TB, st *sqlite.Store, p parts, docs ...knowledge.Document) *desk {
	t.Helper()
	d := &desk{store: st, library: knowledge.New(st, nil), companies: access.NewCompanies(st)}
	if p.Answerer == nil {
		p.Answerer = extractive.New(nil)
	}
	if p.Retriever == nil {
		p.Retriever = d.library
	}
	var kept agent.Store = st
	if p.store != nil {
		kept = p.store(st)
	}
	d.Engine = agent.New(kept, p.Retriever, p.Answerer, &p.Options)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // whatever still runs is cut short
		_ = d.Drain(ctx)
	})
	first, err := d.companies.First(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.company = first.ID
	d.put(t, docs...)
	return d
}

func (d *desk) put(t testing.TB, docs ...knowledge.Document) []knowledge.WrittenDocument {
	t.Helper()
	out, err := d.knowledge().PutAll(t.Context(), docs...)
	if err != nil {
		t.Fatalf("put %d documents: %v", len(docs), err)
	}
	return out
}

// remove deletes a document.
func (d *desk) remove(t testing.TB, id string) knowledge.Deleted {
	t.Helper()
	out, err := d.knowledge().Delete(t.Context(), id)
	if err != nil {
		t.Errorf("Delete(%s) = error %v", id, err)
	}
	return out
}

func (d *desk) knowledge() *knowledge.Base          { return d.library.Company(d.company) }
func (d *desk) agent() *agent.Handle                { return d.Agent(d.company, "") }
func (d *desk) conversations() *agent.Conversations { return d.Conversations(d.company) }

// ask asks the default agent, and ends the test on an error.
func (d *desk) ask(t testing.TB, m agent.Message) agent.Reply {
	t.Helper()
	reply, err := d.agent().Ask(t.Context(), m)
	if err != nil {
		t.Fatalf("Ask(%q) = error %v, want a reply", m.Text, err)
	}
	return reply
}

// begin asks the default agent in a goroutine, and returns how to wait for what it
// got.
func (d *desk) begin(ctx context.Context, m agent.Message) (wait func() (agent.Reply, error)) {
	var (
		reply agent.Reply
		err   error
		done  = make(chan struct{})
	)
	go func() {
		defer close(done)
		reply, err = d.agent().Ask(ctx, m)
	}()
	return func() (agent.Reply, error) {
		<-done
		return reply, err
	}
}

// explain returns how a reply came about.
func (d *desk) explain(t testing.TB, r agent.Reply) agent.Explanation {
	t.Helper()
	e, err := d.conversations().Explain(t.Context(), r.ID)
	if err != nil {
		t.Fatalf("Explain(%s) = error %v", r.ID, err)
	}
	return e
}

// messages returns a conversation as it is stored, oldest message first.
func (d *desk) messages(t testing.TB, conversation string) []agent.Message {
	t.Helper()
	page, err := d.conversations().Messages(t.Context(), conversation, store.Page{Limit: store.MaxLimit})
	if err != nil {
		t.Fatalf("Messages(%s) = error %v", conversation, err)
	}
	slices.Reverse(page.Data)
	return page.Data
}

// script writes a conversation down: who said what, and how turns failed.
func (d *desk) script(t testing.TB, conversation string) string {
	t.Helper()
	var lines []string
	for _, m := range d.messages(t, conversation) {
		line := string(m.Role) + ": " + m.Text
		if m.Reply != nil && m.Reply.Failure != "" {
			line = "failure: " + m.Reply.Failure
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// events returns the types of the events a company has had.
func (d *desk) events(t testing.TB) []event.Event {
	t.Helper()
	all, err := d.store.Events(t.Context(), d.company, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// stream plays a stream to its end as a reader of it would, and returns all its
// events with the text and citations that the reader has at the end.
func stream(t testing.TB, h *agent.Handle, m agent.Message) (r reader, err error) {
	t.Helper()
	for ev, err := range h.Stream(t.Context(), m) {
		if err != nil {
			return r, err
		}
		r.see(ev)
	}
	return r, nil
}

// A reader is what somebody has in hand who reads a stream.
type reader struct {
	events    []agent.Event
	text      string
	citations []agent.Citation
	reply     *agent.Reply
}

func (r *reader) see(ev agent.Event) {
	r.events = append(r.events, ev)
	switch ev.Type {
	case agent.TextDelta:
		r.text += ev.Delta
	case agent.CitationAdded:
		r.citations = append(r.citations, *ev.Citation)
	case agent.MessageReplaced:
		r.text, r.citations = ev.Delta, nil
	case agent.MessageCompleted:
		r.reply = ev.Reply
	}
}

// types returns the types of the events seen.
func (r *reader) types() []agent.EventType {
	var out []agent.EventType
	for _, ev := range r.events {
		out = append(out, ev.Type)
	}
	return out
}

// plain returns a reply without what differs from one asking to the next.
func plain(r agent.Reply) agent.Reply {
	r.ID, r.ConversationID = "", ""
	r.CreatedAt = r.CreatedAt.Truncate(1 << 62)
	return r
}

// sure is a retriever that finds what the library finds, with a confidence of its
// own.
type sure struct {
	agent.Retriever
	confidence float64
}

func (s *sure) Retrieve(ctx context.Context, company string, q knowledge.Query) (knowledge.Results, error) {
	r, err := s.Retriever.Retrieve(ctx, company, q)
	r.Confidence = s.confidence
	return r, err
}

// always lets a desk answer whatever was found.
func always(t testing.TB, d *desk) {
	t.Helper()
	a, err := d.Agents(d.company).Get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	a.Threshold = 1e-9
	if _, err := d.Agents(d.company).Update(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

var errTest = errors.New("out of paper")

var hours = knowledge.Document{
	Title: "Hours", ExternalID: "hours.md", URL: "https://shop.example/hours", Format: knowledge.Markdown,
	Text: "# Opening hours\n\nWe open at nine in the morning on weekdays. On Sundays we stay closed.\n",
}

var returns = knowledge.Document{
	Title: "Returns", ExternalID: "returns.md",
	Text: "You can return every product within thirty days. Bring the receipt — geöffnete Ware auch.",
}
