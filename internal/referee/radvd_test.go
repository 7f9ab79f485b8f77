package referee_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const advertisingRouter = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  name_servers  = ["2001:db8::53"]
  state_version = "25.11"
  console_only  = true
}
network "lan" {
  link   = port.lan1
  ipv6   = "2001:db8:1::1/64"
  domain = "lan.example"
}
network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}
zone "lan" { networks = [network.lan] }
zone "wan" { networks = [network.wan] }
router_advert "lan" {
  network = network.lan
  mtu     = 1400
  dns     = ["2001:db8::53", "2001:db8::54", "2001:db8::55", "2001:db8::56"]
}
`

// radvdUnit is what NixOS's module makes (nixos/modules/services/networking/radvd.nix), but
// for what nbr sets otherwise.
const radvdUnit = `[Unit]
After=network.target
[Service]
Restart=always
`

// An advertisingMachine is a router with radvd, with a host at lan1 that makes its addresses by
// router advertisements.
type advertisingMachine struct {
	*lab.Machine
	router, host *nstest.NS
	spec         string
	checks       int // of the router_advert block
}

func bootAdvertising(t *testing.T, spec string, checks int) *advertisingMachine {
	t.Helper()
	g := fromText(t, spec)
	m := &advertisingMachine{host: nstest.New(t, "host"), spec: spec, checks: checks}
	m.router = board(t, map[string]*nstest.NS{"lan1": m.host})
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	apply(t, ifstate, m.router, g)
	files := lab.Files{
		"/etc/nftables.conf":                ruleset(t, g),
		"/etc/sysctl.d/60-nixos.conf":       sysctlConf(g),
		"/etc/nbr/spec/router.hcl":          spec,
		"/etc/systemd/system/radvd.service": radvdUnit,
		"/etc/systemd/system/dhcpcd.service": `[Service]
ExecStart=sleep infinity
`,
	}
	files["/etc/systemd/system/nftables.service"] = nixosUnits["nftables.service"]
	maps.Copy(files, etcFiles(t, g))
	units := append(ownUnits(t, g, files), "nftables.service", "radvd.service")
	slices.Sort(units)
	m.Machine = lab.Boot(t, m.router, files, units...)
	installNBR(t, m.Root, "/usr/local/bin/nbr")
	return m
}

// verify runs nbr verify and returns what its router_advert block's checks say and do not pass:
// "advertised:31 fail none".
func (m *advertisingMachine) verify(t *testing.T, flags ...string) []string {
	t.Helper()
	out, err := m.Try(t, append([]string{"nbr", "verify", "-format", "json"}, flags...)...)
	var report struct{ Results []finding }
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil {
		t.Fatalf("nbr verify: %v\n%s", err, out)
	}
	wrong, n := []string{}, 0
	for _, f := range report.Results {
		what, ours := strings.CutPrefix(f.ID, "router_advert.lan/")
		if !ours {
			continue
		}
		n++
		if f.Status != "pass" {
			line := strings.TrimSpace(strings.Split(m.spec, "\n")[f.Range.Line-1])
			wrong = append(wrong, fmt.Sprintf("%s (%s) %s: %s", what, line, f.Status, f.Got))
		}
	}
	if n != m.checks {
		t.Fatalf("%d checks: %s", n, out)
	}
	return wrong
}

// finds waits until nbr verify finds what it is to find.
func (m *advertisingMachine) finds(t *testing.T, want ...string) {
	t.Helper()
	nstest.Wait(t, func() error {
		if d := cmp.Diff(append([]string{}, want...), m.verify(t)); d != "" {
			return errors.New("(-want +got):\n" + d)
		}
		return nil
	})
}

// defaults counts the host's default routes of router advertisements.
func (m *advertisingMachine) defaults(t *testing.T) int {
	t.Helper()
	return strings.Count(m.host.Run(t, "ip", "-6", "route", "show", "default", "proto", "ra"), "default")
}

// lifetimes are the lifetimes of the router in the advertisements that a host has heard since.
func lifetimes(dump *lab.Daemon) []string {
	var out []string
	for line := range strings.Lines(dump.Log()) {
		if _, rest, ok := strings.Cut(line, "router lifetime "); ok {
			lifetime, _, _ := strings.Cut(rest, "s")
			out = append(out, lifetime)
		}
	}
	return out
}

// The router advertises what its spec says: a host gets an address and a default route, through
// the firewall; nbr verify asks as a host and agrees. A change of the configuration reaches the
// host without a moment in which it has no default route; a stop does not.
func TestRouterAdvertisements(t *testing.T) {
	t.Parallel()
	m := bootAdvertising(t, advertisingRouter, 12)
	m.host.Run(t, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=1", "net.ipv6.conf.eth0.forwarding=0")
	tools := lab.Rootfs(t, nil)
	dump := tools.Daemon(t, m.host, "tcpdump", "-lnvi", "eth0", "icmp6 and ip6[40] == 134")
	dump.Ready(t, said(dump, "listening on"))
	// It comes up anew, and its kernel asks.
	ip(t, m.host, "link set eth0 down\nlink set eth0 up\n")
	nstest.Wait(t, func() error {
		addrs := m.host.Run(t, "ip", "-6", "addr", "show", "dev", "eth0", "scope", "global", "dynamic")
		if !strings.Contains(addrs, " 2001:db8:1:") || m.defaults(t) != 1 {
			return errors.New("no address or no route: " + addrs)
		}
		return nil
	})
	m.host.Run(t, "ping", "-c1", "-W5", "2001:db8:1::1")
	if mtu := strings.TrimSpace(m.host.Run(t, "cat", "/proc/sys/net/ipv6/conf/eth0/mtu")); mtu != "1400" {
		t.Errorf("the host's MTU is %s", mtu)
	}
	// tcpdump writes what it hears up to a second after the kernel has acted on it.
	for _, want := range []string{"2001:db8::53", "2001:db8::56", "lan.example"} {
		dump.Ready(t, said(dump, want))
	}
	if got := strings.TrimSpace(m.Run(t, "cat", "/proc/sys/net/ipv6/conf/lan1/accept_ra")); got != "0" {
		t.Errorf("the router's own accept_ra is %s", got)
	}
	m.finds(t)
	if got := m.verify(t, "-passive"); len(got) != 11 || slices.ContainsFunc(got, func(s string) bool { return !strings.HasSuffix(s, "skip: not asked: -passive") }) {
		t.Errorf("-passive: %q", got)
	}

	t.Run("a change", func(t *testing.T) {
		m.Run(t, "sed", "-i", "s/AdvPreferredLifetime 2700/AdvPreferredLifetime 1300/", "/etc/radvd.conf")
		pid := m.Run(t, "systemctl", "show", "-P", "MainPID", "radvd")
		m.Systemctl(t, "reload", "radvd.service")
		dump.Ready(t, said(dump, "pref. time 1300s"))
		m.finds(t, "preferred (router_advert \"lan\" {) fail: 1300 s")
		if slices.Contains(lifetimes(dump), "0") || m.defaults(t) != 1 {
			t.Errorf("a reload took the default route: %q", lifetimes(dump))
		}
		if again := m.Run(t, "systemctl", "show", "-P", "MainPID", "radvd"); again != pid {
			t.Error("radvd was started anew")
		}
		// What radvd cannot read it does not get to see: it would end.
		m.Run(t, "sed", "-i", "s/prefix/prefixes/", "/etc/radvd.conf")
		if out, err := m.Try(t, "systemctl", "reload", "radvd.service"); err == nil {
			t.Errorf("a broken file was taken: %s", out)
		}
		m.finds(t, "preferred (router_advert \"lan\" {) fail: 1300 s")
		m.Run(t, "sed", "-i", "s/prefixes/prefix/; s/AdvPreferredLifetime 1300/AdvPreferredLifetime 2700/", "/etc/radvd.conf")
		m.Systemctl(t, "reload", "radvd.service")
		m.finds(t)
	})
	t.Run("another router", func(t *testing.T) {
		// It is a host of the LAN that says to be a router, as a box of the provider does which
		// was plugged in the wrong way round.
		m.host.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
		ip(t, m.host, "addr add fe80::bad/64 dev eth0 nodad\n")
		rogue := lab.Rootfs(t, lab.Files{"/etc/radvd.conf": "interface eth0 { AdvSendAdvert on; AdvRASrcAddress { fe80::bad; }; prefix 2001:db8:bad::/64 { }; };\n"})
		radvd := rogue.Daemon(t, m.host, "radvd", "-n", "-m", "stderr", "-C", "/etc/radvd.conf")
		m.finds(t, "alone (network = network.lan) fail: fe80::bad advertises a default route and 2001:db8:bad::/64")
		radvd.Stop(t)
		m.finds(t)
	})
	t.Run("stopped", func(t *testing.T) {
		m.Systemctl(t, "stop", "radvd.service")
		nstest.Wait(t, func() error {
			if !slices.Contains(lifetimes(dump), "0") {
				return errors.New("no last advertisement")
			}
			return nil
		})
		var rest []string
		for _, f := range m.verify(t) {
			if strings.HasPrefix(f, "unit") || strings.HasPrefix(f, "advertised") {
				rest = append(rest, f)
			} else if !strings.HasSuffix(f, "unknown: could not be seen") {
				t.Error(f)
			}
		}
		if d := cmp.Diff([]string{"advertised (network = network.lan) fail: no answer to a host that asks", `unit (router_advert "lan" {) fail: inactive`}, rest); d != "" {
			t.Error(d)
		}
		m.Systemctl(t, "start", "radvd.service")
		m.finds(t)
	})
}
