package server

import (
	"context"
	"errors"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// UploadFile serves POST /v1/knowledge/files. The file is read and indexed within
// the call, which is recorded as a run.
func (h *handlers) UploadFile(ctx context.Context, _ api.UploadFileRequestObject) (api.UploadFileResponseObject, error) {
	c := callOf(ctx)
	taken, err := c.takeFile(ctx)
	if err != nil {
		return nil, err
	}
	run, err := c.company.Knowledge().Run(ctx, taken.RunID)
	if err != nil {
		return nil, err
	}
	written := c.wrote("/v1/knowledge/documents/", taken.WrittenDocument)
	c.header.Del("ETag") // the answer is not the document alone
	return api.UploadFile202JSONResponse{Document: documentShape(written), Run: runShape(run)}, nil
}

// takeFile stores the document that was uploaded, or finds the one that the same
// request stored before.
func (c *call) takeFile(ctx context.Context) (knowledge.TakenFile, error) {
	result, ok := c.made()
	if !ok {
		return c.company.Knowledge().PutFile(ctx, c.upload.File)
	}
	out, err := put(ctx)
	if err != nil {
		return knowledge.TakenFile{}, err
	}
	return knowledge.TakenFile{WrittenDocument: out[0], RunID: knowledge.RunOf(result)}, nil
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
