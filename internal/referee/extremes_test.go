package referee_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/internal/mistakes"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// extremes are what is written into every attribute, whatever its type: the ends of the
// integers that programs have and one beyond, no text, a long one, and the characters by
// which files of programs end something.
var extremes = []string{
	"-1", "0", "1", "4095", "65535", "65536", "4294967295", "4294967296", "9223372036854775807", "1.5",
	`""`, `"-"`, `"*"`, `"a b"`, `"a\nb"`, `"a\"b"`, `"$${a}"`, `"''"`, `"#a"`, `"a;b"`, `"ü"`, `"` + strings.Repeat("a", 5000) + `"`,
}

var digits = regexp.MustCompile(`[0-9]+`)

// valuesAround are a good value of an attribute and others with one of its numbers at an end.
func valuesAround(good string) []string {
	out := []string{good}
	all := digits.FindAllStringIndex(good, -1)
	for _, at := range all[max(0, len(all)-2):] { // the last two
		for _, n := range []string{"0", "33", "65536", "4294967296"} {
			out = append(out, good[:at[0]]+n+good[at[1]:])
		}
	}
	return out
}

// A setting is an attribute of a block of a spec, and a text of it.
type setting struct {
	at, value, spec string
	free            bool // the user's own words to a program
}

// settings walks over the schema and calls f with the article's router, in which the example
// of each type of block has each attribute set to each extreme.
func settings(t *testing.T, f func(setting)) {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(article, "router.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	parse := func(src string) *hclwrite.File {
		file, diags := hclwrite.ParseConfig([]byte(src), "router.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return file
	}
	for _, typ := range reg.Types() {
		schema := conf.SchemaOf(typ)
		var walk func(path []string, s conf.Schema)
		walk = func(path []string, s conf.Schema) {
			for _, a := range s.Attributes {
				name := strings.Join(path, ".") + "." + a.Name
				good := values[name]
				if good == nil {
					good = values[a.Type]
				}
				list := slices.Clone(extremes)
				if len(good) > 0 {
					list = append(list, valuesAround(good[0])...)
				}
				if a.List {
					for i, v := range list {
						list[i] = "[" + v + "]"
					}
					list = append(list, "[]")
				}
				insert(parse("").Body(), parse(typ.Example).Body(), path, func(b *hclwrite.Body) {
					if own := b.GetAttribute(a.Name); own != nil {
						list = append(list, valuesAround(strings.TrimSpace(string(own.Expr().BuildTokens(nil).Bytes())))...)
					}
				})
				for _, v := range list {
					spec := parse(string(src))
					insert(spec.Body(), parse(typ.Example).Body(), path, func(b *hclwrite.Body) { set(b, a.Name, v) })
					f(setting{name, v, string(spec.Bytes()), mistakes.Free(a)})
				}
			}
			for _, b := range s.Blocks {
				walk(append(slices.Clone(path), b.Type), b)
			}
		}
		walk([]string{typ.Type}, schema)
	}
}

// insert puts an example into a spec, for the blocks of the same names, and calls change with
// the first block at a path, which is made if the example has none.
func insert(spec, example *hclwrite.Body, path []string, change func(*hclwrite.Body)) {
	name := func(b *hclwrite.Block) string {
		if b.Type() == "router" {
			return "router"
		}
		return strings.Join(append([]string{b.Type()}, b.Labels()...), ".")
	}
	body := example
	for i, typ := range path {
		var in *hclwrite.Block
		for _, b := range body.Blocks() {
			if b.Type() == typ && in == nil {
				in = b
			}
		}
		if in == nil {
			in = body.AppendNewBlock(typ, nil)
			if i == 0 {
				panic("an example without its block: " + typ)
			}
		}
		body = in.Body()
	}
	change(body)
	for _, b := range example.Blocks() {
		for _, old := range spec.Blocks() {
			if name(old) == name(b) {
				spec.RemoveBlock(old)
			}
		}
		spec.AppendNewline()
		spec.AppendBlock(b)
	}
}

func set(b *hclwrite.Body, name, value string) {
	tokens, diags := hclsyntax.LexConfig([]byte(value), "", hcl.InitialPos)
	if diags.HasErrors() {
		panic(diags)
	}
	var out hclwrite.Tokens
	for _, tok := range tokens {
		if tok.Type != hclsyntax.TokenEOF {
			out = append(out, &hclwrite.Token{Type: tok.Type, Bytes: tok.Bytes})
		}
	}
	if len(b.Attributes()) == 0 && len(b.Blocks()) == 0 {
		b.AppendNewline() // {} is a line, where an argument has one of its own
	}
	b.SetAttributeRaw(name, out)
}

// TestExtremes sets each attribute of the language to each extreme. What nbr takes, the
// programs take: an attribute that is new comes under it by itself.
func TestExtremes(t *testing.T) {
	t.Parallel()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	dir := library(t)
	seen, attributes, n := map[[32]byte]bool{}, map[string]int{}, 0
	var taken []*made
	settings(t, func(s setting) {
		n++
		files := fstest.MapFS{"router.hcl": {Data: []byte(s.spec)}}
		spec, diags := reg.Load(files, nil)
		if attributes[s.at] += 0; diags.HasErrors() {
			return
		}
		if attributes[s.at]++; strings.HasPrefix(s.at, "check.") {
			return // nbr itself reads it
		}
		sum := sha256.New()
		for _, f := range spec.Modules() {
			if text, _ := f.Module.Print(); f.Name != "hardware" { // of firmware and kernel: package firmware's tests
				fmt.Fprintf(sum, "%s\n%s\n", f.Name, text)
			}
		}
		if key := [32]byte(sum.Sum(nil)); !seen[key] {
			seen[key] = true
			m := makeOf(t, filepath.Join(dir, fmt.Sprint(n)), fmt.Sprintf("%s = %.200s", s.at, s.value), spec, files)
			m.free = s.free
			taken = append(taken, m)
		}
	})
	t.Logf("%d of %d settings are taken and are no repetitions", len(taken), n)
	for _, at := range slices.Sorted(maps.Keys(attributes)) {
		if attributes[at] == 0 && !alone[at] {
			t.Errorf("no value of %s is taken: its example lacks what goes with it", at)
		}
	}
	for at := range alone {
		if attributes[at] > 0 {
			t.Errorf("values of %s are taken", at)
		}
	}

	if os.Getenv("NBR_EXTREMES") == "" { // a part of them each day, of every type of block some; all with NBR_EXTREMES=1
		i, types := 0, map[string]bool{}
		taken = slices.DeleteFunc(taken, func(m *made) bool {
			i++
			typ, _, _ := strings.Cut(m.from, ".")
			first := !types[typ]
			types[typ] = true
			return i%4 != 0 && !first
		})
	}
	judgeMade(t, taken)
}

// alone are the attributes of which the example takes no value by itself: each goes with
// another argument or a file.
var alone = map[string]bool{
	"bgp.neighbor.bfd":                          true,
	"bgp.neighbor.group":                        true,
	"bgp.neighbor.network":                      true,
	"bgp.neighbor.password":                     true,
	"bgp_group.bfd":                             true,
	"bgp_group.network":                         true,
	"bgp_group.password":                        true,
	"bgp.redistribute.metric":                   true, // the example tells none
	"bgp.redistribute.prefixes":                 true,
	"ospf.area.bfd":                             true,
	"ospf.redistribute.metric":                  true,
	"ospf.redistribute.prefixes":                true,
	"rip.redistribute.metric":                   true,
	"rip.redistribute.prefixes":                 true,
	"bridge.pvid":                               true,
	"bridge.vlans.ports":                        true,
	"bridge.vlans.pvid":                         true,
	"bridge.vlans.tagged":                       true,
	"bridge.vlans.untagged":                     true,
	"check.timeout":                             true,
	"dhcp4.option.hex":                          true, // goes without the value of the example
	"dns_zone.dnssec.ksk_lifetime":              true, // goes with parents
	"dhcp4.class.option.hex":                    true, // goes without the value of the example
	"dhcp4.relay.address":                       true, // goes with another pool
	"dhcp4.relay.from":                          true,
	"dhcp4.register_names":                      true, // goes with a zone
	"dhcp6.register_names":                      true,
	"prefix_nat.prefix":                         true, // in place of external
	"prefix_nat.subnet":                         true,
	"wifi.ssid.radius":                          true, // goes with another security
	"dns_zone.primaries":                        true, // in place of the example's records
	"dns_zone.reverse":                          true, // in place of the example's domain
	"dns_zone.public":                           true, // goes with a server on an upstream
	"firmware.accept_regulatory_responsibility": true,
	"firmware.atf_source.date":                  true,
	"firmware.atf_source.hash":                  true,
	"firmware.atf_source.repo":                  true,
	"firmware.atf_source.rev":                   true,
	"firmware.atf_source.version":               true,
	"firmware.kernel_source.date":               true,
	"firmware.kernel_source.hash":               true,
	"firmware.kernel_source.repo":               true,
	"zigbee.ca":                                 true, // goes with a broker with tls
	"mqtt.tls.name":                             true, // the example has no tls
	"mqtt.tls.certificate":                      true,
	"mqtt.tls.key":                              true,
	"ids.capture":                               true, // in place of the example's inspect
	"ids.home":                                  true,
	"host.ipv6":                                 true,
	"router.release":                            true,
	"secret.key":                                true,
	"resolver.tls.name":                         true,
	"resolver.tls.key":                          true,
	"resolver.tls.https":                        true,
	"resolver.tls.certificate":                  true,
	"resolver.blocklist.networks":               true,
	"resolver.dns64.networks":                   true,
	"resolver.blocklist.inputs":                 true,
	"resolver.blocklist.files":                  true,
	"resolver.blocklist.allow":                  true,
	"firmware.kernel_source.rev":                true,
	"firmware.kernel_source.version":            true,
	"firmware.uboot_source.date":                true,
	"firmware.uboot_source.hash":                true,
	"firmware.uboot_source.version":             true,
	"ipsec.ca":                                  true, // in place of the example's psk
	"ipsec.certificate":                         true,
	"ipsec.key":                                 true,
	"network.gateway":                           true,
	"network.gateway6":                          true,
	"network.interface_id":                      true,
	"network.ipv6":                              true,
	"network.prefix":                            true,
	"network.subnet":                            true,
	"policy.schedule":                           true, // a schedule's own example has one
	"port_forward.schedule":                     true,
	"policy.source_nat":                         true, // in place of masquerade, which the example has
	"route.network":                             true,
	"route.next_hop.network":                    true, // there are several, or none
	"route.next_hop.via":                        true,
	"route.next_hop.weight":                     true,
	"rule.network":                              true, // in place of the example's from
	"rule.type":                                 true, // in place of its table
	"sit.mtu":                                   true, // the example's link carries no IPv6 packet in a smaller one
	"router.name_servers":                       true,
	"router_advert.lifetime":                    true,
	"router_advert.mtu":                         true,
	"router_advert.pref64":                      true, // goes with a nat64 block
	"router_advert.preference":                  true,
	"router_advert.preferred_lifetime":          true,
	"secret.file":                               true,
	"secret.source":                             true,
	"user.hashed_password_file":                 true,
	"vxlan.group":                               true,
	"wireguard.peer.preshared_key":              true,
}
