package diag

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/mitchellh/go-wordwrap"
	"golang.org/x/text/width"
)

// A Writer prints diagnostics for people, as the program does everywhere.
type Writer struct {
	W     io.Writer
	Dir   string                   // the spec's folder as the user named it, put before file names
	Bytes func(name string) []byte // the text of a file, for snippets; may be nil
	// Secrets is what must not be shown of all files of the spec. Without it the writer
	// looks for secrets in the files that it shows.
	Secrets func() *Secrets
	Color   bool
	Width   int  // columns of the terminal: texts wrap there, and lines of files are cut; 0 does neither
	All     bool // show each diagnostic, also where many say the same
}

const (
	red    = "\x1b[31;1m"
	yellow = "\x1b[33;1m"
	green  = "\x1b[32;1m"
	bold   = "\x1b[1m"
	off    = "\x1b[0m"
)

// Write prints the diagnostics in their order, an empty line after each. Of many that say
// the same the first are shown and the others counted, unless All is set.
func (w *Writer) Write(ds hcl.Diagnostics) error {
	var b bytes.Buffer
	shown, rest := ds, []hcl.Diagnostics(nil)
	if !w.All {
		shown, rest = fold(ds)
	}
	for _, d := range shown {
		w.one(&b, d)
	}
	for _, ds := range rest {
		b.WriteString(w.wrap("… and "+Printable(w.secrets(ds[0]).Text(w.folded(ds))), "  ") + "\n")
	}
	if len(rest) > 0 {
		b.WriteString(w.wrap("nbr check -all shows each of them.", "  ") + "\n\n")
	}
	_, err := w.W.Write(b.Bytes())
	return err
}

func (w *Writer) one(b *bytes.Buffer, d *hcl.Diagnostic) {
	word, color := "Error", red
	if d.Severity == hcl.DiagWarning {
		word, color = "Warning", yellow
	}
	secrets := w.secrets(d)
	// It is wrapped before it is painted: colours take no room.
	head := w.wrap(fmt.Sprintf("%s: %s [%s]", word, Printable(secrets.Text(d.Summary)), Code(d)), "  ")
	if head, ok := strings.CutPrefix(head, word+": "); ok {
		code := strings.LastIndexByte(head, '[')
		title := strings.TrimRight(head[:code], " \n")
		fmt.Fprintf(b, "%s: %s%s\n", w.paint(color, word), w.paint(bold, title), head[len(title):])
	}
	if d.Subject == nil && w.Dir != "" {
		fmt.Fprintf(b, "  in %s\n", Printable(w.Dir))
	}
	if d.Subject != nil {
		fmt.Fprintf(b, "  on %s line %d, column %d:\n", w.file(d.Subject.Filename), d.Subject.Start.Line, d.Subject.Start.Column)
		if !extra(d).hidden {
			w.snippet(b, secrets, *d.Subject, color)
		}
	}
	b.WriteString(w.wrap(Printable(secrets.Text(d.Detail)), "") + "\n")
	for _, r := range Others(d) {
		b.WriteString(w.wrap(fmt.Sprintf("  %s line %d: %s", w.file(r.Range.Filename), r.Range.Start.Line, Printable(secrets.Text(r.Text))), "    ") + "\n")
		w.snippet(b, secrets, r.Range, bold)
	}
	if help := HelpOf(d); help != "" {
		text := w.wrap("help: "+Printable(secrets.Text(help)), "      ")
		b.WriteString(w.paint(green, "help:") + strings.TrimPrefix(text, "help:") + "\n")
	}
	b.WriteByte('\n')
}

// secrets is what must not be shown with a diagnostic.
func (w *Writer) secrets(d *hcl.Diagnostic) *Secrets {
	if w.Secrets != nil {
		return w.Secrets()
	}
	s := NewSecrets()
	if w.Bytes != nil {
		if d.Subject != nil {
			s.Add(d.Subject.Filename, w.Bytes(d.Subject.Filename))
		}
		for _, r := range Others(d) {
			s.Add(r.Range.Filename, w.Bytes(r.Range.Filename))
		}
	}
	return s
}

// snippet prints the first line of the range and underlines what is meant.
func (w *Writer) snippet(b *bytes.Buffer, secrets *Secrets, rng hcl.Range, color string) {
	if w.Bytes == nil {
		return
	}
	line, start := lineAt(w.Bytes(rng.Filename), rng.Start.Byte)
	if line == "" {
		return
	}
	from := min(rng.Start.Byte-start, len(line))
	to := max(min(rng.End.Byte-start, len(line)), from)
	cut, end := w.window(line, from)
	before, after := "", ""
	if cut > 0 {
		before = "…"
	}
	if end < len(line) {
		after = "…"
	}
	lead, mark := expand(line[cut:from]), expand(line[from:max(min(to, end), from)])
	fmt.Fprintf(b, "%5d | %s%s%s\n", rng.Start.Line, before, expand(secrets.piece(rng.Filename, line[cut:end], start+cut)), after)
	fmt.Fprintf(b, "      | %s%s\n", strings.Repeat(" ", columns(before+lead)),
		w.paint(color, strings.Repeat("^", max(1, columns(mark)))))
}

// window is the part of a line that is shown: all of it if it fits, else what is around the
// byte at from. A terminal that wraps the line would put the marks below another part, and
// a minified JSON spec fills the screen.
func (w *Writer) window(line string, from int) (cut, end int) {
	const margin, most = len("12345 | ") + 2, 160
	room := most
	if w.Width > 0 {
		room = max(min(room, w.Width-margin), 20)
	}
	if columns(expand(line)) <= room {
		return 0, len(line)
	}
	cut = from
	for used := 0; cut > 0; {
		r, n := utf8.DecodeLastRuneInString(line[:cut])
		if used += columns(expand(string(r))); used > room/2 {
			break
		}
		cut -= n
	}
	used := columns(expand(line[cut:from]))
	for end = from; end < len(line); {
		r, n := utf8.DecodeRuneInString(line[end:])
		if used += columns(expand(string(r))); used > room {
			break
		}
		end += n
	}
	return cut, end
}

// lineAt is the line of src that holds the byte at i, and where it starts.
func lineAt(src []byte, i int) (string, int) {
	if i < 0 || i > len(src) {
		return "", 0
	}
	start := bytes.LastIndexByte(src[:i], '\n') + 1
	end := bytes.IndexByte(src[i:], '\n')
	if end < 0 {
		end = len(src)
	} else {
		end += i
	}
	return strings.TrimRight(string(src[start:end]), "\r"), start
}

func expand(s string) string { return Printable(strings.ReplaceAll(s, "\t", "    ")) }

// columns is how much room a text takes on a terminal.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch k := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf): // joins what is before it
		case k == width.EastAsianWide || k == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// Printable replaces control characters and those that turn the direction of
// writing, so that a spec cannot drive the terminal it is shown on. Line ends
// stay.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && unicode.In(r, unicode.Cc, unicode.Bidi_Control) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// wrap breaks a text at the terminal's width; what goes on has an indent.
func (w *Writer) wrap(s, indent string) string {
	if w.Width <= len(indent) {
		return s
	}
	first, _, more := strings.Cut(wordwrap.WrapString(s, uint(w.Width)), "\n")
	if !more {
		return first
	}
	// The lines after the first have less room.
	rest := wordwrap.WrapString(strings.TrimLeft(strings.TrimPrefix(s, first), " \n"), uint(w.Width-len(indent)))
	return first + "\n" + indent + strings.ReplaceAll(rest, "\n", "\n"+indent)
}

func (w *Writer) paint(color, s string) string {
	if !w.Color {
		return s
	}
	return color + s + off
}

func (w *Writer) file(name string) string { return cmp.Or(path.Join(w.Dir, name), "the spec") }

// JSONPos is a position in a file. Line and Column count from 1, Byte from 0.
type JSONPos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// JSONRange is a piece of a file.
type JSONRange struct {
	File  string  `json:"file"`
	Start JSONPos `json:"start"`
	End   JSONPos `json:"end"`
}

// JSONRelated is another place that a diagnostic names.
type JSONRelated struct {
	Range JSONRange `json:"range"`
	Text  string    `json:"text"`
}

// JSONDiagnostic is the form of a diagnostic for machines.
type JSONDiagnostic struct {
	Severity string        `json:"severity"` // "error" or "warning"
	Code     string        `json:"code"`
	Summary  string        `json:"summary"`
	Detail   string        `json:"detail"` // what is wrong
	Help     string        `json:"help"`   // what to do; may be empty
	Range    *JSONRange    `json:"range"`  // null when it concerns no single place
	Snippet  string        `json:"snippet"`
	Related  []JSONRelated `json:"related"`
}

// JSON gives the diagnostics in the form for machines; never nil.
func (w *Writer) JSON(ds hcl.Diagnostics) []JSONDiagnostic {
	out := make([]JSONDiagnostic, 0, len(ds))
	for _, d := range ds {
		secrets := w.secrets(d)
		j := JSONDiagnostic{Severity: "error", Code: Code(d), Summary: secrets.Text(d.Summary), Detail: secrets.Text(d.Detail), Help: secrets.Text(HelpOf(d)), Related: []JSONRelated{}}
		if d.Severity == hcl.DiagWarning {
			j.Severity = "warning"
		}
		if d.Subject != nil {
			r := w.jsonRange(*d.Subject)
			j.Range = &r
			if w.Bytes != nil && !extra(d).hidden {
				line, start := lineAt(w.Bytes(d.Subject.Filename), d.Subject.Start.Byte)
				j.Snippet = secrets.piece(d.Subject.Filename, line, start)
			}
		}
		for _, r := range Others(d) {
			j.Related = append(j.Related, JSONRelated{w.jsonRange(r.Range), secrets.Text(r.Text)})
		}
		out = append(out, j)
	}
	return out
}

func (w *Writer) jsonRange(r hcl.Range) JSONRange {
	return JSONRange{
		File:  w.file(r.Filename),
		Start: JSONPos{r.Start.Line, r.Start.Column, r.Start.Byte},
		End:   JSONPos{r.End.Line, r.End.Column, r.End.Byte},
	}
}

// GitHub prints the diagnostics as workflow commands, which a forge shows beside
// the lines of a change.
func (w *Writer) GitHub(ds hcl.Diagnostics) error {
	var b bytes.Buffer
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	prop := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, d := range ds {
		secrets := w.secrets(d)
		word := "error"
		if d.Severity == hcl.DiagWarning {
			word = "warning"
		}
		at := ""
		if d.Subject != nil {
			at = fmt.Sprintf("file=%s,line=%d,col=%d,", prop.Replace(w.file(d.Subject.Filename)), d.Subject.Start.Line, d.Subject.Start.Column)
		}
		fmt.Fprintf(&b, "::%s %stitle=%s::%s\n", word, at, prop.Replace(Printable(secrets.Text(d.Summary))+" ["+Code(d)+"]"), data.Replace(Printable(secrets.Text(Text(d)))))
	}
	_, err := w.W.Write(b.Bytes())
	return err
}

// MarshalIndent is the JSON form of v as nbr prints it everywhere.
func MarshalIndent(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic(err) // only our own types come here, and they can be encoded
	}
	return b.Bytes()
}
