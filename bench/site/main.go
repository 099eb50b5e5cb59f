// Site measures the crawl of a website of 10,000 pages, and a second one when
// nothing has changed there:
//
//	go run ./site [-pages 10000]
//	go run ./site -short
//
// The site is a process of its own on loopback, where crawls are not slowed down;
// its pages have a menu, an article of their own and links, and know ETags. The CPU
// is that of the crawling process alone: fetching, reading, staging, publishing and
// indexing into a desk on SQLite that answers meanwhile. Each crawl must account for
// every page.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

var (
	dir   = flag.String("dir", "", "folder for the database; a temporary one if empty")
	pages = flag.Int("pages", 10_000, "pages of the site")
	prof  = flag.String("cpuprofile", "", "file for a CPU profile of the unchanged crawl")
	short = flag.Bool("short", false, "little of everything, to see that it works: no figures to keep")

	child = flag.Bool("child", false, "used by the child process: be the site")
)

// share is what part of the first crawl's CPU the second one may take.
const share = 1. / 5

func main() {
	log.SetFlags(0)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if *child {
		err = serve()
	} else {
		err = run(ctx)
	}
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) (err error) {
	if *short {
		*pages = 200
	}
	tmp, err := os.MkdirTemp(*dir, "site")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	url, end, err := start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	machine.Print(tmp, *pages, " pages, crawled twice")

	desk, err := answerdesk.Open(ctx, tmp, &answerdesk.Options{AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, desk.Close()) }()
	working, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = desk.Run(working) }) // until it is stopped
	defer func() { stop(); wg.Wait() }()

	kb := desk.Knowledge()
	if err := found(ctx, kb); err != nil { // from here on there is an index
		return err
	}
	if err := machine.ForgetPeak(); err != nil {
		return err
	}
	fmt.Printf("\n%-10s %9s %9s %12s %9s %10s\n", "", "CPU", "wall", "CPU a page", "peak RSS", "of pages")
	var site knowledge.Website
	first, err := measure(ctx, kb, "first", "created", func() (r knowledge.Run, err error) {
		if site, err = kb.AddWebsite(ctx, knowledge.Website{Source: knowledge.Source{URL: url}, MaxPages: *pages, MaxDepth: knowledge.MaxDepth}); err != nil {
			return r, err
		}
		return kb.Run(ctx, site.RunID)
	})
	if err != nil {
		return err
	}
	if *prof != "" {
		f, err := os.Create(*prof)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	again, err := measure(ctx, kb, "unchanged", "unchanged", func() (knowledge.Run, error) { return kb.CrawlWebsite(ctx, site.ID, nil) })
	if err != nil {
		return err
	}
	fmt.Printf("\nunchanged / first = %.3f\n", again.Seconds()/first.Seconds())
	if again.Seconds() > share*first.Seconds() && !*short {
		return fmt.Errorf("the unchanged crawl takes %.2f of the first one's CPU, more than %.2f", again.Seconds()/first.Seconds(), share)
	}
	return nil
}

// measure waits for a run, and returns the CPU it took.
func measure(ctx context.Context, kb *knowledge.Base, name, became string, start func() (knowledge.Run, error)) (time.Duration, error) {
	cpu, begun := machine.CPU(), time.Now()
	r, err := start()
	if err != nil {
		return 0, err
	}
	for _, err := range kb.WatchRun(ctx, r.ID, 0) {
		if err != nil {
			return 0, err
		}
	}
	if r, err = kb.Run(ctx, r.ID); err != nil {
		return 0, err
	}
	if err := found(ctx, kb); err != nil { // the index follows when the run has ended
		return 0, err
	}
	cpu, took := machine.CPU()-cpu, time.Since(begun)
	if r.State != knowledge.RunCompleted {
		return 0, fmt.Errorf("the %s crawl is %s: %v", name, r.State, r.Error)
	}
	memory, err := machine.Memory()
	if err != nil {
		return 0, err
	}
	fmt.Printf("%-10s %8.2fs %8.2fs %12v %6d MB  %d created, %d unchanged, %d skipped, %d failed\n", name, cpu.Seconds(), took.Seconds(),
		(cpu / time.Duration(*pages)).Round(time.Microsecond), memory.Peak>>20, r.Counts.Created, r.Counts.Unchanged, r.Counts.Skipped, r.Counts.Failed)
	if got := map[string]int{"created": r.Counts.Created, "unchanged": r.Counts.Unchanged}[became]; got != *pages {
		return 0, fmt.Errorf("the %s crawl has %d pages %s, not %d", name, got, became, *pages)
	}
	return cpu, nil
}

// found searches, for which the index catches up with all that was published.
func found(ctx context.Context, kb *knowledge.Base) error {
	_, err := kb.Search(ctx, knowledge.Query{Text: "Which page is it?"})
	return err
}

// start starts the site, and returns its address.
func start(ctx context.Context) (url string, end func() error, err error) {
	cmd := exec.CommandContext(ctx, os.Args[0], "-child", "-pages", fmt.Sprint(*pages))
	cmd.Stderr = os.Stderr
	var in io.WriteCloser
	out, err := cmd.StdoutPipe()
	if err == nil {
		in, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", nil, err
	}
	end = func() error { return errors.Join(in.Close(), cmd.Wait()) }
	url, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", nil, errors.Join(err, end())
	}
	return strings.TrimSpace(url), end, nil
}
