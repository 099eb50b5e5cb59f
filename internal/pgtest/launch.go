package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

var errPortTaken = errors.New("its port is taken")

// initdb makes the files of a new cluster.
func (s *Server) initdb(locale string) error {
	args := []string{"-D", s.data(), "-U", "postgres", "--no-sync", "--no-instructions", "--auth=trust", "--encoding=UTF8"}
	tries := [][]string{{"--locale=" + locale}}
	if icu, ok := strings.CutPrefix(locale, "icu:"); ok {
		tries = [][]string{
			{"--locale-provider=icu", "--icu-locale=" + icu, "--locale=C.UTF-8"},
			{"--locale-provider=icu", "--icu-locale=" + icu, "--locale=C"},
		}
	} else if locale == "" {
		tries = [][]string{{"--locale=C.UTF-8"}, {"--locale=C"}}
	}
	var failed error
	for _, try := range tries {
		cmd := s.command("initdb", append(args, try...)...)
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		release, err := spawn(cmd)
		if err == nil {
			err = cmd.Wait()
			release()
		}
		if err == nil {
			return nil
		}
		failed = fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out.String())
	}
	return failed
}

// configure appends settings to postgresql.conf, where the last one of a name wins.
func (s *Server) configure(o Options) error {
	values := settings(o)
	values["cluster_name"] = s.folder.name()
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&lines, "%s = '%s'\n", name, strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(values[name]))
	}
	file, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(lines.String())
	return errors.Join(err, file.Close())
}

// command is one of PostgreSQL's programs, run by whom it may be, without what the
// environment has for its clients.
func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = s.folder.path
	cmd.SysProcAttr = s.run.attr()
	cmd.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "PG") || strings.HasPrefix(pair, "LC_") || strings.HasPrefix(pair, "LANG")
	})
	cmd.Env = append(cmd.Env, "LC_ALL=C")
	return cmd
}

// A process is a running postmaster with its children.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when the postmaster has ended

	// alive is one end of a pipe whose other end the postmaster and all its
	// children hold: it ends when the last of them has.
	alive *os.File
}

// launch starts the postmaster and waits until it answers.
func (s *Server) launch() (*process, error) {
	log, err := os.OpenFile(filepath.Join(s.folder.path, "log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	before, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	alive, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{
		cmd:    s.command("postgres", "-D", s.data(), "-p", strconv.Itoa(s.port)),
		exited: make(chan struct{}),
		alive:  alive,
	}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.ExtraFiles = log, log, []*os.File{theirs}
	release, err := spawn(p.cmd)
	theirs.Close()
	if err != nil {
		alive.Close()
		return nil, err
	}
	go func() {
		defer close(p.exited)
		p.cmd.Wait() //nolint:errcheck // how it ended stands in its log
		release()
	}()
	if err := s.await(p); err != nil {
		if killed := kill(p); !errors.Is(killed, os.ErrProcessDone) {
			err = errors.Join(err, killed)
		}
		err = errors.Join(err, p.gone(patience))
		said, _ := io.ReadAll(io.NewSectionReader(log, before, 1<<16))
		if strings.Contains(string(said), "could not create any TCP/IP sockets") {
			err = errPortTaken
		}
		return nil, fmt.Errorf("%w\n%s", err, said)
	}
	return p, nil
}

// await returns when the server answers, or has ended.
func (s *Server) await(p *process) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return errors.New("it has ended")
		case <-ctx.Done():
			return fmt.Errorf("no answer: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ping asks whether the server answers, and not another one on the same port.
func (s *Server) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	var name string
	if err = conn.QueryRow(ctx, "SHOW cluster_name").Scan(&name); err == nil && name != s.folder.name() {
		err = errPortTaken
	}
	return errors.Join(err, conn.Close(ctx))
}

// gone waits until every process has ended.
func (p *process) gone(within time.Duration) error {
	if err := p.alive.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, p.alive); err != nil {
		return fmt.Errorf("it still runs after %v", within)
	}
	<-p.exited
	return p.alive.Close()
}

// freePort returns a port that nothing listens on. It is below those that systems
// give to outgoing connections (Linux: from 32768), so that it is still free when
// a server that was stopped wants it again.
func freePort() (int, error) {
	var failed error
	for range 100 {
		port := 12000 + rand.IntN(16000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
		failed = err
	}
	return 0, failed
}
