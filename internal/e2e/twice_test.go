package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// write does what it is told: "put KEY STEP" and "delete ID", and says "ok ID"
// once the call has returned.
func (r role) write(ctx context.Context, in io.Reader, out io.Writer) error {
	desk, closeBoth, err := openPlace(ctx, r.Store, nil)
	if err != nil {
		return err
	}
	defer func() { _ = closeBoth() }()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		words := strings.Fields(lines.Text())
		id := words[1]
		switch words[0] {
		case "put":
			step, err := strconv.Atoi(words[2])
			if err != nil {
				return err
			}
			d, err := desk.Knowledge().Put(ctx, knowledge.Document{ExternalID: words[1], Text: Text(words[1], step)})
			if err != nil {
				return err
			}
			id = d.ID
		case "delete":
			if _, err := desk.Knowledge().Delete(ctx, words[1]); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(out, "ok", id); err != nil {
			return err
		}
	}
	return nil
}

// tell has a writer do something, and returns the id of the document once it
// has.
func (p *process) tell(format string, args ...any) (id string) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		p.t.Fatal(err)
	}
	line, err := p.out.ReadString('\n')
	id, ok := strings.CutPrefix(strings.TrimSpace(line), "ok ")
	if err != nil || !ok {
		p.t.Fatalf("the other process answered %q, %v, to %q", line, err, fmt.Sprintf(format, args...))
	}
	return id
}

// marks finds the steps that a text comes from.
var marks = regexp.MustCompile(`\bmark(\d+)\b`)

func stepsIn(text string) (out []int) {
	for _, m := range marks.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1])
		out = append(out, n)
	}
	return out
}

// eager has the default agent answer whenever it has found something.
func eager(t *testing.T, desk *answerdesk.Desk) {
	t.Helper()
	a, err := desk.Agents().Get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	a.Threshold = 1e-9
	if _, err := desk.Agents().Update(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

// textOf is all of a reply that came from documents.
func textOf(r agent.Reply) string {
	var text strings.Builder
	text.WriteString(r.Text)
	for _, c := range r.Citations {
		text.WriteString("\n" + c.Quote)
	}
	return text.String()
}

// What another process has put is what is answered as soon as its call has
// returned, and what it has deleted is not served any more.
func TestAnswersFollowAnotherProcess(t *testing.T) {
	const rounds, documents = 60, 4
	place := newPlace(t)
	desk := open(t, place)
	defer desk.Close()
	eager(t, desk.Desk)
	w := start(t, role{Do: "write", Store: place})

	// What has been acknowledged of each document: the step of its text or, once
	// it is deleted, the next one; and how often a change has begun or ended.
	var (
		mu      sync.Mutex
		least   = map[string]int{}
		live    = map[string]bool{}
		changes = map[string]int{}
		ids     = map[string]string{}
	)
	// served says what is wrong with what get serves of a document.
	served := func(key string, get func() (string, error)) (text, wrong string) {
		mu.Lock()
		from, there, changed := least[key], live[key], changes[key]
		mu.Unlock()
		text, err := get()
		if err != nil {
			return "", fmt.Sprintf("%s: %v", key, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for line := range strings.Lines(text) {
			if steps := stepsIn(line); strings.Contains(line, "code of "+key+" ") && steps[0] < from {
				return text, fmt.Sprintf("%s was served as of step %d, when step %d had been acknowledged", key, steps[0], from)
			}
		}
		if there && changed == changes[key] && changed%2 == 0 && !strings.Contains(text, mark(from)) {
			return text, fmt.Sprintf("%s was served as %q, and nothing of step %d, which had been acknowledged", key, text, from)
		}
		return text, ""
	}
	ask := func(key string) (text, wrong string) {
		return served(key, func() (string, error) {
			reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: question(key)})
			return textOf(reply), err
		})
	}
	search := func(key string) (text, wrong string) {
		return served(key, func() (string, error) {
			found, err := desk.Knowledge().Search(t.Context(), knowledge.Query{Text: question(key), Limit: 30})
			for _, h := range found.Hits {
				text += h.Text + "\n"
			}
			return text, err
		})
	}

	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	asked := make([]int, 2)
	for i := range asked { // while things change
		r := rand.New(rand.NewPCG(uint64(i), 4))
		wg.Go(func() {
			for ; ctx.Err() == nil; asked[i]++ {
				look := search // an answer writes, and so holds up the other process
				if asked[i]%200 == 0 {
					look = ask
				}
				if _, wrong := look(documentKey(r.IntN(documents))); wrong != "" {
					t.Error(wrong)
					return
				}
			}
		})
	}
	r := rand.New(rand.NewPCG(9, 4))
	deleted := 0
	for step := 1; step <= rounds && !t.Failed(); step++ {
		key := documentKey(r.IntN(documents))
		mu.Lock()
		changes[key]++
		mu.Unlock()
		remove := live[key] && r.IntN(3) == 0
		if remove {
			w.tell("delete %s", ids[key])
			deleted++
		} else {
			ids[key] = w.tell("put %s %d", key, step)
		}
		mu.Lock()
		changes[key]++
		live[key], least[key] = !remove, step
		if remove {
			least[key]++
		}
		mu.Unlock()
		text, wrong := ask(key)
		if wrong != "" {
			t.Errorf("just after: %s", wrong)
		}
		if remove {
			if strings.Contains(text, "code of "+key+" ") {
				t.Errorf("Ask(%q) = %q, of a document that was deleted", key, text)
			}
			if _, err := desk.Knowledge().Text(t.Context(), ids[key], 0); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Text(%s) = %v, want %v", ids[key], err, store.ErrNotFound)
			}
		}
	}
	stop()
	wg.Wait()
	if err := w.in.Close(); err != nil || w.wait() {
		t.Errorf("the other process did not end by itself: %v", err)
	}
	t.Logf("%d changes by the other process, %d of them deletes; %d looks meanwhile", rounds, deleted, asked[0]+asked[1])
}

// A turn that has found its passages does not serve what another process deletes
// before the turn has ended.
func TestTurnsUnderWaySeeDeletes(t *testing.T) {
	place := newPlace(t)
	drafted, deleted := make(chan bool), make(chan bool)
	var once sync.Once
	desk := openWith(t, place, &answerdesk.Options{Middleware: []agent.Middleware{
		func(next agent.TurnFunc) agent.TurnFunc {
			return func(ctx context.Context, x *agent.Exchange) (agent.Reply, error) {
				reply, err := next(ctx, x)
				once.Do(func() {
					drafted <- strings.Contains(textOf(reply), mark(1))
					<-deleted
				})
				return reply, err
			}
		},
	}})
	defer desk.Close()
	eager(t, desk.Desk)
	w := start(t, role{Do: "write", Store: place})
	id := w.tell("put gadget 1")

	replies := make(chan agent.Reply)
	go func() {
		reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: question("gadget")})
		if err != nil {
			t.Errorf("Ask: %v", err)
		}
		replies <- reply
	}()
	if !<-drafted {
		t.Error("the draft does not quote the document")
	}
	w.tell("delete %s", id)
	close(deleted)
	if reply := <-replies; reply.Outcome != agent.Refuse || len(stepsIn(textOf(reply))) > 0 {
		t.Errorf("the reply is %s %q, from a document that was deleted before the turn ended", reply.Outcome, reply.Text)
	}
	if err := w.in.Close(); err != nil || w.wait() {
		t.Errorf("the other process did not end by itself: %v", err)
	}
}
