package ifstate_test

import (
	"cmp"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// A macvlan is a link kind that a third party adds, on another link.
type macvlan struct {
	conf.Header
	Name conf.Value[router.IfName] `hcl:"name,key"`
	Link conf.Ref[router.Link]     `hcl:"link,required" doc:"What it is on."`
	MAC  conf.Value[router.MAC]    `hcl:"mac,optional" doc:"Its address."`
}

func (m *macvlan) LinkName() router.IfName { return m.Name.V }

func (m *macvlan) Spec() router.LinkSpec {
	return router.LinkSpec{Kind: "macvlan", On: m.Link, MAC: m.MAC}
}
func (m *macvlan) Claim(*router.Scope)                  {}
func (m *macvlan) Judge(*router.Router) hcl.Diagnostics { return nil }
func (m *macvlan) Checks(*router.Router, *verify.Plan)  {}
func (m *macvlan) lower(*router.Router, *nixgen.Module) {}

const macvlanSpec = `router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}
macvlan "mv0" {
  link = port.end1
  mac  = "02:00:00:00:00:07"
}
`

// Whatever a service brings is judged like a bridge or a VLAN: of what kind it is, what it
// stands on, its MTU, its address, and whether it is up.
func TestLinksOfServices(t *testing.T) {
	kind := service.Kind{
		Type: "macvlan", Doc: "A macvlan.", Program: service.Alone("macvlan", (*macvlan).lower),
		New: func() service.Block { return &macvlan{} },
	}
	reg := &service.Registry{Kinds: append(all.Kinds(), kind), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(macvlanSpec)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	good := state.Link{Kind: "macvlan", Parent: "end1", MTU: 1500, MAC: "02:00:00:00:00:07", Up: true, Carrier: true}
	change := func(f func(*state.Link)) *state.State {
		l := good
		f(&l)
		return &state.State{Links: map[string]state.Link{"mv0": l}}
	}
	const pass, fail, unknown = verify.Pass, verify.Fail, verify.Unknown
	type verdicts map[string]verify.Status
	for _, tt := range []struct {
		name string
		st   *state.State
		want verdicts
	}{
		{"as it should be", change(func(*state.Link) {}), verdicts{"kind": pass, "link": pass, "mtu": pass, "mac": pass, "up": pass}},
		{"another kind", change(func(l *state.Link) { l.Kind = "ipvlan" }), verdicts{"kind": fail, "link": pass, "mtu": pass, "mac": pass, "up": pass}},
		{"on another link", change(func(l *state.Link) { l.Parent = "wan" }), verdicts{"kind": pass, "link": fail, "mtu": pass, "mac": pass, "up": pass}},
		{"on none", change(func(l *state.Link) { l.Parent = "" }), verdicts{"kind": pass, "link": fail, "mtu": pass, "mac": pass, "up": pass}},
		{"another MTU", change(func(l *state.Link) { l.MTU = 1400 }), verdicts{"kind": pass, "link": pass, "mtu": fail, "mac": pass, "up": pass}},
		{"another address", change(func(l *state.Link) { l.MAC = "02:00:00:00:00:08" }), verdicts{"kind": pass, "link": pass, "mtu": pass, "mac": fail, "up": pass}},
		{"down", change(func(l *state.Link) { l.Up = false }), verdicts{"kind": pass, "link": pass, "mtu": pass, "mac": pass, "up": fail}},
		{"not there", &state.State{Links: map[string]state.Link{}}, verdicts{"kind": fail, "link": fail, "mtu": fail, "mac": fail, "up": fail}},
		{"not looked at", &state.State{}, verdicts{"kind": unknown, "link": unknown, "mtu": unknown, "mac": unknown, "up": unknown}},
	} {
		results, err := verify.Eval(spec.Plan(), tt.st)
		if err != nil {
			t.Fatal(err)
		}
		got := verdicts{}
		for _, r := range results {
			for what := range tt.want {
				if r.ID == "macvlan.mv0/"+what {
					got[what] = r.Status
					if want := cmp.Or(map[string]int{"link": 8, "mac": 9}[what], 7); r.From.Start.Line != want {
						t.Errorf("%s names line %d, not %d", r.ID, r.From.Start.Line, want)
					}
				}
			}
		}
		if d := gocmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}
