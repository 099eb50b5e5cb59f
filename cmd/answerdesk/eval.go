package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent/evals"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// evalFlags are what may be said of evals.
type evalFlags struct {
	documents, junit, baseline, export string
	write, keep                        bool
	repeat                             int
}

// maxRepeat bounds --repeat.
const maxRepeat = 1000

var evalCommand = command{
	name: "eval", takes: "[DIR]", about: "ask what customers ask, and compare the replies with what is expected",
	more: `DIR has files of conversations, whose names end with ` + evals.Extension + `: what the customer
says, and below it what is expected of the reply. docs/evals.md says how to write one.

  -- conversation hours --
  > When do you open?
  outcome: answer
  cites: hours.md "at nine"

They are held with the default agent of a desk, or that of --agent; or, with
--documents, with a desk of that folder's files that is thrown away afterwards. With
files that have documents, settings or tools of their own, an agent is made for them,
and deleted. The conversations are deleted unless --keep is given.

The status is 1 if one of them is not as expected or, with --baseline, if one has
become worse since the baseline was written. --write-baseline writes it.

With --export, and no DIR, prints a conversation that took place as such a file. Who
the user is is left out of it, and what they said is not: look it over.`,
	settings: []setting{
		{
			name: "store", value: "STORE", alias: "data", shared: true, about: storeSetting.about, set: storeSetting.set,
		},
		dataSetting, companySetting, agentSetting, modelSetting, modelURLSetting, modelKeySetting, modelPriceSetting,
		{
			name: "documents", value: "FOLDER", about: "a folder of documents to answer from, in place of a desk",
			set: func(given *call, s string) error { given.eval.documents = s; return nil },
		},
		{
			name: "repeat", value: "N", about: "how often each conversation is held", initial: "1",
			set: func(given *call, s string) (err error) { given.eval.repeat, err = readCount(s, maxRepeat); return err },
		},
		{
			name: "junit", value: "FILE", about: "also write a report as build servers read it",
			set: func(given *call, s string) error { given.eval.junit = s; return nil },
		},
		{
			name: "baseline", value: "FILE", about: "what the conversations came to once: only what is worse is a failure",
			set: func(given *call, s string) error { given.eval.baseline = s; return nil },
		},
		{
			name: "write-baseline", about: "write the file of --baseline",
			set: func(given *call, s string) (err error) { given.eval.write, err = readBool(s); return err },
		},
		{
			name: "keep", about: "leave the conversations on the desk, to be explained",
			set: func(given *call, s string) (err error) { given.eval.keep, err = readBool(s); return err },
		},
		{
			name: "json", about: "print JSON",
			set: func(given *call, s string) (err error) { given.json, err = readBool(s); return err },
		},
		{
			name: "export", value: "ID", about: "the id of a conversation to print as a file",
			set: func(given *call, s string) error { given.eval.export = s; return nil },
		},
	}, max: 1, do: eval,
}

// eval holds the conversations of a folder, or exports one.
func eval(ctx context.Context, given *call) error {
	f := given.eval
	switch {
	case f.export != "" && (len(given.args) > 0 || f.documents != ""):
		return errors.New("--export goes with neither a DIR nor --documents")
	case f.export == "" && len(given.args) == 0:
		return errors.New("DIR is missing: it has files of conversations; or say --export")
	case f.documents == "" && given.store == place{}:
		return errors.New("--store is missing: it says where the desk is; or say --documents")
	case f.documents != "" && (given.company != "" || given.agent != "" || f.keep):
		return errors.New("--documents goes with none of --company, --agent and --keep: it is a desk of its own")
	case f.write && f.baseline == "":
		return errors.New("--write-baseline goes with --baseline, which names the file")
	}
	var baseline evals.Baseline
	var files []evals.File
	var err error
	if f.export == "" {
		if files, err = readEvals(given.args[0]); err != nil {
			return err
		}
	}
	if f.baseline != "" && !f.write {
		if baseline, err = readBaseline(f.baseline); err != nil {
			return err
		}
	}
	company, leave, err := given.evaluated(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if f.export != "" {
		text, err := evals.Export(ctx, company, f.export)
		if err != nil {
			return given.named(err)
		}
		_, err = given.stdout.Write(text)
		return err
	}
	begun := time.Now()
	var results []evals.Result
	for r, err := range evals.Run(ctx, company, files, &evals.Options{AgentID: given.agent, Repeat: f.repeat, Keep: f.keep}) {
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	return given.judge(results, baseline, begun)
}

// readEvals reads the conversations of a folder, or those of one file.
func readEvals(name string) ([]evals.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return evals.Read(os.DirFS(name))
	}
	return evals.ReadFile(os.DirFS(filepath.Dir(name)), filepath.Base(name))
}

func readBaseline(name string) (evals.Baseline, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: is not there: write it with --write-baseline", name)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := evals.ReadBaseline(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// evaluated returns the company that is asked, and what to do afterwards.
func (given *call) evaluated(ctx context.Context) (company *answerdesk.Company, leave func(), err error) {
	if given.eval.documents == "" {
		desk, err := given.open(ctx)
		if err != nil {
			return nil, nil, err
		}
		leave := func() { _ = desk.Close() }
		if company, err = given.of(ctx, desk); err != nil {
			leave()
		}
		return company, leave, err
	}
	model, err := given.model.open()
	if err != nil {
		return nil, nil, err
	}
	folder, err := os.MkdirTemp("", "answerdesk-eval-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { _ = os.RemoveAll(folder) }
	desk, err := place{folder: folder, shown: folder}.open(ctx, answerdesk.Options{Model: model, Models: given.model.named(model)})
	if err != nil {
		remove()
		return nil, nil, err
	}
	leave = func() { _ = desk.Close(); remove() }
	company = desk.Company(desk.ID())
	if err := given.fill(ctx, company); err != nil {
		leave()
		return nil, nil, err
	}
	return company, leave, nil
}

// fill takes in the documents of a folder, known by their paths in it.
func (given *call) fill(ctx context.Context, company *answerdesk.Company) error {
	taken := 0
	for in, err := range company.Knowledge().Ingest(ctx, given.besideEvals()) {
		switch {
		case err != nil:
			return err
		case in.Err != nil && !errors.Is(in.Err, knowledge.ErrFormat):
			say(given.stderr, "refused %s\n", printable(in.Document.ExternalID+": "+reason(in.Err)))
		case in.Err == nil:
			taken++
		}
	}
	if taken == 0 {
		return fmt.Errorf("%s: there are no documents", given.eval.documents)
	}
	return nil
}

// besideEvals yields the documents in the folder that do not belong to the evals,
// which may lie beside what they are about, or in it.
func (given *call) besideEvals() iter.Seq2[knowledge.Document, error] {
	folder := given.eval.documents
	return func(yield func(knowledge.Document, error) bool) {
		for d, err := range knowledge.Files(os.DirFS(folder)) {
			file := filepath.Join(folder, filepath.FromSlash(d.ExternalID))
			ours := path.Ext(d.ExternalID) == evals.Extension || same(file, given.eval.baseline) || same(file, given.eval.junit) ||
				!same(folder, given.args[0]) && below(file, given.args[0])
			if !ours && !yield(d, err) {
				return
			}
		}
	}
}

// same reports whether two paths name one file.
func same(a, b string) bool {
	fa, errA := os.Stat(a)
	fb, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(fa, fb)
}

// below reports whether a file is in a folder or in one of its folders.
func below(file, folder string) bool {
	for parent := filepath.Dir(file); ; parent = filepath.Dir(parent) {
		if same(parent, folder) {
			return true
		}
		if parent == filepath.Dir(parent) {
			return false
		}
	}
}

// judge tells of results, and returns an error if they are not as they should be.
func (given *call) judge(results []evals.Result, baseline evals.Baseline, begun time.Time) error {
	f := given.eval
	if f.junit != "" {
		if err := writeWith(f.junit, func(w io.Writer) error { return evals.JUnit(w, results, begun) }); err != nil {
			return err
		}
	}
	if err := given.showResults(results); err != nil {
		return err
	}
	sum := evals.Sum(results)
	switch {
	case f.write:
		return writeWith(f.baseline, evals.NewBaseline(results).Write)
	case baseline == nil && sum.Always < sum.Conversations:
		return fmt.Errorf("%d of %d conversations are not as expected", sum.Conversations-sum.Always, sum.Conversations)
	case baseline == nil:
		return nil
	}
	worse := baseline.Worse(results)
	for _, line := range worse {
		say(given.stderr, "worse: %s\n", printable(line))
	}
	if len(worse) > 0 {
		return fmt.Errorf("%d conversations are worse than %s says", len(worse), f.baseline)
	}
	return nil
}

func (given *call) showResults(results []evals.Result) error {
	if given.json {
		out := json.NewEncoder(given.stdout)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		return out.Encode(struct {
			Summary evals.Summary  `json:"summary"`
			Results []evals.Result `json:"results"`
		}{evals.Sum(results), results})
	}
	var b bytes.Buffer
	if err := evals.Table(&b, results); err != nil {
		return err
	}
	_, err := io.WriteString(given.stdout, printable(b.String()))
	return err
}

// writeWith writes a file whole.
func writeWith(name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o666)
}
