package ifstate_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// An overlay is a program of a third party that makes links, addresses, routes, rules and namespaces
// while it runs, and listens at ports that it chooses.
type overlay struct{ conf.Header }

func (o *overlay) Claim(s *router.Scope) {
	router.Claim(s, o.Def, router.OwnLinks{Pattern: `ovl[0-9]+`})
	router.Claim(s, o.Def, router.OwnAddresses{Within: netip.MustParsePrefix("100.64.0.0/10")})
	router.Claim(s, o.Def, router.OwnRoutes{Protocol: 99})
	router.Claim(s, o.Def, router.OwnRules{Protocol: 84})
	router.Claim(s, o.Def, router.OwnNetns{Pattern: `overlay-.*`})
	router.Claim(s, o.Def, router.OwnSockets{Program: "overlayd"})
	router.Claim(s, o.Def, router.OwnPorts{Program: "overlayd", Protocol: router.UDP, Ports: router.PortRange{First: 4322, Last: 4322}})
	router.Claim(s, o.Def, router.OwnPorts{Program: "overlayd", Protocol: router.UDP, Ports: router.PortRange{First: 49142, Last: 65535}})
}
func (o *overlay) Judge(*router.Router) hcl.Diagnostics { return nil }
func (o *overlay) Checks(*router.Router, *verify.Plan)  {}

const ownSpec = `router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}
network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}
zone "lan" {
  networks = [network.lan]
}
`

// What a service says it makes at run time IfState leaves alone, and nbr verify does not call it
// foreign. Without the block IfState would delete it, and it is foreign.
func TestOwnershipIsClaimed(t *testing.T) {
	st := &state.State{
		Links: map[string]state.Link{"ovl0": {Kind: "dummy"}},
		Addrs: []state.Addr{{Link: "lan1", Prefix: "100.64.0.7/32"}},
		Routes: []state.Route{
			{To: "10.99.0.0/16", Link: "lan1", Proto: "openr"},
		},
		Rules: []state.Rule{{Priority: 99, Family: "ipv4", Text: "from all lookup 99", Proto: "ovn"}},
		Listeners: []state.Listener{
			{Protocol: "tcp", Address: "0.0.0.0", Port: 4321, Program: "overlayd"},
			{Protocol: "udp", Address: "0.0.0.0", Port: 4322}, // of a program whose name cannot be seen
			{Protocol: "udp", Address: "0.0.0.0", Port: 50000, Program: "overlayd"},
		},
	}
	kind := service.Kind{Type: "overlay", Doc: "An overlay.", Single: true, New: func() service.Block { return &overlay{} }}
	for _, tt := range []struct {
		name, block string
		foreign     verify.Status
	}{
		{"claimed", "overlay {}\n", verify.Pass},
		{"not claimed", "", verify.Fail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reg := &service.Registry{Kinds: append(all.Kinds(), kind), Boards: firmware.Boards()}
			spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(ownSpec + tt.block)}}, nil)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			text := ""
			for _, m := range spec.Modules() {
				src, _ := m.Module.Print()
				text += string(src)
			}
			text = strings.Join(strings.Fields(text), " ")
			for _, left := range []string{`"ovl[0-9]+"`, `prefix = "100.64.0.0/10"`, `proto = 99`, `proto = 84`, `"overlay-.*"`} {
				if strings.Contains(text, left) != (tt.block != "") {
					t.Errorf("IfState's ignore list has %s: %t", left, tt.block == "")
				}
			}
			results, err := verify.Eval(spec.Plan(), st)
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			for _, r := range results {
				for _, what := range []string{"links", "addresses", "routes", "rules", "listeners"} {
					if r.ID != "interfaces/foreign/"+what {
						continue
					}
					seen++
					if r.Status != tt.foreign {
						t.Errorf("%s is %s, want %s: %s", r.ID, r.Status, tt.foreign, r.Got)
					}
				}
			}
			if seen != 5 {
				t.Errorf("%d of the 5 checks are there", seen)
			}
		})
	}
}

// In a range of ports a socket whose program cannot be seen may be any program's.
func TestUnseenProgramInRange(t *testing.T) {
	kind := service.Kind{Type: "overlay", Doc: "An overlay.", Single: true, New: func() service.Block { return &overlay{} }}
	reg := &service.Registry{Kinds: append(all.Kinds(), kind), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(ownSpec + "overlay {}\n")}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, tt := range []struct {
		l    state.Listener
		want string
	}{
		{state.Listener{Protocol: "udp", Address: "0.0.0.0", Port: 50000, Program: "overlayd"}, "none"},
		{state.Listener{Protocol: "udp", Address: "0.0.0.0", Port: 50000}, "udp/50000"},
		{state.Listener{Protocol: "udp", Address: "0.0.0.0", Port: 4322}, "none"},
		{state.Listener{Protocol: "udp", Address: "0.0.0.0", Port: 4322, Program: "other"}, "udp/4322 other"},
	} {
		results, err := verify.Eval(spec.Plan(), &state.State{Listeners: []state.Listener{tt.l}})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(results, func(r verify.Result) bool { return r.ID == "interfaces/foreign/listeners" })
		if i < 0 || results[i].Got != tt.want {
			t.Errorf("of %v is foreign %v, want %s", tt.l, results, tt.want)
		}
	}
}
