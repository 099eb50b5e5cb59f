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
// The last group plays random steps on the engine and on a store kept in maps,
// and compares what both return. ANSWERDESK_MODEL_RUNS sets how many sequences
// it plays; a failure prints the seed and the fewest steps that still fail, and
// ANSWERDESK_MODEL_SEED plays that one again.
package storetest
