package diag

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// TestFold wants the first of many of one kind, the places of the next and a count, and
// all of them for those who ask.
func TestFold(t *testing.T) {
	var ds hcl.Diagnostics
	for i := range 999 {
		ds = append(ds, Error("bad-value", at("a.hcl", i+1, 1, 2, 0), "Bad value", "\"%d\" is no port of network.n%[1]d: 1 to 65535.", i))
	}
	for i := range 6 { // the same code, and something else
		ds = append(ds, Error("bad-value", at("a.hcl", i+1, 1, 2, 0), "Bad value", "It is no %s.", strings.Repeat("x", i+1)))
	}
	for i := range 6 { // five and one are shown: a count of one is as long
		ds = append(ds, Warning("old", at("b.hcl", i+1, 1, 2, 0), "Old", "Too old."))
	}
	write := func(all bool) string {
		var b strings.Builder
		if err := (&Writer{W: &b, All: all}).Write(ds); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	got := write(false)
	if e, w := strings.Count(got, "Error: "), strings.Count(got, "Warning: "); e != 11 || w != 6 {
		t.Errorf("%d errors and %d warnings are shown, want 11 and 6", e, w)
	}
	want := "… and 994 errors more: Bad value [bad-value], on a.hcl line 6, 7, 8, 9, 10, 11, 12, 13, ….\nnbr check -all shows each of them.\n"
	if !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant in it\n%s", got, want)
	}
	if e := strings.Count(write(true), "Error: "); e != 1005 {
		t.Errorf("-all shows %d of 1005", e)
	}
	if got := Total(ds); got != "1005 errors, 6 warnings" {
		t.Error(got)
	}
	if got := Total(ds[1004:1006]); got != "1 error, 1 warning" {
		t.Error(got)
	}
	if got := Total(nil); got != "" {
		t.Error(got)
	}
}
