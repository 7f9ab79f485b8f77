package hostapd

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks of hostapd itself: one radio that it cannot use ends it for all.
func (program) Checks(_ *router.Router, blocks []service.Block, p *verify.Plan) {
	first := service.Of[*WiFi](blocks)[0]
	p.UnitActive(first.Addr.String()+"/unit", first.Def, unit+".service")
}

// leastPower is what a radio sends with at least, in hundredths of a dBm. Those of which the maker has
// left the calibration empty have 6 or 7 dBm (openwrt issues 17489 and 18693).
const leastPower = 1000

// Checks ask hostapd what it was told, and the kernel what is on the air.
func (b *WiFi) Checks(_ *router.Router, p *verify.Plan) {
	name := b.device(0)
	hint := "journalctl -u " + unit + " -n 20"
	b.daemon(p, "radio", "access point on "+name, b.Radio.Range, name, "it sends", func(d daemon) (string, bool) {
		switch busy := d.busy(); {
		case d.State == "ENABLED":
			return "it sends", true
		case busy != "":
			return busy, false
		case d.State == "":
			return "hostapd is not on it", true
		}
		return "hostapd says " + d.State, true
	})
	b.daemon(p, "standard", "newest standard on "+name, b.Standard.Range, name, string(b.Standard.V), func(d daemon) (string, bool) {
		return cmp.Or(string(d.Standard), "none"), d.State != ""
	})
	b.air(p, "country", "rules of the country on "+name, b.Country.Range, name, string(b.Country.V), "iw reg get", func(r *probe.Radio) (string, bool) {
		return r.Country, true
	})
	sent := func(what, title string, line hcl.Range, want string, judge func(r *probe.Radio) (string, bool)) {
		b.air(p, what, title+" of "+name, line, name, want, "iw dev "+name+" info; "+hint, func(r *probe.Radio) (string, bool) {
			if !r.AccessPoint || r.Frequency == 0 {
				return "nothing is sent", false
			}
			return judge(r)
		})
	}
	sent("band", "band", b.Band.Range, string(b.Band.V), func(r *probe.Radio) (string, bool) {
		for _, of := range []Band{twoGHz, fiveGHz, sixGHz} {
			if channelAt(of, r.Frequency) != 0 {
				return string(of), true
			}
		}
		return fmt.Sprintf("%d MHz", r.Frequency), true
	})
	channel := "one without radar"
	if b.Channel.Set {
		channel = strconv.Itoa(int(b.Channel.V))
	}
	sent("channel", "channel", b.Channel.Range, channel, func(r *probe.Radio) (string, bool) {
		got := channelAt(b.Band.V, r.Frequency)
		if got == 0 {
			return fmt.Sprintf("%d MHz", r.Frequency), true
		}
		w, ok := widen(b.Band.V, got, max(r.Width, 20))
		switch {
		case !b.Channel.Set && ok && !w.radar(b.Band.V), b.swapped(got):
			return channel, true
		case b.Channel.Set && got != int(b.Channel.V) && b.radar():
			return fmt.Sprintf("%d, as where radar was heard", got), false
		}
		return strconv.Itoa(got), true
	})
	sent("width", "width of the channel", b.Width.Range, fmt.Sprintf("%d MHz", b.width()), func(r *probe.Radio) (string, bool) {
		return fmt.Sprintf("%d MHz", r.Width), true
	})
	b.checkPower(p)
	for i, n := range b.SSIDs {
		b.checkSSID(p, n, b.device(i))
	}
}

// checkPower adds the check of the power. Drivers but the one whose cards it is about may give a number that
// means nothing (mt7921 gives 3 dBm at full power).
func (b *WiFi) checkPower(p *verify.Plan) {
	name, least := b.device(0), dBm(leastPower)
	want, hint := "at least "+least, "iw dev "+name+" info"
	c := verify.Check{ID: b.Addr.String() + "/power", Title: "transmit power of " + name, From: cmp.Or(b.Radio.Range, b.Def)}
	verify.Asked(p, c, radioOf, name, want, hint, func(_ *state.State, a air) verify.Verdict {
		switch r := a.Radio; {
		case r == nil || !r.AccessPoint || r.Frequency == 0:
			return verify.Skipped(want, "nothing is sent", hint)
		case r.Power == 0:
			return verify.Skipped(want, "the driver does not tell", hint)
		case r.Power < leastPower && !strings.HasPrefix(a.Driver, "mt7996"):
			return verify.Skipped(want, dBm(r.Power)+", says "+cmp.Or(a.Driver, "its driver"), hint)
		default:
			return verify.Judge(r.Power >= leastPower, want, dBm(r.Power), hint)
		}
	})
}

// dBm is a power in hundredths of a dBm.
func dBm(power int) string { return fmt.Sprintf("%.2f dBm", float64(power)/100) }

// daemon adds a check of what hostapd says of an interface. Where judge cannot tell, the check is skipped.
func (b *WiFi) daemon(p *verify.Plan, what, title string, line hcl.Range, device, want string, judge func(daemon) (got string, told bool)) {
	hint := "hostapd_cli -p /run/hostapd -i " + device + " status; journalctl -u " + unit + " -n 20"
	c := verify.Check{ID: b.Addr.String() + "/" + what, Title: title, From: cmp.Or(line, b.Def)}
	verify.Asked(p, c, daemonOf, device, want, hint, func(_ *state.State, d daemon) verify.Verdict {
		got, told := judge(d)
		switch {
		case !told && d.State == "":
			return verify.Skipped(want, "hostapd is not on it", hint)
		case !told:
			return verify.Skipped(want, got, hint)
		}
		return verify.Compare(want, got, hint)
	})
}

// air adds a check of what the kernel says of an interface. Where judge cannot tell, the check is skipped.
func (b *WiFi) air(p *verify.Plan, what, title string, line hcl.Range, device, want, hint string, judge func(*probe.Radio) (got string, told bool)) {
	c := verify.Check{ID: b.Addr.String() + "/" + what, Title: title, From: cmp.Or(line, b.Def)}
	verify.Asked(p, c, radioOf, device, want, hint, func(_ *state.State, a air) verify.Verdict {
		if a.Radio == nil {
			return verify.Judge(false, want, "no interface of Wi-Fi is called "+device, hint)
		}
		got, told := judge(a.Radio)
		if !told {
			return verify.Skipped(want, got, hint)
		}
		return verify.Compare(want, got, hint)
	})
}

// settled adds checks of what there is once the radio has its channel: before that, hostapd has not set up
// the interfaces of the other SSIDs, and sends nothing.
func (b *WiFi) settled(p, own *verify.Plan) {
	radio := b.device(0)
	for _, c := range own.Checks {
		judge := c.Eval
		c.Asks = append(c.Asks, daemonOf.Ask(radio))
		c.Eval = func(st *state.State) verify.Verdict {
			v := judge(st)
			if d, err := daemonOf.Answer(st, radio); err == nil && v.Status == verify.Fail && d.busy() != "" {
				return verify.Skipped(v.Want, d.busy(), v.Hint)
			}
			return v
		}
		p.Add(c)
	}
}

// checkSSID adds the checks of a network.
func (b *WiFi) checkSSID(p *verify.Plan, n *SSID, device string) {
	id := b.Addr.String() + "/" + device + "/"
	own := new(verify.Plan)
	b.air(own, device+"/air", device+" is the access point of "+string(n.Name.V), n.Def, device, string(n.Name.V), "iw dev "+device+" info", func(r *probe.Radio) (string, bool) {
		if !r.AccessPoint || r.SSID == "" {
			return "no access point", true
		}
		return probe.Printable(r.SSID), true
	})
	bridge := string(n.Network.Target.Device())
	own.Link(id+"bridge", "bridge of "+device, n.Network.Range, device, bridge, func(l state.Link) string { return cmp.Or(l.Master, "none") })
	if n.BSSID.Set {
		own.Link(id+"bssid", "MAC address of "+device, n.BSSID.Range, device, string(n.BSSID.V), func(l state.Link) string { return l.MAC })
	}
	own.Link(id+"isolated", "isolation of "+device+" in "+bridge, cmp.Or(n.Isolate.Range, n.Def), device, verify.OnOff(n.Isolate.V), func(l state.Link) string {
		if l.Port == nil {
			return "no port of a bridge"
		}
		return verify.OnOff(l.Port.Isolated)
	})
	b.settled(p, own)
	if n.Password.Target != nil {
		checkKept(p, id+"password", "password of "+string(n.Name.V), n.Password.Range, passwordUse{b.device(0), device, n.Password.Target.Location()})
	}
	if of := n.RADIUS.Target; of != nil {
		a := of.Authentication()
		b.daemon(p, device+"/radius", "RADIUS server of "+string(n.Name.V), n.RADIUS.Range, device, a.Server.String(), func(d daemon) (string, bool) {
			if busy := d.busy(); d.RADIUS == "" && busy != "" { // hostapd sets up its client of RADIUS after that
				return busy, false
			}
			return cmp.Or(d.RADIUS, "none"), d.State != ""
		})
		b.daemon(p, device+"/radius/answers", "answers of "+a.Server.String()+" for "+string(n.Name.V), n.RADIUS.Range, device, answers, daemon.answered)
		checkKept(p, id+"radius/secret", "secret of "+a.Server.String()+" for "+string(n.Name.V), n.RADIUS.Range, passwordUse{b.device(0), device, a.File})
	}
	want := schemes[n.Security.V].text()
	b.daemon(p, device+"/security", "security of "+string(n.Name.V), cmp.Or(n.Security.Range, n.Def), device, want, func(d daemon) (string, bool) {
		return d.security(), d.State != ""
	})
}

// answers is what a server has given.
const answers = "answers by the secret"

// answered tells whether the server of an interface has answered, which one knows once a client has come. A server that
// does not know hostapd, or by another secret, is mostly silent (RFC 2865 section 3).
func (d daemon) answered() (got string, told bool) {
	switch busy := d.busy(); {
	case d.RADIUS == "":
		return cmp.Or(busy, "it asks no server"), false
	case d.Answers > d.Forged:
		return answers, true
	case d.Forged > 0:
		return "answers by another secret", true
	case d.Timeouts > 0:
		return "none", true
	case d.Requests > 0:
		return "the first request has no answer yet", false
	}
	return "no client has come yet", false
}

// checkKept adds the check that hostapd was started with what is secret in a file.
func checkKept(p *verify.Plan, id, title string, line hcl.Range, q passwordUse) {
	hint := "systemctl restart " + unit + "; ls -l " + q.File
	verify.Asked(p, verify.Check{ID: id, Title: title, From: line}, passwordOf, q, samePassword, hint, func(_ *state.State, got string) verify.Verdict {
		return verify.Compare(samePassword, got, hint)
	})
}

// text is the scheme for people, as [daemon.security] has it.
func (s scheme) text() string {
	if len(s.keys) == 0 {
		return "no encryption"
	}
	return strings.Join(s.keys, ", ") + " with CCMP"
}

// security is what hostapd does for people.
func (d daemon) security() string {
	if len(d.Keys) == 0 {
		return "no encryption"
	}
	ciphers := strings.Join(d.Pairwise, ", ")
	if d.Group != ciphers {
		ciphers += " and " + d.Group
	}
	return strings.Join(d.Keys, ", ") + " with " + ciphers
}
