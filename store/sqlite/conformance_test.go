package sqlite_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/answerdesk-go/answerdesk/store/sqlite"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// searching is a store that looks for texts in the files of its folder.
type searching struct {
	*sqlite.Store
	dir string
}

// Search implements storetest's Searcher.
func (s searching) Search(_ context.Context, text string) (places []string, err error) {
	files, err := os.ReadDir(s.dir)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(s.dir, f.Name()))
		if err != nil {
			return nil, err
		}
		if bytes.Contains(b, []byte(text)) {
			places = append(places, f.Name())
		}
	}
	return places, err
}

func TestConformance(t *testing.T) {
	var used statements
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) storetest.Store {
			dir := t.TempDir()
			st, err := sqlite.Open(t.Context(), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				used.note(st)
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			})
			return searching{st, dir}
		})
	})
	if !t.Failed() {
		t.Run("plans", used.check)
	}
}
