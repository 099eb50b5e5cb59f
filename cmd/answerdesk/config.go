package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// maxConfig is how many bytes a file of settings may have.
const maxConfig = 1 << 20

// readConfig returns what the fields of a file of settings say, as it would be
// said to their flags.
func readConfig(name string, settings []setting) (map[string]string, error) {
	b, err := readBounded(name)
	if err != nil {
		return nil, err
	}
	values, err := parseConfig(b, settings)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return values, nil
}

func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s: is no file", name), err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if len(b) > maxConfig {
		err = fmt.Errorf("%s: is larger than the %d bytes that a file of settings may have", name, maxConfig)
	}
	return b, err
}

// parseConfig reads one object. Fields that are no settings are refused, so that a
// misspelt one is not passed over, and so are those that are there twice.
func parseConfig(b []byte, settings []setting) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("must be a JSON object")
	}
	values := map[string]string{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		field, _ := token.(string)
		if !slices.ContainsFunc(settings, func(s setting) bool { return s.inFile() && s.field() == field }) {
			return nil, fmt.Errorf("%q is no setting: the help names them", field)
		}
		if _, twice := values[field]; twice {
			return nil, fmt.Errorf("%s is there twice", field)
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		if values[field], err = asFlag(value); err != nil {
			return nil, fmt.Errorf("%s: %w", field, err)
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("has something behind the object")
	}
	return values, nil
}

// asFlag is how a value is said to a flag.
func asFlag(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool:
		return fmt.Sprint(v), nil
	case float64:
		b, err := json.Marshal(v)
		return string(b), err
	case []any:
		var list []string
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return "", errors.New("must be a list of strings")
			}
			list = append(list, s)
		}
		return strings.Join(list, ","), nil
	}
	return "", errors.New("must be a string, a number, true, false or a list of strings")
}
