package macsec

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks look at both halves: what wpa_supplicant says of the other end, and what the kernel does
// with packets. That the link is there, on the one below and with its MTU, is checked of every
// link.
func (m *MACsec) Checks(_ *router.Router, p *verify.Plan) {
	id := m.Addr.String()
	p.UnitActive(id+"/unit", m.Def, m.unit()+".service")
	p.UnitActive(id+"/watch", m.CAK.Range, m.key()+".path")
	m.checkKey(p)
	m.checkSession(p)
	m.checkLink(p)
	m.checkIdentifier(p)
	m.checkChannel(p)
}

// hint is how to see by hand how MKA fares.
func (m *MACsec) hint() string {
	return fmt.Sprintf("wpa_cli -p %s/ctrl -i %s status; journalctl -u %s -n 20", m.dir(), m.Link.Target.LinkName(), m.unit())
}

// checkKey adds the check that wpa_supplicant has the key of the secret, whose file may have been
// replaced since.
func (m *MACsec) checkKey(p *verify.Plan) {
	q := keyUse{File: m.CAK.Target.Location(), Staged: m.staged()}
	hint := "systemctl status " + m.unit() + "; ls -l " + q.File
	c := verify.Check{ID: m.Addr.String() + "/cak", Title: "the key of both ends", From: m.CAK.Range}
	verify.Asked(p, c, keyOf, q, sameKey, hint, func(_ *state.State, got string) verify.Verdict {
		return verify.Compare(sameKey, got, hint)
	})
}

// checkSession adds the checks of MKA. An end with another key, or with the same one by another
// name, is none: MKA does not answer it.
func (m *MACsec) checkSession(p *verify.Plan) {
	on := string(m.Link.Target.LinkName())
	asked := func(what, title, want string, from hcl.Range, judge func(*state.State, session) verify.Verdict) {
		c := verify.Check{ID: m.Addr.String() + "/" + what, Title: title, From: from}
		verify.Asked(p, c, agreement, m.talk(), want, m.hint(), func(st *state.State, s session) verify.Verdict {
			if s.CKN == "" && what != "ckn" {
				return verify.Skipped(want, "MKA is not spoken", m.hint())
			}
			return judge(st, s)
		})
	}
	ckn := string(m.CKN.V)
	asked("ckn", "name of the key", ckn, m.CKN.Range, func(_ *state.State, s session) verify.Verdict {
		if s.CKN == "" {
			return verify.Missing(ckn, m.hint())
		}
		return verify.Compare(ckn, s.CKN, m.hint())
	})
	priority := fmt.Sprint(m.Priority.V)
	asked("priority", "key server priority", priority, cmp.Or(m.Priority.Range, m.Def), func(_ *state.State, s session) verify.Verdict {
		return verify.Compare(priority, fmt.Sprint(s.Priority), m.hint())
	})
	const peer = "an other end with the same key"
	asked("peer", "MKA on "+on, peer, m.Link.Range, func(st *state.State, s session) verify.Verdict {
		switch {
		case s.Peers > 0:
			return verify.Compare(peer, peer, m.hint())
		case verify.NoCarrier(st, on):
			return verify.Skipped(peer, "nothing is connected to "+on, m.hint())
		}
		return verify.Judge(false, peer, "none", m.hint())
	})
}

func (m *MACsec) talk() talk {
	return talk{Folder: m.dir() + "/ctrl", Link: string(m.Link.Target.LinkName())}
}

// cipher is what IfState has the kernel take, in iproute2's words: it has none to choose another.
const cipher = "GCM-AES-128"

// checkLink adds the checks of what the kernel does with packets. wpa_supplicant says it all, but another
// hand, or a key server that advises against encryption, may have it otherwise.
func (m *MACsec) checkLink(p *verify.Plan) {
	name, window := string(m.Name.V), fmt.Sprintf("on, window %d", m.Window.V)
	for _, c := range []struct {
		what, title, want string
		from              hcl.Range
		got               func(secured) string
	}{
		{"encryption", "encryption on ", "on", m.Def, func(s secured) string {
			if !s.Protect {
				return "off: frames leave without a check value"
			}
			return verify.OnOff(s.Encrypt)
		}},
		{"validation", "what arrives without a right check value on ", "strict", m.Def, func(s secured) string { return s.Validate }},
		{"cipher", "cipher suite of ", cipher, m.Def, func(s secured) string { return s.Cipher }},
		{"replay_window", "replay protection of ", window, cmp.Or(m.Window.Range, m.Def), func(s secured) string {
			if !s.Replay {
				return "off"
			}
			return fmt.Sprintf("on, window %d", s.Window)
		}},
	} {
		m.asked(p, c.what, c.title+name, c.want, c.from, func(_ *state.State, s secured) verify.Verdict {
			return verify.Compare(c.want, c.got(s), "ip macsec show "+name)
		})
	}
}

// asked adds a check of what the kernel has of the link.
func (m *MACsec) asked(p *verify.Plan, what, title, want string, from hcl.Range, judge func(*state.State, secured) verify.Verdict) {
	name := string(m.Name.V)
	hint := "ip macsec show " + name
	c := verify.Check{ID: m.Addr.String() + "/" + what, Title: title, From: from}
	verify.Asked(p, c, channels, name, want, hint, func(st *state.State, s secured) verify.Verdict {
		if !s.There {
			return verify.Missing(want, hint)
		}
		return judge(st, s)
	})
}

// checkIdentifier adds the check that the channel is called as MKA calls it: by the MAC address of the link
// below. With another one wpa_supplicant makes a link of its own beside this one.
func (m *MACsec) checkIdentifier(p *verify.Plan) {
	on := string(m.Link.Target.LinkName())
	want, hint := "the MAC address of "+on+", and port "+fmt.Sprint(port), "ip link show "+on+"; ip macsec show "+string(m.Name.V)
	m.asked(p, "identifier", "identifier of the channel", want, m.Link.Range, func(st *state.State, s secured) verify.Verdict {
		below, ok := st.Links[on]
		if !ok {
			return verify.NotSeen(want, hint)
		}
		id := fmt.Sprintf("%s%04x", strings.ReplaceAll(below.MAC, ":", ""), port)
		return verify.Judge(s.Identifier == id, want, s.Identifier, hint)
	})
}

// checkChannel adds the check that the kernel has keys for packets both ways.
func (m *MACsec) checkChannel(p *verify.Plan) {
	const want = "keys for both ways"
	name := string(m.Name.V)
	hint := "ip -s macsec show " + name
	c := verify.Check{ID: m.Addr.String() + "/channel", Title: "keys of " + name, From: m.Def}
	c.Asks = append(c.Asks, agreement.Ask(m.talk()))
	verify.Asked(p, c, channels, name, want, hint, func(st *state.State, s secured) verify.Verdict {
		mka, err := agreement.Answer(st, m.talk())
		switch {
		case s.Sends && s.Receives > 0:
			return verify.Compare(want, want, hint)
		case err == nil && mka.Peers == 0:
			return verify.Skipped(want, "there is no other end", m.hint())
		case s.Sends:
			return verify.Judge(false, want, "none for what arrives", hint)
		case s.Receives > 0:
			return verify.Judge(false, want, "none for what leaves", hint)
		}
		return verify.Judge(false, want, "none", hint)
	})
}
