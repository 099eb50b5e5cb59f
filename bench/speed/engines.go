package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// A row is a line of the table.
type row struct {
	name string
	figures
	building bool // whether building was measured
}

// index measures the index alone.
func (b *bench) index(ctx context.Context) error {
	place, err := b.in("index")
	if err != nil {
		return err
	}
	type built struct {
		CPU, Writing time.Duration
		Memory, Disk int64
	}
	var best built
	for range *rounds { // the last snapshot stays
		var x built
		if err := b.inside(ctx, &x, "build", place); err != nil {
			return err
		}
		if best.CPU == 0 || x.CPU < best.CPU {
			best = x
		}
	}
	r := row{name: "index", building: true, figures: figures{CPU: best.CPU, Disk: best.Disk}}
	var more []string
	if *profile != "" {
		more = []string{"-cpuprofile", *profile}
	}
	if err := b.inside(ctx, &r.figures, "search", place, more...); err != nil {
		return err
	}
	r.CPU, r.Disk = best.CPU, best.Disk
	var typos figures
	if err := b.inside(ctx, &typos, "search", place, "-questions", b.files["typos"], "-rounds", "1"); err != nil {
		return err
	}
	r.Typos = typos.Wide
	for _, list := range [][][]string{r.Narrow.Found, r.Wide.Found, r.Typos.Found} {
		for _, ids := range list {
			for i, id := range ids {
				ids[i] = fmt.Sprint(b.numbers[id])
			}
		}
	}
	b.add(r)

	ms := func(t timing) float64 { return 1e3 * t.CPU.Seconds() / float64(len(t.Each)) }
	b.atMost("index, narrow question, ms CPU", ms(r.Narrow), .15)
	b.atMost("index, narrow question, p99 in ms", 1e3*part(r.Narrow.Each, .99).Seconds(), 1)
	b.atLeast("index, MB of text a second a core", float64(b.text)/1e6/best.CPU.Seconds(), 25)
	b.atMost("index, snapshot / text", float64(best.Disk)/float64(b.text), .5)
	b.atMost("index, snapshot opened, ms CPU", 1e3*r.Opening.Seconds(), 100)
	b.atMost("index, resident MB", float64(r.Resident)/1e6, 60)
	return nil
}

// desk measures the whole path, first from rows, then as a desk opens again.
func (b *bench) desk(ctx context.Context) error {
	place, err := b.in("desk")
	if err != nil {
		return err
	}
	r := row{name: "desk", building: true}
	var built, first figures
	if err := b.self(ctx, &built, "build desk", place); err != nil {
		return err
	}
	if err := b.self(ctx, &first, "search desk", place, "-budget", "1ms"); err != nil {
		return err
	}
	if err := b.self(ctx, &r.figures, "search desk", place); err != nil {
		return err
	}
	r.CPU, r.Disk = built.CPU, built.Disk
	b.add(r)
	b.note("desk: the first question after all was written, the index made from rows: %.2f s CPU; ten hits read from the store: %.3f ms CPU a question",
		first.Opening.Seconds(), 1e3*r.Hydrate.Seconds())
	b.atMost("desk, index from rows, s CPU", first.Opening.Seconds(), 4)
	return os.RemoveAll(place)
}

// peers that are built once, and asked in several ways.
func (b *bench) bleve(ctx context.Context) error { return b.peer(ctx, "bleve", "bleve-one") }
func (b *bench) fts5(ctx context.Context) error  { return b.peer(ctx, "fts5", "fts5-stop") }

func (b *bench) peer(ctx context.Context, names ...string) error {
	for i, name := range names {
		place, err := b.in(names[0])
		if name == "bleve-one" {
			place, err = b.in(name)
		}
		if err != nil {
			return err
		}
		r := row{name: name}
		var built figures
		if i == 0 || name == "bleve-one" {
			if err := os.Remove(place); err != nil { // it is made by who opens it first
				return err
			}
			if err := b.self(ctx, &built, "build "+name, place); err != nil {
				return err
			}
			r.building = true
		}
		if err := b.self(ctx, &r.figures, "search "+name, place); err != nil {
			return err
		}
		r.CPU = built.CPU
		if r.Disk = built.Disk; r.Disk == 0 {
			r.Disk = b.rows[len(b.rows)-1].Disk
		}
		b.add(r)
	}
	return errors.Join(os.RemoveAll(b.tmp+"/"+names[0]), os.RemoveAll(b.tmp+"/"+names[len(names)-1]))
}

// found returns the share of questions whose document is among the first ten, and
// how many hits, in the mean of the questions, are those of other, too.
func (b *bench) found(t, other timing, narrow bool) (share, same float64) {
	asked, hits, compared := 0, 0, 0
	for i, ids := range t.Found {
		if !narrow || b.questions[i].reach {
			asked++
			if slices.Contains(ids, fmt.Sprint(b.questions[i].from)) {
				hits++
			}
		}
		if i < len(other.Found) {
			compared++
			for _, id := range ids {
				if slices.Contains(other.Found[i], id) {
					same++
				}
			}
		}
	}
	return float64(hits) / float64(max(asked, 1)), same / float64(max(compared, 1))
}

// part returns the duration that a share p of the questions took at most.
func part(d []time.Duration, p float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.SortedFunc(slices.Values(d), cmp.Compare[time.Duration])
	return s[min(int(p*float64(len(s))), len(s)-1)]
}

// note keeps a line for the end of the table.
func (b *bench) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}
