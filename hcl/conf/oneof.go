package conf

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// OneOf sets dst to text if it is one of the words, and else says which there are. what
// is what the words are, as in "action": it is for UnmarshalText of types with few values.
func OneOf[T ~string](dst *T, text []byte, what string, words ...T) error {
	if !slices.Contains(words, T(text)) {
		all := make([]string, len(words))
		for i, w := range words {
			all[i] = string(w)
		}
		return diag.Advise(&notOneOf{fmt.Sprintf("%q is no %s", text, what), all}, "write %s", diag.Either(all))
	}
	*dst = T(text)
	return nil
}

// notOneOf is the error of a text that is none of some words.
type notOneOf struct {
	text  string
	words []string
}

func (e *notOneOf) Error() string { return e.text }

// Between sets dst to the whole number that text is if it is one from least to most, and else
// says so. what is what the number is, as in "keepalive", and rest is said behind the bounds, as
// in " seconds": it is for UnmarshalText of numbers.
func Between[T ~int](dst *T, text []byte, what string, least, most int, rest string) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < least || n > most {
		return fmt.Errorf("%q is no %s: %d to %d%s", text, what, least, most, rest)
	}
	*dst = T(n)
	return nil
}
