package exact_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/exact"
)

func TestValue(t *testing.T) {
	for in, want := range map[string]any{
		`0`: 0.0, `-1`: -1.0, `10.0`: 10.0, `1e2`: 100.0, `0.1`: 0.1, `1E-7`: 1e-7, `100000000000000000000`: 1e20,
		`9007199254740992`: 9007199254740992.0, `9007199254740993`: json.Number("9007199254740993"),
		`-123456789012345678901234567890`:   json.Number("-123456789012345678901234567890"),
		`0.1000000000000000000000000000001`: json.Number("0.1000000000000000000000000000001"),
		`9007199254740993.0`:                json.Number("9007199254740993.0"),
		`1e-400`:                            json.Number("1e-400"), `1e-99999999999999999999`: json.Number("1e-99999999999999999999"), `0e-400`: 0.0,
		`4.9406564584124654e-324`: json.Number("4.9406564584124654e-324"), `5e-324`: 5e-324,
		`"9007199254740993"`: "9007199254740993", `null`: nil,
		`{"a":[9007199254740993,1,{"b":1.5}]}`: map[string]any{"a": []any{json.Number("9007199254740993"), 1.0, map[string]any{"b": 1.5}}},
	} {
		if got, err := exact.Value([]byte(in)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Value(%s) = %#v, %v, want %#v", in, got, err, want)
		}
	}
	for _, in := range []string{`1e400`, `-1e400`, `[1,1e400]`, `[9007199254740993,1e999999999999999999999]`, `{"a":1e400,"b":1e-9}`} {
		if got, err := exact.Value([]byte(in)); !errors.Is(err, exact.ErrRange) {
			t.Errorf("Value(%s) = %v, %v, want %v", in, got, err, exact.ErrRange)
		}
	}
	for _, in := range []string{``, `{`, `1 2`, `9007199254740993 2`, `01`} {
		if got, err := exact.Value([]byte(in)); err == nil || errors.Is(err, exact.ErrRange) {
			t.Errorf("Value(%q) = %v, %v, want another error", in, got, err)
		}
	}
}

func TestObject(t *testing.T) {
	if got, err := exact.Object([]byte(`{"n":9007199254740993}`)); err != nil || got["n"] != json.Number("9007199254740993") {
		t.Errorf("Object = %v, %v", got, err)
	}
	if got, err := exact.Object([]byte(`null`)); err != nil || got != nil {
		t.Errorf("Object(null) = %v, %v, want nil", got, err)
	}
	if got, err := exact.Object([]byte(`[1]`)); err == nil {
		t.Errorf("Object([1]) = %v, want an error", got)
	}
}

// Whatever is written again is the number that was read.
func FuzzValue(f *testing.F) {
	for _, s := range []string{"1", "9007199254740993", "-0.00012345678901234567", "1e-400", "123456789012345678901234567890e-20", "1e23"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 200 || strings.ContainsAny(s, " \t\r\n") || !json.Valid([]byte(s)) || strings.ContainsAny(s, `"[{tfn`) {
			return
		}
		v, err := exact.Value([]byte(s))
		if err != nil {
			if !errors.Is(err, exact.ErrRange) {
				t.Fatalf("Value(%s) = error %v", s, err)
			}
			return
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if _, exponent, ok := strings.Cut(strings.ToLower(s), "e"); ok && len(strings.TrimLeft(exponent, "+-0")) > 3 {
			return // too much for the comparison
		}
		x, _ := new(big.Rat).SetString(s)
		y, _ := new(big.Rat).SetString(string(again))
		if x == nil || y == nil || x.Cmp(y) != 0 {
			t.Errorf("Value(%s) is written as %s", s, again)
		}
	})
}
