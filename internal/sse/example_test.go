package sse_test

import (
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/sse"
)

// What a handler writes, and what a client reads of it.
func Example() {
	w := httptest.NewRecorder()
	out := sse.NewWriter(w)
	defer out.Heartbeat(10 * time.Second)()
	for _, ev := range []sse.Event{
		{ID: "1", Type: "text.delta", Data: `{"text":"We open at 9."}`},
		{ID: "2", Type: "message.completed", Data: "{}"},
	} {
		if err := out.Event(ev); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Print(w.Body)

	in := sse.NewReader(w.Body, nil)
	for {
		ev, err := in.Next()
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(ev.ID, ev.Type, ev.Data)
	}
	// Output:
	// id: 1
	// event: text.delta
	// data: {"text":"We open at 9."}
	//
	// id: 2
	// event: message.completed
	// data: {}
	//
	// 1 text.delta {"text":"We open at 9."}
	// 2 message.completed {}
	// EOF
}
