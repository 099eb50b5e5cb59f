package server

import (
	"context"
	"net/http"
	"strconv"

	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// revisionHeader tells the revision of the knowledge after a change of it.
const revisionHeader = "X-Knowledge-Revision"

// revised tells with each answer of an operation that changes knowledge at which
// revision the change can be found, also where a repeated request changes nothing
// more. Others may have raised it further by then.
func revised(next api.StrictHandlerFunc, _ string) api.StrictHandlerFunc {
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request, request any) (any, error) {
		answer, err := next(ctx, w, r, request)
		c := callOf(ctx)
		if err != nil || !c.op.revises {
			return answer, err
		}
		revision, err := c.company.Knowledge().Revision(ctx)
		if err == nil {
			c.header.Set(revisionHeader, strconv.FormatInt(revision, 10))
		}
		return answer, err
	}
}
