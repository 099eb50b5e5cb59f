// Package clienttest is a server that misbehaves as it is told, for tests of
// programs that call an HTTP API.
//
// Each request is answered by the next [Step] of a script. A step is an answer,
// canned by [Respond] or given by a real [Handler], and what goes wrong with it:
//
//	func TestTwoFaults(t *testing.T) {
//		s := clienttest.New(t,
//			clienttest.RateLimited("1"),                            // the first request
//			clienttest.Reset(clienttest.AfterReading),              // the second
//			clienttest.Respond(200, map[string]any{"id": "msg_1"}), // the third, and all that follow
//		)
//		… // call s.URL with the program under test
//		if got := len(s.Requests()); got != 3 {
//			t.Errorf("%d requests, want 3", got)
//		}
//	}
//
// What a server did before it failed matters as much as the failure. A fault in
// front of a real handler lets it do its work, and loses the answer:
//
//	clienttest.Handler(api).Reset(clienttest.AfterReading) // done, but nobody is told
//	clienttest.Handler(api).Truncate(100)                  // the answer breaks off
//	clienttest.Handler(api).Delay(time.Minute)             // done at once, told too late
//
// # Time
//
// Retries wait, and tests should not. [NewInMemory] makes a server without
// sockets, which works inside [testing/synctest]: there a minute's Retry-After
// passes in no time. Only clients that dial with [Server.DialContext], such as
// that of [Server.Client], reach it.
//
//	synctest.Test(t, func(t *testing.T) {
//		s := clienttest.NewInMemory(t, clienttest.RateLimited("60"), clienttest.Respond(200, "{}"))
//		c := … // a client that uses s.Client()
//		… // the call takes a minute of the bubble's time
//	})
//
// # A word on net/http
//
// [net/http.Transport] itself repeats a request, once, if it was sent over a
// connection that had been used before and broke before any of the answer came,
// provided that the method is idempotent or the request has an Idempotency-Key.
// So a script may lose one step more than the program under test has retried.
// Requests over new connections are never repeated.
package clienttest
