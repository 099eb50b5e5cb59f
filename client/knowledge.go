package client

import (
	"context"
	"iter"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// Knowledge is what agents answer from.
type Knowledge struct {
	Documents  *Documents  // any text
	Files      *Files      // uploads that become documents
	QAPairs    *QAPairs    // questions with their answers
	Websites   *Websites   // sites whose pages become documents
	APISources *APISources // APIs whose items become documents

	client *Client
}

// Search returns the passages that a reply to the query would be made from, the
// best first.
func (k *Knowledge) Search(ctx context.Context, req api.SearchRequest, opts ...Option) (*api.SearchResults, error) {
	return send[api.SearchResults](ctx, k.client, searchKnowledge, opts)(raw.NewSearchKnowledgeRequest(k.client.server, req))
}

// Documents are the texts of a company.
type Documents struct{ client *Client }

// Create adds a document, or replaces the one with the same external id. When it
// returns, searches find it.
func (d *Documents) Create(ctx context.Context, req api.DocumentRequest, opts ...Option) (*api.Document, error) {
	return send[api.Document](ctx, d.client, createDocument, opts)(raw.NewCreateDocumentRequest(d.client.server, nil, req))
}

// Get reads a document with its text.
func (d *Documents) Get(ctx context.Context, id string, opts ...Option) (*api.Document, error) {
	return send[api.Document](ctx, d.client, getDocument, opts)(raw.NewGetDocumentRequest(d.client.server, id, nil))
}

// List returns a page of documents without their texts, newest first. A nil
// params means the first page of all.
func (d *Documents) List(ctx context.Context, params *api.ListDocumentsParams, opts ...Option) (*api.DocumentList, error) {
	return send[api.DocumentList](ctx, d.client, listDocuments, opts)(raw.NewListDocumentsRequest(d.client.server, params))
}

// All yields the documents that List has, over all pages.
func (d *Documents) All(ctx context.Context, params *api.ListDocumentsParams, opts ...Option) iter.Seq2[*api.Document, error] {
	return all(params, func(p *api.ListDocumentsParams) **string { return &p.Cursor },
		func(p *api.ListDocumentsParams) (*api.DocumentList, error) { return d.List(ctx, p, opts...) })
}

// Update changes what patch sets, and returns the document without its text.
func (d *Documents) Update(ctx context.Context, id string, patch api.DocumentPatch, opts ...Option) (*api.Document, error) {
	return send[api.Document](ctx, d.client, updateDocument, opts)(raw.NewUpdateDocumentRequest(d.client.server, id, nil, patch))
}

// Delete deletes a document with all its versions. When it returns, no search,
// reply or citation holds the text.
func (d *Documents) Delete(ctx context.Context, id string, opts ...Option) (*api.DeletionReceipt, error) {
	return send[api.DeletionReceipt](ctx, d.client, deleteDocument, opts)(raw.NewDeleteDocumentRequest(d.client.server, id))
}

// Versions returns a page of the texts that a document has had and that are still
// kept, newest first. A nil params means the first page.
func (d *Documents) Versions(ctx context.Context, id string, params *api.ListDocumentVersionsParams, opts ...Option) (*api.DocumentVersionList, error) {
	return send[api.DocumentVersionList](ctx, d.client, listDocumentVersions, opts)(raw.NewListDocumentVersionsRequest(d.client.server, id, params))
}

// Rollback gives a document an earlier text again, which becomes a new version, and
// returns the document without its text.
func (d *Documents) Rollback(ctx context.Context, id string, version int64, opts ...Option) (*api.Document, error) {
	return send[api.Document](ctx, d.client, rollbackDocument, opts)(raw.NewRollbackDocumentRequest(d.client.server, id, nil, api.RollbackRequest{Version: version}))
}

// Replies returns a page of the replies that cite a document, newest first. A nil
// params means the first page.
func (d *Documents) Replies(ctx context.Context, id string, params *api.ListDocumentRepliesParams, opts ...Option) (*api.ReplyList, error) {
	return send[api.ReplyList](ctx, d.client, listDocumentReplies, opts)(raw.NewListDocumentRepliesRequest(d.client.server, id, params))
}

// QAPairs are questions with their answers.
type QAPairs struct{ client *Client }

// Create adds or replaces one pair, or all of req.Items, and returns them in the
// order given.
func (q *QAPairs) Create(ctx context.Context, req api.QAPairsRequest, opts ...Option) (*api.QAPairs, error) {
	return send[api.QAPairs](ctx, q.client, createQAPairs, opts)(raw.NewCreateQAPairsRequest(q.client.server, nil, req))
}

// Get reads a pair with its answer.
func (q *QAPairs) Get(ctx context.Context, id string, opts ...Option) (*api.QAPair, error) {
	return send[api.QAPair](ctx, q.client, getQAPair, opts)(raw.NewGetQAPairRequest(q.client.server, id, nil))
}

// List returns a page of pairs without their answers, newest first. A nil params
// means the first page of all.
func (q *QAPairs) List(ctx context.Context, params *api.ListQAPairsParams, opts ...Option) (*api.QAPairList, error) {
	return send[api.QAPairList](ctx, q.client, listQAPairs, opts)(raw.NewListQAPairsRequest(q.client.server, params))
}

// All yields the pairs that List has, over all pages.
func (q *QAPairs) All(ctx context.Context, params *api.ListQAPairsParams, opts ...Option) iter.Seq2[*api.QAPair, error] {
	return all(params, func(p *api.ListQAPairsParams) **string { return &p.Cursor },
		func(p *api.ListQAPairsParams) (*api.QAPairList, error) { return q.List(ctx, p, opts...) })
}

// Update changes what patch sets, and returns the pair.
func (q *QAPairs) Update(ctx context.Context, id string, patch api.QAPairPatch, opts ...Option) (*api.QAPair, error) {
	return send[api.QAPair](ctx, q.client, updateQAPair, opts)(raw.NewUpdateQAPairRequest(q.client.server, id, nil, patch))
}

// Delete deletes a pair. When it returns, no search, reply or citation holds its
// answer.
func (q *QAPairs) Delete(ctx context.Context, id string, opts ...Option) (*api.DeletionReceipt, error) {
	return send[api.DeletionReceipt](ctx, q.client, deleteQAPair, opts)(raw.NewDeleteQAPairRequest(q.client.server, id))
}
