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
	alias    string                    // another name of it, which has a row of its own
	set      func(*call, string) error // reads its value; nil: another one takes care of it
}

// What several commands have.
var (
	storeSetting = setting{
		name: "store", value: "STORE", alias: "data", shared: true, required: "it says where the desk is",
		about: "where the desk is: a folder, or a PostgreSQL database such as postgres://user@host/database?schema=name",
		set:   func(given *call, s string) (err error) { given.store, err = readPlace(s); return err },
	}
	dataSetting = setting{
		name: "data", value: "DIR", shared: true, about: "another name of store, for a folder",
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
		if name, _, _ = configSetting.find(flags, nil, ""); name != "" { // it has one name
			var err error
			if file, err = readConfig(name, c.settings); err != nil {
				return err
			}
		}
	}
	for _, s := range c.settings {
		if s.set == nil {
			continue
		}
		value, source, err := s.find(flags, file, name)
		if err != nil {
			return err
		}
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
// variable that is empty is none. A setting with two names may be given by both
// in one place only if they say the same.
func (s setting) find(flags, file map[string]string, name string) (value, source string, err error) {
	names := []setting{s}
	if s.alias != "" {
		names = append(names, setting{name: s.alias})
	}
	for _, from := range []func(setting) (value, source string, ok bool){
		func(n setting) (string, string, bool) { v, ok := flags[n.name]; return v, "--" + n.name, ok },
		func(n setting) (string, string, bool) { v := os.Getenv(n.variable()); return v, n.variable(), v != "" },
		func(n setting) (string, string, bool) {
			v, ok := file[n.field()]
			return v, n.field() + " in " + name, ok
		},
	} {
		for _, n := range names {
			v, called, ok := from(n)
			switch {
			case !ok:
			case source == "":
				value, source = v, called
			case v != value:
				return "", "", fmt.Errorf("%s and %s say different things: leave one of them out", source, called)
			}
		}
		if source != "" {
			return value, source, nil
		}
		if !s.shared {
			break
		}
	}
	return s.initial, s.name + " by default", nil
}
