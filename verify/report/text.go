package report

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/verify"
)

// marks are how a status looks, in colour and without.
var marks = map[verify.Status]struct{ color, mark, word string }{
	verify.Pass:    {"\x1b[32m", "✓", "pass"},
	verify.Fail:    {"\x1b[31;1m", "✗", "FAIL"},
	verify.Unknown: {"\x1b[33;1m", "?", "unknown"},
	verify.Skip:    {"\x1b[2m", "–", "skip"},
}

const off = "\x1b[0m"

// Text writes the report for people: a group a block, what is wrong first and
// with the line of the spec that promised it, and the sum last. What passes is counted, and
// so is what has the cause of another one that is shown; both are listed if all is set.
func (r *Report) Text(w *diag.Writer, all bool) error {
	var b bytes.Buffer
	groups := r.groups()
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(a.rank(), b.rank()) })
	alike := sameCause(groups)
	elsewhere := r.elsewhere()
	if elsewhere != "" {
		fmt.Fprintf(&b, "%s\n", line(elsewhere))
		if !all {
			b.WriteString("What follows from that is counted; -v lists it.\n")
		}
		b.WriteByte('\n')
	}
	shown := map[string]bool{}
	for _, g := range groups {
		fmt.Fprintf(&b, "%s: %s\n", line(g.block), g.Summary)
		results := slices.Clone(g.results)
		slices.SortStableFunc(results, byRank)
		more := map[string]int{}
		var causes []string
		for _, res := range results {
			wrong := res.Status == verify.Fail || res.Status == verify.Unknown
			key := cause(res)
			switch {
			case wrong && !all && elsewhere != "":
			case wrong && !all && alike[key] >= fewest && shown[key]:
				if more[key]++; more[key] == 1 {
					causes = append(causes, key)
				}
			case wrong:
				shown[key] = true
				fmt.Fprintf(&b, "  %s %s [%s]\n%s\n", mark(w, res.Status), line(res.Title), line(res.ID), indent(detail(w, res)))
			case all:
				fmt.Fprintf(&b, "  %s %s%s%s\n", mark(w, res.Status), line(res.Title), after(": ", clip(line(res.Got), 1)), after("; ", clip(line(res.Note), 1)))
			}
		}
		for _, key := range causes {
			i := slices.IndexFunc(results, func(res verify.Result) bool { return cause(res) == key })
			fmt.Fprintf(&b, "  %s %d more with the same: %s\n", mark(w, results[i].Status), more[key], clip(line(results[i].Got), 1))
		}
		if len(causes) > 0 {
			b.WriteByte('\n')
		}
	}
	if missed := r.missed(); len(missed) > 0 {
		gap(&b)
		b.WriteString("not looked at:\n")
		for _, m := range missed {
			fmt.Fprintf(&b, "  %s %s\n", mark(w, verify.Unknown), strings.TrimPrefix(m, "could not look at "))
		}
	}
	gap(&b)
	if n := total(alike); n > 0 && !all && elsewhere == "" {
		fmt.Fprintf(&b, "%s with a cause that is shown once; -v shows each.\n", checks(n))
	}
	fmt.Fprintf(&b, "%s: %s: %s\n", line(r.Router), checks(len(r.Results)), r.Summary())
	_, err := w.W.Write(b.Bytes())
	return err
}

// gap makes the last line an empty one.
func gap(b *bytes.Buffer) {
	if !bytes.HasSuffix(b.Bytes(), []byte("\n\n")) {
		b.WriteByte('\n')
	}
}

// fewest is how many results with one cause are shown as one.
const fewest = 3

// cause is what results of one cause have in common: what was seen in place of what was
// promised. That nothing was seen says nothing by itself.
func cause(res verify.Result) string {
	if slices.Contains([]string{"", "not there", "could not be seen"}, res.Got) {
		return fmt.Sprint(res.Status, "\x00", res.Got, "\x00", res.Note, "\x00", res.Want, "\x00", res.Hint)
	}
	return fmt.Sprint(res.Status, "\x00", res.Got, "\x00", res.Note)
}

// sameCause counts what is wrong or unknown by its cause.
func sameCause(groups []*group) map[string]int {
	out := map[string]int{}
	for _, g := range groups {
		for _, res := range g.results {
			if res.Status == verify.Fail || res.Status == verify.Unknown {
				out[cause(res)]++
			}
		}
	}
	return out
}

// total is how many results are not shown because another one of their cause is.
func total(alike map[string]int) int {
	n := 0
	for _, k := range alike {
		if k >= fewest {
			n += k - 1
		}
	}
	return n
}

// List writes the checks and the lines that promised them, judged or not.
func (r *Report) List(w *diag.Writer) error {
	var b bytes.Buffer
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, g := range r.groups() {
		for _, res := range g.results {
			fmt.Fprintf(tw, "%s\t%s\t%s\n", line(res.ID), line(cmp.Or(at(w, res.From), "-")), line(res.Title))
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := w.W.Write(b.Bytes())
	return err
}

func mark(w *diag.Writer, s verify.Status) string {
	m := marks[s]
	if w.Color {
		return m.color + m.mark + off
	}
	return m.word
}

func checks(n int) string {
	if n == 1 {
		return "1 check"
	}
	return fmt.Sprintf("%d checks", n)
}

// detail is the line of the spec, what it promises, what was seen, and the
// command that shows it by hand.
func detail(w *diag.Writer, res verify.Result) string {
	var b strings.Builder
	b.WriteString(snippet(w, res))
	for _, f := range fields(res) {
		fmt.Fprintf(&b, "  %-4s  %s\n", f.name, strings.ReplaceAll(clip(lines(f.value), mostLines), "\n", "\n        "))
	}
	return b.String()
}

type field struct{ name, value string }

// fields are what there is to say of a verdict. That nothing was seen where the
// spec promises something is a thing to say.
func fields(res verify.Result) []field {
	got := res.Got
	if res.Status == verify.Fail && got == "" {
		got = "(empty)"
	}
	all := []field{{"want", res.Want}, {"got", got}, {"note", res.Note}, {"see", res.Hint}}
	return slices.DeleteFunc(all, func(f field) bool { return f.value == "" })
}

// snippet is the place of a check as the writer of diagnostics shows it, without
// the line above that says what is wrong.
func snippet(w *diag.Writer, res verify.Result) string {
	if res.From.Filename == "" {
		return ""
	}
	var b bytes.Buffer
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Subject: &res.From}
	if res.Status == verify.Unknown {
		d.Severity = hcl.DiagWarning
	}
	own := *w
	own.W = &b
	if err := own.Write(hcl.Diagnostics{d}); err != nil {
		panic(err) // a buffer takes everything
	}
	_, place, _ := strings.Cut(b.String(), "\n")
	return strings.TrimRight(place, "\n") + "\n"
}

// What was seen may be a ruleset or hostile text; it must not fill the screen.
const (
	mostLines = 20
	mostRunes = 400
)

// clip shortens s to so many lines of a bearable length.
func clip(s string, most int) string {
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	rest := len(all) - most
	if rest > 0 {
		all = append(all[:most:most], fmt.Sprintf("… and %d more lines", rest))
	}
	for i, l := range all {
		if n := utf8.RuneCountInString(l); n > mostRunes {
			all[i] = fmt.Sprintf("%s … and %d more characters", string([]rune(l)[:mostRunes]), n-mostRunes)
		}
	}
	return strings.Join(all, "\n")
}

func indent(s string) string {
	var b strings.Builder
	for l := range strings.Lines(s) {
		b.WriteString(strings.TrimRight("    "+l, " "))
	}
	return b.String()
}

// after puts sep before s, if there is an s.
func after(sep, s string) string {
	if s == "" {
		return ""
	}
	return sep + s
}
