package observe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"net"
	"net/netip"
	"strings"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/nbr-dev/nbr/verify/state"
)

// Ports of DHCP (RFC 2131 section 4.1).
const (
	portDHCPServer = 67
	portDHCPClient = 68
)

// listLimit is more gateways or name servers than anybody has.
const listLimit = 64

// parseClient reads the name of a [state.NeedOffer]: a link and, perhaps, the MAC of a
// client. Without one, any stranger will do.
func parseClient(name string) (link string, mac net.HardwareAddr, err error) {
	link, text, has := strings.Cut(name, " ")
	if link == "" || len(link) >= 16 { // IFNAMSIZ
		return "", nil, fmt.Errorf("%q is no name of a link", link)
	}
	if !has {
		return link, nil, nil
	}
	mac, err = net.ParseMAC(text)
	if err != nil || len(mac) != 6 || mac[0]&1 != 0 || bytes.Equal(mac, make([]byte, 6)) {
		return "", nil, fmt.Errorf("%q is no MAC address of a client", text)
	}
	return link, mac, nil
}

// discover is a DHCPDISCOVER of a client that has no address yet and takes an answer
// that is sent to everybody.
func discover(mac net.HardwareAddr) (*dhcpv4.DHCPv4, error) {
	return dhcpv4.NewDiscovery(mac, dhcpv4.WithBroadcast(true), dhcpv4.WithRequestedOptions(
		dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer, dhcpv4.OptionDomainName, dhcpv4.OptionIPAddressLeaseTime,
	))
}

// discoverFrame is how it goes over Ethernet.
func discoverFrame(d *dhcpv4.DHCPv4) []byte {
	src := netip.AddrPortFrom(netip.IPv4Unspecified(), portDHCPClient)
	dst := netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), portDHCPServer)
	return frame(net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, d.ClientHWAddr, udp(src, dst, d.ToBytes()))
}

// parseOffer reads an IPv4 packet that holds the answer to a DISCOVER. It takes an
// OFFER that a client could live with and nothing else: one that is half right must
// not look like one that lacks a gateway.
func parseOffer(d *dhcpv4.DHCPv4, packet []byte) (state.Offer, error) {
	ip, err := parseIPv4(packet)
	if err != nil {
		return state.Offer{}, err
	}
	src, dst, ok := ip.ports()
	if !ok || ip.proto != protoUDP || src.Port() != portDHCPServer || dst.Port() != portDHCPClient {
		return state.Offer{}, errors.New("not DHCP")
	}
	if n := int(binary.BigEndian.Uint16(ip.payload[4:])); n < 8 || n > len(ip.payload) {
		return state.Offer{}, errors.New("false length")
	} else {
		ip.payload = ip.payload[8:n]
	}
	m, err := dhcpv4.FromBytes(ip.payload)
	if err != nil {
		return state.Offer{}, err
	}
	if m.OpCode != dhcpv4.OpcodeBootReply || m.TransactionID != d.TransactionID || !bytes.Equal(m.ClientHWAddr, d.ClientHWAddr) {
		return state.Offer{}, errors.New("for somebody else")
	}
	return readOffer(m)
}

// readOffer takes what RFC 2131 table 3 has in an OFFER.
func readOffer(m *dhcpv4.DHCPv4) (state.Offer, error) {
	if kind := m.Options.Get(dhcpv4.OptionDHCPMessageType); len(kind) != 1 || kind[0] != byte(dhcpv4.MessageTypeOffer) {
		return state.Offer{}, errors.New("not an offer")
	}
	o := state.Offer{Answered: true}
	address, err1 := host(m.YourIPAddr)
	server, err2 := hosts(m.Options.Get(dhcpv4.OptionServerIdentifier), 1)
	lease, err3 := seconds(m.Options.Get(dhcpv4.OptionIPAddressLeaseTime))
	if err := errors.Join(err1, err2, err3); err != nil {
		return state.Offer{}, err
	}
	o.Address, o.Server, o.Lease = address, server[0], lease
	// RFC 2132 has no others of these, but a server need not send them.
	var err error
	if mask, has := m.Options[dhcpv4.OptionSubnetMask.Code()]; has {
		if o.Prefix, err = maskBits(mask); err != nil {
			return state.Offer{}, err
		}
	}
	if list, has := m.Options[dhcpv4.OptionRouter.Code()]; has {
		if o.Routers, err = hosts(list, listLimit); err != nil {
			return state.Offer{}, err
		}
	}
	if list, has := m.Options[dhcpv4.OptionDomainNameServer.Code()]; has {
		if o.DNS, err = hosts(list, listLimit); err != nil {
			return state.Offer{}, err
		}
	}
	// Some servers end it as C does (RFC 2132 section 2).
	o.Domain = printable(strings.TrimRight(string(m.Options.Get(dhcpv4.OptionDomainName)), "\x00"))
	return o, nil
}

// host is the address of one host.
func host(b []byte) (string, error) {
	a, ok := netip.AddrFromSlice(b)
	if !ok || !a.Is4() || a.As4()[0] == 0 || a.As4()[0] >= 224 || a.IsLoopback() {
		return "", fmt.Errorf("%v is no address of a host", b)
	}
	return a.String(), nil
}

// hosts are addresses one after the other, at least one.
func hosts(b []byte, most int) ([]string, error) {
	if len(b) == 0 || len(b)%4 != 0 || len(b)/4 > most {
		return nil, fmt.Errorf("%d bytes are no list of addresses", len(b))
	}
	var out []string
	for ; len(b) > 0; b = b[4:] {
		a, err := host(b[:4])
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// maskBits is the number of bits of a mask that has no holes.
func maskBits(b []byte) (int, error) {
	if len(b) != 4 {
		return 0, fmt.Errorf("%d bytes are no mask", len(b))
	}
	mask := binary.BigEndian.Uint32(b)
	n := bits.LeadingZeros32(^mask)
	if n == 0 || mask<<n != 0 {
		return 0, fmt.Errorf("%v is no mask", b)
	}
	return n, nil
}

// seconds are how long a lease is.
func seconds(b []byte) (int64, error) {
	if len(b) != 4 || binary.BigEndian.Uint32(b) == 0 {
		return 0, fmt.Errorf("%v is no time of a lease", b)
	}
	return int64(binary.BigEndian.Uint32(b)), nil
}
