package referee_test

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// An evilServer is an upstream's DHCP server: its own address and subnet, the addresses that it
// leases, and what it says unasked.
type evilServer struct {
	server, subnet, pool string
	router               string   // option 3, or none
	routes               []string // options 121 and 249: "10.8.0.0/24 198.51.100.66"
	classful             string   // option 33, in hex
}

func (s evilServer) config(t *testing.T) string {
	t.Helper()
	always := func(code int, data string) map[string]any {
		return map[string]any{"code": code, "data": data, "csv-format": false, "always-send": true}
	}
	var options []any
	if s.router != "" {
		options = append(options, map[string]any{"name": "routers", "data": s.router})
	}
	if s.routes != nil {
		var csr strings.Builder
		for _, r := range s.routes {
			to, via, _ := strings.Cut(r, " ")
			p := netip.MustParsePrefix(to)
			// RFC 3442: the length, and as many bytes of the prefix as it needs.
			fmt.Fprintf(&csr, "%02x%x%x", p.Bits(), p.Addr().AsSlice()[:(p.Bits()+7)/8], netip.MustParseAddr(via).AsSlice())
		}
		options = append(options, always(121, csr.String()), always(249, csr.String()))
	}
	if s.classful != "" {
		options = append(options, always(33, s.classful))
	}
	return toJSON(t, map[string]any{"Dhcp4": map[string]any{
		"interfaces-config": map[string]any{"interfaces": []string{"eth0"}},
		"lease-database":    map[string]any{"type": "memfile", "persist": false},
		"valid-lifetime":    30, "renew-timer": 2, "rebind-timer": 20,
		"subnet4": []any{map[string]any{
			"id": 1, "subnet": s.subnet, "interface": "eth0", "pools": []any{map[string]any{"pool": s.pool + "-" + s.pool}}, "option-data": options,
		}},
	}})
}

const leasedRouter = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}
network "lan" {
  link = port.lan1
  ipv4 = "192.168.178.1/24"
}
network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}
zone "lan" { networks = [network.lan] }
zone "wan" { networks = [network.wan] }
secret "wg0" { path = "/var/lib/secrets/wg0" }
wireguard "wg0" {
  private_key = secret.wg0
  peer "office" {
    public_key  = "sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY="
    allowed_ips = ["10.8.0.0/24"]
  }
}
`

// What a lease routes is the default route and no prefix of the house or of a tunnel's peers:
// not by option 121 (RFC 3442), nor by Microsoft's 249 or the 33 of old, nor by a lease whose
// own subnet is the house's. Leases are renewed while the test looks.
func TestLeasesRouteTheirOwn(t *testing.T) {
	t.Parallel()
	evil := []string{
		"0.0.0.0/0 198.51.100.1", "10.8.0.0/25 198.51.100.66", "192.168.178.64/26 198.51.100.66",
		"8.8.8.0/24 198.51.100.66", "172.16.0.0/12 198.51.100.66", "172.16.5.0/24 198.51.100.66",
	}
	for name, c := range map[string]struct {
		isp  evilServer
		more string
		want []string // routes by DHCP on wan
	}{
		"option 3 alone": {
			isp:  evilServer{server: "198.51.100.1/24", subnet: "198.51.100.0/24", pool: "198.51.100.50", router: "198.51.100.1"},
			want: []string{"198.51.100.0/24", "default via 198.51.100.1"},
		},
		"routes of everything": {
			isp:  evilServer{server: "198.51.100.1/24", subnet: "198.51.100.0/24", pool: "198.51.100.50", router: "198.51.100.1", routes: evil, classful: "08080808c6336442"},
			want: []string{"198.51.100.0/24", "default via 198.51.100.1"},
		},
		"option 33": {
			isp:  evilServer{server: "198.51.100.1/24", subnet: "198.51.100.0/24", pool: "198.51.100.50", router: "198.51.100.1", classful: "08080808c6336442"},
			want: []string{"198.51.100.0/24", "default via 198.51.100.1"},
		},
		"of 121 the default alone": {
			isp:  evilServer{server: "198.51.100.1/24", subnet: "198.51.100.0/24", pool: "198.51.100.50", routes: evil},
			more: `dhcp_client { static_routes = [] }`,
			want: []string{"198.51.100.0/24", "default via 198.51.100.1"},
		},
		"and the way to its gateway": {
			isp: evilServer{
				server: "203.0.113.1/32", subnet: "198.51.100.0/24", pool: "198.51.100.50",
				routes: []string{"203.0.113.1/32 0.0.0.0", "0.0.0.0/0 203.0.113.1", "8.8.8.8/32 203.0.113.1"},
			},
			more: `dhcp_client { static_routes = [] }`,
			want: []string{"198.51.100.0/24", "203.0.113.1", "default via 203.0.113.1"},
		},
		"what the spec lists": {
			isp:  evilServer{server: "198.51.100.1/24", subnet: "198.51.100.0/24", pool: "198.51.100.50", routes: evil},
			more: `dhcp_client { static_routes = ["172.16.0.0/12"] }`,
			want: []string{"172.16.0.0/12 via 198.51.100.66", "172.16.5.0/24 via 198.51.100.66", "198.51.100.0/24", "default via 198.51.100.1"},
		},
		"a gateway elsewhere": { // for which dhcpcd makes a route of its own
			isp:  evilServer{server: "203.0.113.1/32", subnet: "198.51.100.0/24", pool: "198.51.100.50", router: "203.0.113.1"},
			want: []string{"198.51.100.0/24", "203.0.113.1", "default via 203.0.113.1"},
		},
		"the house's own subnet": {
			isp:  evilServer{server: "192.168.178.254/24", subnet: "192.168.178.0/24", pool: "192.168.178.50", router: "192.168.178.254"},
			want: []string{"192.168.178.254", "default via 192.168.178.254"},
		},
		"half of it": {
			isp:  evilServer{server: "192.168.178.254/25", subnet: "192.168.178.128/25", pool: "192.168.178.150", router: "192.168.178.254"},
			want: []string{"192.168.178.254", "default via 192.168.178.254"},
		},
		"a tunnel's": {
			isp:  evilServer{server: "10.8.0.1/25", subnet: "10.8.0.0/25", pool: "10.8.0.50", router: "10.8.0.1"},
			want: []string{"10.8.0.1", "default via 10.8.0.1"},
		},
		"one around a tunnel's": { // the more specific route decides, and that is the tunnel's
			isp:  evilServer{server: "10.0.0.1/8", subnet: "10.0.0.0/8", pool: "10.5.0.50", router: "10.0.0.1"},
			want: []string{"10.0.0.0/8", "default via 10.0.0.1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := fromText(t, leasedRouter+c.more)
			ifstate := lab.IfState(t)
			ifstate.Ports = dsaPorts
			internet, client := nstest.New(t, "internet"), nstest.New(t, "client")
			router := board(t, map[string]*nstest.NS{"wan": internet, "lan1": client})
			ip(t, internet, "addr add "+c.isp.server+" dev eth0\naddr add "+somewhere+"/32 dev lo\n")
			ip(t, client, "addr add 192.168.178.200/24 dev eth0\n")
			sysctls(t, router, g)
			apply(t, ifstate, router, g)

			isp := lab.Rootfs(t, lab.Files{"/etc/kea.conf": c.isp.config(t), "/run/kea/": ""})
			kea := isp.Daemon(t, internet, "kea-dhcp4", "-c", "/etc/kea.conf")
			kea.Ready(t, said(kea, "DHCP4_STARTED"))
			root := lab.Rootfs(t, lab.Files{
				"/etc/dhcpcd.conf": dhcpcdConf(t, g), "/etc/resolv.conf": "nameserver 127.0.0.1\n",
				"/etc/dhcpcd.exit-hook": g.text(t, "networking", "dhcpcd", "runHook"),
			})
			dhcpcd := root.Daemon(t, router, "dhcpcd", "-B", "--nodev", "--persistent", "--config", "/etc/dhcpcd.conf")
			leased := func() (out []string) {
				for line := range strings.Lines(router.Run(t, "ip", "-4", "route", "show", "dev", "wan", "proto", "dhcp")) {
					w := strings.Fields(line)
					if len(w) > 2 && w[1] == "via" {
						w[0] += " via " + w[2]
					}
					out = append(out, w[0])
				}
				slices.Sort(out)
				return out
			}
			settled := func() error {
				if d := gocmp.Diff(c.want, leased()); d != "" {
					return errors.New("(-want +got):\n" + d)
				}
				return nil
			}
			dhcpcd.Ready(t, settled)
			dhcpcd.Ready(t, func() error {
				if strings.Count(kea.Log(), "DHCP4_LEASE_ALLOC") < 4 {
					return errors.New("no renewals")
				}
				return nil
			})
			dhcpcd.Ready(t, settled)
			// The house goes on, whatever the upstream says.
			router.Run(t, "ping", "-c1", "-W5", "192.168.178.200")
			// dhcpcd sets routes at each renewal, and the hook takes them back thereafter.
			dhcpcd.Ready(t, func() error {
				if out := router.Run(t, "ip", "route", "get", "192.168.178.200"); !strings.Contains(out, "dev lan1") {
					return fmt.Errorf("the LAN is elsewhere: %s", out)
				}
				return nil
			})
			// A switch of the system leaves all of it alone.
			apply(t, ifstate, router, g)
			dhcpcd.Ready(t, settled)
		})
	}
}

// dhcpcd sets routes before it runs the hook that takes wrong ones back. So without the hook,
// with all that the lease brings standing for good, packets to what the spec places must go
// there as well.
func TestALeaseTakesNothingMeanwhile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		isp  evilServer
		more string
		want string // a route of the lease
	}{
		"half of the house's subnet": {
			isp:  evilServer{server: "192.168.178.254/25", subnet: "192.168.178.128/25", pool: "192.168.178.150", router: "192.168.178.254"},
			want: "192.168.178.128/25 ",
		},
		"a host of it as gateway": {
			isp:  evilServer{server: "198.51.100.1/24", subnet: "198.51.100.0/24", pool: "198.51.100.50", router: "192.168.178.200"},
			want: "192.168.178.200 ",
		},
		"half of a tunnel's": {
			isp:  evilServer{server: "10.8.0.1/25", subnet: "10.8.0.0/25", pool: "10.8.0.50", router: "10.8.0.1"},
			want: "10.8.0.0/25 ",
		},
		"routes of everything": {
			isp: evilServer{
				server: "198.51.100.1/24", subnet: "198.51.100.0/24", pool: "198.51.100.50",
				routes: []string{"0.0.0.0/0 198.51.100.1", "10.8.0.0/25 198.51.100.66", "192.168.178.192/26 198.51.100.66", "10.9.1.0/24 198.51.100.66"},
			},
			more: `dhcp_client { static_routes = [] }`,
			want: "192.168.178.192/26 ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := fromText(t, leasedRouter+"route \"office\" {\n  to  = \"10.9.0.0/16\"\n  via = \"192.168.178.9\"\n}\n"+c.more)
			ifstate := lab.IfState(t)
			ifstate.Ports = dsaPorts
			internet, client := nstest.New(t, "internet"), nstest.New(t, "client")
			router := board(t, map[string]*nstest.NS{"wan": internet, "lan1": client})
			ip(t, internet, "addr add "+c.isp.server+" dev eth0\n")
			ip(t, client, "addr add 192.168.178.200/24 dev eth0\n")
			sysctls(t, router, g)
			apply(t, ifstate, router, g)
			// The kernel may have no WireGuard: another link stands for the tunnel.
			nstest.Link(t, router, "wg0", nstest.New(t, "peer"), "eth0")
			for _, rt := range g.list(t, "networking", "ifstate", "settings", "routing", "routes") {
				if rt := rt.(map[string]any); rt["dev"] == "wg0" {
					ip(t, router, fmt.Sprintf("route add %v dev wg0 table %v\n", rt["to"], cmp.Or(rt["table"], any(254))))
				}
			}
			isp := lab.Rootfs(t, lab.Files{"/etc/kea.conf": c.isp.config(t), "/run/kea/": ""})
			kea := isp.Daemon(t, internet, "kea-dhcp4", "-c", "/etc/kea.conf")
			kea.Ready(t, said(kea, "DHCP4_STARTED"))
			root := lab.Rootfs(t, lab.Files{"/etc/dhcpcd.conf": dhcpcdConf(t, g), "/etc/resolv.conf": "nameserver 127.0.0.1\n"})
			dhcpcd := root.Daemon(t, router, "dhcpcd", "-B", "--nodev", "--persistent", "--config", "/etc/dhcpcd.conf")
			dhcpcd.Ready(t, func() error {
				out := router.Run(t, "ip", "-4", "route", "show", "dev", "wan")
				if !strings.Contains("\n"+out, "\n"+c.want) || !strings.Contains(out, "default") {
					return fmt.Errorf("the lease has brought %q", out)
				}
				return nil
			})
			for to, dev := range map[string]string{"192.168.178.200": "lan1", "10.8.0.20": "wg0", "10.9.1.1": "lan1"} {
				if out := router.Run(t, "ip", "route", "get", to); !strings.Contains(out, "dev "+dev+" ") {
					t.Errorf("%s is elsewhere: %s", to, out)
				}
			}
			if out := router.Run(t, "ip", "route", "get", "192.168.178.200"); !strings.Contains(out, "src 192.168.178.1 ") {
				t.Errorf("another source: %s", out)
			}
			router.Run(t, "ping", "-c1", "-W5", "192.168.178.200")
			// What is the upstream's goes there still.
			if out := router.Run(t, "ip", "route", "get", somewhere); !strings.Contains(out, "dev wan ") {
				t.Errorf("no way to the Internet: %s", out)
			}
		})
	}
}

// A router advertisement may call any prefix on-link, also one within the house's (RFC 4861
// section 4.6.2), and the kernel believes it.
func TestAnAdvertisementTakesNothing(t *testing.T) {
	t.Parallel()
	g := fromText(t, leasedRouter+`
network "six" {
  link = port.lan2
  ipv6 = "fd00:3::1/64"
}
network "auto" {
  link = port.lan3
  ipv6 = "auto"
}
zone "more" { networks = [network.six, network.auto] }
`)
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	upstream, client := nstest.New(t, "upstream"), nstest.New(t, "client")
	router := board(t, map[string]*nstest.NS{"lan3": upstream, "lan2": client})
	ip(t, upstream, "addr add 2001:db8:f::1/64 dev eth0\n")
	ip(t, client, "addr add fd00:3::5/64 dev eth0 nodad\n")
	upstream.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
	sysctls(t, router, g)
	apply(t, ifstate, router, g)
	isp := lab.Rootfs(t, lab.Files{"/etc/radvd.conf": strings.Replace(upstreamRadvd, "};\n}", "};\n  prefix fd00:3::/80 { AdvAutonomous off; };\n};\n#", 1)})
	radvd := isp.Daemon(t, upstream, "radvd", "-n", "-C", "/etc/radvd.conf", "-m", "stderr", "-u", "root")
	radvd.Ready(t, func() error {
		if out := router.Run(t, "ip", "-6", "route", "show", "dev", "lan3"); !strings.Contains(out, "fd00:3::/80 ") {
			return fmt.Errorf("the advertisement has brought %q", out)
		}
		return nil
	})
	if out := router.Run(t, "ip", "-6", "route", "get", "fd00:3::5"); !strings.Contains(out, "dev lan2 ") {
		t.Errorf("the network is elsewhere: %s", out)
	}
	router.Run(t, "ping", "-6", "-c1", "-W5", "fd00:3::5")
	apply(t, ifstate, router, g)
}

// The hook is a shell's, and the shell's own critic has nothing to say.
func TestTheLeaseHookIsAShells(t *testing.T) {
	t.Parallel()
	given := "interface=; new_network_number=; new_subnet_cidr=; new_ip_address=\n"
	file := write(t, "#!/bin/sh -e\n"+given+fromText(t, leasedRouter).text(t, "networking", "dhcpcd", "runHook"))
	if out, err := exec.CommandContext(t.Context(), "shellcheck", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
