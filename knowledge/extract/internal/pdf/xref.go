package pdf

import (
	"bytes"
	"maps"
)

// readXref reads the tables that say where the objects are, from the newest to
// the oldest, and reports whether they could be read.
func (f *File) readXref() bool {
	f.entries, f.trailer = map[int]entry{}, nil
	tail := f.data[max(0, len(f.data)-2048):]
	i := bytes.LastIndex(tail, []byte("startxref"))
	if i < 0 {
		return false
	}
	next, ok := f.lexer(tail, i+len("startxref")).value(0).(int)
	seen := map[int]bool{}
	for ok && !seen[next] && len(seen) < 1<<12 {
		seen[next] = true
		if next < 0 || next >= len(f.data) {
			return false
		}
		d := f.xrefSection(next)
		if d == nil {
			return false
		}
		if f.trailer == nil {
			f.trailer = maps.Clone(d)
		}
		if hybrid, isInt := d["XRefStm"].(int); isInt && !seen[hybrid] && hybrid > 0 && hybrid < len(f.data) {
			seen[hybrid] = true
			f.xrefSection(hybrid)
		}
		next, ok = d["Prev"].(int)
	}
	return f.trailer != nil
}

// xrefSection reads one table, and returns its trailer.
func (f *File) xrefSection(offset int) dict {
	l := f.lexer(f.data, offset)
	if l.value(0) != operator("xref") {
		return f.xrefStream(offset)
	}
	for {
		first := l.value(0)
		if first == operator("trailer") {
			d, _ := l.value(0).(dict)
			return d
		}
		num, ok1 := first.(int)
		n, ok2 := l.value(0).(int)
		if !ok1 || !ok2 {
			return nil
		}
		for i := range n {
			off, ok1 := l.value(0).(int)
			gen, ok2 := l.value(0).(int)
			op, ok3 := l.value(0).(operator)
			if !ok1 || !ok2 || !ok3 {
				return nil
			}
			if op == "n" {
				f.enter(num+i, entry{offset: off, gen: gen})
			} else {
				f.enter(num+i, entry{offset: -1})
			}
		}
	}
}

// enter notes where an object is, unless a newer table has said so.
func (f *File) enter(num int, e entry) {
	if _, ok := f.entries[num]; ok || num < 0 {
		return
	}
	if len(f.entries) >= maxObjects {
		panic(failure{errTooMany})
	}
	f.entries[num] = e
}

var errTooMany = damaged("more than %d objects", maxObjects).err

// xrefStream reads a table that is packed in a stream, and returns its dictionary.
func (f *File) xrefStream(offset int) dict {
	s, ok := f.objectAt(offset, -1).(*stream)
	if !ok || s.dict["Type"] != name("XRef") {
		return nil
	}
	data := f.decode(&stream{dict: s.dict, raw: s.raw}, maxStream) // never encrypted
	var w [3]int
	for i, v := range f.array(s.dict["W"]) {
		if n, ok := v.(int); ok && i < 3 && n >= 0 && n <= 8 {
			w[i] = n
		}
	}
	size := w[0] + w[1] + w[2]
	if size == 0 {
		return nil
	}
	index := f.array(s.dict["Index"])
	if len(index) < 2 {
		index = array{0, f.int(s.dict["Size"])}
	}
	for ; len(index) >= 2; index = index[2:] {
		num, n := f.int(index[0]), f.int(index[1])
		for i := 0; i < n && len(data) >= size; i++ {
			f.spend(1)
			kind := 1
			if w[0] > 0 {
				kind = bigEndian(data[:w[0]])
			}
			a, b := bigEndian(data[w[0]:w[0]+w[1]]), bigEndian(data[w[0]+w[1]:size])
			data = data[size:]
			switch kind {
			case 0:
				f.enter(num+i, entry{offset: -1})
			case 1:
				f.enter(num+i, entry{offset: a, gen: b})
			case 2:
				if a > 0 {
					f.enter(num+i, entry{offset: b, stream: a})
				}
			}
		}
	}
	return s.dict
}

func bigEndian(b []byte) int {
	n := 0
	for _, c := range b {
		n = n<<8 | int(c)
	}
	return n
}

// rebuild finds the objects of a file whose tables are broken, by where "obj"
// stands.
func (f *File) rebuild() {
	encrypt, id := f.trailer["Encrypt"], f.trailer["ID"]
	f.entries, f.trailer = map[int]entry{}, dict{}
	clear(f.cache)
	clear(f.packed)
	f.spend(len(f.data) / 16)
	found := map[int]entry{}
	for pos := 0; ; {
		i := bytes.Index(f.data[pos:], []byte("obj"))
		if i < 0 {
			break
		}
		at := pos + i
		pos = at + 3
		if at >= 3 && string(f.data[at-3:at]) == "end" {
			continue
		}
		if num, gen, begin, ok := f.header(at); ok {
			if len(found) >= maxObjects {
				panic(failure{errTooMany})
			}
			found[num] = entry{offset: begin, gen: gen} // the last is the newest
		}
	}
	f.entries = found
	for pos := 0; ; {
		i := bytes.Index(f.data[pos:], []byte("trailer"))
		if i < 0 {
			break
		}
		pos += i + len("trailer")
		if d, ok := f.lexer(f.data, pos).value(0).(dict); ok {
			maps.Copy(f.trailer, d)
		}
	}
	packed := map[int]entry{}
	for num := range found {
		v := f.object(num)
		d := f.dict(v)
		switch d["Type"] {
		case name("XRef"):
			for _, key := range []name{"Root", "Info", "Encrypt", "ID"} {
				if d[key] != nil && f.trailer[key] == nil {
					f.trailer[key] = d[key]
				}
			}
		case name("Catalog"):
			if f.root() == nil {
				f.trailer["Root"] = ref{num: num}
			}
		case name("ObjStm"):
			if f.trailer["Encrypt"] != nil && f.crypt == nil {
				continue
			}
			if o := f.objectStream(num); o != nil {
				for i, n := range o.nums {
					if _, ok := found[n]; !ok && len(packed) < maxObjects {
						packed[n] = entry{offset: i, stream: num}
					}
				}
			}
		}
	}
	maps.Copy(f.entries, packed)
	clear(f.cache)
	if f.trailer["Encrypt"] == nil && encrypt != nil {
		f.trailer["Encrypt"], f.trailer["ID"] = encrypt, id
	}
	if f.root() == nil {
		for num := range packed {
			if f.dict(f.object(num))["Type"] == name("Catalog") {
				f.trailer["Root"] = ref{num: num}
			}
		}
	}
}

// header reads the two numbers before an "obj" that stands at an offset.
func (f *File) header(at int) (num, gen, begin int, ok bool) {
	i := at
	read := func() (n int, ok bool) {
		for i > 0 && isSpace(f.data[i-1]) && at-i < 40 {
			i--
		}
		for scale := 1; i > 0 && f.data[i-1] >= '0' && f.data[i-1] <= '9' && scale < 1e9; scale *= 10 {
			i--
			n += int(f.data[i]-'0') * scale
			ok = true
		}
		return n, ok
	}
	gen, ok1 := read()
	before := i
	num, ok2 := read()
	return num, gen, i, ok1 && ok2 && i < before-1
}
