package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A made is a history that was made up, with what the store holds after it.
type made struct {
	*history
	*final
}

// did adds an op that was acknowledged.
func (m made) did(n, from, until int, do, key string, marks ...int) (*op, *attempt) {
	o := &op{
		N: n, Caller: "ann", Do: do, Keys: []string{key}, Marks: marks, Talk: "conv_1", Target: "conv_1", State: acked,
		Begin: seconds(from), End: seconds(until),
	}
	a := &attempt{Start: o.Begin, End: o.End}
	if o.Attempts = []*attempt{a}; o.writes() {
		a.Revision = m.final.Revision + 1
		m.final.Revision++
	}
	m.Ops = append(m.Ops, o)
	return o, a
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// op returns an op by its number.
func (m made) op(n int) *op {
	return m.Ops[slices.IndexFunc(m.Ops, func(o *op) bool { return o.N == n })]
}

// changed notes a change of a document in the log and in the feed.
func (m made) changed(id string, what event.Type) {
	m.told(id, what, "")
	m.Changes = append(m.Changes, knowledge.Change{Revision: int64(len(m.Changes)) + 1, DocumentID: id})
}

func (m made) told(stream string, what event.Type, message string) {
	sequence := int64(1)
	for _, ev := range m.Events {
		if ev.Stream == stream {
			sequence++
		}
	}
	m.Events = append(m.Events, event.Event{ID: fmt.Sprint("evt_", len(m.Events)), Type: what, Stream: stream, Sequence: sequence, Refs: event.Refs{MessageID: message}})
}

// asked adds a message with its reply, which quotes a mark.
func (m made) asked(n, from, until, mark int) {
	_, a := m.did(n, from, until, opAsk, "gadget1")
	text, reply := fmt.Sprint("It is mark", mark, "."), fmt.Sprint("msg_r", n)
	a.Text, a.Reply = text, &api.Reply{ID: reply, Text: text, KnowledgeRevision: m.final.Revision}
	t := &m.Talks[0]
	t.Turns++
	t.Numbers = append(t.Numbers, int64(2*t.Turns-1), int64(2*t.Turns))
	question := agent.Message{ID: fmt.Sprint("msg_q", n), Role: agent.RoleUser, Metadata: map[string]any{"op": float64(n)}}
	t.Messages = append(t.Messages, question, agent.Message{ID: reply, Role: agent.RoleAgent, Text: text, Reply: &agent.Reply{ID: reply, Text: text}})
	m.told(t.ID, event.MessageReceived, question.ID)
	m.told(t.ID, event.MessageSent, reply)
}

// makeUp returns a history in which all is well.
func makeUp() made {
	m := made{&history{}, &final{Talks: make([]finalTalk, 1)}}
	m.Talks[0].ID = "conv_1"
	m.told("conv_1", event.ConversationStarted, "")
	for i, put := range []struct {
		n, from, until int
		key, id        string
	}{{1, 1, 2, "gadget1", "doc_1"}, {2, 3, 4, "gadget1", "doc_1"}, {3, 5, 6, "gadget2", "doc_2"}} {
		_, a := m.did(put.n, put.from, put.until, opPut, put.key, put.n)
		a.IDs = []string{put.id}
		m.changed(put.id, []event.Type{event.ContentCreated, event.ContentUpdated, event.ContentCreated}[i])
	}
	m.asked(4, 7, 8, 2)
	m.asked(5, 9, 10, 2)
	m.did(6, 11, 12, opDelete, "gadget2")
	m.changed("doc_2", event.ContentDeleted)
	search, found := m.did(7, 13, 14, opSearch, "gadget1")
	search.MinRevision, found.Text, found.Revision = 4, "mark2", 4
	_, list := m.did(8, 13, 14, opList, "gadget1")
	list.Listed = []api.Document{{ID: "doc_1", Version: 2}}
	m.did(9, 13, 14, opList, "gadget2")
	_, read := m.did(10, 13, 14, opRead, "")
	read.Text = "mark2"
	for _, message := range m.Talks[0].Messages {
		read.Messages = append(read.Messages, api.Message{ID: message.ID, Role: string(message.Role)})
	}
	m.Faults = []*trouble{{What: "a server is killed", From: seconds(20), Until: seconds(21)}}
	last, a := m.did(11, 20, 30, opPut, "lone", 4)
	a.Start, a.IDs = seconds(25), []string{"doc_3"}
	last.Attempts = []*attempt{
		{Start: seconds(20), End: seconds(21), Err: "connect: connection refused"},
		{Start: seconds(21), End: seconds(22), Status: 503, Code: "store_unavailable", Message: "try again"},
		a,
		{Start: seconds(31), End: seconds(32), Replayed: true, IDs: a.IDs},
	}
	m.changed("doc_3", event.ContentCreated)
	m.Documents = []finalDocument{{"doc_1", 2, []int{2}}, {"doc_3", 1, []int{4}}}
	return m
}

// In each of these histories a promise was broken, and the judge says which.
func TestJudgeFindsFaults(t *testing.T) {
	if faults := judge(makeUp().history, makeUp().final); len(faults) > 0 {
		t.Fatalf("judge(a good history) = %v, want no faults", faults)
	}
	reply := func(m made, i int) *agent.Message { return &m.Talks[0].Messages[i] }
	for _, bad := range []struct {
		name  string
		kind  Kind
		says  string
		spoil func(m made)
	}{
		// Writes.
		{"a put is lost", Lost, "nothing is there", func(m made) { m.Documents = m.Documents[:1] }},
		{"an older text is back", Lost, "not what", func(m made) { m.Documents[0].Marks = []int{1} }},
		{"a put was done twice", Twice, "at version 3", func(m made) { m.Documents[0].Version = 3 }},
		{"a document is there twice", Twice, "in 2 documents", func(m made) { m.Documents = append(m.Documents, finalDocument{"doc_4", 1, []int{4}}) }},
		{"a document that nobody put", Invented, "nobody put", func(m made) { m.Documents = append(m.Documents, finalDocument{"doc_4", 1, []int{9}}) }},
		{"a mixed text", Corrupt, "want one", func(m made) { m.Documents[0].Marks = []int{1, 2} }},
		{"a deleted document is there", Kept, "has deleted", func(m made) { m.Documents = append(m.Documents, finalDocument{"doc_2", 1, []int{3}}) }},
		{"one external id, two documents", Twice, "in place of", func(m made) { m.op(2).Attempts[0].IDs = []string{"doc_9"} }},
		{"two documents, one id", Lost, "another one's", func(m made) { m.op(11).Attempts[2].IDs = []string{"doc_1"} }},

		// What other servers know of them.
		{"a search tells of a replaced text", Stale, "had replaced", func(m made) { m.op(7).Attempts[0].Text = "mark1 mark2" }},
		{"a reply tells of a replaced text", Stale, "had replaced", func(m made) { m.op(4).Attempts[0].Text = "mark1 mark2" }},
		{"a search does not find", Stale, "does not tell", func(m made) { m.op(7).Attempts[0].Text = "" }},
		{"a reply does not know", Stale, "does not tell", func(m made) { m.op(4).Attempts[0].Text = "" }},
		{"a search of an old revision", Stale, "after op 6", func(m made) { m.op(7).Attempts[0].Revision = 3; m.op(7).MinRevision = 0 }},
		{"a reply of an old revision", Stale, "after op", func(m made) { m.op(5).Attempts[0].Reply.KnowledgeRevision = 2 }},
		{"less than was asked for", Stale, "asked for", func(m made) { m.op(7).MinRevision = 5 }},
		{"a list without it", Stale, "lists 0 documents", func(m made) { m.op(8).Attempts[0].Listed = nil }},
		{"a list with the version before", Stale, "lists 1 documents", func(m made) { m.op(8).Attempts[0].Listed[0].Version = 1 }},
		{"a list with what was deleted", Kept, "which is not there", func(m made) { m.op(9).Attempts[0].Listed = []api.Document{{ID: "doc_2", Version: 1}} }},
		{"a search finds what was deleted", Kept, "had deleted", func(m made) { m.op(7).Attempts[0].Text = "mark2 mark3" }},
		{"messages quote what was deleted", Kept, "had deleted", func(m made) { m.op(10).Attempts[0].Text = "mark2 mark3" }},
		{"a stored reply quotes what was deleted", Kept, "is stored with mark3", func(m made) { reply(m, 3).Text = "mark2 mark3" }},
		{"a text before it was put", Invented, "nobody had put", func(m made) { m.op(4).Attempts[0].Text = "mark2 mark4" }},
		{"a text that nobody put", Invented, "nobody had put", func(m made) { m.op(7).Attempts[0].Text = "mark2 mark77" }},
		{"messages without a reply", Stale, "lacks the reply", func(m made) { m.op(10).Attempts[0].Messages = m.op(10).Attempts[0].Messages[:3] }},

		// Conversations.
		{"a turn is lost", Lost, "is not there", func(m made) { m.Talks[0].Messages = m.Talks[0].Messages[:2] }},
		{"another reply is stored", Lost, "is there", func(m made) { reply(m, 1).ID = "msg_x" }},
		{"a reply is stored otherwise", Lost, "is stored as", func(m made) { reply(m, 1).Text = "Nothing." }},
		{"a reply is stored as failed", Lost, "as failed", func(m made) { reply(m, 1).Reply.Failure = "internal" }},
		{"a message twice", Twice, "there already", func(m made) { reply(m, 2).Metadata = map[string]any{"op": 4.0} }},
		{"a message from nobody", Invented, "by nobody", func(m made) { reply(m, 2).Metadata = nil }},
		{"a message without a reply", Half, "2 turns and 3 messages", func(m made) { m.Talks[0].Messages = m.Talks[0].Messages[:3] }},
		{"two messages in a row", Half, "is not a reply", func(m made) { reply(m, 1).Role, reply(m, 1).Reply = agent.RoleUser, nil }},
		{"a turn that runs for ever", Half, "running: true", func(m made) { m.Talks[0].Running = true }},
		{"turns in another order", Swapped, "stands before", func(m made) {
			talk := m.Talks[0].Messages
			copy(talk, slices.Concat(talk[2:], talk[:2]))
		}},
		{"a number is missing", Half, "have the numbers [1 2 4 5]", func(m made) { m.Talks[0].Numbers = []int64{1, 2, 4, 5} }},
		{"two turns at once", Half, "event 3 is message.received", func(m made) {
			i := slices.IndexFunc(m.Events, func(ev event.Event) bool { return ev.Type == event.MessageSent })
			m.Events[i].Type, m.Events[i+1].Type = m.Events[i+1].Type, m.Events[i].Type
		}},
		{"an event about another message", Half, "is about message", func(m made) {
			i := slices.IndexFunc(m.Events, func(ev event.Event) bool { return ev.Type == event.MessageSent })
			m.Events[i].Refs.MessageID = "msg_x"
		}},

		// Requests made again.
		{"done again", Twice, "was done again", func(m made) { m.op(11).Attempts[3].Replayed = false }},
		{"another document the second time", Twice, "and repeated", func(m made) { m.op(11).Attempts[3].IDs = []string{"doc_4"} }},
		{"another reply the second time", Twice, "and repeated reply", func(m made) {
			a := *m.op(4).Attempts[0]
			a.Replayed, a.Reply = true, &api.Reply{ID: "msg_x"}
			m.op(4).Attempts = append(m.op(4).Attempts, &a)
		}},

		// Failures.
		{"never done", Undone, "was not done", func(m made) { m.op(11).State = pending }},
		{"refused", Undone, "was refused", func(m made) { m.op(11).State = refused }},
		{"an error without a word", Unclear, "without a word", func(m made) { m.op(11).Attempts[1].Message = "" }},
		{"an error of the server", Unclear, "500 internal_error", func(m made) { m.op(11).Attempts[1].Status, m.op(11).Attempts[1].Code = 500, "internal_error" }},
		{"an odd failure", Unclear, "failed with", func(m made) { m.op(11).Attempts[0].Err = "invalid character" }},
		{"a failure without a fault", Unclear, "nothing was wrong", func(m made) { m.Faults[0].From = seconds(23) }},
		{"a failure long after a fault", Unclear, "nothing was wrong", func(m made) { m.Faults[0].From, m.Faults[0].Until = 0, time.Millisecond }},

		// The log and the feed.
		{"an event twice", Twice, "in the log twice", func(m made) { m.Events[1].ID = m.Events[0].ID }},
		{"an event is missing", Half, "follows event", func(m made) { m.Events = slices.Delete(m.Events, 1, 2) }},
		{"a document without its event", Half, "is missing", func(m made) { m.Events = m.Events[:len(m.Events)-1] }},
		{"an event of no document", Invented, "that nobody put", func(m made) { m.told("doc_9", event.ContentCreated, "") }},
		{"a revision is missing", Half, "follows revision", func(m made) { m.Changes = slices.Delete(m.Changes, 2, 3) }},
		{"a change is not in the feed", Half, "changed 2 times", func(m made) { m.Changes[1].DocumentID = "doc_2" }},
		{"a revision too many", Half, "its feed at", func(m made) { m.final.Revision++ }},
	} {
		t.Run(bad.name, func(t *testing.T) {
			m := makeUp()
			bad.spoil(m)
			faults := judge(m.history, m.final)
			if !slices.ContainsFunc(faults, func(f Fault) bool { return f.Kind == bad.kind && strings.Contains(f.What, bad.says) }) {
				t.Errorf("judge = %v, want a fault %q that says %q", faults, bad.kind, bad.says)
			}
		})
	}
}
