package work_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/store"
)

// What the runner itself costs a job: the store is a map, the handler does
// nothing.
func BenchmarkJob(b *testing.B) {
	for _, keys := range []int{1, 100} {
		for _, ordered := range []bool{true, false} {
			b.Run(fmt.Sprintf("keys=%d/ordered=%v", keys, ordered), func(b *testing.B) {
				s := newMemStore()
				var left sync.WaitGroup
				q := work.Queue{Name: "q", Ordered: ordered, Parallel: 16, Handler: func(context.Context, store.Lease, store.Job) error {
					left.Done()
					return nil
				}}
				if !ordered {
					q.PerKey = 4
				}
				r := newRunner(b, s, nil, q)
				stop := run(b, r)
				defer stop()
				const batch = 1000
				n := 0
				for b.Loop() {
					left.Add(batch)
					c := store.Commit{Company: "c"}
					for i := range batch {
						n++
						c.Work = append(c.Work, store.Work{ID: fmt.Sprint(n), Queue: "q", Key: fmt.Sprint(i % keys)})
					}
					if err := r.Enqueue(b.Context(), c); err != nil {
						b.Fatal(err)
					}
					left.Wait()
				}
				b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds(), "jobs/s")
			})
		}
	}
}
