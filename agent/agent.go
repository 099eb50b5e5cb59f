package agent

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Defaults of an agent's settings.
const (
	// DefaultThreshold is the confidence below which an agent refuses.
	DefaultThreshold = 0.5

	// DefaultFallbackText is what an agent says when it refuses.
	DefaultFallbackText = "I could not find an answer to that in what I have been given."
)

// An Agent answers the customers of a company from its knowledge.
type Agent struct {
	ID        string    `json:"id"`
	Settings            // what its owner chooses
	Default   bool      `json:"default"` // the company's own; it cannot be deleted
	Version   int       `json:"version"` // counts the changes of its settings, from 1
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Settings are what the owner of an agent chooses. The zero value of a field
// means its default.
type Settings struct {
	Name         string   `json:"name"`
	WebsiteURL   string   `json:"website_url,omitzero"`  // http or https: where the business is found
	Industry     string   `json:"industry,omitzero"`     // what kind of business it is
	Instructions string   `json:"instructions,omitzero"` // for an [Answerer] that writes: how to answer
	Languages    []string `json:"languages,omitzero"`    // BCP 47 tags, the first one preferred
	Threshold    float64  `json:"threshold,omitzero"`    // 0 to 1; 0 means [DefaultThreshold]
	FallbackText string   `json:"fallback_text,omitzero"`
}

// threshold returns the confidence below which the agent refuses.
func (s Settings) threshold() float64 {
	if s.Threshold == 0 {
		return DefaultThreshold
	}
	return s.Threshold
}

// fallback returns what the agent says when it refuses.
func (s Settings) fallback() string {
	if s.FallbackText == "" {
		return DefaultFallbackText
	}
	return s.FallbackText
}

// language returns the language preferred, or "".
func (s Settings) language() string {
	if len(s.Languages) == 0 {
		return ""
	}
	return s.Languages[0]
}

// check returns an [InvalidError] naming the first field that cannot be stored.
func (s *Settings) check() error {
	s.Name = strings.TrimSpace(s.Name)
	for _, f := range []struct {
		name, value string
		min, max    int
	}{
		{"name", s.Name, 1, 200},
		{"industry", s.Industry, 0, 100},
		{"instructions", s.Instructions, 0, 20_000},
		{"fallback_text", s.FallbackText, 0, 2_000},
	} {
		if err := checkText(f.name, f.value, f.min, f.max); err != nil {
			return err
		}
	}
	if err := checkURL("website_url", s.WebsiteURL); err != nil {
		return err
	}
	if !(s.Threshold >= 0 && s.Threshold <= 1) {
		return invalid("threshold", "must be between 0 and 1")
	}
	if len(s.Languages) > 50 {
		return invalid("languages", "%d are more than 50", len(s.Languages))
	}
	for i, l := range s.Languages {
		if !isTag(l) {
			return invalid(fmt.Sprintf("languages[%d]", i), "is not a language tag such as \"en\" or \"pt-BR\"")
		}
	}
	return nil
}

// checkURL returns an [InvalidError] unless a field is empty or the address of a
// page.
func checkURL(field, value string) error {
	if value == "" {
		return nil
	}
	if len(value) > 2_000 {
		return invalid(field, "%d bytes are more than 2000", len(value))
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !utf8.ValidString(value) {
		return invalid(field, "is not an address such as https://shop.example")
	}
	return nil
}

// isTag reports whether s has the shape of a language tag of BCP 47: subtags of
// 1 to 8 letters and digits, the first of 2 to 8 letters.
func isTag(s string) bool {
	if len(s) < 2 || len(s) > 35 {
		return false
	}
	for i, sub := range strings.Split(s, "-") {
		if len(sub) < 1 || len(sub) > 8 || i == 0 && len(sub) < 2 {
			return false
		}
		for _, c := range []byte(sub) {
			letter := c|0x20 >= 'a' && c|0x20 <= 'z'
			if !letter && (i == 0 || c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}
