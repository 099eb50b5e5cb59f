package storetest

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// Leases: one that outlasts every test, and one to be waited for.
const (
	long  = time.Hour
	short = 40 * time.Millisecond
)

// tick is how much sooner than asked a lease may run out, by the grain of clocks.
const tick = 2 * time.Millisecond

// patience is how long something that must happen is waited for.
const patience = 2 * time.Minute

// A kit is a store and a company of its own in it, with the steps that most
// cases take on the way to what they are about.
type kit struct {
	Store
	company string
	agent   string // the company's default one
}

// first makes the first company of a store, which cannot be deleted.
func first(t testing.TB, s Store) access.Company {
	t.Helper()
	c, cm := newCompany("First")
	got, err := s.FirstCompany(t.Context(), cm, c)
	if err != nil {
		t.Fatalf("FirstCompany: %v", err)
	}
	there, err := s.Company(t.Context(), got.ID)
	ok(t, "Company, the first one", err)
	same(t, "FirstCompany", got, there)
	return got
}

// newCompany returns a company to be made, and the commit that tells of it.
func newCompany(name string) (access.Company, store.Commit) {
	c := access.Company{ID: id.New(id.Company), Name: name, DefaultAgent: id.New(id.Agent), CreatedAt: now()}
	return c, store.Commit{Company: c.ID, Events: []event.Event{{
		ID: id.New(id.Event), Type: event.AgentCreated, Stream: c.DefaultAgent, CreatedAt: c.CreatedAt,
		Refs: event.Refs{AgentID: c.DefaultAgent},
	}}}
}

// newKit adds a company to a store.
func newKit(t testing.TB, s Store) *kit {
	t.Helper()
	c, cm := newCompany("Company of " + t.Name())
	if err := s.CreateCompany(t.Context(), cm, c); err != nil {
		t.Fatalf("CreateCompany: %v", err)
	}
	return &kit{Store: s, company: c.ID, agent: c.DefaultAgent}
}

// now is a time as a caller gives it: to the microsecond, in UTC.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// commit returns a commit of the company with events of a stream.
func (k *kit) commit(evs ...event.Event) store.Commit {
	return store.Commit{Company: k.company, Events: evs}
}

// tell returns an event of a stream.
func tell(kind event.Type, stream string) event.Event {
	return event.Event{ID: id.New(id.Event), Type: kind, Stream: stream, CreatedAt: now()}
}

// newAgent adds an agent and returns its id.
func (k *kit) newAgent(t *testing.T) string {
	t.Helper()
	a := agent.Agent{ID: id.New(id.Agent), Settings: agent.Settings{Name: "Agent"}, Version: 1, CreatedAt: now(), UpdatedAt: now()}
	if err := k.CreateAgent(t.Context(), k.commit(tell(event.AgentCreated, a.ID)), a); err != nil {
		t.Fatalf("CreateAgent: %v", err)
	}
	return a.ID
}

// asks returns what a turn begins with, with everything filled in that is not
// given.
func (k *kit) asks(m agent.Message) agent.Begin {
	if m.ID == "" {
		m.ID = id.New(id.Message)
	}
	if m.AgentID == "" {
		m.AgentID = k.agent
	}
	if m.Text == "" {
		m.Text = "When do you open?"
	}
	if m.CreatedAt.IsZero() {
		m.CreatedAt = now()
	}
	return agent.Begin{
		Message: m, NewConversation: id.New(id.Conversation), ReplyID: id.New(id.Message), Worker: "worker", Lease: long,
	}
}

// begun is the commit of a turn that begins.
func (k *kit) begun(b agent.Begin) store.Commit {
	return k.commit(
		event.Event{ID: id.New(id.Event), Type: event.ConversationStarted, CreatedAt: now(), Refs: event.Refs{AgentID: b.Message.AgentID}},
		event.Event{ID: id.New(id.Event), Type: event.MessageReceived, CreatedAt: now(), Refs: event.Refs{MessageID: b.Message.ID}},
	)
}

// begin begins a turn.
func (k *kit) begin(t *testing.T, m agent.Message) agent.Turn {
	t.Helper()
	return k.beginWith(t, k.asks(m))
}

// beginShort begins a turn whose lease runs out soon.
func (k *kit) beginShort(t *testing.T, m agent.Message) agent.Turn {
	t.Helper()
	b := k.asks(m)
	b.Lease = short
	return k.beginWith(t, b)
}

func (k *kit) beginWith(t *testing.T, b agent.Begin) agent.Turn {
	t.Helper()
	turn, err := k.BeginTurn(t.Context(), k.begun(b), b)
	if err != nil {
		t.Fatalf("BeginTurn: %v", err)
	}
	return turn
}

// take takes over a turn whose lease is running out.
func (k *kit) take(t *testing.T, conversation string) agent.Turn {
	t.Helper()
	var turn agent.Turn
	eventually(t, "TakeTurn of "+conversation, func() error {
		var err error
		turn, err = k.TakeTurn(t.Context(), k.company, conversation, "another", long)
		return err
	})
	return turn
}

// reply returns what a turn ends with: a text, and what it stands on.
func reply(turn agent.Turn, text string, cites ...agent.Citation) agent.End {
	r := agent.Reply{
		ID: turn.ReplyID, ConversationID: turn.ConversationID, AgentID: turn.Message.AgentID, Text: text,
		Outcome: agent.Answer, Confidence: agent.Confidence{Score: 0.75, Threshold: 0.5, Reasons: []string{"fits"}},
		Citations: cites, Language: "en", KnowledgeRevision: 1, CreatedAt: now(),
	}
	return agent.End{Reply: r, Explanation: []byte(`{"query":"open","candidates":[{"score":1.5}]}`)}
}

// ended is the commit of a turn that ends.
func (k *kit) ended(turn agent.Turn) store.Commit {
	ev := tell(event.MessageSent, turn.ConversationID)
	ev.Refs = event.Refs{ConversationID: turn.ConversationID, MessageID: turn.ReplyID}
	return k.commit(ev)
}

// end ends a turn.
func (k *kit) end(t *testing.T, turn agent.Turn, text string, cites ...agent.Citation) agent.Reply {
	t.Helper()
	e := reply(turn, text, cites...)
	if err := k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, e); err != nil {
		t.Fatalf("EndTurn: %v", err)
	}
	return e.Reply
}

// converse begins and ends a turn.
func (k *kit) converse(t *testing.T, m agent.Message) agent.Turn {
	t.Helper()
	turn := k.begin(t, m)
	k.end(t, turn, "At nine.")
	return turn
}

// text returns a write of a document whose every line is a passage.
func text(title string, lines ...string) knowledge.Write {
	body := strings.Join(lines, "\n")
	w := knowledge.Write{
		Document: knowledge.Document{
			Kind: knowledge.KindUpload, Title: title, Text: body, Format: knowledge.Text, State: knowledge.StateReady,
			CreatedAt: now(), UpdatedAt: now(),
		},
		NewID: id.New(id.Document),
	}
	at := 0
	for i, line := range lines {
		w.Passages = append(w.Passages, knowledge.Passage{
			Ref: knowledge.Ref{Ordinal: i}, Start: at, End: at + len(line), Heading: []string{"Heading of " + title}, Text: line,
		})
		at += len(line) + 1
	}
	return hashed(w)
}

// hashed sets the hashes of a write after its document was changed.
func hashed(w knowledge.Write) knowledge.Write {
	d := w.Document
	d.ID, d.CreatedAt, d.UpdatedAt = "", time.Time{}, time.Time{}
	b, err := json.Marshal(d)
	if err != nil {
		panic(err) // the suite's own values
	}
	w.Hash = sha256.Sum256(b)
	w.TextHash = sha256.Sum256([]byte(d.Text + "\x00" + strings.Join(d.Questions, "\x00")))
	return w
}

// put writes documents and returns what became of them.
func (k *kit) put(t *testing.T, writes ...knowledge.Write) []knowledge.WrittenDocument {
	t.Helper()
	w, err := k.WriteDocuments(t.Context(), k.commit(), writes)
	if err != nil {
		t.Fatalf("WriteDocuments: %v", err)
	}
	if len(w.Documents) != len(writes) {
		t.Fatalf("WriteDocuments of %d documents returned %d", len(writes), len(w.Documents))
	}
	return w.Documents
}

// putOne writes one document and returns it.
func (k *kit) putOne(t *testing.T, w knowledge.Write) knowledge.Document {
	t.Helper()
	return k.put(t, w)[0].Document
}

// deleteDocument deletes a document as its owner would.
func (k *kit) deleteDocument(t *testing.T, doc string) knowledge.Deleted {
	t.Helper()
	d, err := k.DeleteDocument(t.Context(), k.commit(), doc)
	if err != nil {
		t.Fatalf("DeleteDocument: %v", err)
	}
	return d
}

// cite returns a citation of a quote in one of the passages of a document.
func (k *kit) cite(t *testing.T, doc, quote string) agent.Citation {
	t.Helper()
	live, err := k.LiveDocument(t.Context(), k.company, doc)
	if err != nil {
		t.Fatalf("LiveDocument: %v", err)
	}
	for _, p := range live.Passages {
		if i := strings.Index(p.Text, quote); i >= 0 {
			return agent.Citation{
				DocumentID: doc, DocumentVersion: live.Version, PassageID: p.ID, Ordinal: p.Ordinal,
				Start: p.Start + i, End: p.Start + i + len(quote), Quote: quote,
				Title: live.Title, URL: live.URL, ExternalID: live.ExternalID, Heading: p.Heading,
			}
		}
	}
	t.Fatalf("no passage of document %s has the quote", doc)
	return agent.Citation{}
}

// claims returns a citation that bears out a part of a reply's text.
func claims(c agent.Citation, text, claim string) agent.Citation {
	c.ClaimStart = strings.Index(text, claim)
	c.ClaimEnd = c.ClaimStart + len(claim)
	return c
}

// refused fails the test unless err wraps want.
func refused(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s = %v, want an error wrapping %q", what, err, want)
	}
}

// missing fails the test unless err says that nothing is there.
func missing(t *testing.T, what string, err error) {
	t.Helper()
	refused(t, what, err, store.ErrNotFound)
}

// ok ends the test if err is not nil.
func ok(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// same fails the test unless got and want are the same as JSON, where an empty
// list and none are the same.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := canonical(got), canonical(want); g != w {
		g, w = apart(g, w)
		t.Errorf("%s = %s\nwant %s", what, g, w)
	}
}

// eventually calls fn until it returns nil.
func eventually(t *testing.T, what string, fn func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := fn()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: still failing after %v: %v", what, patience, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// inTime calls fn with a time that is to pass only after fn's first steps, and
// again with more where the machine was too busy for that, as fn reports. What was
// said of the failed attempt is for fn to keep to itself.
func inTime(t *testing.T, d time.Duration, fn func(d time.Duration) bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !fn(d); d *= 2 {
		if time.Now().After(deadline) {
			t.Fatalf("the machine is too busy for steps to end within %v", d)
		}
	}
}

// errNotYet is returned to [eventually] to be called again.
var errNotYet = errors.New("not yet")

// holds returns nil if cond does, so that [eventually] waits for it.
func holds(cond bool, format string, args ...any) error {
	if cond {
		return nil
	}
	return fmt.Errorf("%w: "+format, append([]any{errNotYet}, args...)...)
}

// everyPage returns all of a list, read in pages of the given size.
func everyPage[T any](t *testing.T, size int, list func(p store.Page) (store.List[T], error)) []T {
	t.Helper()
	all, err := paged(size, list)
	ok(t, "list", err)
	return all
}

// paged is everyPage for where there is no test to fail.
func paged[T any](size int, list func(p store.Page) (store.List[T], error)) (all []T, err error) {
	p := store.Page{Limit: size}
	for {
		l, err := list(p)
		if err != nil {
			return nil, err
		}
		all = append(all, l.Data...)
		if !l.HasMore {
			return all, nil
		}
		if l.NextCursor == "" || len(l.Data) == 0 || len(all) > 100_000 {
			return nil, fmt.Errorf("a page of %d with more to come has the cursor %q", len(l.Data), l.NextCursor)
		}
		p.Cursor = l.NextCursor
	}
}
