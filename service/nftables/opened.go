package nftables

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// braced are interfaces of networks as an anonymous set.
func braced(ns ...*router.Network) string {
	var quoted []string
	for _, d := range router.Devices(ns) {
		quoted = append(quoted, fmt.Sprintf("%q", string(d)))
	}
	return "{ " + strings.Join(quoted, ", ") + " }"
}

// openedTable is the table of a program that opens ports.
//
// The nat chain is after the firewall's own, whose port forwards so come first. The filter chain is
// before the firewall's: it marks what one of the program's rules accepts, which ends the chain, and
// takes the mark from all else.
func openedTable(o *router.Opens) string {
	var ports []string
	for _, p := range o.Ports {
		ports = append(ports, p.String())
	}
	from, to := braced(o.External), braced(o.Networks...)
	// An IPv4 packet has to come by the router's own address, not by that of the host.
	families := []string{"ct status dnat meta nfproto ipv4"}
	if o.IPv6 {
		families = append(families, "meta nfproto ipv6")
	}
	var may strings.Builder
	for _, f := range families {
		fmt.Fprintf(&may, "    iifname %s oifname %s %s meta l4proto { tcp, udp } th dport { %s } meta mark set meta mark | %#x jump %s\n",
			from, to, f, strings.Join(ports, ", "), router.MappedMark, o.Passed)
	}
	return fmt.Sprintf(`table inet %[1]s {
  chain %[2]s {
  }

  chain %[3]s {
  }

  chain %[4]s {
  }

  chain nat_in {
    type nat hook prerouting priority dstnat + 5; policy accept;
    iifname %[5]s fib daddr type local meta l4proto { tcp, udp } th dport { %[7]s } jump %[3]s
  }

  chain forward {
    type filter hook forward priority filter - 5; policy accept;
%[9]s    meta mark set meta mark & %#[8]x
  }

  chain nat_out {
    type nat hook postrouting priority srcnat - 5; policy accept;
    iifname %[6]s oifname %[5]s meta l4proto { tcp, udp } jump %[4]s
  }
}
`, o.Table, o.Passed, o.Arrived, o.Left, from, to, strings.Join(ports, ", "), ^uint32(router.MappedMark), may.String())
}

// lowerOpened has the tables of programs that open ports made by their units.
//
// A module of NixOS for such a program has its table loaded with the firewall's rules, and each
// reload of these would empty it while the program goes on to list what it has opened
// (openwrt/packages#30506).
func lowerOpened(r *router.Router, m *nixgen.Module) {
	for _, o := range router.Claimed[router.Opens](r) {
		from := service.By(o.By)
		m.Set(from, nixgen.Apply("lib.mkForce", nixgen.Bool(false)), "networking", "nftables", "tables", o.Table, "enable")
		nft := func(name string, args ...nixgen.Expr) {
			m.Set(from, append(nixgen.Concat{nixgen.Var("pkgs.nftables"), nixgen.Str("/bin/nft ")}, args...),
				"systemd", "services", o.Unit, "serviceConfig", name)
		}
		head := "table inet " + o.Table
		nft("ExecStartPre", nixgen.Str("-f "), nixgen.Apply("pkgs.writeText", nixgen.Str(o.Table+".nft"), nixgen.Lines(head+"\ndelete "+head+"\n"+openedTable(o))))
		nft("ExecStopPost", nixgen.Str("destroy "+head))
	}
}

// checkOpened adds the checks of the fixed chains: what such programs may open at all.
func checkOpened(r *router.Router, p *verify.Plan) {
	for _, o := range router.Claimed[router.Opens](r) {
		name := "inet " + o.Table
		need := state.Need{Kind: state.NeedRuleset, Name: name, Text: openedTable(o)}
		want, hint := "the generated rules", "nft list table "+name
		p.Add(verify.Check{
			ID: o.Addr.String() + "/chains", Title: "what may be opened at all", From: o.From, Needs: []state.Need{need},
			Eval: func(st *state.State) verify.Verdict {
				if st.Tables != nil && !slices.Contains(st.Tables, name) {
					return verify.Missing(want, hint)
				}
				rs := st.Rulesets[name]
				if len(rs.Want) == 0 || rs.Of != "" && rs.Of != need.Hash() {
					return verify.NotSeen(want, hint)
				}
				got := slices.DeleteFunc(slices.Clone(rs.Got), func(line string) bool { return fills(o, line) })
				for _, line := range rs.Want {
					if !slices.Contains(got, line) {
						return verify.Judge(false, line, "missing", hint)
					}
				}
				for i, line := range got {
					if !slices.Contains(rs.Want, line) {
						return verify.Judge(false, "nothing more", line, hint)
					}
					if i < len(rs.Want) && line != rs.Want[i] {
						return verify.Judge(false, rs.Want[i], "another order: "+line, hint)
					}
				}
				if len(got) != len(rs.Want) {
					return verify.Judge(false, want, "some of them twice", hint)
				}
				return verify.Compare(want, want, hint)
			},
		})
	}
}

// fills tells whether a line of a listing is a rule of a chain that the program fills.
func fills(o *router.Opens, line string) bool {
	if !strings.HasPrefix(line, `{"rule":`) {
		return false
	}
	head, _, _ := strings.Cut(line, `"expr":`)
	return slices.ContainsFunc([]string{o.Passed, o.Arrived, o.Left}, func(chain string) bool { return strings.Contains(head, `"chain":"`+chain+`"`) })
}
