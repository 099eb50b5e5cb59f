package server

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// docs/serving.md has a row for every code, with its status, and for no other.
func TestCodesPage(t *testing.T) {
	page, err := os.ReadFile("../docs/serving.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[code]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([0-9]{3}) \\| ").FindAllStringSubmatch(string(page), -1) {
		rows[code(m[1])] = m[2]
	}
	for c, status := range codes {
		if rows[c] != strconv.Itoa(status) {
			t.Errorf("docs/serving.md says of %s %q, want %d", c, rows[c], status)
		}
		delete(rows, c)
	}
	for c := range rows {
		t.Errorf("docs/serving.md has %s, which is no code", c)
	}
}
