package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/server"
)

var sourcesPreviewCommand = command{
	name: "sources preview", takes: "FILE", about: "ask a REST API what it has, and show how it could be mapped",
	more: `The file is JSON as POST /v1/knowledge/api-sources takes it, such as
{"name": "Shop", "url": "https://shop.example/api/articles"}, with auth where the
API wants it. Without items and mapping they are suggested. Nothing is stored.`,
	settings: []setting{devSetting, networksSetting},
	min:      1, max: 1, do: previewSource,
}

var sourcesAddAPICommand = command{
	name: "sources add-api", takes: "FILE", about: "add a REST API to answer from",
	more: `Adds an API, whose items become documents, and prints its id. It is read by a
server on this desk, or by answerdesk sources read. The file is JSON as
POST /v1/knowledge/api-sources takes it; its secrets are sealed with the master key
before they are stored.`,
	settings: []setting{storeSetting, dataSetting, companySetting},
	min:      1, max: 1, do: addAPISource,
}

// maxSourceFile bounds the file that describes an API.
const maxSourceFile = 1 << 20

// readAPISource reads the file that describes an API.
func readAPISource(name string) (req api.APISourceRequest, err error) {
	f, err := os.Open(name)
	if err != nil {
		return req, err
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxSourceFile+1))
	if err != nil {
		return req, err
	}
	if len(body) > maxSourceFile {
		return req, fmt.Errorf("%s is larger than %d bytes", name, maxSourceFile)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return req, fmt.Errorf("%s: %w", name, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return req, fmt.Errorf("%s: there is more behind the object", name)
	}
	return req, nil
}

func previewSource(ctx context.Context, given *call) error {
	req, err := readAPISource(given.args[0])
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "answerdesk-preview-") // nothing is stored, but a desk has a place
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	desk, err := answerdesk.Open(ctx, dir, &answerdesk.Options{AllowNetworks: given.serving.networks()})
	if err != nil {
		return err
	}
	defer desk.Close()
	preview, err := caller(desk, desk.ID()).Knowledge.APISources.Preview(ctx, api.APISourcePreviewRequest{
		URL: req.URL, Auth: req.Auth, Headers: req.Headers, Items: req.Items, Mapping: req.Mapping, Pagination: req.Pagination,
	})
	if err != nil {
		return told(err)
	}
	if _, err := io.WriteString(given.stdout, printable(showPreview(preview))); err != nil {
		return err
	}
	if preview.Error.Kind != "" {
		if preview.Error.Curl != "" {
			say(given.stderr, "try it: %s\n", printable(preview.Error.Curl))
		}
		return fmt.Errorf("%s: %s", preview.Error.Kind, preview.Error.Message)
	}
	return nil
}

func addAPISource(ctx context.Context, given *call) error {
	req, err := readAPISource(given.args[0])
	if err != nil {
		return err
	}
	desk, err := given.store.open(ctx, answerdesk.Options{})
	if err != nil {
		return err
	}
	defer desk.Close()
	company, err := given.of(ctx, desk)
	if err != nil {
		return err
	}
	source, err := caller(desk.Desk, company.ID()).Knowledge.APISources.Create(ctx, req)
	if err != nil {
		return told(err)
	}
	_, err = fmt.Fprintln(given.stdout, source.ID)
	return err
}

// caller returns a client of a desk in this process, for what is written as the API
// has it.
func caller(desk *answerdesk.Desk, company string) *client.Client {
	return server.Client(desk, access.Principal{ID: operator, Company: company, Scope: access.ScopeFull, Plan: access.PlanUnlimited})
}

// told leaves out of an error of the client that it was a request.
func told(err error) error {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return errors.New(e.Message)
	}
	return err
}

// showPreview renders a preview: what the API has, how it could be mapped, and what
// its items become.
func showPreview(p *api.APISourcePreview) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d items in the answer\n", p.Total)
	for _, part := range []struct {
		title string
		paths []api.FoundPath
	}{{"AROUND THE ITEMS", p.AnswerPaths}, {"IN THE ITEMS", p.Paths}} {
		if len(part.paths) == 0 {
			continue
		}
		table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		say(table, "\n%s\tTYPE\tCOUNT\tEXAMPLE\n", part.title)
		for _, f := range part.paths {
			say(table, "%s\t%s\t%d\t%s\n", f.Path, strings.Join(f.Types, ", "), f.Count, oneLine(f.Example))
		}
		_ = table.Flush() // to memory
	}
	if suggested := suggestion(p); suggested != "" {
		fmt.Fprintf(&b, "\nSUGGESTED\n%s\n", suggested)
	}
	if len(p.Documents) > 0 {
		table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		say(table, "\nID\tTITLE\tTEXT\tURL\tPROBLEMS\n")
		for _, d := range p.Documents {
			problems := d.Problems
			if d.Error.Kind != "" {
				problems = append(problems, d.Error.Message)
			}
			say(table, "%s\t%s\t%s\t%s\t%s\n", oneLine(d.ID), cut(d.Title), cut(d.Text), d.URL, cut(strings.Join(problems, "; ")))
		}
		_ = table.Flush()
	}
	for _, problem := range p.Problems {
		fmt.Fprintf(&b, "\nproblem: %s", oneLine(problem))
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// suggestion is what the file of the source could say, as JSON.
func suggestion(p *api.APISourcePreview) string {
	out, err := json.MarshalIndent(struct {
		Items      string                  `json:"items,omitzero"`
		Mapping    api.APISourceMapping    `json:"mapping"`
		Pagination api.APISourcePagination `json:"pagination,omitzero"`
	}{p.SuggestedItems, p.SuggestedMapping, p.SuggestedPagination}, "", "  ")
	if err != nil || p.Total == 0 {
		return ""
	}
	return string(out)
}

// cut is the beginning of a text, in a line with others.
func cut(s string) string {
	s = oneLine(s)
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}
