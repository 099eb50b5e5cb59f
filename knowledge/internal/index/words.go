package index

import (
	"strings"
	"sync"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
)

// fillerWords are left out when the terms of two questions are compared: they ask
// and are polite, or are looked at by [sense].
const fillerWords = `a an the please pls kindly hi hello hey thanks thank ok okay do does did is are am was were be been
	being will would can could may might shall i me my mine myself we us our ours you your yours yourself it its they them their
	theirs this that these those there here of in on at to for by as with and or so just also about any some if but such then know
	tell wonder wondering possible able want wanna like someone anyone one explain say ask question let how what which when where who
	whom whose why much many long often far soon im id ill ive youre thats whats hows wheres whens whos theres well not cant cannot
	dont doesnt didnt isnt arent wasnt werent wont wouldnt couldnt`

var fillerTerms sync.Map // of map[string]bool, by analyzer

// fillers are the terms of [fillerWords].
func fillers(a *analysis.Analyzer) map[string]bool {
	if m, ok := fillerTerms.Load(a); ok {
		return m.(map[string]bool)
	}
	m := map[string]bool{}
	for _, t := range a.Terms(nil, fillerWords) {
		m[t] = true
	}
	fillerTerms.Store(a, m)
	return m
}

func wordSet(list string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		m[w] = true
	}
	return m
}

// askWords are what a question asks for, and whether of what was. The first three may be missing in the
// other question: "how do I reset my password", "reset my password".
var askWords = func() map[string]asks {
	m := map[string]asks{}
	for i, words := range []string{
		"what whats", "how hows", "which", "when whens", "where wheres", "who whos whom", "whose", "why", "much", "many", "long", "often",
		"far", "soon", "did didnt was wasnt were werent",
	} {
		for w := range strings.FieldsSeq(words) {
			m[w] = 1 << i
		}
	}
	return m
}()

const plainAsks = 1<<3 - 1

// ownerWords are whose something is: "my name", "your name".
var ownerWords = map[string]owners{"my": 1, "mine": 1, "our": 1, "ours": 1, "your": 2, "yours": 2}

// speakerWords are who asks (1) and who is asked (2): "can I call you" and "can you
// call me" differ in nothing else.
var speakerWords = map[string]speakers{
	"i": 1, "me": 1, "my": 1, "mine": 1, "myself": 1, "we": 1, "us": 1, "our": 1, "im": 1, "ive": 1, "ill": 1, "id": 1,
	"you": 2, "your": 2, "yours": 2, "yourself": 2, "youre": 2,
}

// markWords turn a question into another one if only one of the two has them.
var markWords = wordSet(`before after during until till since off out down up over under above below from into between against again within
	beyond more most less least fewer than only except instead each every both few other another next last first same always
	vor nach seit bis nur ab mehr weniger avant après depuis plus moins seulement antes después desde hasta más menos solo prima
	dopo più meno depois mais قبل بعد أكثر أقل فقط`)

// directions are the words of two questions of which the order of the terms is
// compared too.
var directions = wordSet(`from to into than before after instead over between vs versus von nach zu als vor statt de à vers avant après desde
	hasta antes después da dopo prima para من إلى الى قبل بعد`)

// noWords say no. They are written as [normal] leaves them, without apostrophes.
var noWords = wordSet(`no not nor never none nothing nobody neither without cannot cant dont doesnt didnt isnt arent wasnt werent wont wouldnt
	shouldnt couldnt havent hasnt hadnt mustnt neednt aint shant
	nicht kein keine keinen keinem keiner keines nie niemals nichts niemand ohne weder nein
	ne pas jamais aucun aucune rien sans ni non
	nunca jamás ningún ninguna ninguno nada nadie sin tampoco
	mai nessun nessuno nessuna niente nulla senza
	não nao nenhum nenhuma ninguém sem jamais
	niet geen nooit niets niemand zonder
	inte ingen inget inga aldrig utan ikke aldri uten aldrig uden
	nie nikt nic bez żaden żadna не нет ни никогда без нельзя нет ані немає
	değil yok hayır asla
	لا لم لن ليس ليست غير بدون دون لست 안 לא אין בלי नहीं न मत बिना không chưa chẳng tidak bukan tanpa jangan
	δεν μην όχι nem nincs soha nélkül ei eivät ilman fără nici nu`)

// noSigns say no inside words, or in scripts that part none.
var noSigns = []string{"不", "没", "沒", "無", "无", "非", "未", "勿", "別", "别", "ない", "なく", "なし", "ません", "않", "없", "못", "ไม่", "ห้าม", "មិន", "ບໍ່"}
