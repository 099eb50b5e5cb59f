package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A command is one of the things the program does.
type command struct {
	name        string
	takes       string // its arguments, as the help shows them
	about       string // what it does, in a line
	more        string // what its help says besides
	data, agent bool   // which flags it has
	min, max    int    // how many arguments; max -1 means any number
	do          func(context.Context, *call) error
}

// commands are in the order of the help.
var commands = []command{ingestCommand, askCommand, backupCommand, restoreCommand, versionCommand}

// A call is what a command was called with.
type call struct {
	data, agent    string   // the flags
	args           []string // the rest
	stdout, stderr io.Writer
}

// run is the program: it does what args say and returns the status to exit with.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		say(stderr, "%s", overview())
		return 2
	}
	if slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		if len(args) == 1 {
			say(stdout, "%s", overview())
			return 0
		}
		args = []string{args[1], "-h"}
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		say(stderr, "answerdesk: %q is not a command\n\n%s", args[0], overview())
		return 2
	}
	return commands[i].run(ctx, args[1:], stdout, stderr)
}

func (c command) run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	given := &call{stdout: stdout, stderr: stderr}
	err := c.parse(given, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		say(stdout, "%s", c.help())
		return 0
	case err != nil:
		say(stderr, "answerdesk %s: %v\n\n%s", c.name, err, c.help())
		return 2
	}
	if err := c.do(ctx, given); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		say(stderr, "answerdesk %s: %s\n", c.name, printable(err.Error()))
		return 1
	}
	return 0
}

// flags returns the flags of the command, which are set in given.
func (c command) flags(given *call) *flag.FlagSet {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // what it would say is said by the caller
	if c.data {
		f.StringVar(&given.data, "data", os.Getenv("ANSWERDESK_DATA"), "the folder `DIR` of the desk; if not given, $ANSWERDESK_DATA")
	}
	if c.agent {
		f.StringVar(&given.agent, "agent", "", "the `ID` of an agent; it may be left out")
	}
	return f
}

// parse reads flags and arguments in any order; "--" ends the flags.
func (c command) parse(given *call, args []string) error {
	f := c.flags(given)
	for {
		if err := f.Parse(args); err != nil {
			return err
		}
		rest := f.Args()
		if read := len(args) - len(rest); len(rest) == 0 || read > 0 && args[read-1] == "--" {
			given.args = append(given.args, rest...)
			break
		}
		given.args, args = append(given.args, rest[0]), rest[1:]
	}
	switch n := len(given.args); {
	case c.data && given.data == "":
		return errors.New("--data is missing: it names the folder of the desk")
	case n < c.min:
		return fmt.Errorf("%s is missing", strings.TrimSuffix(c.takes, "..."))
	case c.max >= 0 && n > c.max:
		return fmt.Errorf("%q is one argument too many", given.args[c.max])
	}
	return nil
}

// open opens a desk that must be there.
func (given *call) open(ctx context.Context) (*answerdesk.Desk, error) {
	if _, err := os.Stat(filepath.Join(given.data, sqlite.FileName)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no desk in %s: ingest something first", given.data)
	}
	return answerdesk.Open(ctx, given.data, nil)
}

// named says in an error of a desk which desk it is.
func (given *call) named(err error) error {
	if errors.Is(err, agent.ErrInvalid) {
		return err // about the question
	}
	return fmt.Errorf("desk in %s: %w", given.data, err)
}

// synopsis is how the command is called.
func (c command) synopsis() string {
	s := "answerdesk " + c.name
	if c.data {
		s += " --data DIR"
	}
	if c.agent {
		s += " [--agent ID]"
	}
	return strings.TrimRight(s+" "+c.takes, " ")
}

func (c command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: %s\n\n%s\n", c.synopsis(), c.more)
	flags := "\n"
	c.flags(new(call)).VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(&b, "%s  %-10s   %s\n", flags, "--"+f.Name+" "+value, usage)
		flags = ""
	})
	return b.String()
}

// overview is the help of the whole program.
func overview() string {
	width := 0
	for _, c := range commands {
		width = max(width, len(c.synopsis()))
	}
	var b strings.Builder
	fmt.Fprintln(&b, "Answerdesk answers questions from your own documents, and shows where it read the answer.")
	fmt.Fprintln(&b)
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-*s   %s\n", width, c.synopsis(), c.about)
	}
	fmt.Fprint(&b, "\nMore about one of them: answerdesk help COMMAND\n")
	return b.String()
}

// say tells a person something. That it cannot be written is no failure of what
// it tells of.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
