// With runs a command on a new PostgreSQL server, which ends with it: the URL of
// an empty database of that server is in the environment as ANSWERDESK_STORE.
//
//	go run ./internal/pgtest/with go test ./cmd/answerdesk
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "with:", err)
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 {
			os.Exit(exit.ExitCode())
		}
		os.Exit(1)
	}
}

func run(command []string) error {
	if len(command) == 0 {
		return errors.New("no command: say what is to run on the server")
	}
	server, err := pgtest.Start(nil)
	if err != nil {
		return err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "ANSWERDESK_STORE="+server.URL("postgres"))
	return errors.Join(cmd.Run(), server.Close())
}
