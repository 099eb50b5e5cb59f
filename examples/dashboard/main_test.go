package main

import (
	"io"
	"os"
	"strings"
	"testing"
)

// printed runs the program and returns what it prints.
func printed(t *testing.T, screens, asked []string) string {
	t.Helper()
	before := os.Stdout
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout = w
	failed := run(t.Context(), screens, asked)
	os.Stdout = before
	w.Close()
	out, err := io.ReadAll(r)
	if failed != nil || err != nil {
		t.Fatalf("run = %v, %v", failed, err)
	}
	return string(out)
}

// The same words have two right answers, and a question that names its thing has one.
func TestDashboard(t *testing.T) {
	for question, want := range map[string][2]string{
		"How do I add it?":    {"press New card", "press New phone"},
		"How do I remove it?": {"press Remove", "swipe it to the left"},
		"How do I remove a phone from the devices screen?": {"swipe it to the left", "swipe it to the left"},
		"What is the capital of Mongolia?":                 {"(refuse)", "(refuse)"},
	} {
		lines := strings.Split(strings.TrimSpace(printed(t, []string{"billing", "devices"}, []string{question})), "\n")
		if len(lines) != 3 || lines[0] != question || !strings.HasPrefix(lines[1], "  billing: ") || !strings.HasPrefix(lines[2], "  devices: ") {
			t.Errorf("%q prints %q", question, lines)
			continue
		}
		for i, part := range want {
			if !strings.Contains(lines[i+1], part) {
				t.Errorf("%q prints %q, want it to have %q", question, lines[i+1], part)
			}
		}
	}
	if got := printed(t, []string{"devices"}, []string{"Can I remove it?"}); strings.Contains(got, "billing") || !strings.Contains(got, "swipe") {
		t.Errorf("on one screen alone it prints %q", got)
	}
}
