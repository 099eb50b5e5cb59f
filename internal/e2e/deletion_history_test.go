package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A deed is one step of a history. What its numbers mean depends on what is done;
// they name slots, such as the third document, so that a history stays one when some
// of its deeds are left out.
type deed struct {
	N       int // its number in the history it was made in, which names the texts it brings
	Do      string
	A, B, C int
}

func (d deed) String() string { return fmt.Sprintf("{%d, %q, %d, %d, %d}", d.N, d.Do, d.A, d.B, d.C) }

// deeds are what histories are made of, and how often each comes in a hundred or so.
var deeds = []struct {
	do    string
	often int
	run   func(w *annals, d deed)
}{
	{"put", 12, (*annals).put},
	{"patch", 4, (*annals).patch},
	{"roll back", 4, (*annals).rollBack},
	{"bulk", 3, (*annals).bulk},
	{"delete", 8, (*annals).delete},
	{"delete while asked", 3, (*annals).deleteWhileAsked},
	{"add agent", 4, (*annals).addAgent},
	{"delete agent", 1, (*annals).deleteAgent},
	{"add source", 6, (*annals).addSource},
	{"delete source", 2, (*annals).deleteSource},
	{"change page", 5, (*annals).changePage},
	{"copy page", 3, (*annals).copyPage},
	{"move page", 2, (*annals).movePage},
	{"drop page", 2, (*annals).dropPage},
	{"old page", 3, (*annals).oldPage},
	{"change source", 1, (*annals).changeSource},
	{"read", 8, (*annals).read},
	{"read, and wait", 5, (*annals).readHeld},
	{"go on", 4, (*annals).goOn},
	{"cancel", 2, (*annals).cancel},
	{"delete page", 7, (*annals).deletePage},
	{"ask", 6, (*annals).ask},
	{"stream", 3, (*annals).stream},
	{"stream unheard", 2, (*annals).streamUnheard},
	{"send", 3, (*annals).send},
	{"chat", 6, (*annals).chat},
	{"delete conversation", 3, (*annals).deleteConversation},
	{"delete conversation while asked", 1, (*annals).deleteConversationWhileAsked},
	{"delete user", 2, (*annals).deleteUser},
	{"sweep", 1, (*annals).sweep},
	{"restart", 2, (*annals).restartDesk},
	{"crash", 6, (*annals).armCrash},
	{"look", 3, func(w *annals, _ deed) { w.look(false) }},
}

// newHistory makes up a history.
func newHistory(seed uint64) []deed {
	r := rand.New(rand.NewPCG(seed, 0xde1e7e))
	total := 0
	for _, d := range deeds {
		total += d.often
	}
	out := make([]deed, 15+r.IntN(30))
	for i := range out {
		n := r.IntN(total)
		for _, d := range deeds {
			if n -= d.often; n < 0 {
				out[i] = deed{i, d.do, r.IntN(64), r.IntN(64), r.IntN(64)}
				break
			}
		}
	}
	return out
}

// shrink leaves deeds out of a history for as long as it still fails.
func shrink(history []deed, fails func([]deed) bool) []deed {
	for size := len(history) / 2; size > 0; {
		smaller := false
		for from := 0; from < len(history); {
			to := min(from+size, len(history))
			without := append(append([]deed{}, history[:from]...), history[to:]...)
			if fails(without) {
				history, smaller = without, true
			} else {
				from = to
			}
		}
		if !smaller || size > len(history) {
			size /= 2
		}
	}
	return history
}

// A saying is a text that a history brings: what it is about, which questions may
// name, and the word that nothing else holds.
type saying struct{ topic, secret string }

// secretPrefix begins each word that is looked for.
const secretPrefix = "zq"

const secretLetters = 24

// saying returns the k-th text of the n-th deed.
func (w *annals) saying(n, k int) saying {
	r := rand.New(rand.NewPCG(w.seed, uint64(n*16+k)))
	word := func(prefix string, letters int) string {
		var b strings.Builder
		b.WriteString(prefix)
		for b.Len() < letters {
			b.WriteByte(byte('a' + r.IntN(26)))
		}
		return b.String()
	}
	return saying{word("kx", 10), word(secretPrefix, secretLetters)}
}

func (s saying) title() string    { return "About " + s.topic + " and " + s.secret }
func (s saying) question() string { return "What is the code of " + s.topic + "?" }
func (s saying) text() string {
	return "The code of " + s.topic + " is " + s.secret + ". Whoever asks for it is told so at once."
}
