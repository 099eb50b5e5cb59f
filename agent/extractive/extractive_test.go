package extractive_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/docs"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// base returns the knowledge of a new company.
func base(t testing.TB) *knowledge.Base {
	t.Helper()
	return bases(t)()
}

// bases returns how to make the knowledge of a new company, on one store.
func bases(t testing.TB) func() *knowledge.Base {
	t.Helper()
	st, err := sqlite.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	companies, library := access.NewCompanies(st), knowledge.New(st, nil)
	return func() *knowledge.Base {
		c, err := companies.Create(context.Background(), "One more")
		if err != nil {
			t.Fatal(err)
		}
		return library.Company(c.ID)
	}
}

// answer returns what an answerer makes of what a search finds.
func answer(t testing.TB, a *extractive.Answerer, kb *knowledge.Base, query string) (text string, quotes []agent.Citation) {
	t.Helper()
	return write(t, a, question(t, kb, query))
}

// question is what an answerer is asked after a search.
func question(t testing.TB, kb *knowledge.Base, query string) agent.Question {
	t.Helper()
	found, err := kb.Search(t.Context(), knowledge.Query{Text: query})
	if err != nil {
		t.Fatalf("Search(%q) = error %v", query, err)
	}
	return agent.Question{Query: query, Passages: found.Hits, Terms: found.Terms}
}

// write puts together what an answerer yields.
func write(t testing.TB, a *extractive.Answerer, q agent.Question) (text string, quotes []agent.Citation) {
	t.Helper()
	for part, err := range a.Answer(t.Context(), q) {
		if err != nil {
			t.Fatalf("Answer(%q) = error %v", q.Query, err)
		}
		text += part.Text
		switch {
		case part.Citation != nil && part.Citation.Quote != part.Text:
			t.Errorf("Answer(%q) says %q and quotes %q, want the same", q.Query, part.Text, part.Citation.Quote)
		case part.Citation != nil:
			quotes = append(quotes, *part.Citation)
		case strings.TrimSpace(part.Text) != "":
			t.Errorf("Answer(%q) says %q without a citation, want nothing but quotes", q.Query, part.Text)
		}
	}
	return text, quotes
}

// What is quoted of small documents.
func TestAnswer(t *testing.T) {
	const kayak = `# Kayaks

## Returning a kayak

To return a kayak:

1. Rinse it.
2. Let it dry.
3. Bring it to the boat house.

Paddles stay with you.

## Prices

| kayak | price |
| --- | --- |
| Otter | 300 euros |
| Heron | 450 euros |

## Can children paddle?

Children above eight may paddle with an adult. A life vest is included. Bring a towel. And a hat. And a friend.
`
	fresh := bases(t)
	for _, tt := range []struct {
		name, text, query, want string
	}{
		{"a sentence and what follows it", "We open at nine. On Sundays we stay closed.", "When do you open?", "We open at nine. On Sundays we stay closed."},
		{"not what comes before", "We are a shop in Graz with a long tradition. We open at nine.", "When do you open?", "We open at nine."},
		{"a list from where it is led up to", kayak, "How do I return a kayak?", "To return a kayak:\n\n1. Rinse it.\n2. Let it dry.\n3. Bring it to the boat house."},
		{"an item with its list", kayak, "Should I rinse it and let it dry?", "To return a kayak:\n\n1. Rinse it.\n2. Let it dry.\n3. Bring it to the boat house."},
		{"items of two sentences", "To rent:\n\n- Sign up. It is free.\n- Choose a\n  boat. Any will do.\n- Pay.\n\nHave fun. Be safe.", "How do I rent a boat?", "To rent:\n\n- Sign up. It is free.\n- Choose a\n  boat. Any will do.\n- Pay."},
		{"a hyphen is no bullet", "A well-known fact. Boats float. Rafts float. Ducks float. Stones do not.", "Why do boats float?", "Boats float. Rafts float. Ducks float."},
		{"what follows a list is apart", kayak, "Do paddles stay with me?", "Paddles stay with you."},
		{"a row", kayak, "What is the price of the Heron?", "| kayak | price |\n| --- | --- |\n| Heron | 450 euros |"},
		{"a row below the header", kayak, "What is the price of the Otter?", "| kayak | price |\n| --- | --- |\n| Otter | 300 euros |"},
		{"a header alone answers nothing", kayak, "Which kayak has which price?", "| kayak | price |\n| --- | --- |\n| Otter | 300 euros |\n| Heron | 450 euros |"},
		{"a header without rows", "Call us at any time.\n\n| boat | price |\n| --- | --- |\n", "What price has a boat?", ""},
		{"a row of a page", "Boat | Price\nOtter | 300 euros\nHeron | 450 euros", "What is the price of the Heron?", "Boat | Price\nHeron | 450 euros"},
		{"a row below a header that is none", "|  |  |\n| --- | --- |\n| Boat | Price |\n| Otter | 300 euros |\n| Heron | 450 euros |", "What is the price of the Heron boat?", "| Boat | Price |\n| Heron | 450 euros |"},
		{"rows without a header", "Monday | 9 to 6\nSunday | closed", "When do you open on Sunday?", "Sunday | closed"},
		{"a record of lines", "name: Otter\nprice: 300 euros\nseats: 2\n\nname: Heron\nprice: 450 euros\nseats: 1", "How many seats has the Heron?", "name: Heron\nprice: 450 euros\nseats: 1"},
		{"a record that asks", "question: Do you repair clocks?\nanswer: On Fridays.\n\nquestion: Do you repair bells?\nanswer: Never.", "Do you repair clocks?", "question: Do you repair clocks?\nanswer: On Fridays."},
		{"a record in a line", "Boat: Otter; Price: 300 euros. Paid once.; Seats: 2\n\nBoat: Heron; Price: 450 euros; Seats: 1", "What is the price of the Otter?", "Boat: Otter; Price: 300 euros. Paid once.; Seats: 2"},
		{"what follows a short sentence", kayak, "May children above eight paddle?", "Children above eight may paddle with an adult. A life vest is included."},
		{"found by the heading, answered below it", kayak, "Can children paddle?", "Children above eight may paddle with an adult. A life vest is included."},
		{"too little of the question", "We open at nine.", "Does the Otter open the sluice gate of the harbour?", ""},
		{"no words", "We open at nine.", "???", ""},
		{"another paragraph is apart", "We open at nine.\n\nWe sell boats.", "When do you open?", "We open at nine."},
		{"not the question itself", "When do you open the shop on weekdays? The shop is open from nine to six.", "When do you open the shop?", "The shop is open from nine to six."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kb := fresh()
			if _, err := kb.Put(t.Context(), knowledge.Document{Text: tt.text, Format: knowledge.Markdown}); err != nil {
				t.Fatal(err)
			}
			if got, _ := answer(t, extractive.New(nil), kb, tt.query); got != tt.want {
				t.Errorf("Answer(%q) = %q, want %q", tt.query, got, tt.want)
			}
		})
	}
}

// What is cut off a long table is quoted by the row; which columns those are says
// the heading of the citation.
func TestLongTable(t *testing.T) {
	kb := base(t)
	var rows strings.Builder
	for i := range 60 {
		fmt.Fprintf(&rows, "| Part %d | in stock | %d euros in all of the shops |\n", i, 7*i)
	}
	if _, err := kb.Put(t.Context(), knowledge.Document{Text: "# Parts\n\n| Name | State | Price |\n| --- | --- | --- |\n" + rows.String(), Format: knowledge.Markdown}); err != nil {
		t.Fatal(err)
	}
	text, quotes := answer(t, extractive.New(nil), kb, "What is the price of part 45?")
	if text != "| Part 45 | in stock | 315 euros in all of the shops |" || len(quotes) != 1 || !slices.Equal(quotes[0].Heading, []string{"Parts", "Name | State | Price"}) {
		t.Errorf("Answer = %q, %+v, want the row under the names of its columns", text, quotes)
	}
}

// Two documents that each hold a part of the question are both quoted.
func TestTwoQuotes(t *testing.T) {
	kb := base(t)
	if _, err := kb.PutAll(t.Context(),
		knowledge.Document{Title: "Hours", Text: "We open at nine on weekdays."},
		knowledge.Document{Title: "Parking", Text: "Parking is free behind the cathedral."}); err != nil {
		t.Fatal(err)
	}
	text, quotes := answer(t, extractive.New(nil), kb, "When do you open on weekdays, and is parking free behind the cathedral?")
	if want := "We open at nine on weekdays.\n\nParking is free behind the cathedral."; text != want || len(quotes) != 2 {
		t.Errorf("Answer = %q with %d quotes, want %q", text, len(quotes), want)
	}
	if text, quotes = answer(t, extractive.New(nil), kb, "Is parking free?"); len(quotes) != 1 || strings.Contains(text, "nine") {
		t.Errorf("Answer = %q, want the one quote that answers", text)
	}
}

// The answer of a pair is quoted whole, whatever it looks like and however long
// it is within reason.
func TestPairs(t *testing.T) {
	long := strings.Repeat("Delivery takes three days within the city.\n\n", 40) + "Islands take a week."
	fresh := bases(t)
	for _, answered := range []string{"Yes.", "Yes, for 4 euros.\n\n- by bike\n- by boat", "# Delivery\n\nYes.", long} {
		kb := fresh()
		if _, err := kb.PutQA(t.Context(), "Do you deliver?", answered, "Can you send it to me?"); err != nil {
			t.Fatal(err)
		}
		for _, question := range []string{"Do you deliver?", "Can you send it to me?"} {
			if got, _ := answer(t, extractive.New(nil), kb, question); got != answered {
				t.Errorf("Answer(%q) = %.80q… of %d bytes, want all of the answer, %d bytes", question, got, len(got), len(answered))
			}
		}
	}
}

func TestOptions(t *testing.T) {
	text := "We open at nine. We close at six. We rest at noon. We dance at night."
	fresh := bases(t)
	list := "To open:\n\n" + strings.Repeat("- Turn the key.\n", 200)
	for _, tt := range []struct {
		name string
		opts *extractive.Options
		text string
		want string
	}{
		{"defaults", nil, text, "We open at nine. We close at six. We rest at noon."},
		{"one sentence", &extractive.Options{MaxSentences: 1}, text, "We open at nine."},
		{"more sentences than there are", &extractive.Options{MaxSentences: 9}, text, text},
		{"few bytes", &extractive.Options{MaxBytes: 40}, text, "We open at nine. We close at six."},
		{"fewer bytes than a sentence", &extractive.Options{MaxBytes: 3}, text, "We open at nine."},
		{"below zero", &extractive.Options{MaxSentences: -1, MaxBytes: -1}, text, "We open at nine. We close at six. We rest at noon."},
		{"a long list is cut between items", &extractive.Options{MaxBytes: 60}, list, "To open:\n\n- Turn the key.\n- Turn the key.\n- Turn the key."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kb := fresh()
			if _, err := kb.Put(t.Context(), knowledge.Document{Text: tt.text, Format: knowledge.Markdown}); err != nil {
				t.Fatal(err)
			}
			if got, _ := answer(t, extractive.New(tt.opts), kb, "When do you open?"); got != tt.want {
				t.Errorf("Answer = %q, want %q", got, tt.want)
			}
		})
	}
}

// A retriever of another make may give neither scores nor weighed words.
func TestBareHits(t *testing.T) {
	hit := func(id, text string) knowledge.Hit {
		return knowledge.Hit{Passage: knowledge.Passage{Ref: knowledge.Ref{DocumentID: id}, End: len(text), Text: text}}
	}
	q := agent.Question{Query: "When do you open?", Passages: []knowledge.Hit{
		hit("doc_1", "We sell boats."), hit("doc_2", "We sell boats too. On weekdays we open at nine."), hit("doc_3", ""),
	}}
	if got, _ := write(t, extractive.New(nil), q); got != "On weekdays we open at nine." {
		t.Errorf("Answer = %q, want the sentence that answers", got)
	}
	for _, q := range []agent.Question{{}, {Query: "open"}, {Query: "open", Passages: []knowledge.Hit{{}}}} {
		if got, _ := write(t, extractive.New(nil), q); got != "" {
			t.Errorf("Answer(%+v) = %q, want nothing", q, got)
		}
	}
}

// Whatever is asked of the documentation, an answer is made of what stands in it,
// word for word, and the same question gets the same answer.
func TestVerbatim(t *testing.T) {
	kb := base(t)
	texts := map[string]string{} // by document
	for in, err := range kb.Ingest(t.Context(), knowledge.Files(docs.Pages)) {
		if err != nil || in.Err != nil {
			t.Fatal(err, in.Err)
		}
		text, err := kb.Text(t.Context(), in.Document.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		if page, err := fs.ReadFile(docs.Pages, in.Document.ExternalID); err != nil || string(page) != text {
			t.Fatalf("the stored text of %s is not the file's, %v", in.Document.ExternalID, err)
		}
		texts[in.Document.ID] = text
	}

	var words, headings []string
	for _, text := range texts {
		words = append(words, strings.Fields(text)...)
		for line := range strings.Lines(text) {
			if heading, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimLeft(line, "#")), ""); ok && strings.HasPrefix(line, "#") {
				headings = append(headings, heading)
			}
		}
	}
	slices.Sort(words)
	slices.Sort(headings)
	random := rand.New(rand.NewPCG(1, 2))
	queries := headings
	for range 150 {
		var q []string
		for range 1 + random.IntN(8) {
			q = append(q, words[random.IntN(len(words))])
		}
		queries = append(queries, strings.Join(q, " "))
	}

	a, answered := extractive.New(nil), 0
	for _, q := range queries {
		asked := question(t, kb, q)
		text, quotes := write(t, a, asked)
		if again, _ := write(t, a, asked); again != text {
			t.Errorf("Answer(%q) = %q, then %q", q, text, again)
		}
		var whole []string
		for _, c := range quotes {
			whole = append(whole, c.Quote)
			if got := texts[c.DocumentID][c.Start:c.End]; got != c.Quote || strings.TrimSpace(c.Quote) != c.Quote {
				t.Errorf("Answer(%q) quotes %q, where the document has %q", q, c.Quote, got)
			}
			if slices.Contains(headings, strings.TrimSpace(strings.TrimLeft(c.Quote, "# "))) {
				t.Errorf("Answer(%q) quotes a heading and nothing more, %q", q, c.Quote)
			}
			if len(c.Quote) > 2400 {
				t.Errorf("Answer(%q) quotes %d bytes", q, len(c.Quote))
			}
		}
		if want := strings.Join(whole, " "); !slices.Equal(strings.Fields(text), strings.Fields(want)) {
			t.Errorf("Answer(%q) = %q, want its quotes and nothing else, %q", q, text, want)
		}
		if text != "" {
			answered++
		}
	}
	if answered < len(headings)/2 {
		t.Errorf("%d of %d queries are answered, want most of the headings at least: otherwise this shows little", answered, len(queries))
	}
	if page, err := kb.List(t.Context(), knowledge.Filter{}, store.Page{Limit: store.MaxLimit}); err != nil || len(page.Data) != len(texts) {
		t.Errorf("List = %d documents, %v, want %d", len(page.Data), err, len(texts))
	}
}

// A heading without a word below it is found, but says nothing that could be
// quoted.
func TestHeadingAlone(t *testing.T) {
	kb := base(t)
	if _, err := kb.Put(t.Context(), knowledge.Document{Format: knowledge.Markdown, Text: "# Shop\n\nWe sell lamps.\n\n# Repairs of old lamps\n"}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"Repairs of old lamps?", "repairs"} {
		if _, quotes := answer(t, extractive.New(nil), kb, q); len(quotes) > 0 {
			for _, c := range quotes {
				if strings.Contains(c.Quote, "Repairs") {
					t.Errorf("Answer(%q) quotes %q, want no heading", q, c.Quote)
				}
			}
		}
	}
}

// A reply that is shown as it is, or read aloud, has no marks of Markdown, and cites what
// stands in the document with them.
func TestFormats(t *testing.T) {
	const page = "# Boats\n\n## Leaving a boat\n\nTo leave a **boat** overnight, do this:\n\n- Tie it to the *red* ring\n- Send `LEAVE` to [the harbour](https://harbour.example/leave)\n\n" +
		"## Prices\n\n| Boat | Price a day |\n|---|---|\n| **Kayak** | €20 |\n| Canoe | €30 |\n"
	kb := base(t)
	if _, err := kb.Put(t.Context(), knowledge.Document{Title: "Boats", Text: page, Format: knowledge.Markdown}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]map[agent.ReplyFormat]string{
		"How do I leave a boat overnight?": {
			agent.FormatMarkdown: "To leave a **boat** overnight, do this:\n\n- Tie it to the *red* ring\n- Send `LEAVE` to [the harbour](https://harbour.example/leave)",
			agent.FormatPlain:    "To leave a boat overnight, do this:\n\nTie it to the red ring\nSend LEAVE to the harbour (https://harbour.example/leave)",
			agent.FormatSpeech:   "To leave a boat overnight, do this: Tie it to the red ring. Send LEAVE to the harbour",
		},
		"What is the price a day of a kayak?": {
			agent.FormatMarkdown: "| Boat | Price a day |\n|---|---|\n| **Kayak** | €20 |",
			agent.FormatPlain:    "Boat, Price a day\nKayak, €20",
			agent.FormatSpeech:   "Boat, Price a day. Kayak, €20",
		},
	} {
		for format, text := range want {
			q := question(t, kb, query)
			q.Message.ReplyFormat = format
			got, quotes := "", []agent.Citation(nil)
			for part, err := range extractive.New(nil).Answer(t.Context(), q) {
				if err != nil {
					t.Fatal(err)
				}
				if got += part.Text; part.Citation != nil {
					quotes = append(quotes, *part.Citation)
				}
			}
			if got != text {
				t.Errorf("%q as %s is %q, want %q", query, format, got, text)
			}
			if len(quotes) == 0 {
				t.Errorf("%q as %s cites nothing", query, format)
			}
			for _, c := range quotes {
				if page[c.Start:c.End] != c.Quote {
					t.Errorf("%q as %s quotes %q, where %q stands", query, format, c.Quote, page[c.Start:c.End])
				}
			}
		}
	}
}
