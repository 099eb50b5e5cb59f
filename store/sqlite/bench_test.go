package sqlite_test

import (
	"testing"

	"github.com/answerdesk-go/answerdesk/store/sqlite"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// BenchmarkStore measures a data folder in the temporary directory, whose disk
// decides how fast a commit is: TMPDIR says where.
func BenchmarkStore(b *testing.B) {
	storetest.Benchmarks(b, func(b *testing.B) storetest.Store {
		st, err := sqlite.Open(b.Context(), b.TempDir(), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := st.Close(); err != nil {
				b.Error(err)
			}
		})
		return st
	})
}
