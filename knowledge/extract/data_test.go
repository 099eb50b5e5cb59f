package extract

import (
	"errors"
	"strings"
	"testing"
)

func TestData(t *testing.T) {
	for _, tt := range []struct{ name, file, in, want string }{
		{"commas", "a.csv", "Plan,Price\nFree,0\n\"Pro, yearly\",\"20 \"\"net\"\"\"\n", "table: Plan: Free; Price: 0\ntable: Plan: Pro, yearly; Price: 20 \"net\"\n"},
		{"semicolons with decimal commas", "a.csv", "Ware;Preis;Notiz\nTee;4,50;frisch, grün\nKaffee;3,20;\n", "table: Ware: Tee; Preis: 4,50; Notiz: frisch, grün\ntable: Ware: Kaffee; Preis: 3,20\n"},
		{"tabs", "a.tsv", "Plan\tPrice\nFree\t0\n", "table: Plan: Free; Price: 0\n"},
		{"bars", "a.csv", "Plan|Price\nFree|0\nPro|2\n", "table: Plan: Free; Price: 0\ntable: Plan: Pro; Price: 2\n"},
		{"sep", "a.csv", "sep=;\r\nPlan;Price\r\nFree, really;0\r\n", "table: Plan: Free, really; Price: 0\n"},
		{"ragged", "a.csv", "Plan,Price\nFree\nPro,20,extra\n\n,\nTeam,\"a\nb\"\n", "table: Plan: Free\ntable: Plan: Pro; Price: 20; extra\ntable: Plan: Team; Price: a b\n"},
		{"no header", "a.csv", "2026-01-01,12\n2026-01-02,13\n", "table: 2026-01-01 | 12\ntable: 2026-01-02 | 13\n"},
		{"one row", "a.csv", "a,b\n", "table: a | b\n"},
		{"lines above the header", "a.csv", "Price list,,\nValid in 2026,,\n,,\nPlan,Price,Note\nFree,0,\nPro,20,new\n", "heading 1: Price list\nparagraph: Valid in 2026\ntable: Plan: Free; Price: 0\ntable: Plan: Pro; Price: 20; Note: new\n"},
		{"one column", "a.csv", "Names\nAda\nBob\n", "table: Names\ntable: Ada\ntable: Bob\n"},
		{"one column of numbers", "a.csv", "Prices\n12\n13\n", "table: Prices: 12\ntable: Prices: 13\n"},
		{"many lines, then a table", "a.csv", "a\nb\nc\nd\ne\nf\ng\nPlan,Price\nFree,0\n", "table: a\ntable: b\ntable: c\ntable: d\ntable: e\ntable: f\ntable: g\ntable: Plan | Price\ntable: Free | 0\n"},
		{"lines above rows without a header", "a.csv", "Log,\n1,2\n3,4\n", "table: Log\ntable: 1 | 2\ntable: 3 | 4\n"},
		{"byte order mark", "a.csv", "\ufeffPlan,Price\nFree,0\n", "table: Plan: Free; Price: 0\n"},
		{"objects", "a.json", `[{"q":"When?","a":"At nine.","tags":["x","y"],"n":{"k":1}},{"q":"Where?","a":null,"ok":true}]`,
			"table: q: When?⏎a: At nine.⏎tags: x, y⏎n.k: 1\ntable: q: Where?⏎ok: true\n"},
		{"members", "a.json", `{"title":"Shop","plans":[{"name":"Free","prices":[{"eur":0}]}],"hours":{"mon":"9-18","sat":{"from":10}},"big":12345678901234567890}`,
			"table: title: Shop\nheading 2: plans\ntable: name: Free⏎prices[0].eur: 0\ntable: hours.mon: 9-18⏎hours.sat.from: 10\ntable: big: 12345678901234567890\n"},
		{"a value", "a.json", `"hello"`, "table: hello\n"},
		{"lines", "a.jsonl", "{\"q\":\"When?\"}\n\n{\"q\":\"Where?\",\"a\":[{\"b\":1}]}\n", "table: q: When?\ntable: q: Where?\nheading 2: a\ntable: b: 1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := read(t, tt.file, []byte(tt.in), nil)
			if got := outline(r); err != nil || got != tt.want {
				t.Errorf("%s %q becomes\n%s%v\nwant\n%s", tt.file, tt.in, got, err, tt.want)
			}
		})
	}
	for _, tt := range []struct{ file, in, want string }{
		{"a.json", `{"a":`, "not JSON"},
		{"a.json", `{} {}`, "JSONL"},
		{"a.json", strings.Repeat("[", 1000), "nested more than"},
		{"a.json", "", "not JSON"},
		{"a.jsonl", "{}\n{\"a\"\n", "line 2"},
	} {
		if _, err := read(t, tt.file, []byte(tt.in), nil); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %.20q: %v, want ErrDamaged with %q", tt.file, tt.in, err, tt.want)
		}
	}
}
