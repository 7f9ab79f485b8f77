package referee_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// pppoeRouter dials in over VLAN 7, hands a delegated prefix on, and has NAT. The user name and
// the password have what means something to pppd's files.
const pppoeRouter = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}
secret "dsl" {
  path = "/var/lib/secrets/dsl"
}
vlan "internet" {
  link = port.wan
  id   = 7
}
pppoe "ppp0" {
  link     = vlan.internet
  user     = "0001#\"x@example.net"
  password = secret.dsl
}
network "dsl" {
  link = pppoe.ppp0
  ipv4 = "ppp"
  ipv6 = "auto"
}
prefix "isp" {
  network = network.dsl
  length  = 56
}
network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  prefix = prefix.isp
  subnet = 1
}
zone "lan" { networks = [network.lan] }
zone "dsl" { networks = [network.dsl] }
policy "out" {
  from       = [zone.lan]
  to         = [zone.dsl]
  action     = "accept"
  masquerade = true
}
`

// wholePackets is pppoeRouter with a session for packets of 1500 bytes.
var wholePackets = strings.NewReplacer(
	"  id   = 7\n", "  id   = 7\n  mtu  = 1508\n",
	"  password = secret.dsl\n", "  password = secret.dsl\n  mtu      = 1500\n",
	"secret \"dsl\"", "port \"wan\" {\n  mtu = 1508\n}\nsecret \"dsl\"",
).Replace(pppoeRouter)

// pppoeFiles is what a guest needs to be pppoeRouter, its provider and its provider's Internet.
func pppoeFiles(t *testing.T) map[string]string {
	t.Helper()
	g := fromText(t, pppoeRouter)
	unit := []string{"systemd", "services", "pppd-ppp0"}
	if g.text(t, append(unit, "serviceConfig", "LoadCredential")...) != "password:/var/lib/secrets/dsl" {
		t.Errorf("the unit does not get the secret")
	}
	whole := fromText(t, wholePackets)
	files := map[string]string{
		"/pppoe/whole/router.hcl": write(t, strings.TrimPrefix(wholePackets, "\n")),
		"/pppoe/whole-links":      write(t, toJSON(t, onVeths(t, whole))),
		"/etc/ppp/peers/whole":    write(t, whole.text(t, "services", "pppd", "peers", "ppp0", "config")),
		"/pppoe/spec/router.hcl":  write(t, strings.TrimPrefix(pppoeRouter, "\n")),
		"/pppoe/links":            write(t, toJSON(t, onVeths(t, g))),
		"/pppoe/rules":            write(t, ruleset(t, g)),
		"/pppoe/stage":            write(t, g.text(t, append(unit, "preStart")...)),
		"/etc/ppp/peers/ppp0":     write(t, g.text(t, "services", "pppd", "peers", "ppp0", "config")),
		"/etc/ppp/net-init":       executable(t, g.text(t, "environment", "etc", "ppp/net-init", "text")),
		"/pppoe/dhcpcd.conf":      write(t, dhcpcdConf(t, g)),
		// There is no journald: pppd's words are in a file.
		"/usr/bin/journalctl": executable(t, "#!/bin/sh\ncat /run/pppd.log\n"),
		"/bin/true":           executable(t, "#!/bin/sh\n"),
		"/bin/nbr":            lab.Program(t, lab.AMD64, "github.com/nbr-dev/nbr/cmd/nbr"),
		"/etc/passwd":         write(t, "root:x:0:0::/root:/bin/sh\ndhcpcd:x:100:100::/var/lib/dhcpcd:/bin/sh\n_dhcpcd:x:100:100::/var/lib/dhcpcd:/bin/sh\nsuricata:x:101:101::/:/bin/false\n"),
		"/etc/group":          write(t, "root:x:0:\ndhcpcd:x:100:\nsuricata:x:101:\nhostapd:x:102:\n"),
	}
	maps.Copy(files, lab.Tools(t, "/usr/bin/bash", "/usr/sbin/pppd", "/usr/lib/pppd/2.5.2/pppoe.so", "/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so", "/usr/sbin/pppoe-server", "/usr/sbin/radvd", "/usr/sbin/dhcpcd"))
	return files
}

// fibreDir is where a guest has what the router of testdata/routers/german-fibre is made of, and radvdPid
// where its radvd says which process it is.
const (
	fibreDir = "/fibre/"
	radvdPid = "/run/lan-radvd.pid"
)

// fibreFiles is what a guest needs beside pppoeFiles to be that router.
func fibreFiles(t *testing.T) map[string]string {
	t.Helper()
	const spec = "../../testdata/routers/german-fibre/router.hcl"
	g := fromDir(t, filepath.Dir(spec))
	files := map[string]string{
		fibreDir + "spec/router.hcl": spec,
		fibreDir + "links":           write(t, toJSON(t, onVeths(t, g))),
		fibreDir + "rules":           write(t, ruleset(t, g)),
		fibreDir + "dhcpcd.conf":     write(t, dhcpcdConf(t, g)),
		fibreDir + "advertisements":  write(t, g.text(t, "systemd", "services", "nbr-advertisements", "script")),
		"/etc/nbr/radvd.conf":        write(t, g.text(t, "environment", "etc", "nbr/radvd.conf", "text")),
		"/etc/ppp/peers/fibre":       write(t, g.text(t, "services", "pppd", "peers", "ppp0", "config")),
		// There is no systemd: radvd is told what its ExecReload tells it.
		fibreDir + "bin/systemctl": executable(t, "#!/bin/bash -e\n"+`[[ $* == "try-reload-or-restart --no-block radvd.service" ]]
[[ -e `+radvdPid+` ]] || exit 0
radvd -c -C /run/nbr-advertisements/radvd.conf
kill -HUP "$(<`+radvdPid+`)"
`),
	}
	maps.Copy(files, lab.Tools(t, "/usr/bin/mv", "/usr/bin/sort", "/usr/bin/sed"))
	return files
}

// executable is a script in a file.
func executable(t *testing.T, text string) string {
	t.Helper()
	file := write(t, text)
	if err := os.Chmod(file, 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// IfState, which runs at every switch, leaves the session and its default route alone, and takes
// away what another hand has set in the same way. A veth stands for the session.
func TestIfStateLeavesASession(t *testing.T) {
	t.Parallel()
	g := fromText(t, pppoeRouter)
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	far := nstest.New(t, "far")
	router := board(t, map[string]*nstest.NS{"lan1": far})
	apply(t, ifstate, router, g)
	nstest.Link(t, router, "ppp0", far, "ppp0")
	ip(t, router, "addr add 198.51.100.50 peer 198.51.100.1/32 dev ppp0\nroute add default dev ppp0\nroute add 10.8.0.0/16 dev lan1\n")
	apply(t, ifstate, router, g)
	routes := router.Run(t, "ip", "route")
	for route, want := range map[string]bool{"default dev ppp0": true, "198.51.100.1 dev ppp0": true, "10.8.0.0/16": false} {
		if strings.Contains(routes, route) != want {
			t.Errorf("%s: not %t:\n%s", route, want, routes)
		}
	}
}
