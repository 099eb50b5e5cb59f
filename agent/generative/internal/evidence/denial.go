package evidence

import (
	"strings"
)

// denials deny what the words beside them say.
var denials = map[string]bool{}

// spacelessDenials do so in scripts without spaces, but within the words of
// notDenials.
var (
	spacelessDenials = strings.Fields("不 没 沒 無 无 未 非 勿 ない ません なし なく ず、 ไม่ ห้าม 않 없 못 아니")
	notDenials       = strings.NewReplacer("不仅", "", "不只", "", "不同", "", "不过", "", "差不多", "", "不断", "", "非常", "", "未来", "", "无线", "", "無線", "", "無料", "", "なければなり", "", "ไม่เพียง", "")
)

// opposites are words of which one denies the other.
var opposites = map[string]string{}

func init() {
	for w := range strings.FieldsSeq(`not no never none nothing neither nor cannot cant without non dont doesnt didnt isnt arent wasnt werent wont wouldnt couldnt shouldnt hasnt havent mustnt
		nicht kein keine keinen keinem keiner keines nie niemals nichts ohne weder
		ne pas jamais aucun aucune sans rien nunca sin ningún ninguna ninguno mai senza nessun nessuna não nao sem nenhum nenhuma niet geen nooit zonder
		не нет без никогда нельзя değil yok asla नहीं न बिना मत tidak bukan tanpa jangan tiada không chưa
		لا ليس ليست ليسوا لم لن غير بدون دون ولا`) {
		denials[w] = true
	}
	for pair := range strings.FieldsSeq(`open/closed opens/closes allowed/forbidden allowed/prohibited permitted/prohibited free/paid included/excluded includes/excludes before/after more/less maximum/minimum most/least
		always/never accept/reject accepted/rejected enabled/disabled enable/disable increase/decrease cheaper/dearer earliest/latest first/last arrival/departure
		geöffnet/geschlossen offen/geschlossen erlaubt/verboten inklusive/exklusive vor/nach mehr/weniger mindestens/höchstens immer/nie kostenlos/kostenpflichtig
		ouvert/fermé avant/après inclus/exclu abierto/cerrado antes/después incluido/excluido
		مفتوح/مغلق قبل/بعد مجاني/مدفوع مسموح/ممنوع أكثر/أقل`) {
		a, b, _ := strings.Cut(pair, "/")
		opposites[a], opposites[b] = b, a
	}
}

// spacelessOpposites are those of scripts without spaces.
var spacelessOpposites = [][2]string{{"之前", "之后"}, {"以前", "以后"}, {"开放", "关闭"}, {"营业", "休息"}, {"免费", "收费"}, {"至少", "最多"}, {"允许", "禁止"}, {"営業", "休業"}, {"可能", "不可"}, {"เปิด", "ปิด"}}

// A stance is whether a text denies what it speaks of, and the words in it that have
// an opposite or are a unit of time.
type stance struct {
	denies  bool
	words   map[string]bool
	periods []string
}

var apostrophes = strings.NewReplacer("'", "", "’", "")

// stanceOf reads the stance of a text in lower case.
func stanceOf(lower string) stance {
	s := stance{periods: periodsOf(lower)}
	if strings.ContainsAny(lower, "'’") { // else a copy would be made of it
		lower = apostrophes.Replace(lower)
	}
	keep := func(word string) {
		if s.words == nil {
			s.words = map[string]bool{}
		}
		s.words[word] = true
	}
	for word := range fields(lower) {
		if denials[word] {
			s.denies = true
		}
		if opposites[word] != "" {
			keep(word)
		}
	}
	plain := lower
	if !isASCII(lower) {
		plain = notDenials.Replace(lower)
	}
	for _, d := range spacelessDenials {
		if strings.Contains(plain, d) {
			s.denies = true
			break
		}
	}
	for _, pair := range spacelessOpposites {
		for _, w := range pair {
			if strings.Contains(lower, w) {
				keep(w)
			}
		}
	}
	return s
}

// against reports whether one text says the opposite of another.
func (s stance) against(t stance) bool {
	if offBeat(s.periods, t.periods) {
		return true
	}
	for w := range s.words {
		o := opposites[w]
		for _, pair := range spacelessOpposites {
			if pair[0] == w {
				o = pair[1]
			} else if pair[1] == w {
				o = pair[0]
			}
		}
		if o != "" && !s.words[o] && t.words[o] && !t.words[w] {
			return s.denies == t.denies
		}
	}
	return false
}
