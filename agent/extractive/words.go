package extractive

import (
	"iter"
	"strings"
	"unicode"
)

// A list of words, or of what stands in text without spaces.
type words struct {
	spaced   map[string]bool
	unspaced []string
}

func list(spaced, unspaced string) words {
	w := words{spaced: map[string]bool{}, unspaced: strings.Fields(unspaced)}
	for s := range strings.FieldsSeq(spaced) {
		w.spaced[s] = true
	}
	return w
}

// in reports whether a text in lower case holds one of the words.
func (w words) in(text string) bool {
	for word := range fields(text) {
		if w.spaced[word] {
			return true
		}
	}
	for _, s := range w.unspaced {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// The words of asking, of numbers and of the calendar in English, German, Malay,
// Indonesian and Arabic; and in Chinese, Japanese and Thai.
var (
	asksNumber = list(`many much old long far often cost costs price wieviel wieviele viel viele lange oft teuer hoch kostet berapa berapakah harga كم بكم`,
		`多少 几个 几天 几次 多久 多长 いくつ いくら 何人 何個 何回 何年 どのくらい どれくらい กี่ เท่าไร เท่าไหร่ เท่าใด`)
	asksTime = list(`when year month day date wann jahr tag datum uhrzeit bila bilakah kapan kapankah tarikh tanggal متى عام سنة تاريخ`,
		`什么时候 何时 哪年 哪一年 几点 几号 いつ 何時 何年 何月 何日 เมื่อไร เมื่อไหร่ เมื่อใด กี่โมง ปีใด ปีไหน วันไหน`)
	asksName = list(`who whom whose where wer wen wem wessen wo wohin woher siapa siapakah mana أين اين`, ``)

	// asksSubject begins a question that asks what something is, or ends it.
	asksSubject = []string{"what is ", "what are ", "what's ", "was ist ", "was sind ", "apa itu ", "apakah itu ", "ما هو ", "ما هي ", "什么是", "是什么", "とは", "とは何ですか", "คืออะไร"}

	numbers = list(`two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty hundred thousand million billion dozen half once twice none
		zwei drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig dreißig hundert tausend million millionen einmal zweimal keine
		dua tiga empat lima enam tujuh lapan delapan sembilan sepuluh sebelas seratus seribu ratus ribu juta sekali tiada
		واحد اثنان اثنين ثلاثة ثلاث أربعة أربع خمسة خمس ستة ست سبعة سبع ثمانية ثماني تسعة تسع عشرة عشر عشرون عشرين مئة مائة ألف مليون`,
		`二 三 四 五 六 七 八 九 十 百 千 万 两 สอง สาม สี่ ห้า หก เจ็ด แปด เก้า สิบ ร้อย พัน หมื่น ล้าน`)
	calendar = list(`january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday
		mondays tuesdays wednesdays thursdays fridays saturdays sundays weekday weekdays weekend weekends daily noon midnight today tomorrow immediately
		januar februar märz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag samstag sonntag montags dienstags mittwochs donnerstags freitags
		samstags sonntags täglich werktags wochenende mittags mitternacht sofort
		januari februari mac maret mei jun julai ogos agustus oktober disember desember isnin selasa rabu khamis jumaat sabtu ahad senin kamis jumat minggu hari esok besok
		الاثنين الإثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر يوميا غدا فورا`,
		`星期 周一 周日 周末 每天 每日 曜日 毎日 平日 週末 正午 ทุกวัน วันจันทร์ วันอังคาร วันพุธ วันพฤหัส วันศุกร์ วันเสาร์ วันอาทิตย์
		มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม`)
)

// fields yields the words of a text, without punctuation.
func fields(text string) iter.Seq[string] {
	return strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.Nd) })
}
