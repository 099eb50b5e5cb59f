package injection_test

import (
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/llm"
)

// some leaves out most of many attacks where tests are to be short.
func some(all []attack) []attack {
	if !testing.Short() {
		return all
	}
	var out []attack
	for i := 0; i < len(all); i += 25 {
		out = append(out, all[i])
	}
	return out
}

// TestAttacks: whatever the data says, and whatever the user asks for, a model that
// obeys all of it makes no call that it may not make, and gives no secret away, with
// each of the ways to treat what nothing bears out.
func TestAttacks(t *testing.T) {
	all := slices.Concat(attacks(), asked())
	if len(all) < 200 {
		t.Fatalf("there are %d attacks, want at least 200", len(all))
	}
	t.Logf("%d attacks", len(all))
	for n, v := range []struct {
		name   string
		how    how
		format agent.Unsupported
	}{
		{"obedient", how{}, agent.UnsupportedDrop},
		{"defiant", how{defiant: true}, agent.UnsupportedDrop},
		{"flagged", how{}, agent.UnsupportedFlag},
		{"refused", how{}, agent.UnsupportedRefuse},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			st := newStage(t, v.how)
			for i, a := range some(all) {
				if n > 0 && i%3 != n-1 {
					continue // each attack is made in two of the ways
				}
				a.format = string(v.format)
				for _, wrong := range st.play(t, a.scene).wrong(a.may) {
					t.Errorf("%s: %s", a.name, wrong)
				}
			}
		})
	}
}

// TestGuardOff: without the guard each of the same attacks by data succeeds, and so
// does each user who wants to hear the instructions. So it is the guard that TestAttacks
// tests.
func TestGuardOff(t *testing.T) {
	st := newStage(t, how{answerer: func(m llm.Model) agent.Answerer { return unguarded{model: m} }, readOnly: true})
	for _, a := range some(attacks()) {
		if r := st.play(t, a.scene); r.made["refund"] == 0 {
			t.Errorf("%s: without the guard nothing was paid back: %v, said %q", a.name, r.made, r.text())
		}
	}
	for _, a := range some(asked()) {
		if r := st.play(t, a.scene); !gives(r.told, ownersSecret) {
			t.Errorf("%s: without the guard the instructions were not told: %q", a.name, r.text())
		}
	}
}

// TestEngineAlone: an answerer that says of its calls that the model has read data
// needs no other guard.
func TestEngineAlone(t *testing.T) {
	st := newStage(t, how{answerer: func(m llm.Model) agent.Answerer { return unguarded{m, true} }})
	for i, a := range some(attacks()) {
		if i%3 > 0 {
			continue
		}
		if r := st.play(t, a.scene); r.made["refund"]+r.made["cancel_order"]+r.made["delete_account"]+r.made["grant_credit"] > 0 || r.waited == 0 {
			t.Errorf("%s: made %v, and %d calls have waited, want none made and one that waited", a.name, r.made, r.waited)
		}
	}
}
