package server_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"os"
	"strings"
	"testing"
)

// A part is one of a form: a field, or a file if it has a name.
type part struct{ field, file, media, text string }

// form returns a form and its Content-Type.
func form(t testing.TB, parts ...part) (body, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		head := textproto.MIMEHeader{}
		disposition := fmt.Sprintf(`form-data; name=%q`, p.field)
		if p.file != "" {
			disposition += fmt.Sprintf(`; filename=%q`, p.file)
		}
		head.Set("Content-Disposition", disposition)
		if p.media != "" {
			head.Set("Content-Type", p.media)
		}
		in, err := w.CreatePart(head)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = in.Write([]byte(p.text))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w.FormDataContentType()
}

// real is a file that a program made.
func real(t testing.TB, name string) part {
	t.Helper()
	data, err := os.ReadFile("../knowledge/extract/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return part{"file", name, "application/octet-stream", string(data)}
}

// The fields of an upload may come in any order, and each is checked.
func TestUploads(t *testing.T) {
	h := open(t, nil, nil)
	file := part{"file", "a.txt", "text/plain", "A text."}
	many := []part{file}
	for i := range 16 {
		many = append(many, part{field: fmt.Sprint("f", i)})
	}
	for _, tt := range []struct {
		name   string
		parts  []part
		status int
		code   string
		field  string
	}{
		{"a file", []part{file}, 202, "", ""},
		{"with all fields", []part{{field: "title", text: "T"}, {field: "agent_id", text: h.agent(t)}, file, {field: "url", text: "https://shop.example/a"}, {field: "external_id", text: "a"}, {field: "metadata", text: `{"a":1}`}}, 202, "", ""},
		{"with empty fields", []part{file, {field: "title"}, {field: "agent_id"}, {field: "metadata"}}, 202, "", ""},
		{"Markdown", []part{{"file", "a.md", "", "# A\n\ntext"}}, 202, "", ""},
		{"a text of another charset", []part{{"file", "a.txt", "text/plain; charset=windows-1252", "caf\xe9"}}, 202, "", ""},
		{"a text that says it is of another charset", []part{{"file", "a.txt", "text/plain; charset=utf-16", "text"}}, 202, "", ""},
		{"a PDF", []part{real(t, "pages.pdf")}, 202, "", ""},
		{"a document of Word", []part{real(t, "handbook.docx")}, 202, "", ""},
		{"a page", []part{{"file", "a.html", "application/octet-stream", "<p>text</p>"}}, 202, "", ""},
		{"with a path for a name", []part{{"file", "../../etc/a.txt", "", "text"}}, 202, "", ""},

		{"no part", nil, 400, "invalid_request", "file"},
		{"no file", []part{{field: "title", text: "T"}}, 400, "invalid_request", "file"},
		{"a field for the file", []part{{field: "file", text: "A text."}}, 400, "invalid_request", "file"},
		{"two files", []part{file, file}, 400, "invalid_request", "file"},
		{"a field twice", []part{file, {field: "title", text: "a"}, {field: "title", text: "b"}}, 400, "invalid_request", "title"},
		{"an unknown field", []part{file, {field: "what", text: "a"}}, 400, "invalid_request", "what"},
		{"a field without a name", []part{file, {text: "a"}}, 400, "invalid_request", ""},
		{"too many parts", many, 400, "invalid_request", ""},
		{"an empty file", []part{{"file", "a.txt", "", ""}}, 400, "invalid_request", "file"},
		{"a picture", []part{{"file", "a.png", "image/png", "\x89PNG"}}, 415, "unsupported_media_type", "file"},
		{"an empty text", []part{{"file", "a.txt", "", " \n "}}, 400, "invalid_request", "file"},
		{"a binary called text", []part{{"file", "a.txt", "text/plain", "a\x00b"}}, 415, "unsupported_media_type", "file"},
		{"in no charset", []part{{"file", "a.txt", "text/plain", "\xff"}}, 400, "invalid_request", "file"},
		{"a scan", []part{real(t, "scan.pdf")}, 400, "invalid_request", "file"},
		{"a PDF with a password", []part{real(t, "password.pdf")}, 400, "invalid_request", "file"},
		{"half a document", []part{{"file", "a.docx", "", real(t, "handbook.docx").text[:3000]}}, 400, "invalid_request", "file"},
		{"a title that is not UTF-8", []part{file, {field: "title", text: "\xff"}}, 400, "invalid_request", "title"},
		{"a title too long", []part{file, {field: "title", text: strings.Repeat("a", 501)}}, 400, "invalid_request", "title"},
		{"a field much too long", []part{file, {field: "title", text: strings.Repeat("a", 1<<20)}}, 400, "invalid_request", "title"},
		{"an external id too long", []part{file, {field: "external_id", text: strings.Repeat("a", 513)}}, 400, "invalid_request", "external_id"},
		{"no such agent", []part{file, {field: "agent_id", text: "agt_nobody"}}, 404, "not_found", ""},
		{"metadata that is no JSON", []part{file, {field: "metadata", text: "{"}}, 400, "invalid_request", "metadata"},
		{"metadata that is a list", []part{file, {field: "metadata", text: "[]"}}, 400, "invalid_request", "metadata"},
		{"metadata with a name twice", []part{file, {field: "metadata", text: `{"a":1,"a":2}`}}, 400, "invalid_request", "metadata"},
		{"metadata too deep", []part{file, {field: "metadata", text: `{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`}}, 400, "invalid_request", "metadata"},
		{"metadata out of range", []part{file, {field: "metadata", text: `{"a":1e999}`}}, 400, "invalid_request", "metadata"},
		{"metadata too large", []part{file, {field: "metadata", text: `{"a":"` + strings.Repeat("a", 20<<10) + `"}`}}, 400, "invalid_request", "metadata"},

		{"a text as large as may be", []part{{"file", "a.txt", "", strings.Repeat("line of 16 bytes", 1<<20)}}, 202, "", ""},
		{"a text too large", []part{{"file", "a.txt", "", strings.Repeat("a", 16<<20+1)}}, 413, "request_too_large", "file"},
		{"a text too large to be read", []part{{"file", "a.txt", "", strings.Repeat("a", 33<<20)}}, 413, "request_too_large", "file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body, media := form(t, tt.parts...)
			a := h.do(t, "POST", "/v1/knowledge/files", body, "Content-Type", media)
			if tt.code == "" {
				var out struct {
					Document struct{ ID, State string }
					Run      struct{ ID, Kind, State string }
				}
				a.read(t, tt.status, &out)
				if out.Run.ID == "" || out.Run.Kind != "file" || out.Run.State != "completed" {
					t.Errorf("the run is %+v, want one of a file, completed", out.Run)
				}
				if want := "/v1/knowledge/documents/" + out.Document.ID; a.Header().Get("Location") != want || a.Header().Get("ETag") != "" {
					t.Errorf("the document is at %q, want %q", a.Header().Get("Location"), want)
				}
				return
			}
			if p := a.is(t, tt.status, tt.code); tt.field != "" && p.Details["field"] != tt.field {
				t.Errorf("it is refused for the field %v (%s), want %s", p.Details["field"], p.Message, tt.field)
			}
		})
	}
}

// What is no form is told so.
func TestBadForms(t *testing.T) {
	h := open(t, nil, nil)
	good, media := form(t, part{"file", "a.txt", "text/plain", "A text."})
	boundary := media[strings.Index(media, "boundary=")+len("boundary="):]
	for _, tt := range []struct {
		name, body, media string
		status            int
		code              string
	}{
		{"JSON", `{}`, "application/json", 415, "unsupported_media_type"},
		{"another kind of parts", good, "multipart/mixed; boundary=" + boundary, 415, "unsupported_media_type"},
		{"no boundary", good, "multipart/form-data", 400, "invalid_request"},
		{"another boundary", good, "multipart/form-data; boundary=other", 400, "invalid_request"},
		{"nothing", "", media, 400, "invalid_request"},
		{"cut in the file", good[:len(good)/2], media, 400, "invalid_request"},
		{"cut at the end", strings.TrimSuffix(good, "--\r\n"), media, 400, "invalid_request"},
		{"cut between two parts", good[:len(good)-2-len(boundary)-4] + "--" + boundary + "\r\nContent-Disposition: form-data; name=\"agent_id\"", media, 400, "invalid_request"},
		{"a part with a long head", "--" + boundary + "\r\nX: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", media, 400, "invalid_request"},
		{"a part with many heads", "--" + boundary + "\r\n" + strings.Repeat("X: a\r\n", 100_000) + "\r\n", media, 400, "invalid_request"},
		{"a form within a form", "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n--inner\r\n\r\na\r\n--inner--\r\n--" + boundary + "--\r\n", media, 400, "invalid_request"},
		{"in gzip", zipped(t, good), media, 400, "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.do(t, "POST", "/v1/knowledge/files", tt.body, "Content-Type", tt.media).is(t, tt.status, tt.code)
		})
	}
	h.do(t, "POST", "/v1/knowledge/files", zipped(t, good), "Content-Type", media, "Content-Encoding", "gzip").read(t, 202, nil)
}
