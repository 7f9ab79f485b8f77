package radvd

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/nbr-dev/nbr/verify/packet"
	"github.com/nbr-dev/nbr/verify/probe"
)

// advert is what a router advertises (RFC 4861 section 4.2). Times are in seconds.
type advert struct {
	Answered   bool     `json:"answered"`
	Lifetime   int64    `json:"lifetime,omitempty"` // 0: it is no default router
	Preference string   `json:"preference,omitempty"`
	Managed    bool     `json:"managed,omitempty"`
	Other      bool     `json:"other,omitempty"`
	MTU        int64    `json:"mtu,omitempty"`
	Prefixes   []prefix `json:"prefixes,omitempty"`
	DNS        []named  `json:"dns,omitempty"`
	Domains    []named  `json:"domains,omitempty"`
	PREF64     []named  `json:"pref64,omitempty"` // prefixes of NAT64
	Routes     []named  `json:"routes,omitempty"` // prefixes that the router leads to
}

// prefix is a Prefix Information option.
type prefix struct {
	Prefix     string `json:"prefix"`
	OnLink     bool   `json:"on_link,omitempty"`
	Autonomous bool   `json:"autonomous,omitempty"`
	Valid      int64  `json:"valid,omitempty"`
	Preferred  int64  `json:"preferred,omitempty"`
}

// named is a name server, a domain, a prefix of NAT64 or one that the router leads to.
type named struct {
	Name     string `json:"name"`
	Lifetime int64  `json:"lifetime,omitempty"` // 0: it is not to be used any longer
}

// neighbours are the routers that others on a link are.
type neighbours struct {
	Routers []neighbour `json:"routers"`
}

type neighbour struct {
	Address  string   `json:"address"` // link-local
	Lifetime int64    `json:"lifetime,omitempty"`
	Prefixes []string `json:"prefixes,omitempty"`
}

// advertised asks what this router tells hosts on a link, by the link's name: a host's Router
// Solicitation arrives there, and what this router sends is heard.
var advertised = &probe.Probe[string, advert]{Name: "radvd.advertised", Active: true, Look: askSelf}

// others asks which other routers advertise on a link, by the link's name: a Router
// Solicitation of this router is sent to them.
var others = &probe.Probe[string, neighbours]{Name: "radvd.others", Active: true, Look: askOthers}

// How long answers are waited for. A router may take half a second for one to a host with an
// address (RFC 4861 section 6.2.6, MAX_RA_DELAY_TIME), and three more for one to all hosts if
// it has just sent such a one (MIN_DELAY_BETWEEN_RAS).
const (
	toOne = 1500 * time.Millisecond
	toAll = 4 * time.Second
)

// only is of Router Advertisements.
var only = probe.Filter{EtherType: packet.EtherIPv6, Bytes: []probe.Byte{{Offset: 6, Value: packet.ICMPv6}, {Offset: 40, Value: typeAdvertisement}}}

// askSelf asks as a host with an address, which costs the other hosts nothing: the answer is to
// it alone. If none comes it asks as one without, whose answer goes to all: the kernel does not
// learn the MAC address of a host from its solicitation unless it forwards (ndisc_recv_rs of
// net/ipv6/ndisc.c), and then the first answer waits for ever.
func askSelf(ctx context.Context, h probe.Host, link string) (advert, error) {
	var out advert
	mac := packet.RandomMAC()
	for _, try := range []struct {
		from netip.Addr
		wait time.Duration
	}{{packet.LinkLocal(mac), toOne}, {netip.IPv6Unspecified(), toAll}} {
		answered, err := h.Exchange(ctx, probe.Exchange{
			Link: link, Only: only, Wait: try.wait,
			Frame: func(probe.Endpoint) ([]byte, error) { return solicitation(mac, try.from), nil },
			Answers: func(b []byte) bool {
				r, err := parse(b)
				if err == nil {
					out = r.advert
				}
				return err == nil
			},
		})
		if answered || err != nil {
			return out, err
		}
	}
	return advert{}, nil
}

// askOthers asks with this router's own address, so that the answers are to it alone. A router
// that answers to all hosts and has just done so is heard by the next look.
func askOthers(ctx context.Context, h probe.Host, link string) (neighbours, error) {
	seen := map[string]neighbour{}
	_, err := h.Exchange(ctx, probe.Exchange{
		Link: link, Only: only, Wait: toOne, Transmit: true,
		Frame: func(own probe.Endpoint) ([]byte, error) {
			i := slices.IndexFunc(own.Addrs, func(a netip.Addr) bool { return a.Is6() && a.IsLinkLocalUnicast() })
			if i < 0 {
				return nil, errors.New(link + " has no link-local address yet")
			}
			return solicitation(own.MAC, own.Addrs[i]), nil
		},
		Answers: func(b []byte) bool {
			r, err := parse(b)
			if err != nil {
				return false
			}
			n := neighbour{Address: r.from.String(), Lifetime: r.advert.Lifetime}
			for _, p := range r.advert.Prefixes {
				if p.Valid > 0 {
					n.Prefixes = append(n.Prefixes, p.Prefix)
				}
			}
			seen[n.Address] = n
			return len(seen) == mostRouters
		},
	})
	out := neighbours{Routers: []neighbour{}}
	for _, n := range seen {
		out.Routers = append(out.Routers, n)
	}
	slices.SortFunc(out.Routers, func(a, b neighbour) int { return cmp.Compare(a.Address, b.Address) })
	return out, err
}

// mostRouters is more than a link has.
const mostRouters = 16
