//go:build unix

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
)

// A troublemaker causes faults, one after the other.
type troublemaker struct {
	*round
	rand *rand.Rand
}

// stopped is how long a process is stopped so that what it holds passes to
// others: longer than a lease.
const stopped = 11 * time.Second

// A mischief is a fault that can be caused. It returns when servers can be expected
// to serve again.
type mischief struct {
	what string
	do   func(*troublemaker)
}

// ofServers are the faults of servers.
var ofServers = []mischief{
	{"a server is killed", func(m *troublemaker) { m.restart(m.some(), (*host).kill) }},
	{"all servers are killed", func(m *troublemaker) {
		for _, h := range m.hosts {
			h.kill()
		}
		m.wait(300 * time.Millisecond)
		for _, h := range m.hosts {
			h.start()
		}
	}},
	{"a server is stopped for a while", func(m *troublemaker) { m.stop(m.some(), 300*time.Millisecond, 3*time.Second) }},
	{"a server is drained", func(m *troublemaker) { m.restart(m.some(), (*host).drain) }},
}

// long is the fault that takes longer than others.
var long = mischief{"a server is stopped past its leases", func(m *troublemaker) { m.stop(m.some(), stopped, stopped+2*time.Second) }}

// ofDatabases are the faults of a database server.
var ofDatabases = []mischief{
	{"the database is restarted", func(m *troublemaker) { m.must(m.database.Restart("fast")) }},
	{"the database is restarted as after a crash", func(m *troublemaker) { m.must(m.database.Restart("immediate")) }},
	{"the database is killed", func(m *troublemaker) {
		m.must(m.database.Kill())
		m.wait(2 * time.Second)
		m.must(m.database.Start())
	}},
	{"connections to the database are cut", func(m *troublemaker) {
		for range 1 + m.rand.IntN(5) {
			m.must(cut(m.t.Context(), m.database))
			m.wait(200 * time.Millisecond)
		}
	}},
}

// plan chooses the faults of a round.
func (m *troublemaker) plan(withLong bool) (out []mischief) {
	all := ofServers
	if m.database != nil {
		all = append(append([]mischief{}, ofServers...), ofDatabases...)
	}
	for range 2 + m.rand.IntN(2) {
		out = append(out, all[m.rand.IntN(len(all))])
	}
	if withLong && m.rand.IntN(4) == 0 {
		out[m.rand.IntN(len(out))] = long
	}
	return out
}

// run causes faults with pauses between them.
func (m *troublemaker) run(plan []mischief) {
	m.wait(1500 * time.Millisecond) // all is well
	for _, f := range plan {
		tr := &trouble{What: f.what, From: m.now(), Until: forever}
		m.history.trouble(tr)
		f.do(m)
		m.history.mend(tr, m.now())
		m.wait(time.Second)
	}
}

// wait waits for a random time.
func (m *troublemaker) wait(most time.Duration) {
	time.Sleep(most/4 + time.Duration(m.rand.Int64N(int64(most))*3/4))
}

// waitOps waits until the callers have begun to do so many things.
func (m *troublemaker) waitOps(n int64) {
	for m.traffic.ops.Load() < n {
		time.Sleep(5 * time.Millisecond)
	}
}

// some returns a server.
func (m *troublemaker) some() *host { return m.hosts[m.rand.IntN(len(m.hosts))] }

// restart has a server end, and starts it again some time later.
func (m *troublemaker) restart(h *host, end func(*host)) {
	end(h)
	m.wait(500 * time.Millisecond)
	h.start()
}

// stop stops a server for a time between two.
func (m *troublemaker) stop(h *host, least, most time.Duration) {
	h.signal(syscall.SIGSTOP)
	time.Sleep(least + time.Duration(m.rand.Int64N(int64(most-least))))
	h.signal(syscall.SIGCONT)
}

func (m *troublemaker) must(err error) {
	if err != nil {
		m.t.Errorf("a fault could not be caused: %v", err)
	}
}

// cut ends every connection to a database server but its own.
func cut(ctx context.Context, s *pgtest.Server) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`)
	return err
}
