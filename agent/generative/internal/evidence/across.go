package evidence

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// deniers are the words that deny, of each language in which sentences are compared
// with texts in another. A language in which endings deny, as in Turkish, cannot be
// among them. Those of scripts without spaces are spacelessDenials.
var deniers = map[string]map[string]bool{}

// compared are the languages that sentences are told to be in.
var compared = strings.Fields("en de fr es it pt nl ru ar hi ms id vi zh ja th ko")

func init() {
	for language, words := range map[string]string{
		"en": "not no never none nothing neither nor cannot cant without non dont doesnt didnt isnt arent wasnt werent wont wouldnt couldnt shouldnt hasnt havent mustnt unable unavailable",
		"de": "nicht kein keine keinen keinem keiner keines nie niemals nichts ohne weder",
		"fr": "ne pas jamais aucun aucune sans rien ni", "es": "no nunca sin ningún ninguna ninguno nada ni tampoco",
		"it": "non mai senza nessun nessuno nessuna niente né", "pt": "não nunca sem nenhum nenhuma nada nem",
		"nl": "niet geen nooit zonder niets noch", "ru": "не нет без никогда нельзя ни", "ar": "لا ليس ليست ليسوا لم لن غير بدون دون ولا",
		"hi": "नहीं न बिना मत", "ms": "tidak bukan tanpa jangan tiada", "id": "tidak bukan tanpa jangan tiada tak", "vi": "không chưa đừng",
		"zh": "", "ja": "", "th": "", "ko": "",
	} {
		deniers[language] = map[string]bool{}
		for w := range strings.FieldsSeq(words) {
			deniers[language][w] = true
		}
	}
	for i, words := range strings.Split(strings.Join(strings.Fields(`monday mondays montag montags lundi lundis lunes lunedì maandag isnin senin सोमवार понедельник
		| tuesday tuesdays dienstag dienstags mardi mardis martes martedì dinsdag selasa मंगलवार вторник | wednesday wednesdays mittwoch mittwochs mercredi mercredis miércoles mercoledì woensdag rabu बुधवार среда среду
		| thursday thursdays donnerstag donnerstags jeudi jeudis jueves giovedì donderdag khamis kamis गुरुवार четверг | friday fridays freitag freitags vendredi vendredis viernes venerdì vrijdag jumaat jumat शुक्रवार пятница пятницу
		| saturday saturdays samstag samstags sonnabend samedi samedis sábado sábados sabato zaterdag sabtu शनिवार суббота субботу
		| sunday sundays sonntag sonntags dimanche dimanches domingo domingos domenica zondag ahad रविवार воскресенье`), " "), "|") {
		for w := range strings.FieldsSeq(words) {
			weekdays[w] = i + 1
		}
	}
	for i, words := range []string{
		"الاثنين الإثنين 星期一 周一 週一 月曜 วันจันทร์ 월요일", "الثلاثاء 星期二 周二 週二 火曜 วันอังคาร 화요일", "الأربعاء الاربعاء 星期三 周三 週三 水曜 วันพุธ 수요일",
		"الخميس 星期四 周四 週四 木曜 วันพฤหัส 목요일", "الجمعة 星期五 周五 週五 金曜 วันศุกร์ 금요일", "السبت 星期六 周六 週六 土曜 วันเสาร์ 토요일", "الأحد الاحد 星期日 星期天 周日 週日 日曜 วันอาทิตย์ 일요일",
	} {
		for w := range strings.FieldsSeq(words) {
			joinedWeekdays[w] = i + 1
		}
	}
	for i, line := range strings.Split(`open opens opened geöffnet offen öffnet öffnen ouvert ouverte ouverts ouvre abierto abierta abre aperto aperta apre aberto aberta geopend open مفتوح يفتح buka dibuka 开放 营业 营業 営業 開い เปิด
closed closes close closing geschlossen schließt schließen fermé fermée fermés ferme cerrado cerrada cierra chiuso chiusa chiude fechado fechada fecha gesloten sluit مغلق يغلق tutup ditutup 关闭 休息 关门 休業 閉ま ปิด
allowed permitted erlaubt gestattet autorisé permis permitido permesso toegestaan مسموح يسمح dibenarkan diizinkan 允许 可以
forbidden prohibited banned verboten untersagt interdit prohibido vietato proibido verboden ممنوع dilarang 禁止 ห้าม
included includes include inbegriffen enthalten inklusive inclus comprise compris incluido incluye incluso inclusa incluído inclui inbegrepen
excluded excludes exclude ausgenommen exklusive exclu exclus excluido excluye escluso excluído exclui uitgesloten
before vor avant antes prima voor قبل sebelum 之前 以前
after nach après después dopo depois na بعد selepas setelah 之后 以后
least mindestens minimum mínimo minimo minstens 至少
most höchstens maximum máximo massimo maximaal hoogstens 最多`, "\n") {
		for w := range strings.FieldsSeq(line) {
			if isSpaceless(w) {
				joinedSides[w] = i
			} else if _, there := sides[w]; !there {
				sides[w] = i
			}
		}
	}
}

// weekdays are the days of the week, from 1, and joinedWeekdays those that stand within
// what is written together.
var weekdays, joinedWeekdays = map[string]int{}, map[string]int{}

// sides are words of which those of an even number say the opposite of those of the
// next, in whatever language; joinedSides those of scripts without spaces.
var sides, joinedSides = map[string]int{}, map[string]int{}

func isSpaceless(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Hangul)
}

// literal matches what is the same in every language: addresses and what is marked as
// code.
var literal = regexp.MustCompile("`[^`\n]+`" + `|https?://[^\s<>"')\]]+|www\.[^\s<>"')\]]+|[\w.+-]+@[\w-]+\.[\w.-]*\w`)

// A foreign is what of a text can be compared with one in another language.
type foreign struct {
	denies bool
	days   []int
	sides  map[int]bool
}

// foreignOf reads a text in lower case.
func foreignOf(lower, language string) foreign {
	f := foreign{sides: map[int]bool{}}
	plain := apostrophes.Replace(lower)
	words := deniers[language]
	for word := range fields(plain) {
		f.denies = f.denies || words[word]
		if day := weekdays[word]; day > 0 {
			f.days = append(f.days, day)
		}
		if side, ok := sides[word]; ok {
			f.sides[side] = true
		}
	}
	for word, day := range joinedWeekdays {
		if strings.Contains(lower, word) {
			f.days = append(f.days, day)
		}
	}
	for word, side := range joinedSides {
		if strings.Contains(lower, word) {
			f.sides[side] = true
		}
	}
	if len(words) == 0 {
		clean := notDenials.Replace(lower)
		f.denies = slices.ContainsFunc(spacelessDenials, func(d string) bool { return strings.Contains(clean, d) })
	}
	return f
}

// agrees reports whether two texts both deny or do not, or one says the opposite of
// what the other denies.
func (f foreign) agrees(g foreign) bool {
	opposite := false
	for side := range f.sides {
		if !f.sides[side^1] && g.sides[side^1] && !g.sides[side] {
			opposite = true
		}
	}
	return (f.denies == g.denies) != opposite
}

// Across returns the smallest run of sentences that a claim in another language may be
// a translation of: its figures with their units, its names, codes, addresses and days
// of the week stand there, and it denies if they do. Of a claim with none of these it
// is the whole text. Customer is the language that the claim is expected in, if that is
// known. It is not ok where claim and text are in one language, where that is not sure,
// and in languages of which it is not known how they deny.
func (s *Source) Across(c *Claim, customer string) (start, end int, ok bool) {
	if own, r := s.across(c, customer); r != nil {
		return s.translated(r, own)
	}
	return 0, 0, false
}

// AcrossFigures is Across of a claim that has something that can be compared.
func (s *Source) AcrossFigures(c *Claim, customer string) bool {
	own, r := s.across(c, customer)
	if r == nil || r.facts() == 0 {
		return false
	}
	_, _, ok := s.translated(r, own)
	return ok
}

// across reads a claim in another language than the source, whose own is returned with
// it; nil if it is not.
func (s *Source) across(c *Claim, customer string) (own string, r *across) {
	if len(s.parts) == 0 {
		return "", nil
	}
	own, language := s.tongues(c, customer)
	if language == "" {
		return "", nil
	}
	r = &across{
		foreign: foreignOf(strings.ToLower(c.text), language), numbers: numbers(withoutStops(c.text), language), names: names(withoutStops(c.text), language),
		literals: literal.FindAllString(strings.ToLower(c.text), -1),
	}
	r.names = slices.DeleteFunc(r.names, func(name string) bool { return weekdays[strings.ToLower(name)] > 0 })
	return own, r
}

// translated returns the run that a claim may be a translation of.
func (s *Source) translated(r *across, own string) (start, end int, ok bool) {
	if r.facts() == 0 {
		if !r.borneOut(span{s, s.parts}, own) {
			return 0, 0, false
		}
		return s.parts[0].start, s.parts[len(s.parts)-1].end, true
	}
	for n := 1; n <= min(maxRun, len(s.parts)); n++ {
		for i := 0; i+n <= len(s.parts); i++ {
			if r.borneOut(span{s, s.parts[i : i+n]}, own) {
				return s.parts[i].start, s.parts[i+n-1].end, true
			}
		}
	}
	return 0, 0, false
}

// Foreign reports whether a claim is in another language than the text, as Across has
// it.
func (s *Source) Foreign(c *Claim, customer string) bool {
	_, language := s.tongues(c, customer)
	return language != ""
}

// tongues returns the languages of the source and of a claim, "" if it is not sure that
// they are two which are compared.
func (s *Source) tongues(c *Claim, customer string) (own, claim string) {
	own = s.tongue()
	if own == "" || deniers[own] == nil {
		return "", ""
	}
	if claim = tongueOf(c.text, own, base(customer)); claim == "" || akin(own, claim) {
		return "", ""
	}
	return own, claim
}

// Compared returns the languages between which sentences are compared.
func Compared() []string { return slices.Clone(compared) }

// An across is a claim as it is compared with texts in another language.
type across struct {
	foreign
	numbers  []number
	names    []string
	literals []string
}

// facts counts what stands in a text in whatever language.
func (r *across) facts() int {
	return len(r.numbers) + len(r.names) + len(r.literals) + len(r.days)
}

// borneOut reports whether a span has all of it.
func (r *across) borneOut(sp span, language string) bool {
	in := func(has func(*facts) bool) bool {
		return has(&sp.source.around) || slices.ContainsFunc(sp.parts, func(p part) bool { return has(&p.facts) })
	}
	for _, n := range r.numbers {
		if !hasNumber(n, sp) && !in(func(f *facts) bool {
			return slices.ContainsFunc(f.numbers, func(h number) bool { return sameHour(n, h) })
		}) {
			return false
		}
	}
	for _, name := range r.names {
		if !in(func(f *facts) bool { return hasWord(f.lower, strings.ToLower(name)) }) {
			return false
		}
	}
	for _, l := range r.literals {
		if !in(func(f *facts) bool { return strings.Contains(f.lower, strings.Trim(l, "`")) }) {
			return false
		}
	}
	agreed := false
	var days []int
	for i := range sp.parts {
		p := foreignOf(sp.parts[i].lower, language)
		agreed = agreed || r.agrees(p)
		days = append(days, p.days...)
	}
	days = append(days, foreignOf(sp.source.around.lower, language).days...)
	return agreed && !slices.ContainsFunc(r.days, func(day int) bool { return !slices.Contains(days, day) })
}

// sameHour reports whether two figures are one time of the day, such as "6 pm" and
// "18", or "17:45" and "17 h 45".
func sameHour(a, b number) bool {
	clock := func(n number) (minutes int, ok bool) {
		parts := n.parts
		if parts == nil {
			parts = []string{n.value}
		}
		h, err := strconv.Atoi(parts[0])
		if err != nil || len(parts) > 2 || h > 24 {
			return 0, false
		}
		m := 0
		if len(parts) == 2 {
			if m, err = strconv.Atoi(parts[1]); err != nil || m > 59 {
				return 0, false
			}
		}
		switch {
		case n.unit == "pm" && h < 12:
			h += 12
		case n.unit == "am" && h == 12:
			h = 0
		case n.unit != "" && n.unit != "am" && n.unit != "pm" && n.unit != "clock" && n.unit != "hour":
			return 0, false
		}
		return h*60 + m, true
	}
	isHalf := func(n number) bool { return n.unit == "am" || n.unit == "pm" }
	x, okA := clock(a)
	y, okB := clock(b)
	return okA && okB && x == y && (isHalf(a) || isHalf(b))
}

// tongue returns the language of a source, "" if that is not sure.
func (s *Source) tongue() string {
	if s.language != "" {
		return base(s.language)
	}
	var b strings.Builder
	for i := range s.parts {
		b.WriteString(s.parts[i].lower + "\n")
	}
	tag, sure := knowledge.DetectLanguage(b.String(), compared)
	if !sure {
		return ""
	}
	return tag
}

// tongueOf returns the language of a sentence which is in that of a text, in that of
// the customer or, if that is not known, in any of those compared; "" if that is not
// sure.
func tongueOf(sentence, text, customer string) string {
	among := compared
	if customer != "" {
		among = []string{customer, text}
	}
	tag, sure := knowledge.DetectLanguage(literal.ReplaceAllString(sentence, " "), among)
	if !sure || deniers[tag] == nil {
		return ""
	}
	return tag
}

// akin reports whether two languages are too close to be told apart.
func akin(a, b string) bool {
	return a == b || (a == "ms" || a == "id") && (b == "ms" || b == "id")
}

// base returns the first part of a language tag.
func base(tag string) string {
	b, _, _ := strings.Cut(strings.ToLower(tag), "-")
	return b
}
