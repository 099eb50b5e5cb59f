package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/server"
)

// A caller calls with one key. Its methods are those of the typed client; what
// that cannot send, [caller.send] does.
type caller struct {
	*client.Client
	s      *suite
	secret string
	base   string
	http   http.Client
	each   func(*exchanged) // is told of every exchange
}

// caller returns a caller who has a key's secret.
func (s *suite) caller(secret string) *caller {
	s.Helper()
	c := &caller{s: s, secret: secret, base: "http://localhost"}
	options := []client.Option{client.WithMaxRetries(0), client.WithTransportMiddleware(func(next http.RoundTripper) http.RoundTripper {
		c.http.Transport = &wire{t: s.T, contract: s.contract, next: next, each: func(x *exchanged) {
			if c.each != nil {
				c.each(x)
			}
		}}
		return c.http.Transport
	})}
	if s.way == inProcess {
		p, err := s.desk.Authenticate(s.Context(), secret)
		if err != nil {
			s.Fatal(err)
		}
		c.Client = server.Client(s.desk, p, options...)
		return c
	}
	var err error
	c.base = s.url
	if c.Client, err = client.New(s.url, append(options, client.WithAPIKey(secret))...); err != nil {
		s.Fatal(err)
	}
	return c
}

// callerOf returns a caller of a company with a scope.
func (s *suite) callerOf(company string, scope access.Scope) *caller {
	s.Helper()
	_, secret, err := s.desk.Company(company).Keys().Create(s.Context(), access.NewKey{Name: string(scope), Scope: scope, Plan: access.PlanUnlimited})
	if err != nil {
		s.Fatal(err)
	}
	return s.caller(secret)
}

// A request is one that the typed client cannot send, or does not need to.
type request struct {
	method, path string
	header       map[string]string
	body         any // nil, bytes or a string as they are, a form, or what is sent as JSON
}

// A form is the body of an upload: its parts in order.
type form []part

// A part is a field of a form, or a file if it has a name.
type part struct{ field, file, media, text string }

// An answer is what came back, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte // as it came
}

// json returns the answer as a JSON object.
func (a *answer) json() map[string]any {
	var v map[string]any
	if err := json.Unmarshal(a.body, &v); err != nil {
		return map[string]any{"not JSON": string(a.body)}
	}
	return v
}

// at returns what stands in the answer under the names given; nil if nothing
// does.
func (a *answer) at(names ...string) any {
	var v any = a.json()
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// code is the error's.
func (a *answer) code() string {
	code, _ := a.at("error", "code").(string)
	return code
}

// field is the one that the error is about.
func (a *answer) field() string {
	field, _ := a.at("error", "details", "field").(string)
	return field
}

// boundary parts the parts of all forms, so that a form is the same bytes each
// time.
const boundary = "a-boundary-that-stands-in-no-text"

// encode returns the bytes of a body and their media type.
func encode(body any) (b []byte, media string) {
	switch v := body.(type) {
	case nil:
		return nil, ""
	case []byte:
		return v, "application/json"
	case string:
		return []byte(v), "application/json"
	case form:
		var out bytes.Buffer
		w := multipart.NewWriter(&out)
		_ = w.SetBoundary(boundary)
		for _, p := range v {
			h := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + p.field + `"`}}
			if p.file != "" {
				h.Set("Content-Disposition", multipart.FileContentDisposition(p.field, p.file))
			}
			if p.media != "" {
				h.Set("Content-Type", p.media)
			}
			part, _ := w.CreatePart(h) // a buffer takes all
			_, _ = io.WriteString(part, p.text)
		}
		_ = w.Close()
		return out.Bytes(), w.FormDataContentType()
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return b, "application/json"
}

// build makes an HTTP request of a request.
func (c *caller) build(ctx context.Context, r request) *http.Request {
	c.s.Helper()
	body, media := encode(r.body)
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, bytes.NewReader(body))
	if err != nil {
		c.s.Fatal(err)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	if c.secret != "" {
		req.Header.Set("Authorization", "Bearer "+c.secret)
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
		if value == "" {
			req.Header.Del(name)
		}
	}
	return req
}

// send sends a request and reads its answer to the end. A failure of the
// transport fails the test, and the answer is empty.
func (c *caller) send(r request) *answer {
	c.s.Helper()
	resp, err := c.http.Do(c.build(c.s.Context(), r))
	if err != nil {
		c.s.Errorf("%s %s: %v", r.method, r.path, err)
		return &answer{header: http.Header{}}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.s.Errorf("%s %s: read the answer: %v", r.method, r.path, err)
	}
	return &answer{resp.StatusCode, resp.Header, body}
}

// want sends a request whose answer is to have a status.
func (c *caller) want(status int, r request) *answer {
	c.s.Helper()
	a := c.send(r)
	if a.status != status {
		c.s.Errorf("%s %s = %d %s, want %d", r.method, r.path, a.status, a.body, status)
	}
	return a
}

// wantError sends a request that is to be refused with a status, a code and, if
// it is not empty, for a field.
func (c *caller) wantError(status int, code, field string, r request) *answer {
	c.s.Helper()
	a := c.want(status, r)
	if a.code() != code || a.field() != field {
		c.s.Errorf("%s %s = error %s, want code %s of field %q", r.method, r.path, a.body, code, field)
	}
	return a
}

// has reports whether a body holds a text.
func has(body []byte, text string) bool { return strings.Contains(string(body), text) }
