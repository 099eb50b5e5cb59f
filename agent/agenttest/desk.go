package agenttest

import (
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// Desk returns a desk on a folder of its own that holds docs. It is closed, and
// the folder removed, when the test ends. [answerdesk.Desk.Run] is not started:
// asking, searching and writing do without it, and a test that wants the work in
// the background begins and ends it itself.
func Desk(t testing.TB, docs ...knowledge.Document) *answerdesk.Desk {
	t.Helper()
	return DeskWith(t, nil, docs...)
}

// DeskWith is [Desk] with options; nil means the defaults written on
// [answerdesk.Options].
func DeskWith(t testing.TB, opts *answerdesk.Options, docs ...knowledge.Document) *answerdesk.Desk {
	t.Helper()
	desk, err := answerdesk.Open(t.Context(), t.TempDir(), opts)
	if err != nil {
		t.Fatalf("open a desk: %v", err)
	}
	t.Cleanup(func() {
		if err := desk.Close(); err != nil {
			t.Errorf("close the desk: %v", err)
		}
	})
	if len(docs) > 0 {
		if _, err := desk.Knowledge().PutAll(t.Context(), docs...); err != nil {
			t.Fatalf("put %d documents: %v", len(docs), err)
		}
	}
	return desk
}
