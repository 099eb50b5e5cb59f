package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/client/api"
)

func TestExplain(t *testing.T) {
	folder, desk := shop(t)
	program(t, "explain", "--data", desk).want(t, 1, "there is no reply yet")
	program(t, "ask", "--data", desk, whenOpen).want(t, 0)
	program(t, "ask", "--data", desk, "What is the capital of Mongolia?").want(t, 0)

	refused := program(t, "explain", "--data", desk)
	refused.want(t, 0, "question    What is the capital of Mongolia?", "outcome     refuse", "decision    It refused: ", "(nothing_found)")
	found := regexp.MustCompile(`msg_\w+ of conversation conv_\w+`).FindString(refused.stdout)
	reply, conversation, _ := strings.Cut(found, " of conversation ")
	for _, id := range []string{reply, conversation} {
		if r := program(t, "explain", "--data", desk, id); r != refused {
			t.Errorf("explain %s = %v, want %v as without an id", id, r, refused)
		}
	}

	var e api.Explanation
	as := program(t, "explain", "--data", desk, "--json", reply)
	as.want(t, 0)
	if err := json.Unmarshal([]byte(as.stdout), &e); err != nil || e.MessageID != reply || e.Outcome != "refuse" || !strings.HasPrefix(e.Text, "decision    It refused") {
		t.Errorf("explain --json = %s, %v, want what GET /v1/messages/{id}/explanation answers", as.stdout, err)
	}

	program(t, "ask", "--data", desk, whenOpen).want(t, 0)
	program(t, "explain", "--data", desk).want(t, 0, "question    "+whenOpen, "decision    It answered", filepath.ToSlash(folder)+"/hours.md, version 1")
}

func TestExplainBadInput(t *testing.T) {
	_, desk := shop(t)
	for _, id := range []string{"msg_01kanq0w0h0000000000000000", "conv_01kanq0w0h0000000000000000", "Hello"} {
		program(t, "explain", "--data", desk, id).want(t, 1, "desk in "+desk, `"`+id+`" not found`)
	}
}
