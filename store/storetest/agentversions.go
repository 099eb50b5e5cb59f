package storetest

import (
	"fmt"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

var agentVersions = []promise{
	{
		name:  "settings kept",
		text:  "the settings that an agent has had are listed newest first, with who set them and when",
		check: settingsKept,
	},
	{
		name:  "settings bounded",
		text:  "the last settings of an agent are kept, and those before them are forgotten, whatever others have",
		check: settingsBounded,
	},
	{
		name:  "settings gone",
		text:  "the settings that an agent has had go with it, and no other company reads them",
		check: settingsGone,
	},
}

// settingsOf returns all settings that are kept of an agent, newest first.
func (k *kit) settingsOf(t *testing.T, agentID string, size int) []agent.SettingsVersion {
	t.Helper()
	return everyPage(t, size, func(p store.Page) (store.List[agent.SettingsVersion], error) {
		return k.AgentVersions(t.Context(), k.company, agentID, p)
	})
}

// rename changes the settings of an agent, as somebody if that is known.
func (k *kit) rename(t *testing.T, agentID, name, actor string) agent.Agent {
	t.Helper()
	a, err := k.Agent(t.Context(), k.company, agentID)
	ok(t, "Agent", err)
	a.Name, a.UpdatedAt = name, now()
	c := k.commit(tell(event.AgentUpdated, agentID))
	if actor != "" {
		c.Audit = &store.Audit{ID: id.New(id.Audit), Actor: actor, Action: "agent.update", Object: agentID, At: now()}
	}
	got, err := k.UpdateAgent(t.Context(), c, a)
	ok(t, "UpdateAgent", err)
	return got
}

func settingsKept(t *testing.T, k *kit) {
	for _, of := range []string{k.newAgent(t), k.agent} {
		first, err := k.Agent(t.Context(), k.company, of)
		ok(t, "Agent", err)
		want := []agent.SettingsVersion{{Version: 1, Settings: first.Settings, CreatedAt: first.CreatedAt}}
		for i, actor := range []string{"key_1", "", "key_2"} {
			a := k.rename(t, of, fmt.Sprintf("Name %d – 🙂", i), actor)
			want = append([]agent.SettingsVersion{{Version: a.Version, Settings: a.Settings, CreatedAt: a.UpdatedAt, CreatedBy: actor}}, want...)
		}
		same(t, "AgentVersions", k.settingsOf(t, of, 100), want)
		same(t, "AgentVersions, page by page", k.settingsOf(t, of, 1), want)
	}
	if got := k.settingsOf(t, id.New(id.Agent), 10); len(got) != 0 {
		t.Errorf("AgentVersions of an agent that is not there = %s", canonical(got))
	}
}

func settingsBounded(t *testing.T, k *kit) {
	of, other := k.newAgent(t), k.newAgent(t)
	k.rename(t, other, "Other", "")
	const changes = agent.KeptVersions + 4
	for i := range changes {
		k.rename(t, of, fmt.Sprint("Name ", i+2), "")
	}
	all := k.settingsOf(t, of, 30)
	if len(all) != agent.KeptVersions {
		t.Fatalf("%d settings are kept, want %d", len(all), agent.KeptVersions)
	}
	for i, v := range all {
		if want := changes + 1 - i; v.Version != want || v.Settings.Name != fmt.Sprint("Name ", want) {
			t.Fatalf("settings %d from the last are %s, want version %d", i, canonical(v), want)
		}
	}
	if got := k.settingsOf(t, other, 10); len(got) != 2 {
		t.Errorf("the settings of another agent are %s, want 2", canonical(got))
	}
}

func settingsGone(t *testing.T, k *kit) {
	of, stays := k.newAgent(t), k.newAgent(t)
	k.rename(t, of, "Renamed", "")
	stranger := newKit(t, k.Store)
	if got := stranger.settingsOf(t, of, 10); len(got) != 0 {
		t.Errorf("another company reads %s", canonical(got))
	}
	ok(t, "DeleteAgent", second(k.DeleteAgent(t.Context(), k.commit(tell(event.AgentDeleted, of)), of)))
	if got := k.settingsOf(t, of, 10); len(got) != 0 {
		t.Errorf("of a deleted agent there are still %s", canonical(got))
	}
	if got := k.settingsOf(t, stays, 10); len(got) != 1 {
		t.Errorf("the settings of another agent are %s, want 1", canonical(got))
	}
	c, err := k.Company(t.Context(), k.company)
	ok(t, "Company", err)
	k.rename(t, k.agent, "Default", "")
	ok(t, "DeleteCompany", k.DeleteCompany(t.Context(), k.commit()))
	ok(t, "CreateCompany", k.CreateCompany(t.Context(), k.commit(tell(event.AgentCreated, c.DefaultAgent)), c))
	if got := k.settingsOf(t, stays, 10); len(got) != 0 {
		t.Errorf("of an agent of a deleted company there are still %s", canonical(got))
	}
	if got := k.settingsOf(t, k.agent, 10); len(got) != 1 {
		t.Errorf("the default agent of a company that was made again has had the settings %s, want 1", canonical(got))
	}
}
