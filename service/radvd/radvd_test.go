package radvd

import (
	"encoding/hex"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/packet"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// later are keywords that a radvd of the lab may not have yet.
var later = map[string]bool{
	"removeadvonexit": true, "advdhcpv6pdpreferred": true, "advsnacrouterflag": true, "advrdnssopen": true, "advrdnsspreference": true,
}

// TestNames asks radvd itself which names it reads.
func TestNames(t *testing.T) {
	root, ns := lab.Rootfs(t, nil), nstest.New(t, "router")
	reads := func(device, domain string) bool {
		root.Write(t, "/etc/radvd.conf", "interface "+device+" { AdvSendAdvert on; prefix 2001:db8::/64 { }; DNSSL "+domain+" { AdvDNSSLLifetime 600; }; };\n")
		_, err := root.Try(t, ns, "radvd", "-c", "-C", "/etc/radvd.conf")
		return err == nil
	}
	for word := range keywords {
		if later[word] {
			continue
		}
		for _, w := range []string{word, strings.ToUpper(word)} {
			if readable(w) || reads(w, "example") || reads("lan1", w) {
				t.Errorf("%q: radvd reads it, or nbr thinks so", w)
			}
		}
	}
	for _, w := range []string{"lan1", "br-lan", "eth0.100", "_x", "10g", "cafe", "fe80", "home", "prefixes", "adv", "0", "10", "4294967296", "1.2"} {
		if got := reads(w, "example"); got != readable(w) {
			t.Errorf("interface %q: radvd %t", w, got)
		}
	}
	for _, w := range []string{"lan", "example.org", "home.arpa", "A-b", "10g", "on.example", "a_b.example", "_x", "10", "1.2"} {
		if got := reads("lan1", w); got != readableDomain(w) {
			t.Errorf("domain %q: radvd %t", w, got)
		}
	}
}

// header is an IPv6 header and that of an advertisement, for options of so many bytes.
func header(options int) []byte {
	b := []byte{0x60, 0, 0, 0, 0, byte(16 + options), 58, 255}
	from, to := netip.MustParseAddr("fe80::1").As16(), netip.MustParseAddr("ff02::1").As16()
	b = append(append(b, from[:]...), to[:]...)
	return append(b, 134, 0, 0, 0, 64, 0xc8, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0)
}

func advertisement(options string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(options, " ", ""))
	if err != nil {
		panic(err)
	}
	return append(header(len(b)), b...)
}

const (
	prefixText = "0304 40c0 00001518 00000a8c 00000000 20010db8000100000000000000000000"
	rdnssText  = "1905 0000 00000708 20010db8000000000000000000000053 20010db8000000000000000000000054"
	dnsslText  = "1f03 0000 00000708 036c616e 076578616d706c65 00 00 00 00"
)

func TestParse(t *testing.T) {
	whole := advert{Answered: true, Lifetime: 1800, Preference: "high", Managed: true, Other: true}
	full := whole
	full.MTU, full.Prefixes = 1400, []prefix{{"2001:db8:1::/64", true, true, 5400, 2700}}
	full.DNS, full.Domains = []named{{"2001:db8::53", 1800}, {"2001:db8::54", 1800}}, []named{{"lan.example", 1800}}
	translated := whole
	translated.PREF64 = []named{{"64:ff9b::/96", 1800}, {"2001:db8:64::/64", 65528}, {"2001:db8::/32", 0}}
	routes := whole
	routes.Routes = []named{{"::/0", 1800}, {"fd00:1::/48", 1800}, {"2001:db8:0:1::1/128", 0}}
	for options, want := range map[string]*advert{
		"1801 0000 00000708" + "1802 3000 00000708 fd00000100000000" + "1803 8000 00000000 20010db8000000010000000000000001": &routes,
		"1801 0100 00000708":                                                    nil, // a bit of a prefix that is not there
		"1802 4100 00000708 fd00000100000000":                                   nil,
		"1803 8100 00000708 20010db8000000010000000000000001":                   nil,
		"1804 3000 00000708 fd00000100000000 0000000000000000 0000000000000000": nil,
		"": &whole,
		// RFC 8781 section 4: the lifetime in units of 8 s, then three bits for the length.
		"2602 0708 0064ff9b0000000000000000" + "2602 fff9 20010db80064000000000000" + "2602 0005 20010db8ffffffffffffffff": &translated,
		"2602 0706 0064ff9b0000000000000000":                                            nil, // of no length
		"2603 0708 0064ff9b0000000000000000 0000000000000000":                           nil,
		"2601 0708 0064ff9b":                                                            nil,
		"0501 0000 00000578" + prefixText + rdnssText + dnsslText + "6301 000000000000": &full,

		"0500 0000 00000578":                                    nil, // an option without a length
		"0502 0000 00000578":                                    nil, // longer than the packet
		"0502 0000 00000578 0000000000000000":                   nil, // an MTU of 16 bytes
		"0303 40c0 00001518 00000a8c 00000000 20010db800010000": nil,
		"1901 0000 00000708":                                    nil, // no server
		"1904 0000 00000708 20010db8000000000000000000000053 0000000000000000": nil,
		"1f02 0000 00000708 ff6c616e00000000":                                  nil, // a label that does not end
		"1f02 0000 00000708 076c616e00000000":                                  nil, // a name that does not end
		"0501 0000 000005":                                                     nil,
	} {
		r, err := parse(advertisement(options))
		if (err == nil) != (want != nil) {
			t.Errorf("%q: %v", options, err)
		} else if want != nil {
			if d := cmp.Diff(*want, r.advert); d != "" || r.from.String() != "fe80::1" {
				t.Errorf("%q from %s (-want +got):\n%s", options, r.from, d)
			}
		}
	}
	// What no host would take (RFC 4861 section 6.1.2).
	for what, wreck := range map[string]func([]byte){
		"hop limit": func(b []byte) { b[7] = 254 },
		"source":    func(b []byte) { b[8] = 0x20 },
		"code":      func(b []byte) { b[41] = 1 },
		"type":      func(b []byte) { b[40] = 133 },
		"version":   func(b []byte) { b[0] = 0x45 },
		"length":    func(b []byte) { b[5]++ },
		"short":     func(b []byte) { b[5] = 8 },
	} {
		b := advertisement(prefixText)
		wreck(b)
		if _, err := parse(b); err == nil {
			t.Errorf("taken with another %s", what)
		}
	}
}

// TestSolicitation has the bytes of a solicitation whose checksum was computed by the kernel's
// rule: the sum over all of it, checksum included, is 0.
func TestSolicitation(t *testing.T) {
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	for from, size := range map[netip.Addr]int{packet.LinkLocal(mac): 16, netip.IPv6Unspecified(): 8} {
		f := solicitation(mac, from)
		if len(f) != 14+40+size || f[12] != 0x86 || f[13] != 0xdd {
			t.Fatalf("% x", f)
		}
		sum := uint32(size + packet.ICMPv6) // the rest of the pseudo header (RFC 8200 section 8.1)
		for i := 22; i < len(f); i += 2 {
			sum += uint32(f[i])<<8 | uint32(f[i+1])
		}
		if sum = sum>>16 + sum&0xffff; sum != 0xffff {
			t.Errorf("from %s: the sum is %x", from, sum)
		}
	}
	if got := packet.LinkLocal(mac).String(); got != "fe80::ff:fe00:1" {
		t.Error(got)
	}
}

// Whatever comes over a wire, what is read of it can be printed and has no time below 0.
func FuzzParse(f *testing.F) {
	f.Add(advertisement(prefixText + rdnssText + dnsslText))
	f.Add(advertisement("1f02 0000 00000708 0461 0a 2e 20 00 00 00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parse(b)
		if err != nil {
			return
		}
		for _, d := range r.advert.Domains {
			if d.Name == "" || strings.ContainsFunc(d.Name, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
				t.Errorf("domain %q", d.Name)
			}
		}
		for _, p := range r.advert.Prefixes {
			if q, err := netip.ParsePrefix(p.Prefix); err != nil || q != q.Masked() || p.Valid < 0 || p.Preferred < 0 {
				t.Errorf("%+v", p)
			}
		}
	})
}
