package wireguard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks look at the key, the port, and at each peer with what is routed to it:
// the kernel takes a prefix away from one peer when another asks for it.
func (t *Tunnel) Checks(_ *router.Router, p *verify.Plan) {
	name := string(t.LinkName())
	t.checkKey(p, "key", "the key of "+name, t.PrivateKey, "")
	if t.Listen.Set {
		t.add(p, "listen", "listens on udp/"+fmt.Sprint(t.Listen.V), t.Listen.Range, fmt.Sprint(t.Listen.V),
			func(w state.WireGuard) string { return fmt.Sprint(w.ListenPort) }, nil)
	}
	for _, peer := range t.Peers {
		t.add(p, "peer/"+string(peer.Name.V), "peer "+string(peer.Name.V), peer.Def, allowed(peer),
			func(w state.WireGuard) string {
				got, ok := w.Peers[string(peer.PublicKey.V)]
				if !ok {
					return "no such peer"
				}
				return strings.Join(slices.Sorted(slices.Values(got.AllowedIPs)), " ")
			}, func(w state.WireGuard, now int64) string { return handshake(w.Peers[string(peer.PublicKey.V)], now) })
		t.checkPeer(p, peer)
	}
	t.add(p, "peers", "no other peers", t.Def, "none", func(w state.WireGuard) string { return t.undeclared(w) }, nil)
}

// checkKey adds the check that the kernel has the key of a secret: the file may have been
// replaced since, or have been missing when the tunnel was made.
func (t *Tunnel) checkKey(p *verify.Plan, what, title string, secret conf.Ref[*router.Secret], peer router.WireGuardKey) {
	name := string(t.LinkName())
	q := keyUse{Link: name, Peer: peer, File: secret.Target.Location()}
	hint := "systemctl status ifstate; ls -l " + q.File
	c := verify.Check{ID: t.Addr.String() + "/" + what, Title: title, From: secret.Range}
	verify.Asked(p, c, keyOf, q, sameKey, hint, func(_ *state.State, got string) verify.Verdict {
		return verify.Compare(sameKey, got, hint)
	})
}

// checkPeer adds the checks of what is told of a peer by wg(8) alone.
func (t *Tunnel) checkPeer(p *verify.Plan, peer *Peer) {
	name, what := string(t.LinkName()), "/"+string(peer.Name.V)
	if peer.PresharedKey.Set {
		t.checkKey(p, "preshared-key"+what, "the key shared with "+string(peer.Name.V), peer.PresharedKey, peer.PublicKey.V)
	}
	want, hint := "off", "wg show "+name+" persistent-keepalive"
	if peer.Keepalive.Set {
		want = fmt.Sprint(peer.Keepalive.V)
	}
	c := verify.Check{ID: t.Addr.String() + "/keepalive" + what, Title: "keepalives to " + string(peer.Name.V), From: cmp.Or(peer.Keepalive.Range, peer.Def)}
	verify.Asked(p, c, keepaliveOf, keepaliveUse{name, peer.PublicKey.V}, want, hint, func(_ *state.State, got string) verify.Verdict {
		return verify.Compare(want, cmp.Or(got, "no such peer"), hint)
	})
}

// handshake is how long ago the peer was there. A peer that is switched off is no
// fault of the router's.
func handshake(p state.Peer, now int64) string {
	if p.Handshake == 0 {
		return "no handshake yet"
	}
	return fmt.Sprintf("last handshake %s ago", time.Duration(max(now-p.Handshake, 0))*time.Second)
}

// add adds a check of what the kernel has of the tunnel.
func (t *Tunnel) add(p *verify.Plan, what, title string, from hcl.Range, want string, get func(state.WireGuard) string, note func(w state.WireGuard, now int64) string) {
	name := string(t.LinkName())
	p.Add(verify.Check{
		ID: t.Addr.String() + "/" + what, Title: title, From: from,
		Eval: func(st *state.State) verify.Verdict {
			hint := "wg show " + name
			if st.WireGuard == nil {
				return verify.NotSeen(want, hint)
			}
			w, ok := st.WireGuard[name]
			if !ok {
				return verify.Missing(want, hint)
			}
			v := verify.Compare(want, get(w), hint)
			if note != nil {
				v.Note = note(w, st.Time)
			}
			return v
		},
	})
}

// allowed are the allowed IPs of a peer, sorted.
func allowed(p *Peer) string {
	var ips []string
	for _, ip := range p.AllowedIPs.All() {
		ips = append(ips, ip.String())
	}
	slices.Sort(ips)
	return strings.Join(ips, " ")
}

// undeclared are the peers that the spec does not know.
func (t *Tunnel) undeclared(w state.WireGuard) string {
	var out []string
	for key := range w.Peers {
		if !slices.ContainsFunc(t.Peers, func(p *Peer) bool { return string(p.PublicKey.V) == key }) {
			out = append(out, key)
		}
	}
	if len(out) == 0 {
		return "none"
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
