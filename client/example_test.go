package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/oapi-codegen/nullable"
)

// deployment stands in for a deployment: it gives the answers of the examples.
func deployment() *httptest.Server {
	answers := map[string]string{
		"POST /v1/message":                    `{"id":"msg_2","conversation_id":"conv_1","text":"We open at nine.","outcome":"answer","citations":[{"title":"Hours","quote":"We open at nine."}]}`,
		"POST /v1/messages/msg_2/feedback":    `{"message_id":"msg_2","rating":"up"}`,
		"GET /v1/conversations":               `{"data":[{"id":"conv_2","turns":1}],"has_more":true,"next_cursor":"2"}`,
		"GET /v1/conversations?cursor=2":      `{"data":[{"id":"conv_1","turns":3}],"has_more":false}`,
		"POST /v1/agents":                     `{"id":"agt_2","name":"Front desk"}`,
		"PUT /v1/agents/agt_2/settings":       `{"name":"Front desk","threshold":0.7,"languages":["en"]}`,
		"POST /v1/knowledge/documents":        `{"id":"doc_1","title":"Hours","version":1}`,
		"GET /v1/knowledge/documents/doc_1":   `{"id":"doc_1","title":"Hours","version":1,"text":"We open at nine."}`,
		"PATCH /v1/knowledge/documents/doc_1": `{"id":"doc_1","title":"Opening hours","version":1}`,
		"POST /v1/knowledge/files":            `{"document":{"id":"doc_3","title":"Returns"}}`,
		"POST /v1/knowledge/qa-pairs":         `{"data":[{"id":"doc_4","question":"Do you deliver?"}]}`,
		"POST /v1/knowledge/search":           `{"data":[{"document_id":"doc_1","title":"Hours","text":"We open at nine."}],"confidence":{"score":0.9,"calibrated":false,"reasons":[]}}`,
		"POST /v1/content/bulk":               `{"results":[{"index":0,"status":"created","id":"doc_5"},{"index":1,"status":"failed","error":{"code":"invalid_request"}}],"created":1,"failed":1}`,
		"POST /v1/api-keys":                   `{"id":"key_2","name":"Web shop","secret":"sk_shown_once"}`,
		"POST /v1/companies":                  `{"id":"cmp_2","name":"Bakery"}`,
		"GET /v1/audit-log":                   `{"data":[{"action":"key.create","actor":"key_1","object_id":"key_2"}],"has_more":false}`,
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/v1/message/stream" {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, strings.Join(events, ""))
			return
		}
		answer := answers[r.Method+" "+r.URL.String()]
		if answer == "" {
			w.WriteHeader(http.StatusNotFound)
			answer = `{"error":{"code":"not_found","message":"there is no such thing","details":{},"request_id":"req_1"}}`
		}
		w.Header().Set("ETag", `"1"`)
		io.WriteString(w, answer)
	}))
}

func Example() {
	server := deployment()
	defer server.Close()
	ctx := context.Background()

	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	reply, err := c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text)
	for _, cited := range reply.Citations {
		fmt.Printf("from %q: %s\n", cited.Title, cited.Quote)
	}
	// Output:
	// We open at nine.
	// from "Hours": We open at nine.
}

func ExampleError() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = c.Knowledge.Documents.Delete(context.Background(), "doc_404")
	if errors.Is(err, client.ErrNotFound) {
		fmt.Println("it is gone already")
	}
	if e, ok := errors.AsType[*client.Error](err); ok {
		fmt.Println(e.Code, e.RequestID)
	}
	fmt.Println(err)
	// Output:
	// it is gone already
	// not_found req_1
	// client: deleteDocument: 404 not_found: there is no such thing (request req_1)
}

func ExampleMessages_Stream() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	for ev, err := range c.Messages.Stream(context.Background(), api.MessageRequest{Message: "When do you open?"}) {
		if err != nil {
			log.Fatal(err)
		}
		switch ev.Type {
		case "text.delta":
			fmt.Print(ev.Delta)
		case "message.replaced":
			fmt.Print("\r", ev.Text)
		case "message.completed":
			fmt.Println("\nwhole:", ev.Reply.Text)
		}
	}
	// Output:
	// At nine.
	// whole: At nine.
}

func ExampleAccumulate() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	reply, err := client.Accumulate(c.Messages.Stream(context.Background(), api.MessageRequest{Message: "When do you open?"}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text)
	// Output: At nine.
}

func ExampleMessages_Feedback() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	feedback, err := c.Messages.Feedback(context.Background(), "msg_2", api.FeedbackRequest{Rating: api.RatingUp})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(feedback.Rating)
	// Output: up
}

func ExampleConversations_All() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	for conv, err := range c.Conversations.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(conv.ID, conv.Turns)
	}
	// Output:
	// conv_2 1
	// conv_1 3
}

func ExampleAgents() {
	server := deployment()
	defer server.Close()
	ctx := context.Background()
	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	agent, err := c.Agents.Create(ctx, api.AgentRequest{Name: "Front desk", Threshold: new(0.6)})
	if err != nil {
		log.Fatal(err)
	}
	settings, err := c.Agents.UpdateSettings(ctx, agent.ID, api.AgentSettingsPatch{
		Threshold:    nullable.NewNullableWithValue(0.7), // set
		FallbackText: nullable.NewNullNullable[string](), // back to the default
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(settings.Name, settings.Threshold)
	// Output: Front desk 0.7
}

func ExampleDocuments() {
	server := deployment()
	defer server.Close()
	ctx := context.Background()
	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	doc, err := c.Knowledge.Documents.Create(ctx, api.DocumentRequest{Title: "Hours", Text: "We open at nine.", ExternalID: "hours"})
	if err != nil {
		log.Fatal(err)
	}
	// Change it only if nobody else has since it was read.
	var resp *http.Response
	if _, err = c.Knowledge.Documents.Get(ctx, doc.ID, client.WithResponse(&resp)); err != nil {
		log.Fatal(err)
	}
	doc, err = c.Knowledge.Documents.Update(ctx, doc.ID, api.DocumentPatch{Title: nullable.NewNullableWithValue("Opening hours")},
		client.WithIfMatch(resp.Header.Get("ETag")))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(doc.ID, doc.Title)
	// Output: doc_1 Opening hours
}

func ExampleFiles_Upload() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	file := client.FileFromBytes("returns.md", []byte("# Returns\n\nWithin 30 days.")) // or FileFromPath("returns.md")
	receipt, err := c.Knowledge.Files.Upload(context.Background(), file, &client.FileFields{ExternalID: "returns"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(receipt.Document.ID, receipt.Document.Title)
	// Output: doc_3 Returns
}

func ExampleQAPairs_Create() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	pairs, err := c.Knowledge.QAPairs.Create(context.Background(), api.QAPairsRequest{Question: "Do you deliver?", Answer: "Yes, within the city."})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pairs.Data[0].ID, pairs.Data[0].Question)
	// Output: doc_4 Do you deliver?
}

func ExampleKnowledge_Search() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	found, err := c.Knowledge.Search(context.Background(), api.SearchRequest{Query: "opening hours", Limit: new(int32(3))})
	if err != nil {
		log.Fatal(err)
	}
	for _, hit := range found.Data {
		fmt.Println(hit.Title, "-", hit.Text)
	}
	// Output: Hours - We open at nine.
}

func ExampleContent_Bulk() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_your_key"))
	if err != nil {
		log.Fatal(err)
	}
	result, err := c.Content.Bulk(context.Background(), api.BulkRequest{Items: []api.BulkItem{
		{Content: "We open at nine.", ExternalID: "hours"},
		{Content: "", ExternalID: "empty"},
	}}, client.WithIdempotencyKey("import-2026-11-21"))
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range result.Results {
		fmt.Println(r.Index, r.Status)
	}
	// Output:
	// 0 created
	// 1 failed
}

func ExampleAPIKeys_Create() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_full_key"))
	if err != nil {
		log.Fatal(err)
	}
	key, err := c.APIKeys.Create(context.Background(), api.APIKeyRequest{Name: "Web shop", Scope: api.ScopeWrite})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.ID, key.Name, len(key.Secret) > 0)
	// Output: key_2 Web shop true
}

func ExampleCompanies_Create() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_operators_key"))
	if err != nil {
		log.Fatal(err)
	}
	company, err := c.Companies.Create(context.Background(), api.CompanyRequest{Name: "Bakery"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(company.ID, company.Name)
	// Output: cmp_2 Bakery
}

func ExampleAuditLog_All() {
	server := deployment()
	defer server.Close()
	c, err := client.New(server.URL, client.WithAPIKey("adk_full_key"))
	if err != nil {
		log.Fatal(err)
	}
	for entry, err := range c.AuditLog.All(context.Background(), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(entry.Actor, entry.Action, entry.ObjectID)
	}
	// Output: key_1 key.create key_2
}

func ExampleNew() {
	c, err := client.New("https://desk.example.com",
		client.WithAPIKey("adk_your_key"),
		client.WithUserAgent("shop/2.1"),
		client.WithMaxRetries(4),
		client.WithAttemptTimeout(20*time.Second),
		client.WithRateLimit(10, 20),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c)
	// Output: answerdesk client of https://desk.example.com/
}
