package server

import (
	"context"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// UploadAttachment serves POST /v1/attachments. The file is read within the call.
func (h *handlers) UploadAttachment(ctx context.Context, _ api.UploadAttachmentRequestObject) (api.UploadAttachmentResponseObject, error) {
	c := callOf(ctx)
	var a agent.Attachment
	var err error
	if made, ok := c.made(); ok {
		a, err = c.company.Attachments().Get(ctx, made)
	} else {
		a, err = c.company.Attachments().PutFile(ctx, c.upload.File)
	}
	if err != nil {
		return nil, err
	}
	return api.UploadAttachment201JSONResponse{
		ID: a.ID, Name: a.Name, MediaType: a.MediaType, Size: int64(a.Size), CreatedAt: a.CreatedAt, ExpiresAt: a.ExpiresAt,
	}, nil
}

func attachmentRefs(refs []api.AttachmentRef) []agent.AttachmentRef {
	var out []agent.AttachmentRef
	for _, r := range refs {
		out = append(out, agent.AttachmentRef{ID: r.ID})
	}
	return out
}
