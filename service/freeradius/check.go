package freeradius

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks ask FreeRADIUS what it has read, and at the router's addresses as an access point does: each user
// who has a password logs in.
func (b *RADIUS) Checks(_ *router.Router, p *verify.Plan) {
	id := b.Addr.String()
	p.UnitActive(id+"/unit", b.Def, unit+".service")
	var addrs []string
	for _, a := range b.own() {
		addrs = append(addrs, a.String())
		b.answers(p, a)
	}
	p.Listens(id+"/listen", cmp.Or(b.Networks.Range, b.Def), "udp", port, addrs)
	b.checkRunning(p)
	p.UnitActive(id+"/certificate/unit", b.Certificate.Range, renewed+".path")
	b.checkCertificate(p)
	for _, c := range b.Clients {
		b.checkClient(p, c)
	}
	for _, u := range b.Users {
		b.checkUser(p, u)
	}
}

// answers adds the check of what answers at an address.
func (b *RADIUS) answers(p *verify.Plan, at own) {
	want, hint := "an answer with Message-Authenticator", "ss -lnup '( sport = :1812 )'; journalctl -u "+unit+" -n 20"
	c := verify.Check{ID: b.Addr.String() + "/answers/" + at.String(), Title: "RADIUS on " + at.String(), From: at.from}
	verify.Asked(p, c, serverAt, at.Addr, want, hint, func(st *state.State, s server) verify.Verdict {
		switch {
		case !s.Answers && verify.Tentative(st, at.String()):
			return verify.Skipped(want, at.String()+" is tentative until there is a cable", hint)
		case !s.Answers:
			return verify.Judge(false, want, noAnswer, hint)
		case !s.Signed:
			return verify.Judge(false, want, unsignedSays, hint)
		}
		return verify.Compare(want, want, hint)
	})
}

// checkRunning adds the checks that FreeRADIUS has read this configuration, and knows no other clients.
func (b *RADIUS) checkRunning(p *verify.Plan) {
	if at := b.own(); len(at) > 0 {
		hint := "systemctl restart " + unit + "; journalctl -u " + unit + " -n 20"
		c := verify.Check{ID: b.Addr.String() + "/configuration", Title: "the configuration of RADIUS", From: b.Def}
		want := b.mark()
		verify.Asked(p, c, serverAt, at[0].Addr, want, hint, func(_ *state.State, got server) verify.Verdict {
			if !got.Answers {
				return verify.NotAsked(want, noAnswer, hint)
			}
			return verify.Compare(want, cmp.Or(probe.Printable(got.Mark), "none"), hint)
		})
	}
	var known []string
	for _, a := range b.own() {
		known = append(known, fmt.Sprintf("%s/%d", a, a.BitLen()))
	}
	for _, c := range b.Clients {
		for _, a := range c.Addresses.All() {
			known = append(known, a.String())
		}
	}
	const all = "the clients of the spec, and the router"
	list := "radmin -f " + control + " -e 'show client list'"
	c := verify.Check{ID: b.Addr.String() + "/clients", Title: "who may ask RADIUS", From: b.Def}
	verify.Asked(p, c, clientsOf, struct{}{}, all, list, func(_ *state.State, got []string) verify.Verdict {
		for _, block := range got {
			if !slices.Contains(known, block) {
				return verify.Judge(false, all, probe.Printable(block)+" as well", list)
			}
		}
		return verify.Compare(all, all, list)
	})
}

// checkCertificate adds the checks of what devices are shown, and of the authority of theirs.
func (b *RADIUS) checkCertificate(p *verify.Plan) {
	files := pair{string(b.Certificate.V), b.Key.Target.Location()}
	hint := "ls -l " + files.Certificate + " " + files.Key + "; journalctl -u " + unit + " -n 20"
	c := verify.Check{ID: b.Addr.String() + "/key", Title: "the key of the certificate", From: b.Key.Range}
	verify.Asked(p, c, pairOf, files, fits, hint, func(_ *state.State, got string) verify.Verdict { return verify.Compare(fits, got, hint) })
	at := b.own()
	if len(at) == 0 {
		return
	}
	q := certUse{At: at[0].Addr, File: files.Certificate}
	if b.certificates() {
		q.CA = string(b.CA.V)
	}
	look := func(what, title, file, want string, from hcl.Range, judge func(got certificate, now int64) string) {
		hint := "openssl x509 -in " + file + " -noout -subject -enddate; systemctl restart " + unit
		c := verify.Check{ID: b.Addr.String() + "/" + what, Title: title, From: from}
		verify.Asked(p, c, certificateAt, q, want, hint, func(st *state.State, got certificate) verify.Verdict {
			switch {
			case !got.Answers:
				return verify.NotAsked(want, noAnswer, hint)
			case !got.Shown:
				return verify.Missing(want, hint)
			}
			return verify.Compare(want, cmp.Or(judge(got, st.Time), want), hint)
		})
	}
	look("certificate", "the certificate that devices are shown", q.File, "the certificate of the file, for two weeks at least", b.Certificate.Range, func(got certificate, now int64) string {
		if !got.Same {
			return "another certificate than that of the file"
		}
		return ending(got.Until, now)
	})
	if q.CA != "" {
		look("ca", "the authority of users", q.CA, "the authority of the file, for two weeks at least", b.CA.Range, func(got certificate, now int64) string {
			if !got.Authority {
				return "another authority than that of the file"
			}
			return ending(got.CAUntil, now)
		})
	}
}

// ending says when a certificate ends if that is soon.
func ending(until, now int64) string {
	if until > now+int64(soon/time.Second) {
		return ""
	}
	return "it ends at " + time.Unix(until, 0).UTC().Format(time.RFC3339)
}

// checkClient adds the checks that a client may ask with its secret, from each of its addresses.
func (b *RADIUS) checkClient(p *verify.Plan, c *Client) {
	for _, a := range c.Addresses.Items {
		q := clientUse{a.V.String(), c.Secret.Target.Location()}
		hint := "ls -l " + q.File + "; radmin -f " + control + " -e 'show client list'; journalctl -u " + unit + " -n 20"
		id := func(what string) string { return fmt.Sprintf("%s/client/%s/%s/%s", b.Addr, c.Name.V, what, q.Block) }
		const known = "a client"
		check := verify.Check{ID: id("address"), Title: string(c.Name.V) + " may ask from " + q.Block, From: a.Range}
		verify.Asked(p, check, clientOf, q, known, hint, func(_ *state.State, got knownClient) verify.Verdict {
			return verify.Judge(got.Known, known, map[bool]string{true: known, false: "no client"}[got.Known], hint)
		})
		check = verify.Check{ID: id("secret"), Title: "the secret of " + string(c.Name.V) + " at " + q.Block, From: c.Secret.Range}
		verify.Asked(p, check, clientOf, q, sameSecret, hint, func(_ *state.State, got knownClient) verify.Verdict {
			if got.Secret == "" {
				return verify.NotAsked(sameSecret, "no client", hint)
			}
			return verify.Compare(sameSecret, got.Secret, hint)
		})
	}
}

// checkUser adds the checks that a user is accepted, and that the VLAN is told.
func (b *RADIUS) checkUser(p *verify.Plan, u *User) {
	at := b.own()
	if len(at) == 0 {
		return
	}
	name := string(u.Name.V)
	if u.Password.Set {
		q := loginUse{at[0].Addr, name, u.Password.Target.Location()}
		way(p, b, u, "password", name+" and the password", u.Password.Range, loginOf, q, "ls -l "+q.File+"; journalctl -u "+unit+" -n 20")
	}
	if u.Certificate.V {
		way(p, b, u, "certificate", name+" and a certificate", u.Certificate.Range, tableOf, tableUse{at[0].Addr, name}, "journalctl -u "+unit+" -n 20")
	}
}

// way adds the checks of one way in.
func way[Q comparable](p *verify.Plan, b *RADIUS, u *User, what, title string, from hcl.Range, of *probe.Probe[Q, login], q Q, hint string) {
	id := fmt.Sprintf("%s/user/%s/%s", b.Addr, u.Name.V, what)
	verify.Asked(p, verify.Check{ID: id, Title: title, From: from}, of, q, accepted, hint, func(_ *state.State, got login) verify.Verdict {
		if got.Result == noAnswer {
			return verify.NotAsked(accepted, got.Result, hint)
		}
		return verify.Compare(accepted, got.Result, hint)
	})
	want := "none"
	if u.VLAN.Set {
		want = fmt.Sprint(u.VLAN.V)
	}
	c := verify.Check{ID: id + "/vlan", Title: "the VLAN of " + string(u.Name.V), From: cmp.Or(u.VLAN.Range, from)}
	verify.Asked(p, c, of, q, want, hint, func(_ *state.State, got login) verify.Verdict {
		if got.Result != accepted {
			return verify.NotAsked(want, got.Result, hint)
		}
		return verify.Compare(want, cmp.Or(got.VLAN, "none"), hint)
	})
}
