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
	return s.desk.Authenticate(r.Context(), secret)
}

// keyOf returns the API key that a request shows.
func keyOf(h http.Header) (string, error) {
	bearer, other := "", h.Get("X-Api-Key")
	if a := h.Get("Authorization"); a != "" {
		scheme, secret, ok := strings.Cut(a, " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") {
			return "", &problem{code: invalidKey, message: "Authorization must be of the form: Bearer KEY"}
		}
		bearer = strings.TrimSpace(secret)
	}
	switch {
	case bearer == "" && other == "":
		return "", &problem{code: missingKey, message: "send an API key, as Authorization: Bearer KEY or as x-api-key: KEY"}
	case bearer != "" && other != "" && bearer != other:
		return "", &problem{code: conflictingKeys, message: "Authorization and x-api-key hold different keys: send one of them"}
	case bearer == "":
		return other, nil
	}
	return bearer, nil
}

// authenticate says who makes a request.
func (s *Server) authenticate(r *http.Request) (access.Principal, error) {
	p, err := s.opts.Authenticate(r)
	if err == nil {
		return p, nil
	}
	if own, ok := errors.AsType[*problem](err); ok {
		return p, own
	}
	switch {
	case errors.Is(err, access.ErrExpiredKey):
		return p, &problem{code: expiredKey, message: "the API key has expired: make or rotate one"}
	case errors.Is(err, store.ErrUnavailable) || r.Context().Err() != nil:
		return p, err
	}
	return p, &problem{code: invalidKey, message: "the API key is not known here: check that it is whole, and that it was not revoked"}
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
