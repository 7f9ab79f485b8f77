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
		switch d.State {
		case "ENABLED":
			return "it sends", true
		case "DFS":
			return "it listens for radar", false
		case "ACS", "HT_SCAN":
			return "it looks for a channel", false
		case "":
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
	sent := func(what, title string, line hcl.Range, want string, get func(r *probe.Radio) string) {
		b.air(p, what, title+" of "+name, line, name, want, "iw dev "+name+" info; "+hint, func(r *probe.Radio) (string, bool) {
			if !r.AccessPoint || r.Frequency == 0 {
				return "nothing is sent", false
			}
			return get(r), true
		})
	}
	sent("band", "band", b.Band.Range, string(b.Band.V), func(r *probe.Radio) string {
		for _, of := range []Band{twoGHz, fiveGHz, sixGHz} {
			if channelAt(of, r.Frequency) != 0 {
				return string(of)
			}
		}
		return fmt.Sprintf("%d MHz", r.Frequency)
	})
	channel := "one without radar"
	if b.Channel.Set {
		channel = strconv.Itoa(int(b.Channel.V))
	}
	sent("channel", "channel", b.Channel.Range, channel, func(r *probe.Radio) string {
		got := channelAt(b.Band.V, r.Frequency)
		if got == 0 {
			return fmt.Sprintf("%d MHz", r.Frequency)
		}
		if w, ok := widen(b.Band.V, got, max(r.Width, 20)); !b.Channel.Set && ok && !w.radar(b.Band.V) {
			return channel
		}
		return strconv.Itoa(got)
	})
	sent("width", "width of the channel", b.Width.Range, fmt.Sprintf("%d MHz", b.width()), func(r *probe.Radio) string {
		return fmt.Sprintf("%d MHz", r.Width)
	})
	least := fmt.Sprintf("at least %d dBm", leastPower/100)
	sent("power", "transmit power", b.Radio.Range, least, func(r *probe.Radio) string {
		if r.Power >= leastPower {
			return least
		}
		return fmt.Sprintf("%.1f dBm", float64(r.Power)/100)
	})
	for i, n := range b.SSIDs {
		b.checkSSID(p, n, b.device(i))
	}
}

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

// checkSSID adds the checks of a network.
func (b *WiFi) checkSSID(p *verify.Plan, n *SSID, device string) {
	id := b.Addr.String() + "/" + device + "/"
	b.air(p, device+"/air", device+" is the access point of "+string(n.Name.V), n.Def, device, string(n.Name.V), "iw dev "+device+" info", func(r *probe.Radio) (string, bool) {
		if !r.AccessPoint || r.SSID == "" {
			return "no access point", true
		}
		return probe.Printable(r.SSID), true
	})
	bridge := string(n.Network.Target.Device())
	p.Link(id+"bridge", "bridge of "+device, n.Network.Range, device, bridge, func(l state.Link) string { return cmp.Or(l.Master, "none") })
	if n.BSSID.Set {
		p.Link(id+"bssid", "MAC address of "+device, n.BSSID.Range, device, string(n.BSSID.V), func(l state.Link) string { return l.MAC })
	}
	p.Link(id+"isolated", "isolation of "+device+" in "+bridge, cmp.Or(n.Isolate.Range, n.Def), device, verify.OnOff(n.Isolate.V), func(l state.Link) string {
		if l.Port == nil {
			return "no port of a bridge"
		}
		return verify.OnOff(l.Port.Isolated)
	})
	if n.Password.Target != nil {
		q := passwordUse{b.device(0), device, n.Password.Target.Location()}
		c, hint := verify.Check{ID: id + "password", Title: "password of " + string(n.Name.V), From: n.Password.Range}, "systemctl restart "+unit+"; ls -l "+q.File
		verify.Asked(p, c, passwordOf, q, samePassword, hint, func(_ *state.State, got string) verify.Verdict {
			return verify.Compare(samePassword, got, hint)
		})
	}
	want := schemes[n.Security.V].text()
	b.daemon(p, device+"/security", "security of "+string(n.Name.V), cmp.Or(n.Security.Range, n.Def), device, want, func(d daemon) (string, bool) {
		return d.security(), d.State != ""
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
