package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	apiserver "github.com/answerdesk-go/answerdesk/server"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// told is what the serving process says of itself.
type told struct {
	URL, Key string `json:",omitzero"`
	Memory   machine.MemoryUse
	CPU      time.Duration
	Mallocs  uint64
	Bytes    uint64 // allocated, all in all
}

// serve serves the desk in a folder until standard input ends. To each line it
// reads it answers with what it has used so far; to "settle" only after having
// given back what is free, and the peak is then forgotten.
func serve(ctx context.Context) (err error) {
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	desk, err := answerdesk.Open(ctx, *child, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, desk.Close()) }()
	_, key, err := desk.Keys().Create(ctx, access.NewKey{Name: "bench", Scope: access.ScopeWrite, Plan: access.PlanUnlimited})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: apiserver.New(desk, nil)}
	go func() { _ = hs.Serve(l) }() // until it is closed
	defer func() { err = errors.Join(err, hs.Close()) }()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(told{URL: "http://" + l.Addr().String(), Key: key}); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if in.Text() == "settle" {
			debug.FreeOSMemory()
			if err := machine.ForgetPeak(); err != nil {
				return err
			}
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t := told{CPU: machine.CPU(), Mallocs: m.Mallocs, Bytes: m.TotalAlloc}
		if t.Memory, err = machine.Memory(); err != nil {
			return err
		}
		if err := out.Encode(t); err != nil {
			return err
		}
	}
	return nil
}

// A server is the serving process, as the measuring one sees it.
type server struct {
	told
	folder string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *json.Decoder
	client *http.Client
}

func start(ctx context.Context, folder string) (*server, error) {
	s := &server{folder: folder, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	s.cmd = exec.CommandContext(ctx, os.Args[0], "-child", folder, "-cpuprofile", *profile)
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		s.in, err = s.cmd.StdinPipe()
	}
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	s.out = json.NewDecoder(out)
	return s, s.out.Decode(&s.told)
}

// tell asks the process what it has used.
func (s *server) tell(line string) (t told, err error) {
	if _, err := fmt.Fprintln(s.in, line); err != nil {
		return t, err
	}
	return t, s.out.Decode(&t)
}

func (s *server) settled() (told, error) { return s.tell("settle") }

func (s *server) stop() error {
	if s.cmd.ProcessState != nil {
		return nil
	}
	return errors.Join(s.in.Close(), s.cmd.Wait())
}

// count stops the server, and counts the documents from outside.
func (s *server) count(ctx context.Context, want int) error {
	if err := s.stop(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.folder, sqlite.FileName))
	if err != nil {
		return err
	}
	var got int
	err = errors.Join(db.QueryRowContext(ctx, `SELECT count(*) FROM documents`).Scan(&got), db.Close())
	if err == nil && got != want {
		err = fmt.Errorf("%d documents are there, not %d", got, want)
	}
	return err
}
