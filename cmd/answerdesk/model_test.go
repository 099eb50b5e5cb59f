package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// writing answers as a server of models does that writes one sentence.
func writing(t *testing.T, sentence string) (url string, asked func() string) {
	t.Helper()
	var told strings.Builder
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintln(&told, r.URL.Path, r.Header.Get("Authorization"), string(body))
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", sentence)
		fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	}))
	t.Cleanup(s.Close)
	return s.URL, told.String
}

func TestAskModel(t *testing.T) {
	_, desk := shop(t)
	url, asked := writing(t, "It opens at nine in the morning [1].")
	t.Setenv(modelKey, "secret-1")
	r := program(t, "ask", "--data", desk, "--model", "openai:small", "--model-url", url+"/v1", whenOpen)
	r.want(t, 0)
	if !strings.HasPrefix(r.stdout, "It opens at nine in the morning.\n\noutcome: answer\n") || !strings.Contains(r.stdout, `"The shop opens at nine in the morning."`) {
		t.Errorf("ask = %q, want the sentence of the model, and the quote that bears it out", r.stdout)
	}
	if got := asked(); !strings.Contains(got, "/v1/chat/completions Bearer secret-1") || !strings.Contains(got, `"model":"small"`) || !strings.Contains(got, "The shop opens at nine") {
		t.Errorf("the model was asked %.400q, want its name, the key and the passage", got)
	}
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("secret-2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program(t, "ask", "--data", desk, "--model", "openai:small", "--model-url", url+"/v1", "--model-key-file", key, whenOpen).want(t, 0)
	if !strings.Contains(asked(), "Bearer secret-2\n") && !strings.Contains(asked(), "Bearer secret-2 ") {
		t.Error("the key of the file was not sent")
	}
	if why := program(t, "explain", "--data", desk); strings.Contains(why.stdout, "$") {
		t.Errorf("explain = %q, want no cost: nobody has told the price", why.stdout)
	}
	program(t, "ask", "--data", desk, "--model", "openai:small", "--model-url", url+"/v1", "--model-price", "1000/2000", whenOpen).want(t, 0)
	if why := program(t, "explain", "--data", desk); !regexp.MustCompile(`\$[0.]*[1-9]`).MatchString(why.stdout) {
		t.Errorf("explain = %q, want what it cost", why.stdout)
	}
}

// A model that is not there costs no customer the answer: it is quoted.
func TestAskModelGone(t *testing.T) {
	_, desk := shop(t)
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	r := program(t, "ask", "--data", desk, "--model", "openai:small", "--model-url", s.URL, whenOpen)
	r.want(t, 0)
	if !strings.HasPrefix(r.stdout, "The shop opens at nine in the morning.\n\noutcome: answer\n") {
		t.Errorf("ask = %q, want the quote", r.stdout)
	}
}

func TestModelSettings(t *testing.T) {
	t.Setenv(modelKey, "")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--model", "small"}, `"small" is not openai:NAME, anthropic:NAME or gemini:NAME`},
		{[]string{"--model", "mistral:small"}, `"mistral:small" is not openai:NAME`},
		{[]string{"--model", "openai:small", "--model-url", "localhost:11434"}, "is not the address of a server"},
		{[]string{"--model", "openai:small", "--model-url", "http://me:key@models.example"}, "is not the address of a server"},
		{[]string{"--model-url", "http://localhost:1"}, "--model is missing"},
		{[]string{"--model-price", "1/2"}, "--model is missing"},
		{[]string{"--model", "openai:small", "--model-price", "1"}, `"1" is not two prices`},
		{[]string{"--model", "openai:small", "--model-price", "1/NaN"}, `"1/NaN" is not two prices`},
		{[]string{"--model", "openai:small", "--model-price", "-1/2"}, `"-1/2" is not two prices`},
		{[]string{"--model", "gemini:small"}, "ANSWERDESK_MODEL_KEY has no key for gemini"},
		{[]string{"--model", "anthropic:small", "--model-key-file", filepath.Join(t.TempDir(), "none")}, "no such file"},
	} {
		_, desk := shop(t)
		r := program(t, append([]string{"ask", "--data", desk, whenOpen}, test.args...)...)
		if r.status == 0 || !strings.Contains(r.stderr, test.want) {
			t.Errorf("ask %q = status %d, %q, want %q", test.args, r.status, r.stderr, test.want)
		}
	}
}

// The model of the command is one that settings of agents may name.
func TestModelByName(t *testing.T) {
	folder, desk := shop(t)
	url, _ := writing(t, "It opens at nine in the morning [1].")
	conversation := filepath.Join(folder, "one.txtar")
	for name, status := range map[string]int{"openai:small": 0, "openai:large": 2} {
		text := "-- settings --\n{\"model\": \"" + name + "\"}\n-- conversation one --\n> " + whenOpen + "\nsays: nine in the morning\n"
		if err := os.WriteFile(conversation, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := program(t, "eval", conversation, "--data", desk, "--model", "openai:small", "--model-url", url+"/v1")
		if got := r.stdout + r.stderr; (r.status == 0) != (status == 0) || status != 0 && !strings.Contains(got, `names none of the models to choose from, which are "openai:small"`) {
			t.Errorf("eval with the model %s = status %d, %s", name, r.status, got)
		}
	}
}
