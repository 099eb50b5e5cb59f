package generative_test

import (
	"context"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
	"github.com/answerdesk-go/answerdesk/store"
)

var shop = knowledge.Document{Title: "Hours", Text: "We open at nine in the morning. On Sundays we stay closed. The shop is in Vienna."}

// The whole way through a desk: a reply that a model wrote is stored with checked
// citations, what it took is on record, and it is told as it is stored.
func TestDesk(t *testing.T) {
	m := llmtest.NewScript(llmtest.Say("Happy to help! We open at 9 am [1]. Our boss is Maria Lopez [1]. On Sundays we are closed [1]."))
	m.DeltaRunes = 3
	desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: generative.New(m, nil)}, shop)
	var streamed strings.Builder
	var reply agent.Reply
	for ev, err := range desk.Agent("").Stream(t.Context(), agent.Message{Text: "When do you open?"}) {
		if err != nil {
			t.Fatal(err)
		}
		streamed.WriteString(ev.Delta)
		if ev.Reply != nil {
			reply = *ev.Reply
		}
	}
	const want = "Happy to help! We open at 9 am. On Sundays we are closed."
	if reply.Text != want || streamed.String() != want || reply.Outcome != agent.Answer || len(reply.Citations) != 2 || reply.Usage.ModelCalls != 1 {
		t.Fatalf("the reply is %+v, streamed as %q, want %q with two citations and one answer of a model", reply, streamed.String(), want)
	}
	for i, claim := range []string{"We open at 9 am.", "On Sundays we are closed."} {
		if c := reply.Citations[i]; reply.Text[c.ClaimStart:c.ClaimEnd] != claim {
			t.Errorf("citation %d is of %q, want %q", i, reply.Text[c.ClaimStart:c.ClaimEnd], claim)
		}
	}
}

type place struct {
	City string `json:"city"`
}

func TestAskFor(t *testing.T) {
	m := llmtest.NewScript(llmtest.Say(`{"text":"The shop is in Vienna [1].","data":{"city":"Vienna"}}`), llmtest.Say(`{"text":"NO_ANSWER","data":{"city":""}}`))
	desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: generative.New(m, nil)}, shop)
	got, reply, err := agent.AskFor[place](t.Context(), desk.Agent(""), agent.Message{Text: "Where is the shop?"})
	if err != nil || got.City != "Vienna" || reply.Text != "The shop is in Vienna." {
		t.Errorf("AskFor = %+v, %q, %v, want Vienna", got, reply.Text, err)
	}
	got, reply, err = agent.AskFor[place](t.Context(), desk.Agent(""), agent.Message{Text: "Where is the shop?"})
	if err != nil || got != (place{}) || reply.Outcome != agent.Refuse {
		t.Errorf("AskFor of what is refused = %+v, %s, %v", got, reply.Outcome, err)
	}
	if _, _, err := agent.AskFor[chan int](t.Context(), desk.Agent(""), agent.Message{Text: "Where is the shop?"}); err == nil {
		t.Error("AskFor of a channel is no error")
	}
	keyless := agenttest.Desk(t, shop)
	if _, reply, err := agent.AskFor[place](t.Context(), keyless.Agent(""), agent.Message{Text: "Where is the shop?"}); err == nil || reply.Outcome != agent.Answer {
		t.Errorf("AskFor without a model = %s, %v, want an answer, and that it has no data", reply.Outcome, err)
	}
}

// A follow-up is searched for as the model says it; if it says nonsense, with the words
// before it.
func TestFollowUp(t *testing.T) {
	m := llmtest.Reply(func(req llm.Request) llmtest.Answer {
		switch {
		case !strings.HasPrefix(req.Instructions, "You make the last message"):
			return llmtest.Say("On Sundays we are closed [1].")
		case strings.HasSuffix(req.Messages[0].Text, "holidays?\n</conversation>"):
			return llmtest.Say("???")
		}
		return llmtest.Say("When do you open on Sundays?")
	})
	desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: generative.New(m, nil)}, shop)
	first, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: "When do you open?"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range [][2]string{{"and on Sundays?", "When do you open on Sundays?"}, {"and on holidays?", "When do you open? and on Sundays? and on holidays?"}} {
		text, want := tt[0], tt[1]
		reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: text, ConversationID: first.ConversationID})
		if err != nil {
			t.Fatal(err)
		}
		why, err := desk.Conversations().Explain(t.Context(), reply.ID)
		if err != nil || why.Query != want || !why.Rewritten {
			t.Errorf("%q is searched as %q (%v), %v, want %q", text, why.Query, why.Rewritten, err, want)
		}
	}
}

// What a summary holds of a document is gone from the store with the document.
func TestSummaryGoes(t *testing.T) {
	m := llmtest.Reply(func(req llm.Request) llmtest.Answer {
		if strings.HasPrefix(req.Instructions, "You sum up") {
			return llmtest.Say("The customer was told: at nine.")
		}
		if strings.HasPrefix(req.Instructions, "You make the last message") {
			return llmtest.Say("When do you open in the morning?")
		}
		return llmtest.Say("We open at 9 am [1].")
	})
	desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: generative.New(m, &generative.Options{ContextTokens: 40, Fallback: extractive.New(nil)})}, shop)
	conversation, with := "", 0
	for range 5 {
		reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: "When do you open in the morning?", ConversationID: conversation})
		if err != nil {
			t.Fatal(err)
		}
		if reply.Outcome != agent.Answer {
			t.Fatalf("the reply is %s %q, want an answer", reply.Outcome, reply.Text)
		}
		if conversation = reply.ConversationID; reply.Summary != nil {
			with++
		}
	}
	if with == 0 {
		t.Fatal("no reply has a summary: the test proves nothing")
	}
	docs, err := desk.Knowledge().List(t.Context(), knowledge.Filter{}, store.Page{})
	if err != nil || len(docs.Data) != 1 {
		t.Fatalf("List = %d documents, %v", len(docs.Data), err)
	}
	if _, err := desk.Knowledge().Delete(t.Context(), docs.Data[0].ID); err != nil {
		t.Fatal(err)
	}
	messages, err := desk.Conversations().Messages(t.Context(), conversation, store.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, msg := range messages.Data {
		if msg.Reply != nil && (msg.Reply.Summary != nil || strings.Contains(msg.Text, "9 am")) {
			t.Errorf("reply %q has the summary %+v after the delete", msg.Text, msg.Reply.Summary)
		}
	}
}

// A turn that is cancelled ends the request to the model.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	m := llmtest.NewScript(llmtest.Say("We open at 9 am [1]. And ").Until(release))
	desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: generative.New(m, nil)}, shop)
	for ev, err := range desk.Agent("").Stream(ctx, agent.Message{Text: "When do you open?"}) {
		if err != nil {
			break
		}
		if ev.Delta != "" {
			cancel()
		}
	}
	cancel()
}
