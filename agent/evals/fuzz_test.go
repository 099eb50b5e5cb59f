package evals_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/answerdesk-go/answerdesk/agent/evals"
)

// Whatever is in a file, reading it ends, with faults that each name a line of it.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		hours + "-- conversation --\n> When do you open?\noutcome: answer\ncites: hours.md \"at nine\"\n", orders,
		"-- conversation a --\nrepeat: 2\n> a\n> b\ncontext: {\"a\": 1}\nsays: /a|b/\nnever says: c\nconfidence: at most 0.5\n",
		"-- settings --\n{\"threshold\": 2\n-- documents --\n../x\n.\n-- conversation --\n", "-- tool x --\nparameters: {\n\n=> error:\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read, err := evals.Read(fstest.MapFS{"f.txtar": {Data: []byte(text)}})
		if err == nil {
			for _, c := range read[0].Conversations {
				if c.Line < 1 || c.Line > 1+strings.Count(text, "\n") {
					t.Errorf("conversation %q is at line %d of %d", c.Name, c.Line, strings.Count(text, "\n"))
				}
			}
			return
		}
		for _, fault := range faults(err) {
			at, ok := errors.AsType[*evals.SyntaxError](fault)
			if !ok || at.File != "f.txtar" || at.Line < 1 || at.Line > 2+strings.Count(text, "\n") || at.Text == "" {
				t.Errorf("Read = %v, want faults with lines from 1 to %d", fault, 1+strings.Count(text, "\n"))
			}
		}
	})
}

// faults takes joined errors apart.
func faults(err error) (all []error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	for _, e := range joined.Unwrap() {
		all = append(all, faults(e)...)
	}
	return all
}
