package knowledge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"mime"
	"path"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge/extract"
	"github.com/answerdesk-go/answerdesk/store"
)

// MaxFile is the largest file that is read, in bytes. Of text, Markdown, HTML, CSV
// and JSON no more than 32 MiB are read.
const MaxFile = extract.MaxFile

// Why a file could not be taken, where callers may want to tell: see [FileError]
// and [ErrFormat].
var (
	ErrFileTooLarge = extract.ErrTooLarge // it, what is packed in it, or its text
	ErrNoText       = extract.ErrNoText   // it is empty, or nothing but pictures, as a scan is
	ErrPassword     = extract.ErrPassword
	ErrDamaged      = extract.ErrDamaged // it is not what its format promises, or not all there
)

// A FileError says why a file could not be taken, and what to do about it.
type FileError struct {
	Path string // or the name that the file was sent under
	Err  error
}

func (e *FileError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.Err }

// A File is a document that is read from a file.
type File struct {
	Document // Text and Format are those of the file

	// Name is the file's, of which the extension tells what kind of text is in it;
	// and it is the title where neither the file nor the external id has one.
	Name string

	// ContentType is the media type that the file was sent with, if any. It tells
	// what kind of text is in a file of text, and in which charset, where the bytes
	// do not show otherwise.
	ContentType string

	Content io.ReaderAt
	Size    int64 // of Content, in bytes: up to [MaxFile]
}

// A TakenFile is the document that a file became, without its text, and what was
// done.
type TakenFile struct {
	WrittenDocument
	RunID string // of the run of kind [RunFile] that tells when it was taken
}

// PutFile puts a document that is read from a file, as [Base.Put] does, and records
// that as a run. A file that is stored just as given, by its external id, is not
// read any further. One that cannot be taken is a [FileError]. A receipt of the
// request tells of the run too: see [RunOf].
func (b *Base) PutFile(ctx context.Context, f File) (TakenFile, error) {
	d, err := f.document()
	if err != nil {
		return TakenFile{}, err
	}
	runID := id.New(id.Run)
	b = b.recording(runID)
	w, err := b.known(ctx, d)
	if errors.Is(err, store.ErrNotFound) {
		w, err = prepare(ctx, d)
	}
	if err != nil {
		return TakenFile{}, err
	}
	for {
		w.RunID = runID
		out, err := b.write(ctx, b.request.Ending(b.commit("document.put", ""), b.result()), []Write{w})
		switch {
		case err == nil:
			return TakenFile{WrittenDocument: out[0], RunID: runID}, nil
		case !w.KeepText || !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrNotFound):
			return TakenFile{}, alone(err)
		}
		if w, err = prepare(ctx, d); err != nil { // it has changed, or gone, since it was found to be the same
			return TakenFile{}, err
		}
	}
}

// recording returns the same knowledge for a step that a run is recorded with: the
// request's receipt, if it has one, is to name it.
func (b *Base) recording(runID string) *Base {
	by := *b
	if b.request.Receipt != nil {
		receipt := *b.request.Receipt
		receipt.Result = runID
		by.request.Receipt = &receipt
	}
	return &by
}

// known returns the write that leaves a document as it is, which is stored just as
// given, or a [store.NotFoundError].
func (b *Base) known(ctx context.Context, d Document) (Write, error) {
	same, hashes, err := b.compare(ctx, d)
	if err != nil {
		return Write{}, err
	}
	if same[0] {
		l, err := b.List(ctx, Filter{AgentID: d.AgentID, ExternalID: d.ExternalID}, store.Page{Limit: store.MaxLimit})
		if err != nil {
			return Write{}, err
		}
		for _, there := range l.Data {
			if there.SourceID == "" && (d.AgentID != "" || there.AgentID == "") {
				return Write{Document: there, KeepText: true, IfUpdated: there.UpdatedAt, Hash: hashes[0]}, nil
			}
		}
	}
	return Write{}, store.NotFound("document", clip(d.ExternalID, 64))
}

// document returns the document that the file is, which is read when it is put.
func (f File) document() (Document, error) {
	_, params, _ := mime.ParseMediaType(f.ContentType) // a bad one says nothing
	d := f.Document
	d.Text = ""
	d.file = &file{
		name: f.Name, charset: params["charset"], size: f.Size,
		open: func(read func(io.ReaderAt, int64) error) error { return read(f.Content, f.Size) },
	}
	err := d.file.recognize(f.ContentType, &d.Format)
	return d, err
}

// Files yields a document for every file below roots, or below the top of fsys if
// none are given, of the formats that package extract reads: text, Markdown, HTML,
// CSV, JSON, PDF, and those of Word, PowerPoint and Excel. Its external id is the
// file's path, which is also in its metadata as "path"; its text is read when it is
// put. A file that cannot be taken yields a [FileError], and the walk goes on; with
// an external id in the document that comes with it. Files and folders whose names
// begin with a full stop are passed over, and so are links to folders.
func Files(fsys fs.FS, roots ...string) iter.Seq2[Document, error] {
	if len(roots) == 0 {
		roots = []string{"."}
	}
	return func(yield func(Document, error) bool) {
		for _, root := range roots {
			err := fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
				if hidden(name) && name != root {
					if d != nil && d.IsDir() {
						return fs.SkipDir
					}
					return nil
				}
				var doc Document
				if err == nil {
					if d.IsDir() {
						return nil
					}
					doc, err = fileIn(fsys, name)
				}
				if errors.Is(err, errFolder) {
					return nil
				}
				if err != nil {
					doc, err = Document{ExternalID: name}, fileError(name, err)
				}
				if !yield(doc, err) {
					return errLeft
				}
				if d != nil && d.IsDir() {
					return fs.SkipDir // it could not be read
				}
				return nil
			})
			if err != nil {
				return // errLeft: WalkDir has none of its own, the function above told all
			}
		}
	}
}

func hidden(name string) bool { return strings.HasPrefix(path.Base(name), ".") && name != "." }

var (
	errFolder = errors.New("is a folder")       // a link leads to one
	errLeft   = errors.New("the loop was left") // ends a walk
)

// fileIn returns the document that a file of a file system is.
func fileIn(fsys fs.FS, name string) (Document, error) {
	f := &file{name: name}
	f.open = func(read func(io.ReaderAt, int64) error) error { return openIn(fsys, name, read) }
	d := Document{ExternalID: name, Metadata: map[string]any{"path": name}, file: f}
	err := f.recognize("", &d.Format)
	return d, err
}

// openIn opens a file of a file system for as long as read takes.
func openIn(fsys fs.FS, name string, read func(io.ReaderAt, int64) error) error {
	info, err := fs.Stat(fsys, name) // before opening, since opening a pipe waits for its writer
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errFolder
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if at, ok := f.(io.ReaderAt); ok {
		return read(at, info.Size())
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return err
	}
	return read(bytes.NewReader(data), int64(len(data)))
}

// A file is what a document is read from when it is put.
type file struct {
	name    string
	charset string // under which it was sent, if it was
	size    int64  // in bytes, when it was first looked at
	open    func(read func(content io.ReaderAt, size int64) error) error
}

// read opens the file and has it read. What goes wrong is a [FileError].
func (f *file) read(read func(content io.ReaderAt, size int64) error) error {
	err := f.open(func(content io.ReaderAt, size int64) error {
		switch {
		case size > MaxFile:
			return fmt.Errorf("%w: %d bytes, at most %d: split it", ErrFileTooLarge, size, MaxFile)
		case size <= 0:
			return fmt.Errorf("%w: it is empty", ErrNoText)
		}
		return read(content, size)
	})
	return fileError(f.name, err)
}

// recognize tells the format of the file.
func (f *file) recognize(contentType string, format *Format) error {
	return f.read(func(content io.ReaderAt, size int64) error {
		found, err := extract.Recognize(f.name, contentType, content, size)
		*format, f.size = Format(found), size
		return err
	})
}

// fileError says which file an error is about, once. The paths in it are not told:
// they are those of this machine.
func fileError(name string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*FileError](err); ok {
		return e
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return &FileError{Path: name, Err: err}
}
