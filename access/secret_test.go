package access_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/store"
)

// form is what a scanner looks for, as documented.
var form = regexp.MustCompile(`^adk_[0-9A-Za-z]{49}$`)

// TestSecretForm reads the documented form back with arithmetic of its own.
func TestSecretForm(t *testing.T) {
	st, company := newStore(t)
	ks := access.NewKeys(st, company)
	seen := map[string]bool{}
	for range 50 {
		k, secret := newKey(t, ks, access.NewKey{})
		if !form.MatchString(secret) || !strings.HasPrefix(secret, access.SecretPrefix) {
			t.Fatalf("a secret is %q, want the form %s", secret, form)
		}
		var checksum uint64
		for _, digit := range secret[47:] {
			checksum = checksum*62 + uint64(strings.IndexRune("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", digit))
		}
		if want := crc32.ChecksumIEEE([]byte(secret[:47])); checksum != uint64(want) {
			t.Errorf("secret %s ends with checksum %d, want %d", secret, checksum, want)
		}
		if k.Hint != secret[49:] {
			t.Errorf("the hint of %s is %q", secret, k.Hint)
		}
		if seen[secret[:20]] {
			t.Errorf("two secrets begin with %s", secret[:20])
		}
		seen[secret[:20]] = true
	}
}

// TestSpoiltSecrets shows that what is not a secret is refused without a look
// into the store.
func TestSpoiltSecrets(t *testing.T) {
	st, company := newStore(t)
	k, secret := newKey(t, access.NewKeys(st, company), access.NewKey{})
	spoilt := []string{
		"", " ", "adk_", secret[4:], secret + " ", " " + secret, secret + "\n", secret + "0", secret + secret, strings.ToLower(secret), strings.ToUpper(secret),
		"Adk_" + secret[4:], "sk-" + secret[4:], k.ID, k.Hint, "Bearer " + secret, strings.Repeat("a", 1<<20), "adk_" + strings.Repeat("\x00", 49),
		"adk_" + strings.Repeat("é", 49),
	}
	for i := range secret {
		spoilt = append(spoilt, secret[:i], secret[i+1:])
		for _, c := range []byte("0aZ_\x00\xff") {
			if c != secret[i] {
				spoilt = append(spoilt, secret[:i]+string([]byte{c})+secret[i+1:])
			}
		}
		if i > 0 && secret[i] != secret[i-1] {
			spoilt = append(spoilt, secret[:i-1]+secret[i:i+1]+secret[i-1:i]+secret[i+1:])
		}
	}
	for _, s := range spoilt {
		if s != secret {
			refuses(t, st, s, access.ErrInvalidKey)
		}
	}
	if n := st.lookups.Load(); n != 0 {
		t.Errorf("%d spoilt secrets were looked up, want none", n)
	}
	accepts(t, st, secret, k)
}

// TestUnknownSecret shows that a secret which was never given out costs as many
// looks into the store as one that was.
func TestUnknownSecret(t *testing.T) {
	st, company := newStore(t)
	other, _ := newStore(t)
	k, secret := newKey(t, access.NewKeys(st, company), access.NewKey{})
	refuses(t, other, secret, access.ErrInvalidKey)
	accepts(t, st, secret, k)
	if a, b := other.lookups.Load(), st.lookups.Load(); a != 1 || b != 1 {
		t.Errorf("an unknown secret took %d lookups and a known one %d, want 1 and 1", a, b)
	}
}

// TestSecretIsNowhere looks for the secrets of keys, in whole and in part, in
// every file of the store's folder. That it looks in the right place shows by
// the hash and the name, which are there.
func TestSecretIsNowhere(t *testing.T) {
	dir := t.TempDir()
	st, company := openStore(t, dir)
	ks := access.NewKeys(st, company).By(store.Request{Actor: "key_1"})
	k, first := newKey(t, ks, access.NewKey{Name: "Namemarker"})
	_, second, err := ks.Rotate(t.Context(), k.ID, access.MaxOverlap)
	if err != nil {
		t.Fatal(err)
	}
	accepts(t, st, first, k)

	found := map[string]bool{}
	look := func() {
		t.Helper()
		clear(found)
		err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := fs.ReadFile(os.DirFS(dir), path)
			if err != nil {
				return err
			}
			for _, secret := range []string{first, second} {
				for what, part := range map[string]string{"it": secret, "its random part": secret[4:47], "half of that": secret[4:25], "the other half": secret[25:47]} {
					if bytes.Contains(b, []byte(part)) {
						t.Errorf("%s has %s of a secret", path, what)
					}
				}
			}
			hash := sha256.Sum256([]byte(first))
			found["hash"] = found["hash"] || bytes.Contains(b, hash[:])
			found["name"] = found["name"] || bytes.Contains(b, []byte("Namemarker"))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	look()
	if !found["hash"] || !found["name"] {
		t.Fatalf("the files have hash and name: %v: the test looks in the wrong place", found)
	}
	if err := ks.Revoke(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	look()
	if found["hash"] || !found["name"] { // the name is the second key's too
		t.Errorf("after the key was revoked the files have hash and name: %v, want the name alone", found)
	}
}

// nothing is a store that has no keys.
type nothing struct{ access.Store }

func (nothing) KeyByHash(context.Context, [32]byte) (access.Key, error) {
	return access.Key{}, store.NotFound("key", "")
}

func FuzzAuthenticate(f *testing.F) {
	f.Add("")
	f.Add("adk_0000000000000000000000000000000000000000000000000")
	f.Add("adk_" + fmt.Sprint(1<<62))
	f.Fuzz(func(t *testing.T, secret string) {
		refuses(t, nothing{}, secret, access.ErrInvalidKey)
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	st, company := newStore(b)
	ks := access.NewKeys(st.Store, company)
	_, known := newKey(b, ks, access.NewKey{})
	gone, unknown := newKey(b, ks, access.NewKey{})
	if err := ks.Revoke(b.Context(), gone.ID); err != nil {
		b.Fatal(err)
	}
	for name, secret := range map[string]string{"known": known, "unknown": unknown, "spoilt": known[:52] + "_"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = access.Authenticate(b.Context(), st.Store, secret)
			}
		})
	}
}
