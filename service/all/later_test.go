package all_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify/state"
)

// laters are networks in which the router's address comes later, and the attribute that
// says how.
var laters = map[string]string{
	"DHCP":           `ipv4 = "dhcp"`,
	"advertisements": `ipv6 = "auto"`,
	"DHCPv6":         `ipv6 = "dhcp"`,
	"both":           "ipv4 = \"dhcp\"\n  ipv6 = \"auto\"",
	"delegation":     "prefix = prefix.later\n  subnet = 5",
	"delegation too": "ipv4 = \"10.254.253.1/24\"\n  prefix = prefix.later\n  subnet = 5",
}

// laterSpec adds such a network to a spec, on a link of its own.
func laterSpec(b *goodSpec, how string) string {
	ports := b.spec.Router.Ports()
	port := ports[0].Name
	for _, p := range ports {
		if p.Kind == router.PortDSA {
			port = p.Name
		}
	}
	text := fmt.Sprintf(`
vlan "later" {
  link = port.%s
  id   = 4093
}

network "later" {
  link = vlan.later
  %s
}
`, port, how)
	if strings.Contains(how, "prefix") {
		text += fmt.Sprintf(`
vlan "delegating" {
  link = port.%s
  id   = 4094
}

network "delegating" {
  link = vlan.delegating
  ipv4 = "dhcp"
  ipv6 = "auto"
}

prefix "later" {
  network = network.delegating
  length  = 56
}
`, port)
	}
	return text
}

// addressRE are the types of attributes that take an address, in words.
var addressRE = regexp.MustCompile(`(?i)\baddress|\bhost:port`)

// noAddressRE are those among them that take no address of IP.
var noAddressRE = regexp.MustCompile(`MAC address|identifier like|form like|^last half`)

// Every attribute that takes a network, or an address, is given one whose address comes
// later: the result is a plan, or a diagnostic at that attribute. An address that is not
// there is never written as an empty one or as zeroes.
func TestAddressesThatComeLater(t *testing.T) {
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	walked := map[string]int{} // by attribute: in how many places it is tried
	wanted := map[string]conf.Attribute{}
	for _, typ := range reg.Types() {
		walkSchema(typ.Type, conf.SchemaOf(typ), func(name string, a conf.Attribute) {
			if takesNetwork(a) || takesAddress(a) {
				wanted[name] = a
			}
		})
	}
	for _, b := range goodSpecs(t, reg) {
		var places []*occurrence
		for _, o := range b.occurrences(reg) {
			if _, ok := wanted[o.attribute]; ok && walked[o.attribute] < enough {
				walked[o.attribute]++
				places = append(places, o)
			}
		}
		for _, how := range slices.Sorted(maps.Keys(laters)) {
			b := b.withLater(reg, how)
			for _, o := range places {
				for _, text := range o.laterValues(wanted[o.attribute]) {
					b.lead(t, reg, o, text)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if walked[name] == 0 {
			t.Errorf("%s: no good spec sets it", name)
		}
	}
}

func takesNetwork(a conf.Attribute) bool { return a.Type == "reference to network" }

func takesAddress(a conf.Attribute) bool {
	return addressRE.MatchString(a.Type) && !noAddressRE.MatchString(a.Type)
}

// laterValues are expressions for an attribute that lead to the network. In a list it
// stands after what is there.
func (o *occurrence) laterValues(a conf.Attribute) []string {
	out := []string{"network.later"}
	if takesAddress(a) {
		out = []string{
			"network.later.ipv4", "network.later.ipv6", "cidrhost(network.later.ipv4, 9)", "cidrhost(network.later.ipv6, 9)",
			`"${network.later.ipv4}"`, `"${cidrhost(network.later.ipv6, 9)}-${cidrhost(network.later.ipv6, 19)}"`,
		}
	}
	if a.List {
		before := ""
		if list, ok := o.expr.(*hclsyntax.TupleConsExpr); ok {
			for _, e := range list.Exprs {
				before += o.of(e) + ", "
			}
		}
		for i, text := range out {
			out[i] = "[" + before + text + "]"
		}
	}
	return out
}

// A laterBase is a good spec with a network whose address comes later, which no block but
// the implicit ones has to do with.
type laterBase struct {
	how      string
	files    fstest.MapFS
	said     map[string]bool // what is wrong already
	nothings map[string]int
}

func (b *goodSpec) withLater(reg *service.Registry, how string) laterBase {
	out := laterBase{how: how, files: maps.Clone(b.files), said: map[string]bool{}}
	out.files["zz-later.hcl"] = &fstest.MapFile{Data: []byte(laterSpec(b, laters[how]))}
	spec, diags := reg.Load(out.files, nil)
	for _, d := range diags.Errs() {
		out.said[d.Error()] = true
	}
	if diags.HasErrors() {
		spec = b.spec
	}
	out.nothings = nothings(spec)
	return out
}

// lead has the attribute lead to the network, and judges what becomes of it.
func (b laterBase) lead(t *testing.T, reg *service.Registry, o *occurrence, text string) {
	t.Helper()
	what := fmt.Sprintf("%s: %s = %s, whose address comes by %s", o, o.attribute, text, b.how)
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: panic: %v", what, p)
		}
	}()
	files := maps.Clone(b.files)
	data, at := files[o.file].Data, o.expr.Range()
	files[o.file] = &fstest.MapFile{Data: slices.Concat(data[:at.Start.Byte], []byte(text), data[at.End.Byte:])}
	spec, diags := reg.Load(files, nil)
	diags = slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool { return d.Severity != hcl.DiagError || b.said[d.Error()] })
	for _, d := range diags {
		if diag.Code(d) == "" || d.Subject == nil {
			t.Errorf("%s: no code or place: %s", what, d)
		}
	}
	// At the attribute, or at one of the same block that does not fit to it any more: a pool. A clash with
	// another block names both places.
	first, last := o.block.Start.Byte, o.block.End.Byte+len(text)
	within := func(at hcl.Range) bool {
		return at.Filename == o.file && at.Start.Byte <= last && at.End.Byte >= first
	}
	here := func(d *hcl.Diagnostic) bool {
		return d.Subject != nil && within(*d.Subject) ||
			slices.ContainsFunc(diag.Others(d), func(r diag.Related) bool { return within(r.Range) })
	}
	switch {
	case len(diags) > 0 && !slices.ContainsFunc(diags, here):
		t.Errorf("%s: errors elsewhere only: %s", what, diags)
	case len(diags) > 0 || len(b.said) > 0:
		return
	}
	for place, n := range nothings(spec) {
		if n > b.nothings[place] {
			t.Errorf("%s: %s has an address that is none", what, place)
		}
	}
}

// nothingRE is how an address that is not there looks: as netip prints it, as the word that
// the spec has instead, or as nothing at all beside what belongs to an address.
var nothingRE = regexp.MustCompile(`invalid (IP|Prefix|AddrPort)|""|\[ \]|"(dhcp|auto)[":]|<nil>|@:|(?m:(^|[\s"])/\d+)|\b0\.0\.0\.0[/"]|"::"|%!`)

// anyEnd is where the unspecified address means what it says: packets of such a tunnel come from
// the address by which the kernel reaches the other end (ip_tunnel_xmit in net/ipv4/ip_tunnel.c).
var anyEnd = regexp.MustCompile(`(gre|sit)_local = "0\.0\.0\.0"`)

// nothings are how many addresses that are none each module, and each check, has.
func nothings(spec *service.Spec) map[string]int {
	out := map[string]int{}
	for _, f := range spec.Modules() {
		src, _ := f.Module.Print()
		out[f.Name+".nix"] = len(nothingRE.FindAll(anyEnd.ReplaceAll(src, nil), -1))
	}
	for _, c := range spec.Plan().Checks {
		v := c.Eval(&state.State{})
		out[c.ID] = len(nothingRE.FindAllString(fmt.Sprintf("%s\n%s\n%+v\n%s\n%s", c.ID, c.Title, c.Needs, v.Want, v.Hint), -1))
	}
	return out
}
