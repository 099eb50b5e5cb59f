package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// A code names an error to callers. The registry is codes: every error that the
// server answers with is one of them, with that status.
type code string

const (
	invalidRequest       code = "invalid_request"
	invalidJSON          code = "invalid_json"
	missingKey           code = "missing_api_key"
	invalidKey           code = "invalid_api_key"
	expiredKey           code = "expired_api_key"
	conflictingKeys      code = "conflicting_api_keys"
	insufficientScope    code = "insufficient_scope"
	notFound             code = "not_found"
	methodNotAllowed     code = "method_not_allowed"
	conflict             code = "conflict"
	turnInProgress       code = "turn_in_progress"
	turnCancelled        code = "turn_cancelled"
	keyReused            code = "idempotency_key_reused"
	preconditionFailed   code = "precondition_failed"
	requestTooLarge      code = "request_too_large"
	unsupportedMediaType code = "unsupported_media_type"
	internalError        code = "internal_error"
	turnFailed           code = "turn_failed"
	serverDraining       code = "server_draining"
	storeUnavailable     code = "store_unavailable"
	knowledgeTooLarge    code = "knowledge_too_large"
	tooManyStreams       code = "too_many_streams"
	serverBusy           code = "server_busy"
)

var codes = map[code]int{
	invalidRequest:       http.StatusBadRequest,
	invalidJSON:          http.StatusBadRequest,
	missingKey:           http.StatusUnauthorized,
	invalidKey:           http.StatusUnauthorized,
	expiredKey:           http.StatusUnauthorized,
	conflictingKeys:      http.StatusUnauthorized,
	insufficientScope:    http.StatusForbidden,
	notFound:             http.StatusNotFound,
	methodNotAllowed:     http.StatusMethodNotAllowed,
	conflict:             http.StatusConflict,
	turnInProgress:       http.StatusConflict,
	turnCancelled:        http.StatusConflict,
	keyReused:            http.StatusConflict,
	preconditionFailed:   http.StatusPreconditionFailed,
	requestTooLarge:      http.StatusRequestEntityTooLarge,
	unsupportedMediaType: http.StatusUnsupportedMediaType,
	internalError:        http.StatusInternalServerError,
	turnFailed:           http.StatusInternalServerError,
	serverDraining:       http.StatusServiceUnavailable,
	storeUnavailable:     http.StatusServiceUnavailable,
	knowledgeTooLarge:    http.StatusServiceUnavailable,
	tooManyStreams:       http.StatusServiceUnavailable,
	serverBusy:           http.StatusServiceUnavailable,
}

// retryAfter is how many seconds to wait after an error that passes by itself.
var retryAfter = map[code]int{serverDraining: 1, storeUnavailable: 2, tooManyStreams: 5, serverBusy: 5}

// A problem is an error as callers see it.
type problem struct {
	code    code
	message string
	details map[string]any
}

func (p *problem) Error() string { return p.message }

// wrong is the problem of a field.
func wrong(field, format string, args ...any) *problem {
	return &problem{invalidRequest, fmt.Sprintf("%s: %s", field, fmt.Sprintf(format, args...)), map[string]any{"field": field}}
}

// problemOf says an error of the desk in the words of the contract. One that is
// not known is a fault of the server, and its text stays here.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	for _, k := range turnEnds { // before what they were put down to
		if errors.Is(err, k.err) {
			return &problem{code: k.code, message: k.message}
		}
	}
	if e, ok := errors.AsType[*agent.InvalidError](err); ok {
		return wrong(e.Field, "%s", e.Reason)
	}
	if e, ok := errors.AsType[*access.InvalidError](err); ok {
		return wrong(e.Field, "%s", e.Reason)
	}
	if e, ok := errors.AsType[*knowledge.InvalidError](err); ok {
		return wrong(e.Field, "%s", e.Reason)
	}
	if e, ok := errors.AsType[*knowledge.FileError](err); ok {
		return fileProblem(e)
	}
	if e, ok := errors.AsType[*store.NotFoundError](err); ok {
		return &problem{notFound, fmt.Sprintf("there is no %s %s", e.Kind, clip(e.ID)), map[string]any{"object": e.Kind}}
	}
	if errors.Is(err, store.ErrCursor) {
		return wrong("cursor", "does not belong to this list: begin again without one, with the same filter throughout")
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return &problem{code: k.code, message: k.message}
		}
	}
	if errors.Is(err, store.ErrConflict) {
		return &problem{code: conflict, message: err.Error()}
	}
	return fault
}

// fault is the answer to what nobody thought of.
var fault = &problem{code: internalError, message: "something went wrong here: tell whoever runs the server the request id"}

// A named error of the desk has a code of its own.
type named struct {
	err     error
	code    code
	message string
}

// turnEnds are how turns end without a reply.
var turnEnds = []named{
	{agent.ErrInterrupted, serverDraining, "the server stopped while it was answering: send the message again"},
	{agent.ErrCancelled, turnCancelled, "the reply was cancelled before it was complete"},
	{agent.ErrFailed, turnFailed, "the reply could not be made: send the message again"},
}

// known are the other errors of the desk with a code of their own; the first that
// fits counts.
var known = []named{
	{agent.ErrTurnInProgress, turnInProgress, "the conversation is answering other messages: wait for them, or go on in another conversation"},
	{agent.ErrVersion, preconditionFailed, "the agent has changed since it was read: read it again"},
	{knowledge.ErrChanged, preconditionFailed, "it has changed since it was read: read it again"},
	{agent.ErrDraining, serverDraining, "the server is about to stop: send the request again"},
	{knowledge.ErrTooLarge, knowledgeTooLarge, "the knowledge of this company needs more memory than the server may use for it: tell whoever runs the server"},
	{store.ErrUnavailable, storeUnavailable, "the server cannot store anything now: try again in a moment"},
	{store.ErrFenced, conflict, "it was changed or deleted while this was under way: read it again"},
	{context.DeadlineExceeded, storeUnavailable, "it took too long: try again in a moment"},
	{context.Canceled, serverDraining, "the request was broken off: send it again"},
}

// body is a problem as it is sent.
func (p *problem) body(requestID string) api.ErrorBody {
	details := maps.Clone(p.details)
	if details == nil {
		details = map[string]any{}
	}
	return api.ErrorBody{Code: string(p.code), Message: p.message, Details: details, RequestID: requestID}
}

// write answers with a problem.
func (p *problem) write(w http.ResponseWriter, requestID string) {
	h := w.Header()
	if n, ok := retryAfter[p.code]; ok {
		h.Set("Retry-After", strconv.Itoa(n))
	}
	status := codes[p.code]
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="answerdesk"`)
	}
	for _, of := range []string{"ETag", "Location", "Idempotent-Replayed", revisionHeader, "Content-Length", "Content-Encoding"} {
		h.Del(of) // what is not sent
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", jsonMedia)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(api.ErrorResponse{Error: p.body(requestID)}) // the caller is gone
}
