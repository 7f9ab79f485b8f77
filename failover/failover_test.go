package failover_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/failover"
)

// A line follows rounds: g is one with an answer, b one without, l is a lost carrier; what comes
// of each is up (U), failed (F) or not known (?).
func TestLine(t *testing.T) {
	u := &failover.Uplink{Failures: 3, Successes: 2}
	for _, tt := range []struct{ does, want string }{
		{"g", "U"},
		{"b", "F"}, // the first decides
		{"gbb", "UUU"},
		{"gbbb", "UUUF"},
		{"gbbgbbg", "UUUUUUU"},
		{"bg", "FF"},
		{"bgg", "FFU"},
		{"bgbg", "FFFF"},
		{"gl", "UF"},
		{"glg", "UFF"},
		{"glgg", "UFFU"},
		{"gbbbgg", "UUUFFU"},
		{"l", "?"},
		{"llg", "??U"},
		{"lb", "?F"}, // at boot a lease takes a while
		{"blg", "FFF"},
		{"bglg", "FFFF"},
		{"bglgg", "FFFFU"}, // rounds in a row
	} {
		var l failover.Line
		got := ""
		for i, c := range tt.does {
			now := time.Unix(int64(i+1), 0)
			switch c {
			case 'g':
				l = l.After(failover.Round{OK: true}, u, now)
			case 'b':
				l = l.After(failover.Round{Why: "no answer"}, u, now)
			case 'l':
				l = l.Lost("no carrier", now)
			}
			switch {
			case !l.Known:
				got += "?"
			case l.Up:
				got += "U"
			default:
				got += "F"
			}
			if n := len(got); l.Known && (n == 1 || got[n-1] != got[n-2]) && !l.Since.Equal(now) {
				t.Errorf("%s: changed at %d and says %s", tt.does, i+1, l.Since)
			}
			if l.Up && l.Why != "" || !l.Up && l.Why == "" {
				t.Errorf("%s: up is %t, why is %q", tt.does[:i+1], l.Up, l.Why)
			}
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.does, got, tt.want)
		}
	}
}

func three() failover.Config {
	probe := []failover.Probe{{Kind: "icmp", Target: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), 0)}}
	var c failover.Config
	for i, name := range []string{"a", "b", "c"} {
		c.Uplinks = append(c.Uplinks, failover.Uplink{
			Name: name, Link: "eth" + name, Priority: 2*i + 1, Families: failover.Families(), Probes: probe, Interval: 1, Failures: 1, Successes: 1,
		})
	}
	return c
}

// Each case is the lines of the three uplinks: up (U), failed (F), not judged (?) or without a
// way (-).
func TestChoose(t *testing.T) {
	for lines, want := range map[string]string{
		"UUU": "a", "FUU": "b", "FFU": "c", "UFF": "a",
		"FFF": "a", // probes may be wrong
		"-FF": "b", "-UU": "b", "--F": "c",
		"?UU": "", "U?F": "", "F-?": "", // not known yet
		"---": "",
	} {
		c, v := three(), failover.View{Ways: map[string]map[failover.Family]failover.Way{}}
		is := map[string]failover.Line{}
		for i, u := range c.Uplinks {
			if lines[i] != '-' {
				v.Ways[u.Name] = map[failover.Family]failover.Way{failover.IPv4: {Link: u.Link}}
			}
			is[u.Name] = failover.Line{Known: lines[i] != '?', Up: lines[i] == 'U'}
		}
		if got := c.Choose(failover.IPv4, v, func(name string) failover.Line { return is[name] }); got != want {
			t.Errorf("%s: %q, want %q", lines, got, want)
		}
	}
}

func TestRoutesAndRules(t *testing.T) {
	c := three()
	c.Uplinks = c.Uplinks[:2]
	c.Uplinks[1].Prefixes = []netip.Prefix{netip.MustParsePrefix("2001:db8:b::/48")}
	v := failover.View{
		Ways: map[string]map[failover.Family]failover.Way{
			"a": {failover.IPv4: {Link: "ppp0"}},
			"b": {failover.IPv4: {Link: "ethb", Via: netip.MustParseAddr("192.0.2.1")}, failover.IPv6: {Link: "ethb", Via: netip.MustParseAddr("fe80::1")}},
		},
		Sources: map[string][]netip.Prefix{
			"a": {netip.MustParsePrefix("203.0.113.2/32"), netip.MustParsePrefix("203.0.113.2/32")},
			"b": {netip.MustParsePrefix("2001:db8:c::/64"), netip.MustParsePrefix("192.0.2.2/32")},
		},
	}
	var got []string
	for _, r := range c.Routes(v, map[failover.Family]string{failover.IPv4: "a"}) {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %d metric %d %s %s", r.Family, r.Table, r.Metric, r.Link, r.Via)))
	}
	for _, r := range c.Rules(v) {
		got = append(got, fmt.Sprintf("%s %d: %s", r.Family, r.Priority, r))
	}
	want := []string{
		"ipv4 0 metric 1 ppp0 invalid IP",
		"ipv4 131 metric 1 ppp0 invalid IP",
		"ipv4 131 metric 2  invalid IP",
		"ipv4 133 metric 1 ethb 192.0.2.1",
		"ipv4 133 metric 2  invalid IP",
		"ipv6 131 metric 2  invalid IP",
		"ipv6 133 metric 1 ethb fe80::1",
		"ipv6 133 metric 2  invalid IP",
		"ipv4 13500: from all lookup main suppress_prefixlength 0",
		"ipv4 13511: from all fwmark 0x83 lookup 131",
		"ipv4 13601: from 203.0.113.2 lookup 131",
		"ipv4 13513: from all fwmark 0x85 lookup 133",
		"ipv4 13603: from 192.0.2.2 lookup 133",
		"ipv6 13500: from all lookup main suppress_prefixlength 0",
		"ipv6 13511: from all fwmark 0x83 lookup 131",
		"ipv6 13513: from all fwmark 0x85 lookup 133",
		"ipv6 13603: from 2001:db8:b::/48 lookup 133",
		"ipv6 13603: from 2001:db8:c::/64 lookup 133",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestProbes(t *testing.T) {
	for text, want := range map[string]string{
		"icmp:192.0.2.1":           "icmp:192.0.2.1",
		"icmp:2001:db8::1":         "icmp:2001:db8::1",
		"icmp:[2001:db8::1]":       "icmp:2001:db8::1",
		"dns:192.0.2.1":            "dns:192.0.2.1",
		"dns:192.0.2.1:53":         "dns:192.0.2.1",
		"dns:2001:db8::53":         "dns:2001:db8::53",
		"dns:[2001:db8::53]:5353":  "dns:[2001:db8::53]:5353",
		"tcp:192.0.2.1:443":        "tcp:192.0.2.1:443",
		"tcp:[2001:db8::1]:443":    "tcp:[2001:db8::1]:443",
		"":                         "",
		"192.0.2.1":                "",
		"http:192.0.2.1":           "",
		"icmp:":                    "",
		"icmp:example.com":         "",
		"icmp:192.0.2.1:80":        "",
		"icmp:fe80::1%eth0":        "",
		"icmp:fe80::1":             "",
		"icmp:224.0.0.1":           "",
		"icmp:127.0.0.1":           "",
		"icmp:0.0.0.0":             "",
		"icmp:255.255.255.255":     "",
		"icmp:::ffff:192.0.2.1":    "",
		"tcp:192.0.2.1":            "",
		"tcp:192.0.2.1:0":          "",
		"tcp:192.0.2.1:65536":      "",
		"tcp:2001:db8::1":          "",
		"dns:resolver.example.com": "",
	} {
		p, err := failover.ParseProbe(text)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is read as %s", text, p)
		case want != "" && (err != nil || p.String() != want):
			t.Errorf("%q is read as %s (%v)", text, p, err)
		case want != "":
			b, err := json.Marshal(p)
			var again failover.Probe
			if err != nil || json.Unmarshal(b, &again) != nil || again != p {
				t.Errorf("%q does not survive JSON: %s", text, b)
			}
		}
	}
}

// A version of IP without probes of its own is judged by all.
func TestProbesOf(t *testing.T) {
	u := failover.Uplink{}
	for _, text := range []string{"icmp:192.0.2.1", "dns:2001:db8::1", "icmp:192.0.2.2"} {
		p, err := failover.ParseProbe(text)
		if err != nil {
			t.Fatal(err)
		}
		u.Probes = append(u.Probes, p)
	}
	if n, m := len(u.ProbesOf(failover.IPv4)), len(u.ProbesOf(failover.IPv6)); n != 2 || m != 1 {
		t.Errorf("%d of IPv4 and %d of IPv6", n, m)
	}
	u.Probes = u.Probes[:1]
	if n := len(u.ProbesOf(failover.IPv6)); n != 1 {
		t.Errorf("%d instead of IPv6's", n)
	}
}

func TestDelegated(t *testing.T) {
	d := failover.Delegated{Link: "lan", Length: 56, Subnet: 3, ID: netip.MustParseAddr("::1")}
	for a, want := range map[string]bool{
		"2001:db8:0:5503::1": true, "2001:db8:0:3::1": true,
		"2001:db8:0:5504::1": false, "2001:db8:0:5503::2": false, "fd00:0:0:3::1": false, "fe80::1": false, "192.0.2.1": false,
	} {
		if got := d.Has(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %t", a, got)
		}
	}
	d = failover.Delegated{Length: 64, ID: netip.MustParseAddr("::1")}
	if !d.Has(netip.MustParseAddr("2001:db8:1:2::1")) {
		t.Error("the one network of a /64")
	}
}

func TestCheck(t *testing.T) {
	if err := three().Check(); err != nil {
		t.Error(err)
	}
	for _, wrong := range []func(*failover.Config){
		func(c *failover.Config) { c.Uplinks = nil },
		func(c *failover.Config) { c.Uplinks[1].Name = "" },
		func(c *failover.Config) { c.Uplinks[1].Link = "" },
		func(c *failover.Config) { c.Uplinks[1].Priority = 1 },
		func(c *failover.Config) { c.Uplinks[1].Priority = 0 },
		func(c *failover.Config) { c.Uplinks[1].Priority = 17 },
		func(c *failover.Config) { c.Uplinks[1].Probes = nil },
		func(c *failover.Config) { c.Uplinks[1].Interval = 0 },
		func(c *failover.Config) { c.Uplinks[1].Failures = 0 },
		func(c *failover.Config) { c.Uplinks[1].Successes = 0 },
	} {
		c := three()
		if wrong(&c); c.Check() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
