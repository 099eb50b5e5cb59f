package analysis

import (
	"strings"
	"testing"
)

var everyLanguage = []string{"en", "ar", "ms", "id", "de", "zh", "ja", "th", "fr", "es", "pt", "it", "nl", "ru", "tr", "hi", "vi", "ko"}

// Questions are told apart among all of those languages.
func TestDetect(t *testing.T) {
	for language, questions := range map[string][]string{
		"en": {"How do I reset my password?", "Where is my order?", "Can I get a refund if the box is open", "what are your opening hours"},
		"ar": {"كيف أعيد تعيين كلمة المرور؟", "أين طلبي؟", "هل يمكنني استرداد المبلغ", "ما هي ساعات العمل API"},
		"ms": {"Bagaimana nak tukar kata laluan saya?", "Bolehkah saya batalkan pesanan kerana lewat sampai?", "Berapa kos penghantaran ke Sabah dengan bayaran kad?", "macam mana nak buat bayaran"},
		"id": {"Bagaimana cara mengganti kata sandi saya karena lupa?", "Apakah saya bisa membatalkan pesanan?", "gimana cara bayar pakai kartu, bisa gak?"},
		"de": {"Wie setze ich mein Passwort zurück?", "Wo ist meine Bestellung?", "Kann ich das Geld zurückbekommen?", "Welche Öffnungszeiten habt ihr?"},
		"zh": {"怎么重置密码?", "我的订单在哪里", "API 密钥在哪里设置", "可以退款嗎"},
		"ja": {"パスワードを変更するには?", "注文はどこですか", "返金してもらえますか"},
		"th": {"เปลี่ยนรหัสผ่านอย่างไร", "คำสั่งซื้อของฉันอยู่ที่ไหน"},
		"fr": {"Comment réinitialiser mon mot de passe ?", "Où est ma commande ?", "Puis-je être remboursé si le colis est ouvert", "quels sont vos horaires"},
		"es": {"¿Cómo restablezco mi contraseña?", "¿Dónde está mi pedido?", "Puedo pedir un reembolso si la caja está abierta"},
		"pt": {"Como redefino a minha senha?", "Onde está o meu pedido?", "Posso pedir reembolso se a caixa não estiver fechada"},
		"it": {"Come posso reimpostare la password?", "Dov'è il mio ordine?", "Quali sono gli orari di apertura della sede"},
		"nl": {"Hoe kan ik mijn wachtwoord wijzigen?", "Waar is mijn bestelling?", "Wat zijn jullie openingstijden"},
		"ru": {"Как сбросить пароль?", "Где мой заказ?"},
		"tr": {"Şifremi nasıl sıfırlarım?", "Siparişim nerede?", "Çalışma saatleriniz nedir"},
		"hi": {"मैं अपना पासवर्ड कैसे बदलूं?", "मेरा ऑर्डर कहाँ है?"},
		"vi": {"Làm thế nào để đổi mật khẩu?", "Đơn hàng của tôi ở đâu?"},
		"ko": {"비밀번호를 어떻게 바꾸나요?", "제 주문은 어디에 있나요?"},
	} {
		for _, q := range questions {
			if got, _ := Detect(q, everyLanguage); got != language {
				t.Errorf("Detect(%q) = %q, want %q", q, got, language)
			}
		}
	}
}

func TestDetectAmong(t *testing.T) {
	for _, tt := range []struct {
		in, among, want string
		sure            bool
	}{
		{"How do I reset it?", "", "en", true},
		{"wie geht das", "", "en", true},
		{"How do I reset it?", "ms", "ms", true}, // nothing else to read it in
		{"How do I reset it?", "ms en", "en", true},
		{"macam mana nak reset password my account", "en ms", "ms", false}, // both
		{"iPhone 15", "ms en", "ms", false},
		{"12345", "de en", "de", true},
		{"", "de en", "de", true},
		{"How do I reset it?", "ar th", "en", true},
		{"كيف", "en de", "ar", true},
		{"چطور", "en fa", "fa", true},
		{"密码", "ja en", "ja", true},
		{"密码", "ja zh", "ja", true},
		{"パス", "zh en", "ja", true},
		{"Como posso pagar isso?", "en pt-BR", "pt-BR", true},
		{"Як змінити пароль", "uk en", "uk", true},
		{"Kuinka vaihdan salasanan", "en fi", "fi", false},
	} {
		got, sure := Detect(tt.in, strings.Fields(tt.among))
		if got != tt.want || sure != tt.sure {
			t.Errorf("Detect(%q, %s) = %q, %v, want %q, %v", tt.in, tt.among, got, sure, tt.want, tt.sure)
		}
	}
}

// More languages than are told apart do no harm.
func TestDetectAmongMany(t *testing.T) {
	var many []string
	for c := 'a'; c <= 'z'; c++ {
		many = append(many, "x"+string(c))
	}
	if got, sure := Detect("How do I reset it?", append([]string{"en"}, many...)); got != "en" || sure {
		t.Errorf("Detect = %q, %v, want en, false: it may be another", got, sure)
	}
}

func BenchmarkDetect(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Detect("How do I rotate the API key of an agent?", []string{"en", "ms", "de", "ar"})
	}
}
