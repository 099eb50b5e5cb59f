package analysis

import "strings"

// stemMalay takes the affixes off a Malay or Indonesian word. It knows no
// dictionary, so what it leaves need not be a word, only the same for the forms of
// one: bayar, membayar, dibayar, bayaran and pembayaran are "bayar".
//
// Prefixes go first, as they say whether -kan is an ending of a verb or the k
// belongs to a noun in -an. A letter that a prefix has melted with is put back:
// menukar is of tukar.
func stemMalay(word string) string {
	for i := range len(word) {
		if word[i] < 'a' || word[i] > 'z' {
			return word
		}
	}
	for _, particle := range []string{"lah", "kah", "pun", "nya"} {
		if rest, ok := strings.CutSuffix(word, particle); ok && len(rest) >= 4 && !endsWith(word, malayNoParticle) {
			word = rest
		}
	}
	if root, ok := malayIrregular[word]; ok {
		return root
	}
	noun := false
	rest := word
	switch {
	case strings.HasPrefix(word, "me") || strings.HasPrefix(word, "pe") && !strings.HasPrefix(word, "per"):
		noun = word[0] == 'p'
		rest = malayNasal(word)
		if len(rest) < len(word) && strings.HasPrefix(word, "memper") && len(rest) >= 7 {
			rest = strings.TrimPrefix(rest, "per")
		}
	case strings.HasPrefix(word, "di") && len(word) >= 6:
		rest = word[2:]
		if cut, ok := strings.CutPrefix(rest, "per"); ok && len(cut) >= 4 {
			rest = cut
		}
	case strings.HasPrefix(word, "ber"), strings.HasPrefix(word, "ter"):
		if syllable(word[3:]) && len(word) >= 7 {
			rest = word[3:]
		}
	case strings.HasPrefix(word, "per"):
		if noun = strings.HasSuffix(word, "an"); syllable(word[3:]) && len(word) >= 7 && (noun || !vowel(word[3])) {
			rest = word[3:]
		}
	case strings.HasPrefix(word, "ke") && strings.HasSuffix(word, "an") && len(word) >= 8 && syllable(word[2:]):
		noun, rest = true, word[2:]
		for _, inner := range []string{"ber", "per"} {
			if cut, ok := strings.CutPrefix(rest, inner); ok && len(cut) >= 6 {
				rest = cut
			}
		}
	case strings.HasPrefix(word, "se") && malayUnits[word[2:]]:
		return word[2:]
	}
	return malayEnding(rest, noun)
}

// malayNasal takes off me- or pe- with the nasal it has before some letters.
func malayNasal(word string) string {
	next := func(i int, letters string) bool {
		return len(word) >= i+3 && strings.IndexByte(letters, word[i]) >= 0
	}
	nasal := word[2:]
	switch {
	case strings.HasPrefix(nasal, "nge") && len(word) >= 8 && malayShort[word[5:8]] && malayEndings[word[8:]]:
		return word[5:8] // mengesahkan, of sah
	case strings.HasPrefix(nasal, "ng") && next(4, "gh"):
		return word[4:]
	case strings.HasPrefix(nasal, "ng") && next(4, "aeiou"):
		if word[4] == 'e' && !startsWith(word[4:], malayWithE) || startsWith(word[4:], malayWithK) {
			return "k" + word[4:]
		}
		return word[4:]
	case strings.HasPrefix(nasal, "ng") && next(4, "k"):
		return word[4:]
	case strings.HasPrefix(nasal, "ny") && next(4, "aeiou"):
		if startsWith(word[4:], malayWithNy) {
			return word[2:]
		}
		return "s" + word[4:]
	case strings.HasPrefix(nasal, "m") && next(3, "bfpv") && len(word) >= 7:
		return word[3:]
	case strings.HasPrefix(nasal, "m") && next(3, "aeiou"):
		if startsWith(word[3:], malayWithM) {
			return word[2:]
		}
		return "p" + word[3:]
	case strings.HasPrefix(nasal, "n") && next(3, "cdjstz") && len(word) >= 7:
		return word[3:]
	case strings.HasPrefix(nasal, "n") && next(3, "aeiou"):
		if startsWith(word[3:], malayWithN) {
			return word[2:]
		}
		return "t" + word[3:]
	case next(2, "lrwy") && syllable(nasal) && (len(word) >= 7 || word[0] == 'm' && len(word) == 6):
		return nasal
	}
	return word
}

// malayEnding takes off -kan, -an and -i.
func malayEnding(word string, noun bool) string {
	if rest, ok := strings.CutSuffix(word, "kan"); ok && len(rest) >= 3 {
		switch last := rest[len(rest)-1]; {
		case !vowel(last):
			word = rest
		case noun || startsWith(rest+"k", malayFinalK):
			word = rest + "k"
		case len(rest) >= 4 || vowel(rest[0]):
			word = rest
		}
	}
	for range 2 { // langganan, langgan
		rest, ok := strings.CutSuffix(word, "an")
		if !ok || len(rest) < 3 || len(rest) == 3 && !vowel(rest[2]) {
			break
		}
		word = rest
	}
	if rest, ok := strings.CutSuffix(word, "i"); ok && len(rest) >= 4 && !vowel(rest[len(rest)-1]) || ok && len(rest) >= 5 {
		word = rest
	}
	return word
}

func vowel(b byte) bool { return strings.IndexByte("aeiou", b) >= 0 }

// syllable reports whether a word can begin so: with a vowel, or with one
// consonant or a pair of them that Malay words begin with.
func syllable(s string) bool {
	if len(s) < 3 {
		return false
	}
	return vowel(s[0]) || vowel(s[1]) || startsWith(s, []string{"ny", "ng", "sy", "kh", "gh", "pr", "kl", "kr", "tr", "dr", "gr", "br", "st", "pl", "bl"})
}

func startsWith(s string, list []string) bool {
	for _, prefix := range list {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

func endsWith(s string, list []string) bool {
	for _, suffix := range list {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

// What a stemmer without a dictionary cannot know, for the commonest words.
var (
	malayIrregular = map[string]string{
		"belajar": "ajar", "pelajar": "ajar", "pelajaran": "ajar", "mempelajari": "ajar", "dipelajari": "ajar", "pembelajaran": "ajar",
		"bekerja": "kerja", "pekerja": "kerja", "pekerjaan": "kerja",
		"berikan": "beri", "diberikan": "beri", "berita": "berita", "terbang": "terbang", "penerbangan": "terbang", "terima": "terima",
		"penerimaan": "terima", "menteri": "menteri", "mental": "mental", "peranti": "peranti", "perisian": "perisian", "ternyata": "nyata",
		"pesan": "pesan", "selesaikan": "selesai", "menyelesaikan": "selesai", "diselesaikan": "selesai", "penyelesaian": "selesai", "selesai": "selesai",
		"mengetahui": "tahu", "diketahui": "tahu", "pengetahuan": "tahu", "terjemahan": "terjemah", "menterjemah": "terjemah",
		"terjemah": "terjemah", "penterjemah": "terjemah", "halaman": "halaman", "digital": "digital", "diskaun": "diskaun", "diskon": "diskon", "tetapi": "tetapi",
		"keluar": "keluar", "keluarkan": "keluar", "dikeluarkan": "keluar", "mengeluarkan": "keluar", "pengeluaran": "keluar",
		"melaka": "melaka", "melayu": "melayu", "sekarang": "sekarang", "semalam": "semalam", "dirumah": "rumah", "perlukan": "perlu", "diperlukan": "perlu", "memerlukan": "perlu",
	}
	malayUnits      = set("hari minggu bulan tahun jam minit menit orang buah malam kali waktu")
	malayShort      = set("sah cas pos cat tik lap had bom pam")
	malayEndings    = map[string]bool{"": true, "an": true, "kan": true, "i": true}
	malayWithE      = strings.Fields("edit elak ekspor eksport emel eja ekstrak erti endors")
	malayWithK      = strings.Fields("irim ira ilang urang umpul uasa awal aji andung ongsi unjung unci osong orban ait onfirm ukuh arang upas awin asih ondisi alah")
	malayWithM      = strings.Fields("akan inum asuk ain inta ohon ulai ulak ulaa uat ilik andi asak aki arah aaf aklum ampu anfaat aju udah urah inat usnah otivasi")
	malayWithN      = strings.Fields("ilai aik ikah anti amai amak amaa iaga asihat ikmat afi onaktif ormal")
	malayWithNy     = strings.Fields("anyi ata ala aman awa")
	malayNoParticle = strings.Fields("salah sekolah jumlah istilah telah belah celah langkah berkah himpun tanya punya")
	malayFinalK     = strings.Fields("semak masak cetak tolak letak rosak rusak naik baik gerak tarik balik masuk didik bentuk tindak tempek pijak ajak elak kehendak")
)
