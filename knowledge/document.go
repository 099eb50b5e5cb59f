package knowledge

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/knowledge/extract"
)

// A Kind says how a document came to be.
type Kind string

// The kinds of documents.
const (
	KindUpload  Kind = "upload"  // text or a file that was put here
	KindQA      Kind = "qa"      // a question and its answer
	KindContent Kind = "content" // an entry of another system, such as a product or an article
	KindPage    Kind = "page"    // a page of a website that is crawled
	KindSynced  Kind = "synced"  // an item of an API that is synced
)

// A Format says how the text of a document is written, or what file it was read
// from.
type Format string

// The formats a document's text may be given in.
const (
	Text     Format = "text"     // plain text; the zero Format means this too
	Markdown Format = "markdown" // CommonMark with tables
	HTML     Format = "html"     // a page, of which the main text is kept
)

// The formats of files besides: see [File] and [Files].
const (
	CSV   Format = "csv"   // with commas, semicolons, tabs or upright bars
	JSON  Format = "json"  //
	JSONL Format = "jsonl" // a JSON value a line
	PDF   Format = "pdf"   //
	DOCX  Format = "docx"  // of Word
	PPTX  Format = "pptx"  // of PowerPoint
	XLSX  Format = "xlsx"  // of Excel
)

// Limits of one document. A larger one is refused by name.
const (
	MaxText     = 16 << 20 // bytes of text, as given or as read from a file
	MaxTitle    = 500      // characters
	MaxMetadata = 16 << 10 // bytes of metadata as JSON
	MaxID       = 512      // bytes of an external id

	MaxAlternates = 99 // ways to ask for an answer besides the first
)

// A Document is any text the agents of a company may answer from.
type Document struct {
	ID      string `json:"id"`
	AgentID string `json:"agent_id,omitzero"` // whose it is, for good; empty: all the company's agents may use it
	Kind    Kind   `json:"kind"`              // for good; [KindUpload] if empty when put

	Title string `json:"title"`        // taken from the text if empty when put
	URL   string `json:"url,omitzero"` // where a customer can read it: http or https

	// ExternalID is the caller's own name for the document, such as a path.
	// It is unique within the company, agent and source: putting a document
	// with the same one again replaces it.
	ExternalID string `json:"external_id,omitzero"`

	// SourceID is the source that the document comes from, whose runs alone write
	// it; empty for one that was put here.
	SourceID string `json:"source_id,omitzero"`

	// Language is what the text is written in, as a BCP 47 tag such as "en" or
	// "pt-BR"; empty if it cannot be told. Unless it is given when the document is
	// put, it is what the page or file says or, if it does not, what the text
	// looks like.
	Language string `json:"language,omitzero"`

	// Metadata is what searches may filter by: strings, numbers, booleans, and
	// lists of them. Numbers are kept as JSON's, and a nil value as no value.
	// Where a page or file says when it was written, that is "created" and
	// "modified", as RFC 3339 in UTC, unless those are given.
	Metadata map[string]any `json:"metadata,omitzero"`

	// Text is what the document says. For plain text and Markdown it is stored
	// as given, byte for byte, but for a byte order mark before it; for HTML and
	// other files what is stored, and cited, is the text that is read there. It
	// is empty in what [Files] yields, which is read when it is put.
	Text   string `json:"text,omitzero"`
	Format Format `json:"format"`

	// Questions are the ways to ask for Text, the answer of a [KindQA]
	// document; the first one is its title.
	Questions []string `json:"questions,omitzero"`

	Version   int       `json:"version"` // counts the texts it has had, from 1
	State     State     `json:"state"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	file *file // where the text is read from if it is empty
}

// A State says whether a document can be found.
type State string

// StateReady is the state of a document that answers can cite.
const StateReady State = "ready"

// check fills in a document's defaults, and returns an [InvalidError] naming the
// first field beside the text that cannot be stored.
func (d *Document) check() error {
	if d.Kind == "" {
		d.Kind = KindUpload
	}
	if d.Format == "" {
		d.Format = Text
	}
	if d.Kind == KindQA && d.Title == "" {
		d.Title = titleOfPair(d.Questions)
	}
	agentID, err := parseAgent(d.AgentID)
	if err != nil {
		return err
	}
	d.AgentID = agentID
	ofSource := d.Kind == KindPage || d.Kind == KindSynced
	switch {
	case d.Kind != KindUpload && d.Kind != KindQA && d.Kind != KindContent && !(ofSource && d.SourceID != ""):
		return invalid("kind", "%q is not a kind of document: use %q, %q or %q", clip(string(d.Kind), 64), KindUpload, KindQA, KindContent)
	case d.Kind == KindQA && len(d.Questions) == 0:
		return invalid("questions", "a question is needed beside the answer")
	case len(d.Questions) > 1+MaxAlternates:
		return invalid("questions", "%d are more than the %d ways to ask that one answer may have", len(d.Questions), 1+MaxAlternates)
	case utf8.RuneCountInString(d.Title) > MaxTitle:
		return invalid("title", "is longer than %d characters", MaxTitle)
	case len(d.ExternalID) > MaxID:
		return invalid("external_id", "is longer than %d bytes", MaxID)
	case d.URL != "" && !strings.HasPrefix(strings.ToLower(d.URL), "http://") && !strings.HasPrefix(strings.ToLower(d.URL), "https://"):
		return invalid("url", "must begin with http:// or https://: customers are shown it")
	case len(d.URL) > 2048:
		return invalid("url", "is longer than 2048 bytes")
	}
	if d.Language != "" {
		tag := extract.LanguageTag(d.Language)
		if tag == "" {
			return invalid("language", "%q is not a BCP 47 tag such as %q", clip(d.Language, 64), "pt-BR")
		}
		d.Language = tag
	}
	for i, q := range d.Questions {
		if err := readable(q); err != nil {
			return invalid(fmt.Sprintf("questions[%d]", i), "%v", err)
		}
		if strings.TrimSpace(q) == "" || len(q) > 4*MaxTitle {
			return invalid(fmt.Sprintf("questions[%d]", i), "must have 1 to %d bytes", 4*MaxTitle)
		}
	}
	for _, f := range []struct{ name, value string }{{"title", d.Title}, {"url", d.URL}, {"external_id", d.ExternalID}} {
		if err := readable(f.value); err != nil {
			return invalid(f.name, "%v", err)
		}
	}
	return checkMetadata(d.Metadata)
}

// checkText returns an [InvalidError] if the text of a document cannot be stored.
func (d *Document) checkText() error {
	switch {
	case d.Format != Text && d.Format != Markdown && d.Format != HTML:
		return invalid("format", "%q is not a format that text is given in: use %q, %q or %q, or send the file", clip(string(d.Format), 64), Text, Markdown, HTML)
	case len(d.Text) > MaxText:
		return invalid("text", "%d bytes are more than the %d a document may have: split it", len(d.Text), MaxText)
	case strings.TrimSpace(d.Text) == "":
		return invalid("text", "is empty")
	}
	if err := readable(d.Text); err != nil {
		return invalid("text", "%v", err)
	}
	return nil
}

// titleOfPair is what a question and its answer are called.
func titleOfPair(questions []string) string {
	if len(questions) == 0 {
		return ""
	}
	return clip(questions[0], MaxTitle)
}

// readable refuses what is not text: it could neither be cited nor shown.
func readable(s string) error {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return fmt.Errorf("is binary: it has a zero byte at offset %d", i)
	}
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return fmt.Errorf("is not valid UTF-8 at offset %d: convert it first", i)
			}
		}
	}
	return nil
}

// clip shortens s to at most n characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	count := 0
	for i := range s {
		if count == n {
			return s[:i]
		}
		count++
	}
	return s
}
