// Package all is the list of what nbr has built in, in the order of the documentation.
package all

import (
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/agent"
	"github.com/nbr-dev/nbr/service/check"
	"github.com/nbr-dev/nbr/service/chrony"
	"github.com/nbr-dev/nbr/service/dhcpcd"
	"github.com/nbr-dev/nbr/service/ifstate"
	"github.com/nbr-dev/nbr/service/kea"
	"github.com/nbr-dev/nbr/service/knot"
	"github.com/nbr-dev/nbr/service/nftables"
	"github.com/nbr-dev/nbr/service/nixos"
	"github.com/nbr-dev/nbr/service/openssh"
	"github.com/nbr-dev/nbr/service/radvd"
	"github.com/nbr-dev/nbr/service/wireguard"
)

// Kinds are the block types of the services.
func Kinds() []service.Kind { return With() }

// With are the built-in kinds and further ones.
func With(more ...service.Kind) []service.Kind {
	return append([]service.Kind{
		nixos.NixKind(),
		nixos.UserKind(),
		nixos.JournalKind(),
		ifstate.Kind(),
		dhcpcd.Kind(),
		wireguard.Kind(),
		nftables.Kind(),
		openssh.Kind(),
		knot.ResolverKind(),
		kea.DHCP4Kind(),
		radvd.Kind(),
		chrony.Kind(),
		agent.Kind(),
		check.Kind(),
		firmware.Kind(),
	}, more...)
}
