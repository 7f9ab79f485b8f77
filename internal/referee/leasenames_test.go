package referee_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// A host with a lease has its name, both ways, as long as the lease; a name of the spec, or of
// another host, it does not get. Names outlive restarts of all programs.
func TestNamesOfLeases(t *testing.T) {
	t.Parallel()
	router, client := nstest.New(t, "router"), nstest.New(t, "client")
	nstest.Link(t, router, "lan1", client, "eth0")
	ip(t, router, "addr add 192.168.1.1/24 dev lan1\n")
	ip(t, client, "addr add 192.168.1.50/24 dev eth0\n")
	_, root, script := namesRoot(t)
	unit := func() *lab.Daemon { return namesUnit(t, root, router) }

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
	giveBack(t, client, laptop, nil)
	says("NXDOMAIN", "laptop.home.arpa")
	says("NXDOMAIN", "-x", laptop)
	says("NXDOMAIN", "phone.home.arpa")
	becomes(t, wrong, nil)
}

// namesRouter is the router of the spec with names of leases, and the spec.
func namesRouter(t *testing.T) (*generated, string) {
	t.Helper()
	b, err := os.ReadFile("../../testdata/good/lease-names/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	return generate(t, fstest.MapFS{"router.hcl": {Data: b}}), string(b)
}

// namesRoot is a folder with all that the router of the spec has for names of leases, and the script of
// the unit that writes them.
func namesRoot(t *testing.T) (*generated, *lab.Root, string) {
	t.Helper()
	g, spec := namesRouter(t)
	root := knotRoot(t, g)
	for name, text := range knotDNSFiles(t, g) {
		root.Write(t, name, text)
	}
	for _, rule := range g.list(t, "systemd", "tmpfiles", "rules") {
		root.Write(t, strings.Fields(rule.(string))[1], "")
	}
	script := g.text(t, "systemd", "services", "nbr-lease-names", "script")
	for name, text := range map[string]string{
		keaConf: keaJSON(t, g), keaConf6: kea6JSON(t, g), "/run/kea/": "", "/var/lib/kea/": "", "/etc/nbr/spec/router.hcl": spec,
		"/etc/nbr-names.sh": script,
	} {
		root.Write(t, name, text)
	}
	installNBR(t, root, "/usr/bin/nbr")
	return g, root, script
}

// namesUnit starts the script. The first process of a namespace gets no signal that it does not ask for.
func namesUnit(t *testing.T, root *lab.Root, router *nstest.NS) *lab.Daemon {
	t.Helper()
	return root.Daemon(t, router, "bash", "-ec", "trap 'exit 0' TERM; . /etc/nbr-names.sh")
}

// A host has one name for its leases of both versions of IP, as long as each of them: one that says its
// DUID in DHCPv4 as well (RFC 4361), and one that says its MAC address. Another host takes neither half
// of the name, and gets it when both have ended.
func TestOneNameForBothLeases(t *testing.T) {
	t.Parallel()
	router, hub := nstest.New(t, "router"), nstest.New(t, "hub")
	laptop, phone, thief := nstest.New(t, "laptop"), nstest.New(t, "phone"), nstest.New(t, "thief")
	ip(t, hub, "link add br0 type bridge mcast_snooping 0\nlink set br0 up\n")
	nstest.Link(t, router, "lan1", hub, "p0")
	for i, client := range []*nstest.NS{laptop, phone, thief} {
		port := fmt.Sprintf("p%d", i+1)
		nstest.Link(t, hub, port, client, "eth0")
		ip(t, client, fmt.Sprintf("link set eth0 down\nlink set eth0 address 00:11:22:33:44:0%d\nlink set eth0 up\n", i+1))
		ip(t, hub, "link set "+port+" master br0\n")
	}
	ip(t, hub, "link set p0 master br0\n")
	ip(t, router, "addr add 192.168.1.1/24 dev lan1\naddr add fd00:1::1/64 dev lan1 nodad\n")
	g, root, _ := namesRoot(t)
	startKea(t, root, router)
	kea := startKea6(t, g, root, router)
	startKnotDNS(t, root, router, "home.arpa")
	startKnot(t, root, router)
	unit := namesUnit(t, root, router)

	says := func(want string, args ...string) {
		t.Helper()
		kea.Ready(t, func() error {
			if got, err := asked(t, router, append([]string{"@127.0.0.2"}, args...)...); err != nil || got != want {
				return fmt.Errorf("dig %q says %q, want %q (%w)\n%s", args, got, want, err, router.Run(t, "cat", root.Path("/var/lib/kea/dhcp6.leases")))
			}
			return nil
		})
	}
	wrong := func() []string {
		return append(unmet(t, root, router, "dhcp4.lan"), unmet(t, root, router, "dhcp6.lan")...)
	}
	four := func(ns *nstest.NS, host string, more ...string) string {
		t.Helper()
		l, err := getLease(t, ns, append([]string{"-x", "hostname:" + host}, more...)...)
		if err != nil {
			t.Fatal(err)
		}
		return l.IP
	}
	// Kea says no to none of those who ask, so a lease of DHCPv6 is there when its address is.
	six := func(ns *nstest.NS, duid, host string) (*lab.Daemon, string) {
		t.Helper()
		client := dhcpcd6(t, ns, duid, "ia_na 1", "release", "hostname "+host)
		var address string
		client.Ready(t, func() error {
			w := strings.Fields(ns.Run(t, "ip", "-6", "-brief", "addr", "show", "dev", "eth0", "scope", "global"))
			if len(w) < 3 {
				return errors.New("no address yet")
			}
			address, _, _ = strings.Cut(w[2], "/")
			return nil
		})
		return client, address
	}

	// By DUID, and the thief would have both.
	const duid = "00:02:00:00:00:09:01:02:03:04"
	id := []byte{0xff, 0, 0, 0, 1, 0, 2, 0, 0, 0, 9, 1, 2, 3, 4} // RFC 4361 section 6.1
	laptop4 := four(laptop, "laptop", "-C", "-x", fmt.Sprintf("0x3d:%x", id))
	says("NOERROR aa A "+laptop4, "laptop.home.arpa", "A")
	six(thief, "00:02:00:00:00:09:0f:0f:0f:0f", "laptop")
	client, laptop6 := six(laptop, duid, "laptop")
	says("NOERROR aa AAAA "+laptop6, "laptop.home.arpa", "AAAA")
	says("NOERROR aa PTR laptop.home.arpa.", "-x", laptop4)
	says("NOERROR aa PTR laptop.home.arpa.", "-x", laptop6)
	becomes(t, wrong, nil)

	// By MAC address, which Kea finds in the DUID; the one with the AAAA was first.
	_, phone6 := six(phone, "00:03:00:01:00:11:22:33:44:02", "Phone.example.com")
	says("NOERROR aa AAAA "+phone6, "phone.home.arpa", "AAAA")
	four(thief, "phone")
	phone4 := four(phone, "phone")
	says("NOERROR aa A "+phone4, "phone.home.arpa", "A")
	says("NOERROR aa AAAA "+phone6, "phone.home.arpa", "AAAA")
	// A name of the spec stays what the spec says.
	four(thief, "nas")
	says("NOERROR aa A 192.168.1.10", "nas.home.arpa", "A")
	says("NOERROR aa", "nas.home.arpa", "AAAA")
	becomes(t, wrong, nil)

	// Half of a name goes with its lease, and the other half stays. Then the thief, who waits, has it.
	client.Stop(t)
	says("NOERROR aa", "laptop.home.arpa", "AAAA")
	says("NXDOMAIN aa", "-x", laptop6)
	says("NOERROR aa A "+laptop4, "laptop.home.arpa", "A")
	becomes(t, wrong, nil)
	giveBack(t, laptop, laptop4, id)
	says("NOERROR aa", "laptop.home.arpa", "A")
	says("NXDOMAIN aa", "-x", laptop4)
	thief6 := strings.Split(strings.Fields(thief.Run(t, "ip", "-6", "-brief", "addr", "show", "dev", "eth0", "scope", "global"))[2], "/")[0]
	says("NOERROR aa AAAA "+thief6, "laptop.home.arpa", "AAAA")
	becomes(t, wrong, nil)

	// One half that is missed is red for its own block.
	unit.Stop(t)
	zone := root.Path("/var/lib/nbr-names/home.arpa")
	root.Write(t, "/var/lib/nbr-names/home.arpa", strings.ReplaceAll(router.Run(t, "cat", zone), "phone.home.arpa. 10 IN AAAA", "; phone"))
	root.Run(t, router, "knotc", "-c", knotDNSConf, "-b", "zone-reload", "home.arpa")
	becomes(t, wrong, []string{"dhcp6.lan/names fail: phone.home.arpa has no record of type AAAA"})
	namesUnit(t, root, router)
	becomes(t, wrong, nil)
}

// unmet is what nbr verify finds of a block that is not so, but units that no systemd runs.
func unmet(t *testing.T, root *lab.Root, router *nstest.NS, block string, as ...string) []string {
	t.Helper()
	found := found(t, func(args ...string) (string, error) { return root.Try(t, router, args...) }, block, as)
	return slices.DeleteFunc(found, func(f string) bool {
		id, _, _ := strings.Cut(f, " ")
		return strings.HasSuffix(id, "unit")
	})
}

// unmetOn is what nbr verify finds of a block that is not so on a machine with systemd.
func unmetOn(t *testing.T, m *lab.Machine, block string, as ...string) []string {
	t.Helper()
	return found(t, func(args ...string) (string, error) { return m.Try(t, args...) }, block, as)
}

func found(t *testing.T, try func(...string) (string, error), block string, as []string) []string {
	t.Helper()
	out, err := try(append(slices.Clone(as), "/usr/bin/nbr", "verify", "-format", "json", "-only", block, "/etc/nbr/spec")...)
	var report struct{ Results []finding }
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil {
		t.Fatalf("nbr verify: %v\n%s", err, out)
	}
	var got []string
	for _, f := range report.Results {
		if f.Status != "pass" {
			got = append(got, f.ID+" "+f.Status+": "+f.Got)
		}
	}
	slices.Sort(got)
	return got
}

// giveBack ends a lease that udhcpc has got (DHCPRELEASE, RFC 2131 section 4.4.6), with the
// identifier that it gave or its own.
func giveBack(t *testing.T, client *nstest.NS, address string, id []byte) {
	t.Helper()
	ip(t, client, "addr add "+address+"/24 dev eth0\n")
	mac, err := net.ParseMAC(strings.TrimSpace(client.Run(t, "cat", "/sys/class/net/eth0/address")))
	if err != nil {
		t.Fatal(err)
	}
	if id == nil {
		id = append([]byte{1}, mac...)
	}
	own, server := net.ParseIP(address), net.IPv4(192, 168, 1, 1)
	m, err := dhcpv4.New(dhcpv4.WithMessageType(dhcpv4.MessageTypeRelease), dhcpv4.WithHwAddr(mac), dhcpv4.WithClientIP(own),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(server)), dhcpv4.WithOption(dhcpv4.OptClientIdentifier(id)))
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

// What is one host, whose name it is, and what is no lease of a name: by lease files as Kea writes them.
func TestNamesByTheLeases(t *testing.T) {
	t.Parallel()
	const (
		mac, mac2 = "00:11:22:33:44:01", "00:11:22:33:44:02"
		duid      = "00:02:00:00:00:09:01"
		other     = "00:02:00:00:00:09:02"
	)
	far := time.Now().Add(time.Hour).Unix()
	four := func(address, mac, id, name string) string {
		return fmt.Sprintf("192.168.1.%s,%s,%s,40,%d,3232235776,0,0,%s,0,,0\n", address, mac, id, far, name)
	}
	row6 := func(address, duid, mac, name string, until int64, subnet uint32, kind int) string {
		return fmt.Sprintf("fd00:1::%s,%s,40,%d,%d,20,%d,1,128,0,0,%s,%s,0,,1,2,0\n", address, duid, until, subnet, kind, name, mac)
	}
	six := func(address, duid, mac, name string) string {
		return row6(address, duid, mac, name, far, 1037241045, 0)
	}
	_, root, script := namesRoot(t)
	root.Write(t, "/etc/once.sh", strings.NewReplacer(`reload "$zone"`, ":", "names || true", "names; exit").Replace(script))
	for title, c := range map[string]struct {
		four, six, old string
		want           []string // name, type, address
	}{
		"a DUID in DHCPv4": {
			four: four("100", mac, "ff:00:00:00:01:"+duid, "laptop"), six: six("1000", duid, "", "laptop."),
			want: []string{"laptop A 192.168.1.100", "laptop AAAA fd00:1::1000"},
		},
		"another DUID": {
			four: four("100", mac, "ff:00:00:00:01:"+duid, "laptop"), six: six("1000", other, mac, "laptop."),
			want: []string{"laptop A 192.168.1.100"},
		},
		"a MAC address": {
			four: four("100", mac, "", "laptop") + four("101", mac2, "01:"+mac2, "phone"), six: six("1000", duid, mac, "laptop.example.") + six("1001", other, mac2, "PHONE"),
			want: []string{"laptop A 192.168.1.100", "laptop AAAA fd00:1::1000", "phone A 192.168.1.101", "phone AAAA fd00:1::1001"},
		},
		"another MAC address": {
			four: four("100", mac, "", "laptop"), six: six("1000", duid, mac2, "laptop"),
			want: []string{"laptop A 192.168.1.100"},
		},
		"none in DHCPv6": {
			four: four("100", mac, "", "laptop"), six: six("1000", duid, "", "laptop"),
			want: []string{"laptop A 192.168.1.100"},
		},
		"an identifier of its own": {
			four: four("100", mac, "00:6c:61:70", "laptop"), six: six("1000", duid, mac, "laptop"),
			want: []string{"laptop A 192.168.1.100"},
		},
		"two adapters and one DUID": {
			four: four("100", mac, "ff:00:00:00:01:"+duid, "laptop") + four("101", mac2, "ff:00:00:00:02:"+duid, "laptop"), six: six("1000", duid, mac, "laptop") + six("1001", duid, mac2, "laptop"),
			want: []string{"laptop A 192.168.1.100", "laptop A 192.168.1.101", "laptop AAAA fd00:1::1000", "laptop AAAA fd00:1::1001"},
		},
		"who had it": {
			four: four("100", mac, "", "laptop") + four("101", mac2, "", "laptop"), six: six("1000", duid, mac, "laptop") + six("1001", other, mac2, "laptop"),
			old:  "laptop.home.arpa. 10 IN AAAA fd00:1::1001 ; " + other + "\n",
			want: []string{"laptop A 192.168.1.101", "laptop AAAA fd00:1::1001"},
		},
		"who had it and has no lease any more": {
			four: four("100", mac, "", "laptop"), six: row6("1001", other, mac2, "laptop", 1, 1037241045, 0),
			old:  "laptop.home.arpa. 10 IN AAAA fd00:1::1001 ; " + other + "\n",
			want: []string{"laptop A 192.168.1.100"},
		},
		"no leases of names": {
			six: row6("1000", duid, "", "ended", 1, 1037241045, 0) + row6("1001", duid, "", "prefix", far, 1037241045, 2) +
				row6("1002", duid, "", "elsewhere", far, 3232235776, 0) + six("1003", duid, "", "wpad") + six("1004", duid, "", "nas") + six("1005", duid, "", "") + six("1006", duid, "", "a b"),
		},
	} {
		t.Run(title, func(t *testing.T) {
			const head4 = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n"
			const head6 = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n"
			root.Write(t, "/var/lib/kea/dhcp4.leases", head4+c.four)
			root.Write(t, "/var/lib/kea/dhcp6.leases", head6+c.six)
			root.Write(t, "/var/lib/nbr-names/home.arpa", c.old)
			ns := new(nstest.NS)
			root.Run(t, ns, "bash", "-ec", ". /etc/once.sh")
			var got, back []string
			for line := range strings.Lines(ns.Run(t, "cat", root.Path("/var/lib/nbr-names/home.arpa"))) {
				w := strings.Fields(line) // laptop.home.arpa. 10 IN A 192.168.1.100 ; 00:11:…
				got = append(got, strings.TrimSuffix(w[0], ".home.arpa.")+" "+w[3]+" "+w[4])
				reverse, err := dns.ReverseAddr(w[4])
				if err != nil {
					t.Error(err)
				}
				back = append(back, reverse+" "+w[0])
			}
			slices.Sort(got)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			var leads []string
			for _, zone := range []string{"1.168.192.in-addr.arpa", "0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa"} {
				for line := range strings.Lines(ns.Run(t, "cat", root.Path("/var/lib/nbr-names/"+zone))) {
					w := strings.Fields(line)
					leads = append(leads, w[0]+" "+w[4])
				}
			}
			slices.Sort(back)
			slices.Sort(leads)
			if d := cmp.Diff(back, leads); d != "" {
				t.Errorf("the way back (-want +got):\n%s", d)
			}
		})
	}
}

// The script is a shell's, and the shell's own critic has nothing to say but that a list is of words.
func TestTheNamesScriptIsAShells(t *testing.T) {
	t.Parallel()
	g, _ := namesRouter(t)
	file := write(t, "#!/usr/bin/env bash\n"+g.text(t, "systemd", "services", "nbr-lease-names", "script"))
	if out, err := exec.CommandContext(t.Context(), "shellcheck", "-e", "SC2086", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
