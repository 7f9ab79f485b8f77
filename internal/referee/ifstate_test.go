package referee_test

import (
	"encoding/json"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// The switch's ports of the board; the others are ordinary ones.
var dsaPorts = map[string]string{"lan1": "dsa", "lan2": "dsa", "lan3": "dsa", "wan": "dsa"}

var includeRE = regexp.MustCompile(`"!include ([^"]+)"`)

// ifstateYAML is /etc/ifstate/ifstate.yaml: the settings, with the texts that begin with
// !include made tags. The files are read from dir instead of /run.
func ifstateYAML(t *testing.T, settings any, dir string) string {
	t.Helper()
	return includeRE.ReplaceAllStringFunc(toJSON(t, settings), func(s string) string {
		return `!include "` + strings.Replace(includeRE.FindStringSubmatch(s)[1], "/run", dir, 1) + `"`
	})
}

// onVeths are the settings for a router whose ports are those of [board].
func onVeths(t *testing.T, g *generated) map[string]any {
	t.Helper()
	var settings map[string]any
	if err := json.Unmarshal([]byte(g.json(t, "networking", "ifstate", "settings")), &settings); err != nil {
		t.Fatal(err)
	}
	for _, value := range settings["interfaces"].(map[string]any) {
		link := value.(map[string]any)["link"].(map[string]any)
		if link["kind"] == "dsa" {
			delete(link, "link") // what stands for a port is not on top of another
		}
	}
	return settings
}

// applicable are the settings without the links that the kernel of this machine cannot make.
// Those are validated all the same, and made for real where there is a kernel that can.
func applicable(t *testing.T, g *generated) map[string]any {
	t.Helper()
	settings := onVeths(t, g)
	links := settings["interfaces"].(map[string]any)
	attribute := func(value any, name string) string {
		s, _ := value.(map[string]any)["link"].(map[string]any)[name].(string)
		return s
	}
	gone := func(name string) bool { return name != "" && links[name] == nil }
	maps.DeleteFunc(links, func(_ string, value any) bool {
		return slices.Contains([]string{"bond", "dummy", "gre", "ip6tnl", "sit", "vlan", "wireguard"}, attribute(value, "kind"))
	})
	maps.DeleteFunc(links, func(_ string, value any) bool { return gone(attribute(value, "vxlan_link")) })
	for _, value := range links {
		delete(value.(map[string]any), "brvlan")
		for _, name := range []string{"br_vlan_default_pvid", "br_vlan_filtering"} {
			delete(value.(map[string]any)["link"].(map[string]any), name)
		}
		if gone(attribute(value, "master")) {
			delete(value.(map[string]any)["link"].(map[string]any), "master")
		}
	}
	if routing, ok := settings["routing"].(map[string]any); ok {
		routing["routes"] = slices.DeleteFunc(routing["routes"].([]any), func(route any) bool {
			dev, on := route.(map[string]any)["dev"]
			return on && links[dev.(string)] == nil
		})
	}
	return settings
}

// board is a namespace with the ports of a Banana Pi BPI-R4, each with a cable to a namespace.
func board(t *testing.T, ends map[string]*nstest.NS) *nstest.NS {
	t.Helper()
	cables := map[string]cable{}
	for port, ns := range ends {
		cables[port] = cable{ns, "eth0"}
	}
	return boardOf(t, cables)
}

// A cable leads to a link in a namespace.
type cable struct {
	ns  *nstest.NS
	end string
}

func boardOf(t *testing.T, cables map[string]cable) *nstest.NS {
	t.Helper()
	router, dark := nstest.New(t, "router"), nstest.New(t, "dark")
	for _, port := range []string{"end0", "end1", "end2", "lan1", "lan2", "lan3", "wan"} {
		if c := cables[port]; c.ns != nil {
			nstest.Link(t, router, port, c.ns, c.end)
		} else {
			nstest.Link(t, router, port, dark, port)
		}
		ip(t, router, "link set "+port+" down\n") // not set up yet
	}
	return router
}

// apply makes the namespace what the spec says, without complaints, and looks whether a second
// run would change anything. That it has shut an unused port IfState says every time.
func apply(t *testing.T, ifstate *lab.IfStateTool, ns *nstest.NS, g *generated) {
	t.Helper()
	applyConfig(t, ifstate, ns, ifstateYAML(t, applicable(t, g), "/nowhere"))
}

func applyConfig(t *testing.T, ifstate *lab.IfStateTool, ns *nstest.NS, config string) {
	t.Helper()
	report, err := ifstate.Try(t, ns, config, "apply")
	if err != nil {
		t.Fatal(err)
	}
	if complaints, err := ifstate.Try(t, ns, config, "-q", "check"); err != nil || complaints != "" {
		t.Fatalf("%v\n%s\n%s", err, complaints, report)
	}
	changes := slices.DeleteFunc(ifstate.Check(t, ns, config), func(line string) bool { return strings.HasSuffix(line, " orphan") })
	if len(changes) > 0 {
		t.Errorf("a second run would change something: %q\n%s", changes, report)
	}
}

func TestIfStateValidates(t *testing.T) {
	t.Parallel()
	ifstate := lab.IfState(t)
	run := t.TempDir()
	if err := os.MkdirAll(run+"/nbr/secrets", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"wg0", "psk"} { // 32 bytes, as wg genkey prints them
		key := "IFBWhXFOEnyYTwwCcTuHY4Fu0WvCDuVgs7ScUvGxLEk=\n"
		if err := os.WriteFile(run+"/nbr/secrets/"+name, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := specs(t)
	all["tunnels"], all["kinds"] = fromText(t, tunnels), fromText(t, linkKinds)
	for name, g := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := g.at("networking", "ifstate", "settings")
			// NixOS judges the settings while !include is still a text.
			if err := ifstate.Validate(t, toJSON(t, settings)); err != nil {
				t.Errorf("as the build checks it: %v", err)
			}
			if err := ifstate.Validate(t, ifstateYAML(t, settings, run)); err != nil {
				t.Errorf("as the router reads it: %v", err)
			}
		})
	}
	settings := all["bpi-r4"].at("networking", "ifstate", "settings")
	if err := ifstate.Validate(t, ifstateYAML(t, settings, t.TempDir())); err == nil {
		t.Error("a missing key is no error: the staging of secrets would be for nothing")
	}
}

const tunnels = `
network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}
zone "wan" {
  networks = [network.wan]
  allow    = ["wireguard"]
}
secret "wg0" { path = "/var/lib/secrets/wg0" }
secret "psk" { path = "/var/lib/secrets/psk" }
wireguard "wg0" {
  listen      = 51820
  private_key = secret.wg0
  mtu         = 1400
  peer "laptop" {
    public_key    = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    preshared_key = secret.psk
    allowed_ips   = ["10.8.0.2/32", "fd00:8::2/128"]
    endpoint      = "[2001:db8::1]:51820"
    keepalive     = 25
  }
  peer "office" {
    public_key  = "sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY="
    allowed_ips = ["10.9.0.0/16"]
    endpoint    = "vpn.example.org:51820"
  }
}
network "vpn" {
  link = wireguard.wg0
  ipv4 = "10.8.0.1/24"
  ipv6 = "fd00:8::1/64"
}
zone "vpn" { networks = [network.vpn] }
route "office" {
  to      = "10.9.128.0/17"
  via     = "10.8.0.9"
}
route "linklocal" {
  to      = "fd00:9::/48"
  via     = "fe80::9"
  network = network.vpn
}
`

// validator asserts formats too, which JSON Schema leaves open: without that, an IPv6 address
// is any text.
const validator = `
import json, sys
from jsonschema import FormatChecker, validators
schema, settings = (json.load(open(f)) for f in sys.argv[1:])
v = validators.validator_for(schema)(schema, format_checker=FormatChecker())
errors = ["%s: %s" % (e.json_path, e.message) for e in v.iter_errors(settings)]
sys.exit("\n".join(errors) or 0)
`

// The schema that nbr's own facts were written from, where it is at hand: it is another
// project's and not part of this one.
func TestIfStateDerivedSchema(t *testing.T) {
	t.Parallel()
	schema := os.Getenv("NBR_IFSTATE_DERIVED_SCHEMA")
	if schema == "" {
		t.Skip("NBR_IFSTATE_DERIVED_SCHEMA names no file")
	}
	lab.IfState(t)
	dir := os.Getenv("NBR_LAB")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(cache, "nbr-lab")
	}
	validate := func(settings string) error {
		_, err := nstest.Output(exec.CommandContext(t.Context(), filepath.Join(dir, "ifstate/bin/python"), "-c", validator, schema, write(t, settings)))
		return err
	}
	all := specs(t)
	all["tunnels"] = fromText(t, tunnels)
	for name, g := range all {
		settings := g.json(t, "networking", "ifstate", "settings")
		if err := validate(settings); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := validate(strings.Replace(settings, `"state"`, `"status"`, -1)); err == nil {
			t.Errorf("%s: the schema takes anything", name)
		}
	}
}

// A link is what ip(8) tells of one.
type link struct {
	Up        bool
	Master    string
	Addresses []string // but link-local ones
}

func links(t *testing.T, ns *nstest.NS) map[string]link {
	t.Helper()
	var list []struct {
		Name   string   `json:"ifname"`
		Master string   `json:"master"`
		Flags  []string `json:"flags"`
		Addrs  []struct {
			Local  string `json:"local"`
			Length int    `json:"prefixlen"`
			Scope  string `json:"scope"`
		} `json:"addr_info"`
	}
	if err := json.Unmarshal([]byte(ns.Run(t, "ip", "-j", "addr")), &list); err != nil {
		t.Fatal(err)
	}
	out := map[string]link{}
	for _, l := range list {
		n := link{Up: slices.Contains(l.Flags, "UP"), Master: l.Master}
		for _, a := range l.Addrs {
			if a.Scope != "link" {
				n.Addresses = append(n.Addresses, (&net.IPNet{IP: net.ParseIP(a.Local), Mask: net.CIDRMask(a.Length, bits(a.Local))}).String())
			}
		}
		out[l.Name] = n
	}
	return out
}

func bits(addr string) int {
	if strings.Contains(addr, ":") {
		return 128
	}
	return 32
}

// routes are what the kernel has beside what it makes of addresses.
func routes(t *testing.T, ns *nstest.NS) []string {
	t.Helper()
	var out []string
	for _, family := range []string{"-4", "-6"} {
		for line := range strings.Lines(ns.Run(t, "ip", family, "route", "show")) {
			if !strings.Contains(line, "proto kernel") {
				line = strings.TrimSuffix(strings.Join(strings.Fields(strings.Replace(line, "linkdown", "", 1)), " "), " pref medium")
				out = append(out, line)
			}
		}
	}
	slices.Sort(out)
	return out
}

// IfState makes of the board's ports what the spec says, and a second run has nothing to do.
func TestIfStateApplies(t *testing.T) {
	t.Parallel()
	lo := link{Up: true, Addresses: []string{"127.0.0.1/8", "::1/128"}}
	member, up, down := link{Up: true, Master: "br-lan"}, link{Up: true}, link{}
	for name, want := range map[string]struct {
		links  map[string]link
		routes []string
		files  map[string]string
	}{
		"bpi-r4": {
			links: map[string]link{
				"lo": lo, "end0": up, "end1": down, "end2": down, "wan": up,
				"lan1": member, "lan2": member, "lan3": member,
				"br-lan": {Up: true, Addresses: []string{"192.168.178.1/24"}},
			},
			files: map[string]string{
				"/proc/sys/net/ipv4/conf/wan/forwarding":   "1",
				"/proc/sys/net/ipv6/conf/wan/forwarding":   "1",
				"/proc/sys/net/ipv6/conf/br-lan/accept_ra": "0",
			},
		},
		"static": {
			links: map[string]link{
				"lo": lo, "end0": up, "end1": down, "end2": down,
				"lan1": member, "lan2": member,
				"lan3":   {Up: true, Addresses: []string{"203.0.113.1/28", "2001:db8:d::1/64"}},
				"wan":    {Up: true, Addresses: []string{"198.51.100.2/24", "2001:db8:f::2/64"}},
				"br-lan": {Up: true, Addresses: []string{"10.1.0.1/24", "2001:db8:1::1/64"}},
			},
			routes: []string{
				"10.9.0.0/16 via 10.1.0.9 dev br-lan metric 50",
				"2001:db8:9::/48 via 2001:db8:1::9 dev br-lan metric 1024",
				"blackhole 2001:db8:8000::/33 dev lo metric 1024",
				"default via 198.51.100.1 dev wan",
				"default via 2001:db8:f::1 dev wan metric 1024",
				"prohibit 192.168.0.0/16 metric 9",
				"unreachable 10.0.0.0/8",
			},
			files: map[string]string{
				"/sys/class/net/br-lan/bridge/stp_state": "1",
				"/sys/class/net/br-lan/address":          "02:00:00:00:00:01",
				"/sys/class/net/br-lan/mtu":              "1500",
			},
		},
		"quiet": {
			links: map[string]link{
				"lo": lo, "end0": up, "end1": down, "end2": down, "wan": up, "lan3": down,
				"lan1":   member,
				"lan2":   {Up: true, Addresses: []string{"10.3.0.1/24"}},
				"br-lan": {Up: true, Addresses: []string{"10.2.0.1/24"}},
			},
			files: map[string]string{
				"/proc/sys/net/ipv6/conf/wan/accept_ra":      "2",
				"/sys/class/net/br-lan/bridge/forward_delay": "200",
			},
		},
		"vlans": { // without those
			links: map[string]link{
				"lo": lo, "end0": up, "end1": down, "end2": down, "wan": up,
				"lan1": member, "lan2": member, "lan3": member,
				"br-lan": up,
			},
		},
		"bare": {
			links: map[string]link{
				"lo": lo, "end0": up, "end1": down, "end2": down, "wan": up, "lan2": down, "lan3": down,
				"lan1": {Up: true, Addresses: []string{"10.4.0.1/24"}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := spec(t, name)
			ifstate := lab.IfState(t)
			ifstate.Ports = dsaPorts
			router := board(t, nil)
			sysctls(t, router, g)
			apply(t, ifstate, router, g)
			got := links(t, router)
			if d := cmp.Diff(want.links, got); d != "" {
				t.Errorf("links (-want +got):\n%s", d)
			}
			if d := cmp.Diff(want.routes, routes(t, router)); d != "" {
				t.Errorf("routes (-want +got):\n%s", d)
			}
			for file, content := range want.files {
				if got := strings.TrimSpace(router.Run(t, "cat", file)); got != content {
					t.Errorf("%s is %s, want %s", file, got, content)
				}
			}
		})
	}
}
