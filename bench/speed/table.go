package main

import (
	"errors"
	"fmt"
)

// heading begins the table.
func (b *bench) heading() {
	fmt.Println("\nCPU of building, and MB of text in a second of it. Narrow and wide: CPU of a question in ms, wall time p50 and p99 in ms, allocations;")
	fmt.Println("found: share of questions whose document is among the first ten; same: of the ten hits those that the index has, too, in the mean.")
	fmt.Printf("%-10s %7s %6s | %-47s | %-40s | %6s %6s %8s %6s\n", "", "build", "MB/s", "narrow   CPU    p50    p99  allocs found  same", "wide   CPU    p50    p99  found  same", "disk", "x text", "resident", "open")
}

// add prints a line of the table.
func (b *bench) add(r row) {
	b.rows = append(b.rows, r)
	build, rate := "-", "-"
	if r.building {
		build, rate = fmt.Sprintf("%.2f s", r.CPU.Seconds()), fmt.Sprintf("%.1f", float64(b.text)/1e6/r.CPU.Seconds())
	}
	disk, times, open := "-", "-", "-"
	if r.Disk > 0 {
		disk, times = fmt.Sprintf("%.1f", float64(r.Disk)/1e6), fmt.Sprintf("%.2f", float64(r.Disk)/float64(b.text))
	}
	if r.Opening > 0 {
		open = fmt.Sprintf("%.0f ms", 1e3*r.Opening.Seconds())
	}
	base := b.rows[0]
	fmt.Printf("%-10s %7s %6s | %-47s | %-40s | %6s %6s %5.0f MB %6s\n", r.name, build, rate, b.cells(r.Narrow, base.Narrow, true), b.cells(r.Wide, base.Wide, false), disk, times, float64(r.Resident)/1e6, open)
}

// footing says what the table does not.
func (b *bench) footing() {
	for _, note := range b.notes {
		fmt.Println("#", note)
	}
	for _, r := range b.rows {
		if n := len(r.Wide.Each); n < len(b.questions) {
			fmt.Printf("# %s: %d narrow and %d wide questions, which is what a budget of %v allows\n", r.name, len(r.Narrow.Each), n, *budget)
		}
	}
	fmt.Println("\nA letter is missing in the longest word of each question, wide")
	for _, r := range b.rows {
		if t := r.Typos; len(t.Each) > 0 {
			share, _ := b.found(t, timing{}, false)
			fmt.Printf("%-10s %8.3f ms CPU a question, p99 %.3f ms, found %.3f\n", r.name, 1e3*t.CPU.Seconds()/float64(len(t.Each)), 1e3*part(t.Each, .99).Seconds(), share)
		}
	}
}

// cells prints what questions took.
func (b *bench) cells(t, base timing, narrow bool) string {
	if len(t.Each) == 0 || len(t.Found) == 0 || t.Found[0] == nil && t.CPU < 1e6 {
		return "   -"
	}
	share, same := b.found(t, base, narrow)
	cpu, p50, p99 := 1e3*t.CPU.Seconds()/float64(len(t.Each)), 1e3*part(t.Each, .5).Seconds(), 1e3*part(t.Each, .99).Seconds()
	if narrow {
		return fmt.Sprintf("%12.3f %6.3f %6.2f %7.1f %5.3f %5.1f", cpu, p50, p99, t.Allocations, share, same)
	}
	return fmt.Sprintf("%10.3f %6.3f %6.2f %6.3f %5.1f", cpu, p50, p99, share, same)
}

// A limit is what something may take, and what it took.
type limit struct {
	what string
	got  float64
	want string
	fine bool
}

func (b *bench) atMost(what string, got, most float64) {
	b.limits = append(b.limits, limit{what, got, fmt.Sprintf("<= %g", most), got <= most})
}

func (b *bench) atLeast(what string, got, least float64) {
	b.limits = append(b.limits, limit{what, got, fmt.Sprintf(">= %g", least), got >= least})
}

// verdicts prints the limits, and returns an error if one is missed and that counts.
func (b *bench) verdicts(counts bool) error {
	fmt.Printf("\n%-50s %10s %10s\n", "limit", "measured", "wanted")
	missed := 0
	for _, l := range b.limits {
		word := "PASS"
		if !l.fine {
			word = "FAIL"
			missed++
		}
		fmt.Printf("%-50s %10.3f %10s %6s\n", l.what, l.got, l.want, word)
	}
	fmt.Printf("%d of %d limits are held\n", len(b.limits)-missed, len(b.limits))
	if counts && missed > 0 {
		return fmt.Errorf("%d limits are missed", missed)
	}
	return b.comparable()
}

// comparable returns an error if an engine does not find what it is asked for: then
// its times mean nothing.
func (b *bench) comparable() error {
	var errs []error
	for _, r := range b.rows {
		if share, _ := b.found(r.Wide, timing{}, false); share < .4 {
			errs = append(errs, fmt.Errorf("%s finds %.0f %% of the documents that questions were taken from", r.name, 100*share))
		}
	}
	return errors.Join(errs...)
}
