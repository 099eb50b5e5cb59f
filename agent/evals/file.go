package evals

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// Extension is what the name of a file of evals ends with.
const Extension = ".txtar"

// maxFile bounds a file of evals, in bytes.
const maxFile = 8 << 20

// A File is a file of evals: conversations, and what they are held with. With
// documents, settings or tools its conversations are held with an agent of their
// own; with documents, it answers from those alone.
type File struct {
	Name          string // its path
	About         string // the text at its top
	Conversations []Conversation

	documents []knowledge.Document
	settings  json.RawMessage // of an object, laid over the agent's; nil: none
	tools     []tool
	places    map[string]int // the lines that sections begin on, by their names
}

// A Conversation is what a customer says, and what is expected of the replies.
type Conversation struct {
	Name   string // unique in its file
	Line   int    // where it begins, from 1
	Repeat int    // how often it is held; 0 means [Options.Repeat]

	turns []turn
}

// A turn is a message, and what is expected of the reply to it.
type turn struct {
	line    int
	text    string
	context map[string]any
	decided map[string]bool // whether calls of a tool, by its name, are approved
	expect  []expectation
}

// A SyntaxError says what is wrong in a file of evals, and where.
type SyntaxError struct {
	File string
	Line int
	Text string
}

// Error implements error.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text) }

// Read reads all files of evals in fsys, by their names, those in folders too. If
// some cannot be read, its error holds a [SyntaxError] for each fault in them.
func Read(fsys fs.FS) ([]File, error) {
	var files []File
	var faults []error
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != Extension {
			return err
		}
		more, err := ReadFile(fsys, name)
		files, faults = append(files, more...), append(faults, err)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no file whose name ends with %s", Extension)
	}
	return files, nil
}

// ReadFile is [Read] for one file.
func ReadFile(fsys fs.FS, name string) ([]File, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s: is larger than %d bytes", name, maxFile)
	}
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	f, err := parse(fsys, name, text)
	if err != nil {
		return nil, err
	}
	return []File{f}, nil
}

// A reader takes a file apart, and notes what is wrong with it.
type reader struct {
	fsys   fs.FS
	file   File
	faults []error
}

func (r *reader) fault(line int, format string, args ...any) {
	r.faults = append(r.faults, &SyntaxError{File: r.file.Name, Line: line, Text: fmt.Sprintf(format, args...)})
}

// parse reads a file. Paths in it are relative to its folder in fsys.
func parse(fsys fs.FS, name string, text []byte) (File, error) {
	archive := txtar.Parse(text)
	r := &reader{fsys: fsys, file: File{Name: name, About: strings.TrimSpace(string(archive.Comment)), places: map[string]int{}}}
	var documents txtar.Archive
	line := 1 + bytes.Count(archive.Comment, []byte("\n"))
	for _, section := range archive.Files {
		begins := line + 1 // the line of its name is no part of it
		if before, twice := r.file.places[section.Name]; twice {
			r.fault(line, "there is a section %q already, at line %d", section.Name, before)
		}
		r.file.places[section.Name] = line
		kind, rest, _ := strings.Cut(section.Name, " ")
		switch rest = strings.TrimSpace(rest); {
		case kind == "conversation":
			r.conversation(rest, line, string(section.Data))
		case kind == "tool" && rest != "":
			r.tool(rest, begins, string(section.Data))
		case section.Name == "settings":
			r.settings(begins, section.Data)
		case section.Name == "documents":
			r.documents(begins, string(section.Data))
		case !strings.Contains(section.Name, "."):
			r.fault(line, "%q is no section: there are conversation, settings, documents, tool NAME, and documents, whose names end as those of files do, such as hours.md", section.Name)
		default:
			documents.Files = append(documents.Files, section)
		}
		line = begins + bytes.Count(section.Data, []byte("\n"))
	}
	r.archived(documents)
	if len(r.file.Conversations) == 0 && len(r.faults) == 0 {
		r.fault(1, "there is no conversation in it: begin one with -- conversation --")
	}
	return r.file, errors.Join(r.faults...)
}

// settings reads a section of settings.
func (r *reader) settings(line int, data []byte) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(new(agent.Settings)); err != nil {
		if at, ok := errors.AsType[*json.SyntaxError](err); ok {
			line += bytes.Count(data[:min(int(at.Offset), len(data))], []byte("\n"))
		}
		r.fault(line, "settings: must be a JSON object of settings of an agent, such as {\"threshold\": 0.6}: %v", err)
		return
	}
	r.file.settings = data
}

// documents reads a section that names files and folders of documents.
func (r *reader) documents(line int, data string) {
	for text := range strings.Lines(data) {
		if name := strings.TrimSpace(text); name != "" && !strings.HasPrefix(name, "#") {
			r.take(r.fsys, path.Join(path.Dir(r.file.Name), name), line)
		}
		line++
	}
}

// archived reads the documents in the file itself.
func (r *reader) archived(a txtar.Archive) {
	if len(a.Files) == 0 {
		return
	}
	fsys, err := txtar.FS(&a)
	if err != nil {
		r.fault(1, "documents: %v", err)
		return
	}
	for _, f := range a.Files {
		r.take(fsys, f.Name, r.file.places[f.Name])
	}
}

// take reads documents of a file or folder.
func (r *reader) take(fsys fs.FS, name string, line int) {
	if !fs.ValidPath(name) {
		r.fault(line, "%s: is outside of the folder of the evals", name)
		return
	}
	n := 0
	for d, err := range knowledge.Files(fsys, name) {
		if d.ExternalID != name && (errors.Is(err, knowledge.ErrFormat) || path.Ext(d.ExternalID) == Extension) {
			continue // a picture, or the like, or evals, in a folder
		}
		if err != nil {
			r.fault(line, "%v", err)
			continue
		}
		r.file.documents = append(r.file.documents, d)
		n++
	}
	if n == 0 && len(r.faults) == 0 {
		r.fault(line, "%s: has no documents", name)
	}
}
