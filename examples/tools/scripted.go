package main

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

var orderNumber = regexp.MustCompile(`[A-Z]-\d+`)

// scripted is a model that does as one would in this example, without a network: it
// calls the tool that the question is about, and says what came of it.
func scripted() llm.Model {
	return llmtest.Reply(func(r llm.Request) llmtest.Answer {
		last := r.Messages[len(r.Messages)-1]
		if len(last.Results) > 0 {
			return llmtest.Say(outcome(last.Results[0].Content))
		}
		order := orderNumber.FindString(last.Text)
		switch {
		case order == "":
			return llmtest.Say("Which order do you mean?")
		case strings.Contains(strings.ToLower(last.Text), "cancel"):
			return llmtest.Call("cancel_order", map[string]string{"order_id": order})
		}
		return llmtest.Call("order_status", map[string]string{"order_id": order})
	})
}

// outcome is the sentence in a result.
func outcome(result string) string {
	if found := regexp.MustCompile(`"(?:[^"\\]|\\.)*\."`).FindString(result); found != "" {
		var sentence string
		if json.Unmarshal([]byte(found), &sentence) == nil {
			return sentence
		}
	}
	return "I could not do that."
}
