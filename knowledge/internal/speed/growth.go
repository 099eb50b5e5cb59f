//go:build unix

package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// A size is what an index of some passages takes.
type size struct {
	Passages int
	Text     int64         // bytes
	CPU      time.Duration // to build it
	Query    time.Duration // CPU of a question with an agent and a filter
	Memory   int64         // bytes, as the index counts them
	Disk     int64         // bytes of the snapshot
}

// growth lets an index grow, and measures it at each size. Beyond the documents of
// the file it makes more of halves of two of them: as many words, and most of them as
// frequent, as if there were more.
func growth() (list []size, err error) {
	texts, err := asked()
	if err != nil {
		return nil, err
	}
	var docs []document
	for d, err := range read(*documents) {
		if err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	if len(docs) < 2 {
		return nil, fmt.Errorf("%s has too few documents", *documents)
	}
	x := index.New(nil)
	var at size
	for s := range strings.SplitSeq(*sizes, ",") {
		want, err := strconv.Atoi(s)
		if err != nil || want <= at.Passages {
			return nil, fmt.Errorf("-sizes: %q is no number that is more than the one before", s)
		}
		for at.Passages < want {
			var changes []index.Change
			for range min(batch, want-at.Passages) {
				d := docs[at.Passages%len(docs)]
				if at.Passages >= len(docs) {
					d = recombined(docs, at.Passages)
				}
				changes = append(changes, put(at.Passages, d))
				at.Text += int64(len(d.title) + len(d.text))
				at.Passages++
			}
			begun := cpu()
			x.Apply(changes)
			at.CPU += cpu() - begun
		}
		begun := cpu()
		maintain(x)
		at.CPU += cpu() - begun
		at.Query = timed(x, texts, narrow, *rounds).CPU / time.Duration(len(texts))
		at.Memory = x.Bytes()
		var n counter
		if err := x.Snapshot(&n, nil); err != nil {
			return nil, err
		}
		at.Disk = int64(n)
		list = append(list, at)
	}
	return list, nil
}

// recombined is document n: the first half of one and the second half of another.
func recombined(docs []document, n int) document {
	a, b := docs[n*7919%len(docs)], docs[(n*104729+n/len(docs))%len(docs)]
	return document{fmt.Sprint(a.id, "+", n), a.title, half(a.text, false) + half(b.text, true)}
}

// half returns the part of a text before the space nearest after its middle, or the
// one from there on.
func half(text string, second bool) string {
	at := len(text)
	if i := strings.IndexByte(text[len(text)/2:], ' '); i >= 0 {
		at = len(text)/2 + i
	}
	if second {
		return text[at:]
	}
	return text[:at]
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }
