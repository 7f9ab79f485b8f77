package conf

import (
	"fmt"
	"slices"

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
		return diag.Advise(fmt.Errorf("%q is no %s", text, what), "write %s", diag.Either(all))
	}
	*dst = T(text)
	return nil
}
