package analysis

import (
	"slices"
	"strings"
	"testing"
)

// The words of a line are one term, each as it is written.
func TestSameTerm(t *testing.T) {
	for language, lines := range map[string][]string{
		"en": {"refund refunds refunded Refunding", "café cafe CAFÉ cafe\u0301", "naïve naive", "customer's customers", "straße strasse"},
		"ar": {
			"كتاب الكتاب والكتاب بالكتاب كتابها", "أسعار اسعار الأسعار", "مكتبة مكتبه المكتبة مكتبات", "موظفون موظفين الموظفين",
			"سياسة سياسه السياسة", "كِتَاب كتـــاب كتاب", "إلغاء الإلغاء الغاء بالإلغاء", "١٢٣ 123 ۱۲۳",
		},
		"fa": {"کتاب كتاب", "علی علي"},
		"ms": {
			"bayar bayaran membayar dibayar pembayaran bayarkan bayarlah", "hantar menghantar dihantar penghantaran hantarkan penghantar",
			"tukar menukar ditukar pertukaran bertukar penukaran", "pulang memulangkan pulangan dipulangkan pemulangan", "pesan memesan dipesan pesanan pemesanan",
			"simpan menyimpan penyimpanan disimpan simpanan", "guna menggunakan pengguna digunakan gunakan penggunaan", "daftar mendaftar pendaftaran berdaftar didaftarkan",
			"kirim mengirim pengiriman dikirim kiriman", "kembali dikembalikan mengembalikan pengembalian kembalikan", "langganan pelanggan melanggan berlangganan",
			"ubah mengubah berubah perubahan diubah", "rosak kerosakan merosakkan", "beli membeli pembelian dibeli", "semak menyemak semakan disemak",
			"makan makanan memakan pemakanan", "mudah kemudahan memudahkan mudahnya", "sah pengesahan mengesahkan disahkan", "masalah masalahnya bermasalah",
			"selenggara penyelenggaraan menyelenggara", "ajar belajar pelajaran pembelajaran",
		},
		"id": {"ganti mengganti penggantian diganti gantikan", "uang keuangan uangnya", "kunci mengunci dikunci"},
		"de": {
			"Haus Häuser Hauses", "Bestellung Bestellungen", "Müller Mueller Muller", "Größe Groesse größe", "App Apps", "Foto Fotos", "Auto Autos",
			"Passwort Passwörter", "Lieferung Lieferungen lieferungen",
		},
		"fr": {"hôtel l'hôtel L’hôtel hotel hôtels", "été l'été d'été", "commande commandes", "livraison livraisons", "qu'école école"},
		"es": {"pedido pedidos", "contraseña contraseñas", "devolución devolucion devoluciones"},
		"pt": {"pedido pedidos", "devolução devolucao", "informação informações"},
		"it": {"ordine ordini", "città citta", "hotel l'hotel", "acqua dell'acqua"},
		"nl": {"bestelling bestellingen", "foto foto's", "reünie reunie"},
		"ru": {"заказ заказа заказы заказов", "счёт счет", "ЁЛКА ёлка елка"},
		"tr": {"ışık IŞIK", "İptal iptal", "İstanbul İstanbul'da İSTANBUL", "kitap kitaplar", "WiFi WIFI wifi"},
		"hi": {"लड़का लड़के लड़कों", "किताब किताबें किताबों", "चाँद चांद", "फ़ोन फोन", "१२३ 123"},
		"vi": {"hoà hòa", "thuý thúy", "Đơn đơn", "tie\u0302\u0301ng tiếng"},
		"ro": {"știre ştire"},
		"uk": {"Ключ ключ"},
		"zh": {"settings setting ＳＥＴＴＩＮＧＳ"},
		"ja": {"パス ﾊﾟｽ"},
		"ko": {"한국 \u1112\u1161\u11ab\u1100\u116e\u11a8"},
		"th": {"๑๒ 12"},
	} {
		for _, line := range lines {
			words := strings.Fields(line)
			want := For(language).Terms(nil, words[0])
			for _, w := range words[1:] {
				if got := For(language).Terms(nil, w); !slices.Equal(got, want) {
					t.Errorf("in %s %q is %q, and %q is %q", language, w, got, words[0], want)
				}
			}
		}
	}
}

// The words of a line differ.
func TestOtherTerm(t *testing.T) {
	for language, lines := range map[string][]string{
		"en": {"university universe2", "organ order"},
		"ar": {"كتاب مكتب", "سعر شعر"},
		"ms": {"beli beri", "kotak kota", "masa masak", "buku bukan", "salah masalah", "keluar luar", "hari harga"},
		"de": {"schon schön2", "Kunde Kündigung", "Rechnung Rechner"},
		"fr": {"hôtel hôpital"},
		"es": {"año ano"},
		"sv": {"för far"},
		"tr": {"ölü olu"},
		"vi": {"ma má mà mả mã mạ", "đa da"},
		"hi": {"किताब कितना"},
		"ru": {"заказ отказ"},
	} {
		for _, line := range lines {
			seen := map[string]string{}
			for w := range strings.FieldsSeq(line) {
				term := strings.Join(For(language).Terms(nil, w), " ")
				if other, ok := seen[term]; ok {
					t.Errorf("in %s %q and %q are both %q", language, w, other, term)
				}
				seen[term] = w
			}
		}
	}
}

// Numbers are the same however their thousands and decimals are parted.
func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ language, in, want string }{
		{"en", "$1,299.00", "1299"},
		{"en", "1,299.50", "1299.50"},
		{"en", "12,50 €", "12.50"},
		{"en", "1.299,50 €", "1299.50"},
		{"en", "1,29,900", "1.29.900"},
		{"en", "1.299", "1.299"}, // may be a version
		{"de", "1.299 €", "1299"},
		{"de", "1.299.000", "1299000"},
		{"de", "v1.29", "v1.29"},
		{"fr", "1\u202f299,00 €", "1299"},
		{"ru", "12\u00a0345\u00a0678", "12345678"},
		{"en", "1\u00a02", ""},
		{"en", "a12\u00a0345", ""},
	} {
		got := ""
		for _, term := range For(tt.language).Query(nil, tt.in) {
			if term.Whole {
				got = term.Text
			}
		}
		if got != tt.want {
			t.Errorf("the whole of %q in %s is %q, want %q", tt.in, tt.language, got, tt.want)
		}
	}
}

// Stop words leave gaps, what is written as one stands where its last part does.
func TestPlaces(t *testing.T) {
	want := []Token{{"reset", 0, false}, {"the", 1, true}, {"api", 2, false}, {"key", 3, false}, {"api_key", 3, false}, {"and", 4, true}, {"a", 5, true}, {"password", 6, false}, {"黑豹", 7, false}, {"豹队", 8, false}, {"now", 9, false}}
	text := "Reset the API_KEY and a password 黑豹队 now"
	if got := For("en").Tokens(nil, text); !slices.Equal(got, want) {
		t.Errorf("Tokens(%q) = %v, want %v", text, got, want)
	}
	terms := Question(nil, text, []string{"en"})
	for i, term := range terms {
		if i < len(want) && (term.Text != want[i].Term || term.At != want[i].At || term.Stop != want[i].Stop) {
			t.Errorf("Query(%q) has %q at %d, want %v", text, term.Text, term.At, want[i])
		}
	}
	if len(terms) != len(want) {
		t.Errorf("Query(%q) has %d terms, want %d", text, len(terms), len(want))
	}
}

// Of a question what asks is told from what it asks about.
func TestContent(t *testing.T) {
	for _, tt := range []struct{ language, in, want string }{
		{"ar", "كيف يمكنني إلغاء الاشتراك من فضلك؟", "غاء اشتراك"},
		{"ms", "Macam mana saya nak batalkan langganan?", "batal langg"},
		{"id", "Bagaimana cara saya membatalkan langganan?", "batal langg"},
		{"de", "Wie kann ich bitte mein Abo kündigen?", "abo kundig"},
		{"fr", "Comment puis-je annuler mon abonnement ?", "annul abon"},
		{"es", "¿Cómo puedo cancelar mi suscripción?", "cancel suscripcion"},
		{"zh", "请问如何取消订阅吗", "取消 消订 订阅"},
		{"ja", "解約するにはどうすればいいですか", "解約 約す"},
		{"th", "ยกเลิกอย่างไร", "ยก กเ เลิ ลิก"},
		{"ko", "구독 취소 어떻게", "구독 취소"},
		{"hi", "मैं सदस्यता कैसे रद्द करूँ", "सदस्य रद्द करूं"},
		{"ru", "Как мне отменить подписку?", "отмен подписк"},
	} {
		var got []string
		for _, term := range For(tt.language).Query(nil, tt.in) {
			if term.Content {
				got = append(got, term.Text)
			}
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("Query(%q) in %s is about %q, want %q", tt.in, tt.language, got, tt.want)
		}
	}
}

// A question that may be in two languages is read in both.
func TestAlternatives(t *testing.T) {
	terms := Question(nil, "macam mana nak subscribe dan bayaran cancellation the account", []string{"ms", "en"})
	at := map[uint32][]string{}
	for _, term := range terms {
		at[term.At] = append(at[term.At], term.Text)
	}
	for place, want := range map[uint32]string{3: "subscribe subscrib", 5: "bayar bayaran", 6: "cancellation cancel", 8: "account"} {
		if got := strings.Join(at[place], " "); got != want {
			t.Errorf("the word at %d is %q, want %q", place, got, want)
		}
	}
	sure := Question(nil, "How do I cancel the payments?", []string{"ms", "en"})
	sure = slices.DeleteFunc(sure, func(t Term) bool { return t.Stop })
	if alone := For("en").Query(nil, "How do I cancel the payments?"); !slices.Equal(sure, alone) {
		t.Errorf("a question that is surely English is read as %v, want %v", sure, alone)
	}
}

// A document's terms are found again by a question of its words.
func TestRoundTrip(t *testing.T) {
	for language, text := range map[string]string{
		"en": "Customers can rotate the API_KEY at example.com for $1,299.00.",
		"ar": "يمكن للعملاء إلغاء الطلبات قبل الشحن",
		"ms": "Pelanggan boleh memulangkan barangan dalam tempoh 14 hari",
		"de": "Kunden können Bestellungen über 1.299,00 € zurückgeben.",
		"zh": "您可以在十四天内退货",
		"ja": "商品は14日以内に返品できます",
		"th": "ลูกค้าสามารถคืนสินค้าได้",
		"fr": "L'hôtel n'accepte pas les animaux",
		"ru": "Покупатели могут вернуть товары",
		"tr": "Müşteriler ürünleri İADE edebilir",
		"hi": "ग्राहक सामान वापस कर सकते हैं",
		"vi": "Khách hàng có thể trả lại hàng hoá",
		"ko": "고객은 상품을 반품할 수 있습니다",
	} {
		a := For(language)
		terms := a.Terms(nil, text)
		for _, term := range Question(nil, text, []string{language}) {
			if !term.Stop && !slices.Contains(terms, term.Text) {
				t.Errorf("in %s the question has %q, the document %q", language, term.Text, terms)
			}
		}
	}
}
