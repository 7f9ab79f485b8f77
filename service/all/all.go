// Package all is the list of the kinds of blocks that nbr has built in. Only a program
// that is composed, and tests, import it: cmd/nbr, and the main package of a third party,
// which appends its own kinds.
package all

import (
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/agent"
	"github.com/nbr-dev/nbr/service/asterisk"
	"github.com/nbr-dev/nbr/service/avahi"
	"github.com/nbr-dev/nbr/service/bond"
	"github.com/nbr-dev/nbr/service/check"
	"github.com/nbr-dev/nbr/service/chrony"
	"github.com/nbr-dev/nbr/service/dhcpcd"
	"github.com/nbr-dev/nbr/service/dummy"
	"github.com/nbr-dev/nbr/service/exporter"
	"github.com/nbr-dev/nbr/service/freeradius"
	"github.com/nbr-dev/nbr/service/frr"
	"github.com/nbr-dev/nbr/service/hostapd"
	"github.com/nbr-dev/nbr/service/ifstate"
	"github.com/nbr-dev/nbr/service/kea"
	"github.com/nbr-dev/nbr/service/knot"
	"github.com/nbr-dev/nbr/service/knotdns"
	"github.com/nbr-dev/nbr/service/lldpd"
	"github.com/nbr-dev/nbr/service/miniupnpd"
	"github.com/nbr-dev/nbr/service/mosquitto"
	"github.com/nbr-dev/nbr/service/nat64"
	"github.com/nbr-dev/nbr/service/nftables"
	"github.com/nbr-dev/nbr/service/nixos"
	"github.com/nbr-dev/nbr/service/openssh"
	"github.com/nbr-dev/nbr/service/pppoe"
	"github.com/nbr-dev/nbr/service/radvd"
	"github.com/nbr-dev/nbr/service/shaper"
	"github.com/nbr-dev/nbr/service/snmpd"
	"github.com/nbr-dev/nbr/service/strongswan"
	"github.com/nbr-dev/nbr/service/suricata"
	"github.com/nbr-dev/nbr/service/tunnel"
	"github.com/nbr-dev/nbr/service/uplink"
	"github.com/nbr-dev/nbr/service/veth"
	"github.com/nbr-dev/nbr/service/vrf"
	"github.com/nbr-dev/nbr/service/vxlan"
	"github.com/nbr-dev/nbr/service/wireguard"
	"github.com/nbr-dev/nbr/service/zigbee2mqtt"
)

// Kinds are the built-in kinds, in the order of the documentation, which is of no other
// meaning.
func Kinds() []service.Kind {
	return []service.Kind{
		nixos.NixKind(),
		nixos.UserKind(),
		nixos.JournalKind(),
		ifstate.Kind(),
		dhcpcd.Kind(),
		bond.Kind(), dummy.Kind(), veth.Kind(), vrf.Kind(), vxlan.Kind(), pppoe.Kind(), tunnel.GRE(), tunnel.SIT(), tunnel.IP6Tnl(), strongswan.XFRMKind(), shaper.Kind(),
		uplink.Kind(),
		nat64.Kind(),
		wireguard.Kind(),
		strongswan.Kind(),
		frr.BGPKind(), frr.BGPGroupKind(), frr.OSPFKind(), frr.RIPKind(), frr.BFDKind(), frr.PrefixListKind(),
		nftables.Kind(),
		miniupnpd.Kind(),
		suricata.Kind(),
		openssh.Kind(),
		knot.ResolverKind(),
		knotdns.ServerKind(), knotdns.ZoneKind(), knotdns.PeerKind(), knotdns.CatalogKind(),
		kea.DHCP4Kind(), kea.DHCP6Kind(),
		radvd.Kind(),
		chrony.Kind(),
		lldpd.Kind(),
		snmpd.Kind(),
		freeradius.Kind(), freeradius.ServerKind(),
		exporter.Kind(),
		asterisk.Kind(),
		avahi.Kind(),
		mosquitto.Kind(),
		zigbee2mqtt.Kind(),
		hostapd.Kind(),
		agent.Kind(),
		check.Kind(),
		firmware.Kind(),
	}
}
