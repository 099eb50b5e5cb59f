package extract

import (
	"encoding/xml"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// A cellFormat is how a number is shown: as a date, as a share of a hundred,
// with a unit. The zero value is General.
type cellFormat struct {
	date, clock    bool
	percent        bool
	decimals       int // 0 with fixed false: as many as there are
	fixed          bool
	prefix, suffix string
}

// builtinFormats are the numbers of formats that no workbook spells out
// (ECMA-376 part 1, 18.8.30).
var builtinFormats = map[int]string{
	1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%",
	14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm", 19: "h:mm:ss", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm",
	37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss",
}

func (b *workbook) readStyles(part string) error {
	x, err := b.a.open(part)
	if errors.Is(err, errNoPart) {
		return nil
	}
	if err != nil {
		return err
	}
	defer x.Close()
	codes := map[int]string{}
	cells := false
	for tok := x.next(); tok != nil; tok = x.next() {
		switch tok := tok.(type) {
		case xml.StartElement:
			switch tok.Name.Local {
			case "numFmt":
				codes[number(attr(tok, "numFmtId"))] = attr(tok, "formatCode")
			case "cellXfs":
				cells = true
			case "xf":
				if !cells || len(b.formats) >= 1<<16 {
					continue
				}
				id := number(attr(tok, "numFmtId"))
				code, ok := codes[id]
				if !ok {
					code = builtinFormats[id]
				}
				b.formats = append(b.formats, parseFormat(code))
			}
		case xml.EndElement:
			if tok.Name.Local == "cellXfs" {
				cells = false
			}
		}
	}
	return x.err
}

// parseFormat reads the first section of a format code, that of positive numbers.
func parseFormat(code string) cellFormat {
	var f cellFormat
	if code == "" || strings.EqualFold(code, "general") {
		return f
	}
	digits, point := false, false
	literal := func(s string) {
		if digits {
			f.suffix += s
		} else {
			f.prefix += s
		}
	}
	for i := 0; i < len(code) && code[i] != ';'; {
		c := code[i]
		i++
		switch c {
		case '"':
			end := strings.IndexByte(code[i:], '"')
			if end < 0 {
				end = len(code) - i
			}
			literal(code[i : i+end])
			i = min(i+end+1, len(code))
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				return cellFormat{}
			}
			inner := code[i : i+end]
			i += end + 1
			if symbol, ok := strings.CutPrefix(inner, "$"); ok {
				symbol, _, _ = strings.Cut(symbol, "-")
				literal(symbol)
			} else if l := strings.ToLower(inner); l == "h" || l == "hh" || l == "m" || l == "mm" || l == "s" || l == "ss" {
				f.clock = true
			}
		case '\\', '_', '*':
			_, n := firstRune(code[i:])
			if c == '\\' {
				literal(code[i : i+n])
			}
			i += n
		case '0', '#', '?':
			digits, f.fixed = true, true
			if point && c == '0' {
				f.decimals++
			}
		case '.':
			point = true
		case '%':
			f.percent = true
		case 'y', 'Y', 'd', 'D':
			f.date = true
		case 'h', 'H', 's', 'S':
			f.clock = true
		case 'm', 'M':
			if !f.clock && !strings.ContainsAny(code[i:], "sS") {
				f.date = true
			}
		case 'E', 'e', '/':
			if digits {
				return cellFormat{}
			}
		case '$':
			literal("$")
		case '@', ',', ' ', '-', '+', '(', ')', ':', 'A', 'P', 'a', 'p':
		default:
			if c >= 0x80 {
				_, n := firstRune(code[i-1:])
				literal(code[i-1 : i-1+n])
				i += n - 1
			}
		}
	}
	f.decimals = min(f.decimals, 10)
	if f.date || f.clock {
		f.prefix, f.suffix = "", ""
	}
	return f
}

func firstRune(s string) (rune, int) {
	for i, r := range s {
		return r, i + len(string(r))
	}
	return 0, 0
}

// apply writes a number. Those of no format have at most 15 digits, as the
// programs show them: more is the noise of binary fractions.
func (f cellFormat) apply(v float64, from1904 bool) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	if f.date || f.clock {
		if s, ok := f.time(v, from1904); ok {
			return s
		}
	}
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	if f.percent {
		v *= 100
	}
	var s string
	if f.fixed && v < 1e15 && !(f.percent && f.decimals == 0) {
		s = strconv.FormatFloat(v, 'f', f.decimals, 64)
		if f.decimals == 0 && v != math.Trunc(v) {
			s = general(v) // what is cut off by the look alone is kept
		}
	} else {
		s = general(v)
	}
	if f.percent {
		s += "%"
	}
	prefix, suffix := strings.TrimSpace(f.prefix), strings.TrimSpace(f.suffix)
	if suffix != "" {
		suffix = " " + suffix
	}
	return sign + prefix + s + suffix
}

func general(v float64) string {
	s := strconv.FormatFloat(v, 'g', 15, 64)
	if p, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(p) < 1e15 && (p == 0 || math.Abs(p) > 1e-6) {
		return strconv.FormatFloat(p, 'f', -1, 64)
	}
	return s
}

// time writes the number of a day, and of its part, as ISO 8601 does. Day 60 of
// those counted from 1900 is the 29th of February that this year did not have.
func (f cellFormat) time(v float64, from1904 bool) (string, bool) {
	if v < 0 || v >= 2958466 { // the year 10000
		return "", false
	}
	begin := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if from1904 {
		begin = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	} else if f.date && v < 61 && v >= 1 {
		v++
	}
	days, part := math.Modf(v)
	seconds := int(math.Round(part * 86400))
	t := begin.AddDate(0, 0, int(days)).Add(time.Duration(seconds) * time.Second)
	layout := "15:04"
	if t.Second() != 0 {
		layout = "15:04:05"
	}
	switch {
	case f.date && !f.clock:
		layout = time.DateOnly
	case f.date:
		layout = time.DateOnly + " " + layout
	case days > 0:
		return strconv.Itoa(int(days)*24+seconds/3600) + t.Format(layout)[2:], true // hours that go on
	}
	return t.Format(layout), true
}
