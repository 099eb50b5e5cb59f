package secretbox_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/secretbox"
)

// key is a master key made of one byte: fit for tests alone.
func key(b byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
}

func box(t testing.TB, keys ...string) (*secretbox.Box, *secretbox.Keys) {
	t.Helper()
	ring, err := secretbox.ParseKeys(strings.Join(keys, ","))
	if err != nil {
		t.Fatal(err)
	}
	return secretbox.New(ring), ring
}

var at = secretbox.Place{Company: "cmp_1", Table: "endpoint_secret", Row: "whk_1", Column: "secret"}

func seal(t testing.TB, b *secretbox.Box, secret string) []byte {
	t.Helper()
	sealed, err := b.Seal(context.Background(), at, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func Example() {
	keys, err := secretbox.ParseKeys("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	if err != nil {
		panic(err)
	}
	b := secretbox.New(keys)
	ctx := context.Background()
	at := secretbox.Place{Company: "cmp_1", Table: "endpoint_secret", Row: "whk_1", Column: "secret"}
	sealed, err := b.Seal(ctx, at, []byte("whsec_example"))
	if err != nil {
		panic(err)
	}
	secret, err := b.Open(ctx, at, sealed)
	fmt.Println(string(secret), err)

	at.Row = "whk_2"
	_, err = b.Open(ctx, at, sealed)
	fmt.Println(err)
	// Output:
	// whsec_example <nil>
	// open secret: sealed secret does not open; it was altered or belongs to another place
}

func TestSealAndOpen(t *testing.T) {
	b, ring := box(t, key(1))
	for _, secret := range []string{"", "x", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "\x00\xff", strings.Repeat("é", secretbox.MaxSecret/2)} {
		sealed := seal(t, b, secret)
		if got, want := len(sealed), len(secret)+95; got != want {
			t.Errorf("Seal of %d bytes = %d bytes, want %d", len(secret), got, want)
		}
		if len(secret) > 4 && bytes.Contains(sealed, []byte(secret[:5])) {
			t.Errorf("sealed secret holds %q", secret[:5])
		}
		got, err := b.Open(t.Context(), at, sealed)
		if err != nil || string(got) != secret {
			t.Errorf("Open(Seal(%d bytes)) = %d bytes, %v", len(secret), len(got), err)
		}
		if id, err := secretbox.KeyOf(sealed); err != nil || id != ring.First() {
			t.Errorf("KeyOf = %v, %v, want %v", id, err, ring.First())
		}
		if bytes.Equal(sealed, seal(t, b, secret)) {
			t.Errorf("sealing %d bytes twice gave the same", len(secret))
		}
	}
	if _, err := b.Seal(t.Context(), at, make([]byte, secretbox.MaxSecret+1)); err == nil {
		t.Error("Seal of more than MaxSecret = nil, want an error")
	}
}

// kept is "kept for ever" sealed with key(1) for at, by the first release.
func kept(t testing.TB) []byte {
	t.Helper()
	sealed, err := base64.StdEncoding.DecodeString("AfheWcwAPKLy+e9LNWl1JsrUCMj8xcLQMm2clhDthOFaJa/WPZHdE8/7hh2WNnytxmQ/IStmOVirKNKM" +
		"pzNVFduhgj6auYQTUDmzRtDw0zW+aUWnNTnaL7NEpwyvMr4w++NkhmgNhpd1oiMr")
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// The format is what databases hold: what was sealed once must open for ever.
func TestFormatIsStable(t *testing.T) {
	b, _ := box(t, key(1))
	if got, err := b.Open(t.Context(), at, kept(t)); err != nil || string(got) != "kept for ever" {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func TestEveryByteIsGuarded(t *testing.T) {
	b, _ := box(t, key(1), key(2))
	sealed := seal(t, b, "the secret")
	fails := func(what string, bad []byte) {
		t.Helper()
		got, err := b.Open(t.Context(), at, bad)
		_, unknown := errors.AsType[*secretbox.UnknownKeyError](err)
		if got != nil || !errors.Is(err, secretbox.ErrOpen) && !unknown {
			t.Errorf("Open with %s = %q, %v, want ErrOpen or an unknown key", what, got, err)
		}
	}
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			fails(fmt.Sprintf("bit %d of byte %d changed", bit, i), bad)
		}
		fails(fmt.Sprintf("%d bytes", i), sealed[:i])
		fails(fmt.Sprintf("byte %d left out", i), append(bytes.Clone(sealed[:i]), sealed[i+1:]...))
	}
	fails("a byte more", append(bytes.Clone(sealed), 0))
	fails("much more", append(bytes.Clone(sealed), make([]byte, 2*secretbox.MaxSecret)...))
	if _, err := secretbox.KeyOf(append(bytes.Clone(sealed), make([]byte, secretbox.MaxSecret)...)); !errors.Is(err, secretbox.ErrOpen) {
		t.Errorf("KeyOf of more than the largest = %v, want ErrOpen", err)
	}

	other := seal(t, b, "the secret") // same place, same text, another key
	fails("another's value", append(bytes.Clone(sealed[:67]), other[67:]...))

	_, ring := box(t, key(2))
	second := ring.First()
	swapped := bytes.Clone(sealed) // a master key that is loaded, but not the right one
	copy(swapped[1:], second[:])
	fails("the id of the second key", swapped)
}

func TestPlaceIsGuarded(t *testing.T) {
	b, _ := box(t, key(1))
	sealed := seal(t, b, "the secret")
	for _, wrong := range []secretbox.Place{
		{"cmp_2", at.Table, at.Row, at.Column},
		{at.Company, "other", at.Row, at.Column},
		{at.Company, at.Table, "whk_2", at.Column},
		{at.Company, at.Table, at.Row, "other"},
		{at.Company + at.Table[:1], at.Table[1:], at.Row, at.Column}, // the same letters, cut elsewhere
		{at.Company, at.Table + at.Row, "", at.Column},
		{at.Company, at.Table + "|" + at.Row, at.Row, at.Column},
		{at.Table, at.Company, at.Row, at.Column},
		{},
	} {
		if got, err := b.Open(t.Context(), wrong, sealed); got != nil || err == nil {
			t.Errorf("Open at %+v = %q, nil", wrong, got)
		}
		if _, err := b.Rewrap(t.Context(), wrong, sealed); err == nil {
			t.Errorf("Rewrap at %+v = nil, want an error", wrong)
		}
	}
	for _, part := range []secretbox.Place{
		{"", "t", "r", "c"}, {"c", "", "r", "c"}, {"c", "t", "", "c"}, {"c", "t", "r", ""},
	} {
		if _, err := b.Seal(t.Context(), part, []byte("x")); err == nil {
			t.Errorf("Seal at %+v = nil, want an error", part)
		}
	}
}

func TestRotation(t *testing.T) {
	old, oldRing := box(t, key(1))
	both, bothRing := box(t, key(2), key(1))
	fresh, _ := box(t, key(2))
	sealed := seal(t, old, "the secret")

	if got, err := both.Open(t.Context(), at, sealed); err != nil || string(got) != "the secret" {
		t.Fatalf("Open of the old with both keys = %q, %v", got, err)
	}
	_, err := fresh.Open(t.Context(), at, sealed)
	unknown, ok := errors.AsType[*secretbox.UnknownKeyError](err)
	if !ok || unknown.ID != oldRing.First() {
		t.Fatalf("Open of the old with the new key = %v, want unknown key %s", err, oldRing.First())
	}
	want := fmt.Sprintf("open secret: master key %s is not loaded; add it after the first key in ANSWERDESK_MASTER_KEY or master.key, with a comma between", oldRing.First())
	if err.Error() != want {
		t.Errorf("Error() = %q, want %q", err, want)
	}

	moved, err := both.Rewrap(t.Context(), at, sealed)
	if err != nil {
		t.Fatal(err)
	}
	if id, _ := secretbox.KeyOf(moved); id != bothRing.First() || id == oldRing.First() {
		t.Errorf("KeyOf(Rewrap) = %s, want %s", id, bothRing.First())
	}
	if !bytes.Equal(moved[67:], sealed[67:]) {
		t.Error("Rewrap changed the secret's own bytes")
	}
	if got, err := fresh.Open(t.Context(), at, moved); err != nil || string(got) != "the secret" {
		t.Errorf("Open of the rewrapped with the new key alone = %q, %v", got, err)
	}
	if _, err := old.Open(t.Context(), at, moved); err == nil {
		t.Error("Open of the rewrapped with the old key = nil, want an error")
	}
	if again, err := both.Rewrap(t.Context(), at, moved); err != nil || !bytes.Equal(again, moved) {
		t.Errorf("a second Rewrap = other bytes, %v, want the same", err)
	}
	for i := range 67 { // what is before the secret must be right to be moved
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := both.Rewrap(t.Context(), at, bad); err == nil {
			t.Errorf("Rewrap with byte %d changed = nil, want an error", i)
		}
	}
	if err := bothRing.Check(oldRing.First()); err != nil {
		t.Errorf("Check of a loaded key = %v", err)
	}
	if _, ok := errors.AsType[*secretbox.UnknownKeyError](oldRing.Check(bothRing.First())); !ok {
		t.Error("Check of a key that is not loaded = nil")
	}
}

// A remote is another kind of keyring, such as a key service's.
type remote struct {
	wrapped []byte
	key     []byte
	err     error
}

func (r *remote) Wrap(_ context.Context, _, key []byte) (secretbox.KeyID, []byte, error) {
	r.key = bytes.Clone(key)
	return secretbox.KeyID{9, 9, 9, 9}, r.wrapped, r.err
}

func (r *remote) Unwrap(context.Context, secretbox.KeyID, []byte, []byte) ([]byte, error) {
	return bytes.Clone(r.key), r.err
}

func TestOtherKeyrings(t *testing.T) {
	for _, size := range []int{0, 1, 60, 512, 4096} {
		r := &remote{wrapped: make([]byte, size)}
		b := secretbox.New(r)
		sealed := seal(t, b, "the secret")
		if got, err := b.Open(t.Context(), at, sealed); err != nil || string(got) != "the secret" {
			t.Errorf("with a wrapped key of %d bytes: Open = %q, %v", size, got, err)
		}
		r.key = r.key[:31]
		if _, err := b.Open(t.Context(), at, sealed); !errors.Is(err, secretbox.ErrOpen) {
			t.Errorf("Open with a key cut short = %v, want ErrOpen", err)
		}
		r.err = context.DeadlineExceeded
		if _, err := b.Open(t.Context(), at, sealed); !errors.Is(err, r.err) {
			t.Errorf("Open = %v, want the keyring's error", err)
		}
		if _, err := b.Seal(t.Context(), at, nil); !errors.Is(err, r.err) {
			t.Errorf("Seal = %v, want the keyring's error", err)
		}
	}
	r := &remote{wrapped: make([]byte, 4096)}
	b := secretbox.New(r)
	sealed := seal(t, b, "the secret")
	longer := append(bytes.Clone(sealed[:8]), sealed[7:]...) // a wrapped key of 4097 bytes
	longer[6]++
	if _, err := b.Open(t.Context(), at, longer); !errors.Is(err, secretbox.ErrOpen) {
		t.Errorf("Open with a wrapped key of 4097 bytes = %v, want ErrOpen", err)
	}
	if _, err := secretbox.New(&remote{wrapped: make([]byte, 4097)}).Seal(t.Context(), at, nil); err == nil {
		t.Error("Seal with a wrapped key of 4097 bytes = nil, want an error")
	}
}

func TestManyAtOnce(t *testing.T) {
	b, _ := box(t, key(1))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 50 {
				secret := fmt.Sprint(i, n)
				sealed, err := b.Seal(t.Context(), at, []byte(secret))
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := b.Open(t.Context(), at, sealed); err != nil || string(got) != secret {
					t.Errorf("Open = %q, %v, want %q", got, err, secret)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzOpen(f *testing.F) {
	b, _ := box(f, key(1), key(2))
	good := kept(f) // each fuzzing process must know the same one
	f.Add(good)
	f.Add(good[:67])
	f.Add([]byte{})
	f.Add(append(bytes.Clone(good[:5]), 0xff, 0xff))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		id, idErr := secretbox.KeyOf(sealed)
		secret, err := b.Open(t.Context(), at, sealed)
		if (err == nil) != bytes.Equal(sealed, good) {
			t.Errorf("Open = %q, %v", secret, err)
		}
		moved, err := b.Rewrap(t.Context(), at, sealed)
		if err == nil && (len(sealed) < 67 || !bytes.Equal(sealed[:67], good[:67]) || !bytes.Equal(moved, sealed)) {
			t.Errorf("Rewrap = %x, nil", moved)
		}
		if idErr == nil && !bytes.Equal(id[:], sealed[1:5]) {
			t.Errorf("KeyOf = %s", id)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	bx, _ := box(b, key(1))
	secret := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bx.Seal(b.Context(), at, secret); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	bx, _ := box(b, key(1))
	sealed := seal(b, bx, strings.Repeat("x", 200))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bx.Open(b.Context(), at, sealed); err != nil {
			b.Fatal(err)
		}
	}
}
