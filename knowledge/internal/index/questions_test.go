package index

import (
	"fmt"
	"strings"
	"testing"
)

// pair is a document of questions and their answer.
func pair(id, answer string, questions ...string) Document {
	return Document{ID: id, Version: 1, Passages: []Passage{{Title: questions[0], Body: answer, Questions: questions}}}
}

// Whether a query asks what a question asks.
func TestAsked(t *testing.T) {
	const (
		same = "same"
		near = "near"
		no   = ""
	)
	for _, tt := range []struct{ question, query, want string }{
		{"Do you deliver?", "Do you deliver?", same},
		{"Do you deliver?", "  do YOU\tdeliver !!", same},
		{"Don't you deliver?", "dont you deliver", same},
		{"Do you deliver?", "Ｄｏ ｙｏｕ ｄｅｌｉｖｅｒ？", same},
		{"Where is the café?", "where is the cafe\u0301", same},
		{"Who are you?", "Who are you", same},
		{"Is it C#?", "is it c#", same},
		{"Is it C#?", "is it c", no},
		{"Is it C++?", "is it c", no},
		{"Is it 20€?", "is it 20$", no},
		{"Is it 1.5 kg?", "is it 15 kg", no},
		{"Is it 1.5 kg?", "is it 1 5 kg", no},
		{"Is -5 too cold?", "is 5 too cold", no},
		{"Do you take 50%?", "Do you take 50", no},
		{"👍", "👍", same},
		{"👍", "👎", no},
		{"?", "?", no},
		{"do you", "?", no},

		{"When do you open on Sunday?", "opening on sundays when", near},
		{"When do you open on Sunday?", "when do you open on monday", no},
		{"When do you open on Sunday?", "when do you close on sunday", no},
		{"When do you open?", "where do you open", no},
		{"How do I reset my password?", "reset password", near},
		{"How do I reset my password?", "Hello, could you please tell me how I can reset the password?", near},
		{"How do I reset my password?", "Why did I reset my password?", no},
		{"How do I reset my password?", "how do I change my password", no},
		{"How much is delivery?", "how long is delivery", no},
		{"How much is delivery?", "delivery", no},
		{"Can I return shoes?", "Can't I return shoes?", no},
		{"Can I return shoes?", "Can I not return shoes?", no},
		{"Can't I return shoes?", "Can I not return shoes?", near},
		{"Can I pay with cash?", "Can I pay without cash?", no},
		{"Can I pay before delivery?", "Can I pay after delivery?", no},
		{"How do I log in?", "How do I log out?", no},
		{"How do I turn it on?", "How do I turn it off?", no},
		{"Can I call you?", "Can you call me?", no},
		{"Can I call you?", "may i call you", near},
		{"What is your name?", "What is my name?", no},
		{"When did you deliver?", "When do you deliver?", no},
		{"Must I tip?", "Can I tip?", no},
		{"Do I need an account?", "Can I get an account?", no},
		{"Do you ship from Graz to Linz?", "Do you ship from Linz to Graz?", no},
		{"Do you ship from Graz to Linz?", "from Graz to Linz, do you ship?", no},
		{"Do you ship from Graz to Linz?", "Is it possible to ship from Graz to Linz?", near},
		{"How do I convert euros to dollars?", "how to convert dollars to euros", no},
		{"Is the 2024 model waterproof?", "Is the 2025 model waterproof?", no},
		{"Is the 2024 model waterproof?", "the waterproof 2024 model?", near},
		{"Are you open from 9 to 5?", "Are you open from 5 to 9?", no},
		{"How do I change the billing address of my second account in Germany?", "How do I change the billing address of my second account in France?", no},
		{"How do I change the billing address of my second account in Germany?", "How do I change the billing address of my second account?", no},
		{"What is a plan?", "What is plan B?", no},

		{"几点开门？", "几点 开门", same},
		{"你们星期天几点开门？", "你们星期天几点开门", same},
		{"你们星期天几点开门？", "你们星期一几点开门", no},
		{"可以退货吗？", "不可以退货吗？", no},
		{"営業時間は何時から何時までですか？", "営業時間は何時から何時までですか", same},
		{"배송되나요?", "배송 안 되나요?", no},
		{"ร้านเปิดกี่โมง", "ร้าน เปิด กี่ โมง?", same},
		{"متى تفتحون يوم الأحد؟", "متى تفتحون يوم الأحد", same},
		{"متى تفتحون يوم الأحد؟", "متى تفتحون يوم الاحد", near},
		{"متى تفتحون يوم الأحد؟", "متى تفتحون يوم الاثنين", no},
		{"هل يمكنني الدفع نقدا؟", "هل لا يمكنني الدفع نقدا؟", no},
		{"Wie lange dauert die Lieferung?", "wie lange dauert die lieferung", same},
		{"Kann ich Schuhe zurückgeben?", "Kann ich keine Schuhe zurückgeben?", no},
		{"Сколько стоит доставка?", "СКОЛЬКО СТОИТ ДОСТАВКА", same},
		{"Τι ώρα ανοίγετε;", "τι ώρα ανοίγετε", same},
	} {
		x := New(nil)
		x.Put(pair("pair", "So it is.", tt.question))
		for i := range 30 { // what else there is
			x.Put(doc(fmt.Sprint("other", i), "We sell shoes and boats, and write about them."))
		}
		r := x.Search(Query{Text: tt.query})
		got := no
		if len(r.Hits) > 0 && r.Hits[0].DocumentID == "pair" {
			switch a := r.Hits[0].Asked; {
			case a == 1:
				got = same
			case a >= nearly:
				got = near
			}
			if r.Signals.Asked != r.Hits[0].Asked {
				t.Errorf("Search(%q): the signals say %v, the first hit %v", tt.query, r.Signals.Asked, r.Hits[0].Asked)
			}
		}
		if got != tt.want {
			t.Errorf("Search(%q) finds %q as %q, want %q (%+v, %+v)", tt.query, tt.question, got, tt.want, word(x.analyzer, tt.query), word(x.analyzer, tt.question))
		}
	}
}

// A pair that is asked comes before what the ranking likes better.
func TestAskedComesFirst(t *testing.T) {
	x := New(nil)
	x.Put(doc("loud", "Deliver, deliver, deliver, do you deliver? Delivery!", "We deliver."))
	x.Put(pair("near", "Yes. "+strings.Repeat("And so on and on. ", 50), "Can you deliver?"))
	x.Put(pair("pair", "By bicycle. "+strings.Repeat("And so on and on. ", 100), "Do you send things?", "Do you deliver?", "do you deliver"))
	x.Put(Document{ID: "hers", AgentID: "agt_1", Metadata: map[string]any{"lang": "en"}, Passages: []Passage{{Body: "Only she knows.", Questions: []string{"Do you deliver?"}}}})
	for _, tt := range []struct {
		query Query
		want  string
	}{
		{Query{Text: "Do you deliver?"}, "hers/0 pair/0 near/0 loud/0 loud/1"},
		{Query{Text: "Do you deliver?", Limit: 2}, "hers/0 pair/0"},
		{Query{Text: "Do you deliver?", Limit: 1}, "hers/0"},
		{Query{Text: "Do you deliver?", AgentID: "agt_2"}, "pair/0 near/0 loud/0 loud/1"},
		{Query{Text: "Do you deliver?", Filter: Has{"lang", nil}}, "hers/0"},
		{Query{Text: "Do you deliver?", Filter: Not{Has{"lang", nil}}, Limit: 1}, "pair/0"},
		{Query{Text: "Do you deliver?", Filter: Has{"no", nil}}, ""},
		{Query{Text: "do you send things"}, "pair/0 hers/0 loud/0 near/0"},
	} {
		r := x.Search(tt.query)
		if got := ids(r); got != tt.want {
			t.Errorf("Search(%+v) = %q, want %q", tt.query, got, tt.want)
		}
		for i := 1; i < len(r.Hits); i++ {
			if r.Hits[i].Score > r.Hits[i-1].Score || r.Hits[i].Asked > r.Hits[i-1].Asked {
				t.Errorf("Search(%+v): hit %d of %+v is better than the one before", tt.query, i, r.Hits)
			}
		}
	}
	x.Put(Document{ID: "other", AgentID: "agt_3", Passages: []Passage{{Body: strings.Repeat("No. ", 200), Questions: []string{"Do you deliver?"}}}})
	if got := ids(x.Search(Query{Text: "Do you deliver?", AgentID: "agt_3"})); got != "other/0 pair/0 near/0 loud/0 loud/1" {
		t.Errorf("an agent with a pair of its own finds %q, want its own first", got)
	}
	x.Delete("other")
	x.Put(pair("pair", "By bicycle.", "Do you send things?"))
	x.Delete("hers")
	if r := x.Search(Query{Text: "Do you deliver?"}); r.Hits[0].DocumentID != "near" || r.Hits[0].Asked == 1 {
		t.Errorf("after the question is gone, Search = %+v, want the near one first", r.Hits)
	}
}

// Whatever is asked, a question is found by its own words, and by its normal form.
func FuzzWording(f *testing.F) {
	for _, s := range []string{"Do you deliver?", "-5 °C, 1,000.5 & 24/7!", "e\u0301 Ǆ ß ſ İ ς", "ที่ 你好 \u200d👍🏽", "'’'", "a\xffb", "I you me", "½ ² ﬁ ㎏ ٣"} {
		f.Add(s, "Can't you deliver from A to B before 9?")
	}
	x := New(nil)
	f.Fuzz(func(t *testing.T, a, b string) {
		form := normal(a)
		if again := normal(form); again != form && !strings.ContainsAny(form, "-.,:/") {
			t.Errorf("normal(%q) = %q, and of that %q", a, form, again)
		}
		v, w := word(x.analyzer, a), word(x.analyzer, b)
		if v.sense.agrees(w.sense) != w.sense.agrees(v.sense) || !v.sense.agrees(v.sense) {
			t.Errorf("%q and %q: whether they agree depends on which comes first", a, b)
		}
		if v.form == 0 || len(a) > 1000 || len(b) > 1000 {
			return
		}
		x.Put(pair("a", "yes", a, b))
		for _, query := range []string{a, a + " ", " " + a} {
			if r := x.Search(Query{Text: query}); len(r.Hits) == 0 || r.Hits[0].Asked != 1 || r.Hits[0].DocumentID != "a" {
				t.Errorf("Search(%q) = %+v, want the question", query, r.Hits)
			}
		}
	})
}
