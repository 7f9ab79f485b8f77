package router

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Rule is something that the router as a whole must keep and that no single
// block can see. It looks at sound blocks only.
type Rule struct {
	Code  string // of the diagnostics it gives
	Doc   string
	Check func(*Router) hcl.Diagnostics
	// Absent are the types of blocks of which the rule concludes something because one is
	// not there: see [diag.Absent].
	Absent []string
}

// Rules are all of them, in the order in which they are applied.
func Rules() []Rule {
	return []Rule{
		{"no-router", "A spec has one router block.", ruleRouter, nil},
		{"no-pin-yet", "A release is chosen that nbr has no revision of.", ruleRelease, []string{"input"}},
		{"interface-name-clash", "Two links have the same name.", ruleNames, nil},
		{"reserved-name", "A name means something else to the programs that get it.", ruleReserved, nil},
		{"port-name-of-linux", "A port is to have a name that Linux may give to another one.", rulePortNames, nil},
		{"port-not-said", "It is not said which port a name is for.", ruleUnsaidPorts, nil},
		{"port-counted", "A port is known by a number that may be another one's tomorrow.", ruleCountedPorts, nil},
		{"port-twice", "Two names are for one port.", ruleSamePort, nil},
		{"cloned-mac", "A port is to have a MAC address that it cannot have, or that another one is known by.", ruleClonedMACs, nil},
		{"port-speed", "A port is to have a speed that it has not, or its two ends would have none in common.", rulePortSpeeds, nil},
		{"vrf-table", "A routing table belongs to two VRFs, or a route or a rule to two tables.", ruleVRFTables, nil},
		{"vrf-network", "A network of a VRF has what is of the main table only.", ruleVRFNetworks, nil},
		{"vrf-policy", "A policy lets packets pass that no route leads to its other side.", ruleVRFPolicies, nil},
		{"vrf-service", "A program of the router is to be reached from a VRF.", ruleVRFServices, nil},
		{"coalesce-adaptive", "A driver is told a number that it is to choose itself.", ruleCoalesce, nil},
		{"state-version-too-new", "The router was installed with a release that came out after the one it is built with.", ruleStateVersion, nil},
		{"link-loop", "A link is on top of itself.", ruleLoops, nil},
		{"port-in-two-bridges", "A link is a port of two others.", ruleMasters, nil},
		{"not-a-port", "A link is below one that cannot be on it.", rulePorts, nil},
		{"link-peer", "Two ends of a pair of links do not name each other, or carry packets of different lengths.", rulePeers, nil},
		{"address-on-bridge-port", "A network is on a link that belongs to a bridge or a bond.", ruleBridgePorts, nil},
		{"not-a-user-port", "The conduit of a switch is used as a port.", ruleConduit, nil},
		{"bridge-without-ports", "A bridge joins nothing.", ruleIdleBridges, []string{diag.AnyBlock}},
		{"vlan-twice", "Two VLANs on one link have the same identifier.", ruleVLANs, nil},
		{"bridge-vlans", "What a bridge is told of the VLANs of its ports contradicts itself.", ruleBridgeVLANs, nil},
		{"bridge-pvid", "It is not said in which VLAN frames without a tag are.", ruleBridgePVIDs, nil},
		{"vlan-leads-nowhere", "A VLAN of a bridge has one end only.", ruleVLANEnds, []string{"vlan", "network"}},
		{"mtu-too-large", "A link is to carry larger packets than the link below it, or smaller ones than its kind can.", ruleMTU, []string{"port"}},
		{"network-without-address", "The router has no address in a network.", ruleAddresses, []string{"bgp"}},
		{"special-network", "A network has addresses that are no network's.", ruleSpecial, nil},
		{"address-of-no-host", "A host is to have the address of a network, or its broadcast address.", ruleNoHosts, nil},
		{"special-domain", "A network's domain means something else to hosts.", ruleDomains, nil},
		{"ppp-address", "A network and the PPP session that it is on do not fit.", rulePPP, nil},
		{"dynamic-twice", "Two networks get the same addresses of one link.", ruleDynamic, nil},
		{"subnet-outside-prefix", "A network is not in the prefix that it is of, or two are the same.", rulePrefixes, nil},
		{"prefix-unused", "No network is in a delegated prefix, and no addresses are translated to it.", ruleUnusedPrefixes, []string{"network", "prefix_nat"}},
		{"overlapping-networks", "Two networks hold the same addresses.", ruleOverlap, nil},
		{"host-outside-network", "A host has an address that its network has not.", ruleHosts, nil},
		{"host-twice", "Two hosts have the same address or name.", ruleHostsTwice, nil},
		{"gateway-outside", "A gateway is not in its network.", ruleGateways, nil},
		{"route-twice", "Two routes lead to the same destination.", ruleRoutes, nil},
		{"route-takes-network", "A route takes packets away from a network or a host.", ruleDestinations, nil},
		{"routing-table", "A routing table has routes that no rule asks for, or a rule asks for one that has none.", ruleTables, []string{"route", "rule"}},
		{"routing-rule", "A routing rule is for no packet, does not say what becomes of them, or another one is asked at the same time.", ruleRoutingRules, nil},
		{"endpoint-in-tunnel", "The packets of a tunnel would go into the tunnel.", ruleEndpoints, []string{"network", "route"}},
		{"next-hop-outside", "A route's next hop is in none of the networks.", ruleNextHops, []string{"network"}},
		{"network-in-two-zones", "A network is in two zones.", ruleZones, nil},
		{"network-without-zone", "A network is in no zone, so nothing may pass.", ruleZoneless, []string{"zone"}},
		{"host-without-zone", "A policy is about a host that no rule could be about.", ruleHostEndpoints, []string{"zone"}},
		{"set-empty", "A set has no members, or some of them twice.", ruleSets, nil},
		{"no-common-family", "What a policy or a port forward is about has no address of the right version of IP, or of the right zone.", ruleFamilies, nil},
		{"end-in-zone", "A host or a set is an end of a policy beside the zone that it is in.", ruleEndsInZones, nil},
		{"service-name-taken", "The name of a service is another one's, or its ports overlap.", ruleServices, nil},
		{"no-such-service", "A policy names a service that is none.", rulePolicyServices, []string{"service"}},
		{"services-and-ports", "A policy is about services, and about ports beside them.", ruleServicesAndPorts, nil},
		{"service-unused", "No zone and no policy names a service.", ruleUnusedServices, []string{"zone", "policy"}},
		{"ports-of-icmp", "The ports of a policy are for a protocol without ports.", rulePolicyPorts, nil},
		{"limit-of-nothing", "A policy limits what it does not let pass, or is about no packet of its version of IP.", rulePolicyLimits, nil},
		{"schedule-window", "A schedule is always or has no length, its time zone is not said, or too many policies and port forwards have one.", ruleSchedules, nil},
		{"policy-to-itself", "A policy is for packets that do not pass the router.", ruleSelf, []string{"route", "port_forward", "bgp", "ospf", "rip"}},
		{"nat-of-nothing", "Packets without IPv4 are to get other addresses.", ruleIPv4Only, nil},
		{"policy-to-router", "A policy is for what is sent to the router itself.", rulePolicyToRouter, nil},
		{"own-policy-idle", "A policy lets the router itself send what it may send anyway.", ruleOwnIdle, []string{"policy"}},
		{"own-service-closed", "Policies keep in what a service of the router has to send.", ruleOwnServices, []string{diag.AnyBlock}},
		{"unreachable-policy", "A policy can never match.", ruleShadowed, nil},
		{"masquerade-without-upstream", "A policy masquerades towards no upstream.", ruleMasquerade, []string{"network"}},
		{"no-default-route", "A policy masquerades, and no route leads to the Internet.", ruleDefaultRoute, []string{"network", "route"}},
		{"nat64-relay", "A translator lets packets go where the hosts that they come from may not.", ruleNAT64, nil},
		{"nat64-uplink", "No host may use a translator, or its packets go nowhere.", ruleNAT64Ways, []string{"network", "zone", "policy"}},
		{"forward-clash", "Two port forwards have the same port, or one leads to the router itself.", ruleForwards, nil},
		{"forward-outside", "A port forward leads to no network of the router.", ruleForwardNetworks, []string{"network"}},
		{"static-nat-address", "A host is to have an address outside that is none for it, or that another one has.", ruleStaticNAT, nil},
		{"prefix-nat", "A prefix is to be another one outside that it cannot be.", rulePrefixNAT, nil},
		{"listen-clash", "Two programs listen on the same socket.", ruleListens, nil},
		{"nothing-listens", "A zone allows a service that the router does not have there.", ruleAllowed, []string{diag.AnyBlock}},
		{"forward-takes-service", "A port forward takes a port that the router itself answers on.", ruleForwardedServices, nil},
		{"not-allowed", "A service is for a network whose zone does not allow it.", ruleServed, []string{diag.AnyBlock}},
		{"sysctl-clash", "Two blocks want different values of a kernel parameter.", ruleSysctls, nil},
		{"no-such-file", "A file that the spec imports is not there.", ruleImports, nil},
		{"secret-without-path", "A secret does not say where it is.", ruleSecrets, nil},
		{"secret-of-two-kinds", "One secret is for two things.", ruleSecretUses, nil},
		{"asks-itself", "The router is to ask itself for names, and does not resolve any.", ruleAsksItself, []string{"resolver"}},
		{"no-name-servers", "The router has no server to ask for names, or is told to ask others than itself.", ruleNameServers, []string{diag.AnyBlock}},
		{"out-of-reach", "No route leads to a server, or to the end of a tunnel.", ruleReach, []string{diag.AnyBlock}},
		{"lock-out", "The router could not be reached over the network.", ruleLockOut, []string{diag.AnyBlock}},
	}
}

// Judge applies the rules.
func (r *Router) Judge() hcl.Diagnostics {
	if r.System == nil {
		return ruleRouter(r) // nothing else can be judged
	}
	var diags hcl.Diagnostics
	for _, rule := range Rules() {
		diags = append(diags, diag.AllAbsent(rule.Check(r), rule.Absent...)...)
	}
	return diags
}

func one(d *hcl.Diagnostic) hcl.Diagnostics { return hcl.Diagnostics{d} }

func ruleRouter(r *Router) hcl.Diagnostics {
	if r.System != nil {
		return nil
	}
	return one(diag.Help(diag.Error("no-router", hcl.Range{}, "No router block",
		"A spec says what the machine is: router \"name\" { board = …, memory = …, state_version = … }."),
		"`nbr init` writes a first one."))
}

func ruleAddresses(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range r.Networks {
		enough := slices.ContainsFunc(Claimed[LinkLocal](r), func(l *LinkLocal) bool { return l.Network == n })
		if len(n.Addresses()) == 0 && !enough {
			diags = append(diags, diag.Help(diag.Error("network-without-address", n.Def, "Network without an address",
				"%s has neither ipv4 nor ipv6.", n.Addr),
				"Give the router an address there, or remove the network. Only a neighbor of bgp without an address needs none."))
		}
	}
	return diags
}

// A fixed is an address block of a network.
type fixed struct {
	p  netip.Prefix
	at hcl.Range
	n  *Network
}

// fixed are the blocks that are known before the router runs. What comes later is compared
// with them by nbr verify, when it is there.
func (r *Router) fixed() []fixed { return r.lookUp().fixed }

// ruleOverlap sorts the blocks by their first address; a block that overlaps an
// earlier one then overlaps the one that reaches furthest so far.
func ruleOverlap(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	all := slices.Clone(r.fixed())
	slices.SortStableFunc(all, func(a, b fixed) int {
		return a.p.Masked().Addr().Compare(b.p.Masked().Addr())
	})
	for i := 1; i < len(all); i++ {
		prev, cur := all[i-1], all[i]
		if prev.p.Overlaps(cur.p) {
			a, b := prev, cur
			if later(a.at, b.at) {
				a, b = b, a
			}
			diags = append(diags, diag.With(diag.Help(diag.Error("overlapping-networks", b.at, "Networks overlap",
				"%s and %s hold the same addresses, so the router could not tell where to send a packet.", a.p.Masked(), b.p.Masked()),
				"Give one of them other addresses, or both a longer prefix length."),
				a.at, "%s", a.n.Addr.String()))
			if Broadcast(prev.p).Compare(Broadcast(cur.p)) > 0 {
				all[i] = prev // the longer reach is what the next one may overlap
			}
		}
	}
	return diags
}

func later(a, b hcl.Range) bool {
	return cmp.Or(cmp.Compare(a.Filename, b.Filename), cmp.Compare(a.Start.Byte, b.Start.Byte)) > 0
}

func ruleGateways(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range r.Networks {
		diags = append(diags, gateway(n, n.Gateway, n.IPv4.V.How, "ipv4")...)
		if !n.Gateway6.V.IsLinkLocalUnicast() {
			diags = append(diags, gateway(n, n.Gateway6, n.IPv6.V.How, "ipv6")...)
		}
	}
	return append(diags, twoGateways(r)...)
}

// twoGateways finds default routes of one version of IP and no metric: those of gateways, and
// those of PPP sessions, to which any address does.
func twoGateways(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, v := range []struct {
		of Family
		to string
		at func(*Network) (hcl.Range, string)
	}{
		{IPv4, "0.0.0.0/0", func(n *Network) (hcl.Range, string) {
			if n.ByPPP() {
				return n.IPv4.Range, ""
			}
			return n.Gateway.Range, n.Gateway.V.String()
		}},
		{IPv6, "::/0", func(n *Network) (hcl.Range, string) { return n.Gateway6.Range, n.Gateway6.V.String() }},
	} {
		var first *Network
		for _, n := range r.Networks {
			at, via := v.at(n)
			if at == (hcl.Range{}) || r.UplinkOf(n) != nil {
				continue
			}
			if first == nil {
				first = n
				continue
			}
			help := "Keep one of the two."
			if via != "" {
				help += fmt.Sprintf(" For a second way out write a route block with a metric: to = %q, via = %q.", v.to, via)
			}
			help += " To use the one while the other does not work, write an uplink block for each."
			before, _ := v.at(first)
			diags = append(diags, diag.With(diag.Help(diag.Error("two-gateways", at, "Two default gateways",
				"%s already has the %s default gateway.", first.Addr, v.of), "%s", help), before, "%s", first.Addr.String()))
		}
	}
	return diags
}

func gateway(n *Network, g conf.Value[Addr], a Address, attr string) hcl.Diagnostics {
	if !g.Set {
		return nil
	}
	switch a := a.(type) {
	case Fixed:
		switch {
		case !a.Contains(g.V.Addr):
			return one(diag.Help(diag.Error("gateway-outside", g.Range, "Gateway outside its network", "%s is not in %s.", g.V, a.Masked()),
				"Write the address that the next router has in %s, or correct the network's prefix length.", a.Masked()))
		case a.Addr() == g.V.Addr:
			return one(diag.Help(diag.Error("gateway-outside", g.Range, "Gateway is the router itself",
				"%s is this router's own address.", g.V),
				"Write the address of the next router: the provider says it."))
		}
		return nil
	case ByDHCP, ByPPP, ByAdvertisement, ByDHCPv6, Delegated:
		return one(diag.Help(diag.Error("gateway-outside", g.Range, "Gateway without a fixed address",
			"The address of %s comes %s, and its default gateway with it.", n.Addr, a),
			"Remove this, or write %s = the router's own address there, with its prefix length.", attr))
	default:
		return one(diag.Help(diag.Error("gateway-outside", g.Range, "Gateway without a fixed address",
			"A gateway is reached from an address of this router beside it, and %s has none.", n.Addr),
			"Write %s = the router's own address in the gateway's network, with its prefix length.", attr))
	}
}
