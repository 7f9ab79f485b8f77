package mosquitto

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/mqttask"
	"github.com/nbr-dev/nbr/verify/state"
)

// rulesFile is what the module of NixOS copies a listener's ACL to, for the plugin that reads it.
func rulesFile(listener int) string { return fmt.Sprintf("/var/lib/mosquitto/acl-%d.conf", listener) }

// Checks connect at each address as clients that must be refused, and as each user. That
// Mosquitto runs says nothing of them: to a client that may not publish it does not say so before MQTT 5,
// and what a client may not receive it does not get.
func (b *MQTT) Checks(_ *router.Router, p *verify.Plan) {
	id := b.Addr.String()
	p.UnitActive(id+"/unit", b.Def, unit+".service")
	var addrs []string
	for _, a := range b.addresses() {
		addrs = append(addrs, a.Addr().String())
		b.refuses(p, a)
		if t := b.TLS; t != nil {
			hint := fmt.Sprintf("openssl s_client -connect %s -servername %s; systemctl status %s", a, t.Name.V, staging)
			c := verify.Check{ID: fmt.Sprintf("%s/certificate/%s", t.Addr, a.Addr()), Title: "the certificate on " + a.Addr().String(), From: t.Certificate.Range}
			certificates.Shown(p, c, a.AddrPort, string(t.Name.V), string(t.Certificate.V), hint)
		}
	}
	_, port := b.socket()
	p.Listens(id+"/listen", b.Networks.Range, "tcp", port, addrs)
	if t := b.TLS; t != nil {
		p.UnitActive(t.Addr.String()+"/unit", t.Certificate.Range, staging+".path")
		file, key := string(t.Certificate.V), t.Key.Target.Location()
		c := verify.Check{ID: t.Addr.String() + "/key", Title: "the key of the certificate", From: t.Key.Range}
		certificates.Pair(p, c, file, key, "systemctl status "+staging+"; ls -l "+file+" "+key)
	}
	for _, u := range b.Users {
		b.checkUser(p, u)
	}
}

func (b *MQTT) server(a address) mqttask.Server {
	if b.TLS == nil {
		return mqttask.Server{At: a.AddrPort}
	}
	return mqttask.Server{At: a.AddrPort, TLS: strings.ToLower(string(b.TLS.Name.V))}
}

// refuses adds the check that a listener takes users alone.
func (b *MQTT) refuses(p *verify.Plan, a address) {
	const want = "MQTT 5, for users alone"
	hint := fmt.Sprintf("ss -ltnp '( sport = :%d )'; journalctl -u %s -n 20", a.Port(), unit)
	c := verify.Check{ID: fmt.Sprintf("%s/answers/%s", b.Addr, a.Addr()), Title: "MQTT on " + a.Addr().String(), From: a.from}
	verify.Asked(p, c, anonymous, b.server(a), want, hint, func(st *state.State, word string) verify.Verdict {
		switch {
		case word == mqttask.NoAnswer && verify.Tentative(st, a.Addr().String()):
			return verify.Skipped(want, a.Addr().String()+" is tentative until there is a cable", hint)
		case word == mqttask.Taken:
			return verify.Judge(false, want, "clients without a name are taken", hint)
		case word != mqttask.Turned:
			return verify.Judge(false, want, word, hint)
		}
		return verify.Compare(want, want, hint)
	})
}

// level is what a wildcard is replaced by in a topic that is tried.
const level = "nbr-verify"

// sample is a topic that a filter has.
func (f Filter) sample() string {
	levels := strings.Split(string(f), "/")
	fill := func(with string) string {
		out := slices.Clone(levels)
		for i, l := range levels {
			if l == one || l == rest {
				out[i] = with
			}
		}
		return strings.Join(out, "/")
	}
	if topic := fill(level); len(topic) <= mqttask.Longest {
		return topic
	}
	return fill(level[:1])
}

// publishes are the topics that are tried as what the user may publish to.
func (u *User) publishes() []string {
	var out []string
	for _, f := range slices.Concat(u.Write.All(), u.ReadWrite.All()) {
		out = append(out, f.sample())
	}
	return compact(out)
}

// receives are the filters of what the user may receive.
func (u *User) receives() []Filter { return slices.Concat(u.Read.All(), u.ReadWrite.All()) }

// others are topics near those of the user that it must not publish to: beside, below and above.
func (u *User) others() []string {
	var out []string
	try := func(topic string) {
		if len(topic) > mqttask.Longest || strings.Count(topic, "/") >= mostLevels {
			return // Mosquitto ends the session
		}
		if !strings.HasPrefix(topic, "$") && topic != "" && !slices.ContainsFunc(slices.Concat(u.Write.All(), u.ReadWrite.All()), func(f Filter) bool { return f.matches(topic) }) {
			out = append(out, topic)
		}
	}
	try(level)
	for _, g := range u.grants() {
		for _, f := range g.filters {
			topic := f.sample()
			try(topic)
			try(topic + "/" + level)
			if i := strings.LastIndexByte(topic, '/'); i >= 0 {
				try(topic[:i])
				try(topic[:i+1] + level + "-" + level)
			}
		}
	}
	return compact(out)
}

// texts are filters with text between them.
func texts(filters []Filter, between string) string {
	var out []string
	for _, f := range filters {
		out = append(out, string(f))
	}
	return strings.Join(out, between)
}

func compact(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// foreign are filters of what a user must not receive: those of the other users, and what the broker tells of
// itself.
func (b *MQTT) foreign(u *User) []Filter {
	out := []Filter{sys + "/" + rest}
	for _, other := range b.Users {
		for _, g := range other.grants() {
			out = append(out, g.filters...)
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(f Filter) bool {
		return slices.ContainsFunc(u.receives(), func(own Filter) bool { return own.covers(f) })
	})
}

// covers tells whether the filter has all that another one has.
func (f Filter) covers(other Filter) bool {
	return f.matches(string(other)) && (strings.HasSuffix(string(f), rest) || !strings.HasSuffix(string(other), rest))
}

// checkUser adds the checks of a user, each at all addresses, as the broker has a file of users and one of rules
// for each. The password's file may have been replaced since Mosquitto was started.
func (b *MQTT) checkUser(p *verify.Plan, u *User) {
	var at []string
	for _, a := range b.addresses() {
		at = append(at, a.AddrPort.String())
	}
	q := userQuestion{
		At: strings.Join(at, "\n"), TLS: b.server(b.addresses()[0]).TLS, Name: string(u.Name.V), Password: u.Password.Target.Location(),
		Publish: strings.Join(u.publishes(), "\n"), Others: strings.Join(u.others(), "\n"),
		Receives: texts(u.receives(), "\n"), Foreign: texts(b.foreign(u), "\n"),
	}
	hint := fmt.Sprintf("journalctl -u %s -n 20; ls -l %s; cat %s", unit, q.Password, rulesFile(0))
	ask := func(what, title string, from hcl.Range, want string, judge func(userAnswer) (got string, told bool)) {
		c := verify.Check{ID: fmt.Sprintf("%s/user/%s/%s", b.Addr, q.Name, what), Title: title, From: from}
		verify.Asked(p, c, userOf, q, want, hint, func(st *state.State, got []userAnswer) verify.Verdict {
			return b.everywhere(st, got, want, hint, judge)
		})
	}
	const samePassword = "with the password of the file"
	ask("login", q.Name+" connects", u.Password.Range, samePassword, func(got userAnswer) (string, bool) {
		if got.Login == mqttask.Taken {
			return samePassword, true
		}
		return got.Login, got.Login != mqttask.NoAnswer
	})
	for _, l := range []struct {
		grant
		title string
		from  hcl.Range
	}{
		{u.grants()[0], "what " + q.Name + " receives", u.Read.Range},
		{u.grants()[1], "what " + q.Name + " publishes", u.Write.Range},
		{u.grants()[2], "what " + q.Name + " publishes and receives", u.ReadWrite.Range},
	} {
		if len(l.filters) == 0 {
			continue
		}
		want := texts(l.filters, ", ")
		ask(l.word, l.title, l.from, want, func(got userAnswer) (string, bool) {
			if got.Login != mqttask.Taken {
				return q.Name + " is not connected", false
			}
			for _, f := range l.filters {
				if !slices.Contains(got.Rules, l.word+" "+string(f)) || l.word != "read" && slices.Contains(got.Refused, f.sample()) {
					return "not " + string(f), true
				}
			}
			return want, true
		})
	}
	const nothing = "nothing that is not its own"
	ask("else", "what else "+q.Name+" may", u.Def, nothing, func(got userAnswer) (string, bool) {
		if got.Login != mqttask.Taken {
			return q.Name + " is not connected", false
		}
		for _, rule := range got.Rules {
			if !slices.Contains(u.lines(), rule) {
				return rule, true
			}
		}
		switch {
		case len(got.Taken) > 0:
			return "write " + got.Taken[0], true
		case got.Received != "":
			return "read " + got.Received, true
		case !got.Heard:
			return "the broker does not say what it retains", false
		}
		return nothing, true
	})
}

// everywhere judges what a user is told at each address.
func (b *MQTT) everywhere(st *state.State, got []userAnswer, want, hint string, judge func(userAnswer) (got string, told bool)) verify.Verdict {
	addrs := b.addresses()
	if len(got) != len(addrs) {
		return verify.NotAsked(want, "there is no answer of each address", hint)
	}
	first, _ := judge(got[0])
	same := !slices.ContainsFunc(got, func(a userAnswer) bool { said, _ := judge(a); return said != first })
	out := verify.Compare(want, want, hint)
	for i, a := range got {
		said, told := judge(a)
		at := addrs[i].Addr().String()
		if !same {
			said += " at " + at
		}
		switch {
		case told && strings.TrimSuffix(said, " at "+at) == want:
		case told:
			return verify.Judge(false, want, said, hint)
		case a.Login == mqttask.NoAnswer && verify.Tentative(st, at):
			if out.Status == verify.Pass {
				out = verify.Skipped(want, at+" is tentative until there is a cable", hint)
			}
		default:
			out = verify.NotAsked(want, said, hint)
		}
	}
	return out
}
