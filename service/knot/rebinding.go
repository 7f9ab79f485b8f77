package knot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// rebinding switches the module on that refuses private addresses from outside
// (kres_modules/rebinding.lua). It leaves alone what the resolver knows itself, and
// queries that may go to this host: that flag is set for the inner domains.
//
// It does what options.rebinding-protection makes Knot Resolver do. That setting cannot be
// given: settings is a submodule, of which NixOS takes an attribute options for the
// declarations of options.
func (b *Resolver) rebinding(r *router.Router, m *nixgen.Module, settings func(...string) []string) {
	script := "modules.load('rebinding < iterate')\n"
	var names []string
	for _, d := range b.inner(r) {
		names = append(names, fmt.Sprintf("todname('%s')", d))
	}
	if len(names) > 0 {
		script += fmt.Sprintf("policy.add(policy.suffix(policy.FLAGS({'ALLOW_LOCAL'}), {%s}))\n", strings.Join(names, ", "))
	}
	m.Set(service.Origin(b.Addr, cmp.Or(b.Rebinding.Range, b.Private.Range, b.Def)), nixgen.Lines(script), settings("lua", "script")...)
}

// inner are the domains that may have private addresses: those that the spec names, those that
// it forwards to servers of their own, and the router's own zones.
func (b *Resolver) inner(r *router.Router) []string {
	var out []string
	add := func(name string) {
		name = strings.ToLower(strings.TrimSuffix(name, ".")) + "."
		if name != "." && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, d := range b.Private.All() {
		add(string(d))
	}
	for _, f := range b.Forwarders {
		for _, z := range f.Zones.All() {
			add(string(z))
		}
	}
	for _, z := range router.Claimed[router.ServesZone](r) {
		add(string(z.Zone))
	}
	if !b.Extra.Set {
		return out
	}
	for _, forward := range service.Elements(service.Attribute(b.Extra.V.Value, "forward")) {
		for _, subtree := range service.Elements(service.Attribute(forward, "subtree")) {
			// What is no domain name is for Knot Resolver to refuse, and not for its script.
			var d router.Domain
			if subtree.Type() == cty.String && !subtree.IsNull() && d.UnmarshalText([]byte(subtree.AsString())) == nil {
				add(string(d))
			}
		}
	}
	return out
}

// zones are the servers on port 53 to which extra forwards parts of the tree.
func (b *Resolver) zones() []conf.Value[Server] {
	var out []conf.Value[Server]
	if !b.Extra.Set {
		return nil
	}
	for _, forward := range service.Elements(service.Attribute(b.Extra.V.Value, "forward")) {
		for _, server := range service.Elements(service.Attribute(forward, "servers")) {
			for _, s := range append(service.Elements(service.Attribute(server, "address")), server) {
				// Another port is another program's.
				var a router.Addr
				if s.Type() == cty.String && !s.IsNull() && a.UnmarshalText([]byte(strings.TrimSuffix(s.AsString(), "@53"))) == nil {
					out = append(out, conf.Value[Server]{V: Server{Addr: a.Addr}, Range: b.Extra.Range, Set: true})
				}
			}
		}
	}
	return out
}
