package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/bench/stores/engine"
)

// A phase is one measurement.
type phase struct {
	staleness time.Duration
	how       string // the searcher finds out
	pace      int
}

const heading = "%-10s %6s %-5s %5s %9s %10s %10s %10s %10s %10s %11s %11s %9s %12s %9s %7s\n"

// measure runs both processes on a copy of a place, and prints what came of it
// once it has been checked.
func measure(ctx context.Context, e *engine.Engine, base string, p phase) error {
	place, err := e.Copy(ctx, base)
	if err != nil {
		return err
	}
	w, s, server, err := p.run(ctx, e, place)
	if err != nil {
		return err
	}
	made, err := revisions(ctx, place)
	if err != nil {
		return err
	}
	rows, err := engine.Rows(ctx, place, "documents")
	if err != nil {
		return err
	}
	delays, err := p.judge(w, s, made, rows["documents"])
	if err != nil {
		return err
	}
	var took, each []time.Duration
	for i, d := range w.Took {
		if w.Acked[i] != 0 {
			took = append(took, d)
		}
	}
	for _, x := range s.Seen {
		each = append(each, time.Duration(x.End-x.Begun))
	}
	rate := float64(len(took)) / w.For.Seconds()
	reached := fmt.Sprintf("%.0f", rate)
	if rate < .98*float64(p.pace) {
		reached += " only"
	}
	of := func(d []time.Duration, p float64) time.Duration {
		return machine.Percentile(d, p).Round(10 * time.Microsecond)
	}
	busy := func(cpu, whole time.Duration) string { return fmt.Sprintf("%.2f", cpu.Seconds()/whole.Seconds()) }
	onServer := "-"
	if e.Server != 0 {
		onServer = busy(server, w.For)
	}
	fmt.Printf(heading, e.Name, p.staleness, p.how, fmt.Sprint(p.pace), reached, of(took, .5), of(took, .99),
		of(delays, .5), of(delays, .99), of(delays, 1), fmt.Sprintf("%.0f", float64(len(each))/s.For.Seconds()), of(each, .5), of(each, .99),
		busy(w.CPU, w.For), busy(s.CPU, s.For), onServer)
	return e.Remove(ctx, place)
}

// run starts the searcher, and the writer once the searcher is ready, and waits
// for both. A pipe leads from one to the other.
func (p phase) run(ctx context.Context, e *engine.Engine, place string) (w wrote, s searched, server time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // kills whoever is left
	read, tell, err := os.Pipe()
	if err != nil {
		return w, s, 0, err
	}
	defer read.Close()
	defer tell.Close()
	wait, counted, err := os.Pipe()
	if err != nil {
		return w, s, 0, err
	}
	defer wait.Close()
	defer counted.Close()
	start := func(role string, pipe *os.File) (*exec.Cmd, *bufio.Reader, error) {
		cmd := exec.CommandContext(ctx, os.Args[0], "-child", role, "-place", place, "-staleness", p.staleness.String(),
			"-pace", fmt.Sprint(p.pace), "-seconds", fmt.Sprint(*seconds), "-searchers", fmt.Sprint(*searchers), "-writers", fmt.Sprint(*writers), fmt.Sprintf("-told=%t", p.how == "told"))
		cmd.Stdin, cmd.Stderr, cmd.ExtraFiles = wait, os.Stderr, []*os.File{pipe}
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		pipe.Close()
		if err != nil {
			return nil, nil, err
		}
		said := bufio.NewReader(out)
		if line, err := said.ReadString('\n'); line != "ready\n" {
			return nil, nil, errors.Join(fmt.Errorf("%s: says %q, not that it is ready", role, line), err, cmd.Wait())
		}
		return cmd, said, nil
	}
	searcher, found, err := start(p.how, read)
	if err != nil {
		return w, s, 0, err
	}
	writer, acked, err := start("write", tell)
	if err != nil {
		return w, s, 0, err
	}
	before := engine.ServerCPU(e.Server)
	err = json.NewDecoder(acked).Decode(&w)
	server = engine.ServerCPU(e.Server) - before
	counted.Close()
	if err = errors.Join(err, writer.Wait()); err != nil {
		return w, s, 0, fmt.Errorf("the writer: %w", err)
	}
	err = errors.Join(json.NewDecoder(found).Decode(&s), searcher.Wait())
	if err != nil {
		err = fmt.Errorf("the searcher: %w", err)
	}
	return w, s, server, err
}

// revisions returns the revision at which each document was written, by its
// number, as the store's own tables have it.
func revisions(ctx context.Context, place string) (made map[int]int64, err error) {
	db, prefix, err := engine.Connect(place)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, strings.ReplaceAll(`SELECT d.external_id, c.revision FROM PREFIXdocuments d
		JOIN PREFIXknowledge_changes c ON c.company = d.company AND c.document_id = d.id WHERE d.external_id LIKE 'new-%'`, "PREFIX", prefix))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	made = map[int]int64{}
	for rows.Next() {
		var name string
		var n int
		var revision int64
		if err := rows.Scan(&name, &revision); err != nil {
			return nil, err
		}
		if _, err := fmt.Sscanf(name, "new-%d", &n); err != nil {
			return nil, err
		}
		made[n] = revision
	}
	return made, rows.Err()
}
