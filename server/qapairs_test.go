package server_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// What is wrong with a pair is told in the words of a pair.
func TestQAPairErrors(t *testing.T) {
	h := open(t, nil, nil)
	var made struct{ Data []struct{ ID string } }
	h.do(t, "POST", "/v1/knowledge/qa-pairs", `{"question":"When?","answer":"At nine."}`).read(t, 201, &made)
	pair := "/v1/knowledge/qa-pairs/" + made.Data[0].ID
	for _, tt := range []struct{ method, path, body, field string }{
		{"POST", "/v1/knowledge/qa-pairs", `{}`, "question"},
		{"POST", "/v1/knowledge/qa-pairs", `{"question":"a"}`, "answer"},
		{"POST", "/v1/knowledge/qa-pairs", `{"answer":"a"}`, "question"},
		{"POST", "/v1/knowledge/qa-pairs", `{"question":"a","answer":"b","items":[{"question":"a","answer":"b"}]}`, "items"},
		{"POST", "/v1/knowledge/qa-pairs", `{"question":" ","answer":"b"}`, "question"},
		{"POST", "/v1/knowledge/qa-pairs", `{"question":"a","answer":" "}`, "answer"},
		{"POST", "/v1/knowledge/qa-pairs", `{"question":"a","answer":"b","alternates":["c"," "]}`, "alternates[1]"},
		{"POST", "/v1/knowledge/qa-pairs", `{"question":"a","answer":"b","metadata":{"a":{}}}`, "metadata.a"},
		{"POST", "/v1/knowledge/qa-pairs", `{"items":[{"question":"a","answer":"b"},{"question":" ","answer":"b"}]}`, "items[1].question"},
		{"POST", "/v1/knowledge/qa-pairs", `{"items":[{"question":"a","answer":"b"},{"question":"a","answer":" "}]}`, "items[1].answer"},
		{"POST", "/v1/knowledge/qa-pairs", `{"items":[{"question":"a","answer":"b"},{"question":"a","answer":"b","alternates":[" "]}]}`, "items[1].alternates[0]"},
		{"POST", "/v1/knowledge/qa-pairs", `{"items":[{"question":"a","answer":"b","what":1}]}`, "items[0].what"},
		{"PATCH", pair, `{"question":" "}`, "question"},
		{"PATCH", pair, `{"answer":" "}`, "answer"},
		{"PATCH", pair, `{"alternates":["a","` + strings.Repeat("é", 1500) + `"]}`, "alternates[1]"},
	} {
		p := h.do(t, tt.method, tt.path, tt.body).is(t, 400, "invalid_request")
		if p.Details["field"] != tt.field {
			t.Errorf("%s %s is refused for the field %v (%s), want %s", tt.method, short([]byte(tt.body)), p.Details["field"], p.Message, tt.field)
		}
	}
	for _, body := range []string{`{"question":"a","answer":"b","agent_id":"agt_nobody"}`, `{"items":[{"question":"a","answer":"b"}],"agent_id":"agt_nobody"}`} {
		if p := h.do(t, "POST", "/v1/knowledge/qa-pairs", body).is(t, 404, "not_found"); p.Details["object"] != "agent" {
			t.Errorf("%s: %q about %v, want the agent", body, p.Message, p.Details)
		}
	}
}

// The question and its alternates may be changed at once by two who know nothing of
// each other.
func TestQAPairAtOnce(t *testing.T) {
	h := open(t, nil, nil)
	var made struct{ Data []struct{ ID string } }
	h.do(t, "POST", "/v1/knowledge/qa-pairs", `{"question":"When?","answer":"At nine."}`).read(t, 201, &made)
	path := "/v1/knowledge/qa-pairs/" + made.Data[0].ID
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			body := `{"question":"At what time?"}`
			if i%2 == 0 {
				body = `{"alternates":["Since when?"]}`
			}
			h.do(t, "PATCH", path, body).read(t, 200, nil)
		})
	}
	wg.Wait()
	var pair struct {
		Question   string
		Alternates []string
	}
	h.do(t, "GET", path, "").read(t, 200, &pair)
	if got := fmt.Sprint(pair); got != "{At what time? [Since when?]}" {
		t.Errorf("after both changes the pair is %s", got)
	}
}
