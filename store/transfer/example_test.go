package transfer_test

import (
	"context"
	"fmt"
	"log"

	"github.com/answerdesk-go/answerdesk/store/transfer"
)

// Without a database at hand this is compiled only; TestCopy does the same.
func ExampleCopy() {
	ctx := context.Background()
	from, to := transfer.Folder("data"), transfer.Postgres("postgres://answerdesk@localhost/desk?schema=desk")
	tables, err := transfer.Copy(ctx, from, to, &transfer.Options{
		Progress: func(s transfer.Step, done, total int64) { log.Printf("%s %d of %d", s, done, total) },
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range tables {
		fmt.Printf("%s: %d rows, %x\n", t.Name, t.To.Rows, t.To.Hash)
	}
}
