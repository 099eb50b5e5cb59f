package clienttest_test

import (
	"fmt"
	"io"
	"net/http"

	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

// A server that fails twice, and a loop that does not give up.
func Example() {
	s := clienttest.Start(
		clienttest.Respond(503, `{"error":{"code":"store_unavailable"}}`).RetryAfter("0"),
		clienttest.Reset(clienttest.AfterReading),
		clienttest.Respond(200, map[string]any{"id": "msg_1"}),
	)
	defer s.Close()

	for {
		resp, err := s.Client().Post(s.URL+"/v1/message", "application/json", http.NoBody)
		if err != nil {
			fmt.Println("no answer")
			continue
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
		if resp.StatusCode == 200 {
			break
		}
	}
	fmt.Println(len(s.Requests()), "requests")
	// Output:
	// 503 Service Unavailable
	// no answer
	// 200 OK
	// 3 requests
}

// The real handler does its work, but the connection breaks before its answer.
func ExampleStep_Reset() {
	sent := 0
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent++
		w.WriteHeader(http.StatusCreated)
	})
	s := clienttest.Start(clienttest.Handler(api).Reset(clienttest.AfterReading))
	defer s.Close()

	resp, err := s.Client().Post(s.URL, "application/json", nil)
	if err == nil {
		resp.Body.Close()
	}
	s.Wait()
	fmt.Println("failed:", err != nil, "- sent:", sent)
	// Output:
	// failed: true - sent: 1
}

// A stream of events that is cut within the second one.
func ExampleSSE() {
	s := clienttest.Start(clienttest.SSE("data: one\n\ndata: two\n\n").Truncate(15))
	defer s.Close()

	resp, err := s.Client().Get(s.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Printf("%q, %v\n", body, err)
	// Output:
	// "data: one\n\ndata", unexpected EOF
}
