package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/internal/sse"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// Numbers that no float64 has.
const (
	odd    = "9007199254740993"               // 2^53 + 1
	thirty = "123456789012345678901234567890" // 30 digits
)

// playDigits has numbers of many digits go all the ways there are: from a context and
// from a model into the arguments of a call, from a caller into its result, from both
// to the model, and back to who reads of them. None loses a digit.
func playDigits(s *suite) {
	model := llmtest.NewScript(
		llmtest.Call("order", json.RawMessage(`{"receipt":`+thirty+`}`)), llmtest.Say("It is there."), llmtest.Say("The order is "+odd+"."),
		llmtest.Say("You are welcome."), llmtest.Say("The order is "+odd+"."),
	)
	s.begin(&answerdesk.Options{Model: model})
	ctx, c := s.Context(), s.admin
	a := ok(s.desk.Agents().Get(ctx, ""))(s)
	a.Tools = map[string]agent.ToolSettings{"order": {
		Description: "Looks an order up.", ReadOnly: true,
		Parameters: json.RawMessage(`{"type":"object","properties":{"receipt":{"type":"integer"},"customer":{"type":"integer"}}}`),
	}}
	ok(s.desk.Agents().Update(ctx, a))(s)

	message := api.MessageRequest{Message: "Which order is it?", User: api.UserInput{ID: "u"}, Context: map[string]any{"customer": json.Number(odd), "screen": 1},
		Metadata: map[string]any{"ticket": json.Number(thirty), "tags": []any{json.Number(odd), "a"}, "n": 1.5}}
	replyID, call := "", api.ToolCall{}
	for ev, err := range c.Messages.Stream(ctx, message) {
		if err != nil {
			s.Fatal(err)
		}
		if replyID = ev.MessageID; ev.Type == "tool.waiting" {
			call = ev.ToolCall
			break
		}
	}
	arguments := `{"customer":` + odd + `,"receipt":` + thirty + `}`
	if string(call.Arguments) != arguments {
		s.Errorf("the call that waits has the arguments %s, want %s", call.Arguments, arguments)
	}
	path := "/v1/tool-calls/" + call.ID + "/result"
	for _, n := range []string{"1e400", "-1e400", `{"order":[1e400]}`} {
		got := c.wantError(http.StatusBadRequest, "invalid_json", "", request{method: "POST", path: path, body: `{"result":` + n + `}`})
		if message, _ := got.at("error", "message").(string); !strings.Contains(message, "out of range") {
			s.Errorf("the result %s is refused with %q", n, message)
		}
	}
	result := `{"order":` + odd + `,"sum":` + thirty + `,"rest":0.1000000000000000055511151231257827,"least":1e-400,"n":10.0}`
	answered := ok(c.Messages.AnswerTool(ctx, call.ID, api.ToolResultRequest{Result: json.RawMessage(result)}))(s)
	reply, _ := c.completes(replyID)
	if reply.Outcome != "answer" || !strings.Contains(reply.Text, odd) || len(reply.ToolCalls) != 1 {
		s.Fatalf("the reply is %s %q with %d calls, want an answer with the order", reply.Outcome, reply.Text, len(reply.ToolCalls))
	}
	kept := ok(c.Messages.Get(ctx, replyID))(s)
	for _, got := range []api.ToolCall{*answered, reply.ToolCalls[0], kept.Reply.ToolCalls[0]} {
		if string(got.Arguments) != arguments || !equalNumbers(got.Result, result) {
			s.Errorf("the call is told with the arguments %s and the result %s, want %s and %s", got.Arguments, got.Result, arguments, result)
		}
	}
	list := c.want(http.StatusOK, request{method: "GET", path: "/v1/conversations/" + reply.ConversationID + "/messages"})
	if !bytes.Contains(list.body, []byte(`"customer":`+odd)) {
		s.Errorf("the message is read back without its number: %s", list.body)
	}
	metadata := `{"n":1.5,"tags":[` + odd + `,"a"],"ticket":` + thirty + `}`
	exported := c.want(http.StatusOK, request{method: "GET", path: "/v1/users/u/export"})
	for way, body := range map[string][]byte{"the list": list.body, "the export": exported.body} {
		if !bytes.Contains(body, []byte(`"metadata":`+metadata)) {
			s.Errorf("%s has not the metadata %s: %s", way, metadata, body)
		}
	}
	c.want(http.StatusOK, request{method: "GET", path: "/v1/messages/" + replyID + "/explanation"})

	// What the model is sent, in the turn and in the next one.
	ok(c.Messages.Create(ctx, api.MessageRequest{Message: "Thank you for the receipt.", User: api.UserInput{ID: "u"}}))(s)
	results, earlier := 0, 0
	for i, r := range model.Requests() {
		for _, m := range r.Messages {
			for _, out := range m.Results {
				if i < 3 && strings.Contains(out.Content, odd) && strings.Contains(out.Content, thirty) && strings.Contains(out.Content, "1e-400") {
					results++
				}
			}
			for _, asked := range m.ToolCalls {
				if i >= 3 && strings.Contains(string(asked.Arguments), thirty) {
					earlier++
				}
				if i < 3 && !strings.Contains(string(asked.Arguments), thirty) {
					s.Errorf("request %d has the arguments %s", i, asked.Arguments)
				}
			}
		}
	}
	if results != 2 || earlier == 0 {
		s.Errorf("the model was sent the result as it stands %d times, and of the next turn's the call %d times, want 2 and some", results, earlier)
	}
}

// equalNumbers reports whether JSON is what was sent but for white space and for how
// numbers are written that lose nothing by it.
func equalNumbers(got []byte, sent string) bool {
	return string(got) == sent || string(got) == strings.Replace(sent, ":10.0", ":10", 1) ||
		sameFields(got, sent)
}

func sameFields(got []byte, sent string) bool {
	var x, y map[string]json.Number
	if json.Unmarshal(got, &x) != nil || json.Unmarshal([]byte(sent), &y) != nil || len(x) != len(y) {
		return false
	}
	for name, n := range y {
		if x[name] != n && !(n == "10.0" && x[name] == "10") {
			return false
		}
	}
	return true
}

// playResumedModel reads the stream of a turn in which a model calls a tool and writes
// some sentences, loses the connection after each of its events, and takes it up again:
// while the turn goes on, and when it has ended. What comes then is what was missing,
// once.
func playResumedModel(s *suite) {
	const text = "The lamp costs 12 euros. It weighs 3 kilograms. Two lamps are left in the shop."
	gates := make(chan chan struct{}, 1)
	model := llmtest.Reply(func(r llm.Request) llmtest.Answer {
		if len(r.Messages[len(r.Messages)-1].Results) == 0 {
			return llmtest.Call("stock", nil)
		}
		half := strings.Index(text, "lamps") // a sentence is told when the next one has begun
		return llmtest.Say(text[:half]).Until(<-gates).Say(text[half:])
	})
	model.DeltaRunes = 7
	stock := agent.MustTool("stock", "What there is of a thing.", func(context.Context, struct{}) (string, error) { return text, nil }, &agent.ToolOptions{ReadOnly: true})
	s.begin(&answerdesk.Options{Model: model, Tools: []agent.Tool{stock}})
	ctx, c := s.Context(), s.admin
	ask := api.MessageRequest{Message: "What about the lamp?"}

	open := make(chan struct{})
	close(open)
	gates <- open
	var whole []api.StreamEvent
	for ev, err := range c.Messages.Stream(ctx, ask) {
		if err != nil {
			s.Fatal(err)
		}
		whole = append(whole, ev)
	}
	end := whole[len(whole)-1]
	if shown := shownBy(whole); end.Type != "message.completed" || end.Reply.Text != text || shown != text {
		s.Fatalf("the stream shows %q and ends with %+v, want %q", shown, end, text)
	}
	half := 0 // events until the model waits
	for half < len(whole) && !strings.Contains(shownBy(whole[:half]), "kilograms.") {
		half++
	}
	for n := 1; n < len(whole); n++ {
		for _, running := range []bool{true, false} {
			gate := make(chan struct{})
			gates <- gate
			var seen []api.StreamEvent
			for ev, err := range c.Messages.Stream(ctx, ask) {
				if err != nil {
					s.Fatal(err)
				}
				if seen = append(seen, ev); len(seen) == n {
					break
				}
				if len(seen) == half {
					close(gate)
				}
			}
			id, after := seen[0].MessageID, seen[len(seen)-1].Sequence
			if n <= half {
				close(gate)
			}
			if !running {
				c.completes(id)
			}
			name := fmt.Sprintf("resumed after %d of %d events, while it runs: %t", n, len(whole), running)
			var typed []api.StreamEvent
			for ev, err := range c.Messages.Resume(ctx, id, after) {
				if err != nil {
					s.Fatalf("%s: %v", name, err)
				}
				typed = append(typed, ev)
			}
			s.wantRest(name+", by the client", seen, typed, text)
			s.wantRest(name+", by Last-Event-ID", seen, c.resumed(id, after), text)
		}
	}
}

// resumed reads the rest of a stream as a browser does.
func (c *caller) resumed(id string, after int64) (events []api.StreamEvent) {
	s := c.s
	s.Helper()
	got := c.want(http.StatusOK, request{method: "GET", path: "/v1/messages/" + id + "/events", header: map[string]string{
		"Accept": "text/event-stream", "Last-Event-ID": strconv.FormatInt(after, 10),
	}})
	for r := sse.NewReader(bytes.NewReader(got.body), nil); ; {
		raw, err := r.Next()
		if err == io.EOF {
			return events
		}
		if err != nil {
			s.Fatal(err)
		}
		var ev api.StreamEvent
		if err := json.Unmarshal([]byte(raw.Data), &ev); err != nil || raw.ID != strconv.FormatInt(ev.Sequence, 10) {
			s.Fatalf("an event %q has the id %q: %v", raw.Data, raw.ID, err)
		}
		events = append(events, ev)
	}
}

// wantRest holds the events of a stream that was taken up again to those that were
// seen before: numbered above them, with the whole reply at the end, and no text and no
// step of a call told twice. Of a reply that was stored meanwhile the text comes whole
// in the end, and what became of its calls is told once more, above all that was told.
func (s *suite) wantRest(name string, seen, rest []api.StreamEvent, text string) {
	s.Helper()
	if len(rest) == 0 {
		s.Errorf("%s: nothing came", name)
		return
	}
	last, stored := seen[len(seen)-1].Sequence, rest[0].Sequence >= agent.StoredSequence-1
	for _, ev := range rest {
		if ev.Sequence <= last || ev.MessageID != seen[0].MessageID {
			s.Errorf("%s: event %d of %s comes after %d of %s", name, ev.Sequence, ev.MessageID, last, seen[0].MessageID)
		}
		last = ev.Sequence
	}
	end := rest[len(rest)-1]
	if end.Type != "message.completed" || end.Reply.Text != text || len(end.Reply.ToolCalls) != 1 {
		s.Errorf("%s: the end is %+v, want the reply %q with its call", name, end, text)
	}
	all := slices.Concat(seen, rest)
	if stored {
		if types := typesOf(rest); !slices.Equal(types, []string{"tool.ended", "message.completed"}) {
			s.Errorf("%s: of a stored reply came %v", name, types)
		}
		if shown := shownBy(all); !strings.HasPrefix(text, shown) {
			s.Errorf("%s: %q was shown of %q", name, shown, text)
		}
		return
	}
	if shown := shownBy(all); shown != text {
		s.Errorf("%s: %q was shown, want %q once", name, shown, text)
	}
	told := map[string]int{}
	for _, ev := range all {
		told[ev.Type]++
	}
	if told["tool.started"] != 1 || told["tool.ended"] != 1 || told["message.started"] != 1 || told["message.completed"] != 1 {
		s.Errorf("%s: the events are %v, want each step of the call once", name, told)
	}
}
