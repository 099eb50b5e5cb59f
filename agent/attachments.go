package agent

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// attachmentLife is how long an attachment is kept that no message names.
const attachmentLife = 24 * time.Hour

// Attachments keeps files for messages. One that a message names is kept as long as
// its conversation; others for 24 hours.
type Attachments struct {
	engine  *Engine
	company string
	request store.Request
}

// Attachments returns the attachments of a company.
func (e *Engine) Attachments(company string) *Attachments {
	return &Attachments{engine: e, company: company}
}

// By returns the attachments as added for a request: Put completes its receipt with
// the attachment's id.
func (as *Attachments) By(r store.Request) *Attachments {
	by := *as
	by.request = r
	return &by
}

// Put reads a file and keeps its text, up to [MaxAttachment]. The name tells what
// kind of file it is where its bytes do not show. A file that cannot be taken is a
// [knowledge.FileError]. It is read into memory: see PutFile for large ones.
func (as *Attachments) Put(ctx context.Context, name string, r io.Reader) (Attachment, error) {
	content, err := io.ReadAll(io.LimitReader(r, knowledge.MaxFile+1))
	if err != nil {
		return Attachment{}, fmt.Errorf("attachment: %w", err)
	}
	return as.PutFile(ctx, knowledge.File{Name: name, Content: bytes.NewReader(content), Size: int64(len(content))})
}

// PutFile is Put for a file that is not in memory. Of f the document is not used.
func (as *Attachments) PutFile(ctx context.Context, f knowledge.File) (Attachment, error) {
	name := path.Base(strings.ReplaceAll(f.Name, `\`, "/"))
	if err := checkText("file", name, 1, 256); err != nil {
		return Attachment{}, err
	}
	f.Document = knowledge.Document{}
	text, format, err := knowledge.TextOf(ctx, f, MaxAttachment)
	if err != nil {
		return Attachment{}, err
	}
	a := Attachment{
		ID: id.New(id.Attachment), Name: name, MediaType: format.MediaType(), Size: int(f.Size),
		Text: strings.ReplaceAll(text, "\x00", ""), CreatedAt: stamp(),
	}
	a.ExpiresAt = a.CreatedAt.Add(attachmentLife)
	return a, as.engine.store.PutAttachment(ctx, as.request.Ending(as.request.Commit(as.company), a.ID), a)
}

// Get returns an attachment with its text.
func (as *Attachments) Get(ctx context.Context, attachmentID string) (Attachment, error) {
	canonical, err := parseAs(id.Attachment, "attachment", attachmentID)
	if err != nil {
		return Attachment{}, err
	}
	list, err := as.engine.store.Attachments(ctx, as.company, []string{canonical})
	if err == nil && len(list) == 0 {
		err = store.NotFound("attachment", canonical)
	}
	if err != nil {
		return Attachment{}, err
	}
	return list[0], nil
}

// attachments returns the files of a message that are still there.
func (e *Engine) attachments(ctx context.Context, company string, refs []AttachmentRef) ([]Attachment, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	ids := make([]string, len(refs))
	for i, ref := range refs {
		ids[i] = ref.ID
	}
	list, err := e.store.Attachments(ctx, company, ids)
	if err != nil {
		return nil, fmt.Errorf("attachments: %w", err)
	}
	return list, nil
}
