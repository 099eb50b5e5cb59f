package llm_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/llm"
)

func TestError(t *testing.T) {
	for want, e := range map[string]*llm.Error{
		"openai: auth, status 401, code invalid_api_key":           {Provider: "openai", Kind: llm.Auth, Status: 401, Code: "invalid_api_key"},
		"openai: rate_limit, status 429, retry after 7s":           {Provider: "openai", Kind: llm.RateLimit, Status: 429, RetryAfter: 7 * time.Second},
		"openai: malformed: 1 vectors for 2 texts":                 {Provider: "openai", Kind: llm.Malformed, Detail: "1 vectors for 2 texts"},
		"openai: network: context canceled":                        {Provider: "openai", Kind: llm.Network, Err: context.Canceled},
		"openai: server, status 500":                               {Provider: "openai", Kind: llm.Server, Status: 500},
		"openai: bad_request, status 404, code not_found_error":    {Provider: "openai", Kind: llm.BadRequest, Status: 404, Code: "not_found_error"},
		"openai: too_large, status 413: a text of more than it is": {Provider: "openai", Kind: llm.TooLarge, Status: 413, Detail: "a text of more than it is"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
		temporary := e.Kind == llm.RateLimit || e.Kind == llm.Network || e.Kind == llm.Server
		if e.Temporary() != temporary {
			t.Errorf("Temporary() of kind %s = %v", e.Kind, e.Temporary())
		}
	}
	wrapped := fmt.Errorf("embed: %w", &llm.Error{Kind: llm.Network, Err: context.Canceled})
	if failed, ok := errors.AsType[*llm.Error](wrapped); !ok || failed.Kind != llm.Network || !errors.Is(wrapped, context.Canceled) {
		t.Errorf("a wrapped error shows %v, %v", failed, ok)
	}
}
