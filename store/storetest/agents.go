package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

var agents = []promise{
	{
		name:  "create",
		text:  "an agent reads back as it was given, at version 1, and is not the default one",
		check: createAgent,
	},
	{
		name:  "create twice",
		text:  "an agent that is there already is a conflict, and stays as it is",
		check: createAgentTwice,
	},
	{
		name:  "update",
		text:  "an update replaces the settings, raises the version, and leaves the rest",
		check: updateAgent,
	},
	{
		name:  "update conflict",
		text:  "an update at another version than the agent's is a conflict and writes nothing",
		check: updateAgentConflict,
	},
	{
		name:  "update unknown",
		text:  "an agent that is not there is not found, whatever is done to it",
		check: unknownAgent,
	},
	{
		name:  "list",
		text:  "agents are listed newest first, the default one among them",
		check: listAgents,
	},
	{
		name:  "default stays",
		text:  "the default agent can be changed and not deleted",
		check: defaultStays,
	},
}

// settings are some that try a store's encoding.
func settings() agent.Settings {
	return agent.Settings{
		Name: `O'Brien "the" \ 50% – 🙂`, Instructions: "Line one\nline two\tשלום", Languages: []string{"pt-BR", "en"},
		Threshold: 0.123456789012345, FallbackText: "Не знаю; DROP TABLE agents--",
	}
}

func createAgent(t *testing.T, k *kit) {
	a := agent.Agent{ID: id.New(id.Agent), Settings: settings(), Default: true, Version: 1, CreatedAt: now(), UpdatedAt: now()}
	ok(t, "CreateAgent", k.CreateAgent(t.Context(), k.commit(tell(event.AgentCreated, a.ID)), a))
	got, err := k.Agent(t.Context(), k.company, a.ID)
	ok(t, "Agent", err)
	same(t, "the settings", got.Settings, a.Settings)
	if got.Default || got.Version != 1 || !got.CreatedAt.Equal(a.CreatedAt) || got.UpdatedAt.IsZero() {
		t.Errorf("the agent is %s, want version 1, made at %v, not the default", canonical(got), a.CreatedAt)
	}
	d, err := k.Agent(t.Context(), k.company, "")
	ok(t, `Agent("")`, err)
	if d.ID != k.agent {
		t.Errorf("the default agent is now %s, want %s", d.ID, k.agent)
	}
}

func createAgentTwice(t *testing.T, k *kit) {
	there := k.newAgent(t)
	before := read(t, k, k.company)
	a := agent.Agent{ID: there, Settings: agent.Settings{Name: "Other"}, Version: 1, CreatedAt: now(), UpdatedAt: now()}
	err := k.CreateAgent(t.Context(), k.commit(tell(event.AgentCreated, a.ID)), a)
	refused(t, "CreateAgent with an id that is there", err, store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)
}

func updateAgent(t *testing.T, k *kit) {
	for _, which := range []string{k.newAgent(t), k.agent} {
		a, err := k.Agent(t.Context(), k.company, which)
		ok(t, "Agent", err)
		was := a
		a.Settings, a.Default, a.CreatedAt, a.UpdatedAt = settings(), !a.Default, a.CreatedAt.Add(time.Hour), now()
		got, err := k.UpdateAgent(t.Context(), k.commit(tell(event.AgentUpdated, which)), a)
		ok(t, "UpdateAgent", err)
		if got.Version != 2 || got.Default != was.Default || !got.CreatedAt.Equal(was.CreatedAt) || got.UpdatedAt.Before(was.UpdatedAt) {
			t.Errorf("UpdateAgent = %s, want version 2 of %s", canonical(got), canonical(was))
		}
		same(t, "the new settings", got.Settings, a.Settings)
		stored, err := k.Agent(t.Context(), k.company, which)
		ok(t, "Agent", err)
		same(t, "the agent read again", stored, got)
		evs := ofStream(allEvents(t, k, k.company), which)
		if len(evs) != 2 || evs[1].Type != event.AgentUpdated || evs[1].Sequence != 2 {
			t.Errorf("the agent's events are %s, want created and updated", canonical(evs))
		}
	}
}

func updateAgentConflict(t *testing.T, k *kit) {
	a, err := k.Agent(t.Context(), k.company, k.newAgent(t))
	ok(t, "Agent", err)
	_, err = k.UpdateAgent(t.Context(), k.commit(), a)
	ok(t, "UpdateAgent", err)
	before := read(t, k, k.company)
	for _, version := range []int{0, 1, 3, -1} {
		a.Version, a.Name = version, "Stale"
		_, err := k.UpdateAgent(t.Context(), k.commit(tell(event.AgentUpdated, a.ID)), a)
		refused(t, "UpdateAgent at another version", err, store.ErrConflict)
	}
	same(t, "the company", read(t, k, k.company), before)
}

func unknownAgent(t *testing.T, k *kit) {
	a := agent.Agent{ID: id.New(id.Agent), Settings: settings(), Version: 1, CreatedAt: now(), UpdatedAt: now()}
	_, err := k.Agent(t.Context(), k.company, a.ID)
	missing(t, "Agent", err)
	_, err = k.UpdateAgent(t.Context(), k.commit(), a)
	missing(t, "UpdateAgent", err)
	missing(t, "DeleteAgent", second(k.DeleteAgent(t.Context(), k.commit(), a.ID)))
	_, err = k.BeginTurn(t.Context(), k.commit(), k.asks(agent.Message{AgentID: a.ID}))
	missing(t, "BeginTurn", err)
}

func listAgents(t *testing.T, k *kit) {
	want := []string{k.agent}
	for range 4 {
		want = append(want, k.newAgent(t))
	}
	slices.Reverse(want)
	all := everyPage(t, 2, func(p store.Page) (store.List[agent.Agent], error) { return k.Agents(t.Context(), k.company, p) })
	var got []string
	for _, a := range all {
		got = append(got, a.ID)
		one, err := k.Agent(t.Context(), k.company, a.ID)
		ok(t, "Agent", err)
		same(t, "the agent in the list", a, one)
	}
	if !slices.Equal(got, want) {
		t.Errorf("Agents = %v, want %v", got, want)
	}
}

func defaultStays(t *testing.T, k *kit) {
	before := read(t, k, k.company)
	err := second(k.DeleteAgent(t.Context(), k.commit(tell(event.AgentDeleted, k.agent)), k.agent))
	refused(t, "DeleteAgent of the default agent", err, store.ErrConflict)
	if second(k.DeleteAgent(t.Context(), k.commit(), "")) == nil {
		t.Error(`DeleteAgent("") deleted the default agent`)
	}
	same(t, "the company", read(t, k, k.company), before)
}
