package e2e

import (
	"fmt"
	"maps"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/knowledge/pull"
	"github.com/answerdesk-go/answerdesk/store"
)

func (w *annals) addSource(d deed) {
	slot := d.A % sourceSlots
	if w.sources[slot] != nil || slot == 1 && w.agents[1] == "" {
		return
	}
	o := &origin{
		host: fmt.Sprintf("127.0.0.1:%d", 1024+d.N), api: slot == 2,
		barred: map[int]string{}, buried: map[string]bool{}, live: map[int]saying{},
	}
	if slot == 1 {
		o.agent = 1
	}
	pages := map[int]saying{}
	for p := range 1 + d.B%sitePages {
		pages[p] = w.saying(d.N, p)
	}
	w.web.set(o.host, pages)
	o.seen = pages
	add := func() error {
		s := knowledge.Source{URL: "http://" + o.host + "/", AgentID: w.agents[o.agent]}
		if !o.api {
			site, err := w.company.Knowledge().AddWebsite(w.ctx, knowledge.Website{Source: s})
			o.id, o.run, o.latest = site.ID, site.RunID, site.RunID
			return err
		}
		s.URL, s.Name = s.URL+"api", "API"
		source, err := w.company.Knowledge().AddAPISource(w.ctx, knowledge.APISource{Source: s, Mapping: pull.Mapping{ID: "id", Title: "title", Text: "text"}})
		o.id, o.run, o.latest = source.ID, source.RunID, source.RunID
		return err
	}
	w.sources[slot] = o
	if w.try(add, func() {
		w.sources[slot] = nil
		l, err := w.company.Knowledge().Sources(w.ctx, "", store.Page{})
		if err != nil {
			w.fail("%v", err)
		}
		for _, s := range l.Data {
			if s.URL == "http://"+o.host+"/" || s.URL == "http://"+o.host+"/api" {
				o.id, o.run, o.latest = s.ID, s.RunID, s.RunID
				w.sources[slot] = o
			}
		}
	}) {
		w.settle(o)
	}
}

// changeable returns the source of a deed, and its pages as they are now.
func (w *annals) changeable(d deed) (*origin, map[int]saying) {
	o := w.sources[d.A%sourceSlots]
	if o == nil {
		return nil, nil
	}
	if o.run != "" && o.held == nil {
		w.settle(o)
	}
	return o, w.web.pages(o.host)
}

// serve has a source serve other pages from now on.
func (w *annals) serve(o *origin, pages map[int]saying) {
	for p, said := range w.web.pages(o.host) {
		if pages[p] != said {
			o.old = append(o.old, said)
		}
	}
	w.web.set(o.host, pages)
}

func (w *annals) changePage(d deed) {
	o, pages := w.changeable(d)
	if o == nil {
		return
	}
	p := d.B % sitePages
	pages[p] = w.saying(d.N, 0)
	w.serve(o, pages)
	if why := o.barred[p]; why != "" { // the document is not to come back, whatever it says
		w.gone[pages[p].secret] = why
	}
}

// movable reports whether a text of a page may be had at another: it is there, or was
// deleted by somebody.
func (w *annals) movable(o *origin, said saying) bool {
	if o.buried[said.secret] {
		return true
	}
	_, gone := w.gone[said.secret]
	return !gone
}

func (w *annals) copyPage(d deed) {
	o, pages := w.changeable(d)
	if o == nil {
		return
	}
	from, to := d.B%sitePages, d.C%sitePages
	if said, ok := pages[from]; ok && from != to && w.movable(o, said) {
		pages[to] = said
		w.serve(o, pages)
	}
}

func (w *annals) movePage(d deed) {
	o, pages := w.changeable(d)
	if o == nil {
		return
	}
	from, to := d.B%sitePages, d.C%sitePages
	said, ok := pages[from]
	if _, taken := pages[to]; ok && !taken && w.movable(o, said) && (from != 0 || !o.api) {
		delete(pages, from)
		pages[to] = said
		w.serve(o, pages)
	}
}

func (w *annals) dropPage(d deed) {
	o, pages := w.changeable(d)
	if o == nil || o.api && len(pages) == 1 { // an API without items is not believed
		return
	}
	delete(pages, d.B%sitePages)
	w.serve(o, pages)
}

// oldPage has a page say what another one, or itself, has said before.
func (w *annals) oldPage(d deed) {
	o, pages := w.changeable(d)
	if o == nil || len(o.old) == 0 {
		return
	}
	if said := o.old[d.B%len(o.old)]; w.movable(o, said) {
		pages[d.C%sitePages] = said
		w.serve(o, pages)
	}
}

// changeSource has all pages made anew.
func (w *annals) changeSource(d deed) {
	o, _ := w.changeable(d)
	if o == nil || o.api {
		return
	}
	_, err := w.company.Knowledge().UpdateWebsite(w.ctx, o.id, knowledge.WebsitePatch{Metadata: map[string]any{"edition": d.N}})
	w.must(err)
}

// startReading queues a run of a source.
func (w *annals) startReading(d deed, o *origin) bool {
	w.settle(o)
	if w.tap.crashed() {
		return false
	}
	o.seen = w.web.pages(o.host)
	return w.try(func() error {
		r, err := w.company.Knowledge().ReadSource(w.ctx, o.id, &knowledge.RunOptions{Force: d.C%4 == 0})
		if err == nil {
			o.run, o.latest = r.ID, r.ID
		}
		return err
	}, func() {
		l, err := w.company.Knowledge().Runs(w.ctx, knowledge.RunFilter{SourceID: o.id}, store.Page{Limit: 1})
		if err != nil {
			w.fail("%v", err)
		}
		for _, r := range l.Data {
			if r.ID != o.latest { // it was queued
				o.run, o.latest = r.ID, r.ID
			}
		}
	})
}

func (w *annals) read(d deed) {
	if o := w.sources[d.A%sourceSlots]; o != nil && w.startReading(d, o) {
		w.settle(o)
	}
}

// readHeld has a source read, up to where it would stage, or publish.
func (w *annals) readHeld(d deed) {
	o := w.sources[d.A%sourceSlots]
	if o == nil {
		return
	}
	w.settle(o)
	if w.tap.crashed() {
		return
	}
	h := w.tap.hold([]string{"stage ", "end run "}[d.B%2] + o.id)
	if !w.startReading(d, o) {
		return
	}
	select {
	case <-h.came:
		o.held = h
	case <-w.tap.death:
	}
}

func (w *annals) goOn(d deed) { w.settle(w.sources[d.A%sourceSlots]) }

func (w *annals) cancel(d deed) {
	o := w.sources[d.A%sourceSlots]
	if o == nil || o.run == "" {
		return
	}
	if _, err := w.company.Knowledge().CancelRun(w.ctx, o.run); w.must(err) {
		w.settle(o)
	}
}

func (w *annals) deletePage(d deed) {
	o := w.sources[d.A%sourceSlots]
	if o == nil || len(o.live) == 0 {
		return
	}
	there := slices.Sorted(maps.Keys(o.live))
	p := there[d.B%len(there)]
	said := o.live[p]
	l, err := w.company.Knowledge().List(w.ctx, knowledge.Filter{SourceID: o.id, ExternalID: o.name(p)}, store.Page{})
	if !w.must(err) {
		return
	}
	if len(l.Data) != 1 {
		w.fail("page %d has %d documents", p, len(l.Data))
	}
	id := l.Data[0].ID
	forget := func() {
		why := fmt.Sprintf("page deleted, at %v", d)
		delete(o.live, p)
		o.barred[p] = why
		o.buried[said.secret] = true
		for secret := range w.ever[id] {
			o.buried[secret] = true
		}
		w.bury(id, "page deleted")
		served := w.web.pages(o.host)
		if next, ok := served[p]; ok { // what was not read yet is not to come
			elsewhere := false
			for q, other := range served {
				elsewhere = elsewhere || q != p && other == next
			}
			known := false
			for _, secrets := range w.ever {
				known = known || secrets[next.secret]
			}
			if !elsewhere && !known {
				w.gone[next.secret] = why
			}
		}
	}
	if w.try(func() error { _, err := w.company.Knowledge().Delete(w.ctx, id); return err }, func() {
		if l, err := w.company.Knowledge().List(w.ctx, knowledge.Filter{SourceID: o.id, ExternalID: o.name(p)}, store.Page{}); err == nil && len(l.Data) == 0 {
			forget()
		}
	}) {
		forget()
		w.glance(id, said)
	}
}

// forgetSource notes that a source was deleted with all its documents.
func (w *annals) forgetSource(slot int, why string) {
	o := w.sources[slot]
	w.sources[slot] = nil
	if o.held != nil {
		o.held.release()
	}
	for _, id := range slices.Sorted(maps.Keys(w.there)) {
		if w.of[id] == o.id {
			w.bury(id, why)
		}
	}
	for _, pages := range []map[int]saying{w.web.pages(o.host), o.seen} { // what it had not published
		for _, said := range pages {
			if _, ok := w.gone[said.secret]; !ok && !w.heldElsewhere(said.secret, "") {
				w.gone[said.secret] = fmt.Sprintf("%s, at %v", why, w.deed)
			}
		}
	}
}

func (w *annals) deleteSource(d deed) {
	slot := d.A % sourceSlots
	o := w.sources[slot]
	if o == nil {
		return
	}
	if w.try(func() error { _, err := w.company.Knowledge().DeleteSource(w.ctx, o.id); return err }, func() {
		l, err := w.company.Knowledge().Sources(w.ctx, "", store.Page{})
		if err != nil {
			w.fail("%v", err)
		}
		if !slices.ContainsFunc(l.Data, func(s knowledge.Source) bool { return s.ID == o.id }) {
			w.forgetSource(slot, "source deleted")
		}
	}) {
		w.forgetSource(slot, "source deleted")
	}
}
