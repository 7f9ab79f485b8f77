package reference_test

import (
	"os"
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

// A spec of 2026-11, when the contract of services changed, is still one: no name that
// the language had then has gone. The list is never written anew.
func TestNamesStay(t *testing.T) {
	var now []string
	for _, b := range registry().Types() {
		now = append(now, names(conf.SchemaOf(b), "")...)
	}
	b, err := os.ReadFile("testdata/names-2026-11.txt")
	if err != nil {
		t.Fatal(err)
	}
	then := strings.Fields(string(b))
	if len(then) < 100 {
		t.Fatalf("the list has %d names only", len(then))
	}
	for _, name := range then {
		if !slices.Contains(now, name) {
			t.Errorf("%s was a name of the language and is none any more: give it an error with the code renamed that "+
				"names the new one, with a spec in testdata/bad, say so in docs/changes.md, and let this test want it", name)
		}
	}
}
