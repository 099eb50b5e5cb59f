package extract

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/html/charset"
)

// in returns text in a charset.
func in(t testing.TB, name, text string) []byte {
	t.Helper()
	enc, _ := charset.Lookup(name)
	b, err := enc.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEncodings(t *testing.T) {
	const page = "<html><head><meta charset=%s><title>x</title><body><p>%s"
	for _, tt := range []struct {
		name, charset, label, text string
	}{
		{"windows-1252 without a label", "windows-1252", "", "Das Café öffnet um neun – “pünktlich”."},
		{"windows-1252", "windows-1252", "iso-8859-1", "Das Café öffnet um neun."},
		{"latin 2", "iso-8859-2", "iso-8859-2", "Zażółć gęślą jaźń."},
		{"cyrillic", "windows-1251", "windows-1251", "Мы открываемся в девять."},
		{"arabic", "windows-1256", "windows-1256", "نفتح في الساعة التاسعة."},
		{"japanese", "shift_jis", "Shift_JIS", "平日の午前九時に開店します。"},
		{"japanese that escapes", "iso-2022-jp", "iso-2022-jp", "平日の午前九時に開店します。"},
		{"chinese", "gb18030", "GB18030", "我们九点开门。"},
		{"korean", "euc-kr", "euc-kr", "우리는 아홉 시에 엽니다."},
		{"utf-16 without a mark", "utf-16le", "", "We open at nine on weekdays."},
		{"big utf-16 without a mark", "utf-16be", "", "We open at nine on weekdays."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := read(t, "a.txt", in(t, tt.charset, tt.text), &Options{Charset: tt.label})
			if err != nil || r.Text != tt.text {
				t.Errorf("text in %s reads %q, %v, want %q", tt.charset, r.Text, err, tt.text)
			}
			if tt.label == "" {
				return
			}
			html := strings.Replace(strings.Replace(page, "%s", tt.label, 1), "%s", tt.text, 1)
			r, err = read(t, "a.html", in(t, tt.charset, html), nil)
			if err != nil || r.Text != tt.text {
				t.Errorf("a page in %s that says so reads %q, %v, want %q", tt.charset, r.Text, err, tt.text)
			}
		})
	}
	for name, data := range map[string]string{"little": "\xff\xfeA\x00\xe9\x00", "big": "\xfe\xff\x00A\x00\xe9", "utf-8": "\ufeffAé"} {
		if r, err := read(t, "a.txt", []byte(data), nil); err != nil || r.Text != "Aé" {
			t.Errorf("text with a %s byte order mark reads %q, %v, want Aé", name, r.Text, err)
		}
	}
}

// A text with a NUL in it is not taken for UTF-16.
func TestNUL(t *testing.T) {
	for _, text := range []string{"The shop\x00opens at nine.\n", "The shop \x00opens at nine."} {
		if r, err := read(t, "a.txt", []byte(text), nil); err == nil {
			t.Errorf("%q reads %q, want an error", text, r.Text)
		}
	}
}

// A wrong label garbles nothing that shows what it is.
func TestWrongLabel(t *testing.T) {
	for _, label := range []string{"shift_jis", "iso-8859-1", "utf-16", "gb18030", "nonsense"} {
		if r, err := read(t, "a.txt", []byte("Das Café öffnet – 九時."), &Options{Charset: label}); err != nil || r.Text != "Das Café öffnet – 九時." {
			t.Errorf("UTF-8 labelled %s reads %q, %v", label, r.Text, err)
		}
		page := "<meta charset=" + label + "><p>Café"
		if r, err := read(t, "a.html", []byte(page), nil); err != nil || r.Text != "Café" {
			t.Errorf("a UTF-8 page that says %s reads %q, %v, want Café", label, r.Text, err)
		}
	}
	for name, data := range map[string]string{"bytes of nothing": "a\x81\x8d\x90\xff\xfe\xfa", "a NUL": "caf\xe9\x00"} {
		if _, err := ExtractReader(t.Context(), Text, strings.NewReader(data), int64(len(data)), nil); err == nil {
			t.Errorf("%s is taken for text", name)
		} else if _, ok := errors.AsType[*EncodingError](err); !ok {
			t.Errorf("%s: %v, want an EncodingError", name, err)
		}
	}
}
