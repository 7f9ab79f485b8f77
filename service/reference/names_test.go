package reference_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// names are all blocks and attributes below a block: dhcp4, dhcp4.pool,
// dhcp4.reservation, dhcp4.reservation.mac.
func names(s conf.Schema, above string) []string {
	own := above + s.Type
	out := []string{own}
	for _, at := range s.Attributes {
		out = append(out, own+"."+at.Name)
	}
	for _, sub := range s.Blocks {
		out = append(out, names(sub, own+".")...)
	}
	return out
}

// A spec of an earlier month is still one: no name that the language had then has gone. A list is never
// written anew, and with a release comes another one.
func TestNamesStay(t *testing.T) {
	var now []string
	for _, b := range registry().Types() {
		now = append(now, names(conf.SchemaOf(b), "")...)
	}
	lists, err := filepath.Glob("testdata/names-*.txt")
	if err != nil || len(lists) < 2 {
		t.Fatalf("%d lists of names, %v", len(lists), err)
	}
	var then []string
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		names := strings.Fields(string(b))
		if len(names) < 100 {
			t.Fatalf("%s has %d names only", list, len(names))
		}
		then = append(then, names...)
	}
	slices.Sort(then)
	for _, name := range slices.Compact(then) {
		if !slices.Contains(now, name) {
			t.Errorf("%s was a name of the language and is none any more: give it an error with the code renamed that "+
				"names the new one, with a spec in testdata/bad, say so in docs/changes.md, and let this test want it", name)
		}
	}
}
