// Package diag makes, orders and prints diagnostics. Every diagnostic of nbr
// has a code that does not change between releases, says where it is, what is
// wrong and what to do; a clash also names the other place.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
)

// Related is another place that a diagnostic speaks of.
type Related struct {
	Range hcl.Range
	Text  string // what is there: "also listens on tcp/22"
}

// Extra travels in hcl.Diagnostic.Extra.
type Extra struct {
	Code    string // kebab-case, stable
	Related []Related
	help    string // what to do
	fixes   []Fix
	absent  []string // types of blocks that it concludes something from the absence of
	follows bool
	hidden  bool // the text at its place must not be shown
}

// Error makes an error. The detail says what is wrong; it is a format, with its arguments
// after it. What to do is for [Help].
func Error(code string, at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return make1(hcl.DiagError, code, at, summary, detail, args)
}

// Warning makes a warning: the spec is accepted, and the reader should know.
func Warning(code string, at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return make1(hcl.DiagWarning, code, at, summary, detail, args)
}

func make1(sev hcl.DiagnosticSeverity, code string, at hcl.Range, summary, detail string, args []any) *hcl.Diagnostic {
	if len(args) > 0 {
		detail = fmt.Sprintf(detail, args...)
	}
	d := &hcl.Diagnostic{Severity: sev, Summary: summary, Detail: detail, Extra: &Extra{Code: code}}
	if at != (hcl.Range{}) {
		d.Subject = &at
	}
	return d
}

// Help says of a diagnostic what to do, and returns it. The text is whole sentences; it is
// a format, with its arguments after it. A text is added to what was said before, an empty
// one changes nothing.
func Help(d *hcl.Diagnostic, text string, args ...any) *hcl.Diagnostic {
	if len(args) > 0 {
		text = fmt.Sprintf(text, args...)
	}
	x := extra(d)
	x.help = strings.TrimSpace(x.help + " " + strings.TrimSpace(text)) // Suggest begins with a blank
	d.Extra = x
	return d
}

// HelpOf is what a diagnostic says is to be done; it may be empty.
func HelpOf(d *hcl.Diagnostic) string { return extra(d).help }

// Text is all that a diagnostic says below its summary: what is wrong, and what to do.
func Text(d *hcl.Diagnostic) string { return strings.TrimSpace(d.Detail + " " + HelpOf(d)) }

// With adds another place to a diagnostic and returns it.
func With(d *hcl.Diagnostic, at hcl.Range, text string, args ...any) *hcl.Diagnostic {
	x := extra(d)
	x.Related = append(x.Related, Related{at, fmt.Sprintf(text, args...)})
	d.Extra = x
	return d
}

// Follow is an error that only follows from another one, which has been told:
// a value that needs a bad variable, a reference to a block that could not be
// read. It stops what any error stops, and Sort drops it.
func Follow(at hcl.Range) *hcl.Diagnostic {
	d := Error("follows", at, "Follows from another error", "What this needs is not known.")
	d.Extra = &Extra{Code: "follows", follows: true}
	return d
}

// WithoutFollowUps are the diagnostics without those that only follow from others.
func WithoutFollowUps(ds hcl.Diagnostics) hcl.Diagnostics {
	return slices.DeleteFunc(slices.Clone(ds), func(d *hcl.Diagnostic) bool { return extra(d).follows })
}

// Hidden keeps the text that a diagnostic speaks of out of every output.
func Hidden(d *hcl.Diagnostic) *hcl.Diagnostic {
	extra(d).hidden = true
	return d
}

// Coded gives a code to diagnostics that come from the HCL library.
func Coded(code string, ds hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range ds {
		x := extra(d)
		if x.Code != "" {
			continue
		}
		x.Code, d.Extra = code, x
		if i := strings.Index(d.Detail, " Did you mean "); i >= 0 { // where the library suggests a name
			Help(d, "%s", d.Detail[i:])
			if d.Subject != nil {
				Replace(d, *d.Subject, Suggested(d.Detail[i:]))
			}
			d.Detail = d.Detail[:i]
		}
	}
	return ds
}

// Code is the stable code of a diagnostic.
func Code(d *hcl.Diagnostic) string { return extra(d).Code }

// Others are the other places that a diagnostic names.
func Others(d *hcl.Diagnostic) []Related { return extra(d).Related }

func extra(d *hcl.Diagnostic) *Extra {
	if x, ok := d.Extra.(*Extra); ok {
		return x
	}
	return &Extra{}
}

// Sort orders diagnostics by file, byte, severity, code and text, and drops
// those that say the same at the same place, so that two runs print the same. It
// also drops what follows from other errors.
func Sort(ds hcl.Diagnostics) hcl.Diagnostics {
	if told := WithoutFollowUps(ds); told.HasErrors() {
		ds = told // an error that nothing told stays: it must not pass for a good spec
	}
	slices.SortStableFunc(ds, func(a, b *hcl.Diagnostic) int {
		ra, rb := place(a), place(b)
		return cmp.Or(
			cmp.Compare(ra.Filename, rb.Filename),
			cmp.Compare(ra.Start.Byte, rb.Start.Byte),
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(Code(a), Code(b)),
			cmp.Compare(a.Summary, b.Summary),
			cmp.Compare(Text(a), Text(b)),
			cmp.Compare(ra.End.Byte, rb.End.Byte))
	})
	return slices.CompactFunc(ds, func(a, b *hcl.Diagnostic) bool {
		return place(a) == place(b) && a.Severity == b.Severity &&
			Code(a) == Code(b) && a.Summary == b.Summary && Text(a) == Text(b)
	})
}

func place(d *hcl.Diagnostic) hcl.Range {
	if d.Subject == nil {
		return hcl.Range{}
	}
	return *d.Subject
}

// Suggest is " Did you mean "x"?" for the nearest of the names, or nothing when
// none is near.
func Suggest(got string, names []string) string {
	best, dist := "", 3
	for _, n := range slices.Sorted(slices.Values(names)) {
		if d := levenshtein.Distance(got, n, nil); d < dist && d < max(len(n), 2) {
			best, dist = n, d
		}
	}
	if best == "" {
		return ""
	}
	if strings.Contains(best, `"`) { // vlan.v["a"] is meant to be copied
		return fmt.Sprintf(" Did you mean %s?", best)
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}

// List is the names in a sentence: "a, b and c".
func List(names []string) string { return sentenceOf(names, " and ") }

// Either is the names in a sentence where one of them is meant: "a, b or c".
func Either(names []string) string { return sentenceOf(names, " or ") }

func sentenceOf(names []string, last string) string {
	switch n := len(names); n {
	case 0:
		return "none"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + last + names[n-1]
	}
}
