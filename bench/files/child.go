package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ledongthuc/pdf"

	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/knowledge/extract"
)

// figures are what a child process tells of its reading.
type figures struct {
	CPU, Wall          time.Duration
	Memory, Size, Text int64 // bytes; Memory at most, beside what there was before
}

// measure reads a file once.
func measure(ctx context.Context) error {
	info, err := os.Stat(*place)
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	before, err := machine.Memory()
	if err == nil {
		err = machine.ForgetPeak()
	}
	if err != nil {
		return err
	}
	cpu, begun := machine.CPU(), time.Now()
	read := readOurs
	if *child == peer {
		if read = readXML; filepath.Ext(*place) == ".pdf" {
			read = readPDF
		}
	}
	text, err := read(ctx, *place)
	if err != nil {
		return err
	}
	f := figures{CPU: machine.CPU() - cpu, Wall: time.Since(begun), Size: info.Size(), Text: int64(len(text))}
	after, err := machine.Memory()
	if err != nil {
		return err
	}
	f.Memory = after.Peak - before.Resident
	for n := range *pages {
		if !strings.Contains(text, title(n)) && !strings.Contains(strings.ReplaceAll(text, "\n", ""), title(n)) {
			return fmt.Errorf("%q is not in the text", title(n))
		}
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// readOurs reads a file as an upload is read.
func readOurs(ctx context.Context, path string) (_ string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	format, err := extract.Recognize(path, "", f, info.Size())
	if err != nil {
		return "", err
	}
	res, err := extract.ExtractReader(ctx, format, f, info.Size(), nil)
	if err != nil {
		return "", err
	}
	seen := 0
	for _, b := range res.Blocks {
		if b.Kind != extract.Heading || seen == *pages || !strings.Contains(res.Text[b.Start:b.End], title(seen)) {
			continue
		}
		if seen++; format == extract.PDF && b.Page != seen {
			return "", fmt.Errorf("%q is said to stand on page %d", title(seen-1), b.Page)
		}
	}
	if seen != *pages {
		return "", fmt.Errorf("%d headings of %d are told from the text", seen, *pages)
	}
	return res.Text, nil
}

// readPDF reads a PDF as the documentation of the library does.
func readPDF(_ context.Context, path string) (_ string, err error) {
	f, r, err := pdf.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := r.GetPlainText()
	if err != nil {
		return "", err
	}
	var buf bytes.Buffer
	_, err = buf.ReadFrom(text)
	return buf.String(), err
}

// readXML reads the characters of a Word file's paragraphs.
func readXML(_ context.Context, path string) (_ string, err error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	part, err := z.Open("word/document.xml")
	if err != nil {
		return "", err
	}
	var out strings.Builder
	inText := false
	for dec := xml.NewDecoder(part); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			inText = t.Name.Local == "t"
		case xml.EndElement:
			if inText = false; t.Name.Local == "p" {
				out.WriteByte('\n')
			}
		case xml.CharData:
			if inText {
				out.Write(t)
			}
		}
	}
}
