package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/store"
)

var (
	oneKey = regexp.MustCompile(`^adk_[0-9A-Za-z]{49}\n$`)
	keyID  = regexp.MustCompile(`key_[0-9a-z]{26}`)
)

// newKey makes a key of a desk.
func newKey(t testing.TB, desk string, args ...string) string {
	t.Helper()
	r := program(t, append([]string{"keys", "create", "--data", desk, "--name", "Test"}, args...)...)
	if r.want(t, 0); !oneKey.MatchString(r.stdout) {
		t.Fatalf("keys create = %q, want a key and nothing else", r.stdout)
	}
	return strings.TrimSpace(r.stdout)
}

// callerOf says who shows a key of a desk.
func callerOf(t testing.TB, dir, secret string) (access.Principal, error) {
	t.Helper()
	desk, err := answerdesk.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	return desk.Authenticate(t.Context(), secret)
}

func TestKeys(t *testing.T) {
	_, desk := shop(t)
	ends := func() string { return time.Now().Add(90 * 24 * time.Hour).UTC().Format(time.DateOnly) }
	early := ends()
	secret := newKey(t, desk, "--scope", "write", "--plan", "pro", "--expires", "90d")
	late := ends() // another day at midnight
	p, err := callerOf(t, desk, secret)
	if err != nil || p.Scope != access.ScopeWrite || p.Plan != access.PlanPro {
		t.Fatalf("the key is that of %+v, %v, want write and pro", p, err)
	}
	list := program(t, "keys", "list", "--data", desk)
	list.want(t, 0, p.ID, "Test", "write", "pro", secret[len(secret)-4:])
	if !strings.Contains(list.stdout, early) && !strings.Contains(list.stdout, late) {
		t.Errorf("keys list = %s, want the end %s", list.stdout, late)
	}
	if strings.Contains(list.stdout, secret) || strings.Count(list.stdout, "\n") != 2 {
		t.Errorf("keys list = %s, want a head and one line, without the key", list.stdout)
	}

	r := program(t, "keys", "rotate", "--data", desk, p.ID)
	if r.want(t, 0); !oneKey.MatchString(r.stdout) {
		t.Fatalf("keys rotate = %q, want a key and nothing else", r.stdout)
	}
	next, err := callerOf(t, desk, strings.TrimSpace(r.stdout))
	if err != nil || next.ID == p.ID || next.Scope != p.Scope || next.Plan != p.Plan {
		t.Errorf("the new key is that of %+v, %v, want what %+v may", next, err, p)
	}
	if _, err := callerOf(t, desk, secret); err != nil {
		t.Errorf("the old key, while both work: %v", err)
	}
	program(t, "keys", "rotate", "--data", desk, p.ID).want(t, 1, "answerdesk keys rotate: desk in "+desk+": ", p.ID)
	program(t, "keys", "revoke", "--data", desk, p.ID).want(t, 0, p.ID+" is revoked\n")
	if _, err := callerOf(t, desk, secret); err == nil {
		t.Error("the old key works after it was revoked")
	}
	program(t, "keys", "revoke", "--data", desk, p.ID).want(t, 1, p.ID, "not found")
}

func TestKeyRotatedAtOnce(t *testing.T) {
	_, desk := shop(t)
	secret := newKey(t, desk, "--scope", "read")
	id := keyID.FindString(program(t, "keys", "list", "--data", desk).stdout)
	program(t, "keys", "rotate", "--data", desk, "--overlap", "0s", id).want(t, 0)
	if _, err := callerOf(t, desk, secret); err == nil {
		t.Error("a key works after a rotation without an overlap")
	}
}

// Who changes keys here stands in the audit log.
func TestKeysAudited(t *testing.T) {
	_, dir := shop(t)
	newKey(t, dir, "--scope", "full")
	desk, err := answerdesk.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	log, err := desk.AuditLog(t.Context(), store.Page{})
	if err != nil || len(log.Data) != 1 || log.Data[0].Actor != operator || log.Data[0].Action != "key.create" {
		t.Errorf("audit log = %+v, %v, want one key.create by %s", log.Data, err, operator)
	}
}

// With --company everything is about another company.
func TestKeysOfCompany(t *testing.T) {
	folder, dir := shop(t)
	desk, err := answerdesk.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	acme, err := desk.Companies().Create(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	if err := desk.Close(); err != nil {
		t.Fatal(err)
	}
	secret := newKey(t, dir, "--scope", "full", "--company", acme.ID)
	if p, err := callerOf(t, dir, secret); err != nil || p.Company != acme.ID {
		t.Errorf("the key is of company %s, %v, want %s", p.Company, err, acme.ID)
	}
	if own := program(t, "keys", "list", "--data", dir); keyID.MatchString(own.stdout) {
		t.Errorf("keys list = %s, want none of another company", own.stdout)
	}
	program(t, "keys", "list", "--data", dir, "--company", acme.ID).want(t, 0, "Test")

	program(t, "ask", "--data", dir, "--company", acme.ID, whenOpen).want(t, 0, "outcome: refuse")
	program(t, "ingest", "--data", dir, "--company", acme.ID, folder).want(t, 0, "1 created")
	program(t, "ask", "--data", dir, "--company", acme.ID, whenOpen).want(t, 0, "outcome: answer")
}

func TestKeysBadInput(t *testing.T) {
	_, desk := shop(t)
	empty := filepath.Join(t.TempDir(), "none")
	unknown := "cmp_01kanq0w0h0000000000000000"
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"no desk to list", []string{"list", "--data", empty}, "there is no desk in " + empty},
		{"no desk to rotate", []string{"rotate", "--data", empty, "key_x"}, "there is no desk in " + empty},
		{"no desk to revoke", []string{"revoke", "--data", empty, "key_x"}, "there is no desk in " + empty},
		{"unknown key", []string{"revoke", "--data", desk, "key_x"}, `key "key_x" not found`},
		{"unknown company", []string{"create", "--data", desk, "--name", "n", "--scope", "read", "--company", unknown}, `company "` + unknown + `" not found`},
		{"no id", []string{"list", "--data", desk, "--company", "Acme"}, `company "Acme" not found`},
		{"name too long", []string{"create", "--data", desk, "--scope", "read", "--name", strings.Repeat("n", 201)}, "name: "},
		{"expired", []string{"create", "--data", desk, "--scope", "read", "--name", "n", "--expires", "2020-01-01"}, "expires_at: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := program(t, append([]string{"keys"}, test.args...)...)
			r.want(t, 1, "answerdesk keys "+test.args[0]+": ", test.want)
			if r.stdout != "" || strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("keys = %q, %q, want one line of error", r.stdout, r.stderr)
			}
		})
	}
	if _, err := os.Stat(empty); err == nil {
		t.Errorf("%s is there", empty)
	}
}

// The first key can be made before anything else, and that a desk is made for it is
// said.
func TestFirstKey(t *testing.T) {
	desk := filepath.Join(t.TempDir(), "desk")
	r := program(t, "keys", "create", "--data", desk, "--name", "First", "--scope", "full")
	r.want(t, 0, "there was no desk in "+desk+": a new one is made\n")
	if _, err := callerOf(t, desk, strings.TrimSpace(r.stdout)); err != nil {
		t.Error(err)
	}
	if r := program(t, "keys", "create", "--data", desk, "--name", "Second", "--scope", "full"); r.stderr != "" {
		t.Errorf("the second key says %q", r.stderr)
	}
}

// The name of a key cannot take over the terminal, nor break a line.
func TestKeyNames(t *testing.T) {
	_, desk := shop(t)
	program(t, "keys", "create", "--data", desk, "--scope", "read", "--name", "a\x1b[2J\nb\tc").want(t, 0)
	r := program(t, "keys", "list", "--data", desk)
	r.want(t, 0, "  a[2J b c  read  ")
	if strings.Contains(r.stdout, "\x1b") || strings.Count(r.stdout, "\n") != 2 {
		t.Errorf("keys list = %q, want a head and one line, and no escape character", r.stdout)
	}
}

func TestExpiry(t *testing.T) {
	for _, test := range []struct{ given, want string }{
		{"2030-12-31", "2030-12-31T00:00:00Z"},
		{"2030-12-31T12:00:00+02:00", "2030-12-31T10:00:00Z"},
	} {
		if got, err := readExpiry(test.given); err != nil || got.Format(time.RFC3339) != test.want {
			t.Errorf("readExpiry(%s) = %s, %v, want %s", test.given, got, err, test.want)
		}
	}
	for _, bad := range []string{"", "0d", "-1h", "tomorrow", "2030-13-01", "99999999999d"} {
		if got, err := readExpiry(bad); err == nil {
			t.Errorf("readExpiry(%q) = %s, want an error", bad, got)
		}
	}
}
