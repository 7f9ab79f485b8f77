package kea

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// Class is hosts of a network that are told something of their own, or have a pool of their own.
// A host is in it that matches each attribute which is given, by one of its values.
type Class struct {
	conf.Header
	Name       conf.Value[router.Name]     `hcl:"name,label"`
	Vendor     conf.List[Identifier]       `hcl:"vendor_class,optional" empty:"that is as if it were not there. Name one, or remove it." doc:"What the host says of its make (option 60), or the beginning of it, as in [\"PXEClient\"]."`
	User       conf.List[Identifier]       `hcl:"user_class,optional" empty:"that is as if it were not there. Name one, or remove it." doc:"The first user class that the host says (option 77, RFC 3004), as in [\"iPXE\"]."`
	MAC        conf.List[MACPrefix]        `hcl:"mac_prefix,optional" empty:"that is as if it were not there. Name one, or remove it." doc:"Beginnings of MAC addresses, as in [\"00:04:13\"]: three bytes are a maker's (OUI)."`
	Hosts      conf.Refs[*router.Host]     `hcl:"hosts,optional" empty:"that is as if it were not there. Name one, or remove it." doc:"Hosts of the network, by their MAC address, beside those of mac_prefix."`
	Circuit    conf.List[Identifier]       `hcl:"circuit_id,optional" empty:"that is as if it were not there. Name one, or remove it." doc:"The port at which a switch or a relay says that the host is (option 82, Circuit ID of RFC 3046)."`
	Remote     conf.List[Identifier]       `hcl:"remote_id,optional" empty:"that is as if it were not there. Name one, or remove it." doc:"What a switch or a relay calls itself or the far end (option 82, Remote ID of RFC 3046)."`
	Pool       conf.List[router.AddrRange] `hcl:"pool,optional" empty:"that is as if it were not there. Give a range, or remove it." doc:"Ranges of addresses that hosts of the class alone are leased, and no others to them."`
	NextServer conf.Value[router.Addr]     `hcl:"next_server,optional" doc:"IPv4 address of the server from which they boot, in place of the network's."`
	BootFile   conf.Value[BootFile]        `hcl:"boot_file,optional" doc:"The file there that they boot, in place of the network's and of those of boot blocks."`
	Options    []*Option                   `hcl:"option,block" doc:"An option that they are told, in place of the network's."`
}

// An Identifier is what a host, or a relay for it, says in an option: some bytes.
type Identifier string

// UnmarshalText wants characters of ASCII, or bytes in hexadecimal after 0x.
func (i *Identifier) UnmarshalText(b []byte) error {
	text := string(b)
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		raw, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
		if err != nil {
			return diag.Advise(fmt.Errorf("%q is not bytes in hexadecimal", b), "write two digits for each after 0x, as in 0x0004:00a1")
		}
		text = string(raw)
	} else if strings.ContainsFunc(text, unprintable) {
		return diag.Advise(fmt.Errorf("%q is not ASCII alone", b), "write its bytes in hexadecimal after 0x")
	}
	if len(text) == 0 || len(text) > 250 {
		return diag.Advise(fmt.Errorf("%q has %d bytes", b, len(text)), "write 1 to 250, which is what an option has room for")
	}
	*i = Identifier(text)
	return nil
}

// Describe is what the type is in the schema.
func (Identifier) Describe() string { return "text, or bytes in hexadecimal after 0x" }

func unprintable(r rune) bool { return r < ' ' || r > '~' }

// String is as the spec writes it.
func (i Identifier) String() string {
	if strings.ContainsFunc(string(i), unprintable) || strings.HasPrefix(string(i), "0x") {
		return "0x" + hex.EncodeToString([]byte(i))
	}
	return string(i)
}

var plain = regexp.MustCompile(`^[A-Za-z0-9 ._:/,()+-]+$`)

// literal is a constant of Kea's expressions. Strings have no escapes there, so that what has more
// than plain characters is written in hexadecimal.
func literal(s string) string {
	if plain.MatchString(s) {
		return "'" + s + "'"
	}
	return "0x" + hex.EncodeToString([]byte(s))
}

// MACPrefix is the beginning of MAC addresses: pairs of digits, and at the end one or two of them.
type MACPrefix string

// UnmarshalText wants three to six bytes, and half a byte more at most: makers have addresses by
// 24, 28 and 36 bits (IEEE 802-2014 section 8.2).
func (p *MACPrefix) UnmarshalText(b []byte) error {
	digits := strings.ToLower(strings.NewReplacer(":", "", "-", "").Replace(string(b)))
	if len(digits) < 6 || len(digits) > 12 || strings.Trim(digits, "0123456789abcdef") != "" {
		return diag.Advise(fmt.Errorf("%q is no beginning of MAC addresses", b), "write three bytes or more in hexadecimal, as in 00:04:13")
	}
	first, _ := strconv.ParseUint(digits[:2], 16, 8) // they are digits
	if first&1 != 0 {
		return diag.Advise(fmt.Errorf("%q is of groups, and no host has such an address (IEEE 802-2014 section 8.2.2)", b), "write the beginning of the address of a host")
	}
	var pairs []string
	for pair := range slices.Chunk([]byte(digits), 2) {
		pairs = append(pairs, string(pair))
	}
	*p = MACPrefix(strings.Join(pairs, ":"))
	return nil
}

// Describe is what the type is in the schema.
func (MACPrefix) Describe() string { return "beginning of MAC addresses" }

// macs are the beginnings of the MAC addresses of its hosts.
func (c *Class) macs() []string {
	var out []string
	for _, p := range c.MAC.All() {
		out = append(out, string(p))
	}
	for _, h := range c.Hosts.All() {
		out = append(out, string(h.MAC.V))
	}
	return out
}

// A trait is something by which hosts are known: what a client has of it, and which values are of
// the class. The test is Kea's for one value.
type trait struct {
	values []string
	of     func(client) string
	is     func(has, value string) bool
	test   func(value string) string
}

// traits are those that the class has values of.
func (c *Class) traits() []trait {
	text := func(l conf.List[Identifier]) (out []string) {
		for _, i := range l.All() {
			out = append(out, string(i))
		}
		return out
	}
	equal := func(has, value string) bool { return has == value }
	exactly := func(term string) func(string) string {
		return func(v string) string { return term + " == " + literal(v) }
	}
	begins := func(term string) func(string) string {
		return func(v string) string { return fmt.Sprintf("substring(%s, 0, %d) == %s", term, len(v), literal(v)) }
	}
	all := []trait{
		{text(c.Vendor), func(x client) string { return string(x.Vendor) }, strings.HasPrefix, begins("option[60].hex")},
		// Most hosts that say one write it as RFC 3004 has it, after its length; iPXE does not.
		{text(c.User), func(x client) string { return string(x.User) }, equal, func(v string) string {
			return exactly("option[77].hex")(v) + " or " + begins("option[77].hex")(string([]byte{byte(len(v))})+v)
		}},
		{c.macs(), func(x client) string { return x.MAC }, strings.HasPrefix, begins("hexstring(pkt4.mac, ':')")},
		{text(c.Circuit), func(x client) string { return string(x.Circuit) }, equal, exactly("relay4[1].hex")},
		{text(c.Remote), func(x client) string { return string(x.Remote) }, equal, exactly("relay4[2].hex")},
	}
	return slices.DeleteFunc(all, func(t trait) bool { return len(t.values) == 0 })
}

// test is Kea's expression for its hosts.
func (c *Class) test() string {
	var all []string
	for _, t := range c.traits() {
		var one []string
		for _, v := range t.values {
			one = append(one, t.test(v))
		}
		all = append(all, "("+strings.Join(one, " or ")+")")
	}
	return strings.Join(all, " and ")
}

// holds tells whether a client is in the class.
func (c *Class) holds(x client) bool {
	return !slices.ContainsFunc(c.traits(), func(t trait) bool {
		return !slices.ContainsFunc(t.values, func(v string) bool { return t.is(t.of(x), v) })
	})
}

// clients are some that are in the class: each of its values is one's.
func (c *Class) clients(d *DHCP4) []client {
	n := 1
	for _, t := range c.traits() {
		n = max(n, len(t.values))
	}
	some := func(l conf.List[Identifier], i int) Identifier {
		if all := l.All(); len(all) > 0 {
			return all[i%len(all)]
		}
		return ""
	}
	var out []client
	for i := range n {
		x := d.newClient("")
		x.Vendor, x.User, x.Circuit, x.Remote = some(c.Vendor, i), some(c.User, i), some(c.Circuit, i), some(c.Remote, i)
		if macs := c.macs(); len(macs) > 0 {
			x.MAC = macs[i%len(macs)]
		}
		out = append(out, x)
	}
	return out
}

// ranges are those of all pools, those for every host first.
func (d *DHCP4) ranges() []conf.Value[router.AddrRange] {
	out := slices.Clone(d.Pool.Items)
	for _, c := range d.Classes {
		out = append(out, c.Pool.Items...)
	}
	return out
}

// poolOf are the ranges of which a client without a reservation gets its address.
func (d *DHCP4) poolOf(x client) []router.AddrRange {
	var out []router.AddrRange
	for _, c := range d.Classes {
		if c.holds(x) {
			out = append(out, c.Pool.All()...)
		}
	}
	if len(out) == 0 {
		out = d.Pool.All()
	}
	return out
}

// judgeClasses judges who is in each class, and what these hosts are told.
func (d *DHCP4) judgeClasses() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range d.Classes {
		if len(c.traits()) == 0 {
			diags = append(diags, diag.Help(diag.Error("bad-class", c.Def, "Class that does not say of whom",
				"%s names no hosts, and nothing by which they are known.", c.Addr),
				"Write vendor_class, user_class, mac_prefix, hosts, circuit_id or remote_id."))
		}
		if len(c.Pool.Items) == 0 && len(c.Options) == 0 && !c.NextServer.Set && !c.BootFile.Set {
			diags = append(diags, diag.Help(diag.Error("bad-class", c.Def, "Class without anything of its own",
				"Hosts of %s get what all hosts of %s get.", c.Addr, d.prefix().Masked()),
				"Give it an option, a pool, or something to boot, or remove it."))
		}
		for _, h := range c.Hosts.Items {
			switch {
			case d.Relay != nil || h.Target.Network.Target != d.Network.Target:
				diags = append(diags, diag.With(diag.Help(diag.Error("bad-class", h.Target.Network.Range, "Host of a class in another network",
					"%s is in %s, and %s has a class of hosts of %s with it.", h.Addr, h.Target.Network.Addr, d.Addr, d.prefix().Masked()),
					"Correct its network, or name it in a class of the dhcp4 block of its network."), h.Range, "%s", c.Addr.String()))
			case !h.Target.MAC.Set:
				diags = append(diags, diag.With(diag.Help(diag.Error("bad-class", h.Range, "Host that a class cannot know",
					"A DHCPv4 server knows a host by its MAC address, and that of %s is not in the spec.", h.Addr),
					"Write its mac."), h.Target.Def, "%s", h.Addr.String()))
			}
		}
		diags = append(diags, judgeNextServer(c.NextServer)...)
		diags = append(diags, d.judgeOptions(c.Options, true)...)
	}
	return diags
}

// additional are the keywords of a class that counts after a subnet is chosen, and there alone:
// else a class would be one of the whole server.
var additional = nixgen.Bind(nixgen.Bool(true), "only-in-additional-list")

// clientClasses are Kea's for the network, and the names of those that count in its subnet. What
// several say is that of the first one (Kea's manual, section on client classes and options).
func (d *DHCP4) clientClasses(r *router.Router) (all nixgen.List, names []string) {
	add := func(b conf.Block, name string, attrs nixgen.Attrs) {
		attrs = append(attrs, additional, nixgen.Bind(nixgen.Str(name), "name"))
		slices.SortFunc(attrs, func(a, b nixgen.Attr) int { return strings.Compare(a.Name[0], b.Name[0]) })
		all, names = append(all, nixgen.At{From: service.From(b), Expr: attrs}), append(names, name)
	}
	guard := func(b conf.Block, name, test string) {
		all = append(all, nixgen.At{From: service.From(b), Expr: nixgen.Attrs{
			nixgen.Bind(nixgen.Str(name), "name"), nixgen.Bind(nixgen.Str(test), "test"),
		}})
	}
	var rest []string
	for _, c := range d.Classes {
		name, test := c.Addr.String(), c.test()
		if len(c.Pool.Items) > 0 { // pools ask before a subnet is chosen
			guard(c, name, test)
			test = fmt.Sprintf("member('%s')", name)
			rest = append(rest, "not "+test)
			name += "/options"
		}
		var attrs nixgen.Attrs
		if c.BootFile.Set {
			attrs = append(attrs, nixgen.Bind(nixgen.Str(c.BootFile.V), "boot-file-name"))
		}
		if c.NextServer.Set {
			attrs = append(attrs, nixgen.Bind(nixgen.Str(c.NextServer.V.String()), "next-server"))
		}
		if len(c.Options) > 0 {
			list := nixgen.List{}
			for _, o := range c.Options {
				list = append(list, o.entry())
			}
			attrs = append(attrs, nixgen.Bind(list, "option-data"))
		}
		if len(attrs) > 0 {
			add(c, name, append(attrs, nixgen.Bind(nixgen.Str(test), "test")))
		}
	}
	if len(rest) > 0 {
		guard(d, d.otherHosts(), strings.Join(rest, " and "))
	}
	for _, b := range d.Boot {
		add(b, b.Addr.String(), nixgen.Attrs{
			nixgen.Bind(nixgen.Str(b.File.V), "boot-file-name"),
			nixgen.Bind(nixgen.Str(boots(b.Architectures.All())), "test"),
		})
	}
	if others := d.additions(r).classed(); len(others) > 0 {
		add(d, d.Addr.String()+"/options", nixgen.Attrs{nixgen.Bind(others, "option-data")})
	}
	return all, names
}

// otherHosts is the class of hosts that are in none with a pool.
func (d *DHCP4) otherHosts() string { return d.Addr.String() + "/others" }

// poolEntries are the pools in Kea's settings.
func (d *DHCP4) poolEntries() nixgen.List {
	out := nixgen.List{}
	add := func(ranges []router.AddrRange, class string) {
		for _, p := range ranges {
			var e nixgen.Attrs
			if class != "" {
				e = append(e, nixgen.Bind(nixgen.List{nixgen.Str(class)}, "client-classes"))
			}
			out = append(out, append(e, nixgen.Bind(nixgen.Str(p.First.String()+" - "+p.Last.String()), "pool")))
		}
	}
	others := ""
	if slices.ContainsFunc(d.Classes, func(c *Class) bool { return len(c.Pool.Items) > 0 }) {
		others = d.otherHosts()
	}
	add(d.Pool.All(), others)
	for _, c := range d.Classes {
		add(c.Pool.All(), c.Addr.String())
	}
	return out
}

// checkClasses adds checks of what hosts of each class are offered.
func (d *DHCP4) checkClasses(r *router.Router, p *verify.Plan, extra additions) {
	for _, c := range d.Classes {
		for i, x := range c.clients(d) {
			d.checkClass(r, p, extra, c, fmt.Sprintf("class.%s/%d", c.Name.V, i+1), x)
		}
	}
}

// checkClass adds those of one client of a class.
func (d *DHCP4) checkClass(r *router.Router, p *verify.Plan, extra additions, c *Class, id string, x client) {
	reserved := slices.ContainsFunc(d.reserved(r), func(f fixedLease) bool { return string(f.mac.V) == x.MAC })
	if len(c.Pool.Items) > 0 && !reserved && !extra.replace("pools") {
		d.pooled(p, id, fmt.Sprintf("a host of %s gets an address of its pool", c.Name.V), c.Pool.Range, x)
	}
	// What a class before it says counts.
	first := func(says func(*Class) bool) bool {
		i := slices.IndexFunc(d.Classes, func(o *Class) bool { return o.holds(x) && says(o) })
		return i >= 0 && d.Classes[i] == c
	}
	for _, o := range c.Options {
		code := o.Name.V.code()
		same := func(other *Option) bool { return other.Name.V.code() == code }
		if extra.gives(o.entry()) || !first(func(other *Class) bool { return slices.ContainsFunc(other.Options, same) }) {
			continue
		}
		ask := x
		ask.Brief = o.Force.V
		d.detailOf(ask, p, fmt.Sprintf("%s/option-%d", id, code), fmt.Sprintf("a host of %s gets %s", c.Name.V, o.Name.V), o.Def,
			o.Name.V.say(hex.EncodeToString(o.bytes())), func(v offer) string { return v.option(o.Name.V) })
	}
	if c.NextServer.Set && first(func(o *Class) bool { return o.NextServer.Set }) {
		d.detailOf(x, p, id+"/next-server", fmt.Sprintf("a host of %s gets the server to boot from", c.Name.V), c.NextServer.Range, c.NextServer.V.String(), offer.nextServer)
	}
	if c.BootFile.Set && first(func(o *Class) bool { return o.BootFile.Set }) {
		d.detailOf(x, p, id+"/boot-file", fmt.Sprintf("a host of %s gets the file to boot", c.Name.V), c.BootFile.Range, string(c.BootFile.V), offer.bootFile)
	}
}

// pooled adds the check that a client is offered an address of the pool that is for it.
func (d *DHCP4) pooled(p *verify.Plan, what, title string, from hcl.Range, x client) {
	ranges := d.poolOf(x)
	want := pool(ranges)
	d.offered(p, what, title, from, x, want, func(o offer) string {
		if a, err := netip.ParseAddr(o.Address); err == nil && slices.ContainsFunc(ranges, func(r router.AddrRange) bool { return r.Contains(a) }) {
			return want
		}
		return o.Address
	})
}
