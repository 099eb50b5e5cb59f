package server_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/server"
)

// While the server drains, turns end, nobody is sent here any more, and messages are
// told to go elsewhere; what else is asked is answered.
func TestDrain(t *testing.T) {
	for _, patient := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			h := open(t, &answerdesk.Options{Answerer: agenttest.Script(agenttest.Say("At "), agenttest.Block(release), agenttest.Say("nine."))}, nil)
			var ready struct{ Status string }
			h.do(t, "GET", "/readyz", "").read(t, 200, &ready)
			if ready.Status != "ready" {
				t.Errorf("before, the server is %s", ready.Status)
			}
			stream := h.stream(t.Context(), t, "POST", "/v1/message/stream", question)
			asked := make(chan answer, 1)
			go func() { asked <- h.do(t, "POST", "/v1/message", question, "Idempotency-Key", "k") }()
			synctest.Wait()
			events, _ := stream.told(t)

			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			drained := make(chan error, 1)
			go func() { drained <- h.Drain(ctx) }()
			synctest.Wait()
			a := h.do(t, "GET", "/readyz", "")
			a.read(t, 503, &ready)
			if ready.Status != "draining" {
				t.Errorf("while it drains the server is %s", ready.Status)
			}
			h.do(t, "GET", "/healthz", "").read(t, 200, nil)
			h.do(t, "GET", "/v1/agents", "").read(t, 200, nil)
			h.do(t, "POST", "/v1/agents", `{"name":"New"}`).read(t, 201, nil)
			for _, path := range []string{"/v1/message", "/v1/message/stream"} {
				a := h.do(t, "POST", path, question)
				a.is(t, 503, "server_draining")
				if a.Header().Get("Retry-After") != "1" {
					t.Errorf("POST %s says when to come again: %q", path, a.Header().Get("Retry-After"))
				}
			}
			again := h.stream(t.Context(), t, "GET", "/v1/messages/"+events[0].MessageID+"/events", "", "Accept", asEvents)

			if patient {
				close(release)
				if err := <-drained; err != nil {
					t.Errorf("Drain = error %v", err)
				}
			} else if err := <-drained; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Drain = error %v, want %v", err, context.DeadlineExceeded)
			}
			for _, l := range []*live{stream, again} {
				<-l.done
				events, _ := l.told(t)
				last := events[len(events)-1]
				if patient && (last.Type != "message.completed" || last.Reply.Text != "At nine.") || !patient && (last.Type != "error" || last.Error.Code != "server_draining") {
					t.Errorf("with patience %v the stream ends with %+v", patient, last)
				}
			}
			if a := <-asked; patient {
				a.read(t, 200, nil)
			} else {
				a.is(t, 503, "server_draining")
			}
			// What is stored can be read until the end.
			resumed := h.stream(t.Context(), t, "GET", "/v1/messages/"+events[0].MessageID+"/events", "", "Accept", asEvents)
			<-resumed.done
			if events, _ := resumed.told(t); len(events) != 1 {
				t.Errorf("afterwards the stream is %s", script(events))
			}
		})
	}
}

// The turn of another process goes on when this one drains: its reader is told to
// take it up again elsewhere, and misses nothing there.
func TestDrainBesideAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		answerer, next := said("At ", "nine.")
		hosts := make([]*host, 2)
		for i := range hosts {
			d, err := answerdesk.Open(t.Context(), dir, &answerdesk.Options{Answerer: answerer})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if _, err := d.Knowledge().Put(t.Context(), hours); err != nil {
				t.Fatal(err)
			}
			hosts[i] = &host{Server: server.New(d, nil), desk: d}
		}
		here, there := hosts[0], hosts[1]
		here.key = newKey(t, here.desk, here.desk.ID(), access.NewKey{Name: "k", Scope: access.ScopeFull})
		there.key = here.key

		first := there.stream(t.Context(), t, "POST", "/v1/message/stream", question, "Idempotency-Key", "k")
		next <- struct{}{}
		synctest.Wait()
		events, _ := first.told(t)
		path := "/v1/messages/" + events[0].MessageID + "/events"
		followed := here.stream(t.Context(), t, "GET", path, "", "Accept", asEvents, lastEvent, "2")
		same := here.stream(t.Context(), t, "POST", "/v1/message/stream", question, "Idempotency-Key", "k")
		waiting := make(chan answer, 1)
		go func() { waiting <- here.do(t, "GET", path+"?after=2&wait=30", "") }()
		time.Sleep(5 * time.Second)
		if err := here.Drain(t.Context()); err != nil {
			t.Errorf("Drain = error %v", err)
		}
		for _, l := range []*live{followed, same} {
			<-l.done
			events, _ := l.told(t)
			if last := events[len(events)-1]; last.Type != "error" || last.Error.Code != "server_draining" || last.Sequence > 2 {
				t.Errorf("the stream here ends with %+v, want server_draining behind what was told", last)
			}
		}
		(<-waiting).is(t, 503, "server_draining")

		resumed := there.stream(t.Context(), t, "GET", path, "", "Accept", asEvents, lastEvent, "2")
		synctest.Wait()
		next <- struct{}{}
		<-resumed.done
		<-first.done
		events, _ = resumed.told(t)
		if got, want := script(events), `text.delta "nine.";message.completed;`; got != want {
			t.Errorf("there the stream goes on with %s, want %s", got, want)
		}
	})
}

// Without a store the server is not ready, and says so without waiting for it.
func TestReadyWithoutStore(t *testing.T) {
	h := open(t, nil, nil)
	if err := h.desk.Close(); err != nil {
		t.Fatal(err)
	}
	var ready struct{ Status string }
	h.do(t, "GET", "/readyz", "").read(t, 503, &ready)
	if ready.Status != "unavailable" {
		t.Errorf("the server is %s, want unavailable", ready.Status)
	}
	h.do(t, "GET", "/healthz", "").read(t, 200, nil)
}
