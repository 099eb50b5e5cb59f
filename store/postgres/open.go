package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

// poolSize is how many connections a pool of [Open] has at most, unless its URL
// says otherwise. A step holds one from its first statement until it is committed.
const poolSize = 16

// Open makes a pool of its own and a store on it, and prepares it: see
// [Store.Prepare]. Close the store to close the pool.
//
// The URL is one of libpq, postgres://user:secret@host:port/database?sslmode=…,
// with pgxpool's own settings such as pool_max_conns (16 if absent), and with
// schema=NAME, which goes before [Options.Schema]. Passwords may also come from
// PGPASSWORD or ~/.pgpass. No error holds the password.
func Open(ctx context.Context, address string, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	address, named, err := cutSchema(address)
	if err != nil {
		return nil, err
	}
	if named != "" {
		o.Schema = named
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", explain(err))
	}
	if !strings.Contains(address, "pool_max_conns") {
		config.MaxConns = poolSize
	}
	params := config.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "answerdesk"
	}
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

// cutSchema takes the schema out of a URL.
func cutSchema(address string) (rest, schema string, err error) {
	base, query, ok := strings.Cut(address, "?")
	if !ok || !strings.Contains(query, "schema") {
		return address, "", nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", "", errors.New("open store: what stands behind the ? of the URL is not a query: name=value, with & in between")
	}
	schema = values.Get("schema")
	values.Del("schema")
	if query = values.Encode(); query != "" {
		base += "?" + query
	}
	return base, schema, nil
}
