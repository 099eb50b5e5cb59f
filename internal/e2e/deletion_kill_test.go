package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A standing is what a process tells of a history before and after each deed.
type standing struct {
	Company string
	Doing   string // the deed that begins; empty: it is done
	Gone    map[string]string
	There   []string // secrets of documents that nothing is about to change
	Sites   map[string]map[int][2]string
}

// standing says how things stand.
func (w *annals) standing(doing string) standing {
	s := standing{Company: w.company.ID(), Doing: doing, Gone: w.gone, Sites: map[string]map[int][2]string{}}
	for _, e := range w.docs {
		if e != nil {
			s.There = append(s.There, e.now.secret)
		}
	}
	for _, o := range w.sources {
		if o == nil {
			continue
		}
		s.Sites[o.host] = map[int][2]string{}
		for p, said := range w.web.pages(o.host) {
			s.Sites[o.host][p] = [2]string{said.topic, said.secret}
		}
	}
	return s
}

// deletions lets a history happen, and tells how things stand, until the process is
// killed.
func (r role) deletions(ctx context.Context) (err error) {
	g, err := groundAt(ctx, r.Store)
	if err != nil {
		return err
	}
	defer g.close()
	var what string
	defer func() {
		if what != "" {
			err = errors.New(what)
		}
	}()
	defer noticed(&what)
	w := g.annals(r.Seed)
	tell := func(doing string) {
		line, err := json.Marshal(w.standing(doing))
		if err != nil {
			w.fail("%v", err)
		}
		_, _ = os.Stdout.Write(append(line, '\n')) // the test reads it, or is no more
	}
	w.begin()
	tell("")
	r.arm()
	for _, d := range newHistory(r.Seed) {
		if d.Do == "restart" {
			continue
		}
		tell(d.Do)
		w.do(d)
		tell("")
	}
	w.die()
	return nil
}

// deletionKills returns how many processes are killed in the middle of a history:
// ANSWERDESK_DELETION_KILLS, or 4.
func deletionKills() int {
	if n, err := strconv.Atoi(os.Getenv("ANSWERDESK_DELETION_KILLS")); err == nil {
		return n
	}
	return 4
}

// A process is killed at any moment of a history: what it had deleted is gone, also
// when another process goes on with what was broken off, and what it had not is there.
func TestDeletedIsGoneAfterKills(t *testing.T) {
	killed := 0
	for n := range deletionKills() {
		r := rand.New(rand.NewPCG(uint64(n), 13))
		place := newPlace(t)
		seed := uint64(n) + 1
		p := start(t, role{
			Do: "deletions", Store: place, Seed: seed, At: []string{"store.commit", "store.committed"}[r.IntN(2)], Hit: 2 + r.IntN(30),
		})
		var last standing
		for {
			line, err := p.out.ReadBytes('\n')
			if err != nil {
				break
			}
			last = standing{}
			if err := json.Unmarshal(line, &last); err != nil {
				t.Fatalf("a process wrote %q: %v", line, err)
			}
		}
		if p.wait() {
			killed++
		}
		g, err := groundAt(t.Context(), place)
		if err != nil {
			t.Fatal(err)
		}
		g.t = t
		if what := g.aftermath(seed, last); what != "" {
			t.Errorf("history %d, killed in %q: %s", seed, last.Doing, what)
		}
		if err := g.close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d processes were killed", killed, deletionKills())
	if killed == 0 {
		t.Error("no process was killed")
	}
}

// aftermath says what is not as a process has left it that was killed.
func (g *ground) aftermath(seed uint64, s standing) (what string) {
	w := g.annals(seed)
	defer w.die()
	defer noticed(&what)
	maps.Copy(w.gone, s.Gone)
	for host, pages := range s.Sites {
		served := map[int]saying{}
		for p, said := range pages {
			served[p] = saying{said[0], said[1]}
		}
		w.web.set(host, served)
	}
	for _, table := range []string{"conversations", "work_keys"} {
		if _, err := w.beside.ExecContext(w.ctx, `UPDATE `+table+` SET lease_until = 1 WHERE lease_until > 1`); err != nil {
			w.fail("%v", err)
		}
	}
	w.companyID = s.Company
	w.live()
	w.lookForGone()
	kb := w.company.Knowledge()
	runs, err := kb.Runs(w.ctx, knowledge.RunFilter{}, store.Page{Limit: store.MaxLimit})
	w.must(err)
	for _, r := range runs.Data {
		for range kb.WatchRun(w.ctx, r.ID, 0) { // to its end
		}
	}
	w.lookForGone()
	var texts strings.Builder
	docs, err := kb.List(w.ctx, knowledge.Filter{}, store.Page{Limit: store.MaxLimit})
	w.must(err)
	for _, d := range docs.Data {
		text, err := kb.Text(w.ctx, d.ID, 0)
		w.must(err)
		texts.WriteString(text)
	}
	lost := 0
	for _, secret := range s.There {
		if !strings.Contains(texts.String(), secret) {
			lost++
		}
	}
	// A deed that was broken off may have been done: at most to what it is about.
	most := map[string]int{"put": 1, "patch": 1, "roll back": 1, "bulk": 3, "delete": 1, "delete while asked": 1, "delete agent": docSlots}[s.Doing]
	if lost > most {
		w.fail("%d documents are lost, at most %d may be", lost, most)
	}
	w.die()
	w.maintain()
	if len(w.gone) > 0 {
		if found := w.remaining(slices.Collect(maps.Keys(w.gone))); len(found) > 0 {
			w.fail("pieces of what is gone are in %v", found)
		}
	}
	return ""
}
