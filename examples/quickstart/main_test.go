package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/docs"
)

// The tests start their own binary again as the program.
const programVariable = "QUICKSTART_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// quickstart returns the program as a process, and the folder in which it makes
// its temporary ones.
func quickstart(t *testing.T, args ...string) (cmd *exec.Cmd, temporary string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	temporary = t.TempDir()
	cmd = exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), programVariable+"=1", "TMPDIR="+temporary, "TMP="+temporary)
	return cmd, temporary
}

// call runs the program with some input, and expects it to leave nothing behind.
func call(t *testing.T, input string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd, temporary := quickstart(t, args...)
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &said
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("quickstart %q leaves %v, %v", args, left, err)
	}
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

var (
	facts    = regexp.MustCompile(`(?m)^outcome: (\w+)\nconfidence: [01]\.\d\d\n`)
	citation = regexp.MustCompile(`(?m)^([^\n>]+) > ([^\n]+?): "([^\n]+)"\n`)
)

func TestDocumentation(t *testing.T) {
	out, said, status := call(t, "", "-ask", "How do I rotate an API key?")
	if status != 0 || said != "" {
		t.Fatalf("status = %d, standard error %q\n%s", status, said, out)
	}
	text, after, _ := strings.Cut(out, "\n\noutcome: ")
	if !strings.Contains(text, "/rotate") || !strings.HasPrefix(after, "answer\n") || !facts.MatchString(out) {
		t.Errorf("the answer is\n%s", out)
	}
	cited := citation.FindStringSubmatch(out)
	if cited == nil || cited[1] != "api-keys.md" || cited[2] != "API keys > Rotating an API key" {
		t.Fatalf("citation = %q in\n%s", cited, out)
	}
	page, err := fs.ReadFile(docs.Pages, "api-keys.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(strings.Fields(string(page)), " "), cited[3]) {
		t.Errorf("the quote %q does not stand in the page", cited[3])
	}
}

func TestRefuses(t *testing.T) {
	out, said, status := call(t, "", "-ask", "What is the capital of Mongolia?")
	if m := facts.FindStringSubmatch(out); status != 0 || said != "" || m == nil || m[1] != "refuse" || !strings.HasSuffix(out, m[0]) {
		t.Errorf("status %d, standard error %q, want a refusal with nothing behind it:\n%s", status, said, out)
	}
}

// shop makes a folder to answer from.
func shop(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	if err := os.MkdirAll(filepath.Join(dir, "bread"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"hours.md":           "# Opening hours\n\nThe shop opens at nine in the morning.\nOn Sundays the shop is closed.\n",
		"bread/delivery.txt": "The bakery delivers fresh bread before seven in the morning.\n",
		"logo.bin":           "\x7fELF\x02\x01\x01\x00",
	} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The questions typed are one conversation, and an empty line ends it.
func TestPrompt(t *testing.T) {
	out, said, status := call(t, "When does the shop open?\nAnd on Sundays?\n\nWhen does the bakery deliver?\n", "-from", shop(t))
	if status != 0 || !strings.HasPrefix(said, "passed over: shop/logo.bin: ") || strings.Count(said, "Ask") != 3 {
		t.Errorf("status %d, standard error %q", status, said)
	}
	answers := facts.FindAllStringSubmatch(out, -1)
	if len(answers) != 2 || answers[0][1] != "answer" || answers[1][1] != "answer" {
		t.Fatalf("outcomes = %q, want two answers:\n%s", answers, out)
	}
	if _, second, _ := strings.Cut(out, answers[0][0]); !strings.Contains(second, "closed") {
		t.Errorf("the second answer does not know of what was asked before:\n%s", out)
	}
}

func TestFrom(t *testing.T) {
	dir := shop(t)
	for _, test := range []struct{ from, cited string }{
		{dir, "shop/bread/delivery.txt: \"The bakery"},
		{dir + "/bread/..", "shop/bread/delivery.txt: \"The bakery"},
		{dir + "/bread/delivery.txt", "delivery.txt: \"The bakery"},
	} {
		out, _, status := call(t, "", "-from", test.from, "-ask", "When does the bakery deliver bread?")
		if status != 0 || !strings.Contains(out, "\noutcome: answer\n") || !strings.Contains(out, "\n"+test.cited) {
			t.Errorf("from %s: status %d, want %s in\n%s", test.from, status, test.cited, out)
		}
	}
}

// With -data what was read is there the next time, also when it is read no more.
func TestData(t *testing.T) {
	dir, data := shop(t), filepath.Join(t.TempDir(), "desk")
	const question = "When does the bakery deliver bread?"
	first, _, _ := call(t, "", "-from", dir, "-data", data, "-ask", question)
	second, _, _ := call(t, "", "-from", dir+"/hours.md", "-data", data, "-ask", question)
	if !strings.Contains(first, "outcome: answer") || first != second {
		t.Errorf("first answer:\n%s\nsecond answer:\n%s", first, second)
	}
}

func TestBadInput(t *testing.T) {
	dir := shop(t)
	for _, test := range []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"missing", []string{"-from", dir + "/none"}, 1, "none: no such file"},
		{"empty folder", []string{"-from", t.TempDir()}, 1, "there is nothing to answer from"},
		{"binary file", []string{"-from", dir + "/logo.bin"}, 1, "logo.bin: "},
		{"a file for the data", []string{"-data", dir + "/hours.md"}, 1, "open " + dir + "/hours.md"},
		{"question too long", []string{"-from", dir, "-ask", strings.Repeat("why ", 10_000)}, 1, "message: 40000 bytes"},
		{"question without its flag", []string{"When does the shop open?"}, 2, "-ask Q"},
		{"unknown flag", []string{"-question", "why"}, 2, "-ask Q"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if out, said, status := call(t, "", test.args...); status != test.status || !strings.Contains(said, test.want) || out != "" {
				t.Errorf("status %d, want %d, and %q in %q\n%s", status, test.status, test.want, said, out)
			}
		})
	}
}

// An interrupt while the program waits for a question ends it in good order.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can be sent an interrupt on Windows")
	}
	cmd, temporary := quickstart(t)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := said.Read(make([]byte, 100)); err != nil { // it asks for a question
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after an interrupt: %v", err)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("an interrupt leaves %v, %v", left, err)
	}
}
