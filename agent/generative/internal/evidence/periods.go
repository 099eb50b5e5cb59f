package evidence

import (
	"slices"
	"strings"
)

// periods are the words for how often, or for how long, by the unit of time.
var periods = map[string]string{}

// fillPeriods is called once units are there.
func fillPeriods() {
	for w, class := range units {
		switch class {
		case "hour", "day", "week", "month", "year":
			periods[w] = class
		}
	}
	for class, words := range map[string]string{
		"hour": "hourly stündlich 每小时 毎時", "day": "daily täglich quotidien diario 每天 每日 毎日", "week": "weekly wöchentlich hebdomadaire semanal 每周 每星期 毎週",
		"month": "monthly monatlich monatliche mensuel mensual 每月 每个月 毎月", "year": "yearly annual annually jährlich annuel anual 每年 毎年",
	} {
		for w := range strings.FieldsSeq(words) {
			periods[w] = class
		}
	}
	for _, w := range []string{"h", "an", "ora", "ore", "dia", "ano", "عام"} { // other words too
		delete(periods, w)
	}
}

// periodsOf returns the units of time that a text in lower case speaks of.
func periodsOf(lower string) (out []string) {
	for word := range fields(lower) {
		if class := periods[word]; class != "" {
			out = append(out, class)
		}
	}
	for _, start := range []string{"每", "毎"} {
		for rest := lower; ; {
			_, after, ok := strings.Cut(rest, start)
			if !ok {
				break
			}
			for n := min(len(after), 6); n > 0; n-- {
				if class := periods[start+after[:n]]; class != "" {
					out = append(out, class)
					break
				}
			}
			rest = after
		}
	}
	return out
}

// offBeat reports whether two texts speak of units of time, and of none that is the
// same.
func offBeat(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	return !slices.ContainsFunc(a, func(class string) bool { return slices.Contains(b, class) })
}
