package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
)

// A command is one of the things the program does.
type command struct {
	name     string // one word or two
	takes    string // its arguments, as the help shows them
	about    string // what it does, in a line
	more     string // what its help says besides
	settings []setting
	min, max int  // how many arguments; max -1 means any number
	lasts    bool // it goes on until it is interrupted, which is no failure
	do       func(context.Context, *call) error
}

// commands are in the order of the help.
var commands = []command{
	serveCommand,
	keysCreateCommand, keysListCommand, keysRotateCommand, keysRevokeCommand,
	ingestCommand,
	sourcesPreviewCommand, sourcesAddCommand, sourcesAddAPICommand, sourcesListCommand, sourcesReadCommand, sourcesReportCommand, sourcesRemoveCommand,
	askCommand, explainCommand, evalCommand, calibrateCommand, migrateCommand, copyCommand, backupCommand, restoreCommand, versionCommand,
}

// A call is what a command was called with.
type call struct {
	store          place
	agent, company string
	serving        serving  // of serve
	key            keyFlags // of keys
	model          written
	source         sourceFlags
	check          bool  // of migrate
	from, to       place // of copy
	restart        bool  // of copy
	dryRun, reset  bool  // of calibrate
	eval           evalFlags
	json           bool // of what prints JSON if it is asked to

	args           []string // the rest
	stdout, stderr io.Writer
}

// run is the program: it does what args say and returns the status to exit with.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	helping := len(args) > 0 && isHelp(args[0])
	if helping {
		args = args[1:]
	}
	if len(args) == 0 {
		if helping {
			say(stdout, "%s", overview(commands))
			return 0
		}
		say(stderr, "%s", overview(commands))
		return 2
	}
	c, rest, ok := find(args)
	group := slices.DeleteFunc(slices.Clone(commands), func(c command) bool { return !strings.HasPrefix(c.name, args[0]+" ") })
	switch {
	case ok && helping:
		say(stdout, "%s", c.help())
		return 0
	case ok:
		return c.run(ctx, rest, stdout, stderr)
	case len(group) > 0 && (len(args) == 1 && helping || len(args) > 1 && isHelp(args[1])):
		say(stdout, "%s", overview(group))
		return 0
	case len(group) > 0 && len(args) == 1:
		say(stderr, "answerdesk %s: say what to do with them\n\n%s", args[0], overview(group))
		return 2
	case len(group) > 0:
		say(stderr, "answerdesk: %q is not a command\n\n%s", args[0]+" "+args[1], overview(group))
		return 2
	}
	say(stderr, "answerdesk: %q is not a command\n\n%s", args[0], overview(commands))
	return 2
}

func isHelp(arg string) bool { return slices.Contains([]string{"help", "-h", "-help", "--help"}, arg) }

// find returns the command that args begin with, and the rest of them.
func find(args []string) (c command, rest []string, ok bool) {
	for _, c := range commands {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return c, args[len(words):], true
		}
	}
	return command{}, nil, false
}

func (c command) run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	given := &call{stdout: stdout, stderr: stderr}
	err := c.parse(given, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		say(stdout, "%s", c.help())
		return 0
	case err != nil:
		say(stderr, "answerdesk %s: %s\n\n%s", c.name, printable(err.Error()), c.help())
		return 2
	}
	if err := c.do(ctx, given); err != nil {
		if ctx.Err() != nil && !c.lasts {
			err = errors.New("interrupted")
		}
		say(stderr, "answerdesk %s: %s\n", c.name, printable(err.Error()))
		return 1
	}
	return 0
}

// flags returns the flags of the command, which are noted in values.
func (c command) flags(values map[string]string) *flag.FlagSet {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // what it would say is said by the caller
	for _, s := range c.settings {
		note := func(v string) error { values[s.name] = v; return nil }
		if s.value == "" {
			f.BoolFunc(s.name, s.about, note)
		} else {
			f.Func(s.name, s.about, note)
		}
	}
	return f
}

// parse reads flags and arguments in any order; "--" ends the flags.
func (c command) parse(given *call, args []string) error {
	values := map[string]string{}
	f := c.flags(values)
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
	if err := c.settle(given, values); err != nil {
		return err
	}
	switch n := len(given.args); {
	case n < c.min:
		return fmt.Errorf("%s is missing", strings.TrimSuffix(c.takes, "..."))
	case c.max >= 0 && n > c.max:
		return fmt.Errorf("%q is one argument too many", given.args[c.max])
	}
	return nil
}

// open opens a desk that must be there.
func (given *call) open(ctx context.Context) (desk, error) {
	switch empty, err := given.store.empty(ctx); {
	case err != nil:
		return desk{}, err
	case empty:
		return desk{}, given.noDesk()
	}
	model, err := given.model.open()
	if err != nil {
		return desk{}, err
	}
	return given.store.open(ctx, answerdesk.Options{Model: model, Models: given.model.named(model)})
}

func (given *call) noDesk() error {
	return fmt.Errorf("there is no desk in %s: serve it or ingest something first", given.store)
}

// of returns the company that was named, or the operator's.
func (given *call) of(ctx context.Context, desk desk) (*answerdesk.Company, error) {
	if given.company == "" {
		return desk.Company(desk.ID()), nil
	}
	c, err := desk.Companies().Get(ctx, given.company)
	if err != nil {
		return nil, given.named(err)
	}
	return desk.Company(c.ID), nil
}

// named says in an error of a desk which desk it is.
func (given *call) named(err error) error {
	if errors.Is(err, agent.ErrInvalid) {
		return err // about the question
	}
	return fmt.Errorf("desk in %s: %w", given.store, err)
}

// synopsis is how the command is called.
func (c command) synopsis() string {
	words, may := []string{"answerdesk", c.name}, []string{}
	for _, f := range c.settings {
		switch {
		case f.name == dataSetting.name:
		case f.required == "":
			may = append(may, "["+f.usage()+"]")
		default:
			words = append(words, f.usage())
		}
	}
	if len(may) > 2 {
		may = []string{"[FLAG...]"}
	}
	return strings.TrimRight(strings.Join(slices.Concat(words, may, []string{c.takes}), " "), " ")
}

func (c command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: %s\n\n%s\n", c.synopsis(), c.more)
	width := 0
	for _, s := range c.settings {
		width = max(width, len(s.usage()))
	}
	for i, s := range c.settings {
		if i == 0 {
			b.WriteString("\n")
		}
		about := s.about
		switch {
		case s.initial != "":
			about += "; " + s.initial + " if not given"
		case s.shared && s.required == "" && s.value != "" && s.name != dataSetting.name:
			about += "; none if not given"
		}
		if s.shared && !c.has(configSetting) {
			about += "; if not given, $" + s.variable()
		}
		fmt.Fprintf(&b, "  %-*s   %s\n", width, s.usage(), strings.Join(lines(about, 80-width-5), "\n"+strings.Repeat(" ", width+5)))
	}
	return b.String()
}

// lines breaks a text into lines of at most some columns, where it can.
func lines(text string, columns int) []string {
	var out []string
	for word := range strings.FieldsSeq(text) {
		if n := len(out) - 1; n >= 0 && len(out[n])+1+len(word) <= columns {
			out[n] += " " + word
		} else {
			out = append(out, word)
		}
	}
	return out
}

// overview is the help of the whole program, or of a part of it.
func overview(commands []command) string {
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
