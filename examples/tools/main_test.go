package main

import (
	"bufio"
	"io"
	"os"
	"strings"
	"testing"
)

// say runs the program with what is typed, and returns what it prints.
func say(t *testing.T, typed ...string) string {
	t.Helper()
	before := os.Stdout
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout = w
	failed := run(t.Context(), "", "", bufio.NewScanner(strings.NewReader(strings.Join(typed, "\n")+"\n")))
	os.Stdout = before
	w.Close()
	out, err := io.ReadAll(r)
	if failed != nil || err != nil {
		t.Fatalf("run = %v, %v", failed, err)
	}
	return string(out)
}

func TestTools(t *testing.T) {
	for _, test := range []struct {
		name  string
		typed []string
		want  string
	}{
		{"looked up", []string{"Where is order A-1?"}, "(order_status: completed)\nOrder A-1 is on its way.\n"},
		{"approved", []string{"Please cancel order A-2", "y", "Where is order A-2?"},
			"(cancel_order: completed)\nOrder A-2 is cancelled.\n(order_status: completed)\nOrder A-2 is cancelled.\n"},
		{"not there", []string{"Where is order B-7?"}, "(order_status: failed)\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := say(t, test.typed...); !strings.HasPrefix(got, test.want) {
				t.Errorf("the program prints %q, want %q", got, test.want)
			}
		})
	}
	if got := say(t, "Please cancel order A-2", "n", "Where is order A-2?"); !strings.HasPrefix(got, "(cancel_order: rejected)\n") || !strings.HasSuffix(got, "Order A-2 is being packed.\n") {
		t.Errorf("without approval the program prints %q, want an order that is as it was", got)
	}
}
