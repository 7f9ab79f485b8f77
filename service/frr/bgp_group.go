package frr

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// BGPGroupKind is the bgp_group block.
func BGPGroupKind() service.Kind {
	return service.Kind{
		Type: "bgp_group", Doc: "Settings that several neighbours of BGP share.",
		Software: "FRR",
		Example: `network "left" {
  link = port.end1
}

network "right" {
  link = port.end2
}

zone "fabric" {
  networks = [network.left, network.right]
}

prefix_list "inner" {
  permit = ["10.0.0.0/8 le 24", "2001:db8::/32 le 64"]
}

prefix_list "own" {
  permit = ["192.168.178.0/24"]
}

bgp_group "spines" {
  remote_as    = 65100
  prefixes_in  = prefix_list.inner
  prefixes_out = prefix_list.own
}

bgp {
  as        = 65001
  router_id = "192.0.2.1"
  networks  = [network.lan]

  neighbor "left" {
    network = network.left
    group   = bgp_group.spines
  }

  neighbor "right" {
    network = network.right
    group   = bgp_group.spines
    expect  = 10
  }
}
`,
		Program: program{}, Probes: probes, New: func() service.Block { return &BGPGroup{} },
	}
}

// BGPGroup is the bgp_group block, a peer group. nbr writes each setting to each neighbour, as a
// peer-group of FRR's takes no remote_as of one's own beside its own, and so a neighbour is compared with
// the spec by itself. FRR sends one update to all that are told the same (bgpd/bgp_updgrp.c), in a
// peer-group or not.
type BGPGroup struct {
	conf.Header
	Name conf.Value[router.Name] `hcl:"name,label"`
	Settings
}

// NamedBy says where the block is named.
func (*BGPGroup) NamedBy() string { return "group of a neighbor of bgp" }

// Claim has nothing to say: what the neighbours need they say.
func (*BGPGroup) Claim(*router.Scope) {}

// Judge finds what is wrong whichever neighbour has it.
func (g *BGPGroup) Judge(*router.Router) hcl.Diagnostics { return g.judge() }

// Checks has nothing to say: each neighbour is compared with its settings.
func (*BGPGroup) Checks(*router.Router, *verify.Plan) {}
