package main

import (
	"errors"
	"fmt"
)

// verdicts are limits, and what was measured of them.
type verdicts struct {
	list  []verdict
	guard []string // English sets that are below Lucene by more than .01
}

type verdict struct {
	what  string
	got   float64
	limit string
	aim   string // what would be better still; empty: nothing
	fine  bool
}

// atLeast notes a limit from below.
func (v *verdicts) atLeast(what string, got, limit float64, aim string) {
	v.list = append(v.list, verdict{what, got, fmt.Sprintf(">= %.3f", limit), aim, got >= limit-1e-9})
}

// atMost notes a limit from above.
func (v *verdicts) atMost(what string, got, limit float64, aim string) {
	v.list = append(v.list, verdict{what, got, fmt.Sprintf("<= %.3f", limit), aim, got <= limit+1e-9})
}

// report prints all verdicts, and returns an error if one that counts is missed.
func (v *verdicts) report(all bool) error {
	fmt.Printf("\n%-62s %8s %10s %6s\n", "limit", "measured", "wanted", "")
	missed := 0
	for _, x := range v.list {
		word := "PASS"
		if !x.fine {
			word = "FAIL"
			missed++
		}
		note := ""
		if x.aim != "" {
			note = "  (aim " + x.aim + ")"
		}
		fmt.Printf("%-62s %8.3f %10s %6s%s\n", x.what, x.got, x.limit, word, note)
	}
	fmt.Printf("%d of %d limits are held\n", len(v.list)-missed, len(v.list))
	switch {
	case all && missed > 0:
		return fmt.Errorf("%d limits are missed", missed)
	case v.guard != nil:
		return errors.New("below Lucene by more than .01: " + fmt.Sprint(v.guard))
	}
	return nil
}
