package referee_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// pbxSpec is a house with three phones, of which one may not call outside, and two lines at a provider.
const pbxSpec = `
network "wan" {
  link    = port.wan
  ipv4    = "203.0.113.2/24"
  gateway = "203.0.113.1"
}
network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}
zone "wan" { networks = [network.wan] }
zone "lan" {
  networks = [network.lan]
  allow    = ["pbx"]
}
secret "anna" { path = "/var/lib/secrets/anna" }
secret "ben" { path = "/var/lib/secrets/ben" }
secret "door" { path = "/var/lib/secrets/door" }
secret "sip" { path = "/var/lib/secrets/sip" }
secret "spare" { path = "/var/lib/secrets/spare" }
pbx {
  networks  = [network.lan]
  media     = "10000-10099"
  emergency = ["110", "112", "118"]

  extension "anna" {
    number   = "11"
    password = secret.anna
  }
  extension "ben" {
    number   = "12"
    password = secret.ben
  }
  extension "door" {
    number   = "13"
    password = secret.door
    outside  = false
  }
  group "all" {
    number     = "10"
    extensions = ["anna", "ben"]
  }
  trunk "provider" {
    network  = network.wan
    server   = "203.0.113.1:5060"
    user     = "0301234567"
    password = secret.sip
    to       = "all"
  }
  trunk "second" {
    network  = network.wan
    server   = "203.0.113.1:5060"
    user     = "spare"
    password = secret.spare
    to       = "door"
  }
}
`

// Passwords with what means something to Asterisk's files and to shells. The provider's is shorter than
// a phone's may be, and not of ASCII alone.
var pbxPasswords = map[string]string{
	"anna":  `>;--"\$(x)pa;ss=[y]`,
	"ben":   "correct-horse",
	"door":  "battery-staple",
	"sip":   `zü g;\`,
	"spare": "a-second-line",
}

// asteriskConf is asterisk.conf as services.asterisk has it (nixos/modules/services/networking/asterisk.nix),
// with Debian's folders. What is in /var/lib/asterisk is not the data of the program, as after an upgrade.
func asteriskConf(extra string) string {
	return `[directories]
astetcdir => /etc/asterisk
astmoddir => /usr/lib/x86_64-linux-gnu/asterisk/modules
astvarlibdir => /var/lib/asterisk
astdbdir => /var/lib/asterisk
astkeydir => /var/lib/asterisk
astdatadir => /var/lib/asterisk
astagidir => /var/lib/asterisk/agi-bin
astspooldir => /var/spool/asterisk
astrundir => /run/asterisk
astlogdir => /var/log/asterisk
astsbindir => /usr/sbin
` + extra
}

// debianData is where Debian's package has what nixpkgs' has in var/lib/asterisk.
const debianData = "/usr/share/asterisk"

const asteriskLog = "[general]\n\n[logfiles]\nconsole => notice,warning,error\n"

// pbxFiles are what NixOS puts below /etc for services.asterisk.
func pbxFiles(t *testing.T, g *generated) lab.Files {
	t.Helper()
	if len(g.list(t, "services", "asterisk", "useTheseDefaultConfFiles")) != 0 || g.at("services", "asterisk", "enable") != true {
		t.Fatal("Asterisk is off, or has files that are not the spec's")
	}
	extra := strings.ReplaceAll(g.text(t, "services", "asterisk", "extraConfig"), "/nix/store/asterisk/var/lib/asterisk", debianData)
	files := lab.Files{"/etc/asterisk/asterisk.conf": asteriskConf(extra), "/etc/asterisk/logger.conf": asteriskLog}
	for name := range g.at("services", "asterisk", "confFiles").(map[string]any) {
		files["/etc/asterisk/"+name] = g.text(t, "services", "asterisk", "confFiles", name)
	}
	for _, name := range []string{"asterisk/nbr-stage.sh", "asterisk/nbr-reload.sh"} {
		files["/etc/"+name] = g.text(t, "environment", "etc", name, "text")
	}
	for name, lines := range g.source {
		files["/etc/nbr/spec/"+name] = strings.Join(lines, "\n")
	}
	return files
}

// An exchange is a router with the exchange of a spec, its phones' network, and a provider, which is
// another Asterisk.
type exchange struct {
	router, house, outside *nstest.NS
	root, far              *lab.Root
	daemon                 *lab.Daemon
	g                      *generated
}

// newExchange has all but the router's Asterisk.
func newExchange(t *testing.T, spec string) *exchange {
	t.Helper()
	x := &exchange{router: nstest.New(t, "router"), house: nstest.New(t, "house"), outside: nstest.New(t, "provider"), g: fromText(t, spec)}
	nstest.Link(t, x.router, "lan1", x.house, "eth0")
	nstest.Link(t, x.router, "wan", x.outside, "eth0")
	ip(t, x.router, "addr add 192.168.1.1/24 dev lan1\naddr add 203.0.113.2/24 dev wan\nlink set lo up\n")
	ip(t, x.house, "addr add 192.168.1.50/24 dev eth0\naddr add 192.168.1.51/24 dev eth0\naddr add 192.168.1.52/24 dev eth0\n")
	ip(t, x.outside, "addr add 203.0.113.1/24 dev eth0\naddr add 203.0.113.99/24 dev eth0\nlink set lo up\n")
	sysctls(t, x.router, x.g)
	load(t, x.router, ruleset(t, x.g))
	files := pbxFiles(t, x.g)
	for name, password := range pbxPasswords {
		files["/var/lib/secrets/"+name] = password + "\n"
	}
	x.root = lab.Rootfs(t, files)
	debian, err := os.ReadDir(x.root.Path("/etc/asterisk"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range debian { // Debian's own files, which NixOS does not have
		name := "/etc/asterisk/" + f.Name()
		if _, ours := files[name]; !ours {
			if err := os.RemoveAll(x.root.Path(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	installNBR(t, x.root, "/usr/bin/nbr")
	users, err := os.ReadFile(x.root.Path("/etc/passwd"))
	if err != nil {
		t.Fatal(err)
	}
	x.root.Write(t, "/etc/passwd", string(users)+"nbr-look:x:991:991::/var/empty:/bin/false\n")
	// The provider has the modules of the exchange, and some of its own.
	x.far = lab.Rootfs(t, lab.Files{
		"/etc/asterisk/asterisk.conf": asteriskConf("astdatadir => " + debianData + "\n"),
		"/etc/asterisk/logger.conf":   asteriskLog,
		"/etc/asterisk/modules.conf":  files["/etc/asterisk/modules.conf"] + "load = app_echo.so\nload = app_transfer.so\nload = res_clioriginate.so\n",
		"/etc/asterisk/rtp.conf":      "[general]\nrtpstart = 30000\nrtpend = 30099\n",
		// The first line takes no call to 110, and says that 118 is somewhere else.
		"/etc/asterisk/extensions.conf": "[first]\nexten => 110,1,Hangup(34)\nexten => 118,1,Transfer(PJSIP/sip:11@203.0.113.2:5062)\nexten => _[+0-9].,1,Answer()\n same => n,Echo()\n[second]\nexten => _[+0-9].,1,Answer()\n same => n,Echo()\n",
		"/etc/asterisk/pjsip.conf": "[udp]\ntype = transport\nprotocol = udp\nbind = 203.0.113.1:5060\n" +
			customer("0301234567", "first", pbxPasswords["sip"]) + customer("spare", "second", pbxPasswords["spare"]),
	})
	provider := x.far.Daemon(t, x.outside, "asterisk", "-f", "-U", "asterisk", "-C", "/etc/asterisk/asterisk.conf")
	provider.Ready(t, func() error { return runs(t, x.far, x.outside) })
	return x
}

// customer is who registers at the provider by a name and a password.
func customer(name, context, password string) string {
	return fmt.Sprintf(`
[%[1]s]
type = endpoint
context = %[2]s
auth = %[1]s
aors = %[1]s
allow = !all,alaw
direct_media = no
[%[1]s]
type = aor
max_contacts = 1
remove_existing = yes
[%[1]s]
type = auth
auth_type = userpass
username = %[1]s
password => %[3]s
`, name, context, strings.ReplaceAll(password, ";", `\;`))
}

// runs tells whether the channel driver of an Asterisk runs.
func runs(t *testing.T, root *lab.Root, ns *nstest.NS) error {
	t.Helper()
	out, err := root.Try(t, ns, "asterisk", "-rx", "module show like chan_pjsip")
	if err == nil && !strings.Contains(out, " Running ") {
		err = errors.New(out)
	}
	return err
}

// script runs one of the unit's scripts.
func (x *exchange) script(t *testing.T, name string, at int) (string, error) {
	t.Helper()
	commands := x.g.list(t, "systemd", "services", "asterisk", "serviceConfig", name)
	out, err := x.root.Command(t, x.router, strings.Fields(storePath.ReplaceAllString(commands[at].(string), ""))...).CombinedOutput()
	return string(out), err
}

// start does what the unit does.
func (x *exchange) start(t *testing.T) {
	t.Helper()
	if out, err := x.script(t, "ExecStartPre", 0); err != nil || out != "" {
		t.Fatalf("%v\n%s", err, out)
	}
	x.daemon = x.root.Daemon(t, x.router, "asterisk", "-f", "-U", "asterisk", "-C", "/etc/asterisk/asterisk.conf")
	x.daemon.Ready(t, func() error { return runs(t, x.root, x.router) })
}

// reload does what systemctl reload does, which a switch does too.
func (x *exchange) reload(t *testing.T) error {
	t.Helper()
	for i := range x.g.list(t, "systemd", "services", "asterisk", "serviceConfig", "ExecReload") {
		if out, err := x.script(t, "ExecReload", i); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	return nil
}

func (x *exchange) console(t *testing.T, command string) string {
	t.Helper()
	return x.root.Run(t, x.router, "asterisk", "-rx", command)
}

// wrong are the checks of the block that do not pass.
func (x *exchange) wrong(t *testing.T) []string {
	t.Helper()
	return unmet(t, x.root, x.router, "pbx")
}

// dialled waits for a call at the provider, and returns by which line it came, and the number it is for.
func (x *exchange) dialled(t *testing.T) (number string) {
	t.Helper()
	nstest.Wait(t, func() error {
		out := x.far.Run(t, x.outside, "asterisk", "-rx", "core show channels concise")
		for line := range strings.Lines(out) {
			if f := strings.Split(line, "!"); len(f) > 5 && f[5] == "Echo" {
				number = f[1] + " " + f[2]
				return nil
			}
		}
		return fmt.Errorf("no call at the provider:\n%s", out)
	})
	return number
}

// quiet waits until no call is left on either side.
func (x *exchange) quiet(t *testing.T) {
	t.Helper()
	nstest.Wait(t, func() error {
		for root, ns := range map[*lab.Root]*nstest.NS{x.root: x.router, x.far: x.outside} {
			if out := root.Run(t, ns, "asterisk", "-rx", "core show channels count"); !strings.Contains(out, "0 active calls") || !strings.Contains(out, "0 active channels") {
				return errors.New(out)
			}
		}
		return nil
	})
}

// phone is a telephone in the house.
func (x *exchange) phone(t *testing.T, at, user, password string) *sipPhone {
	t.Helper()
	return newPhone(t, x.house, at, "192.168.1.1:5060", user, password)
}

// Phones register, call each other and the world, and ring when the world calls; what has no
// password gets no further than the question for it.
func TestTelephones(t *testing.T) {
	t.Parallel()
	x := newExchange(t, pbxSpec)
	x.start(t)
	becomes(t, func() []string { return x.wrong(t) }, nil)

	anna, ben := x.phone(t, "192.168.1.50", "anna", pbxPasswords["anna"]), x.phone(t, "192.168.1.51", "ben", pbxPasswords["ben"])
	door := x.phone(t, "192.168.1.52", "door", pbxPasswords["door"])
	for _, p := range []*sipPhone{anna, ben, door} {
		p.register(t, 200)
	}

	// In the house, with voice both ways, by the ports of the spec.
	call := anna.call(t, "12", 200)
	rang := ben.rings(t)
	if from := rang.header("From"); !strings.Contains(from, "anna") || !strings.Contains(from, "sip:11@192.168.1.1") {
		t.Errorf("ben sees %s", from)
	}
	for _, m := range []sipMessage{call, rang} {
		if a := mediaOf(t, m); a.Addr().String() != "192.168.1.1" || a.Port() < 10000 || a.Port() > 10099 {
			t.Errorf("voice is sent to %s", a)
		}
	}
	ben.hears(t, anna, mediaOf(t, call))
	anna.hears(t, ben, mediaOf(t, rang))
	becomes(t, func() []string { return x.wrong(t) }, nil)
	anna.hangUp(t, call)
	x.quiet(t)

	// Outside, and nothing but digits get there.
	for number, want := range map[string]string{"0049301": "first 0049301", "+49301": "first +49301", "030&PJSIP/ben": "first 030"} {
		call = anna.call(t, number, 200)
		if got := x.dialled(t); got != want {
			t.Errorf("%s is %s to the provider", number, got)
		}
		anna.hears(t, anna, mediaOf(t, call))
		anna.hangUp(t, call)
		x.quiet(t)
	}
	ben.silent(t)

	// Help is for all, the rest of the world is not.
	door.call(t, "0049301", 404)
	door.call(t, "19", 404)
	x.console(t, "pjsip send unregister provider")
	becomes(t, func() []string { return x.wrong(t) }, []string{"pbx/trunk/provider/registered fail: Unregistered"})
	for number, want := range map[string]string{"112": "first 112", "110": "second 110", "118": "second 118"} {
		call = door.call(t, number, 200)
		if got := x.dialled(t); got != want {
			t.Errorf("%s is %s to the provider", number, got)
		}
		door.hangUp(t, call)
		x.quiet(t)
	}
	x.console(t, "pjsip send register provider")
	becomes(t, func() []string { return x.wrong(t) }, nil)

	// The world calls: the group rings, and by the other line the door.
	world := func(do string) { x.far.Run(t, x.outside, "asterisk", "-rx", do) }
	world("channel originate PJSIP/0301234567 application Echo")
	anna.rings(t)
	ben.rings(t)
	world("channel request hangup all")
	x.quiet(t)
	door.silent(t)
	world("channel originate PJSIP/spare application Echo")
	door.rings(t)
	world("channel request hangup all")
	x.quiet(t)

	// A phone that says that it has moved leads no call outside, and none from one line to the other.
	for _, elsewhere := range []string{"sip:PJSIP/0049301%40provider@x", "sip:Local/0049301%40outside@x", "sip:0049301@x"} {
		door.moves(elsewhere)
		ben.call(t, "13", 603)
		door.rings(t)
		x.quiet(t)
		world("channel originate PJSIP/spare application Echo")
		door.rings(t)
		x.quiet(t)
		ben.moves(elsewhere)
		anna.call(t, "12", 603)
		ben.rings(t)
		x.quiet(t)
	}
	door.moves("")
	ben.moves("")

	// Without a password, or with another one.
	x.phone(t, "192.168.1.50", "anna", "wrong-password").register(t, 401)
	x.phone(t, "192.168.1.50", "nobody", "wrong-password").register(t, 401)
	for _, user := range []string{"stranger", "anna", "provider", "0301234567", "anonymous"} {
		for _, number := range []string{"11", "112", "0049301"} {
			x.phone(t, "192.168.1.50", user, "").call(t, number, 401)
		}
	}
	x.phone(t, "192.168.1.50", "provider", pbxPasswords["sip"]).call(t, "11", 401)
	// From outside there is no way in, and without the firewall no more than in the house: a phone's
	// password is of no use there.
	outside := newPhone(t, x.outside, "203.0.113.99", "203.0.113.2:5062", "stranger", "")
	if m, err := outside.ask("INVITE", "11", outside.sdp(), 2*time.Second); !errors.Is(err, errSilent) {
		t.Errorf("a call from outside: %s (%v)", m.start, err)
	}
	x.router.Run(t, "nft", "flush", "ruleset")
	for _, user := range []string{"stranger", "provider", "0301234567"} {
		newPhone(t, x.outside, "203.0.113.99", "203.0.113.2:5062", user, "").call(t, "11", 401)
	}
	forbidden := newPhone(t, x.outside, "203.0.113.99", "203.0.113.2:5062", "anna", pbxPasswords["anna"])
	if m, err := forbidden.ask("REGISTER", "", "", nstest.Patience); err != nil || m.status() < 400 {
		t.Errorf("a phone outside registers: %s (%v)", m.start, err)
	}
	for _, p := range []*sipPhone{anna, ben, door} {
		p.silent(t)
	}

	// What listens is what the spec says, and pjproject's two sockets; those of calls go a while after
	// them.
	becomes(t, func() []string {
		var got []string
		for line := range strings.Lines(x.router.Run(t, "ss", "-Hltun")) {
			if f := strings.Fields(line); !isEphemeral(f[4]) {
				got = append(got, f[0]+" "+f[4])
			}
		}
		slices.Sort(got)
		return got
	}, []string{"udp 192.168.1.1:5060", "udp 203.0.113.2:5062"})
}

// isEphemeral tells whether a socket has a port that the kernel has chosen.
func isEphemeral(socket string) bool {
	var port int
	_, err := fmt.Sscanf(socket[strings.LastIndexByte(socket, ':')+1:], "%d", &port)
	return err == nil && port >= 32768
}

// rewrite changes a file of the exchange.
func (x *exchange) rewrite(t *testing.T, name, old, new string) (undo func()) {
	t.Helper()
	b, err := os.ReadFile(x.root.Path(name))
	if err != nil || !strings.Contains(string(b), old) {
		t.Fatalf("no %q in %s (%v)", old, name, err)
	}
	x.root.Write(t, name, strings.Replace(string(b), old, new, 1))
	return func() { x.root.Write(t, name, string(b)) }
}

// What is otherwise than the spec says is found, on its line, and nothing else is.
func TestBrokenTelephones(t *testing.T) {
	t.Parallel()
	x := newExchange(t, pbxSpec)
	x.start(t)
	wrong := func() []string { return x.wrong(t) }
	becomes(t, wrong, nil)
	console := func(commands ...string) func() {
		return func() {
			for _, c := range commands {
				x.console(t, c)
			}
		}
	}
	mend := func() {
		if err := x.reload(t); err != nil {
			t.Fatal(err)
		}
	}
	const pjsip = "/etc/asterisk/pjsip.conf"
	for _, b := range []struct {
		name        string
		wreck, mend func()
		finds       []string
	}{
		{"a number that is gone", console("dialplan remove extension 11@house"), mend, []string{"pbx/extension/anna/number fail: not there"}},
		{"a group that rings at one", console("dialplan remove extension 10@house", "dialplan add extension 10,1,Dial(PJSIP/anna) into house"), mend, []string{"pbx/group/all fail: Dial(PJSIP/anna)"}},
		{"help that hangs up", console("dialplan remove extension 112@emergency", "dialplan add extension 112,1,Hangup() into emergency"), mend, []string{"pbx/emergency fail: emergency 112: Hangup()"}},
		{"a number more", console("dialplan add extension 0900,1,Hangup() into outside"), mend, []string{"pbx/outside fail: outside 0900: Hangup()"}},
		{"callers who may dial more", console("dialplan add extension 99,1,Hangup() into from-provider"), mend, []string{"pbx/trunk/provider/calls fail: from-provider 99"}},
		{"phones that may dial more", console("dialplan add include outside into indoors"), mend, []string{"pbx/dial fail: indoors: house, emergency, outside"}},
		{"a module that is gone", console("module unload app_dial.so"), console("module load app_dial.so"), []string{"pbx/modules fail: it is not loaded"}},
		{"a module more", console("module load app_echo.so"), console("module unload app_echo.so"), []string{"pbx/modules fail: it is loaded"}},
		{"a registration that ended", console("pjsip send unregister provider"), console("pjsip send register provider"), []string{"pbx/trunk/provider/registered fail: Unregistered"}},
		{"another password", func() { x.root.Write(t, "/var/lib/secrets/ben", "another-one\n") }, mend, []string{"pbx/extension/ben/password fail: another password"}},
	} {
		t.Log(b.name)
		b.wreck()
		becomes(t, wrong, b.finds)
		b.mend()
		becomes(t, wrong, nil)
	}
	for _, b := range []struct {
		name, file, old, new string
		finds                []string
	}{
		{"a phone without a password", pjsip, "auth = anna\n", "", []string{"pbx/extension/anna/endpoint fail: "}},
		{"a phone from anywhere", pjsip, "deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\npermit = 192.168.1.0/24\n", "", []string{"pbx/extension/anna/endpoint fail: "}},
		{"a trunk by its name", pjsip, "identify_by = ip\n", "", []string{"pbx/trunk/provider/endpoint fail: "}},
		{"a door that may call outside", pjsip, "context = indoors", "context = anywhere", []string{"pbx/extension/door/endpoint fail: "}},
		{"a phone that is not there", pjsip, "[ben]\ntype = endpoint", "[other]\ntype = endpoint", []string{"pbx/extension/ben/endpoint fail: not there"}},
		{"other ports of voice", "/etc/asterisk/rtp.conf", "rtpend = 10099", "rtpend = 20000", []string{"pbx/media fail: 10000-20000"}},
	} {
		t.Log(b.name)
		undo := x.rewrite(t, b.file, b.old, b.new)
		mend()
		becomes(t, wrong, b.finds)
		undo()
		mend()
		becomes(t, wrong, nil)
	}

	// The trunk's password is not the provider's.
	x.root.Write(t, "/var/lib/secrets/sip", "not-the-providers\n")
	mend()
	console("pjsip send register provider")()
	becomes(t, wrong, []string{"pbx/trunk/provider/registered fail: Rejected"})
	// It is missing: the provider is shown no other one in its place.
	if err := os.Remove(x.root.Path("/var/lib/secrets/sip")); err != nil {
		t.Fatal(err)
	}
	mend()
	console("pjsip send register provider")()
	becomes(t, wrong, []string{"pbx/trunk/provider/password fail: no such file", "pbx/trunk/provider/registered fail: Rejected"})
	if out := x.console(t, "pjsip show auth provider"); !strings.Contains(out, "Unable to find object provider") {
		t.Errorf("a trunk without a password has\n%s", out)
	}
	x.root.Write(t, "/var/lib/secrets/sip", pbxPasswords["sip"]+"\n")
	mend()
	console("pjsip send register provider")()
	becomes(t, wrong, nil)

	// A socket more, which stays when the file no longer has it.
	undo := x.rewrite(t, pjsip, "[global]", "[more]\ntype = transport\nprotocol = udp\nbind = 0.0.0.0:5099\n\n[global]")
	mend()
	becomes(t, wrong, []string{"pbx/transports fail: udp 0.0.0.0:5099, udp 192.168.1.1:5060"})
	undo()
	mend()
	becomes(t, wrong, nil)

	// "Fully booted", and no channel driver.
	x.daemon.Stop(t)
	becomes(t, wrong, unheard(x, "pbx/sockets fail: no udp 192.168.1.1:5060"))
	undo = x.rewrite(t, "/etc/asterisk/modules.conf", "load = res_pjsip_pubsub.so\n", "")
	daemon := x.root.Daemon(t, x.router, "asterisk", "-f", "-U", "asterisk", "-C", "/etc/asterisk/asterisk.conf")
	daemon.Ready(t, func() error {
		if out, err := x.root.Try(t, x.router, "asterisk", "-rx", "core waitfullybooted"); err != nil || !strings.Contains(out, "fully booted") {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	becomes(t, wrong, []string{"pbx/modules fail: it has refused to"})
	daemon.Stop(t)
	undo()
	x.start(t)
	becomes(t, wrong, nil)
}

// unheard are the checks that no console answers, and others.
func unheard(x *exchange, others ...string) []string {
	for _, what := range []string{
		"dial", "emergency", "files", "group/all", "media", "modules", "outside", "release", "transports",
		"extension/anna/endpoint", "extension/anna/number", "extension/anna/password",
		"extension/ben/endpoint", "extension/ben/number", "extension/ben/password",
		"extension/door/endpoint", "extension/door/number", "extension/door/password",
		"trunk/provider/calls", "trunk/provider/endpoint", "trunk/provider/password", "trunk/provider/registered",
		"trunk/second/calls", "trunk/second/endpoint", "trunk/second/password", "trunk/second/registered",
	} {
		others = append(others, "pbx/"+what+" unknown")
	}
	return others
}
