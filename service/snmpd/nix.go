package snmpd

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// unit is snmpd's, without .service. Its folders have the same name.
const unit = "snmpd"

const (
	// users has the passphrases, which are put there when the unit starts.
	users = "/run/" + unit + "/users.conf"
	// kept is what snmpd itself writes.
	kept = "/var/lib/" + unit
)

// lower sets services.snmpd. Its module has the configuration in the store, which all can read, so
// that includes a file with the users, and runs snmpd as root, which it needs for its port alone.
func (b *SNMP) lower(_ *router.Router, m *nixgen.Module) {
	from := service.From(b)
	set := func(v nixgen.Expr, name string) { m.Set(from, v, "services", "snmpd", name) }
	set(nixgen.Bool(true), "enable")
	// The module adds the port to the last one.
	m.Set(service.Origin(b.Addr, b.Networks.Range), nixgen.Str(strings.TrimSuffix(b.listen(), suffix)), "services", "snmpd", "listenAddress")
	set(nixgen.Int(port), "port")
	set(nixgen.Lines(b.config()), "configText")

	run := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
	run(nixgen.Str(""), "environment", "MIBS") // names of objects, of which the configuration has none
	run(nixgen.Str(kept), "environment", "SNMPCONFPATH")
	run(nixgen.Str(kept), "environment", "SNMP_PERSISTENT_DIR")
	run(nixgen.List{nixgen.Var("pkgs.coreutils")}, "path")
	var installers []string
	for _, u := range b.Users {
		installers = append(installers, u.Authentication.Target.Installer(), u.Privacy.Target.Installer())
	}
	slices.Sort(installers)
	for _, name := range slices.Compact(installers) {
		if name != "" { // the file is there without a unit
			m.Add(from, []string{"systemd", "services", unit, "after"}, nixgen.Str(name))
		}
	}
	exec := func(v nixgen.Expr, name string) { run(v, "serviceConfig", name) }
	script := func(name, text string) nixgen.Expr {
		return nixgen.Apply("pkgs.writeShellScript", nixgen.Str(name), nixgen.Lines(text))
	}
	exec(nixgen.List{
		// The + is systemd's: as root, who alone can read the secrets.
		nixgen.Concat{nixgen.Str("+"), script("snmpd-users", b.userScript())},
		nixgen.Concat{script("snmpd-engine", engineScript)},
	}, "ExecStartPre")
	exec(nixgen.Str("always"), "Restart")
	exec(nixgen.Str("5s"), "RestartSec")
	exec(nixgen.Bool(true), "DynamicUser")
	exec(nixgen.Str(unit), "RuntimeDirectory")
	exec(nixgen.Str("0700"), "RuntimeDirectoryMode")
	exec(nixgen.Str(unit), "StateDirectory")
	exec(nixgen.Str("0700"), "StateDirectoryMode")
	bind := nixgen.List{nixgen.Str("CAP_NET_BIND_SERVICE")}
	exec(bind, "AmbientCapabilities")
	exec(bind, "CapabilityBoundingSet")
	exec(nixgen.List{nixgen.Str("AF_INET"), nixgen.Str("AF_INET6"), nixgen.Str("AF_NETLINK"), nixgen.Str("AF_UNIX")}, "RestrictAddressFamilies")
	exec(nixgen.Str("native"), "SystemCallArchitectures")
	for _, name := range []string{
		"LockPersonality", "MemoryDenyWriteExecute", "PrivateDevices", "ProtectClock", "ProtectControlGroups", "ProtectHome", "ProtectHostname",
		"ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces", "RestrictRealtime",
	} {
		exec(nixgen.Bool(true), name)
	}
}

// suffix is the port in a listening address.
const suffix = ":161"

// listen are the addresses as snmpd(8) takes them on its command line.
func (b *SNMP) listen() string {
	var out []string
	for _, a := range b.addresses() {
		transport := "udp:"
		if a.Is6() {
			transport = "udp6:"
		}
		out = append(out, transport+netip.AddrPortFrom(a, port).String())
	}
	return strings.Join(out, ",")
}

// config is snmpd.conf(5) without the users' passphrases. A line that snmpd cannot read it leaves out,
// and goes on; so each has a check of what it is for.
func (b *SNMP) config() string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	line("dontLogTCPWrappersConnects true") // each question would be a line of the journal
	if b.Contact.Set {
		line("sysContact %s", b.Contact.V)
	}
	if b.Location.Set {
		line("sysLocation %s", b.Location.V)
	}
	for i, u := range b.Users {
		for _, v := range u.View.All() {
			line("view %s included .%s", u.Name.V, v)
		}
		for _, v := range u.Except.All() {
			line("view %s excluded .%s", u.Name.V, v)
		}
		// Not rouser: the group that it makes of a user's name can be that of another one, whose view
		// then counts. The view that sets and notifies is net-snmp's own that has nothing.
		line("group u%d usm %s", i+1, u.Name.V)
		line(`access u%d "" usm priv exact %s _none_ _none_`, i+1, u.Name.V)
	}
	line("includeFile %s", users)
	return out.String()
}

// shortest and longest are the lengths of passphrases: the least of RFC 3414 section 11.2, and what
// leaves room on a line of net-snmp's.
const shortest, longest = 8, 128

// userScript writes the users with their passphrases into a file of the unit's own user. One whose
// passphrase cannot be read is left out, so that the others get answers.
func (b *SNMP) userScript() string {
	var out strings.Builder
	fmt.Fprintf(&out, `set -eu
export LC_ALL=C
umask 077
passphrase() { # FILE
  local line=
  IFS= read -r line <"$1" || true
  if [[ ! $line =~ ^[\ -~]{%d,%d}$ ]]; then
    echo "$1 is missing or is no passphrase of %[1]d to %[2]d printable ASCII characters" >&2
    return 1
  fi
  line=${line//\\/\\\\}
  printf '"%%s"' "${line//\"/\\\"}"
}
user() { # NAME AUTHENTICATION PRIVACY
  local authentication privacy
  if authentication=$(passphrase "$2") && privacy=$(passphrase "$3"); then
    printf 'createUser %%s SHA-256 %%s AES %%s\n' "$1" "$authentication" "$privacy"
  else
    echo "$1 gets no answer" >&2
  fi
}
{
`, shortest, longest)
	for _, u := range b.Users {
		fmt.Fprintf(&out, "  user %s %s %s\n", u.Name.V, u.Authentication.Target.Location(), u.Privacy.Target.Location())
	}
	fmt.Fprintf(&out, "} >%[1]s\nchown --reference=/run/%[2]s %[1]s\n", users, unit)
	return out.String()
}

// engineScript keeps, of what snmpd has written when it ran last, the engine's identifier and how
// often it has started, and nothing of its users: snmpd writes their keys (usmUser lines), and would go
// on to answer those who are gone from the spec, or whose passphrase is.
//
// How often it has started must never be what it was before with the same identifier, or old messages
// could be sent again (RFC 3414 section 2.2). snmpd counts by one, and a power cut may lose what it has
// written then. So the number is raised here as well, and is on the card before snmpd starts. Where it
// cannot be read, or ends (section 2.2.2), snmpd makes a new identifier.
const engineScript = `set -eu
export LC_ALL=C
umask 077
shopt -s nullglob
cd ` + kept + `
boots=0 engine=
for file in snmpd*.conf; do # also copies of a file that snmpd was writing
  while read -r word value; do
    case $word in
      engineBoots)
        if [[ $value =~ ^[1-9][0-9]{0,9}$ ]] && ((value > boots)); then
          boots=$value
        fi
        ;;
      oldEngineID) engine=$value ;;
    esac
  done <"$file"
done
if [[ $engine =~ ^0x[0-9A-Fa-f]{10,64}$ ]] && ((boots > 0 && boots < 2147483640)); then
  printf 'engineBoots %d\noldEngineID %s\n' $((boots + 1)) "$engine" >new
  sync new
  mv new snmpd.conf
  sync .
else
  rm -f snmpd.conf
fi
rm -f snmpd.*.conf
`
