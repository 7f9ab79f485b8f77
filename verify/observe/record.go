package observe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// recordLimit is more than a router with netstate.MostRoutes fills, at 130 bytes each.
const recordLimit = 256 << 20

// legible is how many routes a record has lines for people with: beyond it the blanks
// would be as much as the rest.
const legible = 10000

// Save writes a state for [Load], and fails if that is more than Load would read.
func Save(w io.Writer, st *state.State) error {
	enc := json.NewEncoder(&record{w, recordLimit})
	enc.SetEscapeHTML(false)
	if len(st.Routes) <= legible {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(st)
}

// A record takes so many bytes.
type record struct {
	io.Writer
	left int
}

func (b *record) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, fmt.Errorf("state: more than %d bytes", recordLimit)
	}
	return b.Writer.Write(p)
}

// Load reads what [Save] wrote, and nothing else: a field that it does not know may
// be the one that matters.
func Load(r io.Reader) (*state.State, error) {
	b, err := root.ReadAll(r, recordLimit)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	// The version first, since all other errors may come from it.
	var head struct {
		FormatVersion *int `json:"format_version"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, loadError(b, err)
	}
	switch v := head.FormatVersion; {
	case v == nil:
		return nil, errors.New("state: no format_version: not the record of a router")
	case *v < state.Version:
		return nil, fmt.Errorf("state: format_version is %d, and this nbr reads %d: record the router anew, with nbr observe of this version", *v, state.Version)
	case *v > state.Version:
		return nil, fmt.Errorf("state: format_version is %d, and this nbr reads %d: judge it with the nbr that recorded it, or a later one", *v, state.Version)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	st := new(state.State)
	if err := dec.Decode(st); err != nil {
		return nil, loadError(b, err)
	}
	return st, nil
}

// loadError says in which line a text is wrong. encoding/json counts bytes.
func loadError(b []byte, err error) error {
	var offset int64
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return fmt.Errorf("state: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	line := 1 + bytes.Count(b[:min(int(offset), len(b))], []byte("\n"))
	return fmt.Errorf("state: line %d: %s", line, strings.TrimPrefix(err.Error(), "json: "))
}
