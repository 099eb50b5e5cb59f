package server_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server"
	"github.com/answerdesk-go/answerdesk/store"
)

// A process that is lost between the creation of an agent and that of its website
// leaves a receipt that names the agent: the same request, made again, adds what is
// missing, and no second agent.
func TestAgentOfWebsiteIsFinished(t *testing.T) {
	h := open(t, nil, nil)
	const body = `{"name":"House","website_url":"https://house.example"}`
	p, err := h.desk.Authenticate(t.Context(), h.key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	claim, err := h.desk.Claim(t.Context(), store.ReceiptClaim{Scope: p.ID + " POST /v1/agents", Key: "house", Hash: sum[:], Lease: time.Minute, Keep: time.Hour})
	if err != nil || !claim.Claimed {
		t.Fatalf("Claim = %+v, %v", claim, err)
	}
	claim.Receipt.Company = h.desk.ID()
	begun, err := h.desk.By(store.Request{Actor: p.ID, Receipt: &claim.Receipt, More: true}).Agents().Create(t.Context(), agent.Settings{Name: "House", WebsiteURL: "https://house.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.desk.Abandon(t.Context(), claim.Receipt); err != nil { // its lease has run out
		t.Fatal(err)
	}
	for _, replayed := range []string{"", "true"} {
		var got struct {
			ID, Status string
			WebsiteID  string `json:"website_id"`
		}
		a := h.do(t, "POST", "/v1/agents", body, "Idempotency-Key", "house")
		a.read(t, 201, &got)
		if got.ID != begun.ID || got.WebsiteID == "" || got.Status != "training" || a.Header().Get("Idempotent-Replayed") != replayed {
			t.Errorf("the request again = %+v with %v, want agent %s with its website", got, a.Header(), begun.ID)
		}
	}
	sites, err := h.desk.Knowledge().Websites(t.Context(), begun.ID, store.Page{})
	if err != nil || len(sites.Data) != 1 {
		t.Errorf("the agent has the websites %+v, %v, want one", sites.Data, err)
	}
	agents, err := h.desk.Agents().List(t.Context(), store.Page{})
	if err != nil || len(agents.Data) != 2 {
		t.Errorf("there are the agents %+v, %v, want two", agents.Data, err)
	}
}

// A target error takes the place of the threshold, over HTTP too: the settings show
// both, of which one is stored, and who would set the other is told how.
func TestTargetError(t *testing.T) {
	h := open(t, nil, nil)
	type settings struct {
		Threshold   float64
		TargetError float64 `json:"target_error"`
	}
	const one = "cannot stand beside threshold: give one of the two"
	h.do(t, "POST", "/v1/agents", `{"name":"Both","threshold":0.9,"target_error":0.1}`).refuses(t, "target_error", one)
	var made struct {
		ID string
		settings
	}
	h.do(t, "POST", "/v1/agents", `{"name":"House","target_error":0.25}`).read(t, 201, &made)
	if want := (settings{TargetError: 0.25}); made.settings != want {
		t.Errorf("the agent made has %+v, want %+v", made.settings, want)
	}
	path := "/v1/agents/" + made.ID + "/settings"
	for _, tt := range []struct {
		body   string
		want   settings // afterwards
		field  string   // of the error, if it is refused
		reason string
	}{
		{`{"industry":"Retail"}`, settings{0.75, 0.25}, "", ""},
		{`{"threshold":0.9}`, settings{0.75, 0.25}, "threshold", "cannot be set while target_error is: set target_error to null as well"},
		{`{"threshold":0.9,"target_error":null}`, settings{Threshold: 0.9}, "", ""},
		{`{"target_error":0.25}`, settings{Threshold: 0.9}, "target_error", "cannot be set while threshold is: set threshold to null as well"},
		{`{"threshold":0.75,"target_error":0.25}`, settings{Threshold: 0.9}, "target_error", one},
		{`{"threshold":null,"target_error":0.125}`, settings{0.875, 0.125}, "", ""},
		{`{"target_error":0}`, settings{0.875, 0.125}, "target_error", "must be more than 0"},
		{`{"target_error":1}`, settings{0.875, 0.125}, "target_error", "must be less than 1"},
		{`{"target_error":null}`, settings{Threshold: agent.DefaultThreshold}, "", ""},
		{`{"target_error":0.875}`, settings{0.125, 0.875}, "", ""},
	} {
		a := h.do(t, "PUT", path, tt.body)
		if tt.field != "" {
			a.refuses(t, tt.field, tt.reason)
		} else if a.Code != 200 {
			t.Errorf("PUT of %s = %d %s, want 200", tt.body, a.Code, a.body)
		}
		var got settings
		if h.do(t, "GET", path, "").read(t, 200, &got); got != tt.want {
			t.Errorf("after %s the settings are %+v, want %+v", tt.body, got, tt.want)
		}
	}
	var reply struct{ Confidence struct{ Threshold float64 } }
	h.do(t, "POST", "/v1/message", `{"message":"When do you open?","agent_id":"`+made.ID+`"}`).read(t, 200, &reply)
	if reply.Confidence.Threshold != 0.125 {
		t.Errorf("a reply has the threshold %v, want .125", reply.Confidence.Threshold)
	}
}

// refuses checks that a request was refused for a field.
func (a answer) refuses(t *testing.T, field, reason string) {
	t.Helper()
	p := a.is(t, 400, "invalid_request")
	if p.Details["field"] != field || !strings.Contains(p.Message, reason) {
		t.Errorf("the answer is %s, want an error of %s: %s", a.body, field, reason)
	}
}

// A customer may have any id, also one that looks like a path.
func TestUserOfAnyID(t *testing.T) {
	h := open(t, nil, nil)
	h.do(t, "POST", "/v1/message", `{"message":"When do you open?","user":{"id":"shop/ada ?#%"}}`).read(t, 200, nil)
	c := server.Client(h.desk, access.Principal{ID: "ada", Company: h.desk.ID(), Scope: access.ScopeFull, Plan: access.PlanUnlimited})
	got, err := c.Users.Get(t.Context(), "shop/ada ?#%")
	if err != nil || got.ID != "shop/ada ?#%" || got.Messages != 2 {
		t.Errorf("Get = %+v, %v, want the customer with two messages", got, err)
	}
}
