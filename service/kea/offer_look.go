//go:build !wasm

package kea

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"

	"github.com/nbr-dev/nbr/verify/packet"
	"github.com/nbr-dev/nbr/verify/probe"
)

// identity is its MAC address. The rest of one that has a beginning alone is that of no host.
func (c client) identity() (net.HardwareAddr, error) {
	mac := packet.RandomMAC()
	if c.MAC == "" {
		return mac, nil
	}
	digits := strings.ReplaceAll(c.MAC, ":", "")
	if full := hex.EncodeToString(mac); len(digits) >= 6 && len(digits) < len(full) {
		digits += full[len(digits):]
	}
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != 6 || raw[0]&1 != 0 || bytes.Equal(raw, make([]byte, 6)) {
		return nil, fmt.Errorf("%q is no MAC address of a client", c.MAC)
	}
	return raw, nil
}

// says adds the classes that it says, and what a switch does.
func (c client) says(d *dhcpv4.DHCPv4) {
	if c.Vendor != "" {
		d.UpdateOption(dhcpv4.OptClassIdentifier(string(c.Vendor)))
	}
	if c.User != "" {
		d.UpdateOption(dhcpv4.OptRFC3004UserClass([]string{string(c.User)}))
	}
	var relay []dhcpv4.Option
	if c.Circuit != "" {
		relay = append(relay, dhcpv4.OptGeneric(dhcpv4.AgentCircuitIDSubOption, []byte(c.Circuit)))
	}
	if c.Remote != "" {
		relay = append(relay, dhcpv4.OptGeneric(dhcpv4.AgentRemoteIDSubOption, []byte(c.Remote)))
	}
	if len(relay) > 0 {
		d.UpdateOption(dhcpv4.OptRelayAgentInfo(relay...))
	}
}

const (
	// offerTime is how long an answer may take. A daemon of this machine has it in
	// milliseconds.
	offerTime = 2 * time.Second
	// repeatAfter is when the question is asked once more.
	repeatAfter = 700 * time.Millisecond
)

// seekOffer has a client's DISCOVER arrive on a link. It is of no consequence: a
// server keeps nothing for a client that does not ask for what it offers (RFC 2131 section
// 3.1). The first OFFER counts, as for most clients. Answers of other machines do
// not: they come in, and only what leaves is heard.
func seekOffer(ctx context.Context, h probe.Host, c client) (offer, error) {
	mac, err := c.identity()
	if err != nil {
		return offer{}, err
	}
	d, err := discover(mac)
	if err != nil {
		return offer{}, err
	}
	c.says(d)
	if c.Arch != "" {
		n, err := strconv.ParseUint(c.Arch, 10, 16)
		if err != nil {
			return offer{}, fmt.Errorf("%q is no number of an architecture", c.Arch)
		}
		d.UpdateOption(dhcpv4.OptClientArch(iana.Arch(n)))
	}
	if c.Brief {
		d.UpdateOption(dhcpv4.OptParameterRequestList(usual...))
	}
	if c.V6Only {
		d.UpdateOption(dhcpv4.OptParameterRequestList(dhcpv4.OptionIPv6OnlyPreferred))
	}
	// A server sends no options of IPv4: its header has 20 bytes.
	only := []probe.Byte{{Offset: 0, Value: 0x45}, {Offset: 9, Value: packet.UDP}}
	to := byte(portDHCPClient)
	var relay netip.Addr
	if c.Relay != "" {
		if relay, err = netip.ParseAddr(c.Relay); err != nil || !relay.Is4() {
			return offer{}, fmt.Errorf("%q is no address of a relay", c.Relay)
		}
		to, d.GatewayIPAddr, d.HopCount = portDHCPServer, relay.AsSlice(), 1
	}
	only = append(only, probe.Bytes(20, []byte{0, portDHCPServer, 0, to})...)
	only = append(only, probe.Bytes(20+8+4, d.TransactionID[:])...)
	var out offer
	_, err = h.Exchange(ctx, probe.Exchange{
		Link: c.Link, Wait: offerTime, Repeat: repeatAfter, To: probe.Socket{Protocol: "packet"},
		Only: probe.Filter{EtherType: packet.EtherIPv4, Bytes: only},
		Frame: func(own probe.Endpoint) ([]byte, error) {
			if c.Relay != "" {
				return relayedFrame(c.Link, own, relay, d)
			}
			return discoverFrame(d), nil
		},
		Answers: func(b []byte) bool {
			o, err := parseOffer(d, b)
			if err == nil {
				out = o
			}
			return err == nil
		},
	})
	return out, err
}

// listLimit is more gateways or name servers than a network has.
const listLimit = 64

// discover is a DHCPDISCOVER of a client that has no address yet and takes an answer
// that is sent to all hosts.
func discover(mac net.HardwareAddr) (*dhcpv4.DHCPv4, error) {
	ask := slices.Clone(usual)
	for code := 1; code < 255; code++ {
		if other(code) {
			ask = append(ask, dhcpv4.GenericOptionCode(code))
		}
	}
	return dhcpv4.NewDiscovery(mac, dhcpv4.WithBroadcast(true), dhcpv4.WithRequestedOptions(ask...))
}

// usual are the options that each client asks for.
var usual = []dhcpv4.OptionCode{
	dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer, dhcpv4.OptionDomainName, dhcpv4.OptionIPAddressLeaseTime,
}

// discoverFrame is how it goes over Ethernet.
func discoverFrame(d *dhcpv4.DHCPv4) []byte {
	src := netip.AddrPortFrom(netip.IPv4Unspecified(), portDHCPClient)
	dst := netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), portDHCPServer)
	return packet.Frame(net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, d.ClientHWAddr, packet.Datagram(src, dst, d.ToBytes()))
}

// relayedFrame is how a relay hands it over, from its own address to the server's (RFC 1542 section
// 4.1.1).
func relayedFrame(link string, own probe.Endpoint, relay netip.Addr, d *dhcpv4.DHCPv4) ([]byte, error) {
	i := slices.IndexFunc(own.Addrs, netip.Addr.Is4)
	if i < 0 {
		return nil, errors.New(link + " has no IPv4 address")
	}
	p := packet.Datagram(netip.AddrPortFrom(relay, portDHCPServer), netip.AddrPortFrom(own.Addrs[i], portDHCPServer), d.ToBytes())
	return packet.Frame(own.MAC, d.ClientHWAddr, p), nil
}

// parseOffer reads an IPv4 packet that holds the answer to a DISCOVER. It takes an
// OFFER that a client could live with and nothing else: one that is half right must
// not look like one that lacks a gateway.
func parseOffer(d *dhcpv4.DHCPv4, b []byte) (offer, error) {
	ip, err := packet.Parse(b)
	if err != nil {
		return offer{}, err
	}
	src, dst, ok := ip.Ports()
	to := uint16(portDHCPClient)
	if !d.GatewayIPAddr.IsUnspecified() {
		to = portDHCPServer // to the relay
	}
	if !ok || ip.Protocol != packet.UDP || src.Port() != portDHCPServer || dst.Port() != to {
		return offer{}, errors.New("not DHCP")
	}
	if n := int(binary.BigEndian.Uint16(ip.Payload[4:])); n < 8 || n > len(ip.Payload) {
		return offer{}, errors.New("false length")
	} else {
		ip.Payload = ip.Payload[8:n]
	}
	m, err := dhcpv4.FromBytes(ip.Payload)
	if err != nil {
		return offer{}, err
	}
	if m.OpCode != dhcpv4.OpcodeBootReply || m.TransactionID != d.TransactionID || !bytes.Equal(m.ClientHWAddr, d.ClientHWAddr) {
		return offer{}, errors.New("for another client")
	}
	return readOffer(m)
}

// readOffer takes what RFC 2131 table 3 has in an OFFER.
func readOffer(m *dhcpv4.DHCPv4) (offer, error) {
	if kind := m.Options.Get(dhcpv4.OptionDHCPMessageType); len(kind) != 1 || kind[0] != byte(dhcpv4.MessageTypeOffer) {
		return offer{}, errors.New("not an offer")
	}
	o := offer{Answered: true}
	address, err1 := host(m.YourIPAddr)
	none, ok := netip.AddrFromSlice(m.YourIPAddr.To4())
	if wait, has := m.Options[codeV6Only]; has && ok && none.IsUnspecified() && len(wait) == 4 {
		return offer{Answered: true, Options: map[string]string{"108": hex.EncodeToString(wait)}}, nil // no lease
	}
	server, err2 := hosts(m.Options.Get(dhcpv4.OptionServerIdentifier), 1)
	lease, err3 := seconds(m.Options.Get(dhcpv4.OptionIPAddressLeaseTime))
	if err := errors.Join(err1, err2, err3); err != nil {
		return offer{}, err
	}
	o.Address, o.Server, o.Lease = address, server[0], lease
	// RFC 2132 has no others of these, but a server need not send them.
	var err error
	if mask, has := m.Options[dhcpv4.OptionSubnetMask.Code()]; has {
		if o.Prefix, err = maskBits(mask); err != nil {
			return offer{}, err
		}
	}
	if list, has := m.Options[dhcpv4.OptionRouter.Code()]; has {
		if o.Routers, err = hosts(list, listLimit); err != nil {
			return offer{}, err
		}
	}
	if list, has := m.Options[dhcpv4.OptionDomainNameServer.Code()]; has {
		if o.DNS, err = hosts(list, listLimit); err != nil {
			return offer{}, err
		}
	}
	for code, value := range m.Options {
		if other(int(code)) || code == codeV6Only {
			if o.Options == nil {
				o.Options = map[string]string{}
			}
			o.Options[strconv.Itoa(int(code))] = hex.EncodeToString(value)
		}
	}
	if next, ok := netip.AddrFromSlice(m.ServerIPAddr.To4()); ok && !next.IsUnspecified() {
		o.NextServer = next.String()
	}
	o.BootFile = probe.Printable(m.BootFileName)
	// Some servers end it as C does (RFC 2132 section 2).
	o.Domain = probe.Printable(strings.TrimRight(string(m.Options.Get(dhcpv4.OptionDomainName)), "\x00"))
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
