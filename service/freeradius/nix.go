package freeradius

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// unit is that of NixOS' module, without .service, and group the group of its user, which the agent is in.
const (
	unit  = "freeradius"
	group = "radius"
)

// renewed is the unit that restarts FreeRADIUS when the certificate is another one.
const renewed = "nbr-radius-certificate"

const (
	// staged is the folder of what is put together when the unit starts.
	staged = "/run/" + unit
	// control is the socket that radmin asks at.
	control = staged + "/control.sock"
	// kept is the folder of ownSecret.
	kept = "/var/lib/nbr-radius"
	// ownSecret is the file with the secret of the router's own programs, made once. Its group can read it.
	ownSecret = kept + "/own"
)

// lower sets services.freeradius, whose module has no configuration at all. This one is in the store, which
// all can read, and includes what the unit makes of the secrets.
func (b *RADIUS) lower(_ *router.Router, m *nixgen.Module) {
	from := service.From(b)
	set := func(v nixgen.Expr, name string) { m.Set(from, v, "services", "freeradius", name) }
	set(nixgen.Bool(true), "enable")
	set(nixgen.Apply("pkgs.writeTextDir", nixgen.Str("radiusd.conf"), nixgen.Op{
		Op: "+",
		L:  nixgen.Concat{nixgen.Str("prefix = "), nixgen.Var("config.services.freeradius.package"), nixgen.Str("\n")},
		R:  nixgen.Lines(b.config()),
	}), "configDir")

	run := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
	exec := func(v nixgen.Expr, name string) { run(v, "serviceConfig", name) }
	// The module's own reads the configuration, which includes what this makes. The + is systemd's: as
	// root, who alone can read the secrets.
	exec(nixgen.Apply("lib.mkBefore", nixgen.List{
		nixgen.Concat{nixgen.Str("+"), nixgen.Apply("pkgs.writeShellScript", nixgen.Str("radius-stage"), nixgen.Lines(b.stageScript()))},
	}), "ExecStartPre")
	// A switch to another configuration restarts the unit, as its command names it. To read its files again
	// would have FreeRADIUS take neither other clients nor another certificate.
	exec(nixgen.Apply("lib.mkForce", nixgen.List{}), "ExecReload")
	exec(nixgen.Apply("lib.mkForce", nixgen.Str("always")), "Restart")
	exec(nixgen.Apply("lib.mkForce", nixgen.Str("5s")), "RestartSec")
	run(nixgen.Int(0), "unitConfig", "StartLimitIntervalSec")
	exec(nixgen.Str(unit), "RuntimeDirectory")
	exec(nixgen.Str("0700"), "RuntimeDirectoryMode") // who may ask at control is told secrets
	// Each question at control would be two lines. The whole line is told, as identities of devices are in others.
	exec(nixgen.Str("~^.{0,40}Info:  [.][.][.] (adding new|shutting down) socket command file "+control+"$"), "LogFilterPatterns")
	exec(nixgen.Str(""), "CapabilityBoundingSet")
	exec(nixgen.List{nixgen.Str("AF_INET"), nixgen.Str("AF_INET6"), nixgen.Str("AF_NETLINK"), nixgen.Str("AF_UNIX")}, "RestrictAddressFamilies")
	exec(nixgen.Str("native"), "SystemCallArchitectures")
	for _, name := range []string{
		"LockPersonality", "NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectClock", "ProtectControlGroups", "ProtectHostname",
		"ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
	} {
		exec(nixgen.Bool(true), name)
	}
	for _, name := range b.installers() {
		m.Add(from, []string{"systemd", "services", unit, "after"}, nixgen.Str(name))
	}

	b.lowerRenewal(m)
}

// lowerRenewal restarts FreeRADIUS when the certificate is another one.
func (b *RADIUS) lowerRenewal(m *nixgen.Module) {
	from := service.From(b)
	for name, v := range map[string]nixgen.Expr{
		"description": nixgen.Str("Another certificate for RADIUS"),
		"path":        nixgen.List{nixgen.Var("pkgs.openssl")},
		"script":      nixgen.Lines(b.renewScript()),
	} {
		m.Set(from, v, "systemd", "services", renewed, name)
	}
	m.Set(from, nixgen.Str("oneshot"), "systemd", "services", renewed, "serviceConfig", "Type")
	files := []string{string(b.Certificate.V), b.Key.Target.Location()}
	if b.certificates() {
		files = append(files, string(b.CA.V))
	}
	service.Watch(m, from, renewed, files...)
}

// renewScript lets FreeRADIUS run on with what it has where it would not start with the files.
func (b *RADIUS) renewScript() string {
	var out strings.Builder
	fmt.Fprintf(&out, `sleep 2 # until the other files are there
refuse() {
  echo "$1: FreeRADIUS runs on with what it has" >&2
  exit 1
}
shown=$(openssl x509 -noout -pubkey -in %[1]s) || refuse "%[1]s is no certificate"
own=$(openssl pkey -pubout -in %[2]s -passin pass:) || refuse "%[2]s is no private key"
[[ $shown == "$own" ]] || refuse "%[2]s is not the key of %[1]s"
`, b.Certificate.V, b.Key.Target.Location())
	if b.certificates() {
		fmt.Fprintf(&out, "openssl x509 -noout -in %[1]s || refuse \"%[1]s is no certificate\"\n", b.CA.V)
	}
	out.WriteString("systemctl --no-block try-restart " + unit + ".service\n")
	return out.String()
}

// installers are the units that put secrets in place.
func (b *RADIUS) installers() []string {
	secrets := []*router.Secret{b.Key.Target}
	for _, c := range b.Clients {
		secrets = append(secrets, c.Secret.Target)
	}
	for _, u := range b.Users {
		if u.Password.Set {
			secrets = append(secrets, u.Password.Target)
		}
	}
	var out []string
	for _, s := range secrets {
		if name := s.Installer(); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// mark is what the configuration calls itself, so that another one that runs is known.
func (b *RADIUS) mark() string {
	sum := sha256.New()
	fmt.Fprint(sum, b.text(""), b.stageScript())
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// config is radiusd.conf after its first line, which is the path of the package.
func (b *RADIUS) config() string { return b.text(b.mark()) }

func (b *RADIUS) text(mark string) string {
	w := &writer{}
	w.line("nbr = %q", mark)
	w.line(`dollar = "$"`) // for secrets: ${ begins a variable, and nothing else stands for a $
	w.line("libdir = ${prefix}/lib")
	w.line("run_dir = " + staged)
	w.line("logdir = /var/log/radius")
	w.line("correct_escapes = true")
	w.line("max_requests = 16384") // FreeRADIUS' own: who has no password may begin conversations
	w.line("proxy_requests = no")
	w.block("log", func() {
		w.line("destination = stdout")
		w.line("auth_reject = yes")
		if b.certificates() {
			w.line(`msg_badpass = "%%{TLS-Client-Cert-Common-Name}"`) // the outer identity may be any
		}
	})
	w.block("security", func() {
		w.line("allow_core_dumps = no")
		w.line("max_attributes = 200")
		w.line("reject_delay = 1")
		w.line("status_server = yes")
		w.line("require_message_authenticator = yes")
		w.line("limit_proxy_state = yes")
	})
	w.block("thread pool", func() {
		w.line("start_servers = 1")
		w.line("max_servers = 8")
		w.line("min_spare_servers = 1")
		w.line("max_spare_servers = 4")
	})
	w.line("$INCLUDE %s/clients.conf", staged)
	if b.certificates() {
		w.line("$INCLUDE %s/ca.conf", staged)
	}
	w.block("listen", func() {
		w.line("type = control")
		w.line("socket = " + control)
		w.line("mode = ro")
	})
	w.block("modules", func() { b.modules(w) })
	if b.certificates() {
		w.block("policy", func() { w.block("certified", func() { b.certified(w) }) })
	}
	w.block("server default", func() { b.outer(w) })
	if b.passwords() {
		w.block("server passwords", func() { b.inner(w) })
	}
	if b.certificates() {
		w.block("server certificates", func() {
			w.block("authorize", func() {
				w.block("update request", func() { w.line(`&Tmp-String-0 := "%%{TLS-Client-Cert-Common-Name}"`) })
				w.line("certified")
			})
		})
	}
	return w.String()
}

// A writer writes FreeRADIUS' files.
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

// modules are the ways to authenticate.
func (b *RADIUS) modules(w *writer) {
	first := "tls"
	if b.passwords() {
		first = "peap"
	}
	w.block("eap", func() {
		w.line("default_eap_type = " + first)
		w.line("max_sessions = ${max_requests}")
		w.line("timer_expire = 20") // seconds that a conversation may stand still
		w.block("tls-config shown", func() {
			w.line("certificate_file = %s/certificate.pem", staged)
			w.line("private_key_file = %s/key.pem", staged)
			if b.certificates() {
				w.line("ca_file = %s/ca.pem", staged)
			}
			w.line(`tls_min_version = "1.2"`)
			w.line(`tls_max_version = "1.2"`)       // of FreeRADIUS' own: many devices fail with 1.3
			w.line(`cipher_list = "DEFAULT:!kRSA"`) // without forward secrecy a key that is stolen later tells passwords
			w.line(`ecdh_curve = ""`)
			w.block("cache", func() { w.line("enable = no") })
		})
		if b.certificates() {
			w.block("tls", func() {
				w.line("tls = shown")
				w.line("virtual_server = certificates")
			})
		}
		if b.passwords() {
			w.block("peap", func() {
				w.line("tls = shown")
				w.line("default_eap_type = mschapv2")
				w.line("virtual_server = passwords")
			})
		}
	})
	if b.certificates() {
		w.block("always reject", func() { w.line("rcode = reject") })
	}
	w.block("always ok", func() { w.line("rcode = ok") })
	if b.passwords() {
		w.block("eap inner", func() {
			w.line("default_eap_type = mschapv2")
			w.block("mschapv2", func() {})
		})
		w.block("mschap", func() {})
		w.block("files passwords", func() { w.line("usersfile = %s/passwords", staged) })
	}
}

// certified accepts the names that a certificate may have, and tells their VLANs.
func (b *RADIUS) certified(w *writer) {
	w.block("switch &Tmp-String-0", func() {
		for _, u := range b.Users {
			if u.Certificate.V {
				w.block(fmt.Sprintf("case %q", string(u.Name.V)), func() {
					w.block("update control", func() { w.line("&Auth-Type := Accept") })
					u.tell(w, "reply")
				})
			}
		}
		w.block("case", func() { w.line("reject") })
	})
}

// tell puts the VLAN of the user into a list of attributes (RFC 3580 section 3.31).
func (u *User) tell(w *writer, list string) {
	if !u.VLAN.Set {
		return
	}
	w.block("update "+list, func() {
		w.line("&Tunnel-Type := VLAN")
		w.line("&Tunnel-Medium-Type := IEEE-802")
		w.line(`&Tunnel-Private-Group-Id := "%d"`, u.VLAN.V)
	})
}

// outer is what clients ask.
func (b *RADIUS) outer(w *writer) {
	for _, a := range b.own() {
		w.block("listen", func() {
			w.line("type = auth")
			w.line("%s = %s", addrWord(a.Addr), a)
			w.line("port = %d", port)
		})
	}
	w.block("authorize", func() {
		// The router itself is told what runs, whether or not it can read the configuration.
		w.block("Autz-Type Status-Server", func() {
			w.block(`if ("%{client:own}" == "yes")`, func() {
				w.block("update reply", func() {
					w.line(`&Reply-Message := "%%{config:nbr}"`)
					if b.certificates() {
						w.line(`&Reply-Message += "%%{config:ca}"`)
					}
				})
			})
			w.line("ok")
		})
		if b.certificates() {
			// The router itself may ask what a certificate's user would be told (RFC 2865 section 5.6,
			// RFC 5176 section 3), which authenticates none.
			w.block(`if (&Service-Type && &Service-Type == Authorize-Only && "%{client:own}" == "yes")`, func() {
				w.block("update request", func() { w.line(`&Tmp-String-0 := "%%{User-Name}"`) })
				w.line("certified")
			})
			w.block("else", func() { w.line("eap") })
		} else {
			w.line("eap")
		}
	})
	w.block("authenticate", func() { w.line("eap") })
	w.block("post-auth", func() {
		w.block("update", func() { w.line("&reply: += &session-state:") })
		w.block("Post-Auth-Type REJECT", func() { w.line("eap") })
	})
}

// addrWord is the word for an address of its version of IP.
func addrWord(a netip.Addr) string {
	if a.Is6() {
		return "ipv6addr"
	}
	return "ipv4addr"
}

// inner is what is asked in the tunnel of PEAP.
func (b *RADIUS) inner(w *writer) {
	w.block("authorize", func() {
		w.line("inner")
		w.block("passwords", func() {
			w.line("notfound = reject")
			w.line("noop = reject")
		})
	})
	w.block("authenticate", func() {
		w.block("Auth-Type MS-CHAP", func() { w.line("mschap") })
		w.line("inner")
	})
	told := func(u *User) bool { return u.Password.Set && u.VLAN.Set }
	if !slices.ContainsFunc(b.Users, told) {
		return
	}
	w.block("post-auth", func() {
		w.block("switch &User-Name", func() {
			for _, u := range b.Users {
				if told(u) {
					w.block(fmt.Sprintf("case %q", string(u.Name.V)), func() { u.tell(w, "outer.session-state") })
				}
			}
		})
	})
}

// shortest and longest are the lengths of what is secret: of a client's, RFC 2865 section 3 has 16 octets
// at least.
const (
	shortestSecret, shortestPassword = 16, 8
	longest                          = 128
)

// stageScript puts together what FreeRADIUS reads of the secrets. A client or user whose secret cannot be
// read is left out, so that the others get answers. printf is the shell's own, so that no secret is an
// argument of a program.
func (b *RADIUS) stageScript() string {
	var out strings.Builder
	fmt.Fprintf(&out, `set -eu
export LC_ALL=C
umask 077
first() { # FILE SHORTEST CONSEQUENCE
  line=
  IFS= read -r line <"$1" || true
  if [[ ! $line =~ ^[\ -~]{$2,%[1]d}$ || $line == ' '* || $line == *' ' ]]; then
    echo "$1 is missing or has no $2 to %[1]d printable ASCII characters: $3" >&2
    return 1
  fi
}
client() { # NAME WORD ADDRESS FILE OWN
  first "$4" %[2]d "$1 gets no answer" || return 0
  line=${line//\\/\\\\}
  line=${line//\"/\\\"}
  line=${line//\$/'${dollar}'}
  printf 'client %%s {\n  %%s = %%s\n  secret = "%%s"\n  own = %%s\n' "$1" "$2" "$3" "$line" "$5"
  printf '  require_message_authenticator = yes\n  limit_proxy_state = yes\n}\n'
}
user() { # NAME FILE
  first "$2" %[3]d "$1 is rejected" || return 0
  line=${line//\\/\\\\}
  line=${line//\'/\\\'}
  printf "%%s Cleartext-Password := '%%s'\n" "$1" "$line"
}
cd %[6]s
mkdir -p %[4]s
if [[ ! -s %[5]s ]]; then
  head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >%[5]s.new
  mv %[5]s.new %[5]s
fi
chgrp --reference=. %[4]s %[5]s # the agent asks as the router does
chmod 0750 %[4]s
chmod 0640 %[5]s
cat %[7]s >certificate.pem
cat %[8]s >key.pem
`, longest, shortestSecret, shortestPassword, kept, ownSecret, staged, b.Certificate.V, b.Key.Target.Location())
	if b.certificates() {
		fmt.Fprintf(&out, "cat %s >ca.pem\n", b.CA.V)
		out.WriteString("sum=$(sha256sum <ca.pem)\nprintf 'ca = %s\\n' \"${sum%% *}\" >ca.conf\n")
	}
	out.WriteString("{\n")
	for i, a := range b.own() {
		fmt.Fprintf(&out, "  client own-%d %s %s %s yes\n", i+1, addrWord(a.Addr), a, ownSecret)
	}
	for _, c := range b.Clients {
		for i, a := range c.Addresses.All() {
			fmt.Fprintf(&out, "  client nas-%s-%d %s %s %s no\n", c.Name.V, i+1, addrWord(a.Addr()), a, c.Secret.Target.Location())
		}
	}
	out.WriteString("} >clients.conf\n")
	if b.passwords() {
		out.WriteString("{\n")
		for _, u := range b.Users {
			if u.Password.Set {
				fmt.Fprintf(&out, "  user %s %s\n", u.Name.V, u.Password.Target.Location())
			}
		}
		out.WriteString("} >passwords\n")
	}
	out.WriteString("chown --reference=. -- *\n")
	return out.String()
}
