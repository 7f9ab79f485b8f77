package probe

import (
	"strconv"
	"strings"
)

// Printable is text of another program or host, with all that a terminal would obey as it
// is written in Go.
func Printable(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
