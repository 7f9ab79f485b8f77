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
	set(nixgen.Lines(options), "extraConfig")
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
	object, user string
	secret       *router.Secret
}

func (b *PBX) secrets() []login {
	var out []login
	for _, e := range b.Extensions {
		out = append(out, login{string(e.Name.V), string(e.Name.V), e.Password.Target})
	}
	for _, t := range b.Trunks {
		out = append(out, login{string(t.Name.V), string(t.User.V), t.Password.Target})
	}
	return out
}

// stageScript makes the file of passwords. A password that is missing or too short costs one phone and
// not the exchange: a random one takes its place. In Asterisk's files a semicolon begins a comment
// unless a backslash is before it, and => takes a > that is the password's first character for its
// own unless it is there. printf is the shell's own, so that no password is an argument of a program.
func (b *PBX) stageScript() string {
	var out strings.Builder
	fmt.Fprintf(&out, `set -eu
export LC_ALL=C
umask 077
password() {
  local key=
  IFS= read -r key <"$1" || true
  if [[ ! $key =~ ^[!-~]{8,80}$ ]]; then
    echo "$1 is missing or is no password of 8 to 80 printable ASCII characters: a random one takes its place" >&2
    key=$(head -c 24 /dev/urandom | base64)
  fi
  printf %%s "${key//;/\\;}"
}
login() {
  printf '[%%s]\ntype = auth\nauth_type = userpass\nusername = %%s\npassword => %%s\n\n' "$1" "$2" "$(password "$3")"
}
install -d -m 0750 -g %[1]s %[2]s
{
`, group, staged[:strings.LastIndexByte(staged, '/')])
	for _, s := range b.secrets() {
		fmt.Fprintf(&out, "  login %s %s %s\n", s.object, s.user, s.secret.Location())
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
