package referee_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// mappingSpec has a network whose hosts may open ports, and one whose hosts may not.
const mappingSpec = `
network "out" {
  link     = port.wan
  ipv4     = "9.1.2.2/24"
  ipv6     = "2001:db8:f::2/64"
  gateway  = "9.1.2.1"
  gateway6 = "2001:db8:f::1"
}
network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "2001:db8:1::1/64"
}
network "guests" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}
zone "out" {
  networks = [network.out]
  allow    = ["game"]
}
zone "lan" {
  networks = [network.lan]
  allow    = ["upnp"]
}
zone "guests" { networks = [network.guests] }
service "game" { ports = ["udp/27015"] }
port_forward "web" {
  from = zone.out
  port = 8443
  to   = "192.168.1.60"
}
policy "internet" {
  from       = [zone.lan, zone.guests]
  to         = [zone.out]
  action     = "accept"
  masquerade = true
}
upnp {
  external = network.out
  networks = [network.lan]
}
`

// A mappingHouse is a router with a host, a guest and the Internet.
type mappingHouse struct {
	router, host, guest, internet *nstest.NS
	root                          *lab.Root
	rules, chains                 string
	daemon                        *lab.Daemon
}

// newMappingHouse has everything but the daemon.
func newMappingHouse(t *testing.T, spec string) *mappingHouse {
	t.Helper()
	text := strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1) + spec
	g := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(text)}})
	at := func(path ...string) string { return g.text(t, path...) }
	start := at("systemd", "services", "miniupnpd", "serviceConfig", "ExecStartPre")
	_, chains, ok := strings.Cut(start, "/bin/nft -f text:")
	if !ok {
		t.Fatalf("before the daemon there is %q", start)
	}
	// The lines of services.miniupnpd (nixos/modules/services/networking/miniupnpd.nix).
	conf := "ext_ifname=" + at("services", "miniupnpd", "externalInterface") + "\nenable_natpmp=yes\nenable_upnp=yes\n"
	for _, link := range g.at("services", "miniupnpd", "internalIPs").([]any) {
		conf += fmt.Sprintf("listening_ip=%s\n", link)
	}
	conf += "upnp_table_name=miniupnpd\nupnp_nat_table_name=miniupnpd\n" + at("services", "miniupnpd", "appendConfig")
	h := &mappingHouse{
		router: nstest.New(t, "router"), host: nstest.New(t, "host"), guest: nstest.New(t, "guest"), internet: nstest.New(t, "internet"),
		root:  lab.Rootfs(t, lab.Files{"/etc/miniupnpd.conf": conf, "/var/lib/miniupnpd/": "", "/etc/nbr/spec/router.hcl": text}),
		rules: ruleset(t, g), chains: chains,
	}
	installNBR(t, h.root, "/usr/bin/nbr")
	sysctls(t, h.router, g)
	load(t, h.router, h.rules)
	nstest.Link(t, h.router, "lan1", h.host, "eth0")
	nstest.Link(t, h.router, "lan2", h.guest, "eth0")
	nstest.Link(t, h.router, "wan", h.internet, "eth0")
	external := g.list(t, "networking", "ifstate", "settings", "interfaces", "wan", "addresses")[0].(string)
	ip(t, h.router, `
addr add `+external+` dev wan
addr add 2001:db8:f::2/64 dev wan nodad
addr add 192.168.1.1/24 dev lan1
addr add 2001:db8:1::1/64 dev lan1 nodad
addr add 192.168.2.1/24 dev lan2
`)
	ip(t, h.host, `
addr add 192.168.1.50/24 dev eth0
addr add 192.168.1.60/24 dev eth0
addr add 2001:db8:1::50/64 dev eth0 nodad
route add default via 192.168.1.1
route add default via 2001:db8:1::1
`)
	ip(t, h.guest, "addr add 192.168.2.50/24 dev eth0\nroute add default via 192.168.2.1\n")
	ip(t, h.internet, `
addr add `+netip.MustParsePrefix(external).Masked().Addr().Next().String()+`/24 dev eth0
addr add 2001:db8:f::1/64 dev eth0 nodad
route add 2001:db8:1::/64 via 2001:db8:f::2
route add 192.168.1.0/24 via `+netip.MustParsePrefix(external).Addr().String()+`
`)
	return h
}

// start does what the unit does: it loads the chains and starts the daemon.
func (h *mappingHouse) start(t *testing.T) {
	t.Helper()
	load(t, h.router, h.chains)
	h.daemon = h.root.Daemon(t, h.router, "miniupnpd", "-d", "-f", "/etc/miniupnpd.conf")
	h.daemon.Ready(t, func() error {
		_, err := askPCP(h.host, "192.168.1.1", []byte{0, 0})
		return err
	})
}

// stop does what the unit does when it stops.
func (h *mappingHouse) stop(t *testing.T) {
	t.Helper()
	h.daemon.Stop(t)
	h.root.Run(t, h.router, "nft", "destroy", "table", "inet", "miniupnpd")
}

// upnpc runs the client on a host. It finds the router by SSDP, unless it is given a URL.
func (h *mappingHouse) upnpc(t *testing.T, from *nstest.NS, args ...string) string {
	t.Helper()
	out, _ := h.root.Try(t, from, append([]string{"upnpc", "-m", "eth0"}, args...)...) // its exit code is 0 or not by the version
	return out
}

// opens asks for a port, which must be granted.
func (h *mappingHouse) opens(t *testing.T, args ...string) {
	t.Helper()
	if out := h.upnpc(t, h.host, args...); !strings.Contains(out, "is redirected to internal") && !strings.Contains(out, "Pinhole ID") {
		t.Fatalf("upnpc %q:\n%s", args, out)
	}
}

// refuses asks for a port, which must not be granted.
func (h *mappingHouse) refuses(t *testing.T, why string, args ...string) {
	t.Helper()
	if out := h.upnpc(t, h.host, args...); !strings.Contains(out, why) || strings.Contains(out, "is redirected to internal") {
		t.Errorf("upnpc %q, want %q:\n%s", args, why, out)
	}
}

// askPCP sends a request to the port of NAT-PMP and PCP.
func askPCP(from *nstest.NS, server string, request []byte) (response []byte, err error) {
	err = within(from, func() error {
		c, err := net.Dial("udp", net.JoinHostPort(server, "5351"))
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write(request); err != nil {
			return err
		}
		if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
			return err
		}
		response = make([]byte, 1100)
		n, err := c.Read(response)
		response = response[:n]
		return err
	})
	return response, err
}

// mapRequest is one of PCP's for a mapping of UDP (RFC 6887 sections 7.1 and 11.1).
func mapRequest(client string, port, suggested uint16, lifetime uint32) []byte {
	b := make([]byte, 60)
	b[0], b[1] = 2, 1
	binary.BigEndian.PutUint32(b[4:], lifetime)
	a := netip.MustParseAddr(client).As16()
	copy(b[8:], a[:])
	copy(b[24:], "nonce-of-nbr")
	b[36] = 17
	binary.BigEndian.PutUint16(b[40:], port)
	binary.BigEndian.PutUint16(b[42:], suggested)
	b[54], b[55] = 0xff, 0xff // any IPv4 address
	return b
}

// connect makes a connection from the Internet to a port of the host.
func (h *mappingHouse) connect(t *testing.T, outside, inside string) longFlow {
	t.Helper()
	var l net.Listener
	var f longFlow
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(within(h.host, func() (err error) { l, err = net.Listen("tcp", ":"+inside); return err }))
	defer l.Close()
	must(within(h.internet, func() (err error) {
		f.client, err = net.DialTimeout("tcp", externally+":"+outside, nstest.Patience)
		return err
	}))
	must(within(h.host, func() (err error) { f.server, err = l.Accept(); return err }))
	t.Cleanup(func() { f.client.Close(); f.server.Close() })
	return f
}

// wrong are the checks of the block that do not pass. There is no systemd here.
func (h *mappingHouse) wrong(t *testing.T) []string {
	t.Helper()
	out, err := h.root.Try(t, h.router, "/usr/bin/nbr", "verify", "-format", "json", "-only", "upnp", "/etc/nbr/spec")
	var report struct{ Results []finding }
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil || len(report.Results) < 6 {
		t.Fatalf("nbr verify: %v\n%s", err, out)
	}
	var got []string
	for _, f := range report.Results {
		if f.Status != "pass" && f.ID != "upnp/unit" {
			got = append(got, f.ID+" "+f.Status+": "+f.Got)
		}
	}
	slices.Sort(got)
	return got
}

const (
	externally = "9.1.2.2"
	atTheHost  = "9.1.2.1 at host"
)

// What a host asks for by UPnP or PCP is open for it, from the Internet, and stays so when the
// firewall is loaded again and when the daemon starts again. What it gives back is closed.
func TestPortsThatHostsAskFor(t *testing.T) {
	t.Parallel()
	h := newMappingHouse(t, mappingSpec)
	h.start(t)
	for _, port := range []int{22, 8080, 8443} {
		listen(t, h.host, "tcp", port)
	}
	listen(t, h.host, "udp", 6000)
	tcp := func(name, port, want string) flow {
		return flow{name, h.internet, "", "tcp", externally + ":" + port, want}
	}
	open6 := flow{"a pinhole", h.internet, "", "tcp", "[2001:db8:1::50]:8080", "2001:db8:f::1 at host"}
	check(t, []flow{tcp("before any is asked for", "18080", "drop"), {"before", h.internet, "", "tcp", open6.to, "drop"}})

	h.opens(t, "-a", "192.168.1.50", "8080", "18080", "TCP", "3600")
	h.opens(t, "-6", "-A", "", "0", "2001:db8:1::50", "8080", "TCP", "3600")
	response, err := askPCP(h.host, "192.168.1.1", mapRequest("192.168.1.50", 6000, 16000, 3600))
	if err != nil || len(response) < 60 || response[3] != 0 || binary.BigEndian.Uint16(response[42:]) != 16000 || !strings.Contains(netip.AddrFrom16([16]byte(response[44:60])).String(), externally) {
		t.Fatalf("PCP answers %x (%v)", response, err)
	}
	asked := []flow{
		tcp("by UPnP", "18080", atTheHost),
		{"by PCP", h.internet, "", "udp", externally + ":16000", atTheHost},
		open6,
		tcp("another port", "18081", "drop"),
		{"the host's own address", h.internet, "", "tcp", "192.168.1.50:8080", "drop"},
		{"another port of IPv6", h.internet, "", "tcp", "[2001:db8:1::50]:22", "drop"},
		{"from a guest", h.guest, "", "tcp", "192.168.1.50:8080", "drop"},
	}
	check(t, asked)
	becomes(t, func() []string { return h.wrong(t) }, nil)

	h.opens(t, "-a", "192.168.1.50", "8082", "18082", "TCP", "3600")
	long := h.connect(t, "18082", "8082")
	load(t, h.router, h.rules) // as nftables.service does when it reloads
	load(t, h.router, h.rules)
	check(t, asked)
	long.alive(t, "after a reload")
	becomes(t, func() []string { return h.wrong(t) }, nil)

	h.stop(t)
	check(t, []flow{tcp("while the daemon does not run", "18080", "drop"), {"a pinhole while it does not", h.internet, "", "tcp", open6.to, "drop"}})
	h.start(t)
	check(t, asked)

	// What is not for a host to ask.
	h.refuses(t, "606", "-a", "192.168.1.50", "22", "22", "TCP")
	h.refuses(t, "606", "-a", "192.168.1.50", "8080", "443", "TCP")
	h.refuses(t, "606", "-a", "192.168.1.50", "22", "2222", "TCP")
	h.refuses(t, "606", "-a", "192.168.1.51", "8080", "18081", "TCP")              // another host
	h.refuses(t, "606", "-a", "192.168.1.50", "27015", "27015", "UDP")             // the router's own
	h.refuses(t, "606", "-a", "192.168.1.50", "8080", "8443", "TCP")               // of a port_forward
	h.upnpc(t, h.host, "-6", "-A", "", "0", "2001:db8:1::50", "22", "TCP", "3600") // granted, and the chains are shut
	check(t, []flow{{"a privileged port of IPv6", h.internet, "", "tcp", "[2001:db8:1::50]:22", "drop"}, tcp("a forward", "8443", "9.1.2.1 at host")})
	h.upnpc(t, h.host, "-6", "-D", "2")

	// Nor who is in no network of the block.
	for name, from := range map[string]*nstest.NS{"a guest": h.guest, "the Internet": h.internet} {
		server := map[string]string{"a guest": "192.168.2.1", "the Internet": externally}[name]
		for _, request := range [][]byte{{0, 0}, mapRequest("192.168.1.50", 6000, 16001, 3600)} {
			if response, err := askPCP(from, server, request); err == nil {
				t.Errorf("%s is answered %x", name, response)
			}
		}
		if out := h.upnpc(t, from, "-u", "http://"+server+":5000/rootDesc.xml", "-s"); strings.Contains(out, "ExternalIPAddress") {
			t.Errorf("%s: %s", name, out)
		}
		if out := h.upnpc(t, from, "-s"); strings.Contains(out, "ExternalIPAddress") {
			t.Errorf("%s finds the router:\n%s", name, out)
		}
	}

	if out := h.upnpc(t, h.host, "-d", "18080", "TCP"); !strings.Contains(out, "returned : 0") {
		t.Fatal(out)
	}
	if response, err := askPCP(h.host, "192.168.1.1", mapRequest("192.168.1.50", 6000, 16000, 0)); err != nil || response[3] != 0 {
		t.Fatalf("PCP answers %x (%v)", response, err)
	}
	h.upnpc(t, h.host, "-6", "-D", "1")
	check(t, []flow{
		tcp("given back", "18080", "drop"),
		{"given back by PCP", h.internet, "", "udp", externally + ":16000", "drop"},
		{"a pinhole given back", h.internet, "", "tcp", open6.to, "drop"},
	})
	becomes(t, func() []string { return h.wrong(t) }, nil)
}

// What is wrong with ports that hosts ask for is found, and nothing else is.
func TestBrokenPortsThatHostsAskFor(t *testing.T) {
	t.Parallel()
	h := newMappingHouse(t, mappingSpec)
	h.start(t)
	h.opens(t, "-a", "192.168.1.50", "8080", "18080", "TCP", "3600")
	becomes(t, func() []string { return h.wrong(t) }, nil)
	const lost = "upnp/mappings fail: a lease alone"
	for what, want := range map[string][]string{
		"flush chain inet miniupnpd prerouting_miniupnpd": {lost},
		"flush chain inet miniupnpd miniupnpd":            {lost},
		"flush table inet miniupnpd":                      {lost, "upnp/chains fail: missing"},
		"delete table inet miniupnpd":                     {lost, "upnp/chains fail: not there"},
		"insert rule inet miniupnpd forward accept":       {"upnp/chains fail: "},
		"add rule inet miniupnpd miniupnpd iif wan @th,16,16 22 @nh,128,32 0xc0a80132 @nh,72,8 6 accept; add rule inet miniupnpd prerouting_miniupnpd iif wan @nh,72,8 6 tcp dport 2222 dnat ip to 192.168.1.50:22": {"upnp/mappings fail: in the kernel alone"},
	} {
		h.router.Run(t, "nft", what)
		becomes(t, func() []string { return h.wrong(t) }, want)
		h.stop(t)
		h.start(t)
		becomes(t, func() []string { return h.wrong(t) }, nil)
	}
	ip(t, h.router, "addr del 9.1.2.2/24 dev wan\naddr add 9.1.2.3/24 dev wan\n") // the daemon follows
	becomes(t, func() []string { return h.wrong(t) }, nil)
	ip(t, h.router, "addr del 9.1.2.3/24 dev wan\naddr add 10.1.2.3/24 dev wan\n")
	becomes(t, func() []string { return h.wrong(t) }, []string{"upnp/answers/192.168.1.1 fail: network failure"})
	ip(t, h.router, "addr del 10.1.2.3/24 dev wan\naddr add 9.1.2.2/24 dev wan\n")
	h.daemon.Stop(t)
	becomes(t, func() []string { return h.wrong(t) }, []string{
		"upnp/answers/192.168.1.1 fail: no answer", "upnp/listens/tcp/5000 fail: not there", "upnp/listens/udp/1900 fail: not there",
	})
}

// A private address opens nothing, unless the spec says that a router in front leads all here.
func TestPortsBehindNAT(t *testing.T) {
	t.Parallel()
	spec := strings.ReplaceAll(mappingSpec, "9.1.2.", "10.1.2.")
	spec = strings.Replace(spec, "upnp {\n", "upnp {\n  behind_nat = true\n", 1)
	h := newMappingHouse(t, spec)
	h.start(t)
	listen(t, h.host, "tcp", 8080)
	h.opens(t, "-a", "192.168.1.50", "8080", "18080", "TCP", "3600")
	check(t, []flow{{"behind NAT", h.internet, "", "tcp", "10.1.2.2:18080", "10.1.2.1 at host"}})
	becomes(t, func() []string { return h.wrong(t) }, nil)
}
