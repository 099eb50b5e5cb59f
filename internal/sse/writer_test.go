package sse_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/sse"
)

func TestEvent(t *testing.T) {
	tests := []struct {
		ev   sse.Event
		want string // empty: refused
	}{
		{sse.Event{}, "data: \n\n"},
		{sse.Event{Data: "a"}, "data: a\n\n"},
		{sse.Event{ID: "7", Type: "text.delta", Data: `{"text":"a"}`, Retry: 3 * time.Second},
			"id: 7\nevent: text.delta\nretry: 3000\ndata: {\"text\":\"a\"}\n\n"},
		{sse.Event{Data: "a\nb\r\nc\rd\n"}, "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"},
		{sse.Event{Data: " a"}, "data:  a\n\n"},
		{sse.Event{ID: "1\n2"}, ""},
		{sse.Event{ID: "1\r2"}, ""},
		{sse.Event{ID: "1\x002"}, ""},
		{sse.Event{Type: "x\ny"}, ""},
		{sse.Event{Type: "x\ry"}, ""},
		{sse.Event{Retry: -time.Second}, ""},
		{sse.Event{Retry: time.Microsecond}, ""},
	}
	for _, tt := range tests {
		rec := httptest.NewRecorder()
		w := sse.NewWriter(rec)
		err := w.Event(tt.ev)
		if got := rec.Body.String(); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("Event(%+v) = %v and wrote %q, want %q", tt.ev, err, got, tt.want)
		}
		if err := w.Event(sse.Event{Data: "next"}); err != nil {
			t.Errorf("Event after Event(%+v) = %v, want nil", tt.ev, err)
		}
	}
}

func TestComment(t *testing.T) {
	rec := httptest.NewRecorder()
	if err := sse.NewWriter(rec).Comment("a\nb"); err != nil || rec.Body.String() != ": a\n: b\n\n" || !rec.Flushed {
		t.Errorf("Comment = %v and wrote %q, flushed: %t", err, rec.Body.String(), rec.Flushed)
	}
}

// A response records what is done to it, in time.
type response struct {
	*httptest.ResponseRecorder
	start     time.Time
	deadlines []time.Duration // since start; 0 is none
	flushed   int             // bytes of the body
	fail      error           // of the next write
	mu        sync.Mutex      // of the body
}

func respond() *response {
	return &response{ResponseRecorder: httptest.NewRecorder(), start: time.Now()}
}

func (r *response) Write(b []byte) (int, error) {
	if r.fail != nil {
		return len(b) / 2, r.fail
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ResponseRecorder.Write(b)
}

func (r *response) written() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Body.String()
}

func (r *response) FlushError() error {
	r.flushed = r.Body.Len()
	return nil
}

func (r *response) SetWriteDeadline(at time.Time) error {
	if at.IsZero() {
		r.deadlines = append(r.deadlines, 0)
	} else {
		r.deadlines = append(r.deadlines, at.Sub(r.start))
	}
	return nil
}

func TestEachWriteHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		res := respond()
		w := sse.NewWriter(res)
		stop := w.Heartbeat(0)
		w.Event(sse.Event{})
		time.Sleep(time.Minute)
		w.Comment("")
		time.Sleep(time.Minute)
		stop()
		want := []time.Duration{30 * time.Second, 0, 90 * time.Second, 0, 150 * time.Second}
		if len(res.deadlines) != len(want) {
			t.Fatalf("deadlines = %v, want %v", res.deadlines, want)
		}
		for i := range want {
			if res.deadlines[i] != want[i] {
				t.Errorf("deadlines = %v, want %v", res.deadlines, want)
			}
		}
		if res.flushed != res.Body.Len() {
			t.Errorf("%d of %d bytes are flushed", res.flushed, res.Body.Len())
		}

		res = respond()
		w = sse.NewWriter(res)
		w.Timeout = 0
		if w.Event(sse.Event{}); len(res.deadlines) != 0 {
			t.Errorf("deadlines without a timeout = %v, want none", res.deadlines)
		}
	})
}

// What was half written cannot be followed by anything.
func TestWriteThatFails(t *testing.T) {
	res := respond()
	w := sse.NewWriter(res)
	w.Event(sse.Event{Data: "a"})
	broken := errors.New("broken")
	res.fail = broken
	err := w.Event(sse.Event{Data: "b"})
	if !errors.Is(err, broken) {
		t.Fatalf("Event = %v, want %v", err, broken)
	}
	res.fail = nil
	if again := w.Event(sse.Event{Data: "c"}); !errors.Is(again, broken) {
		t.Errorf("Event after the failure = %v, want %v", again, err)
	}
	if again := w.Comment(""); !errors.Is(again, broken) {
		t.Errorf("Comment after the failure = %v, want %v", again, err)
	}
	if got := res.Body.String(); got != "data: a\n\n" {
		t.Errorf("wrote %q, want the first event only", got)
	}
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const beat = ": \n\n"
		res := respond()
		w := sse.NewWriter(res)
		stop := w.Heartbeat(10 * time.Second)
		expect := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := res.written(); got != want {
				t.Errorf("wrote %q, want %q", got, want)
			}
		}
		time.Sleep(9 * time.Second)
		expect("")
		w.Event(sse.Event{Data: "a"}) // at 9 s
		time.Sleep(9 * time.Second)
		expect("data: a\n\n")
		time.Sleep(time.Second) // at 19 s
		expect("data: a\n\n" + beat)
		time.Sleep(20 * time.Second)
		expect("data: a\n\n" + beat + beat + beat)
		stop()
		stop()
		time.Sleep(time.Hour)
		expect("data: a\n\n" + beat + beat + beat)
	})
}

// A slow response blocks in a write until it is told to go on.
type slow struct {
	*httptest.ResponseRecorder
	begun, resume chan struct{}
}

func (s *slow) Write(b []byte) (int, error) {
	close(s.begun)
	<-s.resume
	return s.ResponseRecorder.Write(b)
}

func TestStopWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
		stop := sse.NewWriter(s).Heartbeat(time.Second)
		<-s.begun
		stopped := make(chan struct{})
		go func() {
			stop()
			close(stopped)
		}()
		synctest.Wait()
		select {
		case <-stopped:
			t.Fatal("stop returned while a heartbeat was being written")
		default:
		}
		close(s.resume)
		<-stopped
		if s.Body.Len() == 0 {
			t.Error("stop returned before the heartbeat was written")
		}
	})
}

// A producer and a heartbeat write to a real response; the reader finds whole
// events in order. The race detector sees the rest.
func TestWritersShare(t *testing.T) {
	const events = 200
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w := sse.NewWriter(rw)
		defer w.Heartbeat(time.Nanosecond)()
		var wg sync.WaitGroup
		defer wg.Wait()
		for range 2 {
			wg.Go(func() {
				for range events / 2 {
					if err := w.Event(sse.Event{Data: strings.Repeat("x\n", 100)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}))
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	comments := 0
	got, err := read(sse.NewReader(resp.Body, &sse.ReaderOptions{OnComment: func(string) { comments++ }}))
	if err != nil || len(got) != events {
		t.Errorf("read %d events, %v; want %d", len(got), err, events)
	}
	for _, ev := range got {
		if ev.Data != strings.Repeat("x\n", 100) {
			t.Fatalf("an event was torn: %q", ev.Data)
		}
	}
	t.Logf("%d comments", comments)
}

// A client that stops reading holds the handler no longer than the timeout.
func TestClientThatStopsReading(t *testing.T) {
	ended := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w := sse.NewWriter(rw)
		w.Timeout = 20 * time.Millisecond
		for {
			if err := w.Event(sse.Event{Data: strings.Repeat("x", 1<<20)}); err != nil {
				ended <- err
				return
			}
		}
	}))
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Event = %v, want %v", err, os.ErrDeadlineExceeded)
	}
}

// What is written is what is read, however the bytes are cut on the way.
func FuzzRoundTrip(f *testing.F) {
	f.Add("1", "text.delta", "a\nb\n", int64(0), []byte{0})
	f.Add("", "", "", int64(3000), []byte{})
	f.Add(" 1", ":", "\xEF\xBB\xBF: \n\n data: x\r", int64(1), []byte{2, 0})
	f.Fuzz(func(t *testing.T, id, kind, data string, ms int64, cuts []byte) {
		ev := sse.Event{ID: id, Type: kind, Data: data, Retry: time.Duration(ms) * time.Millisecond}
		rec := httptest.NewRecorder()
		w := sse.NewWriter(rec)
		if err := w.Event(ev); err != nil {
			if rec.Body.Len() > 0 {
				t.Errorf("Event(%+v) = %v and wrote %q", ev, err, rec.Body)
			}
			if !strings.ContainsAny(id, "\r\n\x00") && !strings.ContainsAny(kind, "\r\n") && ev.Retry >= 0 && ev.Retry%time.Millisecond == 0 {
				t.Errorf("Event(%+v) = %v, want nil", ev, err)
			}
			return
		}
		w.Comment(data)
		w.Event(sse.Event{})
		ev.Data = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(data)
		stream := rec.Body.String()
		got, err := read(sse.NewReader(&pieces{in: strings.NewReader(stream), cuts: cuts}, nil))
		if err != nil || len(got) != 2 || got[0] != ev || got[1] != (sse.Event{ID: id}) {
			t.Errorf("%+v was written as %q and read as %+v, %v", ev, stream, got, err)
		}
	})
}

// nowhere is a response that costs nothing.
type nowhere struct{ io.Writer }

func (nowhere) Header() http.Header              { return nil }
func (nowhere) WriteHeader(int)                  {}
func (nowhere) Flush()                           {}
func (nowhere) SetWriteDeadline(time.Time) error { return nil }

func BenchmarkWriter(b *testing.B) {
	w := sse.NewWriter(nowhere{io.Discard})
	ev := sse.Event{ID: "123", Type: "text.delta", Data: strings.Repeat("x", 100)}
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Event(ev); err != nil {
			b.Fatal(err)
		}
	}
}
