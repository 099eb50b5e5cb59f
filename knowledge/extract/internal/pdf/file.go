package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// Errors that callers tell apart.
var (
	// ErrPassword is wrapped when a file opens with a password only.
	ErrPassword = errors.New("protected by a password")
	// ErrDamaged is wrapped when bytes are no PDF, or what is broken in it hides the rest.
	ErrDamaged = errors.New("damaged")
	// ErrTooMuch is wrapped when reading takes more steps or memory than the budget has.
	ErrTooMuch = errors.New("too much work")
)

const (
	maxObjects  = 1 << 20
	maxPages    = 20_000
	maxCached   = 1 << 12
	maxPacked   = 16 << 20 // bytes of streams of objects that are kept unpacked
	maxInflated = 1 << 30  // bytes of all streams
	maxStream   = 64 << 20 // bytes of one
	// maxSteps is how many values, operators and characters are read; a page of
	// dense text takes ten thousand.
	maxSteps = 400_000_000
)

// failure is what ends reading from deep inside; it never leaves the package.
type failure struct{ err error }

func damaged(format string, args ...any) failure {
	return failure{fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))}
}

// catch turns a failure into an error.
func catch(err *error) {
	switch x := recover().(type) {
	case nil:
	case failure:
		*err = x.err
	default:
		panic(x)
	}
}

// A File is a PDF that has been opened.
type File struct {
	ctx     context.Context
	data    []byte
	entries map[int]entry
	trailer dict
	crypt   *crypt
	pages   []page

	steps, inflated int
	cache           map[int]any
	busy            map[int]bool // objects being read
	packed          map[int]*objectStream
	packedBytes     int
	fonts           map[ref]*font
}

// An entry says where an object is.
type entry struct {
	offset int // in the file; in a stream of objects, its place there
	stream int // number of the stream of objects; 0: none
	gen    int
}

// Open reads where everything is. Data is kept, and must not change.
func Open(ctx context.Context, data []byte) (f *File, err error) {
	defer catch(&err)
	f = &File{ctx: ctx, data: data, cache: map[int]any{}, busy: map[int]bool{}, packed: map[int]*objectStream{}, fonts: map[ref]*font{}}
	if i := bytes.Index(data[:min(len(data), 1<<10)], []byte("%PDF-")); i > 0 {
		f.data = data[i:] // offsets count from there
	} else if i < 0 {
		return nil, damaged("it does not begin as PDF files do").err
	}
	if !f.readXref() || f.root() == nil {
		f.rebuild()
	}
	if f.trailer["Encrypt"] != nil {
		f.initCrypt()
	}
	f.readPages()
	if len(f.pages) == 0 {
		f.rebuild()
		f.readPages()
	}
	if len(f.pages) == 0 {
		return nil, damaged("it has no pages").err
	}
	return f, nil
}

// spend takes steps from the budget.
func (f *File) spend(n int) {
	before := f.steps
	f.steps += n
	if f.steps > maxSteps {
		panic(failure{fmt.Errorf("%w: more than %d steps", ErrTooMuch, maxSteps)})
	}
	if before>>16 != f.steps>>16 {
		if err := f.ctx.Err(); err != nil {
			panic(failure{err})
		}
	}
}

func (f *File) lexer(data []byte, pos int) *lexer {
	return &lexer{data: data, pos: max(0, min(pos, len(data))), spend: f.spend}
}

// root returns the catalog, or nil.
func (f *File) root() dict {
	d := f.dict(f.trailer["Root"])
	if d == nil || f.dict(d["Pages"]) == nil {
		return nil
	}
	return d
}

// resolve follows references.
func (f *File) resolve(v any) any {
	for range 16 {
		r, ok := v.(ref)
		if !ok {
			return v
		}
		v = f.object(r.num)
	}
	return nil
}

func (f *File) dict(v any) dict {
	switch v := f.resolve(v).(type) {
	case dict:
		return v
	case *stream:
		return v.dict
	}
	return nil
}

func (f *File) array(v any) array {
	a, _ := f.resolve(v).(array)
	return a
}

func (f *File) int(v any) int {
	switch v := f.resolve(v).(type) {
	case int:
		return v
	case float64:
		if v > -1e9 && v < 1e9 {
			return int(v)
		}
	}
	return 0
}

func (f *File) float(v any) float64 {
	switch v := f.resolve(v).(type) {
	case int:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

func (f *File) name(v any) name {
	n, _ := f.resolve(v).(name)
	return n
}

// object reads an object, or nil if there is none or it is being read already.
func (f *File) object(num int) any {
	if v, ok := f.cache[num]; ok {
		return v
	}
	e, ok := f.entries[num]
	if !ok || f.busy[num] || len(f.busy) > 64 {
		return nil
	}
	f.busy[num] = true
	defer delete(f.busy, num)
	var v any
	if e.stream > 0 {
		v = f.packedObject(e.stream, num, e.offset)
	} else {
		v = f.objectAt(e.offset, num)
	}
	if len(f.cache) >= maxCached {
		clear(f.cache)
	}
	f.cache[num] = v
	return v
}

// objectAt reads the object that stands at an offset; want is its number, or -1
// for any.
func (f *File) objectAt(offset, want int) any {
	if offset < 0 || offset >= len(f.data) {
		return nil
	}
	l := f.lexer(f.data, offset)
	num, ok1 := l.value(0).(int)
	gen, ok2 := l.value(0).(int)
	if l.value(0) != operator("obj") || !ok1 || !ok2 || want >= 0 && num != want {
		return nil
	}
	v := l.value(0)
	d, ok := v.(dict)
	if !ok {
		if n, isInt := v.(int); isInt { // may be a reference
			pos := l.pos
			if g, ok := l.value(0).(int); ok && l.value(0) == operator("R") {
				return ref{n, g}
			}
			l.pos = pos
		}
		return f.decrypted(v, ref{num, gen})
	}
	l.space()
	if !bytes.HasPrefix(l.data[l.pos:], []byte("stream")) {
		return f.decrypted(d, ref{num, gen})
	}
	l.pos += len("stream")
	if l.at(0) == '\r' {
		l.pos++
	}
	if l.at(0) == '\n' {
		l.pos++
	}
	begin, n := l.pos, f.int(d["Length"])
	stop := begin + n
	if n < 0 || stop > len(f.data) || !bytes.HasPrefix(bytes.TrimLeft(f.data[stop:min(stop+16, len(f.data))], "\r\n \t"), []byte("endstream")) {
		i := bytes.Index(f.data[begin:], []byte("endstream"))
		if i < 0 {
			i = len(f.data) - begin
		}
		f.spend(i / 64)
		stop = begin + i
	}
	return &stream{dict: f.decrypted(d, ref{num, gen}).(dict), raw: f.data[begin:stop], id: ref{num, gen}}
}

// An objectStream is objects that are packed together.
type objectStream struct {
	data  []byte
	nums  []int
	offs  []int
	first int
}

func (f *File) objectStream(num int) *objectStream {
	if s, ok := f.packed[num]; ok {
		return s
	}
	if f.entries[num].stream > 0 {
		return nil
	}
	s, ok := f.object(num).(*stream)
	if !ok {
		return nil
	}
	o := &objectStream{data: f.decode(s, maxStream), first: f.int(s.dict["First"])}
	l := f.lexer(o.data, 0)
	for range min(max(f.int(s.dict["N"]), 0), maxObjects) {
		n, ok1 := l.value(0).(int)
		off, ok2 := l.value(0).(int)
		if !ok1 || !ok2 {
			break
		}
		o.nums, o.offs = append(o.nums, n), append(o.offs, off)
	}
	if f.packedBytes += len(o.data); f.packedBytes > maxPacked {
		clear(f.packed)
		f.packedBytes = len(o.data)
	}
	f.packed[num] = o
	return o
}

func (f *File) packedObject(stream, num, index int) any {
	o := f.objectStream(stream)
	if o == nil {
		return nil
	}
	if index < 0 || index >= len(o.nums) || o.nums[index] != num {
		index = -1
		f.spend(len(o.nums) / 16)
		for i, n := range o.nums {
			if n == num {
				index = i
			}
		}
		if index < 0 {
			return nil
		}
	}
	l := f.lexer(o.data, o.first+o.offs[index])
	switch v := l.value(0).(type) {
	case end, closing, operator:
		return nil
	default:
		return v
	}
}
