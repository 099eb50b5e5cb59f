package server

import (
	"errors"
	"net/http"
	"strings"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/store"
)

// byKey knows callers by their API key, in either of two headers.
func (s *Server) byKey(r *http.Request) (access.Principal, error) {
	secret, err := keyOf(r.Header)
	if err != nil {
		return access.Principal{}, err
	}
	p, err := s.desk.Authenticate(r.Context(), secret)
	if err != nil && !errors.Is(err, access.ErrInvalidKey) && !errors.Is(err, access.ErrExpiredKey) {
		return p, &unsureError{err}
	}
	return p, err
}

// An unsureError says why it could not be told who calls, which is not to say that
// nobody is known.
type unsureError struct{ error }

func (e *unsureError) Unwrap() error { return e.error }

// keyOf returns the API key that a request shows.
func keyOf(h http.Header) (string, error) {
	shown := ""
	for _, a := range h.Values("Authorization") {
		scheme, secret, _ := strings.Cut(a, " ")
		if a != "" && !strings.EqualFold(scheme, "Bearer") {
			return "", &problem{code: invalidKey, message: "Authorization must be of the form: Bearer KEY"}
		}
		if err := show(&shown, secret); err != nil {
			return "", err
		}
	}
	for _, secret := range h.Values("X-Api-Key") {
		if err := show(&shown, secret); err != nil {
			return "", err
		}
	}
	if shown == "" {
		return "", &problem{code: missingKey, message: "send an API key, as Authorization: Bearer KEY or as x-api-key: KEY"}
	}
	return shown, nil
}

// show takes in one more key that a request shows: all must be the same.
func show(shown *string, secret string) error {
	switch secret = strings.TrimSpace(secret); {
	case secret == "" || secret == *shown:
	case *shown == "":
		*shown = secret
	default:
		return &problem{code: conflictingKeys, message: "Authorization and x-api-key hold different keys: send one of them"}
	}
	return nil
}

// authenticate says who makes a request.
func (s *Server) authenticate(r *http.Request) (access.Principal, error) {
	p, err := s.opts.Authenticate(r)
	if err == nil {
		return s.known(p)
	}
	if own, ok := errors.AsType[*problem](err); ok {
		return p, own
	}
	if unsure, ok := errors.AsType[*unsureError](err); ok {
		return p, unsure.error
	}
	switch {
	case errors.Is(err, access.ErrExpiredKey):
		return p, &problem{code: expiredKey, message: "the API key has expired: make or rotate one"}
	case errors.Is(err, store.ErrUnavailable):
		return p, err
	case r.Context().Err() != nil:
		return p, r.Context().Err()
	}
	return p, &problem{code: invalidKey, message: "the API key is not known here: check that it is whole, and that it was not revoked"}
}

// known returns a principal with its company in the spelling of the desk. One
// without a name or a company is a mistake of [Options.Authenticate]: it must not
// pass for anybody.
func (s *Server) known(p access.Principal) (access.Principal, error) {
	if p.ID == "" || p.Company == "" {
		return access.Principal{}, errors.New("Options.Authenticate returned a principal without an ID or a Company")
	}
	p.Company = s.desk.Company(p.Company).ID()
	return p, nil
}

// authorize says whether a caller may do an operation.
func (s *Server) authorize(p access.Principal, op *operation) error {
	if !p.Scope.Allows(op.scope) {
		return &problem{insufficientScope, "the key has the scope " + string(p.Scope) + ", and this needs " + string(op.scope) + " or full",
			map[string]any{"scope": string(op.scope)}}
	}
	if op.operatorOnly && p.Company != s.desk.ID() {
		return &problem{insufficientScope, "only the operator may do this, with a full key of the first company", map[string]any{"scope": "operator"}}
	}
	return nil
}
