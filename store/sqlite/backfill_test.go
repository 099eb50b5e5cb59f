package sqlite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
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

// Documents from before they told of their live texts have the versions they had, and
// keep them when they change.
func TestVersionsFromBefore(t *testing.T) {
	dir := t.TempDir()
	document := func(id string, version int) string {
		return fmt.Sprintf(`INSERT INTO documents VALUES ('cmp_1', '%s', '', 'upload', 'Title', '', 'ext %[1]s', 'null', 'text', 'null', %d, 'ready',
			X'01', X'02', 1, 1000000, 2000000, '', 'en')`, id, version)
	}
	version := func(id string, n int) string {
		return fmt.Sprintf(`INSERT INTO document_versions VALUES ('cmp_1', '%s', %d, 'Title %[2]d', 'text', 4, X'02', 'key_%[2]d', %[2]d000000)`, id, n)
	}
	passage := func(id string, n int) string {
		return fmt.Sprintf(`INSERT INTO passages VALUES ('cmp_1', '%s', %d, 0, 0, 0, 4, 'null', 'Tea.', 0)`, id, n)
	}
	a, b := id.New(id.Document), id.New(id.Document)
	openAt(t, dir, 10,
		`INSERT INTO companies VALUES ('cmp_1', 'First', 'agt_1', 0, 1)`,
		document(a, 2), version(a, 1), passage(a, 1), version(a, 2), passage(a, 2),
		document(b, 1), version(b, 1), passage(b, 1),
	)
	s := openStore(t, dir, nil)
	want := func(documentID string, want ...string) {
		t.Helper()
		all, err := s.Versions(t.Context(), "cmp_1", documentID)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range all {
			got = append(got, fmt.Sprintf("%d %s by %q, %d bytes, %d, %t", v.Version, v.Title, v.Actor, v.Bytes, v.CreatedAt.Unix(), v.Live))
		}
		if !slices.Equal(got, want) {
			t.Errorf("Versions of %s = %q, want %q", documentID, got, want)
		}
	}
	want(a, `2 Title 2 by "key_2", 4 bytes, 2, true`, `1 Title 1 by "key_1", 4 bytes, 1, false`)
	want(b, `1 Title 1 by "key_1", 4 bytes, 1, true`)
	put := func(documentID, title, text string) {
		t.Helper()
		at := time.Unix(50, 0)
		if _, err := s.WriteDocuments(t.Context(), store.Commit{Company: "cmp_1", Audit: &store.Audit{ID: id.New(id.Audit), Actor: "key_9", At: at}}, []knowledge.Write{{
			Document: knowledge.Document{ID: documentID, Kind: knowledge.KindUpload, Title: title, Text: text, Format: knowledge.Text, CreatedAt: at, UpdatedAt: at},
			NewID:    id.New(id.Document), KeepText: text == "", TextHash: [32]byte{byte(len(text))}, Hash: [32]byte{byte(len(title)), byte(len(text))},
			Passages: []knowledge.Passage{{End: len(text), Text: text}},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	put(a, "Renamed", "")
	want(a, `2 Title 2 by "key_2", 4 bytes, 2, true`, `1 Title 1 by "key_1", 4 bytes, 1, false`)
	for _, documentID := range []string{a, b} {
		put(documentID, "Coffee", "Coffee.")
	}
	want(a, `3 Coffee by "key_9", 7 bytes, 50, true`, `2 Title 2 by "key_2", 4 bytes, 2, false`, `1 Title 1 by "key_1", 4 bytes, 1, false`)
	want(b, `2 Coffee by "key_9", 7 bytes, 50, true`, `1 Title 1 by "key_1", 4 bytes, 1, false`)
	for documentID, versions := range map[string]int{a: 3, b: 2} {
		gone, err := s.DeleteDocument(t.Context(), store.Commit{Company: "cmp_1"}, documentID)
		if err != nil || gone.Versions != versions || gone.Passages != versions {
			t.Errorf("DeleteDocument = %+v, %v, want %d versions gone", gone, err, versions)
		}
	}
	integrity(t, s)
}
