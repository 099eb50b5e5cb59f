package sqlite_test

import (
	"testing"

	"github.com/answerdesk-go/answerdesk/store/sqlite"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

func TestConformance(t *testing.T) {
	var used statements
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) storetest.Store {
			st, err := sqlite.Open(t.Context(), t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				used.note(st)
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			})
			return st
		})
	})
	if !t.Failed() {
		t.Run("plans", used.check)
	}
}
