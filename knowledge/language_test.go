package knowledge_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// The language of a text is told by what it says of itself or, if it is long
// enough, by what it looks like.
func TestLanguage(t *testing.T) {
	kb := newBase(t)
	for _, tt := range []struct {
		name string
		doc  knowledge.Document
		want string
	}{
		{"English", knowledge.Document{Text: "You have thirty days to return an item. If it is broken, we pay for the parcel."}, "en"},
		{"German", knowledge.Document{Text: "Sie können die Ware innerhalb von dreißig Tagen zurückgeben, wenn sie nicht benutzt worden ist."}, "de"},
		{"French", knowledge.Document{Text: "Vous pouvez retourner votre commande dans les trente jours. La livraison est gratuite pour les clients."}, "fr"},
		{"Spanish", knowledge.Document{Text: "Puede devolver el producto en un plazo de treinta días. Los gastos de envío no se devuelven."}, "es"},
		{"Malay", knowledge.Document{Text: "Anda boleh memulangkan barang dalam masa tiga puluh hari. Sila hubungi kami untuk bayaran balik kepada akaun anda."}, "ms"},
		{"Indonesian", knowledge.Document{Text: "Anda bisa mengembalikan barang dalam waktu tiga puluh hari. Silakan hubungi kami karena uang akan dikembalikan dari kami."}, "id"},
		{"Arabic", knowledge.Document{Text: "يمكنك إرجاع المنتج خلال ثلاثين يوما من تاريخ الشراء. لا يمكن إرجاع المنتجات التي تم استخدامها بعد ذلك."}, "ar"},
		{"Hebrew", knowledge.Document{Text: strings.Repeat("אפשר להחזיר את המוצר בתוך שלושים ימים מיום הקנייה, אם לא נעשה בו שימוש. ", 3)}, "he"},
		{"Persian", knowledge.Document{Text: "شما می توانید کالا را تا سی روز پس از خرید به ما بازگردانید. برای این کار باید با ما تماس بگیرید."}, "fa"},
		{"Russian", knowledge.Document{Text: "Вы можете вернуть товар в течение тридцати дней. Если он не подошёл, мы вернём деньги на карту или по счёту."}, "ru"},
		{"Hungarian", knowledge.Document{Text: strings.Repeat("A megvásárolt terméket harminc napon belül visszaküldheti, ha nem használta és az eredeti csomagolásban van. ", 3)}, "hu"},
		{"Japanese", knowledge.Document{Text: "商品到着後三十日以内であれば返品可能です。"}, "ja"},
		{"Chinese", knowledge.Document{Text: "您可以在三十天内退货。我们会把钱退到您的账户。"}, "zh"},
		{"Thai", knowledge.Document{Text: strings.Repeat("คุณสามารถคืนสินค้าได้ภายในสามสิบวัน ", 5)}, "th"},
		{"Greek", knowledge.Document{Text: strings.Repeat("Μπορείτε να επιστρέψετε το προϊόν εντός τριάντα ημερών. ", 4)}, "el"},
		{"too short", knowledge.Document{Text: "OK"}, ""},
		{"code", knowledge.Document{Text: strings.Repeat("x := append(y, z) // do la os\n", 30)}, ""},
		{"numbers", knowledge.Document{Text: strings.Repeat("12,5 ", 500)}, ""},
		{"half and half", knowledge.Document{Text: "You have thirty days to return it to us. Sie haben dreißig Tage, um es uns zu schicken, und der Versand ist frei."}, ""},
		{"with its question", knowledge.Document{Kind: knowledge.KindQA, Questions: []string{"Can I return what I have bought from you?"}, Text: "Yes, within 30 days."}, "en"},
		{"a page that says it", knowledge.Document{Format: knowledge.HTML, Text: `<html lang="pt-br"><p>OK`}, "pt-BR"},
		{"given", knowledge.Document{Format: knowledge.HTML, Text: `<html lang="pt-br"><p>OK`, Language: "PT_pt"}, "pt-PT"},
	} {
		tt.doc.ExternalID = tt.name
		if got := put(t, kb, tt.doc); got.Language != tt.want {
			t.Errorf("%s is in %q, want %q", tt.name, got.Language, tt.want)
		}
	}
}

// A new text is looked at anew.
func TestLanguageOfPatch(t *testing.T) {
	kb := newBase(t)
	d := put(t, kb, knowledge.Document{Text: "You have thirty days to return an item. If it is broken, we pay for the parcel."})
	d, err := kb.Patch(t.Context(), d.ID, knowledge.Patch{Text: new("Sie können die Ware innerhalb von dreißig Tagen zurückgeben, wenn sie nicht benutzt worden ist.")})
	if err != nil || d.Language != "de" {
		t.Errorf("after a text in German the language is %q, %v", d.Language, err)
	}
}

// A query is read in one of the languages declared and of the documents.
func TestQueryLanguages(t *testing.T) {
	kb := newBase(t)
	german := put(t, kb, knowledge.Document{Title: "Preise", Text: "Die Häuser kosten viel.", Language: "de"})
	put(t, kb, knowledge.Document{Title: "Prices", Text: "The houses are dear.", Language: "en"})
	for _, tt := range []struct {
		text      string
		languages []string
		want      []string // read in
		finds     bool     // the German document
	}{
		{"Was kostet das Haus?", nil, []string{"de"}, true},
		{"What does the house cost?", nil, []string{"en"}, false},
		{"Was kostet das Haus?", []string{"fr", "de-AT"}, []string{"de-AT"}, true},
		{"Häusern", []string{"de"}, []string{"de"}, true},
		{"Häusern", []string{"en"}, []string{"de"}, true},
		{"kosten", []string{"en", "de"}, []string{"de", "en"}, true},
		{"多少钱?", []string{"en"}, []string{"zh"}, false},
	} {
		r := search(t, kb, knowledge.Query{Text: tt.text, Languages: tt.languages})
		finds := slices.ContainsFunc(r.Hits, func(h knowledge.Hit) bool { return h.DocumentID == german.ID })
		if !slices.Equal(r.Languages, tt.want) || finds != tt.finds {
			t.Errorf("Search(%q) among %q is read in %q and finds the German document: %v, want %q and %v", tt.text, tt.languages, r.Languages, finds, tt.want, tt.finds)
		}
	}
}

// A language is sure if only it has the words of a question.
func TestDetectLanguage(t *testing.T) {
	for _, tt := range []struct {
		text  string
		among []string
		want  string
		sure  bool
	}{
		{"When do you open?", []string{"de", "en-GB"}, "en-GB", true},
		{"Wann macht ihr auf?", []string{"en-GB", "de"}, "de", true},
		{"Bila kedai dibuka?", []string{"en", "ms"}, "ms", true},
		{"متى تفتحون؟", []string{"en", "ar"}, "ar", true},
		{"متى تفتحون؟", []string{"en", "de"}, "", false},
		{"Wi-Fi", []string{"en", "de"}, "en", false},
		{"12", []string{"fr", "de"}, "fr", true},
		{"When do you open?", nil, "", false},
	} {
		if got, sure := knowledge.DetectLanguage(tt.text, tt.among); sure != tt.sure || sure && got != tt.want {
			t.Errorf("DetectLanguage(%q, %q) = %q, %v, want %q, %v", tt.text, tt.among, got, sure, tt.want, tt.sure)
		}
	}
}
