package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// canonical returns v as JSON in which the keys are sorted, and what is null,
// empty or absent is the same.
func canonical(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("unreadable %T: %v", v, err)
	}
	var tree any
	if err := json.Unmarshal(b, &tree); err != nil {
		return fmt.Sprintf("unreadable %T: %v", v, err)
	}
	b, err = json.Marshal(pruned(tree))
	if err != nil {
		return fmt.Sprintf("unreadable %T: %v", v, err)
	}
	return string(b)
}

// pruned returns a JSON tree without nulls and empty lists and objects.
func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			if e = pruned(e); e == nil {
				delete(v, key)
			} else {
				v[key] = e
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i, e := range v {
			v[i] = pruned(e)
		}
	}
	return v
}

// sameJSON fails the test unless got and want are the same JSON.
func sameJSON(t *testing.T, what string, got, want []byte) {
	t.Helper()
	same(t, what, json.RawMessage(got), json.RawMessage(want))
}

// apart cuts two texts down to where they begin to differ.
func apart(a, b string) (string, string) {
	const before, after = 160, 400
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	cut := func(s string) string {
		from, to := max(0, n-before), min(len(s), n+after)
		part := strings.ToValidUTF8(s[from:to], "")
		if from > 0 {
			part = "… " + part
		}
		if to < len(s) {
			part += " …"
		}
		return part
	}
	return cut(a), cut(b)
}
