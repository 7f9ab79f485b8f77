package lab_test

import (
	"os"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// network is a router with lan1 and wan and a host at the other end of each.
func network(t *testing.T) (router, client, isp *nstest.NS) {
	t.Helper()
	router, client, isp = nstest.New(t, "router"), nstest.New(t, "client"), nstest.New(t, "isp")
	nstest.Link(t, router, "lan1", client, "eth0")
	nstest.Link(t, router, "wan", isp, "eth0")
	router.Run(t, "ip", "addr", "add", "192.0.2.1/24", "dev", "lan1")
	client.Run(t, "ip", "addr", "add", "192.0.2.2/24", "dev", "eth0")
	router.Run(t, "ip", "addr", "add", "198.51.100.2/24", "dev", "wan")
	isp.Run(t, "ip", "addr", "add", "198.51.100.1/24", "dev", "eth0")
	return router, client, isp
}

func TestTheTreeIsNotWrittenTo(t *testing.T) {
	t.Parallel()
	ns := nstest.New(t, "router")
	one, two := lab.Rootfs(t, lab.Files{"/etc/motd": "one"}), lab.Rootfs(t, nil)
	one.Run(t, ns, "sh", "-c", "echo x >/etc/mine; echo y >/var/lib/mine; echo z >/dev/null")
	if got := one.Run(t, ns, "cat", "/etc/motd", "/etc/mine"); got != "onex\n" {
		t.Errorf("the test's own files: %q", got)
	}
	if _, err := os.Stat(two.Path("/etc/mine")); err == nil {
		t.Error("one test's file is in another's tree")
	}
	if got := one.Run(t, ns, "ls", "/sys/class/net"); got != "lo\n" {
		t.Errorf("/sys/class/net: %q", got)
	}
}

const kea4 = `{"Dhcp4": {
  "interfaces-config": {"interfaces": ["lan1"]},
  "lease-database": {"type": "memfile", "persist": false},
  "subnet4": [{"id": 1, "subnet": "192.0.2.0/24", "pools": [{"pool": "192.0.2.100-192.0.2.199"}]}]
}}
`

func TestKeaChecks(t *testing.T) {
	t.Parallel()
	router, _, _ := network(t)
	root := lab.Rootfs(t, lab.Files{
		"/etc/kea/good.conf": kea4,
		"/etc/kea/link.conf": strings.Replace(kea4, "lan1", "lan9", 1),
		"/etc/kea/pool.conf": strings.Replace(kea4, "192.0.2.199", "192.0.3.199", 1),
	})
	root.Run(t, router, "kea-dhcp4", "-t", "/etc/kea/good.conf")
	for file, want := range map[string]string{"link": "lan9", "pool": "192.0.3.199"} {
		if _, err := root.Try(t, router, "kea-dhcp4", "-t", "/etc/kea/"+file+".conf"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s.conf: the error does not name %s: %v", file, want, err)
		}
	}
}

func TestKeaGivesALease(t *testing.T) {
	t.Parallel()
	router, client, _ := network(t)
	root := lab.Rootfs(t, lab.Files{"/etc/kea/kea-dhcp4.conf": kea4, "/run/kea/": ""})
	kea := root.Daemon(t, router, "kea-dhcp4", "-c", "/etc/kea/kea-dhcp4.conf")
	kea.Ready(t, contains(kea.Log, "DHCP4_STARTED"))
	out, err := client.Command(t, "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "5", "-T", "1", "-s", "/bin/true").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "lease of 192.0.2.100 obtained") {
		t.Errorf("%v: %s", err, out)
	}
	kea.Stop(t)
}

func TestKnotResolver(t *testing.T) {
	t.Parallel()
	router, client, _ := network(t)
	root := lab.Rootfs(t, lab.Files{
		"/etc/knot-resolver/config.yaml": `
rundir: /run/knot-resolver
workers: 1
network:
  listen:
    - interface: 192.0.2.1
local-data:
  records: nas.lan. A 192.0.2.10
`,
		"/etc/knot-resolver/bad.yaml": "network:\n  lisen: []\n",
		"/run/knot-resolver/":         "",
	})
	root.Run(t, router, "kresctl", "validate", "/etc/knot-resolver/config.yaml")
	if _, err := root.Try(t, router, "kresctl", "validate", "/etc/knot-resolver/bad.yaml"); err == nil || !strings.Contains(err.Error(), "lisen") {
		t.Errorf("the error does not name the key: %v", err)
	}
	knot := root.Daemon(t, router, "sh", "-c", "cd /var/lib/knot-resolver && exec knot-resolver --config=/etc/knot-resolver/config.yaml")
	knot.Ready(t, func() error {
		return contains(func() string {
			out, _ := client.Try(t, "dig", "+short", "+time=1", "+tries=1", "@192.0.2.1", "nas.lan", "A")
			return out
		}, "192.0.2.10")()
	})
}

func TestUnboundIsAnUpstream(t *testing.T) {
	t.Parallel()
	router, _, isp := network(t)
	const conf = "/etc/unbound/lab.conf"
	root := lab.Rootfs(t, lab.Files{conf: `
server:
  do-daemonize: no
  username: ""
  chroot: ""
  interface: 198.51.100.1
  access-control: 0.0.0.0/0 allow
  local-data: "example.org. A 203.0.113.7"
`})
	root.Run(t, isp, "unbound-checkconf", conf)
	unbound := root.Daemon(t, isp, "unbound", "-d", "-c", conf)
	unbound.Ready(t, func() error {
		return contains(func() string {
			out, _ := router.Try(t, "dig", "+short", "+time=1", "+tries=1", "@198.51.100.1", "example.org", "A")
			return out
		}, "203.0.113.7")()
	})
}

func TestNft(t *testing.T) {
	t.Parallel()
	router, client, isp := network(t)
	root := lab.Rootfs(t, lab.Files{
		"/etc/nftables.conf": `
table inet filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname "lan1" oifname "wan" accept
	}
}
table ip nat {
	chain postrouting {
		type nat hook postrouting priority srcnat;
		oifname "wan" masquerade
	}
}
`,
		"/etc/bad.conf": "table inet filter {\n\tchain x { nonsense }\n}\n",
	})
	if _, err := root.Try(t, router, "nft", "-c", "-f", "/etc/bad.conf"); err == nil || !strings.Contains(err.Error(), "bad.conf:2") {
		t.Errorf("an error in line 2: %v", err)
	}
	root.Run(t, router, "nft", "-c", "-f", "/etc/nftables.conf")
	if got := root.Run(t, router, "nft", "list", "ruleset"); got != "" {
		t.Errorf("a check has loaded the rules: %s", got)
	}
	root.Run(t, router, "nft", "-f", "/etc/nftables.conf")

	router.Run(t, "sysctl", "-qw", "net.ipv4.ip_forward=1")
	client.Run(t, "ip", "route", "add", "default", "via", "192.0.2.1")
	client.Run(t, "ping", "-c1", "-W2", "198.51.100.1")
	isp.Run(t, "ip", "route", "add", "192.0.2.0/24", "via", "198.51.100.2")
	if _, err := isp.Try(t, "ping", "-c1", "-W1", "192.0.2.2"); err == nil {
		t.Error("the firewall lets the outside in")
	}
}

func TestTheOtherCheckers(t *testing.T) {
	t.Parallel()
	router, _, _ := network(t)
	root := lab.Rootfs(t, lab.Files{
		"/run/sshd/":         "",
		"/etc/ssh/good":      "Port 22\nPermitRootLogin prohibit-password\n",
		"/etc/ssh/bad":       "Prot 22\n",
		"/etc/chrony/good":   "server 198.51.100.1 iburst\nallow 192.0.2.0/24\n",
		"/etc/chrony/bad":    "sever 198.51.100.1\n",
		"/etc/radvd/good":    "interface lan1 { AdvSendAdvert on; prefix 2001:db8::/64 { }; };\n",
		"/etc/radvd/bad":     "interface lan1 { AdvSendAdverts on; };\n",
		"/etc/wireguard/bad": "[Interface]\nPrivateKey = no\n",
	})
	root.Run(t, router, "ssh-keygen", "-A")
	for name, command := range map[string][]string{
		"ssh":    {"sshd", "-t", "-f"},
		"chrony": {"chronyd", "-p", "-f"},
		"radvd":  {"radvd", "-c", "-C"},
	} {
		root.Run(t, router, append(command[:len(command):len(command)], "/etc/"+name+"/good")...)
		if _, err := root.Try(t, router, append(command[:len(command):len(command)], "/etc/"+name+"/bad")...); err == nil {
			t.Errorf("%s finds nothing wrong in a bad file", command[0])
		}
	}
}
