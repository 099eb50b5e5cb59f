package extractive_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// harbour is a paragraph of more than a reply quotes.
const harbour = `The harbour of Lindow was built by fishermen from the village across the bay. Its wall is made of granite blocks that came on barges from the quarry at Stolp. In spring the wall is inspected by divers and repaired where the winter storms have loosened a block. ` +
	`The harbour master, Greta Holm, assigns the berths and keeps the list of those who wait for one. A berth for a boat of up to eight metres costs 310 euros a season. It includes water, electricity and the use of the crane. ` +
	`The crane lifts boats of up to four tonnes and is run by the harbour staff only. Boats are lifted on weekdays, and owners have to be there when theirs is moved. Visitors may moor for one night at the outer wall without asking anyone. ` +
	`A lighthouse stands at the end of the wall. It was lit for the first time in 1894 and has been kept by volunteers since it was given up by the navy.`

// Of a long passage the sentences are quoted that answer, and no more than it takes.
func TestChosen(t *testing.T) {
	const (
		holm  = "The harbour master, Greta Holm, assigns the berths and keeps the list of those who wait for one."
		berth = "A berth for a boat of up to eight metres costs 310 euros a season."
		crane = "The crane lifts boats of up to four tonnes and is run by the harbour staff only."
	)
	fresh := bases(t)
	for _, tt := range []struct{ name, query, want string }{
		{"a name", "Who assigns the berths of the harbour?", holm},
		{"a number", "How much does a berth cost?", berth},
		{"what is the subject, not what mentions it", "What does the crane lift?", crane},
		{"a pronoun brings along what it stands for", "Does it include electricity and water?", berth + " It includes water, electricity and the use of the crane."},
		{"the time stands in the sentence after", "When was the lighthouse at the end of the wall built?", "A lighthouse stands at the end of the wall. It was lit for the first time in 1894 and has been kept by volunteers since it was given up by the navy."},
		{"two things asked, in the order of the text", "May visitors moor at the outer wall, and who assigns the berths?", holm + "\n\nVisitors may moor for one night at the outer wall without asking anyone."},
		{"the same without a comma", "Who assigns the berths and may visitors moor at the outer wall?", holm + "\n\nVisitors may moor for one night at the outer wall without asking anyone."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kb := fresh()
			if _, err := kb.Put(t.Context(), knowledge.Document{Text: harbour}); err != nil {
				t.Fatal(err)
			}
			if got, _ := answer(t, extractive.New(nil), kb, tt.query); got != tt.want {
				t.Errorf("Answer(%q) = %q, want %q", tt.query, got, tt.want)
			}
		})
	}
}

// Sentences, and what questions ask for, are told in the languages whose quality is
// guaranteed.
func TestLanguages(t *testing.T) {
	fresh := bases(t)
	for _, tt := range []struct {
		language, text string
		answers        map[string]string
	}{
		{"de", "Die Werkstatt am Hafen repariert Fahrräder aller Marken und verleiht auch einige davon. Die Werkstatt ist montags bis freitags von neun bis achtzehn Uhr geöffnet. Eine einfache Durchsicht kostet 45 Euro und dauert in der Regel einen Tag. Leihräder gibt Frau Okonkwo aus, die auch die Anmeldung entgegennimmt. Sie ist nur am Vormittag im Laden und danach in der Werkstatt zu finden.",
			map[string]string{
				"Wann ist die Werkstatt geöffnet?":  "Die Werkstatt ist montags bis freitags von neun bis achtzehn Uhr geöffnet.",
				"Was kostet eine Durchsicht?":       "Eine einfache Durchsicht kostet 45 Euro und dauert in der Regel einen Tag.",
				"Wer gibt die Leihräder aus?":       "Leihräder gibt Frau Okonkwo aus, die auch die Anmeldung entgegennimmt.",
				"Wer ist am Vormittag im Laden?":    "Leihräder gibt Frau Okonkwo aus, die auch die Anmeldung entgegennimmt. Sie ist nur am Vormittag im Laden und danach in der Werkstatt zu finden.",
				"Repariert ihr Fahrräder am Hafen?": "Die Werkstatt am Hafen repariert Fahrräder aller Marken und verleiht auch einige davon.",
			}},
		{"ms", "Kedai kami menjual basikal baharu dan basikal terpakai daripada pelbagai jenama terkenal. Kedai dibuka setiap hari dari pukul sembilan pagi hingga enam petang kecuali hari Jumaat. Tempahan boleh dibatalkan dalam tempoh tujuh hari tanpa sebarang bayaran tambahan. Penghantaran ke rumah berharga RM25 bagi setiap basikal yang dibeli di kedai ini.",
			map[string]string{
				"Bilakah kedai dibuka?":                  "Kedai dibuka setiap hari dari pukul sembilan pagi hingga enam petang kecuali hari Jumaat.",
				"Berapakah harga penghantaran ke rumah?": "Penghantaran ke rumah berharga RM25 bagi setiap basikal yang dibeli di kedai ini.",
				"Bolehkah tempahan dibatalkan?":          "Tempahan boleh dibatalkan dalam tempoh tujuh hari tanpa sebarang bayaran tambahan.",
				"Adakah kedai menjual basikal terpakai?": "Kedai kami menjual basikal baharu dan basikal terpakai daripada pelbagai jenama terkenal.",
			}},
		{"ar", "يبيع متجرنا الدراجات الجديدة والمستعملة من ماركات كثيرة معروفة في المدينة كلها. هل تبحث عن دراجة للأطفال؟ يفتح المتجر أبوابه كل يوم من الساعة التاسعة صباحا حتى السادسة مساء ما عدا يوم الجمعة. يبلغ سعر التوصيل إلى المنزل 25 ريالا لكل دراجة تشترى من المتجر مهما كان حجمها. يمكن إلغاء الطلب خلال سبعة أيام من تاريخ الشراء دون دفع أي رسوم إضافية على الإطلاق.",
			map[string]string{
				"متى يفتح المتجر؟":           "يفتح المتجر أبوابه كل يوم من الساعة التاسعة صباحا حتى السادسة مساء ما عدا يوم الجمعة.",
				"كم سعر التوصيل إلى المنزل؟": "يبلغ سعر التوصيل إلى المنزل 25 ريالا لكل دراجة تشترى من المتجر مهما كان حجمها.",
			}},
		{"zh", "本店出售各种品牌的新自行车和二手自行车，也为学生出租山地车、公路车和折叠车，欢迎大家前来挑选，也可以在网上预订以后再到店里来取，十分方便。营业时间是每天上午九点到下午六点，星期五休息，节假日的营业时间请看店门口的公告，或者打电话向我们的店员询问当天的具体安排。送货上门每辆车收费25元，由本店的司机直接送到您的家里，您可以自己选择合适的日期，但是偏远地区需要多等几天才能收到车。",
			map[string]string{
				"营业时间是什么时候？": "营业时间是每天上午九点到下午六点，星期五休息，节假日的营业时间请看店门口的公告，或者打电话向我们的店员询问当天的具体安排。",
				"送货上门收费多少？":  "送货上门每辆车收费25元，由本店的司机直接送到您的家里，您可以自己选择合适的日期，但是偏远地区需要多等几天才能收到车。",
			}},
		{"ja", "当店では新品と中古の自転車を幅広く取りそろえており、学生の方には折りたたみ自転車の貸し出しも行っていますので、お気軽にお立ち寄りください。営業時間は毎日午前九時から午後六時までで、金曜日はお休みをいただいておりますが、祝日の予定は店の入り口の掲示をご覧ください。自宅への配送料は一台につき2500円で、当店の運転手が直接ご自宅までお届けしますので、ご希望の日付を注文のときにお知らせください。",
			map[string]string{
				"営業時間はいつですか？":    "営業時間は毎日午前九時から午後六時までで、金曜日はお休みをいただいておりますが、祝日の予定は店の入り口の掲示をご覧ください。",
				"自宅への配送料はいくらですか": "自宅への配送料は一台につき2500円で、当店の運転手が直接ご自宅までお届けしますので、ご希望の日付を注文のときにお知らせください。",
			}},
		{"th", "ร้านของเราขายจักรยานใหม่และจักรยานมือสองหลายยี่ห้อสำหรับนักเรียนและนักท่องเที่ยวที่มาเยือนเมืองนี้\n\nร้านเปิดทุกวันตั้งแต่เก้าโมงเช้าถึงหกโมงเย็นยกเว้นวันศุกร์ที่ร้านหยุดทั้งวัน\n\nค่าจัดส่งถึงบ้านคันละ 250 บาทสำหรับลูกค้าที่อยู่ในเขตเมืองเท่านั้น",
			map[string]string{
				"ร้านเปิดเมื่อไหร่":        "ร้านเปิดทุกวันตั้งแต่เก้าโมงเช้าถึงหกโมงเย็นยกเว้นวันศุกร์ที่ร้านหยุดทั้งวัน",
				"ค่าจัดส่งถึงบ้านเท่าไหร่": "ค่าจัดส่งถึงบ้านคันละ 250 บาทสำหรับลูกค้าที่อยู่ในเขตเมืองเท่านั้น",
			}},
	} {
		t.Run(tt.language, func(t *testing.T) {
			kb := fresh()
			if _, err := kb.Put(t.Context(), knowledge.Document{Text: tt.text, Language: tt.language}); err != nil {
				t.Fatal(err)
			}
			for query, want := range tt.answers {
				if got, _ := answer(t, extractive.New(nil), kb, query); got != want {
					t.Errorf("Answer(%q) = %q, want %q", query, got, want)
				}
			}
		})
	}
}

// A question that asks for one thing is answered from one document, however much of
// it another holds; and two documents are quoted as the question asks.
func TestParts(t *testing.T) {
	kb := base(t)
	if _, err := kb.PutAll(t.Context(),
		knowledge.Document{Title: "Lessons", Text: "Sailing lessons for beginners take place on Saturday mornings in the bay."},
		knowledge.Document{Title: "Prize", Text: "The club won a prize for its youth work and a trip to the regatta in Kiel."},
		knowledge.Document{Title: "Insurance", Text: "Insurance for hired boats is included and covers damage to the hull."}); err != nil {
		t.Fatal(err)
	}
	const (
		lessons = "Sailing lessons for beginners take place on Saturday mornings in the bay."
		covers  = "Insurance for hired boats is included and covers damage to the hull."
	)
	for query, want := range map[string]string{
		"When do sailing lessons for beginners win a prize?":                         lessons,
		"When are sailing lessons for beginners? Does the insurance cover the hull?": lessons + "\n\n" + covers,
		"Does the insurance cover the hull and when are sailing lessons?":            covers + "\n\n" + lessons,
		"Does the insurance cover the hull of hired boats, and of bicycles?":         covers,
	} {
		if got, _ := answer(t, extractive.New(nil), kb, query); got != want {
			t.Errorf("Answer(%q) = %q, want %q", query, got, want)
		}
	}
}

// The terms of a question that was read in another language than a passage is in
// are no use there: its words are read in the passage's.
func TestReadInAnotherLanguage(t *testing.T) {
	text := "Wir verkaufen Boote. Die Läden öffnen um neun Uhr und schließen am Abend um sechs, auch am Sonntag und an Feiertagen in der Stadt."
	q := agent.Question{
		Query:    "Wann öffnen die Läden?",
		Terms:    []knowledge.QueryTerm{{Text: "wann", Weight: 2}, {Text: "laden-of-no-language", Weight: 3}},
		Passages: []knowledge.Hit{{Passage: knowledge.Passage{Ref: knowledge.Ref{DocumentID: "doc_1"}, End: len(text), Text: text, Language: "de"}, Score: 1}},
	}
	if got, _ := write(t, extractive.New(nil), q); !strings.HasPrefix(got, "Die Läden öffnen um neun Uhr") {
		t.Errorf("Answer = %q, want the sentence that answers", got)
	}
}

// A question of more words than are told apart is answered by the rarest.
func TestManyWords(t *testing.T) {
	var asked strings.Builder
	q := agent.Question{}
	for i := range 200 {
		word := "filler" + strings.Repeat("x", i)
		asked.WriteString(word + " ")
		q.Terms = append(q.Terms, knowledge.QueryTerm{Text: word, Weight: .001})
	}
	q.Query = asked.String() + "gasket"
	q.Terms = append(q.Terms, knowledge.QueryTerm{Text: "gasket", Weight: 9})
	text := "We sell boats of every size and colour in the harbour. A gasket seals the engine and is changed once a year by the staff."
	q.Passages = []knowledge.Hit{{Passage: knowledge.Passage{Ref: knowledge.Ref{DocumentID: "doc_1"}, End: len(text), Text: text}, Score: 1}}
	if got, _ := write(t, extractive.New(nil), q); !strings.HasPrefix(got, "A gasket seals") {
		t.Errorf("Answer = %q, want the sentence that holds the rarest word", got)
	}
}

// Whatever texts and questions hold, quotes are stretches of the passages, in whole
// characters.
func FuzzAnswer(f *testing.F) {
	for _, s := range [][2]string{
		{harbour, "Who assigns the berths, and how much is one?"},
		{"| a | b |\n| --- | --- |\n| c | 2 |\n\nname: x\nseats: 3\n\n- one\n- two", "what is c and how many seats?"},
		{"营业时间。它是九点！", "营业时间是什么时候，以及什么是它？"},
		{"To pay:\n\n1. Go.\n2. Pay", "pay و الدفع متى؟"},
		{"\xff. a\x00b", "\xff and \xff?"},
	} {
		f.Add(s[0], s[1])
	}
	a := extractive.New(nil)
	f.Fuzz(func(t *testing.T, text, query string) {
		half := len(text) / 2
		var q agent.Question
		q.Query = query
		for i, text := range []string{text, text[half:]} {
			q.Passages = append(q.Passages, knowledge.Hit{Score: 2, Passage: knowledge.Passage{
				Ref: knowledge.Ref{DocumentID: "doc_1", Ordinal: i}, Start: 7, End: 7 + len(text), Text: text, Language: []string{"", "th"}[i],
			}})
		}
		_, quotes := write(t, a, q)
		for _, c := range quotes {
			p := q.Passages[c.Ordinal]
			if c.Start < p.Start || c.End > p.End || c.Start >= c.End || p.Text[c.Start-p.Start:c.End-p.Start] != c.Quote {
				t.Fatalf("Answer(%q) cites %d to %d, %q, of the passage %q", query, c.Start, c.End, c.Quote, p.Text)
			}
			if utf8.ValidString(p.Text) && !utf8.ValidString(c.Quote) {
				t.Fatalf("Answer(%q) cuts a character: %q", query, c.Quote)
			}
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	kb := base(b)
	for _, title := range []string{"One", "Two", "Three", "Four", "Five"} {
		if _, err := kb.Put(b.Context(), knowledge.Document{Title: title, Text: harbour}); err != nil {
			b.Fatal(err)
		}
	}
	a, q := extractive.New(nil), question(b, kb, "How much does a berth of the harbour cost?")
	b.ReportAllocs()
	for b.Loop() {
		for range a.Answer(b.Context(), q) {
		}
	}
}
