package knowledge

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// leastSnapshot is how many passages an index has at least that is worth a file:
// fewer are read from the store in a tenth of a second.
const leastSnapshot = 2000

// snapshots are files with the indexes of companies, so that a large one need not
// be made anew when a process starts. The store is the truth: a file that is gone,
// damaged or of another time costs time and nothing else.
//
// A file holds no text but words do stand in it. When a document is deleted, the
// file that knows it is removed: by the process that has the index in memory, at
// once, or else by [Library.Tidy].
type snapshots struct {
	folder string // empty: there are none
	log    *slog.Logger
}

// A snapshotTag says what a file is an index of.
type snapshotTag struct {
	Company  string `json:"company"`
	Revision int64  `json:"revision"`
}

const (
	snapshotExt  = ".index"
	snapshotPart = "*.part" // one that is being written
)

// A snapshot is a file: its name says the company and the revision, as
// "cmp_….17.index".
type snapshot struct {
	name     string
	company  string
	revision int64
}

// list returns the files there are, or those of one company, newest first.
func (s *snapshots) list(company string) []snapshot {
	if s.folder == "" {
		return nil
	}
	entries, err := os.ReadDir(s.folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("the folder of indexes cannot be read", "error", err)
	}
	var list []snapshot
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), snapshotExt)
		of, number, _ := strings.Cut(name, ".")
		revision, err := strconv.ParseInt(number, 10, 64)
		if ok && err == nil && (company == "" || of == company) {
			list = append(list, snapshot{e.Name(), of, revision})
		}
	}
	slices.SortFunc(list, func(a, b snapshot) int { return cmp.Compare(b.revision, a.revision) })
	return list
}

// partsKept is how long a file that is being written may take.
const partsKept = time.Hour

// removeParts removes what processes have left that were broken off while they wrote.
func (s *snapshots) removeParts() {
	left, _ := filepath.Glob(filepath.Join(s.folder, snapshotPart)) // the pattern is well formed
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > partsKept {
			_ = os.Remove(path) // or the next time
		}
	}
}

// remove removes the files of a company.
func (s *snapshots) remove(company string) {
	for _, f := range s.list(company) {
		s.removeFile(f)
	}
}

func (s *snapshots) removeFile(f snapshot) {
	if err := os.Remove(filepath.Join(s.folder, f.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("the file of an index could not be removed", "company", f.company, "error", err)
	}
}

// write writes the index of a company as it is at a revision, in place of the files
// that are there.
func (s *snapshots) write(company string, x *index.Index, revision int64) (err error) {
	tag, err := json.Marshal(snapshotTag{company, revision})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.folder, snapshotPart) // readable by nobody else
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := errors.Join(x.Snapshot(f, tag), f.Close()); err != nil {
		return err
	}
	before := s.list(company)
	name := company + "." + strconv.FormatInt(revision, 10) + snapshotExt
	if err := os.Rename(f.Name(), filepath.Join(s.folder, name)); err != nil {
		return err
	}
	for _, old := range before {
		if old.name != name {
			s.removeFile(old)
		}
	}
	return nil
}

// read puts a company's file into an index and returns the revision it was
// written at; false if there is none that can be used. Files of more than most
// bytes cannot.
func (s *snapshots) read(company string, x *index.Index, most int64) (revision int64, ok bool) {
	files := s.list(company)
	if len(files) == 0 {
		return 0, false
	}
	err := s.restore(files[0], x, most)
	if errors.Is(err, fs.ErrNotExist) { // another process has written a newer one
		return 0, false
	}
	if err != nil {
		s.log.Warn("the file of an index cannot be used, so the index is made anew", "company", company, "error", err)
		s.remove(company)
		return 0, false
	}
	return files[0].revision, true
}

func (s *snapshots) restore(f snapshot, x *index.Index, most int64) error {
	data, err := readAtMost(filepath.Join(s.folder, f.name), most)
	if err != nil {
		return err
	}
	raw, err := x.Restore(data)
	if err != nil {
		return err
	}
	var tag snapshotTag
	err = json.Unmarshal(raw, &tag)
	if err == nil && tag != (snapshotTag{f.company, f.revision}) {
		err = errors.New("it is of another company or revision than its name says")
	}
	if err != nil {
		x.Clear() // of what may be another company's
	}
	return err
}

// readAtMost reads a file of no more than most bytes.
func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, fmt.Errorf("it has %d bytes, more than %d", info.Size(), most)
	}
	data := make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}
