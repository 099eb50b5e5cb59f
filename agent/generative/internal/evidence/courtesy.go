package evidence

import (
	"strings"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// courtesy are the words of sentences that only greet, thank, offer help or say what
// comes next.
var courtesy = map[string]bool{}

// courtesies are those of scripts without spaces; the longer ones first.
var courtesies = strings.NewReplacer()

func init() {
	for w := range strings.FieldsSeq(`hello hi hey dear welcome thanks thank good morning afternoon evening day great glad happy pleased sure certainly course absolutely gladly please sorry apologies apologize unfortunately
		help assist assistance question questions let know look looking check checking see moment second here answer short below following overview summary details contact ask anything else further more more free feel
		like need want would could can will may i'll i'm i you're you me us we your my is are am be the a to with that this for of and or if any have do in on it so just yes no okay ok well nice
		hallo guten tag morgen abend danke vielen dank gerne gern bitte leider natürlich klar selbstverständlich hilfe helfe helfen frage fragen weiter weitere weiteren schaue nachsehen moment antwort hier folgt kurz sehen
		ich ihnen dir ihr ihre sie du wir haben hast habe noch zur zum mit ihrer deiner dabei kann können wenn melden sich einfach es ist sind tut mir leid
		bonjour bonsoir merci avec plaisir volontiers désolé aide aider question questions voici hola gracias buenos días claro gusto ayudar pregunta preguntas aquí
		مرحبا أهلا اهلا شكرا عفوا بكل سرور بالتأكيد طبعا مساعدتك أساعدك مساعدة سؤال أسئلة يسعدني يمكنني إليك أهلا وسهلا بك آسف للأسف هل لديك أي أخرى`) {
		courtesy[w] = true
	}
	var pairs []string
	for w := range strings.FieldsSeq(`您好 你好 谢谢您 谢谢 感谢您的提问 感谢 不客气 很高兴 为您服务 为您解答 为您 帮助您 帮助 帮您 请问 请 当然可以 当然 好的 没问题 抱歉 对不起 以下是 如果您有 如果 还有 其他 任何 问题 随时 告诉我 联系我们 我 可以 您 你 的 吗 呢 了
		こんにちは ありがとうございます ありがとう かしこまりました もちろんです もちろん お手伝い お答え ご質問 質問 申し訳ございません すみません します いたします です ます が を に も 何か 他に あれば お知らせください ください
		สวัสดี ขอบคุณ ยินดี ครับ ค่ะ`) {
		pairs = append(pairs, w, "")
	}
	courtesies = strings.NewReplacer(pairs...)
}

// isASCII reports whether a text has no letters but those of English.
func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// onlyCourtesy reports whether a sentence has no word of content but those.
func onlyCourtesy(sentence, language string) bool {
	rest := strings.ToLower(sentence)
	if !isASCII(rest) {
		rest = courtesies.Replace(rest)
	}
	var unknown []string
	for word := range strings.FieldsSeq(rest) {
		word = strings.Trim(word, ".,;:!?…()[]\"'*_#-—–“”‘’。，！、；：،؛")
		plain := strings.ReplaceAll(word, "’", "'")
		if word != "" && !courtesy[plain] {
			unknown = append(unknown, word)
		}
	}
	// Words without content count as content where there are no others.
	const other = "qxzqxz"
	for _, t := range knowledge.QueryTerms(strings.Join(append(unknown, other), " "), language) {
		if t.Weight > 0 && t.Text != other {
			return false
		}
	}
	return true
}
