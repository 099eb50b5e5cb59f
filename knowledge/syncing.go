package knowledge

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/pull"
)

// errNoWayOut is why a source is not read where the library has no client.
var errNoWayOut = &RunError{Kind: "blocked", Message: "this process may not call out: see Options.HTTPClient"}

// puller returns what APIs are read with.
func (l *Library) puller() (*pull.Puller, error) {
	if l.client == nil {
		return nil, errNoWayOut
	}
	return pull.New(l.client, nil)
}

// sync does a run of an API: every item becomes a document of the name that its
// mapping gives it, and what the API does not have any more goes, if all of its list
// was seen.
func (l *Library) sync(ctx context.Context, a *activity) error {
	set, err := settings[apiSettings](a.source)
	if err != nil {
		return err
	}
	src := APISource{Source: a.source, Items: set.Items, Mapping: set.Mapping, Pagination: set.Pagination, MaxItems: set.MaxItems}
	header, err := l.open(ctx, a.lease.Company, a.source.ID, set)
	if err != nil {
		return &RunError{Kind: "auth", Message: err.Error()}
	}
	puller, err := l.puller()
	if err != nil {
		return err
	}
	known, err := l.knownList(ctx, a)
	if err != nil {
		return err
	}
	run, err := puller.Pull(src.pulled(header), known)
	if err != nil {
		return &RunError{Kind: "mapping", Message: invalidPull(err).Error()}
	}
	gone, err := l.live(ctx, a)
	if err != nil {
		return err
	}
	a.at("fetch")
	names, err := lookThrough(ctx, run, func(item pull.Item) error {
		delete(gone, item.ID) // also one that cannot be taken: it is there
		defer func() { a.counted(run.Report()) }()
		return a.item(ctx, item)
	})
	if err != nil {
		return err
	}
	report := run.Report()
	a.counted(report)
	if report.Complete && report.Pages > 1 && len(gone) > 0 {
		again, err := puller.Pull(src.pulled(header), pull.Known{})
		if err != nil {
			return err
		}
		if report.Complete, err = a.lookAgain(ctx, again, names, gone); err != nil {
			return err
		}
	}
	return a.settleSync(ctx, report, gone)
}

// lookThrough calls take for each item of a pull, and returns a sum of their names in their
// order.
func lookThrough(ctx context.Context, run *pull.Run, take func(pull.Item) error) (names [32]byte, err error) {
	sum := sha256.New()
	for item, err := range run.Items(ctx) {
		if e, ok := errors.AsType[*pull.Error](err); ok {
			return names, runErrorOf(e)
		}
		if err != nil {
			return names, err
		}
		_, _ = fmt.Fprintf(sum, "%q ", item.ID) // never fails
		if err := take(item); err != nil {
			return names, err
		}
	}
	return [32]byte(sum.Sum(nil)), nil
}

// lookAgain reads a list of several pages once more before anything is deleted that
// was not seen in it, and reports whether it was the same both times: an item that
// goes away while pages are read moves others past the place where they are read, and
// then something that is there was not seen. If it is seen now, it is not gone.
func (a *activity) lookAgain(ctx context.Context, run *pull.Run, first [32]byte, gone map[string]SourceDocument) (same bool, err error) {
	a.at("verify")
	names, err := lookThrough(ctx, run, func(item pull.Item) error {
		if _, missed := gone[item.ID]; !missed {
			return nil
		}
		delete(gone, item.ID)
		a.count(func(c *Counts) { c.Done, c.Total = c.Done+1, c.Total+1 })
		return a.item(ctx, item)
	})
	report := run.Report()
	a.count(func(c *Counts) { c.Bytes += report.Bytes })
	problem := "the list changed while it was read; what was not seen is kept until a sync reads the same list twice"
	if e, ok := errors.AsType[*RunError](err); ok {
		problem, err = "the list could not be read a second time, and what was not seen is kept: "+e.Message, nil
	}
	if err != nil {
		return false, err
	}
	if report.Complete && names == first {
		return true, nil
	}
	a.tellOf(&RunError{Kind: string(pull.KindMapping), Message: "pagination: " + problem})
	return false, nil
}

// item stages what one item becomes.
func (a *activity) item(ctx context.Context, item pull.Item) error {
	if item.Err != nil {
		a.failed(runErrorOf(item.Err))
		return nil
	}
	w, err := prepare(ctx, syncedDocument(a.source, item))
	if e, ok := errors.AsType[*InvalidError](err); ok {
		a.failed(runErrorOf(unfit(item, e)))
		return nil
	}
	if err != nil {
		return err
	}
	return a.write(ctx, w)
}

// syncedDocument is the document that an item of an API becomes.
func syncedDocument(s Source, item pull.Item) Document {
	d := Document{
		Kind: KindSynced, SourceID: s.ID, AgentID: s.AgentID, ExternalID: item.ID,
		Title: item.Title, URL: item.URL, Text: item.Text, Metadata: mergeMetadata(s.Metadata, item.Metadata, false),
	}
	if item.HTML {
		d.Format = HTML
	}
	return d
}

// unfit is why an item does not become a document.
func unfit(item pull.Item, e *InvalidError) *pull.Error {
	return &pull.Error{Kind: pull.KindMapping, Item: item.ID, Path: e.Field, Message: e.Error()}
}

// settleSync stages that what was not seen is to go, and what the next run compares.
func (a *activity) settleSync(ctx context.Context, report pull.Report, gone map[string]SourceDocument) error {
	a.at("publish")
	if report.End == pull.EndUnchanged {
		a.count(func(c *Counts) { c.Unchanged, c.Done, c.Total = len(gone), len(gone), len(gone) })
		clear(gone)
	}
	if report.Complete && report.Items == 0 && len(gone) > 0 && !a.run.Force {
		return &RunError{Kind: "empty", Message: fmt.Sprintf("the API has answered with no item, where %d came from it before; nothing is deleted: sync it with force if that is right", len(gone))}
	}
	if report.Complete {
		for _, d := range gone {
			if err := a.remove(ctx, d.ID); err != nil {
				return err
			}
		}
	}
	for _, problem := range slices.Sorted(maps.Keys(report.Problems)) {
		a.tellOf(&RunError{Kind: string(pull.KindMapping), Message: fmt.Sprintf("%s (%d times)", problem, report.Problems[problem])})
	}
	if report.Failed > 0 {
		report.Known = pull.Known{} // what failed is tried again
	}
	known, err := json.Marshal(report.Known)
	if err != nil {
		return err
	}
	p := Page{Sequence: 1, URL: a.source.URL, Outcome: "fetched", FetchedAt: time.Now().UTC().Truncate(time.Microsecond), Hash: string(known)}
	if report.End == pull.EndUnchanged {
		p.Outcome = "unchanged"
	}
	return a.page(ctx, p)
}

// knownList returns what the run that was published last learned of the list.
func (l *Library) knownList(ctx context.Context, a *activity) (known pull.Known, err error) {
	if a.run.Force || a.source.PublishedID == "" {
		return known, nil
	}
	published, err := l.runs.Run(ctx, a.lease.Company, a.source.PublishedID)
	if err != nil || published.CreatedAt.Before(a.source.UpdatedAt) {
		return known, err // what it is read as has changed
	}
	page, ok, err := l.sources.Page(ctx, a.lease.Company, a.source.PublishedID, a.source.URL)
	if err != nil || !ok || page.Hash == "" {
		return known, err
	}
	return known, json.Unmarshal([]byte(page.Hash), &known)
}

// liveBatch is how many documents of a source are read at a time.
const liveBatch = 1000

// live returns the documents that a source has, by external id.
func (l *Library) live(ctx context.Context, a *activity) (map[string]SourceDocument, error) {
	out := map[string]SourceDocument{}
	for after := ""; ; {
		docs, err := l.sources.SourceDocuments(ctx, a.lease.Company, a.source.ID, after, liveBatch)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			out[d.ExternalID], after = d, d.ID
		}
		if len(docs) < liveBatch {
			return out, nil
		}
	}
}

// counted notes how far a pull is.
func (a *activity) counted(r pull.Report) {
	a.count(func(c *Counts) {
		c.Done, c.Bytes = r.Items+r.Failed, r.Bytes
		if r.End != "" {
			c.Total = c.Done
		}
	})
}

// runErrorOf is an error of a pull as a run tells it.
func runErrorOf(e *pull.Error) *RunError {
	return &RunError{Kind: string(e.Kind), Message: e.Message, Item: e.Item, Path: e.Path, Status: e.Status, Curl: e.Curl}
}

// sameHost reports whether two addresses are on one host, by one scheme.
func sameHost(a, b string) bool {
	x, err := url.Parse(a)
	y, wrong := url.Parse(b)
	return err == nil && wrong == nil && strings.EqualFold(x.Host, y.Host) && x.Scheme == y.Scheme
}
