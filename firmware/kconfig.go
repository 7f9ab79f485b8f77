package firmware

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/nbr-dev/nbr/router"
)

// kconfigJSON is the one table of kernel options that nbr knows. Kinds, prompts
// and existence are those of the Kconfig files of Linux 6.12 and 7.2 for arm64,
// the names of modules those of the Makefiles.
//
//go:embed kconfig.json
var kconfigJSON []byte

// An Option is an option of the kernel's configuration.
type Option struct {
	Symbol string `json:"symbol"` // without CONFIG_
	Kind   string `json:"kind"`   // bool or tristate
	Module string `json:"module"` // of a tristate, as modprobe knows it
	// First and Last are the series between which the option is known to exist;
	// zero is as far as nbr knows.
	First Series `json:"first"`
	Last  Series `json:"last"`
	// Hidden options have no prompt: they cannot be set, something else selects
	// them. Via is what to set instead.
	Hidden bool     `json:"hidden"`
	Via    []string `json:"via"`
	// Needs are the options it depends on that a kernel may lack.
	Needs []string `json:"needs"`
	For   string   `json:"for"` // what it is for
	// Needless says why setting it by hand does nothing.
	Needless string `json:"needless"`
	// Absent says why there is no such option on arm64, in no series.
	Absent string `json:"absent"`
}

// Options is the table, by symbol.
var Options = sync.OnceValue(func() map[string]*Option {
	m, err := parseOptions(kconfigJSON)
	if err != nil {
		panic("firmware: kconfig.json: " + err.Error())
	}
	return m
})

func parseOptions(data []byte) (map[string]*Option, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var list []*Option
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	m := map[string]*Option{}
	for _, o := range list {
		if m[o.Symbol] != nil {
			return nil, fmt.Errorf("%s is there twice", o.Symbol)
		}
		m[o.Symbol] = o
	}
	for _, o := range list {
		if err := o.check(m); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Symbol, err)
		}
	}
	return m, nil
}

func (o *Option) check(all map[string]*Option) error {
	if o.Absent != "" {
		if o.Kind != "" || o.For != "" || o.Needless != "" {
			return fmt.Errorf("absent, and described")
		}
		return nil
	}
	if o.Kind != "bool" && o.Kind != "tristate" {
		return fmt.Errorf("kind %q", o.Kind)
	}
	if o.For == "" || o.Kind == "bool" && o.Module != "" || o.Hidden != (len(o.Via) > 0) {
		return fmt.Errorf("incomplete or contradictory")
	}
	for _, s := range slices.Concat(o.Needs, o.Via) {
		if n := all[s]; n == nil || n.Absent != "" || n.Hidden || n.Last != (Series{}) {
			return fmt.Errorf("leans on %s, which cannot be set in every series", s)
		}
	}
	return nil
}

// In tells whether the option exists in a series.
func (o *Option) In(s Series) bool {
	return o.Absent == "" && o.First.Compare(s) <= 0 && (o.Last == Series{} || s.Compare(o.Last) <= 0)
}

// spans tells whether the option exists in all of the span.
func (o *Option) spans(s Span) bool { return o.In(s.First) && o.In(s.Last) }

// lifetime says when the option exists, for people.
func (o *Option) lifetime() string {
	switch zero := (Series{}); {
	case o.Absent != "":
		return o.Absent
	case o.First != zero && o.Last != zero:
		return fmt.Sprintf("it exists from %s to %s", o.First, o.Last)
	case o.First != zero:
		return fmt.Sprintf("it exists since %s", o.First)
	default:
		return fmt.Sprintf("the last series known to have it is %s", o.Last)
	}
}

// An Assignment sets an option of the kernel.
type Assignment struct {
	Symbol string
	Answer string         // module or yes, as lib.kernel names them
	Claim  *router.Kernel // what asked for it first
}

// KernelConfig is what to set so that every claim holds, sorted by symbol: what
// is claimed, what that needs, and instead of options that cannot be set what
// selects them. A tristate becomes a module, a bool is built in. Options in has
// are there already, and so is what they need. Claims must name options of the
// table.
func KernelConfig(claims []*router.Kernel, has []string) []Assignment {
	there := withNeeds(has)
	out := map[string]Assignment{}
	var add func(symbol string, claim *router.Kernel)
	add = func(symbol string, claim *router.Kernel) {
		if _, done := out[symbol]; done || there[symbol] {
			return
		}
		o := Options()[symbol]
		if !o.Hidden {
			answer := "yes"
			if o.Kind == "tristate" {
				answer = "module"
			}
			out[symbol] = Assignment{symbol, answer, claim}
		}
		for _, s := range slices.Concat(o.Needs, o.Via) {
			add(s, claim)
		}
	}
	for _, c := range claims {
		add(c.Symbol, c)
	}
	return slices.SortedFunc(maps.Values(out), func(a, b Assignment) int { return cmp.Compare(a.Symbol, b.Symbol) })
}

// withNeeds are options and all that they need.
func withNeeds(symbols []string) map[string]bool {
	all := map[string]bool{}
	var add func(symbols []string)
	add = func(symbols []string) {
		for _, s := range symbols {
			if !all[s] {
				all[s] = true
				add(Options()[s].Needs)
			}
		}
	}
	add(symbols)
	return all
}
