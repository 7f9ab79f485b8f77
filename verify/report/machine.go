package report

import (
	"bytes"
	_ "embed" // the schema
	"encoding/xml"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/verify"
)

// FormatVersion is the version of the JSON form: the second number grows when
// something is added, the first when something is taken away or means another
// thing.
const FormatVersion = "1.0"

// Schema is the JSON Schema of what JSON writes.
//
//go:embed schema.json
var Schema []byte

type jsonReport struct {
	FormatVersion string            `json:"format_version"`
	Router        string            `json:"router"`
	Summary       Summary           `json:"summary"`
	Results       []jsonResult      `json:"results"`
	Missed        map[string]string `json:"missed"`
}

type jsonResult struct {
	ID     string     `json:"id"`
	Title  string     `json:"title"`
	Block  string     `json:"block"`
	Status string     `json:"status"`
	Want   string     `json:"want"`
	Got    string     `json:"got"`
	Hint   string     `json:"hint"`
	Note   string     `json:"note"`
	Range  *jsonRange `json:"range"` // null when no line promised it
}

type jsonRange struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// JSON writes the report for programs, in the order of the spec whatever the
// verdicts are.
func (r *Report) JSON(w *diag.Writer) error {
	out := jsonReport{FormatVersion, r.Router, r.Summary(), []jsonResult{}, r.Missed}
	if out.Missed == nil {
		out.Missed = map[string]string{}
	}
	for _, g := range r.groups() {
		for _, res := range g.results {
			j := jsonResult{res.ID, res.Title, g.block, res.Status.String(), res.Want, res.Got, res.Hint, res.Note, nil}
			if res.From.Filename != "" {
				j.Range = &jsonRange{file(w, res.From), res.From.Start.Line, res.From.Start.Column}
			}
			out.Results = append(out.Results, j)
		}
	}
	_, err := w.W.Write(printable(diag.MarshalIndent(out)))
	return err
}

// printable writes what does not print as JSON's own escapes. All of it is inside
// strings, where an escape means the same.
func printable(b []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(b) {
		switch {
		case unicode.IsPrint(r) || r == '\n':
			out.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Suites   []suite  `xml:"testsuite"`
}

type suite struct {
	Name      string     `xml:"name,attr"`
	Tests     int        `xml:"tests,attr"`
	Failures  int        `xml:"failures,attr"`
	Errors    int        `xml:"errors,attr"`
	Skipped   int        `xml:"skipped,attr"`
	Cases     []testCase `xml:"testcase"`
	SystemErr string     `xml:"system-err,omitempty"`
}

type testCase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	File    string   `xml:"file,attr,omitempty"`
	Line    int      `xml:"line,attr,omitempty"`
	Skipped *outcome `xml:"skipped"`
	Error   *outcome `xml:"error"`
	Failure *outcome `xml:"failure"`
}

type outcome struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes the XML that forges and CI systems read: a suite a block. What is
// unknown is an error, which there means that a test could not be run.
func (r *Report) JUnit(w *diag.Writer) error {
	plain := *w
	plain.Color = false
	sum := r.Summary()
	out := suites{Name: "nbr verify " + line(r.Router), Tests: sum.Total(), Failures: sum.Fail, Errors: sum.Unknown}
	for _, g := range r.groups() {
		s := suite{Name: line(g.block), Tests: g.Total(), Failures: g.Fail, Errors: g.Unknown, Skipped: g.Skip}
		for _, res := range g.results {
			c := testCase{Class: s.Name, Name: name(res), File: line(file(w, res.From)), Line: res.From.Start.Line}
			o := &outcome{Message: message(res), Type: res.Status.String(), Text: detail(&plain, res)}
			switch res.Status {
			case verify.Fail:
				c.Failure = o
			case verify.Unknown:
				c.Error = o
			case verify.Skip:
				c.Skipped = &outcome{Message: line(res.Got)}
			case verify.Pass:
			}
			s.Cases = append(s.Cases, c)
		}
		if s.Errors > 0 {
			s.SystemErr = strings.Join(r.missed(), "\n")
		}
		out.Suites = append(out.Suites, s)
	}
	b, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.W.Write([]byte(xml.Header + string(b) + "\n"))
	return err
}

// message is a verdict on one line.
func message(res verify.Result) string {
	var parts []string
	for _, f := range fields(res) {
		if f.name != "see" {
			parts = append(parts, f.name+" "+clip(line(f.value), 1))
		}
	}
	return strings.Join(parts, ", ")
}

// name is what a check is called where there is one line for it.
func name(res verify.Result) string { return line(res.ID) + ": " + line(res.Title) }

// TAP writes the Test Anything Protocol, version 13, which prove(1) knows. It has
// no word for what is unknown: that is "not ok", with the status in the
// diagnostics below it.
func (r *Report) TAP(w *diag.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "TAP version 13\n1..%d\n", len(r.Results))
	// A hash starts a directive and a backslash an escape.
	text := strings.NewReplacer(`\`, `\\`, "#", `\#`)
	n := 0
	for _, g := range r.groups() {
		for _, res := range g.results {
			n++
			ok, directive := "ok", ""
			switch res.Status {
			case verify.Fail, verify.Unknown:
				ok = "not ok"
			case verify.Skip:
				directive = " # SKIP " + text.Replace(line(res.Got))
			case verify.Pass:
			}
			fmt.Fprintf(&b, "%s %d - %s%s\n", ok, n, text.Replace(name(res)), strings.TrimRight(directive, " "))
			if ok == "ok" {
				continue
			}
			b.WriteString("  ---\n")
			all := []field{{"status", res.Status.String()}}
			if place := at(w, res.From); place != "" {
				all = append(all, field{"at", place})
			}
			for _, f := range append(all, fields(res)...) {
				fmt.Fprintf(&b, "  %s: %s\n", f.name, quote(f.value))
			}
			b.WriteString("  ...\n")
		}
	}
	for _, m := range r.missed() {
		fmt.Fprintf(&b, "# %s\n", m)
	}
	_, err := w.W.Write(b.Bytes())
	return err
}

// quote is s in double quotes as YAML reads them. For text that prints, JSON's
// are the same.
func quote(s string) string {
	return strings.TrimSuffix(string(diag.MarshalIndent(lines(s))), "\n")
}
