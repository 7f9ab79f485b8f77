package router

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// twiceInTable finds two routes of one of the spec's own tables that lead to the same
// destination.
func (r *Router) twiceInTable() hcl.Diagnostics {
	type key struct {
		table  TableID
		to     netip.Prefix
		metric Metric
	}
	var diags hcl.Diagnostics
	first := map[key]*Route{}
	for _, rt := range r.Routes {
		if r.TableOf(rt) == 0 {
			continue
		}
		k := key{r.TableOf(rt), rt.To.V.Prefix, rt.Metric.V}
		if before := first[k]; before != nil {
			diags = append(diags, diag.Help(clash("route-twice", "Two routes to the same destination", By{before.Addr, before.To.Range}, By{rt.Addr, rt.To.Range},
				"%s already leads to %s in table %d with the same metric.", before.Addr, rt.To.V, k.table),
				"Give one of them another metric, or remove it."))
			continue
		}
		first[k] = rt
	}
	return diags
}

// ruleTables finds tables with one end only. Where a rule's table has no route for a packet,
// the next rule is asked (fib_rules_lookup in net/core/fib_rules.c), so the rule does nothing.
func ruleTables(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	asked := func(rt *Route) bool {
		return slices.ContainsFunc(r.RoutingRules, func(ru *RoutingRule) bool { return ru.Table.V == rt.Table.V })
	}
	for _, rt := range r.Routes {
		if rt.Table.Set && !asked(rt) && r.vrfOfTable(rt.Table.V) == nil {
			diags = append(diags, diag.Help(diag.Warning("routing-table", rt.Table.Range, "Table that no rule asks for",
				"No packet takes %s: no rule block has table = %d.", rt.Addr, rt.Table.V),
				"Write a rule with this table, or remove table: the main table is for all packets."))
		}
	}
	if len(Claimed[AddedRoutes](r)) > 0 || r.HasModules() {
		return diags
	}
	for _, ru := range r.RoutingRules {
		has := func(f Family) bool {
			return slices.ContainsFunc(r.Routes, func(rt *Route) bool { return rt.Table.V == ru.Table.V && familyOf(rt.To.V.Addr()) == f })
		}
		if ru.Table.Set && !slices.ContainsFunc(ru.Selectors(), func(s Selector) bool { return has(s.Family) }) && len(ru.Selectors()) > 0 {
			diags = append(diags, diag.Help(diag.Error("routing-table", ru.Table.Range, "Table without a route for the rule",
				"No route block of the rule's version of IP has table = %d, so the next rule would be asked.", ru.Table.V),
				"Write a route with this table."))
		}
	}
	return diags
}

// ruleRoutingRules judges rules by themselves and beside each other.
func ruleRoutingRules(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for i, ru := range r.RoutingRules {
		switch {
		case !ru.Table.Set && !ru.Type.Set:
			diags = append(diags, diag.Help(diag.Error("routing-rule", ru.Def, "Rule that does nothing",
				"%s does not say what becomes of its packets.", ru.Addr),
				"Write table = the number of a table of route blocks, or type = \"unreachable\"."))
		case ru.Table.Set && ru.Type.Set:
			diags = append(diags, diag.With(diag.Help(diag.Error("routing-rule", ru.Type.Range, "Rule with a table and a type",
				"Table %d decides about the packets of %s, or they are dropped (%s).", ru.Table.V, ru.Addr, ru.Type.V),
				"Remove one of the two. To drop what the table has no route for, write a rule of this type with a larger priority."), ru.Table.Range, "the table"))
		}
		from := ru.From.Range()
		switch {
		case ru.Network.Set && (ru.From.Ref.Set || ru.From.Value.Set):
			diags = append(diags, diag.With(diag.Help(diag.Error("routing-rule", ru.Network.Range, "Sources said twice",
				"%s is for packets from the addresses in from, and for those of %s.", ru.Addr, ru.Network.Addr),
				"Remove one of the two, or write two rules."), from, "from"))
		case !ru.From.Ref.Set && !ru.From.Value.Set && !ru.To.Set && !ru.Network.Set:
			diags = append(diags, diag.Help(diag.Error("routing-rule", ru.Def, "Rule for all packets",
				"%s says nothing of its packets, so the main table would never be asked where its table has a route.", ru.Addr),
				"Write from, to or network. What is for all packets belongs to the main table: routes without table."))
		case len(ru.Selectors()) == 0:
			diags = append(diags, diag.Help(diag.Error("routing-rule", cmp.Or(from, ru.To.Range, ru.Network.Range), "Rule for no packet",
				"What %s says of packets is of two versions of IP, or has no address that is fixed.", ru.Addr),
				"Write addresses of one version, or give the host or the network a fixed one."))
		}
		for _, o := range r.RoutingRules[:i] {
			if o.Priority.V == ru.Priority.V {
				diags = append(diags, diag.Help(clash("routing-rule", "Two rules at the same time", By{o.Addr, o.Priority.Range}, By{ru.Addr, ru.Priority.Range},
					"%s has the priority %d already, and it is not said which of the two is asked first.", o.Addr, ru.Priority.V),
					"Give one of them another priority."))
			}
		}
	}
	return diags
}
