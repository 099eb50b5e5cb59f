package pdf

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"fmt"
	"io"
)

// decode unpacks a stream, up to limit bytes of it. What is broken at its end is
// left out; pictures unpack to nothing.
func (f *File) decode(s *stream, limit int) []byte {
	data := s.raw
	filters := f.list(s.dict["Filter"])
	params := f.list(s.dict["DecodeParms"])
	if f.crypt != nil && s.id.num > 0 && s.dict["Type"] != name("XRef") {
		data = f.crypt.stream(data, s.id)
		f.spend(len(data) / 64)
	}
	if len(filters) > 8 {
		return nil
	}
	for i, v := range filters {
		var p dict
		if i < len(params) {
			p = f.dict(params[i])
		}
		switch f.name(v) {
		case "FlateDecode", "Fl":
			data = predict(f, inflate(data, limit), p)
		case "LZWDecode", "LZW":
			early := 1
			if e, ok := p["EarlyChange"].(int); ok {
				early = e
			}
			data = predict(f, lzw(data, early, limit), p)
		case "ASCIIHexDecode", "AHx":
			l := lexer{data: data, spend: f.spend}
			data = []byte(l.hex())
		case "ASCII85Decode", "A85":
			data = ascii85(data)
		case "RunLengthDecode", "RL":
			data = runLength(data, limit)
		case "Crypt":
		default:
			return nil
		}
		f.spend(len(data) / 64)
		if f.inflated += len(data); f.inflated > maxInflated {
			panic(failure{fmt.Errorf("%w: it unpacks to more than %d bytes", ErrTooMuch, maxInflated)})
		}
	}
	return data
}

// list returns what may stand alone or in an array.
func (f *File) list(v any) array {
	switch v := f.resolve(v).(type) {
	case nil:
		return nil
	case array:
		return v
	default:
		return array{v}
	}
}

func inflate(data []byte, limit int) []byte {
	var out bytes.Buffer
	if z, err := zlib.NewReader(bytes.NewReader(data)); err == nil {
		io.Copy(&out, io.LimitReader(z, int64(limit))) //nolint:errcheck // what came before the damage is kept
	}
	if out.Len() == 0 && len(data) > 2 {
		io.Copy(&out, io.LimitReader(flate.NewReader(bytes.NewReader(data[2:])), int64(limit))) //nolint:errcheck // as above
	}
	return out.Bytes()
}

// lzw unpacks what compress/lzw does not: codes that grow one step early.
func lzw(data []byte, early, limit int) []byte {
	var out []byte
	var prefix [4096]int16
	var suffix [4096]byte
	var length [4096]int
	next, width, prev := 258, 9, -1
	bits, have := 0, 0
	for _, c := range data {
		bits, have = bits<<8|int(c), have+8
		if have < width {
			continue
		}
		code := bits >> (have - width)
		have -= width
		bits &= 1<<have - 1
		if code == 256 {
			next, width, prev = 258, 9, -1
			continue
		}
		if code == 257 || code > next || code == next && prev < 0 || len(out) > limit {
			break
		}
		n := 1
		if code > 257 && code < next {
			n = length[code]
		} else if code == next {
			n = 2
			if prev > 257 {
				n = length[prev] + 1
			}
		}
		at := len(out)
		out = append(out, make([]byte, n)...)
		walk, i := code, at+n-1
		if code == next {
			walk, i = prev, i-1
		}
		for ; walk > 257 && i > at; i-- {
			out[i], walk = suffix[walk], int(prefix[walk])
		}
		out[at] = byte(walk)
		if code == next {
			out[at+n-1] = out[at]
		}
		if prev >= 0 && next < 4096 {
			prefix[next], suffix[next], length[next] = int16(prev), out[at], 2
			if prev > 257 {
				length[next] = length[prev] + 1
			}
			next++
		}
		prev = code
		if next+early >= 1<<width && width < 12 {
			width++
		}
	}
	return out
}

func ascii85(data []byte) []byte {
	var out []byte
	var group [5]byte
	n := 0
	for _, c := range data {
		switch {
		case c == '~':
			data = nil
		case c == 'z' && n == 0:
			out = append(out, 0, 0, 0, 0)
		case c >= '!' && c <= 'u':
			group[n] = c - '!'
			if n++; n == 5 {
				out = append85(out, group, 4)
				n = 0
			}
		}
		if data == nil {
			break
		}
	}
	if n > 1 {
		for i := n; i < 5; i++ {
			group[i] = 84
		}
		out = append85(out, group, n-1)
	}
	return out
}

func append85(out []byte, group [5]byte, n int) []byte {
	var v uint32
	for _, d := range group {
		v = v*85 + uint32(d)
	}
	return append(out, []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}[:n]...)
}

func runLength(data []byte, limit int) []byte {
	var out []byte
	for len(data) > 1 && len(out) < limit {
		n := int(data[0])
		switch {
		case n == 128:
			return out
		case n < 128:
			n = min(n+1, len(data)-1)
			out = append(out, data[1:1+n]...)
			data = data[1+n:]
		default:
			out = append(out, bytes.Repeat(data[1:2], 257-n)...)
			data = data[2:]
		}
	}
	return out
}

// predict undoes that bytes were stored as differences from their neighbours
// (PNG's filters; TIFF's is for pictures).
func predict(f *File, data []byte, p dict) []byte {
	if f.int(p["Predictor"]) < 10 {
		return data
	}
	colors, bits, columns := max(f.int(p["Colors"]), 1), f.int(p["BitsPerComponent"]), max(f.int(p["Columns"]), 1)
	if bits == 0 {
		bits = 8
	}
	if colors > 32 || bits < 1 || bits > 16 || columns > 1<<20 {
		return nil
	}
	size := (colors*bits*columns + 7) / 8
	left := max(colors*bits/8, 1)
	out := make([]byte, 0, len(data))
	above := make([]byte, size)
	for len(data) > 1 {
		kind, n := data[0], min(size, len(data)-1)
		row := append([]byte(nil), data[1:1+n]...)
		data = data[1+n:]
		for i := range row {
			var a, c byte
			if i >= left {
				a, c = row[i-left], above[i-left]
			}
			switch b := above[i]; kind {
			case 1:
				row[i] += a
			case 2:
				row[i] += b
			case 3:
				row[i] += byte((int(a) + int(b)) / 2)
			case 4:
				row[i] += paeth(a, b, c)
			}
		}
		out = append(out, row...)
		copy(above, row)
	}
	return out
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(n int) int { return max(n, -n) }
