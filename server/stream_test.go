package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/sse"
	"github.com/answerdesk-go/answerdesk/server"
)

const (
	question  = `{"message":"When do you open?"}`
	asEvents  = "text/event-stream"
	lastEvent = "Last-Event-ID"
)

// A live response can be looked at while it is written, and written to no further
// when its reader does not read.
type live struct {
	mu       sync.Mutex
	header   http.Header
	status   int
	b        bytes.Buffer
	flushed  int // bytes of b that have been
	stuck    bool
	deadline time.Time
	done     chan struct{} // closed when the handler has returned
}

func (l *live) Header() http.Header { return l.header }

func (l *live) WriteHeader(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

func (l *live) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stuck {
		time.Sleep(time.Until(l.deadline))
		return 0, os.ErrDeadlineExceeded
	}
	return l.b.Write(p)
}

func (l *live) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flushed = l.b.Len()
}

func (l *live) SetWriteDeadline(at time.Time) error {
	l.deadline = at
	return nil
}

// stick lets the reader read nothing any more.
func (l *live) stick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stuck = true
}

// told is what has arrived.
func (l *live) told(t testing.TB) (events []event, comments int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if got := l.header.Get("Content-Type"); l.status != 200 || got != asEvents {
		t.Fatalf("the answer is %d %s: %s", l.status, got, l.b.Bytes())
	}
	return readEvents(t, bytes.NewReader(l.b.Bytes()[:l.flushed]), func() { comments++ }), comments
}

// An event of a reply, as it is sent.
type event struct {
	Type, Delta, Text string
	Sequence          int
	MessageID         string `json:"message_id"`
	ConversationID    string `json:"conversation_id"`
	Reply             *struct{ ID, Text, Outcome string }
	Error             *problem
}

// readEvents reads events, each in the form of the contract.
func readEvents(t testing.TB, in io.Reader, comment func()) (events []event) {
	t.Helper()
	doc, _ := contract()
	r := sse.NewReader(in, &sse.ReaderOptions{OnComment: func(string) { comment() }})
	for {
		got, err := r.Next()
		if err == io.EOF {
			return events
		}
		if err != nil {
			t.Fatalf("the stream is broken: %v", err)
		}
		var value any
		var ev event
		if err := errors.Join(json.Unmarshal([]byte(got.Data), &value), json.Unmarshal([]byte(got.Data), &ev)); err != nil {
			t.Fatalf("the event %s cannot be read: %v", got.Data, err)
		}
		if err := doc.Components.Schemas["StreamEvent"].Value.VisitJSON(value); err != nil {
			t.Errorf("the event %s is not in the contract: %v", got.Data, err)
		}
		numbered := got.ID == fmt.Sprint(ev.Sequence) || got.ID == "" && ev.Sequence == 0 // before the first one
		if got.Type != ev.Type || !numbered || ev.MessageID == "" || ev.ConversationID == "" {
			t.Errorf("the event is of type %s with id %s, and says %s", got.Type, got.ID, got.Data)
		}
		events = append(events, ev)
	}
}

// script is the types of events, and what they add to the text.
func script(events []event) string {
	var b strings.Builder
	for _, ev := range events {
		b.WriteString(ev.Type)
		if said := ev.Delta + ev.Text; said != "" {
			fmt.Fprintf(&b, " %q", said)
		}
		b.WriteString(";")
	}
	return b.String()
}

// stream makes a request whose answer is looked at while it comes.
func (h *host) stream(ctx context.Context, t testing.TB, method, path, body string, headers ...string) *live {
	t.Helper()
	l := &live{header: http.Header{}, done: make(chan struct{})}
	r := request(t, h.key, method, path, body, headers...).WithContext(ctx)
	go func() {
		defer close(l.done)
		h.ServeHTTP(l, r)
	}()
	return l
}

// said returns an answerer that says words one by one, as they are let go.
func said(words ...string) (agent.Answerer, chan<- struct{}) {
	next := make(chan struct{})
	steps := make([]agenttest.Step, 0, 2*len(words))
	for _, w := range words {
		steps = append(steps, agenttest.Block(next), agenttest.Say(w))
	}
	return agenttest.Script(steps...), next
}

// Events arrive as they happen, and end with the whole reply.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answerer, next := said("At ", "nine", ".")
		h := open(t, &answerdesk.Options{Answerer: answerer}, nil)
		l := h.stream(t.Context(), t, "POST", "/v1/message/stream", question)
		for i, want := range []string{"message.started;", `message.started;text.delta "At ";`, `message.started;text.delta "At ";text.delta "nine";`} {
			synctest.Wait()
			if events, _ := l.told(t); script(events) != want {
				t.Errorf("after %d words the events are %s, want %s", i, script(events), want)
			}
			next <- struct{}{}
		}
		<-l.done
		events, comments := l.told(t)
		last := events[len(events)-1]
		if got, want := script(events), `message.started;text.delta "At ";text.delta "nine";text.delta ".";message.completed;`; got != want {
			t.Errorf("the events are %s, want %s", got, want)
		}
		if last.Reply == nil || last.Reply.Text != "At nine." || last.Reply.ID != last.MessageID || comments != 1 {
			t.Errorf("the stream ends with %+v, after %d comments", last, comments)
		}
		for i, ev := range events {
			if ev.Sequence != i+1 {
				t.Errorf("event %d has the number %d", i+1, ev.Sequence)
			}
		}
		for name, want := range map[string]string{"Cache-Control": "no-cache", "X-Accel-Buffering": "no", "Content-Encoding": "", "X-RateLimit-Limit": "1000000000"} {
			if got := l.header.Get(name); got != want {
				t.Errorf("the stream has %s: %q, want %q", name, got, want)
			}
		}
	})
}

// A stream in which nothing happens has a comment every ten seconds.
func TestHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answerer, next := said("Nine.")
		h := open(t, &answerdesk.Options{Answerer: answerer}, nil)
		l := h.stream(t.Context(), t, "POST", "/v1/message/stream", question)
		for i := range 5 {
			synctest.Wait()
			if _, comments := l.told(t); comments != i+1 { // one opens the stream
				t.Errorf("after %d s there are %d comments, want %d", 10*i, comments, i+1)
			}
			time.Sleep(10 * time.Second)
		}
		next <- struct{}{}
		<-l.done
		if events, _ := l.told(t); events[len(events)-1].Type != "message.completed" {
			t.Errorf("the events are %s", script(events))
		}
	})
}

// When the caller is gone the stream ends at once, and the turn goes on for as long
// as somebody may come back for it.
func TestReaderLeaves(t *testing.T) {
	for _, back := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			answerer, next := said("At ", "nine.")
			h := open(t, &answerdesk.Options{Answerer: answerer}, nil)
			ctx, leave := context.WithCancel(t.Context())
			l := h.stream(ctx, t, "POST", "/v1/message/stream", question, "Idempotency-Key", "k")
			next <- struct{}{}
			synctest.Wait()
			events, _ := l.told(t)
			left := time.Now()
			leave()
			<-l.done
			if time.Since(left) > 0 {
				t.Errorf("the stream has gone on for %v", time.Since(left))
			}
			if told, _ := l.told(t); len(told) != len(events) {
				t.Errorf("nobody was told %s", script(told[len(events):]))
			}
			reply := "/v1/messages/" + events[0].MessageID
			if !back {
				time.Sleep(31 * time.Second)
				var m struct{ State string }
				h.do(t, "GET", reply, "").read(t, 200, &m)
				if m.State != "cancelled" {
					t.Errorf("half a minute later the reply is %s, want cancelled", m.State)
				}
				return
			}
			time.Sleep(29 * time.Second)
			again := h.stream(t.Context(), t, "GET", reply+"/events", "", "Accept", asEvents, lastEvent, "2")
			same := h.stream(t.Context(), t, "POST", "/v1/message/stream", question, "Idempotency-Key", "k")
			time.Sleep(time.Minute)
			next <- struct{}{}
			<-again.done
			<-same.done
			events, _ = again.told(t)
			if got, want := script(events), `text.delta "nine.";message.completed;`; got != want || events[1].Reply.Text != "At nine." {
				t.Errorf("who comes back is told %s, want %s", got, want)
			}
			events, _ = same.told(t)
			if got, want := script(events), `message.started;text.delta "At ";text.delta "nine.";message.completed;`; got != want || same.header.Get(replayedHeader) != "true" {
				t.Errorf("the same request is told %s, want %s", got, want)
			}
		})
	}
}

// A stream can be taken up from any place, while the turn runs and afterwards, as
// events or as JSON.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answerer, next := said("At ", "nine", ".")
		h := open(t, &answerdesk.Options{Answerer: answerer}, nil)
		l := h.stream(t.Context(), t, "POST", "/v1/message/stream", question)
		next <- struct{}{}
		next <- struct{}{}
		synctest.Wait()
		events, _ := l.told(t)
		path := "/v1/messages/" + events[0].MessageID + "/events"

		ways := []struct {
			query string
			last  string
			from  int // of the events so far
		}{{"", "", 0}, {"?after=0", "", 0}, {"?after=1", "", 1}, {"", "2", 2}, {"?after=1", "2", 2}, {"?after=3", "1", 3}, {"?after=900", "", 3}}
		follow := make([]*live, len(ways))
		for i, w := range ways {
			follow[i] = h.stream(t.Context(), t, "GET", path+w.query, "", "Accept", "application/json, "+asEvents, lastEvent, w.last)
			synctest.Wait()
			if got, _ := follow[i].told(t); script(got) != script(events[w.from:]) {
				t.Errorf("from %s %s: %s, want %s", w.query, w.last, script(got), script(events[w.from:]))
			}
			var page struct {
				Data []event
				Done bool
			}
			h.do(t, "GET", path+w.query, "", lastEvent, w.last).read(t, 200, &page)
			if page.Done || script(page.Data) != script(events[w.from:]) {
				t.Errorf("as JSON from %s %s: %s, done %v; want %s", w.query, w.last, script(page.Data), page.Done, script(events[w.from:]))
			}
		}
		next <- struct{}{}
		<-l.done
		whole, _ := l.told(t)
		for i, w := range ways {
			<-follow[i].done
			want := whole[min(w.from, len(whole)-1):]
			if w.query == "?after=900" {
				want = whole[len(whole)-1:] // the end is told whatever the number
			}
			if got, _ := follow[i].told(t); script(got) != script(want) {
				t.Errorf("from %s %s to the end: %s, want %s", w.query, w.last, script(got), script(want))
			}
		}

		// Afterwards the whole reply comes at once, numbered above all before.
		for _, w := range ways {
			after := h.stream(t.Context(), t, "GET", path+w.query, "", "Accept", asEvents, lastEvent, w.last)
			<-after.done
			got, _ := after.told(t)
			if script(got) != "message.completed;" || got[0].Sequence != agent.StoredSequence || got[0].Reply.Text != "At nine." {
				t.Errorf("afterwards from %s %s: %+v, want the whole reply", w.query, w.last, got)
			}
		}
		var page struct {
			Data []event
			Done bool
		}
		h.do(t, "GET", path, "").read(t, 200, &page)
		if !page.Done || script(page.Data) != "message.completed;" {
			t.Errorf("afterwards as JSON: %s, done %v", script(page.Data), page.Done)
		}
		h.do(t, "GET", path+fmt.Sprintf("?after=%d", agent.StoredSequence), "").read(t, 200, &page)
		if !page.Done || len(page.Data) != 0 {
			t.Errorf("behind the end as JSON: %s, done %v", script(page.Data), page.Done)
		}
		h.do(t, "GET", "/v1/messages/"+id.UUID(events[0].MessageID)+"/events", "").read(t, 200, nil)
	})
}

// What cannot be followed is told so, as JSON.
func TestResumeNothing(t *testing.T) {
	h := open(t, nil, nil)
	var reply struct {
		ID             string
		ConversationID string `json:"conversation_id"`
	}
	h.do(t, "POST", "/v1/message", question).read(t, 200, &reply)
	var messages struct{ Data []struct{ ID, Role string } }
	h.do(t, "GET", "/v1/messages?conversation_id="+reply.ConversationID, "").read(t, 200, &messages)
	asked := messages.Data[slices.IndexFunc(messages.Data, func(m struct{ ID, Role string }) bool { return m.Role == "user" })].ID
	for _, accept := range []string{"", asEvents} {
		get := func(path string, headers ...string) answer {
			return h.do(t, "GET", path, "", append(headers, "Accept", accept)...)
		}
		get("/v1/messages/msg_nobody/events").is(t, 404, "not_found")
		get("/v1/messages/"+asked+"/events").is(t, 404, "not_found")
		get("/v1/messages/"+reply.ConversationID+"/events").is(t, 404, "not_found")
		for _, query := range []string{"after=-1", "after=x", "after=1.5", "after=", "after=99999999999", "after=1&after=2", "wait=31", "wait=-1", "after=%zz"} {
			get("/v1/messages/"+reply.ID+"/events?"+query).is(t, 400, "invalid_request")
		}
		for _, last := range []string{"x", "-1", "1.5", "99999999999999999999", strings.Repeat("1", 21)} {
			if p := get("/v1/messages/"+reply.ID+"/events", lastEvent, last).is(t, 400, "invalid_request"); p.Details["field"] != lastEvent {
				t.Errorf("the error about %s names the field %v", last, p.Details["field"])
			}
		}
	}
}

// Who reads events as JSON may wait for the next one.
func TestWaitForEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answerer, next := said("Nine", ".")
		h := open(t, &answerdesk.Options{Answerer: answerer}, nil)
		l := h.stream(t.Context(), t, "POST", "/v1/message/stream", question)
		synctest.Wait()
		events, _ := l.told(t)
		read := func(query string) (string, time.Duration) {
			begun := time.Now()
			var page struct{ Data []event }
			h.do(t, "GET", "/v1/messages/"+events[0].MessageID+"/events?"+query, "").read(t, 200, &page)
			return script(page.Data), time.Since(begun).Round(time.Second)
		}
		if got, took := read("after=1"); got != "" || took != 0 {
			t.Errorf("without waiting: %s after %v", got, took)
		}
		if got, took := read("after=1&wait=7"); got != "" || took != 7*time.Second {
			t.Errorf("waiting 7 s: %s after %v", got, took)
		}
		time.AfterFunc(3*time.Second, func() { next <- struct{}{} })
		if got, took := read("after=1&wait=30"); got != `text.delta "Nine";` || took != 3*time.Second {
			t.Errorf("waiting 30 s: %s after %v, want the word that comes after 3 s", got, took)
		}
		time.AfterFunc(2*time.Second, func() { next <- struct{}{} })
		if got, took := read("after=2&wait=30"); !strings.HasSuffix(got, "message.completed;") || took != 2*time.Second {
			t.Errorf("waiting for the end: %s after %v", got, took)
		}
		<-l.done
	})
}

// A turn without a reply ends its stream with an error, as often as it is asked for.
func TestStreamErrors(t *testing.T) {
	offline := errors.New("the answer of Sentinel")
	for _, tt := range []struct {
		name   string
		step   agenttest.Step
		cancel bool
		code   string
		state  string
	}{
		{"failed", agenttest.Fail(offline), false, "turn_failed", "failed"},
		{"panicked", func(context.Context, agent.Question) (agent.Part, error) { panic("Sentinel") }, false, "turn_failed", "failed"},
		{"cancelled", agenttest.Block(nil), true, "turn_cancelled", "cancelled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				read := make(chan struct{})
				h := open(t, &answerdesk.Options{Answerer: agenttest.Script(agenttest.Say("At "), agenttest.Block(read), tt.step)}, nil)
				l := h.stream(t.Context(), t, "POST", "/v1/message/stream", question, "Idempotency-Key", "k")
				synctest.Wait()
				events, _ := l.told(t)
				close(read)
				path := "/v1/messages/" + events[0].MessageID
				if tt.cancel {
					var m struct{ State string }
					h.do(t, "POST", path+"/cancel", "").read(t, 200, &m)
					if m.State != tt.state {
						t.Errorf("the reply that was cancelled is %s", m.State)
					}
				}
				<-l.done
				events, _ = l.told(t)
				check := func(events []event, want string) {
					t.Helper()
					last := events[len(events)-1]
					if script(events) != want || last.Error == nil || last.Error.Code != tt.code || last.Sequence != agent.StoredSequence || strings.Contains(last.Error.Message, "Sentinel") {
						t.Errorf("the events are %s with %+v, want %s with %s", script(events), last.Error, want, tt.code)
					}
				}
				check(events, `message.started;text.delta "At ";error;`)
				again := h.stream(t.Context(), t, "GET", path+"/events", "", "Accept", asEvents)
				<-again.done
				events, _ = again.told(t)
				check(events, "error;")
				var page struct {
					Data []event
					Done bool
				}
				h.do(t, "GET", path+"/events", "").read(t, 200, &page)
				check(page.Data, "error;")
				if !page.Done {
					t.Error("the events are not done")
				}
				var m struct{ State string }
				h.do(t, "GET", path, "").read(t, 200, &m)
				if m.State != tt.state {
					t.Errorf("the reply is %s, want %s", m.State, tt.state)
				}
				// It left no receipt.
				fresh := h.stream(t.Context(), t, "POST", "/v1/message/stream", `{"message":"Another question"}`, "Idempotency-Key", "k")
				synctest.Wait()
				if events, _ := fresh.told(t); fresh.header.Get(replayedHeader) != "" || len(events) == 0 || events[0].MessageID == strings.TrimPrefix(path, "/v1/messages/") {
					t.Errorf("the same key with another question is told %s", script(events))
				}
			})
		})
	}
}

// As many streams as may be are open; one more is told to come again.
func TestTooManyStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answerer, next := said("Nine.")
		h := open(t, &answerdesk.Options{Answerer: answerer}, &server.Options{MaxStreams: 2})
		first := h.stream(t.Context(), t, "POST", "/v1/message/stream", question)
		synctest.Wait()
		events, _ := first.told(t)
		path := "/v1/messages/" + events[0].MessageID + "/events"
		second := h.stream(t.Context(), t, "GET", path, "", "Accept", asEvents)
		synctest.Wait()
		for _, a := range []answer{h.do(t, "POST", "/v1/message/stream", question), h.do(t, "GET", path, "", "Accept", asEvents)} {
			a.is(t, 503, "too_many_streams")
			if a.Header().Get("Retry-After") == "" || a.Header().Get("Content-Type") != "application/json" {
				t.Errorf("the 503 has the headers %v", a.Header())
			}
		}
		h.do(t, "GET", path, "").read(t, 200, nil)
		h.do(t, "GET", "/v1/agents", "").read(t, 200, nil)
		next <- struct{}{}
		<-first.done
		<-second.done
		third := h.stream(t.Context(), t, "POST", "/v1/message/stream", question)
		next <- struct{}{}
		<-third.done
		third.told(t)
	})
}

// A reader who does not read is given up after half a minute; the turn goes on.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answerer, next := said("At ", "nine.")
		h := open(t, &answerdesk.Options{Answerer: answerer}, nil)
		l := h.stream(t.Context(), t, "POST", "/v1/message/stream", question)
		synctest.Wait()
		events, _ := l.told(t)
		l.stick()
		begun := time.Now()
		next <- struct{}{}
		<-l.done
		if took := time.Since(begun).Round(time.Second); took != 30*time.Second {
			t.Errorf("the stream has ended after %v, want 30 s", took)
		}
		next <- struct{}{}
		synctest.Wait()
		var m struct{ State, Text string }
		h.do(t, "GET", "/v1/messages/"+events[0].MessageID, "").read(t, 200, &m)
		if m.State != "completed" || m.Text != "At nine." {
			t.Errorf("the reply is %+v, want it completed", m)
		}
	})
}

// A client of 1996 reads the stream to the end of its connection.
func TestStreamHTTP10(t *testing.T) {
	answerer, next := said("At ", "nine.")
	h := open(t, &answerdesk.Options{Answerer: answerer}, nil)
	front := h.listen(t)
	conn, err := net.Dial("tcp", front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	_, _ = fmt.Fprintf(conn, "POST /v1/message/stream HTTP/1.0\r\nX-Api-Key: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", h.key, len(question), question)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 200 || len(resp.TransferEncoding) > 0 {
		t.Fatalf("the answer is %+v, %v, want 200 without chunks", resp, err)
	}
	next <- struct{}{}
	next <- struct{}{}
	events := readEvents(t, resp.Body, func() {})
	if got, want := script(events), `message.started;text.delta "At ";text.delta "nine.";message.completed;`; got != want {
		t.Errorf("the events are %s, want %s", got, want)
	}
}

// On a real connection events arrive at once, also at clients that take gzip, and
// through HTTP/2.
func TestStreamOnTheWire(t *testing.T) {
	answerer, next := said("At ", "nine.")
	h := open(t, &answerdesk.Options{Answerer: answerer}, nil)
	for _, tt := range []struct {
		name string
		do   func(*http.Request) (*http.Response, error)
	}{
		{"HTTP/1.1 with gzip", h.dialled(t, false, "gzip")},
		{"HTTP/1.1 without", h.dialled(t, false, "identity")},
		{"HTTP/2 with gzip", h.dialled(t, true, "gzip, br, zstd")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), "POST", "/v1/message/stream", strings.NewReader(question))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := tt.do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != 200 || resp.Header.Get("Content-Encoding") != "" {
				t.Fatalf("the answer is %s %v", resp.Status, resp.Header)
			}
			in := sse.NewReader(resp.Body, nil)
			for _, want := range []string{"message.started", "text.delta", "text.delta", "message.completed"} {
				if want == "text.delta" {
					next <- struct{}{} // only when what was before has arrived
				}
				if ev, err := in.Next(); err != nil || ev.Type != want {
					t.Fatalf("the event is %+v, %v, want %s", ev, err, want)
				}
			}
			if _, err := in.Next(); err != io.EOF {
				t.Errorf("behind the last event: %v, want the end", err)
			}
		})
	}
}
