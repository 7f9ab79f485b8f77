// Package page is what the page of nbr asks of it, as functions of the texts that are on the page: what nbr check
// says, what can stand at a place, what nbr gen, nbr graph and nbr explain make of a spec, which checks it has, and
// a first spec. A request and its answer are JSON. It opens no file and knows neither the clock nor the browser.
package page

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"testing/fstest"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/flake/compose"
	"github.com/nbr-dev/nbr/flake/pins"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/language"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/reference"
)

// A Page answers. It keeps the spec that was judged last: most requests are of the same texts as the one before.
type Page struct {
	reg   *service.Registry
	guide *reference.Guide
	given language.Given
	last  *judged
}

// New is a page for the kinds of blocks and the boards of a registry.
func New(reg *service.Registry) (*Page, error) {
	if err := reg.Check(); err != nil {
		return nil, err
	}
	return &Page{reg: reg, guide: reference.NewGuide(reg)}, nil
}

// A Request asks for one thing.
type Request struct {
	Ask     string            `json:"ask"`     // check, complete, make, explain, format, boards or starter
	Files   map[string]string `json:"files"`   // of the spec, by their names in its folder
	Now     int64             `json:"now"`     // milliseconds since 1970, for the age of releases and pins
	File    string            `json:"file"`    // to complete or format in
	At      int               `json:"at"`      // where to complete, in units of UTF-16, as texts are counted in a browser
	Address string            `json:"address"` // of the block to explain
	Choice  Choice            `json:"choice"`  // for a first spec
}

// Answer answers a request. What is wrong with the request, or with this program, is {"error": TEXT}.
func (p *Page) Answer(request []byte) (answer []byte) {
	defer func() {
		if r := recover(); r != nil { // the page stays, with the text that did it
			p.last = nil
			answer = marshal(failure{fmt.Sprintf("nbr failed, which is an error of nbr and not of the spec: %v", r)})
		}
	}()
	var req Request
	if err := json.Unmarshal(request, &req); err != nil {
		return marshal(failure{err.Error()})
	}
	out, err := p.answer(&req)
	if err != nil {
		return marshal(failure{err.Error()})
	}
	return marshal(out)
}

type failure struct {
	Error string `json:"error"`
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	return b
}

func (p *Page) answer(req *Request) (any, error) {
	switch req.Ask {
	case "check":
		return p.Check(req.Files, time.UnixMilli(req.Now)), nil
	case "complete":
		return p.Complete(req.Files, req.File, req.At), nil
	case "make":
		return p.Make(req.Files)
	case "explain":
		return p.Explain(req.Files, req.Address)
	case "format":
		return p.Format(req.Files, req.File), nil
	case "boards":
		return p.Boards(), nil
	case "starter":
		return p.Starter(req.Choice)
	}
	return nil, fmt.Errorf("there is nothing to ask that is called %q", req.Ask)
}

// judged is a spec with what is said of it.
type judged struct {
	files map[string]string
	spec  *service.Spec
	diags hcl.Diagnostics // without those of the clock
}

// folder is a folder of texts.
func folder(files map[string]string) fs.FS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o444}
	}
	return fsys
}

// load reads and judges a spec.
func (p *Page) load(files map[string]string) *judged {
	if p.last == nil || !maps.Equal(p.last.files, files) {
		j := &judged{files: maps.Clone(files)}
		j.spec, j.diags = p.reg.Load(folder(files), nil)
		p.last, p.given = j, p.guide.Given(j.spec, p.given)
	}
	return p.last
}

// Checked is what nbr check says of a spec.
type Checked struct {
	Good        bool         `json:"good"` // it has no error
	Total       string       `json:"total"`
	Diagnostics []Diagnostic `json:"diagnostics"`
}

// A Diagnostic is a text of nbr check and its place.
type Diagnostic struct {
	Severity string `json:"severity"` // error or warning
	Code     string `json:"code"`
	Text     string `json:"text"` // with place, snippet and help, as it is printed
	File     string `json:"file"` // empty when it is of no place
	From     int    `json:"from"` // units of UTF-16 from the beginning of the file
	To       int    `json:"to"`
	Fixes    []Fix  `json:"fixes"` // each makes it go away
}

// A Fix is a text for a place.
type Fix struct {
	File string `json:"file"`
	From int    `json:"from"`
	To   int    `json:"to"`
	Text string `json:"text"`
}

// Check judges a spec as nbr check does in its folder, today.
func (p *Page) Check(files map[string]string, today time.Time) Checked {
	j := p.load(files)
	diags := j.diags
	if !diags.HasErrors() {
		diags = append(diags[:len(diags):len(diags)], router.JudgeSites(j.spec.Router, nil)...)
		if list, err := compose.Pins(j.spec, pins.Known{}); err == nil {
			diags = append(diags, pins.Warn(j.spec.Router, list, today)...)
		}
		diags = diag.Sort(diags)
	}
	out := Checked{Good: !diags.HasErrors(), Total: diag.Total(diags), Diagnostics: []Diagnostic{}}
	var text buffer
	w := diag.Writer{W: &text, Bytes: j.spec.Bytes, Secrets: j.spec.Secrets, All: true}
	for _, d := range diags {
		text = nil
		_ = w.Write(hcl.Diagnostics{d}) // into memory
		said := Diagnostic{Severity: "error", Code: diag.Code(d), Text: text.trimmed(), Fixes: []Fix{}}
		if d.Severity == hcl.DiagWarning {
			said.Severity = "warning"
		}
		if d.Subject != nil {
			said.File, said.From, said.To = place(files, *d.Subject)
		}
		for _, f := range diag.Fixes(d) {
			fix := Fix{Text: f.Text}
			fix.File, fix.From, fix.To = place(files, f.Range)
			said.Fixes = append(said.Fixes, fix)
		}
		out.Diagnostics = append(out.Diagnostics, said)
	}
	return out
}

// Formatted is a text in the form of nbr fmt.
type Formatted struct {
	Text string `json:"text"`
}

// Format is what nbr fmt makes of a file. One that does not parse stays as it is.
func (p *Page) Format(files map[string]string, file string) Formatted {
	text := []byte(files[file])
	if source.IsSpec(file) && !isJSON(file) {
		if out, diags := source.Format(file, text); !diags.HasErrors() {
			text = out
		}
	}
	return Formatted{string(text)}
}
