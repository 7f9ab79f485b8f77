package diag

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// TestHelp wants what to do on lines of its own, after all places, whatever the words are,
// and in a field of its own of the form for machines.
func TestHelp(t *testing.T) {
	d := With(Error("x", at("a.hcl", 1, 1, 2, 0), "X", "It is a port. Addresses belong to the bridge."), at("b.hcl", 2, 1, 2, 0), "the other")
	if got := printed(t, d); strings.Contains(got, "help:") {
		t.Errorf("no help was given, and printed is\n%s", got)
	}
	Help(Help(Help(d, " Did you mean %q?", "a"), ""), "100 %s of it.")
	if got, want := HelpOf(d), `Did you mean "a"? 100 %s of it.`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := Text(d), `It is a port. Addresses belong to the bridge. Did you mean "a"? 100 %s of it.`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	want := "Error: X [x]\n  on a.hcl line 1, column 1:\nIt is a port. Addresses belong\nto the bridge.\n" +
		"  b.hcl line 2: the other\nhelp: Did you mean \"a\"? 100 %s\n      of it.\n\n"
	if got := printed(t, d); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
	if j := (&Writer{}).JSON(hcl.Diagnostics{d})[0]; j.Detail != d.Detail || j.Help != HelpOf(d) {
		t.Errorf("detail %q, help %q", j.Detail, j.Help)
	}
}

func printed(t *testing.T, d *hcl.Diagnostic) string {
	t.Helper()
	var b strings.Builder
	if err := (&Writer{W: &b, Width: 30}).Write(hcl.Diagnostics{d}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestFrom makes sentences of errors, and help of what one advises.
func TestFrom(t *testing.T) {
	advised := Advise(errors.New("\"1\" is no size"), "write %s, as in 8GiB", "GiB")
	if got, want := advised.Error(), "\"1\" is no size: write GiB, as in 8GiB"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, tt := range []struct {
		err          error
		detail, help string
	}{
		{errors.New("a thing"), "A thing.", ""},
		{errors.New("fe80::1 is no host"), "fe80::1 is no host.", ""},
		{errors.New("a thing: use it."), "A thing: use it.", ""},
		{advised, "\"1\" is no size.", "Write GiB, as in 8GiB."},
		{fmt.Errorf("memory: %w", advised), "Memory: \"1\" is no size.", "Write GiB, as in 8GiB."},
		{fmt.Errorf("%w, twice", advised), "\"1\" is no size: write GiB, as in 8GiB, twice.", ""},
	} {
		d := From("x", at("a.hcl", 1, 1, 2, 0), "X", tt.err)
		if d.Detail != tt.detail || HelpOf(d) != tt.help {
			t.Errorf("%s: detail %q, help %q", tt.err, d.Detail, HelpOf(d))
		}
	}
}

// TestLibrary parts what the HCL library suggests from what it says.
func TestLibrary(t *testing.T) {
	ds := Coded("y", hcl.Diagnostics{{Summary: "S", Detail: `An argument named "a" is not expected here. Did you mean "b"?`}})
	if ds[0].Detail != `An argument named "a" is not expected here.` || HelpOf(ds[0]) != `Did you mean "b"?` || Code(ds[0]) != "y" {
		t.Errorf("%q, help %q", ds[0].Detail, HelpOf(ds[0]))
	}
	if Coded("z", ds); Code(ds[0]) != "y" {
		t.Error("a code was replaced")
	}
}
