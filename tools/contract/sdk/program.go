//go:build ignore

// Asks a server of the contract with the Go client generated from it: the server
// of ANSWERDESK_URL, with the key of ANSWERDESK_KEY. sdks.sh puts it beside that
// client.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"strings"

	"example.com/sdk/api"
)

const (
	text     = "The shop opens at nine in the morning from Monday to Saturday."
	question = "When does the shop open?"
)

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	client, err := api.NewClientWithResponses(os.Getenv("ANSWERDESK_URL"), api.WithRequestEditorFn(
		func(_ context.Context, req *http.Request) error {
			req.Header.Set("Authorization", "Bearer "+os.Getenv("ANSWERDESK_KEY"))
			return nil
		}))
	check(err == nil, err)

	agents, err := client.ListAgentsWithResponse(ctx, &api.ListAgentsParams{Limit: new(int32(5))})
	check(err == nil && agents.JSON200 != nil, err, agents)
	check(len(agents.JSON200.Data) > 0, "there is no agent")
	fmt.Println("agents:", len(agents.JSON200.Data), agents.JSON200.Data[0].Name)

	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "hours.txt")
	check(err == nil, err)
	file.Write([]byte(text))
	form.WriteField("title", "Opening hours")
	form.WriteField("external_id", "sdk-go")
	form.WriteField("metadata", `{"from": "go"}`)
	check(form.Close() == nil)
	upload, err := client.UploadFileWithBodyWithResponse(ctx, &api.UploadFileParams{}, form.FormDataContentType(), &body)
	check(err == nil && upload.JSON202 != nil, err, upload)
	document := upload.JSON202.Document
	check(document.Title == "Opening hours" && document.Metadata["from"] == "go", document)
	fmt.Println("uploaded:", document.ID, document.Kind)

	reply, err := client.CreateMessageWithResponse(ctx, &api.CreateMessageParams{}, api.MessageRequest{
		Message:  question,
		User:     api.UserInput{ID: "sdk-go"},
		Metadata: api.MetadataInput{"from": "go"},
	})
	check(err == nil && reply.JSON200 != nil, err, reply)
	checkReply(reply.JSON200, document.ID)
	fmt.Println("reply:", reply.JSON200.Outcome, reply.JSON200.Confidence.Score, reply.JSON200.Text)

	res, err := client.StreamMessage(ctx, &api.StreamMessageParams{}, api.MessageRequest{Message: question})
	check(err == nil && res.StatusCode == http.StatusOK, err)
	defer res.Body.Close()
	var shown string
	var last api.StreamEvent
	events := 0
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			last = api.StreamEvent{}
			check(json.Unmarshal([]byte(data), &last) == nil, data)
			events++
			shown += last.Delta
		}
	}
	check(last.Type == "message.completed" && shown == last.Reply.Text, last)
	checkReply(&last.Reply, document.ID)
	fmt.Println("streamed:", events, "events", shown)

	receipt, err := client.DeleteDocumentWithResponse(ctx, document.ID)
	check(err == nil && receipt.JSON200 != nil, err, receipt)
	check(receipt.JSON200.ID == document.ID && receipt.JSON200.Kind == "document", receipt.JSON200)
	fmt.Println("deleted:", receipt.JSON200.Kind, receipt.JSON200.ID)

	again, err := client.DeleteDocumentWithResponse(ctx, document.ID)
	var failure api.ErrorResponse
	check(err == nil && json.Unmarshal(again.Body, &failure) == nil, err, again)
	check(again.StatusCode() == http.StatusNotFound && failure.Error.Code == "not_found", failure)
	fmt.Println("again:", again.StatusCode(), failure.Error.Code)
}

func checkReply(r *api.Reply, document string) {
	check(r.Outcome == "answer" && len(r.Citations) > 0, r)
	check(r.Citations[0].DocumentID == document && strings.Contains(text, r.Citations[0].Quote), r.Citations)
}

// check ends the program if something is not as it must be.
func check(ok bool, what ...any) {
	if !ok {
		for i, w := range what {
			if b, err := json.Marshal(w); err == nil {
				what[i] = string(b)
			}
		}
		log.Panicln(what...)
	}
}
