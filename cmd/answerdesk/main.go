// Answerdesk is a desk on the command line. It takes in files, answers questions
// from them, here or over HTTP, and copies, restores and moves what it keeps in a
// folder or in PostgreSQL.
//
//	answerdesk serve --store STORE [--addr HOST:PORT] [FLAG...]
//	answerdesk keys create --store STORE --name NAME --scope SCOPE [FLAG...]
//	answerdesk keys list|rotate|revoke --store STORE [ID]
//	answerdesk ingest --store STORE [--company ID] [--agent ID] PATH...
//	answerdesk ask --store STORE [--company ID] [--agent ID] QUESTION
//	answerdesk explain --store STORE [--company ID] [--json] [ID]
//	answerdesk eval --store STORE [FLAG...] DIR
//	answerdesk eval --documents FOLDER [FLAG...] DIR
//	answerdesk eval --store STORE [--company ID] --export ID
//	answerdesk calibrate --store STORE [--company ID] [--agent ID] [--dry-run] FILE
//	answerdesk calibrate --store STORE [--company ID] --reset
//	answerdesk migrate --store STORE [--check]
//	answerdesk copy --from STORE --to STORE [--restart]
//	answerdesk backup --store DIR FILE
//	answerdesk restore --store DIR FILE
//
// A STORE is a folder, or a URL such as postgres://user@host/database?schema=name.
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
