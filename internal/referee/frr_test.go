package referee_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// Two routers: they tell each other prefixes by BGP over wan and routes by OSPF over lan2,
// and each has two networks more.
const (
	office = `
secret "peer" { path = "/var/lib/secrets/peer" }
secret "site" { path = "/var/lib/secrets/site" }
network "peering" {
  link = port.wan
  ipv4 = "192.0.2.1/24"
  ipv6 = "2001:db8:f::1/64"
}
network "core" {
  link = port.lan2
  ipv4 = "10.255.0.1/24"
}
network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:1::1/64"
}
network "things" {
  link = port.lan3
  ipv4 = "10.3.0.1/24"
}
route "dmz" {
  to  = "203.0.113.0/24"
  via = "10.1.0.9"
}
zone "all" { networks = [network.peering, network.core, network.lan, network.things] }
prefix_list "in" {
  deny   = ["10.20.9.0/24"]
  permit = ["10.20.0.0/16 le 24", "2001:db8:20::/48 le 64"]
}
prefix_list "out" { permit = ["10.1.0.0/24", "203.0.113.0/24", "2001:db8:1::/64"] }
bgp {
  as        = 65001
  router_id = "192.0.2.1"
  networks  = [network.lan]
  routes    = [route.dmz]
  neighbor "branch" {
    address      = "192.0.2.2"
    remote_as    = 65002
    prefixes_in  = prefix_list.in
    prefixes_out = prefix_list.out
    password     = secret.peer
  }
  neighbor "branch6" {
    address      = "2001:db8:f::2"
    remote_as    = 65002
    prefixes_in  = prefix_list.in
    prefixes_out = prefix_list.out
  }
}
ospf {
  router_id = "192.0.2.1"
  area "0" {
    networks = [network.core]
    passive  = [network.things]
    password = secret.site
  }
}
`
	branch = `
// IfState makes addresses of the machine's identifier, and both routers are on one machine.
interfaces { extra = { interfaces = { wan = { link = { address = "02:00:00:00:00:02" } }, lan2 = { link = { address = "02:00:00:00:00:03" } } } } }
secret "peer" { path = "/var/lib/secrets/peer" }
secret "site" { path = "/var/lib/secrets/site" }
network "peering" {
  link = port.wan
  ipv4 = "192.0.2.2/24"
  ipv6 = "2001:db8:f::2/64"
}
network "core" {
  link = port.lan2
  ipv4 = "10.255.0.2/24"
}
network "lan" {
  link = port.lan1
  ipv4 = "10.20.0.1/24"
  ipv6 = "2001:db8:20::1/64"
}
network "guests" {
  link = port.lan3
  ipv4 = "10.20.9.1/24"
}
zone "all" { networks = [network.peering, network.core, network.lan, network.guests] }
prefix_list "all" { permit = ["0.0.0.0/0 le 32", "::/0 le 128"] }
bgp {
  as        = 65002
  router_id = "192.0.2.2"
  networks  = [network.lan, network.guests]
  neighbor "office" {
    address      = "192.0.2.1"
    remote_as    = 65001
    prefixes_in  = prefix_list.all
    prefixes_out = prefix_list.all
    password     = secret.peer
    expect       = 2
  }
  neighbor "office6" {
    address      = "2001:db8:f::1"
    remote_as    = 65001
    prefixes_in  = prefix_list.all
    prefixes_out = prefix_list.all
  }
}
ospf {
  router_id = "192.0.2.2"
  area "0.0.0.0" {
    networks = [network.core]
    passive  = [network.guests]
    password = secret.site
  }
}
`
)

// frrFiles are what NixOS puts below /etc for services.frr (nixos/modules/services/networking/frr.nix).
func frrFiles(t *testing.T, g *generated) lab.Files {
	t.Helper()
	files := lab.Files{"/etc/frr/vtysh.conf": ""}
	etc, _ := g.at("environment", "etc").(map[string]any)
	for name := range etc {
		files["/etc/"+name] = g.text(t, "environment", "etc", name, "text")
	}
	for name, lines := range g.source {
		files["/etc/nbr/spec/"+name] = strings.Join(lines, "\n")
	}
	var daemons strings.Builder
	frr := g.at("services", "frr").(map[string]any)
	for _, d := range slices.Sorted(maps.Keys(frr)) {
		options, ok := frr[d].(map[string]any)
		if !ok {
			continue
		}
		if options["enable"] == true {
			fmt.Fprintf(&daemons, "%s=yes\n", d)
		}
		fmt.Fprintf(&daemons, "%s_options=\"-A 127.0.0.1 %s\"\n", d, words(options["extraOptions"]))
	}
	files["/etc/frr/daemons"] = daemons.String() + "vtysh_enable=yes\n"
	return files
}

// stageFRR runs what systemd runs before FRR starts.
func stageFRR(t *testing.T, root *lab.Root, ns *nstest.NS, g *generated) (said string) {
	t.Helper()
	pre := g.list(t, "systemd", "services", "frr", "serviceConfig", "ExecStartPre")
	cmd := root.Command(t, ns, strings.Fields(storePath.ReplaceAllString(pre[0].(string), ""))...)
	out, err := cmd.CombinedOutput()
	if err != nil || len(pre) != 1 {
		t.Fatalf("%v: %v\n%s", pre, err, out)
	}
	return string(out)
}

// An frrRouter is a namespace with the links and the firewall of a spec and FRR in it.
type frrRouter struct {
	*nstest.NS
	g    *generated
	root *lab.Root
	frr  *lab.Daemon
}

// pair are two routers with cables in wan and lan2, and others in the rest of their ports.
func pair(t *testing.T, specs ...string) []*frrRouter {
	t.Helper()
	return pairWith(t, keys, specs...)
}

// pairWith is [pair] with secrets.
func pairWith(t *testing.T, secrets lab.Files, specs ...string) (list []*frrRouter) {
	t.Helper()
	for range specs {
		list = append(list, &frrRouter{NS: nstest.New(t, "router")})
	}
	dark := nstest.New(t, "dark")
	for _, port := range []string{"wan", "lan2"} {
		nstest.Link(t, list[0].NS, port, list[1].NS, port)
	}
	for i, r := range list {
		for _, port := range []string{"end0", "end1", "end2", "lan1", "lan3"} {
			nstest.Link(t, r.NS, port, dark, fmt.Sprint(port, i))
		}
	}
	for i, r := range list {
		r.g = fromText(t, specs[i])
		r.apply(t)
		sysctls(t, r.NS, r.g)
		load(t, r.NS, ruleset(t, r.g))
	}
	for _, r := range list {
		r.start(t, maps.Clone(secrets))
	}
	return list
}

func (r *frrRouter) apply(t *testing.T) {
	t.Helper()
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	apply(t, ifstate, r.NS, r.g)
}

// soon is FRR's configuration before what is generated. A router waits for its dead interval, 40 s
// by default, to hear of others before it elects a designated one (RFC 2328, section 9.4), each
// time an interface is set up, so it has to be set before the interface gets an area.
const soon = `interface lan2
 ip ospf hello-interval 1
 ip ospf dead-interval 10
`

func (r *frrRouter) start(t *testing.T, files lab.Files) {
	t.Helper()
	maps.Copy(files, frrFiles(t, r.g))
	r.root = lab.Rootfs(t, files)
	installNBR(t, r.root, "/usr/bin/nbr")
	if said := stageFRR(t, r.root, r.NS, r.g); said != "" {
		t.Errorf("staging says %s", said)
	}
	r.root.Write(t, "/etc/frr/soon.conf", soon)
	config := r.g.text(t, "services", "frr", "configFile")
	r.frr = r.root.Daemon(t, r.NS, "sh", "-ec", `
install -d -o frr -g frr /run/frr
cat /etc/frr/soon.conf `+config+` >/etc/frr/frr.conf
/usr/lib/frr/frrinit.sh start
exec sleep infinity`)
	// All of the configuration has been read.
	r.frr.Ready(t, func() error {
		_, err := r.root.Try(t, r.NS, "vtysh", "-c", "show watchfrr")
		return err
	})
}

// wrong are the checks of FRR's blocks that do not pass, with their verdicts, sorted. The
// arguments stand before nbr's.
func (r *frrRouter) wrong(t *testing.T, before ...string) []string {
	t.Helper()
	argv := r.frr.Inside(append(before, "/usr/bin/nbr", "verify", "-passive", "-format", "json", "/etc/nbr/spec")...)
	out, err := nstest.Output(exec.CommandContext(t.Context(), argv[0], argv[1:]...))
	var report struct{ Results []finding }
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil {
		t.Fatalf("nbr verify: %v\n%s", err, out)
	}
	var list []string
	seen := 0
	for _, f := range report.Results {
		kind, _, _ := strings.Cut(cmp.Or(f.Block, f.ID), ".")
		kind, _, _ = strings.Cut(kind, "/")
		ours := slices.Contains([]string{"bfd", "bgp", "bgp_group", "ospf", "prefix_list", "rip"}, kind) || f.ID == "interfaces/foreign/routes" || f.ID == "interfaces/foreign/listeners"
		if !ours || strings.HasSuffix(f.ID, "/unit") || strings.HasSuffix(f.ID, "/rules") { // no systemd and no nft as root here
			continue
		}
		seen++
		if f.Status != "pass" {
			list = append(list, f.ID+" "+f.Status+": "+f.Got)
		}
	}
	if seen < 8 {
		t.Fatalf("%d checks are FRR's:\n%s", seen, out)
	}
	slices.Sort(list)
	return list
}

// becomes waits until exactly these checks do not pass.
func (r *frrRouter) becomes(t *testing.T, want ...string) {
	t.Helper()
	nstest.Wait(t, func() error {
		if got := r.wrong(t); !slices.Equal(got, want) {
			time.Sleep(time.Second) // a look takes processor time from what has to happen
			return onceTold(func() string {
				return fmt.Sprintf("wrong are\n%s\nwant\n%s\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), r.vtysh(t, "show bgp summary", "show ip ospf neighbor", "show ip route"))
			})
		}
		return nil
	})
}

// onceTold is an error whose text costs a look at the router, which only the last one is worth.
type onceTold func() string

func (e onceTold) Error() string { return e() }

func (r *frrRouter) vtysh(t *testing.T, commands ...string) string {
	t.Helper()
	args := []string{"vtysh"}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	out, err := r.root.Try(t, r.NS, args...)
	if err != nil {
		return err.Error()
	}
	return out
}

// routesOf are the destinations of the kernel's routes of a protocol.
func routesOf(t *testing.T, ns *nstest.NS, protocol string) string {
	t.Helper()
	var list []string
	for _, family := range []string{"-4", "-6"} {
		for line := range strings.Lines(ns.Run(t, "ip", family, "route", "show", "proto", protocol)) {
			if !strings.HasPrefix(line, "\t") { // a next hop
				list = append(list, strings.Fields(line)[0])
			}
		}
	}
	return strings.Join(list, " ")
}

// Two routers get the prefixes that they are promised, through their firewalls, into their
// kernels, and IfState leaves those alone. Then one thing after the other goes wrong, and
// the check of that is red.
func TestFRRExchanges(t *testing.T) {
	t.Parallel()
	two := pair(t, office, branch)
	a, b := two[0], two[1]
	a.becomes(t)
	b.becomes(t)
	for _, c := range []struct {
		r              *frrRouter
		protocol, want string
	}{
		{a, "bgp", "10.20.0.0/24 2001:db8:20::/64"},
		{a, "ospf", "10.20.9.0/24"},
		{b, "bgp", "10.1.0.0/24 203.0.113.0/24 2001:db8:1::/64"},
		{b, "ospf", "10.3.0.0/24"},
	} {
		if got := routesOf(t, c.r.NS, c.protocol); got != c.want {
			t.Errorf("routes of %s are %s, want %s", c.protocol, got, c.want)
		}
	}
	a.apply(t)
	if got := routesOf(t, a.NS, "bgp") + " " + routesOf(t, a.NS, "ospf"); got != "10.20.0.0/24 2001:db8:20::/64 10.20.9.0/24" {
		t.Errorf("IfState has left %s", got)
	}
	// The user who looks for the agent may ask; without the group nothing is known.
	look := []string{"setpriv", "--reuid=65534", "--regid=65534", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"}
	group := a.g.list(t, "users", "users", "nbr-look", "extraGroups")[0].(string)
	for who, flag := range map[string]string{"pass": "--groups=" + group, "unknown": "--clear-groups"} {
		got := a.wrong(t, append(look, flag)...)
		red := slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "bgp/neighbor.branch/session ") })
		if red != (who == "unknown") || slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "bgp") && strings.Contains(s, " fail") }) {
			t.Errorf("with %s: %q", flag, got)
		}
	}

	a.vtysh(t, "configure", "no ip prefix-list out")
	a.becomes(t, "bgp/neighbor.branch/sent fail: without 10.1.0.0/24, 203.0.113.0/24", "prefix_list.out/ipv4 fail: not there")
	b.becomes(t, "bgp/neighbor.office/received fail: 0 prefixes", "bgp/routes/ipv4 fail: 0 routes")
	a.vtysh(t, "configure", "ip prefix-list out seq 5 permit 10.1.0.0/24", "ip prefix-list out seq 10 permit 203.0.113.0/24", "ip prefix-list out seq 15 deny any")
	a.becomes(t)

	// The neighbour withdraws its prefix, and then is gone.
	b.vtysh(t, "configure", "router bgp 65002", "address-family ipv4 unicast", "no network 10.20.0.0/24")
	a.becomes(t, "bgp/neighbor.branch/received fail: 0 prefixes", "bgp/routes/ipv4 fail: 0 routes")
	b.NS.Run(t, "ip", "link", "set", "lan2", "down")
	a.becomes(t, "bgp/neighbor.branch/received fail: 0 prefixes", "bgp/routes/ipv4 fail: 0 routes",
		"ospf/area.0/active/network.core skip: no cable in lan2", "ospf/area.0/adjacent/network.core fail: no neighbour",
		"ospf/area.0/authentication/network.core skip: no cable in lan2", "ospf/routes fail: 0 routes")
}

// What FRR has otherwise than the spec says is seen while sessions and adjacencies stay, each
// at its own line. Both routers are changed where one alone would not be spoken with.
func TestFRRIsOtherwise(t *testing.T) {
	t.Parallel()
	two := pair(t, office, branch)
	a, b := two[0], two[1]
	a.becomes(t)
	b.becomes(t)

	// No password leaves the router, and the user who looks for the agent cannot read it.
	seen, _ := a.root.Try(t, a.NS, "/usr/bin/nbr", "observe", "-passive", "/etc/nbr/spec") // systemd cannot be seen here
	if strings.Count(seen, "the password of the file") != 2 {
		t.Error("not both passwords have been compared")
	}
	for file, key := range keys {
		if strings.Contains(seen, strings.TrimSpace(key)) {
			t.Errorf("nbr observe shows what is in %s", file)
		}
	}

	a.vtysh(t, "configure", "ip prefix-list other permit 10.20.0.0/24", "ip prefix-list other permit 10.1.0.0/24", "ip prefix-list other permit 203.0.113.0/24",
		"router bgp 65001", "address-family ipv4 unicast", "neighbor 192.0.2.2 prefix-list other in", "neighbor 192.0.2.2 prefix-list other out")
	a.vtysh(t, "configure", "interface lan3", "no ip ospf passive")
	for _, r := range two {
		r.vtysh(t, "configure", "interface lan2", "no ip ospf authentication")
	}
	a.becomes(t, "bgp/neighbor.branch/prefixes-in fail: other", "bgp/neighbor.branch/prefixes-out fail: other",
		"ospf/area.0/authentication/network.core fail: no key chain", "ospf/area.0/passive/network.things fail: active in 0.0.0.0")
	b.becomes(t, "ospf/area.0.0.0.0/authentication/network.core fail: no key chain")
	a.vtysh(t, "configure", "router bgp 65001", "address-family ipv4 unicast", "neighbor 192.0.2.2 prefix-list in in", "neighbor 192.0.2.2 prefix-list out out")
	a.vtysh(t, "configure", "interface lan3", "ip ospf passive")
	for _, r := range two {
		r.vtysh(t, "configure", "interface lan2", "ip ospf authentication key-chain area-0.0.0.0")
	}
	a.becomes(t)

	// The branch is in another autonomous system towards the office, which knows it so.
	b.vtysh(t, "configure", "router bgp 65002", "neighbor 192.0.2.1 local-as 65009 no-prepend replace-as", "neighbor 192.0.2.1 password other")
	a.vtysh(t, "configure", "router bgp 65001", "bgp router-id 192.0.2.99", "neighbor 192.0.2.2 remote-as 65009", "neighbor 192.0.2.2 password other")
	for _, r := range two {
		r.vtysh(t, "configure", "key chain area-0.0.0.0", "key 1", "key-string other")
	}
	a.becomes(t, "bgp/neighbor.branch/password fail: another password", "bgp/neighbor.branch/remote-as fail: 65009",
		"bgp/router-id fail: 192.0.2.99", "ospf/area.0/password fail: another password")
	b.becomes(t, "bgp/as fail: 65009", "bgp/neighbor.office/password fail: another password", "ospf/area.0.0.0.0/password fail: another password")

	b.vtysh(t, "configure", "router bgp 65002", "no neighbor 192.0.2.1 password")
	a.vtysh(t, "configure", "router bgp 65001", "no neighbor 192.0.2.2 password")
	a.vtysh(t, "configure", "router ospf", "ospf router-id 192.0.2.98")
	a.vtysh(t, "clear ip ospf process")
	for _, r := range two {
		passive := map[*frrRouter]string{a: "10.3.0.0/24", b: "10.20.9.0/24"}[r]
		r.vtysh(t, "configure", "no key chain area-0.0.0.0", "interface lan2", "no ip ospf authentication", "router ospf",
			"no network 10.255.0.0/24 area 0", "network 10.255.0.0/24 area 1", "no network "+passive+" area 0", "network "+passive+" area 1")
		// The session goes over the other cable, where the firewall lets no neighbour in.
		r.NS.Run(t, "nft", "flush", "ruleset")
		own := map[*frrRouter]string{a: "192.0.2.1/24", b: "192.0.2.2/24"}[r]
		r.NS.Run(t, "ip", "addr", "del", own, "dev", "wan")
		r.NS.Run(t, "ip", "addr", "add", own, "dev", "lan2")
	}
	a.becomes(t, "bgp/neighbor.branch/link fail: lan2", "bgp/neighbor.branch/password fail: no password", "bgp/neighbor.branch/remote-as fail: 65009",
		"bgp/router-id fail: 192.0.2.99", "ospf/area.0/active/network.core fail: active in 0.0.0.1", "ospf/area.0/authentication/network.core fail: no key chain",
		"ospf/area.0/passive/network.things fail: passive in 0.0.0.1", "ospf/area.0/password fail: no password", "ospf/router-id fail: 192.0.2.98")

	if err := os.Remove(a.root.Path("/var/lib/secrets/peer")); err != nil {
		t.Fatal(err)
	}
	a.vtysh(t, "configure", "no router ospf", "no router bgp 65001")
	got := strings.Join(a.wrong(t), "\n")
	for _, want := range []string{
		"bgp/neighbor.branch/password fail: no such file", "bgp/neighbor.branch/session fail: bgpd has no such neighbour",
		"ospf/router-id fail: none", "ospf/area.0/passive/network.things fail: lan3 is in no area",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("without %s:\n%s", want, got)
		}
	}
}

// keys are the secrets of both routers.
var keys = lab.Files{"/var/lib/secrets/peer": "a!b#c$%s\n", "/var/lib/secrets/site": "0123456789abcdef-0123456789\n"}

// A list that lets nothing in costs the prefixes, and not the session.
func TestFRRDeniesAll(t *testing.T) {
	t.Parallel()
	closed := strings.Replace(office, `permit = ["10.20.0.0/16 le 24", `, `permit = [`, 1)
	two := pair(t, closed, branch)
	two[0].becomes(t, "bgp/neighbor.branch/received fail: 0 prefixes", "bgp/routes/ipv4 fail: 0 routes")
	if got := two[0].vtysh(t, "show bgp neighbors 192.0.2.2"); !strings.Contains(got, "BGP state = Established") {
		t.Error(got)
	}
	two[1].becomes(t)
}

// vtysh reads every line of what is generated.
func TestFRRAccepts(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"office": office, "branch": branch} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns, g := nstest.New(t, "router"), fromText(t, text)
			files := frrFiles(t, g)
			root := lab.Rootfs(t, files)
			if said := stageFRR(t, root, ns, g); strings.Count(said, "a random one takes its place") != 2 {
				t.Errorf("without secrets, staging says %q", said)
			}
			config := g.text(t, "services", "frr", "configFile")
			root.Run(t, ns, "vtysh", "-C", "-f", config)
			root.Write(t, "/tmp/wrong", files["/etc/frr/nbr.conf"]+"router bgp 65001\n neighbour 192.0.2.9 remote-as 1\n")
			if _, err := root.Try(t, ns, "vtysh", "-C", "-f", "/tmp/wrong"); err == nil {
				t.Error("vtysh takes anything")
			}
		})
	}
}
