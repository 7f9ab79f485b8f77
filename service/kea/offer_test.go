package kea

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/nbr-dev/nbr/verify/packet"
)

// question is a DISCOVER whose answers the tests make.
func question(t testing.TB) *dhcpv4.DHCPv4 {
	t.Helper()
	d, err := discover(net.HardwareAddr{2, 0, 0, 0, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	copy(d.TransactionID[:], "nbr!")
	return d
}

// reply puts a DHCP message into its packet, from the server to all hosts.
func reply(m *dhcpv4.DHCPv4) []byte {
	return packet.Datagram(netip.MustParseAddrPort("10.7.0.1:67"), netip.MustParseAddrPort("255.255.255.255:68"), m.ToBytes())
}

// goodOffer is an answer to a question with nothing wrong in it.
func goodOffer(t testing.TB, d *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	t.Helper()
	m, err := dhcpv4.NewReplyFromRequest(d,
		dhcpv4.WithMessageType(dhcpv4.MessageTypeOffer),
		dhcpv4.WithYourIP(net.IPv4(10, 7, 0, 100)),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(10, 7, 0, 1))),
		dhcpv4.WithRouter(net.IPv4(10, 7, 0, 1)),
		dhcpv4.WithDNS(net.IPv4(10, 7, 0, 1), net.IPv4(192, 0, 2, 53)),
		dhcpv4.WithLeaseTime(600),
		dhcpv4.WithOption(dhcpv4.OptDomainName("home.arpa")),
	)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// offerFor is the answer to another client.
func offerFor(t testing.TB, mac net.HardwareAddr) []byte {
	t.Helper()
	d, err := discover(mac)
	if err != nil {
		t.Fatal(err)
	}
	return reply(goodOffer(t, d))
}

func TestParseOffer(t *testing.T) {
	d := question(t)
	want := offer{
		Answered: true, Address: "10.7.0.100", Server: "10.7.0.1", Prefix: 24, Lease: 600,
		Routers: []string{"10.7.0.1"}, DNS: []string{"10.7.0.1", "192.0.2.53"}, Domain: "home.arpa",
	}
	with := func(change func(*offer)) offer {
		w := want
		change(&w)
		return w
	}
	option := func(code dhcpv4.OptionCode, data string) func(*dhcpv4.DHCPv4) {
		return func(m *dhcpv4.DHCPv4) { m.UpdateOption(dhcpv4.OptGeneric(code, []byte(data))) }
	}
	without := func(code dhcpv4.OptionCode) func(*dhcpv4.DHCPv4) {
		return func(m *dhcpv4.DHCPv4) { m.DeleteOption(code) }
	}
	for _, tt := range []struct {
		name   string
		change func(*dhcpv4.DHCPv4)
		want   offer
		why    string
	}{
		{"as Kea sends it", func(*dhcpv4.DHCPv4) {}, want, ""},
		{"no mask", without(dhcpv4.OptionSubnetMask), with(func(o *offer) { o.Prefix = 0 }), ""},
		{"no gateway", without(dhcpv4.OptionRouter), with(func(o *offer) { o.Routers = nil }), ""},
		{"no name servers", without(dhcpv4.OptionDomainNameServer), with(func(o *offer) { o.DNS = nil }), ""},
		{"a domain as C has it", option(dhcpv4.OptionDomainName, "home.arpa\x00"), want, ""},
		{"a domain that clears the screen", option(dhcpv4.OptionDomainName, "a\x1b[2J\xff\\"), with(func(o *offer) { o.Domain = `a\x1b[2J\xff\\` }), ""},
		{"for ever", option(dhcpv4.OptionIPAddressLeaseTime, "\xff\xff\xff\xff"), with(func(o *offer) { o.Lease = 1<<32 - 1 }), ""},
		{"a host alone in its network", option(dhcpv4.OptionSubnetMask, "\xff\xff\xff\xff"), with(func(o *offer) { o.Prefix = 32 }), ""},

		{"an acknowledgement", option(dhcpv4.OptionDHCPMessageType, "\x05"), offer{}, "not an offer"},
		{"a refusal", option(dhcpv4.OptionDHCPMessageType, "\x06"), offer{}, "not an offer"},
		{"BOOTP", without(dhcpv4.OptionDHCPMessageType), offer{}, "not an offer"},
		{"two types", option(dhcpv4.OptionDHCPMessageType, "\x02\x02"), offer{}, "not an offer"},
		{"no address", func(m *dhcpv4.DHCPv4) { m.YourIPAddr = net.IPv4zero }, offer{}, "no address of a host"},
		{"the address of all hosts", func(m *dhcpv4.DHCPv4) { m.YourIPAddr = net.IPv4bcast }, offer{}, "no address of a host"},
		{"a group's address", func(m *dhcpv4.DHCPv4) { m.YourIPAddr = net.IPv4(224, 0, 0, 1) }, offer{}, "no address of a host"},
		{"the client's own", func(m *dhcpv4.DHCPv4) { m.YourIPAddr = net.IPv4(127, 0, 0, 1) }, offer{}, "no address of a host"},
		{"of no server", without(dhcpv4.OptionServerIdentifier), offer{}, "no list"},
		{"of two servers", option(dhcpv4.OptionServerIdentifier, "\x0a\x07\x00\x01\x0a\x07\x00\x02"), offer{}, "no list"},
		{"for no time", option(dhcpv4.OptionIPAddressLeaseTime, "\x00\x00\x00\x00"), offer{}, "no time"},
		{"for a time of two bytes", option(dhcpv4.OptionIPAddressLeaseTime, "\x0e\x10"), offer{}, "no time"},
		{"no time", without(dhcpv4.OptionIPAddressLeaseTime), offer{}, "no time"},
		{"a mask with a hole", option(dhcpv4.OptionSubnetMask, "\xff\x00\xff\x00"), offer{}, "no mask"},
		{"a mask of the last bit", option(dhcpv4.OptionSubnetMask, "\x00\x00\x00\x01"), offer{}, "no mask"},
		{"a mask of everything", option(dhcpv4.OptionSubnetMask, "\x00\x00\x00\x00"), offer{}, "no mask"},
		{"a mask of three bytes", option(dhcpv4.OptionSubnetMask, "\xff\xff\xff"), offer{}, "no mask"},
		{"1000 gateways", option(dhcpv4.OptionRouter, strings.Repeat("\x0a\x07\x00\x01", 1000)), offer{}, "no list"},
		{"half a gateway", option(dhcpv4.OptionRouter, "\x0a\x07\x00\x01\x0a\x07"), offer{}, "no list"},
		{"an empty list of gateways", option(dhcpv4.OptionRouter, ""), offer{}, "no list"},
		{"a gateway that is none", option(dhcpv4.OptionRouter, "\x00\x00\x00\x00"), offer{}, "no address of a host"},
		{"a name server that is none", option(dhcpv4.OptionDomainNameServer, "\xff\xff\xff\xff"), offer{}, "no address of a host"},
		{"another question's", func(m *dhcpv4.DHCPv4) { m.TransactionID[0]++ }, offer{}, "another client"},
		{"another client's", func(m *dhcpv4.DHCPv4) { m.ClientHWAddr = net.HardwareAddr{2, 0, 0, 0, 0, 2} }, offer{}, "another client"},
		{"a question", func(m *dhcpv4.DHCPv4) { m.OpCode = dhcpv4.OpcodeBootRequest }, offer{}, "another client"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := goodOffer(t, d)
			tt.change(m)
			got, err := parseOffer(d, reply(m))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if (err == nil) != (tt.why == "") || err != nil && !strings.Contains(err.Error(), tt.why) {
				t.Errorf("%v, want %q", err, tt.why)
			}
		})
	}
}

// However short it is cut, it is no offer.
func TestParseOfferThatIsCut(t *testing.T) {
	d := question(t)
	b := reply(goodOffer(t, d))
	end := strings.LastIndexByte(string(b), 0xff) // the end option, before what fills it up
	for n := range b[:end] {
		if o, err := parseOffer(d, b[:n]); err == nil || o.Answered {
			t.Errorf("%d bytes: %+v", n, o)
		}
		if n < 28 {
			continue
		}
		whole := packet.Datagram(netip.MustParseAddrPort("10.7.0.1:67"), netip.MustParseAddrPort("255.255.255.255:68"), b[28:n])
		if o, err := parseOffer(d, whole); err == nil || o.Answered {
			t.Errorf("%d bytes of DHCP: %+v", n-28, o)
		}
	}
}

// What goes out is what RFC 2131 has a client say.
func TestDiscoverFrame(t *testing.T) {
	d := question(t)
	f := discoverFrame(d)
	if string(f[:6]) != "\xff\xff\xff\xff\xff\xff" || string(f[6:12]) != string(d.ClientHWAddr) || binary.BigEndian.Uint16(f[12:]) != packet.EtherIPv4 {
		t.Errorf("% x", f[:14])
	}
	p, err := packet.Parse(f[14:])
	if err != nil {
		t.Fatal(err)
	}
	src, dst, _ := p.Ports()
	if src.String() != "0.0.0.0:68" || dst.String() != "255.255.255.255:67" {
		t.Errorf("%s %s", src, dst)
	}
	m, err := dhcpv4.FromBytes(p.Payload[8:])
	if err != nil || m.MessageType() != dhcpv4.MessageTypeDiscover || !m.IsBroadcast() {
		t.Errorf("%v %v", m, err)
	}
	other, err := discover(d.ClientHWAddr)
	if again, err2 := discover(d.ClientHWAddr); err != nil || err2 != nil || other.TransactionID == again.TransactionID {
		t.Errorf("%v %v: two questions of one number", err, err2)
	}
}

// Whatever a server sends, an offer has all that makes one.
func FuzzOffer(f *testing.F) {
	d := question(f)
	good := goodOffer(f, d)
	f.Add(reply(good))
	f.Add(offerFor(f, net.HardwareAddr{2, 0, 0, 0, 0, 2}))
	f.Add(discoverFrame(d)[14:])
	for code, data := range map[uint8]string{
		1: "\x00\x00\x00\x01", 3: strings.Repeat("\x0a\x07\x00\x01", 300), 15: "\x1b[2J\x00", 51: "\x00\x00\x00\x00", 52: "\x03", 54: "",
	} {
		m := goodOffer(f, d)
		m.UpdateOption(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(code), []byte(data)))
		f.Add(reply(m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := parseOffer(d, b)
		if err != nil {
			if d := cmp.Diff(offer{}, o); d != "" {
				t.Errorf("an error and an offer: %s", d)
			}
			return
		}
		if !o.Answered || o.Lease < 1 || o.Lease > 1<<32-1 || o.Prefix < 0 || o.Prefix > 32 ||
			len(o.Routers) > listLimit || len(o.DNS) > listLimit || strings.ContainsFunc(o.Domain, func(r rune) bool { return r < ' ' }) {
			t.Errorf("%+v", o)
		}
		for _, text := range append(append([]string{o.Address, o.Server}, o.Routers...), o.DNS...) {
			if a, err := netip.ParseAddr(text); err != nil || !a.Is4() || a.IsUnspecified() || a.IsMulticast() {
				t.Errorf("%q is no host", text)
			}
		}
	})
}
