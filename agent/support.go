package agent

// A Support says what bears out one sentence that a model wrote. It holds ids, and no
// text of anybody.
type Support struct {
	Verdict Verdict  `json:"verdict"`
	By      Basis    `json:"by,omitzero"`       // empty: nothing bears it out
	IDs     []string `json:"ids,omitzero"`      // of the passages, the calls of tools or the files
	LeftOut bool     `json:"left_out,omitzero"` // whether the sentence is not in the reply
}

// A Verdict says how far a sentence was compared with what bears it out.
type Verdict string

// The verdicts.
const (
	Verified   Verdict = "verified"    // its content words, names and numbers stand there
	Translated Verdict = "translated"  // it is in another language: names and numbers stand there, words could not be compared
	Unborne    Verdict = "unsupported" // nothing bears it out
)

// A Basis is a kind of thing that bears sentences out.
type Basis string

// The kinds. Only passages are cited.
const (
	OnPassages Basis = "passages"
	OnTools    Basis = "tools"
	OnContext  Basis = "context" // [Message.Context]
	OnFiles    Basis = "files"   // [Message.Attachments]
)

// OnMessage reports whether it is something that came with the message itself.
func (b Basis) OnMessage() bool { return b == OnContext || b == OnFiles }
