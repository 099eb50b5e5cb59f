package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// faster is how many times the passages of bleve a desk must take in a second of CPU.
const faster = 3

// report prints the median round of each, what the parts of ours took, and whether a
// desk is as much faster than bleve as it must be. Little of everything tells nothing
// of that.
func report(rounds [][]figures, documents int, text int64) (fast bool) {
	fmt.Printf("\n%-11s %9s %9s %14s %14s %8s %8s %10s %14s %10s\n", "", "CPU", "wall", "documents/CPUs", "passages/CPUs",
		"vs bleve", "vs lean", "peak RSS", "held/passage", "disk/text")
	middle := map[string]figures{}
	for i := range rounds[0] {
		var of []figures
		for _, r := range rounds {
			of = append(of, r[i])
		}
		slices.SortFunc(of, func(a, b figures) int { return cmp.Compare(a.CPU, b.CPU) })
		middle[rounds[0][i].Name] = of[len(of)/2]
	}
	rate := func(f figures) float64 { return float64(f.Passages) / f.CPU.Seconds() }
	times := func(f figures, name string) string {
		peer, ok := middle[name]
		if !ok {
			return "-"
		}
		return fmt.Sprintf("%.2fx", rate(f)/rate(peer))
	}
	for _, r := range rounds[0] {
		f := middle[r.Name]
		fmt.Printf("%-11s %8.2fs %8.2fs %14.0f %14.0f %8s %8s %7d MB %12d B %10.2f\n", f.Name, f.CPU.Seconds(), f.Wall.Seconds(),
			float64(documents)/f.CPU.Seconds(), rate(f), times(f, "bleve"), times(f, "bleve-lean"),
			f.Peak>>20, f.Held/int64(f.Passages), float64(f.Disk)/float64(text))
	}
	fmt.Println()
	for _, r := range rounds[0] {
		f := middle[r.Name]
		if f.Stages == nil {
			continue
		}
		fmt.Printf("%-11s %d passages of %d documents; CPU:", f.Name, f.Passages, documents)
		for _, s := range f.Stages {
			fmt.Printf("  %s %v (%.0f%%)", s.Name, s.CPU.Round(10*time.Millisecond), 100*s.CPU.Seconds()/f.CPU.Seconds())
		}
		fmt.Println()
	}
	ours, peer := middle["desk"], middle["bleve"]
	if *short || ours.CPU == 0 || peer.CPU == 0 {
		return true
	}
	word := "FAIL"
	if fast = rate(ours) >= faster*rate(peer); fast {
		word = "PASS"
	}
	fmt.Printf("\nlimit: passages/CPUs of a desk / bleve's: %.2f, wanted >= %d: %s\n", rate(ours)/rate(peer), faster, word)
	return fast
}
