package sqlite

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/schema"
)

// openAt makes a database with the schema as it was at a version, and what the
// statements put into it.
func openAt(t *testing.T, dir string, version int, statements ...string) {
	t.Helper()
	ms, err := schema.Read(Migrations())
	if err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)")
	for _, m := range ms[:version] {
		edit(t, dir, m.SQL)
		edit(t, dir, "INSERT INTO schema_version VALUES (?, ?, ?, 0)", m.Version, m.Name, m.Sum)
	}
	for _, s := range statements {
		edit(t, dir, s)
	}
}

// Messages from before they knew their agents and users learn of them, and a turn
// that ran goes on.
func TestMessagesLearnWhoseTheyAre(t *testing.T) {
	dir := t.TempDir()
	conversation := func(id, agent, user, reply string, running int) string {
		return fmt.Sprintf(`INSERT INTO conversations VALUES ('cmp_1', '%s', '%s', '%s', 2, 9, %d, '%s', 'worker', 7, 1, 1, 1)`, id, agent, user, running, reply)
	}
	message := func(conversation string, seq int, id, role, body string) string {
		return fmt.Sprintf(`INSERT INTO messages VALUES ('cmp_1', '%s', %d, '%s', '%s', 'Text of %s', '%s', '', 1)`, conversation, seq, id, role, id, body)
	}
	openAt(t, dir, 3,
		`INSERT INTO companies VALUES ('cmp_1', 'First', 'agt_1', 0, 1)`,
		conversation("conv_1", "agt_1", "ann", "msg_4", 0),
		message("conv_1", 1, "msg_1", "user", `{"agent_id":"agt_1","user":{"id":"ann","name":"Ann"}}`),
		message("conv_1", 2, "msg_2", "agent", `{"agent_id":"agt_1","reply":{"id":"msg_2"}}`),
		message("conv_1", 3, "msg_3", "user", `{"agent_id":"agt_1","user":{"name":"Somebody"}}`),
		message("conv_1", 4, "msg_4", "agent", `{"agent_id":"agt_1","reply":{"id":"msg_4"}}`),
		conversation("conv_2", "agt_2", "", "msg_8", 1),
		message("conv_2", 1, "msg_5", "user", `{"agent_id":"agt_2"}`),
		message("conv_2", 2, "msg_6", "agent", `{"agent_id":"agt_2","reply":{"id":"msg_6"}}`),
		message("conv_2", 3, "msg_7", "user", `{"agent_id":"agt_2","user":{"id":"ann"}}`),
	)
	s := openStore(t, dir, nil)
	for _, test := range []struct {
		filter agent.MessageFilter
		want   string
	}{
		{agent.MessageFilter{}, "msg_7 msg_6 msg_5 msg_4 msg_3 msg_2 msg_1"},
		{agent.MessageFilter{UserID: "ann"}, "msg_7 msg_4 msg_3 msg_2 msg_1"},
		{agent.MessageFilter{UserID: "ann", AgentID: "agt_2"}, "msg_7"},
		{agent.MessageFilter{AgentID: "agt_2"}, "msg_7 msg_6 msg_5"},
		{agent.MessageFilter{ConversationID: "conv_1"}, "msg_4 msg_3 msg_2 msg_1"},
	} {
		l, err := s.Messages(t.Context(), "cmp_1", test.filter, store.Page{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range l.Data {
			got = append(got, m.ID)
			if m.Text != "Text of "+m.ID || m.Feedback != nil {
				t.Errorf("message %s = %+v, want it as it was", m.ID, m)
			}
		}
		if !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("Messages(%+v) = %v, want %s", test.filter, got, test.want)
		}
	}
	turn, err := s.TakeTurn(t.Context(), "cmp_1", "conv_2", "another", 1e9)
	if err != nil || turn.ReplyID != "msg_8" || turn.Taken != 1 || turn.Cancelled || turn.Fence <= 7 {
		t.Errorf("TakeTurn = %+v, %v, want the turn that ran", turn, err)
	}
	if r, err := s.RunningTurn(t.Context(), "cmp_1", "msg_8"); err != nil || r.MessageID != "msg_7" || r.ConversationID != "conv_2" {
		t.Errorf("RunningTurn = %+v, %v, want the turn that ran", r, err)
	}
	integrity(t, s)
}
