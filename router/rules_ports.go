package router

import (
	"regexp"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// countedRE are the names that the kernel gives, by counting (dev_alloc_name in
// net/core/dev.c with the drivers' patterns).
var countedRE = regexp.MustCompile(`^(eth|wlan|wwan|usb|ib)[0-9]+$`)

// slotRE are the names that udev gives by where a port is (systemd.net-naming-scheme(7)).
var slotRE = regexp.MustCompile(`^(en|ib|sl|wl|ww)([osPpvaidu][0-9]|[bc][0-9a-f]|x[0-9a-f]{12}$)`)

// byLinux tells whether Linux gives the name by itself.
func byLinux(n IfName) bool { return countedRE.MatchString(string(n)) || slotRE.MatchString(string(n)) }

// rulePortNames finds a name of the spec's that another port may have got first: udev would
// race the kernel (systemd.link(5), Name=).
func rulePortNames(r *Router) hcl.Diagnostics {
	return ports(r, func(p *BoardPort) *hcl.Diagnostic {
		if !p.Renamed() || !byLinux(p.Name) {
			return nil
		}
		return diag.Help(diag.Error("port-name-of-linux", p.Def, "Name that Linux itself gives",
			"Linux calls ports such as %s by itself, and it may give the name to another one before this one gets it.", p.Name),
			"Choose a name that says what the port is for, as wan or lan1.")
	})
}

// ruleUnsaidPorts finds ports that no interface would be.
func ruleUnsaidPorts(r *Router) hcl.Diagnostics {
	return ports(r, func(p *BoardPort) *hcl.Diagnostic {
		if p.Renamed() || byLinux(p.Name) {
			return nil
		}
		return diag.Help(diag.Error("port-not-said", p.Def, "Which port?",
			"Linux calls no port %s by itself, and the block does not say which one is to be called so.", p.Name),
			"Write mac or pci into the block, or use the name that Linux has for the port, as enp1s0: ip link shows it.")
	})
}

func ruleCountedPorts(r *Router) hcl.Diagnostics {
	return ports(r, func(p *BoardPort) *hcl.Diagnostic {
		if p.Renamed() || !countedRE.MatchString(string(p.Name)) {
			return nil
		}
		return diag.Help(diag.Warning("port-counted", p.Def, "Port by a number that may change",
			"The kernel counts ports as %s in the order in which it finds them: after an update, or with another card, it may be another one.", p.Name),
			"Say which port it is, by mac or pci, and call it otherwise.")
	})
}

// ports judges each port block whose name was not refused.
func ports(r *Router, judge func(*BoardPort) *hcl.Diagnostic) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Added {
		if d := judge(p); d != nil && p.Name != "" {
			diags = append(diags, d)
		}
	}
	return diags
}

// ruleSamePort finds two names for one port. Ports of one card have functions of their own on
// the bus; those that have not are told apart by MAC address.
func ruleSamePort(r *Router) hcl.Diagnostics {
	first := map[string]*BoardPort{}
	return ports(r, func(p *BoardPort) *hcl.Diagnostic {
		what, from := p.which()
		before := first[what]
		if what == "" || before == nil {
			first[what] = p
			return nil
		}
		_, at := before.which()
		return diag.With(diag.Help(diag.Error("port-twice", from, "One port, two names",
			"%s and %s are both the port with %s.", before.Addr, p.Addr, what),
			"Remove one of the blocks, or correct the address. Write mac for the ports of a card that has one PCI address."),
			at, "%s", before.Addr.String())
	})
}

// which is what tells the port from all others, and where the spec says it; nothing for one
// that is known by its name.
func (p *BoardPort) which() (string, hcl.Range) {
	switch {
	case p.MAC.Set:
		return "the MAC address " + string(p.MAC.V), p.MAC.Range
	case p.PCI.Set:
		return "the PCI address " + string(p.PCI.V), p.PCI.Range
	}
	return "", hcl.Range{}
}

// ruleClonedMACs finds MAC addresses that ports cannot have: a bond gives its ports its own
// (bond_enslave in drivers/net/bonding/bond_main.c), and IfState takes that port for the one of a
// name which has the name's address now, whatever it is called (libifstate/link/base.py). It looks
// for ports of a switch by their names alone.
func ruleClonedMACs(r *Router) hcl.Diagnostics {
	type owner struct {
		port *BoardPort
		at   hcl.Range
	}
	owners := map[MAC]owner{}
	for _, p := range r.Ports() {
		if p.MAC.Set {
			owners[p.MAC.V] = owner{p, p.MAC.Range}
		}
	}
	var diags hcl.Diagnostics
	for _, p := range r.Ports() {
		if !p.Cloned.Set {
			continue
		}
		if m := r.MasterOf(p); m != nil && m.Spec().Kind == "bond" {
			diags = append(diags, diag.With(diag.Help(diag.Error("cloned-mac", p.Cloned.Range, "MAC address that a bond decides about",
				"%s is a port of %s, which gives all of its ports its own MAC address.", p.Addr, m.Head().Addr),
				"Write mac into %s, or remove cloned_mac.", m.Head().Addr), m.Spec().Ports.Range, "%s", m.Head().Addr.String()))
			continue
		}
		if p.Kind == PortDSA {
			continue
		}
		o, taken := owners[p.Cloned.V]
		if !taken {
			owners[p.Cloned.V] = owner{p, p.Cloned.Range}
			continue
		}
		if o.port != p {
			diags = append(diags, diag.With(diag.Help(diag.Error("cloned-mac", p.Cloned.Range, "MAC address of another port",
				"%s is the MAC address of %s, and IfState would take one of the two for the other.", p.Cloned.V, o.port.Addr),
				"Write another address into one of the two."), o.at, "%s", o.port.Addr.String()))
		}
	}
	return diags
}
