// Package client calls a hosted Answerdesk over HTTP: typed requests and
// replies, retries that do nothing twice, rate limits that are kept without
// being told off, and streams that survive a lost connection.
//
//	c, err := client.New("https://desk.example.com", client.WithAPIKey(key))
//	if err != nil {
//		return err
//	}
//	reply, err := c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?"})
//	if err != nil {
//		return err
//	}
//	fmt.Println(reply.Text)
//
// A [Client] has a field for each part of the API, with a method for each
// operation. Methods end in opts: an [Option] given there holds for that call
// alone, and most of them can also be given to [New]. The shapes of requests and
// answers are in package api.
//
// The reply can be read as it comes, and lists without their pages:
//
//	for ev, err := range c.Messages.Stream(ctx, req) {
//		…
//	}
//	for conv, err := range c.Conversations.All(ctx, nil) {
//		…
//	}
//
// Whatever fails on the way to the server or there is an [*Error]: branch on
// [ErrNotFound] and the other sentinels with errors.Is, and find the code, the
// request id and what became of each attempt with errors.AsType[*client.Error].
//
// # What is repeated
//
// A call is made up to three times ([WithMaxRetries]) when the connection fails
// or the answer is 408, 429, 500, 502, 503 or 504. That is safe for every
// operation: those that create carry an Idempotency-Key, made once a call, and
// to repeat one of the others leaves what doing it once leaves. Between attempts
// the client waits a random time, up to 0.5 s and twice as long each time up to
// 8 s, and as long as the server asks in Retry-After if that is at most a minute
// ([WithMaxRetryAfter]).
//
// # Secrets
//
// The key is sent to the host of the base URL and nowhere else: redirects are
// not followed. Neither a [Client] nor an error nor a log line shows it.
package client
