package agent_test

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/store"
)

// A patch changes what it names and leaves the rest; zero values bring the defaults
// back.
func TestPatch(t *testing.T) {
	newDesk := newDesks(t)
	full := agent.Settings{
		Name: "Shop", WebsiteURL: "https://shop.example", Industry: "bakery", Instructions: "Be brief.",
		Languages: []string{"de", "en"}, Threshold: 0.25, FallbackText: "Hm.",
	}
	with := func(change func(*agent.Settings)) agent.Settings {
		s := full
		change(&s)
		return s
	}
	for _, tt := range []struct {
		name  string
		patch agent.SettingsPatch
		want  agent.Settings
		same  bool // whether nothing changes
	}{
		{"nothing", agent.SettingsPatch{}, full, true},
		{"what is there", agent.SettingsPatch{Name: new("Shop"), Languages: &[]string{"de", "en"}, Threshold: new(0.25)}, full, true},
		{"name", agent.SettingsPatch{Name: new(" Store ")}, with(func(s *agent.Settings) { s.Name = "Store" }), false},
		{"website", agent.SettingsPatch{WebsiteURL: new("http://other.example")}, with(func(s *agent.Settings) { s.WebsiteURL = "http://other.example" }), false},
		{"no website", agent.SettingsPatch{WebsiteURL: new("")}, with(func(s *agent.Settings) { s.WebsiteURL = "" }), false},
		{"no industry", agent.SettingsPatch{Industry: new("")}, with(func(s *agent.Settings) { s.Industry = "" }), false},
		{"instructions", agent.SettingsPatch{Instructions: new("Be long.")}, with(func(s *agent.Settings) { s.Instructions = "Be long." }), false},
		{"languages", agent.SettingsPatch{Languages: &[]string{"fr"}}, with(func(s *agent.Settings) { s.Languages = []string{"fr"} }), false},
		{"no languages", agent.SettingsPatch{Languages: &[]string{}}, with(func(s *agent.Settings) { s.Languages = nil }), false},
		{"null languages", agent.SettingsPatch{Languages: new([]string)}, with(func(s *agent.Settings) { s.Languages = nil }), false},
		{"default threshold", agent.SettingsPatch{Threshold: new(0.0)}, with(func(s *agent.Settings) { s.Threshold = 0 }), false},
		{"default fallback and a threshold", agent.SettingsPatch{Threshold: new(1.0), FallbackText: new("")}, with(func(s *agent.Settings) {
			s.Threshold, s.FallbackText = 1, ""
		}), false},
		{"a target error for the threshold", agent.SettingsPatch{Threshold: new(0.0), TargetError: new(0.1)}, with(func(s *agent.Settings) {
			s.Threshold, s.TargetError = 0, 0.1
		}), false},
		{"no target error", agent.SettingsPatch{TargetError: new(0.0)}, full, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, parts{})
			as := d.Agents(d.company)
			a, err := as.Create(t.Context(), full)
			if err != nil {
				t.Fatal(err)
			}
			version := 2
			if tt.same {
				version = 1
			}
			for _, ifVersion := range []int{1, version, 0} { // the first changes, the others find it done
				got, err := as.Patch(t.Context(), a.ID, tt.patch, min(ifVersion, a.Version))
				if err != nil || !reflect.DeepEqual(got.Settings, tt.want) || got.Version != version {
					t.Fatalf("Patch = %+v, %v, want %+v at version %d", got, err, tt.want, version)
				}
				a = got
			}
			if got, err := as.Get(t.Context(), a.ID); err != nil || !reflect.DeepEqual(got, a) {
				t.Errorf("Get = %+v, %v, want what Patch returned, %+v", got, err, a)
			}
			updates := 0
			for _, ev := range d.events(t) {
				if ev.Type == event.AgentUpdated {
					updates++
				}
			}
			if updates != version-1 {
				t.Errorf("%d events tell of changes, want %d", updates, version-1)
			}
		})
	}
}

// A patch that cannot be taken changes nothing, and says which field or version is
// in the way.
func TestPatchRefused(t *testing.T) {
	d := newDesk(t, parts{})
	as := d.Agents(d.company)
	before, err := as.Get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for field, p := range map[string]agent.SettingsPatch{
		"name":         {Name: new("")},
		"website_url":  {WebsiteURL: new("shop.example")},
		"industry":     {Industry: new("\xff")},
		"threshold":    {Threshold: new(1.5)},
		"target_error": {TargetError: new(1.0)},
		"languages[0]": {Languages: &[]string{"?"}},
	} {
		_, err := as.Patch(t.Context(), "", p, 0)
		if invalid, ok := errors.AsType[*agent.InvalidError](err); !ok || invalid.Field != field {
			t.Errorf("Patch of %s = error %v, want an InvalidError of it", field, err)
		}
	}
	for _, version := range []int{2, -1, 1 << 40} {
		if _, err := as.Patch(t.Context(), "", agent.SettingsPatch{}, version); !errors.Is(err, agent.ErrVersion) || !errors.Is(err, store.ErrConflict) {
			t.Errorf("Patch at version %d = error %v, want %v", version, err, agent.ErrVersion)
		}
	}
	if after, err := as.Get(t.Context(), ""); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("after all that the agent is %+v, %v, want it untouched", after, err)
	}
}

// Of a threshold and a target error, one is stored: a patch that would add the other
// one is refused, and says what to do.
func TestPatchThresholdOrTargetError(t *testing.T) {
	d := newDesk(t, parts{})
	as := d.Agents(d.company)
	const both = "target_error: cannot stand beside threshold: give one of the two"
	for _, tt := range []struct {
		patch     agent.SettingsPatch
		threshold float64
		target    float64
		err       string
	}{
		{agent.SettingsPatch{Threshold: new(0.9), TargetError: new(0.1)}, 0, 0, both},
		{agent.SettingsPatch{Threshold: new(0.9)}, 0.9, 0, ""},
		{agent.SettingsPatch{TargetError: new(0.2)}, 0.9, 0, "target_error: cannot be set while threshold is: set threshold to null as well"},
		{agent.SettingsPatch{Threshold: new(0.8), TargetError: new(0.2)}, 0.9, 0, both},
		{agent.SettingsPatch{Threshold: new(0.0), TargetError: new(0.2)}, 0, 0.2, ""},
		{agent.SettingsPatch{TargetError: new(0.3)}, 0, 0.3, ""},
		{agent.SettingsPatch{Threshold: new(0.7)}, 0, 0.3, "threshold: cannot be set while target_error is: set target_error to null as well"},
		{agent.SettingsPatch{Threshold: new(0.7), TargetError: new(0.0)}, 0.7, 0, ""},
		{agent.SettingsPatch{Threshold: new(0.0)}, 0, 0, ""},
	} {
		_, err := as.Patch(t.Context(), "", tt.patch, 0)
		if got := fmt.Sprint(err); tt.err == "" && err != nil || tt.err != "" && (got != tt.err || !errors.Is(err, agent.ErrInvalid)) {
			t.Errorf("Patch = error %v, want %q", err, tt.err)
		}
		if a, err := as.Get(t.Context(), ""); err != nil || a.Threshold != tt.threshold || a.TargetError != tt.target {
			t.Errorf("the agent has threshold %v and target error %v, %v, want %v and %v", a.Threshold, a.TargetError, err, tt.threshold, tt.target)
		}
	}
}

// Of patches made at the same time none is lost; of those of one version, one wins.
func TestPatchTogether(t *testing.T) {
	d := newDesk(t, parts{})
	as := d.Agents(d.company)
	fields := []func(string) agent.SettingsPatch{
		func(v string) agent.SettingsPatch { return agent.SettingsPatch{Name: &v} },
		func(v string) agent.SettingsPatch { return agent.SettingsPatch{Industry: &v} },
		func(v string) agent.SettingsPatch { return agent.SettingsPatch{Instructions: &v} },
		func(v string) agent.SettingsPatch { return agent.SettingsPatch{FallbackText: &v} },
	}
	var wg sync.WaitGroup
	for i, patch := range fields {
		wg.Go(func() {
			for n := range 10 {
				if _, err := as.Patch(t.Context(), "", patch(fmt.Sprint(i, " at ", n)), 0); err != nil {
					t.Errorf("Patch = error %v", err)
				}
			}
		})
	}
	wg.Wait()
	a, err := as.Get(t.Context(), "")
	if err != nil || a.Name != "0 at 9" || a.Industry != "1 at 9" || a.Instructions != "2 at 9" || a.FallbackText != "3 at 9" || a.Version != 41 {
		t.Errorf("after 40 patches the agent is %+v, %v, want the last of each at version 41", a, err)
	}

	wins := make([]bool, 8)
	for i := range wins {
		wg.Go(func() {
			_, err := as.Patch(t.Context(), "", agent.SettingsPatch{Name: new(fmt.Sprint("winner ", i))}, 41)
			if wins[i] = err == nil; err != nil && !errors.Is(err, agent.ErrVersion) {
				t.Errorf("Patch at version 41 = error %v, want %v", err, agent.ErrVersion)
			}
		})
	}
	wg.Wait()
	won := 0
	for _, w := range wins {
		if w {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d of %d patches of one version were taken, want 1", won, len(wins))
	}
}
