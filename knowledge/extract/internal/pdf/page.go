package pdf

import (
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// A page is where the content of one is.
type page struct {
	dict      dict
	resources any
	rotate    int
	box       [4]float64
}

// readPages lists the pages in their order.
func (f *File) readPages() {
	f.pages = nil
	root := f.root()
	if root == nil {
		return
	}
	f.pageTree(root["Pages"], page{box: [4]float64{0, 0, 612, 792}}, map[int]bool{}, 0)
}

func (f *File) pageTree(v any, above page, seen map[int]bool, depth int) {
	if r, ok := v.(ref); ok {
		if seen[r.num] {
			return
		}
		seen[r.num] = true
	}
	d := f.dict(v)
	if d == nil || depth > 48 {
		return
	}
	if d["Resources"] != nil {
		above.resources = d["Resources"]
	}
	if d["Rotate"] != nil {
		above.rotate = (f.int(d["Rotate"])%360 + 360) % 360
	}
	if box := f.array(d["MediaBox"]); len(box) == 4 {
		for i := range box {
			above.box[i] = f.float(box[i])
		}
	}
	if kids := f.array(d["Kids"]); kids != nil && f.name(d["Type"]) != "Page" {
		for _, kid := range kids {
			f.pageTree(kid, above, seen, depth+1)
		}
		return
	}
	if len(f.pages) >= maxPages {
		panic(damaged("more than %d pages", maxPages))
	}
	above.dict = dict{"Contents": d["Contents"]}
	f.pages = append(f.pages, above)
}

// Pages returns how many pages there are.
func (f *File) Pages() int { return len(f.pages) }

// Info is what a file says of itself.
type Info struct {
	Title, Language   string
	Created, Modified time.Time
}

// Info reads what the file says of itself.
func (f *File) Info() (i Info, err error) {
	defer catch(&err)
	d := f.dict(f.trailer["Info"])
	text := func(v any) string {
		s, _ := f.resolve(v).(string)
		return textString(s)
	}
	i.Title = text(d["Title"])
	i.Created, i.Modified = date(text(d["CreationDate"])), date(text(d["ModDate"]))
	i.Language = text(f.root()["Lang"])
	return i, nil
}

// textString reads a string that is meant to be read: UTF-16, UTF-8, or Latin.
func textString(s string) string {
	switch {
	case strings.HasPrefix(s, "\xfe\xff"):
		return utf16Text(s[2:])
	case strings.HasPrefix(s, "\xef\xbb\xbf"):
		return strings.ToValidUTF8(s[3:], "")
	case utf8.ValidString(s):
		return s
	}
	e, _ := charset.Lookup("windows-1252")
	out, err := e.NewDecoder().String(s)
	if err != nil {
		return ""
	}
	return out
}

// date reads D:20260304050607+01'00', of which all but the year may be missing.
func date(s string) time.Time {
	s = strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(s), "D:"), "'", "")
	for _, layout := range []string{"20060102150405Z0700", "20060102150405", "200601021504", "20060102", "200601", "2006"} {
		n := len(strings.TrimSuffix(layout, "Z0700"))
		in := s
		if layout != "20060102150405Z0700" && len(in) > n {
			in = in[:n]
		}
		if t, err := time.Parse(layout, in); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
