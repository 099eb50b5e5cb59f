package access_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
)

func TestScopes(t *testing.T) {
	scopes := []access.Scope{access.ScopeRead, access.ScopeWrite, access.ScopeFull, "", "admin"}
	allowed := map[[2]access.Scope]bool{
		{access.ScopeRead, access.ScopeRead}:   true,
		{access.ScopeWrite, access.ScopeWrite}: true,
		{access.ScopeFull, access.ScopeRead}:   true,
		{access.ScopeFull, access.ScopeWrite}:  true,
		{access.ScopeFull, access.ScopeFull}:   true,
	}
	for _, s := range scopes {
		for _, need := range scopes {
			if got, want := s.Allows(need), allowed[[2]access.Scope{s, need}]; got != want {
				t.Errorf("Scope(%q).Allows(%q) = %v, want %v", s, need, got, want)
			}
		}
	}
}

func TestPlans(t *testing.T) {
	bulk := access.Window{Limit: 10, Per: time.Minute}
	for plan, want := range map[access.Plan][]access.Window{
		access.PlanStandard:   {{Limit: 100, Per: time.Minute}, {Limit: 1000, Per: time.Hour}, {Limit: 10_000, Per: 24 * time.Hour}},
		access.PlanFree:       {{Limit: 100, Per: time.Hour}},
		access.PlanPro:        {{Limit: 1000, Per: time.Hour}},
		access.PlanEnterprise: {{Limit: 10_000, Per: time.Hour}},
		access.PlanUnlimited:  {{Limit: access.Unlimited, Per: time.Hour}},
		"gold":                access.PlanStandard.Windows(),
	} {
		if got := plan.Windows(); !slices.Equal(got, want) {
			t.Errorf("Plan(%q).Windows() = %v, want %v", plan, got, want)
		}
		if got, has := plan.BulkWindow(); has != (plan != access.PlanUnlimited) || has && got != bulk {
			t.Errorf("Plan(%q).BulkWindow() = %v, %v", plan, got, has)
		}
	}
}

func TestParse(t *testing.T) {
	for _, name := range []string{"read", "write", "full"} {
		if s, err := access.ParseScope(name); string(s) != name || err != nil {
			t.Errorf("ParseScope(%q) = %q, %v", name, s, err)
		}
	}
	for _, name := range []string{"standard", "free", "pro", "enterprise", "unlimited"} {
		if p, err := access.ParsePlan(name); string(p) != name || err != nil {
			t.Errorf("ParsePlan(%q) = %q, %v", name, p, err)
		}
	}
	if p, err := access.ParsePlan(""); p != access.PlanStandard || err != nil {
		t.Errorf(`ParsePlan("") = %q, %v, want %q`, p, err, access.PlanStandard)
	}
	for _, name := range []string{"", "Read", " read", "readwrite"} {
		if s, err := access.ParseScope(name); s != "" || !errors.Is(err, access.ErrInvalid) {
			t.Errorf("ParseScope(%q) = %q, %v, want an error", name, s, err)
		}
	}
	for _, name := range []string{"Standard", " free", "gold"} {
		if p, err := access.ParsePlan(name); p != "" || !errors.Is(err, access.ErrInvalid) {
			t.Errorf("ParsePlan(%q) = %q, %v, want an error", name, p, err)
		}
	}
}
