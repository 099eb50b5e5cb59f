package server

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// meters count what the server does. None of them tells one company from another,
// and there are no more of them than operations and statuses.
type meters struct {
	set      *metrics.Set
	streams  *atomic.Int64 // open here
	open     *metrics.Gauge
	duration *metrics.Histogram
}

func newMeters(set *metrics.Set) meters {
	return meters{
		set: set, streams: new(atomic.Int64),
		open:     set.GetOrCreateGauge("answerdesk_http_streams_open", nil),
		duration: set.GetOrCreateHistogram("answerdesk_http_request_duration_seconds"),
	}
}

// served counts an answer.
func (m meters) served(operation string, status int, took time.Duration) {
	m.set.GetOrCreateCounter(fmt.Sprintf("answerdesk_http_requests_total{operation=%q,status=\"%d\"}", operation, status)).Inc()
	m.duration.Update(took.Seconds())
}

// entered counts a stream unless as many as may be are open.
func (m meters) entered(most int) bool {
	if m.streams.Add(1) > int64(most) {
		m.streams.Add(-1)
		return false
	}
	m.open.Inc()
	return true
}

// left counts that a stream has ended.
func (m meters) left() {
	m.streams.Add(-1)
	m.open.Dec()
}

// write tells all counters, and how the process does, in the text format of
// Prometheus.
func (m meters) write(w io.Writer) {
	m.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}
