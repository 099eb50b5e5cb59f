package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/server"
)

// A clockwork is a served desk whose time passes at once.
type clockwork struct {
	t       *testing.T
	desk    *answerdesk.Desk
	handler http.Handler
	secret  string
}

// call sends a request with a key.
func (c *clockwork) call(secret, method, path, idempotencyKey, body string) *answer {
	r := httptest.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	if idempotencyKey != "" {
		r.Header.Set("Idempotency-Key", idempotencyKey)
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	return &answer{w.Code, w.Header(), w.Body.Bytes()}
}

// works reports whether a key opens the door, and that what it is told is right.
func (c *clockwork) works(secret string) bool {
	c.t.Helper()
	a := c.call(secret, "GET", "/v1/agents", "", "")
	if a.status != http.StatusOK && (a.status != http.StatusUnauthorized || a.code() != "expired_api_key" || a.header.Get("WWW-Authenticate") == "") {
		c.t.Errorf("a key = %d %s, want 200 or expired_api_key", a.status, a.body)
	}
	return a.status == http.StatusOK
}

func inTime(t *testing.T, f func(c *clockwork)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		desk := agenttest.Desk(t)
		_, secret, err := desk.Keys().Create(t.Context(), access.NewKey{Name: "Full", Scope: access.ScopeFull, Plan: access.PlanUnlimited})
		if err != nil {
			t.Fatal(err)
		}
		f(&clockwork{t, desk, server.New(desk, nil), secret})
	})
}

// A key works until it expires, and one that was rotated until its overlap has
// passed.
func TestKeysRunOut(t *testing.T) {
	inTime(t, func(c *clockwork) {
		expires := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		made := c.call(c.secret, "POST", "/v1/api-keys", "", `{"name": "Hour", "scope": "full", "expires_at": "`+expires+`"}`)
		hour, _ := made.at("secret").(string)
		old := c.call(c.secret, "POST", "/v1/api-keys", "", `{"name": "Old", "scope": "read"}`)
		rotated := c.call(c.secret, "POST", "/v1/api-keys/"+old.at("id").(string)+"/rotate", "", `{"overlap_seconds": 60}`)
		before, after := old.at("secret").(string), rotated.at("secret").(string)
		for _, at := range []struct {
			wait               time.Duration
			hour, before, left bool
		}{
			{0, true, true, true}, {59 * time.Second, true, true, true}, {2 * time.Second, true, false, true},
			{58*time.Minute + 58*time.Second, true, false, true}, {2 * time.Second, false, false, true},
		} {
			time.Sleep(at.wait)
			if c.works(hour) != at.hour || c.works(before) != at.before || c.works(after) != at.left {
				c.t.Errorf("%v later the key of an hour works: %t, the rotated one: %t, its successor: %t; want %t, %t, %t",
					at.wait, c.works(hour), c.works(before), c.works(after), at.hour, at.before, at.left)
			}
		}
		// By default a rotated key goes on for a day.
		rotated = c.call(c.secret, "POST", "/v1/api-keys/"+rotated.at("id").(string)+"/rotate", "", "")
		time.Sleep(24*time.Hour - time.Second)
		if !c.works(after) {
			c.t.Error("a key that was rotated does not work for a day")
		}
		time.Sleep(2 * time.Second)
		if c.works(after) || !c.works(rotated.at("secret").(string)) {
			c.t.Error("a day after the rotation the old key works, or the new one does not")
		}
	})
}

// Requests that have changed nothing do not wait for each other when they are
// repeated.
func TestRepeatedAtOnce(t *testing.T) {
	inTime(t, func(c *clockwork) {
		begun := time.Now()
		for n, r := range []struct {
			path, body string
			status     int
		}{
			{"/v1/message", `{"message": "Hello?", "agent_id": "agt_0000000000000000000000000"}`, http.StatusNotFound},
			{"/v1/content/bulk", `{"items": [{"content": "Nothing."}], "dry_run": true}`, http.StatusOK},
			{"/v1/content/bulk", `{"items": [{"content": " "}]}`, http.StatusOK},
			{"/v1/knowledge/documents", `{"text": " "}`, http.StatusBadRequest},
		} {
			for range 2 {
				if a := c.call(c.secret, "POST", r.path, fmt.Sprint("key-", n), r.body); a.status != r.status {
					c.t.Errorf("POST %s %s = %d %s, want %d", r.path, r.body, a.status, a.body, r.status)
				}
			}
		}
		if took := time.Since(begun); took > time.Second {
			c.t.Errorf("requests that change nothing took %v to repeat: they wait for each other", took)
		}
	})
}

// A request can be repeated for a day; after that it is another one.
func TestReceiptsRunOut(t *testing.T) {
	inTime(t, func(c *clockwork) {
		once := func() *answer { return c.call(c.secret, "POST", "/v1/agents", "once", `{"name": "Zoe"}`) }
		first := once()
		time.Sleep(24*time.Hour - time.Minute)
		if again := once(); again.at("id") != first.at("id") || again.header.Get("Idempotent-Replayed") != "true" {
			c.t.Errorf("within a day = %s, want agent %v again", again.body, first.at("id"))
		}
		time.Sleep(2 * time.Minute)
		if later := once(); later.status != http.StatusCreated || later.at("id") == first.at("id") || later.header.Get("Idempotent-Replayed") != "" {
			c.t.Errorf("after a day = %s, want another agent", later.body)
		}
	})
}
