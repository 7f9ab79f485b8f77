package kea

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks look at the unit, and at what a client without a reservation and each host with one
// are offered when they ask: a server can run and listen nowhere.
func (d *DHCP4) Checks(r *router.Router, p *verify.Plan) {
	p.UnitActive(d.Addr.String()+"/unit", d.Def, "kea-dhcp4-server.service")
	if d.Register.V {
		d.registrar().check(r, p)
	}
	extra := d.additions(r)
	if extra.replace("subnet", "interface", "relay", "client-class", "client-classes", "require-client-classes", "evaluate-additional-classes") {
		return // the user's additions make another network of it, or not for all clients
	}
	if !extra.replace("pools") {
		d.pooled(p, "offer", "a client gets an address of the pool", d.Pool.Range, d.newClient(""))
	}
	from := d.Network.Range
	d.detail(p, "prefix", "clients get the network's prefix", from, "/"+strconv.Itoa(d.prefix().Bits()), func(o offer) string { return "/" + strconv.Itoa(o.Prefix) })
	for _, opt := range extra.kept() {
		want := optionPart(opt, "data")
		switch optionPart(opt, "name") {
		case "routers":
			at := from
			for _, o := range d.Options {
				if o.Name.V == "routers" {
					at = o.Def
				}
			}
			d.detail(p, "router", "clients get the router as their gateway", at, want, func(o offer) string { return strings.Join(o.Routers, ", ") })
		case "domain-name-servers":
			d.detail(p, "dns", "clients get name servers", cmp.Or(d.DNS.Range, from), want, func(o offer) string { return strings.Join(o.DNS, ", ") })
		case "domain-name":
			d.detail(p, "domain", "clients get a domain", cmp.Or(d.Domain.Range, d.Network.Target.Domain.Range), want, func(o offer) string { return o.Domain })
		}
	}
	if !extra.replace("valid-lifetime", "min-valid-lifetime", "max-valid-lifetime") {
		seconds := func(n int64) string { return fmt.Sprintf("%d s", n) }
		d.detail(p, "lease", "leases last as long as they should", cmp.Or(d.Lease.Range, d.Def), seconds(int64(d.Lease.V)), func(o offer) string { return seconds(o.Lease) })
	}
	d.rest(p, extra)
	d.checkClasses(r, p, extra)
	if extra.replace("reservations") {
		return
	}
	for _, res := range d.reserved(r) {
		what := "reservation/" + string(res.name)
		if res.Addr.Type == "host" {
			what = res.Addr.String()
		}
		d.offered(p, what, fmt.Sprintf("%s gets %s", res.name, res.addr.V), res.addr.Range,
			d.newClient(string(res.mac.V)), res.addr.V.String(), func(o offer) string { return o.Address })
	}
}

// rest adds checks of the options that the spec names, and of what hosts boot.
func (d *DHCP4) rest(p *verify.Plan, extra additions) {
	kept := extra.kept()
	for _, o := range d.Options {
		code := strconv.Itoa(o.Name.V.code())
		if o.Name.V == "routers" || !slices.ContainsFunc(kept, func(k nixgen.Expr) bool { return optionKey(k) == optionKey(o.entry()) }) {
			continue // it is checked as the gateway, or is the user's own
		}
		c := d.newClient("")
		c.Brief = o.Force.V
		d.detailOf(c, p, "option-"+code, fmt.Sprintf("clients get %s", o.Name.V), o.Def, o.Name.V.say(hex.EncodeToString(o.bytes())), func(v offer) string { return v.option(o.Name.V) })
	}
	if d.V6Only.Set {
		c := d.newClient("")
		c.V6Only = true
		const name = OptionName("v6-only-preferred")
		d.offered(p, "v6-only", "hosts that can live without IPv4 are told for how many seconds", d.V6Only.Range, c, strconv.Itoa(int(d.V6Only.V)), func(o offer) string { return o.option(name) })
	}
	if d.NextServer.Set && !extra.replace("next-server") {
		d.detail(p, "next-server", "clients get the server to boot from", d.NextServer.Range, d.NextServer.V.String(), offer.nextServer)
	}
	if d.BootFile.Set && !extra.replace("boot-file-name") {
		d.detail(p, "boot-file", "clients get the file to boot", d.BootFile.Range, string(d.BootFile.V), offer.bootFile)
	}
	for _, b := range d.Boot {
		for _, a := range b.Architectures.Items {
			c := d.newClient("")
			c.Arch = strconv.Itoa(int(a.V))
			d.offered(p, fmt.Sprintf("boot.%s/%d", b.Name.V, a.V), fmt.Sprintf("hosts of architecture %d get their file", a.V), a.Range, c, string(b.File.V), offer.bootFile)
		}
	}
}

// offered adds a check of what a client is offered. No offer is a failure.
func (d *DHCP4) offered(p *verify.Plan, what, title string, from hcl.Range, c client, want string, get func(offer) string) {
	d.judge(p, what, title, from, c, want, func(o offer, hint string) verify.Verdict {
		if !o.Answered {
			return verify.Verdict{Status: verify.Fail, Want: want, Got: "no offer", Hint: hint}
		}
		return verify.Compare(want, get(o), hint)
	})
}

// detail adds a check of one part of the offer to a client without a reservation. Where there is no offer,
// that has been said.
func (d *DHCP4) detail(p *verify.Plan, what, title string, from hcl.Range, want string, get func(offer) string) {
	d.detailOf(d.newClient(""), p, what, title, from, want, get)
}

// detailOf adds a check of one part of the offer to a client.
func (d *DHCP4) detailOf(c client, p *verify.Plan, what, title string, from hcl.Range, want string, get func(offer) string) {
	d.judge(p, "offer/"+what, title, from, c, want, func(o offer, hint string) verify.Verdict {
		if !o.Answered {
			return verify.NotSeen(want, hint)
		}
		return verify.Compare(want, get(o), hint)
	})
}

func (d *DHCP4) judge(p *verify.Plan, what, title string, from hcl.Range, c client, want string, judge func(offer, string) verify.Verdict) {
	hint := "journalctl -u kea-dhcp4-server -n 20"
	check := verify.Check{ID: d.Addr.String() + "/" + what, Title: title, From: from}
	verify.AskedOn(p, check, c.Link, offerTo, c, want, hint, func(_ *state.State, o offer) verify.Verdict { return judge(o, hint) })
}

// newClient is a client in the network.
func (d *DHCP4) newClient(mac string) client {
	c := client{Link: string(d.Network.Target.Device()), MAC: mac}
	if d.Relay != nil {
		c.Relay = d.prefix().Addr().String()
	}
	return c
}

// pool is what a client without a reservation may get, for people.
func pool(all []router.AddrRange) string {
	var ranges []string
	for _, r := range all {
		ranges = append(ranges, r.String())
	}
	return "an address of " + strings.Join(ranges, ", ")
}
