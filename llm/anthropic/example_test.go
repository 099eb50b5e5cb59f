package anthropic_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/anthropic"
)

func ExampleNew() {
	// In place of the provider: a server that always says the same.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL.Path)
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"We open "}}`+"\n\n")
		io.WriteString(w, `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"at nine."}}`+"\n\n")
		io.WriteString(w, `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":14,"output_tokens":7}}`+"\n\n")
		io.WriteString(w, `data: {"type":"message_stop"}`+"\n\n")
	}))
	defer server.Close()

	m, err := anthropic.New(anthropic.Options{
		BaseURL: server.URL,
		APIKey:  "a-key",
		Model:   "claude-haiku-5-5",
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
	// /v1/messages
	// "We open "
	// "at nine."
	// stop 14 7
}
