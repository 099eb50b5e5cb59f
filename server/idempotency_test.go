package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

const replayedHeader = "Idempotent-Replayed"

// again makes the same request twice: the second answer is that of the first.
func (h *host) again(t *testing.T, method, path, body string, headers ...string) {
	t.Helper()
	headers = append(headers, "X-Request-Id", "r") // which errors within an answer repeat
	first, second := h.do(t, method, path, body, headers...), h.do(t, method, path, body, headers...)
	if first.Code >= 300 || first.Header().Get(replayedHeader) != "" {
		t.Errorf("%s %s = %d %s, replayed: %s", method, path, first.Code, first.body, first.Header().Get(replayedHeader))
	}
	if second.Code != first.Code || second.Header().Get(replayedHeader) != "true" || string(second.body) != string(first.body) || second.Header().Get("Location") != first.Header().Get("Location") {
		t.Errorf("%s %s again = %d %s at %q, replayed: %q; want %d %s at %q", method, path, second.Code, short(second.body), second.Header().Get("Location"),
			second.Header().Get(replayedHeader), first.Code, short(first.body), first.Header().Get("Location"))
	}
}

// The same request with the same key gets the same answer, of every operation that
// has one, and does nothing twice.
func TestReplays(t *testing.T) {
	h := open(t, nil, nil)
	const form = "--BOUNDARY\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nA text.\r\n--BOUNDARY--\r\n"
	for name, tt := range map[string]struct{ path, body, media string }{
		"createMessage":  {"/v1/message", `{"message":"When do you open?"}`, ""},
		"createAgent":    {"/v1/agents", `{"name":"New"}`, ""},
		"createDocument": {"/v1/knowledge/documents", `{"text":"A text."}`, ""},
		"uploadFile":     {"/v1/knowledge/files", form, "multipart/form-data; boundary=BOUNDARY"},
		"createQAPairs":  {"/v1/knowledge/qa-pairs", `{"items":[{"question":"a","answer":"b"},{"question":"c","answer":"d"}]}`, ""},
		"createContent":  {"/v1/content", `{"content":"A shirt.","metadata":{"title":"Shirt"}}`, ""},
		"bulk":           {"/v1/content/bulk", `{"items":[{"content":"A"},{"content":""},{"content":"C"}]}`, ""},
		"createCompany":  {"/v1/companies", `{"name":"New"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			media := tt.media
			if media == "" {
				media = "application/json"
			}
			h.again(t, "POST", tt.path, tt.body, "Idempotency-Key", "k", "Content-Type", media)
			other := h.do(t, "POST", tt.path, tt.body, "Idempotency-Key", "k2", "Content-Type", media)
			if other.Code >= 300 || other.Header().Get(replayedHeader) != "" {
				t.Errorf("with another key: %d, replayed: %q", other.Code, other.Header().Get(replayedHeader))
			}
		})
	}
	t.Run("a form with another boundary", func(t *testing.T) {
		send := func(boundary, form string) answer {
			return h.do(t, "POST", "/v1/knowledge/files", strings.ReplaceAll(form, "BOUNDARY", boundary), "Idempotency-Key", "form", "Content-Type", "multipart/form-data; boundary="+boundary)
		}
		first, second := send("one", form), send("another", form)
		if string(first.body) != string(second.body) || second.Header().Get(replayedHeader) != "true" {
			t.Errorf("the same form is %d %s, want it replayed", second.Code, second.body)
		}
		send("third", strings.Replace(form, "A text.", "Another.", 1)).is(t, 409, "idempotency_key_reused")
	})
	t.Run("a body in gzip", func(t *testing.T) {
		h.do(t, "POST", "/v1/agents", `{"name":"Zipped"}`, "Idempotency-Key", "zip").read(t, 201, nil)
		a := h.do(t, "POST", "/v1/agents", zipped(t, `{"name":"Zipped"}`), "Idempotency-Key", "zip", "Content-Encoding", "gzip")
		if a.Code != 201 || a.Header().Get(replayedHeader) != "true" {
			t.Errorf("the same body in gzip is %d %s, want it replayed", a.Code, a.body)
		}
	})
	t.Run("a secret is told once", func(t *testing.T) {
		var first, second, rotated, again struct {
			ID     string
			Secret *string
		}
		for _, into := range []any{&first, &second} {
			h.do(t, "POST", "/v1/api-keys", `{"name":"k","scope":"read"}`, "Idempotency-Key", "secret").read(t, 201, into)
		}
		for _, into := range []any{&rotated, &again} {
			h.do(t, "POST", "/v1/api-keys/"+first.ID+"/rotate", "", "Idempotency-Key", "rotate").read(t, 201, into)
		}
		if first.Secret == nil || second.Secret != nil || second.ID != first.ID || rotated.Secret == nil || again.Secret != nil || again.ID != rotated.ID || rotated.ID == first.ID {
			t.Errorf("the keys are %+v, %+v, %+v and %+v, want two, each with its secret once", first, second, rotated, again)
		}
	})
	t.Run("another body, path, method or caller", func(t *testing.T) {
		send := func(key, path, body string) answer {
			return h.do(t, "POST", path, body, "Idempotency-Key", "mine", "X-Api-Key", key)
		}
		send(h.key, "/v1/agents", `{"name":"A"}`).read(t, 201, nil)
		if p := send(h.key, "/v1/agents", `{"name":"B"}`).is(t, 409, "idempotency_key_reused"); p.Details["field"] != "Idempotency-Key" {
			t.Errorf("the 409 names the field %v", p.Details["field"])
		}
		send(h.key, "/v1/agents", `{"name": "A"}`).is(t, 409, "idempotency_key_reused")
		for _, fresh := range []answer{
			send(h.key, "/v1/companies", `{"name":"A"}`),
			send(newKey(t, h.desk, h.desk.ID(), access.NewKey{Name: "k", Scope: access.ScopeFull}), "/v1/agents", `{"name":"A"}`),
		} {
			if fresh.Code != 201 || fresh.Header().Get(replayedHeader) != "" {
				t.Errorf("another request with the same key is %d %s, replayed: %q", fresh.Code, fresh.body, fresh.Header().Get(replayedHeader))
			}
		}
		// Where keys are not honoured they do no harm.
		h.do(t, "GET", "/v1/agents", "", "Idempotency-Key", "mine").read(t, 200, nil)
	})
}

// What cannot be a key is told so.
func TestIdempotencyKeys(t *testing.T) {
	h := open(t, nil, nil)
	for key, taken := range map[string]bool{
		"a": true, strings.Repeat("a", 255): true, "!~": true, `"8e03978e-40d5-43e8-bc93-6894a57f9324"`: true,
		strings.Repeat("a", 256): false, "a b": false, "é": false, " ": false, "a\tb": false,
	} {
		a := h.do(t, "POST", "/v1/agents", `{"name":"New"}`, "Idempotency-Key", key)
		if taken {
			a.read(t, 201, nil)
			continue
		}
		if p := a.is(t, 400, "invalid_request"); p.Details["field"] != "Idempotency-Key" {
			t.Errorf("the error about %q names the field %v", key, p.Details["field"])
		}
	}
	r := request(t, h.key, "POST", "/v1/agents", `{"name":"New"}`)
	r.Header["Idempotency-Key"] = []string{"a1", "a2"}
	h.serve(t, r).is(t, 400, "invalid_request")
}

// An error leaves no receipt: the same request is made anew, with another body too.
func TestErrorsLeaveNoReceipt(t *testing.T) {
	var mu sync.Mutex
	failures := 2
	answerer := agenttest.Script(func(context.Context, agent.Question) (agent.Part, error) {
		mu.Lock()
		defer mu.Unlock()
		if failures--; failures >= 0 {
			return agent.Part{}, errors.New("offline")
		}
		return agent.Part{Text: "Nine."}, nil
	})
	h := open(t, &answerdesk.Options{Answerer: answerer}, nil)
	send := func(path, body string) answer { return h.do(t, "POST", path, body, "Idempotency-Key", "k") }
	send("/v1/agents", `{"name":""}`).is(t, 400, "invalid_request")
	send("/v1/agents", `{"name":"A","website_url":"nonsense"}`).is(t, 400, "invalid_request")
	send("/v1/agents", `{"name":"A"}`).read(t, 201, nil)
	send("/v1/knowledge/documents", `{"text":"A","agent_id":"agt_nobody"}`).is(t, 404, "not_found")
	send("/v1/knowledge/documents", `{"text":"A"}`).read(t, 201, nil)
	send("/v1/content/bulk", `{"items":[]}`).is(t, 400, "invalid_request")
	send("/v1/content/bulk", `{"atomic":true,"items":[{"content":"A"},{"content":" "}]}`).is(t, 400, "invalid_request")
	send("/v1/content/bulk", `{"dry_run":true,"items":[{"content":"A"}]}`).read(t, 200, nil)
	send("/v1/content/bulk", `{"items":[{"content":"A"}]}`).read(t, 200, nil)
	for range 2 {
		send("/v1/message", `{"message":"When do you open?"}`).is(t, 500, "turn_failed")
	}
	send("/v1/message", `{"message":"When do you open?"}`).read(t, 200, nil)
	send("/v1/message", `{"message":"When do you close?"}`).is(t, 409, "idempotency_key_reused")
}

// A caller who has left while a reply was made gets that reply with the same request,
// while its turn runs and afterwards, and the question is asked once.
func TestReplyIsKept(t *testing.T) {
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			asked := 0
			h := open(t, &answerdesk.Options{Answerer: agenttest.Script(func(ctx context.Context, q agent.Question) (agent.Part, error) {
				asked++
				select {
				case <-release:
					return agent.Part{Text: "Nine."}, nil
				case <-ctx.Done():
					return agent.Part{}, ctx.Err()
				}
			})}, nil)
			const body = `{"message":"When do you open?"}`
			ctx, leave := context.WithCancel(t.Context())
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				h.ServeHTTP(httptest.NewRecorder(), request(t, h.key, "POST", "/v1/message", body, "Idempotency-Key", "k").WithContext(ctx))
			}()
			synctest.Wait()
			leave()
			<-gone

			if late { // also when the claim has lapsed
				time.Sleep(time.Minute)
			}
			got := make(chan answer)
			go func() { got <- h.do(t, "POST", "/v1/message", body, "Idempotency-Key", "k") }()
			synctest.Wait()
			close(release)
			a := <-got
			var reply struct{ ID, Text string }
			a.read(t, 200, &reply)
			if reply.Text != "Nine." || a.Header().Get(replayedHeader) != "true" {
				t.Errorf("the reply is %+v, replayed: %q", reply, a.Header().Get(replayedHeader))
			}
			var same struct{ ID string }
			h.do(t, "POST", "/v1/message", body, "Idempotency-Key", "k").read(t, 200, &same)
			if same.ID != reply.ID || asked != 1 {
				t.Errorf("the reply is %s and then %s; the question was asked %d times", reply.ID, same.ID, asked)
			}
		})
	}
}

// A turn that fails after its caller has left can be begun anew with the same request
// once that has been told.
func TestFailedAfterLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		turns := 0
		h := open(t, &answerdesk.Options{Answerer: agenttest.Script(func(context.Context, agent.Question) (agent.Part, error) {
			if turns++; turns > 1 {
				return agent.Part{Text: "Nine."}, nil
			}
			<-release
			return agent.Part{}, errors.New("offline")
		})}, nil)
		const body = `{"message":"When do you open?"}`
		ctx, leave := context.WithCancel(t.Context())
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			h.ServeHTTP(httptest.NewRecorder(), request(t, h.key, "POST", "/v1/message", body, "Idempotency-Key", "k").WithContext(ctx))
		}()
		synctest.Wait()
		leave()
		<-gone
		close(release)
		synctest.Wait()
		time.Sleep(time.Minute) // the claim lapses
		h.do(t, "POST", "/v1/message", body, "Idempotency-Key", "k").is(t, 500, "turn_failed")
		h.do(t, "POST", "/v1/message", body, "Idempotency-Key", "k").read(t, 200, nil)
	})
}

// The same request many times at once does its work once.
func TestDuplicatesAtOnce(t *testing.T) {
	h := open(t, nil, nil)
	for path, body := range map[string]string{"/v1/agents": `{"name":"New"}`, "/v1/message": `{"message":"When do you open?"}`, "/v1/content/bulk": `{"items":[{"content":"A"}]}`} {
		var wg sync.WaitGroup
		answers := make([]answer, 8)
		for i := range answers {
			wg.Go(func() { answers[i] = h.do(t, "POST", path, body, "Idempotency-Key", "k") })
		}
		wg.Wait()
		replayed := 0
		for _, a := range answers {
			if a.Code >= 300 || string(a.body) != string(answers[0].body) {
				t.Errorf("POST %s = %d %s, want %s", path, a.Code, a.body, answers[0].body)
			}
			if a.Header().Get(replayedHeader) == "true" {
				replayed++
			}
		}
		if replayed != len(answers)-1 {
			t.Errorf("POST %s: %d of %d were replayed, want all but one", path, replayed, len(answers))
		}
	}
}

// A fencedStore loses its claims: whatever is written under the first ones, another
// process has taken over by then.
type fencedStore struct {
	*sqlite.Store
	mu    sync.Mutex
	fence int // how many more
}

func (s *fencedStore) CreateAgent(ctx context.Context, c store.Commit, a agent.Agent) error {
	if err := s.lose(ctx, c); err != nil {
		return err
	}
	return s.Store.CreateAgent(ctx, c, a)
}

func (s *fencedStore) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	if err := s.lose(ctx, c); err != nil {
		return knowledge.Written{}, err
	}
	return s.Store.WriteDocuments(ctx, c, writes)
}

func (s *fencedStore) lose(ctx context.Context, c store.Commit) error {
	s.mu.Lock()
	lost := s.fence > 0
	s.fence--
	s.mu.Unlock()
	if !lost {
		return nil
	}
	return s.ReleaseReceipt(ctx, c.Company, *c.Receipt)
}

// When a claim is lost before its work is stored, the request takes it up again, and
// gives up when that happens without end.
func TestClaimLost(t *testing.T) {
	st, err := sqlite.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	fenced := &fencedStore{Store: st, fence: 5}
	d, err := answerdesk.New(t.Context(), fenced, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	h := &host{Server: server.New(d, &server.Options{Authenticate: func(*http.Request) (access.Principal, error) {
		return access.Principal{ID: "ada", Company: d.ID(), Scope: access.ScopeFull}, nil
	}}), desk: d}
	h.again(t, "POST", "/v1/agents", `{"name":"New"}`, "Idempotency-Key", "k")
	if l, err := d.Agents().List(t.Context(), store.Page{}); err != nil || len(l.Data) != 2 {
		t.Errorf("there are %d agents, %v, want the default one and the new one", len(l.Data), err)
	}
	fenced.fence = 3
	h.again(t, "POST", "/v1/content/bulk", `{"items":[{"content":"A"},{"content":""},{"content":"C"}]}`, "Idempotency-Key", "k")
	fenced.fence = 1000
	h.do(t, "POST", "/v1/agents", `{"name":"Never"}`, "Idempotency-Key", "never").is(t, 409, "conflict")
}

// A gatedStore keeps the first agent that is created waiting.
type gatedStore struct {
	*sqlite.Store
	asked atomic.Int32
	gate  chan struct{}
}

func (s *gatedStore) CreateAgent(ctx context.Context, c store.Commit, a agent.Agent) error {
	if s.asked.Add(1) == 1 {
		<-s.gate
	}
	return s.Store.CreateAgent(ctx, c, a)
}

// A request that is made again while the first is being served waits for its answer,
// and does the work itself if that does not come for as long as a claim holds.
func TestDuplicatesWait(t *testing.T) {
	for _, takes := range []time.Duration{3 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			st, err := sqlite.Open(t.Context(), t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			gated := &gatedStore{Store: st, gate: make(chan struct{})}
			d, err := answerdesk.New(t.Context(), gated, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			h := &host{Server: server.New(d, nil), desk: d}
			h.key = newKey(t, d, d.ID(), access.NewKey{Name: "k", Scope: access.ScopeFull})
			create := func() answer { return h.do(t, "POST", "/v1/agents", `{"name":"New"}`, "Idempotency-Key", "k") }

			begun := time.Now()
			time.AfterFunc(takes, func() { close(gated.gate) })
			first := make(chan answer, 1)
			go func() { first <- create() }()
			synctest.Wait()
			second := create()
			waited := time.Since(begun)
			if most := min(takes, 10*time.Second); waited < most || waited > most+time.Second {
				t.Errorf("while the first takes %v the second has waited %v, want about %v", takes, waited, most)
			}
			a := <-first
			if a.Code != 201 || second.Code != 201 || string(a.body) != string(second.body) {
				t.Errorf("the answers are %d %s and %d %s, want the same", a.Code, a.body, second.Code, second.body)
			}
			if l, err := d.Agents().List(t.Context(), store.Page{}); err != nil || len(l.Data) != 2 {
				t.Errorf("there are %d agents, %v, want the default one and the new one", len(l.Data), err)
			}
		})
	}
}

// A bulk that the store breaks off leaves its receipt: the same request goes on
// behind what is stored.
func TestBulkGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, err := sqlite.Open(t.Context(), t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		failing := &failingStore{Store: st}
		d, err := answerdesk.New(t.Context(), failing, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		h := &host{Server: server.New(d, &server.Options{Authenticate: func(*http.Request) (access.Principal, error) {
			return access.Principal{ID: "ada", Company: d.ID(), Scope: access.ScopeFull}, nil
		}}), desk: d}
		items := make([]string, 700) // three commits
		for i := range items {
			items[i] = fmt.Sprintf(`{"content":"Shirt %d"}`, i)
		}
		body := `{"items":[` + strings.Join(items, ",") + `]}`
		failing.after = 1
		h.do(t, "POST", "/v1/content/bulk", body, "Idempotency-Key", "k").is(t, 503, "store_unavailable")
		var out struct{ Created, Failed int }
		h.do(t, "POST", "/v1/content/bulk", body, "Idempotency-Key", "k").read(t, 200, &out) // when the claim has lapsed
		l, err := d.Knowledge().List(t.Context(), knowledge.Filter{}, store.Page{Limit: 100})
		n := 0
		for ; err == nil; l, err = d.Knowledge().List(t.Context(), knowledge.Filter{}, store.Page{Limit: 100, Cursor: l.NextCursor}) {
			if n += len(l.Data); !l.HasMore {
				break
			}
		}
		if out.Created != 700 || out.Failed != 0 || n != 700 || err != nil {
			t.Errorf("the bulk tells %+v, and there are %d documents, %v, want 700", out, n, err)
		}
	})
}

// A failingStore cannot write documents for once.
type failingStore struct {
	*sqlite.Store
	after int // so many writes; 0: it can
}

func (s *failingStore) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	if s.after > 0 {
		if s.after--; s.after == 0 {
			s.after = -1
		}
	} else if s.after < 0 {
		s.after = 0
		return knowledge.Written{}, fmt.Errorf("disk full: %w", store.ErrUnavailable)
	}
	return s.Store.WriteDocuments(ctx, c, writes)
}
