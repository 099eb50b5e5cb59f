package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// What one request of a bulk may hold.
const (
	maxBulkItems = 1000
	maxBulkBytes = 100_000_000
)

// Bulk adds or replaces pieces of content. More of them than one request may
// hold, which is 1,000 and 100 MB as JSON, are sent in several, one after the
// other; the result is that of all, in the order of the items and with their
// indexes in req. If one of the requests fails, the error comes with the result
// of those before it. An atomic bulk is not parted: one that is too large is an
// error.
//
// A key given with [WithIdempotencyKey] is that of the first request, and those
// of the others are made from it.
func (c *Content) Bulk(ctx context.Context, req api.BulkRequest, opts ...Option) (*api.BulkResult, error) {
	var all api.BulkResult
	for part, at := 0, 0; part == 0 || at < len(req.Items); part++ {
		body, n, err := bulkBody(req, at, maxBulkBytes)
		if err != nil {
			return partial(&all, part), fmt.Errorf("client: %s: %w", createContentBulk.id, err)
		}
		if n < len(req.Items) && req.Atomic != nil && *req.Atomic {
			return nil, fmt.Errorf("client: %s: %d items are too many or too large for one request, and an atomic bulk is not parted", createContentBulk.id, len(req.Items))
		}
		result, err := c.bulk(ctx, body, part, opts)
		if err != nil && part == 0 {
			return nil, err
		}
		if err != nil {
			return &all, fmt.Errorf("items %d to %d: %w", at, at+n-1, err)
		}
		join(&all, result, at)
		at += n
	}
	return &all, nil
}

// partial is the result to return with an error.
func partial(all *api.BulkResult, parts int) *api.BulkResult {
	if parts == 0 {
		return nil
	}
	return all
}

// bulk sends one part of a bulk.
func (c *Content) bulk(ctx context.Context, body []byte, part int, opts []Option) (*api.BulkResult, error) {
	if part > 0 {
		opts = append(opts[:len(opts):len(opts)], nextKey(part))
	}
	return send[api.BulkResult](ctx, c.client, createContentBulk, opts)(
		raw.NewCreateContentBulkRequestWithBody(c.client.server, nil, "application/json", bytes.NewReader(body)))
}

// nextKey makes the key of a part from that of the first one, if there is one.
func nextKey(part int) Option {
	return Option{"WithIdempotencyKey", ofCall, func(s *settings) error {
		if s.idempotencyKey == "" {
			return nil
		}
		key := s.idempotencyKey + "." + strconv.Itoa(part)
		if len(key) > maxIdempotencyKey {
			sum := sha256.Sum256([]byte(key))
			key = hex.EncodeToString(sum[:])
		}
		s.idempotencyKey = key
		return nil
	}}
}

// bulkBody encodes as many items as a request of at most limit bytes may hold,
// from the one at index at, and says how many.
func bulkBody(req api.BulkRequest, at, limit int) (body []byte, n int, err error) {
	items := req.Items[at:]
	req.Items = []api.BulkItem{}
	frame, err := json.Marshal(req)
	if err != nil {
		return nil, 0, err
	}
	head, tail, ok := bytes.Cut(frame, []byte(`"items":[]`)) // within a string it would be escaped
	if !ok {
		return nil, 0, errors.New("the request has no place for its items")
	}
	body = append(body, head...)
	body = append(body, `"items":[`...)
	for n < len(items) && n < maxBulkItems {
		item, err := json.Marshal(&items[n])
		if err != nil {
			return nil, 0, fmt.Errorf("item %d: %w", at+n, err)
		}
		if n > 0 {
			body = append(body, ',')
		}
		if len(body)+len(item)+len("]")+len(tail) > limit {
			if n == 0 {
				return nil, 0, fmt.Errorf("item %d is %d bytes as JSON, more than a request may hold", at, len(item))
			}
			body = body[:len(body)-len(",")]
			break
		}
		body = append(body, item...)
		n++
	}
	return append(append(body, ']'), tail...), n, nil
}

// join adds the result of a part whose first item is the one at index at.
func join(all, part *api.BulkResult, at int) {
	for _, r := range part.Results {
		r.Index += int32(at)
		all.Results = append(all.Results, r)
	}
	all.Created += part.Created
	all.Updated += part.Updated
	all.Unchanged += part.Unchanged
	all.Failed += part.Failed
	all.KnowledgeRevision = max(all.KnowledgeRevision, part.KnowledgeRevision)
}
