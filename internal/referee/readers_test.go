package referee_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// A made is what nbr makes of a spec that it takes, for Nix and the programs to judge.
type made struct {
	from    string // what the spec is, or what in it is not as in a good one
	free    bool   // that is the user's own words to a program
	release string
	board   string
	files   []string // the modules
	spec    fs.FS
	values  *generated // nil before Nix has evaluated them, and if it refuses them
}

// refuses says that a program refuses what nbr has made. What a user writes in the program's own
// words is the program's to judge, when the system is built.
func (m *made) refuses(t *testing.T, program string, why error, content string) {
	t.Helper()
	if m.free {
		t.Logf("%s refuses its own words: %s: %v", program, m.from, why)
		return
	}
	t.Errorf("%s: %s: %v\n%s", program, m.from, why, content)
}

// library is a folder with what generated modules import: those of a spec are in a folder of
// their own inside.
func library(t *testing.T) string {
	t.Helper()
	tree, err := flake.Build(flake.Config{Source: nbr.Source()})
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for name, b := range tree.Files {
		files[name] = &fstest.MapFile{Data: b}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

// makeOf writes the modules of a spec and the spec itself, and whatever else the modules read is
// in the folder above.
func makeOf(t *testing.T, dir, from string, spec *service.Spec, files fstest.MapFS) *made {
	t.Helper()
	m := &made{from: from, release: string(spec.Router.Release.V), board: spec.Router.Board.ID, spec: files}
	if err := os.CopyFS(filepath.Join(dir, "spec"), files); err != nil {
		t.Fatal(err)
	}
	for _, f := range spec.Modules() {
		text, _ := f.Module.Print()
		file := filepath.Join(dir, f.Name+".nix")
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		m.files = append(m.files, file)
	}
	return m
}

// judgeMade has Nix and the programs judge what nbr has made.
func judgeMade(t *testing.T, all []*made) {
	t.Helper()
	for _, release := range router.Releases {
		of := slices.DeleteFunc(slices.Clone(all), func(m *made) bool { return m.release != release })
		for some := range slices.Chunk(of, 100) {
			var routers []string
			for _, m := range some {
				routers = append(routers, "[ "+strings.Join(m.files, " ")+" ]")
			}
			for i, err := range standin.Refused(t, standin.Inputs(t, release), routers) {
				some[i].refuses(t, "nixos "+release, err, "")
			}
		}
	}
	for some := range slices.Chunk(all, 100) {
		evaluate(t, some)
	}
	programs(t, all)
}

// evaluate fills the values of several specs, in one run of Nix while it refuses none.
func evaluate(t *testing.T, some []*made) {
	t.Helper()
	modules, err := filepath.Abs("testdata/modules.nix")
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	for _, m := range some {
		list.WriteString("[ ")
		for _, f := range m.files {
			if filepath.Base(f) != "hardware.nix" { // of firmware and kernel: package firmware's tests
				fmt.Fprintf(&list, "(import %s) ", f)
			}
		}
		list.WriteString("] ")
	}
	out, err := lab.Nix(t).TryEval(t, fmt.Sprintf("map (import %s) [ %s ]", modules, &list))
	switch {
	case err != nil && len(some) == 1:
		some[0].refuses(t, "nix", err, "")
		return
	case err != nil:
		evaluate(t, some[:len(some)/2])
		evaluate(t, some[len(some)/2:])
		return
	}
	var values []map[string]any
	if err := json.Unmarshal([]byte(out), &values); err != nil || len(values) != len(some) {
		t.Fatalf("%d values of %d: %v", len(values), len(some), err)
	}
	for i, v := range values {
		some[i].values = &generated{values: v, folder: some[i].spec}
	}
}

// A reader is a program of the router and the file of its that nbr makes.
type reader struct {
	name    string
	content func(*testing.T, *generated) string // "" if there is none
	args    []string                            // the file's name goes last
	host    bool                                // it is this machine's, of another generation than the router's
}

// unqueued is the ruleset with the packets of queues accepted: this machine's kernel may have no
// queues. TestBenchC loads rules with them.
func unqueued(t *testing.T, g *generated) string {
	t.Helper()
	return queueRE.ReplaceAllString(ruleset(t, g), "accept")
}

var queueRE = regexp.MustCompile(`queue num [0-9-]+( bypass)?`)

var readers = []reader{
	{"nft", unqueued, []string{"nft", "-c", "-f"}, false},
	{"nft of the host", unqueued, []string{"nft", "-c", "-f"}, true},
	{"kea", func(t *testing.T, g *generated) string {
		if g.at("services", "kea", "dhcp4", "enable") != true {
			return ""
		}
		return keaJSON(t, g)
	}, []string{"kea-dhcp4", "-t"}, false},
	{"kea6", func(t *testing.T, g *generated) string {
		if g.at("services", "kea", "dhcp6", "enable") != true {
			return ""
		}
		return keaSettings(t, g, "dhcp6", "Dhcp6")
	}, []string{"kea-dhcp6", "-t"}, false},
	{"sshd", func(t *testing.T, g *generated) string {
		if g.at("services", "openssh", "enable") != true {
			return ""
		}
		return sshdConfig(t, g)
	}, []string{"sshd", "-t", "-f"}, false},
	{"chronyd", chronyConf, []string{"chronyd", "-p", "-f"}, false},
	{"dhcpcd", func(t *testing.T, g *generated) string {
		if g.at("networking", "dhcpcd", "extraConfig") == nil {
			return ""
		}
		return dhcpcdConf(t, g)
	}, []string{"sh", "/tmp/dhcpcd.sh"}, false},
	{"frr", func(_ *testing.T, g *generated) string {
		text, _ := g.at("environment", "etc", "frr/nbr.conf", "text").(string)
		return text
	}, []string{"vtysh", "-C", "-f"}, false},
	{"radvd", func(_ *testing.T, g *generated) string {
		text, _ := g.at("services", "radvd", "config").(string)
		return text
	}, []string{"radvd", "-c", "-C"}, false},
	{"knot", func(t *testing.T, g *generated) string {
		if g.at("services", "knot-resolver", "enable") != true {
			return ""
		}
		return g.json(t, "services", "knot-resolver", "settings")
	}, []string{"python3", "/tmp/knot.py"}, false},
	{"knotd", func(t *testing.T, g *generated) string {
		if g.at("services", "knot", "enable") != true {
			return ""
		}
		var b strings.Builder
		files := knotDNSFiles(t, g)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if !strings.HasSuffix(name, "/") {
				fmt.Fprintf(&b, ";; %s\n%s\n", name, files[name])
			}
		}
		return b.String()
	}, []string{"sh", "/tmp/knotd.sh"}, false},
	{"suricata", suricataConf, []string{"sh", "/tmp/suricata.sh"}, false},
	{"mosquitto", func(t *testing.T, g *generated) string {
		if g.at("services", "mosquitto", "enable") != true {
			return ""
		}
		files, _ := mosquittoFiles(t, g)
		return files["/etc/mosquitto/mosquitto.conf"] + "#\n" + files["/etc/mosquitto/acl-0"]
	}, []string{"sh", "/tmp/mosquitto.sh"}, false},
	{"avahi", func(t *testing.T, g *generated) string {
		if g.at("services", "avahi", "enable") != true {
			return ""
		}
		return g.avahiConf(t)
	}, []string{"sh", "/tmp/avahi.sh"}, false},
	{"keepalived", keepalivedConf, []string{"keepalived", "-t", "-f"}, false},
	{"hostapd", hostapdConf, []string{"sh", "/tmp/hostapd.sh"}, false},
	{"sh", func(_ *testing.T, g *generated) string {
		text, _ := g.at("systemd", "services", "ifstate", "preStart").(string)
		return text
	}, []string{"sh", "-n"}, false},
}

// What kresctl validate does, without starting a program of its own for each file, and on a
// machine with the four processor cores of a BPI-R4.
const knotReader = `
import os, sys
from pathlib import Path
os.sched_getaffinity = lambda pid: range(4)
from knot_resolver.datamodel import KresConfig
from knot_resolver.datamodel.globals import Context, set_global_validation_context
from knot_resolver.utils.modeling import try_to_parse
set_global_validation_context(Context(Path("/tmp"), False))
for file in sys.argv[1:]:
    try:
        KresConfig(try_to_parse(open(file).read()))
    except Exception as error:
        print("refused", file)
        print(error)
        print("end")
`

// One program after the other reads the files given to it.
const readAll = `
for file; do
	if ! said=$("$@" "$file" 2>&1); then
		printf 'refused %s\n%s\nend\n' "$file" "$said"
	fi
done
`

// dhcpcd says what is wrong with its file before it looks for the running one, and reads the
// lines of an interface only when it configures that one: here they count for all.
const dhcpcdReader = `
grep -v '^interface ' "$1" > /tmp/dhcpcd.conf
said=$(dhcpcd -f /tmp/dhcpcd.conf -U lo 2>&1)
[ "$said" = "dhcpcd is not running" ] || { echo "$said"; exit 1; }
`

// The configuration and the zones of Knot DNS, each after a line with its name.
const knotdReader = `
rm -rf /tmp/knotd
mkdir -p /tmp/knotd
awk '/^;; \/etc\/knot\// { file = $2; gsub("/", "+", file); next } { print > "/tmp/knotd/" file }' "$1"
keys=/tmp/knotd/+etc+knot+nbr-keys.sh
[ ! -e $keys ] || bash $keys || exit 1
knotc -c /tmp/knotd/+etc+knot+knot.conf conf-check || exit 1
for zone in /tmp/knotd/*.zone; do
	[ -e "$zone" ] || continue # all are of other servers
	sed -n 's/^\$INCLUDE //p' "$zone" | while read -r file; do
		mkdir -p "${file%/*}"
		: >"$file"
	done
	name=${zone##*+}
	kzonecheck -v -o "${name%.zone}" "$zone" || exit 1
done
`

// The configuration of Suricata after its rules, each file after a line with its name.
const suricataReader = `
rm -rf /tmp/suricata.yaml /nix/store/rules
mkdir -p /nix/store/rules /nix/store/suricata/etc
cp -r /etc/suricata /nix/store/suricata/etc/
grep -q ^suricata: /etc/passwd || { echo suricata:x:990:990::/:/bin/false >>/etc/passwd; echo suricata:x:990: >>/etc/group; }
awk '/^## \// { file = $2; next } file { print > file }' "$1"
[ -e /tmp/suricata.yaml ] || { echo "no configuration"; exit 1; }
said=$(suricata -T -c /tmp/suricata.yaml -l /tmp 2>&1) || { echo "$said"; exit 1; }
case $said in
*"W: "*) echo "$said"; exit 1 ;;
esac
`

// Mosquitto reads the rules when it starts, in which --test-config takes no part. Here it has neither the
// router's addresses nor a certificate.
const mosquittoReader = `
cd /var/lib/mosquitto
sed -e '/^#$/,$d' -e 's|^listener [0-9]* .*|listener 0 /tmp/mqtt.sock|' -e '/^certfile /d' -e '/^keyfile /d' "$1" | awk '/^listener/ { if (n++) exit } { print }' >mosquitto.conf
sed '1,/^#$/d' "$1" >acl-0.conf
: >passwd-0
chown mosquitto . passwd-0 acl-0.conf
chmod 0600 passwd-0 acl-0.conf
rm -f /tmp/mqtt.sock
: >log # before the shell in the background does so: what is there is of the broker before
mosquitto -c mosquitto.conf >>log 2>&1 &
until grep -q ' running$' log; do
	kill -0 $! 2>/dev/null || { cat log; exit 1; }
	sleep 0.05
done
kill $!
wait
`

// The files of hostapd, each after a line with its name. It has no check: it reads all of its files before
// it starts any, so that one more that is not there ends it.
const hostapdReader = `
rm -rf /tmp/hostapd
mkdir -p /tmp/hostapd
grep -q ^hostapd: /etc/group || echo hostapd:x:991: >>/etc/group
awk '/^## / { file = "/tmp/hostapd/" $2; next } file { print > file; next } { bad = 1 } END { exit bad }' "$1" || { echo "no configuration"; exit 1; }
said=$(hostapd /tmp/hostapd/* /tmp/hostapd/none/none 2>&1)
case $said in
*"errors found"* | *"nvalid"*) echo "$said"; exit 1 ;;
*"ould not open configuration file '/tmp/hostapd/none/none'"*) ;;
*) echo "$said"; exit 1 ;;
esac
`

// Avahi reads its file when it starts.
const avahiReader = `
sed 's/^\[server\]$/&\nenable-dbus=no/' "$1" >/tmp/avahi.conf
: >/tmp/avahi.log # before the shell in the background does so: what is there is of the daemon before
avahi-daemon --no-drop-root --no-chroot --no-rlimits -f /tmp/avahi.conf >>/tmp/avahi.log 2>&1 &
until grep -q '^Network interface enumeration completed' /tmp/avahi.log; do
	kill -0 $! 2>/dev/null || { cat /tmp/avahi.log; exit 1; }
	sleep 0.05
done
kill $!
wait
`

// programs gives each program its files, each content once.
func programs(t *testing.T, all []*made) {
	t.Helper()
	root, ns := lab.Rootfs(t, lab.Files{
		"/etc/frr/vtysh.conf": "", "/tmp/knot.py": knotReader, "/tmp/dhcpcd.sh": dhcpcdReader, "/tmp/knotd.sh": knotdReader, "/tmp/suricata.sh": suricataReader, "/tmp/mosquitto.sh": mosquittoReader, "/var/lib/mosquitto/": "", "/tmp/hostapd.sh": hostapdReader, "/tmp/avahi.sh": avahiReader,
		"/run/sshd/": "", "/run/kea/": "", "/var/lib/kea/": "",
	}), nstest.New(t, "router")
	links := map[string]bool{}
	for _, r := range readers {
		first := map[string]*made{}
		for _, m := range all {
			if m.values == nil {
				continue
			}
			if text := r.content(t, m.values); text != "" && (first[text] == nil || first[text].free) {
				first[text] = m
			}
		}
		t.Logf("%s reads %d files", r.name, len(first))
		if len(first) == 0 {
			if len(all) > 1 { // one spec need not have every program
				t.Errorf("%s has nothing to read", r.name)
			}
			continue
		}
		contents := slices.Sorted(maps.Keys(first))
		if strings.HasPrefix(r.name, "kea") {
			dummies(t, ns, links, contents)
		}
		for content, why := range r.refused(t, root, ns, contents) {
			first[content].refuses(t, r.name, why, content)
		}
	}
	ifstate := lab.IfState(t)
	var configs []string
	var of []*made
	seen := map[string]bool{}
	for _, m := range all {
		if m.values == nil {
			continue
		}
		if text := m.values.json(t, "networking", "ifstate", "settings"); !seen[text] {
			seen[text] = true
			configs, of = append(configs, text), append(of, m)
		}
	}
	t.Logf("ifstate reads %d files", len(configs))
	for i, err := range ifstate.ValidateAll(t, configs) {
		of[i].refuses(t, "ifstate", err, configs[i])
	}
}

// refused has a program read contents, and returns what it says of those that it refuses.
func (r reader) refused(t *testing.T, root *lab.Root, ns *nstest.NS, contents []string) map[string]error {
	t.Helper()
	refused := map[string]error{}
	byFile := map[string]string{}
	var files []string
	const broken = "}{ it's broken\n"
	dir := t.TempDir()
	for i, text := range append(slices.Clone(contents), broken) {
		file := fmt.Sprintf("/tmp/%s-%d", r.name, i)
		if r.host {
			file = filepath.Join(dir, fmt.Sprint(i))
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		} else {
			root.Write(t, file, text)
		}
		byFile[file] = text
		files = append(files, file)
	}
	args := append(slices.Clone(r.args), files...)
	if r.name != "knot" {
		script := strings.Replace(readAll, `"$@"`, strings.Join(r.args, " "), 1)
		args = append([]string{"sh", "-c", script, "sh"}, files...)
	}
	var out string
	if r.host {
		out = ns.Run(t, args[0], args[1:]...)
	} else {
		out = root.Run(t, ns, args...)
	}
	for part := range strings.SplitSeq(out, "\nend\n") {
		if _, said, ok := strings.Cut(part, "refused "); ok {
			file, why, _ := strings.Cut(said, "\n")
			if byFile[file] == "" {
				t.Fatalf("%s: %s", r.name, out)
			}
			refused[byFile[file]] = errors.New(why)
		}
	}
	if refused[broken] == nil {
		t.Errorf("%s takes anything: %s", r.name, out)
	}
	delete(refused, broken)
	return refused
}

// dummies makes the links that Kea is to listen on: it looks for them.
func dummies(t *testing.T, ns *nstest.NS, made map[string]bool, configs []string) {
	t.Helper()
	for _, text := range configs {
		var c map[string]struct { // by Dhcp4 or Dhcp6
			Interfaces struct {
				Interfaces []string `json:"interfaces"`
			} `json:"interfaces-config"`
		}
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		for _, server := range c {
			for _, name := range server.Interfaces.Interfaces {
				if !made[name] {
					made[name] = true
					ip(t, ns, "link add name "+name+" type bridge\n")
				}
			}
		}
	}
}
