package strongswan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// program is charon, which has all tunnels.
type program struct{}

func (program) File() string { return "ipsec" }

// Checks look at the unit, and at the one that watches the files of secrets.
func (program) Checks(_ *router.Router, blocks []service.Block, p *verify.Plan) {
	b := service.Of[*IPsec](blocks)[0]
	p.UnitActive(b.Addr.String()+"/unit", b.Def, unit+".service")
	p.UnitActive(b.Addr.String()+"/watch", b.Def, changed+".path")
}

const (
	// staged is the folder of what is put together when the unit starts, and secretsFile has the PSKs.
	staged      = "/run/" + group
	secretsFile = staged + "/secrets.conf"
	// keys is the folder that swanctl reads private keys from.
	keys = "/etc/swanctl/private"
	// socket is where charon answers, with nixpkgs' and Debian's paths.
	socket = "/run/charon.vici"
	// changed is the unit that has charon read secrets and certificates again.
	changed = "nbr-ipsec-secrets"
)

// plugins are those that IKEv2 with these blocks needs. Without the others charon does less: it answers
// no DHCP, and nothing that asks it can have it run a program (updown).
const plugins = "random drbg nonce openssl kdf pem pkcs1 pkcs8 x509 pubkey constraints kernel-netlink socket-default vici"

// Lower sets services.strongswan-swanctl. The connections are a file in the store, as the PSKs are in
// another one that only root can read.
func (program) Lower(_ *router.Router, blocks []service.Block, m *nixgen.Module) {
	tunnels := service.Of[*IPsec](blocks)
	from := service.From(tunnels[0])
	set := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"services", unit}, path...)...)
	}
	set(nixgen.Bool(true), "enable")
	set(nixgen.Lines(settings(tunnels)), "strongswan", "extraConfig")
	set(nixgen.List{
		nixgen.Apply("pkgs.writeText", nixgen.Str("swanctl-nbr.conf"), nixgen.Lines(connections(tunnels))),
		nixgen.Str(secretsFile),
	}, "includes")
	m.Set(from, nixgen.Attrs{}, "users", "groups", group)

	run := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
	stage := nixgen.Concat{nixgen.Apply("pkgs.writeShellScript", nixgen.Str("ipsec-stage"), nixgen.Lines(stageScript(tunnels)))}
	exec := func(v nixgen.Expr, name string) { run(v, "serviceConfig", name) }
	exec(nixgen.List{stage}, "ExecStartPre")
	// The module's own has the settings of the daemon read again, and neither connections nor secrets.
	exec(nixgen.Apply("lib.mkForce", nixgen.Op{
		Op: "++",
		L:  nixgen.Var("config.systemd.services." + unit + ".serviceConfig.ExecStartPre"),
		R:  nixgen.List{nixgen.Concat{nixgen.Var("config.services." + unit + ".package"), nixgen.Str("/sbin/swanctl --load-all --clear --noprompt")}},
	}), "ExecReload")
	// The - is systemd's: one connection whose certificate is not there yet does not end the others.
	exec(nixgen.Apply("lib.mkForce", nixgen.List{
		nixgen.Concat{nixgen.Str("-"), nixgen.Var("config.services." + unit + ".package"), nixgen.Str("/sbin/swanctl --load-all --noprompt")},
		nixgen.Concat{nixgen.Var("pkgs.coreutils"), nixgen.Str("/bin/chgrp " + group + " " + socket)},
	}), "ExecStartPost")
	exec(nixgen.Apply("lib.mkForce", nixgen.Str("always")), "Restart")
	exec(nixgen.Str("5s"), "RestartSec")
	run(nixgen.Int(0), "unitConfig", "StartLimitIntervalSec")
	exec(nixgen.Str(group), "RuntimeDirectory")
	exec(nixgen.Str("0700"), "RuntimeDirectoryMode")
	exec(nixgen.List{nixgen.Str("CAP_CHOWN"), nixgen.Str("CAP_DAC_OVERRIDE"), nixgen.Str("CAP_NET_ADMIN"), nixgen.Str("CAP_NET_BIND_SERVICE"), nixgen.Str("CAP_NET_RAW")}, "CapabilityBoundingSet")
	exec(nixgen.List{nixgen.Str("AF_INET"), nixgen.Str("AF_INET6"), nixgen.Str("AF_NETLINK"), nixgen.Str("AF_UNIX")}, "RestrictAddressFamilies")
	exec(nixgen.Str("native"), "SystemCallArchitectures")
	for _, name := range []string{
		"LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectClock", "ProtectControlGroups", "ProtectHostname",
		"ProtectKernelLogs", "ProtectKernelModules", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
	} {
		exec(nixgen.Bool(true), name)
	}
	for _, name := range installers(tunnels) {
		m.Add(from, []string{"systemd", "services", unit, "after"}, nixgen.Str(name))
	}
	lowerChanges(tunnels, m)
}

// lowerChanges has charon read secrets and certificates again when they are others. Tunnels with a PSK stay.
func lowerChanges(tunnels []*IPsec, m *nixgen.Module) {
	from := service.From(tunnels[0])
	for name, v := range map[string]nixgen.Expr{
		"description": nixgen.Str("Other secrets for IPsec"),
		"script":      nixgen.Lines("systemctl --no-block try-reload-or-restart " + unit + ".service\n"),
	} {
		m.Set(from, v, "systemd", "services", changed, name)
	}
	m.Set(from, nixgen.Str("oneshot"), "systemd", "services", changed, "serviceConfig", "Type")
	var files []string
	for _, b := range tunnels {
		for _, s := range b.secrets() {
			files = append(files, s.Location())
		}
		if b.Certificate.Set {
			files = append(files, string(b.Certificate.V), string(b.CA.V))
		}
	}
	slices.Sort(files)
	service.Watch(m, from, changed, slices.Compact(files)...)
}

// secrets are those that the tunnel needs.
func (b *IPsec) secrets() []*router.Secret {
	if b.PSK.Set {
		return []*router.Secret{b.PSK.Target}
	}
	return []*router.Secret{b.Key.Target}
}

// installers are the units that put secrets in place.
func installers(tunnels []*IPsec) []string {
	var out []string
	for _, b := range tunnels {
		for _, s := range b.secrets() {
			if name := s.Installer(); name != "" {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// settings is strongswan.conf. Routes are IfState's: charon would make some of its own in table 220, and
// the rule that leads there it makes also where it makes no routes, unless there is no table.
func settings(tunnels []*IPsec) string {
	var links []string
	for _, b := range tunnels {
		links = append(links, string(b.carrier().Device()))
	}
	slices.Sort(links)
	return fmt.Sprintf(`charon-systemd {
  load = %s
  install_routes = no
  routing_table = 0
  install_virtual_ip = no
  interfaces_use = %s
  retry_initiate_interval = 30
}
`, plugins, strings.Join(slices.Compact(links), ","))
}

// connections is what swanctl.conf(5) has of the tunnels.
func connections(tunnels []*IPsec) string {
	w := &writer{}
	w.block("connections", func() {
		for _, b := range tunnels {
			w.block(string(b.Name.V), func() { b.connection(w) })
		}
	})
	return w.String()
}

// connection is the section of one tunnel.
func (b *IPsec) connection(w *writer) {
	w.line("version = 2")
	if a := b.local(); a.IsValid() {
		w.line("local_addrs = %s", a)
	}
	if b.Remote.Set {
		w.line("remote_addrs = %s", b.Remote.V)
	}
	w.line("proposals = %s", join(b.ikeProposals()))
	w.line("dpd_delay = %ds", b.DPD.V)
	w.line("unique = replace")
	if !b.Remote.V.addr.IsValid() {
		// The firewall opens no ESP to all: in UDP it comes from the same port as IKE (RFC 3948).
		w.line("encap = yes")
	}
	if b.begins() {
		w.line("keyingtries = 0")
	}
	w.block("local", func() {
		w.line("id = %q", string(b.LocalID.V))
		if b.PSK.Set {
			w.line("auth = psk")
		} else {
			w.line("auth = pubkey")
			w.line("certs = %s", b.Certificate.V)
		}
	})
	w.block("remote", func() {
		w.line("id = %q", string(b.RemoteID.V))
		if b.PSK.Set {
			w.line("auth = psk")
		} else {
			w.line("auth = pubkey")
			w.line("cacerts = %s", b.CA.V)
		}
	})
	w.block("children", func() {
		w.block(string(b.Name.V), func() {
			w.line("local_ts = %s", join(b.LocalSubnets.All()))
			w.line("remote_ts = %s", join(b.RemoteSubnets.All()))
			w.line("if_id_in = %d", b.Link.Target.(*XFRM).ID.V)
			w.line("if_id_out = %d", b.Link.Target.(*XFRM).ID.V)
			w.line("esp_proposals = %s", join(b.espProposals()))
			if b.begins() {
				// A refusal ends what start begins; what is sent then has charon try again.
				w.line("start_action = trap|start")
				w.line("dpd_action = restart")
				// Where both begin, the one that replaces a tunnel ends the other: to start again then would never end.
				w.line("close_action = trap")
			} else {
				w.line("dpd_action = clear")
			}
		})
	})
}

// join writes a list of swanctl.conf.
func join[T any](list []T) string {
	var out []string
	for _, v := range list {
		out = append(out, fmt.Sprint(v))
	}
	return strings.Join(out, ",")
}

// A writer writes strongSwan's files.
type writer struct {
	strings.Builder
	depth int
}

func (w *writer) line(format string, args ...any) {
	fmt.Fprintf(w, strings.Repeat("  ", w.depth)+format+"\n", args...)
}

func (w *writer) block(head string, body func()) {
	w.line("%s {", head)
	w.depth++
	body()
	w.depth--
	w.line("}")
}

// shortest and longest are the lengths of a PSK.
const shortest, longest = 16, 128

// stageScript puts together what swanctl reads of the secrets. A PSK that cannot be read is left out, so
// that the other tunnels come up. printf is the shell's own, so that no secret is an argument of a
// program; hexadecimal, no character of it means something in the file.
func stageScript(tunnels []*IPsec) string {
	var out strings.Builder
	fmt.Fprintf(&out, `set -eu
export LC_ALL=C
umask 077
psk() { # NAME FILE LOCAL REMOTE
  local line= hex= i
  IFS= read -r line <"$2" || true
  if [[ ! $line =~ ^[\ -~]{%d,%d}$ ]]; then
    echo "$2 is missing or has no %[1]d to %[2]d printable ASCII characters: the tunnel $1 does not come up" >&2
    return 0
  fi
  for ((i = 0; i < ${#line}; i++)); do
    printf -v hex '%%s%%02x' "$hex" "'${line:i:1}"
  done
  printf '  ike-%%s {\n    id-1 = "%%s"\n    id-2 = "%%s"\n    secret = 0x%%s\n  }\n' "$1" "$3" "$4" "$hex"
}
mkdir -p %[3]s %[4]s
rm -f %[4]s/nbr-*
{
  echo 'secrets {'
`, shortest, longest, staged, keys)
	for _, b := range tunnels {
		if b.PSK.Set {
			fmt.Fprintf(&out, "  psk %s %s '%s' '%s'\n", b.Name.V, b.PSK.Target.Location(), quoted(b.LocalID.V), quoted(b.RemoteID.V))
		}
	}
	fmt.Fprintf(&out, "  echo '}'\n} >%s.new\nmv %[1]s.new %[1]s\n", secretsFile)
	for _, b := range tunnels {
		if b.Key.Set {
			fmt.Fprintf(&out, "ln -s %s %s/nbr-%s.pem\n", b.Key.Target.Location(), keys, b.Name.V)
		}
	}
	return out.String()
}

// quoted is an identity between the apostrophes of a shell.
func quoted(i Identity) string { return strings.ReplaceAll(string(i), "'", `'\''`) }
