package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// serving is what may be chosen about serve.
type serving struct {
	addr           string
	dev            bool
	basePath       string
	publicURL      string
	allowedOrigins []string
	allowNetworks  []netip.Prefix
	maxStreams     int
	indexMemory    int64
	staleness      time.Duration
	drainTimeout   time.Duration
	logLevel       slog.Level
	migrate        store.Migrate
}

// serveSettings are the table of settings, in the order of the help and of
// docs/settings.md.
var serveSettings = []setting{
	storeSetting, dataSetting,
	{
		name: "addr", value: "HOST:PORT", shared: true, initial: "127.0.0.1:8080",
		about: "where to listen; without a host on all addresses, and with port 0 on a free one",
		set:   func(given *call, s string) error { given.serving.addr = s; return checkAddr(s) },
	},
	devSetting,
	{
		name: "base-path", value: "PATH", shared: true,
		about: "the path that all routes are under, such as /support",
		set: func(given *call, s string) (err error) {
			given.serving.basePath, err = readBasePath(s)
			return err
		},
	},
	{
		name: "public-url", value: "URL", shared: true,
		about: "the address at which callers reach the server, without the base path; told in /openapi.yaml",
		set: func(given *call, s string) (err error) {
			given.serving.publicURL, err = readPublicURL(s)
			return err
		},
	},
	{
		name: "allowed-origins", value: "LIST", shared: true,
		about: "the origins whose pages may call the server from a browser, such as https://example.com,https://*.example.com",
		set: func(given *call, s string) (err error) {
			given.serving.allowedOrigins, err = readOrigins(s)
			return err
		},
	},
	modelSetting, modelURLSetting, modelKeySetting, modelPriceSetting,
	networksSetting,
	{
		name: "max-streams", value: "N", shared: true, initial: "10000",
		about: "how many streams of events may be open at once",
		set: func(given *call, s string) error {
			n, err := strconv.ParseUint(s, 10, 31)
			if err != nil || n == 0 {
				return fmt.Errorf("%q is no whole number from 1 to %d", s, math.MaxInt32)
			}
			given.serving.maxStreams = int(n)
			return nil
		},
	},
	{
		name: "index-memory", value: "SIZE", shared: true, initial: "512MiB",
		about: "how much memory the indexes of all companies may take together",
		set:   func(given *call, s string) (err error) { given.serving.indexMemory, err = readSize(s); return err },
	},
	{
		name: "staleness", value: "DURATION", shared: true, initial: "0s",
		about: "how old the knowledge may be that an answer is made from, up to 1m; with 0s every answer knows all that was written before it",
		set: func(given *call, s string) (err error) {
			given.serving.staleness, err = readDuration(s)
			if err == nil && given.serving.staleness > knowledge.MaxStaleness {
				err = fmt.Errorf("%q is longer than 1m", s)
			}
			return err
		},
	},
	{
		name: "drain-timeout", value: "DURATION", shared: true, initial: "10s",
		about: "how long replies that are being made may go on after an interrupt",
		set: func(given *call, s string) (err error) {
			given.serving.drainTimeout, err = readDuration(s)
			if err == nil && given.serving.drainTimeout == 0 {
				err = errors.New("must be more than 0")
			}
			return err
		},
	},
	{
		name: "log-level", value: "LEVEL", shared: true, initial: "info",
		about: "what is logged: debug, info, warn or error, and what is worse",
		set: func(given *call, s string) error {
			if strings.ContainsAny(s, "+-") || given.serving.logLevel.UnmarshalText([]byte(s)) != nil {
				return fmt.Errorf("%q is none of debug, info, warn and error", s)
			}
			return nil
		},
	},
	{
		name: "migrate", value: "MODE", shared: true, initial: string(store.MigrateAuto),
		about: "what to do with data of an older version: auto brings it up to date, check refuses it, off does not look",
		set: func(given *call, s string) error {
			given.serving.migrate = store.Migrate(s)
			switch given.serving.migrate {
			case store.MigrateAuto, store.MigrateCheck, store.MigrateOff:
				return nil
			}
			return fmt.Errorf("%q is none of auto, check and off", s)
		},
	},
	configSetting,
}

func checkAddr(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not of the form HOST:PORT", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q has no port from 0 to 65535", s)
	}
	return nil
}

func readBool(s string) (bool, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, fmt.Errorf("%q is neither true nor false", s)
	}
	return b, nil
}

// plainPath is what server.Options takes as its BasePath.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)

func readBasePath(s string) (string, error) {
	s = strings.TrimRight(s, "/")
	if !plainPath.MatchString(s) || s != "" && path.Clean(s) != s {
		return "", fmt.Errorf(`%q must begin with "/" and be a plain path, such as /support`, s)
	}
	return s, nil
}

func readPublicURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.ContainsAny(s, "?#") {
		return "", errors.New("must be an address such as https://desk.example.com, without user, query and fragment")
	}
	return strings.TrimRight(s, "/"), nil
}

func readOrigins(s string) ([]string, error) {
	var origins []string
	for o := range strings.SplitSeq(s, ",") {
		o = strings.TrimSpace(o)
		u, err := url.Parse(strings.Replace(o, "*", "any", 1))
		if o != "*" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Scheme+"://"+u.Host != u.String() || strings.Contains(u.Host, "*")) {
			return nil, fmt.Errorf("%q is no origin such as https://example.com or https://*.example.com", o)
		}
		origins = append(origins, o)
	}
	return origins, nil
}

// sizes are the units of a size.
var sizes = []struct {
	unit  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"", 1}}

// readSize reads a number of bytes such as 512MiB.
func readSize(s string) (int64, error) {
	for _, u := range sizes {
		digits, ok := strings.CutSuffix(s, u.unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n <= 0 || n > math.MaxInt64/u.bytes {
			break
		}
		return n * u.bytes, nil
	}
	return 0, fmt.Errorf("%q is no size such as 512MiB, 2GiB or 1000000", s)
}

// readDuration reads a duration as Go writes it, or a number of days.
func readDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration such as 30s, 24h or 7d", s)
	}
	return d, nil
}
