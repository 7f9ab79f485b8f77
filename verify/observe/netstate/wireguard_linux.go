package netstate

import (
	"slices"

	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/nbr-dev/nbr/verify/state"
)

// WireGuard is all tunnels, without their private keys. It needs CAP_NET_ADMIN if there is one. A kernel that has never had
// one does not know the netlink family, and wgctrl then finds none.
func WireGuard() (map[string]state.WireGuard, error) {
	c, err := wgctrl.New()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	devices, err := c.Devices()
	if err != nil {
		return nil, err
	}
	out := map[string]state.WireGuard{}
	for _, d := range devices {
		out[d.Name] = convertTunnel(d)
	}
	return out, nil
}

// convertTunnel is where the private and the preshared keys end: the kernel sends
// them to every program that may ask.
func convertTunnel(d *wgtypes.Device) state.WireGuard {
	out := state.WireGuard{ListenPort: d.ListenPort, Peers: map[string]state.Peer{}}
	for _, p := range d.Peers {
		peer := state.Peer{AllowedIPs: []string{}, Handshake: max(p.LastHandshakeTime.Unix(), 0)}
		for _, ip := range p.AllowedIPs {
			peer.AllowedIPs = append(peer.AllowedIPs, prefix(&ip))
		}
		slices.Sort(peer.AllowedIPs)
		if p.Endpoint != nil {
			peer.Endpoint = p.Endpoint.String()
		}
		out.Peers[p.PublicKey.String()] = peer
	}
	return out
}
