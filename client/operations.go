package client

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// An operation is one of the contract: openapi.yaml has it under the same id,
// and a test compares the two.
type operation struct {
	id     string
	method string
	path   string
	repeat repeat

	ifMatch     bool // takes If-Match
	ifNoneMatch bool // takes If-None-Match
	stream      bool // may answer with server-sent events
	window      bool // has a rate limit of its own, beside those of the key
}

// repeat is why a request may be sent again when it is not known what became of
// it.
type repeat string

const (
	reads repeat = "it changes nothing"
	keyed repeat = "its Idempotency-Key makes it one request"
	again repeat = "done twice it leaves what it leaves done once"
)

// The operations. To delete, to merge a patch, to cancel and to rate leave the
// same when they are repeated.
var (
	createMessage     = &operation{id: "createMessage", method: http.MethodPost, path: "/v1/message", repeat: keyed}
	streamMessage     = &operation{id: "streamMessage", method: http.MethodPost, path: "/v1/message/stream", repeat: keyed, stream: true}
	listMessages      = &operation{id: "listMessages", method: http.MethodGet, path: "/v1/messages", repeat: reads}
	getMessage        = &operation{id: "getMessage", method: http.MethodGet, path: "/v1/messages/{id}", repeat: reads}
	getExplanation    = &operation{id: "getExplanation", method: http.MethodGet, path: "/v1/messages/{id}/explanation", repeat: reads}
	listMessageEvents = &operation{id: "listMessageEvents", method: http.MethodGet, path: "/v1/messages/{id}/events", repeat: reads, stream: true}
	cancelMessage     = &operation{id: "cancelMessage", method: http.MethodPost, path: "/v1/messages/{id}/cancel", repeat: again}
	giveFeedback      = &operation{id: "giveFeedback", method: http.MethodPost, path: "/v1/messages/{id}/feedback", repeat: again}

	approveToolCall = &operation{id: "approveToolCall", method: http.MethodPost, path: "/v1/tool-calls/{id}/approve", repeat: again}
	rejectToolCall  = &operation{id: "rejectToolCall", method: http.MethodPost, path: "/v1/tool-calls/{id}/reject", repeat: again}
	answerToolCall  = &operation{id: "answerToolCall", method: http.MethodPost, path: "/v1/tool-calls/{id}/result", repeat: again}

	listConversations        = &operation{id: "listConversations", method: http.MethodGet, path: "/v1/conversations", repeat: reads}
	getConversation          = &operation{id: "getConversation", method: http.MethodGet, path: "/v1/conversations/{id}", repeat: reads}
	deleteConversation       = &operation{id: "deleteConversation", method: http.MethodDelete, path: "/v1/conversations/{id}", repeat: again}
	listConversationMessages = &operation{id: "listConversationMessages", method: http.MethodGet, path: "/v1/conversations/{id}/messages", repeat: reads}

	listAgents                = &operation{id: "listAgents", method: http.MethodGet, path: "/v1/agents", repeat: reads}
	createAgent               = &operation{id: "createAgent", method: http.MethodPost, path: "/v1/agents", repeat: keyed}
	getAgent                  = &operation{id: "getAgent", method: http.MethodGet, path: "/v1/agents/{id}", repeat: reads, ifNoneMatch: true}
	deleteAgent               = &operation{id: "deleteAgent", method: http.MethodDelete, path: "/v1/agents/{id}", repeat: again}
	getAgentSettings          = &operation{id: "getAgentSettings", method: http.MethodGet, path: "/v1/agents/{id}/settings", repeat: reads, ifNoneMatch: true}
	listAgentSettingsVersions = &operation{id: "listAgentSettingsVersions", method: http.MethodGet, path: "/v1/agents/{id}/settings/versions", repeat: reads}
	updateAgentSettings       = &operation{id: "updateAgentSettings", method: http.MethodPut, path: "/v1/agents/{id}/settings", repeat: again, ifMatch: true}

	createDocument   = &operation{id: "createDocument", method: http.MethodPost, path: "/v1/knowledge/documents", repeat: keyed}
	listDocuments    = &operation{id: "listDocuments", method: http.MethodGet, path: "/v1/knowledge/documents", repeat: reads}
	getDocument      = &operation{id: "getDocument", method: http.MethodGet, path: "/v1/knowledge/documents/{id}", repeat: reads, ifNoneMatch: true}
	updateDocument   = &operation{id: "updateDocument", method: http.MethodPatch, path: "/v1/knowledge/documents/{id}", repeat: again, ifMatch: true}
	deleteDocument   = &operation{id: "deleteDocument", method: http.MethodDelete, path: "/v1/knowledge/documents/{id}", repeat: again}
	uploadAttachment = &operation{id: "uploadAttachment", method: http.MethodPost, path: "/v1/attachments", repeat: keyed}
	uploadFile       = &operation{id: "uploadFile", method: http.MethodPost, path: "/v1/knowledge/files", repeat: keyed}
	createQAPairs    = &operation{id: "createQAPairs", method: http.MethodPost, path: "/v1/knowledge/qa-pairs", repeat: keyed}
	listQAPairs      = &operation{id: "listQAPairs", method: http.MethodGet, path: "/v1/knowledge/qa-pairs", repeat: reads}
	getQAPair        = &operation{id: "getQAPair", method: http.MethodGet, path: "/v1/knowledge/qa-pairs/{id}", repeat: reads, ifNoneMatch: true}
	updateQAPair     = &operation{id: "updateQAPair", method: http.MethodPatch, path: "/v1/knowledge/qa-pairs/{id}", repeat: again, ifMatch: true}
	deleteQAPair     = &operation{id: "deleteQAPair", method: http.MethodDelete, path: "/v1/knowledge/qa-pairs/{id}", repeat: again}
	searchKnowledge  = &operation{id: "searchKnowledge", method: http.MethodPost, path: "/v1/knowledge/search", repeat: reads}

	listDocumentVersions = &operation{id: "listDocumentVersions", method: http.MethodGet, path: "/v1/knowledge/documents/{id}/versions", repeat: reads}
	rollbackDocument     = &operation{id: "rollbackDocument", method: http.MethodPost, path: "/v1/knowledge/documents/{id}/rollback", repeat: keyed, ifMatch: true}
	listDocumentReplies  = &operation{id: "listDocumentReplies", method: http.MethodGet, path: "/v1/knowledge/documents/{id}/replies", repeat: reads}

	getUser    = &operation{id: "getUser", method: http.MethodGet, path: "/v1/users/{id}", repeat: reads}
	deleteUser = &operation{id: "deleteUser", method: http.MethodDelete, path: "/v1/users/{id}", repeat: again}
	exportUser = &operation{id: "exportUser", method: http.MethodGet, path: "/v1/users/{id}/export", repeat: reads}

	createWebsite    = &operation{id: "createWebsite", method: http.MethodPost, path: "/v1/knowledge/websites", repeat: keyed}
	listWebsites     = &operation{id: "listWebsites", method: http.MethodGet, path: "/v1/knowledge/websites", repeat: reads}
	getWebsite       = &operation{id: "getWebsite", method: http.MethodGet, path: "/v1/knowledge/websites/{id}", repeat: reads, ifNoneMatch: true}
	updateWebsite    = &operation{id: "updateWebsite", method: http.MethodPatch, path: "/v1/knowledge/websites/{id}", repeat: again, ifMatch: true}
	deleteWebsite    = &operation{id: "deleteWebsite", method: http.MethodDelete, path: "/v1/knowledge/websites/{id}", repeat: again}
	listWebsitePages = &operation{id: "listWebsitePages", method: http.MethodGet, path: "/v1/knowledge/websites/{id}/report", repeat: reads}
	crawlWebsite     = &operation{id: "crawlWebsite", method: http.MethodPost, path: "/v1/knowledge/websites/{id}/crawl", repeat: keyed}

	createAPISource  = &operation{id: "createAPISource", method: http.MethodPost, path: "/v1/knowledge/api-sources", repeat: keyed}
	listAPISources   = &operation{id: "listAPISources", method: http.MethodGet, path: "/v1/knowledge/api-sources", repeat: reads}
	getAPISource     = &operation{id: "getAPISource", method: http.MethodGet, path: "/v1/knowledge/api-sources/{id}", repeat: reads, ifNoneMatch: true}
	updateAPISource  = &operation{id: "updateAPISource", method: http.MethodPatch, path: "/v1/knowledge/api-sources/{id}", repeat: again, ifMatch: true}
	deleteAPISource  = &operation{id: "deleteAPISource", method: http.MethodDelete, path: "/v1/knowledge/api-sources/{id}", repeat: again}
	syncAPISource    = &operation{id: "syncAPISource", method: http.MethodPost, path: "/v1/knowledge/api-sources/{id}/sync", repeat: keyed}
	previewAPISource = &operation{id: "previewAPISource", method: http.MethodPost, path: "/v1/knowledge/api-sources/preview", repeat: again}

	startTraining     = &operation{id: "startTraining", method: http.MethodPost, path: "/v1/train", repeat: keyed}
	getTrainingStatus = &operation{id: "getTrainingStatus", method: http.MethodGet, path: "/v1/train/status", repeat: reads}
	cancelTraining    = &operation{id: "cancelTraining", method: http.MethodPost, path: "/v1/train/cancel", repeat: again}
	listRuns          = &operation{id: "listRuns", method: http.MethodGet, path: "/v1/runs", repeat: reads}
	getRun            = &operation{id: "getRun", method: http.MethodGet, path: "/v1/runs/{id}", repeat: reads}
	listRunEvents     = &operation{id: "listRunEvents", method: http.MethodGet, path: "/v1/runs/{id}/events", repeat: reads, stream: true}
	cancelRun         = &operation{id: "cancelRun", method: http.MethodPost, path: "/v1/runs/{id}/cancel", repeat: again}

	createContent     = &operation{id: "createContent", method: http.MethodPost, path: "/v1/content", repeat: keyed}
	listContent       = &operation{id: "listContent", method: http.MethodGet, path: "/v1/content", repeat: reads}
	getContent        = &operation{id: "getContent", method: http.MethodGet, path: "/v1/content/{id}", repeat: reads, ifNoneMatch: true}
	updateContent     = &operation{id: "updateContent", method: http.MethodPut, path: "/v1/content/{id}", repeat: again, ifMatch: true}
	deleteContent     = &operation{id: "deleteContent", method: http.MethodDelete, path: "/v1/content/{id}", repeat: again}
	createContentBulk = &operation{id: "createContentBulk", method: http.MethodPost, path: "/v1/content/bulk", repeat: keyed, window: true}

	listAPIKeys   = &operation{id: "listAPIKeys", method: http.MethodGet, path: "/v1/api-keys", repeat: reads}
	createAPIKey  = &operation{id: "createAPIKey", method: http.MethodPost, path: "/v1/api-keys", repeat: keyed}
	deleteAPIKey  = &operation{id: "deleteAPIKey", method: http.MethodDelete, path: "/v1/api-keys/{id}", repeat: again}
	rotateAPIKey  = &operation{id: "rotateAPIKey", method: http.MethodPost, path: "/v1/api-keys/{id}/rotate", repeat: keyed}
	listCompanies = &operation{id: "listCompanies", method: http.MethodGet, path: "/v1/companies", repeat: reads}
	createCompany = &operation{id: "createCompany", method: http.MethodPost, path: "/v1/companies", repeat: keyed}
	listAuditLog  = &operation{id: "listAuditLog", method: http.MethodGet, path: "/v1/audit-log", repeat: reads}
)

// check compares the path of a request with that of the operation, below base.
// An id that is empty or "." or ".." makes another path: that of a list, or of
// something else altogether.
func (o *operation) check(base string, u *url.URL) error {
	rest, ok := strings.CutPrefix(u.EscapedPath(), base)
	want := o.path[1:]
	for ok {
		var segment, name string
		var more, wantMore bool
		segment, rest, more = strings.Cut(rest, "/")
		name, want, wantMore = strings.Cut(want, "/")
		ok = more == wantMore && (segment == name || name == "{id}" && segment != "")
		if !more {
			break
		}
	}
	if !ok {
		return fmt.Errorf("client: %s: an id may not be empty, \".\" or \"..\"", o.id)
	}
	return nil
}

// allows says whether the options of a call make sense for the operation.
func (o *operation) allows(s *settings) error {
	switch {
	case s.idempotencyKey != "" && o.repeat != keyed:
		return fmt.Errorf("client: %s takes no WithIdempotencyKey: %s", o.id, o.repeat)
	case s.ifMatch != "" && !o.ifMatch:
		return fmt.Errorf("client: %s takes no WithIfMatch: only calls that update do", o.id)
	case s.ifNoneMatch != "" && !o.ifNoneMatch:
		return fmt.Errorf("client: %s takes no WithIfNoneMatch: only calls that get one thing with an ETag do", o.id)
	}
	return nil
}
