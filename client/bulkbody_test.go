package client

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/client/api"
)

// TestBulkBody takes as many items as fit a limit to the byte, for every limit.
func TestBulkBody(t *testing.T) {
	req := api.BulkRequest{AgentID: `agt "items":[] \`, Items: make([]api.BulkItem, 12)}
	for i := range req.Items {
		req.Items[i] = api.BulkItem{Content: strings.Repeat("<é", i), ExternalID: strconv.Itoa(i)}
	}
	size := func(items []api.BulkItem) int {
		part := req
		part.Items = items
		b, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		return len(b)
	}
	for limit := range size(req.Items) + 2 {
		for at := 0; at < len(req.Items); {
			body, n, err := bulkBody(req, at, limit)
			if err != nil {
				if size(req.Items[at:at+1]) <= limit {
					t.Fatalf("limit %d: item %d fits: %v", limit, at, err)
				}
				break
			}
			var got api.BulkRequest
			if err := json.Unmarshal(body, &got); err != nil || got.AgentID != req.AgentID || len(got.Items) != n || got.Items[0].ExternalID != req.Items[at].ExternalID || len(body) != size(req.Items[at:at+n]) {
				t.Fatalf("limit %d: items from %d are %s, %v", limit, at, body, err)
			}
			if len(body) > limit || at+n < len(req.Items) && size(req.Items[at:at+n+1]) <= limit {
				t.Fatalf("limit %d: %d items from %d are %d bytes", limit, n, at, len(body))
			}
			at += n
		}
	}
}
