package agent_test

import (
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A follow-up is searched for together with what it follows; a message that
// stands on its own is left as it is.
func TestFollowUps(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	for _, tt := range []struct {
		before []string // what the user said before
		text   string
		want   string // as it is searched for; empty: untouched
	}{
		{[]string{"When do you open on weekdays?"}, "and on Sundays?", "When do you open on weekdays? and on Sundays?"},
		{[]string{"When do you open?"}, "What about holidays?", "When do you open? What about holidays?"},
		{[]string{"How much is the blue kayak?"}, "How long is it?", "How much is the blue kayak? How long is it?"},
		{[]string{"How much is the blue kayak?"}, "Can they be returned?", "How much is the blue kayak? Can they be returned?"},
		{[]string{"How do I return a kayak?"}, "Why?", "How do I return a kayak? Why?"},
		{[]string{"How do I return a kayak?"}, "??", ""},
		{[]string{"How do I return a kayak?"}, "Thank you very much!", ""},
		{[]string{"How do I return a kayak?", "and a paddle?"}, "and when it is wet?", "How do I return a kayak? and a paddle? and when it is wet?"},
		{[]string{"How do I return a kayak?", "Where do you park?"}, "and at night?", "Where do you park? and at night?"},
		{[]string{"and?"}, "and then?", "and? and then?"},
		{nil, "and on Sundays?", ""},
		{nil, "How long is it?", ""},
		{[]string{"When do you open?"}, "How much is the blue kayak?", ""},
		{[]string{"When do you open?"}, "Where is your shop in Vienna?", ""},
		{[]string{"When do you open?"}, "Wo ist der Eingang?", ""},
		{[]string{"When do you open?"}, "Which of these three kayaks floats best in salt water?", ""},
		{[]string{"When do you open?"}, "And " + strings.Repeat("very ", 100) + "late?", ""}, // long enough to say what it is about
		{[]string{"When do you open?"}, "Android app", ""},
	} {
		m := agent.Message{}
		for _, text := range append(tt.before, tt.text) {
			m.Text = text
			m.ConversationID = d.ask(t, m).ConversationID
		}
		messages := d.messages(t, m.ConversationID)
		why := d.explain(t, *messages[len(messages)-1].Reply)
		want, rewritten := tt.want, tt.want != ""
		if !rewritten {
			want = tt.text
		}
		if why.Query != want || why.Rewritten != rewritten {
			t.Errorf("%q after %q is searched as %q (rewritten: %v), want %q (%v)", tt.text, tt.before, why.Query, why.Rewritten, want, rewritten)
		}
		if got := messages[len(messages)-2].Text; got != tt.text {
			t.Errorf("%q is stored as %q, want it as the user wrote it", tt.text, got)
		}
	}
}

// What a follow-up is joined with never makes the query longer than a search
// takes.
func TestFollowUpOfLongMessage(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	first := d.ask(t, agent.Message{Text: strings.Repeat("ö", agent.MaxMessage/2)})
	reply := d.ask(t, agent.Message{Text: "and on Sundays?", ConversationID: first.ConversationID})
	why := d.explain(t, reply)
	if len(why.Query) > knowledge.MaxQuery || !strings.HasSuffix(why.Query, "ö and on Sundays?") || !why.Rewritten {
		t.Errorf("the query has %d bytes, want at most %d, with the follow-up at its end", len(why.Query), knowledge.MaxQuery)
	}
}

// The follow-up of the shop's customer is answered.
func TestFollowUpIsAnswered(t *testing.T) {
	d := newDesk(t, parts{}, hours, returns)
	first := d.ask(t, agent.Message{Text: "When do you open on weekdays?"})
	reply := d.ask(t, agent.Message{Text: "and on Sundays?", ConversationID: first.ConversationID})
	if reply.Outcome != agent.Answer || !strings.Contains(reply.Text, "On Sundays we stay closed.") {
		t.Errorf("the follow-up got %s %q, want what is said of Sundays", reply.Outcome, reply.Text)
	}
}
