package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A page of the manual: a heading, paragraphs, a list, and on every third page a
// table of three columns.
type page struct {
	title      string
	paragraphs []string
	items      []string
	rows       [][]string
}

// title is the heading of page n, counted from 0. It is one of a kind.
func title(n int) string { return fmt.Sprintf("Chapter%dx settings", n+1) }

// words are what the manual is made of: short ones, and long ones made of them.
var words = strings.Fields(`a account add address after agent all and any as at be before between billing by can change check choose
	click code company contact customer data date day default delete device each email enter error export field file find first for from get
	group has have help how if in invoice is it its key language last later limit link list log message minute month more must name need new next no
	not number of off on once one open or order other out page password pay people period plan price printer product query read region remove
	reply report request reset return role row rule save search see select send server service set setting shows sign size so some start state stop
	store sync system table text that the their them then there these they this ticket time to tool turn two type under until update upload use user
	value version view wait was web week when where which who will with within work year you your zone`)

// manual returns so many pages of made-up text, the same ones each time.
func manual(pages int) []page {
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		w := words[r.IntN(len(words))]
		if r.IntN(6) == 0 {
			w += words[r.IntN(len(words))] // so that the vocabulary is as large as a real one
		}
		return w
	}
	sentence := func(n int) string {
		var list []string
		for range n {
			list = append(list, word())
		}
		s := strings.Join(list, " ")
		return strings.ToUpper(s[:1]) + s[1:] + "."
	}
	out := make([]page, pages)
	for i := range out {
		p := page{title: title(i)}
		for range 5 {
			var s []string
			for range 5 {
				s = append(s, sentence(8+r.IntN(12)))
			}
			p.paragraphs = append(p.paragraphs, strings.Join(s, " "))
		}
		for range 4 {
			p.items = append(p.items, sentence(5))
		}
		if i%3 == 0 {
			for range 6 {
				p.rows = append(p.rows, []string{word(), word() + " " + word(), fmt.Sprint(r.IntN(1000))})
			}
		}
		out[i] = p
	}
	return out
}
