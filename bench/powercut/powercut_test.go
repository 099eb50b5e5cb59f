package main

import (
	"os"
	"strconv"
	"testing"
)

// With synchronous=FULL nothing is lost, and each weaker way loses something: the
// program in small, so that it cannot rot. ANSWERDESK_CUTS is how many databases
// there are.
func TestPowerCuts(t *testing.T) {
	n := 30
	if v := os.Getenv("ANSWERDESK_CUTS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 1 {
			t.Fatalf("ANSWERDESK_CUTS=%q is not a number of databases", v)
		}
	}
	l := newLayer(t.TempDir())
	for seed := range uint64(n) {
		if v := live(l, full, seed); v.damage != nil || len(v.faults) > 0 {
			t.Errorf("seed %d, %s: %v %v", seed, full.name, v.damage, v.faults)
		}
	}
	for _, w := range []way{normal, off, lying} {
		if got := sum(l, w, 0, 10); got.lost+got.damaged == 0 {
			t.Errorf("%s lost nothing in %d cuts: this test sees nothing", w.name, got.cuts)
		}
	}
}
