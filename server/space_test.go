package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// As much as there is room for is taken at once; the rest waits for it, and half a
// minute at most.
func TestSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSpace(10 * smallBody)
		first, err := s.take(t.Context(), 6*smallBody)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.take(t.Context(), smallBody); err != nil {
			t.Errorf("a small body waits: %v", err)
		}
		second, err := s.take(t.Context(), 4*smallBody)
		if err != nil {
			t.Fatal(err)
		}

		begun := time.Now()
		_, err = s.take(t.Context(), 2*smallBody)
		if p, ok := errors.AsType[*problem](err); !ok || p.code != serverBusy || time.Since(begun) != bodyTime {
			t.Errorf("take without room = error %v after %v, want %s after %v", err, time.Since(begun), serverBusy, bodyTime)
		}
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		if _, err := s.take(ctx, 2*smallBody); !errors.Is(err, context.Canceled) {
			t.Errorf("take by who leaves = error %v, want %v", err, context.Canceled)
		}

		got := make(chan error)
		for range 3 {
			go func() {
				leave, err := s.take(t.Context(), 2*smallBody)
				got <- err
				leave()
			}()
		}
		synctest.Wait()
		second() // room for two of them, and then for the third
		for range 3 {
			if err := <-got; err != nil {
				t.Error(err)
			}
		}
		first()
		synctest.Wait()
		if s.free != 10*smallBody {
			t.Errorf("%d bytes are free in the end, want all %d", s.free, 10*smallBody)
		}
	})
}

func TestSizeOf(t *testing.T) {
	large, small := &operation{media: jsonMedia, limit: bulkBody}, &operation{media: jsonMedia, limit: smallBody}
	for _, tt := range []struct {
		name   string
		op     *operation
		length int64
		zipped bool
		want   int64
	}{
		{"announced", large, 1000, false, 1000},
		{"announced, in gzip", large, 1000, true, bulkBody},
		{"not announced", large, -1, false, bulkBody},
		{"more than it takes", large, bulkBody + 1, false, 0},
		{"a small operation's", small, -1, true, smallBody},
		{"of an operation without a body", &operation{limit: smallBody}, 1000, false, 0},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "/", io.NopCloser(strings.NewReader("")))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = tt.length
		if tt.zipped {
			r.Header.Set("Content-Encoding", "gzip")
		}
		if got := sizeOf(r, tt.op); got != tt.want {
			t.Errorf("%s: sizeOf = %d, want %d", tt.name, got, tt.want)
		}
	}
}
