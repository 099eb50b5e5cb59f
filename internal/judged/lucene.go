package judged

import (
	"fmt"
	"strconv"
	"strings"
)

// Lucene reads what Lucene reaches from the first table of a README.md that has a column
// for it, by the first word of each row.
func Lucene(path string) (map[string]float64, error) {
	column := -1
	figures := map[string]float64{}
	err := readLines(path, func(line string) error {
		cells := strings.Split(line, "|")
		for i, c := range cells {
			if column < 0 && strings.Contains(c, "Lucene") {
				column = i
			}
		}
		if column < 0 || column >= len(cells) {
			return nil
		}
		figure, _, _ := strings.Cut(strings.Trim(cells[column], " *"), "/")
		name, _, _ := strings.Cut(strings.TrimSpace(cells[1]), " ")
		if v, err := strconv.ParseFloat(figure, 64); err == nil && figures[name] == 0 {
			figures[name] = v
		}
		return nil
	})
	if err == nil && len(figures) == 0 {
		err = fmt.Errorf("%s: no table with a column for Lucene", path)
	}
	return figures, err
}
