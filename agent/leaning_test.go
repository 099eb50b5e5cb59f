package agent_test

import (
	"context"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A follow-up is one in any language, and what stands on its own is left alone, after a
// question about a blue kayak's price.
func TestFollowUpsByLanguage(t *testing.T) {
	for _, tt := range []struct {
		language      string
		before        string
		leans, stands []string
	}{
		{"en", "How much is the blue kayak?", []string{"How do I add one?", "and on Sundays?", "Can it be returned?", "Why?", "What about paddles?"},
			[]string{"When do you open?", "Is there parking at your shop?", "Are there lockers?", "Thank you very much!", "Which paddles do you sell?"}},
		{"de", "Was kostet das blaue Kajak?", []string{"Und sonntags?", "Kann man es zurückgeben?", "Was kostet das in Rot?", "Wie pflege ich das?", "Wie lange hält diese?", "Warum?", "Was ist mit Paddeln?", "Wozu braucht man die?"},
			[]string{"Wann öffnet das Geschäft?", "Gibt es Parkplätze?", "Haben Sie Paddel?", "Wie lange dauert die Lieferung?", "Vielen Dank!", "Wo ist der Eingang?"}},
		{"ar", "كم سعر قارب الكاياك الأزرق؟", []string{"كيف أعيدها؟", "والأحمر؟", "ماذا عن المجداف؟", "وأيام الأحد؟", "هل يمكن إرجاعه؟", "لماذا؟", "وكم سعر المجداف؟"},
			[]string{"متى يفتح المتجر؟", "هل هناك موقف سيارات؟", "أين يقع المتجر؟", "شكرا جزيلا", "والدي يريد مجدافا جديدا للبحر"}},
		{"ms", "Berapa harga kayak biru?", []string{"Dan hari Ahad?", "Bagaimana dengan dayung?", "Berapa beratnya?", "Boleh saya pulangkan itu?", "Bolehkah ia dipulangkan?", "Kenapa?"},
			[]string{"Bila kedai dibuka?", "Di mana tempat letak kereta?", "Apa itu dayung?", "Terima kasih banyak", "Berapa harga dayung kayu?"}},
		{"id", "Berapa harga kayak biru?", []string{"Dan hari Minggu?", "Gimana dengan dayung?", "Berapa beratnya?", "Apakah itu bisa dikembalikan?", "Apakah mereka tahan air?"},
			[]string{"Kapan toko buka?", "Di mana tempat parkir?", "Apa itu dayung?", "Terima kasih", "Apakah toko punya dayung?"}},
		{"zh", "蓝色皮划艇多少钱？", []string{"那周日呢？", "红色的呢？", "它可以退吗？", "还有别的颜色吗？", "为什么？", "这个多重？"},
			[]string{"你们几点开门呢？", "可以用信用卡付款吗？", "请问停车场在哪里？", "谢谢！", "这三艘皮划艇中哪一艘在海水里浮得最好？"}},
		{"ja", "青いカヤックはいくらですか？", []string{"日曜日は？", "それは返品できますか？", "じゃあ赤いのは？", "なぜですか？", "そのパドルの重さは？", "ほかに色はありますか？"},
			[]string{"店は何時に開きますか？", "駐車場はどこですか？", "カヤックとは？", "ありがとうございます", "または現金で払えますか？", "この三つのカヤックのうち海水で一番よく浮くのはどれですか？"}},
		{"th", "เรือคายัคสีน้ำเงินราคาเท่าไหร่", []string{"แล้ววันอาทิตย์ล่ะ", "มันคืนได้ไหม", "พายล่ะคะ", "ทำไม", "อันนี้หนักเท่าไหร่", "และสีแดง"},
			[]string{"ร้านเปิดกี่โมง", "วันนี้ร้านเปิดไหม", "ที่จอดรถอยู่ที่ไหน", "ขอบคุณครับ", "ส่วนลดมีเท่าไหร่"}},
		{"fr", "Combien coûte le kayak bleu ?", []string{"Et le dimanche ?", "Elle est étanche ?"}, []string{"Quand ouvre le magasin ?", "Il y a un parking ?", "Merci beaucoup"}},
		{"es", "¿Cuánto cuesta el kayak azul?", []string{"¿Y los domingos?", "¿Cuánto pesa este?"}, []string{"¿Cuándo abre la tienda?", "Muchas gracias"}},
		{"pt", "Quanto custa o caiaque azul?", []string{"E aos domingos?", "Posso devolver isso?"}, []string{"Quando abre a loja?", "Muito obrigado"}},
		{"it", "Quanto costa il kayak blu?", []string{"E la domenica?", "Quanto pesa questo?"}, []string{"Quando apre il negozio?", "Grazie mille"}},
		{"nl", "Hoeveel kost de blauwe kajak?", []string{"En op zondag?", "Hoe zwaar is die?"}, []string{"Wanneer gaat de winkel open?", "Is er parkeergelegenheid?"}},
		{"ru", "Сколько стоит синий каяк?", []string{"А в воскресенье?", "Сколько он весит?"}, []string{"Когда открывается магазин?", "Большое спасибо"}},
		{"tr", "Mavi kano ne kadar?", []string{"Peki pazar günü?", "Bunu iade edebilir miyim?"}, []string{"Mağaza ne zaman açılıyor?", "Çok teşekkür ederim"}},
		{"hi", "नीली कयाक कितने की है?", []string{"और रविवार को?", "इसका वजन कितना है?"}, []string{"दुकान कब खुलती है?", "बहुत धन्यवाद"}},
		{"vi", "Thuyền kayak xanh giá bao nhiêu?", []string{"Còn chủ nhật?", "Nó nặng bao nhiêu?"}, []string{"Cửa hàng mở cửa lúc mấy giờ?", "Cảm ơn bạn nhiều"}},
		{"ko", "파란 카약은 얼마예요?", []string{"그럼 일요일은요?", "그거 얼마나 무거워요?"}, []string{"가게는 언제 열어요?", "감사합니다"}},
	} {
		t.Run(tt.language, func(t *testing.T) {
			t.Parallel()
			for _, languages := range [][]string{{tt.language}, {"en", tt.language}} {
				d := newDesk(t, parts{Retriever: findsNothing{}})
				d.patch(t, func(s *agent.Settings) { s.Languages = languages })
				for i, texts := range [][]string{tt.leans, tt.stands} {
					for _, text := range texts {
						first := d.ask(t, agent.Message{Text: tt.before})
						why := d.explain(t, d.ask(t, agent.Message{Text: text, ConversationID: first.ConversationID}))
						want := text
						if i == 0 {
							want = tt.before + " " + text
						}
						if why.Query != want || why.Rewritten != (i == 0) {
							t.Errorf("among %v, %q is searched as %q, want %q", languages, text, why.Query, want)
						}
					}
				}
			}
		})
	}
}

// findsNothing is a retriever of an empty shelf.
type findsNothing struct{}

func (findsNothing) Retrieve(context.Context, string, knowledge.Query) (knowledge.Results, error) {
	return knowledge.Results{Revision: 1}, nil
}
