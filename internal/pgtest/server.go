package pgtest

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// Options change what a [Server] is. The zero value suits tests of what is stored
// and asked.
type Options struct {
	// Fsync makes the server wait for the disk, as it does outside tests, and
	// write whole pages after a checkpoint. Without it a killed server still keeps
	// what was committed; a machine that loses its power does not.
	Fsync bool

	// Settings are further lines of postgresql.conf, which win over the defaults
	// of this package: max_connections 200, no Unix socket, and others that make
	// tests quick.
	Settings map[string]string

	// Locale is that of the cluster: one of the operating system, such as
	// "en_US.utf8", or after "icu:" one of the ICU library, such as "icu:en-US".
	// Default: C.UTF-8, or C where that is not known. The encoding is UTF-8.
	Locale string
}

// A Server is a private PostgreSQL on 127.0.0.1, whose files are in a temporary
// folder. Its superuser is postgres, without a password. All methods may be called
// at the same time and wait for each other.
type Server struct {
	bin    string  // where the programs are
	run    account // whom they run as
	folder *folder
	port   int

	mu      sync.Mutex
	running *process // nil while it is stopped
}

// Start makes a new cluster and starts it. It returns when the server answers. A
// nil opts means the defaults written on [Options].
func Start(opts *Options) (*Server, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	run, err := servant()
	if err != nil {
		return nil, err
	}
	folder, err := newFolder(run)
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, run: run, folder: folder}
	if err := s.create(o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// create makes the files of a cluster and starts it on a port that is free.
func (s *Server) create(o Options) error {
	if err := s.initdb(o.Locale); err != nil {
		return err
	}
	if err := s.configure(o); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		var err error
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.Start(); !errors.Is(err, errPortTaken) || attempt == 10 {
			return err
		}
	}
}

// URL returns the URL of a database, for the superuser. A new cluster has the
// database postgres.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User("postgres"),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Start starts a server that is stopped, with the same files and the same port. It
// returns when the server answers.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.start()
}

func (s *Server) start() error {
	if s.running != nil {
		return fmt.Errorf("start postgres in %s: it runs", s.folder.path)
	}
	p, err := s.launch()
	if err != nil {
		return fmt.Errorf("start postgres in %s: %w", s.folder.path, err)
	}
	s.running = p
	return nil
}

// Stop stops the server and returns when it has ended. Mode is "smart", which
// waits until all clients have gone, for 30 s at most, "fast", which sends them
// away, or "immediate", after which the next start recovers as after a crash.
func (s *Server) Stop(mode string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop(mode)
}

func (s *Server) stop(mode string) error {
	signal, ok := signals[mode]
	if !ok {
		return fmt.Errorf(`stop postgres: mode %q is none of "smart", "fast" and "immediate"`, mode)
	}
	return s.end("stop", func(p *process) error { return p.cmd.Process.Signal(signal) })
}

// Restart stops the server, as [Server.Stop] does, and starts it again.
func (s *Server) Restart(mode string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.stop(mode); err != nil {
		return err
	}
	return s.start()
}

// Kill ends every process of the server at once, with SIGKILL. When it returns
// none is left, and Start finds what was committed.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end("kill", kill)
}

// end has the processes ended by how, and waits for that.
func (s *Server) end(word string, how func(*process) error) error {
	p := s.running
	if p == nil {
		return fmt.Errorf("%s postgres in %s: it does not run", word, s.folder.path)
	}
	err := how(p)
	if errors.Is(err, os.ErrProcessDone) {
		err = errors.New("it had ended before")
	}
	if gone := p.gone(patience); gone != nil {
		return fmt.Errorf("%s postgres in %s: %w", word, s.folder.path, errors.Join(err, gone))
	}
	s.running = nil
	if err != nil {
		return fmt.Errorf("%s postgres in %s: %w", word, s.folder.path, err)
	}
	return nil
}

// Close stops the server, if it runs, and removes its files. It may be called
// twice.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var stopped, killed error
	if s.running != nil {
		stopped = s.stop("immediate")
	}
	if s.running != nil {
		killed = s.end("kill", kill)
	}
	if s.running != nil {
		return errors.Join(stopped, killed)
	}
	s.forget()
	return s.folder.remove()
}

// forget gives back the shared memory that a killed server leaves: 56 bytes, but
// some systems have few of its kind. The seventh line of the lock file names it.
func (s *Server) forget() {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return // it was not killed
	}
	if lines := strings.Split(string(text), "\n"); len(lines) > 6 {
		if key := strings.Fields(lines[6]); len(key) == 2 {
			exec.Command("ipcrm", "-m", key[1]).Run() //nolint:errcheck // without ipcrm it stays
		}
	}
}

// settings are the defaults of this package, for postgresql.conf.
func settings(o Options) map[string]string {
	values := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": "",
		"max_connections":         "200",
		"fsync":                   "off",
		"full_page_writes":        "off",
		"synchronous_commit":      "on",
		"lc_messages":             "C",
		// Killed servers leave nothing in /dev/shm, which is small in containers.
		"dynamic_shared_memory_type": "mmap",
	}
	if o.Fsync {
		values["fsync"], values["full_page_writes"] = "on", "on"
	}
	maps.Copy(values, o.Settings)
	return values
}

func (s *Server) data() string { return filepath.Join(s.folder.path, "data") }
