package asterisk

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks ask Asterisk's console what it has loaded, who may call what, what becomes of each number,
// and how the trunks fare. Asterisk goes on with what it had when it refuses its files: then the reload
// of the unit fails, and the checks find what they ask for and is otherwise.
func (b *PBX) Checks(_ *router.Router, p *verify.Plan) {
	id := b.Addr.String()
	p.UnitActive(id+"/unit", b.Def, unit+".service")
	b.current(p)
	b.loaded(p)
	b.sockets(p)
	want, hint := b.Media.V.String(), console("rtp show settings")
	b.ask(p, "media", "ports of voice", cmp.Or(b.Media.Range, b.Def), want, hint, func(a answer) verify.Verdict {
		return verify.Compare(want, a.Media, hint)
	})
	for _, e := range b.Extensions {
		own := ownAddress(b.network(e), router.AnyFamily).Addr()
		b.endpoint(p, "extension/"+string(e.Name.V), cmp.Or(e.Outside.Range, e.Def), string(e.Name.V), endpoint{
			There: true, Context: e.context(), Auth: string(e.Name.V), KnownBy: "username", ACL: "deny/permit", Transport: transport(phones, own),
			CallsAs: e.callerID(),
		})
		b.password(p, "extension/"+string(e.Name.V), e.Password.Range, string(e.Name.V), e.Password.Target)
		b.dialled(p, "extension/"+string(e.Name.V)+"/number", e.Number.Range, house, string(e.Number.V))
	}
	for _, g := range b.Groups {
		b.dialled(p, "group/"+string(g.Name.V), g.Extensions.Range, house, string(g.Number.V))
	}
	for _, t := range b.Trunks {
		b.trunk(p, t)
	}
	b.contexts(p, "dial", "what phones may dial", b.Def, anywhere, indoors)
	if len(b.Trunks) > 0 {
		b.calls(p)
	}
}

// ask adds a check of what Asterisk has as a whole.
func (b *PBX) ask(p *verify.Plan, what, title string, from hcl.Range, want, hint string, judge func(answer) verify.Verdict) {
	c := verify.Check{ID: b.Addr.String() + "/" + what, Title: title, From: from}
	verify.Asked(p, c, running, struct{}{}, want, hint, func(_ *state.State, a answer) verify.Verdict { return judge(a) })
}

// current adds the checks that Asterisk runs as it is installed and has read the files of this spec. A
// switch reloads it, so that calls go on, and what it does not take it leaves as it was.
func (b *PBX) current(p *verify.Plan) {
	const restart = "systemctl restart asterisk, which ends calls"
	b.ask(p, "release", "the release that runs", b.Def, "the one installed", restart, func(a answer) verify.Verdict {
		if a.Release == "" || a.Installed == "" {
			return verify.NotSeen("the one installed", restart)
		}
		return verify.Compare(a.Installed, a.Release, restart)
	})
	const want, hint = "those of this spec", "systemctl reload asterisk; journalctl -u asterisk -n 30"
	mark := b.mark()
	b.ask(p, "files", "the files that Asterisk has read", b.Def, want, hint, func(a answer) verify.Verdict {
		switch {
		case !slices.Contains(a.AORs, mark):
			return verify.Judge(false, want, "another pjsip.conf", hint)
		case !slices.ContainsFunc(a.Plan, func(r rule) bool { return r.Context == mark }):
			return verify.Judge(false, want, "another extensions.conf", hint)
		}
		return verify.Compare(want, want, hint)
	})
}

// loaded adds the check that the modules run, and no other.
func (b *PBX) loaded(p *verify.Plan) {
	const want = "the modules of the spec"
	hint := console("module show") + "; journalctl -u asterisk -n 30"
	b.ask(p, "modules", "what Asterisk has loaded", b.Def, want, hint, func(a answer) verify.Verdict {
		for _, m := range modules {
			switch {
			case slices.Contains(a.Stopped, m):
				return verify.Judge(false, m+" runs", "it has refused to", hint)
			case !slices.Contains(a.Modules, m):
				return verify.Judge(false, m+" runs", "it is not loaded", hint)
			}
		}
		for _, m := range slices.Concat(a.Modules, a.Stopped) {
			if !slices.Contains(modules, m) {
				return verify.Judge(false, "no "+m, "it is loaded", hint)
			}
		}
		return verify.Compare(want, want, hint)
	})
}

// ephemeral is where the kernel's ports for sockets begin that ask for none (ip_local_port_range).
// pjproject has two, of its resolver, which nothing is sent to.
const ephemeral = 32768

// wanted are the sockets of SIP.
func (b *PBX) wanted() []string {
	var out []string
	for _, n := range b.Networks.All() {
		out = append(out, bind(ownAddress(n, router.AnyFamily).Addr(), b.Port.V))
	}
	for _, f := range []router.Family{router.IPv4, router.IPv6} {
		if at, ok := b.trunkSocket(f); ok {
			out = append(out, bind(at, b.TrunkPort.V))
		}
	}
	slices.Sort(out)
	return out
}

// sockets adds the checks that Asterisk listens where the spec says, and nowhere else: by its own word,
// and by the kernel's, for a socket that a reload would have it close stays open.
func (b *PBX) sockets(p *verify.Plan) {
	all := b.wanted()
	want := "udp " + strings.Join(all, ", udp ")
	hint := console("pjsip show transports") + "; ss -lnup. After systemctl restart asterisk the sockets are those of its files"
	b.ask(p, "transports", "where Asterisk speaks SIP", b.Networks.Range, want, hint, func(a answer) verify.Verdict {
		return verify.Compare(want, verify.List(a.Transports), hint)
	})
	p.Add(verify.Check{
		ID: b.Addr.String() + "/sockets", Title: "where Asterisk listens", From: b.Networks.Range,
		Eval: func(st *state.State) verify.Verdict {
			if st.Listeners == nil {
				return verify.NotSeen(want, hint)
			}
			var there []string
			for _, l := range st.Listeners {
				at := net.JoinHostPort(l.Address, strconv.Itoa(l.Port))
				switch {
				case l.Protocol == "udp" && slices.Contains(all, at) && (l.Program == unit || l.Program == ""): // without a privilege it is not told
					there = append(there, at)
				case l.Program == unit && (l.Protocol != "udp" || l.Port < ephemeral && !b.Media.V.Contains(l.Port)):
					return verify.Judge(false, want, l.Protocol+" "+at, hint)
				}
			}
			for _, at := range all {
				if !slices.Contains(there, at) {
					return verify.Judge(false, want, "no udp "+at, hint)
				}
			}
			return verify.Compare(want, want, hint)
		},
	})
}

// endpoint adds the check that a phone or a trunk may do what the spec says, and no more.
func (b *PBX) endpoint(p *verify.Plan, what string, from hcl.Range, name string, want endpoint) {
	want.Codecs = "(" + strings.ReplaceAll(b.codecs(), ",", "|") + ")"
	hint := console("pjsip show endpoint " + name)
	c := verify.Check{ID: b.Addr.String() + "/" + what + "/endpoint", Title: "what " + name + " may do", From: from}
	verify.Asked(p, c, endpointOf, name, want.text(), hint, func(_ *state.State, got endpoint) verify.Verdict {
		if !got.There {
			return verify.Missing(want.text(), hint)
		}
		return verify.Compare(want.text(), got.text(), hint)
	})
}

// text is the endpoint for a reader.
func (e endpoint) text() string {
	out := fmt.Sprintf("%s, in %s over %s, known by %s, %s", e.CallsAs, e.Context, e.Transport, e.KnownBy, e.Codecs)
	if e.Auth != "" {
		out += ", with a password"
	} else {
		out += ", without a password"
	}
	if e.ACL != "" {
		out += ", from some networks alone"
	}
	if len(e.Sources) > 0 {
		out += ", from " + strings.Join(e.Sources, " ")
	}
	if e.Login != "" {
		out += ", login " + e.Login
	}
	return out
}

// password adds the check that Asterisk has the password of a secret.
func (b *PBX) password(p *verify.Plan, what string, from hcl.Range, name string, s *router.Secret) {
	q := passwordUse{Object: name, File: s.Location()}
	hint := "systemctl reload asterisk; ls -l " + q.File
	c := verify.Check{ID: b.Addr.String() + "/" + what + "/password", Title: "the password of " + name, From: from}
	verify.Asked(p, c, passwordOf, q, samePassword, hint, func(_ *state.State, got string) verify.Verdict {
		return verify.Compare(samePassword, got, hint)
	})
}

// rulesOf are the rules of a plan for a number in a context.
func rulesOf(plan []rule, context, number string) []rule {
	return slices.DeleteFunc(slices.Clone(plan), func(r rule) bool { return r.Context != context || r.Number != number })
}

// shown is the longest step that the console prints, with its number before it (print_ext in main/pbx.c).
const shown = 240

// steps are the rules' steps for a reader.
func steps(rules []rule) string {
	var out []string
	for _, r := range rules {
		for _, s := range r.Steps {
			out = append(out, s[:min(len(s), shown)])
		}
	}
	return strings.Join(out, ", ")
}

// dialled adds the check of what becomes of a number.
func (b *PBX) dialled(p *verify.Plan, what string, from hcl.Range, context, number string) {
	want := steps(rulesOf(b.plan(), context, number))
	hint := console("dialplan show " + number + "@" + context)
	b.ask(p, what, "what becomes of "+number, from, want, hint, func(a answer) verify.Verdict {
		got := steps(rulesOf(a.Plan, context, number))
		if got == "" {
			return verify.Missing(want, hint)
		}
		return verify.Compare(want, got, hint)
	})
}

// trunk adds the checks that the provider knows the router, that the trunk is what the spec says, and
// that its calls ring where they are to.
func (b *PBX) trunk(p *verify.Plan, t *Trunk) {
	what, name := "trunk/"+string(t.Name.V), string(t.Name.V)
	at, _ := b.trunkSocket(t.family())
	const want = "Registered"
	hint := console("pjsip show registrations") + "; journalctl -u asterisk -n 30"
	b.ask(p, what+"/registered", name+" knows the router", t.Server.Range, want, hint, func(a answer) verify.Verdict {
		return verify.Compare(want, cmp.Or(a.Registrations[name], "not there"), hint)
	})
	var sources []string
	for _, from := range t.From.All() {
		sources = append(sources, from.String())
	}
	slices.Sort(sources)
	b.endpoint(p, what, cmp.Or(t.From.Range, t.Def), name, endpoint{
		There: true, Context: t.incoming(), KnownBy: "ip", Sources: sources, Transport: transport(trunks, at), Login: name,
		CallsAs: string(t.User.V) + "@" + t.Server.V.domain(),
	})
	b.password(p, what, t.Password.Range, name, t.Password.Target)
	b.contexts(p, what+"/calls", "what rings when a call comes", t.To.Range, t.incoming())
}

// calls adds the checks of emergency numbers, and of all that is outside.
func (b *PBX) calls(p *verify.Plan) {
	if len(b.Emergency.Items) > 0 {
		b.contexts(p, "emergency", "emergency numbers", cmp.Or(b.Emergency.Range, b.Def), emergency)
	}
	b.contexts(p, "outside", "calls outside", cmp.Or(b.Prefix.Range, b.Trunks[0].Def), outside)
}

// contexts adds the check that whole contexts are those of the spec.
func (b *PBX) contexts(p *verify.Plan, what, title string, from hcl.Range, contexts ...string) {
	of := func(plan []rule) []rule {
		return slices.DeleteFunc(slices.Clone(plan), func(r rule) bool { return !slices.Contains(contexts, r.Context) })
	}
	wanted := of(b.plan())
	want, hint := wanted[0].text(), console("dialplan show "+contexts[0])
	b.ask(p, what, title, from, want, hint, func(a answer) verify.Verdict {
		got := of(a.Plan)
		for _, w := range wanted {
			switch is := rulesOf(got, w.Context, w.Number); {
			case len(is) == 0:
				return verify.Missing(w.text(), hint)
			case steps(is) != steps([]rule{w}):
				return verify.Judge(false, w.text(), is[0].text(), hint)
			}
		}
		for _, g := range got {
			if len(rulesOf(wanted, g.Context, g.Number)) == 0 {
				return verify.Judge(false, "nothing more", g.text(), hint)
			}
		}
		return verify.Compare(want, want, hint)
	})
}

// text is the rule for a reader.
func (r rule) text() string {
	return fmt.Sprintf("%s: %s", strings.TrimSpace(r.Context+" "+r.Number), steps([]rule{r}))
}
