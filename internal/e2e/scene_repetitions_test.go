package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// repeatable are the operations that take an Idempotency-Key.
func (c *contract) repeatable() (out []operation) {
	for _, o := range c.operations {
		if o.takes("Idempotency-Key") {
			out = append(out, o)
		}
	}
	return out
}

// same is what two answers to the same request have in common: a secret is shown
// once, and of the events of a reply the last one counts.
func same(a *answer) map[string]any {
	body := a.json()
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/event-stream") {
		events, _ := eventsIn(a.body)
		body = map[string]any{}
		if len(events) > 0 {
			_ = json.Unmarshal([]byte(events[len(events)-1].Data), &body)
		}
		delete(body, "sequence")
	}
	delete(body, "secret")
	return map[string]any{"status": a.status, "body": body, "location": a.header.Get("Location"), "etag": a.header.Get("ETag")}
}

// count is how many items a list has.
func (c *caller) count(path string) int {
	c.s.Helper()
	items, next := c.page(path, url.Values{"limit": {"100"}})
	if next != "" {
		c.s.Fatalf("%s has more than 100 items", path)
	}
	return len(items)
}

// A request that is repeated with its key gets the answer it got, whatever it
// asked for, and nothing is done twice: one after the other, at once, and after
// the process was started anew.
func playRepetitions(s *suite) {
	s.begin(nil)
	x := furnish(s.admin, s.desk.ID(), "cuckoo")
	type done struct {
		operation operation
		request   request
		answer    *answer
		effect    int
	}
	var all []done
	for _, o := range s.contract.repeatable() {
		sm := samples[o.id]
		if o.id == "uploadAttachment" { // which nothing lists: see playAttachments
			continue
		}
		if sm.other == nil || sm.made == "" {
			s.Errorf("%s has no sample of another request, or of what it makes: add one", o.id)
			continue
		}
		r := o.request(withKey(s, x))
		r.header["Idempotency-Key"] = "the-same-key-for-all" // it belongs to the path
		before := s.admin.count(sm.made)
		first := s.admin.send(r)
		effect := s.admin.count(sm.made) - before
		if first.status >= 300 || effect == 0 || first.header.Get("Idempotent-Replayed") != "" {
			s.Errorf("%s = %d %s with %v, and %d more in %s", o.id, first.status, first.body, first.header, effect, sm.made)
			continue
		}
		again := s.admin.send(r)
		wantRepeated(s, o, again, first)
		other := o.otherRequest(x)
		other.path, other.header = r.path, r.header
		s.admin.wantError(http.StatusConflict, "idempotency_key_reused", "Idempotency-Key", other)
		if now := s.admin.count(sm.made); now != before+effect {
			s.Errorf("%s was repeated: %s has %d items, want %d", o.id, sm.made, now, before+effect)
		}
		all = append(all, done{o, r, first, effect})
		repeatAtOnce(s, o, x, effect)
	}

	// Who has another key does it once more.
	full := s.callerOf(s.desk.ID(), access.ScopeFull)
	for _, d := range all {
		if d.operation.id == "rotateAPIKey" {
			continue // which cannot be done again
		}
		before := s.admin.count(samples[d.operation.id].made)
		if a := full.send(d.request); a.status >= 300 || a.header.Get("Idempotent-Replayed") != "" {
			s.Errorf("%s with the Idempotency-Key of another API key = %d %s, %v, want it to be done", d.operation.id, a.status, a.body, a.header)
		}
		if now := s.admin.count(samples[d.operation.id].made); now != before+d.effect {
			s.Errorf("%s with another API key made %d, want %d", d.operation.id, now-before, d.effect)
		}
	}

	s.restart()
	for _, d := range all {
		if d.operation.id == "createContentBulk" { // its answer tells the revision of the knowledge as it is now
			continue
		}
		wantRepeated(s, d.operation, s.admin.send(d.request), d.answer)
	}
	repeatNothing(s)

	// What was made and is gone is not made again.
	for _, d := range all {
		id, _ := d.answer.at("id").(string)
		var err error
		switch d.operation.id {
		case "createAgent":
			_, err = s.desk.Agents().Delete(s.Context(), id)
		case "createCompany":
			err = s.desk.Companies().Delete(s.Context(), id)
		case "createAPIKey":
			err = s.desk.Keys().Revoke(s.Context(), id)
		case "createWebsite":
			_, err = s.desk.Knowledge().DeleteWebsite(s.Context(), id)
		case "createAPISource":
			_, err = s.desk.Knowledge().DeleteAPISource(s.Context(), id)
		case "createDocument", "createContent":
			_, err = s.desk.Knowledge().Delete(s.Context(), id)
		default:
			continue
		}
		if err != nil {
			s.Errorf("delete what %s made: %v", d.operation.id, err)
		}
		s.admin.wantError(http.StatusNotFound, "not_found", "", d.request)
	}
}

// withKey returns the things with a new API key, since one can be rotated once.
func withKey(s *suite, x *things) *things {
	s.Helper()
	k, _, err := s.desk.Keys().Create(s.Context(), access.NewKey{Name: "Spare", Scope: access.ScopeRead})
	if err != nil {
		s.Fatal(err)
	}
	fresh := *x
	fresh.key = k.ID
	return &fresh
}

// wantRepeated compares the answer to a request that was repeated with the first.
func wantRepeated(s *suite, o operation, again, first *answer) {
	s.Helper()
	if got, want := same(again), same(first); !reflect.DeepEqual(got, want) {
		s.Errorf("%s repeated = %v, want %v", o.id, got, want)
	}
	if again.header.Get("Idempotent-Replayed") != "true" {
		s.Errorf("%s repeated has the headers %v, want Idempotent-Replayed", o.id, again.header)
	}
	if _, shown := first.json()["secret"]; shown && (first.at("secret") == nil || again.at("secret") != nil) {
		s.Errorf("%s shows the secret %v, and repeated %v, want it once", o.id, first.at("secret"), again.at("secret"))
	}
}

// repeatAtOnce sends a request eight times at the same moment.
func repeatAtOnce(s *suite, o operation, x *things, effect int) {
	s.Helper()
	r := o.request(withKey(s, x))
	r.header["Idempotency-Key"] = "at-once"
	before := s.admin.count(samples[o.id].made)
	answers := atOnce(8, func() *answer { return s.admin.send(r) })
	if now := s.admin.count(samples[o.id].made); now != before+effect {
		s.Errorf("%s sent eight times at once made %d, want %d", o.id, now-before, effect)
	}
	first := slices.IndexFunc(answers, func(a *answer) bool { return a.header.Get("Idempotent-Replayed") == "" })
	if first < 0 {
		s.Errorf("%s: all of eight answers say that they are repeated", o.id)
		return
	}
	for i, a := range answers {
		if i != first {
			wantRepeated(s, o, a, answers[first])
		}
	}
}

// atOnce calls f n times at the same moment and returns what it returned.
func atOnce(n int, f func() *answer) []*answer {
	out := make([]*answer, n)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			out[i] = f()
		})
	}
	close(begin)
	wg.Wait()
	return out
}

// repeatNothing repeats requests that have changed nothing, and puts one right that
// was refused. (TestRepeatedAtOnce has that none waits for the other.)
func repeatNothing(s *suite) {
	c := s.admin
	for name, r := range map[string]request{
		"an agent that is not there": {method: "POST", path: "/v1/message", body: fields{"message": "Hello?", "agent_id": never().agent}},
		"a dry run":                  {method: "POST", path: "/v1/content/bulk", body: fields{"items": []any{fields{"content": "Nothing."}}, "dry_run": true}},
		"a document as it is":        {method: "POST", path: "/v1/knowledge/documents", body: fields{"text": "The same.", "external_id": "same"}},
		"a bulk as it is":            {method: "POST", path: "/v1/content/bulk", body: fields{"items": []any{fields{"content": "The same.", "external_id": "same"}}}},
		"a bulk that fails":          {method: "POST", path: "/v1/content/bulk", body: fields{"items": []any{fields{"content": " "}}}},
	} {
		if strings.Contains(name, "as it is") {
			c.send(r)
		}
		r.header = map[string]string{"Idempotency-Key": strings.ReplaceAll(name, " ", "-")}
		first, again := c.send(r), c.send(r)
		if !reflect.DeepEqual(withoutRequest(same(first)), withoutRequest(same(again))) {
			s.Errorf("%s repeated = %v, want %v", name, same(again), same(first))
		}
	}
	wrong := request{method: "POST", path: "/v1/agents", header: map[string]string{"Idempotency-Key": "put-right"}, body: fields{"name": "Zoe", "website_url": "nowhere"}}
	c.wantError(http.StatusBadRequest, "invalid_request", "website_url", wrong)
	wrong.body = fields{"name": "Zoe"}
	c.want(http.StatusCreated, wrong)
}

// withoutRequest takes the ids of requests out of what errors say.
func withoutRequest(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "request_id")
		for _, e := range v {
			withoutRequest(e)
		}
	case []any:
		for _, e := range v {
			withoutRequest(e)
		}
	}
	return v
}

// A request that comes while the same one is served gets its answer, without one
// of its own: the reply is made once, and a stream is joined where it is.
func playAttached(s *suite) {
	release := s.beginBlocked()
	ctx, c := s.Context(), s.admin
	for _, path := range []string{"/v1/message", "/v1/message/stream"} {
		r := request{method: "POST", path: path, header: map[string]string{"Idempotency-Key": "once"}, body: fields{"message": "When do you open?"}}
		before := c.count("/v1/conversations")
		go release()
		answers := atOnce(5, func() *answer { return c.send(r) })
		for _, a := range answers {
			if a.status != http.StatusOK || !reflect.DeepEqual(same(a), same(answers[0])) {
				s.Errorf("POST %s = %v, want %v", path, same(a), same(answers[0]))
			}
		}
		if now := c.count("/v1/conversations"); now != before+1 {
			s.Errorf("POST %s five times at once began %d conversations, want one", path, now-before)
		}
	}

	// The typed client can say the key, and take up what it began.
	stream := func() []api.StreamEvent {
		var got []api.StreamEvent
		for ev, err := range c.Messages.Stream(ctx, api.MessageRequest{Message: "When do you open?"}, client.WithIdempotencyKey("typed")) {
			if err != nil {
				s.Errorf("Stream = error %v", err)
				break
			}
			got = append(got, ev)
			if ev.Type == "text.delta" && strings.HasSuffix(shownBy(got), "moment. ") {
				go release()
				break
			}
		}
		return got
	}
	begun, joined := stream(), []api.StreamEvent(nil)
	for ev, err := range c.Messages.Stream(ctx, api.MessageRequest{Message: "When do you open?"}, client.WithIdempotencyKey("typed")) {
		if err != nil {
			s.Fatalf("Stream again = error %v", err)
		}
		joined = append(joined, ev)
	}
	end := joined[len(joined)-1]
	if end.Type != "message.completed" || end.MessageID != begun[0].MessageID {
		s.Errorf("the stream with the same key ends with %+v, want the reply %s", end, begun[0].MessageID)
	}
}
