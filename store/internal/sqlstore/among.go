package sqlstore

import (
	"slices"
	"strings"
)

// amongSizes are how many values a statement may look for, so that there are few
// statements. What is left of a list repeats its last value.
var amongSizes = []int{1, 8, 64}

// among runs a query for many values at a time, which stand in a list between the
// two parts of the query, behind args, and calls scan for every row.
func among(tx Tx, before, behind string, args []any, values []string, scan func(Rows) error) error {
	if len(values) == 0 {
		return nil
	}
	size := amongSizes[len(amongSizes)-1]
	for _, n := range slices.Backward(amongSizes) {
		if n >= len(values) {
			size = n
		}
	}
	var lists [][]any
	for chunk := range slices.Chunk(values, size) {
		list := slices.Grow(slices.Clone(args), size)
		for _, v := range chunk {
			list = append(list, v)
		}
		for len(list) < len(args)+size {
			list = append(list, chunk[len(chunk)-1])
		}
		lists = append(lists, list)
	}
	return tx.QueryEach(before+`(?`+strings.Repeat(`, ?`, size-1)+`)`+behind, lists, scan)
}
