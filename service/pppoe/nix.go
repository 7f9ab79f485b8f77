package pppoe

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// program is pppd, of which each session has its own process. They share a script.
type program struct{}

func (program) File() string { return "pppoe" }

// Checks are those of the blocks.
func (program) Checks(*router.Router, []service.Block, *verify.Plan) {}

// netInit is the script that pppd runs for a new interface, below /etc.
const netInit = "ppp/net-init"

// Lower sets services.pppd.
func (program) Lower(r *router.Router, blocks []service.Block, m *nixgen.Module) {
	sessions := service.Of[*PPPoE](blocks)
	m.Set(service.From(sessions[0]), nixgen.Bool(true), "services", "pppd", "enable")
	var take, auto []string
	for _, p := range sessions {
		p.lower(r, m)
		if p.network(r, (*router.Network).TakesAdvertisements) != nil {
			take = append(take, string(p.Name.V))
		}
		if p.network(r, (*router.Network).ByAdvertisement) != nil {
			auto = append(auto, string(p.Name.V))
		}
	}
	if len(take) > 0 {
		from := service.From(sessions[0])
		m.Set(from, nixgen.Lines(initScript(take, auto)), "environment", "etc", netInit, "text")
		m.Set(from, nixgen.Str("0555"), "environment", "etc", netInit, "mode")
	}
}

// initScript has the kernel take router advertisements on sessions, also while it forwards
// (Documentation/networking/ip-sysctl.rst), and make addresses of them on some. Links that come later take none by default; what is
// set after the session has its link-local address would be too late for a solicitation. pppd
// says the interface's name in IFNAME.
func initScript(take, auto []string) string {
	script := "#!/bin/sh\n"
	for _, set := range []struct {
		names []string
		value int
		key   string
	}{{take, 2, "accept_ra"}, {auto, 1, "autoconf"}} {
		if len(set.names) > 0 {
			script += fmt.Sprintf(`case "$IFNAME" in
%s) echo %d >"/proc/sys/net/ipv6/conf/$IFNAME/%s" ;;
esac
`, strings.Join(set.names, "|"), set.value, set.key)
		}
	}
	return script
}

// staged is the file with the password as pppd reads it.
func (p *PPPoE) staged() string { return "/run/pppd/" + string(p.Name.V) + ".password" }

// lower sets the peer of a session, and the password that it starts with.
func (p *PPPoE) lower(r *router.Router, m *nixgen.Module) {
	from, name := service.From(p), string(p.Name.V)
	m.Set(from, nixgen.Lines(p.config(r)), "services", "pppd", "peers", name, "config")
	unit := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", p.unit()}, path...)...)
	}
	// The module waits until the session is up, and with it the boot and each switch: without a
	// line the house would have no network for a minute and a half.
	unit(nixgen.Apply("lib.mkForce", nixgen.Str("exec")), "serviceConfig", "Type")
	at := service.Origin(p.Addr, p.Password.Range)
	secret := p.Password.Target
	// systemd reads it, so it can be where the unit itself sees nothing.
	m.Set(at, nixgen.Str("password:"+secret.Location()), "systemd", "services", p.unit(), "serviceConfig", "LoadCredential")
	m.Set(at, nixgen.Lines(fmt.Sprintf(stageScript, secret.Addr, secret.Location(), p.staged())), "systemd", "services", p.unit(), "preStart")
	if installer := secret.Installer(); installer != "" {
		m.Add(at, []string{"systemd", "services", p.unit(), "after"}, nixgen.Str(installer))
	}
}

// stageScript makes an option of pppd of a password: in double quotes, a backslash stands before
// each backslash and quotation mark (pppd(8), OPTIONS FILES). printf is the shell's own, so the
// password is no argument of a program. Addresses of instances have quotation marks, so the
// message is in apostrophes, which no address or path has.
const stageScript = `umask 077
password=
IFS= read -r password <"$CREDENTIALS_DIRECTORY/password" || true
if [ -z "$password" ]; then
  echo '%[1]s: %[2]s is empty' >&2
  exit 1
fi
password=${password//\\/\\\\}
printf 'password "%%s"\n' "${password//\"/\\\"}" >%[3]s
`

// config is the options file of the session (pppd(8)).
func (p *PPPoE) config(r *router.Router) string {
	lines := []string{
		"plugin pppoe.so",
		"nic-" + string(p.Link.Target.LinkName()),
		"ifname " + string(p.Name.V),
		"user " + quote(string(p.User.V)),
		"file " + p.staged(),
		"noauth", // the provider does not say who it is
		fmt.Sprintf("mtu %d", p.MTU.V),
		fmt.Sprintf("mru %d", p.MTU.V),
		// Nothing here is compressed, and some providers take the offer amiss.
		"noccp",
		// A session that has ended begins anew, however often. Silence ends one.
		"persist",
		"maxfail 0",
		"holdoff 5",
		"lcp-echo-interval 10",
		"lcp-echo-failure 5",
	}
	if n := p.network(r, (*router.Network).ByPPP); n != nil {
		lines = append(lines, "noipdefault", "defaultroute")
		// Without a metric pppd makes the route only if there is no other default route.
		if metric := r.DefaultMetric(n); metric != 0 {
			lines = append(lines, fmt.Sprintf("defaultroute-metric %d", metric))
		}
	} else {
		lines = append(lines, "noip")
	}
	if p.network(r, (*router.Network).TakesAdvertisements) != nil {
		lines = append(lines, "+ipv6", "net-init-script /etc/"+netInit)
	} else {
		lines = append(lines, "noipv6")
	}
	return strings.Join(lines, "\n") + "\n"
}

// quote makes a word of pppd's files.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
