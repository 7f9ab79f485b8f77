package referee_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const knotConf = "/etc/knot-resolver/config.yaml"

// knotRoot has the settings as JSON, which is YAML. NixOS makes the folders.
func knotRoot(t *testing.T, g *generated) *lab.Root {
	t.Helper()
	if g.at("services", "knot-resolver", "enable") != true {
		t.Fatal("Knot Resolver is off")
	}
	return lab.Rootfs(t, lab.Files{
		knotConf:              g.json(t, "services", "knot-resolver", "settings"),
		"/run/knot-resolver/": "",
	})
}

func startKnot(t *testing.T, root *lab.Root, ns *nstest.NS) *lab.Daemon {
	t.Helper()
	knot := root.Daemon(t, ns, "sh", "-c", "cd /var/lib/knot-resolver && exec knot-resolver --config="+knotConf)
	knot.Ready(t, func() error {
		if _, err := dig(t, ns, "127.0.0.1", "localhost"); err != nil {
			return err
		}
		return nil
	})
	return knot
}

// dig asks a server and returns the status, whether the answer is authenticated, and the
// addresses: "NOERROR ad 203.0.113.7".
func dig(t *testing.T, ns *nstest.NS, server, name string, more ...string) (string, error) {
	t.Helper()
	args := append([]string{"+time=1", "+tries=1", "+noedns", "@" + server, name, "A"}, more...)
	out, err := ns.Try(t, "dig", args...)
	for range 3 { // workers come and go while Knot Resolver starts
		if err == nil {
			break
		}
		time.Sleep(200 * time.Millisecond)
		out, err = ns.Try(t, "dig", args...)
	}
	if err != nil {
		return "", err
	}
	var status, flags string
	var data []string
	for line := range strings.Lines(out) {
		if _, rest, ok := strings.Cut(line, "status: "); ok {
			status, _, _ = strings.Cut(rest, ",")
		}
		if rest, ok := strings.CutPrefix(line, ";; flags: "); ok {
			rest, _, _ = strings.Cut(rest, ";")
			if slices.Contains(strings.Fields(rest), "ad") {
				flags = "ad "
			}
		}
		if w := strings.Fields(line); len(w) == 5 && w[3] == "A" && !strings.HasPrefix(line, ";") {
			data = append(data, w[4])
		}
	}
	return strings.TrimSpace(status + " " + flags + strings.Join(data, " ")), nil
}

// answers waits until a server gives an answer. A resolver that asks others says SERVFAIL when one
// of them, or itself, was too slow for it.
func answers(t *testing.T, ns *nstest.NS, server, name, want string, more ...string) {
	t.Helper()
	nstest.Wait(t, func() error {
		if got, err := dig(t, ns, server, name, more...); err != nil || got != want {
			return fmt.Errorf("%s says of %s %q: %s, %v, want %s", server, name, more, got, err, want)
		}
		return nil
	})
}

func TestKresctlValidates(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bpi-r4", "vlans", "quiet"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, ns := knotRoot(t, spec(t, name)), nstest.New(t, "build")
			root.Run(t, ns, "kresctl", "validate", knotConf)
			bad := strings.Replace(spec(t, name).json(t, "services", "knot-resolver", "settings"), `"views"`, `"vistas"`, 1)
			root.Write(t, "/etc/knot-resolver/bad.yaml", bad)
			if _, err := root.Try(t, ns, "kresctl", "validate", "/etc/knot-resolver/bad.yaml"); err == nil {
				t.Error("kresctl takes anything")
			}
		})
	}
}

// A root that is not the root: its answers are not signed.
const fakeRoot = `
server:
  do-daemonize: no
  username: ""
  chroot: ""
  interface: 192.0.2.53
  access-control: 0.0.0.0/0 allow
  local-zone: . static
  local-data: ". SOA a.example. b.example. 1 2 3 4 5"
  local-data: ". NS a.example."
  local-data: "www.example.org. A 203.0.113.7"
`

// The resolver starts before its networks have a link, answers them alone, with no
// firewall to help it.
func TestKnotAnswersItsNetworksOnly(t *testing.T) {
	t.Parallel()
	const more = `
	resolver {
	  networks = [network.lan]
	  forward  = ["192.0.2.53"]
	  extra    = {
	    "local-data" = { records = "nas.lan. A 192.168.178.10" }
	    dnssec       = { "negative-trust-anchors" = ["example.org"] }
	  }
	}`
	g := fromText(t, resolverSpec+more)
	router, internet := nstest.New(t, "router"), nstest.New(t, "internet")
	// No address yet: freebind.
	root := knotRoot(t, g)
	startKnot(t, root, router)
	client := nstest.New(t, "client")
	nstest.Link(t, router, "lan1", client, "eth0")
	nstest.Link(t, router, "wan", internet, "eth0")
	ip(t, router, "addr add 192.168.178.1/24 dev lan1\naddr add fd00:1::1/64 dev lan1\naddr add 198.51.100.2/24 dev wan\nroute add default via 198.51.100.1\n")
	ip(t, client, "addr add 192.168.178.50/24 dev eth0\naddr add fd00:1::50/64 dev eth0\naddr add 192.0.2.66/32 dev lo\n")
	ip(t, internet, "addr add 198.51.100.1/24 dev eth0\naddr add 192.0.2.53/32 dev lo\nroute add 192.168.178.0/24 via 198.51.100.2\n")
	ip(t, router, "route add 192.0.2.66/32 via 192.168.178.50\n")
	upstream := lab.Rootfs(t, lab.Files{"/etc/unbound/lab.conf": fakeRoot})
	unbound := upstream.Daemon(t, internet, "unbound", "-d", "-c", "/etc/unbound/lab.conf")
	unbound.Ready(t, func() error {
		_, err := dig(t, router, "192.0.2.53", "www.example.org")
		return err
	})
	const known = "NOERROR ad 192.168.178.10"
	for _, c := range []struct {
		name        string
		from        *nstest.NS
		server, ask string
		more        []string
		want        string
	}{
		{"what it knows", client, "192.168.178.1", "nas.lan", nil, known},
		{"over IPv6", client, "fd00:1::1", "nas.lan", nil, known},
		{"over TCP", client, "192.168.178.1", "nas.lan", []string{"+tcp"}, known},
		{"what the upstream knows", client, "192.168.178.1", "www.example.org", nil, "NOERROR 203.0.113.7"},
		{"the router itself", router, "127.0.0.1", "www.example.org", nil, "NOERROR 203.0.113.7"},
		{"the router itself", router, "::1", "nas.lan", nil, known},
		{"the wan, by the lan's address", internet, "192.168.178.1", "nas.lan", nil, "REFUSED"},
		{"a foreign source", client, "192.168.178.1", "nas.lan", []string{"-b", "192.0.2.66"}, "REFUSED"},
	} {
		t.Run(c.name, func(t *testing.T) { answers(t, c.from, c.server, c.ask, c.want, c.more...) })
	}
	for _, addr := range []string{"198.51.100.2"} {
		if got, err := dig(t, internet, addr, "nas.lan"); err == nil {
			t.Errorf("it listens on the wan: %s", got)
		}
	}
}

// Hosts have names and addresses that lead back to their own name, in their network alone.
func TestKnotKnowsHosts(t *testing.T) {
	t.Parallel()
	g := fromText(t, resolverSpec+`
	host "nas" {
	  network = network.lan
	  ipv4    = "192.168.178.10"
	  ipv6    = "::10"
	  aliases = ["files", "Backup"]
	}
	host "tv" {
	  network = network.lan
	  mac     = "02:00:00:00:00:01"
	}
	resolver {
	  networks = [network.lan]
	  workers  = 1
	}`)
	router := nstest.New(t, "router")
	startKnot(t, knotRoot(t, g), router)
	for _, c := range []struct{ name, kind, want string }{
		{"nas.home.arpa", "A", "192.168.178.10"},
		{"nas.home.arpa", "AAAA", "fd00:1::10"},
		{"NAS.home.arpa", "A", "192.168.178.10"},
		{"files.home.arpa", "A", "192.168.178.10"},
		{"backup.home.arpa", "AAAA", "fd00:1::10"},
		{"10.178.168.192.in-addr.arpa", "PTR", "nas.home.arpa."},
		{"0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa", "PTR", "nas.home.arpa."},
	} {
		nstest.Wait(t, func() error {
			out, err := router.Try(t, "dig", "+short", "@127.0.0.1", c.name, c.kind)
			if got := strings.TrimSpace(out); err != nil || got != c.want {
				return fmt.Errorf("%s %s: %q, %v, want %s", c.name, c.kind, got, err, c.want)
			}
			return nil
		})
	}
}

// Answers are validated, also those of a server that the user names. The fake root's are not
// signed, so with the root's own key nothing that it says may be believed; a client who says
// that it does not want to know (+cd) gets it.
func TestKnotValidates(t *testing.T) {
	t.Parallel()
	g := fromText(t, resolverSpec+`
	resolver {
	  networks = [network.lan]
	  forward  = ["192.0.2.53"]
	  workers  = 1
	}`)
	router := nstest.New(t, "router")
	ip(t, router, "addr add 192.0.2.53/32 dev lo\n")
	upstream := lab.Rootfs(t, lab.Files{"/etc/unbound/lab.conf": fakeRoot})
	upstream.Daemon(t, router, "unbound", "-d", "-c", "/etc/unbound/lab.conf")
	root := knotRoot(t, g)
	startKnot(t, root, router)
	for _, c := range []struct {
		more []string
		want string
	}{
		{nil, "SERVFAIL"},
		{[]string{"+cd"}, "NOERROR 203.0.113.7"},
	} {
		answers(t, router, "127.0.0.1", "www.example.org", c.want, c.more...)
	}
}

// An upstream that says of public names that they are in the house (DNS rebinding).
const rebindingRoot = `
server:
  do-daemonize: no
  username: ""
  chroot: ""
  interface: 192.0.2.53
  interface: 192.168.178.53
  access-control: 0.0.0.0/0 allow
  local-zone: . static
  local-data: ". SOA a.example. b.example. 1 2 3 4 5"
  local-data: ". NS a.example."
  local-data: "www.example.org. A 203.0.113.7"
  local-data: "evil.example.org. A 192.168.178.1"
  local-data: "loop.example.org. A 127.0.0.1"
  local-data: "mixed.example.org. A 203.0.113.7"
  local-data: "mixed.example.org. A 10.0.0.1"
  local-data: "alias.example.org. CNAME evil.example.org."
  local-data: "nas.corp.example. A 10.1.2.3"
  local-data: "pbx.isp.example. A 100.64.1.1"
  local-data: "evilcorp.example. A 10.1.2.3"
`

// A public name has no private address: a page from outside could make a browser talk to the
// house by it. Names of inner domains have, those that are forwarded to servers of their own
// and those that the spec names; and what the resolver knows itself. A spec can switch it off.
func TestKnotRefusesRebinding(t *testing.T) {
	t.Parallel()
	const resolver = `
	resolver {
	  networks        = [network.lan]
	  private_domains = ["isp.example"]
	  %s
	  extra = {
	    forward = [
	      { subtree = ".", servers = ["192.0.2.53"] },
	      { subtree = ["corp.example"], servers = ["192.168.178.53"] },
	    ]
	    "local-data" = { records = "nas.lan. A 192.168.178.10" }
	    dnssec       = { "negative-trust-anchors" = ["org", "example"] }
	  }
	}`
	for name, c := range map[string]struct {
		attr string
		want map[string]string
	}{
		"on": {"", map[string]string{
			"www.example.org": "NOERROR 203.0.113.7", "nas.lan": "NOERROR ad 192.168.178.10",
			"nas.corp.example": "NOERROR 10.1.2.3", "pbx.isp.example": "NOERROR 100.64.1.1",
			"evil.example.org": "REFUSED", "loop.example.org": "REFUSED", "mixed.example.org": "REFUSED",
			"alias.example.org": "REFUSED", "evilcorp.example": "REFUSED",
		}},
		"off": {"rebinding_protection = false", map[string]string{
			"www.example.org": "NOERROR 203.0.113.7", "evil.example.org": "NOERROR 192.168.178.1", "nas.corp.example": "NOERROR 10.1.2.3",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := fromText(t, resolverSpec+fmt.Sprintf(resolver, c.attr))
			router := nstest.New(t, "router")
			ip(t, router, "addr add 192.0.2.53/32 dev lo\naddr add 192.168.178.53/32 dev lo\n")
			upstream := lab.Rootfs(t, lab.Files{"/etc/unbound/lab.conf": rebindingRoot})
			unbound := upstream.Daemon(t, router, "unbound", "-d", "-c", "/etc/unbound/lab.conf")
			unbound.Ready(t, func() error {
				_, err := dig(t, router, "192.0.2.53", "www.example.org")
				return err
			})
			root := knotRoot(t, g)
			root.Run(t, router, "kresctl", "validate", knotConf)
			startKnot(t, root, router)
			for ask, want := range c.want {
				for range 2 { // the second time from the cache, if there
					if got, err := dig(t, router, "127.0.0.1", ask); err != nil || got != want {
						t.Errorf("%s: %s, %v, want %s", ask, got, err, want)
					}
				}
			}
		})
	}
}

const resolverSpec = `
network "lan" {
  link = port.lan1
  ipv4 = "192.168.178.1/24"
  ipv6 = "fd00:1::1/64"

  domain = "home.arpa"
}
network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}
zone "lan" {
  networks = [network.lan]
  allow    = ["dns"]
}
zone "wan" { networks = [network.wan] }
`
