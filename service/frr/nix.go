package frr

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// program is FRR: all blocks become one configuration, which vtysh gives to its daemons.
type program struct{}

func (program) File() string { return "frr" }

// The configuration without its secrets and what puts them in, below /etc, and the
// configuration that FRR reads.
const (
	plain   = "frr/nbr.conf"
	stage   = "frr/nbr-stage.sh"
	staged  = "/run/nbr/frr/frr.conf"
	refresh = "/bin/bash /etc/" + stage
)

// Lower sets services.frr. What it reads is made when it starts and when it is reloaded:
// services.frr.config would be in the store, and so would a password in it.
func (program) Lower(r *router.Router, blocks []service.Block, m *nixgen.Module) {
	if !runs(blocks) {
		return
	}
	none := nixgen.Origin{}
	bgp, ospf := service.Of[*BGP](blocks), service.Of[*OSPF](blocks)
	bfd, rip := service.Of[*BFD](blocks), service.Of[*RIP](blocks)
	daemons := []string{"mgmtd", "staticd", "zebra"} // always there
	for _, b := range bgp {
		m.Set(service.From(b), nixgen.Bool(true), "services", "frr", "bgpd", "enable")
		daemons = append(daemons, "bgpd")
	}
	for _, o := range ospf {
		m.Set(service.From(o), nixgen.Bool(true), "services", "frr", "ospfd", "enable")
		daemons = append(daemons, "ospfd")
	}
	for _, o := range rip {
		m.Set(service.From(o), nixgen.Bool(true), "services", "frr", "ripd", "enable")
		daemons = append(daemons, "ripd")
	}
	if len(bfd) > 0 {
		m.Set(service.From(bfd[0]), nixgen.Bool(true), "services", "frr", "bfdd", "enable")
		daemons = append(daemons, "bfdd")
	}
	for _, d := range daemons {
		// No terminal on a TCP port: who may ask does so by the socket.
		m.Set(none, nixgen.List{nixgen.Str("-P 0")}, "services", "frr", d, "extraOptions")
	}
	text, script := config(r, blocks), stageScript(secrets(blocks))
	m.Set(none, nixgen.Str(staged), "services", "frr", "configFile")
	m.Set(none, nixgen.Lines(text), "environment", "etc", plain, "text")
	m.Set(none, nixgen.Lines(script), "environment", "etc", stage, "text")
	run := nixgen.List{nixgen.Concat{nixgen.Var("pkgs.bash"), nixgen.Str(refresh)}}
	m.Set(none, run, "systemd", "services", unit, "serviceConfig", "ExecStartPre")
	// Before the module's own, which compares the file with what runs.
	m.Set(none, nixgen.Apply("lib.mkBefore", run), "systemd", "services", unit, "serviceConfig", "ExecReload")
	// The files have fixed names: a switch has to see that they have changed.
	sum := sha256.Sum256([]byte(text + script))
	m.Set(none, nixgen.List{nixgen.Str(hex.EncodeToString(sum[:]))}, "systemd", "services", unit, "restartTriggers")
	for _, s := range secrets(blocks) {
		if installer := s.secret.Installer(); installer != "" {
			m.Add(none, []string{"systemd", "services", unit, "after"}, nixgen.Str(installer))
		}
	}
}

// runs tells whether a block wants a daemon: a prefix list or a group alone is of use to none, and without
// any NixOS has no FRR.
func runs(blocks []service.Block) bool {
	return len(service.Of[*PrefixList](blocks))+len(service.Of[*BGPGroup](blocks)) < len(blocks)
}

// Checks ask systemd for the unit; that the daemons do what they are for is what the
// blocks promise.
func (program) Checks(_ *router.Router, blocks []service.Block, p *verify.Plan) {
	if !runs(blocks) {
		return
	}
	h := blocks[0].Head()
	p.UnitActive(h.Addr.String()+"/unit", h.Def, unit+".service")
}

// config is the integrated configuration but for secrets.
func config(r *router.Router, blocks []service.Block) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("frr defaults traditional")
	say("log syslog informational")
	say("service integrated-vtysh-config")
	say("!")
	for _, l := range service.Of[*PrefixList](blocks) {
		for _, v6 := range []bool{false, true} {
			sayList(say, l.name(), v6, l.rules(v6))
		}
		say("!")
	}
	if bfd := service.Of[*BFD](blocks); len(bfd) > 0 {
		say("bfd")
		for _, b := range bfd {
			b.config(say)
		}
		say("exit")
		say("!")
	}
	for _, block := range service.Of[*BGP](blocks) {
		block.config(r, say)
	}
	for _, block := range service.Of[*OSPF](blocks) {
		block.config(r, say)
	}
	for _, block := range service.Of[*RIP](blocks) {
		block.config(r, say)
	}
	return b.String()
}

// sayList says a prefix list for one version of IP.
func sayList(say func(string, ...any), name string, v6 bool, rules []string) {
	for i, rule := range rules {
		say("%s prefix-list %s seq %d %s", word(v6), name, 5*(i+1), rule)
	}
}

// word is FRR's for a version of IP.
func word(v6 bool) string {
	if v6 {
		return "ipv6"
	}
	return "ip"
}

func (b *BGP) config(r *router.Router, say func(string, ...any)) {
	for _, d := range b.Redistribute {
		d.maps(r, "bgp", say)
	}
	for _, n := range b.Neighbors {
		if n.byLink() {
			// For bgpd zebra sends advertisements there, and hosts are not to take the router for theirs.
			say("interface %s", n.peer())
			say(" ipv6 nd ra-lifetime 0")
			say("exit")
			say("!")
		}
	}
	say("router bgp %d", b.AS.V)
	say(" bgp router-id %s", b.RouterID.V)
	// Defaults of FRR's that have changed, or that its build may change.
	say(" bgp ebgp-requires-policy")
	say(" bgp network import-check")
	say(" no bgp default ipv4-unicast")
	for _, n := range b.Neighbors {
		has, peer := n.has(), n.peer()
		if n.byLink() {
			// Without v6only an IPv4 network of two addresses on the link would make another session of it.
			say(" neighbor %s interface v6only remote-as %d", peer, has.RemoteAS.V)
			// One of the two tries before the other has heard of it, and would wait two minutes to try again.
			say(" neighbor %s timers connect 5", peer)
		} else {
			say(" neighbor %s remote-as %d", peer, has.RemoteAS.V)
		}
		say(" neighbor %s description %s", peer, n.Name.V)
		if has.BFD.Set {
			say(" neighbor %s bfd", peer)
			say(" neighbor %s bfd profile %s", peer, named(has.BFD.Target.Addr))
		}
	}
	for _, v6 := range []bool{false, true} {
		say(" !")
		say(" address-family %s unicast", family(v6))
		said := map[string]bool{}
		for _, a := range b.announces() {
			if a.Addr().Is6() == v6 && !said[a.Prefix.String()] {
				said[a.Prefix.String()] = true
				say("  network %s", a.Prefix)
			}
		}
		for _, d := range b.Redistribute {
			if slices.Contains(d.versions(r, "bgp"), v6) {
				say("  %s", d.line("bgp"))
			}
		}
		for _, n := range b.Neighbors {
			if !n.carries(v6) {
				continue
			}
			has, peer := n.has(), n.peer()
			say("  neighbor %s activate", peer)
			if has.In.Set {
				say("  neighbor %s prefix-list %s in", peer, has.In.Target.name())
			}
			if has.Out.Set {
				say("  neighbor %s prefix-list %s out", peer, has.Out.Target.name())
			}
		}
		say(" exit-address-family")
	}
	say("exit")
	say("!")
}

func (o *OSPF) config(r *router.Router, say func(string, ...any)) {
	for _, d := range o.Redistribute {
		d.maps(r, "ospf", say)
	}
	said := map[router.IfName]bool{}
	for _, a := range o.Areas {
		for _, n := range a.Networks.All() {
			if said[n.Device()] {
				continue
			}
			said[n.Device()] = true
			say("interface %s", n.Device())
			say(" no ip ospf passive")
			if a.Password.Set {
				say(" ip ospf authentication key-chain %s", a.keyChain())
			}
			if a.BFD.Set {
				say(" ip ospf bfd")
				say(" ip ospf bfd profile %s", named(a.BFD.Target.Addr))
			}
			say("exit")
			say("!")
		}
	}
	say("router ospf")
	say(" ospf router-id %s", o.RouterID.V)
	for _, d := range o.Redistribute {
		say(" %s", d.line("ospf"))
	}
	say(" passive-interface default")
	for _, a := range o.Areas {
		for _, n := range append(a.Networks.All(), a.Passive.All()...) {
			if p, ok := n.FixedIn(router.IPv4); ok {
				say(" network %s area %s", p.Masked(), a.ID.V)
			}
		}
	}
	say("exit")
	say("!")
}

// A staged secret has a place in the configuration.
type stagedSecret struct {
	secret *router.Secret
	length int    // the greatest of it
	lines  string // a format of printf(1) with one %s
}

// passwordLength is the greatest of a password of BGP (TCP_MD5SIG_MAXKEYLEN of linux/tcp.h), and
// enough for a key of OSPF.
const passwordLength = 80

func secrets(blocks []service.Block) []stagedSecret {
	var out []stagedSecret
	for _, b := range service.Of[*BGP](blocks) {
		for _, n := range b.Neighbors {
			if password := n.has().Password; password.Set {
				out = append(out, stagedSecret{password.Target, passwordLength, fmt.Sprintf(`router bgp %d\n neighbor %s password %%s\nexit\n`, b.AS.V, n.peer())})
			}
		}
	}
	for _, o := range service.Of[*OSPF](blocks) {
		for _, a := range o.Areas {
			if a.Password.Set {
				out = append(out, stagedSecret{a.Password.Target, passwordLength, fmt.Sprintf(
					`key chain %s\n key 1\n  key-string %%s\n  cryptographic-algorithm hmac-sha-256\n exit\nexit\n`, a.keyChain())})
			}
		}
	}
	for _, o := range service.Of[*RIP](blocks) {
		if o.Password.Set {
			out = append(out, stagedSecret{o.Password.Target, ripKeyLength, fmt.Sprintf(`key chain %s\n key 1\n  key-string %%s\n exit\nexit\n`, ripKeys)})
		}
	}
	return out
}

// stageScript makes the file that FRR reads, of the configuration and the secrets. What
// FRR would refuse is replaced: it would go on without a password, with any host that asks.
func stageScript(secrets []stagedSecret) string {
	var b strings.Builder
	b.WriteString(`set -eu
export LC_ALL=C
umask 077
password() {
  local key=
  IFS= read -r key <"$1" || true
  if [[ ! $key =~ ^[!-~]+$ || ${#key} -gt $2 ]]; then
    echo "$1 is missing or is no password of 1 to $2 printable ASCII characters: a random one takes its place" >&2
    key=$(head -c 12 /dev/urandom | base64)
  fi
  printf %s "$key"
}
`)
	fmt.Fprintf(&b, "mkdir -p %s\n{\n", staged[:strings.LastIndexByte(staged, '/')])
	fmt.Fprintf(&b, "  cat /etc/%s\n", plain)
	for _, s := range secrets {
		fmt.Fprintf(&b, "  printf '%s' \"$(password %s %d)\"\n", s.lines, s.secret.Location(), s.length)
	}
	fmt.Fprintf(&b, "} >%[1]s.new\nmv %[1]s.new %[1]s\n", staged)
	return b.String()
}
