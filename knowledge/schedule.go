package knowledge

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// leastInterval is how often a source may be read by itself.
const leastInterval = 5 * time.Minute

// CheckSchedule returns an [InvalidError] for a schedule that says no time. It is
// "never" or "", or "hourly", "daily", "weekly" or "monthly", which count from the
// last run on, or a cron expression of five fields (minute, hour, day of the month,
// month, day of the week), in UTC or in the zone that is named before it:
// "CRON_TZ=Asia/Kuwait 30 3 * * *".
func CheckSchedule(schedule string) error {
	switch schedule {
	case "", "never", "hourly", "daily", "weekly", "monthly":
		return nil
	}
	times, err := parseCron(schedule)
	if err != nil {
		return invalid("schedule", "%q is none: use never, hourly, daily, weekly, monthly or a cron expression of five fields such as \"30 3 * * *\": %s",
			clip(schedule, 64), strings.TrimPrefix(err.Error(), "provided "))
	}
	at := times.Next(time.Now())
	if at.IsZero() {
		return invalid("schedule", "%q names a time that never comes", clip(schedule, 64))
	}
	for range 20 { // an expression may have its times close together now and then
		next := times.Next(at)
		if next.IsZero() {
			break // not for years
		}
		if next.Sub(at) < leastInterval {
			return invalid("schedule", "%q is more often than every %v", clip(schedule, 64), leastInterval)
		}
		at = next
	}
	return nil
}

// parseCron reads a cron expression.
func parseCron(schedule string) (s cron.Schedule, err error) {
	if len(schedule) > 200 {
		return nil, fmt.Errorf("it is longer than 200 bytes")
	}
	if strings.Contains(schedule, "@") {
		return nil, fmt.Errorf("descriptors that begin with @ are not read")
	}
	if !strings.HasPrefix(schedule, "CRON_TZ=") && !strings.HasPrefix(schedule, "TZ=") {
		schedule = "CRON_TZ=UTC " + schedule
	}
	defer func() { // the library slices a zone without an expression behind it
		if recover() != nil {
			err = fmt.Errorf("an expression must follow the zone")
		}
	}()
	return cron.ParseStandard(schedule)
}

// nextRun returns when a source of a schedule, which has begun to be read at from,
// is to be read again; zero for never.
func nextRun(schedule string, from time.Time) time.Time {
	var next time.Time
	switch schedule {
	case "", "never":
		return time.Time{}
	case "hourly":
		next = from.Add(time.Hour)
	case "daily":
		next = from.AddDate(0, 0, 1)
	case "weekly":
		next = from.AddDate(0, 0, 7)
	case "monthly":
		next = from.AddDate(0, 1, 0)
	default:
		times, err := parseCron(schedule)
		if err != nil {
			return time.Time{} // it was checked when it was stored
		}
		next = times.Next(from)
	}
	return next.UTC().Truncate(time.Microsecond)
}
