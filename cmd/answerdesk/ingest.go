package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

var ingestCommand = command{
	name: "ingest", takes: "PATH...", about: "take in files and folders of documents",
	more: `Text, Markdown, HTML, CSV, JSON, PDF and the files of Word, PowerPoint and Excel
are read, up to 100 MB each. What kind a file is of is told by what is in it and, if
that is text, by its name.

A document is known by the absolute path of its file, whichever way the path is
spelled here: ingesting it again replaces what has changed, and costs nothing for
what has not. A file that is not there any more stays in the desk. Files and
folders whose names begin with a full stop are passed over, and so are links to
folders.

Without --agent all the agents of the company may use the documents; with one,
that agent alone. The desk is made if it is not there; another process may have it
open meanwhile.

A file that cannot be taken is named with the reason, and the others go on. The
status is 1 if a PATH cannot be read at all, or if nothing could be taken.`,
	settings: []setting{storeSetting, dataSetting, companySetting, agentSetting}, min: 1, max: -1, do: ingest,
}

func ingest(ctx context.Context, given *call) error {
	inputs := given.inputs()
	if len(inputs) == 0 {
		return errors.New("nothing to read")
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
	agentID := ""
	if given.agent != "" {
		a, err := company.Agent(given.agent).Get(ctx)
		if err != nil {
			return given.named(err)
		}
		agentID = a.ID
	}

	taken := map[knowledge.Status]int{}
	refused := 0
	bar := newProgress(given.stderr, "ingesting", func() int { return count(inputs) })
	var failed error
	for in, err := range company.Knowledge().Ingest(ctx, documents(inputs, agentID)) {
		if err != nil {
			failed = given.named(err)
			break
		}
		if in.Err != nil {
			refused++
			bar.interrupt()
			say(given.stderr, "refused %s\n", printable(in.Document.ExternalID+": "+reason(in.Err)))
		} else {
			taken[in.Status]++
		}
		bar.advance()
	}
	bar.end()
	_, err = fmt.Fprintf(given.stdout, "%d created, %d updated, %d unchanged, %d refused\n",
		taken[knowledge.Created], taken[knowledge.Updated], taken[knowledge.Unchanged], refused)
	switch {
	case failed != nil || err != nil:
		return errors.Join(failed, err)
	case len(inputs) < len(given.args):
		return fmt.Errorf("%d of %d paths could not be read", len(given.args)-len(inputs), len(given.args))
	case len(taken) == 0 && refused > 0:
		return errors.New("nothing could be taken")
	case len(taken) == 0:
		say(given.stderr, "there are no files there\n")
	}
	return nil
}

// An input is a file or folder named by the caller.
type input struct {
	fsys fs.FS
	root string // a file in fsys, or "." for all of it
	top  string // the absolute path of fsys
	desk string // what the paths of the desk's own files begin with, if it has any
}

// inputs returns those of the arguments that can be read, and says of the others
// why not.
func (given *call) inputs() []input {
	var readable []input
	for _, arg := range given.args {
		in, err := newInput(arg, given.store)
		if err != nil {
			say(given.stderr, "cannot read %s\n", printable(arg+": "+reason(err)))
			continue
		}
		readable = append(readable, in)
	}
	return readable
}

func newInput(arg string, store place) (input, error) {
	top, err := filepath.Abs(arg)
	if err != nil {
		return input{}, err
	}
	desk, err := store.file()
	if err != nil {
		return input{}, err
	}
	info, err := os.Stat(top)
	if err != nil {
		return input{}, err
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return input{}, errors.New("is neither a file nor a folder")
	}
	f, err := os.Open(top)
	if err != nil {
		return input{}, err
	}
	defer f.Close()
	root := "."
	if !info.IsDir() {
		top, root = filepath.Split(top)
	}
	return input{fsys: os.DirFS(top), root: root, top: top, desk: desk}, nil
}

// documents yields the documents of all inputs, known by their absolute paths.
func documents(inputs []input, agentID string) iter.Seq2[knowledge.Document, error] {
	return func(yield func(knowledge.Document, error) bool) {
		for _, in := range inputs {
			for d, err := range knowledge.Files(in.fsys, in.root) {
				file := filepath.Join(in.top, filepath.FromSlash(d.ExternalID))
				if in.desk != "" && strings.HasPrefix(file, in.desk) {
					continue
				}
				d.AgentID, d.ExternalID = agentID, filepath.ToSlash(file)
				if err == nil {
					d.Metadata["path"] = d.ExternalID
				}
				if !yield(d, err) {
					return
				}
			}
		}
	}
}

// count returns how many files there are to look at, for the progress bar.
func count(inputs []input) (n int) {
	for _, in := range inputs {
		_ = fs.WalkDir(in.fsys, in.root, func(name string, d fs.DirEntry, err error) error {
			hidden := name != in.root && strings.HasPrefix(path.Base(name), ".")
			switch {
			case err != nil || hidden && d.IsDir():
				return fs.SkipDir
			case !d.IsDir() && !hidden:
				n++
			}
			return nil
		})
	}
	return n
}

// reason leaves out of an error the path that is told before it.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	if e, ok := errors.AsType[*knowledge.FileError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
