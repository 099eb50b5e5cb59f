package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
)

// ErrTooLarge means that an event, or a single line, has more bytes than
// [ReaderOptions.MaxEvent].
var ErrTooLarge = errors.New("sse: the event is larger than the reader's limit")

// ReaderOptions are what may be set about a [Reader].
type ReaderOptions struct {
	// MaxEvent bounds the bytes of an event as it is sent, and so the memory
	// that a Reader takes to about twice that. 0 means 4 MiB.
	MaxEvent int

	// OnComment is called, within Next, with the text of each comment that is
	// read: a server sends them so that its clients see that it is still there.
	OnComment func(text string)
}

// A Reader reads the events of a stream. It is not safe for use by several
// goroutines at once.
type Reader struct {
	in     io.Reader
	opts   ReaderOptions
	failed error  // of in, or what Next returned to end with
	buf    []byte // what was read and not yet used is buf[start:end]
	start  int
	end    int
	past   bool // the byte order mark, if there was one
	cr     bool // the line before ended with CR: an LF that follows belongs to it

	// Of the event that is being read, as the standard names them.
	data   []byte // each line with an LF
	kind   string // the event type buffer
	same   string // the last one named, which is often that of the next event too
	id     string // the last event id buffer, kept from event to event
	last   string // the last event id: what id was when the last block ended
	retry  time.Duration
	size   int  // bytes of its lines
	inside bool // a field of it was read
}

// NewReader returns a Reader of the events in r. A nil opts means the defaults
// written on [ReaderOptions].
func NewReader(r io.Reader, opts *ReaderOptions) *Reader {
	var o ReaderOptions
	if opts != nil {
		o = *opts
	}
	if o.MaxEvent <= 0 {
		o.MaxEvent = 4 << 20
	}
	return &Reader{in: r, opts: o, buf: make([]byte, min(4096, o.MaxEvent+1))}
}

// LastEventID returns the id to send as Last-Event-ID when the stream is to be
// taken up again. It may be newer than that of the last event that Next
// returned, since the standard has blocks with an id but no data.
func (r *Reader) LastEventID() string { return r.last }

// Next returns the next event. It returns [io.EOF] when the stream ends between
// events, [io.ErrUnexpectedEOF] when it ends inside one or inside a line, an
// error that wraps [ErrTooLarge] at an event that is too large, and otherwise
// the error of the reader below. After an error it returns the same one again.
func (r *Reader) Next() (Event, error) {
	for {
		line, err := r.line()
		if err != nil {
			r.failed, r.start, r.end = err, 0, 0
			return Event{}, err
		}
		switch {
		case len(line) > 0 && line[0] == ':':
			if r.opts.OnComment != nil {
				r.opts.OnComment(string(bytes.TrimPrefix(line[1:], space)))
			}
		case len(line) > 0:
			if r.size += len(line) + 1; r.size > r.opts.MaxEvent {
				r.failed, r.start, r.end = r.tooLarge(), 0, 0
				return Event{}, r.failed
			}
			r.field(line)
		default:
			if ev, ok := r.dispatch(); ok {
				return ev, nil
			}
		}
	}
}

var (
	space = []byte(" ")
	mark  = []byte("\xEF\xBB\xBF") // the byte order mark that a stream may begin with
)

// field takes in a line that is neither empty nor a comment.
func (r *Reader) field(line []byte) {
	r.inside = true
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, space)
	switch string(name) {
	case "data":
		r.data = append(append(r.data, value...), '\n')
	case "event":
		if string(value) != r.same {
			r.same = string(value)
		}
		r.kind = r.same
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			r.id = string(value)
		}
	case "retry":
		if ms, ok := milliseconds(value); ok {
			r.retry = ms
		}
	}
}

// milliseconds reads ASCII digits. What no [time.Duration] can hold is passed
// over, as what is no number is.
func milliseconds(value []byte) (time.Duration, bool) {
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || n > math.MaxInt64/int64(time.Millisecond) {
		return 0, false
	}
	return time.Duration(n) * time.Millisecond, true
}

// dispatch ends a block of lines, which makes an event if it has data.
func (r *Reader) dispatch() (Event, bool) {
	r.last = r.id
	ev := Event{ID: r.last, Type: r.kind, Retry: r.retry}
	r.kind, r.size, r.inside = "", 0, false
	if len(r.data) == 0 {
		return Event{}, false
	}
	ev.Data = string(r.data[:len(r.data)-1])
	r.data, r.retry = r.data[:0], 0
	return ev, true
}

// line returns the next line without its end, valid until the next call. A line
// that ends with CR is returned before the byte that follows is waited for.
func (r *Reader) line() ([]byte, error) {
	for seen := 0; ; {
		if r.cr && r.start < r.end {
			r.cr = false
			if r.buf[r.start] == '\n' {
				r.start++
			}
		}
		if i := lineEnd(r.buf[r.start+seen:r.end], bytes.IndexByte); i >= 0 {
			line := r.buf[r.start : r.start+seen+i]
			r.start += len(line) + 1
			r.cr = r.buf[r.start-1] == '\r'
			return r.unmarked(line), nil
		}
		seen = r.end - r.start
		if seen > r.opts.MaxEvent {
			return nil, r.tooLarge()
		}
		if r.failed != nil {
			return nil, r.ending()
		}
		r.fill()
	}
}

// lineEnd returns the index of the first CR or LF in s, or -1.
func lineEnd[T string | []byte](s T, index func(T, byte) int) int {
	lf := index(s, '\n')
	if lf >= 0 {
		s = s[:lf]
	}
	if cr := index(s, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

// unmarked takes the byte order mark off the stream's first line.
func (r *Reader) unmarked(line []byte) []byte {
	if r.past {
		return line
	}
	r.past = true
	return bytes.TrimPrefix(line, mark)
}

// ending returns what to end with when nothing more can be read.
func (r *Reader) ending() error {
	err := r.failed
	if err == io.EOF && (r.inside || len(r.unmarked(r.buf[r.start:r.end])) > 0) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *Reader) tooLarge() error {
	return fmt.Errorf("%w of %d bytes", ErrTooLarge, r.opts.MaxEvent)
}

// fill reads more into the buffer, which it makes larger if it must.
func (r *Reader) fill() {
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buf) {
		larger := make([]byte, min(2*len(r.buf), r.opts.MaxEvent+1))
		copy(larger, r.buf)
		r.buf = larger
	}
	for range 100 {
		n, err := r.in.Read(r.buf[r.end:])
		r.end += n
		r.failed = err
		if n > 0 || err != nil {
			return
		}
	}
	r.failed = io.ErrNoProgress
}
