package storetest

import (
	"strings"

	"github.com/answerdesk-go/answerdesk/agent"
)

// hostile are texts that a store must give back as they are, byte for byte.
var hostile = []string{
	`it's "quoted" with a \ and a % and a _ and a ? and $1 and :name`,
	"'; DROP TABLE messages; --",
	"🙂 👩‍👩‍👧‍👦 e\u0301 \u202eright to left\u202c שלום مرحبا",
	"line\nbreak\r\ntab\t\u0001\u001f\u2028\u2029\ufeff\ufffd \U0010ffff",
	`{"json": null, "list": [1, "two"]} </script> <b>&amp;</b>`,
	"  spaces at both ends  ",
	strings.Repeat("ä", agent.MaxMessage/2),
}
