package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// sourceFlags are what may be said of a source.
type sourceFlags struct {
	website knowledge.Website
	force   bool
	known   bool // only pages that are known
}

var sourcesAddCommand = command{
	name: "sources add", takes: "URL", about: "add a website to answer from",
	more: `Adds a website, whose pages become documents, and prints its id. It is read by
a server on this desk, or by answerdesk sources read. Robots.txt is obeyed.

A pattern of include and exclude is written as in robots.txt: /docs/ is each path
that begins with it, * any run of characters, and $ the end.`,
	settings: []setting{
		storeSetting, dataSetting, companySetting, agentSetting,
		{
			name: "include", value: "LIST", about: "only pages whose path fits one of these patterns",
			set: func(given *call, s string) error { given.source.website.Include = strings.Split(s, ","); return nil },
		},
		{
			name: "exclude", value: "LIST", about: "no page whose path fits one of these patterns",
			set: func(given *call, s string) error { given.source.website.Exclude = strings.Split(s, ","); return nil },
		},
		{
			name: "max-pages", value: "N", about: "how many pages to take", initial: strconv.Itoa(knowledge.DefaultPages),
			set: func(given *call, s string) (err error) {
				given.source.website.MaxPages, err = readCount(s, knowledge.MaxPages)
				return err
			},
		},
		{
			name: "max-depth", value: "N", about: "how many links away from the first page, 0 for it alone", initial: strconv.Itoa(knowledge.DefaultDepth),
			set: func(given *call, s string) (err error) {
				given.source.website.MaxDepth, err = readDepth(s)
				return err
			},
		},
		{
			name: "schedule", value: "WHEN", about: `when a server reads it again: never, hourly, daily, weekly, monthly or a cron expression such as "30 3 * * *"`, initial: "never",
			set: func(given *call, s string) error {
				given.source.website.Schedule = s
				return plainly(knowledge.CheckSchedule(s))
			},
		},
	},
	min: 1, max: 1, do: addSource,
}

var sourcesListCommand = command{
	name: "sources list", about: "show where documents come from, and how it stands",
	more: `Shows the websites and APIs that are read, newest first: how they stand, how many
documents they have, and when they were read last and are read next.`,
	settings: []setting{storeSetting, dataSetting, companySetting},
	do:       listSources,
}

var sourcesReadCommand = command{
	name: "sources read", takes: "ID", about: "read a source now, and wait for it",
	more: `Reads a website or an API, as a server does when it is due, and shows how far it
is. Nothing of it is found before all of it is. What was interrupted goes on when
this is called again, or in a server.`,
	settings: []setting{
		storeSetting, dataSetting, companySetting, devSetting, networksSetting,
		{
			name: "force", about: "read also what says that it has not changed",
			set: func(given *call, s string) (err error) { given.source.force, err = readBool(s); return err },
		},
		{
			name: "known", about: "of a website only the pages that are documents already",
			set: func(given *call, s string) (err error) { given.source.known, err = readBool(s); return err },
		},
	},
	min: 1, max: 1, do: readSource,
}

var sourcesReportCommand = command{
	name: "sources report", takes: "ID", about: "show what became of each address of a website",
	more: `Shows every address that the latest crawl has seen, what became of it, and why it
was not taken if it was not.`,
	settings: []setting{storeSetting, dataSetting, companySetting},
	min:      1, max: 1, do: reportSource,
}

var sourcesRemoveCommand = command{
	name: "sources remove", takes: "ID", about: "delete a source with all its documents",
	more: `When it returns, nothing that came from the source is found or quoted any more.
It cannot be undone.`,
	settings: []setting{storeSetting, dataSetting, companySetting},
	min:      1, max: 1, do: removeSource,
}

func addSource(ctx context.Context, given *call) error {
	desk, err := given.store.open(ctx, answerdesk.Options{})
	if err != nil {
		return err
	}
	defer desk.Close()
	return given.knowledge(ctx, desk, func(kb *knowledge.Base) error {
		w := given.source.website
		w.URL, w.AgentID = given.args[0], given.agent
		if w, err = kb.AddWebsite(ctx, w); err != nil {
			return err
		}
		_, err = fmt.Fprintln(given.stdout, w.ID)
		return err
	})
}

func listSources(ctx context.Context, given *call) error {
	return given.withKnowledge(ctx, answerdesk.Options{}, func(_ desk, kb *knowledge.Base) error {
		table := tabwriter.NewWriter(given.stdout, 0, 0, 2, ' ', 0)
		say(table, "ID\tKIND\tSTATE\tDOCUMENTS\tREAD\tNEXT\tURL\n") // Flush has the error
		for p := (store.Page{Limit: store.MaxLimit}); ; {
			l, err := kb.Sources(ctx, "", p)
			if err != nil {
				return err
			}
			for _, s := range l.Data {
				state := string(s.State())
				if s.LastError != nil {
					state += " (" + s.LastError.Kind + ")"
				}
				say(table, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", s.ID, s.Kind, state, s.Documents, day(s.LastSuccessAt), day(s.NextRunAt), oneLine(s.URL))
			}
			if !l.HasMore {
				return table.Flush()
			}
			p.Cursor = l.NextCursor
		}
	})
}

func readSource(ctx context.Context, given *call) error {
	o := answerdesk.Options{AllowNetworks: given.serving.networks()}
	return given.withKnowledge(ctx, o, func(desk desk, kb *knowledge.Base) error {
		run, err := kb.ReadSource(ctx, given.args[0], &knowledge.RunOptions{Force: given.source.force, NoNewPages: given.source.known})
		if err != nil {
			return err
		}
		working, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- desk.Run(working) }()
		err = given.watch(ctx, kb, run.ID)
		stop()
		return errors.Join(err, <-ended)
	})
}

// watch shows how far a run is until it has ended, and returns why it failed if it
// did.
func (given *call) watch(ctx context.Context, kb *knowledge.Base, runID string) error {
	bar := newProgress(given.stderr, "reading", func() int { return 1 })
	defer bar.end()
	for e, err := range kb.WatchRun(ctx, runID, 0) {
		if err != nil {
			return err
		}
		bar.of(e.Counts.Total, e.Counts.Done)
		if e.Type == knowledge.RunItemFailed {
			bar.interrupt()
			say(given.stderr, "failed %s\n", printable(e.Item+": "+e.Error.Message))
		}
	}
	run, err := kb.Run(ctx, runID)
	if err != nil {
		return err
	}
	bar.end()
	c := run.Counts
	switch run.State {
	case knowledge.RunFailed:
		if run.Error.Curl != "" {
			say(given.stderr, "try it: %s\n", printable(run.Error.Curl))
		}
		return run.Error
	case knowledge.RunCancelled:
		return fmt.Errorf("run %s was cancelled", run.ID)
	}
	_, err = fmt.Fprintf(given.stdout, "%d created, %d updated, %d unchanged, %d deleted, %d skipped, %d failed\n",
		c.Created, c.Updated, c.Unchanged, c.Deleted, c.Skipped, c.Failed)
	return err
}

func reportSource(ctx context.Context, given *call) error {
	return given.withKnowledge(ctx, answerdesk.Options{}, func(_ desk, kb *knowledge.Base) error {
		table := tabwriter.NewWriter(given.stdout, 0, 0, 2, ' ', 0)
		say(table, "OUTCOME\tREASON\tSTATUS\tDEPTH\tURL\n") // Flush has the error
		for p := (store.Page{Limit: store.MaxLimit}); ; {
			l, err := kb.WebsiteReport(ctx, given.args[0], p)
			if err != nil {
				return err
			}
			for _, page := range l.Data {
				url := page.URL
				if page.Final != "" && page.Final != url {
					url += " -> " + page.Final
				}
				say(table, "%s\t%s\t%d\t%d\t%s\n", page.Outcome, page.Reason, page.Status, page.Depth, oneLine(url))
			}
			if !l.HasMore {
				return table.Flush()
			}
			p.Cursor = l.NextCursor
		}
	})
}

func removeSource(ctx context.Context, given *call) error {
	return given.withKnowledge(ctx, answerdesk.Options{}, func(_ desk, kb *knowledge.Base) error {
		out, err := kb.DeleteSource(ctx, given.args[0])
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(given.stdout, "%s is deleted, with %d passages; %d replies have lost a quote\nout of reach: %s\n",
			given.args[0], out.Passages, out.Replies, strings.Join(out.OutOfReach, "; "))
		return err
	})
}

// withKnowledge opens a desk that must be there, and does something with what the
// company that was named knows.
func (given *call) withKnowledge(ctx context.Context, o answerdesk.Options, do func(desk, *knowledge.Base) error) error {
	switch empty, err := given.store.empty(ctx); {
	case err != nil:
		return err
	case empty:
		return given.noDesk()
	}
	desk, err := given.store.open(ctx, o)
	if err != nil {
		return err
	}
	defer desk.Close()
	return given.knowledge(ctx, desk, func(kb *knowledge.Base) error { return do(desk, kb) })
}

func (given *call) knowledge(ctx context.Context, desk desk, do func(*knowledge.Base) error) error {
	company, err := given.of(ctx, desk)
	if err != nil {
		return err
	}
	return do(company.By(store.Request{Actor: operator}).Knowledge())
}

// readDepth reads how many links away pages may be, as a [knowledge.Website] has it.
func readDepth(s string) (int, error) {
	if s == "0" {
		return -1, nil // 0 is the default there
	}
	n, err := readCount(s, knowledge.MaxDepth)
	if err != nil {
		return 0, fmt.Errorf("%q is no whole number from 0 to %d", s, knowledge.MaxDepth)
	}
	return n, nil
}

// readCount reads a whole number from 1 to the most there may be.
func readCount(s string, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%q is no whole number from 1 to %d", s, most)
	}
	return n, nil
}
