package work_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/store"
)

func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	r, err := work.New(newMemStore(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = r.Add(work.Queue{
		Name:    "deliveries",
		Ordered: true,
		Backoff: []time.Duration{10 * time.Millisecond},
		Handler: func(ctx context.Context, l store.Lease, j store.Job) error {
			fmt.Println(j.ID, "attempt", j.Attempt)
			switch {
			case j.ID == "wrk_1" && j.Attempt == 1:
				return errors.New("connection refused") // once more, after a wait
			case j.ID == "wrk_2":
				return work.Permanent(errors.New("no such endpoint")) // never again
			case j.ID == "wrk_3":
				stop()
			}
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := store.Commit{Company: "cmp_1"} // as a step writes it
	for _, id := range []string{"wrk_1", "wrk_2", "wrk_3"} {
		c.Work = append(c.Work, store.Work{ID: id, Queue: "deliveries", Key: "whk_1"})
	}
	if err := r.Enqueue(ctx, c); err != nil {
		fmt.Println(err)
	}
	if err := r.Run(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// wrk_1 attempt 1
	// wrk_1 attempt 2
	// wrk_2 attempt 1
	// wrk_3 attempt 1
}
