package knowledge

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCheckSchedule(t *testing.T) {
	for _, good := range []string{
		"", "never", "hourly", "daily", "weekly", "monthly", "30 3 * * *", "*/5 * * * *", "0 9-17 * * MON-FRI", "CRON_TZ=Asia/Kuwait 30 3 * * *",
		"TZ=Europe/Berlin 0 0 1 1 *", "0 0 29 2 *",
	} {
		if err := CheckSchedule(good); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
	for bad, why := range map[string]string{
		"sometimes": "expected exactly 5 fields", "* * * * *": "more often than", "0,1 3 * * *": "more often than", "@every 1s": "begin with @",
		"CRON_TZ=Atlantis 0 0 * * *": "bad location", "CRON_TZ=UTC": "must follow the zone", "CRON_TZ=UTC @daily": "begin with @",
		"0 0 31 2 *": "never comes", "61 * * * *": "above maximum", "0 0 * * * *": "exactly 5 fields", strings.Repeat("1,", 200) + "1 * * * *": "longer than",
		"DAILY": "exactly 5 fields",
	} {
		err := CheckSchedule(bad)
		if e, ok := errors.AsType[*InvalidError](err); !ok || e.Field != "schedule" || !strings.Contains(err.Error(), why) {
			t.Errorf("%q gives %v, want an error about the schedule that says %q", bad, err, why)
		}
	}
}

func TestNextRun(t *testing.T) {
	from := time.Date(2026, 11, 22, 10, 20, 30, 5000, time.UTC)
	for schedule, want := range map[string]time.Time{
		"": {}, "never": {}, "what": {},
		"hourly":                         from.Add(time.Hour),
		"daily":                          from.Add(24 * time.Hour),
		"weekly":                         from.Add(7 * 24 * time.Hour),
		"monthly":                        time.Date(2026, 12, 22, 10, 20, 30, 5000, time.UTC),
		"30 3 * * *":                     time.Date(2026, 11, 23, 3, 30, 0, 0, time.UTC),
		"CRON_TZ=Asia/Kuwait 30 3 * * *": time.Date(2026, 11, 23, 0, 30, 0, 0, time.UTC),
	} {
		if got := nextRun(schedule, from); !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("after %v, %q comes at %v, want %v", from, schedule, got, want)
		}
	}
}

func FuzzSchedule(f *testing.F) {
	for _, s := range []string{"30 3 * * *", "CRON_TZ=Asia/Kuwait */7 1-5/2 ? JAN,FEB MON", "TZ=", "CRON_TZ= ", "@every 1h", "0 0 29 2 *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckSchedule(s) != nil {
			return
		}
		now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
		if next := nextRun(s, now); !next.IsZero() && !next.After(now) {
			t.Fatalf("%q comes at %v, not after %v", s, next, now)
		}
	})
}
