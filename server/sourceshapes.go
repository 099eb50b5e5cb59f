package server

import (
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/knowledge/pull"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

func websiteShape(w knowledge.Website) api.Website {
	out := api.Website{
		ID: w.ID, URL: w.URL, AgentID: w.AgentID, State: string(w.State()), RunID: w.RunID, QueuePosition: queuePosition(w.Run), Pages: int64(w.Documents),
		LastSuccessAt: w.LastSuccessAt, NextRunAt: w.NextRunAt, Stale: w.Stale(time.Now()),
		Include: w.Include, Exclude: w.Exclude, MaxPages: int32(w.MaxPages), MaxDepth: int32(max(0, w.MaxDepth)), Schedule: w.Schedule, Metadata: w.Metadata,
		CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt,
	}
	if out.Schedule == "" {
		out.Schedule = "never"
	}
	if w.LastError != nil {
		out.LastError = runErrorShape(*w.LastError)
	}
	return out
}

// queuePosition is the place of a run that waits, from 1; 0 if it does not.
func queuePosition(r knowledge.Run) int32 {
	if r.State != knowledge.RunQueued {
		return 0
	}
	return int32(r.Ahead) + 1
}

func pageShape(p knowledge.Page) api.WebsitePage {
	return api.WebsitePage{
		URL: p.URL, Outcome: p.Outcome, Reason: p.Reason, Status: int32(p.Status), Depth: int32(p.Depth), FoundOn: p.FoundOn, RedirectedTo: p.Final,
		DocumentID: p.DocumentID, FetchedAt: p.FetchedAt,
	}
}

func runShape(r knowledge.Run) api.Run {
	out := api.Run{
		ID: r.ID, Kind: string(r.Kind), State: string(r.State), Phase: r.Phase, QueuePosition: queuePosition(r),
		AgentID: r.AgentID, SourceID: r.SourceID, ParentID: r.ParentID, Progress: progressShape(r), Attempts: int32(r.Attempts),
		EstimatedEndAt: r.Estimate(time.Now()), KnowledgeRevision: r.Revision, CreatedAt: r.CreatedAt, StartedAt: r.StartedAt, EndedAt: r.EndedAt,
	}
	if r.Error != nil {
		out.Error = runErrorShape(*r.Error)
	}
	return out
}

func progressShape(r knowledge.Run) api.RunProgress {
	c := r.Counts
	out := api.RunProgress{
		Fraction: r.Progress(), Total: int64(c.Total), Done: int64(c.Done), Created: int64(c.Created), Updated: int64(c.Updated),
		Unchanged: int64(c.Unchanged), Deleted: int64(c.Deleted), Skipped: int64(c.Skipped), Failed: int64(c.Failed), Bytes: c.Bytes,
	}
	if len(c.Errors) > 0 {
		out.Errors = make(map[string]int64, len(c.Errors))
		for kind, n := range c.Errors {
			out.Errors[kind] = int64(n)
		}
	}
	return out
}

func runErrorShape(e knowledge.RunError) api.RunError {
	return api.RunError{Kind: e.Kind, Message: e.Message, Item: e.Item, Path: e.Path, Status: int32(e.Status), Curl: e.Curl}
}

func runEventShape(e knowledge.RunEvent) api.RunEvent {
	out := api.RunEvent{Sequence: e.Sequence, Type: e.Type, Item: e.Item, CreatedAt: e.CreatedAt}
	if e.Type != knowledge.RunItemFailed { // which counts nothing
		r := knowledge.Run{Counts: e.Counts}
		if e.Type == knowledge.RunIsCompleted {
			r.State = knowledge.RunCompleted
		}
		out.Progress = progressShape(r)
	}
	if e.Error != nil {
		out.Error = runErrorShape(*e.Error)
	}
	return out
}

func apiSourceShape(a knowledge.APISource) api.APISource {
	out := api.APISource{
		ID: a.ID, Name: a.Name, URL: a.URL, AgentID: a.AgentID, State: string(a.State()), RunID: a.RunID, QueuePosition: queuePosition(a.Run), Documents: int64(a.Documents),
		LastSuccessAt: a.LastSuccessAt, NextRunAt: a.NextRunAt, Stale: a.Stale(time.Now()),
		AuthType: string(a.Auth.Kind), HeaderNames: a.HeaderNames, Items: a.Items, Mapping: mappingShape(a.Mapping), Pagination: paginationShape(a.Pagination),
		MaxItems: int32(a.MaxItems), Schedule: a.Schedule, Metadata: a.Metadata, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
	if out.MaxItems == 0 {
		out.MaxItems = defaultItems
	}
	if out.Schedule == "" {
		out.Schedule = "never"
	}
	if a.LastError != nil {
		out.LastError = runErrorShape(*a.LastError)
	}
	return out
}

// defaultItems is how many items of an API are read where it is not said.
const defaultItems = 100_000

func mappingShape(m pull.Mapping) api.APISourceMapping {
	return api.APISourceMapping{ID: m.ID, Title: m.Title, URL: m.URL, Text: m.Text, Texts: m.Texts, Metadata: m.Metadata, Flatten: m.Flatten}
}

func paginationShape(p pull.Pagination) api.APISourcePagination {
	out := api.APISourcePagination{
		Type: string(p.Kind), Parameter: p.Param, FromZero: p.FromZero, Size: int32(p.Size), SizeParameter: p.SizeParam, Path: p.Path, More: p.More,
	}
	if p.Kind == pull.None {
		out.Type = "none"
	}
	return out
}

func previewShape(p pull.Preview) api.APISourcePreview {
	out := api.APISourcePreview{
		Total: int64(p.Total), Paths: shapes(p.Paths, foundShape), AnswerPaths: shapes(p.Answer, foundShape),
		SuggestedItems: p.Items, SuggestedMapping: mappingShape(p.Mapping), Documents: shapes(p.Sample, sampleShape), Problems: p.Problems,
	}
	if p.Total > 0 {
		out.SuggestedPagination = paginationShape(p.Pagination)
	}
	if out.Problems == nil {
		out.Problems = []string{}
	}
	return out
}

func foundShape(f pull.Found) api.FoundPath {
	return api.FoundPath{Path: f.Path, Types: f.Types, Count: int64(f.Count), Example: f.Example}
}

func sampleShape(i pull.Item) api.PreviewDocument {
	out := api.PreviewDocument{Index: int32(i.Index), ID: i.ID, Title: i.Title, Text: i.Text, URL: i.URL, Metadata: i.Metadata}
	for _, p := range i.Problems {
		out.Problems = append(out.Problems, p.String())
	}
	if e := i.Err; e != nil {
		out.Error = api.RunError{Kind: string(e.Kind), Message: e.Message, Item: e.Item, Path: e.Path, Status: int32(e.Status), Curl: e.Curl}
	}
	return out
}
