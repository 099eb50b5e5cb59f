package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/egress"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/anthropic"
	"github.com/answerdesk-go/answerdesk/llm/gemini"
	"github.com/answerdesk-go/answerdesk/llm/openai"
)

// modelKey is the environment variable with the key that a provider is asked with.
const modelKey = "ANSWERDESK_MODEL_KEY"

// maxPrice bounds what a million tokens may cost, in US dollars.
const maxPrice = 10_000

// A written is which model writes the replies; without a name none does.
type written struct {
	provider, name string
	url            string // empty: the provider's own
	keyFile        string
	price          *llm.Price // nil: nobody has told
}

// What may be chosen about it.
var (
	modelSetting = setting{
		name: "model", value: "PROVIDER:NAME", shared: true,
		about: "the language model that writes replies, of openai, anthropic or gemini, such as openai:gpt-5-mini; without one replies quote. Its key is read from " + modelKey + " or the file of --model-key-file",
		set: func(given *call, s string) error {
			provider, name, ok := strings.Cut(s, ":")
			if _, known := providers[provider]; !ok || !known || name == "" {
				return fmt.Errorf("%q is not openai:NAME, anthropic:NAME or gemini:NAME", s)
			}
			given.model.provider, given.model.name = provider, name
			return nil
		},
	}
	modelURLSetting = setting{
		name: "model-url", value: "URL", shared: true,
		about: "where the model is served, if not by its provider: for openai any compatible server, such as http://localhost:11434/v1",
		set: func(given *call, s string) error {
			u, err := url.Parse(s)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
				return errors.New("is not the address of a server such as http://localhost:11434/v1")
			}
			given.model.url = s
			return nil
		},
	}
	modelKeySetting = setting{
		name: "model-key-file", value: "FILE", shared: true,
		about: "a file with the key of the model's provider, in place of " + modelKey,
		set:   func(given *call, s string) error { given.model.keyFile = s; return nil },
	}
	modelPriceSetting = setting{
		name: "model-price", value: "IN/OUT", shared: true,
		about: "what a million tokens to the model and a million from it cost, in US dollars, such as 0.25/2; without it no cost is told, and an agent's budget of costs bounds nothing",
		set: func(given *call, s string) error {
			in, out, ok := strings.Cut(s, "/")
			price := llm.Price{}
			for _, part := range []struct {
				text string
				to   *float64
			}{{in, &price.Input}, {out, &price.Output}} {
				n, err := strconv.ParseFloat(part.text, 64)
				if !ok || err != nil || !(n >= 0 && n <= maxPrice) {
					return fmt.Errorf("%q is not two prices such as 0.25/2, each from 0 to %d", s, maxPrice)
				}
				*part.to = n
			}
			given.model.price = &price
			return nil
		},
	}
)

// providers make the models.
var providers = map[string]func(url, key, name string, client *http.Client) (llm.Model, error){
	"openai": func(url, key, name string, client *http.Client) (llm.Model, error) {
		return openai.New(openai.Options{BaseURL: url, APIKey: key, Model: name, Client: client})
	},
	"anthropic": func(url, key, name string, client *http.Client) (llm.Model, error) {
		return anthropic.New(anthropic.Options{BaseURL: url, APIKey: key, Model: name, Client: client})
	},
	"gemini": func(url, key, name string, client *http.Client) (llm.Model, error) {
		return gemini.New(gemini.Options{BaseURL: url, APIKey: key, Model: name, Client: client})
	},
}

// own are the ranges of private networks and of this machine: a model may be served
// there if the operator gives its address.
var own = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7"),
}

// open returns the model, which asks again where that helps; nil if there is none.
func (w written) open() (llm.Model, error) {
	if w.name == "" {
		if w.url != "" || w.keyFile != "" || w.price != nil {
			return nil, errors.New("--model is missing: it says which model is meant")
		}
		return nil, nil
	}
	key, err := w.key()
	if err != nil {
		return nil, err
	}
	var client *http.Client // the provider's own guard
	if w.url != "" {
		out, err := egress.New(&egress.Options{Allow: own, AllowHTTP: true, HighPorts: true, HeaderTimeout: 2 * time.Minute, Timeout: 10 * time.Minute})
		if err != nil {
			return nil, err
		}
		client = out.HTTP()
	}
	m, err := providers[w.provider](w.url, key, w.name, client)
	if err != nil {
		return nil, fmt.Errorf("--model: %w", err)
	}
	if w.price != nil {
		m = llm.WithPrice(m, *w.price)
	}
	return llm.Retry(m, nil), nil
}

// named is the model by the name that it was chosen by, which settings of agents may say.
func (w written) named(m llm.Model) map[string]llm.Model {
	if m == nil {
		return nil
	}
	return map[string]llm.Model{w.provider + ":" + w.name: m}
}

// key reads the key. Where the model is served by somebody else none may be needed.
func (w written) key() (string, error) {
	if w.keyFile == "" {
		key := os.Getenv(modelKey)
		if key == "" && w.url == "" {
			return "", fmt.Errorf("%s has no key for %s: set it, or --model-key-file", modelKey, w.provider)
		}
		return key, nil
	}
	b, err := readBounded(w.keyFile)
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(b))
	if key == "" {
		return "", fmt.Errorf("%s: is empty: it must have a key", w.keyFile)
	}
	return key, nil
}
