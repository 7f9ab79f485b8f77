package mistakes

import (
	"fmt"
	"strconv"
	"strings"
)

// A Part is some of the mistakes, the same every time: of each edit of each attribute and block the
// Nth of every In. The parts 1 to In are all mistakes, each once.
type Part struct{ Nth, In int }

// ParsePart reads the value of NBR_MISTAKES: "1" is all mistakes, "8" one in eight and "3/8" the third
// eighth. If it is empty the part is one in so many.
func ParsePart(s string, oneIn int) (Part, error) {
	if s == "" {
		return Part{1, oneIn}, nil
	}
	nth, in, found := strings.Cut(s, "/")
	if !found {
		nth, in = "1", s
	}
	n, err := strconv.Atoi(nth)
	i, err2 := strconv.Atoi(in)
	if err != nil || err2 != nil || n < 1 || n > i {
		return Part{}, fmt.Errorf("NBR_MISTAKES=%s: want a number, or K/N with K from 1 to N", s)
	}
	return Part{n, i}, nil
}

// Whole reports whether the part is all mistakes.
func (p Part) Whole() bool { return p.In == 1 }

// Of returns the part of these mistakes.
func (p Part) Of(list []*Mistake) []*Mistake {
	n := map[string]int{}
	var out []*Mistake
	for _, m := range list {
		key := m.Path + " " + m.Edit
		if n[key]%p.In == p.Nth-1 {
			out = append(out, m)
		}
		n[key]++
	}
	return out
}
