// Files measures what it takes to read a PDF and a Word file of 500 pages, beside
// the plainest way to get at their text: for PDF the plain text of
// github.com/ledongthuc/pdf, and for Word files the characters between the tags, by
// archive/zip and encoding/xml alone:
//
//	go run ./files [-pages 500] [-rounds 5] [-office=false]
//	go run ./files -short
//
// The files have headings, paragraphs, lists and tables. They are made here and,
// where soffice is installed, once more by LibreOffice, whose files are those that
// people have. Each reading is a process of its own, which is told where the file
// is; what it has in memory at most, beside what it had before, is the memory. Both
// sides must find every heading, and ours the page it stands on.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
)

var (
	pages  = flag.Int("pages", 500, "pages of each file")
	rounds = flag.Int("rounds", 5, "rounds, all in turn; the median by CPU counts")
	office = flag.Bool("office", true, "measure the files of LibreOffice too, where soffice is installed")
	short  = flag.Bool("short", false, "little of everything, to see that it works: no figures to keep")

	child = flag.String("child", "", "used by child processes: whose reading to measure")
	place = flag.String("place", "", "used by child processes: the file")
)

// Ours and the peer's are the two sides of a row.
const (
	ours = "ours"
	peer = "peer"
)

// most is how many times the peer's CPU ours may take.
const most = 3

func main() {
	log.SetFlags(0)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if *child != "" {
		err = measure(ctx)
	} else {
		err = run(ctx)
	}
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	if *short {
		*pages, *rounds, *office = 40, 1, false
	}
	tmp, err := os.MkdirTemp("", "files")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	files, err := makeFiles(ctx, tmp)
	if err != nil {
		return err
	}
	machine.Print(tmp, *pages, " pages, ", *rounds, " rounds; CPU and wall are those of one reading")
	fmt.Printf("\n%-24s %9s %9s %10s %9s %9s %10s %10s %12s\n", "", "size", "text", "CPU", "peer's", "ratio", "memory", "peer's", "memory/page")
	var slow error
	for _, f := range files {
		sides := map[string]figures{}
		var all = map[string][]figures{}
		for range *rounds {
			for _, side := range []string{ours, peer} {
				got, err := start(ctx, side, f.path)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", f.name, side, err)
				}
				all[side] = append(all[side], got)
			}
		}
		for side, list := range all {
			slices.SortFunc(list, func(a, b figures) int { return cmp.Compare(a.CPU, b.CPU) })
			sides[side] = list[len(list)/2]
		}
		o, p := sides[ours], sides[peer]
		ratio := o.CPU.Seconds() / p.CPU.Seconds()
		fmt.Printf("%-24s %6d kB %6d kB %10v %9v %8.2fx %7d kB %7d kB %9d kB\n", f.name, o.Size>>10, o.Text>>10,
			o.CPU.Round(time.Millisecond), p.CPU.Round(time.Millisecond), ratio, o.Memory>>10, p.Memory>>10, o.Memory>>10/int64(*pages))
		if ratio > most && !*short {
			slow = errors.Join(slow, fmt.Errorf("%s: %.1f times the CPU of plain extraction, more than %d", f.name, ratio, most))
		}
	}
	machine.Print(tmp, "the end")
	return slow
}

// start measures a reading in a process of its own.
func start(ctx context.Context, side, path string) (f figures, err error) {
	cmd := exec.CommandContext(ctx, os.Args[0], "-child", side, "-place", path, "-pages", fmt.Sprint(*pages))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(out, &f)
}

// A file is what both sides read.
type file struct{ name, path string }

// makeFiles makes the files.
func makeFiles(ctx context.Context, dir string) ([]file, error) {
	word, pdf := file{"Word", filepath.Join(dir, "plain.docx")}, file{"PDF", filepath.Join(dir, "plain.pdf")}
	m := manual(*pages)
	if err := errors.Join(writeDOCX(word.path, m), writePDF(pdf.path, m)); err != nil {
		return nil, err
	}
	files := []file{pdf, word}
	soffice, err := exec.LookPath("soffice")
	if err != nil || !*office {
		return files, nil
	}
	for _, to := range []string{"pdf", "docx"} {
		out := filepath.Join(dir, "office")
		cmd := exec.CommandContext(ctx, soffice, "--headless", "-env:UserInstallation=file://"+filepath.Join(dir, "profile"),
			"--convert-to", to, "--outdir", out, word.path)
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("soffice: %w: %s", err, text)
		}
		files = append(files, file{map[string]string{"pdf": "PDF", "docx": "Word"}[to] + " by LibreOffice", filepath.Join(out, "plain."+to)})
	}
	return files, nil
}
