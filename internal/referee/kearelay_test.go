package referee_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// dhcpRelay is a router's DHCP relay (RFC 1542 section 4.1): what hosts on its link say, with its
// address there or, by RFC 3527, with another address and the selection of the link, goes to a
// server, and the answer to the hosts. It ends with the test.
type dhcpRelay struct {
	link         string // of the hosts
	own, giaddr  string // its address there, and the one in messages
	server, from string
	selects      bool   // by RFC 3527
	circuit      string // the port that it says
}

func (r dhcpRelay) start(t *testing.T, ns *nstest.NS) {
	t.Helper()
	listen := func(addr, device string) *net.UDPConn {
		var conn *net.UDPConn
		err := within(ns, func() error {
			lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
				_ = c.Control(func(fd uintptr) {
					if err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err == nil && device != "" {
						if err = syscall.SetsockoptString(int(fd), syscall.SOL_SOCKET, syscall.SO_BINDTODEVICE, device); err == nil {
							err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST, 1)
						}
					}
				})
				return err
			}}
			c, err := lc.ListenPacket(t.Context(), "udp4", addr+":67")
			if err == nil {
				conn = c.(*net.UDPConn)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	hosts := listen("", r.link)
	servers := listen(r.giaddr, "")
	to := servers
	if r.from != r.giaddr {
		to = listen(r.from, "")
	}
	pass := func(in, out *net.UDPConn, op dhcpv4.OpcodeType, dst *net.UDPAddr, change func(*dhcpv4.DHCPv4)) {
		b := make([]byte, 2048)
		for {
			n, err := in.Read(b)
			if err != nil {
				return
			}
			if m, err := dhcpv4.FromBytes(b[:n]); err == nil && m.OpCode == op {
				change(m)
				_, _ = out.WriteToUDP(m.ToBytes(), dst)
			}
		}
	}
	go pass(hosts, to, dhcpv4.OpcodeBootRequest, &net.UDPAddr{IP: net.ParseIP(r.server), Port: 67}, func(m *dhcpv4.DHCPv4) {
		m.GatewayIPAddr, m.HopCount = net.ParseIP(r.giaddr), m.HopCount+1
		info := []dhcpv4.Option{dhcpv4.OptGeneric(dhcpv4.AgentCircuitIDSubOption, []byte(r.circuit))}
		if r.selects {
			info = append(info, dhcpv4.OptGeneric(dhcpv4.LinkSelectionSubOption, net.ParseIP(r.own).To4()))
		}
		m.UpdateOption(dhcpv4.OptRelayAgentInfo(info...))
	})
	go pass(servers, hosts, dhcpv4.OpcodeBootReply, &net.UDPAddr{IP: net.IPv4bcast, Port: 68}, func(m *dhcpv4.DHCPv4) { m.DeleteOption(dhcpv4.OptionRelayAgentInformation) })
}

// Hosts behind a relay get addresses of their network through the firewall, whether the relay says
// it by its own address or by a selection, renew them themselves, and no others get these; nbr
// verify finds it so by asking as the relay does.
func TestHostsBehindARelay(t *testing.T) {
	t.Parallel()
	g, root, router, far := keaVerified(t, "dhcp4-relay", "10.9.0.1/24")
	load(t, router, ruleset(t, g))
	ip(t, router, "route add 10.20.0.0/23 via 10.9.0.2\n")
	ip(t, far, "addr add 10.9.0.2/24 dev eth0\n")
	host, below := nstest.New(t, "host"), nstest.New(t, "below")
	nstest.Link(t, far, "eth1", host, "eth0")
	nstest.Link(t, far, "eth2", below, "eth0")
	ip(t, far, "addr add 10.20.0.1/24 dev eth1\naddr add 10.20.1.1/24 dev eth2\nroute add default via 10.9.0.1\n")
	far.Run(t, "sysctl", "-qw", "net.ipv4.ip_forward=1")
	root.Run(t, router, "kea-dhcp4", "-T", keaConf)
	kea := startKea(t, root, router)
	dhcpRelay{link: "eth1", own: "10.20.0.1", giaddr: "10.20.0.1", from: "10.20.0.1", server: "10.9.0.1"}.start(t, far)
	dhcpRelay{link: "eth2", own: "10.20.1.1", giaddr: "10.9.0.2", from: "10.9.0.2", server: "10.9.0.1", selects: true}.start(t, far)

	for _, c := range []struct {
		what string
		ns   *nstest.NS
		mac  string
		want lease
	}{
		{"a host behind", host, "02:00:00:00:00:01", lease{IP: "10.20.0.100", Mask: "24", Router: "10.20.0.1", DNS: "10.9.0.1", Lease: "3600", Server: "10.9.0.1"}},
		{"the scanner", host, "02:11:22:33:44:55", lease{IP: "10.20.0.10", Mask: "24", Router: "10.20.0.1", DNS: "10.9.0.1", Lease: "3600", Server: "10.9.0.1"}},
		{"a host by selection", below, "02:00:00:00:00:02", lease{IP: "10.20.1.100", Mask: "24", Router: "10.20.1.1", DNS: "10.9.0.53", Lease: "43200", Server: "10.9.0.1"}},
		{"the relay's own", far, "02:00:00:00:00:03", lease{IP: "10.9.0.100", Mask: "24", Router: "10.9.0.1", DNS: "10.9.0.53", Lease: "43200", Server: "10.9.0.1"}},
	} {
		c.ns.Run(t, "ip", "link", "set", "eth0", "address", c.mac)
		got, err := getLease(t, c.ns)
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.what, err, kea.Log())
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, d)
		}
	}
	host.Run(t, "ip", "link", "set", "eth0", "address", "02:00:00:00:00:01")
	ip(t, host, "addr add 10.20.0.100/24 dev eth0\nroute add default via 10.20.0.1\n")
	if got := renew(t, host, "10.20.0.100", "10.9.0.1"); got != dhcpv4.MessageTypeAck {
		t.Errorf("a renewal: %s", got)
	}
	root.Write(t, knotConf, g.json(t, "services", "knot-resolver", "settings"))
	root.Write(t, "/run/knot-resolver/", "")
	startKnot(t, root, router) // whose answers are for the networks of the spec alone
	nstest.Wait(t, func() error {
		if got, err := asked(t, host, "@10.9.0.1", "localhost"); err != nil || got != "NOERROR ad A 127.0.0.1" {
			return fmt.Errorf("the resolver says %q: %w", got, err)
		}
		return nil
	})
	if wrong := slices.Concat(unmet(t, root, router, "dhcp4.between"), unmet(t, root, router, "dhcp4.warehouse"), unmet(t, root, router, "dhcp4.cellar")); len(wrong) > 0 {
		t.Fatalf("nbr verify:\n%s", strings.Join(wrong, "\n"))
	}
	kea.Stop(t)

	var good bytes.Buffer
	if err := json.Compact(&good, []byte(keaJSON(t, g))); err != nil {
		t.Fatal(err)
	}
	// Kea takes a network for that of its hosts that are on the link, and knows none behind a relay.
	text := strings.Replace(good.String(), `"relay":{"ip-addresses":["10.20.1.1"]},"subnet":"10.20.1.0/24"`, `"interface":"lan1","subnet":"10.20.2.0/24"`, 1)
	root.Write(t, keaConf, strings.Replace(text, "10.20.1.100 - 10.20.1.199", "10.20.2.100 - 10.20.2.199", 1))
	startKea(t, root, router)
	if got := unmet(t, root, router, "dhcp4.cellar"); !slices.Contains(got, "dhcp4.cellar/offer fail: no offer") {
		t.Errorf("without the network behind: %q", got)
	}
}

// renew asks for a lease once more, as a host does when half of it is over (RENEWING, RFC 2131
// section 4.3.2), and tells the type of the answer.
func renew(t *testing.T, client *nstest.NS, address, server string) dhcpv4.MessageType {
	t.Helper()
	mac, err := net.ParseMAC(strings.TrimSpace(client.Run(t, "cat", "/sys/class/net/eth0/address")))
	if err != nil {
		t.Fatal(err)
	}
	m, err := dhcpv4.New(dhcpv4.WithMessageType(dhcpv4.MessageTypeRequest), dhcpv4.WithHwAddr(mac), dhcpv4.WithClientIP(net.ParseIP(address)),
		dhcpv4.WithOption(dhcpv4.OptClientIdentifier(append([]byte{1}, mac...))))
	if err != nil {
		t.Fatal(err)
	}
	var got dhcpv4.MessageType
	nstest.Wait(t, func() error {
		return within(client, func() error {
			c, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(address), Port: dhcpv4.ClientPort}, &net.UDPAddr{IP: net.ParseIP(server), Port: dhcpv4.ServerPort})
			if err != nil {
				return err
			}
			defer c.Close()
			if _, err := c.Write(m.ToBytes()); err != nil {
				return err
			}
			b := make([]byte, 2048)
			if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				return err
			}
			n, err := c.Read(b)
			if err != nil {
				return err
			}
			reply, err := dhcpv4.FromBytes(b[:n])
			if err == nil {
				got = reply.MessageType()
			}
			return err
		})
	})
	return got
}
