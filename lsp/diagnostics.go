package lsp

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// A placed diagnostic is one of a file.
type placed struct {
	diagnostic
	file  string
	fixes []diag.Fix
}

// diagnostics are what was said of a folder, without secrets. What is of no file is shown at the beginning of one
// that is open.
func (s *session) diagnostics(r *result) []placed {
	var out []placed
	first := ""
	for name := range r.open {
		if first == "" || name < first {
			first = name
		}
	}
	secrets := r.loaded.Secrets()
	clean := func(text string) string { return diag.Printable(secrets.Text(text)) }
	for _, d := range r.diags {
		p := placed{file: first, fixes: diag.Fixes(d), diagnostic: diagnostic{
			Severity: 1, Code: diag.Code(d), Source: "nbr", Message: clean(sentences(d.Summary, d.Detail)),
		}}
		if d.Severity == hcl.DiagWarning {
			p.Severity = 2
		}
		if help := diag.HelpOf(d); help != "" {
			p.Message += "\n" + clean(help)
		}
		if d.Subject != nil {
			p.file = d.Subject.Filename
			p.Range = s.inFile(r, *d.Subject)
		}
		for _, o := range diag.Others(d) {
			p.RelatedInformation = append(p.RelatedInformation, related{location{r.uri(o.Range.Filename), s.inFile(r, o.Range)}, clean(o.Text)})
		}
		out = append(out, p)
	}
	return out
}

// sentences are a summary and what is said of it.
func sentences(summary, detail string) string {
	if strings.HasSuffix(summary, "?") {
		return summary + " " + detail
	}
	return summary + ". " + detail
}

// inFile is a range in a file of the folder. Of a file that is none of HCL its lines are known alone.
func (s *session) inFile(r *result, at hcl.Range) textRange {
	if t := r.texts[at.Filename]; t != nil {
		return t.textRange(at.Start.Byte, at.End.Byte, s.units)
	}
	if b := r.loaded.Bytes(at.Filename); b != nil {
		return newText(b).textRange(at.Start.Byte, at.End.Byte, s.units)
	}
	return textRange{}
}

// codeActions are the edits by which diagnostics at a place go away, where they know one. They are of the text
// that was judged, so there are none while another one is being judged.
func (s *session) codeActions(_ context.Context, p *rangeParams) (any, error) {
	v, name, r, err := s.on(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	out := []codeAction{}
	if r == nil || r.edition != v.edition || strings.HasSuffix(name, ".json") {
		return out, nil
	}
	for _, d := range s.diagnostics(r) {
		if d.file != name || after(d.Range.Start, p.Range.End) || after(p.Range.Start, d.Range.End) {
			continue
		}
		for _, f := range d.fixes {
			if f.Range.Filename != name {
				continue
			}
			title := "Write " + f.Text
			if f.Text == "" {
				title = "Remove it"
			}
			edit := textEdit{s.inFile(r, f.Range), f.Text}
			out = append(out, codeAction{title, "quickfix", []diagnostic{d.diagnostic}, len(d.fixes) == 1, s.edit(v, map[string][]textEdit{name: {edit}})})
		}
	}
	return out, nil
}

func after(a, b position) bool {
	return a.Line > b.Line || a.Line == b.Line && a.Character > b.Character
}

// edit is an edit of files of a folder, in the form that the editor takes.
func (s *session) edit(v *view, files map[string][]textEdit) workspaceEdit {
	var e workspaceEdit
	for name, edits := range files {
		if !s.client.Capabilities.Workspace.WorkspaceEdit.DocumentChanges {
			if e.Changes == nil {
				e.Changes = map[string][]textEdit{}
			}
			e.Changes[v.uri(name)] = edits
			continue
		}
		to := versioned{URI: v.uri(name)}
		if o, ok := v.open[name]; ok {
			to.Version = &o.version
		}
		e.DocumentChanges = append(e.DocumentChanges, documentEdit{to, edits})
	}
	slices.SortFunc(e.DocumentChanges, func(a, b documentEdit) int { return strings.Compare(a.TextDocument.URI, b.TextDocument.URI) })
	return e
}
