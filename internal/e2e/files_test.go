package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// samplesOfFiles is where files are that real programs made; make.sh there says how.
const samplesOfFiles = "../../knowledge/extract/testdata"

// An asked file is one that is uploaded for an agent of its own, and what the agent
// is asked about it then.
type askedFile struct {
	name, question string
	answer         string // stands in the reply
	page           int32  // of what is cited; 0: none
	heading        string // the last one above it
}

// filesAsked are files of every kind. Among them are tables and texts that read from
// right to left.
var filesAsked = []askedFile{
	{"pages.pdf", "Which ships berth at quay 27?", "Ships of class 9 berth at quay 27", 9, "Section 9"},
	{"table.pdf", "What is the price of black tea?", "| Product | Size | Price |\n| --- | --- | --- |\n| Black tea | 250 g | 8.20 |", 1, "Price list"},
	{"paper.pdf", "How many hives were counted in the second year?", "In the second year we counted forty hives", 1, "1. Introduction"},
	{"rtl.pdf", "متى نفتح المتجر؟", "نفتح المتجر في الساعة 9 صباحا كل يوم", 1, "دليل المتجر"},
	{"training.pdf", "When does the early shift begin?", "| Early | six in the morning |", 3, ""},
	{"handbook.docx", "Which support has the Team plan?", "| Plan | Price | Support |\n| --- | --- | --- |\n| Team | 90 euros | by phone |", 0, "Prices"},
	{"delivery.docx", "How do I send a parcel back?", "1. Write the number of the order on the parcel.", 0, "Sending a parcel back"},
	{"rtl.docx", "שעות פתיחה ביום שבת", "אנחנו פותחים בשעה 10 בבוקר ביום שבת", 0, "שעות פתיחה"},
	{"slides.pptx", "When does the early shift begin?", "| Early | six in the morning |", 4, "Shifts"},
	{"delivery.pptx", "What is the fee for the islands?", "| Zone | Days | Fee |\n| --- | --- | --- |\n| Islands | first Mondays | 12 euros |", 3, "Zones"},
	{"arabic.pptx", "كم السعر قهوة؟", "| الصنف | السعر | الكمية |\n| --- | --- | --- |\n| قهوة | 11.9 | 7 |", 2, "الأسعار"},
	{"prices.xlsx", "Which numbers has the region South?", "| South | 8 | 9 |", 2, "Quarters"},
	{"stock.xlsx", "On which shelf is the coffee?", "| Coffee | S4 | 7 |", 1, "stock.csv"},
	{"arabic.xlsx", "متى الدوام يوم السبت؟", "| السبت | عشرة | أربعة |", 2, "الدوام"},
	{"prices-utf8.csv", "What is the price of black tea?", "Product: Black tea; Price: 3.25", 0, "Prices of 2026"},
	{"prices-excel.csv", "What is the price of green tea?", "Product: Green tea; Price: 4.5", 0, "Prices of 2026"},
	{"arabic.csv", "كم السعر قهوة؟", "الصنف: قهوة; السعر: 11.9", 0, ""},
	{"boats.json", "What does the kayak Heron cost?", "name: Heron\nkind: kayak\nprice.eur: 450", 0, "boats"},
	{"questions.jsonl", "Do you repair clocks?", "question: Do you repair clocks?\nanswer: On Fridays, while you wait.", 0, ""},
	{"arabic.json", "متى تفتحون؟", "جواب: نفتح في الساعة التاسعة صباحا كل يوم.", 0, ""},
	{"manual.html", "How many crates carries a shelf?", "forty crates", 0, "Manual of the warehouse"},
	{"delivery.html", "What is the fee for the islands?", "Zone | Days | Fee\nIslands | first Mondays | 12 euros", 0, "Zones"},
	{"arabic.html", "ما هي الرسوم إلى الميناء؟", "الميناء | الثلاثاء | 3 دنانير", 0, ""},
	{"handbook.md", "What is the price of the Team plan?", "| Plan | Price    | Support  |\n| Team | 90 euros | by phone |", 0, "Prices"},
	{"delivery.md", "How do I send a parcel back?", "1.  Write the number of the order on the parcel.", 0, "Sending a parcel back"},
	{"rtl.md", "متى نفتح المتجر؟", "نفتح المتجر في الساعة 9 صباحا كل", 0, "دليل المتجر"},
	{"paper.txt", "What is kept on roofs?", "bees are kept on roofs", 0, ""},
	{"manual.txt", "How many crates carries a shelf?", "forty crates", 0, ""},
	{"arabic.txt", "كيف نوصل الشاي والقهوة؟", "نوصل الشاي والقهوة بالدراجة كل يوم", 0, ""},
}

// filesRefused are files that cannot be read, and what their senders are told to do.
var filesRefused = map[string]string{
	"scan.pdf":      "run OCR over it",
	"scan-page.pdf": "run OCR over it",
	"password.pdf":  "print it to PDF again without one",
}

// Files that real programs made are uploaded and asked about: the reply says what
// stands in them, and cites where.
func TestFiles(t *testing.T) {
	for _, w := range []way{inProcess, network} {
		t.Run(string(w), func(t *testing.T) {
			t.Parallel()
			s := &suite{T: t, way: w, contract: newContract(t)}
			s.begin(nil)
			kinds := map[string]int{}
			for _, f := range filesAsked {
				kinds[f.kind()]++
				f.ask(s)
			}
			for _, kind := range []string{"pdf", "docx", "pptx", "xlsx", "csv", "json", "html", "md", "txt"} {
				if kinds[kind] < 3 {
					t.Errorf("%d files are %s, want three at least", kinds[kind], kind)
				}
			}
			for name, want := range filesRefused {
				a := s.admin.wantError(http.StatusBadRequest, "invalid_request", "file", request{
					method: "POST", path: "/v1/knowledge/files", body: form{{field: "file", file: name, text: string(sampleOfFile(t, name))}},
				})
				if message, _ := a.at("error", "message").(string); !strings.Contains(message, want) {
					t.Errorf("%s is refused with %q, want %q in it", name, message, want)
				}
			}
		})
	}
}

func sampleOfFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samplesOfFiles, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// kind is the extension of the file; lines of JSON count as JSON.
func (f askedFile) kind() string {
	return strings.Replace(filepath.Ext(f.name)[1:], "jsonl", "json", 1)
}

// ask uploads the file and asks about it.
func (f askedFile) ask(s *suite) {
	s.Helper()
	ctx, c := s.Context(), s.admin
	owner := ok(c.Agents.Create(ctx, api.AgentRequest{Name: f.name, Threshold: new(0.01)}))(s)
	upload := func() *api.FileReceipt {
		return ok(c.Knowledge.Files.Upload(ctx, client.FileFromBytes(f.name, sampleOfFile(s, f.name)), &client.FileFields{AgentID: owner.ID, ExternalID: f.name}))(s)
	}
	receipt := upload()
	if again := upload(); again.Document.ID != receipt.Document.ID || again.Document.Version != 1 || again.Run.Progress.Unchanged != 1 || receipt.Run.State != "completed" {
		s.Errorf("%s once more = %+v, want it unchanged", f.name, again)
	}
	reply := ok(c.Messages.Create(ctx, api.MessageRequest{AgentID: owner.ID, Message: f.question}))(s)
	if reply.Outcome != "answer" || !strings.Contains(reply.Text, f.answer) {
		s.Errorf("%s, asked %q: %s %q, want %q", f.name, f.question, reply.Outcome, reply.Text, f.answer)
		return
	}
	text := ok(c.Knowledge.Documents.Get(ctx, receipt.Document.ID))(s).Text
	for _, cited := range reply.Citations {
		switch {
		case cited.DocumentID != receipt.Document.ID || text[cited.Start:cited.End] != cited.Quote:
			s.Errorf("%s, asked %q, is cited with %q, which is not at %d in the text of %s", f.name, f.question, cited.Quote, cited.Start, cited.DocumentID)
		case cited.Page != f.page:
			s.Errorf("%s, asked %q, is cited on page %d, want %d", f.name, f.question, cited.Page, f.page)
		case f.heading != "" && (len(cited.Heading) == 0 || cited.Heading[len(cited.Heading)-1] != f.heading):
			s.Errorf("%s, asked %q, is cited under %q, want %q", f.name, f.question, cited.Heading, f.heading)
		}
	}
}
