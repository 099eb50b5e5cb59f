package server

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// meters count what the server does. None of them tells one company from another.
type meters struct {
	set      *metrics.Set
	streams  *atomic.Int64
	duration *metrics.Histogram
}

func newMeters(set *metrics.Set) meters {
	m := meters{set: set, streams: new(atomic.Int64), duration: set.GetOrCreateHistogram("answerdesk_http_request_duration_seconds")}
	set.GetOrCreateGauge("answerdesk_http_streams_open", func() float64 { return float64(m.streams.Load()) })
	return m
}

// served counts an answer.
func (m meters) served(operation string, status int) {
	m.set.GetOrCreateCounter(fmt.Sprintf("answerdesk_http_requests_total{operation=%q,status=\"%d\"}", operation, status)).Inc()
}

func (m meters) took(d time.Duration) { m.duration.Update(d.Seconds()) }

// write tells all counters, and how the process does, in the text format of
// Prometheus.
func (m meters) write(w io.Writer) {
	m.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}
