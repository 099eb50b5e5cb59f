package crawl

import (
	"path"
	"strings"
)

// An entry is an address of the site and what is known of it in this run.
type entry struct {
	key string
	way
	state   state
	reason  Reason // of a held entry
	outcome Outcome
	to      *entry // that this one redirects to
	alone   bool   // its canonical link does not count

	duplicate bool // of one that was read
}

// A way is how an address was found.
type way struct {
	foundOn string
	listed  string // a sitemap's date
	depth   int
	hops    int    // redirects that led here, the last of them
	from    *entry // here

	entrance bool // the site's own address, or where that redirects
	sitemap  bool // a sitemap lists it
	recheck  bool // the caller knows it; its links are not followed
}

// state says where an entry stands.
type state uint8

const (
	queued  state = iota
	held          // not to be visited, unless a better way to it is found
	asked         // a request is under way
	waiting       // a duplicate, if its canonical page can be read
	done          // visited
)

// An answer to a question that may be too early.
type verdict uint8

const (
	yes verdict = iota
	no
	later
)

// readable says whether the content of e, or of where e redirects, is had. A
// nil e is not had.
func (e *entry) readable() verdict {
	for e != nil && e.outcome == Moved {
		e = e.to // no circle: a redirect that leads back has failed
	}
	switch {
	case e == nil:
		return no
	case e.outcome == Fetched || e.outcome == Unchanged || e.duplicate:
		return yes
	case e.state == done:
		return no
	}
	return later
}

// A frontier is what a run knows of a site's addresses. One goroutine uses it.
type frontier struct {
	site    *Site
	seen    map[string]*entry
	order   []*entry // as seen
	queue   []*entry
	max     int // entries
	room    int // bytes of addresses
	dropped int

	variants map[string]int // addresses with a query, by path
	alike    map[string]int // addresses, by their path with numbers left out
}

func newFrontier(site *Site, maxURLs int) *frontier {
	return &frontier{
		site: site, seen: map[string]*entry{}, max: maxURLs, room: maxURLs * 200,
		variants: map[string]int{}, alike: map[string]int{},
	}
}

// insert adds an entry that was not seen, or returns nil if there is no room.
func (f *frontier) insert(key string, w way) *entry {
	if len(f.order) >= f.max || f.room < len(key) {
		f.dropped++
		return nil
	}
	f.room -= len(key)
	e := &entry{key: strings.Clone(key), way: w} // not all of the page it was found on
	f.seen[e.key] = e
	f.order = append(f.order, e)
	return e
}

// push queues an entry.
func (f *frontier) push(e *entry) {
	e.state = queued
	f.queue = append(f.queue, e)
}

// pop takes the next entry off the queue.
func (f *frontier) pop() *entry {
	e := f.queue[0]
	f.queue[0] = nil
	f.queue = f.queue[1:]
	return e
}

// trap says whether the address at key is one too many of its kind, and
// counts it if not.
func (f *frontier) trap(key string) Reason {
	p, _, query := strings.Cut(key, "?")
	if query {
		if f.variants[p] >= f.site.MaxVariants {
			return LimitVariants
		}
		f.variants[p]++
	}
	if same := withoutNumbers(p); same != p {
		if f.alike[same] >= f.site.MaxAlike {
			return LimitAlike
		}
		if !query {
			f.alike[same]++
		}
	}
	return ""
}

// withoutNumbers is p with each run of digits as one "#".
func withoutNumbers(p string) string {
	var b []byte
	last := byte(0)
	for i, c := range []byte(p) {
		if c >= '0' && c <= '9' {
			if b == nil {
				b = append(make([]byte, 0, len(p)), p[:i]...)
			}
			c = '#'
			if last == '#' {
				continue
			}
		}
		if b != nil {
			b = append(b, c)
		}
		last = c
	}
	if b == nil {
		return p
	}
	return string(b)
}

// Bounds of a path: links that are resolved wrongly make ever longer ones.
const (
	maxSegments = 30
	maxRepeats  = 3 // of one segment
)

// badPath says whether a path goes round in circles.
func badPath(key string) bool {
	p, _, _ := strings.Cut(key, "?")
	segments := strings.Split(p[1:], "/")
	if len(segments) > maxSegments {
		return true
	}
	for i, s := range segments {
		repeats := 1
		for _, t := range segments[i+1:] {
			if s == t {
				repeats++
			}
		}
		if repeats > maxRepeats {
			return true
		}
	}
	return false
}

// otherTypes are the extensions of files that are no pages: they are not even
// asked for.
var otherTypes = func() map[string]bool {
	m := map[string]bool{}
	for ext := range strings.FieldsSeq(`7z aac ai apk avi avif bin bmp bz2 css csv deb dmg doc docx eot eps epub exe
		flac flv gif gz ico ics iso jar jpeg jpg js json m4a m4v map mjs mkv mov mp3 mp4 mpeg mpg msi odp ods odt ogg ogv
		otf pkg png ppt pptx ps psd rar rpm rss svg swf tar tgz tif tiff ttf wasm wav webm webmanifest webp wmv woff woff2
		xls xlsx xml xz zip zst`) {
		m["."+ext] = true
	}
	return m
}()

// otherType says whether the address's extension is that of no page.
func otherType(key string) bool {
	p, _, _ := strings.Cut(key, "?")
	return otherTypes[strings.ToLower(path.Ext(p))]
}
