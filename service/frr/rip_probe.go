package frr

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/verify/probe"
)

// ripAnswer is what ripd says of itself.
type ripAnswer struct {
	Running bool               `json:"running"`
	Links   map[string]ripLink `json:"links,omitempty"`
	Peers   []ripPeer          `json:"peers,omitempty"` // heard of in the last 180 seconds
}

// A ripLink is an interface that RIP is spoken on, or is not but told of.
type ripLink struct {
	Version  string `json:"version"` // that is sent and taken, as in 2
	KeyChain string `json:"key_chain,omitempty"`
	Passive  bool   `json:"passive,omitempty"`
}

// ripInfinity is the metric of a route that is gone, and kept for a while to be told (RFC 2453 section 3.8).
const ripInfinity = "16"

// A ripPeer is another router.
type ripPeer struct {
	Address netip.Addr `json:"address"`
	Bad     int        `json:"bad,omitempty"`    // packets since ripd runs that it has not taken, as of another password
	Routes  int        `json:"routes,omitempty"` // of the router's, that are from there
}

// ripStatus asks ripd for its interfaces and neighbours. There is no such answer in JSON.
var ripStatus = &probe.Probe[struct{}, ripAnswer]{Name: "frr.rip", Look: func(ctx context.Context, h probe.Host, _ struct{}) (ripAnswer, error) {
	text, running, err := ask(ctx, h, "ripd", "show ip rip status")
	if err != nil || !running {
		return ripAnswer{}, err
	}
	routes, _, err := ask(ctx, h, "ripd", "show ip rip")
	if err != nil {
		return ripAnswer{}, err
	}
	return parseRIP(text, routes), nil
}}

// parseRIP reads tables under their headlines, and the list of routes (show_ip_rip_status and
// show_ip_rip in ripd/ripd.c).
func parseRIP(text, routes string) ripAnswer {
	out := ripAnswer{Running: true, Links: map[string]ripLink{}}
	table := ""
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "    ") && len(words) > 0:
		case strings.HasPrefix(line, "  "):
			table = strings.TrimSpace(line)
			continue
		}
		switch {
		case len(words) == 0 || words[0] == "Interface" && len(words) > 1 || words[0] == "Gateway":
		case strings.HasPrefix(table, "Default version control:") && len(words) >= 3:
			l := out.Links[words[0]]
			if l.Version = words[1]; words[2] != words[1] {
				l.Version += ", and takes " + words[2]
			}
			if len(words) > 3 {
				l.KeyChain = words[3]
			}
			out.Links[words[0]] = l
		case table == "Passive Interface(s):":
			l := out.Links[words[0]]
			l.Passive = true
			out.Links[words[0]] = l
		case table == "Routing Information Sources:" && len(words) >= 3:
			if a, err := netip.ParseAddr(words[0]); err == nil {
				bad, _ := strconv.Atoi(words[1])
				out.Peers = append(out.Peers, ripPeer{Address: a, Bad: bad})
			}
		}
	}
	for line := range strings.Lines(routes) {
		words := strings.Fields(line) // code, network, next hop, metric, from
		for i := range out.Peers {
			if len(words) > 4 && words[4] == out.Peers[i].Address.String() && words[3] != ripInfinity {
				out.Peers[i].Routes++
			}
		}
	}
	slices.SortFunc(out.Peers, func(a, b ripPeer) int { return a.Address.Compare(b.Address) })
	return out
}
