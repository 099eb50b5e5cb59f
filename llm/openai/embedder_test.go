package openai_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
	"github.com/answerdesk-go/answerdesk/llm/openai"
)

// A wire answers requests in memory.
type wire func(req request) (status int, header, body string)

type request struct {
	*http.Request

	Model      string
	Input      []string
	Dimensions *int
	Format     string `json:"encoding_format"`
}

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	req := request{Request: r}
	if err := json.Unmarshal(sent, &req); err != nil {
		return nil, err
	}
	status, header, body := w(req)
	if status == 0 {
		return nil, errors.New(body)
	}
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body))}
	if name, value, ok := strings.Cut(header, ": "); ok {
		resp.Header.Set(name, value)
	}
	return resp, nil
}

func embedder(t testing.TB, o openai.EmbedderOptions, w wire) *openai.Embedder {
	t.Helper()
	o.Client = &http.Client{Transport: w}
	if o.Model == "" {
		o.Model = "small"
	}
	e, err := openai.NewEmbedder(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// answer is what a server of good will says: vectors of its own making, the last
// text first, since only the index counts.
func answer(req request) string {
	made, err := (&llmtest.Embedder{Dims: 32}).Embed(context.Background(), llm.Passage, req.Input)
	if err != nil {
		return err.Error()
	}
	var data []any
	for i, v := range slices.Backward(made.Vectors) {
		var embedding any = v
		if req.Format == "base64" {
			var bits bytes.Buffer
			_ = binary.Write(&bits, binary.LittleEndian, v)
			embedding = base64.StdEncoding.EncodeToString(bits.Bytes())
		}
		data = append(data, map[string]any{"object": "embedding", "index": i, "embedding": embedding})
	}
	body, err := json.Marshal(map[string]any{"object": "list", "model": req.Model, "data": data, "usage": map[string]int{"prompt_tokens": 2 * len(req.Input), "total_tokens": 2 * len(req.Input)}})
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func well(req request) (int, string, string) { return 200, "", answer(req) }

func TestConformance(t *testing.T) {
	for _, o := range []openai.EmbedderOptions{{}, {Base64: true, Dimensions: 32}, {QuestionPrefix: "query: ", PassagePrefix: "passage: ", MaxBatch: 7, MaxBatchBytes: 100}} {
		llmtest.TestEmbedder(t, func() llm.Embedder { return embedder(t, o, well) })
	}
}

// TestRequest holds what is sent.
func TestRequest(t *testing.T) {
	var sent []request
	e := embedder(t, openai.EmbedderOptions{BaseURL: "https://models.example.com/v1/", APIKey: "secret", Model: "m", Dimensions: 32, Shorten: true, Base64: true,
		QuestionPrefix: "query: ", PassagePrefix: "passage: ", MaxBatch: 3, MaxBatchBytes: 40, MaxTextBytes: 20}, func(req request) (int, string, string) {
		sent = append(sent, req)
		return well(req)
	})
	got, err := e.Embed(t.Context(), llm.Passage, []string{"a", "b", "c", "d", strings.Repeat("é", 11), "f"})
	if err != nil || len(got.Vectors) != 6 || got.Tokens != 12 {
		t.Fatalf("Embed = %d vectors, %d tokens, %v, want 6, 12", len(got.Vectors), got.Tokens, err)
	}
	if _, err := e.Embed(t.Context(), llm.Question, []string{"a"}); err != nil {
		t.Fatal(err)
	}
	var inputs []string
	for _, req := range sent {
		inputs = append(inputs, strings.Join(req.Input, "|"))
		if req.URL.String() != "https://models.example.com/v1/embeddings" || req.Method != "POST" || req.Header.Get("Authorization") != "Bearer secret" ||
			req.Header.Get("Content-Type") != "application/json" || req.Model != "m" || *req.Dimensions != 32 || req.Format != "base64" {
			t.Errorf("sent %s %s %v model %s dimensions %d %s", req.Method, req.URL, req.Header, req.Model, *req.Dimensions, req.Format)
		}
	}
	want := []string{"passage: a|passage: b|passage: c", "passage: d|passage: éééééééééé", "passage: f", "query: a"}
	if !slices.Equal(inputs, want) {
		t.Errorf("inputs = %q, want %q", inputs, want)
	}
	plain := embedder(t, openai.EmbedderOptions{Dimensions: 32}, func(req request) (int, string, string) {
		if req.Dimensions != nil || req.Format != "" || req.Header.Get("Authorization") != "" || req.URL.Host != "api.openai.com" {
			t.Errorf("by default sent %s dimensions %v format %q header %v", req.URL, req.Dimensions, req.Format, req.Header)
		}
		return well(req)
	})
	if _, err := plain.Embed(t.Context(), llm.Passage, []string{"a"}); err != nil {
		t.Error(err)
	}
}

func TestSpace(t *testing.T) {
	spaces := map[string]openai.EmbedderOptions{
		"openai:text-embedding-3-small:1536": {Model: "text-embedding-3-small", Dimensions: 1536},
		"openai:bge-m3":                      {Model: "bge-m3", BaseURL: "http://127.0.0.1:11434/v1", APIKey: "k"},
		"openai:e5:384:b353c180":             {Model: "e5", Dimensions: 384, QuestionPrefix: "query: ", PassagePrefix: "passage: "},
		"openai:e5:384:94c69a33":             {Model: "e5", Dimensions: 384, PassagePrefix: "passage: "},
	}
	for want, o := range spaces {
		e := embedder(t, o, well)
		if got := e.Space(); got != want {
			t.Errorf("Space() = %q, want %q", got, want)
		}
	}
	e := embedder(t, openai.EmbedderOptions{}, well)
	before := e.Space()
	if _, err := e.Embed(t.Context(), llm.Passage, []string{"a"}); err != nil || e.Space() != before {
		t.Errorf("after an answer (%v) Space() = %q, want %q as before", err, e.Space(), before)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]openai.EmbedderOptions{
		"model":      {},
		"model ":     {Model: "a\nb"},
		"base URL":   {Model: "m", BaseURL: "ftp://example.com"},
		"base URL ":  {Model: "m", BaseURL: "https://user:secret@example.com"},
		"base URL  ": {Model: "m", BaseURL: "https://example.com/%zz?key=secret"},
		"API key":    {Model: "m", APIKey: "secret\r\nX: y"},
		"dimensions": {Model: "m", Dimensions: 5000},
		"shorten":    {Model: "m", Shorten: true},
		"limit":      {Model: "m", MaxBatch: -1},
	} {
		_, err := openai.NewEmbedder(o)
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) || strings.Contains(err.Error(), "secret") {
			t.Errorf("NewEmbedder(%s) = %v, want an error that says %q and no secret", name, err, name)
		}
	}
	e := embedder(t, openai.EmbedderOptions{APIKey: "secret"}, well)
	if s := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(s, "secret") {
		t.Errorf("an embedder is printed with its key: %s", s)
	}
}

// TestMalformed reads answers that are not what was asked for.
func TestMalformed(t *testing.T) {
	list := func(data string) string { return `{"data":[` + data + `]}` }
	one, two := `{"index":0,"embedding":[1,2]}`, `{"index":1,"embedding":[2,1]}`
	for name, body := range map[string]string{
		"no JSON":          `<html>`,
		"no data":          `{}`,
		"one for two":      list(one),
		"three for two":    list(one + "," + two + "," + two),
		"an index twice":   list(one + "," + one),
		"an index beyond":  list(one + `,{"index":2,"embedding":[2,1]}`),
		"other dimensions": list(one + `,{"index":1,"embedding":[2]}`),
		"none":             list(one + `,{"index":1,"embedding":[]}`),
		"null":             list(one + `,{"index":1,"embedding":null}`),
		"NaN":              list(one + `,{"index":1,"embedding":[NaN,1]}`),
		"too great":        list(one + `,{"index":1,"embedding":[1e39,1]}`),
		"zeros":            list(one + `,{"index":1,"embedding":[0,0]}`),
		"base64 of NaN":    list(one + `,{"index":1,"embedding":"AADAfwAAgD8="}`),
		"base64 cut":       list(one + `,{"index":1,"embedding":"AADAfwAAgA=="}`),
		"not base64":       list(one + `,{"index":1,"embedding":"!!"}`),
		"endless":          `{"data":[` + strings.Repeat(" ", 5000),
	} {
		calls := 0
		e := embedder(t, openai.EmbedderOptions{MaxAnswerBytes: 4000}, func(request) (int, string, string) { calls++; return 200, "", body })
		_, err := e.Embed(t.Context(), llm.Passage, []string{"words", "words"})
		if failed, ok := errors.AsType[*llm.Error](err); !ok || failed.Kind != llm.Malformed || calls != 1 || strings.Contains(err.Error(), "words") {
			t.Errorf("%s: Embed = %v after %d calls, want kind %s after one", name, err, calls, llm.Malformed)
		}
	}
	e := embedder(t, openai.EmbedderOptions{Dimensions: 3}, func(request) (int, string, string) { return 200, "", list(one) })
	if _, err := e.Embed(t.Context(), llm.Passage, []string{"a"}); err == nil || !strings.Contains(err.Error(), "2 dimensions, want 3") {
		t.Errorf("an answer of 2 dimensions where 3 are said: %v", err)
	}
	ok := embedder(t, openai.EmbedderOptions{}, func(request) (int, string, string) {
		return 200, "", list(two+","+`{"index":0,"embedding":"AACAPwAAAEA="}`) + "\n"
	})
	if got, err := ok.Embed(t.Context(), llm.Passage, []string{"a", "b"}); err != nil || !slices.Equal(got.Vectors[0], []float32{1, 2}) || !slices.Equal(got.Vectors[1], []float32{2, 1}) {
		t.Errorf("Embed = %v, %v, want [1 2] of base64 and [2 1]", got.Vectors, err)
	}
}

// TestRefusals sorts what servers refuse, and says nothing of what they wrote.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		kind   llm.Kind
		code   string
		calls  int
	}{
		{401, `{"error":{"message":"Incorrect API key provided: secret","type":"invalid_request_error","code":"invalid_api_key"}}`, llm.Auth, "invalid_api_key", 1},
		{403, `secret`, llm.Auth, "", 1},
		{404, `{"error":{"message":"no secret","type":"not_found_error","code":404}}`, llm.BadRequest, "not_found_error", 1},
		{302, ``, llm.BadRequest, "", 1},
		{400, `{"error":{"message":"secret","code":"sk 1 secret"}}`, llm.BadRequest, "", 1},
		{413, `{"error":"secret"}`, llm.TooLarge, "", 1},
		{500, `{"error":{"code":500,"message":"input is too large to process. increase the physical batch size","type":"server_error"}}`, llm.TooLarge, "server_error", 1},
		{422, `{"error":"batch size 64 > maximum allowed batch size 32","error_type":"Validation"}`, llm.TooLarge, "", 1},
		{400, `{"error":{"message":"This model's maximum context length is 512 tokens","type":"BadRequestError","code":400}}`, llm.TooLarge, "BadRequestError", 1},
		{429, `{"error":{"message":"secret","code":"insufficient_quota"}}`, llm.RateLimit, "insufficient_quota", 3},
		{500, `oops`, llm.Server, "", 3},
		{503, strings.Repeat("x", 1<<20), llm.Server, "", 3},
		{0, `connection refused`, llm.Network, "", 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			e := embedder(t, openai.EmbedderOptions{APIKey: "secret", Retries: 2}, func(request) (int, string, string) { calls++; return c.status, "", c.body })
			_, err := e.Embed(t.Context(), llm.Passage, []string{"words"})
			failed, ok := errors.AsType[*llm.Error](err)
			if !ok || failed.Kind != c.kind || failed.Status != c.status || failed.Code != c.code || calls != c.calls {
				t.Errorf("status %d: %+v after %d calls, want kind %s, code %q after %d", c.status, failed, calls, c.kind, c.code, c.calls)
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "words") {
				t.Errorf("an error says too much: %v", err)
			}
		})
	}
}

// TestRetries waits as long as it should, and no longer.
func TestRetries(t *testing.T) {
	for _, c := range []struct {
		name        string
		header      string
		deadline    time.Duration
		fails       int
		calls       int
		least, most time.Duration
		ok          bool
	}{
		{"backoff", "", 0, 3, 4, 1750 * time.Millisecond, 3500 * time.Millisecond, true},
		{"too often", "", 0, 4, 4, 1750 * time.Millisecond, 3500 * time.Millisecond, false},
		{"as the server says", "Retry-After: 7", 0, 1, 2, 7 * time.Second, 8 * time.Second, true},
		{"until a date", "Retry-After: Sat, 01 Jan 2000 00:00:09 GMT", 0, 1, 2, 9 * time.Second, 10 * time.Second, true},
		{"too long", "Retry-After: 60", 0, 1, 1, 0, 0, false},
		{"past the deadline", "Retry-After: 7", 5 * time.Second, 1, 1, 0, 0, false},
		{"unreadable", "Retry-After: soon", 0, 1, 2, 250 * time.Millisecond, 500 * time.Millisecond, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			e := embedder(t, openai.EmbedderOptions{}, func(req request) (int, string, string) {
				if calls++; calls <= c.fails {
					return 429, c.header, "{}"
				}
				return well(req)
			})
			ctx := t.Context()
			if c.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.deadline)
				defer cancel()
			}
			start := time.Now()
			_, err := e.Embed(ctx, llm.Question, []string{"a"})
			if took := time.Since(start); calls != c.calls || took < c.least || took > c.most || (err == nil) != c.ok {
				t.Errorf("%s: %v after %d calls and %v, want %d calls, %v to %v", c.name, err, calls, took, c.calls, c.least, c.most)
			}
			if failed, ok := errors.AsType[*llm.Error](err); err != nil && (!ok || failed.Kind != llm.RateLimit) {
				t.Errorf("%s: %v, want kind %s", c.name, err, llm.RateLimit)
			}
		})
	}
}

// TestTooLarge halves batches, then texts, until the server takes them.
func TestTooLarge(t *testing.T) {
	e := embedder(t, openai.EmbedderOptions{}, func(req request) (int, string, string) {
		if len(req.Input) > 2 || slices.ContainsFunc(req.Input, func(s string) bool { return len(s) > 1000 }) {
			return 413, "", "{}"
		}
		return well(req)
	})
	texts := []string{"a", "b", strings.Repeat("long ", 2000), "d", "e"}
	got, err := e.Embed(t.Context(), llm.Passage, texts)
	if err != nil || len(got.Vectors) != 5 {
		t.Fatalf("Embed = %d vectors, %v, want 5", len(got.Vectors), err)
	}
	alone, err := e.Embed(t.Context(), llm.Passage, []string{"d"})
	if err != nil || !slices.Equal(got.Vectors[3], alone.Vectors[0]) {
		t.Errorf("the vector of a text among others is not its own: %v", err)
	}
}

// TestContext ends with the context, also while it waits, and with the deadline of
// a request.
func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := embedder(t, openai.EmbedderOptions{}, func(request) (int, string, string) { return 503, "Retry-After: 10", "" })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		if _, err := e.Embed(ctx, llm.Passage, []string{"a"}); err == nil || time.Since(start) != time.Second {
			t.Errorf("Embed = %v after %v, want an error after a second", err, time.Since(start))
		}
		_, err := e.Embed(ctx, llm.Passage, []string{"a"})
		if failed, ok := errors.AsType[*llm.Error](err); !ok || failed.Kind != llm.Network || !errors.Is(err, context.Canceled) {
			t.Errorf("Embed of a context that has ended = %v, want kind network and context.Canceled", err)
		}
		stuck, err := openai.NewEmbedder(openai.EmbedderOptions{Model: "m", Retries: -1, Timeout: 3 * time.Second, Client: &http.Client{Transport: silent{}}})
		if err != nil {
			t.Fatal(err)
		}
		start = time.Now()
		_, err = stuck.Embed(t.Context(), llm.Passage, []string{"a"})
		if failed, ok := errors.AsType[*llm.Error](err); !ok || failed.Kind != llm.Network || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("Embed of a silent server = %v after %v, want kind network after 3s", err, time.Since(start))
		}
	})
}

type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func FuzzAnswer(f *testing.F) {
	f.Add(`{"data":[{"index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":-1}}`, 200)
	f.Add(`{"data":[{"index":0,"embedding":"AACAPwAAAEA="}]}`, 200)
	f.Add(`{"error":{"code":"x"}}`, 400)
	f.Fuzz(func(t *testing.T, body string, status int) {
		e := embedder(t, openai.EmbedderOptions{Retries: -1}, func(request) (int, string, string) { return status, "", body })
		got, err := e.Embed(t.Context(), llm.Passage, []string{"a"})
		if err != nil {
			if _, ok := errors.AsType[*llm.Error](err); !ok {
				t.Fatalf("Embed = %v, want an llm.Error", err)
			}
			return
		}
		if len(got.Vectors) != 1 || len(got.Vectors[0]) == 0 || got.Tokens < 0 || slices.ContainsFunc(got.Vectors[0], func(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }) {
			t.Fatalf("Embed = %v", got)
		}
	})
}
