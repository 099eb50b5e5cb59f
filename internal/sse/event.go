package sse

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An Event is one event of a stream.
type Event struct {
	// ID is the last event id that the stream has named, which need not be in
	// this event: it holds until another is named. A client sends it as
	// Last-Event-ID to go on from here. An event that is written with none
	// leaves the one before in force.
	ID string

	// Type says what kind of event it is. Empty means "message", as in the
	// standard.
	Type string

	// Data is what the event carries, of one or more lines parted by LF.
	Data string

	// Retry is how long a client is to wait before it connects again, in whole
	// milliseconds, if the stream has said so since the event before; else 0.
	Retry time.Duration
}

// append appends the event as it is sent, or says why it cannot be.
func (e Event) append(b []byte) ([]byte, error) {
	switch {
	case strings.ContainsAny(e.ID, "\r\n\x00"):
		return b, errors.New("sse: an event's id holds a line break or a NUL")
	case strings.ContainsAny(e.Type, "\r\n"):
		return b, errors.New("sse: an event's type holds a line break")
	case e.Retry < 0 || e.Retry%time.Millisecond != 0:
		return b, fmt.Errorf("sse: an event's retry of %v is no whole number of milliseconds", e.Retry)
	}
	if e.ID != "" {
		b = field(b, "id: ", e.ID)
	}
	if e.Type != "" {
		b = field(b, "event: ", e.Type)
	}
	if e.Retry > 0 {
		b = append(b, "retry: "...)
		b = strconv.AppendInt(b, e.Retry.Milliseconds(), 10)
		b = append(b, '\n')
	}
	b = lines(b, "data: ", e.Data) // also when it is empty: a reader passes over an event without data
	return append(b, '\n'), nil
}

// field appends one line.
func field(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, value...)
	return append(b, '\n')
}

// lines appends a line for each line of value, however they are parted.
func lines(b []byte, name, value string) []byte {
	for {
		i := lineEnd(value, strings.IndexByte)
		if i < 0 {
			return field(b, name, value)
		}
		b = field(b, name, value[:i])
		if strings.HasPrefix(value[i:], "\r\n") {
			i++
		}
		value = value[i+1:]
	}
}
