package diag

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

// sources are files with everything that makes a snippet hard.
var sources = map[string]string{
	"plain.hcl":   "network \"lan\" {\n  link = port.lan9\n}\n",
	"tab.hcl":     "network \"lan\" {\n\tlink\t= port.lan9\n}\n",
	"wide.hcl":    "# 路由器\na = \"路由器 é e\u0301 🛜\" + port.lan9\n",
	"crlf.hcl":    "network \"lan\" {\r\n  link = port.lan9\r\n}\r\n",
	"end.hcl":     "link = port.lan9",
	"long.hcl":    "a = [" + strings.Repeat("\"ü\", ", 100) + "port.lan9, " + strings.Repeat("\"b\", ", 100) + "]\n",
	"many.hcl":    "port.lan9 {\n  a = 1\n}\n",
	"control.hcl": "a = \"\x1b[31m\u202e\" + port.lan9\n",
	"empty.hcl":   "",
}

// diagnostics are of every kind, at every place.
func diagnostics(t *testing.T) hcl.Diagnostics {
	where := func(name string) hcl.Range { return find(t, name, sources[name], "port.lan9") }
	several := where("many.hcl")
	several.End = hcl.Pos{Line: 3, Column: 2, Byte: len(sources["many.hcl"]) - 1}
	ds := hcl.Diagnostics{
		Error("no-router", hcl.Range{}, "No router block", "This concerns no place."),
		Warning("a-warning", where("plain.hcl"), "A warning", "This is a warning."),
		With(Error("a-clash", where("plain.hcl"), "A clash", "Two places, 100 %% of them, at %s.", "once"), where("tab.hcl"), "the %s one", "other"),
		Error("control", where("control.hcl"), "Bad \x1b[31m", "A terminal must not be driven: \x1b]0;x\x07 and \u0085."),
		Error("long-detail", where("plain.hcl"), "Long", "%s.", strings.TrimSpace(strings.Repeat("words and words ", 12))),
		Error("two-lines", where("plain.hcl"), "Lines", "One line,\nand: another, with % and a comma."),
		Error("at-the-end", hcl.Range{Filename: "end.hcl", Start: hcl.Pos{Line: 1, Column: 17, Byte: 16}, End: hcl.Pos{Line: 1, Column: 17, Byte: 16}}, "At the end", "Nothing is there."),
		Error("past-the-end", hcl.Range{Filename: "end.hcl", Start: hcl.Pos{Line: 7, Column: 1, Byte: 99}, End: hcl.Pos{Line: 7, Column: 2, Byte: 100}}, "Past the end", "No snippet."),
		Error("no-such-file", hcl.Range{Filename: "absent.hcl", Start: hcl.InitialPos, End: hcl.InitialPos}, "No bytes", "No snippet."),
		Error("empty", hcl.Range{Filename: "empty.hcl", Start: hcl.InitialPos, End: hcl.InitialPos}, "Empty file", "No snippet."),
	}
	for _, name := range []string{"tab.hcl", "wide.hcl", "crlf.hcl", "end.hcl", "long.hcl"} {
		ds = append(ds, Error("bad-port", where(name), "No such port", "In %s.", name))
	}
	return append(ds, Error("several-lines", several, "Several lines", "The first one is shown."))
}

func writer(b *strings.Builder) *Writer {
	return &Writer{W: b, Dir: "my/router", Bytes: func(name string) []byte { return []byte(sources[name]) }}
}

func TestWrite(t *testing.T) {
	tests := []struct {
		file string
		set  func(*Writer)
	}{
		{"plain.txt", func(*Writer) {}},
		{"color.txt", func(w *Writer) { w.Color = true }},
		{"width.txt", func(w *Writer) { w.Width = 40 }},
		{"no-bytes.txt", func(w *Writer) { w.Bytes, w.Dir = nil, "" }},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			var b strings.Builder
			w := writer(&b)
			tt.set(w)
			if err := w.Write(diagnostics(t)); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.file, b.String())
		})
	}
}

func TestGitHub(t *testing.T) {
	var b strings.Builder
	if err := writer(&b).GitHub(diagnostics(t)); err != nil {
		t.Fatal(err)
	}
	golden(t, "github.txt", b.String())
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	golden(t, "diagnostics.json", string(MarshalIndent(writer(&b).JSON(diagnostics(t)))))
	if got := string(MarshalIndent(writer(&b).JSON(nil))); got != "[]\n" {
		t.Errorf("no diagnostics are %q, want an empty list", got)
	}
}

// TestNoControl wants no control character in what a terminal or a forge gets,
// whatever the spec holds.
func TestNoControl(t *testing.T) {
	for _, file := range []string{"plain.txt", "width.txt", "github.txt"} {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range string(b) {
			if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0) {
				t.Errorf("%s has %q", file, r)
			}
		}
	}
}
