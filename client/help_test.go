package client_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

// secret is the key of the clients in tests, to look for where it must not be.
const secret = "sk_do_not_show"

// to returns a client of a test's server.
func to(tb testing.TB, s *clienttest.Server, opts ...client.Option) *client.Client {
	tb.Helper()
	return newClient(tb, s.URL, append([]client.Option{client.WithHTTPClient(s.Client()), client.WithAPIKey(secret)}, opts...)...)
}

func newClient(tb testing.TB, url string, opts ...client.Option) *client.Client {
	tb.Helper()
	c, err := client.New(url, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// ask is the call that tests make where any would do: one that creates.
func ask(ctx context.Context, c *client.Client, opts ...client.Option) (*api.Reply, error) {
	return c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?"}, opts...)
}

// reply is the answer to ask.
var reply = clienttest.Respond(http.StatusOK, `{"id":"msg_1","text":"At nine."}`)

// A round is a transport that is a function.
type round func(*http.Request) (*http.Response, error)

func (f round) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
