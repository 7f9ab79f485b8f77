package referee_test

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// timedSpec has a service whose connections are remembered for longer, and others.
const timedSpec = `
network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:1::1/64"
}
network "out" {
  link     = port.wan
  ipv4     = "198.51.100.2/24"
  ipv6     = "2001:db8:f::2/64"
  gateway  = "198.51.100.1"
  gateway6 = "2001:db8:f::1"
}
zone "lan" {
  networks = [network.lan]
  allow    = ["game"]
}
zone "out" { networks = [network.out] }
service "game" { ports = ["udp/7000-7009", "tcp/7000"] }
policy "out" {
  from       = [zone.lan]
  to         = [zone.out]
  action     = "accept"
  masquerade = true
}
firewall {
  timeout "games" {
    services   = ["game"]
    idle       = "3h"
    unanswered = "10m"
  }
}
`

// remaining is for how many seconds more conntrack remembers the connections to a port.
func remaining(t *testing.T, root *lab.Root, router *nstest.NS, proto string, port int) []int {
	t.Helper()
	var out []int
	for _, family := range []string{"ipv4", "ipv6"} {
		listing := root.Run(t, router, "conntrack", "-L", "-f", family, "-p", proto, "--orig-port-dst", fmt.Sprint(port))
		for _, m := range regexp.MustCompile(`(?m)^`+proto+` +\d+ (\d+) `).FindAllStringSubmatch(listing, -1) {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, n)
		}
	}
	return out
}

// say sends a packet, and waits for no answer.
func say(proto, addr string) error {
	c, err := net.Dial(proto, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte("hello"))
	return err
}

// The kernel remembers connections of a service for as long as the spec says, of both versions of IP,
// through the router and to it, and those of other ports for its own times.
func TestTimeoutsOfServices(t *testing.T) {
	t.Parallel()
	head := strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1)
	g := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(head + timedSpec)}})
	router, host, internet := nstest.New(t, "router"), nstest.New(t, "host"), nstest.New(t, "internet")
	root := lab.Rootfs(t, nil)
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	nstest.Link(t, router, "lan1", host, "eth0")
	nstest.Link(t, router, "wan", internet, "eth0")
	ip(t, router, `
addr add 10.1.0.1/24 dev lan1
addr add 2001:db8:1::1/64 dev lan1 nodad
addr add 198.51.100.2/24 dev wan
addr add 2001:db8:f::2/64 dev wan nodad
`)
	ip(t, host, `
addr add 10.1.0.7/24 dev eth0
addr add 2001:db8:1::7/64 dev eth0 nodad
route add default via 10.1.0.1
route add default via 2001:db8:1::1
`)
	ip(t, internet, `
addr add 198.51.100.1/24 dev eth0
addr add 2001:db8:f::1/64 dev eth0 nodad
route add 2001:db8:1::/64 via 2001:db8:f::2
`)
	const hours, minutes = 3 * 3600, 600
	for _, c := range []struct {
		proto       string
		port        int
		server      string
		to          *nstest.NS
		unanswered  bool
		least, most int // seconds that are left
	}{
		{"udp", 7001, "198.51.100.1", internet, false, hours - 600, hours},
		{"udp", 7002, "2001:db8:f::1", internet, false, hours - 600, hours},
		{"tcp", 7000, "198.51.100.1", internet, false, hours - 600, hours},
		{"udp", 7003, "10.1.0.1", router, false, hours - 600, hours},
		{"udp", 7009, "198.51.100.1", internet, true, minutes - 300, minutes},
		{"udp", 7010, "198.51.100.1", internet, false, 1, 120},
		{"tcp", 7001, "198.51.100.1", internet, false, hours + 1, 432000},
	} {
		addr := net.JoinHostPort(c.server, strconv.Itoa(c.port))
		var f longFlow
		if c.unanswered {
			if err := within(host, func() error { return say(c.proto, addr) }); err != nil {
				t.Fatal(err)
			}
		} else {
			f = connect(t, host, c.to, c.proto, addr)
		}
		nstest.Wait(t, func() error {
			if !c.unanswered {
				f.alive(t, addr) // a flow of UDP is one of both ends after two seconds (stream_ts of nf_conntrack_proto_udp.c)
			}
			left := remaining(t, root, router, c.proto, c.port)
			if len(left) != 1 || left[0] < c.least || left[0] > c.most {
				return fmt.Errorf("%s is remembered for %d more seconds, not for %d to %d", addr, left, c.least, c.most)
			}
			return nil
		})
	}
}
