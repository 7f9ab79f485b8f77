package referee_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const knotDNSConf = "/etc/knot/knot.conf"

// knotSections are the sections of Knot DNS in the order in which the NixOS module writes them, with
// what comes first in an element of those that are lists. Modules come before template.
var knotSections = [][2]string{
	{"server"},
	{"control"},
	{"log", "target"},
	{"database"},
	{"keystore", "id"},
	{"key", "id"},
	{"remote", "id"},
	{"acl", "id"},
	{"submission", "id"},
	{"policy", "id"},
	{"mod-queryacl", "id"},
	{"mod-rrl", "id"},
	{"template", "id"},
	{"zone", "domain"},
}

// keyStage writes the file with the keys of other servers, below /etc.
const keyStage = "knot/nbr-keys.sh"

// knotDNSFiles are what knotd reads: services.knot as the module of NixOS 26.05 writes it
// (nixos/modules/services/networking/knot.nix), and the zones.
func knotDNSFiles(t *testing.T, g *generated) lab.Files {
	t.Helper()
	if g.at("services", "knot", "enable") != true {
		t.Fatal("Knot DNS is off")
	}
	settings := maps.Clone(g.at("services", "knot", "settings").(map[string]any))
	var b strings.Builder
	for _, f := range g.list(t, "services", "knot", "keyFiles") {
		fmt.Fprintf(&b, "include: %s\n", f)
	}
	value := func(v any) string {
		switch v := v.(type) {
		case float64: // a number of JSON
			return fmt.Sprintf(`"%.0f"`, v)
		case bool:
			if v {
				return "on"
			}
			return "off"
		case []any:
			var all []string
			for _, e := range v {
				all = append(all, fmt.Sprintf(`"%v"`, e))
			}
			return "[ " + strings.Join(all, ", ") + " ]"
		}
		return fmt.Sprintf(`"%v"`, v)
	}
	for _, s := range knotSections {
		section, there := settings[s[0]]
		delete(settings, s[0])
		if !there {
			continue
		}
		fmt.Fprintf(&b, "%s:\n", s[0])
		element := func(id string, more map[string]any) {
			fmt.Fprintf(&b, "  - %s: %s\n", s[1], value(id))
			for _, k := range slices.Sorted(maps.Keys(more)) {
				if k != s[1] {
					fmt.Fprintf(&b, "    %s: %s\n", k, value(more[k]))
				}
			}
		}
		switch section := section.(type) {
		case []any:
			for _, e := range section {
				element(e.(map[string]any)[s[1]].(string), e.(map[string]any))
			}
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(section)) {
				if s[1] == "" {
					fmt.Fprintf(&b, "  %s: %s\n", k, value(section[k]))
				} else {
					element(k, section[k].(map[string]any))
				}
			}
		}
	}
	if len(settings) > 0 {
		t.Fatalf("sections that this test does not know: %v", slices.Collect(maps.Keys(settings)))
	}
	files := lab.Files{knotDNSConf: b.String(), "/run/knot/": "", "/var/lib/knot/": ""}
	for name, etc := range g.at("environment", "etc").(map[string]any) {
		if strings.HasPrefix(name, "knot/zones/") || name == keyStage {
			files["/etc/"+name] = etc.(map[string]any)["text"].(string)
		}
	}
	return files
}

// startKnotDNS starts the server and waits until it has a zone.
func startKnotDNS(t *testing.T, root *lab.Root, ns *nstest.NS, zone string) *lab.Daemon {
	t.Helper()
	root.Run(t, ns, "knotc", "-c", knotDNSConf, "conf-check")
	knot := root.Daemon(t, ns, "knotd", "-c", knotDNSConf)
	knot.Ready(t, func() error {
		if out, err := ns.Try(t, "dig", "+time=1", "+tries=1", "+norec", "+short", "@127.0.0.2", zone, "SOA"); err != nil || out == "" {
			return fmt.Errorf("no zone %s: %s, %w", zone, out, err)
		}
		return nil
	})
	return knot
}

// asked is the code of an answer, of its flags aa and ad, and its records.
func asked(t *testing.T, ns *nstest.NS, args ...string) (string, error) {
	t.Helper()
	out, err := ns.Try(t, "dig", append([]string{"+time=2", "+tries=1", "+nocookie"}, args...)...)
	if err != nil {
		return "", err
	}
	var words, data []string
	answer := false
	for line := range strings.Lines(out) {
		if _, rest, ok := strings.Cut(line, "status: "); ok {
			code, _, _ := strings.Cut(rest, ",")
			words = append(words, code)
		}
		if rest, ok := strings.CutPrefix(line, ";; flags: "); ok {
			rest, _, _ = strings.Cut(rest, ";")
			for _, f := range []string{"aa", "ad"} {
				if slices.Contains(strings.Fields(rest), f) {
					words = append(words, f)
				}
			}
		}
		answer = strings.HasPrefix(line, ";; ANSWER") || answer && strings.TrimSpace(line) != ""
		if w := strings.Fields(line); answer && len(w) > 4 && !strings.HasPrefix(line, ";") {
			data = append(data, strings.Join(w[3:], " "))
		}
	}
	slices.Sort(data)
	return strings.Join(append(words, data...), " "), nil
}

// A zoneLab is a router with zones of its own and a resolver, and hosts that ask.
type zoneLab struct {
	g                                 *generated
	root                              *lab.Root
	router, client, servers, internet *nstest.NS
}

// newZoneLab starts a router like testdata/good/dns-zones.
func newZoneLab(t *testing.T, files fstest.MapFS) *zoneLab {
	t.Helper()
	l := &zoneLab{router: nstest.New(t, "router"), client: nstest.New(t, "client"), servers: nstest.New(t, "servers"), internet: nstest.New(t, "internet")}
	nstest.Link(t, l.router, "lan1", l.client, "eth0")
	nstest.Link(t, l.router, "lan2", l.servers, "eth0")
	nstest.Link(t, l.router, "wan", l.internet, "eth0")
	l.router.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
	l.g = generate(t, files)
	l.root = knotRoot(t, l.g)
	for name, text := range knotDNSFiles(t, l.g) {
		l.root.Write(t, name, text)
	}
	for name, f := range files {
		l.root.Write(t, "/etc/nbr/spec/"+name, string(f.Data))
	}
	installNBR(t, l.root, "/usr/bin/nbr")
	return l
}

func (l *zoneLab) addresses(t *testing.T) {
	t.Helper()
	ip(t, l.router, "addr add 192.168.1.1/24 dev lan1\naddr add fd00:1::1/64 dev lan1 nodad\naddr add 10.2.0.1/24 dev lan2\naddr add 203.0.113.2/24 dev wan\naddr add 2001:db8:ff::2/64 dev wan nodad\n")
	ip(t, l.client, "addr add 192.168.1.50/24 dev eth0\naddr add fd00:1::50/64 dev eth0 nodad\n")
	ip(t, l.servers, "addr add 10.2.0.50/24 dev eth0\naddr add 10.20.0.7/32 dev lo\n")
	ip(t, l.internet, "addr add 203.0.113.1/24 dev eth0\naddr add 2001:db8:ff::1/64 dev eth0 nodad\n")
	ip(t, l.router, "route add 10.20.0.0/16 via 10.2.0.50\n")
}

// says waits until a server answers so.
func (l *zoneLab) says(t *testing.T, from *nstest.NS, want string, args ...string) {
	t.Helper()
	nstest.Wait(t, func() error {
		if got, err := asked(t, from, args...); err != nil || got != want {
			return fmt.Errorf("dig %q says %q, want %q (%w)", args, got, want, err)
		}
		return nil
	})
}

// becomes waits until these checks of the zones, the server and what the resolver finds do not
// pass, and all others do. What is wanted may be the beginning of what is found.
func (l *zoneLab) becomes(t *testing.T, want ...string) {
	t.Helper()
	becomes(t, func() []string { return l.wrong(t) }, want)
}

// wrong are these checks that do not pass.
func (l *zoneLab) wrong(t *testing.T) []string {
	t.Helper()
	blind := []string{"dns_server/server", "resolver/unit", "resolver/workers", "resolver/forward", "resolver/zones", "resolver/rebinding", "resolver/resolves", "resolver/dnssec", "resolver/bogus"}
	var got []string
	seen := 0
	for _, block := range []string{"dns_server", "dns_zone.*", "resolver"} {
		out, err := l.root.Try(t, l.router, "/usr/bin/nbr", "verify", "-format", "json", "-only", block, "/etc/nbr/spec")
		var report struct{ Results []finding }
		if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil {
			t.Fatalf("nbr verify: %v\n%s", err, out)
		}
		seen += len(report.Results)
		for _, f := range report.Results {
			if f.Status != "pass" && !slices.Contains(blind, f.ID) {
				got = append(got, f.ID+" "+f.Status+": "+f.Got)
			}
		}
	}
	if seen < 50 {
		t.Fatalf("%d checks are of zones, the server and the resolver", seen)
	}
	slices.Sort(got)
	return got
}

func goodZones(t *testing.T) fstest.MapFS {
	t.Helper()
	b, err := os.ReadFile("../../testdata/good/dns-zones/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"router.hcl": {Data: b}}
}

// Zones of the router beside its resolver: the house asks the resolver, which asks the zones; hosts
// of the server's networks, and the world of what is public, ask the server. Both start before
// there is an address.
func TestZonesBesideTheResolver(t *testing.T) {
	t.Parallel()
	l := newZoneLab(t, goodZones(t))
	for name := range knotDNSFiles(t, l.g) {
		if zone, ok := strings.CutSuffix(strings.TrimPrefix(name, "/etc/knot/zones/"), ".zone"); ok {
			l.root.Run(t, l.router, "kzonecheck", "-v", "-o", zone, name)
		}
	}
	knot := startKnotDNS(t, l.root, l.router, "home.arpa")
	startKnot(t, l.root, l.router)
	l.addresses(t)
	const lan, srv, wan, wan6 = "@192.168.1.1", "@10.2.0.1", "@203.0.113.2", "@2001:db8:ff::2"
	for _, c := range []struct {
		name string
		from *nstest.NS
		want string
		args []string
	}{
		{"a host", l.client, "NOERROR A 192.168.1.10", []string{lan, "nas.home.arpa"}},
		{"over TCP and IPv6", l.client, "NOERROR AAAA fd00:1::10", []string{"@fd00:1::1", "+tcp", "Files.home.arpa", "AAAA"}},
		{"back", l.client, "NOERROR PTR nas.home.arpa.", []string{lan, "-x", "192.168.1.10"}},
		{"back by IPv6", l.client, "NOERROR PTR nas.home.arpa.", []string{lan, "-x", "fd00:1::10"}},
		{"back from what is in no zone", l.client, "NOERROR ad PTR web.srv.home.arpa.", []string{lan, "-x", "10.2.0.80"}},
		{"the router", l.client, "NOERROR A 192.168.1.1", []string{lan, "gate.home.arpa"}},
		{"a service", l.client, "NOERROR SRV 0 0 631 nas.home.arpa.", []string{lan, "_ipp._tcp.home.arpa", "SRV"}},
		{"an alias", l.client, "NOERROR A 192.168.1.10 CNAME nas.home.arpa.", []string{lan, "media.home.arpa"}},
		{"a text", l.client, `NOERROR TXT "two [[brackets]], \"quotes\" and ${this}"`, []string{lan, "home.arpa", "TXT"}},
		{"no such host", l.client, "NXDOMAIN", []string{lan, "none.home.arpa"}},
		{"the public zone, inside", l.client, "NOERROR A 203.0.113.80", []string{lan, "www.example.org"}},
		{"the router itself", l.router, "NOERROR A 192.168.1.10", []string{"@127.0.0.1", "nas.home.arpa"}},

		{"the server's network", l.servers, "NOERROR aa A 192.168.1.10", []string{srv, "+norec", "nas.home.arpa"}},
		{"over TCP", l.servers, "NOERROR aa A 192.168.1.10", []string{srv, "+norec", "+tcp", "nas.home.arpa"}},
		{"a client of another site", l.servers, "NOERROR aa A 192.168.1.10", []string{srv, "-b", "10.20.0.7", "+norec", "nas.home.arpa"}},
		{"a delegation", l.servers, "NOERROR", []string{srv, "+norec", "x.lab.home.arpa"}},
		{"no recursion", l.servers, "REFUSED", []string{srv, "www.example.com"}},

		{"the world, of what is public", l.internet, "NOERROR aa MX 10 mail.example.net.", []string{wan, "+norec", "example.org", "MX"}},
		{"by IPv6 and TCP", l.internet, "NOERROR aa NS ns.example.net. NS ns1.example.org.", []string{wan6, "+norec", "+tcp", "example.org", "NS"}},
		{"the world, of what is not", l.internet, "NOTAUTH", []string{wan, "+norec", "nas.home.arpa"}},
		{"over TCP, of what is not", l.internet, "NOTAUTH", []string{wan, "+norec", "+tcp", "nas.home.arpa"}},
		{"of addresses", l.internet, "NOTAUTH", []string{wan, "+norec", "-x", "192.168.1.10"}},
	} {
		t.Run(c.name, func(t *testing.T) { l.says(t, c.from, c.want, c.args...) })
	}
	for _, from := range []*nstest.NS{l.internet, l.servers, l.router} {
		for _, server := range []string{"203.0.113.2", "10.2.0.1", "127.0.0.2"} {
			if out, err := from.Try(t, "dig", "+time=2", "+tries=1", "@"+server, "example.org", "AXFR"); err == nil && strings.Contains(out, "mail.example.net") {
				t.Errorf("the whole zone can be had from %s:\n%s", server, out)
			}
		}
	}

	// Both signed zones validate by their keys alone.
	for zone, name := range map[string][]string{
		"example.org": {"example.org", "MX"}, "0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa": {"0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa", "PTR"},
	} {
		keys, err := l.router.Try(t, "dig", "+short", "@127.0.0.2", zone, "DNSKEY")
		if err != nil {
			t.Fatal(err)
		}
		var anchors strings.Builder
		for line := range strings.Lines(keys) {
			if w := strings.Fields(line); len(w) > 3 && w[0] == "257" {
				fmt.Fprintf(&anchors, "trust-anchors { %q static-key %s %s %s %q; };\n", zone+".", w[0], w[1], w[2], strings.Join(w[3:], ""))
			}
		}
		l.root.Write(t, "/etc/test/anchors", anchors.String())
		if out, err := l.root.Try(t, l.router, append([]string{"delv", "@127.0.0.2", "-a", "/etc/test/anchors", "+root=" + zone}, name...)...); err != nil || !strings.Contains(out, "; fully validated") {
			t.Errorf("%s: %v\n%s\n%s", zone, err, out, anchors.String())
		}
	}
	// RFC 9276: no iterations, no salt.
	l.says(t, l.router, "NOERROR aa NSEC3PARAM 1 0 0 -", "+norec", "@127.0.0.2", "0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa", "NSEC3PARAM")

	l.becomes(t)

	// A new file is taken at the next start, whatever its time, and the serial number grows.
	serial := func() string {
		out, err := l.router.Try(t, "dig", "+short", "+norec", "@127.0.0.2", "example.org", "SOA")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(out)[2]
	}
	before := serial()
	world := "/etc/knot/zones/example.org.zone"
	changed := strings.Replace(l.g.text(t, "environment", "etc", "knot/zones/example.org.zone", "text"), "203.0.113.80", "203.0.113.81", 1)
	stamp := func() {
		for name := range knotDNSFiles(t, l.g) {
			if strings.HasSuffix(name, ".zone") {
				l.root.Run(t, l.router, "touch", "-d", "@1", name) // as in the Nix store
			}
		}
	}
	stamp()
	knot.Stop(t)
	knot = startKnotDNS(t, l.root, l.router, "home.arpa")
	if again := serial(); again != before {
		t.Errorf("a start changes the serial number: %s, %s", before, again)
	}
	knot.Stop(t)
	l.root.Write(t, world, changed)
	stamp()
	knot = startKnotDNS(t, l.root, l.router, "home.arpa")
	l.says(t, l.internet, "NOERROR aa A 203.0.113.81", wan, "+norec", "www.example.org")
	if after := serial(); after <= before {
		t.Errorf("the serial number is %s, and was %s", after, before)
	}
	l.becomes(t, "dns_zone.world/record/*.example.org/A fail: 203.0.113.81")

	// What is wrong is told, and nothing else: signatures that have stopped, and a zone of the inside
	// that the world may ask for.
	l.root.Write(t, world, l.g.text(t, "environment", "etc", "knot/zones/example.org.zone", "text"))
	conf := knotDNSFiles(t, l.g)[knotDNSConf]
	conf = strings.Replace(conf, "    dnssec-policy: \"world\"\n    dnssec-signing: on\n", "", 1)
	home := strings.Index(conf, `file: "/etc/knot/zones/home.arpa.zone"`)
	conf = conf[:home] + strings.Replace(conf[home:], "    module: [ \"mod-queryacl/inside\" ]\n", "", 1)
	conf = strings.Replace(conf, `rate-limit: "30"`, `rate-limit: "300"`, 1)
	l.root.Write(t, knotDNSConf, conf)
	knot.Stop(t)
	knot = startKnotDNS(t, l.root, l.router, "home.arpa")
	l.becomes(t, "dns_server/answers/2001:db8:ff::2/home.arpa fail: NOERROR", "dns_server/answers/203.0.113.2/home.arpa fail: NOERROR",
		"dns_server/rate_limit fail: 300", "dns_zone.world/dnssec/signed fail: not signed")
	knot.Stop(t)
}
