//go:build !wasm

package kea

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/iana"

	"github.com/nbr-dev/nbr/verify/packet"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Ports of DHCPv6 and the group of its servers (RFC 8415 section 7).
const (
	portClient6 = 546
	portServer6 = 547
)

var (
	servers6    = netip.MustParseAddr("ff02::1:2")
	servers6MAC = net.HardwareAddr{0x33, 0x33, 0, 1, 0, 2}
)

// seekAdvice has a client's question arrive on a link, of which a server keeps nothing before a
// REQUEST (RFC 8415 section 18.3.1). Its answer is to the client alone: so that the kernel knows
// the client's MAC address, it asks for the router's first, as each neighbour does.
func seekAdvice(ctx context.Context, h probe.Host, c client6) (advice, error) {
	mac := packet.RandomMAC()
	if c.MAC != "" {
		var err error
		if mac, err = net.ParseMAC(c.MAC); err != nil || len(mac) != 6 || mac[0]&1 != 0 {
			return advice{}, fmt.Errorf("%q is no MAC address of a client", c.MAC)
		}
	}
	var id dhcpv6.DUID = &dhcpv6.DUIDLL{HWType: iana.HWTypeEthernet, LinkLayerAddr: mac}
	if c.DUID != "" {
		raw, err := hex.DecodeString(strings.ReplaceAll(c.DUID, ":", ""))
		if err == nil {
			id, err = dhcpv6.DUIDFromBytes(raw)
		}
		if err != nil {
			return advice{}, fmt.Errorf("%q is no DUID of a client", c.DUID)
		}
	}
	own := packet.LinkLocal(mac)
	if err := introduce(ctx, h, c.Link, mac, own); err != nil {
		return advice{}, err
	}
	ask, err := questionOf(mac, id, c.Stateless)
	if err != nil {
		return advice{}, err
	}
	only := []probe.Byte{{Offset: 6, Value: packet.UDP}}
	only = append(only, probe.Bytes(40, []byte{portServer6 >> 8, portServer6 & 0xff, portClient6 >> 8, portClient6 & 0xff})...)
	only = append(only, probe.Bytes(40+8+1, ask.TransactionID[:])...)
	var out advice
	_, err = h.Exchange(ctx, probe.Exchange{
		Link: c.Link, Wait: offerTime, Repeat: repeatAfter,
		To:   probe.Socket{Protocol: "udp", Addr: netip.AddrPortFrom(servers6, portServer6)},
		Only: probe.Filter{EtherType: packet.EtherIPv6, Bytes: only},
		Frame: func(probe.Endpoint) ([]byte, error) {
			p := packet.Datagram(netip.AddrPortFrom(own, portClient6), netip.AddrPortFrom(servers6, portServer6), ask.ToBytes())
			return packet.Frame(servers6MAC, mac, p), nil
		},
		Answers: func(b []byte) bool {
			a, err := parseAdvice(ask, b)
			if err == nil {
				out = a
			}
			return err == nil
		},
	})
	return out, err
}

// introduce has a client's Neighbor Solicitation for the router's address arrive (RFC 4861
// section 4.3), which brings its own MAC address.
func introduce(ctx context.Context, h probe.Host, link string, mac net.HardwareAddr, from netip.Addr) error {
	answered, err := h.Exchange(ctx, probe.Exchange{
		Link: link, Wait: offerTime, Repeat: repeatAfter,
		Only: probe.Filter{EtherType: packet.EtherIPv6, Bytes: append(probe.Bytes(24, from.AsSlice()),
			probe.Byte{Offset: 6, Value: packet.ICMPv6}, probe.Byte{Offset: 40, Value: neighborAdvertisement})},
		Frame: func(own probe.Endpoint) ([]byte, error) {
			i := slices.IndexFunc(own.Addrs, func(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalUnicast() })
			if i < 0 {
				return nil, errors.New(link + " has no link-local address yet")
			}
			m := append([]byte{neighborSolicitation, 0, 0, 0, 0, 0, 0, 0}, own.Addrs[i].AsSlice()...)
			m = append(append(m, 1, 1), mac...) // the source's link-layer address
			return packet.Frame(own.MAC, mac, packet.IPv6(from, own.Addrs[i], packet.ICMPv6, m)), nil
		},
		Answers: func([]byte) bool { return true },
	})
	if err == nil && !answered {
		err = errors.New("the kernel does not tell a neighbour on " + link + " its MAC address")
	}
	return err
}

// Types of neighbour discovery (RFC 4861 section 4).
const (
	neighborSolicitation  = 135
	neighborAdvertisement = 136
)

// questionOf asks for an address, a prefix, name servers and domains, or for the last two.
func questionOf(mac net.HardwareAddr, id dhcpv6.DUID, stateless bool) (*dhcpv6.Message, error) {
	rest := dhcpv6.WithRequestedOptions(dhcpv6.OptionDNSRecursiveNameServer, dhcpv6.OptionDomainSearchList)
	if stateless {
		m, err := dhcpv6.NewMessage(dhcpv6.WithClientID(id), rest)
		if err == nil {
			m.MessageType = dhcpv6.MessageTypeInformationRequest
			m.AddOption(dhcpv6.OptElapsedTime(0))
		}
		return m, err
	}
	iaid := [4]byte(mac[2:])
	return dhcpv6.NewSolicit(mac, dhcpv6.WithClientID(id), dhcpv6.WithIAID(iaid), dhcpv6.WithIAPD(iaid), rest)
}

// parseAdvice reads an IPv6 packet that holds the answer to a question: an ADVERTISE, or the REPLY
// to who has asked for no address. One without a free address is an answer.
func parseAdvice(ask *dhcpv6.Message, b []byte) (advice, error) {
	ip, err := packet.Parse(b)
	if err != nil {
		return advice{}, err
	}
	src, dst, ok := ip.Ports()
	if !ok || ip.Protocol != packet.UDP || src.Port() != portServer6 || dst.Port() != portClient6 {
		return advice{}, errors.New("not DHCPv6")
	}
	d, err := dhcpv6.FromBytes(ip.Payload[8:])
	if err != nil {
		return advice{}, err
	}
	want := dhcpv6.MessageTypeAdvertise
	if ask.MessageType == dhcpv6.MessageTypeInformationRequest {
		want = dhcpv6.MessageTypeReply
	}
	m, ok := d.(*dhcpv6.Message)
	if !ok || m.MessageType != want || m.TransactionID != ask.TransactionID || m.Options.ServerID() == nil {
		return advice{}, fmt.Errorf("no %s", want)
	}
	if c := m.Options.ClientID(); c == nil || !bytes.Equal(c.ToBytes(), ask.Options.ClientID().ToBytes()) {
		return advice{}, errors.New("for another client")
	}
	return readAdvice(m)
}

// readAdvice takes what a client could live with: what has no time or is no address of a host
// makes the whole of it void.
func readAdvice(m *dhcpv6.Message) (advice, error) {
	a := advice{Answered: true}
	last := func(preferred, valid time.Duration) error {
		p, v := int64(preferred/time.Second), int64(valid/time.Second)
		if v == 0 || p > v {
			return fmt.Errorf("preferred for %d s and valid for %d s", p, v)
		}
		if a.Valid == 0 || v < a.Valid {
			a.Valid = v
		}
		if a.Preferred == 0 || p < a.Preferred {
			a.Preferred = p
		}
		return nil
	}
	for _, ia := range m.Options.IANA() {
		for _, x := range ia.Options.Addresses() {
			addr, ok := netip.AddrFromSlice(x.IPv6Addr)
			if !ok || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLoopback() {
				return advice{}, fmt.Errorf("%v is no address of a host", x.IPv6Addr)
			}
			if err := last(x.PreferredLifetime, x.ValidLifetime); err != nil {
				return advice{}, err
			}
			a.Addresses = append(a.Addresses, addr.String())
		}
	}
	for _, ia := range m.Options.IAPD() {
		for _, x := range ia.Options.Prefixes() {
			if x.Prefix == nil {
				return advice{}, errors.New("a prefix without a length")
			}
			addr, _ := netip.AddrFromSlice(x.Prefix.IP)
			bits, _ := x.Prefix.Mask.Size()
			if err := last(x.PreferredLifetime, x.ValidLifetime); err != nil {
				return advice{}, err
			}
			a.Prefixes = append(a.Prefixes, netip.PrefixFrom(addr, bits).String())
		}
	}
	for _, s := range m.Options.DNS() {
		addr, ok := netip.AddrFromSlice(s)
		if !ok {
			return advice{}, fmt.Errorf("%v is no name server", s)
		}
		a.DNS = append(a.DNS, addr.String())
	}
	if list := m.Options.DomainSearchList(); list != nil {
		for _, l := range list.Labels {
			a.Domains = append(a.Domains, probe.Printable(l))
		}
	}
	return a, nil
}
