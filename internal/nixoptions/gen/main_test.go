package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestTableIsCurrent makes the table again where the lists of options are at
// hand. They are large and not ours, so that they are not in the repository.
func TestTableIsCurrent(t *testing.T) {
	files := filepath.SplitList(os.Getenv("NBR_OPTIONS_JSON"))
	if len(files) != 2 {
		t.Log("NBR_OPTIONS_JSON does not name the two lists of options; the table's form is tested in nixoptions")
		return
	}
	got, err := generate(files[0], files[1])
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
	for _, tt := range []struct{ name, was, is, want string }{
		{"sorted, by prefix", `{
			"networking.b": {"type": "boolean", "desc": "prose"},
			"networking.a": {"type": "string"},
			"networkingx.a": {"type": "string"},
			"warnings": {"type": "list of string"}
		}`, `{}`, "networking.a\tstring\t25.11 26.05? 26.11?\nnetworking.b\tboolean\t25.11 26.05? 26.11?\nwarnings\tlist of string\t25.11 26.05? 26.11?\n"},
		{"releases", `{
			"time.new": {"type": "string", "since": "26.05"},
			"time.newer": {"type": "string", "since": "26.05 (nixos-unstable since about Jan 2026)"},
			"time.old": {"type": "string", "status_26_05": "renamed"},
			"time.seen": {"type": "string", "since": "nixos-unstable 2026, not in 25.11"}
		}`, `{}`, "time.new\tstring\t26.05 26.11?\ntime.newer\tstring\t26.05? 26.11?\ntime.old\tstring\t25.11\n"},
		{"read again", `{
			"time.both": {"type": "string"},
			"time.changed": {"type": "string"},
			"time.later": {"type": "string"}
		}`, `{
			"time.both": {"type": "string", "vs_25_11": "same"},
			"time.changed": {"type": "null or string", "vs_25_11": "type changed", "notes": "since 26.05 (release notes)"},
			"time.hidden": {"type": "string", "vs_25_11": "hidden option, not in the 25.11 list"},
			"time.later": {"type": "one of \"a\", \"b\"", "vs_25_11": "type changed"},
			"time.noted": {"type": "string", "vs_25_11": "new", "since": "26.05 (its release notes)"},
			"time.pulled": {"type": "string", "vs_25_11": "new", "since": "26.05, by the date of its pull request"},
			"time.seen": {"type": "string", "vs_25_11": "new", "since": "not in 25.11; in the 2026 development line"},
			"time.youngest": {"type": "string", "vs_25_11": "new", "since": "26.11 development line"}
		}`, "time.both\tstring\t25.11 26.05? 26.11\n" +
			"time.changed\tstring\t25.11\ntime.changed\tnull or string\t26.05? 26.11\n" +
			"time.later\tstring\t25.11 26.05?\ntime.later\tone of “a”, “b”\t26.11\n" +
			"time.noted\tstring\t26.05 26.11\ntime.pulled\tstring\t26.05? 26.11\ntime.seen\tstring\t26.11\ntime.youngest\tstring\t26.11\n"},
		{"removed", `{
			"time.a.x": {"type": "string", "status_26_05": "removed"},
			"time.b": {"type": "string", "status_26_05": "removed"}
		}`, `{"_removed": {
			"time.a": {"since": "26.11 development line"},
			"time.b": {"since": "26.05"}
		}}`, "time.a.x\tstring\t25.11 26.05?\ntime.b\tstring\t25.11\n"},
		{"other inputs", `{"sops.x": {"type": "string", "since": "sops-nix 56b2406"}}`, `{}`, "sops.x\tstring\t25.11 26.05 26.11\n"},
		{"unknown type", `{"time.x": {"type": "hour of the day"}}`, `{}`, ""},
	} {
		dir := t.TempDir()
		was, is := filepath.Join(dir, "was.json"), filepath.Join(dir, "is.json")
		for file, text := range map[string]string{was: tt.was, is: tt.is} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := generate(was, is)
		if (err != nil) != (tt.want == "") {
			t.Errorf("%s: error %v", tt.name, err)
		}
		if err == nil && string(got) != tt.want {
			t.Errorf("%s:\n%s", tt.name, got)
		}
	}
}
