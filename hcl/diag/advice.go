package diag

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// advice is an error of a value with what to write in its place.
type advice struct {
	error
	help string
}

func (a advice) Error() string { return a.error.Error() + ": " + a.help }
func (a advice) Unwrap() error { return a.error }

// Advise adds to an error of a value what to write in its place, as in "write 90s, 15m or
// 2d": one sentence, in the form of Go's errors. It is for UnmarshalText of types; [From]
// shows the two apart.
func Advise(err error, help string, args ...any) error {
	if len(args) > 0 {
		help = fmt.Sprintf(help, args...)
	}
	return advice{err, help}
}

// From makes the diagnostic of an error, whose text it makes a sentence.
func From(code string, at hcl.Range, summary string, err error) *hcl.Diagnostic {
	what, help := err.Error(), ""
	var a advice
	if errors.As(err, &a) {
		if before, ok := strings.CutSuffix(what, ": "+a.help); ok {
			what, help = before, sentence(a.help)
		}
	}
	return Help(Error(code, at, summary, "%s", sentence(what)), "%s", help)
}

// sentence makes a sentence of a text. One that begins with a value, such as an address, keeps it as
// it is written.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.TrimSuffix(s, ".") + "."
	if first, _, _ := strings.Cut(s, " "); strings.ContainsAny(strings.TrimRight(first, ".,:"), "0123456789:./_") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
