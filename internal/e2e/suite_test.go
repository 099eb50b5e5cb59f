package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/server"
)

// A way is how calls reach a desk.
type way string

const (
	inProcess way = "in process"       // by server.Client
	network   way = "over the network" // by client.New
)

// A suite is a desk that is served in one of the ways.
type suite struct {
	*testing.T
	way      way
	contract *contract
	place    string
	opts     *answerdesk.Options
	desk     *answerdesk.Desk
	served   *server.Server
	url      string // over the network
	admin    *caller
	stop     func()
}

// begin opens the suite's desk in a new place. It is closed when the test ends.
func (s *suite) begin(opts *answerdesk.Options) {
	s.Helper()
	if opts == nil {
		opts = &answerdesk.Options{Answerer: newCallsTools()}
	}
	s.opts, s.place = opts, newPlace(s)
	s.open()
	s.Cleanup(func() { s.stop() })
	_, secret, err := s.desk.Keys().Create(s.Context(), access.NewKey{Name: "Admin", Scope: access.ScopeFull, Plan: access.PlanUnlimited})
	if err != nil {
		s.Fatal(err)
	}
	s.admin = s.caller(secret)
}

func (s *suite) open() {
	s.Helper()
	desk := openWith(s, s.place, s.opts)
	s.desk, s.served = desk.Desk, server.New(desk.Desk, &server.Options{Version: "test"})
	closeServer := func() {}
	if s.way == network {
		ts := httptest.NewServer(s.served)
		s.url = ts.URL
		closeServer = func() {
			ts.CloseClientConnections()
			ts.Close()
		}
	}
	s.stop = func() {
		closeServer()
		if err := desk.Close(); err != nil {
			s.Error(err)
		}
	}
}

// restart closes the desk and opens its store again, as another process would.
// Callers are to be made anew.
func (s *suite) restart() {
	s.Helper()
	s.stop()
	s.open()
	s.admin = s.caller(s.admin.secret)
}

// ok returns what a call returned, and ends the test if that is an error.
func ok[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// A scene is a session of callers with a desk, which it begins with
// [suite.begin].
type scene struct {
	name string
	play func(*suite)
}

// scenes are all that the suite plays, in every way.
var scenes = []scene{
	{"agents", playAgents},
	{"settings of agents", playSettings},
	{"attachments", playAttachments},
	{"messages", playMessages},
	{"streams", playStreams},
	{"cancel", playCancel},
	{"tool calls", playToolCalls},
	{"digits", playDigits},
	{"streams of models", playResumedModel},
	{"in line", playInLine},
	{"documents", playDocuments},
	{"files", playFiles},
	{"versions", playVersions},
	{"replies of a document", playReplies},
	{"users", playUsers},
	{"websites", playWebsites},
	{"API sources", playAPISources},
	{"an agent of a website", playAgentOfWebsite},
	{"training", playTraining},
	{"a run as it goes", playRun},
	{"qa pairs", playQAPairs},
	{"content", playContent},
	{"bulk", playBulk},
	{"keys", playKeys},
	{"companies", playCompanies},
	{"audit log", playAudit},
	{"lists", playLists},
	{"gzip", playGzip},
	{"json", playJSON},
	{"paths", playPaths},
	{"operations", playOperations},
	{"repetitions", playRepetitions},
	{"attached", playAttached},
	{"races", playRaces},
	{"refusals", playRefusals},
}

// beyond are statuses that are in the contract and that no session brings about,
// each with the reason.
var beyond = map[sighting]string{
	{"updateAgentSettings", http.StatusConflict}: "a version that has moved is 412, and changes that meet go side by side",
	{"updateAPISource", http.StatusConflict}:     "as above",
	{"updateWebsite", http.StatusConflict}:       "two changes without If-Match must meet between a read and a write",
}

// Every operation of the contract is called in every way, and request and answer
// are what the contract says. A status that it has for an operation is seen at
// least once.
func TestEveryOperation(t *testing.T) {
	for _, w := range []way{inProcess, network} {
		t.Run(string(w), func(t *testing.T) {
			t.Parallel()
			c := newContract(t)
			played := 0
			t.Run("scenes", func(t *testing.T) {
				for _, sc := range scenes {
					t.Run(sc.name, func(t *testing.T) {
						played++
						sc.play(&suite{T: t, way: w, contract: c})
					})
				}
			})
			if played < len(scenes) {
				t.Logf("%d of %d scenes were played: the contract is not compared as a whole", played, len(scenes))
				return
			}
			c.complete(t, w)
		})
	}
}

// complete reports what the contract has and nobody has seen, and what is said to
// be out of reach and is not, or is not in the contract any more.
func (c *contract) complete(t *testing.T, w way) {
	t.Helper()
	unused := maps.Clone(beyond)
	for _, o := range c.operations {
		for _, status := range o.statuses() {
			if status == http.StatusUnauthorized && w == inProcess {
				continue // the program itself says who calls
			}
			s := sighting{o.id, status}
			switch _, never := beyond[s]; {
			case never && !c.seen[s]:
				delete(unused, s)
			case !never && !c.seen[s]:
				t.Errorf("no session saw %s answer with %d, which the contract has", o.id, status)
			}
		}
	}
	for s := range unused {
		t.Errorf("%s with %d was seen, or is not in the contract: take it off the list of what is out of reach", s.operation, s.status)
	}
}
