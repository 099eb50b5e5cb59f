package server

import (
	"context"
	"errors"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// UploadFile serves POST /v1/knowledge/files. The file is read and indexed within
// the call.
func (h *handlers) UploadFile(ctx context.Context, _ api.UploadFileRequestObject) (api.UploadFileResponseObject, error) {
	out, err := putFile(ctx)
	if err != nil {
		return nil, err
	}
	written := callOf(ctx).wrote("/v1/knowledge/documents/", out)
	callOf(ctx).header.Del("ETag") // the answer is not the document alone
	return api.UploadFile202JSONResponse{Document: documentShape(written)}, nil
}

// putFile stores the document that was uploaded, or finds the one that the same
// request stored before.
func putFile(ctx context.Context) (knowledge.WrittenDocument, error) {
	c := callOf(ctx)
	if _, ok := c.made(); ok {
		out, err := put(ctx)
		if err != nil {
			return knowledge.WrittenDocument{}, err
		}
		return out[0], nil
	}
	return c.company.Knowledge().PutFile(ctx, c.upload.File)
}

// fileProblem says why a file could not be taken.
func fileProblem(e *knowledge.FileError) *problem {
	p := wrong("file", "%s", strings.TrimPrefix(e.Err.Error(), "file "))
	switch {
	case errors.Is(e.Err, knowledge.ErrFormat):
		p.code = unsupportedMediaType
	case errors.Is(e.Err, knowledge.ErrFileTooLarge):
		p.code = requestTooLarge
	}
	return p
}
