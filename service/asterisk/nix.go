package asterisk

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// What is made when Asterisk starts and when it reads its files again, and the scripts for both, below
// /etc.
const (
	staged = "/run/nbr-asterisk/passwords.conf"
	stage  = "asterisk/nbr-stage.sh"
	reload = "asterisk/nbr-reload.sh"
)

// lower sets services.asterisk. What it has in confFiles is in the store, which all can read: passwords
// are in a file that the unit makes.
func (b *PBX) lower(_ *router.Router, m *nixgen.Module) {
	from := service.From(b)
	set := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"services", "asterisk"}, path...)...)
	}
	set(nixgen.Bool(true), "enable")
	// The module copies the package's data to /var/lib/asterisk only where there is nothing yet. After an upgrade
	// the new program would find the old one's documentation, and does not start without its own.
	set(nixgen.Apply("lib.mkMerge", nixgen.List{
		nixgen.Concat{nixgen.Str("astdatadir => "), nixgen.Var("pkgs.asterisk"), nixgen.Str("/var/lib/asterisk")},
		nixgen.Lines(options),
	}), "extraConfig")
	set(nixgen.List{}, "useTheseDefaultConfFiles")
	files := b.files()
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, "%s\n%s\n", name, files[name])
		set(nixgen.Lines(files[name]), "confFiles", name)
	}
	for name, script := range map[string]string{stage: b.stageScript(), reload: b.reloadScript()} {
		m.Set(from, nixgen.Lines(script), "environment", "etc", name, "text")
	}
	sum.Write([]byte(b.stageScript()))

	run := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
	bash := func(script string) nixgen.Expr {
		return nixgen.Concat{nixgen.Var("pkgs.bash"), nixgen.Str("/bin/bash /etc/" + script)}
	}
	run(nixgen.List{nixgen.Var("pkgs.asterisk")}, "path")
	run(nixgen.List{bash(stage)}, "serviceConfig", "ExecStartPre")
	run(nixgen.Str("always"), "serviceConfig", "Restart") // the module has it stay away after a crash
	run(nixgen.Str("5s"), "serviceConfig", "RestartSec")
	// The module's own says nothing of whether Asterisk has taken the files.
	run(nixgen.Apply("lib.mkForce", nixgen.List{bash(stage), bash(reload)}), "serviceConfig", "ExecReload")
	// A switch that restarted it would end calls. The module says that it does not, and leaves it at that.
	run(nixgen.Bool(true), "reloadIfChanged")
	run(nixgen.List{nixgen.Str(hex.EncodeToString(sum.Sum(nil)))}, "restartTriggers")
	for _, s := range b.secrets() {
		if installer := s.secret.Installer(); installer != "" {
			m.Add(from, []string{"systemd", "services", unit, "after"}, nixgen.Str(installer))
		}
	}
}

// A login is a name and the secret that goes with it.
type login struct {
	of           string // phone or trunk, which are functions of the script
	object, user string
	secret       *router.Secret
}

func (b *PBX) secrets() []login {
	var out []login
	for _, e := range b.Extensions {
		out = append(out, login{"phone", string(e.Name.V), string(e.Name.V), e.Password.Target})
	}
	for _, t := range b.Trunks {
		out = append(out, login{"trunk", string(t.Name.V), string(t.User.V), t.Password.Target})
	}
	return out
}

// stageScript makes the file of passwords. A password that is missing or none costs one phone or trunk and
// not the exchange: a phone gets a random one, for without any it would be asked for none, and a trunk gets
// none, for a provider may lock out who comes with a wrong one. A trunk's is the provider's choice, and may be
// short. In Asterisk's files a semicolon begins a comment unless a backslash is before it, and => takes
// a > that is the password's first character for its own unless it is there; blanks at both ends are
// dropped. printf is the shell's own, so that no password is an argument of a program.
func (b *PBX) stageScript() string {
	var out strings.Builder
	fmt.Fprintf(&out, `set -eu
export LC_ALL=C
umask 077
first() {
  local line=
  IFS= read -r line <"$1" || true
  printf %%s "$line"
}
login() {
  printf '[%%s]\ntype = auth\nauth_type = userpass\nusername = %%s\npassword => %%s\n\n' "$1" "$2" "${3//;/\\;}"
}
phone() {
  local key
  key=$(first "$3")
  if [[ ! $key =~ ^[!-~]{8,80}$ ]]; then
    echo "$3 is missing or is no password of 8 to 80 printable ASCII characters: a random one takes its place" >&2
    key=$(head -c 24 /dev/urandom | base64)
  fi
  login "$1" "$2" "$key"
}
trunk() {
  local key
  key=$(first "$3")
  if [[ -z $key || ${#key} -gt 80 || $key == *[[:cntrl:]]* || $key == ' '* || $key == *' ' ]]; then
    echo "$3 is missing or is no password of 1 to 80 bytes: $1 has none" >&2
    return
  fi
  login "$1" "$2" "$key"
}
install -d -m 0750 -g %[1]s %[2]s
{
`, group, staged[:strings.LastIndexByte(staged, '/')])
	for _, s := range b.secrets() {
		fmt.Fprintf(&out, "  %s %s %s %s\n", s.of, s.object, s.user, s.secret.Location())
	}
	fmt.Fprintf(&out, `} >%[1]s.new
chown %[2]s %[1]s.new
chmod 0400 %[1]s.new
mv %[1]s.new %[1]s
`, staged, unit)
	return out.String()
}

// reloadScript has Asterisk read its files again, by which no call ends, and fails unless it has taken
// them.
func (b *PBX) reloadScript() string {
	mark := b.mark()
	return fmt.Sprintf(`set -eu
console() { asterisk -C %[2]s -rx "$1"; }
for module in res_pjsip res_pjsip_authenticator_digest res_pjsip_endpoint_identifier_ip res_pjsip_outbound_registration res_rtp_asterisk pbx_config; do
  said=$(console "module reload $module.so")
  case $said in
  *"reloaded successfully"*) ;;
  *)
    echo "$module: $said" >&2
    exit 1
    ;;
  esac
done
has() {
  case $(console "$1") in
  *"$2"*) ;;
  *)
    echo "Asterisk does not take $3, and goes on with what it had" >&2
    exit 1
    ;;
  esac
}
has "pjsip show aors" " %[1]s " /etc/asterisk/pjsip.conf
has "dialplan show %[1]s" "Context '%[1]s'" /etc/asterisk/extensions.conf
`, mark, asteriskConf)
}
