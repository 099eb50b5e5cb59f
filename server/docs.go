package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// What /docs consists of: see assets/swagger-ui/README.md.
var (
	//go:embed assets/docs.html
	docsPage string

	//go:embed assets/docs.js assets/swagger-ui/*.gz
	docsFiles embed.FS
)

// docsPolicy lets the page load what is served beside it, and nothing else. The
// renderer's styles have its icons within them.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsMedia are the types of the files that the page loads, which must not depend on
// what the machine knows.
var docsMedia = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".txt": "text/plain; charset=utf-8",
}

// An asset is a file that the page at /docs loads.
type asset struct {
	media  string
	body   []byte
	zipped bool // body is in gzip
}

// docsAssets are the assets by name, and a version that is another one whenever one of
// them is.
var docsAssets = sync.OnceValues(func() (assets map[string]asset, version string) {
	assets, hash := map[string]asset{}, sha256.New()
	err := fs.WalkDir(docsFiles, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := docsFiles.ReadFile(file)
		if err != nil {
			return err
		}
		hash.Write(body)
		name, zipped := strings.CutSuffix(path.Base(file), ".gz")
		assets[name] = asset{media: docsMedia[path.Ext(name)], body: body, zipped: zipped}
		return nil
	})
	if err != nil {
		panic(err) // the files are embedded above
	}
	return assets, hex.EncodeToString(hash.Sum(nil))[:16]
})

// docs serves the contract for reading. The addresses in the page are relative, so
// that it works wherever the server is mounted.
func (s *Server) docs(w http.ResponseWriter, _ *http.Request) {
	_, version := docsAssets()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", docsPolicy)
	_, _ = io.WriteString(w, strings.ReplaceAll(docsPage, "VERSION", version)) // the caller is gone
}

// assets serves what the page loads. Its address has the version, so that browsers
// need never ask again.
func (s *Server) assets(mux *http.ServeMux) {
	assets, version := docsAssets()
	for name, a := range assets {
		mux.HandleFunc("GET /docs/"+version+"/"+name, func(w http.ResponseWriter, r *http.Request) {
			a.serve(w, r, `"`+version+`"`)
		})
	}
}

func (a asset) serve(w http.ResponseWriter, r *http.Request, tag string) {
	recordOf(r.Context()).operation = "getDocs"
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", tag)
	h.Add("Vary", "Accept-Encoding")
	if holds(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", a.media)
	if a.zipped && !takesGzip(r.Header) {
		if z, err := gzip.NewReader(bytes.NewReader(a.body)); err == nil {
			_, _ = io.Copy(w, z)
		}
		return
	}
	if a.zipped {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	_, _ = w.Write(a.body)
}

// takesGzip reports whether an answer may be in gzip (RFC 9110, section 12.5.3).
func takesGzip(h http.Header) bool {
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		weight, err := strconv.ParseFloat(strings.TrimPrefix(strings.ReplaceAll(params, " ", ""), "q="), 64)
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") && (err != nil || weight > 0) {
			return true
		}
	}
	return false
}
