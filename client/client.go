package client

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Version is the version of the contract, openapi.yaml, that this package
// speaks. It is part of the User-Agent.
const Version = "1.0.0"

// A Client calls one deployment. Make one with [New] and share it: it is safe
// for concurrent use, and calls that share it share its connections, its rate
// limit and its budget of retries.
type Client struct {
	Messages      *Messages      // ask, and follow the reply
	Conversations *Conversations // what was said
	Agents        *Agents        // who answers
	Attachments   *Attachments   // files for messages
	Knowledge     *Knowledge     // what they answer from
	Content       *Content       // knowledge with metadata, one by one or in bulk
	Training      *Training      // reading all sources again
	Runs          *Runs          // trainings, crawls and all other work that goes on after its call
	Users         *Users         // customers, and what is stored about them
	APIKeys       *APIKeys       // who may call
	Companies     *Companies     // tenants, for the operator
	AuditLog      *AuditLog      // who did what

	server   string    // the base URL, ending in a slash
	base     string    // its path, ending in a slash
	settings *settings // behind a pointer, so that printing a Client shows no key
	http     *http.Client
	budget   *budget
	gates    *gates
}

// New returns a client of the deployment at baseURL, such as
// https://desk.example.com, without the /v1 that the paths of the API begin
// with. Plain http is taken for a loopback host only, since the key would be
// sent in the clear. New sends nothing.
func New(baseURL string, opts ...Option) (*Client, error) {
	base, err := parseBase(baseURL)
	if err != nil {
		return nil, err
	}
	s := defaults()
	if err := s.take(opts, ofClient); err != nil {
		return nil, err
	}
	if s.key != nil && s.tokens != nil {
		return nil, errors.New("client: WithAPIKey and WithBearer cannot both be given")
	}
	s.fill()
	c := &Client{server: base.String(), base: base.Path, settings: s, budget: newBudget(s.budget)}
	c.gates = newGates(s.rps, s.burst)
	c.http = s.doer()
	c.Messages = &Messages{c}
	c.Conversations = &Conversations{c}
	c.Agents = &Agents{c}
	c.Attachments = &Attachments{c}
	c.Knowledge = &Knowledge{Documents: &Documents{c}, Files: &Files{c}, QAPairs: &QAPairs{c}, Websites: &Websites{c}, APISources: &APISources{c}, client: c}
	c.Content = &Content{c}
	c.Training = &Training{c}
	c.Runs = &Runs{c}
	c.Users = &Users{c}
	c.APIKeys = &APIKeys{c}
	c.Companies = &Companies{c}
	c.AuditLog = &AuditLog{c}
	return c, nil
}

// String names the deployment, and not the key.
func (c *Client) String() string { return "answerdesk client of " + c.server }

// GoString is String: %#v shows no key either.
func (c *Client) GoString() string { return c.String() }

// LogValue is what a log shows of a client: where it calls.
func (c *Client) LogValue() slog.Value { return slog.GroupValue(slog.String("base_url", c.server)) }

// parseBase checks a base URL. Its errors do not quote it: it may hold a
// password, which is what they complain about.
func parseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("client: the base URL is no URL: want one such as https://desk.example.com")
	case u.User != nil:
		return nil, errors.New("client: the base URL holds a user name or a password: give the key with WithAPIKey")
	case u.Scheme != "https" && u.Scheme != "http", u.Opaque != "", u.Hostname() == "":
		return nil, errors.New("client: the base URL is not absolute: want one such as https://desk.example.com")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("client: the base URL would send the key to %s in the clear: use https", u.Host)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("client: the base URL has a query or a fragment: leave it out")
	case u.EscapedPath() != u.Path || strings.Contains(u.Path, "//") || strings.Contains(u.Path+"/", "/../") || strings.Contains(u.Path+"/", "/./"):
		return nil, errors.New("client: the base URL has a path that is not plain: leave out escapes, dots and doubled slashes")
	}
	path := strings.TrimSuffix(u.Path, "/")
	if strings.HasSuffix(path, "/v1") {
		return nil, errors.New("client: the base URL ends in /v1: leave it out, the paths of the API begin with it")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path + "/"}, nil
}

// loopback says whether a host is this machine, whatever a DNS server says:
// localhost (RFC 6761 section 6.3) and the loopback addresses.
func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// doer returns the http.Client that makes the attempts: the caller's, or one
// over connections that all clients share, with the client's own steps around
// its transport.
func (s *settings) doer() *http.Client {
	var hc http.Client
	if s.http != nil {
		hc = *s.http
	}
	next := hc.Transport
	if next == nil {
		next = shared()
	}
	for i := len(s.middleware) - 1; i >= 0; i-- {
		next = s.middleware[i](next)
	}
	hc.Transport = &transport{next: next}
	hc.Timeout = 0 // it would cut streams; an attempt has its own
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &hc
}

// shared are the connections of the clients that were given no http.Client:
// those of http.DefaultTransport's making, with more of them kept for each host,
// since a client speaks to one.
var shared = sync.OnceValue(func() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t = t.Clone()
	t.MaxIdleConnsPerHost = 32
	return t
})
