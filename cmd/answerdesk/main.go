// Answerdesk is a desk on the command line. It takes in files, answers questions
// from them, here or over HTTP, and copies and restores the folder in which they
// are kept.
//
//	answerdesk serve --data DIR [--addr HOST:PORT] [FLAG...]
//	answerdesk keys create --data DIR --name NAME --scope SCOPE [FLAG...]
//	answerdesk keys list|rotate|revoke --data DIR [ID]
//	answerdesk ingest --data DIR [--company ID] [--agent ID] PATH...
//	answerdesk ask --data DIR [--company ID] [--agent ID] QUESTION
//	answerdesk backup --data DIR FILE
//	answerdesk restore --data DIR FILE
//
// Results go to standard output, what went wrong to standard error. The status is
// 0 when the command did what it says, also when the answer is that there is
// none; 1 when it failed; and 2 when it was not called as its help says.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
