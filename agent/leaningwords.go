package agent

import (
	"strings"
	"unicode"
)

// scripts are those that tell a language by themselves.
var scripts = map[string]*unicode.RangeTable{
	"ar": unicode.Arabic, "th": unicode.Thai, "ru": unicode.Cyrillic, "hi": unicode.Devanagari, "ko": unicode.Hangul,
}

// latinLeanings are the languages with a table that are written in Latin letters.
var latinLeanings = []string{"en", "de", "id", "fr", "es", "pt", "it", "nl", "tr", "vi"}

// leanings are the words by which messages lean on others, by language. They are those of
// its grammar: conjunctions, pronouns, demonstratives and particles.
var leanings = map[string]*leaning{
	"en": {
		continues: list("and,or,but,also,then,otherwise,instead,what about,how about,what if,why not,same for,else"),
		pointing:  words("it its that this these those they them their there one ones he she him her his same it's that's else"),
		idle:      list("is there,are there,there is,there are,was there,were there,there's,is it possible"),
		courtesy:  strings.Fields("thanks thank you hello hi hey ok okay yes no great good bye very much morning day"),
		empty: words("a an the is are was were be been do does did can could will would should may i you we my your our me us to of in on at for " +
			"from with by as so if what when where which who whom whose why how much many long often yes no ok okay please thanks thank hello hi " +
			"really sure not don't more some any have has had tell about explain mean up out"),
		short: 3,
	},
	"de": {
		continues: list("und,oder,aber,auch,dann,sonst,stattdessen,außerdem,was ist mit,wie ist es mit,wie sieht es mit,wie steht es mit,was wenn,warum nicht,dafür,davon,damit,dort,gilt das auch"),
		pointing: words("er sie es ihn ihm ihr ihnen sein seine seinen ihre ihren dies diese dieser dieses diesen diesem jene jener jenes jenen dort dorthin davon " +
			"dafür damit darin daran darauf darüber dazu dabei dagegen dessen deren denen welche einen eins derselbe dieselbe dasselbe selbe"),
		article:  words("das die der den dem"),
		parting:  words("in im an am auf mit ohne für von vom bei beim zu zum zur nach aus bis seit"),
		idle:     list("gibt es,gibt's,es gibt,ist es möglich,geht es um,handelt es sich"),
		courtesy: strings.Fields("danke dank vielen schön sehr hallo guten gute morgen tag abend ja nein okay ok gut super prima bitte tschüss auf wiedersehen"),
		short:    3,
	},
	"fr": {
		continues: list("et,ou,mais,aussi,alors,sinon,ensuite,puis,qu'en est il,qu’en est il,pourquoi pas"),
		pointing:  words("il elle ils elles lui leur leurs ça cela ceci ce cet cette ces celui celle ceux celles y là c'est c’est l'un même son sa ses"),
		idle:      list("il y a,y a t il,est il possible,faut il,il faut,est ce que,est ce qu'il y a,est ce"),
		courtesy:  strings.Fields("merci beaucoup bonjour salut bonsoir oui non ok d'accord bien très au revoir"),
		short:     3,
	},
	"es": {
		continues: list("y,e,o,pero,también,entonces,si no,además,qué hay de,qué pasa con,por qué no"),
		pointing:  words("él ella ello ellos ellas esto esta este estos estas eso esa ese esos esas aquello aquella aquel allí ahí su sus mismo misma"),
		courtesy:  strings.Fields("gracias muchas hola buenos buenas días tardes noches sí no vale ok bien muy adiós"),
		short:     3,
	},
	"pt": {
		continues: list("e,ou,mas,também,então,senão,além disso,e se,que tal,por que não"),
		pointing:  words("ele ela eles elas isso isto aquilo esse essa esses essas este esta estes estas aquele aquela disso disto dele dela deles delas nele nela lá ali seu sua mesmo mesma"),
		courtesy:  strings.Fields("obrigado obrigada muito olá oi bom boa dia tarde noite sim não ok bem tchau"),
		short:     3,
	},
	"it": {
		continues: list("e,o,ma,anche,allora,altrimenti,poi,inoltre,che dire di,e se,perché no"),
		pointing:  words("esso essa essi esse lui lei loro questo questa questi queste quello quella quelli quelle ciò lì là suo sua suoi sue stesso stessa"),
		courtesy:  strings.Fields("grazie mille ciao buongiorno buonasera sì no ok bene molto arrivederci"),
		short:     3,
	},
	"nl": {
		continues: list("en,of,maar,ook,dan,anders,bovendien,hoe zit het met,wat als,waarom niet"),
		pointing:  words("hij zij ze hem haar hun dit dat die deze daar ervan daarvan ermee daarmee erin daarin ervoor daarvoor erop daarop dezelfde hetzelfde"),
		idle:      list("zijn er,is er,er zijn,er is"),
		courtesy:  strings.Fields("bedankt dank je u wel hallo hoi goedemorgen goedendag ja nee oké ok goed heel dag"),
		short:     3,
	},
	"tr": {
		continues: list("ve,veya,ya,ama,ayrıca,peki,o zaman,yoksa"),
		pointing:  words("o bu şu onu bunu şunu onun bunun onlar bunlar onları bunları onların orada burada oraya ona buna ondan bundan aynı aynısı"),
		courtesy:  strings.Fields("teşekkürler teşekkür ederim çok merhaba selam evet hayır tamam iyi günler"),
		short:     3,
	},
	"vi": {
		continues: list("và,hoặc,nhưng,còn,vậy,thế,cũng,ngoài ra,thì sao"),
		pointing:  words("nó họ đó này kia ấy đấy vậy thế chúng"),
		courtesy:  strings.Fields("cảm ơn cám nhiều xin chào vâng dạ không được tốt tạm biệt bạn"),
		short:     4, // its words are syllables
	},
	"id": malay,
	"ms": malay,
	"ru": {
		continues: list("и,или,но,а,тоже,также,тогда,иначе,как насчёт,как насчет,что насчёт,что насчет"),
		pointing:  words("он она оно они его её ее их ему ей им ним него нее неё них это этот эта эти этого этой этих этом тот та те того тех там туда такой такая такое тоже"),
		courtesy:  strings.Fields("спасибо большое привет здравствуйте да нет хорошо ок добрый день вечер утро пока"),
		short:     3,
	},
	"hi": {
		continues: list("और,या,लेकिन,पर,फिर,तो,भी"),
		pointing:  words("यह वह ये वे इसे उसे इसका इसकी इसके उसका उसकी उसके इनका उनका इनके उनके उन्हें इन्हें इसमें उसमें वहाँ वहां यहाँ यहां इस उस वही यही"),
		courtesy:  strings.Fields("धन्यवाद शुक्रिया नमस्ते हाँ हां नहीं ठीक है बहुत"),
		short:     3,
	},
	"ar": {
		continues: list("وال*,وأ*,وماذا,وما,وهل,وكيف,ومتى,وأين,ولماذا,وكم,وفي,وعن,ومن,وإذا,ولل*,أو,أم,ثم,لكن,ولكن,إذن,أيضا,أيضاً,كذلك,ماذا عن,ماذا لو,لماذا لا"),
		pointing:  words("هو هي هم هما هن هذا هذه ذلك تلك ذاك هؤلاء أولئك هناك هنا منه منها فيه فيها عنه عنها عليه عليها به بها بهم له لها لهم إليه إليها معه معها نفسه نفسها ذاته ذاتها"),
		suffixes:  list("ها,هم,هما,ه"),
		idle:      list("والد,والدي,والدتي,والدة,هل هناك,هناك,مياه,اتجاه,انتباه,فواكه,مشابه,تنبيه,توجيه,ترفيه"),
		courtesy:  strings.Fields("شكرا شكراً جزيلا جزيلاً مرحبا مرحباً أهلا السلام عليكم نعم لا حسنا حسناً جيد"),
		short:     3,
	},
	"zh": {
		continues: list("那,还有,還有,另外,而且,或者,但是,可是,然后,然後,也"),
		ends:      list("呢"),
		asks:      list("什么,什麼,怎么,怎麼,怎样,哪,谁,誰,几,幾,多少,多久,多长,吗,嗎"),
		pointing:  words("它 他 她 这 這 那 此"),
		idle:      list("其他,其它,吉他,他人,因此,此外,如此,那不勒斯"),
		courtesy:  list("谢谢,謝謝,你好,您好,多谢,好的,再见,再見"),
		unspaced:  true, short: 12,
	},
	"ja": {
		continues: list("では,じゃあ,じゃ,それでは,それなら,そして,また,あと,それから,でも,しかし,他に,ほかに"),
		ends:      list("は,の場合,だと,だったら"),
		asks:      list("とは,何,いつ,どこ,どう,なぜ,誰,いくら,どれ,どの,ですか,ますか,こんにちは,こんばんは"),
		pointing:  words("それ これ あれ その この あの そこ ここ あそこ 彼 同じ そんな こんな"),
		idle:      list("または,その他,そのまま,それぞれ,であれ,これから,きのこ,たけのこ,このたび,そのうち,また来"),
		courtesy:  list("ありがとう,こんにちは,こんばんは,おはよう,はい,いいえ,さようなら,どうも"),
		unspaced:  true, short: 18,
	},
	"th": {
		continues: list("แล้ว,และ,หรือ,แต่,ถ้าอย่างนั้น,งั้น,นอกจากนี้,ส่วน,อีกอย่าง"),
		ends:      list("ล่ะ,ล่ะครับ,ล่ะคะ,ล่ะค่ะ,ละครับ,ละคะ"),
		asks:      list("อะไร,ทำไม,เมื่อไหร่,เมื่อไร,ที่ไหน,อย่างไร,เท่าไหร่,เท่าไร,ใคร,กี่"),
		pointing:  words("มัน เขา นี้ นั้น นี่ นั่น"),
		idle:      list("วันนี้,ตอนนี้,เดี๋ยวนี้,ขณะนี้,ปัจจุบันนี้,ปีนี้,เดือนนี้,สัปดาห์นี้,เท่านั้น,ดังนั้น,มันฝรั่ง,น้ำมัน,ภูเขา,ปีนเขา,ส่วนลด,ส่วนใหญ่,แต่ง,มันม่วง,คืนนี้,เช้านี้,เย็นนี้"),
		courtesy:  list("ขอบคุณ,สวัสดี,ครับ,ค่ะ,ลาก่อน,ตกลง"),
		unspaced:  true, short: 36,
	},
	"ko": {
		continues: list("그리고,그럼,그러면,또는,하지만,그런데,또,그렇다면,그 외에"),
		pointing:  words("그것 이것 저것 그거 이거 그건 이건 거기 여기 그게 이게 같은"),
		courtesy:  list("감사합니다,고맙습니다,안녕하세요,네,아니요,안녕"),
		unspaced:  true, short: 16,
	},
}

// malay is for Malay and Indonesian, whose grammar is one.
var malay = &leaning{
	continues: list("dan,atau,tapi,tetapi,juga,lalu,kemudian,terus,selain itu,bagaimana dengan,bagaimana pula,macam mana dengan,gimana dengan,bagaimana kalau,bagaimana jika,kalau begitu,jika tidak,kenapa tidak"),
	pointing:  words("ini itu ia dia mereka tersebut situ sana sini begitu demikian sama"),
	suffixes:  list("nya"),
	idle: list("hanya,tanya,bertanya,punya,mempunyai,biasanya,misalnya,sebenarnya,sebaiknya,seharusnya,akhirnya,khususnya,umumnya,sebelumnya,adanya,apa itu," +
		"hari ini,saat ini,minggu ini,bulan ini,tahun ini,sama dengan"),
	courtesy: strings.Fields("terima kasih banyak halo hai helo selamat pagi siang sore malam petang ya tidak tak ok oke okay baik bagus sangat"),
	short:    3,
}

func words(s string) map[string]bool { return set(strings.Fields(s)...) }

func list(s string) []string { return strings.Split(s, ",") }
