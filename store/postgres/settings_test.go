package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// A host's pool may send statements in any of pgx's ways.
func TestQueryModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			database := pgtest.Database(t)
			config := newConfig(t, database)
			config.ConnConfig.DefaultQueryExecMode = mode
			pool := connectPool(t, config)
			useDesk(t, open(t, pool).Store)
			s := newStepper(t, pool)
			var steps []made
			for _, kind := range kinds {
				steps = append(steps, made{kind, kind, s.step(t.Context(), kind, kind)})
			}
			if acked, _, _ := s.judge(t, connect(t, database), steps); acked != len(kinds) {
				t.Errorf("steps = %v", steps)
			}
		})
	}
}

// What is set for a role, a database or a connection does not change what the store
// does.
func TestSettingsOfTheRole(t *testing.T) {
	t.Parallel()
	for name, set := range map[string][]string{
		"reads": {
			"default_transaction_isolation = serializable", "default_transaction_read_only = on", "default_transaction_deferrable = on",
			"search_path = 'elsewhere, pg_catalog'", "plan_cache_mode = force_generic_plan", "row_security = off",
		},
		"forms": {
			"default_transaction_isolation = 'repeatable read'", "standard_conforming_strings = off", "bytea_output = escape",
			"DateStyle = 'German, DMY'", "IntervalStyle = iso_8601", "TimeZone = 'Asia/Kathmandu'", "extra_float_digits = 0",
			"transform_null_equals = on", "lc_messages = 'C'",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			useDesk(t, open(t, withSettings(t, set...)).Store)
		})
	}
}

// withSettings is a pool on a database for which something is set.
func withSettings(t testing.TB, settings ...string) *pgxpool.Pool {
	t.Helper()
	database := pgtest.Database(t)
	c := connect(t, database)
	for _, set := range settings {
		if _, err := c.Exec(t.Context(), fmt.Sprintf("ALTER DATABASE %s SET %s", c.Config().Database, set)); err != nil {
			t.Fatal(err)
		}
	}
	return connectPool(t, newConfig(t, database))
}

// Connections that would change texts, or cannot give bytes back, are refused.
func TestRefusedSettings(t *testing.T) {
	t.Parallel()
	pool := withSettings(t, "client_encoding = latin1")
	if err := postgres.New(pool, nil).Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "client_encoding LATIN1: set it to UTF8") {
		t.Errorf("Prepare with another client_encoding = %v", err)
	}
	// The store's own connections have their own.
	st, err := postgres.Open(t.Context(), pool.Config().ConnString(), nil)
	if err != nil {
		t.Fatal(err)
	}
	useDesk(t, st)
	if err := st.Close(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		number, encoding, client, bytea string
		mode                            pgx.QueryExecMode
		want                            string
	}{
		{"150000", "UTF8", "UTF8", "escape", pgx.QueryExecModeCacheStatement, ""},
		{"180004", "UTF8", "UTF8", "hex", pgx.QueryExecModeSimpleProtocol, ""},
		{"149999", "UTF8", "UTF8", "hex", 0, "15 or newer is needed"},
		{"90624", "UTF8", "UTF8", "hex", 0, "15 or newer is needed"},
		{"fifteen", "UTF8", "UTF8", "hex", 0, "15 or newer is needed"},
		{"150000", "SQL_ASCII", "UTF8", "hex", 0, "make one with ENCODING 'UTF8'"},
		{"150000", "UTF8", "WIN1252", "hex", 0, "set it to UTF8"},
		{"150000", "UTF8", "UTF8", "escape", pgx.QueryExecModeExec, "set it to hex"},
	} {
		err := postgres.Refused(c.number, c.encoding, c.client, c.bytea, c.mode)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("Refused(%+v) = %v", c, err)
		}
	}
}

// Time limits of the role are told as what they are, and leave nothing half done.
func TestTimeLimits(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	look, holder := connect(t, database), connect(t, database)
	for setting, want := range map[string]string{"statement_timeout": "statement_timeout", "lock_timeout": "holds a lock for too long"} {
		config := newConfig(t, database)
		s := newStepper(t, connectPool(t, config.Copy()))
		config.ConnConfig.RuntimeParams[setting] = "100"
		pool := connectPool(t, config)
		limited := postgres.New(pool, &postgres.Options{Schema: s.schema})
		if _, err := holder.Exec(t.Context(), fmt.Sprintf(`BEGIN; SELECT FROM %s.companies FOR UPDATE`, s.schema)); err != nil {
			t.Fatal(err)
		}
		var steps []made
		for _, kind := range kinds {
			err := (&stepper{Store: limited, company: s.company, agent: s.agent}).step(t.Context(), kind, kind)
			if kind == "begin" && err == nil {
				continue // needs no lock of the company's
			}
			steps = append(steps, made{kind, kind, err})
			if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s over %s = %v", kind, setting, err)
			}
		}
		if _, err := holder.Exec(t.Context(), `ROLLBACK`); err != nil {
			t.Fatal(err)
		}
		s.judge(t, look, steps)
		atRest(t, pool, look)
		if err := limited.Enqueue(t.Context(), store.Commit{Company: s.company}); err != nil {
			t.Errorf("a step within %s = %v", setting, err)
		}
	}
}

// A step that stood still for too long is made again.
func TestIdleInTransaction(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	config := newConfig(t, database)
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "50"
	pool := connectPool(t, config)
	s, look := newStepper(t, pool), connect(t, database)
	calls := 0
	err := postgres.Step(t.Context(), s.Store, "Write", fmt.Sprintf(`UPDATE %s.companies SET name = name || '+'`, s.schema), func() {
		if calls++; calls == 1 {
			until(t, "the connection ended", func() bool {
				var n int
				err := look.QueryRow(context.Background(), `SELECT count(*) FROM pg_stat_activity
					WHERE datname = current_database() AND state = 'idle in transaction'`).Scan(&n)
				return err == nil && n == 0
			})
		}
	})
	if err != nil || calls != 2 {
		t.Errorf("a step that stood still = %v after %d calls", err, calls)
	}
	if names := column(t, pool, `SELECT name FROM `+s.schema+`.companies`); !slices.Equal(names, []string{"First++"}) {
		t.Errorf("the company is called %v, want First++", names)
	}
}

// A table that is changed under prepared statements does not disturb a step.
func TestCachedPlans(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	config := newConfig(t, database)
	config.MaxConns = 2
	config.ConnConfig.RuntimeParams["lc_messages"] = "C"
	s := newStepper(t, connectPool(t, config))
	for i, kind := range []string{"varchar", "text", "varchar"} {
		exec(t, s.pool, fmt.Sprintf(`ALTER TABLE %s.companies ALTER COLUMN name TYPE %s`, s.schema, kind))
		for range 4 {
			if c, err := s.Company(t.Context(), s.company); err != nil || c.Name != "First" {
				t.Errorf("Company after change %d = %q, %v", i, c.Name, err)
			}
			if err := s.step(t.Context(), "write", fmt.Sprint(i, "write")); err != nil {
				t.Error(err)
			}
		}
	}
}

// Lists have one order, whatever the database's language.
func TestLocale(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, &pgtest.Options{Locale: "icu:en-US"})
	pool := connectPool(t, newConfig(t, server.URL("postgres")))
	if sorted := column(t, pool, `SELECT v FROM (VALUES ('a'), ('B')) AS t (v) ORDER BY v`); sorted[0] != "a" {
		t.Fatal("the database orders as C does: nothing is tested")
	}
	there := useDesk(t, open(t, pool).Store)
	here := useDesk(t, open(t, newPool(t)).Store)
	if !slices.Equal(there, here) {
		t.Errorf("lists in en-US: %q\nin C: %q", there, here)
	}
}
