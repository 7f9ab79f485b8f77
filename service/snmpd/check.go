package snmpd

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks ask at each address, with and without being told a secret, and as each user. A line of the
// configuration that snmpd could not read is found by what it was for.
func (b *SNMP) Checks(_ *router.Router, p *verify.Plan) {
	id := b.Addr.String()
	p.UnitActive(id+"/unit", b.Def, unit+".service")
	var addrs []string
	for _, n := range b.Networks.Items {
		fixed, _ := n.Target.Split()
		for _, f := range fixed {
			addrs = append(addrs, f.Addr().String())
			b.answers(p, f.Addr(), n.Range)
		}
	}
	p.Listens(id+"/listen", b.Networks.Range, "udp", port, addrs)
	for _, u := range b.Users {
		b.checkUser(p, u)
	}
	for _, t := range b.told() {
		if u := b.reader(t.object); t.text.Set && u != nil {
			b.checkTold(p, t, u)
		}
	}
}

// answers adds the check of what answers at an address.
func (b *SNMP) answers(p *verify.Plan, at netip.Addr, from hcl.Range) {
	want, hint := "SNMPv3, and nothing older", "ss -lnup '( sport = :161 )'; journalctl -u "+unit+" -n 20"
	c := verify.Check{ID: fmt.Sprintf("%s/answers/%s", b.Addr, at), Title: "SNMPv3 on " + at.String(), From: from}
	verify.Asked(p, c, agentOf, at, want, hint, func(st *state.State, a agent) verify.Verdict {
		switch {
		case a.Engine == "" && verify.Tentative(st, at.String()):
			return verify.Skipped(want, at.String()+" is tentative until there is a cable", hint)
		case a.Engine == "":
			return verify.Judge(false, want, noAnswer, hint)
		case a.Community != "":
			return verify.Judge(false, want, a.Community, hint)
		}
		v := verify.Compare(want, want, hint)
		v.Note = "engine " + a.Engine
		return v
	})
}

// question is what is asked as a user: everything that one of its checks, or that of a text, wants to
// know.
//
// What no view has can only begin at the start of the tree or where a view ends, so that to ask there
// finds it, wherever it is.
func (b *SNMP) question(u *User) userQuestion {
	after := []OID{start}
	for _, v := range u.View.All() {
		after = append(after, v.before(), v.end())
	}
	for _, e := range u.Except.All() {
		after = append(after, e.before())
	}
	for _, t := range b.told() {
		if t.text.Set && b.reader(t.object) == u {
			after = append(after, t.object.before())
		}
	}
	slices.Sort(after)
	return userQuestion{
		At: b.addresses()[0], Name: string(u.Name.V),
		Authentication: u.Authentication.Target.Location(), Privacy: u.Privacy.Target.Location(),
		After: texts(slices.Compact(after), " "),
	}
}

// asked adds a check of what is asked as a user, at the first of the addresses.
func (b *SNMP) asked(p *verify.Plan, c verify.Check, u *User, want string, judge func(userAnswer) (got string, told bool)) {
	q := b.question(u)
	hint := fmt.Sprintf("journalctl -u %s -n 20; ls -l %s %s", unit, q.Authentication, q.Privacy)
	verify.Asked(p, c, userOf, q, want, hint, func(st *state.State, a userAnswer) verify.Verdict {
		got, told := judge(a)
		switch {
		case !told && a.Authentication == noAnswer && verify.Tentative(st, q.At.String()):
			return verify.Skipped(want, q.At.String()+" is tentative until there is a cable", hint)
		case !told:
			return verify.NotAsked(want, got, hint)
		}
		return verify.Compare(want, got, hint)
	})
}

// checkUser adds the checks of a user: the files may have been replaced since snmpd has read them, or
// have been missing.
func (b *SNMP) checkUser(p *verify.Plan, u *User) {
	check := func(what, title string, from hcl.Range) verify.Check {
		return verify.Check{ID: fmt.Sprintf("%s/user/%s/%s", b.Addr, u.Name.V, what), Title: title, From: from}
	}
	name := string(u.Name.V)
	b.asked(p, check("authentication", name+" authenticates", u.Authentication.Range), u, samePhrase, func(a userAnswer) (string, bool) {
		return a.Authentication, a.Authentication != noAnswer
	})
	b.asked(p, check("privacy", name+" is answered encrypted", u.Privacy.Range), u, samePhrase, func(a userAnswer) (string, bool) {
		return cmp.Or(a.Privacy, "authentication: "+a.Authentication), a.Privacy != ""
	})
	const nothing = "nothing that it must not see"
	b.asked(p, check("view", "what "+name+" sees", u.View.Range), u, u.wants(), func(a userAnswer) (string, bool) {
		if a.Privacy != samePhrase {
			return "it gets no answers", false
		}
		return cmp.Or(a.Refused, u.seen(a)), true
	})
	if !u.Except.Set {
		return
	}
	b.asked(p, check("except", "what "+name+" does not see", u.Except.Range), u, nothing, func(a userAnswer) (string, bool) {
		if a.Privacy != samePhrase || a.Refused != "" {
			return "it gets no answers", false
		}
		for _, o := range a.Objects {
			if u.hides(o.Name) {
				return string(o.Name), true
			}
		}
		return nothing, true
	})
}

// wants is what the user sees, for people.
func (u *User) wants() string {
	return texts(u.View.All(), ", ") + ", and nothing else"
}

// seen is what the user sees: what it wants, or what is otherwise.
func (u *User) seen(a userAnswer) string {
	next := map[OID]OID{}
	for _, o := range a.Objects {
		next[o.After] = o.Name
	}
	for _, v := range u.View.All() {
		if !next[v.before()].below(v) {
			return "nothing in " + string(v)
		}
	}
	for _, o := range a.Objects {
		if o.Name != "" && !u.sees(o.Name) && !u.hides(o.Name) {
			return string(o.Name) + " as well"
		}
	}
	return u.wants()
}

// hides tells whether except has an object that the user is not to see.
func (u *User) hides(o OID) bool {
	return !u.sees(o) && slices.ContainsFunc(u.Except.All(), func(e OID) bool { return o.below(e) })
}

// checkTold adds the check that a user is told a text.
func (b *SNMP) checkTold(p *verify.Plan, t toldText, u *User) {
	c := verify.Check{ID: b.Addr.String() + "/" + t.name, Title: "the " + t.name + " that users are told", From: t.text.Range}
	b.asked(p, c, u, probe.Printable(string(t.text.V)), func(a userAnswer) (string, bool) {
		if a.Privacy != samePhrase || a.Refused != "" {
			return string(u.Name.V) + " gets no answers", false
		}
		for _, o := range a.Objects {
			if o.Name == t.object {
				return o.Text, true
			}
		}
		return "no " + t.name, true
	})
}

// texts are object identifiers with text between them.
func texts(list []OID, between string) string {
	var out []string
	for _, o := range list {
		out = append(out, string(o))
	}
	return strings.Join(out, between)
}
