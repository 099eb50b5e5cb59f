package server

import (
	"fmt"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
)

// Callers who are gone are forgotten, and not those whose day has not ended.
func TestForgotten(t *testing.T) {
	var l limits
	at := time.Date(2031, 5, 4, 3, 2, 1, 0, time.UTC)
	caller := func(i int) access.Principal { return access.Principal{ID: fmt.Sprint("key_", i), Company: "co_1"} }
	for i := range 100 {
		l.count(caller(i), at)
	}
	l.count(caller(0), at.Add(24*time.Hour))
	l.count(caller(100), at.Add(26*time.Hour))
	if len(l.callers) != 2 {
		t.Errorf("%d callers are remembered, want the two of the last day", len(l.callers))
	}
}

// Of windows in which as many requests are left, the one that lasts longest counts.
func TestTightest(t *testing.T) {
	var l limits
	at := time.Date(2031, 5, 4, 3, 0, 0, 0, time.UTC)
	p := access.Principal{ID: "key_1", Company: "co_1"}
	var s standing
	for i := range 1200 {
		s = l.count(p, at.Add(time.Duration(i)*time.Second)) // 60 a minute
	}
	if s.limit != 1000 || s.remaining != 0 || !s.reset.Equal(at.Add(time.Hour)) {
		t.Errorf("after 1200 requests in 20 minutes the tightest window is %+v, want the hour", s)
	}
	for range 100 {
		s = l.count(p, at.Add(1200*time.Second))
	}
	if s.limit != 1000 {
		t.Errorf("with no request left in the minute and in the hour the tightest window is %+v, want the hour", s)
	}
	// A plan with other windows begins anew.
	p.Plan = access.PlanPro
	if s = l.count(p, at.Add(1200*time.Second)); s.limit != 1000 || s.remaining != 999 {
		t.Errorf("with another plan the window is %+v, want a new one", s)
	}
}
