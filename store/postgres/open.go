package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

// poolSize is how many connections a pool of [Open] has at most, unless its URL
// says otherwise. A step holds one from its first statement until it is committed.
const poolSize = 16

// pingTime is how long a connection that was not used for a second may take to
// answer before another one is taken, unless the URL says otherwise.
const pingTime = 5 * time.Second

// Open makes a pool of its own and a store on it, and prepares it: see
// [Store.Prepare]. Close the store to close the pool.
//
// The address is one of libpq, postgres://user:secret@host:port/database?sslmode=…
// or the same as keywords and values, with pgxpool's own settings such as
// pool_max_conns (16 if absent), and with schema=NAME, which goes before
// [Options.Schema]. Passwords may also come from PGPASSWORD or ~/.pgpass. No error
// holds the password.
func Open(ctx context.Context, address string, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	config, err := parse(address)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	params := config.ConnConfig.RuntimeParams
	if named := params["schema"]; named != "" {
		o.Schema = named
	}
	delete(params, "schema")
	if !strings.Contains(address, "pool_max_conns") {
		config.MaxConns = poolSize
	}
	if config.PingTimeout == 0 {
		config.PingTimeout = pingTime
	}
	if params["application_name"] == "" {
		params["application_name"] = "answerdesk"
	}
	params["client_encoding"] = "UTF8" // whatever the role has
	// A caller who gives up has his statement cancelled, and the connection stays.
	config.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, CancelRequestDelay: 0, DeadlineDelay: time.Second}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", explain(err))
	}
	s := New(pool, &o)
	s.own = true
	if err := s.Prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store on %s:%d/%s: %w",
			config.ConnConfig.Host, config.ConnConfig.Port, config.ConnConfig.Database, err), s.Close())
	}
	return s, nil
}

// errAddress refuses an address of which nobody can say where its password ends.
var errAddress = errors.New("the address cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME, " +
	"and what is no letter and no digit in the password as % and two digits, such as %40 for @")

// parse reads an address. Its errors quote nothing of it that may be a password.
func parse(address string) (*pgxpool.Config, error) {
	if _, rest, ok := strings.Cut(address, "://"); ok && strings.HasPrefix(address, "postgres") {
		user, host, found := strings.Cut(rest, "@")
		if found && (strings.Contains(user, "/") || strings.Contains(host, "@")) {
			return nil, errAddress
		}
	}
	config, err := pgxpool.ParseConfig(address)
	if err == nil {
		return config, nil
	}
	// The message is: cannot parse `address`: what is wrong
	text := err.Error()
	text = text[strings.LastIndexByte(text, '`')+1:]
	for _, unclear := range []string{": failed to parse", ": invalid port", ": could not match"} {
		if strings.HasPrefix(text, unclear) {
			return nil, errAddress
		}
	}
	return nil, fmt.Errorf("the address cannot be used%s", text)
}
