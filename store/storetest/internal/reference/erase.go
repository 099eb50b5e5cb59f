package reference

import (
	"slices"

	"github.com/answerdesk-go/answerdesk/agent"
)

// erase takes what documents said out of every reply that cites one of them, and
// returns how many there were.
func (c *tenant) erase(documents ...string) int {
	n := 0
	for id, v := range c.conversations {
		for i, m := range v.messages {
			cites := func(document string) bool {
				return m.Reply != nil && slices.ContainsFunc(m.Reply.Citations, func(c agent.Citation) bool { return c.DocumentID == document })
			}
			sums := func(document string) bool {
				return m.Reply != nil && m.Reply.Summary != nil && slices.Contains(m.Reply.Summary.Documents, document)
			}
			if slices.ContainsFunc(documents, sums) {
				m = cloneMessage(m)
				m.Reply.Summary = nil
				v.messages = slices.Clone(v.messages)
				v.messages[i] = m
			}
			if !slices.ContainsFunc(documents, cites) {
				continue
			}
			n++
			for _, document := range documents {
				if cites(document) {
					m = erased(cloneMessage(m), document)
				}
			}
			v.messages = slices.Clone(v.messages)
			v.messages[i] = m
		}
		c.conversations[id] = v
	}
	return n
}

// erased returns a reply without the claims and quotes that stand on a document.
func erased(m agent.Message, document string) agent.Message {
	gone := make([]bool, len(m.Text)) // for each byte
	within := func(n int) int { return max(0, min(n, len(m.Text))) }
	for _, c := range m.Reply.Citations {
		if c.DocumentID == document {
			for i := within(c.ClaimStart); i < within(c.ClaimEnd); i++ {
				gone[i] = true
			}
		}
	}
	moved := make([]int, len(m.Text)+1) // where an offset is in what is left
	var left []byte
	for i := range len(m.Text) {
		moved[i] = len(left)
		if !gone[i] {
			left = append(left, m.Text[i])
		}
	}
	moved[len(m.Text)] = len(left)
	for i, c := range m.Reply.Citations {
		c.ClaimStart, c.ClaimEnd = moved[within(c.ClaimStart)], moved[within(c.ClaimEnd)]
		if c.DocumentID == document {
			c = agent.Citation{DocumentID: c.DocumentID, DocumentVersion: c.DocumentVersion, PassageID: c.PassageID, Erased: true}
		}
		m.Reply.Citations[i] = c
	}
	m.Text = string(left)
	m.Reply.Text = m.Text
	return m
}
