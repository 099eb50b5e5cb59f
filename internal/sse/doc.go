// Package sse reads and writes server-sent events, the text/event-stream of the
// HTML standard (https://html.spec.whatwg.org/multipage/server-sent-events.html).
//
// A server writes each event to the response as it happens, and a comment when
// nothing happened for a while:
//
//	w.Header().Set("Content-Type", "text/event-stream")
//	out := sse.NewWriter(w)
//	defer out.Heartbeat(10 * time.Second)()
//	for delta := range deltas {
//		if err := out.Event(sse.Event{Type: "text.delta", Data: delta}); err != nil {
//			return err // the client went away, or read nothing for 30 s
//		}
//	}
//
// A client reads them until the stream ends:
//
//	in := sse.NewReader(resp.Body, nil)
//	for {
//		ev, err := in.Next()
//		if err == io.EOF {
//			break // the server ended it; whether that was the right place, the events say
//		}
//		if err != nil {
//			return err // io.ErrUnexpectedEOF: it was cut
//		}
//		…
//	}
//
// [Reader] and [Writer] agree: what one writes the other reads as the same
// [Event], but for line breaks within the data, which all become LF.
package sse
