package mosquitto

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// staging is the unit that makes what Mosquitto reads of the secrets, and its folder. Mosquitto does not start
// without a password of each user, or with a key that is not its certificate's, and a file that is
// missing must cost no more than what it is for.
const (
	staging    = "nbr-mqtt"
	staged     = "/run/" + staging + "/"
	stagedCert = staged + "certificate.pem"
	stagedKey  = staged + "key.pem"
)

// stagedHash is where the hash of a user's password is.
func (u *User) stagedHash() string { return staged + "user-" + string(u.Name.V) }

// lower sets services.mosquitto, and the unit before it.
func (b *MQTT) lower(_ *router.Router, m *nixgen.Module) {
	from := service.From(b)
	set := func(v nixgen.Expr, path ...string) { m.Set(from, v, path...) }
	texts := func(s ...string) nixgen.Expr { return service.Strs(s) }
	set(nixgen.Bool(true), "services", "mosquitto", "enable")
	// nbr verify connects as each user, and the agent does once a minute: nothing else would be found in the log.
	set(nixgen.Bool(false), "services", "mosquitto", "settings", "connection_messages")
	for _, a := range b.addresses() {
		m.Add(service.Origin(b.Addr, a.from), []string{"services", "mosquitto", "listeners"}, b.listener(a))
	}
	script := b.script()
	sum := sha256.Sum256([]byte(script))
	// The users' files have the same names when others are behind them.
	set(texts(hex.EncodeToString(sum[:])), "systemd", "services", unit, "restartTriggers")
	set(nixgen.Str("5s"), "systemd", "services", unit, "serviceConfig", "RestartSec") // at systemd's own it is given up on

	run := func(v nixgen.Expr, path ...string) {
		set(v, append([]string{"systemd", "services", staging}, path...)...)
	}
	run(nixgen.Str("The passwords and the certificate of the MQTT broker"), "description")
	// The target starts it again at each switch to a configuration, which may name other files.
	run(texts(unit+".service", "multi-user.target"), "wantedBy")
	run(texts(unit+".service"), "before")
	for _, installer := range b.installers() {
		m.Add(from, []string{"systemd", "services", staging, "after"}, nixgen.Str(installer))
	}
	programs := nixgen.List{nixgen.Var("pkgs.mosquitto")}
	if b.TLS != nil {
		programs = append(programs, nixgen.Var("pkgs.openssl"))
	}
	run(programs, "path")
	run(nixgen.Str("oneshot"), "serviceConfig", "Type")
	run(nixgen.Str("mosquitto"), "serviceConfig", "Group")
	run(nixgen.Str("0027"), "serviceConfig", "UMask")
	run(nixgen.Str(staging), "serviceConfig", "RuntimeDirectory")
	run(nixgen.Str("0750"), "serviceConfig", "RuntimeDirectoryMode")
	run(nixgen.Bool(true), "serviceConfig", "RuntimeDirectoryPreserve")
	run(nixgen.Lines(script), "script")
	if t := b.TLS; t != nil {
		service.Watch(m, service.From(t), staging, string(t.Certificate.V), t.Key.Target.Location())
	}
}

// listener is an element of services.mosquitto.listeners. Each has the users of its own.
func (b *MQTT) listener(a address) nixgen.Expr {
	var users nixgen.Attrs
	for _, u := range b.Users {
		users = append(users, nixgen.Bind(nixgen.Attrs{
			nixgen.Bind(service.Strs(u.lines()), "acl"),
			nixgen.Bind(nixgen.Str(u.stagedHash()), "hashedPasswordFile"),
		}, string(u.Name.V)))
	}
	settings := nixgen.Attrs{nixgen.Bind(nixgen.Bool(false), "allow_anonymous")}
	if b.TLS != nil {
		settings = append(settings, nixgen.Bind(nixgen.Str(stagedCert), "certfile"), nixgen.Bind(nixgen.Str(stagedKey), "keyfile"),
			nixgen.Bind(nixgen.Str("tlsv1.2"), "tls_version")) // the oldest
	}
	return nixgen.Attrs{
		nixgen.Bind(nixgen.Str(a.Addr().String()), "address"),
		nixgen.Bind(nixgen.Int(int64(a.Port())), "port"),
		nixgen.Bind(settings, "settings"),
		nixgen.Bind(users, "users"),
	}
}

// A grant is what a list of topics allows, in the words of Mosquitto's ACL file, and the list.
type grant struct {
	word    string
	filters []Filter
}

func (u *User) grants() []grant {
	return []grant{{"read", u.Read.All()}, {"write", u.Write.All()}, {"readwrite", u.ReadWrite.All()}}
}

// lines are the grants as mosquitto.conf(5) has them in an ACL file, after the word topic.
func (u *User) lines() []string {
	var out []string
	for _, g := range u.grants() {
		for _, f := range g.filters {
			out = append(out, g.word+" "+string(f))
		}
	}
	return out
}

// installers are the units that put the secrets on the disk, in order.
func (b *MQTT) installers() []string {
	secrets := make([]*router.Secret, 0, len(b.Users)+1)
	for _, u := range b.Users {
		secrets = append(secrets, u.Password.Target)
	}
	if b.TLS != nil {
		secrets = append(secrets, b.TLS.Key.Target)
	}
	var out []string
	for _, s := range secrets {
		if i := s.Installer(); i != "" { // else the file is there without a unit
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shortestPassword and longestPassword are the lengths of passwords.
const shortestPassword, longestPassword = 8, 128

// iterations are those of PBKDF2 with SHA-512 for a password. Mosquitto's own number, 1000, is for a broker with
// thousands of clients; and while it works them off for a login, right or wrong, its one thread serves no one else:
// 20000 are some 15 ms on a PC. Not all builds of Mosquitto have argon2id.
const iterations = 20000

// script makes the hashes of the passwords and, with TLS, the pair of certificate and key. A user whose
// password is missing or none gets a random one. The two lines that mosquitto_passwd asks for come by a
// pipe from the shell's own printf, so that no password is an argument of a program.
func (b *MQTT) script() string {
	var out strings.Builder
	fmt.Fprintf(&out, `export LC_ALL=C
cd %[1]s
user() {
  local line=
  IFS= read -r line <"$2" || true
  if [[ ! $line =~ ^[\ -~]{%[2]d,%[3]d}$ ]]; then
    echo "$2 is missing or is no password of %[2]d to %[3]d printable ASCII characters: $1 cannot connect" >&2
    line=$(head -c 24 /dev/urandom | base64)
  fi
  rm -f user.new
  printf '%%s\n%%s\n' "$line" "$line" | mosquitto_passwd -H sha512-pbkdf2 -I %[4]d -c user.new "$1" >/dev/null
  line=$(<user.new)
  printf %%s "${line#*:}" >user.new
  mv user.new "user-$1"
}
`, staged, shortestPassword, longestPassword, iterations)
	for _, u := range b.Users {
		fmt.Fprintf(&out, "user %s %s\n", u.Name.V, u.Password.Target.Location())
	}
	if t := b.TLS; t != nil {
		out.WriteString(service.StagePair(string(t.Certificate.V), t.Key.Target.Location(), unit))
	}
	return out.String()
}
