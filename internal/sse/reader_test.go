package sse_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/sse"
)

// read returns all events of r, and what ended them unless that is io.EOF.
func read(r *sse.Reader) ([]sse.Event, error) {
	var events []sse.Event
	for {
		ev, err := r.Next()
		if err == io.EOF {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, ev)
	}
}

func TestReader(t *testing.T) {
	tests := []struct {
		name, stream string
		want         []sse.Event
		err          error
	}{
		// The examples of the standard, section 9.2.6.
		{"standard: three lines", "data: YHOO\ndata: +2\ndata: 10\n\n", []sse.Event{{Data: "YHOO\n+2\n10"}}, nil},
		{"standard: four blocks",
			": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
			[]sse.Event{{ID: "1", Data: "first event"}, {Data: "second event"}, {Data: " third event"}}, nil},
		{"standard: empty data", "data\n\ndata\ndata\n\ndata:", []sse.Event{{Data: ""}, {Data: "\n"}}, io.ErrUnexpectedEOF},
		{"standard: one space is not data", "data:test\n\ndata: test\n\n", []sse.Event{{Data: "test"}, {Data: "test"}}, nil},
		{"standard: types", "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n",
			[]sse.Event{{Type: "add", Data: "73857293"}, {Type: "remove", Data: "2153"}}, nil},

		{"nothing", "", nil, nil},
		{"CR", "data: a\rdata: b\r\rdata: c\r\r", []sse.Event{{Data: "a\nb"}, {Data: "c"}}, nil},
		{"CRLF", "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", []sse.Event{{Data: "a\nb"}, {Data: "c"}}, nil},
		{"all ends of lines", "data: a\rdata: b\ndata: c\r\n\ndata: d\n\r", []sse.Event{{Data: "a\nb\nc"}, {Data: "d"}}, nil},
		{"byte order mark", "\xEF\xBB\xBFdata: a\n\n", []sse.Event{{Data: "a"}}, nil},
		{"byte order mark before a comment", "\xEF\xBB\xBF: hello\n", nil, nil},
		{"byte order mark alone", "\xEF\xBB\xBF", nil, nil},
		{"second byte order mark is a name", "\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\n", nil, nil},
		{"byte order mark later is a name", "\n\xEF\xBB\xBFdata: a\n\n", nil, nil},
		{"an id holds until the next", "id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n",
			[]sse.Event{{ID: "1", Data: "a"}, {ID: "1", Data: "b"}, {ID: "2", Data: "c"}}, nil},
		{"an id with NUL is none", "id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\n",
			[]sse.Event{{ID: "1", Data: "a"}, {ID: "1", Data: "b"}}, nil},
		{"a type does not hold", "event: x\ndata: a\n\nevent: y\n\ndata: b\n\n", []sse.Event{{Type: "x", Data: "a"}, {Data: "b"}}, nil},
		{"retry", "retry: 2500\ndata: a\n\ndata: b\n\n", []sse.Event{{Retry: 2500 * time.Millisecond, Data: "a"}, {Data: "b"}}, nil},
		{"retry without data", "retry: 10\n\ndata: a\n\n", []sse.Event{{Retry: 10 * time.Millisecond, Data: "a"}}, nil},
		{"retry of no digits", "retry: -1\nretry: 1.5\nretry: 1s\nretry: ١\nretry\nretry:  3\ndata: a\n\n", []sse.Event{{Data: "a"}}, nil},
		{"retry beyond a duration", "retry: 9223372036855\nretry: 99999999999999999999\ndata: a\n\n", []sse.Event{{Data: "a"}}, nil},
		{"longest retry", "retry: 9223372036854\ndata: a\n\n", []sse.Event{{Retry: 9223372036854 * time.Millisecond, Data: "a"}}, nil},
		{"names are exact", "Data: a\n data: b\ndata : c\ndatax: d\ndata: e\n\n", []sse.Event{{Data: "e"}}, nil},
		{"colons in values", "data: a: b:c\n\n", []sse.Event{{Data: "a: b:c"}}, nil},
		{"blank lines", "\n\n\ndata: a\n\n\n\n", []sse.Event{{Data: "a"}}, nil},
		{"comment within an event", "data: a\n: c\ndata: b\n\n", []sse.Event{{Data: "a\nb"}}, nil},
		{"bytes that are no UTF-8 are kept", "data: a\xff\n\n", []sse.Event{{Data: "a\xff"}}, nil},
		{"ends after a comment", "data: a\n\n: bye\n", []sse.Event{{Data: "a"}}, nil},
		{"cut in a comment", "data: a\n\n: by", []sse.Event{{Data: "a"}}, io.ErrUnexpectedEOF},
		{"cut in a name", "data: a\n\nda", []sse.Event{{Data: "a"}}, io.ErrUnexpectedEOF},
		{"cut before the blank line", "data: a\n\ndata: b\n", []sse.Event{{Data: "a"}}, io.ErrUnexpectedEOF},
		{"cut after an id", "id: 1\n", nil, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		for _, how := range []struct {
			name string
			cut  func(io.Reader) io.Reader
		}{
			{"whole", func(r io.Reader) io.Reader { return r }},
			{"byte by byte", iotest.OneByteReader},
			{"end with the last bytes", iotest.DataErrReader},
		} {
			t.Run(tt.name+"/"+how.name, func(t *testing.T) {
				r := sse.NewReader(how.cut(strings.NewReader(tt.stream)), nil)
				got, err := read(r)
				if !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) {
					t.Errorf("read(%q) = %+v, %v; want %+v, %v", tt.stream, got, err, tt.want, tt.err)
				}
				want := tt.err
				if want == nil {
					want = io.EOF
				}
				if ev, err := r.Next(); !errors.Is(err, want) || ev != (sse.Event{}) {
					t.Errorf("Next after the end = %+v, %v; want the error %v again", ev, err, want)
				}
			})
		}
	}
}

// An event ends with its blank line: nobody waits for the byte after it, even
// when that could be the LF of a CRLF.
func TestReaderDoesNotWait(t *testing.T) {
	for _, stream := range []string{"data: a\n\n", "data: a\r\r", "data: a\r\n\r\n", "data: a\r\n\r"} {
		in := io.MultiReader(strings.NewReader(stream), iotest.ErrReader(errors.New("waited for more")))
		if ev, err := sse.NewReader(in, nil).Next(); err != nil || ev.Data != "a" {
			t.Errorf("Next of %q = %+v, %v; want the event", stream, ev, err)
		}
	}
}

func TestLastEventID(t *testing.T) {
	r := sse.NewReader(strings.NewReader("id: 1\ndata: a\n\nid: 2\n\nid: 3\n"), nil)
	if _, err := r.Next(); err != nil || r.LastEventID() != "1" {
		t.Errorf("LastEventID after the first event = %q, %v; want 1", r.LastEventID(), err)
	}
	if _, err := r.Next(); !errors.Is(err, io.ErrUnexpectedEOF) || r.LastEventID() != "2" {
		t.Errorf("LastEventID at the end = %q, %v; want 2, of a block without data but not of one that was cut", r.LastEventID(), err)
	}
}

func TestOnComment(t *testing.T) {
	var got []string
	opts := &sse.ReaderOptions{OnComment: func(text string) { got = append(got, text) }}
	_, err := read(sse.NewReader(strings.NewReader(":\n:a\n: b\n:  c\ndata: d\n:e:f\n\n"), opts))
	if want := []string{"", "a", "b", " c", "e:f"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("comments = %q, %v; want %q", got, err, want)
	}
}

func TestReaderLimit(t *testing.T) {
	tests := []struct {
		name, stream string
		events       int
		large        bool
	}{
		{"as large as may be", "data: 3456789\ndata:\n\ndata: 3456789\ndata:\n\n", 2, false}, // 14 + 6 bytes
		{"one byte more", "data: 3456789\ndata: \n\n", 0, true},
		{"lines that mean nothing count", "x: 3456789\nx: 3456789\n\n", 0, true},
		{"a line without an end", "data: " + strings.Repeat("x", 1000), 0, true},
		{"a name without an end", strings.Repeat("x", 1000), 0, true},
		{"a comment without an end", ":" + strings.Repeat("x", 1000), 0, true},
		{"comments do not count together", strings.Repeat(": 3456789\n", 100), 0, false},
		{"nor blank lines", strings.Repeat("\n", 100), 0, false},
		{"nor events", strings.Repeat("data: 3456789\n\n", 100), 100, false},
	}
	for _, tt := range tests {
		r := sse.NewReader(strings.NewReader(tt.stream), &sse.ReaderOptions{MaxEvent: 20})
		events, err := read(r)
		if len(events) != tt.events || errors.Is(err, sse.ErrTooLarge) != tt.large || !tt.large && err != nil {
			t.Errorf("%s: %d events, %v; want %d, too large: %t", tt.name, len(events), err, tt.events, tt.large)
		}
		if _, again := r.Next(); tt.large && !errors.Is(again, sse.ErrTooLarge) {
			t.Errorf("%s: Next after %v = %v", tt.name, err, again)
		}
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	events, err := read(sse.NewReader(io.MultiReader(strings.NewReader("data: a\n\ndata: b"), iotest.ErrReader(broken)), nil))
	if len(events) != 1 || !errors.Is(err, broken) {
		t.Errorf("read = %v, %v; want one event and the error of the reader below", events, err)
	}
	if _, err := sse.NewReader(idle{}, nil).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("Next of a reader that never reads = %v, want %v", err, io.ErrNoProgress)
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

// pieces cuts reads into lengths that repeat.
type pieces struct {
	in   io.Reader
	cuts []byte
	n    int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.cuts) > 0 {
		b = b[:min(len(b), 1+int(p.cuts[p.n%len(p.cuts)]))]
		p.n++
	}
	return p.in.Read(b)
}

// plain is the standard's algorithm as it is written there, on the whole stream.
func plain(stream string) (events []sse.Event) {
	stream = strings.TrimPrefix(stream, "\uFEFF")
	lines := regexp.MustCompile("\r\n|\r|\n").Split(stream, -1)
	var data, kind, id string
	var retry time.Duration
	for _, line := range lines[:len(lines)-1] { // the last has no end
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if data != "" {
				events = append(events, sse.Event{ID: id, Type: kind, Data: strings.TrimSuffix(data, "\n"), Retry: retry})
				retry = 0
			}
			data, kind = "", ""
		case name == "data":
			data += value + "\n"
		case name == "event":
			kind = value
		case name == "id" && !strings.Contains(value, "\x00"):
			id = value
		case name == "retry" && regexp.MustCompile("^[0-9]+$").MatchString(value):
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n <= math.MaxInt64/1_000_000 {
				retry = time.Duration(n) * time.Millisecond
			}
		}
	}
	return events
}

// However the bytes are cut into reads, the events are those of the standard.
func FuzzReader(f *testing.F) {
	f.Add("\xEF\xBB\xBFid: 1\r\nevent: x\rdata: a\ndata:b\n\n: c\n\ndata\r\n\r\n", []byte{0, 3})
	f.Add("retry: 10\nretry: 99999999999999999999\n\ndata: a\n\nid:\x00\ndata", []byte{})
	f.Add(strings.Repeat("data: "+strings.Repeat("x", 1500)+"\n", 9)+"\r\n", []byte{255})
	f.Fuzz(func(t *testing.T, stream string, cuts []byte) {
		got, err := read(sse.NewReader(&pieces{in: strings.NewReader(stream), cuts: cuts}, nil))
		if want := plain(stream); !slices.Equal(got, want) {
			t.Errorf("read(%q) cut by %v = %+v, want %+v", stream, cuts, got, want)
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("read(%q) cut by %v ends with %v", stream, cuts, err)
		}

		const limit = 32
		small := sse.NewReader(&pieces{in: strings.NewReader(stream), cuts: cuts}, &sse.ReaderOptions{MaxEvent: limit})
		some, err := read(small)
		if !slices.Equal(some, got[:min(len(some), len(got))]) {
			t.Errorf("read(%q) of events up to %d bytes = %+v, want the first of %+v", stream, limit, some, got)
		}
		for _, ev := range some {
			if n := len(ev.Data); n > limit {
				t.Errorf("read(%q) of events up to %d bytes gave one with %d", stream, limit, n)
			}
		}
		if err == nil && len(some) != len(got) {
			t.Errorf("read(%q) of events up to %d bytes = %d events and no error, want %d", stream, limit, len(some), len(got))
		}
	})
}

func BenchmarkReader(b *testing.B) {
	for _, size := range []int{20, 1000, 100_000} {
		b.Run(fmt.Sprintf("data=%d", size), func(b *testing.B) {
			one := fmt.Sprintf("id: 123\nevent: text.delta\ndata: %s\n\n", strings.Repeat("x", size))
			r := sse.NewReader(&loop{of: one}, nil)
			b.SetBytes(int64(len(one)))
			b.ReportAllocs()
			for b.Loop() {
				if ev, err := r.Next(); err != nil || len(ev.Data) != size {
					b.Fatal(ev, err)
				}
			}
		})
	}
}

// A loop gives the same bytes again and again.
type loop struct {
	of string
	at int
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.of[l.at:])
	l.at = (l.at + n) % len(l.of)
	return n, nil
}
