package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// reading is a store that counts the CPU time of the process while the passages that
// were found are read. One search runs at a time here.
type reading struct {
	*sqlite.Store
	spent time.Duration
}

func (r *reading) Passages(ctx context.Context, company string, refs []knowledge.Ref) ([]knowledge.Passage, error) {
	begun := machine.CPU()
	defer func() { r.spent += machine.CPU() - begun }()
	return r.Store.Passages(ctx, company, refs)
}

// openDesk opens a desk as answerdesk.Open does.
func openDesk(ctx context.Context) (*answerdesk.Desk, *reading, error) {
	st, err := sqlite.Open(ctx, *place, nil)
	if err != nil {
		return nil, nil, err
	}
	r := &reading{Store: st}
	desk, err := answerdesk.New(ctx, r, nil)
	return desk, r, err
}

// buildDesk puts all documents, without asking anything.
func buildDesk(ctx context.Context) (f figures, err error) {
	begun := machine.CPU()
	desk, st, err := openDesk(ctx)
	if err != nil {
		return f, err
	}
	owners := map[string]string{"": ""}
	for _, name := range []string{"asking", "other"} {
		a, err := desk.Agents().Create(ctx, agent.Settings{Name: name})
		if err != nil {
			return f, err
		}
		owners[name] = a.ID
	}
	n := 0
	docs := func(yield func(knowledge.Document, error) bool) {
		for d, err := range corpus.Unpacked(*plain) {
			d.ExternalID = strconv.Itoa(n) + " " + d.ExternalID
			d.Format, d.AgentID = knowledge.Text, owners[owner(n)]
			d.Metadata = map[string]any{"section": section(n), "price": n % 100}
			n++
			if !yield(d, err) {
				return
			}
		}
	}
	for in, err := range desk.Knowledge().Ingest(ctx, docs) {
		if err = errors.Join(err, in.Err); err != nil {
			return f, err
		}
	}
	err = errors.Join(desk.Close(), st.Close(), os.WriteFile(filepath.Join(*place, "asking"), []byte(owners["asking"]), 0o600))
	f.CPU = machine.CPU() - begun
	if err == nil {
		f.Disk, err = sizeOf(*place)
	}
	return f, err
}

// searchDesk asks through everything: what is found is read from the store.
func searchDesk(ctx context.Context) (f figures, err error) {
	questions, err := textOf(*asking)
	if err != nil {
		return f, err
	}
	asker, err := os.ReadFile(filepath.Join(*place, "asking"))
	if err != nil {
		return f, err
	}
	before, err := resident()
	if err != nil {
		return f, err
	}
	begun := machine.CPU()
	desk, st, err := openDesk(ctx)
	if err != nil {
		return f, err
	}
	wide := func(text string) ([]string, error) {
		return ids(desk.Knowledge().Search(ctx, knowledge.Query{Text: text}))
	}
	if _, err := wide("open"); err != nil {
		return f, err
	}
	f.Opening = machine.CPU() - begun
	asked := 0
	narrow := func(text string) ([]string, error) {
		asked++
		return ids(ask(ctx, desk, text, string(asker)))
	}
	st.spent = 0
	if f.Narrow, err = timed(questions, narrow); err != nil {
		return f, err
	}
	f.Hydrate = st.spent / time.Duration(asked)
	if f.Wide, err = timed(questions, wide); err != nil {
		return f, err
	}
	after, err := resident()
	f.Resident = after - before
	return f, errors.Join(err, desk.Close(), st.Close())
}

// ids returns the numbers of the documents that were found.
func ids(found knowledge.Results, err error) (list []string, _ error) {
	for _, h := range found.Hits {
		n, _, _ := strings.Cut(h.ExternalID, " ")
		list = append(list, n)
	}
	return list, err
}
