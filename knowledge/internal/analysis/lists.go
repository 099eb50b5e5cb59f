package analysis

// The words of a language that are left out, or count for nothing.
type lists struct {
	// stop words are never indexed: articles, the commonest prepositions and
	// conjunctions, forms of "to be". Question words are not among them: they are
	// half of what a short question says.
	stop string
	// long are the words left out of long questions too: pronouns, auxiliaries,
	// question words.
	long string
	// function words ask, greet and want, and are polite: a passage need not hold
	// them to be the answer. Stop words and long are such words too.
	function string
}

var english = lists{
	// The 33 words that Lucene's English analyzer drops.
	stop: `a an and are as at be but by for if in into is it no not of on or such that the their then there
		these they this to was will with`,
	// Snowball's list of English stop words, without the contractions that look
	// like other words once the apostrophe is gone (well, shell, id).
	long: `i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers
		herself its itself them theirs themselves what which who whom those am were been being have has had having do does did
		doing would should could ought im youre hes shes theyre ive youve weve theyve youd theyd youll theyll isnt arent wasnt
		werent hasnt havent hadnt doesnt dont didnt wont wouldnt shouldnt cant cannot couldnt mustnt lets thats whos whats heres
		theres whens wheres whys hows because until while about against between through during before after above below from up
		down out off over under again further once here when where why how all any both each few more most other some nor only
		own same so than too very can just now`,
	function: `please tell know want wanna need like get getting got give let help hi hello hey thanks thank ok okay us
		may might shall must also much many id ill anyone someone something anything there's question wondering possible able
		long often far soon time times go going come find out show explain say said mean means ask way ways make makes making made`,
}

var arabic = lists{
	stop: `من في على إلى الى عن مع أن ان إن هذا هذه ذلك تلك التي الذي الذين أو او ثم و ف ب ل ك هو هي قد لقد كان كانت يكون تكون لا`,
	long: `ما أنا نحن أنت أنتم هم هن هما كما بين بعد قبل عند عندما حتى إذا اذا لو لأن لكن أي كل بعض غير منذ خلال حول حيث إلا سوى لم لن
		ليس ليست كانوا يكونون به بها له لها لهم لنا لي فيه فيها منه منها عليه عليها إليه إليها عنه عنها ماذا من متى أين كيف لماذا هل كم
		أيضا فقط جدا هناك هنا الآن`,
	function: `هل كيف ماذا لماذا متى أين اين كم أي ما ماهي ماهو ايش شنو شو ليش وين شلون كيفية طريقة يمكن يمكنني يمكنك أستطيع استطيع نستطيع
		ممكن أريد اريد أرغب ارغب أود اود أحتاج احتاج نريد عايز ابغى ابي بدي من فضلك فضلكم لطفا رجاء الرجاء شكرا مرحبا أهلا السلام عليكم سلام
		مساعدة ساعدني ساعدوني أخبرني اخبرني قل لي سؤال استفسار عندي لدي لديكم عندكم تتوفر يوجد توجد هنالك أنا نحن لو سمحت سمحتم`,
}

var malay = lists{ // and Indonesian
	stop: `yang dan di ke dari daripada pada kepada dengan untuk atau ini itu ialah adalah oleh dalam bagi para akan telah sudah juga`,
	long: `saya aku kami kita anda awak kamu engkau kau dia ia beliau mereka kalian nya ada tidak tak bukan jangan belum masih pun lah
		boleh dapat bisa harus perlu mesti hendak mahu mau ingin akan sedang lagi lebih paling sangat sekali hanya saja sahaja jika
		jikalau kalau apabila bila ketika semasa sebab kerana karena supaya agar tetapi tapi namun serta maka sehingga hingga sampai
		antara tentang mengenai terhadap seperti sebagai secara setiap semua segala sebelum selepas sesudah setelah selama apa apakah
		adakah siapa siapakah mana manakah bilakah kapan kapankah mengapa mengapakah kenapa bagaimana bagaimanakah berapa berapakah`,
	function: `tolong sila silakan mohon minta harap terima kasih makasih hai halo helo selamat pagi petang siang sore malam encik puan
		cik tuan pak bu kak bang min admin tahu tau nak nk macam camana gimana apakah adakah bolehkah bisakah dapatkah macamana
		kat tu ni ye ya kah caranya cara beritahu jelaskan terangkan bantu bantuan tanya bertanya soalan pertanyaan kalo gak nggak
		ga tak x yg utk dgn sy`,
}

var german = lists{
	stop: `der die das den dem des ein eine einer eines einem einen und oder in im an am auf aus bei mit nach von vom zu zum zur ist sind`,
	long: `ich mich mir mein meine meinen meinem meiner meines du dich dir dein deine deinen er ihn ihm sie ihr ihre ihren ihrem ihrer
		ihres wir uns unser unsere unseren ihnen euch euer eure man selbst seine seinen seinem seiner seines dieser diese dieses diesen
		diesem jener jene jenes jeder jede jedes jeden alle allen aller alles einige kein keine keinen keinem keiner nicht nichts
		wer wen wem wessen was welche welcher welches welchen welchem wann wo wohin woher warum weshalb wieso wie bin bist seid gewesen
		habe hast hat haben habt hatte hatten hätte hätten worden würde würden kann kannst können könnt konnte könnte könnten muss muß
		musst müssen müsst musste soll sollen sollte sollten will willst wollen wollte wollten darf dürfen mag möchte möchten mögen
		auch noch nur schon sehr so wenn weil denn ob da dann doch hier dort jetzt nun über unter vor hinter neben zwischen gegen ohne
		bis seit während wegen trotz sondern sowie damit dabei dazu davon dafür daran darauf mehr viel viele wieder`,
	function: `bitte danke hallo guten tag morgen abend wissen sagen sag sagt erklären erklär zeigen zeig helfen hilfe frage fragen
		brauche brauchen gibt geben geht gehen machen mache macht möglich gern gerne eigentlich mal wieviel wieviele lange oft bald
		etwas jemand irgendwo irgendwie kurz finden finde bekomme bekommen`,
}

var french = lists{
	stop: `le la les l un une des du de d et ou à a au aux en dans par pour sur avec est sont que qu ce cet cette ces il elle se s y`,
	long: `je j me m moi mon ma mes tu t te toi ton ta tes nous notre nos vous votre vos ils elles lui leur leurs eux on soi son sa ses
		qui quoi dont où quand comment pourquoi combien quel quelle quels quelles lequel laquelle c ça cela ceci celui celle ceux celles
		ne n pas plus moins très trop aussi encore déjà si comme mais donc or ni car puis alors être suis es sommes êtes était étaient
		été sera seront avoir ai as avons avez ont avait avaient eu aura peut peux pouvez pouvons puis peuvent pouvait doit dois devez
		faut fait faire fais faites sans sous entre vers chez depuis pendant avant après contre tout toute tous toutes même mêmes autre
		autres chaque quelque quelques`,
	function: `bonjour bonsoir salut merci svp plait plaît veuillez voudrais voudrait veux vouloir souhaite souhaiterais aimerais savoir
		dire dites dis expliquer expliquez aider aidez aide besoin question demander demande possible existe puis-je est-ce puisje estce
		montrer trouver trouve longtemps souvent`,
}

var spanish = lists{
	stop: `el la los las un una unos unas de del y e o u a al en con por para es son que se lo su sus como`,
	long: `yo me mi mis mí tú tu tus te ti él ella ello ellos ellas nos nosotros nosotras nuestro nuestra nuestros nuestras vosotros os
		usted ustedes le les sí si no ni pero mas más menos muy ya también tampoco quién quien quienes quiénes qué cuál cuáles cual
		cuándo cuando dónde donde cómo cuánto cuánta cuántos cuántas porqué porque este esta estos estas ese esa esos esas esto eso
		aquel aquella ser soy eres somos fue fueron era eran sido está están estoy estar hay haber he has ha hemos han había tengo tiene
		tienen tener puedo puede pueden podemos poder debo debe deben hacer hago hace sin sobre entre hasta desde durante antes después
		contra todo toda todos todas otro otra otros otras mismo misma cada algo alguien algún alguna`,
	function: `hola buenos buenas días tardes noches gracias favor quiero quisiera querría necesito gustaría saber decir decirme dígame dime
		explicar ayuda ayudar ayúdame ayudarme pregunta preguntar posible podría podrían forma manera mostrar encontrar`,
}

var portuguese = lists{
	stop: `o a os as um uma uns umas de do da dos das e ou em no na nos nas ao à aos às por pelo pela pelos pelas para com é são que se`,
	long: `eu me mim meu minha meus minhas tu te ti teu tua você vocês ele ela eles elas lhe lhes nós nosso nossa nossos nossas seu sua
		seus suas isto isso aquilo este esta estes estas esse essa esses essas aquele aquela não nem mas mais menos muito já também só
		quem quê qual quais quando onde como quanto quanta quantos quantas porque porquê ser sou somos foi foram era eram sido está
		estão estou estar há haver tem têm tenho temos ter tinha posso pode podem podemos poder devo deve devem fazer faço faz sem sobre
		entre até desde durante antes depois contra todo toda todos todas outro outra outros outras mesmo mesma cada algo alguém algum
		alguma`,
	function: `olá oi bom boa dia tarde noite obrigado obrigada favor quero queria gostaria preciso saber dizer diga explicar explique
		ajuda ajudar pergunta perguntar possível poderia consigo consegue forma maneira jeito mostrar encontrar`,
}

var italian = lists{
	stop: `il lo la i gli le l un uno una di del dello della dei degli delle d a al allo alla ai agli alle da dal dallo dalla dai dalle in
		nel nello nella nei nelle su sul sulla sui sulle con per e ed o è sono che si`,
	long: `io mi me mio mia miei mie tu ti te tuo tua tuoi tue lui lei noi ci nostro nostra voi vi vostro vostra loro suo sua suoi sue
		questo questa questi queste quello quella quelli quelle non né ma più meno molto già anche se come chi cosa quale quali qual
		quando dove perché quanto quanta quanti quante c essere sei siamo siete era erano stato stata avere ho hai ha abbiamo avete
		hanno aveva posso può puoi possono possiamo potere devo deve devono fare faccio fa senza sopra tra fra fino durante prima dopo
		contro tutto tutta tutti tutte altro altra altri altre stesso stessa ogni qualcosa qualcuno`,
	function: `ciao buongiorno buonasera grazie favore prego vorrei voglio vorremmo bisogno sapere dire dirmi mi spiegare aiuto aiutare
		aiutarmi domanda chiedere possibile potrei potrebbe modo mostrare trovare`,
}

var dutch = lists{
	stop: `de het een en of van in op aan te ten ter met voor bij door naar uit om is zijn was waren wordt worden dat die als er`,
	long: `ik mij me mijn jij je jou jouw u uw hij hem zij ze haar wij we ons onze jullie hun hen zich zelf dit deze niet geen niets wel
		maar ook nog al zo dan toch wie wat welke welk wanneer waar waarom waarheen hoe hoeveel ben bent geweest heb hebt heeft hebben had
		hadden kan kunt kunnen kon konden moet moeten moest zal zullen zou zouden wil wilt willen mag mogen over onder tussen tegen
		zonder tot sinds tijdens na achter hier daar daarom omdat want nu meer veel andere ander elke alle iets iemand`,
	function: `hallo goedemorgen goedemiddag dag dank bedankt alstublieft alsjeblieft aub graag weten zeggen zeg vertellen uitleggen helpen
		hulp help vraag vragen nodig mogelijk manier laten zien vinden krijgen krijg doe doen doet ga gaan gaat`,
}

var russian = lists{
	stop: `и в во на с со к ко по из от до у о об за для при а но или что это как же ли бы не`,
	long: `я меня мне мной мой моя моё мое мои ты тебя тебе твой мы нас нам нами наш наша наше наши вы вас вам вами ваш ваша ваше ваши он
		она оно они его ему её ее ей их им себя свой своя свои тот та то те этот эта эти этого этой этом кто кого кому чем чего какой
		какая какое какие каком какую который которая которые когда где куда откуда почему зачем сколько быть был была было были есть
		будет будут нет ни да если чтобы потому так тоже также уже еще ещё только даже очень без под над между через после перед
		можно могу может можем могут нужно надо должен все всё весь вся другой другие каждый сам там тут здесь`,
	function: `пожалуйста здравствуйте привет добрый день вечер утро спасибо скажите подскажите расскажите объясните помогите помощь помочь
		хочу хотел хотела хотелось узнать знать вопрос нужен нужна возможно ли способ каким образом сделать делать найти получить`,
}

var turkish = lists{
	stop: `ve veya ya ile bir bu şu o da de ki için olarak olan ise`,
	long: `ben beni bana benim sen seni sana senin biz bizi bize bizim siz sizi size sizin onlar onu ona onun onların kendi ne nedir neden
		niçin niye nasıl nerede nereye nereden hangi hangisi kim kimin kaç kadar mı mi mu mü mıdır midir var yok değil gibi daha çok en
		her hiç bazı tüm bütün ama fakat ancak eğer çünkü sonra önce göre karşı üzerinde altında arasında olur oldu olmak olan edilir
		ediyor etmek şey`,
	function: `lütfen merhaba selam teşekkür teşekkürler ederim istiyorum isterim istiyoruz lazım gerek gerekli mümkün mümkünmü nasıl
		yapabilirim yapılır yapmalıyım edebilirim alabilirim olabilir miyim mıyım misiniz musunuz soru sormak yardım yardımcı söyler
		söyleyin açıklar bilgi öğrenmek bulabilirim`,
}

var hindi = lists{
	stop: `का के की को में से पर ने और या है हैं था थे थी एक यह वह ये वे भी ही तो कि तक`,
	long: `मैं मुझे मुझको मेरा मेरे मेरी हम हमें हमारा हमारे हमारी तुम आप आपका आपके आपकी आपको वो उस उसका उसके उसकी उन उनका उनके इस इसका इसके इसकी
		इन इनका जो जिस जिसका अपना अपने अपनी क्या कौन कौनसा कब कहाँ कहां क्यों कैसे कैसा कितना कितने कितनी किस किसका किसी कोई कुछ नहीं मत न
		हो होता होती होते हुआ हुई हुए होगा कर करें करना करने किया करता करते सकता सकते सकती लिए लिये साथ बाद पहले जब तब अगर यदि लेकिन
		मगर क्योंकि इसलिए अब यहाँ वहाँ सब सभी बहुत जा रहा रहे रही गया`,
	function: `कृपया नमस्ते धन्यवाद शुक्रिया चाहिए चाहता चाहती चाहते बताएं बताइए बताओ बता मदद सहायता पूछना सवाल प्रश्न जानना तरीका`,
}

var vietnamese = lists{
	stop: `và của là có các những một cho với trong ở tại từ đến thì mà được`,
	long: `tôi tao mình chúng ta bạn anh chị em ông bà họ nó này đó kia ấy gì nào ai đâu sao bao giờ nhiêu khi nếu vì nên nhưng hoặc hay
		cũng đã đang sẽ vẫn còn rất quá lắm không chưa chẳng phải cần muốn thể như theo về trên dưới trước sau giữa qua bằng để mỗi
		mọi tất cả`,
	function: `xin chào vui lòng làm ơn cảm cám hỏi giúp biết thế bao nhiêu lâu ạ nhé à dạ được không tôi muốn hướng dẫn cách`,
}

// Of scripts that part no words the lists hold what asks: all pairs of characters
// that share one with such a word are function words.

var chinese = lists{
	function: `什么 什麼 怎么 怎麼 怎样 怎樣 如何 为什么 為什麼 为何 為何 哪里 哪裡 哪儿 哪些 哪个 哪個 哪一 哪种 多少 多久 多长 几个 幾個 何时 何時
		什么时候 是否 是不是 能不能 可不可以 可以 能否 请问 請問 请 請 我想 我要 我们 我們 你们 你們 我 你 您 他 她 它 吗 嗎 呢 吧 的 了 是 谢谢 謝謝 你好 您好 谁
		誰 告诉 告訴 知道 需要 应该 應該 怎么办 有没有 有沒有 哪`,
}

var japanese = lists{
	function: `何 誰 方法 教え 知り お願い 質問 可能 私 僕 必要 場合 時 こと もの どの`,
}

var thai = lists{
	function: `อะไร อย่างไร ยังไง ทำไม ที่ไหน เมื่อไหร่ เมื่อไร เมื่อใด เท่าไหร่ เท่าไร เท่าใด ใคร ไหน ใด กี่ หรือไม่ หรือเปล่า ไหม มั้ย ได้ไหม ครับ ค่ะ คะ นะ
		กรุณา โปรด ช่วย ขอ ขอบคุณ สวัสดี ฉัน ผม ดิฉัน เรา คุณ ต้องการ อยาก อยากทราบ ทราบ สามารถ ได้ ต้อง คือ เป็น มี ของ ที่ และ จะ`,
}

var korean = lists{
	function: `무엇 뭐 무슨 어떻게 어떤 언제 어디 누구 누가 왜 얼마 몇 어느 인가요 나요 까요 습니까 합니까 입니까 됩니까 하나요 되나요 있나요 주세요 알려 싶어요 싶습니다 싶은데 가능한가요
		할수 있습니까 부탁 안녕하세요 감사합니다 저는 제가 제 저의 방법 궁금`,
}
