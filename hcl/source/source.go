// Package source reads the files of a spec and keeps their bytes, so that
// every later message can show the line it speaks of. It knows HCL's two
// syntaxes and nothing of what the blocks mean.
package source

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// MaxBytes is the largest file that is read for a spec, and the most that all its
// files of HCL may be. A router of ten thousand reservations is about 1 MiB; what is
// larger is not a spec, and the parser takes a hundred times as much memory.
const MaxBytes = 4 << 20

// A File is one file of a spec.
type File struct {
	Name  string // relative to the spec's folder, with slashes
	Bytes []byte
	Body  hcl.Body
}

// A Set is the files of one spec, sorted by name.
type Set struct{ Files []*File }

// IsSpec tells whether a file of this name is part of a spec: *.hcl and
// *.hcl.json, but no hidden file.
func IsSpec(name string) bool {
	base := path.Base(name)
	return !strings.HasPrefix(base, ".") &&
		(strings.HasSuffix(base, ".hcl") || strings.HasSuffix(base, ".hcl.json"))
}

// ReadDir reads and parses every spec file in the root of fsys. The
// diagnostics hold the first syntax error of each file; files that could be read in
// part are in the set with what could be read.
func ReadDir(fsys fs.FS) (*Set, hcl.Diagnostics) {
	set := &Set{}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return set, hcl.Diagnostics{diag.Help(diag.Error("unreadable", hcl.Range{}, "Folder cannot be read", "%s.", err),
			"Name the folder of the spec, which the user who runs nbr may read.")}
	}
	var diags hcl.Diagnostics
	// Not every file system sorts, and Bytes searches.
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	size := 0
	for _, e := range entries {
		if e.IsDir() || !IsSpec(e.Name()) {
			continue
		}
		file, ds := readFile(fsys, e.Name(), MaxBytes-size)
		diags = append(diags, ds...)
		if file != nil {
			size += len(file.Bytes)
			set.Files = append(set.Files, file)
		}
	}
	diags = append(diags, keys(fsys)...)
	if len(set.Files) == 0 && !diags.HasErrors() {
		diags = append(diags, diag.Help(diag.Error("empty-spec", hcl.Range{}, "No spec here",
			"The folder has no *.hcl or *.hcl.json file."),
			"`nbr init` writes a first one."))
	}
	return set, diags
}

// readFile reads and parses a file, unless there is less room left for it.
func readFile(fsys fs.FS, name string, room int) (*File, hcl.Diagnostics) {
	b, err := ReadFile(fsys, name)
	if err == nil && len(b) > room {
		err = fmt.Errorf("%w with the files before it", ErrTooLarge)
	}
	if err != nil {
		at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		return nil, hcl.Diagnostics{Unreadable(at, name, err)}
	}
	return Parse(name, b)
}

// Parse parses one file; the name decides the syntax.
func Parse(name string, b []byte) (*File, hcl.Diagnostics) {
	f := &File{Name: name, Bytes: b}
	if i := invalidUTF8(b); i >= 0 {
		f.Body = hcl.EmptyBody()
		return f, hcl.Diagnostics{diag.Help(diag.Error("not-utf8", rangeAt(name, b, i), "Not UTF-8",
			"The byte 0x%02x is not valid UTF-8.", b[i]),
			"Save the file as UTF-8.")}
	}
	if d := hidden(name, b); d != nil {
		f.Body = hcl.EmptyBody()
		return f, hcl.Diagnostics{d}
	}
	if i := tooDeep(b); i >= 0 {
		f.Body = hcl.EmptyBody()
		return f, hcl.Diagnostics{diag.Help(diag.Error("too-deep", rangeAt(name, b, i), "Nested too deep",
			"More than %d brackets, conditions or signs within each other are no spec.", maxDepth),
			"Look whether the file is damaged; values that belong together can be given names in locals.")}
	}
	if strings.HasSuffix(name, ".json") && TooDeep([]byte(escapedBrackets.Replace(string(b)))) {
		f.Body = hcl.EmptyBody()
		return f, hcl.Diagnostics{diag.Help(diag.Error("too-deep", rangeAt(name, b, 0), "Nested too deep",
			"A text of this file is nested deeper than any spec."),
			"Look whether the file is damaged.")}
	}
	if i := LongNumber(b); i >= 0 {
		f.Body = hcl.EmptyBody()
		return f, hcl.Diagnostics{diag.Help(diag.Error("long-number", rangeAt(name, b, i), "Number is too long",
			"More than %d digits are no number of a spec.", maxDigits),
			"Write it shorter, or as a text in quotes.")}
	}
	if diags := foreign(name, b); len(diags) > 0 {
		f.Body = hcl.EmptyBody()
		return f, diags
	}
	var hf *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(name, ".json") {
		hf, diags = json.Parse(b, name)
	} else {
		hf, diags = hclsyntax.ParseConfig(b, name, hcl.InitialPos)
	}
	f.Body = hcl.EmptyBody()
	if hf != nil && hf.Body != nil {
		f.Body = hf.Body
	}
	return f, append(diag.Coded("syntax", firstError(name, b, diags)), pasted(name, b)...)
}

// maxDepth is how deep expressions may nest. The parsers are recursive, and a stack
// that overflows cannot be recovered.
const maxDepth = 1000

// maxDigits is how many digits may follow each other. The parser takes the square of
// their number.
const maxDigits = 1000

// escapedBrackets are what nests, as JSON may write it: the texts of a file are parsed, too.
var escapedBrackets = strings.NewReplacer(
	`\u005b`, "[", `\u005B`, "[", `\u007b`, "{", `\u007B`, "{", `\u0028`, "(",
	`\u0021`, "!", `\u002d`, "-", `\u002D`, "-", `\u003f`, "?", `\u003F`, "?")

// LongNumber is the offset of more digits than any number has, or -1.
func LongNumber(b []byte) int {
	n := 0
	for i, c := range b {
		if c >= '0' && c <= '9' || n > 0 && c == '.' {
			if n++; n > maxDigits {
				return i + 1 - n
			}
			continue
		}
		n = 0
	}
	return -1
}

// TooDeep tells whether a text nests deeper than the parsers may go.
func TooDeep(b []byte) bool { return tooDeep(b) >= 0 }

// tooDeep is the offset at which a text nests too deep, or -1. It counts roughly,
// in comments and texts as well, and never too little.
func tooDeep(b []byte) int {
	depth, signs, conditions := 0, 0, 0
	for i, c := range b {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth = max(0, depth-1)
		case '?':
			conditions++
		}
		switch c {
		case '!', '-':
			signs++
		case ' ', '\t', '\r', '\n':
		default:
			signs = 0
		}
		if depth > maxDepth || signs > 10*maxDepth || conditions > 100*maxDepth {
			return i
		}
	}
	return -1
}

// invalidUTF8 is the offset of the first byte that is no UTF-8, or -1.
func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

func rangeAt(name string, b []byte, i int) hcl.Range {
	line := 1 + strings.Count(string(b[:i]), "\n")
	col := utf8.RuneCount(b[strings.LastIndexByte(string(b[:i]), '\n')+1:i]) + 1
	return hcl.Range{
		Filename: name,
		Start:    hcl.Pos{Line: line, Column: col, Byte: i},
		End:      hcl.Pos{Line: line, Column: col + 1, Byte: i + 1},
	}
}

// Bytes returns the content of the named file, for snippets; nil if there is
// no such file.
func (s *Set) Bytes(name string) []byte {
	i, ok := slices.BinarySearchFunc(s.Files, name, func(f *File, n string) int { return strings.Compare(f.Name, n) })
	if !ok {
		return nil
	}
	return s.Files[i].Bytes
}
