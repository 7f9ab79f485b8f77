package mistakes

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// What becomes of a mistake.
const (
	Error   = "error"
	Warning = "warning"
	Same    = "same"    // the same tree and the same plan
	Differs = "differs" // another tree or another plan
)

// Outcomes are all of them, in the order of the table.
var Outcomes = []string{Error, Warning, Same, Differs}

// A Result is what nbr says of a mistake.
type Result struct {
	*Mistake
	Outcome string
	Diags   hcl.Diagnostics
	Spec    *service.Spec // nil after an error
	// Wrong is what nbr does wrong, in sentences.
	Wrong []string
	// Tree is the same for the same modules, but for the comments in them.
	Tree string
}

// Judge loads the spec with the mistake in it.
func (m *Mistake) Judge(reg *service.Registry) (r *Result) {
	r = &Result{Mistake: m}
	defer func() {
		if p := recover(); p != nil {
			r.Wrong = append(r.Wrong, fmt.Sprintf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	spec, diags := reg.Load(m.Files(), nil)
	for _, d := range diags {
		if !m.Base.told[tells(d)] {
			r.Diags = append(r.Diags, d)
		}
	}
	r.Wrong = append(r.Wrong, m.astray(r.Diags)...)
	if diags.HasErrors() {
		r.Outcome = Error
		return r
	}
	r.Spec = spec
	made := sign(spec)
	r.Tree = made.tree()
	foreign := m.Base.made.foreign(made, m)
	switch {
	case len(r.Diags) > 0:
		r.Outcome = Warning
	case foreign == nil:
		r.Outcome = Same
	default:
		r.Outcome = Differs
	}
	if len(foreign) > 0 {
		r.Wrong = append(r.Wrong, "what changes is not the block's: "+strings.Join(foreign, "; "))
	}
	return r
}

// refused are the codes of values that are wrong by themselves, whatever the rest of the spec is.
var refused = []string{
	"bad-value", "bad-name", "block-labels", "duplicate", "missing-argument", "needs-key", "no-such-reference", "not-a-list", "not-a-reference",
	"syntax", "unsupported-argument", "unsupported-block", "wrong-reference",
}

// astray are the diagnostics that are not about the mistake. After an error that refuses what has
// been written every other error is one that follows from it. Else a diagnostic points at the
// edited block or at one that has to do with it, or it is about the router as a whole.
func (m *Mistake) astray(diags hcl.Diagnostics) (out []string) {
	said := slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool {
		return d.Severity == hcl.DiagError && m.written(d.Subject) && slices.Contains(refused, diag.Code(d))
	})
	for _, d := range diags {
		switch {
		case said && d.Severity == hcl.DiagError && !m.written(d.Subject):
			out = append(out, fmt.Sprintf("it follows from another error: %s [%s]", d, diag.Code(d)))
		case !said && !m.concerns(d):
			out = append(out, fmt.Sprintf("it is about something else: %s [%s]", d, diag.Code(d)))
		}
	}
	return out
}

// written tells whether a range is in what has been written, or is the line that it is in.
func (m *Mistake) written(r *hcl.Range) bool {
	return r != nil && r.Filename == m.File && m.With != "" && r.Start.Byte < m.At.Start.Byte+len(m.With) && r.End.Byte > m.At.Start.Byte
}

// whole are the codes of what is concluded from all of the spec.
var whole = []string{
	"dns64-untranslated", "exporter-of-nothing", "ids-no-home", "names-without-zone", "nat64-uplink", "no-default-route", "no-dns-zone", "no-name-servers", "no-zone-server", "open-resolver", "out-of-reach", "own-policy-idle", "own-service-closed", "peer-silent", "relay-without-route", "transfer-without-server", "unused", "uplink-alone", "uplink-prefix", "uplink-route", "v6-only-untranslated", "vrf-policy", "zigbee-far", "zigbee-user", "zone-not-public",
}

// concerns tells whether a diagnostic can be about the mistake.
func (m *Mistake) concerns(d *hcl.Diagnostic) bool {
	typ, name, _ := strings.Cut(m.Addr, ".")
	names := func(word string) bool { return word != "" && strings.Contains(d.Detail, strconv.Quote(word)) }
	if d.Subject == nil || typ == "router" || slices.Contains(whole, diag.Code(d)) || names(typ) || names(name) {
		return true
	}
	near := m.Base.near(m.Addr)
	at := []hcl.Range{*d.Subject}
	for _, o := range diag.Others(d) {
		at = append(at, o.Range)
	}
	return slices.ContainsFunc(at, func(r hcl.Range) bool {
		addr := m.Base.blockAt(r.Filename, m.before(r.Filename, r.Start.Line))
		return near[addr] || strings.HasPrefix(addr, "router.")
	})
}

// before is where a line was before the edit.
func (m *Mistake) before(file string, line int) int {
	shift := strings.Count(m.With, "\n") - (m.At.End.Line - m.At.Start.Line)
	if file != m.File || line <= m.At.Start.Line {
		return line
	}
	return max(line-shift, m.At.Start.Line)
}

// signature is what a spec becomes: the lines of its modules and its checks, each with the
// addresses of the blocks that it is of.
type signature []signed

type signed struct{ text, addr string }

func sign(spec *service.Spec) signature {
	var out signature
	for _, f := range spec.Modules() {
		src, origins := f.Module.Print()
		for i, line := range strings.Split(strings.TrimSuffix(string(src), "\n"), "\n") {
			o := origins[i]
			if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "# ") {
				out = append(out, signed{f.Name + ": " + line, o.Addr})
			}
		}
	}
	plan := spec.Plan()
	if len(plan.Checks) == 0 {
		return out
	}
	results, err := verify.Eval(plan, &state.State{})
	if err != nil {
		panic(err)
	}
	for _, r := range results {
		var asks []string
		for _, q := range r.Asks {
			asks = append(asks, q.Probe+" "+q.Key)
		}
		out = append(out, signed{fmt.Sprintf("check %s: %s: %s: %v %v", r.ID, r.Title, r.Want, asks, r.Needs), r.Block()})
	}
	return out
}

// tree is the sum of the lines of the modules.
func (s signature) tree() string {
	h := sha256.New()
	for _, l := range s {
		if !strings.HasPrefix(l.text, "check ") {
			h.Write([]byte(eachLineOf(l.text, func(file string, _ int) string { return file }) + "\n"))
		}
	}
	return string(h.Sum(nil))
}

var lineOf = regexp.MustCompile(`[\w.-]+\.hcl:\d+`)

// eachLineOf replaces what names a line of a spec. Few texts do, and the others are not searched.
func eachLineOf(text string, by func(file string, line int) string) string {
	if !strings.Contains(text, ".hcl:") {
		return text
	}
	return lineOf.ReplaceAllStringFunc(text, func(at string) string {
		file, line, _ := strings.Cut(at, ":")
		n, _ := strconv.Atoi(line)
		return by(file, n)
	})
}

// foreign tells in what another spec is not the same, and is nil if it is. What is of the edited
// block is left out: an empty list that is not nil says that it is all of that block.
func (s signature) foreign(o signature, m *Mistake) []string {
	back := func(text string) string { // the places of an edited file as they were
		return eachLineOf(text, func(file string, line int) string { return fmt.Sprintf("%s:%d", file, m.before(file, line)) })
	}
	counts := map[string]int{}
	for _, l := range s {
		counts[l.text]++
	}
	var changed []signed
	order := len(s) != len(o)
	for i, l := range o {
		text := back(l.text)
		order = order || s[i].text != text
		if counts[text]--; counts[text] < 0 {
			changed = append(changed, signed{"+ " + text, l.addr})
		}
	}
	for _, l := range s {
		if counts[l.text]--; counts[l.text] >= 0 {
			changed = append(changed, signed{"- " + l.text, l.addr})
		}
	}
	if len(changed) == 0 {
		if order {
			return []string{} // the same in another order
		}
		return nil
	}
	if slices.ContainsFunc(changed, func(l signed) bool { return m.owns(l.addr) }) {
		return []string{}
	}
	if slices.ContainsFunc(changed, func(l signed) bool { return l.addr == "" }) {
		return []string{} // a text that has no places, as the file of FRR
	}
	var out []string
	for _, l := range changed {
		out = append(out, fmt.Sprintf("%s (%s)", l.text, l.addr))
	}
	return out[:min(len(out), 5)]
}

// owns tells whether what is of an address may change: that of a block that has to do with the
// edited one.
func (m *Mistake) owns(addr string) bool {
	addr = top(strings.TrimPrefix(addr, "extra of "))
	typ, _, _ := strings.Cut(m.Addr, ".")
	return addr != "" && (m.Base.near(m.Addr)[addr] || strings.HasPrefix(addr, typ+".") || strings.Contains(m.With, addr))
}
