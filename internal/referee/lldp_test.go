package referee_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const lldpSpec = `
network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}
network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd00:1::1/64"
}
zone "wan" { networks = [network.wan] }
zone "lan" { networks = [network.lan] }
lldp {
  links       = [port.lan1]
  listen      = [port.wan]
  management  = network.lan
  description = "BPI-R4 (4 GiB), #1"
  interval    = "2s"

  neighbor "switch" {
    link   = port.lan1
    system = "core-switch"
    port   = "eth0"
  }
  neighbor "provider" {
    link   = port.wan
    system = "olt"
  }
}
`

// neighbours are the names that are heard, and what is said with them.
func neighbours(t *testing.T, root *lab.Root, ns *nstest.NS) ([]string, error) {
	t.Helper()
	out, err := root.Try(t, ns, "lldpcli", "-f", "json0", "show", "neighbors")
	if err != nil {
		return nil, err
	}
	type value []struct{ Value string }
	var all struct {
		LLDP []struct {
			Interface []struct {
				Chassis []struct {
					Name, Descr value
					MgmtIP      value `json:"mgmt-ip"`
				}
				Port []struct{ Descr, TTL value }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		return nil, err
	}
	var said []string
	for _, l := range all.LLDP {
		for _, i := range l.Interface {
			said = append(said, fmt.Sprint(i.Chassis, i.Port))
		}
	}
	return said, nil
}

// A machine on a cable hears who the router is and where it is managed, and the provider hears
// nothing; the router hears both. nbr verify says what is otherwise, on its line.
func TestNeighboursOnCables(t *testing.T) {
	t.Parallel()
	g := fromText(t, lldpSpec)
	router, host, provider := nstest.New(t, "router"), nstest.New(t, "switch"), nstest.New(t, "provider")
	nstest.Link(t, router, "lan1", host, "eth0")
	nstest.Link(t, router, "wan", provider, "eth0")
	ip(t, router, "addr add 192.168.1.1/24 dev lan1\naddr add fd00:1::1/64 dev lan1 nodad\naddr add 203.0.113.9/24 dev wan\n")
	args := g.list(t, "services", "lldpd", "extraArgs")
	conf, ok := strings.CutPrefix(args[1].(string), "text:")
	if len(args) != 2 || !ok {
		t.Fatalf("arguments %q", args)
	}
	root := lab.Rootfs(t, lab.Files{"/etc/nbr/spec/router.hcl": template + lldpSpec, "/etc/lldpd.conf": conf})
	installNBR(t, root, "/usr/bin/nbr")
	ends := map[*nstest.NS]*lab.Root{}
	for ns, name := range map[*nstest.NS]string{host: "core-switch", provider: "olt"} {
		ends[ns] = lab.Rootfs(t, lab.Files{"/etc/lldpd.d/end.conf": "configure system hostname " + name + "\nconfigure lldp tx-interval 2\n"})
		ends[ns].Daemon(t, ns, "lldpd", "-d")
	}
	daemon := root.Daemon(t, router, "lldpd", "-d", args[0].(string), "/etc/lldpd.conf")

	wrong := func() []string { return unmet(t, root, router, "lldp") }
	becomes(t, wrong, nil)
	nstest.Wait(t, func() error {
		said, err := neighbours(t, ends[host], host)
		if err != nil {
			return err
		}
		if len(said) != 1 {
			return fmt.Errorf("the switch hears %q", said)
		}
		for _, part := range []string{"BPI-R4 (4 GiB), #1", "192.168.1.1", "fd00:1::1", "lan1", "{8}"} {
			if !strings.Contains(said[0], part) {
				return fmt.Errorf("no %q in %q", part, said[0])
			}
		}
		for _, part := range []string{"Linux", "203.0.113.9"} {
			if strings.Contains(said[0], part) {
				t.Fatalf("the switch is told %q", said[0])
			}
		}
		return nil
	})
	if said, err := neighbours(t, ends[provider], provider); err != nil || len(said) > 0 {
		t.Errorf("the provider hears %q (%v)", said, err)
	}

	run := func(words string) { root.Run(t, router, append([]string{"lldpcli"}, strings.Fields(words)...)...) }
	for _, b := range []struct {
		wreck, mend string
		finds       []string
	}{
		{"configure ports lan1 lldp status rx-only", "configure ports lan1 lldp status rx-and-tx", []string{"lldp/port/lan1"}},
		{"configure ports wan lldp status rx-and-tx", "configure ports wan lldp status rx-only", []string{"lldp/port/wan"}},
		{"configure system interface pattern lan1", "configure system interface pattern lan1,wan", []string{"lldp/neighbor/provider fail: no neighbour", "lldp/port/wan fail: lldpd is not on wan"}},
		{"configure system hostname other", "configure system hostname r", []string{"lldp/tells"}},
		{"configure system ip management pattern wan", "configure system ip management pattern lan1", []string{"lldp/management"}},
		{"configure system ip management pattern !*", "configure system ip management pattern lan1", []string{"lldp/management"}},
		{"configure lldp tx-interval 30", "configure lldp tx-interval 2", []string{"lldp/port/lan1 fail: tells and hears, for 120 s"}},
	} {
		run(b.wreck)
		becomes(t, wrong, b.finds)
		run(b.mend)
		becomes(t, wrong, nil)
	}
	// Another machine in the place of the switch, and none.
	ends[host].Run(t, host, "lldpcli", "configure", "system", "hostname", "other")
	becomes(t, wrong, []string{"lldp/neighbor/switch fail: other, port eth0"})
	ends[host].Run(t, host, "lldpcli", "configure", "system", "hostname", "core-switch")
	becomes(t, wrong, nil)
	ip(t, host, "link set eth0 down\n")
	becomes(t, wrong, []string{"lldp/neighbor/switch fail: lan1 has no carrier"})
	ip(t, host, "link set eth0 up\n")
	becomes(t, wrong, nil)
	daemon.Stop(t)
	becomes(t, wrong, []string{
		"lldp/management unknown", "lldp/neighbor/provider unknown", "lldp/neighbor/switch unknown",
		"lldp/port/lan1 unknown", "lldp/port/wan unknown", "lldp/tells unknown",
	})
}
