package nftables

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/router"
)

// portProbeSet is the set that is told of each packet that nbr verify is about to have
// arrive as if a remote host had sent it, by its source's address and port. No address_set
// has such a name.
func portProbeSet(f router.Family) string {
	return map[router.Family]string{router.IPv4: "port_probes", router.IPv6: "port_probes6"}[f]
}

// writePortProbes writes these sets. What is in them is forgotten by itself.
func writePortProbes(b *strings.Builder) {
	for i, f := range families {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "set %s {\n  type %s . inet_service\n  flags timeout\n  timeout 10s\n}\n", portProbeSet(f), addrType(f))
	}
}

// addrType is nft's name of a family's addresses.
func addrType(f router.Family) string {
	return map[router.Family]string{router.IPv4: "ipv4_addr", router.IPv6: "ipv6_addr"}[f]
}

// isPortProbe matches what is in a family's set. It stands where a packet is about to be
// logged, counted and dropped, and nowhere else: a host that guessed an address of the networks
// for documentation and its port within those seconds would be dropped all the same.
func isPortProbe(f router.Family) string {
	field := map[router.Family]string{router.IPv4: "ip", router.IPv6: "ip6"}[f]
	return fmt.Sprintf("meta l4proto { tcp, udp } %s saddr . th sport @%s", field, portProbeSet(f))
}

// portProbes leaves nbr's own probes to the policy of a base chain, without a log: they are
// no news. A rule that dropped them would hide from the probe that the policy does not.
func (c *chain) portProbes(by router.By) {
	for _, f := range families {
		c.add(by, "%s return", isPortProbe(f))
	}
}

// writeSet writes the sets of a set's addresses, one for each version of IP.
func writeSet(b *strings.Builder, r *router.Router, s *router.AddressSet) {
	for _, f := range families {
		elements := r.Elements(s, f)
		if len(elements) == 0 {
			continue
		}
		fmt.Fprintf(b, "\nset %s {\n  type %s\n  flags interval\n  comment %s\n  elements = {\n", s.SetName(f), addrType(f), quote(comment(blockLine(s))))
		for _, e := range elements {
			fmt.Fprintf(b, "    %s,\n", e)
		}
		b.WriteString("  }\n}\n")
	}
}
