package extract

import (
	"fmt"
	"mime"
	"path"
	"strings"
)

// formatOfType are the media types that are read besides those that begin with
// "text/".
var formatOfType = map[string]Format{
	"text/markdown": Markdown, "text/x-markdown": Markdown,
	"text/html": HTML, "application/xhtml+xml": HTML,
	"application/json": Text, "application/x-ndjson": Text, "application/yaml": Text, "application/toml": Text,
}

// FormatOfType tells the format of a file by its media type and, if that is
// missing or says no more than that there are bytes, by the extension of its name.
// Any other type and extension is refused with an error that wraps [ErrFormat], and
// so is a charset other than UTF-8, since nothing is transcoded here.
func FormatOfType(name, contentType string) (Format, error) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	switch {
	case contentType == "" || mediaType == "application/octet-stream" || mediaType == "binary/octet-stream":
		return formatOfName(name)
	case err != nil:
		return "", fmt.Errorf("%w: %.64q is no media type; text, Markdown and HTML are read", ErrFormat, contentType)
	}
	switch charset := strings.ToLower(params["charset"]); charset {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
	default:
		return "", fmt.Errorf("%w: charset %.64q: text must be UTF-8: convert it first", ErrFormat, charset)
	}
	if f, ok := formatOfType[mediaType]; ok {
		return f, nil
	}
	if sub, ok := strings.CutPrefix(mediaType, "text/"); ok && sub != "rtf" && sub != "richtext" {
		return Text, nil
	}
	return "", fmt.Errorf("%w: %.64q; text, Markdown and HTML are read", ErrFormat, mediaType)
}

// formatOfName tells the format of a file by the extension of its name.
func formatOfName(name string) (Format, error) {
	ext := extension(name)
	if f, ok := formatOfExtension[ext]; ok {
		return f, nil
	}
	if ext == "" {
		return "", fmt.Errorf("%w: neither a media type nor an extension tells what it is; text, Markdown and HTML are read", ErrFormat)
	}
	return "", fmt.Errorf("%w: %.64q; text, Markdown and HTML are read", ErrFormat, ext)
}

// extension returns the extension of a name, in lower case, with its full stop.
func extension(name string) string {
	return strings.ToLower(path.Ext(strings.ReplaceAll(name, `\`, "/")))
}
