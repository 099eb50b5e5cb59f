// Package storetest holds the promises of a store as tests. An engine's main test
// is one call:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Store {
//			s, err := sqlite.Open(t.Context(), t.TempDir(), nil)
//			if err != nil {
//				t.Fatal(err)
//			}
//			t.Cleanup(func() { s.Close() })
//			return s
//		})
//	}
//
// Each case is a subtest that proves one promise, and prints it when it fails.
// Time is real, since engines are: where a lease has to run out it is short, and
// what follows is waited for, up to a deadline.
//
// Nothing is asked that is not promised. The events of one stream come in their
// order, each once or more, and how those of two streams stand to each other is
// the engine's business.
//
// # Steps at once
//
// Many cases make steps at once that change the same thing, or delete what others
// write. An engine with one writer at a time keeps such promises without doing
// anything. One whose transactions see each other's rows as they are committed
// keeps them by its locks, and these cases are to find the one that it forgot: a
// change that is lost, a row that outlives its owner, an event that is skipped, a
// deadlock that a caller is told of. They meet by chance, so a run that fails now
// and then is a fault as well; -count makes more of them.
//
// What commits late is left to chance only where it must be. A store that is a
// [Lender] holds a transaction open while others commit.
//
// # The model
//
// The last group plays random steps on the engine and on a store kept in maps,
// and compares what both return. ANSWERDESK_MODEL_RUNS sets how many sequences
// it plays; a failure prints the seed and the fewest steps that still fail, and
// ANSWERDESK_MODEL_SEED plays that one again.
//
// # Measurements
//
// [Benchmarks] measures what a desk does most, for 1, 8 and 64 callers, so that
// the tables of two engines can be laid side by side:
//
//	go test -run '^$' -bench Store ./store/sqlite
package storetest
