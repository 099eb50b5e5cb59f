package e2e

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/event"
)

// beginBlocked begins a desk whose agents say that it takes a moment, wait to be
// released, and then quote a document. release lets one reply go on.
func (s *suite) beginBlocked() (release func()) {
	s.Helper()
	gate := make(chan struct{})
	s.begin(&answerdesk.Options{Answerer: agenttest.Script(
		agenttest.Say("One moment. "), agenttest.Block(gate), agenttest.Quote("at nine"), agenttest.Say("."),
	)})
	ok(s.admin.Knowledge.Documents.Create(s.Context(), api.DocumentRequest{Title: "Hours", Text: "We open at nine."}))(s)
	return func() {
		s.Helper()
		select {
		case gate <- struct{}{}:
		case <-s.Context().Done():
			s.Error("no reply waits to go on")
		}
	}
}

// shownBy is what events show of a reply.
func shownBy(events []api.StreamEvent) string {
	var b strings.Builder
	for _, ev := range events {
		switch ev.Type {
		case "text.delta":
			b.WriteString(ev.Delta)
		case "message.replaced":
			b.Reset()
			b.WriteString(ev.Text)
		}
	}
	return b.String()
}

// typesOf are the types of events, without those that follow one of their own.
func typesOf(events []api.StreamEvent) (out []string) {
	for _, ev := range events {
		out = append(out, ev.Type)
	}
	return slices.Compact(out)
}

// A reply is read while it comes by who asked, by a second reader and as JSON; it
// is left and taken up again; afterwards it is there to be read whole.
func playStreams(s *suite) {
	release := s.beginBlocked()
	ctx, c := s.Context(), s.admin
	ctxLeft, leave := context.WithCancel(ctx)
	defer leave()
	var seen []api.StreamEvent
	for ev, err := range c.Messages.Stream(ctxLeft, api.MessageRequest{Message: "When do you open?"}) {
		if err != nil {
			s.Fatalf("the stream = error %v", err)
		}
		if seen = append(seen, ev); ev.Type == "text.delta" && strings.HasSuffix(shownBy(seen), "moment. ") {
			break // the reader is gone, and the turn goes on
		}
	}
	id, last := seen[0].MessageID, seen[len(seen)-1].Sequence
	if seen[0].Type != "message.started" || seen[0].ConversationID == "" {
		s.Errorf("the stream begins with %+v", seen[0])
	}
	wantRunning(s, id, seen)

	rest := make(chan []api.StreamEvent)
	for _, after := range []int64{last, 0} {
		go func() {
			var got []api.StreamEvent
			for ev, err := range c.Messages.Resume(ctx, id, after) {
				if err != nil {
					s.Errorf("Resume after %d = error %v", after, err)
					break
				}
				got = append(got, ev)
			}
			rest <- got
		}()
	}
	release()
	var reply api.Reply
	for range 2 {
		got := <-rest
		if len(got) == 0 {
			s.Fatal("a resumed stream has no events")
		}
		whole := got
		if got[0].Sequence > 1 {
			whole = append(slices.Clone(seen), got...)
		}
		end := whole[len(whole)-1]
		if end.Type != "message.completed" {
			s.Fatalf("the stream ends with %+v", end)
		}
		reply = end.Reply
		// Whoever comes when the reply is stored gets it whole.
		if text := shownBy(whole); text != reply.Text && len(got) > 1 {
			s.Errorf("the events show %q, and the reply is %q", text, reply.Text)
		}
	}
	if reply.ID != id || reply.Outcome != "answer" || !strings.Contains(reply.Text, "at nine") || len(reply.Citations) != 1 {
		s.Errorf("the reply = %+v, want one with a quote", reply)
	}
	wantEnded(s, id, last, reply)
	playWholeStream(s, release)
	playFailing(s)
}

// wantRunning reads what there is of a reply that waits.
func wantRunning(s *suite, id string, seen []api.StreamEvent) {
	s.Helper()
	ctx, c := s.Context(), s.admin
	so := ok(c.Messages.Events(ctx, id, nil))(s)
	if so.Done || shownBy(so.Data) != shownBy(seen) {
		s.Errorf("Events of a running reply = %+v, want those seen: %+v", so, seen)
	}
	last := int32(seen[len(seen)-1].Sequence)
	if after := ok(c.Messages.Events(ctx, id, &api.ListMessageEventsParams{After: &last}))(s); after.Done || len(after.Data) != 0 {
		s.Errorf("Events after the last of a running reply = %+v, want none", after)
	}
	m := ok(c.Messages.Get(ctx, id))(s)
	if m.State != "running" || m.Role != "agent" || m.ID != id || m.ConversationID != seen[0].ConversationID || m.CreatedAt.IsZero() {
		s.Errorf("Get of a running reply = %+v", m)
	}
	if conversation := ok(c.Conversations.Get(ctx, m.ConversationID))(s); !conversation.Running || conversation.Turns != 1 {
		s.Errorf("the conversation of a running reply = %+v", conversation)
	}
}

// wantEnded reads a reply that is stored, in all ways that it was read before.
func wantEnded(s *suite, id string, last int64, reply api.Reply) {
	s.Helper()
	ctx, c := s.Context(), s.admin
	for _, after := range []int64{0, last} {
		got, err := client.Accumulate(c.Messages.Resume(ctx, id, after))
		if err != nil || got.Text != reply.Text || got.ID != id {
			s.Errorf("Resume after %d of a stored reply = %+v, %v, want %+v", after, got, err, reply)
		}
	}
	events := ok(c.Messages.Events(ctx, id, nil))(s)
	if n := len(events.Data); !events.Done || n == 0 || events.Data[n-1].Type != "message.completed" || events.Data[n-1].Reply.Text != reply.Text {
		s.Errorf("Events of a stored reply = %+v, want message.completed at the end", events)
	}
	end := events.Data[len(events.Data)-1].Sequence
	if got := ok(c.Messages.Events(ctx, id, &api.ListMessageEventsParams{After: new(int32(end)), Wait: new(int32(1))}))(s); !got.Done || len(got.Data) != 0 {
		s.Errorf("Events after the end = %+v, want none and done", got)
	}
	a := c.want(http.StatusOK, request{
		method: "GET", path: "/v1/messages/" + id + "/events", header: map[string]string{"Accept": "text/event-stream", "Last-Event-ID": strconv.FormatInt(end, 10)},
	})
	if events, err := eventsIn(a.body); len(events) != 0 || err != nil {
		s.Errorf("a stream after the end has the events %v, %v, want none", events, err)
	}
	c.wantError(http.StatusBadRequest, "invalid_request", "Last-Event-ID", request{
		method: "GET", path: "/v1/messages/" + id + "/events", header: map[string]string{"Last-Event-ID": "first"},
	})
}

// playWholeStream reads a stream to its end.
func playWholeStream(s *suite, release func()) {
	var all []api.StreamEvent
	go release()
	for ev, err := range s.admin.Messages.Stream(s.Context(), api.MessageRequest{Message: "When do you open?"}) {
		if err != nil {
			s.Fatalf("the stream = error %v", err)
		}
		all = append(all, ev)
	}
	if got := typesOf(all); got[0] != "message.started" || !slices.Contains(got, "citation.added") || got[len(got)-1] != "message.completed" {
		s.Errorf("the stream has events of the types %v", got)
	}
	end := all[len(all)-1]
	if text := shownBy(all); text != end.Reply.Text || text == "" {
		s.Errorf("the events show %q, and the reply is %q", text, end.Reply.Text)
	}
	for _, ev := range all {
		if ev.MessageID != end.Reply.ID || ev.ConversationID != end.Reply.ConversationID {
			s.Errorf("event %+v is of another reply than %s", ev, end.Reply.ID)
		}
	}
}

// playFailing asks what cannot be asked: that is told before a stream begins.
func playFailing(s *suite) {
	for _, err := range s.admin.Messages.Stream(s.Context(), api.MessageRequest{Message: "Hello?", AgentID: never().agent}) {
		if e, isError := errors.AsType[*client.Error](err); !isError || e.StatusCode != http.StatusNotFound {
			s.Errorf("a stream of no agent = error %v, want 404", err)
		}
	}
}

// A reply that is being made is cancelled: whoever waits for it is told, and it is
// there to be seen.
func playCancel(s *suite) {
	release := s.beginBlocked()
	ctx, c := s.Context(), s.admin
	var id string
	for ev, err := range c.Messages.Stream(ctx, api.MessageRequest{Message: "When do you open?", User: api.UserInput{ID: "ann"}}) {
		if err == nil {
			if id == "" {
				id = ev.MessageID
				cancelled := ok(c.Messages.Cancel(ctx, id))(s)
				if cancelled.State == "completed" || cancelled.ID != id {
					s.Errorf("Cancel = %+v, want reply %s cancelled", cancelled, id)
				}
			}
			continue
		}
		if e, isError := errors.AsType[*client.Error](err); !isError || e.Code != "turn_cancelled" {
			s.Errorf("the stream of a cancelled reply = error %v, want turn_cancelled", err)
		}
	}
	m := ok(c.Messages.Get(ctx, id))(s)
	if m.State != "cancelled" || m.Reply.ID != "" {
		s.Errorf("a cancelled reply = %+v", m)
	}
	events := ok(c.Messages.Events(ctx, id, nil))(s)
	if n := len(events.Data); !events.Done || n == 0 || events.Data[n-1].Type != "error" || events.Data[n-1].Error.Code != "turn_cancelled" {
		s.Errorf("Events of a cancelled reply = %+v, want an error at the end", events)
	}
	if again := ok(c.Messages.Cancel(ctx, id))(s); again.State != "cancelled" || again.ID != id {
		s.Errorf("Cancel again = %+v, want it as it is: %+v", again, m)
	}

	// A cancelled turn does not stop the next one, nor cancelling late a reply.
	go release()
	next := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?", User: api.UserInput{ID: "ann"}}))(s)
	if next.ConversationID != m.ConversationID || next.Outcome != "answer" {
		s.Errorf("the message after a cancelled one = %+v, want an answer in conversation %s", next, m.ConversationID)
	}
	if late := ok(c.Messages.Cancel(ctx, next.ID))(s); late.State != "completed" || late.Reply.Text != next.Text {
		s.Errorf("Cancel of a complete reply = %+v, want it as it is", late)
	}
	playCancelled(s)
	playDeletedWhileRunning(s)
}

// playCancelled waits for a reply that is cancelled.
func playCancelled(s *suite) {
	ctx, c := s.Context(), s.admin
	end := make(chan error)
	go func() {
		_, err := c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?", User: api.UserInput{ID: "bob"}})
		end <- err
	}()
	id := s.runningReply("bob")
	ok(c.Messages.Cancel(ctx, id))(s)
	if e, isError := errors.AsType[*client.Error](<-end); !isError || e.StatusCode != http.StatusConflict || e.Code != "turn_cancelled" {
		s.Errorf("Create of a cancelled reply = error %v, want turn_cancelled", e)
	}
}

// runningReply waits until a user's reply is being made, and returns its id, which
// no caller knows who waits for the whole of it.
func (s *suite) runningReply(user string) (id string) {
	s.Helper()
	db, err := raw(s.place)
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	for ev, err := range s.desk.Events(s.Context(), "") {
		if err != nil {
			s.Fatal(err)
		}
		if ev.Type != event.MessageReceived {
			continue
		}
		err := each(s.Context(), db, `SELECT reply_id FROM conversations WHERE running = 1 AND user_id = ?`, func(r *sql.Rows) error { return r.Scan(&id) }, user)
		if err != nil {
			s.Fatal(err)
		}
		if id != "" {
			return id
		}
	}
	return ""
}

// playDeletedWhileRunning deletes the conversation of a reply that is being made.
func playDeletedWhileRunning(s *suite) {
	ctx, c := s.Context(), s.admin
	for ev, err := range c.Messages.Stream(ctx, api.MessageRequest{Message: "When do you open?"}) {
		if err != nil {
			if e, isError := errors.AsType[*client.Error](err); !isError || e.Code != "not_found" {
				s.Errorf("the stream of a deleted conversation = error %v, want not_found", err)
			}
			break
		}
		if ev.Type == "message.started" {
			ok(c.Conversations.Delete(ctx, ev.ConversationID))(s)
		}
	}
}

// Messages to a conversation that is answering wait in line; with too many of them
// there, another one is told so.
func playInLine(s *suite) {
	const most, over = 1 + 16, 3 // are answered, one after the other; are told
	release := s.beginBlocked()
	c := s.admin
	go release()
	id := ok(c.Messages.Create(s.Context(), api.MessageRequest{Message: "When do you open?"}))(s).ConversationID
	answers := make(chan *answer)
	for range most + over {
		go func() {
			answers <- c.send(request{method: "POST", path: "/v1/message", body: fields{"message": "When do you open?", "conversation_id": id}})
		}()
	}
	for range over { // nothing was released yet
		if a := <-answers; a.status != http.StatusConflict || a.code() != "turn_in_progress" {
			s.Errorf("a message too many = %d %s, want turn_in_progress", a.status, a.body)
		}
	}
	go func() {
		for range most {
			release()
		}
	}()
	for range most {
		if a := <-answers; a.status != http.StatusOK || a.at("outcome") != "answer" {
			s.Errorf("a message that waited = %d %s, want an answer", a.status, a.body)
		}
	}
	if conversation := ok(c.Conversations.Get(s.Context(), id))(s); conversation.Turns != 1+most || conversation.Running {
		s.Errorf("the conversation is %+v, want %d turns that have ended", conversation, 1+most)
	}
}
