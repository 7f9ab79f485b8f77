package reference_test

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/mitchellh/go-wordwrap"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/flake/pins"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/reference"
)

// A meaning is what is written by hand of a code. What is right is HCL, with the files of
// the spec's folder that belong to it, or commands.
type meaning struct {
	code, text, right string
	commands          bool
	files             []txtar.File
}

func meanings(t *testing.T) []meaning {
	t.Helper()
	files, err := filepath.Glob("codes/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var out []meaning
	for _, name := range files {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if code, name, ok := strings.Cut(f.Name, "/"); ok { // it follows the code's text
				last := &out[len(out)-1]
				if last.code != code {
					t.Fatalf("%s: %s stands after %s", name, f.Name, last.code)
				}
				last.files = append(last.files, txtar.File{Name: name, Data: f.Data})
				continue
			}
			text, right, _ := strings.Cut(strings.TrimSpace(string(f.Data)), "\n\n")
			m := meaning{code: f.Name, text: text, right: right}
			if strings.HasPrefix(right, "$ ") {
				m.commands, m.right = true, strings.ReplaceAll("\n"+right, "\n$ ", "\n")[1:]
			}
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b meaning) int { return strings.Compare(a.code, b.code) })
	return out
}

var announcedRE = regexp.MustCompile(`(?m)(?:[ \t]*# (?:ERROR|WARNING): [a-z0-9 -]+)+$`)

// A broken spec of the corpus, without the comments that say what is wrong.
type broken struct {
	name  string
	files fstest.MapFS
	spec  *service.Spec
	diags hcl.Diagnostics
}

func corpus(t *testing.T) []broken {
	t.Helper()
	root := filepath.Join(repo, "testdata/bad")
	dirs, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var out []broken
	for _, d := range dirs {
		b := broken{name: d.Name(), files: fstest.MapFS{}}
		dir := filepath.Join(root, d.Name())
		fsys := source.Dir(dir)
		err := fs.WalkDir(fsys, ".", func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			src, err := fs.ReadFile(fsys, path)
			if strings.HasSuffix(path, ".hcl") {
				src = announcedRE.ReplaceAll(src, nil)
			}
			b.files[path] = &fstest.MapFile{Data: src}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, judged(t, b, fsys))
	}
	return out
}

// withLinks are files, and links of the folder that they are from.
type withLinks struct {
	fstest.MapFS
	folder fs.FS
}

func (w withLinks) Open(name string) (fs.File, error) {
	f, err := w.MapFS.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return w.folder.Open(name)
	}
	return f, err
}

func (w withLinks) Stat(name string) (fs.FileInfo, error) {
	f, err := w.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

// judged reads the files of a spec, and judges what is old by its today.txt.
func judged(t *testing.T, b broken, folder fs.FS) broken {
	t.Helper()
	b.spec, b.diags = registry().Load(withLinks{b.files, folder}, nil)
	if today, ok := b.files["today.txt"]; ok && !b.diags.HasErrors() {
		day, err := time.Parse(time.DateOnly, strings.TrimSpace(string(today.Data)))
		if err != nil {
			t.Fatal(err)
		}
		in, _ := flake.Pinned("nixpkgs", string(b.spec.Router.Release.V))
		b.diags = append(b.diags, pins.Warn(b.spec.Router, pins.Of(b.spec, []flake.Input{in}, pins.Known{}), day)...)
	}
	return b
}

// wrongOf is the spec that shows a code, and what is said there: the one that is named
// after the code, else the first.
func wrongOf(specs []broken, code string) (broken, *hcl.Diagnostic) {
	var found broken
	var what *hcl.Diagnostic
	for _, b := range specs {
		for _, d := range b.diags {
			if diag.Code(d) == code && (what == nil || b.name == code && found.name != code) {
				found, what = b, d
			}
		}
	}
	return found, what
}

// excerpt is the part of a spec that a diagnostic speaks of: whole blocks, or the lines
// around the place where there are none.
func excerpt(b broken, d *hcl.Diagnostic) string {
	places := []hcl.Range{}
	if d.Subject != nil {
		places = append(places, *d.Subject)
	}
	for _, o := range diag.Others(d) {
		places = append(places, o.Range)
	}
	var parts []string
	where := map[string]hcl.Range{}
	for _, at := range places {
		src := b.spec.Bytes(at.Filename)
		text := clipped(around(src, at))
		if text != "" && path.Ext(at.Filename) != ".hcl" { // or it would be taken for a part of the spec
			text = "# " + at.Filename + "\n" + text
		}
		if text != "" && !slices.Contains(parts, text) {
			parts = append(parts, text)
			where[text] = at
		}
	}
	slices.SortStableFunc(parts, func(x, y string) int { // as they stand in the files
		return cmp.Or(cmp.Compare(where[x].Filename, where[y].Filename), cmp.Compare(where[x].Start.Byte, where[y].Start.Byte))
	})
	return strings.Join(parts, "\n")
}

// clipped are lines that a page has room for.
func clipped(text string) string {
	const most = 98 // columns
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if runes := []rune(l); len(runes) > most {
			lines[i] = string(runes[:most-1]) + "…"
		}
	}
	return strings.Join(lines, "\n")
}

// elided is in the place of what is left out of a long block.
const elided = "\n  …\n\n"

func around(src []byte, at hcl.Range) string {
	const most = 30 // lines
	whole := func(body *hclsyntax.Body) (*hclsyntax.Block, hcl.Range) {
		for _, blk := range body.Blocks {
			if r := hcl.RangeBetween(blk.DefRange(), blk.Range()); r.Start.Line <= at.Start.Line && at.Start.Line <= r.End.Line {
				return blk, r
			}
		}
		return nil, hcl.Range{}
	}
	short := func(r hcl.Range) bool { return r.End.Line-r.Start.Line < most }
	if f, diags := hclsyntax.ParseConfig(src, at.Filename, hcl.InitialPos); !diags.HasErrors() {
		if blk, r := whole(f.Body.(*hclsyntax.Body)); blk != nil && short(r) {
			return string(r.SliceBytes(src)) + "\n"
		} else if blk != nil {
			if inner, in := whole(blk.Body); inner != nil && short(in) {
				return string(blk.DefRange().SliceBytes(src)) + " {" + elided + "  " + string(in.SliceBytes(src)) + "\n" + elided[:len(elided)-1] + "}\n"
			}
		}
	}
	lines := strings.SplitAfter(string(src), "\n")
	from, to := max(0, at.Start.Line-4), min(len(lines), at.Start.Line+3)
	if from >= to {
		return ""
	}
	text := strings.Join(lines[from:to], "")
	if len(text) > 1000 || !strings.HasSuffix(text, "\n") || strings.ContainsFunc(diag.Printable(text), func(r rune) bool { return r == '\x00' || r == '\uFFFD' }) {
		return ""
	}
	return strings.TrimLeft(text, "\n")
}

// page is all that nbr tells of codes.
func page(t *testing.T) string {
	t.Helper()
	specs := corpus(t)
	var b strings.Builder
	b.WriteString("# Codes of diagnostics\n\nEvery error and warning has a code in brackets that stays the same between releases. `nbr explain CODE`\nprints what is here of one.\n")
	for _, m := range meanings(t) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", m.code, wordwrap.WrapString(m.text, 98))
		if from, d := wrongOf(specs, m.code); d != nil {
			if text := excerpt(from, d); text != "" {
				fmt.Fprintf(&b, "\nWrong:\n\n```hcl\n%s```\n", text)
			}
			var said strings.Builder
			w := diag.Writer{W: &said, Bytes: from.spec.Bytes, Secrets: from.spec.Secrets, Width: 80}
			if err := w.Write(hcl.Diagnostics{d}); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "\n```\n%s\n```\n", strings.TrimSpace(said.String()))
		}
		if m.right != "" {
			lang := "hcl"
			if m.commands {
				lang = "sh"
			}
			fmt.Fprintf(&b, "\nRight:\n\n```%s\n%s\n```\n", lang, m.right)
		}
		for _, f := range m.files {
			fmt.Fprintf(&b, "\nand %s:\n\n```\n%s```\n", f.Name, f.Data)
		}
	}
	return b.String()
}

// TestCodes compares the pages of codes: the one that the program carries, and docs/codes.md.
func TestCodes(t *testing.T) {
	want := page(t)
	compare(t, "service/reference/codes.md", want)
	compare(t, "docs/codes.md", want)
}

// TestEveryCodeIsExplained wants a text for each code that the program can tell, and that
// it has the text.
func TestEveryCodeIsExplained(t *testing.T) {
	explained := map[string]bool{}
	for _, m := range meanings(t) {
		if explained[m.code] || m.text == "" {
			t.Errorf("%s is there twice, or empty", m.code)
		}
		explained[m.code] = true
		if text, ok := reference.Explain(m.code); !ok || !strings.Contains(text, strings.Fields(m.text)[0]) {
			t.Errorf("the program does not explain %s", m.code)
		}
	}
	codes := sourceCodes(t)
	for _, b := range corpus(t) {
		for _, d := range b.diags {
			codes[diag.Code(d)] = b.name
		}
	}
	for code, path := range codes {
		if !explained[code] {
			t.Errorf("no text in codes/*.txtar explains %s (%s)", code, path)
		}
		delete(explained, code)
	}
	for code := range explained {
		t.Errorf("%s is explained, and no diagnostic has it", code)
	}
}

// What service/corpus_test.go finds codes by.
var (
	codeRE    = regexp.MustCompile(`(?:diag\.(?:Error|Warning|Coded)|\bclash|\bError|\bWarning)\("([a-z0-9-]+)"`)
	mapCodeRE = regexp.MustCompile(`(?m)^\s+"[A-Z][^"]+":\s+"([a-z-]+)",$`)
)

func sourceCodes(t *testing.T) map[string]string {
	t.Helper()
	codes := map[string]string{}
	for _, root := range []string{"hcl", "router", "service", "firmware", "flake/pins"} {
		err := filepath.WalkDir(filepath.Join(repo, root), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			src, err := os.ReadFile(path)
			for _, m := range slices.Concat(codeRE.FindAllSubmatch(src, -1), mapCodeRE.FindAllSubmatch(src, -1)) {
				codes[string(m[1])] = path
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return codes
}

// bare are the codes that have no example of what is right, and why.
var bare = map[string]string{
	"follows":      "it speaks of an error that nbr has not told",
	"sysctl-clash": "one block alone sets parameters of the kernel",
	"too-large":    "what is right is any other spec",
}

// orderRE fits a sentence that tells what to do.
var orderRE = regexp.MustCompile(`(?:^|[.:;] )(?:Correct|Remove|Use|Write) `)

// TestEveryCodeHasItsRight wants of each code how it reads when it is right, or a text that
// says what to do.
func TestEveryCodeHasItsRight(t *testing.T) {
	for _, m := range meanings(t) {
		_, without := bare[m.code]
		switch {
		case (m.right == "") != without:
			t.Errorf("%s: an example of what is right: %q; a reason why there is none: %t", m.code, m.right, without)
		case without && !orderRE.MatchString(m.text):
			t.Errorf("%s has no example of what is right, and does not say what to do: %s", m.code, m.text)
		}
		delete(bare, m.code)
	}
	for code := range bare {
		t.Errorf("there is no code %s", code)
	}
}

// TestRight puts what is right in the place of the blocks of the same name in the wrong
// spec, and its files in place of those of the same name: the code is not said of it. Where
// no spec is wrong in this way, what is right is one by itself. Commands are another test's,
// of all pages.
func TestRight(t *testing.T) {
	specs := corpus(t)
	for _, m := range meanings(t) {
		t.Run(m.code, func(t *testing.T) {
			if m.right == "" || m.commands {
				return
			}
			right, diags := hclwrite.ParseConfig([]byte(m.right), "right.hcl", hcl.InitialPos)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if formatted := string(hclwrite.Format([]byte(m.right))); formatted != m.right {
				t.Errorf("not formatted:\n%s", formatted)
			}
			name := func(b *hclwrite.Block) string { return strings.Join(append([]string{b.Type()}, b.Labels()...), ".") }
			files := fstest.MapFS{}
			from, _ := wrongOf(specs, m.code)
			for file, f := range from.files {
				if !source.IsSpec(file) {
					files[file] = f
				} else if wrong, diags := hclwrite.ParseConfig(f.Data, file, hcl.InitialPos); strings.HasSuffix(file, ".hcl") && !diags.HasErrors() {
					for _, b := range wrong.Body().Blocks() {
						for _, r := range right.Body().Blocks() {
							if name(b) == name(r) {
								wrong.Body().RemoveBlock(b)
							}
						}
					}
					files[file] = &fstest.MapFile{Data: wrong.Bytes()}
				}
			}
			own := []string{"right.hcl"}
			files["right.hcl"] = &fstest.MapFile{Data: []byte(m.right + "\n")}
			for _, f := range m.files {
				own = append(own, f.Name)
				files[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			for _, d := range judged(t, broken{files: files}, fstest.MapFS{}).diags {
				part := d.Subject == nil || diag.Code(d) == "no-such-reference" // it is a part of another router, too
				if d.Subject != nil && !slices.Contains(own, d.Subject.Filename) || part && diag.Code(d) != m.code {
					continue
				}
				if d.Severity == hcl.DiagError || diag.Code(d) == m.code {
					t.Errorf("%s [%s]", d, diag.Code(d))
				}
			}
		})
	}
}
