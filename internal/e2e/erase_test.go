package e2e

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// window is how many bytes in a row of a text are looked for: however it is cut
// at the ends of pages, each piece of that length is found.
const window = 12

// secrets are words that nothing else has.
type secrets struct {
	rand *rand.Rand
	said []string
}

// words returns about n bytes of words.
func (s *secrets) words(n int) string {
	var b strings.Builder
	for b.Len() < n {
		for range 5 + s.rand.IntN(8) {
			b.WriteByte(byte('a' + s.rand.IntN(26)))
		}
		b.WriteString([]string{" ", " ", " ", ", ", ".\n\n"}[s.rand.IntN(5)])
	}
	text := strings.TrimRight(b.String(), " ,.\n")
	s.said = append(s.said, text)
	return text
}

// remains returns how many pieces of texts there are in each file of a folder
// that has any or, of a schema, in each column.
func remains(t *testing.T, place string, texts ...string) map[string]int {
	t.Helper()
	pieces := map[string]bool{}
	maybe := make([]bool, 1<<22) // by hash: nearly all that is looked at ends here
	hash := func(b []byte) uint64 { return binary.LittleEndian.Uint64(b) * 0x9e3779b97f4a7c15 >> 42 }
	for _, text := range texts {
		for i := 0; i+window <= len(text); i++ {
			pieces[text[i:i+window]] = true
			maybe[hash([]byte(text[i:i+window]))] = true
		}
	}
	found := map[string]int{}
	look := func(in string, b []byte) {
		for i := 0; i+window <= len(b); i++ {
			if maybe[hash(b[i:])] && pieces[string(b[i:i+window])] {
				found[in]++
			}
		}
	}
	if isURL(place) {
		columns(t, place, func(table, column, text string) { look(table+"."+column, []byte(text)) })
		return found
	}
	files, err := os.ReadDir(place)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(place, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		look(f.Name(), b)
	}
	return found
}

// A shelf is a desk full of secrets.
type shelf struct {
	t     *testing.T
	place string
	desk  *answerdesk.Desk
	rand  *rand.Rand
}

func newShelf(t *testing.T, seed uint64) *shelf {
	s := &shelf{t: t, place: newPlace(t), rand: rand.New(rand.NewPCG(seed, 5))}
	desk := open(t, s.place)
	s.desk = desk.Desk
	t.Cleanup(func() { desk.Close() })
	eager(t, s.desk)
	return s
}

// put puts a document, twice, that has secrets wherever a document can.
func (s *shelf) put(kb *knowledge.Base, agentID string, name int) (d knowledge.Document, said []string) {
	s.t.Helper()
	secret := &secrets{rand: s.rand}
	external := secret.words(20 + s.rand.IntN(200))
	for range 2 {
		var err error
		d, err = kb.Put(s.t.Context(), knowledge.Document{
			AgentID: agentID, ExternalID: external, Title: secret.words(40), URL: "https://" + secret.words(30), Format: knowledge.Markdown,
			Text: fmt.Sprintf("# %s\n\nThe code of gadget%d is %s.\n\n%s\n",
				secret.words(30), name, secret.words(20), secret.words(100<<s.rand.IntN(9))),
			Metadata: map[string]any{"key": secret.words(30)},
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return d, secret.said
}

// ask asks about a document and returns the reply, which quotes it.
func (s *shelf) ask(h *agent.Handle, name int) agent.Reply {
	s.t.Helper()
	reply, err := h.Ask(s.t.Context(), agent.Message{Text: question(fmt.Sprintf("gadget%d", name))})
	if err != nil || len(reply.Citations) == 0 {
		s.t.Fatalf("Ask = %q, %v, want an answer", reply.Outcome, err)
	}
	return reply
}

// gone checks that nothing remains of texts, which was there before.
func (s *shelf) gone(what string, texts []string) {
	s.t.Helper()
	if found := remains(s.t, s.place, texts...); len(found) > 0 {
		s.t.Errorf("after deleting %s its files hold pieces of it: %v", what, found)
	}
}

func (s *shelf) there(texts []string) {
	s.t.Helper()
	if found := remains(s.t, s.place, texts...); len(found) == 0 {
		s.t.Error("nothing of it was there before: this test sees nothing")
	}
}

// Nothing of a document is in the data folder when its delete has returned, in
// whichever page of the database it, its older version or a quote of it stood;
// and to ask again is to be refused.
func TestDeletedDocumentsLeaveNoBytes(t *testing.T) {
	s := newShelf(t, 1)
	kb, h := s.desk.Knowledge(), s.desk.Agent("")
	type document struct {
		id, reply string
		name      int
		said      []string
	}
	var all []document
	for name := range 40 {
		d, said := s.put(kb, "", name)
		all = append(all, document{d.ID, s.ask(h, name).ID, name, said})
	}
	s.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, d := range all[:20] {
		s.there(d.said)
		out, err := kb.Delete(t.Context(), d.id)
		if err != nil || out.Versions != 2 || out.Replies == 0 {
			t.Fatalf("Delete = %+v, %v, want two versions and a reply erased", out, err)
		}
		s.gone("document "+d.id, d.said)

		if found := remains(t, s.place, all[39].said...); len(found) == 0 {
			t.Fatal("another document is gone too")
		}
		m, err := s.desk.Conversations().Message(t.Context(), d.reply)
		if err != nil || !strings.Contains(m.Text, agent.Erasure) || !m.Reply.Citations[0].Erased {
			t.Errorf("the reply that quoted document %s is %+v, %v, want an erased one", d.id, m.Reply, err)
		}
		reply, err := h.Ask(t.Context(), agent.Message{Text: question(fmt.Sprintf("gadget%d", d.name))})
		if err != nil || strings.Contains(textOf(reply), fmt.Sprintf("gadget%d ", d.name)) {
			t.Errorf("Ask = %s %q, %v, from a document that was deleted", reply.Outcome, reply.Text, err)
		}
		if _, err := kb.Text(t.Context(), d.id, 1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Text = %v, want %v", err, store.ErrNotFound)
		}
	}
}

// With the only document that answers it gone, a question is refused.
func TestRefusesWhatWasDeleted(t *testing.T) {
	desk := open(t, newPlace(t))
	defer desk.Close()
	d, err := desk.Knowledge().Put(t.Context(), knowledge.Document{Title: "Hours", Text: "We open at nine o'clock on weekdays."})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []agent.Outcome{agent.Answer, agent.Refuse} {
		reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: "When do you open on weekdays?"})
		if err != nil || reply.Outcome != want {
			t.Fatalf("Ask = %s %q, %v, want %s", reply.Outcome, reply.Text, err, want)
		}
		if want == agent.Answer {
			if _, err := desk.Knowledge().Delete(t.Context(), d.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// While somebody reads an older state of the database, the bytes of what was
// deleted have to stay; they go with the next upkeep, or when the desk is closed.
func TestBytesGoWhenReadersHaveGone(t *testing.T) {
	for _, by := range []string{"upkeep", "close"} {
		t.Run(by, func(t *testing.T) {
			onlyFolder(t, "a database server cleans up after its readers by itself")
			dir := filepath.Join(t.TempDir(), "desk")
			st, err := sqlite.Open(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			desk, err := answerdesk.New(t.Context(), st, nil)
			if err != nil {
				t.Fatal(err)
			}
			eager(t, desk)
			s := &shelf{t: t, place: dir, desk: desk, rand: rand.New(rand.NewPCG(2, 5))}
			d, said := s.put(desk.Knowledge(), "", 1)
			s.ask(desk.Agent(""), 1)

			db, reader := reading(t, dir)
			if _, err := desk.Knowledge().Delete(t.Context(), d.ID); err != nil {
				t.Fatalf("Delete with a reader in the way: %v", err)
			}
			s.there(said)
			if empty, err := st.Maintain(t.Context()); empty || err != nil {
				t.Errorf("Maintain with a reader in the way = %v, %v, want false", empty, err)
			}
			if err := errors.Join(reader.Close(), db.Close()); err != nil {
				t.Fatal(err)
			}
			switch by {
			case "upkeep":
				if empty, err := st.Maintain(t.Context()); !empty || err != nil {
					t.Errorf("Maintain = %v, %v, want true", empty, err)
				}
			case "close":
				if err := errors.Join(desk.Close(), st.Close()); err != nil {
					t.Fatal(err)
				}
			}
			s.gone("a document beside a reader, and "+by, said)
		})
	}
}

// reading begins to read the state that a database has now.
func reading(t *testing.T, dir string) (*sql.DB, *sql.Conn) {
	t.Helper()
	folder, err := raw(dir)
	if err != nil {
		t.Fatal(err)
	}
	db := folder.(*sql.DB)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if _, err := conn.ExecContext(context.Background(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM passages").Scan(&n); err != nil || n == 0 {
		t.Fatalf("%d passages, %v", n, err)
	}
	return db, conn
}

// Nothing is left of a conversation, an agent or a company that was deleted, in
// any file.
func TestDeletedConversationsAgentsAndCompaniesLeaveNoBytes(t *testing.T) {
	s := newShelf(t, 3)
	ctx := t.Context()
	said := func(h *agent.Handle) (agent.Reply, []string) {
		secret := &secrets{rand: s.rand}
		m := agent.Message{
			Text: secret.words(5000), Metadata: map[string]any{"key": secret.words(100)},
			User: agent.User{ID: secret.words(30), Name: secret.words(30), Email: secret.words(30), Phone: secret.words(30)},
		}
		var reply agent.Reply
		for range 3 {
			var err error
			if reply, err = h.Ask(ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		return reply, secret.said
	}
	// Others around what is deleted, so that pages are shared.
	for name := range 10 {
		s.put(s.desk.Knowledge(), "", name)
		said(s.desk.Agent(""))
	}

	reply, words := said(s.desk.Agent(""))
	s.there(words)
	if _, err := s.desk.Conversations().Delete(ctx, reply.ConversationID); err != nil {
		t.Fatal(err)
	}
	s.gone("a conversation", words)

	secret := &secrets{rand: s.rand}
	a, err := s.desk.Agents().Create(ctx, agent.Settings{Name: secret.words(30), Instructions: secret.words(3000), Threshold: 1e-9})
	if err != nil {
		t.Fatal(err)
	}
	_, own := s.put(s.desk.Knowledge(), a.ID, 100)
	s.ask(s.desk.Agent(a.ID), 100)
	_, words = said(s.desk.Agent(a.ID))
	words = append(append(words, own...), secret.said...)
	s.there(words)
	if _, err := s.desk.Agents().Delete(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	s.gone("an agent", words)

	secret = &secrets{rand: s.rand}
	c, err := s.desk.Companies().Create(ctx, secret.words(60))
	if err != nil {
		t.Fatal(err)
	}
	company := s.desk.Company(c.ID)
	words = secret.said
	for name := range 5 {
		_, own := s.put(company.Knowledge(), "", 200+name)
		_, spoken := said(company.Agent(""))
		words = append(append(words, own...), spoken...)
	}
	s.there(words)
	if err := s.desk.Companies().Delete(ctx, c.ID); err != nil {
		t.Fatal(err)
	}
	s.gone("a company", words)
}
