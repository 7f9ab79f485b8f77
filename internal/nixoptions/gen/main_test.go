package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestTableIsCurrent makes the table again where the list of options is at
// hand. The list is large and not ours, so that it is not in the repository.
func TestTableIsCurrent(t *testing.T) {
	file := os.Getenv("NBR_OPTIONS_JSON")
	if file == "" {
		t.Log("NBR_OPTIONS_JSON does not name the list of options; the table's form is tested in nixoptions")
		return
	}
	got, err := generate(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../table.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("table.tsv is stale: run go run ./internal/nixoptions/gen")
	}
}

func TestGenerate(t *testing.T) {
	for _, tt := range []struct{ name, list, want string }{
		{"sorted, by prefix", `{
			"networking.b": {"type": "boolean", "desc": "prose"},
			"networking.a": {"type": "string"},
			"networkingx.a": {"type": "string"},
			"warnings": {"type": "list of string"}
		}`, "networking.a\tstring\t25.11 26.05\nnetworking.b\tboolean\t25.11 26.05\nwarnings\tlist of string\t25.11 26.05\n"},
		{"releases", `{
			"time.new": {"type": "string", "since": "26.05"},
			"time.old": {"type": "string", "status_26_05": "renamed"},
			"time.seen": {"type": "string", "since": "nixos-unstable 2026, not in 25.11"}
		}`, "time.new\tstring\t26.05\ntime.old\tstring\t25.11\n"},
		{"unknown type", `{"time.x": {"type": "hour of the day"}}`, ""},
	} {
		file := filepath.Join(t.TempDir(), "options.json")
		if err := os.WriteFile(file, []byte(tt.list), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := generate(file)
		if (err != nil) != (tt.want == "") {
			t.Errorf("%s: error %v", tt.name, err)
		}
		if err == nil && string(got) != tt.want {
			t.Errorf("%s:\n%s", tt.name, got)
		}
	}
}
