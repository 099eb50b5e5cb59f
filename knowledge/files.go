package knowledge

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge/extract"
)

// A FileError says why a file could not be taken.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.Err }

// Files yields a document for every file of text, Markdown or HTML below roots, or
// below the top of fsys if none are given. Its external id is the file's path,
// which is also in its metadata as "path". A file that cannot be taken yields a
// [FileError], and the walk goes on; with an external id in the document that
// comes with it. Files and folders whose names begin with a full stop are passed
// over, and so are links to folders.
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
					doc, err = readFile(fsys, name)
				}
				if errors.Is(err, errFolder) {
					return nil
				}
				if err != nil {
					doc, err = Document{ExternalID: name}, &FileError{Path: name, Err: reason(err)}
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

// readFile reads one file as a document.
func readFile(fsys fs.FS, name string) (Document, error) {
	info, err := fs.Stat(fsys, name) // before opening, since opening a pipe waits for its writer
	switch {
	case err != nil:
		return Document{}, err
	case info.IsDir():
		return Document{}, errFolder
	case !info.Mode().IsRegular():
		return Document{}, errors.New("is not a regular file")
	case info.Size() > MaxText:
		return Document{}, tooLarge(info.Size())
	}
	f, err := fsys.Open(name)
	if err != nil {
		return Document{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxText+1))
	if err != nil {
		return Document{}, err
	}
	if len(data) > MaxText {
		return Document{}, tooLarge(int64(len(data)))
	}
	format, err := extract.FormatOf(name, data)
	if err != nil {
		return Document{}, err
	}
	return Document{
		ExternalID: name, Format: Format(format), Text: string(data), Metadata: map[string]any{"path": name},
	}, nil
}

// FormatOf tells the format of a file that was sent by its media type and, if that
// is missing or generic, as application/octet-stream is, by the extension of its
// name. A file that is neither text, Markdown nor HTML, or that is not in UTF-8, is
// refused with an error that wraps [ErrFormat].
func FormatOf(name, contentType string) (Format, error) {
	f, err := extract.FormatOfType(name, contentType)
	return Format(f), err
}

func tooLarge(size int64) error {
	return fmt.Errorf("%d bytes are more than the %d a document may have: split it", size, MaxText)
}

// reason leaves out of an error the path that a [FileError] gives.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
