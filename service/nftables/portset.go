package nftables

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/router"
)

// portProbeSet is the set that is told of each packet that nbr verify is about to have
// arrive as if a remote host had sent it, by its source's address and port.
const portProbeSet = "port_probes"

// portProbes is that set. What is in it is forgotten by itself.
const portProbes = "set " + portProbeSet + ` {
  type ipv4_addr . inet_service
  flags timeout
  timeout 10s
}
`

// isPortProbe matches what is in the set. It stands where a packet is about to be logged,
// counted and dropped, and nowhere else: a host that guessed an address of the networks for
// documentation and its port within those seconds would be dropped all the same.
const isPortProbe = "meta l4proto { tcp, udp } ip saddr . th sport @" + portProbeSet

// portProbes leaves nbr's own probes to the policy of a base chain, without a log: they are
// no news. A rule that dropped them would hide from the probe that the policy does not.
func (c *chain) portProbes(f *Firewall) { c.add(blockLine(f), "%s return", isPortProbe) }

// writeSet writes the sets of a set's addresses, one for each version of IP.
func writeSet(b *strings.Builder, r *router.Router, s *router.AddressSet) {
	for _, f := range families {
		elements := r.Elements(s, f)
		if len(elements) == 0 {
			continue
		}
		typ := map[router.Family]string{router.IPv4: "ipv4_addr", router.IPv6: "ipv6_addr"}[f]
		fmt.Fprintf(b, "\nset %s {\n  type %s\n  flags interval\n  comment %s\n  elements = {\n", s.SetName(f), typ, quote(comment(blockLine(s))))
		for _, e := range elements {
			fmt.Fprintf(b, "    %s,\n", e)
		}
		b.WriteString("  }\n}\n")
	}
}
