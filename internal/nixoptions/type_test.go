package nixoptions

import (
	"slices"
	"strings"
	"testing"
)

// TestTables is what can be said without the list that the table was made
// from; gen's test compares with that.
func TestTables(t *testing.T) {
	for name, text := range map[string]string{"table.tsv": nixosTable, "own.tsv": ownTable} {
		rows, err := ParseTable(text)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 0 {
			t.Errorf("%s is empty", name)
		}
		var again []byte
		for _, r := range rows {
			again = r.AppendTo(again)
			if _, err := ParseType(r.Type); err != nil {
				t.Errorf("%s: %v", r.Path, err)
			}
		}
		if string(again) != text {
			t.Errorf("%s is not what AppendTo writes", name)
		}
		if !slices.IsSortedFunc(rows, func(a, b Row) int { return strings.Compare(a.Path, b.Path) }) {
			t.Errorf("%s is not sorted by path", name)
		}
	}
	if _, err := Tree(Releases[0]); err != nil {
		t.Error(err)
	}
}

func TestParseType(t *testing.T) {
	for text, want := range map[string]Kind{
		"boolean":             KindBool,
		"null or string":      KindUnion,
		"list of (submodule)": KindListOf,
		"lazy attribute set of raw value (read only)":                      KindAttrsOf,
		"open submodule of (YAML 1.1 value)":                               KindSubmodule,
		"one of <null>, “ssh”, 2, true":                                    KindEnum,
		"strings concatenated with “,”":                                    KindString,
		"string matching the pattern (a or b)+":                            KindString,
		"non-empty (list of string)":                                       KindListOf,
		"(optionally newline-terminated) single-line string":               KindString,
		"16 bit signed integer; between -32768 and 32767 (both inclusive)": KindInt,
		"(attribute set of boolean) or (list of string) convertible to it": KindUnion,
		"absolute path, not containing newlines or colons":                 KindPath,
		"list of string matching the pattern [a-z]+[.](service|socket)":    KindListOf,
		"null or (non-empty (list of (string or path in the Nix store)))":  KindUnion,
	} {
		got, err := ParseType(text)
		switch {
		case err != nil:
			t.Error(err)
		case got.Kind != want:
			t.Errorf("%q is a %s, want %s", text, got.Kind, want)
		}
	}
	for _, text := range []string{
		"", "boolen", "boolean or", "(boolean", "boolean)", "list of", "one of", "one of “a”, b",
		"value “a”", "attribute-tagged union", "string matching the pattern [", "strings concatenated with “x",
	} {
		if got, err := ParseType(text); err == nil {
			t.Errorf("%q is understood as %v", text, got.Kind)
		}
	}
}
