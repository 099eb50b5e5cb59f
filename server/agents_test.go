package server_test

import (
	"crypto/sha256"
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
