package pdf

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// A font says what text its codes stand for and how wide that is.
type font struct {
	composite bool // codes of several bytes
	unicode   *cmap
	encoding  *cmap       // of a composite font whose codes are not all of two bytes
	direct    bool        // codes are UTF-16 already
	glyphs    [256]string // text by code, of a simple font
	widths    map[int]float64
	width     float64 // of all others, in thousandths of the size
	scale     float64 // 1/1000 but for fonts of drawings
	bold      bool
}

const maxFonts = 256 // kept at a time

func (f *File) font(v any) *font {
	r, isRef := v.(ref)
	if fo, ok := f.fonts[r]; ok && isRef {
		return fo
	}
	fo := f.readFont(f.dict(v))
	if isRef {
		if len(f.fonts) >= maxFonts {
			clear(f.fonts)
		}
		f.fonts[r] = fo
	}
	return fo
}

func (f *File) readFont(d dict) *font {
	fo := &font{widths: map[int]float64{}, scale: 0.001}
	base := strings.ToLower(string(f.name(d["BaseFont"])))
	fo.bold = strings.Contains(base, "bold") || strings.Contains(base, "black") || strings.Contains(base, "heavy")
	if s, ok := f.resolve(d["ToUnicode"]).(*stream); ok {
		fo.unicode = f.readCmap(s)
	}
	if f.name(d["Subtype"]) == "Type0" {
		f.readComposite(fo, d)
		return fo
	}
	descriptor := f.dict(d["FontDescriptor"])
	if f.int(descriptor["Flags"])&(1<<18) != 0 {
		fo.bold = true
	}
	f.readEncoding(fo, d, base, descriptor)
	first := f.int(d["FirstChar"])
	widths := f.array(d["Widths"])
	for i, w := range widths {
		if i > 255 {
			break
		}
		fo.widths[first+i] = f.float(w)
	}
	fo.width = f.float(descriptor["MissingWidth"])
	if f.name(d["Subtype"]) == "Type3" {
		if m := f.array(d["FontMatrix"]); len(m) == 6 {
			fo.scale = f.float(m[0])
		}
	} else if len(widths) == 0 {
		standardWidths(fo, base)
	}
	return fo
}

// readComposite reads a font of many characters.
func (f *File) readComposite(fo *font, d dict) {
	fo.composite, fo.width = true, 1000
	switch enc := f.resolve(d["Encoding"]).(type) {
	case name:
		fo.direct = strings.Contains(string(enc), "UCS2") || strings.Contains(string(enc), "UTF16")
	case *stream:
		fo.encoding = f.readCmap(enc)
	}
	kids := f.array(d["DescendantFonts"])
	if len(kids) == 0 {
		return
	}
	kid := f.dict(kids[0])
	if f.int(f.dict(kid["FontDescriptor"])["Flags"])&(1<<18) != 0 {
		fo.bold = true
	}
	if dw := f.resolve(kid["DW"]); dw != nil {
		fo.width = f.float(dw)
	}
	w := f.array(kid["W"])
	for len(w) >= 2 && len(fo.widths) < maxCharacters {
		first := f.int(w[0])
		if list, ok := f.resolve(w[1]).(array); ok {
			for i, v := range list {
				fo.widths[first+i] = f.float(v)
			}
			f.spend(len(list))
			w = w[2:]
			continue
		}
		if len(w) < 3 {
			return
		}
		last, width := min(f.int(w[1]), first+1<<16), f.float(w[2])
		for c := first; c <= last && len(fo.widths) < maxCharacters; c++ {
			f.spend(1)
			fo.widths[c] = width
		}
		w = w[3:]
	}
}

// readEncoding reads what the codes of a simple font stand for.
func (f *File) readEncoding(fo *font, d dict, base string, descriptor dict) {
	enc := f.resolve(d["Encoding"])
	table := ""
	if n, ok := enc.(name); ok {
		table = string(n)
	}
	var differences array
	if e, ok := enc.(dict); ok {
		table = string(f.name(e["BaseEncoding"]))
		differences = f.array(e["Differences"])
	}
	symbolic := f.int(descriptor["Flags"])&4 != 0 && table == "" || strings.Contains(base, "symbol") || strings.Contains(base, "dingbats")
	if !symbolic {
		charsetOf := "windows-1252"
		if table == "MacRomanEncoding" {
			charsetOf = "macintosh"
		}
		e, _ := charset.Lookup(charsetOf)
		dec := e.NewDecoder()
		for c := 32; c < 256; c++ {
			if s, err := dec.String(string([]byte{byte(c)})); err == nil && s != "\uFFFD" {
				fo.glyphs[c] = s
			}
		}
		if table == "" || table == "StandardEncoding" {
			fo.glyphs['\''], fo.glyphs['`'] = "’", "‘"
			for c, s := range standardHigh {
				fo.glyphs[c] = s
			}
		}
	} else {
		for c := 32; c < 127; c++ {
			fo.glyphs[c] = string(rune(c))
		}
		fo.glyphs[0xB7] = "•" // in Symbol, which lists are marked with
	}
	at := 0
	for _, v := range differences {
		switch v := f.resolve(v).(type) {
		case int:
			at = v
		case name:
			if at >= 0 && at < 256 {
				if s := glyphText(string(v)); s != "" {
					fo.glyphs[at] = s
				}
			}
			at++
		}
	}
}

// standardHigh are the codes of StandardEncoding that words are made of and that
// differ from windows-1252.
var standardHigh = map[int]string{
	0xA4: "⁄", 0xA6: "ƒ", 0xA8: "¤", 0xA9: "'", 0xAA: "“", 0xAC: "‹", 0xAD: "›", 0xAE: "fi", 0xAF: "fl", 0xB1: "–", 0xB2: "†", 0xB3: "‡",
	0xB4: "·", 0xB7: "•", 0xB8: "‚", 0xB9: "„", 0xBA: "”", 0xBC: "…", 0xBD: "‰", 0xD0: "—", 0xE1: "Æ", 0xE8: "Ł", 0xE9: "Ø", 0xEA: "Œ",
	0xF1: "æ", 0xF5: "ı", 0xF8: "ł", 0xF9: "ø", 0xFA: "œ", 0xFB: "ß",
}

// glyphNames are those of Adobe's glyph list that are not the letter itself and
// that European text is set with.
var glyphNames = func() map[string]string {
	m := map[string]string{}
	fields := strings.Fields(`space \s exclam ! quotedbl " numbersign # dollar $ percent % ampersand & quotesingle ' parenleft ( parenright )
asterisk * plus + comma , hyphen - minus − period . slash / zero 0 one 1 two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 colon :
semicolon ; less < equal = greater > question ? at @ bracketleft [ backslash \ bracketright ] asciicircum ^ underscore _ grave ` + "` " + `braceleft {
bar | braceright } asciitilde ~ quoteleft ‘ quoteright ’ quotedblleft “ quotedblright ” quotesinglbase ‚ quotedblbase „ guillemotleft «
guillemotright » guilsinglleft ‹ guilsinglright › endash – emdash — bullet • ellipsis … periodcentered · dagger † daggerdbl ‡ section §
paragraph ¶ degree ° copyright © registered ® trademark ™ Euro € sterling £ yen ¥ cent ¢ florin ƒ currency ¤ fi fi fl fl ff ff ffi ffi ffl ffl
germandbls ß ae æ AE Æ oe œ OE Œ oslash ø Oslash Ø lslash ł Lslash Ł eth ð Eth Ð thorn þ Thorn Þ dotlessi ı exclamdown ¡ questiondown ¿
multiply × divide ÷ plusminus ± mu µ onehalf ½ onequarter ¼ threequarters ¾ onesuperior ¹ twosuperior ² threesuperior ³ ordfeminine ª
ordmasculine º brokenbar ¦ logicalnot ¬ fraction ⁄ nbspace \s sfthyphen - notequal ≠ lessequal ≤ greaterequal ≥ infinity ∞ arrowright → arrowleft ←`)
	for i := 0; i+1 < len(fields); i += 2 {
		m[fields[i]] = strings.ReplaceAll(fields[i+1], `\s`, " ")
	}
	accents := map[string]string{"acute": "AÁaáCĆcćEÉeéIÍiíNŃnńOÓoóSŚsśUÚuúYÝyýZŹzź", "grave": "AÀaàEÈeèIÌiìOÒoòUÙuù", "circumflex": "AÂaâEÊeêIÎiîOÔoôUÛuû",
		"dieresis": "AÄaäEËeëIÏiïOÖoöUÜuüYŸyÿ", "tilde": "AÃaãNÑnñOÕoõ", "caron": "CČcčDĎdďEĚeěNŇnňRŘrřSŠsšTŤtťZŽzž", "cedilla": "CÇcçSŞsş",
		"ring": "AÅaåUŮuů", "ogonek": "AĄaąEĘeę", "breve": "AĂaăGĞgğ", "hungarumlaut": "OŐoőUŰuű", "dotaccent": "IİZŻzż", "commaaccent": "SȘsșTȚtț", "macron": "AĀaāEĒeēIĪiīOŌoōUŪuū"}
	for accent, pairs := range accents {
		r := []rune(pairs)
		for i := 0; i+1 < len(r); i += 2 {
			m[string(r[i])+accent] = string(r[i+1])
		}
	}
	return m
}()

// glyphText is the text of a glyph by its name.
func glyphText(n string) string {
	n, _, _ = strings.Cut(n, ".")
	if s, ok := glyphNames[n]; ok {
		return s
	}
	if len(n) == 1 {
		return n
	}
	if strings.Contains(n, "_") {
		var b strings.Builder
		for part := range strings.SplitSeq(n, "_") {
			if part != n {
				b.WriteString(glyphText(part))
			}
		}
		return b.String()
	}
	for _, prefix := range []string{"uni", "u"} {
		if h, ok := strings.CutPrefix(n, prefix); ok && len(h) >= 4 && len(h) <= 6 {
			if v, err := strconv.ParseUint(h, 16, 32); err == nil && utf8.ValidRune(rune(v)) {
				return string(rune(v))
			}
		}
	}
	return ""
}

// helvetica are the widths of the characters from the space to the tilde.
var helvetica = [95]float64{278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015,
	667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611,
	278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500,
	334, 260, 334, 584}

// standardWidths are those of the fonts that need not come with a file: exact
// for Helvetica, near enough for Times to tell gaps from spaces.
func standardWidths(fo *font, base string) {
	fo.width = 556
	scale := 1.0
	switch {
	case strings.Contains(base, "courier"):
		fo.width = 600
		return
	case strings.Contains(base, "times"):
		scale, fo.width = 0.89, 500
	}
	for i, w := range helvetica {
		fo.widths[32+i] = w * scale
	}
}

// A char is one code of a string that is shown.
type char struct {
	text  string
	width float64 // in units of the size
	space bool    // it is the one-byte code 32, which word spacing widens
}

// next reads the first code of s, and returns its length.
func (fo *font) next(s string) (char, int) {
	if !fo.composite {
		c := int(s[0])
		w, ok := fo.widths[c]
		if !ok {
			w = fo.width
		}
		text := fo.glyphs[c]
		if fo.unicode != nil {
			if t, ok := fo.unicode.chars[codeKey(1, uint32(c))]; ok {
				text = t
			} else if t, ok := fo.unicode.chars[codeKey(2, uint32(c))]; ok {
				text = t
			}
		}
		return char{text, w * fo.scale, c == 32}, 1
	}
	size := min(2, len(s))
	n := code(s[:size])
	if fo.encoding != nil {
		n, size = fo.encoding.next(s, 2)
	}
	cid := n
	if fo.encoding != nil {
		for _, r := range fo.encoding.cids {
			if r.size == size && n >= r.low && n <= r.high {
				cid = r.first + n - r.low
				break
			}
		}
	}
	w, ok := fo.widths[int(cid)]
	if !ok {
		w = fo.width
	}
	text := ""
	switch {
	case fo.unicode != nil:
		text = fo.unicode.chars[codeKey(size, n)]
	case fo.direct:
		text = utf16Text(s[:size])
	}
	return char{text, w * fo.scale, size == 1 && n == 32}, size
}
