package starter

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// nbr init teaches with the router that all tests are about, but for the subnet: that one's
// is the default of well-known boxes, and a router behind such a box would get a lease in
// its own LAN.
func TestTemplateIsTheArticlesRouter(t *testing.T) {
	const article, ours = "192.168.178.", "192.168.73."
	want, err := os.ReadFile("../../testdata/routers/bpi-r4/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), article, ours), template); diff != "" {
		t.Errorf("router/starter/template.hcl is not testdata/routers/bpi-r4/router.hcl with %s0/24 (-router +template):\n%s", ours, diff)
	}
	// What is sold with these as its own (and Docker's, and libvirt's) hands out leases in them.
	for _, box := range []string{
		"192.168.0.0/23", "192.168.2.0/24", "192.168.3.0/24", "192.168.4.0/24", "192.168.7.0/24", "192.168.8.0/24",
		"192.168.10.0/24", "192.168.11.0/24", "192.168.15.0/24", "192.168.16.0/24", "192.168.20.0/24", "192.168.31.0/24",
		"192.168.50.0/24", "192.168.68.0/24", "192.168.86.0/24", "192.168.88.0/24", "192.168.100.0/24", "192.168.122.0/24",
		"192.168.123.0/24", "192.168.178.0/24", "192.168.188.0/24", "192.168.189.0/24", "192.168.254.0/24",
		"10.0.0.0/16", "10.1.0.0/16", "10.8.0.0/16", "10.10.0.0/16", "100.64.0.0/10", "172.16.0.0/12",
	} {
		if netip.MustParsePrefix(box).Contains(netip.MustParseAddr(ours + "1")) {
			t.Errorf("%s1 is in %s", ours, box)
		}
	}
}

// The place of the key is found by its text, so the text has to be there once.
func TestWithKey(t *testing.T) {
	if n := len(keysRE.FindAllString(template, -1)); n != 1 {
		t.Fatalf("the template has %d places for a key, want 1", n)
	}
	for key, want := range map[string]string{
		"":                 `authorized_keys = [] #`,
		"ssh-ed25519 AAAA": `authorized_keys = ["ssh-ed25519 AAAA"]`,
		// A comment may hold anything; in HCL it must not become an expression.
		`k "${x}" %{if} \`: `authorized_keys = ["k \"$${x}\" %%{if} \\"]`,
	} {
		if got := withKey(template, key); !strings.Contains(got, want) {
			t.Errorf("with the key %q there is no %q in it", key, want)
		}
	}
}
