package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// A setting is something that may be said to a command. Its flag is its name; if
// shared is set, so is its environment variable, and its field in the file that
// --config names. What is written about it here is all there is: parsing, help
// and docs/settings.md come from it.
type setting struct {
	name     string // such as max-streams
	value    string // what the help calls its value; a switch has none
	about    string
	initial  string // its value if it is not given; empty: none
	required string // why it must be given; empty: it need not be
	shared   bool
	set      func(*call, string) error // reads its value
}

// What several commands have.
var (
	dataSetting = setting{
		name: "data", value: "DIR", shared: true, about: "the folder of the desk", required: "it names the folder of the desk",
		set: func(given *call, s string) error { given.data = s; return nil },
	}
	agentSetting = setting{
		name: "agent", value: "ID", about: "the id of an agent; it may be left out",
		set: func(given *call, s string) error { given.agent = s; return nil },
	}
	companySetting = setting{
		name: "company", value: "ID", about: "the id of a company; the operator's own if it is left out",
		set: func(given *call, s string) error { given.company = s; return nil },
	}
	configSetting = setting{
		name: "config", value: "FILE", shared: true, about: "a JSON file of settings",
		set: func(*call, string) error { return nil }, // read before the others
	}
)

// variable is the environment variable of the setting.
func (s setting) variable() string {
	return "ANSWERDESK_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// field is the name of the setting in the file.
func (s setting) field() string { return strings.ReplaceAll(s.name, "-", "_") }

// inFile reports whether the file may have the setting, which it may not have of
// itself.
func (s setting) inFile() bool { return s.shared && s.name != configSetting.name }

// usage is how the flag is written.
func (s setting) usage() string { return strings.TrimRight("--"+s.name+" "+s.value, " ") }

// settle sets every setting of the command from the first place that has it: its
// flag, its environment variable, the file, what it is initially.
func (c command) settle(given *call, flags map[string]string) error {
	var file map[string]string
	name := ""
	if c.has(configSetting) {
		if name, _ = configSetting.find(flags, nil, ""); name != "" {
			var err error
			if file, err = readConfig(name, c.settings); err != nil {
				return err
			}
		}
	}
	for _, s := range c.settings {
		value, source := s.find(flags, file, name)
		if value == "" {
			if s.required != "" {
				return errors.New("--" + s.name + " is missing: " + s.required)
			}
			continue
		}
		if err := s.set(given, value); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
	}
	return nil
}

func (c command) has(wanted setting) bool {
	for _, s := range c.settings {
		if s.name == wanted.name {
			return true
		}
	}
	return false
}

// find returns the value of a setting as text, and where it was given. A
// variable that is empty is none.
func (s setting) find(flags, file map[string]string, name string) (value, source string) {
	if v, ok := flags[s.name]; ok {
		return v, "--" + s.name
	}
	if s.shared {
		if v := os.Getenv(s.variable()); v != "" {
			return v, s.variable()
		}
		if v, ok := file[s.field()]; ok {
			return v, s.field() + " in " + name
		}
	}
	return s.initial, s.name + " by default"
}
