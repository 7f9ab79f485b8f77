package asterisk

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
)

// The contexts of the dial plan (extensions.conf): what may be dialled from where.
const (
	house     = "house"     // numbers of phones and groups
	emergency = "emergency" // numbers that any phone may call
	outside   = "outside"   // all others
	anywhere  = "anywhere"  // a phone that may call outside
	indoors   = "indoors"   // one that may not
)

// incoming is the context of calls from a trunk.
func (t *Trunk) incoming() string { return "from-" + string(t.Name.V) }

// A rule is what becomes of a number in a context.
type rule struct {
	Context string   `json:"context"`
	Number  string   `json:"number,omitempty"` // or a pattern; empty for the contexts that it includes
	Steps   []string `json:"steps"`
}

// ringing is for how long phones ring, in seconds.
const ringing = 60

// plan is the dial plan. A context has its own numbers first, and then those of the contexts that it
// includes, in their order, so that no number of the house and no emergency number is taken for one
// outside.
//
// What a phone dials becomes a part of a URI and of an argument of Dial, in which & begins another
// destination: all but digits and + is taken out of it (FILTER).
//
// Dial does not follow a redirection (option i): it would take the user part of a 302's Contact for a
// technology and a context, and a phone that may not call outside, or a provider, would lead a call to any
// number by any trunk.
func (b *PBX) plan() []rule {
	var out []rule
	add := func(context, number string, steps ...string) { out = append(out, rule{context, number, steps}) }
	for _, e := range b.Extensions {
		add(house, string(e.Number.V), fmt.Sprintf("Dial(PJSIP/%s,%d,i)", e.Name.V, ringing), "Hangup()")
	}
	for _, g := range b.Groups {
		var all []string
		for _, name := range g.Extensions.All() {
			all = append(all, "PJSIP/"+string(name))
		}
		add(house, string(g.Number.V), fmt.Sprintf("Dial(%s,%d,i)", strings.Join(all, "&"), ringing), "Hangup()")
	}
	may := []string{house}
	if len(b.Trunks) > 0 {
		for _, n := range b.Emergency.All() {
			var steps []string
			for _, t := range b.Trunks { // Dial comes back if the call was not taken
				steps = append(steps, t.dial(string(n)))
			}
			steps = append(steps, "Hangup()")
			add(emergency, string(n), steps...)
			if b.Prefix.Set {
				add(emergency, string(b.Prefix.V)+string(n), steps...)
			}
		}
		if len(b.Emergency.Items) > 0 {
			may = append(may, emergency)
		}
		number, pattern := "${EXTEN}", "_[+0-9]."
		if b.Prefix.Set {
			number, pattern = fmt.Sprintf("${EXTEN:%d}", len(b.Prefix.V)), fmt.Sprintf("_%s[+0-9].", b.Prefix.V)
		}
		add(outside, pattern, b.Trunks[0].dial("${FILTER(+0-9,"+number+")}"), "Hangup()")
		add(anywhere, "", append(slices.Clone(may), outside)...)
	} else {
		add(anywhere, "", may...)
	}
	add(indoors, "", may...)
	for _, t := range b.Trunks {
		// s is a call to no number at all.
		for _, number := range []string{"s", "_[+0-9A-Za-z]!"} {
			add(t.incoming(), number, fmt.Sprintf("Goto(%s,%s,1)", house, b.number(t.To.V)))
		}
	}
	return out
}

// dial calls a number by the trunk. The URI is whole, for else Asterisk would take the server from the
// contact that it keeps the way open by, and would not even try while that does not answer: a
// provider need not answer to OPTIONS.
func (t *Trunk) dial(number string) string {
	return fmt.Sprintf("Dial(PJSIP/%s/sip:%s@%s,,i)", t.Name.V, number, t.Server.V.hostport())
}

// text is the plan as extensions.conf has it. mark is a context of no meaning but its name.
func text(plan []rule, mark string) string {
	var out strings.Builder
	out.WriteString("[general]\nstatic = yes\nwriteprotect = yes\nclearglobalvars = yes\n")
	context := ""
	for _, r := range plan {
		if r.Context != context {
			context = r.Context
			fmt.Fprintf(&out, "\n[%s]\n", context)
		}
		for i, step := range r.Steps {
			switch {
			case r.Number == "":
				fmt.Fprintf(&out, "include => %s\n", step)
			case i == 0:
				fmt.Fprintf(&out, "exten => %s,1,%s\n", r.Number, step)
			default:
				fmt.Fprintf(&out, " same => n,%s\n", step)
			}
		}
	}
	fmt.Fprintf(&out, "\n[%s]\nexten => s,1,NoOp()\n", mark)
	return out.String()
}

// A section is an object of pjsip.conf: a name, and lines of an option and a value.
func section(out *strings.Builder, name string, lines ...string) {
	fmt.Fprintf(out, "[%s]\n%s\n\n", name, strings.Join(lines, "\n"))
}

// transport is the name of the socket at an address.
func transport(of string, at netip.Addr) string { return of + "-" + at.String() }

// bind is a socket as pjsip.conf has it.
func bind(at netip.Addr, port router.Port) string {
	return netip.AddrPortFrom(at, uint16(port)).String()
}

// pjsip is pjsip.conf but for the passwords, which it includes from another file. mark is an object of
// no meaning but its name.
func (b *PBX) pjsip(mark string) string {
	var out strings.Builder
	// No release is told, and who is known by nothing else is asked for a password.
	section(&out, "global", "type = global", "user_agent = Asterisk", "endpoint_identifier_order = ip,username")
	for _, n := range b.Networks.All() {
		at := ownAddress(n, router.AnyFamily).Addr()
		section(&out, transport(phones, at), "type = transport", "protocol = udp", "bind = "+bind(at, b.Port.V))
	}
	for _, f := range []router.Family{router.IPv4, router.IPv6} {
		if at, ok := b.trunkSocket(f); ok {
			section(&out, transport(trunks, at), "type = transport", "protocol = udp", "bind = "+bind(at, b.TrunkPort.V))
		}
	}
	for _, e := range b.Extensions {
		b.phone(&out, e)
	}
	for _, t := range b.Trunks {
		b.line(&out, t)
	}
	section(&out, mark, "type = aor")
	fmt.Fprintf(&out, "#include %q\n", staged)
	return out.String()
}

// codecs are the codecs as pjsip.conf has them.
func (b *PBX) codecs() string {
	var all []string
	for _, c := range b.Codecs.All() {
		all = append(all, string(c))
	}
	return strings.Join(all, ",")
}

// phone writes what an extension is: it registers with its password, from its own network.
func (b *PBX) phone(out *strings.Builder, e *Extension) {
	name, own := string(e.Name.V), ownAddress(b.network(e), router.AnyFamily)
	section(out, name,
		"type = endpoint",
		"context = "+e.context(),
		"transport = "+transport(phones, own.Addr()),
		"identify_by = username",
		"auth = "+name,
		"aors = "+name,
		"callerid = "+e.callerID(),
		"disallow = all",
		"allow = "+b.codecs(),
		"direct_media = no",
		"rtp_symmetric = yes",
		"rewrite_contact = yes",
		"rtp_ipv6 = "+yes(own.Addr().Is6()),
		"allow_subscribe = no",
		"allow_transfer = no",
		"deny = 0.0.0.0/0.0.0.0",
		"deny = ::/0",
		"permit = "+own.Masked().String(),
	)
	section(out, name, "type = aor", "max_contacts = 5", "remove_unavailable = yes", "qualify_frequency = 60")
}

// callerID is the name and the number that a called phone shows.
func (e *Extension) callerID() string { return fmt.Sprintf("%q <%s>", e.Name.V, e.Number.V) }

// context is where what a phone dials is looked for.
func (e *Extension) context() string {
	if e.Outside.V {
		return anywhere
	}
	return indoors
}

// keepalive is the interval of empty packets of voice, in seconds, while nothing is said.
const keepalive = 5

// line writes what a trunk is. It has no password of the provider's to ask for, so it must not be known
// by a name, which any sender can write into a request: it is known by the token in the address that it
// registers (line), and by the addresses of from.
func (b *PBX) line(out *strings.Builder, t *Trunk) {
	name, server := string(t.Name.V), t.Server.V
	at, _ := b.trunkSocket(t.family())
	over := "transport = " + transport(trunks, at)
	section(out, name,
		"type = endpoint",
		"context = "+t.incoming(),
		over,
		"identify_by = ip",
		"outbound_auth = "+name,
		"aors = "+name,
		"from_user = "+string(t.User.V),
		"from_domain = "+server.domain(),
		"disallow = all",
		"allow = "+b.codecs(),
		"direct_media = no",
		"rtp_symmetric = yes",
		"rtp_ipv6 = "+yes(at.Is6()),
		// The provider's voice comes in as the answer to the router's. Before a call is taken the router has
		// none to send, and the provider's ringing tone would stay outside.
		fmt.Sprintf("rtp_keepalive = %d", keepalive),
		"allow_subscribe = no",
		"allow_transfer = no",
	)
	// The questions keep the way through the firewall open, on this side and on the provider's.
	section(out, name, "type = aor", "contact = sip:"+server.hostport(), "qualify_frequency = 30")
	section(out, name,
		"type = registration",
		over,
		"outbound_auth = "+name,
		"server_uri = sip:"+server.hostport(),
		fmt.Sprintf("client_uri = sip:%s@%s", t.User.V, server.domain()),
		"contact_user = "+string(t.User.V),
		"line = yes",
		"endpoint = "+name,
		"expiration = 600",
		// It is never given up.
		"max_random_initial_delay = 1",
		"max_retries = 1000000000",
		"auth_rejection_permanent = no",
		"retry_interval = 30",
		"forbidden_retry_interval = 300",
		"fatal_retry_interval = 300",
	)
	if len(t.From.Items) > 0 {
		lines := []string{"type = identify", "endpoint = " + name}
		for _, p := range t.From.All() {
			lines = append(lines, "match = "+p.String())
		}
		section(out, name, lines...)
	}
}

func yes(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

// modules are all that is loaded, also what this spec does not need: a reload loads none.
var modules = []string{
	"app_dial", "bridge_native_rtp", "bridge_simple", "chan_pjsip", "codec_alaw", "codec_g722", "codec_gsm", "codec_resample", "codec_ulaw",
	"func_strings", "pbx_config", "res_pjproject", "res_pjsip", "res_pjsip_authenticator_digest", "res_pjsip_caller_id",
	"res_pjsip_endpoint_identifier_ip", "res_pjsip_endpoint_identifier_user", "res_pjsip_nat", "res_pjsip_outbound_authenticator_digest",
	"res_pjsip_outbound_registration", "res_pjsip_pubsub", "res_pjsip_registrar", "res_pjsip_rfc3326", "res_pjsip_sdp_rtp", "res_pjsip_session",
	"res_rtp_asterisk", "res_sorcery_astdb", "res_sorcery_config", "res_sorcery_memory", "res_timing_timerfd",
}

// files are those below /etc/asterisk, apart from asterisk.conf and logger.conf, which are the NixOS
// module's own. Some are empty, for Asterisk takes an absent one for a mistake.
func (b *PBX) files() map[string]string {
	var load strings.Builder
	load.WriteString("[modules]\nautoload = no\n")
	for _, m := range modules {
		fmt.Fprintf(&load, "load = %s.so\n", m)
	}
	const none = "[general]\nenable = no\n"    // no call is recorded
	const closed = "[general]\nenabled = no\n" // no socket for programs
	out := map[string]string{
		"acl.conf": "", "ccss.conf": "", "features.conf": "", "indications.conf": "", "pjproject.conf": "", "stasis.conf": "", "udptl.conf": "",
		"cdr.conf": none, "cel.conf": none,
		"http.conf": closed, "manager.conf": closed,
		"modules.conf":         load.String(),
		"rtp.conf":             fmt.Sprintf("[general]\nrtpstart = %d\nrtpend = %d\nstrictrtp = yes\nicesupport = no\n", b.Media.V.First, b.Media.V.Last),
		"cli_permissions.conf": permissions,
	}
	plan := b.plan()
	mark := b.mark()
	out["extensions.conf"], out["pjsip.conf"] = text(plan, mark), b.pjsip(mark)
	return out
}

// mark is a name that is in no other configuration. By it a reload knows that Asterisk has read this one:
// it says that a reload was successful also where it has refused the new files and keeps what it had.
func (b *PBX) mark() string {
	sum := sha256.Sum256([]byte(text(b.plan(), "") + b.pjsip("")))
	return "nbr-" + hex.EncodeToString(sum[:6])
}

// permissions are for the user who looks at the router: the console tells passwords, and can do anything.
const permissions = `[general]
default_perm = permit

[nbr-look]
deny = all
permit = core show version
permit = dialplan show
permit = module show
permit = pjsip show aors
permit = pjsip show endpoint
permit = pjsip show registrations
permit = pjsip show transports
permit = rtp show settings
`

// options is what follows the module's folders in asterisk.conf.
const options = `[options]
hideconnect = yes

[files]
astctlgroup = ` + group + `
astctlpermissions = 0660
`
