package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// settled is what serve is told by flags, given the environment and files there are.
func settled(t testing.TB, args ...string) (serving, error) {
	t.Helper()
	given := &call{}
	err := serveCommand.parse(given, append([]string{"--data", "d"}, args...))
	return given.serving, err
}

func config(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "desk.json")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestSettingsByDefault(t *testing.T) {
	got, err := settled(t)
	want := serving{
		addr: "127.0.0.1:8080", maxStreams: 10_000, indexMemory: 512 << 20, drainTimeout: 10 * time.Second,
		logLevel: slog.LevelInfo, migrate: store.MigrateAuto,
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("settings = %+v, %v, want %+v", got, err, want)
	}
}

// A flag goes before the environment, that before the file, and that before what
// holds by default.
func TestPrecedence(t *testing.T) {
	file := config(t, `{"max_streams": 3, "log_level": "error", "dev": true, "drain_timeout": "3s"}`)
	t.Setenv("ANSWERDESK_CONFIG", file)
	t.Setenv("ANSWERDESK_MAX_STREAMS", "2")
	t.Setenv("ANSWERDESK_DEV", "")
	t.Setenv("ANSWERDESK_LOG_LEVEL", "warn")
	got, err := settled(t, "--max-streams", "1")
	if err != nil {
		t.Fatal(err)
	}
	if got.maxStreams != 1 || got.logLevel != slog.LevelWarn || !got.dev || got.drainTimeout != 3*time.Second || got.addr != "127.0.0.1:8080" {
		t.Errorf("settings = %+v, want 1 stream by flag, warn by environment, dev and 3s by file", got)
	}
	if got, err := settled(t, "--dev=false"); err != nil || got.dev || got.maxStreams != 2 {
		t.Errorf("settings = %+v, %v, want no dev by flag, 2 streams by environment", got, err)
	}
	if got, err := settled(t, "--config", config(t, `{}`)); err != nil || got.dev || got.drainTimeout != 10*time.Second {
		t.Errorf("settings = %+v, %v, want nothing of the other file", got, err)
	}
}

// Each setting can be given in each way.
func TestWays(t *testing.T) {
	want := serving{
		addr: "[::1]:0", dev: true, basePath: "/support", publicURL: "https://desk.example.com",
		allowedOrigins: []string{"https://example.com", "https://*.example.com"}, maxStreams: 5, indexMemory: 64 << 20,
		allowNetworks: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("fd00:1234::/32")},
		staleness:     5 * time.Second, drainTimeout: time.Minute, logLevel: slog.LevelDebug, migrate: store.MigrateCheck,
	}
	values := map[string]string{
		"addr": "[::1]:0", "dev": "true", "base-path": "/support/", "public-url": "https://desk.example.com/",
		"allowed-origins": "https://example.com, https://*.example.com", "max-streams": "5", "index-memory": "64MiB", "staleness": "5s",
		"allow-networks": "10.20.0.0/16, fd00:1234::1/32",
		"drain-timeout":  "1m", "log-level": "debug", "migrate": "check",
		"model": "openai:small", "model-url": "http://localhost:11434/v1", "model-key-file": "key", "model-price": "0.25/2", // see TestModelSettings
	}
	fields := []string{`"allowed_origins": ["https://example.com", "https://*.example.com"], "allow_networks": ["10.20.0.0/16", "fd00:1234::/32"], "max_streams": 5, "dev": true`}
	var flags []string
	for _, s := range serveSettings {
		v, ok := values[s.name]
		if !ok && s.name != "store" && s.name != "data" && s.name != "config" {
			t.Errorf("this test lacks %s", s.name)
		}
		if ok {
			flags = append(flags, "--"+s.name+"="+v)
		}
		if ok && !slices.Contains([]string{"allowed-origins", "allow-networks", "max-streams", "dev"}, s.name) {
			fields = append(fields, fmt.Sprintf("%q: %q", s.field(), v))
		}
	}
	if got, err := settled(t, flags...); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("by flags = %+v, %v, want %+v", got, err, want)
	}
	if got, err := settled(t, "--config", config(t, "{"+strings.Join(fields, ", ")+"}")); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("by file = %+v, %v, want %+v", got, err, want)
	}
	for name, v := range values {
		t.Setenv(setting{name: name}.variable(), v)
	}
	if got, err := settled(t); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("by environment = %+v, %v, want %+v", got, err, want)
	}
}

// The folder of the desk may be said in each way as well.
func TestDataFromFile(t *testing.T) {
	var given call
	if err := serveCommand.parse(&given, []string{"--config", config(t, `{"data": "there"}`)}); err != nil || given.store.folder != "there" {
		t.Errorf("store = %q, %v, want there", given.store, err)
	}
}

// What cannot be taken is refused with the name of the setting and where it was
// said.
func TestBadSettings(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"addr", "8080", `"8080" is not of the form HOST:PORT`},
		{"addr", "localhost:http", `"localhost:http" has no port`},
		{"addr", ":65536", `":65536" has no port`},
		{"addr", ":-1", `":-1" has no port`},
		{"dev", "maybe", `"maybe" is neither true nor false`},
		{"base-path", "support", `must begin with "/"`},
		{"base-path", "/a/../b", "plain path"},
		{"base-path", "//a", "plain path"},
		{"base-path", "/a b", "plain path"},
		{"base-path", "/a?b", "plain path"},
		{"base-path", "/a%20b", "plain path"},
		{"base-path", "/a+b", "plain path"},
		{"base-path", "/.", "plain path"},
		{"public-url", "desk.example.com", "must be an address such as https://desk.example.com"},
		{"public-url", "ftp://desk.example.com", "must be an address"},
		{"public-url", "https://ann:pw@desk.example.com", "must be an address"},
		{"public-url", "https://desk.example.com/?q", "must be an address"},
		{"public-url", "https://", "must be an address"},
		{"allowed-origins", "example.com", `"example.com" is no origin`},
		{"allowed-origins", "https://example.com/app", "is no origin"},
		{"allowed-origins", "https://example.com,", `"" is no origin`},
		{"allowed-origins", "https://*.*.example.com", "is no origin"},
		{"allow-networks", "10.0.0.1", "is no range of addresses"},
		{"allow-networks", "10.0.0.0/8,,", `"" is no range`},
		{"allow-networks", "::ffff:10.0.0.0/104", "is no range of addresses"},
		{"max-streams", "0", `"0" is no whole number from 1 to`},
		{"max-streams", "-1", "is no whole number"},
		{"max-streams", "4294967296", "is no whole number"},
		{"max-streams", "many", "is no whole number"},
		{"index-memory", "0", `"0" is no size`},
		{"index-memory", "much", "is no size"},
		{"index-memory", "9999999999GiB", "is no size"},
		{"index-memory", "-1MiB", "is no size"},
		{"staleness", "2m", `"2m" is longer than 1m`},
		{"staleness", "-1s", "is no duration"},
		{"drain-timeout", "10", `"10" is no duration`},
		{"drain-timeout", "0s", "must be more than 0"},
		{"drain-timeout", "-1s", "is no duration"},
		{"log-level", "loud", `"loud" is none of debug, info, warn and error`},
		{"log-level", "info+1", "is none of debug"},
		{"migrate", "never", `"never" is none of auto, check and off`},
	} {
		s := setting{name: test.name}
		t.Run(test.name+" "+test.value, func(t *testing.T) {
			if _, err := settled(t, "--"+test.name+"="+test.value); err == nil || !strings.HasPrefix(err.Error(), "--"+test.name+": ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("as a flag: %v, want %s", err, test.want)
			}
			file := config(t, fmt.Sprintf(`{%q: %q}`, s.field(), test.value))
			if _, err := settled(t, "--config", file); err == nil || !strings.HasPrefix(err.Error(), s.field()+" in "+file+": ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("in a file: %v, want %s", err, test.want)
			}
			t.Setenv(s.variable(), test.value)
			if _, err := settled(t); err == nil || !strings.HasPrefix(err.Error(), s.variable()+": ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("in the environment: %v, want %s", err, test.want)
			}
		})
	}
}

func TestBadConfig(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"unknown field", `{"adr": ":80"}`, `"adr" is no setting`},
		{"the name of a flag", `{"max-streams": 5}`, `"max-streams" is no setting`},
		{"itself", `{"config": "other.json"}`, `"config" is no setting`},
		{"twice", `{"dev": false, "dev": true}`, "dev is there twice"},
		{"null", `{"dev": null}`, "dev: must be a string"},
		{"an object", `{"dev": {}}`, "dev: must be a string"},
		{"a list of numbers", `{"allowed_origins": [1]}`, "allowed_origins: must be a list of strings"},
		{"no object", `[]`, "must be a JSON object"},
		{"empty", ``, "must be a JSON object"},
		{"two", `{} {}`, "has something behind the object"},
		{"half", `{"dev": true`, "EOF"},
		{"no JSON", `{"dev": yes}`, "invalid character"},
		{"too large", `{"addr": "` + strings.Repeat(" ", maxConfig) + `"}`, "is larger than the 1048576 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := config(t, test.text)
			if _, err := settled(t, "--config", file); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("settings = %v, want %s and %s", err, file, test.want)
			}
		})
	}
	none := filepath.Join(t.TempDir(), "none.json")
	program(t, "serve", "--data", "d", "--config", none).want(t, 2, "answerdesk serve: open "+none)
	program(t, "serve", "--data", "d", "--config", t.TempDir()).want(t, 2, "is no file")
}

func FuzzConfig(f *testing.F) {
	for _, text := range []string{`{}`, `{"dev": true, "max_streams": 1e9}`, `{"allowed_origins": ["a", "b"]}`, `{"dev": [`, `{"a": 1}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		values, err := parseConfig(b, serveSettings)
		if err == nil {
			for field := range values {
				if !slices.ContainsFunc(serveSettings, func(s setting) bool { return s.field() == field }) {
					t.Errorf("parseConfig(%q) has %q, which is no setting", b, field)
				}
			}
		}
	})
}

// docs/settings.md has the table of settings as it is in the program.
func TestSettingsPage(t *testing.T) {
	page, err := os.ReadFile(filepath.FromSlash("../../docs/settings.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("| flag | variable | field | by default | what it is |\n|---|---|---|---|---|\n")
	for _, s := range serveSettings {
		field, initial := "", "none"
		if s.inFile() {
			field = "`" + s.field() + "`"
		}
		switch {
		case s.initial != "":
			initial = "`" + s.initial + "`"
		case s.required != "":
			initial = "must be given"
		case s.set == nil && s.name == dataSetting.name:
			initial = "as `--store`"
		case s.value == "":
			initial = "off"
		}
		fmt.Fprintf(&want, "| `%s` | `%s` | %s | %s | %s |\n", s.usage(), s.variable(), field, initial, s.about)
	}
	if !strings.Contains(string(page), want.String()) {
		t.Errorf("docs/settings.md lacks the table\n%s", want.String())
	}
}
