package all_test

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/throughput"
)

// A foreign link is one of a third party's: it has nothing that only the core's own types have.
type foreign struct{ name router.IfName }

func (f *foreign) LinkName() router.IfName              { return f.name }
func (f *foreign) Claim(*router.Scope)                  {}
func (f *foreign) Judge(*router.Router) hcl.Diagnostics { return nil }
func (f *foreign) Checks(*router.Router, *verify.Plan)  {}

func (f *foreign) called(said conf.Value[router.IfName], key, label string) hcl.Diagnostics {
	f.name = router.IfName(cmp.Or(string(said.V), key, label))
	return nil
}

// A bridge6 is a third party's bridge. Its block is called switch, which is as long as the core's.
type bridge6 struct {
	conf.Header
	foreign
	Label conf.Value[router.Name]   `hcl:"name,label"`
	Name  conf.Value[router.IfName] `hcl:"name,optional" doc:"As the core's."`
	Ports conf.Refs[router.Link]    `hcl:"ports,optional" doc:"As the core's."`
	Alias conf.Value[router.Alias]  `hcl:"alias,optional" doc:"As the core's."`
	STP   conf.Value[bool]          `hcl:"stp,optional" default:"false" doc:"As the core's."`
	MAC   conf.Value[router.MAC]    `hcl:"mac,optional" doc:"As the core's."`
	MTU   conf.Value[router.MTU]    `hcl:"mtu,optional" doc:"As the core's."`
	VLANs []*router.PortVLANs       `hcl:"vlans,block" doc:"As the core's."`
	PVID  conf.Value[router.VLANID] `hcl:"pvid,optional" doc:"As the core's."`
}

func (b *bridge6) SetName(key string) hcl.Diagnostics { return b.called(b.Name, key, b.Addr.Label()) }

func (b *bridge6) Spec() router.LinkSpec {
	ports := b.Ports
	ports.Items = slices.Clone(ports.Items)
	for _, v := range b.VLANs {
		ports.Items = append(ports.Items, v.Ports.Items...)
		ports.Range = cmp.Or(ports.Range, v.Ports.Range)
	}
	return router.LinkSpec{
		Kind: "bridge", Ports: ports, MAC: b.MAC, Alias: b.Alias, MTU: b.MTU,
		Bridge: &router.BridgeSpec{Ports: b.Ports, STP: b.STP, VLANs: b.VLANs, PVID: b.PVID},
	}
}

// A vlan4 is a third party's VLAN, in a block called qtag.
type vlan4 struct {
	conf.Header
	foreign
	Label    conf.Value[router.Name]         `hcl:"name,label"`
	Name     conf.Value[router.IfName]       `hcl:"name,optional" doc:"As the core's."`
	Link     conf.Ref[router.Link]           `hcl:"link,required" doc:"As the core's."`
	ID       conf.Value[router.VLANID]       `hcl:"id,required" doc:"As the core's."`
	Alias    conf.Value[router.Alias]        `hcl:"alias,optional" doc:"As the core's."`
	Protocol conf.Value[router.VLANProtocol] `hcl:"protocol,optional" default:"802.1q" doc:"As the core's."`
	MAC      conf.Value[router.MAC]          `hcl:"mac,optional" doc:"As the core's."`
	MTU      conf.Value[router.MTU]          `hcl:"mtu,optional" doc:"As the core's."`
}

func (v *vlan4) SetName(key string) hcl.Diagnostics { return v.called(v.Name, key, v.Addr.Label()) }

func (v *vlan4) Spec() router.LinkSpec {
	return router.LinkSpec{Kind: "vlan", On: v.Link, MAC: v.MAC, Alias: v.Alias, MTU: v.MTU, VLAN: &router.VLANSpec{ID: v.ID, Protocol: v.Protocol}}
}

// A made4 is a third party's link that another program makes, in a block called wwan.
type made4 struct {
	conf.Header
	foreign
	Name conf.Value[router.IfName] `hcl:"name,key"`
	MTU  conf.Value[router.MTU]    `hcl:"mtu,optional" doc:"As the core's."`
}

func (e *made4) LinkName() router.IfName { return e.Name.V }

func (e *made4) Spec() router.LinkSpec {
	return router.LinkSpec{MTU: e.MTU, External: true, Cable: true}
}

// A card is a third party's hardware, with what Medium says at its end.
type card struct {
	conf.Header
	foreign
	Name   conf.Value[router.IfName] `hcl:"name,key"`
	Medium conf.Value[string]        `hcl:"medium,optional" doc:"What is at its end."`
}

func (c *card) LinkName() router.IfName { return c.Name.V }

func (c *card) Spec() router.LinkSpec {
	return router.LinkSpec{Kind: "physical", Cable: c.Medium.V == "cable", Radio: c.Medium.V == "radio"}
}

// TestForeignHardware has an access point on a third party's card with a radio, and neighbours at the
// end of the cable of another one, and nowhere else.
func TestForeignHardware(t *testing.T) {
	reg := &service.Registry{Kinds: append(all.Kinds(), foreignKind("card", func() service.Block { return &card{} })), Boards: firmware.Boards()}
	for _, tt := range []struct{ radio, cable, want string }{
		{"radio", "cable", ""},
		{"cable", "cable", "wifi-radio"},
		{"radio", "radio", "lldp-without-cable"},
		{"", "", "lldp-without-cable wifi-radio"},
	} {
		_, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: fmt.Appendf(nil, `router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}
card "wl0" { medium = %q }
card "en0" { medium = %q }
bridge "lan" { ports = [port.lan1] }
network "lan" {
  link = bridge.lan
  ipv4 = "192.0.2.1/24"
}
zone "lan" { networks = [network.lan] }
lldp { links = [card.en0] }
wifi "home" {
  radio   = card.wl0
  band    = "2.4GHz"
  channel = 1
  country = "DE"
  ssid "home" {
    network  = network.lan
    security = "owe"
  }
}
`, tt.radio, tt.cable)}}, nil)
		var got []string
		for _, d := range diags {
			if d.Severity == hcl.DiagError {
				got = append(got, diag.Code(d))
			}
		}
		slices.Sort(got)
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("radio %q, cable %q: %q, want %q\n%v", tt.radio, tt.cable, got, tt.want, diags)
		}
	}
}

func foreignKind(name string, of func() service.Block) service.Kind {
	return service.Kind{
		Type: name, Doc: "A link of a third party's.", New: of,
		Program: service.Alone(name, func(service.Block, *router.Router, *nixgen.Module) {}),
	}
}

// blockRE fits the name of a block type where a block begins or is referred to.
var (
	blockRE   = regexp.MustCompile(`\b(bridge|vlan|link)( "|\.[a-z_])`)
	foreignRE = regexp.MustCompile("\\b(switch|qtag|wwan)( \"|\\.[a-z_]|` (?:says|lists))")
	names     = map[string]string{"bridge": "switch", "vlan": "qtag", "link": "wwan", "switch": "bridge", "qtag": "vlan", "wwan": "link"}
)

func renamed(re *regexp.Regexp, text string) string {
	return re.ReplaceAllStringFunc(text, func(s string) string {
		m := re.FindStringSubmatch(s)
		return names[m[1]] + m[2]
	})
}

// apart are specs of what a type's own name or rank decides.
var apart = []string{
	"bad-interface-name",            // what a block is called is its type's affair
	"link-loop", "link-loop-way-in", // of a loop the link is named that is read first
	"wrong-reference", // what could stand there is listed by types
	"value-unknown",   // a value of a service's block is used in no service
}

// TestForeignAlone has links of a third party's that no block names: hosts at the ports of a bridge talk
// to each other all the same, and what another program makes is left alone. A VLAN does nothing.
func TestForeignAlone(t *testing.T) {
	_, diags := foreignLinks().Load(fstest.MapFS{"router.hcl": {Data: []byte(`router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}
switch "lan" { ports = [port.lan1, port.lan2] }
wwan "wwan0" {}
qtag "v7" {
  link = port.lan3
  id   = 7
}
`)}}, nil)
	if len(diags) != 1 || diag.Code(diags[0]) != "unused" || diags[0].Subject.Start.Line != 9 {
		t.Error(diags)
	}
}

// foreignLinks are the kinds of this build and those of the third party.
func foreignLinks() *service.Registry {
	return &service.Registry{Kinds: append(all.Kinds(),
		foreignKind("switch", func() service.Block { return &bridge6{} }),
		foreignKind("qtag", func() service.Block { return &vlan4{} }),
		foreignKind("wwan", func() service.Block { return &made4{} })), Boards: firmware.Boards()}
}

// TestForeignLinks writes each spec with bridges, VLANs and links of a third party's in place of the
// core's, and wants the same of it: what is said, NixOS's options, checks, and ways of packets.
func TestForeignLinks(t *testing.T) {
	own := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	theirs := foreignLinks()
	judged := 0
	for _, root := range []string{"good", "bad", "routers"} {
		dirs, err := filepath.Glob("../../testdata/" + root + "/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			core, foreign, some := specs(t, dir)
			if !some || slices.Contains(apart, filepath.Base(dir)) {
				continue
			}
			want, got := strings.Split(outcome(own, core), "\n"), strings.Split(renamed(foreignRE, outcome(theirs, foreign)), "\n")
			slices.Sort(want) // the names of types decide the order of some
			slices.Sort(got)
			if d := gocmp.Diff(want, got); d != "" {
				t.Errorf("%s (-core's +third party's):\n%s", dir, d)
			}
			judged++
		}
	}
	if judged < 50 {
		t.Errorf("%d specs have such links", judged)
	}
}

// specs are the files of a spec with the core's links, and with a third party's.
func specs(t *testing.T, dir string) (core, foreign fstest.MapFS, some bool) {
	t.Helper()
	core, foreign = fstest.MapFS{}, fstest.MapFS{}
	src := source.Dir(dir)
	json := false // where a block has another form
	err := fs.WalkDir(src, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := fs.ReadFile(src, name)
		if err != nil {
			return nil // a link out of the folder, of which both then say that it is not there
		}
		text := string(b)
		json = json || path.Ext(name) == ".json"
		core[name] = &fstest.MapFile{Data: b}
		if path.Ext(name) == ".hcl" {
			text = renamed(blockRE, text)
		}
		some = some || text != string(b)
		foreign[name] = &fstest.MapFile{Data: []byte(text)}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return core, foreign, some && !json
}

// outcome is what becomes of a spec, as text.
func outcome(reg *service.Registry, files fs.FS) string {
	var out strings.Builder
	spec, diags := reg.Load(files, nil)
	for _, d := range diags {
		at := ""
		if d.Subject != nil {
			at = d.Subject.String()
		}
		fmt.Fprintln(&out, d.Severity, diag.Code(d), at, d.Summary, diag.Text(d), diag.Others(d))
	}
	if diags.HasErrors() {
		return out.String()
	}
	for _, f := range spec.Modules() {
		fmt.Fprintf(&out, "%s.nix\n%s", f.Name, nixgen.Print(f.Module.Expr()))
	}
	for _, c := range spec.Plan().Checks {
		fmt.Fprintln(&out, c.ID, c.Title, c.From)
	}
	for _, w := range throughput.Ways(spec.Router) {
		fmt.Fprintln(&out, w.Name, w.One, w.Other)
	}
	return out.String()
}
