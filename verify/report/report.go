// Package report shows what a verification found: to people as text, to programs
// as JSON, JUnit's XML or TAP. It judges nothing, looks at nothing and knows no
// clock: the same results are the same bytes.
//
// Titles and hints come from the spec, what was seen comes from a state, and a
// state may be a file of any origin. Nothing of it reaches the output unescaped.
package report

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/verify"
)

// A Report is what was found of one router.
type Report struct {
	Router  string
	Results []verify.Result
	Missed  map[string]string // part of the state → why it could not be seen
}

// A Summary counts results by their status.
type Summary struct {
	Pass    int `json:"pass"`
	Fail    int `json:"fail"`
	Unknown int `json:"unknown"`
	Skip    int `json:"skip"`
}

// Summary counts all results.
func (r *Report) Summary() Summary { return summarize(r.Results) }

func summarize(results []verify.Result) Summary {
	var s Summary
	for _, res := range results {
		switch res.Status {
		case verify.Pass:
			s.Pass++
		case verify.Fail:
			s.Fail++
		case verify.Skip:
			s.Skip++
		default:
			s.Unknown++
		}
	}
	return s
}

// Total is the number of checks.
func (s Summary) Total() int { return s.Pass + s.Fail + s.Unknown + s.Skip }

// Well tells whether something passed, and nothing was wrong or out of sight.
func (s Summary) Well() bool { return s.Pass > 0 && s.Fail == 0 && s.Unknown == 0 }

// String is "45 pass, 2 fail, 1 unknown": what there is none of is left out.
func (s Summary) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{s.Pass, "pass"}, {s.Fail, "fail"}, {s.Unknown, "unknown"}, {s.Skip, "skip"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	return strings.Join(parts, ", ")
}

// A group is the results of one block, in the order of the plan.
type group struct {
	block   string
	results []verify.Result
	Summary
}

// groups are the results by block, in the order in which the spec writes the
// blocks: that of the first line that one of their checks comes from.
func (r *Report) groups() []*group {
	var out []*group
	by := map[string]*group{}
	for _, res := range r.Results {
		g := by[res.Block()]
		if g == nil {
			g = &group{block: res.Block()}
			by[g.block] = g
			out = append(out, g)
		}
		g.results = append(g.results, res)
	}
	first := map[string]hcl.Range{}
	for _, g := range out {
		g.Summary = summarize(g.results)
		first[g.block] = slices.MinFunc(g.results, func(a, b verify.Result) int { return places(a.From, b.From) }).From
	}
	slices.SortStableFunc(out, func(a, b *group) int { return places(first[a.block], first[b.block]) })
	return out
}

// places orders places in the spec, with those that are nowhere last.
func places(a, b hcl.Range) int {
	nowhere := func(r hcl.Range) int {
		if r.Filename == "" {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(nowhere(a), nowhere(b)),
		cmp.Compare(a.Filename, b.Filename),
		cmp.Compare(a.Start.Byte, b.Start.Byte))
}

// rank orders statuses by what needs a look first.
func rank(s verify.Status) int {
	switch s {
	case verify.Fail:
		return 0
	case verify.Unknown:
		return 1
	default:
		return 2
	}
}

func (g *group) rank() int {
	return rank(slices.MinFunc(g.results, byRank).Status)
}

func byRank(a, b verify.Result) int { return cmp.Compare(rank(a.Status), rank(b.Status)) }

// elsewhere is a sentence that says so if the machine is not the router of the spec: it has
// another name, its board is not known to be the spec's, and none of the links is there.
func (r *Report) elsewhere() string {
	var name, board *verify.Result
	links, up := 0, false
	for i, res := range r.Results {
		switch {
		case strings.HasPrefix(res.ID, "router.") && strings.HasSuffix(res.ID, "/hostname"):
			name = &r.Results[i]
		case res.ID == "firmware/board":
			board = &r.Results[i]
		case strings.HasSuffix(res.ID, "/up"):
			links++
			up = up || res.Status == verify.Pass
		}
	}
	if name == nil || board == nil || links == 0 || up || name.Status != verify.Fail || board.Status == verify.Pass {
		return ""
	}
	is := "its board could not be seen"
	if board.Status == verify.Fail {
		is = "its board is " + board.Got
	}
	return fmt.Sprintf("This machine is not %s: its name is %s, %s, and none of the links of the spec is up.", r.Router, name.Got, is)
}

// missed are sentences about the parts that could not be seen, if that left
// anything unknown.
func (r *Report) missed() []string {
	var out []string
	if r.Summary().Unknown == 0 {
		return nil
	}
	for _, part := range slices.Sorted(maps.Keys(r.Missed)) {
		out = append(out, fmt.Sprintf("could not look at %s: %s", line(part), line(r.Missed[part])))
	}
	return out
}

// at is the place in the spec: file, line and column.
func at(w *diag.Writer, r hcl.Range) string {
	if r.Filename == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", file(w, r), r.Start.Line, r.Start.Column)
}

func file(w *diag.Writer, r hcl.Range) string {
	if r.Filename == "" {
		return ""
	}
	return path.Join(w.Dir, r.Filename)
}

// line is s on one line, with everything that does not print as an escape: what a
// terminal obeys, what turns text around, what XML cannot hold.
func line(s string) string { return escape(s, "") }

// lines is like line and keeps line ends and tabs.
func lines(s string) string { return escape(s, "\n\t") }

func escape(s, keep string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsPrint(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
		s = s[n:]
	}
	return b.String()
}
