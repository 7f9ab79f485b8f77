package referee_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const keaConf = "/etc/kea/dhcp4-server.conf"

// keaJSON is /etc/kea/dhcp4-server.conf. Go writes two characters as escapes that Kea does not
// read; Nix's JSON, which NixOS gives to Kea, has them as they are.
func keaJSON(t *testing.T, g *generated) string {
	t.Helper()
	return keaSettings(t, g, "dhcp4", "Dhcp4")
}

func keaSettings(t *testing.T, g *generated, daemon, name string) string {
	t.Helper()
	if g.at("services", "kea", daemon, "enable") != true {
		t.Fatalf("Kea's %s is off", daemon)
	}
	text := toJSON(t, map[string]any{name: g.at("services", "kea", daemon, "settings")})
	return strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029").Replace(text)
}

func keaRoot(t *testing.T, g *generated) *lab.Root {
	t.Helper()
	return lab.Rootfs(t, lab.Files{keaConf: keaJSON(t, g), "/run/kea/": "", "/var/lib/kea/": ""})
}

func startKea(t *testing.T, root *lab.Root, ns *nstest.NS) *lab.Daemon {
	t.Helper()
	kea := root.Daemon(t, ns, "kea-dhcp4", "-c", keaConf)
	kea.Ready(t, said(kea, "DHCP4_STARTED"))
	return kea
}

// said is the condition that a daemon has written something.
func said(d *lab.Daemon, what string) func() error {
	return func() error {
		if !strings.Contains(d.Log(), what) {
			return errors.New("it has not said " + what)
		}
		return nil
	}
}

// A lease is what a DHCP client is told.
type lease struct{ IP, Mask, Router, DNS, Domain, Lease, Server, Next, Boot string }

// A client's script is given what it was told in its environment.
const leaseScript = `#!/bin/sh
test "$1" = bound && echo "$ip|$mask|$router|$dns|$domain|$lease|$serverid|$siaddr|$boot_file" >>"$LEASE"
exit 0
`

// getLease asks for a lease on eth0 of a client; more are more arguments of udhcpc.
func getLease(t *testing.T, client *nstest.NS, more ...string) (lease, error) {
	t.Helper()
	script, file := write(t, leaseScript), t.TempDir()+"/lease"
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := client.Command(t, "udhcpc", append([]string{"-i", "eth0", "-n", "-q", "-f", "-t", "60", "-T", "1", "-s", script}, more...)...)
	cmd.Env = append(os.Environ(), "LEASE="+file)
	if _, err := nstest.Output(cmd); err != nil {
		return lease{}, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return lease{}, err
	}
	w := strings.Split(strings.TrimSpace(string(text)), "|")
	if len(w) != 9 {
		return lease{}, fmt.Errorf("the lease is %q", text)
	}
	return lease{w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]}, nil
}

// lan is a router with addresses on bridges or ports, each with a client's cable: "br-lan
// 192.168.178.1/24".
func lan(t *testing.T, addresses ...string) (router *nstest.NS, clients []*nstest.NS) {
	t.Helper()
	router = nstest.New(t, "router")
	for i, a := range addresses {
		device, addr, _ := strings.Cut(a, " ")
		client := nstest.New(t, "client")
		port := device
		if strings.HasPrefix(device, "br-") {
			port = fmt.Sprintf("lan%d", i+1)
		}
		nstest.Link(t, router, port, client, "eth0")
		if port != device {
			ip(t, router, fmt.Sprintf("link add %s type bridge\nlink set %s master %s\nlink set %[1]s up\n", device, port, device))
		}
		ip(t, router, fmt.Sprintf("addr add %s dev %s\n", addr, device))
		clients = append(clients, client)
	}
	return router, clients
}

func TestKeaAccepts(t *testing.T) {
	t.Parallel()
	for name, addresses := range map[string][]string{
		"bpi-r4": {"br-lan 192.168.178.1/24"},
		"vlans":  {"v10 10.0.10.1/24", "v20 10.0.20.1/24", "v30 10.0.30.1/24"},
		"quiet":  {"br-lan 10.2.0.1/24", "lan2 10.3.0.1/24"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			router, _ := lan(t, addresses...)
			root := keaRoot(t, spec(t, name))
			root.Run(t, router, "kea-dhcp4", "-t", keaConf)
			root.Run(t, router, "kea-dhcp4", "-T", keaConf)
			bad := strings.Replace(keaJSON(t, spec(t, name)), `"valid-lifetime"`, `"valid-lifetimes"`, 1)
			root.Write(t, "/etc/kea/bad.conf", bad)
			if _, err := root.Try(t, router, "kea-dhcp4", "-t", "/etc/kea/bad.conf"); err == nil {
				t.Error("Kea takes anything")
			}
		})
	}
}

// The article's promise: an address of the pool, the router as gateway and name server, and the
// reserved address for the host that has one. With the firewall loaded, as on the router.
func TestKeaLeases(t *testing.T) {
	t.Parallel()
	g := spec(t, "bpi-r4")
	router, clients := lan(t, "br-lan 192.168.178.1/24")
	load(t, router, ruleset(t, g))
	root := keaRoot(t, g)
	kea := startKea(t, root, router)
	want := lease{IP: "192.168.178.100", Mask: "24", Router: "192.168.178.1", DNS: "192.168.178.1", Lease: "43200", Server: "192.168.178.1"}
	got, err := getLease(t, clients[0])
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// A restart, as every change of the configuration makes one, forgets no lease.
	kea.Stop(t)
	if text, err := os.ReadFile(root.Path("/var/lib/kea/dhcp4.leases")); err != nil || !strings.Contains(string(text), "192.168.178.100,") {
		t.Errorf("the lease file: %v\n%s", err, text)
	}
	kea = startKea(t, root, router)
	// The old address is taken: another host gets another one, the same host its own.
	if got, err := getLease(t, clients[0]); err != nil || got.IP != want.IP {
		t.Errorf("after a restart: %+v, %v", got, err)
	}
	clients[0].Run(t, "ip", "link", "set", "eth0", "address", "02:99:00:00:00:01")
	if got, err := getLease(t, clients[0]); err != nil || got.IP != "192.168.178.101" {
		t.Errorf("another host: %+v, %v", got, err)
	}
	// The nas, whatever it calls itself.
	clients[0].Run(t, "ip", "link", "set", "eth0", "address", "02:11:22:33:44:55")
	want.IP = "192.168.178.10"
	for _, args := range [][]string{nil, {"-C"}, {"-x", "hostname:something"}} {
		got, err := getLease(t, clients[0], args...)
		got.Lease = want.Lease // what is left of it
		if err != nil || got != want {
			t.Errorf("the reservation with %q: %+v, %v", args, got, err)
		}
	}
	// No other host gets it.
	clients[0].Run(t, "ip", "link", "set", "eth0", "address", "02:99:00:00:00:02")
	if got, err := getLease(t, clients[0], "-r", "192.168.178.10"); err != nil || got.IP == "192.168.178.10" {
		t.Errorf("a host that asks for the reserved address: %+v, %v", got, err)
	}
	kea.Stop(t)
}

// Each network has leases of its own, in its own words: pools, times, name servers, extra.
func TestKeaServesSeveralNetworks(t *testing.T) {
	t.Parallel()
	g := spec(t, "quiet")
	router, clients := lan(t, "br-lan 10.2.0.1/24", "lan2 10.3.0.1/24")
	root := keaRoot(t, g)
	startKea(t, root, router)
	for i, want := range []lease{
		{IP: "10.2.0.100", Mask: "24", Router: "10.2.0.1", DNS: "9.9.9.9 149.112.112.112", Domain: "home.example.org", Lease: "900", Server: "10.2.0.1"},
		{IP: "10.3.0.100", Mask: "24", Router: "10.3.0.1", DNS: "10.3.0.1", Lease: "43200", Server: "10.3.0.1"},
	} {
		got, err := getLease(t, clients[i])
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
	// Leases are kept under the identifier of their subnet: that of the network's address,
	// so that another order of blocks moves none.
	leases, err := os.ReadFile(root.Path("/var/lib/kea/dhcp4.leases"))
	if err != nil {
		t.Fatal(err)
	}
	for addr, id := range map[string]int{"10.2.0.100": 10<<24 + 2<<16, "10.3.0.100": 10<<24 + 3<<16} {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(addr) + `,([^,]*,){4}` + fmt.Sprint(id) + `,`).Match(leases) {
			t.Errorf("%s is not in subnet %d:\n%s", addr, id, leases)
		}
	}
	config := root.Run(t, router, "sh", "-c", `echo '{"command":"config-get"}' | nc -UN /run/kea/kea-dhcp4.sock`)
	for _, want := range []string{`"min-valid-lifetime": 300`, `"note": "quotes \" and ${} and ''"`} {
		if !strings.Contains(config, want) {
			t.Errorf("what extra says is not in Kea's configuration: %s in\n%s", want, config)
		}
	}
}

// nixpkgs issue 396806: Kea that starts before its link is up listens nowhere, for ever. Here
// the cable, or even the address, comes after Kea has started, and the client gets its lease.
func TestKeaWaitsForTheLink(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spec, before, first string
		lan                 []string
	}{
		"no cable":            {"bpi-r4", "link set lan1 down\n", "192.168.178.100", []string{"br-lan 192.168.178.1/24"}},
		"no address":          {"bpi-r4", "link set br-lan down\naddr del 192.168.178.1/24 dev br-lan\n", "192.168.178.100", []string{"br-lan 192.168.178.1/24"}},
		"one network without": {"quiet", "link set lan1 down\n", "10.2.0.100", []string{"br-lan 10.2.0.1/24", "lan2 10.3.0.1/24"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := spec(t, c.spec)
			router, clients := lan(t, c.lan...)
			ip(t, router, c.before)
			root := keaRoot(t, g)
			nstest.Wait(t, func() error { // the kernel's link watch takes up to a second
				if strings.Contains(router.Run(t, "ip", "link", "show", "br-lan"), "LOWER_UP") {
					return errors.New("br-lan has a carrier")
				}
				return nil
			})
			kea := startKea(t, root, router)
			if !strings.Contains(kea.Log(), "DHCPSRV_NO_SOCKETS_OPEN") && !strings.Contains(kea.Log(), "DHCPSRV_OPEN_SOCKET_FAIL") {
				t.Fatalf("Kea has found the link up:\n%s", kea.Log())
			}
			_, addr, _ := strings.Cut(c.lan[0], " ")
			ip(t, router, "link set lan1 up\nlink set br-lan up\naddr replace "+addr+" dev br-lan\n")
			kea.Ready(t, func() error {
				got, err := getLease(t, clients[0])
				if err == nil && got.IP != c.first {
					err = fmt.Errorf("the lease is %+v", got)
				}
				return err
			})
		})
	}
}
