package main

import (
	"strings"
	"testing"
)

func TestMisuse(t *testing.T) {
	for _, test := range []struct {
		args string
		want string // of what is said
		help string // the help that follows
	}{
		{"", "answers questions", "answerdesk help COMMAND"},
		{"server", `"server" is not a command`, "answerdesk help COMMAND"},
		{"-data x ask", `"-data" is not a command`, "answerdesk help COMMAND"},
		{"help server", `"server" is not a command`, "answerdesk help COMMAND"},
		{"keys", "keys: say what to do with them", "answerdesk keys revoke --store STORE [--company ID] ID"},
		{"keys make --data d", `"keys make" is not a command`, "answerdesk keys revoke"},
		{"help keys make", `"keys make" is not a command`, "answerdesk keys revoke"},
		{"keys create --data d --scope read", "--name is missing: it is what the key is called", "usage: answerdesk keys create"},
		{"keys create --data d --name n", "--scope is missing: it is read, write or full", "usage: answerdesk keys create"},
		{"keys create --data d --name n --scope all", "--scope: must be one of read, write and full", "usage: answerdesk keys create"},
		{"keys create --data d --name n --scope read --plan gold", "--plan: must be one of ", "usage: answerdesk keys create"},
		{"keys create --data d --name n --scope read --expires soon", `--expires: "soon" is neither`, "usage: answerdesk keys create"},
		{"keys rotate --data d", "ID is missing", "usage: answerdesk keys rotate --store STORE [--company ID] [--overlap DURATION] ID"},
		{"keys rotate --data d --overlap 31d key_x", `--overlap: "31d" is longer than 30d`, "usage: answerdesk keys rotate"},
		{"keys rotate --data d --overlap -1h key_x", `--overlap: "-1h" is no duration`, "usage: answerdesk keys rotate"},
		{"keys revoke --data d", "ID is missing", "usage: answerdesk keys revoke"},
		{"keys list --data d --name n", "not defined: -name", "usage: answerdesk keys list"},
		{"serve", "--store is missing", "usage: answerdesk serve --store STORE [FLAG...]"},
		{"serve --data d now", `"now" is one argument too many`, "usage: answerdesk serve"},
		{"ask --data d", "QUESTION is missing", "usage: answerdesk ask --store STORE"},
		{"ask why", "--store is missing: it says where the desk is", "usage: answerdesk ask --store STORE"},
		{"ask --data= why", "--store is missing", "usage: answerdesk ask"},
		{"ask --store a --data b why", "--store and --data say different things", "usage: answerdesk ask"},
		{"ask --data", "flag needs an argument: -data", "usage: answerdesk ask"},
		{"ask --loud --data d why", "not defined: -loud", "usage: answerdesk ask"},
		{"ask why --data d --loud", "not defined: -loud", "usage: answerdesk ask"},
		{"ingest --data d", "PATH is missing", "usage: answerdesk ingest --store STORE [--company ID] [--agent ID] PATH..."},
		{"backup --data d", "FILE is missing", "usage: answerdesk backup --store STORE FILE"},
		{"backup --data d a b", `"b" is one argument too many`, "usage: answerdesk backup"},
		{"backup --data d --agent a b", "not defined: -agent", "usage: answerdesk backup"},
		{"restore --data d", "FILE is missing", "usage: answerdesk restore --store STORE FILE"},
		{"version now", `"now" is one argument too many`, "usage: answerdesk version"},
	} {
		t.Run(test.args, func(t *testing.T) {
			r := program(t, strings.Fields(test.args)...)
			r.want(t, 2, test.want, test.help)
			if r.stdout != "" {
				t.Errorf("standard output = %q, want it empty", r.stdout)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"help", "-h", "-help", "--help"} {
		r := program(t, args)
		r.want(t, 0)
		for _, c := range commands {
			if !strings.Contains(r.stdout, c.synopsis()) {
				t.Errorf("answerdesk %s = %q, want %q in it", args, r.stdout, c.synopsis())
			}
		}
	}
	for _, c := range commands {
		words := strings.Fields(c.name)
		short, long := program(t, append(words, "-h")...), program(t, append([]string{"help"}, words...)...)
		short.want(t, 0, "usage: "+c.synopsis())
		if short != long {
			t.Errorf("answerdesk %s -h = %v, want what answerdesk help %s says, %v", c.name, short, c.name, long)
		}
	}
}

// What several commands have in common can be asked for as well.
func TestHelpOfGroup(t *testing.T) {
	short, long := program(t, "keys", "--help"), program(t, "help", "keys")
	short.want(t, 0, keysCreateCommand.synopsis(), keysListCommand.synopsis(), keysRotateCommand.synopsis(), keysRevokeCommand.synopsis())
	if short != long || strings.Contains(short.stdout, " ingest ") {
		t.Errorf("answerdesk keys --help = %q, and answerdesk help keys = %q, want both the same, about keys", short.stdout, long.stdout)
	}
}

func TestVersion(t *testing.T) {
	program(t, "version").want(t, 0, "answerdesk ", " go1.")
}

// Flags may stand before, between and behind the arguments, and "--" ends them.
func TestParse(t *testing.T) {
	t.Setenv("ANSWERDESK_DATA", "elsewhere")
	for _, test := range []struct{ args, store, agent, rest string }{
		{"when do you open", "elsewhere", "", "when do you open"},
		{"--data d when do you open", "d", "", "when do you open"},
		{"when do you open --data d", "d", "", "when do you open"},
		{"when --data d do -agent=a you open", "d", "a", "when do you open"},
		{"--store d --data d when do you open", "d", "", "when do you open"},
		{"--data=d -- -h --agent x", "d", "", "-h --agent x"},
		{"what does -- --agent mean", "elsewhere", "", "what does --agent mean"},
	} {
		var given call
		if err := askCommand.parse(&given, strings.Fields(test.args)); err != nil {
			t.Errorf("parse(%s): %v", test.args, err)
		} else if rest := strings.Join(given.args, " "); given.store.folder != test.store || given.agent != test.agent || rest != test.rest {
			t.Errorf("parse(%s) = store %q, agent %q, rest %q, want %+v", test.args, given.store, given.agent, rest, test)
		}
	}
}
