package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The desk's place is taken from the first of flag, environment and file that has
// it, under either name.
func TestStoreOrData(t *testing.T) {
	file := config(t, `{"data": "of-file"}`)
	both := config(t, `{"data": "one", "store": "other"}`)
	for _, test := range []struct{ store, data, args, want, wrong string }{
		{args: "--store a", want: "a"},
		{args: "--data a", want: "a"},
		{args: "--data a --store a", want: "a"},
		{args: "--data a --store b", wrong: "--store and --data say different things: leave one of them out"},
		{store: "a", want: "a"},
		{data: "a", want: "a"},
		{store: "a", data: "a", want: "a"},
		{store: "a", data: "b", wrong: "ANSWERDESK_STORE and ANSWERDESK_DATA say different things: leave one of them out"},
		{store: "a", args: "--data b", want: "b"},
		{data: "a", args: "--store b", want: "b"},
		{args: "--config " + file, want: "of-file"},
		{args: "--config " + file, store: "a", want: "a"},
		{args: "--config " + both, wrong: "store in " + both + " and data in " + both + " say different things"},
		{args: "--config " + both + " --store c", want: "c"},
		{wrong: "--store is missing: it says where the desk is"},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			t.Setenv("ANSWERDESK_STORE", test.store)
			t.Setenv("ANSWERDESK_DATA", test.data)
			var given call
			err := serveCommand.parse(&given, strings.Fields(test.args))
			if given.store.folder != test.want || (err != nil) != (test.wrong != "") || err != nil && !strings.HasPrefix(err.Error(), test.wrong) {
				t.Errorf("store = %q, %v, want %q, %s", given.store.folder, err, test.want, test.wrong)
			}
		})
	}
}

func TestReadPlace(t *testing.T) {
	const as = "postgres://"
	for _, test := range []struct{ given, shown, wrong string }{
		{given: "data", shown: "data"},
		{given: "/var/lib/desk", shown: "/var/lib/desk"},
		{given: `C:\desks\one`, shown: `C:\desks\one`},
		{given: "a=b", shown: "a=b"},
		{given: as, shown: as},
		{given: as + "/desk", shown: as + "/desk"},
		{given: "postgresql://ann:hunter2@db.example.com:5433/desk?sslmode=require&schema=one", shown: as + "ann@db.example.com:5433/desk?schema=one"},
		{given: "POSTGRES://ann:hunter2@db/desk", shown: as + "ann@db/desk"},
		{given: as + "db/desk?user=ann&password=hunter2", shown: as + "db/desk"},
		{given: as + "ann:hunter2@a:1,b:2/desk", shown: as + "ann@a:1,b:2/desk"},
		{given: as + "ann:hunter2/@db/desk", wrong: "cannot be read: write postgres://USER:PASSWORD"},
		{given: as + "ann:12/hunter2@db/desk", wrong: "cannot be read"},
		{given: as + "ann:12?hunter2@db/desk", wrong: "cannot be read"},
		{given: as + "ann:hunter2#@db/desk", wrong: "cannot be read"},
		{given: as + "ann:hunter2%@db/desk", wrong: "cannot be read"},
		{given: "postgres:ann:hunter2@db", wrong: "cannot be read"},
		{given: "postgres:/ann:hunter2@db", wrong: "cannot be read"},
		{given: "mysql://ann:hunter2@db/desk", wrong: "mysql: is no store: give a folder, or a URL that begins with postgres://"},
		{given: "file:///tmp/desk", wrong: "file: is no store"},
		{given: "host=db user=ann password=hunter2", wrong: "write a database as a URL"},
		{given: "Password = hunter2", wrong: "write a database as a URL"},
		{given: "a\x00b", wrong: "zero byte"},
	} {
		p, err := readPlace(test.given)
		if (err != nil) != (test.wrong != "") || err != nil && !strings.Contains(err.Error(), test.wrong) || err == nil && p.String() != test.shown {
			t.Errorf("readPlace(%q) = %s, %v, want %s, %s", test.given, p, err, test.shown, test.wrong)
		}
		if strings.Contains(fmt.Sprint(p.String(), err), "hunter2") {
			t.Errorf("readPlace(%q) tells the password: %s, %v", test.given, p, err)
		}
	}
}

// What cannot be read is refused by every command, and leaves no folder behind.
func TestStoreThatIsNone(t *testing.T) {
	top := t.TempDir()
	t.Chdir(top)
	for _, store := range []string{"mysql://ann:hunter2@db/desk", "host=db password=hunter2", "postgres://ann:hunter2#@db/desk"} {
		for _, c := range commands {
			if !c.has(storeSetting) {
				continue
			}
			r := program(t, append(strings.Fields(c.name), "--store", store, "x")...)
			r.want(t, 2, "answerdesk "+c.name+": --store: ")
			if strings.Contains(r.stdout+r.stderr, "hunter2") {
				t.Errorf("answerdesk %s tells the password:\n%s%s", c.name, r.stdout, r.stderr)
			}
		}
	}
	if there, err := os.ReadDir(top); err != nil || len(there) > 0 {
		t.Errorf("there are %v, %v", there, err)
	}
}

// A desk in a folder is one desk by either name.
func TestStoreIsData(t *testing.T) {
	folder, desk := shop(t)
	program(t, "ask", "--store", desk, whenOpen).want(t, 0, "outcome: answer")
	program(t, "ingest", "--store", desk, folder).want(t, 0, "1 unchanged")
	program(t, "keys", "create", "--store", desk, "--name", "n", "--scope", "read").want(t, 0, "")
	file := filepath.Join(t.TempDir(), "copy.db")
	program(t, "backup", "--store", desk, file).want(t, 0, "the desk in "+desk+" is copied to ")
	program(t, "restore", "--store", desk+"-2", file).want(t, 0, "the desk in "+desk+"-2 is restored from ")
}

// Files are no business of a desk in PostgreSQL.
func TestBackupOfPostgres(t *testing.T) {
	const store = "postgres://ann:hunter2@127.0.0.1:1/desk?schema=one"
	for command, tool := range map[string]string{"backup": "pg_dump", "restore": "pg_restore"} {
		r := program(t, command, "--store", store, filepath.Join(t.TempDir(), "file"))
		r.want(t, 1, "answerdesk "+command+": postgres://ann@127.0.0.1:1/desk?schema=one is in PostgreSQL", "use "+tool, "docs/operating.md")
		if strings.Contains(r.stderr, "hunter2") {
			t.Errorf("%s tells the password: %s", command, r.stderr)
		}
	}
}
