package openai_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/openai"
)

func ExampleNewEmbedder() {
	// In place of a server with a model: one that always says the same.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		fmt.Printf("%s %s\n", r.URL.Path, asked)
		io.WriteString(w, `{"data":[{"index":0,"embedding":[0.6,0.8]}],"usage":{"prompt_tokens":7}}`)
	}))
	defer server.Close()

	e, err := openai.NewEmbedder(openai.EmbedderOptions{
		BaseURL:        server.URL + "/v1",
		Model:          "multilingual-e5-small",
		Dimensions:     2,
		QuestionPrefix: "query: ",
		PassagePrefix:  "passage: ",
		Client:         http.DefaultClient, // the server is on this machine
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := e.Embed(context.Background(), llm.Question, []string{"When do you open?"})
	fmt.Println(got.Vectors, got.Tokens, err)
	// Output:
	// /v1/embeddings {"model":"multilingual-e5-small","input":["query: When do you open?"]}
	// [[0.6 0.8]] 7 <nil>
}

func ExampleNew() {
	// In place of a server with a model: one that always says the same.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		fmt.Printf("%s %s\n", r.URL.Path, asked)
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, `data: {"choices":[{"delta":{"content":"We open "}}]}`+"\n\n")
		io.WriteString(w, `data: {"choices":[{"delta":{"content":"at nine."},"finish_reason":"stop"}]}`+"\n\n")
		io.WriteString(w, "data: [DONE]\n\n")
	}))
	defer server.Close()

	m, err := openai.New(openai.Options{
		BaseURL:         server.URL + "/v1",
		Model:           "qwen3",
		NoStreamOptions: true,
		Client:          http.DefaultClient, // the server is on this machine
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	req := llm.Request{Messages: []llm.Message{{Role: llm.User, Text: "When do you open?"}}}
	for ev, err := range m.Generate(context.Background(), req) {
		switch ev := ev.(type) {
		case llm.TextDelta:
			fmt.Printf("%q ", ev.Text)
		case llm.Done:
			fmt.Println(ev.Reason, ev.Model)
		case nil:
			fmt.Println(err)
		}
	}
	// Output:
	// /v1/chat/completions {"messages":[{"role":"user","content":"When do you open?"}],"model":"qwen3","stream":true}
	// "We open " "at nine." stop openai:qwen3
}
