package kea

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the table of options in docs/dhcp.md")

// The page has the table of options, which is sorted by number and names each once.
func TestOptionsPage(t *testing.T) {
	forms := map[string]string{
		"address": "an IPv4 address", "addresses": "IPv4 addresses", "uint8": "0 to 255", "uint16": "0 to 65535", "uint32": "0 to 4294967295",
		"int32": "-2147483648 to 2147483647", "bool": "true or false", "text": "a text", "domains": "domain names",
	}
	var table strings.Builder
	table.WriteString("| number | name | value |\n| --- | --- | --- |\n")
	seen := map[string]bool{}
	if !slices.IsSortedFunc(standard, func(a, b standardOption) int { return a.code - b.code }) {
		t.Error("the table is not sorted")
	}
	for _, o := range standard {
		if seen[o.name] || forms[o.kind] == "" || slices.Contains(agreed, o.code) {
			t.Errorf("%+v", o)
		}
		seen[o.name] = true
		value := forms[o.kind]
		if o.attr != "" {
			value = fmt.Sprintf("the attribute `%s` of `dhcp4`", o.attr)
		}
		fmt.Fprintf(&table, "| %d | `%s` | %s |\n", o.code, o.name, value)
	}
	const file = "../../docs/dhcp.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), "<!-- options -->\n")
	_, tail, closed := strings.Cut(rest, "<!-- end -->")
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", file)
	}
	want := head + "<!-- options -->\n" + table.String() + "<!-- end -->" + tail
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if d := cmp.Diff(want, string(page)); d != "" {
		t.Errorf("%s is stale; run go test ./service/kea -run Options -update (-want +got):\n%s", file, d)
	}
}

// What an option holds is shown in its own form, and as it came where it has another.
func TestOptionsForPeople(t *testing.T) {
	for name, values := range map[OptionName]map[string]string{
		"ntp-servers":    {"c0a80101c0a80102": "192.168.1.1, 192.168.1.2", "c0a801": "c0a801", "": "none"},
		"time-offset":    {"fffff1f0": "-3600"},
		"ip-forwarding":  {"00": "false"},
		"interface-mtu":  {"0578": "1400", "05": "05"},
		"domain-search":  {"04686f6d65046172706100": "home.arpa", "04686f6d65c000": "04686f6d65c000", "00": "00", "ff": "ff"},
		"root-path":      {"2f737276": `"/srv"`, "00": "00"},
		"224":            {"01ff": "01ff", "61": `"a"`, "zz": "zz"},
		"default-ip-ttl": {"40": "64"},
	} {
		for value, want := range values {
			if got := name.say(value); got != want {
				t.Errorf("%s of %s is %s, not %s", value, name, got, want)
			}
		}
	}
}

// Whatever a wire brings, it is shown.
func FuzzOptionText(f *testing.F) {
	f.Add("domain-search", "04686f6d6500")
	f.Fuzz(func(t *testing.T, name, value string) {
		for _, o := range standard {
			_ = OptionName(o.name).say(value)
		}
		var n OptionName
		if n.UnmarshalText([]byte(name)) == nil && (n.code() < 1 || n.code() > 254) {
			t.Errorf("%q is option %d", name, n.code())
		}
	})
}
