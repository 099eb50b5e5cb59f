package agent

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/exact"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// Bounds of what a message carries besides its text.
const (
	MaxContext      = 16 << 10 // bytes of JSON
	maxMetadata     = 16 << 10 // bytes of JSON
	maxContextDepth = 8        // objects and lists in each other
	MaxAttachments  = 10       // of a message
)

// checkCarried makes what a message carries besides its text as it reads back, and
// returns an [InvalidError] naming what of it cannot be taken.
func (m *Message) checkCarried() error {
	if len(m.Context) > 0 {
		if err := checkPlain("context", m.Context, 1); err != nil {
			return err
		}
		var err error
		if m.Context, err = readBack("context", m.Context, MaxContext); err != nil {
			return err
		}
	}
	if len(m.Attachments) > MaxAttachments {
		return invalid("attachments", "%d are more than %d", len(m.Attachments), MaxAttachments)
	}
	m.Attachments = slices.Clone(m.Attachments)
	for i := range m.Attachments {
		canonical, err := parseAs(id.Attachment, "attachment", m.Attachments[i].ID)
		if err != nil {
			return err
		}
		if slices.Contains(m.Attachments[:i], AttachmentRef{canonical}) {
			return invalid("attachments["+strconv.Itoa(i)+"].id", "is there twice")
		}
		m.Attachments[i].ID = canonical
	}
	switch m.ReplyFormat {
	case "", FormatMarkdown, FormatPlain, FormatSpeech:
	default:
		return invalid("reply_format", "must be one of %s, %s and %s", FormatMarkdown, FormatPlain, FormatSpeech)
	}
	if len(m.ReplySchema) > 0 {
		return checkSchema("reply_schema", m.ReplySchema)
	}
	m.ReplySchema = nil
	return nil
}

// readBack returns an object as it reads back from at most so many bytes of JSON, with all
// digits of its numbers, or an [InvalidError] naming its field.
func readBack(field string, v map[string]any, most int) (map[string]any, error) {
	if len(v) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, invalid(field, "%v", err)
	}
	if len(b) > most {
		return nil, invalid(field, "is %d bytes of JSON, more than %d", len(b), most)
	}
	if v, err = exact.Object(b); err != nil {
		return nil, invalid(field, "%v", err)
	}
	return v, nil
}

// checkPlain returns an [InvalidError] naming what of a context is too deep.
func checkPlain(path string, v any, depth int) error {
	if depth > maxContextDepth {
		return invalid(path, "is more than %d objects and lists deep", maxContextDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if isNested(v[name]) {
				if err := checkPlain(path+"."+clip(name), v[name], depth+1); err != nil {
					return err
				}
			}
		}
	case []any:
		for i, e := range v {
			if isNested(e) {
				if err := checkPlain(path+"["+strconv.Itoa(i)+"]", e, depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func isNested(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// leading are the names whose values say best where a user is: they are searched for
// before those of others.
var leading = []string{"title", "page_title", "page", "screen", "section", "product", "topic"}

// shortQuery is how many words a question has at most that says little by itself in
// any language.
const shortQuery = 4

// searchText is a query with words of a context and of files behind it, if the query
// leaves open what it is about: one that says so decides alone. So that it still has most
// of the say, they are no more than it has itself, and none that it has already. Only
// texts are taken, those of leading names first, then by name, then what files begin
// with; numbers, addresses and ids say nothing that documents are found by.
func searchText(query string, languages []string, context map[string]any, files []Attachment) string {
	if len(context) == 0 && len(files) == 0 {
		return query
	}
	words := strings.Fields(query)
	if len(words) > shortQuery && !leans(query, languages) {
		return query
	}
	room := max(len(words), 1)
	has := map[string]bool{}
	for _, w := range words {
		has[bare(w)] = true
	}
	var b strings.Builder
	b.WriteString(query)
	for _, text := range append(textsOf(context), beginnings(files)...) {
		for w := range strings.FieldsSeq(text) {
			plain := bare(w)
			if room == 0 || b.Len()+1+len(w) > knowledge.MaxQuery {
				return b.String()
			}
			if plain == "" || has[plain] || !isWord(plain) {
				continue
			}
			has[plain] = true
			room--
			b.WriteString(" " + w)
		}
	}
	return b.String()
}

// begins is how many bytes of a file say what it is about, as far as the search goes.
const begins = 500

// beginnings returns the words of content that files begin with.
func beginnings(files []Attachment) (out []string) {
	for _, f := range files {
		var b strings.Builder
		for w := range strings.FieldsSeq(strings.ToValidUTF8(f.Text[:min(len(f.Text), begins)], "")) {
			says := slices.ContainsFunc(knowledge.QueryTerms(bare(w), ""), func(t knowledge.QueryTerm) bool { return t.Weight > 0 })
			if plain := bare(w); says && !leanings["en"].empty[plain] && !slices.Contains(leanings["en"].courtesy, plain) {
				b.WriteString(w + " ")
			}
		}
		out = append(out, b.String())
	}
	return out
}

// textsOf returns the texts in a value, in the order in which they are searched for.
func textsOf(v any) (texts []string) {
	walk(v, func(text string, isName bool) {
		if !isName {
			texts = append(texts, text)
		}
	})
	return texts
}

var asWords = strings.NewReplacer("_", " ", "-", " ")

// namesOf returns the names and the texts in a value, a name as words.
func namesOf(v any) (all []string) {
	walk(v, func(text string, isName bool) {
		if isName {
			text = asWords.Replace(text)
		}
		all = append(all, text)
	})
	return all
}

// walk visits the names and the texts in a value, those of leading names first, then by
// name.
func walk(v any, visit func(text string, isName bool)) {
	switch v := v.(type) {
	case string:
		visit(v, false)
	case []any:
		for _, e := range v {
			walk(e, visit)
		}
	case map[string]any:
		names := slices.SortedFunc(maps.Keys(v), func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
		for _, name := range names {
			visit(name, true)
			walk(v[name], visit)
		}
	}
}

// rank is the place of a name among the leading ones.
func rank(name string) int {
	if i := slices.Index(leading, strings.ToLower(name)); i >= 0 {
		return i
	}
	return len(leading)
}

// bare is a word without what stands around it.
func bare(w string) string { return strings.ToLower(strings.Trim(w, `.,;:!?"'()[]{}<>`)) }

// isWord reports whether a word is one of a language rather than an id, a number or
// an address.
func isWord(w string) bool { return len(w) <= 40 && !strings.ContainsAny(w, "0123456789_/@=&\\") }
