package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

const (
	maxParts = 16       // of a multipart body
	maxField = 64 << 10 // bytes of a field beside the file
)

// UploadFile serves POST /v1/knowledge/files. The file is read and indexed within
// the call.
func (h *handlers) UploadFile(ctx context.Context, r api.UploadFileRequestObject) (api.UploadFileResponseObject, error) {
	d, err := readUpload(r.Body)
	if err != nil {
		return nil, err
	}
	out, err := put(ctx, d)
	if err != nil {
		return nil, err
	}
	written := callOf(ctx).wrote("/v1/knowledge/documents/", out[0])
	callOf(ctx).header.Del("ETag") // the answer is not the document alone
	return api.UploadFile202JSONResponse{Document: documentShape(written)}, nil
}

// formMedia is the type of a body in parts.
const formMedia = "multipart/form-data"

// checkForm says whether a body in parts is there to its last boundary: package
// multipart takes one that is cut between two parts for a whole one.
func checkForm(body []byte, contentType string) error {
	boundary := boundaryOf(contentType)
	if boundary == "" || !bytes.Contains(body, []byte("--"+boundary+"--")) {
		return wrong("body", "is not multipart/form-data as its Content-Type says, or did not arrive whole")
	}
	return nil
}

// boundaryOf returns what parts a body, and "" for one that is not in parts.
func boundaryOf(contentType string) string {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media != formMedia {
		return ""
	}
	return params["boundary"]
}

// readUpload reads the parts of an upload, in any order.
func readUpload(parts *multipart.Reader) (d knowledge.Document, err error) {
	file := false
	seen := map[string]bool{}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF) && file:
			return d, nil
		case errors.Is(err, io.EOF):
			return d, wrong("file", "is missing")
		case err != nil:
			return d, wrong("body", "is not multipart/form-data as its Content-Type says, or did not arrive whole")
		case n == maxParts:
			return d, wrong("body", "has more than %d parts", maxParts)
		}
		name := part.FormName()
		if seen[name] {
			return d, wrong(clip(name), "is there twice")
		}
		seen[name] = true
		if name == "file" {
			file = true
			if err := readFile(&d, part); err != nil {
				return d, err
			}
			continue
		}
		if err := readField(&d, name, part); err != nil {
			return d, err
		}
	}
}

// readFile reads the file itself.
func readFile(d *knowledge.Document, part *multipart.Part) (err error) {
	if part.FileName() == "" {
		return wrong("file", "has no file name")
	}
	if d.Format, err = knowledge.FormatOf(part.FileName(), part.Header.Get("Content-Type")); err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(part, knowledge.MaxText+1))
	switch {
	case err != nil:
		return wrong("file", "did not arrive whole")
	case len(text) > knowledge.MaxText:
		return &problem{requestTooLarge, fmt.Sprintf("file: is larger than the %d bytes a document may have: split it", knowledge.MaxText), map[string]any{"field": "file", "limit": knowledge.MaxText}}
	case len(text) == 0:
		return wrong("file", "is empty")
	}
	d.Text = string(text)
	return nil
}

// readField reads one of the fields beside the file.
func readField(d *knowledge.Document, name string, part *multipart.Part) error {
	text, err := io.ReadAll(io.LimitReader(part, maxField+1))
	switch {
	case err != nil:
		return wrong(clip(name), "did not arrive whole")
	case len(text) > maxField:
		return wrong(clip(name), "is longer than %d bytes", maxField)
	case !utf8.Valid(text):
		return wrong(clip(name), "is not UTF-8")
	}
	switch name {
	case "agent_id":
		d.AgentID = string(text)
	case "external_id":
		d.ExternalID = string(text)
	case "title":
		d.Title = string(text)
	case "url":
		d.URL = string(text)
	case "metadata":
		if len(text) == 0 {
			return nil
		}
		if p := checkJSON(text); p != nil {
			return wrong("metadata", "%s", p.message)
		}
		if json.Unmarshal(text, &d.Metadata) != nil {
			return wrong("metadata", "must be a JSON object")
		}
	default:
		return wrong(clip(name), "is not a field of this request")
	}
	return nil
}
