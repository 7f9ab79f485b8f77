package source

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

func TestIsSpec(t *testing.T) {
	for name, want := range map[string]bool{
		"router.hcl": true, "router.hcl.json": true, "a/b.hcl": true,
		".hidden.hcl": false, "a/.hidden.hcl": false, "router.json": false, "router.tf": false, "hcl": false, "nbr.vars.json": false, "router.hcl~": false,
	} {
		if got := IsSpec(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// backwards lists a folder from its end.
type backwards struct{ fs.FS }

func (b backwards) ReadDir(name string) ([]fs.DirEntry, error) {
	out, err := fs.ReadDir(b.FS, name)
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out, err
}

func TestReadDir(t *testing.T) {
	fsys := fstest.MapFS{
		"b.hcl": {Data: []byte("b = 1")}, "a.hcl": {Data: []byte("a = 1")}, "c.hcl.json": {Data: []byte(`{"c": 1}`)},
		"sub/d.hcl": {Data: []byte("d = 1")}, "e.txt": {Data: []byte("e")}, "f.hcl": {Mode: fs.ModeDir},
	}
	set, diags := ReadDir(backwards{fsys})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	var got []string
	for _, f := range set.Files {
		got = append(got, f.Name)
		if string(set.Bytes(f.Name)) != string(f.Bytes) {
			t.Errorf("bytes of %s", f.Name)
		}
	}
	if d := cmp.Diff([]string{"a.hcl", "b.hcl", "c.hcl.json"}, got); d != "" {
		t.Error(d)
	}
	if set.Bytes("e.txt") != nil {
		t.Error("bytes of a file that is no spec")
	}
}

// broken fails to give its files.
type broken struct{ fs.FS }

func (b broken) Open(name string) (fs.File, error) {
	if name != "." {
		return nil, errors.New("no permission")
	}
	return b.FS.Open(name)
}

func TestUnreadable(t *testing.T) {
	tests := []struct {
		name string
		fsys fs.FS
		want string
	}{
		{"nothing", fstest.MapFS{}, "empty-spec"},
		{"no folder", broken{fstest.MapFS{"a.hcl": {}}}, "unreadable"},
		{"too large", fstest.MapFS{"a.hcl": {Data: make([]byte, MaxBytes+1)}}, "too-large"},
		{"not UTF-8", fstest.MapFS{"a.hcl": {Data: []byte("a = \"\xff\"")}}, "not-utf8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := ReadDir(tt.fsys)
			if len(diags) != 1 || diag.Code(diags[0]) != tt.want {
				t.Errorf("%v, want %s", diags, tt.want)
			}
		})
	}
}

func TestNotUTF8(t *testing.T) {
	_, diags := Parse("a.hcl", []byte("# ü\n\nab = \"ü\xe9\"\n"))
	want := hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: 3, Column: 8, Byte: 14}, End: hcl.Pos{Line: 3, Column: 9, Byte: 15}}
	if len(diags) != 1 {
		t.Fatal(diags)
	}
	if d := cmp.Diff(want, *diags[0].Subject); d != "" {
		t.Error(d)
	}
}

// FuzzParse parses anything in both syntaxes. Nothing may panic, and every
// diagnostic has a code and a place in the file.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "a = 1", "a {\n}", "a \"b\" {\n  c = [d.e, \"${f}\"]\n}", "a = <<X\nb\nX\n", "a = \"\\u0000\"", "\xef\xbb\xbfa = 1",
		"{}", `{"a": {"b": {"c": ["d.e", "${f(1)}"]}}}`, `{"a": 1e999}`, `{"a": "\ud800"}`, "[1]", "\"", "a = \"\xff\"", "/* ", "a = [\n",
		strings.Repeat("[", 100), strings.Repeat(`{"a":`, 100),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, name := range []string{"a.hcl", "a.hcl.json"} {
			file, diags := Parse(name, b)
			if file.Body == nil {
				t.Error("no body")
			}
			for _, d := range diags {
				if diag.Code(d) == "" || d.Subject == nil || d.Subject.Filename != name {
					t.Errorf("%s: %s [%s]", name, d, diag.Code(d))
				} else if r := d.Subject; r.Start.Byte > r.End.Byte || r.Start.Byte > len(b) {
					t.Errorf("%s: %s: place %v in %d bytes", name, d, r, len(b))
				}
			}
		}
	})
}
