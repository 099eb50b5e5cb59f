package storetest

import (
	"math"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

var citations = []promise{
	{
		name:  "stand",
		text:  "a quote that stands in the live version of a document of the company or the agent may be cited, to the byte",
		check: citationStands,
	},
	{
		name:  "wrong",
		text:  "a quote that does not stand where the citation says ends no turn: not another text, range, version or document",
		check: citationWrong,
	},
	{
		name:  "one of many",
		text:  "one citation that does not stand refuses the whole reply",
		check: citationOneOfMany,
	},
	{
		name:  "deleted",
		text:  "a document that was deleted while the turn ran cannot be cited",
		check: citationDeleted,
	},
	{
		name:  "superseded",
		text:  "a version that was replaced while the turn ran cannot be cited, though its text can still be read",
		check: citationSuperseded,
	},
	{
		name:  "other metadata",
		text:  "a document whose text stayed the same can be cited as before",
		check: citationOtherMetadata,
	},
	{
		name:  "another company's",
		text:  "another company's document cannot be cited, though id, version and quote are right",
		check: citationAnotherCompany,
	},
	{
		name:  "another agent's",
		text:  "another agent's own document cannot be cited, though id, version and quote are right",
		check: citationAnotherAgent,
	},
}

// noCitation fails the test unless a reply with the citation is refused, and
// the turn still runs as it was.
func (k *kit) noCitation(t *testing.T, what string, turn agent.Turn, cites ...agent.Citation) {
	t.Helper()
	before := read(t, k, k.company)
	err := k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, reply(turn, "At nine.", cites...))
	refused(t, "EndTurn with "+what, err, agent.ErrCitation)
	same(t, "the company after "+what, read(t, k, k.company), before)
}

// hours is a document to cite.
func hours() knowledge.Write {
	return text("Hours", "We open at nine – every day.", "We close at five.", "Öffnungszeiten: 9–17 Uhr 🙂.")
}

func citationStands(t *testing.T, k *kit) {
	d := k.putOne(t, hours())
	w := text("Own", "Only this agent says so.")
	w.AgentID = k.agent
	own := k.putOne(t, hashed(w))
	turn := k.begin(t, agent.Message{})
	cites := []agent.Citation{
		k.cite(t, d.ID, "W"), k.cite(t, d.ID, "–"), k.cite(t, d.ID, "Öffnungszeiten: 9–17 Uhr 🙂."), k.cite(t, d.ID, "five."),
		k.cite(t, d.ID, "five."), k.cite(t, own.ID, "Only this agent says so."),
	}
	k.end(t, turn, "At nine.", cites...)
	got, err := k.Message(t.Context(), k.company, turn.ReplyID)
	ok(t, "Message", err)
	same(t, "the citations", got.Reply.Citations, cites)
}

func citationWrong(t *testing.T, k *kit) {
	d, other := k.putOne(t, hours()), k.putOne(t, text("Prices", "Bread is two euros."))
	turn := k.begin(t, agent.Message{})
	for what, change := range map[string]func(c *agent.Citation){
		"another quote":             func(c *agent.Citation) { c.Quote = "open at ten" },
		"a quote in other case":     func(c *agent.Citation) { c.Quote = "Open at nine" },
		"a longer quote":            func(c *agent.Citation) { c.Quote += " " },
		"a range moved by one":      func(c *agent.Citation) { c.Start++; c.End++ },
		"a shorter range":           func(c *agent.Citation) { c.End-- },
		"a range from the end":      func(c *agent.Citation) { c.Start, c.End = c.End, c.Start },
		"a range before the text":   func(c *agent.Citation) { c.Start, c.End = -len(c.Quote), 0 },
		"a range behind the text":   func(c *agent.Citation) { c.Start += 1000; c.End += 1000 },
		"an immense range":          func(c *agent.Citation) { c.End = math.MaxInt },
		"a range of least integers": func(c *agent.Citation) { c.Start, c.End = math.MinInt, math.MinInt+len(c.Quote) },
		"an empty quote":            func(c *agent.Citation) { c.Quote, c.End = "", c.Start },
		"a version to come":         func(c *agent.Citation) { c.DocumentVersion++ },
		"version 0":                 func(c *agent.Citation) { c.DocumentVersion = 0 },
		"a negative version":        func(c *agent.Citation) { c.DocumentVersion = -1 },
		"a document that never was": func(c *agent.Citation) { c.DocumentID = id.New(id.Document) },
		"a document without id":     func(c *agent.Citation) { c.DocumentID = "" },
		"another document":          func(c *agent.Citation) { c.DocumentID = other.ID },
		"the id of an agent":        func(c *agent.Citation) { c.DocumentID = k.agent },
		"a citation that is erased": func(c *agent.Citation) { *c = agent.Citation{DocumentID: id.New(id.Document), Erased: true} },
	} {
		c := k.cite(t, d.ID, "open at nine")
		change(&c)
		k.noCitation(t, what, turn, c)
	}
	k.end(t, turn, "At nine.", k.cite(t, d.ID, "open at nine"))
}

func citationOneOfMany(t *testing.T, k *kit) {
	d := k.putOne(t, hours())
	turn := k.begin(t, agent.Message{})
	good, bad := k.cite(t, d.ID, "open at nine"), k.cite(t, d.ID, "close at five")
	bad.Quote = "close at four"
	k.noCitation(t, "a second citation that is wrong", turn, good, bad)
	k.noCitation(t, "a first citation that is wrong", turn, bad, good)
	k.end(t, turn, "At nine.", good)
	if deleted := k.deleteDocument(t, d.ID); deleted.Replies != 1 {
		t.Errorf("DeleteDocument erased quotes from %d replies, want 1: those refused do not count", deleted.Replies)
	}
}

func citationDeleted(t *testing.T, k *kit) {
	d := k.putOne(t, hours())
	turn := k.begin(t, agent.Message{})
	c := k.cite(t, d.ID, "open at nine")
	k.deleteDocument(t, d.ID)
	k.noCitation(t, "a deleted document", turn, c)
	k.put(t, hours()) // the same text again is another document
	k.noCitation(t, "a deleted document whose text is there again", turn, c)
	k.end(t, turn, "I do not know.")
}

func citationSuperseded(t *testing.T, k *kit) {
	w := hours()
	d := k.putOne(t, w)
	turn := k.begin(t, agent.Message{})
	old := k.cite(t, d.ID, "open at nine")
	next := text("Hours", "We open at nine – every day.", "We close at six.")
	next.ID = d.ID
	k.put(t, next)
	k.noCitation(t, "a version that was replaced", turn, old)
	got, err := k.DocumentText(t.Context(), k.company, d.ID, old.DocumentVersion)
	ok(t, "DocumentText", err)
	if got != w.Text {
		t.Errorf("DocumentText of the version that was replaced = %q, want %q", got, w.Text)
	}
	k.end(t, turn, "At nine.", k.cite(t, d.ID, "open at nine"))
}

func citationOtherMetadata(t *testing.T, k *kit) {
	w := hours()
	d := k.putOne(t, w)
	turn := k.begin(t, agent.Message{})
	c := k.cite(t, d.ID, "open at nine")
	w.ID, w.Metadata, w.Title = d.ID, map[string]any{"city": "Graz"}, "Opening hours"
	k.put(t, hashed(w))
	k.end(t, turn, "At nine.", c)
}

func citationAnotherCompany(t *testing.T, k *kit) {
	other := newKit(t, k.Store)
	d := other.putOne(t, hours())
	c := other.cite(t, d.ID, "open at nine")
	turn := k.begin(t, agent.Message{})
	k.noCitation(t, "another company's document", turn, c)
	k.put(t, hours())
	k.noCitation(t, "another company's document with the text of our own", turn, c)
}

func citationAnotherAgent(t *testing.T, k *kit) {
	w := hours()
	w.AgentID = k.newAgent(t)
	d := k.putOne(t, hashed(w))
	turn := k.begin(t, agent.Message{})
	k.noCitation(t, "another agent's document", turn, k.cite(t, d.ID, "open at nine"))
	its := k.begin(t, agent.Message{AgentID: w.AgentID})
	k.end(t, its, "At nine.", k.cite(t, d.ID, "open at nine"))
}
