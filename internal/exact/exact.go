// Package exact reads JSON without losing digits of its numbers.
package exact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// ErrRange is what [Value] returns of a number whose size no float64 has, such as
// 1e400.
var ErrRange = errors.New("a number is out of range")

// plenty is how many digits any float64 keeps (DBL_DIG of C).
const plenty = 15

// Value reads one JSON value as [json.Unmarshal] reads it into an any, but for the
// numbers that a float64 would change, such as 9007199254740993: these are a
// [json.Number], as they are written.
func Value(data []byte) (v any, err error) {
	if !mayLose(data) {
		if err := json.Unmarshal(data, &v); err != nil {
			return nil, rangeOr(err)
		}
		return v, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something stands behind the value")
	}
	return settle(v)
}

// Object reads a JSON object as [Value] does: nil of null.
func Object(data []byte) (map[string]any, error) {
	v, err := Value(data)
	if err != nil || v == nil {
		return nil, err
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("it is no object")
	}
	return o, nil
}

// rangeOr tells a number that is out of range from other errors.
func rangeOr(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && strings.HasPrefix(e.Value, "number") {
		return ErrRange
	}
	return err
}

// mayLose reports whether data may have a number that a float64 would change: one of
// many digits, or one that is near to nothing. It is right of most texts without any.
func mayLose(data []byte) bool {
	run := 0
	for i, c := range data {
		switch {
		case '0' <= c && c <= '9', c == '.' && run > 0:
			if run++; run > plenty {
				return true
			}
		case (c == 'e' || c == 'E') && run > 0 && i+1 < len(data) && data[i+1] == '-':
			return true
		default:
			run = 0
		}
	}
	return false
}

// settle makes float64 of the numbers in a value that lose nothing by it.
func settle(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil || math.IsInf(f, 0) {
			return nil, ErrRange
		}
		if decimal(v.String()) == decimal(strconv.FormatFloat(f, 'e', -1, 64)) {
			return f, nil
		}
	case []any:
		for i, e := range v {
			if v[i], err = settle(e); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for name, e := range v {
			if v[name], err = settle(e); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// A written number is 0.DIGITS times ten to the power of exp, without zeros around
// the digits.
type written struct {
	negative bool
	digits   string
	exp      int
}

// decimal takes a number in JSON's grammar apart.
func decimal(s string) (w written) {
	s, w.negative = strings.CutPrefix(s, "-")
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := whole + fraction
	w.digits = strings.TrimLeft(all, "0")
	w.exp = len(whole) - (len(all) - len(w.digits))
	if w.digits = strings.TrimRight(w.digits, "0"); w.digits == "" {
		return written{negative: w.negative}
	}
	if exponent != "" {
		n, err := strconv.Atoi(exponent)
		if err != nil {
			n = math.MinInt32 // nothing that a float64 has
		}
		w.exp += n
	}
	return w
}
