package kea

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// additions are what a user adds to a network's entry in Kea's settings. They win; options are
// merged one by one.
type additions struct {
	to      conf.Block
	extra   service.Extra
	options nixgen.List // nbr's own
	classes []*Class
}

func (d *DHCP4) additions(r *router.Router) additions {
	return additions{d, d.Extra, d.options(r), d.Classes}
}

// inClass tells whether a class has a value of its own for an option.
func (a additions) inClass(option nixgen.Expr) bool {
	return slices.ContainsFunc(a.classes, func(c *Class) bool {
		return slices.ContainsFunc(c.Options, func(o *Option) bool { return optionKey(o.entry()) == optionKey(option) })
	})
}

// plain are the options of the network that no class has another value for.
func (a additions) plain() nixgen.List {
	return slices.DeleteFunc(a.kept(), a.inClass)
}

// classed are the other ones. To Kea a subnet's options count before those of a class, so they are
// those of a class as well: the last one, of all hosts.
func (a additions) classed() nixgen.List {
	return slices.DeleteFunc(a.kept(), func(o nixgen.Expr) bool { return !a.inClass(o) })
}

// gives tells whether the user gives an option in place of nbr.
func (a additions) gives(option nixgen.Expr) bool {
	probed := a
	probed.options = nixgen.List{option}
	return len(probed.kept()) == 0
}

// merge puts them into the entry.
func (a additions) merge(out nixgen.Attrs) nixgen.Attrs {
	if !a.extra.Set {
		return out
	}
	from := service.Origin(a.to.Head().Addr, a.extra.Range)
	for it := a.extra.V.ElementIterator(); it.Next(); {
		k, v := it.Element()
		add := service.Nix(v)
		if list, ok := add.(nixgen.List); ok && k.AsString() == "option-data" {
			add = append(a.plain(), list...)
		}
		out = put(out, nixgen.Bind(nixgen.At{From: from, Expr: add}, k.AsString()))
	}
	return out
}

// kept are nbr's options but those that the user gives, too.
func (a additions) kept() nixgen.List {
	own := slices.Clone(a.options)
	if !a.extra.Set {
		return own
	}
	for it := a.extra.V.ElementIterator(); it.Next(); {
		k, v := it.Element()
		if k.AsString() != "option-data" {
			continue
		}
		user, ok := service.Nix(v).(nixgen.List)
		if !ok {
			return nil // no list: what the options are is unknown
		}
		own = slices.DeleteFunc(own, func(o nixgen.Expr) bool {
			return slices.ContainsFunc(user, func(u nixgen.Expr) bool { return optionKey(u) == optionKey(o) })
		})
	}
	return own
}

// replace tells whether the additions say one of these otherwise.
func (a additions) replace(keys ...string) bool {
	if !a.extra.Set {
		return false
	}
	return slices.ContainsFunc(keys, func(k string) bool { return a.extra.V.Type().HasAttribute(k) })
}

// judge warns of what they say otherwise than the block; own are the settings that nbr makes.
func (a additions) judge(own ...string) hcl.Diagnostics {
	if !a.extra.Set {
		return nil
	}
	var diags hcl.Diagnostics
	override := func(setting string) {
		diags = append(diags, diag.With(service.Overridden(a.to, a.extra.Range, setting, "says it otherwise"), a.to.Head().Def, "%s", a.to.Head().Addr.String()))
	}
	for _, key := range own {
		if a.replace(key) {
			override(key)
		}
	}
	for _, o := range a.options {
		if a.gives(o) {
			override("the option " + optionKey(o))
		}
	}
	for _, c := range a.classes {
		for _, o := range c.Options {
			if a.gives(o.entry()) {
				override(fmt.Sprintf("the option %s of %s", o.Name.V, c.Addr))
			}
		}
	}
	return diags
}
