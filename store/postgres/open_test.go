package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// odds are passwords that are easily misread.
var odds = []string{
	"Qx1/Wz2@Jk3:Vy4", "54321/Zq9@Xw7", "Qx1?Wz2=Jk3&Vy4#Zq9%f", "Qx1's \\ \"Wz2\"", "ßQx 漢字漢 🙂🙂", "Qx1@Wz2@Jk3", "Qx1:Wz2", "%zzQx1", "schema=Qx1",
	"`Qx1`Wz2`", "pool_max_conns=Qx1",
}

// opensAt opens a store that must be there and returns the schemas of its database.
func opensAt(t *testing.T, address string, opts *postgres.Options) []string {
	t.Helper()
	st, err := postgres.Open(t.Context(), address, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(st.Close(), st.Close()); err != nil {
			t.Error(err)
		}
	}()
	if _, err := st.Company(t.Context(), "cmp_1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Company of a new store = %v", err)
	}
	return column(t, postgres.Pool(st), `SELECT table_schema::text FROM information_schema.tables WHERE table_name = 'companies' ORDER BY 1`)
}

// A store is opened by URL or by keywords and values, in the schema that is named
// first in the address, then in the options, then by default.
func TestOpen(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	words := fmt.Sprintf("host=%s port=%s dbname=%s user=%s sslmode=disable", u.Hostname(), u.Port(), u.Path[1:], u.User.Username())
	if password, ok := u.User.Password(); ok {
		words += " password='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(password) + "'"
	}
	var want []string
	for _, c := range []struct {
		address string
		opts    *postgres.Options
		schema  string
	}{
		{address, nil, "answerdesk"},
		{address, &postgres.Options{Schema: "b"}, "b"},
		{address + "&schema=c%20d", &postgres.Options{Schema: "b"}, "c d"},
		{address + "&schema=", &postgres.Options{Schema: "e"}, "e"},
		{address + "&pool_max_conns=3&schema=f&application_name=mine", nil, "f"},
		{words, nil, ""},
		{words + " schema=g", nil, "g"},
		{words + " schema='h i' pool_max_conns=2", nil, "h i"},
	} {
		if c.schema != "" && c.schema != "b" || c.schema == "b" {
			want = append(want, c.schema)
		}
		if got := opensAt(t, c.address, c.opts); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("after Open(%s) there are the schemas %q, want %q", c.schema, got, want)
		}
	}
}

// An address that may hide its password elsewhere is refused, and no error has it.
func TestAddressIsNotQuoted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, password := range odds {
		quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(password)
		for _, address := range []string{
			// Not escaped.
			"postgres://user:" + password + "@127.0.0.1:1/db?connect_timeout=x",
			"postgres://user:" + password + "@127.0.0.1:x/db",
			"postgresql://user:" + password + "@127.0.0.1:1/db?sslmode=odd",
			"host=127.0.0.1 port=x user=user password='" + quoted + "'",
			"host=127.0.0.1 sslmode=odd user=user password='" + quoted + "'",
			"host=127.0.0.1 user=user password=" + password + " word port=1",
			"host=127.0.0.1 user=user password='" + password + " port=1",
			// As they should be.
			"postgres://user:" + url.QueryEscape(password) + "@127.0.0.1:1/db?sslmode=odd",
			"postgres://user:" + url.QueryEscape(password) + "@127.0.0.1:x/db",
			"postgres://user@127.0.0.1:x/db?password=" + url.QueryEscape(password),
			"postgres://user:" + url.QueryEscape(password) + "@127.0.0.1:1/db?pool_max_conns=odd",
		} {
			st, err := postgres.Open(ctx, address, nil)
			if err == nil {
				st.Close()
				t.Errorf("Open(%s) = nil", address)
				continue
			}
			tellsNothing(t, address, err, password)
			if !strings.Contains(err.Error(), "the address can") {
				t.Errorf("Open(%s) = %v", address, err)
			}
		}
	}
}

// tellsNothing fails the test if an error has a part of a password.
func tellsNothing(t *testing.T, address string, err error, password string) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		text := fmt.Sprintf("%v", e)
		for part := range strings.FieldsFuncSeq(password, func(r rune) bool { return strings.ContainsRune("/@:?&#%= `'\"\\", r) }) {
			if len(part) > 2 && part != "schema" && part != "pool_max_conns" && strings.Contains(text, part) {
				t.Errorf("Open(%s) = %s, which has %s of the password", address, text, part)
			}
		}
		if strings.Contains(text, password) {
			t.Errorf("Open(%s) = %s, which has the password", address, text)
		}
	}
}

// Whatever refuses a store, the error says what to do and wraps what it is.
func TestOpenRefused(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, &pgtest.Options{Settings: map[string]string{"max_connections": "20"}})
	admin := connectPool(t, newConfig(t, server.URL("postgres")))
	for _, query := range []string{
		`CREATE ROLE guest LOGIN`,
		`CREATE ROLE nobody NOLOGIN`,
		`CREATE DATABASE ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
		`CREATE SCHEMA theirs`,
		`CREATE SCHEMA open; GRANT CREATE, USAGE ON SCHEMA open TO guest`,
		`CREATE SCHEMA seen; GRANT USAGE ON SCHEMA seen TO guest;
			CREATE TABLE seen.schema_version (version BIGINT, name TEXT, sha256 TEXT, applied_at BIGINT)`,
		`CREATE SCHEMA other; CREATE TABLE other.schema_version (version BIGINT)`,
	} {
		exec(t, admin, query)
	}
	as := func(user, database string) string {
		return strings.Replace(server.URL(database), "postgres@", user+"@", 1)
	}
	var wg sync.WaitGroup
	for name, c := range map[string]struct {
		address     string
		want        string
		unavailable bool
	}{
		"port closed":       {"postgres://user@127.0.0.1:1/db?sslmode=disable", "cannot be reached: check that it runs, and its address", true},
		"silent":            {"postgres://user@" + silence(t) + "/db?sslmode=disable&connect_timeout=1", "cannot be reached", true},
		"no such database":  {server.URL("missing"), "create it first", true},
		"no login":          {as("nobody", "postgres"), "check name, password and pg_hba.conf", true},
		"not UTF-8":         {server.URL("ascii"), "make one with ENCODING 'UTF8'", false},
		"no CREATE":         {as("guest", "postgres"), "give it CREATE on the database, or make it the owner", true},
		"another's schema":  {as("guest", "postgres") + "&schema=theirs", "make it the owner of the schema", true},
		"another's table":   {as("guest", "postgres") + "&schema=seen", "make it the owner of the schema and its tables", true},
		"another program's": {server.URL("postgres") + "&schema=other", "take another schema", true},
		"name too long":     {server.URL("postgres") + "&schema=" + strings.Repeat("x", 64), "1 to 63 bytes", false},
		"no such parameter": {server.URL("postgres") + "&shcema=x", "shcema", false},
	} {
		wg.Go(func() { // some take as long as a server that is away is waited for
			st, err := postgres.Open(t.Context(), c.address, nil)
			if err == nil {
				t.Errorf("%s: Open = nil, %v", name, st.Close())
				return
			}
			if !strings.Contains(err.Error(), c.want) || errors.Is(err, store.ErrUnavailable) != c.unavailable {
				t.Errorf("%s: Open = %v (unavailable: %v), want %q", name, err, errors.Is(err, store.ErrUnavailable), c.want)
			}
		})
	}
	wg.Wait()
	opensAt(t, as("guest", "postgres")+"&schema=open", nil)

	t.Run("password", func(t *testing.T) { wrongPassword(t, server) })
	t.Run("standby", func(t *testing.T) { standby(t, server) })
}

// wrongPassword has the server ask for passwords, and gives it odd ones.
func wrongPassword(t *testing.T, server *pgtest.Server) {
	c := connect(t, server.URL("postgres"))
	var hba string
	if err := c.QueryRow(t.Context(), `SHOW hba_file`).Scan(&hba); err != nil {
		t.Fatal(err)
	}
	for i, password := range odds {
		quoted := strings.ReplaceAll(password, "'", "''")
		for _, query := range []string{
			fmt.Sprintf(`CREATE ROLE asked%d LOGIN PASSWORD E'%s'`, i, strings.ReplaceAll(quoted, `\`, `\\`)),
			fmt.Sprintf(`CREATE SCHEMA asked%d AUTHORIZATION asked%d`, i, i),
		} {
			if _, err := c.Exec(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
	}
	old, err := os.ReadFile(hba)
	if err != nil {
		t.Fatal(err)
	}
	trust := "host all postgres all trust\n"
	if err := os.WriteFile(hba, []byte(trust+"host all all all scram-sha-256\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.WriteFile(hba, old, 0o600); err != nil {
			t.Error(err)
		}
	}()
	if _, err := c.Exec(t.Context(), `SELECT pg_reload_conf()`); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	until(t, "asked for a password", func() bool {
		u.User = url.UserPassword("asked0", "wrong")
		_, err := postgres.Open(t.Context(), u.String(), &postgres.Options{Schema: "asked0"})
		return postgres.Code(err) == "28P01"
	})
	for i, password := range odds {
		user := fmt.Sprintf("asked%d", i)
		opts := &postgres.Options{Schema: user}
		u.User = url.UserPassword(user, password)
		opensAt(t, u.String(), opts)
		words := fmt.Sprintf("host=%s port=%s dbname=postgres sslmode=disable user=%s password='%s", u.Hostname(), u.Port(), user,
			strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(password))
		opensAt(t, words+"'", opts)
		u.User = url.UserPassword(user, password+"!")
		for _, address := range []string{u.String(), words + "!'"} {
			least := time.Hour // whoever tries again does so each time
			for try := 0; try < 3 && least > 2*time.Second; try++ {
				began := time.Now()
				_, err := postgres.Open(t.Context(), address, opts)
				if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(fmt.Sprint(err), "check name, password") {
					t.Fatalf("Open with a wrong password = %v", err)
				}
				tellsNothing(t, address, err, password)
				least = min(least, time.Since(began))
			}
			if least > 2*time.Second {
				t.Errorf("Open with a wrong password takes %v: it is not to be tried again", least)
			}
		}
	}
}

// standby makes the server one that only reads.
func standby(t *testing.T, server *pgtest.Server) {
	opensAt(t, server.URL("postgres")+"&schema=made", nil)
	c := connect(t, server.URL("postgres"))
	var data string
	if err := c.QueryRow(t.Context(), `SHOW data_directory`).Scan(&data); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(t.Context(), fmt.Sprintf(`COPY (SELECT '') TO '%s'`, filepath.Join(data, "standby.signal"))); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart("fast"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		_, err := postgres.Open(t.Context(), server.URL("postgres")+"&schema=new", nil)
		if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(fmt.Sprint(err), "it is a standby") {
			t.Errorf("Open of a new schema on a standby = %v", err)
		}
	})
	st, err := postgres.Open(t.Context(), server.URL("postgres")+"&schema=made", nil)
	if err != nil {
		t.Fatalf("Open of a schema on a standby = %v", err)
	}
	defer st.Close()
	if _, err := st.Company(t.Context(), "cmp_1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Company on a standby = %v", err)
	}
	if err := st.Enqueue(t.Context(), store.Commit{Company: "cmp_1"}); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "it is a standby") {
		t.Errorf("Enqueue on a standby = %v", err)
	}
}

// silence is the address of a server that accepts and says nothing.
func silence(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// A server that says nothing is waited for as long as the caller says.
func TestOpenSilence(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := postgres.Open(ctx, "postgres://user@"+silence(t)+"/db?sslmode=disable", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open of a server that is silent = %v", err)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("Open with 200 ms took %v", took)
	}
}
