package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/answerdesk-go/answerdesk/client/api"
)

// Of texts that are changed at the same moment, one stands and the others are told
// so; changes of other fields go side by side.
func playRaces(s *suite) {
	s.begin(nil)
	x := furnish(s.admin, s.desk.ID(), "cuckoo")
	for _, n := range []struct{ method, path, field string }{
		{"PATCH", "/v1/knowledge/documents/" + x.document, "text"},
		{"PUT", "/v1/content/" + x.content, "content"},
		{"PATCH", "/v1/knowledge/qa-pairs/" + x.qa, "answer"},
	} {
		lost := 0
		for round := 0; round < 100 && lost == 0; round++ {
			var each atomic.Int64
			answers := atOnce(8, func() *answer {
				text := strings.Repeat(fmt.Sprintf("Text %d of round %d. ", each.Add(1), round), 100)
				return s.admin.send(request{method: n.method, path: n.path, body: fields{n.field: text}})
			})
			won := 0
			for _, a := range answers {
				switch {
				case a.status == http.StatusOK:
					won++
				case a.status == http.StatusConflict && a.code() == "conflict":
					lost++
				default:
					s.Errorf("%s %s = %d %s, want it to be changed or told of the other change", n.method, n.path, a.status, a.body)
				}
			}
			if won == 0 {
				s.Errorf("none of eight changes of %s was made", n.path)
			}
		}
		if lost == 0 {
			s.Errorf("eight changes of %s at once never met", n.path)
		}
	}

	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	var each atomic.Int64
	for _, a := range atOnce(len(names), func() *answer {
		name := names[each.Add(1)-1]
		return s.admin.send(request{method: "PATCH", path: "/v1/knowledge/documents/" + x.document, body: fields{"metadata": fields{name: true}}})
	}) {
		if a.status != http.StatusOK {
			s.Errorf("one of eight changes to other metadata = %d %s", a.status, a.body)
		}
	}
	doc := ok(s.admin.Knowledge.Documents.Get(s.Context(), x.document))(s)
	for _, name := range names {
		if doc.Metadata[name] != true {
			s.Errorf("the metadata is %v, want all of %v", doc.Metadata, names)
		}
	}
	patches := []api.AgentSettingsPatch{{Name: new("Zoe")}, {}}
	patches[1].Threshold.Set(0.125)
	each.Store(0)
	for _, a := range atOnce(len(patches), func() *answer {
		return s.admin.send(request{method: "PUT", path: "/v1/agents/" + x.agent + "/settings", body: patches[each.Add(1)-1]})
	}) {
		if a.status != http.StatusOK {
			s.Errorf("one of two changes to other settings = %d %s", a.status, a.body)
		}
	}
	if got := ok(s.admin.Agents.Settings(s.Context(), x.agent))(s); got.Name != "Zoe" || got.Threshold != 0.125 {
		s.Errorf("the settings are %+v, want both changes", got)
	}
}
