package secretbox_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/secretbox"
)

// TestMain lets the test's own program be the other process of
// [TestProcessesAgreeOnOneKey]: it opens the keys and prints the first one's id.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SECRETBOX_TEST_DIR"); dir != "" {
		keys, err := secretbox.OpenKeys(dir, nil)
		if err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Stdout.WriteString(keys.First().String())
		os.Exit(0)
	}
	os.Unsetenv(secretbox.EnvName)
	os.Exit(m.Run())
}

func TestParseKeys(t *testing.T) {
	one, two := key(1), key(2)
	for _, tt := range []struct {
		list string
		want string // of the error
	}{
		{one, ""},
		{" " + one + " ,\n" + two + "\n", ""},
		{"", "master key 1 is not 32 bytes"},
		{one + ",", "master key 2 is not 32 bytes"},
		{"," + one, "master key 1 is not 32 bytes"},
		{one + "," + one, "master key 2 is in the list before"},
		{one + "," + two + ",hunter2", "master key 3 is not 32 bytes"},
		{base64.StdEncoding.EncodeToString(make([]byte, 31)), "master key 1 is not 32 bytes"},
		{base64.StdEncoding.EncodeToString(make([]byte, 33)), "master key 1 is not 32 bytes"},
		{one[:43], "master key 1 is not 32 bytes"},
		{one[:42] + "F=", "master key 1 is not 32 bytes"}, // bits that mean nothing
		{strings.Repeat("0f", 32), ""},
		{strings.Repeat("0F", 32) + "," + one, ""},
		{strings.Repeat("0", 63), "master key 1 is not 32 bytes"},
		{strings.Repeat("0g", 32), "master key 1 is not 32 bytes"},
		{strings.Repeat("01", 32) + "," + one, "master key 2 is in the list before"},
	} {
		keys, err := secretbox.ParseKeys(tt.list)
		if tt.want == "" {
			if err != nil {
				t.Errorf("ParseKeys(%q) = %v", tt.list, err)
			}
			continue
		}
		if keys != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseKeys(%q) = %v, want %q", tt.list, err, tt.want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), one)) {
			t.Errorf("error %q tells a key", err)
		}
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	_, k := box(t, key(1), key(2))
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("keys", "keys", k, "ring", secretbox.Keyring(k))
	raw, err := json.Marshal(map[string]any{"keys": k})
	if err != nil {
		t.Fatal(err)
	}
	ids := fmt.Sprint(k)
	if want := "master keys " + k.First().String() + ", "; !strings.HasPrefix(ids, want) {
		t.Errorf("String() = %q, want %q and another id", ids, want)
	}
	for _, got := range []string{fmt.Sprintf("%v", k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), k.String(), string(raw), log.String()} {
		if !strings.Contains(got, ids) {
			t.Errorf("printed %q, want the ids", got)
		}
		for _, b := range []byte{1, 2} {
			secret := bytes.Repeat([]byte{b}, 32)
			for _, form := range []string{key(b), hex.EncodeToString(secret), string(secret), fmt.Sprint(secret)} {
				if strings.Contains(got, form) {
					t.Errorf("printed %q, which holds a key", got)
				}
			}
		}
	}
}

func TestFirstKeySeals(t *testing.T) {
	_, a := box(t, key(1))
	_, b := box(t, key(2))
	_, ab := box(t, key(1), key(2))
	if a.First() == b.First() || ab.First() != a.First() {
		t.Errorf("first keys are %s, %s and %s of both", a.First(), b.First(), ab.First())
	}
}

func TestKeysOfTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(secretbox.EnvName, key(1)+","+key(2))
	keys, err := secretbox.OpenKeys(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, want := box(t, key(1)); keys.First() != want.First() {
		t.Errorf("first key = %s, want %s", keys.First(), want.First())
	}
	for bad, want := range map[string]string{"": " is set but empty", "hunter2": ": master key 1 is not 32 bytes"} {
		t.Setenv(secretbox.EnvName, bad)
		if _, err := secretbox.OpenKeys(dir, nil); err == nil || !strings.Contains(err.Error(), secretbox.EnvName+want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("with %q: OpenKeys = %v, want an error naming the variable only", bad, err)
		}
	}
	if names := list(t, dir); len(names) > 0 {
		t.Errorf("folder holds %v, want nothing", names)
	}
}

func TestKeyFileIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	var buf bytes.Buffer
	log := slog.New(slog.NewTextHandler(&buf, nil))
	first, err := secretbox.OpenKeys(dir, log)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, secretbox.FileName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if names := list(t, dir); len(names) != 1 || names[0] != secretbox.FileName {
		t.Errorf("folder holds %v, want %s alone", names, secretbox.FileName)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode = %v (%v), want 0600", info.Mode(), err)
	}
	if got := buf.String(); strings.Count(got, "level=WARN") != 1 || !strings.Contains(got, path) || strings.Contains(got, strings.TrimSpace(string(text))) {
		t.Errorf("log = %q, want one warning with the path and without the key", got)
	}

	buf.Reset()
	second, err := secretbox.OpenKeys(dir, log)
	if err != nil || second.First() != first.First() {
		t.Errorf("OpenKeys again = %v, %v, want the same key", second, err)
	}
	if buf.Len() > 0 {
		t.Errorf("log = %q, want nothing more", buf.String())
	}

	other, err := secretbox.OpenKeys(t.TempDir(), nil)
	if err != nil || other.First() == first.First() {
		t.Errorf("another folder has the same key, or %v", err)
	}

	rotated := key(7) + "," + string(text) // as the operator would write it
	if err := os.WriteFile(path, []byte(rotated), 0o600); err != nil {
		t.Fatal(err)
	}
	both, err := secretbox.OpenKeys(dir, nil)
	if err != nil || both.First() == first.First() || both.Check(first.First()) != nil {
		t.Errorf("OpenKeys of two keys = %v, %v", both, err)
	}
}

func TestKeyFileIsRefused(t *testing.T) {
	write := func(text string, mode fs.FileMode) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, mode); err != nil { // past the umask
				t.Fatal(err)
			}
		}
	}
	cases := map[string]struct {
		make func(*testing.T, string)
		want string
	}{
		"empty":    {write("", 0o600), "master key 1 is not 32 bytes"},
		"cut":      {write(key(1)[:20], 0o600), "master key 1 is not 32 bytes"},
		"too long": {write(key(1)+strings.Repeat(","+key(2), 2000), 0o600), "master key 3"},
		"folder": {func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "is not a file"},
	}
	if runtime.GOOS != "windows" {
		for name, mode := range map[string]fs.FileMode{"group": 0o640, "others": 0o604, "group may write": 0o620, "all": 0o666, "others may run": 0o601} {
			cases[name] = struct {
				make func(*testing.T, string)
				want string
			}{write(key(1), mode), "chmod 600"}
		}
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, secretbox.FileName)
			tt.make(t, path)
			before, _ := os.ReadFile(path)
			keys, err := secretbox.OpenKeys(dir, nil)
			if keys != nil || err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("OpenKeys = %v, want an error with %q and %s", err, tt.want, path)
			}
			if err != nil && strings.Contains(err.Error(), key(1)[:20]) {
				t.Errorf("error %q tells the key", err)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) || len(list(t, dir)) != 1 {
				t.Errorf("the folder was changed: %v", list(t, dir))
			}
		})
	}
	if _, err := secretbox.OpenKeys(filepath.Join(t.TempDir(), "missing"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenKeys in no folder = %v, want one that does not exist", err)
	}
}

func TestProcessesAgreeOnOneKey(t *testing.T) {
	for range 5 {
		dir := t.TempDir()
		var (
			wg  sync.WaitGroup
			mu  sync.Mutex
			ids = map[string]int{}
			buf bytes.Buffer
			log = slog.New(slog.NewTextHandler(&buf, nil))
		)
		add := func(id string) {
			mu.Lock()
			defer mu.Unlock()
			ids[id]++
		}
		for range 3 {
			wg.Go(func() {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), "SECRETBOX_TEST_DIR="+dir)
				out, err := cmd.Output()
				if err != nil {
					t.Errorf("process: %v", err)
				}
				add(string(out))
			})
		}
		for range 8 {
			wg.Go(func() {
				keys, err := secretbox.OpenKeys(dir, log)
				if err != nil {
					t.Error(err)
					return
				}
				add(keys.First().String())
			})
		}
		wg.Wait()
		if len(ids) != 1 {
			t.Errorf("keys in use: %v, want one", ids)
		}
		if made := strings.Count(buf.String(), "made a master key"); made > 1 {
			t.Errorf("%d made a key, want one at most", made)
		}
		if names := list(t, dir); len(names) != 1 {
			t.Errorf("folder holds %v, want %s alone", names, secretbox.FileName)
		}
	}
}

func list(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
