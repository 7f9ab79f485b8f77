package nftables

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify/packet"
	"github.com/nbr-dev/nbr/verify/probe"
)

// A remotePort is a port of the router as a remote host behind a link sees it.
type remotePort struct {
	Link     string
	Protocol router.IPProtocol // TCP, or UDP of a port for which canProbe
	Port     uint16
	Family   router.Family // IPv4 or IPv6
	// Mark is that of the flows of the uplink which the link belongs to: answers leave by its routes. The
	// text does not have it, as a link belongs to one uplink.
	Mark uint32
}

// MarshalText writes it as in "wan tcp/22" and "wan tcp/22 ipv6": states from before there were
// questions over IPv6 keep their meaning.
func (r remotePort) MarshalText() ([]byte, error) {
	text := fmt.Appendf(nil, "%s %s", r.Link, r.port())
	if r.Family == router.IPv6 {
		text = append(text, " ipv6"...)
	}
	return text, nil
}

func (r remotePort) port() string { return fmt.Sprintf("%s/%d", r.Protocol, r.Port) }

// canProbe tells whether a packet is known to which an open port answers. UDP itself does
// not answer: silence would say nothing.
func canProbe(protocol router.IPProtocol, port int) bool {
	return protocol == router.TCP || protocol == router.UDP && slices.Contains([]int{53, 123, 1900, 5351}, port)
}

// A reply is what became of a packet that arrived on a link as if a remote host had sent it.
// It was made by the router itself, and never transmitted on the link.
type reply struct {
	Answered bool   `json:"answered"`         // something was sent back
	Answer   string `json:"answer,omitempty"` // what
	// Leaves is another link, on which answers to remote hosts leave: silence says nothing.
	Leaves string `json:"leaves,omitempty"`
	// NoWay is why no answer to a remote host could leave on any link, so that nothing was sent.
	NoWay string `json:"no_way,omitempty"`
}

// replyOf probes a port.
var replyOf = &probe.Probe[remotePort, reply]{Name: "nftables.port", Active: true, Look: probePort}

// How long silence is waited for, and when the packet is sent once more. A closed port
// answers with silence, so on a healthy router the whole time is always waited for. Only
// this machine answers, from the kernel or what it has in memory, and a program gets more
// time from the host if it needs it. A gateway may take longer to say its MAC address.
const (
	silence, silenceRepeat = 600 * time.Millisecond, 200 * time.Millisecond
	gateway, gatewayRepeat = 2 * time.Second, 700 * time.Millisecond
)

// documentation are networks that no host is in (RFC 5737, RFC 9637 and RFC 3849). What the router
// answers goes no further than to a router that knows these. Those of IPv6 are within 2000::/3, to
// which a default route may be narrowed; the newer one is in fewer examples that became networks.
var documentation = map[router.Family][]netip.Prefix{
	router.IPv4: {netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("192.0.2.0/24")},
	router.IPv6: {netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("2001:db8::/32")},
}

// probePort has a remote host's packet arrive on a link, for an address of the router's ([probe.Host]),
// and waits for what leaves for that host on any link.
//
// Silence is an answer only if one could have been heard. A packet that finds no
// route, a link without a carrier or a gateway that does not say its MAC address is never
// sent: the first two are asked before, the last one after. An answer that waited for
// its neighbour has left an entry in the kernel's table, incomplete or failed, so
// then nothing is known. No entry at all, or one that failed before and still is, means that nothing
// was to be sent.
//
// A port that the router forwards is asked of the host behind it, which is sent the packet.
func probePort(ctx context.Context, h probe.Host, q remotePort) (reply, error) {
	if !canProbe(q.Protocol, int(q.Port)) {
		return reply{}, fmt.Errorf("no packet is known that %s answers", q.port())
	}
	remote, way, err := findRemote(ctx, h, q, documentation[q.Family])
	if noWay := new(probe.NoWay); errors.As(err, noWay) {
		return reply{NoWay: noWay.Error()}, nil
	} else if err != nil {
		return reply{}, err
	}
	k := newPortProbe(uint8(q.Protocol), remote, netip.AddrPortFrom(way.From, q.Port))
	text, err := k.packet()
	if err != nil {
		return reply{}, err
	}
	// The set knows the source, so that the look itself does not make the counters and the
	// log grow. A firewall that has no such set logs the packet.
	_, _ = h.Run(ctx, "nft", "add", "element", "inet", Table, portProbeSet(q.Family), fmt.Sprintf("{ %s . %d }", k.from.Addr(), k.from.Port()))
	var r reply
	exchange := probe.Exchange{
		Link: q.Link, Remote: true, Wait: silence, Repeat: silenceRepeat,
		To:    probe.Socket{Protocol: q.Protocol.String(), Addr: k.to},
		Only:  sentTo(k.from.Addr()),
		Frame: func(own probe.Endpoint) ([]byte, error) { return packet.Frame(own.MAC, packet.RandomMAC(), text), nil },
		Answers: func(b []byte) (ok bool) {
			r.Answer, ok = k.answer(b)
			return ok
		},
	}
	if r.Answered, err = h.Exchange(ctx, exchange); err != nil {
		return reply{}, err
	}
	lost := false
	if !r.Answered {
		before := way
		way, err = h.Way(ctx, q.Link, q.Mark, k.from.Addr())
		// What failed before and still is as it was tells of other packets.
		if err == nil && (way.Asked || way.Silent && !before.Silent) { // it may yet say its MAC address
			exchange.Wait, exchange.Repeat = gateway, gatewayRepeat
			if r.Answered, err = h.Exchange(ctx, exchange); err == nil && !r.Answered {
				way, err = h.Way(ctx, q.Link, q.Mark, k.from.Addr())
				lost = way.Asked || way.Silent
			}
		}
		if err != nil {
			return reply{}, err
		}
	}
	switch {
	case !r.Answered && way.Link != q.Link:
		// What comes in where its answers would not go out may have been dropped as spoofed
		// (RFC 3704), so silence says nothing of the port.
		return reply{Leaves: way.Link}, nil
	case lost:
		return reply{}, fmt.Errorf("%s, to which answers go, does not say its MAC address, so no answer could leave", way.Next)
	case r.Answer == "SYN-ACK":
		// Should that fail, the kernel gives up by itself after a minute.
		_, _ = h.Exchange(ctx, probe.Exchange{
			Link: q.Link, Remote: true, Only: exchange.Only, Answers: func([]byte) bool { return false },
			Frame: func(own probe.Endpoint) ([]byte, error) {
				return packet.Frame(own.MAC, packet.RandomMAC(), k.reset()), nil
			},
		})
	}
	return r, nil
}

// sentTo are packets to a host, by the destination address in their header.
func sentTo(a netip.Addr) probe.Filter {
	if a.Is6() {
		return probe.Filter{EtherType: packet.EtherIPv6, Bytes: probe.Bytes(24, a.AsSlice())}
	}
	return probe.Filter{EtherType: packet.EtherIPv4, Bytes: probe.Bytes(16, a.AsSlice())}
}

// findRemote finds an address for a remote host in one of some networks, with the way of the
// answers to it: one behind a gateway. If there is none, as on a line whose other end answers ARP
// for all addresses, one that is on a link will do. A NoWay is of networks to which there is none.
func findRemote(ctx context.Context, h probe.Host, q remotePort, networks []netip.Prefix) (netip.Addr, probe.Way, error) {
	var near netip.Addr
	var nearWay probe.Way
	var errs error
	for _, network := range networks {
		a, way, err := remoteIn(ctx, h, q, network)
		switch {
		case err != nil && !errors.As(err, new(probe.NoWay)):
			return a, way, err
		case err != nil:
			errs = errors.Join(errs, fmt.Errorf("to %s: %w", network, err))
		case way.Gateway || !way.ARP:
			return a, way, nil
		case !near.IsValid():
			near, nearWay = a, way
		}
	}
	if !near.IsValid() {
		return near, nearWay, probe.NoWay{Reason: fmt.Errorf("no way back to a remote host: %w", errs)}
	}
	return near, nearWay, nil
}

// remoteIn is a host of a network that is none of the router's own addresses, which may be of the
// network: a packet from oneself that comes in from outside is dropped before its port counts. It
// is one that no other probe is at this moment: answers are told apart by it, and the kernel
// counts ICMP errors by whom they are for (Documentation/networking/ip-sysctl, icmp_ratelimit and
// icmp/ratelimit).
func remoteIn(ctx context.Context, h probe.Host, q remotePort, network netip.Prefix) (netip.Addr, probe.Way, error) {
	for a := range hostsOf(network) {
		way, err := h.Way(ctx, q.Link, q.Mark, a)
		if err != nil || !way.Own {
			return a, way, err
		}
	}
	return netip.Addr{}, probe.Way{}, probe.NoWay{Reason: errors.New("all its addresses are this router's")}
}

// hostsOf are addresses of a network: from a random one on, all 254 that differ in the last byte.
func hostsOf(network netip.Prefix) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		raw, random := network.Addr().AsSlice(), make([]byte, network.Addr().BitLen()/8)
		_, _ = rand.Read(random) // which does not fail
		for i := network.Bits(); i < len(raw)*8; i++ {
			raw[i/8] |= random[i/8] & (0x80 >> (i % 8))
		}
		last := &raw[len(raw)-1]
		for range 254 {
			*last = 1 + *last%254
			a, _ := netip.AddrFromSlice(raw)
			if !yield(a) {
				return
			}
		}
	}
}

// newPortProbe is a packet from an ephemeral port (RFC 6335 section 6) of a host.
func newPortProbe(proto byte, from netip.Addr, to netip.AddrPort) portProbe {
	var b [8]byte
	_, _ = rand.Read(b[:]) // which does not fail
	return portProbe{
		proto: proto, from: netip.AddrPortFrom(from, binary.BigEndian.Uint16(b[:])|0xc000), to: to,
		seq: binary.BigEndian.Uint32(b[2:]), id: binary.BigEndian.Uint16(b[6:]),
	}
}
