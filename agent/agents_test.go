package agent_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

func TestSettingsInvalid(t *testing.T) {
	d := newDesk(t, parts{})
	for _, tt := range []struct {
		field    string
		settings agent.Settings
	}{
		{"name", agent.Settings{}},
		{"name", agent.Settings{Name: " \n"}},
		{"name", agent.Settings{Name: strings.Repeat("ö", 201)}},
		{"name", agent.Settings{Name: "a\xff"}},
		{"name", agent.Settings{Name: "a\x00"}},
		{"instructions", agent.Settings{Name: "A", Instructions: strings.Repeat("x", 20_001)}},
		{"instructions", agent.Settings{Name: "A", Instructions: "\xff"}},
		{"fallback_text", agent.Settings{Name: "A", FallbackText: strings.Repeat("x", 2_001)}},
		{"threshold", agent.Settings{Name: "A", Threshold: -0.1}},
		{"threshold", agent.Settings{Name: "A", Threshold: 1.1}},
		{"threshold", agent.Settings{Name: "A", Threshold: math.NaN()}},
		{"target_error", agent.Settings{Name: "A", TargetError: -0.1}},
		{"target_error", agent.Settings{Name: "A", TargetError: 1}},
		{"target_error", agent.Settings{Name: "A", TargetError: math.NaN()}},
		{"target_error", agent.Settings{Name: "A", TargetError: 0.1, Threshold: 0.9}},
		{"languages", agent.Settings{Name: "A", Languages: slices.Repeat([]string{"en"}, 51)}},
		{"languages[1]", agent.Settings{Name: "A", Languages: []string{"en", ""}}},
		{"languages[0]", agent.Settings{Name: "A", Languages: []string{"e"}}},
		{"languages[0]", agent.Settings{Name: "A", Languages: []string{"english please"}}},
		{"languages[0]", agent.Settings{Name: "A", Languages: []string{"1n"}}},
		{"languages[0]", agent.Settings{Name: "A", Languages: []string{"en--US"}}},
		{"languages[0]", agent.Settings{Name: "A", Languages: []string{"en_US"}}},
		{"industry", agent.Settings{Name: "A", Industry: strings.Repeat("ö", 101)}},
		{"industry", agent.Settings{Name: "A", Industry: "\x00"}},
		{"website_url", agent.Settings{Name: "A", WebsiteURL: "shop.example"}},
		{"website_url", agent.Settings{Name: "A", WebsiteURL: "/hours"}},
		{"website_url", agent.Settings{Name: "A", WebsiteURL: "ftp://shop.example"}},
		{"website_url", agent.Settings{Name: "A", WebsiteURL: "javascript:alert(1)"}},
		{"website_url", agent.Settings{Name: "A", WebsiteURL: "https://"}},
		{"website_url", agent.Settings{Name: "A", WebsiteURL: "https://:443"}},
		{"website_url", agent.Settings{Name: "A", WebsiteURL: "https://shop.example/\n"}},
		{"website_url", agent.Settings{Name: "A", WebsiteURL: "https://shop.example/\xff"}},
		{"website_url", agent.Settings{Name: "A", WebsiteURL: "https://shop.example/" + strings.Repeat("x", 1980)}},
	} {
		_, err := d.Agents(d.company).Create(t.Context(), tt.settings)
		if invalid, ok := errors.AsType[*agent.InvalidError](err); !ok || invalid.Field != tt.field || !errors.Is(err, agent.ErrInvalid) {
			t.Errorf("Create(%.40s…) = error %v, want an InvalidError of %s", fmt.Sprint(tt.settings), err, tt.field)
		}
		a, err := d.Agents(d.company).Get(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		a.Settings = tt.settings
		if _, err := d.Agents(d.company).Update(t.Context(), a); !errors.Is(err, agent.ErrInvalid) {
			t.Errorf("Update(%.40s…) = error %v, want the same as Create", fmt.Sprint(tt.settings), err)
		}
	}
	for _, s := range []agent.Settings{
		{Name: strings.Repeat("ö", 200)},
		{Name: "A", Instructions: strings.Repeat("ö", 20_000), FallbackText: strings.Repeat("ö", 2_000), Threshold: 1},
		{Name: "A", TargetError: 5e-324},
		{Name: "A", TargetError: math.Nextafter(1, 0)},
		{Name: "A", Languages: []string{"en", "pt-BR", "zh-Hant-TW", "sr-Latn", "de-CH-1996", "EN-us"}},
		{Name: "A", Industry: strings.Repeat("ö", 100), WebsiteURL: "https://shop.example/" + strings.Repeat("x", 1979)},
		{Name: "A", WebsiteURL: "HTTP://shop.example:8080/a?b=ö#c"},
	} {
		if a, err := d.Agents(d.company).Create(t.Context(), s); err != nil || !reflect.DeepEqual(a.Settings, s) {
			t.Errorf("Create(%.40s…) = %v, want it taken as it is", fmt.Sprint(s), err)
		}
	}
}

func TestAgents(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	as := d.Agents(d.company)
	born, err := as.Get(t.Context(), "")
	if err != nil || !born.Default || born.ID == "" || born.Version != 1 {
		t.Fatalf("Get(\"\") = %+v, %v, want the agent the company was born with", born, err)
	}

	made, err := as.Create(t.Context(), agent.Settings{Name: "  Shop  ", Languages: []string{"de"}, Threshold: 0.25, Instructions: "Be brief.", FallbackText: "Hm."})
	if err != nil || made.Name != "Shop" || made.Default || made.Version != 1 || made.CreatedAt.IsZero() || !made.UpdatedAt.Equal(made.CreatedAt) {
		t.Fatalf("Create = %+v, %v, want an agent at version 1, with its name trimmed", made, err)
	}
	if got, err := as.Get(t.Context(), made.ID); err != nil || !reflect.DeepEqual(got, made) {
		t.Errorf("Get = %+v, %v, want what Create returned, %+v", got, err, made)
	}
	if got, err := d.Agent(d.company, strings.ToUpper(made.ID)).Get(t.Context()); err != nil || got.ID != made.ID {
		t.Errorf("Get by the id in capitals = %s, %v, want %s", got.ID, err, made.ID)
	}

	changed := made
	changed.Name = "Store"
	changed, err = as.Update(t.Context(), changed)
	if err != nil || changed.Version != 2 || changed.Name != "Store" || changed.Threshold != 0.25 || !changed.CreatedAt.Equal(made.CreatedAt) {
		t.Errorf("Update = %+v, %v, want the new name at version 2", changed, err)
	}
	made.Name = "Boutique"
	if _, err := as.Update(t.Context(), made); !errors.Is(err, agent.ErrVersion) || !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), made.ID) {
		t.Errorf("Update from version 1 = error %v, want %v that names the agent", err, agent.ErrVersion)
	}
	page, err := as.List(t.Context(), store.Page{})
	if err != nil || len(page.Data) != 2 || page.Data[0].ID != made.ID || page.Data[1].ID != born.ID {
		t.Errorf("List = %+v, %v, want the newest first", page.Data, err)
	}

	d.put(t, knowledge.Document{AgentID: made.ID, Text: "The password is on the receipt."})
	reply, err := d.Agent(d.company, made.ID).Ask(t.Context(), agent.Message{Text: "Where is the password?"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := as.Delete(t.Context(), ""); !errors.Is(err, store.ErrConflict) || errors.Is(err, agent.ErrVersion) {
		t.Errorf("Delete of the default agent = error %v, want %v", err, store.ErrConflict)
	}
	gone, err := as.Delete(t.Context(), made.ID)
	if want := (agent.Deleted{ID: made.ID, Versions: 1, Passages: 1, Conversations: 1, Messages: 2, Revision: gone.Revision, DeletedAt: gone.DeletedAt}); err != nil || gone != want ||
		gone.DeletedAt.IsZero() || gone.Revision <= reply.KnowledgeRevision {
		t.Errorf("Delete = %+v, %v, want %+v at a later revision", gone, err, want)
	}
	if _, err := d.conversations().Get(t.Context(), reply.ConversationID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the conversation of a deleted agent: error %v, want %v", err, store.ErrNotFound)
	}
	if found, err := d.knowledge().Search(t.Context(), knowledge.Query{Text: "password"}); err != nil || len(found.Hits) != 0 {
		t.Errorf("Search = %d hits, %v, want none of a deleted agent's documents", len(found.Hits), err)
	}
	if _, err := d.Agent(d.company, made.ID).Ask(t.Context(), agent.Message{Text: "Hm?"}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Ask of a deleted agent = error %v, want %v", err, store.ErrNotFound)
	}
	var types []event.Type
	for _, ev := range d.events(t) {
		if ev.Stream == made.ID {
			types = append(types, ev.Type)
			if ev.Sequence != int64(len(types)) || ev.Refs.AgentID != made.ID {
				t.Errorf("event %+v, want number %d of the agent", ev, len(types))
			}
		}
	}
	if want := []event.Type{event.AgentCreated, event.AgentUpdated, event.AgentDeleted}; !slices.Equal(types, want) {
		t.Errorf("events = %v, want %v", types, want)
	}
}

// To a company, another one's ids have never existed: every call says the same
// as for an id that nobody has.
func TestStrangers(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	theirs, err := d.companies.Create(t.Context(), "Stranger")
	if err != nil {
		t.Fatal(err)
	}
	reply := d.ask(t, agent.Message{Text: "When do you open on weekdays?"})
	document := reply.Citations[0].DocumentID
	user := d.messages(t, reply.ConversationID)[0]
	const question = "When do you open on weekdays?"

	as, cs, kb := d.Agents(theirs.ID), d.Conversations(theirs.ID), d.library.Company(theirs.ID)
	text := "Closed."
	for _, tt := range []struct {
		name   string
		id     string // of the first company's
		nobody string // an id of the same kind that nothing has
		call   func(id string) error
	}{
		{"Ask of an agent", reply.AgentID, nobody("agt"), func(id string) error {
			_, err := d.Agent(theirs.ID, id).Ask(t.Context(), agent.Message{Text: question})
			return err
		}},
		{"Stream of an agent", reply.AgentID, nobody("agt"), func(id string) error {
			_, err := stream(t, d.Agent(theirs.ID, id), agent.Message{Text: question})
			return err
		}},
		{"Ask in a conversation", reply.ConversationID, nobody("conv"), func(id string) error {
			_, err := d.Agent(theirs.ID, "").Ask(t.Context(), agent.Message{Text: question, ConversationID: id})
			return err
		}},
		{"Agents.Get", reply.AgentID, nobody("agt"), func(id string) error { _, err := as.Get(t.Context(), id); return err }},
		{"Agents.Update", reply.AgentID, nobody("agt"), func(id string) error {
			_, err := as.Update(t.Context(), agent.Agent{ID: id, Settings: agent.Settings{Name: "Mine"}, Version: 1})
			return err
		}},
		{"Agents.Patch", reply.AgentID, nobody("agt"), func(id string) error {
			_, err := as.Patch(t.Context(), id, agent.SettingsPatch{Name: &text}, 0)
			return err
		}},
		{"Agents.Delete", reply.AgentID, nobody("agt"), func(id string) error { _, err := as.Delete(t.Context(), id); return err }},
		{"Conversations.Get", reply.ConversationID, nobody("conv"), func(id string) error { _, err := cs.Get(t.Context(), id); return err }},
		{"Conversations.Messages", reply.ConversationID, nobody("conv"), func(id string) error {
			_, err := cs.Messages(t.Context(), id, store.Page{})
			return err
		}},
		{"Conversations.Delete", reply.ConversationID, nobody("conv"), func(id string) error { _, err := cs.Delete(t.Context(), id); return err }},
		{"Conversations.Message", user.ID, nobody("msg"), func(id string) error { _, err := cs.Message(t.Context(), id); return err }},
		{"Conversations.Message of a reply", reply.ID, nobody("msg"), func(id string) error { _, err := cs.Message(t.Context(), id); return err }},
		{"Start in a conversation", reply.ConversationID, nobody("conv"), func(id string) error {
			_, err := d.Agent(theirs.ID, "").Start(t.Context(), agent.Message{Text: question, ConversationID: id})
			return err
		}},
		{"Conversations.Find in a conversation", reply.ConversationID, nobody("conv"), func(id string) error {
			_, err := cs.Find(t.Context(), agent.MessageFilter{ConversationID: id}, store.Page{})
			return err
		}},
		{"Conversations.Find of an agent", reply.AgentID, nobody("agt"), func(id string) error {
			_, err := cs.Find(t.Context(), agent.MessageFilter{AgentID: id}, store.Page{})
			return err
		}},
		{"Conversations.Wait", reply.ID, nobody("msg"), func(id string) error { _, err := cs.Wait(t.Context(), id); return err }},
		{"Conversations.State", reply.ID, nobody("msg"), func(id string) error { _, err := cs.State(t.Context(), id); return err }},
		{"Conversations.Running", reply.ID, nobody("msg"), func(id string) error { _, err := cs.Running(t.Context(), id); return err }},
		{"Conversations.Cancel", reply.ID, nobody("msg"), func(id string) error { _, err := cs.Cancel(t.Context(), id); return err }},
		{"Conversations.PutFeedback", reply.ID, nobody("msg"), func(id string) error {
			_, err := cs.PutFeedback(t.Context(), agent.Feedback{MessageID: id, Rating: agent.RatingUp})
			return err
		}},
		{"Conversations.Explain", reply.ID, nobody("msg"), func(id string) error { _, err := cs.Explain(t.Context(), id); return err }},
		{"Knowledge.Get", document, nobody("doc"), func(id string) error { _, err := kb.Get(t.Context(), id); return err }},
		{"Knowledge.Text", document, nobody("doc"), func(id string) error { _, err := kb.Text(t.Context(), id, 0); return err }},
		{"Knowledge.Text of a version", document, nobody("doc"), func(id string) error { _, err := kb.Text(t.Context(), id, 1); return err }},
		{"Knowledge.Patch", document, nobody("doc"), func(id string) error {
			_, err := kb.Patch(t.Context(), id, knowledge.Patch{Text: &text})
			return err
		}},
		{"Knowledge.Put", document, nobody("doc"), func(id string) error {
			_, err := kb.Put(t.Context(), knowledge.Document{ID: id, Text: text})
			return err
		}},
		{"Knowledge.Delete", document, nobody("doc"), func(id string) error { _, err := kb.Delete(t.Context(), id); return err }},
		{"Knowledge.Put for an agent", reply.AgentID, nobody("agt"), func(id string) error {
			_, err := kb.Put(t.Context(), knowledge.Document{AgentID: id, Text: text})
			return err
		}},
	} {
		foreign, unknown := tt.call(tt.id), tt.call(tt.nobody)
		if !errors.Is(foreign, store.ErrNotFound) || !errors.Is(unknown, store.ErrNotFound) {
			t.Errorf("%s = %v, and %v for an id that nothing has, want %v", tt.name, foreign, unknown, store.ErrNotFound)
			continue
		}
		if got, want := strings.ReplaceAll(foreign.Error(), tt.id, "ID"), strings.ReplaceAll(unknown.Error(), tt.nobody, "ID"); got != want {
			t.Errorf("%s = %q, want what it says of an id that nothing has, %q", tt.name, got, want)
		}
	}

	if r, err := d.Agent(theirs.ID, "").Ask(t.Context(), agent.Message{Text: question}); err != nil || r.Outcome != agent.Refuse {
		t.Errorf("the other company's agent = %s %q, %v, want a refusal", r.Outcome, r.Text, err)
	}
	if page, err := cs.List(t.Context(), agent.ConversationFilter{AgentID: reply.AgentID}, store.Page{}); err != nil || len(page.Data) != 0 {
		t.Errorf("List by another company's agent = %d, %v, want none", len(page.Data), err)
	}
	if page, err := kb.List(t.Context(), knowledge.Filter{}, store.Page{}); err != nil || len(page.Data) != 0 {
		t.Errorf("List = %d documents, %v, want none of another company's", len(page.Data), err)
	}
	if got, err := d.conversations().Get(t.Context(), reply.ConversationID); err != nil || got.Turns != 1 {
		t.Errorf("after all that the conversation is %+v, %v, want it untouched", got, err)
	}
	if got, err := d.knowledge().Text(t.Context(), document, 0); err != nil || got != hours.Text {
		t.Errorf("after all that the document says %q, %v, want it untouched", got, err)
	}
}

// nobody returns an id that nothing has.
func nobody(kind string) string { return kind + "_01999999999999999999999999" }

// An id of another kind or shape names nothing, and the error repeats no more of
// it than needed.
func TestIDsOfAnotherKind(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	reply := d.ask(t, agent.Message{Text: "When do you open on weekdays?"})
	for _, id := range []string{reply.ID, "doc_1", "'; --", "\x00", "\xff\xfe", strings.Repeat("ö", 1<<12), " "} {
		for name, call := range map[string]func() error{
			"Agent.Ask":              func() error { _, err := d.Agent(d.company, id).Ask(t.Context(), agent.Message{Text: "?"}); return err },
			"Conversations.Get":      func() error { _, err := d.conversations().Get(t.Context(), id); return err },
			"Conversations.Messages": func() error { _, err := d.conversations().Messages(t.Context(), id, store.Page{}); return err },
			"Conversations.Delete":   func() error { _, err := d.conversations().Delete(t.Context(), id); return err },
			"Conversations.List": func() error {
				_, err := d.conversations().List(t.Context(), agent.ConversationFilter{AgentID: id}, store.Page{})
				return err
			},
			"Explain of a message": func() error {
				_, err := d.conversations().Explain(t.Context(), strings.TrimPrefix(id, "msg_"))
				return err
			},
			"Knowledge.Get":    func() error { _, err := d.knowledge().Get(t.Context(), id); return err },
			"Knowledge.Delete": func() error { _, err := d.knowledge().Delete(t.Context(), id); return err },
		} {
			if err := call(); !errors.Is(err, store.ErrNotFound) || len(err.Error()) > 300 {
				t.Errorf("%s(%.40q) = error %.400v, want %v in few words", name, id, err, store.ErrNotFound)
			}
		}
	}
}
