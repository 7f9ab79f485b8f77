package kea

import (
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
}

func (d *DHCP4) additions(r *router.Router) additions { return additions{d, d.Extra, d.options(r)} }

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
			add = append(a.kept(), list...)
		}
		out = put(out, nixgen.Bind(nixgen.At{From: from, Expr: add}, k.AsString()))
	}
	return out
}

// kept are nbr's options but those that the user gives, too.
func (a additions) kept() nixgen.List {
	if !a.extra.Set {
		return a.options
	}
	own := slices.Clone(a.options)
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
	kept := a.kept()
	for _, o := range a.options {
		name := optionKey(o)
		if !slices.ContainsFunc(kept, func(k nixgen.Expr) bool { return optionKey(k) == name }) {
			override("the option " + name)
		}
	}
	return diags
}
