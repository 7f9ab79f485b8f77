package wireguard

import (
	"cmp"
	"fmt"
	"net"
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
	if t.PublicKey.Set {
		want, hint := string(t.PublicKey.V), "wg show "+name+" public-key"
		c := verify.Check{ID: t.Addr.String() + "/public-key", Title: "the key that the peers of " + name + " are told", From: t.PublicKey.Range}
		verify.Asked(p, c, publicKeyOf, t.LinkName(), want, hint, func(_ *state.State, got string) verify.Verdict {
			return verify.Compare(want, got, hint)
		})
	}
	if t.Listen.Set {
		want := fmt.Sprint(t.Listen.V)
		t.add(p, "listen", "listens on udp/"+want, t.Listen.Range, want, func(w state.WireGuard, _ int64) verify.Verdict {
			return verify.Compare(want, fmt.Sprint(w.ListenPort), "")
		})
	}
	for _, peer := range t.Peers {
		who, key, want := string(peer.Name.V), string(peer.PublicKey.V), allowed(peer)
		t.add(p, "peer/"+who, "peer "+who, peer.Def, want, func(w state.WireGuard, now int64) verify.Verdict {
			got, ok := w.Peers[key]
			ips := strings.Join(slices.Sorted(slices.Values(got.AllowedIPs)), " ")
			if !ok {
				ips = "no such peer"
			}
			v := verify.Compare(want, ips, "")
			v.Note = handshake(got, now)
			return v
		})
		t.checkPeer(p, peer)
		if peer.Endpoint.V.named() {
			t.checkName(p, peer)
		} else if peer.Endpoint.Set {
			t.add(p, "endpoint/"+who, "where "+who+" is", peer.Endpoint.Range, "known", func(w state.WireGuard, _ int64) verify.Verdict {
				end := w.Peers[key].Endpoint // another one than the spec's if it roams
				return verify.Judge(end != "", "", cmp.Or(end, "no endpoint"), "")
			})
		}
		if peer.Endpoint.Set && peer.Keepalive.Set {
			t.checkHandshake(p, peer)
		}
	}
	if i := slices.IndexFunc(t.Peers, func(p *Peer) bool { return p.Endpoint.V.named() }); i >= 0 {
		p.UnitActive(t.Addr.String()+"/names", t.Peers[i].Endpoint.Range, t.unit()+".service")
	}
	t.add(p, "peers", "no other peers", t.Def, "none", func(w state.WireGuard, _ int64) verify.Verdict {
		return verify.Compare("none", t.undeclared(w), "")
	})
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

// checkName adds the check that the router knows where a peer with a name is. One that is
// heard from says so itself.
func (t *Tunnel) checkName(p *verify.Plan, peer *Peer) {
	link, who, end := string(t.LinkName()), string(peer.Name.V), peer.Endpoint.V
	_, port, _ := net.SplitHostPort(string(end))
	want, hint := "where "+string(end)+" is", "wg show "+link+" endpoints; getent ahosts "+end.host()+"; systemctl status "+t.unit()
	c := verify.Check{ID: t.Addr.String() + "/endpoint/" + who, Title: "where " + who + " is", From: peer.Endpoint.Range}
	verify.Asked(p, c, addressesOf, end.host(), want, hint, func(st *state.State, found []string) verify.Verdict {
		if st.WireGuard == nil {
			return verify.NotSeen(want, hint)
		}
		got, ok := st.WireGuard[link].Peers[string(peer.PublicKey.V)]
		if !ok {
			return verify.Missing(want, hint)
		}
		ends := make([]string, len(found))
		for i, a := range found {
			ends[i] = net.JoinHostPort(a, port)
		}
		right := slices.Contains(ends, got.Endpoint)
		switch {
		case got.Endpoint == "" && len(found) == 0:
			return verify.Judge(false, want, "no endpoint: "+end.host()+" has no address", hint)
		case got.Endpoint == "":
			return verify.Judge(false, strings.Join(ends, " or "), "no endpoint", hint)
		case right || got.Handshake != 0 && age(got, st.Time) <= silence*time.Second:
			v := verify.Judge(true, want, got.Endpoint, hint)
			if !right {
				v.Note = "it was heard from there; the name has " + verify.List(ends)
			}
			return v
		case len(found) == 0:
			return verify.NotAsked(want, end.host()+" has no address now", hint)
		}
		return verify.Judge(false, strings.Join(ends, " or "), got.Endpoint, hint)
	})
}

// checkHandshake adds the check that a peer answers to which the router keeps a tunnel open:
// with an endpoint it can begin, and with a keepalive there is always something to send. The
// session before must have ended, a keepalive been due, and an answer have had its time.
func (t *Tunnel) checkHandshake(p *verify.Plan, peer *Peer) {
	most := 195*time.Second + time.Duration(peer.Keepalive.V)*time.Second
	want := fmt.Sprintf("a handshake in the last %s", most)
	t.add(p, "handshake/"+string(peer.Name.V), string(peer.Name.V)+" answers", peer.Keepalive.Range, want, func(w state.WireGuard, now int64) verify.Verdict {
		got := w.Peers[string(peer.PublicKey.V)]
		return verify.Judge(got.Handshake != 0 && age(got, now) <= most, "", handshake(got, now), "")
	})
}

// age is how long ago a peer's last handshake was.
func age(p state.Peer, now int64) time.Duration {
	return time.Duration(max(now-p.Handshake, 0)) * time.Second
}

// handshake is how long ago the peer was there. A peer that is switched off is no
// fault of the router's.
func handshake(p state.Peer, now int64) string {
	if p.Handshake == 0 {
		return "no handshake yet"
	}
	return fmt.Sprintf("last handshake %s ago", age(p, now))
}

// add adds a check of what the kernel has of the tunnel.
func (t *Tunnel) add(p *verify.Plan, what, title string, from hcl.Range, want string, judge func(w state.WireGuard, now int64) verify.Verdict) {
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
			v := judge(w, st.Time)
			v.Want, v.Hint = want, hint
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
