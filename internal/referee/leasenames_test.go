package referee_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// A host with a lease has its name, both ways, as long as the lease; a name of the spec, or of
// another host, it does not get. Names outlive restarts of all programs.
func TestNamesOfLeases(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../testdata/good/lease-names/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	g := generate(t, fstest.MapFS{"router.hcl": {Data: b}})
	router, client := nstest.New(t, "router"), nstest.New(t, "client")
	nstest.Link(t, router, "lan1", client, "eth0")
	ip(t, router, "addr add 192.168.1.1/24 dev lan1\n")
	ip(t, client, "addr add 192.168.1.50/24 dev eth0\n")
	root := knotRoot(t, g)
	for name, text := range knotDNSFiles(t, g) {
		root.Write(t, name, text)
	}
	for _, rule := range g.list(t, "systemd", "tmpfiles", "rules") {
		root.Write(t, strings.Fields(rule.(string))[1], "")
	}
	script := g.text(t, "systemd", "services", "nbr-lease-names", "script")
	for name, text := range map[string]string{
		keaConf: keaJSON(t, g), "/run/kea/": "", "/var/lib/kea/": "", "/etc/nbr/spec/router.hcl": string(b),
		"/etc/nbr-names.sh": script,
	} {
		root.Write(t, name, text)
	}
	installNBR(t, root, "/usr/bin/nbr")
	// The first process of a namespace gets no signal that it does not ask for.
	unit := func() *lab.Daemon {
		return root.Daemon(t, router, "bash", "-ec", "trap 'exit 0' TERM; . /etc/nbr-names.sh")
	}

	kea := startKea(t, root, router)
	knot := startKnotDNS(t, root, router, "home.arpa")
	startKnot(t, root, router)
	names := unit()
	lease := func(host string, more ...string) string {
		t.Helper()
		l, err := getLease(t, client, append([]string{"-x", "hostname:" + host}, more...)...)
		if err != nil {
			t.Fatal(err)
		}
		return l.IP
	}
	says := func(want string, args ...string) {
		t.Helper()
		nstest.Wait(t, func() error {
			if got, err := asked(t, client, append([]string{"@192.168.1.1"}, args...)...); err != nil || got != want {
				return fmt.Errorf("dig %q says %q, want %q (%w)", args, got, want, err)
			}
			return nil
		})
	}
	wrong := func() []string { return unmet(t, root, router, "dhcp4.lan") }
	other := []string{"-C", "-x", "0x3d:01020304050607"} // another host, by its client identifier

	laptop := lease("Laptop.example.com")
	says("NOERROR A "+laptop, "laptop.home.arpa")
	says("NOERROR PTR laptop.home.arpa.", "-x", laptop)
	becomes(t, wrong, nil)

	// Names that the spec has, that others have, and that are none.
	for _, host := range []string{"gate", "nas", "printer", "wpad", "laptop", "_x", "a b", "x;y"} {
		lease(host, other...)
	}
	becomes(t, wrong, nil)
	second := lease("phone", other...)
	says("NOERROR A "+second, "phone.home.arpa")
	for name, want := range map[string]string{"gate": "NOERROR A 192.168.1.1", "nas": "NOERROR A 192.168.1.10", "printer": "NOERROR A 192.168.1.20", "laptop": "NOERROR A " + laptop, "wpad": "NXDOMAIN"} {
		says(want, name+".home.arpa")
	}

	// All start again.
	for _, d := range []*lab.Daemon{kea, knot, names} {
		d.Stop(t)
	}
	_, _, names = startKea(t, root, router), startKnotDNS(t, root, router, "home.arpa"), unit()
	says("NOERROR A "+laptop, "laptop.home.arpa")
	becomes(t, wrong, nil)

	// Without the unit a new name is missed. With it, names go with their leases.
	names.Stop(t)
	lease("tablet", other...)
	missed := []string{"dhcp4.lan/names fail: tablet.home.arpa is not found"}
	becomes(t, wrong, missed)
	// The unit ends between writing the name and telling the server, which it does at its next start.
	ends := strings.NewReplacer(`reload "$zone"`, ":", "names || true", "names; exit").Replace(script)
	root.Write(t, "/etc/nbr-names-ends.sh", ends)
	root.Run(t, router, "bash", "-ec", ". /etc/nbr-names-ends.sh")
	becomes(t, wrong, missed)
	unit()
	says("NOERROR A "+second, "tablet.home.arpa")
	giveBack(t, client, laptop)
	says("NXDOMAIN", "laptop.home.arpa")
	says("NXDOMAIN", "-x", laptop)
	says("NXDOMAIN", "phone.home.arpa")
	becomes(t, wrong, nil)
}

// unmet is what nbr verify finds of a block that is not so, but units that no systemd runs.
func unmet(t *testing.T, root *lab.Root, router *nstest.NS, block string) []string {
	t.Helper()
	out, err := root.Try(t, router, "/usr/bin/nbr", "verify", "-format", "json", "-only", block, "/etc/nbr/spec")
	var report struct{ Results []finding }
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil {
		t.Fatalf("nbr verify: %v\n%s", err, out)
	}
	var got []string
	for _, f := range report.Results {
		if f.Status != "pass" && !strings.HasSuffix(f.ID, "unit") {
			got = append(got, f.ID+" "+f.Status+": "+f.Got)
		}
	}
	slices.Sort(got)
	return got
}

// giveBack ends a lease that udhcpc has got (DHCPRELEASE, RFC 2131 section 4.4.6).
func giveBack(t *testing.T, client *nstest.NS, address string) {
	t.Helper()
	ip(t, client, "addr add "+address+"/24 dev eth0\n")
	mac, err := net.ParseMAC(strings.TrimSpace(client.Run(t, "cat", "/sys/class/net/eth0/address")))
	if err != nil {
		t.Fatal(err)
	}
	own, server := net.ParseIP(address), net.IPv4(192, 168, 1, 1)
	m, err := dhcpv4.New(dhcpv4.WithMessageType(dhcpv4.MessageTypeRelease), dhcpv4.WithHwAddr(mac), dhcpv4.WithClientIP(own),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(server)), dhcpv4.WithOption(dhcpv4.OptClientIdentifier(append([]byte{1}, mac...))))
	if err != nil {
		t.Fatal(err)
	}
	if err := within(client, func() error {
		c, err := net.DialUDP("udp4", &net.UDPAddr{IP: own, Port: dhcpv4.ClientPort}, &net.UDPAddr{IP: server, Port: dhcpv4.ServerPort})
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write(m.ToBytes())
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
