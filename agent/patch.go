package agent

import "slices"

// A SettingsPatch changes some settings of an agent: nil leaves one as it is, and a
// pointer to the zero value brings its default back. The name has none.
type SettingsPatch struct {
	Name         *string
	WebsiteURL   *string
	Industry     *string
	Instructions *string
	Languages    *[]string
	Threshold    *float64
	FallbackText *string
}

// apply returns the settings with the patch applied.
func (p SettingsPatch) apply(s Settings) Settings {
	change(&s.Name, p.Name)
	change(&s.WebsiteURL, p.WebsiteURL)
	change(&s.Industry, p.Industry)
	change(&s.Instructions, p.Instructions)
	change(&s.Threshold, p.Threshold)
	change(&s.FallbackText, p.FallbackText)
	if p.Languages != nil {
		s.Languages = slices.Clone(*p.Languages)
	}
	if len(s.Languages) == 0 {
		s.Languages = nil // as it reads back
	}
	return s
}

func change[T any](field *T, to *T) {
	if to != nil {
		*field = *to
	}
}
