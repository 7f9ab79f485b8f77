package nftables

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
)

// Flowtable is the ruleset of the offload: all devices of the networks, and one
// chain that hands established connections over.
func Flowtable(r *router.Router) string {
	var devs []string
	for _, n := range r.Networks {
		if r.InVRF(n.Device()) {
			continue // see offOffload
		}
		if d := `"` + string(arrives(n.Link.Target).LinkName()) + `"`; !slices.Contains(devs, d) {
			devs = append(devs, d)
		}
	}
	list := ""
	if len(devs) > 0 {
		list = "\n    devices = { " + strings.Join(devs, ", ") + " }"
	}
	var keep strings.Builder
	for _, m := range offOffload(r) {
		fmt.Fprintf(&keep, "    %s accept\n", m)
	}
	return fmt.Sprintf(`table inet %[1]s
delete table inet %[1]s
table inet %[1]s {
  flowtable fast {
    hook ingress priority filter%[2]s
  }

  chain forward {
    type filter hook forward priority filter + 1; policy accept;
%[3]s    meta l4proto { tcp, udp } ct state established flow add @fast
  }
}
`, flowTable, list, keep.String())
}

// arrives is the link on which the packets of another one are taken out of their way: of a PPP
// session, which is no device of a flowtable and comes and goes, that below it and below its
// VLAN (ppp_fill_forward_path in drivers/net/ppp/ppp_generic.c and nft_dev_path_info in
// net/netfilter/nft_flow_offload.c).
func arrives(l router.Link) router.Link {
	s := l.Spec()
	if s.Kind != "ppp" {
		return l
	}
	for _, l = range router.Below(s.Via.Target) {
		if l.Spec().Kind != "vlan" {
			break
		}
	}
	return l
}

// guard is the ruleset for as long as there is no other: nothing passes through the router,
// and in comes ssh from where the spec lets it, with what IPv6 needs for that (RFC 4890
// section 4.4.1). It has as few words as can be, since it must load where the rules do not.
func guard(f *Firewall, r *router.Router) string {
	var ssh strings.Builder
	for _, z := range r.Zones {
		for _, rule := range services(r, z, "ssh") {
			fmt.Fprintf(&ssh, "    %s accept\n", rule)
		}
	}
	return fmt.Sprintf(`table inet %[1]s
delete table inet %[1]s
table inet %[1]s {
  chain input {
    type filter hook input priority filter - 10; policy drop;
    iifname "lo" accept
    ct state vmap { established : accept, related : accept, invalid : drop }
    icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept
%[2]s    counter drop
  }

  chain forward {
    type filter hook forward priority filter - 10; policy drop;
    counter drop
  }
%[3]s}
`, guardTable, ssh.String(), guardedOutput(f, r))
}

// reloading is the ruleset that lets no new connection through while the rules are reloaded. The
// kernel lists the chains of the new table before those of the old one, the new ones decide
// nothing before the commit, and the old ones are gone after it: a packet that is between the
// two at that moment, because an interrupt came or other programs' chains are there, meets no
// rule (nf_hook_entries_grow of net/netfilter/core.c). If it was the first of a connection, all
// of that would be let through from then on. A reload that fails does not take this table away,
// so it forgets by itself what it is for.
var reloading = fmt.Sprintf(`table inet %[1]s
delete table inet %[1]s
table inet %[1]s {
  set reloading {
    type nf_proto
    flags timeout
    elements = { ipv4 timeout 10s, ipv6 timeout 10s }
  }

  chain decide {
    meta nfproto != @reloading accept
    ct state { established, related, untracked } accept
    counter drop
  }

  chain input {
    type filter hook input priority filter - 5; policy drop;
    iifname "lo" accept
    goto decide
  }

  chain forward {
    type filter hook forward priority filter - 5; policy drop;
    goto decide
  }
}
`, reloadTable)

// services are the matches of the sockets of a service that a zone may use.
func services(r *router.Router, z *router.Zone, service string) []string {
	var out []string
	if !slices.Contains(z.Allow.All(), router.ServiceName(service)) {
		return nil
	}
	for _, l := range r.ListeningIn(z, service) {
		// No socket of the router is in a VRF.
		ns := slices.DeleteFunc(r.NetworksOf(z), func(n *router.Network) bool { return !l.Serves(n) || r.InVRF(n.Device()) })
		if len(ns) > 0 {
			out = append(out, fmt.Sprintf("iifname %s %s dport %s", set(router.Devices(ns)), l.Protocol, l.Ports()))
		}
	}
	return out
}
