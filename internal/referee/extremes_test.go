package referee_test

import (
	"crypto/sha256"
	"encoding/json"
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
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
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
type setting struct{ at, value, spec string }

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
					f(setting{name, v, string(spec.Bytes())})
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
	b.SetAttributeRaw(name, out)
}

// schemaErrors has the schema of the released IfState judge many settings at once, and
// prints one line for each that it refuses.
const schemaErrors = `
import json, sys
from jsonschema import FormatChecker, validators
schema, all = (json.load(open(f)) for f in sys.argv[1:])
v = validators.validator_for(schema)(schema, format_checker=FormatChecker())
out = []
for settings in all:
    out.append("\n".join("%s: %s" % (e.json_path, e.message) for e in v.iter_errors(settings)))
json.dump(out, sys.stdout)
`

// TestExtremes sets each attribute of the language to each extreme. What nbr takes, the
// programs take: an attribute that is new comes under it by itself.
func TestExtremes(t *testing.T) {
	t.Parallel()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	dir := library(t)
	seen, attributes, n := map[[32]byte]bool{}, map[string]int{}, 0
	var taken []rolled
	settings(t, func(s setting) {
		n++
		spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(s.spec)}}, nil)
		if attributes[s.at] += 0; diags.HasErrors() {
			return
		}
		if attributes[s.at]++; strings.HasPrefix(s.at, "check.") {
			return // nbr itself reads it
		}
		r := rolled{seed: uint64(n), text: fmt.Sprintf("%s = %.200s", s.at, s.value)}
		sum, texts := sha256.New(), map[string][]byte{}
		for _, f := range spec.Modules() {
			if f.Name == "hardware" { // of firmware and kernel: package firmware's tests
				continue
			}
			texts[f.Name], _ = f.Module.Print()
			fmt.Fprintf(sum, "%s\n%s\n", f.Name, texts[f.Name])
		}
		if key := [32]byte(sum.Sum(nil)); seen[key] {
			return
		} else {
			seen[key] = true
		}
		at := filepath.Join(dir, fmt.Sprint(n))
		if err := os.MkdirAll(filepath.Join(at, "spec"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range texts {
			file := filepath.Join(at, name+".nix")
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
			r.files = append(r.files, file)
		}
		slices.Sort(r.files)
		taken = append(taken, r)
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

	if os.Getenv("NBR_EXTREMES") == "" { // a part of them each day; all with NBR_EXTREMES=1
		i := 0
		taken = slices.DeleteFunc(taken, func(rolled) bool { i++; return i%4 != 0 })
	}
	// What of the configurations each program gets, and which settings gave it.
	configs := map[string]map[string][]string{}
	for some := range slices.Chunk(taken, 40) {
		evaluate(t, some, func(r rolled, g *generated) {
			add := func(program, config string) {
				if configs[program] == nil {
					configs[program] = map[string][]string{}
				}
				configs[program][config] = append(configs[program][config], r.text)
			}
			if settings := g.at("networking", "ifstate", "settings"); settings != nil {
				add("IfState", toJSON(t, settings))
			} else {
				t.Errorf("%s: IfState has no settings", r.text)
			}
			add("nft", ruleset(t, g))
			if g.at("services", "kea", "dhcp4", "enable") == true {
				add("kea-dhcp4", keaJSON(t, g))
			}
			if config, ok := g.at("environment", "etc", "frr/nbr.conf", "text").(string); ok {
				add("vtysh", config)
			}
			if config, ok := g.at("services", "radvd", "config").(string); ok {
				add("radvd", config)
			}
		})
	}
	root, ns := lab.Rootfs(t, lab.Files{"/etc/frr/vtysh.conf": "", "/run/kea/": "", "/var/lib/kea/": ""}), nstest.New(t, "extremes")
	run := func(file string, args ...string) func(string) error {
		return func(config string) error {
			root.Write(t, file, config)
			out, err := root.Try(t, ns, args...)
			if err != nil {
				return fmt.Errorf("%w\n%s", err, out)
			}
			return nil
		}
	}
	kea := run("/tmp/x.json", "kea-dhcp4", "-t", "/tmp/x.json")
	for program, check := range map[string]func(string) error{
		"nft": run("/tmp/x.nft", "nft", "-c", "-f", "/tmp/x.nft"),
		"kea-dhcp4": func(config string) error {
			for _, m := range servedOn.FindAllStringSubmatch(config, -1) { // Kea looks for its interfaces
				_, _ = ns.Try(t, "ip", "link", "add", "name", m[1], "type", "bridge") // it may be there
			}
			return kea(config)
		},
		"vtysh": run("/tmp/x.conf", "vtysh", "-C", "-f", "/tmp/x.conf"),
		"radvd": run("/tmp/radvd.conf", "radvd", "-c", "-C", "/tmp/radvd.conf"),
	} {
		if len(configs[program]) < 2 {
			t.Errorf("%s got %d configurations", program, len(configs[program]))
		}
		if check("}") == nil {
			t.Errorf("%s takes anything", program)
		}
		for config, from := range configs[program] {
			if err := check(config); err != nil {
				t.Errorf("%s refuses %q: %v", program, from, err)
			}
		}
		t.Logf("%s: %d configurations", program, len(configs[program]))
	}
	ifStateTakes(t, configs["IfState"])
}

var servedOn = regexp.MustCompile(`"interface": "([^"]+)"`)

// ifStateTakes judges the settings by IfState's schema, which has to refuse what is wrong.
func ifStateTakes(t *testing.T, configs map[string][]string) {
	t.Helper()
	ifstate := lab.IfState(t)
	var list []json.RawMessage
	var from [][]string
	for config, by := range configs {
		list, from = append(list, json.RawMessage(config)), append(from, by)
	}
	text, err := json.Marshal(append(list, json.RawMessage(`{"interfaces": 1}`)))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	if err := json.Unmarshal([]byte(ifstate.Python(t, schemaErrors, write(t, string(ifstate.Schema(t))), write(t, string(text)))), &out); err != nil {
		t.Fatal(err)
	}
	t.Logf("IfState: %d settings", len(list))
	if len(out) != len(list)+1 || out[len(list)] == "" {
		t.Fatal("the schema takes anything")
	}
	for i, errors := range out[:len(list)] {
		if errors != "" {
			t.Errorf("IfState refuses %q: %s", from[i], errors)
		}
	}
}

// alone are the attributes of which the example takes no value by itself: each goes with
// another argument or a file.
var alone = map[string]bool{
	"bgp.neighbor.network":                      true,
	"bgp.neighbor.password":                     true,
	"check.timeout":                             true,
	"firmware.accept_regulatory_responsibility": true,
	"firmware.atf_source.date":                  true,
	"firmware.atf_source.hash":                  true,
	"firmware.atf_source.repo":                  true,
	"firmware.atf_source.rev":                   true,
	"firmware.atf_source.version":               true,
	"firmware.kernel_source.date":               true,
	"firmware.kernel_source.hash":               true,
	"firmware.kernel_source.repo":               true,
	"host.ipv6":                                 true,
	"router.release":                            true,
	"secret.key":                                true,
	"firmware.kernel_source.rev":                true,
	"firmware.kernel_source.version":            true,
	"firmware.uboot_source.date":                true,
	"firmware.uboot_source.hash":                true,
	"firmware.uboot_source.version":             true,
	"network.gateway":                           true,
	"network.gateway6":                          true,
	"network.interface_id":                      true,
	"network.ipv6":                              true,
	"network.prefix":                            true,
	"network.subnet":                            true,
	"route.network":                             true,
	"router.name_servers":                       true,
	"router_advert.lifetime":                    true,
	"router_advert.mtu":                         true,
	"router_advert.preference":                  true,
	"router_advert.preferred_lifetime":          true,
	"secret.file":                               true,
	"secret.source":                             true,
	"user.hashed_password_file":                 true,
	"wireguard.peer.preshared_key":              true,
}
