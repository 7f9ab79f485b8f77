package dhcpcd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// told is what the hook makes of an event of dhcpcd: its calls of ip(8) but for those that look,
// where a route tells of the prefix of association 7 already.
func told(t *testing.T, event ...string) string {
	t.Helper()
	bin := t.TempDir()
	const ip = `#!/bin/sh
case $* in
*" show "*) echo "unreachable 2001:db8:8000::/56 dev lo metric 7 pref medium" ;;
*) echo "$*" ;;
esac
`
	if err := os.WriteFile(filepath.Join(bin, "ip"), []byte(ip), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", "nbr_told='7'\nnbr_protocol=206\n"+delegatedScript)
	cmd.Env = append([]string{"PATH=" + bin + ":" + os.Getenv("PATH")}, event...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// lease are the variables of a lease of one prefix of 56 bits.
func lease(when, prefix string) []string {
	of := when + "_dhcp6_ia_pd1_"
	return []string{of + "iaid=00000007", of + "prefix1=" + prefix, of + "prefix1_length=56", of + "prefix1_pltime=100", of + "prefix1_vltime=200"}
}

func TestTheHookTellsWhosePrefixItIs(t *testing.T) {
	t.Parallel()
	const same, other = "2001:db8:8000::", "2001:db8:9000::"
	for name, x := range map[string]struct {
		event []string
		want  string
	}{
		"a renewal":      {append(lease("new", same), "reason=RENEW6"), "-6 route replace unreachable 2001:db8:8000::/56 proto 206 metric 7"},
		"another prefix": {append(lease("new", other), "reason=REBIND6"), "-6 route replace unreachable 2001:db8:9000::/56 proto 206 metric 7\n-6 route delete unreachable 2001:db8:8000::/56 proto 206 metric 7"},
		// The prefix may be another router's by now, and hosts of that one have to be reached.
		"the end of a lease":  {append(lease("old", same), "reason=EXPIRE6"), "-6 route delete unreachable 2001:db8:8000::/56 proto 206 metric 7"},
		"dhcpcd stops":        {append(lease("old", same), "reason=STOP6"), ""},
		"an advertisement":    {[]string{"reason=ROUTERADVERT"}, ""},
		"another association": {[]string{"reason=EXPIRE6", "old_dhcp6_ia_pd1_iaid=00000008"}, ""},
	} {
		if got := told(t, x.event...); got != x.want {
			t.Errorf("%s: the routes change by\n%s\nwant\n%s", name, got, x.want)
		}
	}
}
