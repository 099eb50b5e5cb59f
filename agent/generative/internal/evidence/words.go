package evidence

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// wordLength returns how long the word is that a text begins with.
func wordLength(text string) int {
	for i, r := range text {
		if !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) {
			return i
		}
	}
	return len(text)
}

// spellings are the numbers that are written as words, from two: "one" and "a" are
// said of much that is no number.
var spellings = map[string]string{}

// inHan are those of Chinese and Japanese, which stand before a unit.
var inHan = map[rune]string{'二': "2", '两': "2", '三': "3", '四': "4", '五': "5", '六': "6", '七': "7", '八': "8", '九': "9", '十': "10"}

func init() {
	for value, words := range map[string]string{
		"2": "two zwei deux dos due dois twee два zwo dua اثنان اثنين", "3": "three drei trois tres tre três drie три tiga ثلاثة ثلاث",
		"4": "four vier quatre cuatro quattro quatro четыре empat أربعة أربع", "5": "five fünf cinq cinco cinque vijf пять lima خمسة خمس",
		"6": "six sechs seis sei zes шесть enam ستة ست", "7": "seven sieben sept siete sette sete zeven семь tujuh سبعة سبع",
		"8": "eight acht huit ocho otto oito восемь lapan delapan ثمانية ثماني ثمان", "9": "nine neun neuf nueve nove negen девять sembilan تسعة تسع",
		"10": "ten zehn dix diez dieci dez tien десять sepuluh عشرة عشر", "11": "eleven elf onze once undici", "12": "twelve zwölf douze doce dodici twaalf",
		"13": "thirteen dreizehn", "14": "fourteen vierzehn quatorze catorce veertien", "15": "fifteen fünfzehn quinze quince vijftien", "16": "sixteen sechzehn seize",
		"18": "eighteen achtzehn", "20": "twenty zwanzig vingt veinte venti twintig عشرون عشرين", "24": "vierundzwanzig", "30": "thirty dreißig dreissig trente treinta trenta dertig ثلاثون ثلاثين",
		"40": "forty vierzig quarante cuarenta", "50": "fifty fünfzig cinquante cincuenta vijftig", "60": "sixty sechzig soixante sesenta", "90": "ninety neunzig noventa",
		"100": "hundred hundert cent cien مئة مائة", "1000": "thousand tausend mille mil ألف",
	} {
		for w := range strings.FieldsSeq(words) {
			spellings[w] = value
		}
	}
}

// onlyIn are spellings that are other words elsewhere, with where they are numbers.
var onlyIn = map[string]string{"due": "it", "sei": "it", "once": "es", "dos": "es", "elf": "de", "sept": "fr", "cent": "fr"}

// spelled returns the number that a word in lower case is, with which a text in a
// language begins.
func spelled(text, word, language string) string {
	r, n := utf8.DecodeRuneInString(text)
	if !unicode.Is(unicode.Han, r) {
		if in := onlyIn[word]; in != "" && in != base(language) {
			return ""
		}
		return spellings[word]
	}
	if v := inHan[r]; v != "" && unit(text[n:]) != "" {
		return v
	}
	return ""
}

// units are the words and marks that are said of numbers, by what they mean.
var units = map[string]string{}

// spacelessUnits are those of scripts without spaces, which go right on.
var spacelessUnits = map[string]string{
	"天": "day", "日": "day", "วัน": "day", "小时": "hour", "小時": "hour", "時間": "hour", "ชั่วโมง": "hour", "点": "clock", "點": "clock", "時": "clock", "นาฬิกา": "clock",
	"分钟": "minute", "分鐘": "minute", "分": "minute", "นาที": "minute", "秒": "second", "周": "week", "週": "week", "星期": "week", "สัปดาห์": "week",
	"个月": "month", "個月": "month", "か月": "month", "ヶ月": "month", "カ月": "month", "月": "month", "เดือน": "month", "年": "year", "ปี": "year",
	"元": "yuan", "円": "yen", "欧元": "eur", "美元": "usd", "บาท": "baht", "公斤": "kg", "千克": "kg", "公里": "km", "米": "m", "%": "percent", "％": "percent",
	"€": "eur", "$": "usd", "£": "gbp", "¥": "yen", "￥": "yen", "°": "degree",
}

func init() {
	for class, words := range map[string]string{
		"day":    "day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen день дня дней hari gün يوم يوما أيام ايام ngày 일",
		"hour":   "hour hours hr hrs h stunde stunden heure heures hora horas ora ore uur час часа часов jam saat ساعة ساعات giờ",
		"minute": "minute minutes min mins minuten minuto minutos minuti минут минуты menit minit dakika دقيقة دقائق phút",
		"second": "second seconds sec secs sekunde sekunden seconde secondes segundo segundos ثانية ثواني",
		"week":   "week weeks woche wochen semaine semaines semana semanas settimana settimane weken неделя недели недель minggu hafta أسبوع أسابيع اسبوع اسابيع tuần",
		"month":  "month months monat monate monaten mois mes meses mese mesi maand maanden месяц месяца месяцев bulan ay شهر أشهر شهور tháng",
		"year":   "year years yr yrs jahr jahre jahren an ans année années año años anno anni jaar jaren год года лет tahun yıl سنة سنوات عام năm",
		"eur":    "eur euro euros يورو", "usd": "usd dollar dollars دولار", "gbp": "gbp pound pounds pfund", "yen": "yen jpy", "yuan": "yuan rmb cny", "chf": "chf franken", "cent": "cent cents",
		"percent": "percent pct prozent pourcent procent بالمئة بالمائة", "am": "am morning vormittags morgens früh صباحا", "pm": "pm afternoon evening nachmittags abends مساء",
		"kg": "kg kilo kilos kilogram kilograms kilogramm", "g": "g gram grams gramm", "lb": "lb lbs", "oz": "oz ounces", "km": "km kilometer kilometers kilometres", "m": "m meter meters metre metres metern",
		"cm": "cm centimeters centimetres zentimeter", "mm": "mm", "mile": "mile miles meilen", "l": "l liter liters litre litres", "ml": "ml", "mb": "mb", "gb": "gb", "tb": "tb", "kb": "kb",
		"degree": "degrees grad", "person": "person persons people personen guests gäste", "million": "million millionen millions مليون", "thousand": "k",
	} {
		for w := range strings.FieldsSeq(words) {
			units[w] = class
		}
	}
	fillPeriods()
}

// longestUnit is how long those are at most, in bytes.
const longestUnit = 24

// unit returns the class of the unit that a text begins with.
func unit(text string) string {
	for n := min(len(text), longestUnit); n > 0; n-- {
		if class := spacelessUnits[text[:n]]; class != "" {
			return class
		}
	}
	n := wordLength(text)
	return units[strings.ToLower(text[:n])]
}

// unitBeside returns the class of the unit that stands behind a number or, if it is
// money, before it.
func unitBeside(text string, start, end int) string {
	if class := unit(strings.TrimLeft(text[end:], " -\u00a0\u202f")); class != "" {
		return class
	}
	before := strings.TrimRight(text[:start], " \u00a0\u202f")
	begin := len(before)
	for begin > 0 && before[begin-1] < utf8.RuneSelf && unicode.IsLetter(rune(before[begin-1])) {
		begin--
	}
	switch word := strings.ToLower(before[begin:]); word {
	case "eur", "usd", "gbp", "chf", "jpy", "cny", "rmb":
		return units[word]
	}
	for _, mark := range []string{"€", "$", "£", "¥", "￥"} {
		if strings.HasSuffix(before, mark) {
			return spacelessUnits[mark]
		}
	}
	return ""
}

// months are those that dates name, with their numbers.
var months = map[string]string{}

func init() {
	for i, names := range []string{
		"january jan januar janvier enero", "february feb februar février febrero", "march mar märz mars marzo", "april apr avril abril", "may mai mayo", "june jun juni juin junio",
		"july jul juli juillet julio", "august aug août agosto", "september sep sept septembre septiembre", "october oct oktober octobre octubre", "november nov novembre noviembre", "december dec dezember décembre diciembre",
	} {
		for w := range strings.FieldsSeq(names) {
			months[w] = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}[i]
		}
	}
}
