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
		{"a second table of another width", "a.csv", "Plan,Price\nFree,0\n\nName,Street,Town\nMain,High St 1,York\n", "table: Plan: Free; Price: 0\ntable: Name: Main; Street: High St 1; Town: York\n"},
		{"a second table with a caption", "a.csv", "Plan,Term\r\nFree,none\r\n\r\nShops\r\nName,Town,Street\r\nMain,York,High St\r\n", "table: Plan: Free; Term: none\nheading 1: Shops\ntable: Name: Main; Town: York; Street: High St\n"},
		{"a caption over what may have names or not", "a.csv", "Plan,Term\nFree,none\n\nPaid\nPro,a month\nTeam,a year\n\nShop,Town,Open\nMain,York,daily\n", "table: Plan: Free; Term: none\nheading 1: Paid\ntable: Pro | a month\ntable: Team | a year\ntable: Shop | Town | Open\ntable: Main | York | daily\n"},
		{"a caption over rows of the table above", "a.csv", "Plan,Price\nFree,0\n\nPaid\nPro,20\nTeam,40\n", "table: Plan: Free; Price: 0\ntable: Plan: Paid\ntable: Plan: Pro; Price: 20\ntable: Plan: Team; Price: 40\n"},
		{"a second table of a name more", "a.csv", "Plan,Price\nFree,0\n,\nPlan,Seats\nFree,1\nPro,9\n", "table: Plan: Free; Price: 0\ntable: Plan: Free; Seats: 1\ntable: Plan: Pro; Seats: 9\n"},
		{"a second table of numbers", "a.csv", "Plan,Price\nFree,0\n\nTown,Shops\nYork,2\n", "table: Plan: Free; Price: 0\ntable: Town: York; Shops: 2\n"},
		{"three tables", "a.csv", "A,B\nx,1\n\nC,D\ny,2\n\nE,F\nz,3\n", "table: A: x; B: 1\ntable: C: y; D: 2\ntable: E: z; F: 3\n"},
		{"rows in groups", "a.csv", "Plan,Term\nPro,a month\n\nTeam,a year\nBasic,none\n\nFree,\n\nOld,none\n\nLast,a week\n",
			"table: Plan: Pro; Term: a month\ntable: Plan: Team; Term: a year\ntable: Plan: Basic; Term: none\ntable: Plan: Free\ntable: Plan: Old; Term: none\ntable: Plan: Last; Term: a week\n"},
		{"rows in groups, some cells empty", "a.csv", "Plan,Price,Term\nPro,20,a month\n\nTeam,,a year\nBasic,10,none\n", "table: Plan: Pro; Price: 20; Term: a month\ntable: Plan: Team; Term: a year\ntable: Plan: Basic; Price: 10; Term: none\n"},
		{"a sum under an empty line", "a.csv", "Plan,Price\nFree,0\nPro,20\n\nSum,20\n", "table: Plan: Free; Price: 0\ntable: Plan: Pro; Price: 20\ntable: Plan: Sum; Price: 20\n"},
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
