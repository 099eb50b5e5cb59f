package evals_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"testing/fstest"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent/evals"
)

func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "desk")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	desk, err := answerdesk.Open(ctx, folder, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer desk.Close()

	files, err := evals.Read(fstest.MapFS{"shop.txtar": {Data: []byte(`
-- hours.md --
We open at nine in the morning. On Sundays we stay closed.
-- conversation hours --
> When do you open?
outcome: answer
cites: hours.md "at nine"
-- conversation bicycles --
> Do you repair bicycles?
outcome: answer
`)}})
	if err != nil {
		log.Fatal(err)
	}
	var results []evals.Result
	for r, err := range evals.Run(ctx, desk, files, nil) {
		if err != nil {
			log.Fatal(err)
		}
		for _, once := range r.Runs {
			for _, f := range once.Failures {
				fmt.Printf("%s:%d\n", f.File, f.Line)
			}
		}
		results = append(results, r)
	}
	fmt.Println(evals.Sum(results))
	// Output:
	// shop.txtar:10
	// 1 of 2 conversations passed
}
