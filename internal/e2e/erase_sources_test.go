package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/knowledge/pull"
	"github.com/answerdesk-go/answerdesk/store"
)

// An exhibition is a site and an API whose every text is a secret, in a desk that
// reads them.
type exhibition struct {
	*shelf
	kb   *knowledge.Base
	run  context.CancelFunc
	done sync.WaitGroup

	mu     sync.Mutex
	pages  []string // by number; empty: it is not there
	secret *secrets
	broken bool // items have what cannot be mapped
	hold   chan struct{}
}

func newExhibition(t *testing.T, seed uint64) *exhibition {
	x := &exhibition{shelf: &shelf{t: t, place: newPlace(t), rand: rand.New(rand.NewPCG(seed, 6))}}
	x.secret = &secrets{rand: x.rand}
	x.edit()
	desk := openWith(t, x.place, &answerdesk.Options{HTTPClient: &http.Client{Transport: x}})
	x.desk, x.kb = desk.Desk, desk.Knowledge()
	ctx, cancel := context.WithCancel(t.Context())
	x.run = cancel
	x.done.Go(func() { _ = desk.Run(ctx) })
	t.Cleanup(func() { x.stop(); _ = desk.Close() })
	eager(t, x.desk)
	for name := range 5 { // others, so that pages of the database are shared
		x.put(x.kb, "", name)
	}
	return x
}

func (x *exhibition) stop() {
	x.run()
	x.done.Wait()
}

// edit has every page say something else.
func (x *exhibition) edit() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pages = nil
	for i := range 4 {
		x.pages = append(x.pages, fmt.Sprintf("<title>%s</title><main><h1>%s</h1><p>The code of exhibit%d is %s.</p><p>%s</p></main>",
			x.secret.words(40), x.secret.words(30), i, x.secret.words(20), x.secret.words(2000)))
	}
}

// RoundTrip implements [http.RoundTripper].
func (x *exhibition) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	x.mu.Lock()
	pages, broken, hold := x.pages, x.broken, x.hold
	x.mu.Unlock()
	rec.Header().Set("Content-Type", "text/html; charset=utf-8")
	n := 0
	switch path := r.URL.Path; {
	case path == "/":
		fmt.Fprint(rec, "<title>All</title><main><p>These are the exhibits.</p>")
		for i := range pages {
			fmt.Fprintf(rec, `<a href="/%d">Exhibit %d</a> `, i, i)
		}
	case path == "/api":
		rec.Header().Set("Content-Type", "application/json")
		items := []map[string]any{}
		for i, text := range pages {
			item := map[string]any{"id": fmt.Sprint(i), "title": "Exhibit", "text": text}
			if broken && i > 0 { // what is said of it must not hold what it says
				item["id"] = map[string]any{"not an id": text[:200]}
			}
			items = append(items, item)
		}
		_ = json.NewEncoder(rec).Encode(items)
	default:
		if _, err := fmt.Sscanf(path, "/%d", &n); err != nil || n >= len(pages) || pages[n] == "" {
			rec.WriteHeader(http.StatusNotFound)
			break
		}
		if n == len(pages)-1 && hold != nil {
			select {
			case <-hold:
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
		fmt.Fprint(rec, pages[n])
	}
	res := rec.Result()
	res.Request = r
	return res, nil
}

// read reads a source and waits for the end.
func (x *exhibition) read(sourceID string) knowledge.Run {
	x.t.Helper()
	r, err := x.kb.ReadSource(x.t.Context(), sourceID, nil)
	if err != nil {
		x.t.Fatal(err)
	}
	return x.ended(r.ID)
}

func (x *exhibition) ended(runID string) knowledge.Run {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), 5*time.Minute)
	defer cancel()
	for _, err := range x.kb.WatchRun(ctx, runID, 0) {
		if err != nil {
			x.t.Fatal(err)
		}
	}
	r, err := x.kb.Run(ctx, runID)
	if err != nil {
		x.t.Fatal(err)
	}
	return r
}

// add adds the website, or the API, and waits until it is read.
func (x *exhibition) add(api bool, agentID string) string {
	x.t.Helper()
	s := knowledge.Source{URL: "http://127.0.0.1:8080/", AgentID: agentID}
	var runID string
	if api {
		s.URL, s.Name = s.URL+"api", "Exhibits"
		a, err := x.kb.AddAPISource(x.t.Context(), knowledge.APISource{Source: s, Mapping: pull.Mapping{ID: "id", Title: "title", Text: "text"}})
		if err != nil {
			x.t.Fatal(err)
		}
		s.ID, runID = a.ID, a.RunID
	} else {
		w, err := x.kb.AddWebsite(x.t.Context(), knowledge.Website{Source: s})
		if err != nil {
			x.t.Fatal(err)
		}
		s.ID, runID = w.ID, w.RunID
	}
	if r := x.ended(runID); r.State != knowledge.RunCompleted {
		x.t.Fatalf("run = %s, %v", r.State, r.Error)
	}
	return s.ID
}

// asked asks about an exhibit, so that a reply quotes it.
func (x *exhibition) asked(agentID string) {
	x.t.Helper()
	reply, err := x.desk.Agent(agentID).Ask(x.t.Context(), agent.Message{Text: question("exhibit1")})
	if err != nil || len(reply.Citations) == 0 {
		x.t.Fatalf("Ask = %s %q, %v, want an answer", reply.Outcome, reply.Text, err)
	}
}

// vanished checks that nothing of the exhibits is left, and that what else there was
// is.
func (x *exhibition) vanished(what string) {
	x.t.Helper()
	x.stop()
	x.gone(what, x.secret.said)
	x.ask(x.desk.Agent(""), 3)
}

// Nothing is left of a website or an API that was deleted, in any file: neither of the
// texts its documents have had, nor of what a run had staged, nor of what failed.
func TestDeletedSourcesLeaveNoBytes(t *testing.T) {
	for _, api := range []bool{false, true} {
		for _, agents := range []bool{false, true} {
			t.Run(fmt.Sprintf("api %v, with its agent %v", api, agents), func(t *testing.T) {
				x := newExhibition(t, 1)
				agentID := ""
				if agents {
					a, err := x.desk.Agents().Create(t.Context(), agent.Settings{Name: "Guide", Threshold: 1e-9})
					if err != nil {
						t.Fatal(err)
					}
					agentID = a.ID
				}
				sourceID := x.add(api, agentID)
				x.asked(agentID)
				x.edit()
				x.read(sourceID)
				x.asked(agentID)
				x.edit()
				x.broken = true
				x.read(sourceID) // and some items fail
				x.edit()
				if !api { // a crawl that has read, and not published
					hold := make(chan struct{})
					x.mu.Lock()
					x.hold = hold
					x.mu.Unlock()
					if _, err := x.kb.ReadSource(t.Context(), sourceID, nil); err != nil {
						t.Fatal(err)
					}
					defer close(hold)
				}
				x.there(x.secret.said)
				var err error
				if agents {
					_, err = x.desk.Agents().Delete(t.Context(), agentID)
				} else {
					_, err = x.kb.DeleteSource(t.Context(), sourceID)
				}
				if err != nil {
					t.Fatal(err)
				}
				x.vanished("a source")
			})
		}
	}
}

// Nothing is left of one page of a website, or one item of an API, that was deleted,
// while the others stay; and it does not come back.
func TestDeletedPagesLeaveNoBytes(t *testing.T) {
	for _, api := range []bool{false, true} {
		t.Run(fmt.Sprintf("api %v", api), func(t *testing.T) {
			x := newExhibition(t, 2)
			sourceID := x.add(api, "")
			x.asked("")
			x.edit()
			x.read(sourceID)
			l, err := x.kb.List(t.Context(), knowledge.Filter{SourceID: sourceID}, store.Page{})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range l.Data {
				if _, err := x.kb.Delete(t.Context(), d.ID); err != nil {
					t.Fatal(err)
				}
			}
			if r := x.read(sourceID); r.State != knowledge.RunCompleted || r.Counts.Created+r.Counts.Updated > 0 {
				t.Errorf("a run after the delete = %s %+v, want nothing created", r.State, r.Counts)
			}
			x.vanished("documents of a source")
		})
	}
}

// Nothing is left of a user, wherever they said something, and the others' words stay.
func TestDeletedUsersLeaveNoBytes(t *testing.T) {
	s := newShelf(t, 4)
	ctx := t.Context()
	say := func(user, conversation string) (agent.Reply, []string) {
		secret := &secrets{rand: s.rand}
		reply, err := s.desk.Agent("").Ask(ctx, agent.Message{
			Text: secret.words(2000), ConversationID: conversation, Metadata: map[string]any{"key": secret.words(100)},
			User: agent.User{ID: user, Name: secret.words(30), Email: secret.words(30), Phone: secret.words(30)},
		})
		if err != nil {
			t.Fatal(err)
		}
		return reply, secret.said
	}
	_, kept := say("another", "")
	var words []string
	reply, said := say("user", "")
	words = append(words, said...)
	if _, err := s.desk.Conversations().PutFeedback(ctx, agent.Feedback{MessageID: reply.ID, Rating: agent.RatingDown, Remark: said[0][:1000]}); err != nil {
		t.Fatal(err)
	}
	guest, said := say("third", "")
	words = append(words, said...)
	_, said = say("user", guest.ConversationID) // in a conversation of somebody else
	words = append(words, said...)
	s.there(words)
	out, err := s.desk.Users().Delete(ctx, "user")
	if err != nil || out.Conversations != 2 || out.Messages != 6 {
		t.Errorf("Delete = %+v, %v, want two conversations and six messages", out, err)
	}
	s.gone("a user", words)
	s.there(kept)
	if _, err := s.desk.Users().Get(ctx, "user"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get = %v, want %v", err, store.ErrNotFound)
	}
	for e := range s.desk.Users().Export(ctx, "user") {
		t.Errorf("Export yields conversation %s of a user who was deleted", e.Conversation.ID)
	}
	entries, err := s.desk.AuditLog(ctx, store.Page{})
	if err != nil || strings.Contains(fmt.Sprintf("%+v", entries.Data), `Object:user `) {
		t.Errorf("the audit log names the user: %+v, %v", entries.Data, err)
	}
}
