package extract

import (
	"archive/zip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// What an Office file may make of itself when it is unpacked. Text packs to a
// tenth of its size, the sheets of workbooks to a fiftieth, bombs to less than a
// two hundredth.
const (
	maxEntries  = 10_000
	maxInflated = 256 << 20 // of all parts that are read
	maxRatio    = 200
	freeRatio   = 4 << 20 // bytes a part may have at any ratio
	maxToken    = 8 << 20 // bytes of XML without an end of a tag
	maxDepth    = 256     // of elements
)

// An archive is the parts of an Office file. None of them is held in memory.
type archive struct {
	ctx   context.Context
	files map[string]*zip.File
	left  int64 // bytes that may still be unpacked
}

func openArchive(ctx context.Context, r io.ReaderAt, size int64) (*archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w: not a zip archive, which Office files are: %v", ErrDamaged, err)
	}
	if len(z.File) > maxEntries {
		return nil, fmt.Errorf("%w: it packs %d files, at most %d", ErrTooLarge, len(z.File), maxEntries)
	}
	a := &archive{ctx: ctx, files: make(map[string]*zip.File, len(z.File)), left: maxInflated}
	for _, f := range z.File {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		if a.files[name] == nil {
			a.files[name] = f
		}
	}
	return a, nil
}

// errNoPart says that an archive has no part of that name.
var errNoPart = errors.New("part is missing")

// open opens a part as XML.
func (a *archive) open(name string) (*xmlPart, error) {
	f := a.files[strings.ToLower(strings.TrimPrefix(name, "/"))]
	if f == nil {
		return nil, fmt.Errorf("%w: %.80q: %w", ErrDamaged, name, errNoPart)
	}
	rc, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %.80q: %v", ErrDamaged, name, err)
	}
	x := &xmlPart{name: name, closer: rc}
	x.limit = limitedPart{a: a, r: rc, packed: int64(f.CompressedSize64)}
	x.d = xml.NewDecoder(&x.limit)
	x.d.CharsetReader = charsetOfXML
	return x, nil
}

// limitedPart counts what is unpacked, of this part and of all, and how much of
// it goes by without a token.
type limitedPart struct {
	a            *archive
	r            io.Reader
	packed, read int64
	token        int64
}

func (l *limitedPart) Read(p []byte) (int, error) {
	if err := l.a.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := l.r.Read(p)
	l.read += int64(n)
	l.token += int64(n)
	l.a.left -= int64(n)
	switch {
	case l.a.left < 0:
		return 0, fmt.Errorf("%w: it unpacks to more than %d bytes", ErrTooLarge, maxInflated)
	case l.read > freeRatio && l.read/maxRatio > l.packed:
		return 0, fmt.Errorf("%w: it unpacks to more than %d times its size, as bombs do", ErrTooLarge, maxRatio)
	case l.token > maxToken:
		return 0, fmt.Errorf("%w: %d bytes without an end of a tag", ErrTooLarge, maxToken)
	}
	return n, err
}

// An xmlPart is a part that is read tag by tag.
type xmlPart struct {
	name   string
	d      *xml.Decoder
	limit  limitedPart
	closer io.Closer
	depth  int
	err    error // why it ended, if not at its end
}

// Close closes the part.
func (x *xmlPart) Close() {
	x.closer.Close()
}

// next returns the next tag or text, or nil at the end and where nothing more
// can be read. Documents with a DTD are refused, and with it every entity that
// is not of XML itself.
func (x *xmlPart) next() xml.Token {
	for x.err == nil {
		tok, err := x.d.RawToken()
		x.limit.token = 0
		if err != nil {
			if !errors.Is(err, io.EOF) || x.depth != 0 {
				x.fail(err)
			}
			return nil
		}
		switch tok.(type) {
		case xml.StartElement:
			if x.depth++; x.depth > maxDepth {
				x.fail(fmt.Errorf("elements are nested more than %d deep", maxDepth))
				return nil
			}
		case xml.EndElement:
			if x.depth--; x.depth < 0 {
				x.fail(errors.New("an end without a beginning"))
				return nil
			}
		case xml.Directive:
			x.fail(errors.New("a document type stands in it, which Office files have none of"))
			return nil
		case xml.CharData:
		default:
			continue // comments and instructions
		}
		return tok
	}
	return nil
}

func (x *xmlPart) fail(err error) {
	if errors.Is(err, ErrTooLarge) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		x.err = err
		return
	}
	x.err = fmt.Errorf("%w: %.80q: %v", ErrDamaged, x.name, err)
}

// skip reads on behind the end of the element that began last.
func (x *xmlPart) skip() {
	for depth := x.depth; x.depth >= depth; {
		if x.next() == nil {
			return
		}
	}
}

// each calls do for each element right below the one that began last, up to its
// end. What do leaves unread of an element is passed over.
func (x *xmlPart) each(do func(e xml.StartElement)) {
	depth := x.depth
	for {
		switch tok := x.next().(type) {
		case nil:
			return
		case xml.StartElement:
			e := tok.Copy()
			do(e)
			for x.depth > depth && x.err == nil {
				if x.next() == nil {
					return
				}
			}
		case xml.EndElement:
			if x.depth < depth {
				return
			}
		}
	}
}

// text returns the characters of the element that began last and of all in it.
func (x *xmlPart) text() string {
	var b strings.Builder
	for depth := x.depth; x.depth >= depth; {
		switch tok := x.next().(type) {
		case nil:
			return b.String()
		case xml.CharData:
			b.Write(tok)
		}
	}
	return b.String()
}

// attr returns the value of an attribute by its name without prefix.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// on reports whether an element that switches something does so: <w:b/> and
// <w:b w:val="1"/> do, <w:b w:val="false"/> does not.
func on(e xml.StartElement) bool {
	switch attr(e, "val") {
	case "0", "false", "off", "none":
		return false
	}
	return true
}

// relations returns the targets of a part's relations by their id, and by the
// last element of their type where that is asked for by "type:".
func (a *archive) relations(part string) (map[string]string, error) {
	dir, base := path.Split(part)
	x, err := a.open(dir + "_rels/" + base + ".rels")
	if errors.Is(err, errNoPart) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer x.Close()
	rels := map[string]string{}
	for {
		tok := x.next()
		if tok == nil {
			return rels, x.err
		}
		e, ok := tok.(xml.StartElement)
		if !ok || e.Name.Local != "Relationship" || attr(e, "TargetMode") == "External" {
			continue
		}
		target := attr(e, "Target")
		if !strings.HasPrefix(target, "/") {
			target = path.Join("/", dir, target)
		}
		target = strings.TrimPrefix(path.Clean(target), "/")
		rels[attr(e, "Id")] = target
		if kind := "type:" + path.Base(attr(e, "Type")); rels[kind] == "" {
			rels[kind] = target
		}
	}
}
