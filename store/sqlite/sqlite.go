package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// FileName is the name of the database in its folder.
const FileName = "answerdesk.db"

// Options are what may be chosen about a store. The zero value suits most.
type Options struct {
	// Readers is how many reads run at once; 0 means 4, or one a CPU if there
	// are more.
	Readers int

	// Migrate says what to do with a database of an older version:
	// [store.MigrateAuto] if empty.
	Migrate store.Migrate
}

// A Store keeps its data in an SQLite database. It is safe for use by many
// goroutines.
type Store struct {
	*sqlstore.Store
	path   string
	writer *writer
	reader *readers
	mover  *mover // nil on a handle of the host's
	wiper  wiper
	dbs    []*sql.DB

	closing sync.Once
	closed  error
}

// Open opens the database in a folder, making both on first use. A nil opts
// means the defaults written on [Options].
func Open(ctx context.Context, dir string, opts *Options) (*Store, error) {
	s, err := open(ctx, dir, opts)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	return s, nil
}

func open(ctx context.Context, dir string, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Readers == 0 {
		o.Readers = max(4, runtime.GOMAXPROCS(0))
	}
	if o.Readers < 1 || o.Readers > 1024 {
		return nil, fmt.Errorf("readers: %d is not between 1 and 1024", o.Readers)
	}
	if err := checkLibc(); err != nil {
		return nil, err
	}
	fresh, err := makeFolder(dir, o.Migrate)
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(filepath.Join(dir, FileName))
	if err != nil {
		return nil, err
	}
	wdb, err := sql.Open("sqlite", dsn(path, "rwc", writerPragmas))
	if err != nil {
		return nil, err
	}
	rdb, err := sql.Open("sqlite", dsn(path, "ro", readerPragmas))
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, dbs: []*sql.DB{rdb, wdb}}
	if err := s.connect(ctx, wdb, rdb, o); err != nil {
		return nil, err
	}
	if fresh {
		if err := ownersOnly(path); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// New returns a store on a handle that the host has opened and goes on owning,
// with a driver for SQLite that takes its PRAGMAs from it. The handle must give
// out connections in WAL mode with synchronous=FULL.
func New(ctx context.Context, db *sql.DB, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Readers == 0 {
		o.Readers = 4
	}
	if n := db.Stats().MaxOpenConnections; n > 0 && n <= o.Readers {
		return nil, fmt.Errorf("open store on a handle: it gives out %d connections at most, and %d readers and a writer need one each", n, o.Readers)
	}
	s := new(Store)
	if err := s.connect(ctx, db, db, o); err != nil {
		return nil, fmt.Errorf("open store on a handle: %w", err)
	}
	return s, nil
}

// connect opens the connections and brings the schema up to date, or closes what
// it has opened.
func (s *Store) connect(ctx context.Context, wdb, rdb *sql.DB, o Options) (err error) {
	defer func() {
		if err != nil {
			err = explain(err)
			_ = s.Close() // the error is why
		}
	}()
	conn, err := firstConn(ctx, wdb)
	if err != nil {
		return err
	}
	s.writer = newWriter(conn)
	if err := s.writer.check(ctx); err != nil {
		return err
	}
	if err := migrate(ctx, conn, o.Migrate); err != nil {
		return err
	}
	if s.reader, err = newReaders(ctx, rdb, o.Readers); err != nil {
		return err
	}
	if wdb != rdb {
		if s.mover, err = newMover(ctx, wdb); err != nil {
			return err
		}
	}
	s.Store = sqlstore.New(s.engine(), sqlstore.Ordered)
	s.wiper.wanted.Store(1) // a process before may have been killed after a delete
	return conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM pragma_module_list WHERE name = 'sqlite_dbpage'`).Scan(&s.wiper.able)
}

func (s *Store) engine() engine { return engine{s.writer, s.reader, s.mover} }

// firstConn opens the connection that makes a database one in WAL mode. For the
// change of mode SQLite does not wait, whatever its busy_timeout, when another
// process makes the same database at the same moment: so it is tried again, for
// some 10 s in all.
func firstConn(ctx context.Context, db *sql.DB) (*sql.Conn, error) {
	for pause := 5 * time.Millisecond; ; pause *= 2 {
		conn, err := db.Conn(ctx)
		if err == nil || !isBusy(err) || pause > 5*time.Second {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Close waits for what runs, overwrites what is left of deleted rows, truncates
// the WAL if nobody else reads it, and closes the database. It may be called
// twice.
func (s *Store) Close() error {
	s.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if s.wiper.wanted.Load() > 1 && s.wiper.pending() {
			_ = s.wipe(ctx, wipeable) // if it cannot, the next process does
		}
		if s.reader != nil {
			s.reader.close()
		}
		moved := s.mover.close()
		if s.writer != nil {
			s.closed = s.writer.close(ctx)
		}
		s.closed = errors.Join(s.closed, moved)
		for _, db := range s.dbs {
			if err := db.Close(); err != nil && s.closed == nil {
				s.closed = err
			}
		}
	})
	return s.closed
}

// The settings of every connection that writes, and of every one that reads.
// busy_timeout is how long, in ms, a step waits for another process to commit;
// wal_autocheckpoint is in pages of 4 KiB: the more, the oftener a page that many steps
// change is written to the database once for all of them, and the longer the commit that
// does it holds the writer up, unless a [mover] has done most of it: a bulk took 8 % more
// CPU with 1024 than with 4096. cache_size is in KiB, below zero; a
// page in the cache takes twice its size, and a larger cache makes nothing faster that
// was measured.
var (
	writerPragmas = []string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "fullfsync(1)", "secure_delete(1)",
		"foreign_keys(1)", "temp_store(MEMORY)", "cache_size(-10240)", "wal_autocheckpoint(4096)", "journal_size_limit(67108864)",
	}
	readerPragmas = []string{"busy_timeout(10000)", "query_only(1)", "temp_store(MEMORY)", "cache_size(-8192)"}
)

// dsn names a database file and the settings of its connections.
func dsn(path, mode string, pragmas []string) string {
	q := url.Values{"mode": {mode}, "_pragma": pragmas}
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?" + q.Encode()
}

// expect compares a PRAGMA's value with the one a promise rests on.
func expect(ctx context.Context, conn *sql.Conn, pragma, want string) error {
	var got string
	if err := conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("the connection has %s=%s, not %s: what is acknowledged might not survive", pragma, strconv.Quote(got), want)
	}
	return nil
}
