package agenttest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify/state"
)

const closedRouter = `router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
}
network "lan" {
  link = port.lan1
  ipv4 = "192.0.2.1/24"
}
network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}
zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns"]
}
zone "wan" { networks = [network.wan] }
firewall { log_drops = true }
ssh { networks = [network.lan] }
resolver { networks = [network.lan] }
user "root" { authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"] }
`

// A look probes closed ports. That is no news: it counts and logs nothing, and packets of
// other hosts to the same ports are counted and logged as ever.
func TestPortProbesAreNoNews(t *testing.T) {
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(closedRouter)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var rules string
	for _, n := range spec.Plan().Needs() {
		if n.Kind == state.NeedRuleset {
			rules += n.Text
		}
	}
	ns, internet := nstest.New(t, "router"), nstest.New(t, "internet")
	nstest.Link(t, ns, "wan", internet, "eth0")
	ns.Run(t, "ip", "addr", "add", "100.64.0.2/24", "dev", "wan")
	internet.Run(t, "ip", "addr", "add", "100.64.0.1/24", "dev", "eth0")
	ns.Run(t, "ip", "route", "add", "default", "via", "100.64.0.1")
	ns.Run(t, "ip", "addr", "add", "2001:db8:f::2/64", "dev", "wan", "nodad")
	internet.Run(t, "ip", "addr", "add", "fe80::1/64", "dev", "eth0", "nodad")
	ns.Run(t, "ip", "-6", "route", "add", "default", "via", "fe80::1", "dev", "wan")
	internet.Run(t, "ip", "addr", "add", "2001:db8:f::1/64", "dev", "eth0", "nodad")
	dir := t.TempDir()
	// What the log gets is counted, too: a namespace's log is not to be read.
	rules = strings.ReplaceAll(rules, "log prefix", "counter log prefix")
	for file, text := range map[string]string{"rules": rules, "router.hcl": closedRouter} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ns.Run(t, "nft", "-f", filepath.Join(dir, "rules"))
	dropped := func() (lines []string) {
		for line := range strings.Lines(ns.Run(t, "nft", "list", "table", "inet", "nbr")) {
			if strings.Contains(line, "counter packets") && !strings.Contains(line, "accept") && !strings.Contains(line, "pkttype") && !strings.Contains(line, "packets 0 ") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return lines
	}
	look := func() {
		t.Helper()
		// Not all can be seen here, which nbr observe says with its exit code.
		out, err := ns.Try(t, binary(t), "observe", dir)
		var st state.State
		if json.Unmarshal([]byte(out), &st) != nil || len(st.Probes["nftables.port"]) < 6 {
			t.Fatalf("%v\n%s", err, out)
		}
		for name, r := range st.Probes["nftables.port"] {
			if r.Error != "" || !strings.Contains(string(r.Answer), `"answered":false`) && !strings.Contains(string(r.Answer), `"answered": false`) {
				t.Errorf("%s: %s %s", name, r.Answer, r.Error)
			}
		}
	}
	look()
	if got := dropped(); got != nil {
		t.Errorf("the look has grown\n%s", strings.Join(got, "\n"))
	}
	// Another host sends to a closed port, while the set still has the look's own.
	for _, to := range []string{"100.64.0.2", "2001:db8:f::2"} {
		if _, err := internet.Try(t, "nc", "-z", "-w", "1", to, "22"); err == nil {
			t.Errorf("ssh is open at %s", to)
		}
	}
	logged := regexp.MustCompile(`packets [1-9]\d* bytes \d+ log prefix "nbr drop input: "`)
	if got := strings.Join(dropped(), "\n"); !logged.MatchString(got) {
		t.Errorf("a packet of another host has not grown the log:\n%s", got)
	}
}
