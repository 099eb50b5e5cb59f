package gemini_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/gemini"
)

func ExampleNew() {
	// In place of the provider: a server that always says the same.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL.Path)
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, `data: {"candidates":[{"content":{"parts":[{"text":"We open "}]}}]}`+"\n\n")
		io.WriteString(w, `data: {"candidates":[{"content":{"parts":[{"text":"at nine."}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":14,"candidatesTokenCount":7}}`+"\n\n")
	}))
	defer server.Close()

	m, err := gemini.New(gemini.Options{
		BaseURL: server.URL + "/v1beta",
		APIKey:  "a-key",
		Model:   "gemini-2.5-flash",
		Client:  http.DefaultClient, // the server is on this machine
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := m.Generate(context.Background(), llm.Request{
		Messages: []llm.Message{{Role: llm.User, Text: "When do you open?"}},
	})
	for ev, err := range answer {
		switch ev := ev.(type) {
		case llm.TextDelta:
			fmt.Printf("%q\n", ev.Text)
		case llm.Done:
			fmt.Println(ev.Reason, ev.Usage.Input, ev.Usage.Output)
		case nil:
			fmt.Println(err)
		}
	}
	// Output:
	// /v1beta/models/gemini-2.5-flash:streamGenerateContent
	// "We open "
	// "at nine."
	// stop 14 7
}
