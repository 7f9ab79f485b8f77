package keepalived

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify/packet"
	"github.com/nbr-dev/nbr/verify/probe"
)

// listening is a question: which routers advertise a virtual router on a link, or its addresses by another number.
type listening struct {
	Link      string `json:"link"`
	Family    string `json:"family"`
	ID        int    `json:"id"`
	Addresses string `json:"addresses"` // with blanks between them
	Interval  int    `json:"interval"`  // of advertisements, in hundredths of a second
}

// heard are the routers that say that they have the addresses.
type heard struct {
	Masters []master `json:"masters"`
}

// A master is a router by its last advertisement (RFC 9568 section 5).
type master struct {
	Own       bool       `json:"own,omitempty"` // this router
	From      netip.Addr `json:"from"`
	Version   int        `json:"version"`
	ID        int        `json:"id"`
	Priority  int        `json:"priority"`
	Interval  int        `json:"interval"` // in hundredths of a second
	Addresses []string   `json:"addresses"`
}

// advertised listens on a link and sends nothing.
var advertised = &probe.Probe[listening, heard]{Name: "keepalived.advertised", Look: listen}

// window is for how long is listened: after three intervals and a skew of less than one a backup takes
// the addresses (RFC 9568 section 6.1).
func window(interval int) time.Duration {
	return time.Duration(interval)*3*10*time.Millisecond + time.Second
}

func listen(ctx context.Context, h probe.Host, q listening) (heard, error) {
	only := probe.Filter{EtherType: packet.EtherIPv4, Bytes: append([]probe.Byte{{Offset: 9, Value: uint8(router.VRRP)}}, probe.Bytes(16, groups[router.IPv4].AsSlice())...)}
	if q.Family == "ipv6" {
		only = probe.Filter{EtherType: packet.EtherIPv6, Bytes: append([]probe.Byte{{Offset: 6, Value: uint8(router.VRRP)}}, probe.Bytes(24, groups[router.IPv6].AsSlice())...)}
	}
	var own []netip.Addr
	var said speakers
	_, err := h.Exchange(ctx, probe.Exchange{
		Link: q.Link, Remote: true, Wait: window(q.Interval), Only: only,
		Frame: func(e probe.Endpoint) ([]byte, error) {
			own = e.Addrs
			return nil, nil // nothing is sent
		},
		Answers: func(b []byte) bool {
			if m, ok := parse(b); ok && (m.ID == q.ID || slices.ContainsFunc(strings.Fields(q.Addresses), func(a string) bool { return slices.Contains(m.Addresses, a) })) {
				m.Own = slices.Contains(own, m.From)
				said.add(m)
			}
			return false
		},
	})
	return heard{said.masters()}, err
}

// parse reads an advertisement, of version 3 or 2 (RFC 9568 section 5.1, RFC 3768 section 5.1).
func parse(b []byte) (master, bool) {
	p, err := packet.Parse(b)
	if err != nil || p.Protocol != uint8(router.VRRP) || len(p.Payload) < 8 {
		return master{}, false
	}
	m := master{From: p.Src, Version: int(p.Payload[0] >> 4), ID: int(p.Payload[1]), Priority: int(p.Payload[2]), Addresses: []string{}}
	switch p.Payload[0] {
	case 3<<4 | 1:
		m.Interval = int(binary.BigEndian.Uint16(p.Payload[4:]) & 0x0fff)
	case 2<<4 | 1:
		m.Interval = int(p.Payload[5]) * 100
	default:
		return master{}, false
	}
	size := p.Src.BitLen() / 8
	rest := p.Payload[8:]
	if len(rest) < int(p.Payload[3])*size {
		return master{}, false
	}
	for range p.Payload[3] {
		a, _ := netip.AddrFromSlice(rest[:size])
		m.Addresses, rest = append(m.Addresses, a.String()), rest[size:]
	}
	slices.Sort(m.Addresses)
	return m, true
}

// speakers are routers in the order in which they were first heard.
type speakers struct {
	list []speaker
	n    int // advertisements
}

type speaker struct {
	master
	first, last int // of its advertisements, among all
}

// add takes an advertisement. One of priority 0 says that the router gives the addresses away (RFC 9568
// section 5.2.4).
func (s *speakers) add(m master) {
	s.n++
	i := slices.IndexFunc(s.list, func(o speaker) bool { return o.From == m.From && o.ID == m.ID })
	switch {
	case m.Priority == 0 && i >= 0:
		s.list = slices.Delete(s.list, i, i+1)
	case m.Priority == 0:
	case i < 0:
		s.list = append(s.list, speaker{m, s.n, s.n})
	default:
		s.list[i].master, s.list[i].last = m, s.n
	}
}

// masters are the router that was heard last and those that went on beside it. One that has not been
// heard since is one from which it took the addresses.
func (s *speakers) masters() []master {
	out := []master{}
	if len(s.list) == 0 {
		return out
	}
	last := slices.MaxFunc(s.list, func(a, b speaker) int { return a.last - b.last })
	for _, o := range s.list {
		if o.last >= last.first {
			out = append(out, o.master)
		}
	}
	slices.SortFunc(out, func(a, b master) int { return a.From.Compare(b.From) })
	return out
}
