package agent_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

func TestPutFeedback(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	reply := d.ask(t, whenOpen)
	cs := d.conversations()
	first, err := cs.PutFeedback(t.Context(), agent.Feedback{
		MessageID: strings.ToUpper(reply.ID), Rating: agent.RatingDown, Remark: "Closed!", Reasons: []string{"wrong", "outdated"},
	})
	if err != nil || first.MessageID != reply.ID || first.CreatedAt.IsZero() || !first.UpdatedAt.Equal(first.CreatedAt) {
		t.Fatalf("PutFeedback = %+v, %v, want it with its times", first, err)
	}
	second, err := cs.PutFeedback(t.Context(), agent.Feedback{MessageID: reply.ID, Rating: agent.RatingUp, CreatedAt: first.CreatedAt.AddDate(-1, 0, 0)})
	if err != nil || second.Rating != agent.RatingUp || second.Remark != "" || second.Reasons != nil || !second.CreatedAt.Equal(first.CreatedAt) || second.UpdatedAt.Before(first.UpdatedAt) {
		t.Errorf("PutFeedback again = %+v, %v, want it in place of the first, whose time it keeps", second, err)
	}
	m, err := cs.Message(t.Context(), reply.ID)
	if err != nil || m.Feedback == nil || !reflect.DeepEqual(*m.Feedback, second) {
		t.Errorf("Message has the feedback %+v, %v, want %+v", m.Feedback, err, second)
	}
	var told []event.Event
	for _, ev := range d.events(t) {
		if ev.Type == event.MessageFeedback {
			told = append(told, ev)
		}
	}
	want := event.Refs{AgentID: reply.AgentID, ConversationID: reply.ConversationID, MessageID: reply.ID}
	if len(told) != 2 || told[0].Stream != reply.ConversationID || told[0].Sequence != 4 || told[1].Sequence != 5 || told[1].Refs != want {
		t.Errorf("events = %+v, want two that name the reply", told)
	}
}

func TestFeedbackInvalid(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	reply := d.ask(t, whenOpen)
	for _, tt := range []struct {
		field string // empty: it is taken
		given agent.Feedback
	}{
		{"rating", agent.Feedback{}},
		{"rating", agent.Feedback{Rating: "UP"}},
		{"remark", agent.Feedback{Rating: agent.RatingUp, Remark: strings.Repeat("ö", 2001)}},
		{"remark", agent.Feedback{Rating: agent.RatingUp, Remark: "\xff"}},
		{"remark", agent.Feedback{Rating: agent.RatingUp, Remark: "a\x00"}},
		{"reasons", agent.Feedback{Rating: agent.RatingUp, Reasons: make([]string, 9)}},
		{"reasons[1]", agent.Feedback{Rating: agent.RatingUp, Reasons: []string{"wrong", ""}}},
		{"reasons[0]", agent.Feedback{Rating: agent.RatingUp, Reasons: []string{strings.Repeat("ö", 65)}}},
		{"reasons[0]", agent.Feedback{Rating: agent.RatingUp, Reasons: []string{"\xff"}}},
		{"", agent.Feedback{Rating: agent.RatingDown, Remark: strings.Repeat("ö", 2000), Reasons: []string{"1", "2", "3", "4", "5", "6", "7", strings.Repeat("ö", 64)}}},
	} {
		tt.given.MessageID = reply.ID
		_, err := d.conversations().PutFeedback(t.Context(), tt.given)
		invalid, ok := errors.AsType[*agent.InvalidError](err)
		if tt.field == "" && err != nil || tt.field != "" && (!ok || invalid.Field != tt.field) {
			t.Errorf("PutFeedback(%.60v) = error %v, want an InvalidError of %q", tt.given, err, tt.field)
		}
	}
}

// A remark is gone from the files with its conversation.
func TestDeletedRemarkLeavesNoBytes(t *testing.T) {
	dir := t.TempDir()
	st, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	d := deskOn(t, st, parts{}, hours)
	inFiles := func(word string) bool {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("the folder has %v, %v", files, err)
		}
		found := false
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			found = found || bytes.Contains(b, []byte(word))
		}
		return found
	}
	reply := d.ask(t, agent.Message{Text: "When do you open?", User: agent.User{ID: "Usermarker"}})
	for _, remark := range []string{"Earlymarker", strings.Repeat("Latemarker ", 180)} {
		if _, err := d.conversations().PutFeedback(t.Context(), agent.Feedback{MessageID: reply.ID, Rating: agent.RatingDown, Remark: remark, Reasons: []string{"Reasonmarker"}}); err != nil {
			t.Fatal(err)
		}
	}
	markers := []string{"Usermarker", "Earlymarker", "Latemarker", "Reasonmarker"}
	for _, word := range markers {
		if !inFiles(word) {
			t.Fatalf("%s is not in the files before the delete: the test shows nothing", word)
		}
	}
	if _, err := d.conversations().Delete(t.Context(), reply.ConversationID); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, word := range markers {
		if inFiles(word) {
			t.Errorf("%s is in the files after the delete", word)
		}
	}
}

// Messages are found across conversations, by what they have in common.
func TestFind(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	other, err := d.Agents(d.company).Create(t.Context(), agent.Settings{Name: "Other"})
	if err != nil {
		t.Fatal(err)
	}
	ann := d.ask(t, agent.Message{Text: "When do you open?", User: agent.User{ID: "ann"}})
	d.ask(t, agent.Message{Text: "When do you open?", User: agent.User{ID: "bob"}})
	if _, err := d.Agent(d.company, other.ID).Ask(t.Context(), agent.Message{Text: "When do you open?", User: agent.User{ID: "ann"}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		filter agent.MessageFilter
		want   int
	}{
		{agent.MessageFilter{}, 6},
		{agent.MessageFilter{UserID: "ann"}, 4},
		{agent.MessageFilter{UserID: "nobody"}, 0},
		{agent.MessageFilter{AgentID: other.ID}, 2},
		{agent.MessageFilter{AgentID: strings.ToUpper(other.ID), UserID: "bob"}, 0},
		{agent.MessageFilter{ConversationID: strings.ToUpper(ann.ConversationID), AgentID: ann.AgentID, UserID: "ann"}, 2},
	} {
		page, err := d.conversations().Find(t.Context(), tt.filter, store.Page{})
		if err != nil || len(page.Data) != tt.want || page.HasMore {
			t.Errorf("Find(%+v) = %d messages, %v, want %d", tt.filter, len(page.Data), err, tt.want)
		}
		for i, m := range page.Data {
			if role := []agent.Role{agent.RoleAgent, agent.RoleUser}[i%2]; m.Role != role {
				t.Errorf("Find(%+v): message %d is of the %s, want replies right above their messages", tt.filter, i, m.Role)
			}
		}
	}
	for _, f := range []agent.MessageFilter{
		{ConversationID: nobody("conv")}, {AgentID: nobody("agt")}, {ConversationID: ann.ID}, {AgentID: "agt_1"}, {UserID: "ann", AgentID: "'"},
	} {
		if _, err := d.conversations().Find(t.Context(), f, store.Page{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Find(%+v) = error %v, want %v", f, err, store.ErrNotFound)
		}
	}
}
