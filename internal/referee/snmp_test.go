package referee_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const snmpSpec = `
network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd00:1::1/64"
}
network "guests" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}
zone "lan" {
  networks = [network.lan]
  allow    = ["snmp"]
}
zone "guests" {
  networks = [network.guests]
  allow    = ["ping"]
}
secret "auth" { path = "/var/lib/secrets/auth" }
secret "privacy" { path = "/var/lib/secrets/privacy" }
secret "other" { path = "/var/lib/secrets/other" }
secret "privacy2" { path = "/var/lib/secrets/privacy" }
secret "privacy3" { path = "/var/lib/secrets/privacy" }
secret "other3" { path = "/var/lib/secrets/other" }
secret "privacy4" { path = "/var/lib/secrets/privacy" }
secret "other4" { path = "/var/lib/secrets/other" }
secret "privacy5" { path = "/var/lib/secrets/privacy" }
secret "other5" { path = "/var/lib/secrets/other" }
snmp {
  networks = [network.lan]
  contact  = "anna # \\ \"x\" $HOME"
  location = "attic"

  user "monitor" {
    authentication = secret.auth
    privacy        = secret.privacy
    view           = ["1.3.6.1.2.1.1", "1.3.6.1.2.1.2", "1.3.6.1.2.1.31"]
    except         = ["1.3.6.1.2.1.1.9"]
  }
  user "second" {
    authentication = secret.other
    privacy        = secret.privacy2
    view           = ["1.3.6.1.2.1"]
  }
  # The same name, but for the one character that rouser makes _ of, and another view.
  user "ops-a" {
    authentication = secret.other3
    privacy        = secret.privacy3
    view           = ["1.3.6.1.2.1.1"]
  }
  user "ops_a" {
    authentication = secret.other4
    privacy        = secret.privacy4
    view           = ["1.3.6.1.2.1.11"]
  }
  # A view of the name that net-snmp's manual gives for none, which no user sets.
  user "none" {
    authentication = secret.other5
    privacy        = secret.privacy5
    view           = ["1.3.6.1.2.1.11.1.0", "1.3.6.1.2.1.1"]
    except         = ["1.3.6.1.2.1.1.5.0"]
  }
}
`

// The passphrases have what snmpd.conf(5) and shells read as their own.
const (
	authPhrase    = `auth "pass" \phrase #$HOME`
	privacyPhrase = `'privacy\\' %s "`
	otherPhrase   = `0123 567`
)

// ofOthers are findings of each user who has the other passphrase.
func ofOthers(finds ...string) []string {
	out := []string{"snmp/user/none/except unknown"} // it alone has one
	for _, user := range []string{"second", "ops-a", "ops_a", "none"} {
		for _, f := range finds {
			out = append(out, "snmp/user/"+user+"/"+f)
		}
	}
	return out
}

// An snmpHouse is a router with a monitoring host and a guest.
type snmpHouse struct {
	router, host, guest *nstest.NS
	root                *lab.Root
	config, listen      string
	users, engine       string   // the scripts of the unit
	env                 []string // its environment
	daemon              *lab.Daemon
}

// snmpUser is the number of the user that systemd makes for the unit.
const snmpUser = "61234"

func newSNMPHouse(t *testing.T) *snmpHouse {
	t.Helper()
	g := fromText(t, snmpSpec)
	h := &snmpHouse{
		router: nstest.New(t, "router"), host: nstest.New(t, "host"), guest: nstest.New(t, "guest"),
		config: g.text(t, "services", "snmpd", "configText"),
		listen: fmt.Sprintf("%s:%v", g.text(t, "services", "snmpd", "listenAddress"), g.at("services", "snmpd", "port")),
	}
	pre := g.list(t, "systemd", "services", "snmpd", "serviceConfig", "ExecStartPre")
	var asRoot, asUser bool
	h.users, asRoot = strings.CutPrefix(pre[0].(string), "+text:")
	h.engine, asUser = strings.CutPrefix(pre[1].(string), "text:")
	if len(pre) != 2 || !asRoot || !asUser {
		t.Fatalf("before snmpd there is %q", pre)
	}
	for name, value := range g.at("systemd", "services", "snmpd", "environment").(map[string]any) {
		h.env = append(h.env, fmt.Sprintf("%s=%s", name, value))
	}
	nstest.Link(t, h.router, "lan1", h.host, "eth0")
	nstest.Link(t, h.router, "lan2", h.guest, "eth0")
	load(t, h.router, ruleset(t, g))
	sysctls(t, h.router, g)
	ip(t, h.router, "addr add 192.168.1.1/24 dev lan1\naddr add fd00:1::1/64 dev lan1 nodad\naddr add 192.168.2.1/24 dev lan2\n")
	ip(t, h.host, "addr add 192.168.1.50/24 dev eth0\naddr add fd00:1::50/64 dev eth0 nodad\n")
	ip(t, h.guest, "addr add 192.168.2.50/24 dev eth0\nroute add default via 192.168.2.1\n")
	h.root = lab.Rootfs(t, lab.Files{
		"/etc/nbr/spec/router.hcl": strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1) + snmpSpec,
		"/var/lib/secrets/auth":    authPhrase + "\n",
		"/var/lib/secrets/privacy": privacyPhrase,
		"/var/lib/secrets/other":   otherPhrase + "\nmore\n",
		"/etc/snmpd-users.sh":      h.users,
		"/etc/snmpd-engine.sh":     h.engine,
		"/var/lib/snmpd/":          "",
	})
	h.root.Run(t, h.router, "chown", "-R", snmpUser+":"+snmpUser, "/var/lib/snmpd")
	installNBR(t, h.root, "/usr/bin/nbr")
	return h
}

// as runs a program as the unit's own user, who may bind to the port.
func (h *snmpHouse) as(args ...string) []string {
	return slices.Concat([]string{"env", "-i", "PATH=/usr/bin:/usr/sbin"}, h.env, []string{
		"setpriv", "--reuid", snmpUser, "--regid", snmpUser, "--clear-groups",
		"--inh-caps", "-all,+net_bind_service", "--ambient-caps", "+net_bind_service", "--bounding-set", "-all,+net_bind_service", "--no-new-privs",
	}, args)
}

// stage does what the unit does before snmpd starts, and has what is said then.
func (h *snmpHouse) stage(t *testing.T) string {
	t.Helper()
	h.root.Run(t, h.router, "rm", "-rf", "/run/snmpd")
	h.root.Run(t, h.router, "install", "-d", "-m", "0700", "-o", snmpUser, "-g", snmpUser, "/run/snmpd")
	said, err := h.root.Command(t, h.router, "bash", "/etc/snmpd-users.sh").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	h.root.Run(t, h.router, h.as("bash", "/etc/snmpd-engine.sh")...)
	return string(said)
}

// start starts snmpd with a configuration, as the module of NixOS does.
func (h *snmpHouse) start(t *testing.T, config, listen string) {
	t.Helper()
	h.root.Write(t, "/etc/snmpd.conf", config)
	h.daemon = h.root.Daemon(t, h.router, h.as("snmpd", "-f", "-Lo", "-c", "/etc/snmpd.conf", listen)...)
}

func (h *snmpHouse) restart(t *testing.T, config, listen string) {
	t.Helper()
	h.daemon.Stop(t)
	if said := h.stage(t); said != "" {
		t.Errorf("staging says %s", said)
	}
	h.start(t, config, listen)
}

// ask runs a client on a host of the house, as a user with passphrases.
func (h *snmpHouse) ask(t *testing.T, from *nstest.NS, program, at, user, auth, privacy string, rest ...string) string {
	t.Helper()
	args := []string{"env", "MIBS=", program, "-r", "0", "-t", "2", "-On", "-v3", "-u", user, "-a", "SHA-256", "-A", auth}
	if privacy == "" {
		args = append(args, "-l", "authNoPriv", at)
	} else {
		args = append(args, "-l", "authPriv", "-x", "AES", "-X", privacy, at)
	}
	out, err := h.root.Try(t, from, append(args, rest...)...)
	if err != nil {
		return err.Error()
	}
	return out
}

// boots is how often the engine has started by its own account, with its identifier.
func (h *snmpHouse) boots(t *testing.T) (n int, id string) {
	t.Helper()
	nstest.Wait(t, func() error {
		b, err := os.ReadFile(h.root.Path("/var/lib/snmpd/snmpd.conf"))
		if err != nil {
			return err
		}
		boots := regexp.MustCompile(`(?m)^engineBoots (\d+)$`).FindSubmatch(b)
		engine := regexp.MustCompile(`(?m)^oldEngineID (0x\w+)$`).FindSubmatch(b)
		if boots == nil || engine == nil || !strings.Contains(string(b), "\nusmUser ") {
			return errors.New("snmpd has not written it yet")
		}
		n, err = strconv.Atoi(string(boots[1]))
		id = string(engine[1])
		return err
	})
	return n, id
}

// A monitoring host reads what its user may see, encrypted; nothing is answered to older versions, to
// wrong passphrases, or in other networks. nbr verify says what is otherwise, on its line.
func TestMonitoringBySNMP(t *testing.T) {
	t.Parallel()
	h := newSNMPHouse(t)
	if said := h.stage(t); said != "" {
		t.Errorf("staging says %s", said)
	}
	h.start(t, h.config, h.listen)
	wrong := func() []string { return unmet(t, h.root, h.router, "snmp") }
	becomes(t, wrong, nil)

	const location, other, packets = ".1.3.6.1.2.1.1.6.0", ".1.3.6.1.2.1.25.1.1.0", ".1.3.6.1.2.1.11.1.0"
	for _, q := range []struct {
		from                                *nstest.NS
		program, at, user, auth, privacy, o string
		want                                string
	}{
		{h.host, "snmpget", "192.168.1.1", "monitor", authPhrase, privacyPhrase, location, location + " = STRING: \"attic\""},
		{h.host, "snmpget", "udp6:[fd00:1::1]", "monitor", authPhrase, privacyPhrase, location, location + " = STRING: \"attic\""},
		{h.host, "snmpget", "192.168.1.1", "second", otherPhrase, privacyPhrase, location, location + " = STRING: \"attic\""},
		{h.host, "snmpget", "192.168.1.1", "monitor", authPhrase, privacyPhrase, ".1.3.6.1.2.1.1.4.0", `"anna # \\ \"x\" $HOME"`},
		{h.host, "snmpwalk", "192.168.1.1", "monitor", authPhrase, privacyPhrase, ".1.3.6.1.2.1.2.2.1.2", `STRING: "lan1"`},
		{h.host, "snmpwalk", "192.168.1.1", "monitor", authPhrase, privacyPhrase, ".1.3.6.1.2.1.31.1.1.1.6", "Counter64: "},
		{h.host, "snmpget", "192.168.1.1", "monitor", authPhrase, privacyPhrase, other, "No Such Object"},
		{h.host, "snmpget", "192.168.1.1", "second", otherPhrase, privacyPhrase, other, "Timeticks"},
		{h.host, "snmpwalk", "192.168.1.1", "monitor", authPhrase, privacyPhrase, ".1.3.6.1.2.1.1.9", "No Such Object"},
		{h.host, "snmpget", "192.168.1.1", "ops-a", otherPhrase, privacyPhrase, packets, "No Such Object"},
		{h.host, "snmpget", "192.168.1.1", "ops-a", otherPhrase, privacyPhrase, location, "attic"},
		{h.host, "snmpget", "192.168.1.1", "ops_a", otherPhrase, privacyPhrase, packets, "Counter32"},
		{h.host, "snmpget", "192.168.1.1", "ops_a", otherPhrase, privacyPhrase, location, "No Such Object"},
		{h.host, "snmpget", "192.168.1.1", "monitor", authPhrase, "", location, "authorizationError"},
		{h.host, "snmpget", "192.168.1.1", "monitor", otherPhrase, privacyPhrase, location, "Authentication failure"},
		{h.host, "snmpget", "192.168.1.1", "monitor", authPhrase, otherPhrase, location, "Timeout"},
		{h.host, "snmpget", "192.168.1.1", "nobody", authPhrase, privacyPhrase, location, "Unknown user name"},
		{h.guest, "snmpget", "192.168.1.1", "monitor", authPhrase, privacyPhrase, location, "Timeout"},
		{h.guest, "snmpget", "192.168.2.1", "monitor", authPhrase, privacyPhrase, location, "Timeout"},
	} {
		if got := h.ask(t, q.from, q.program, q.at, q.user, q.auth, q.privacy, q.o); !strings.Contains(got, q.want) {
			t.Errorf("%s %s as %s from %v: %s, want %s", q.program, q.o, q.user, q.from, got, q.want)
		}
	}
	if got := h.ask(t, h.host, "snmpset", "192.168.1.1", "monitor", authPhrase, privacyPhrase, location, "s", "cellar"); !strings.Contains(got, "noAccess") {
		t.Errorf("to set something is %s", got)
	}
	for _, version := range []string{"-v1", "-v2c"} {
		if out, err := h.root.Try(t, h.host, "env", "MIBS=", "snmpget", "-r", "0", "-t", "1", version, "-c", "public", "192.168.1.1", location); err == nil || !strings.Contains(err.Error(), "Timeout") {
			t.Errorf("%s: %s%v", version, out, err)
		}
	}

	for _, b := range []struct {
		old, new, listen string
		finds            []string
	}{
		// The line that snmpd refuses and goes on.
		{"usm priv exact monitor", "usm private exact monitor", "", []string{
			"snmp/contact unknown", "snmp/location unknown", "snmp/user/monitor/except unknown",
			"snmp/user/monitor/view fail: it may not ask (authorizationError)",
		}},
		{"usm priv exact monitor", "usm auth exact monitor", "", []string{
			"snmp/contact unknown", "snmp/location unknown", "snmp/user/monitor/except unknown",
			"snmp/user/monitor/privacy fail: it answers without encryption", "snmp/user/monitor/view unknown",
		}},
		{"view monitor excluded", "# view monitor excluded", "", []string{"snmp/user/monitor/except fail: 1.3.6.1.2.1.1.9.1.2.1"}},
		{"view monitor included .1.3.6.1.2.1.31", "", "", []string{"snmp/user/monitor/view fail: nothing in 1.3.6.1.2.1.31"}},
		{"view monitor included .1.3.6.1.2.1.31", "view monitor included .1.3.6.1.2.1.31\nview monitor included .1.3.6.1.6.3.10.2.1", "", []string{"snmp/user/monitor/view fail: 1.3.6.1.6.3.10.2.1.1.0 as well"}},
		{"includeFile", "view ops-a included .1.3.6.1.2.1.25\nview ops_a included .1.3.6.1.2.1.2\nincludeFile", "", []string{
			"snmp/user/ops-a/view fail: 1.3.6.1.2.1.25.1.1.0 as well", "snmp/user/ops_a/view fail: 1.3.6.1.2.1.2.1.0 as well",
		}},
		{"view none excluded", "# view none excluded", "", []string{"snmp/user/none/except fail: 1.3.6.1.2.1.1.5.0"}},
		{"view none included .1.3.6.1.2.1.11.1.0", "", "", []string{"snmp/user/none/view fail: nothing in 1.3.6.1.2.1.11.1.0"}},
		{"group u3 usm ops-a", "group u4 usm ops-a", "", []string{"snmp/user/ops-a/view fail: nothing in 1.3.6.1.2.1.1"}},
		{"sysLocation", "sysLocatoin", "", []string{"snmp/location fail: Unknown"}},
		{"sysContact anna", "sysContact bob", "", []string{`snmp/contact fail: bob # \\ "x" $HOME`}},
		{"includeFile", "rocommunity public\nincludeFile", "", []string{
			"snmp/answers/192.168.1.1 fail: SNMPv2c with the community public",
		}},
		{"includeFile", "# includeFile", "", append(ofOthers("authentication fail: no such user", "privacy unknown", "view unknown"),
			"snmp/contact unknown", "snmp/location unknown",
			"snmp/user/monitor/authentication fail: no such user", "snmp/user/monitor/except unknown", "snmp/user/monitor/privacy unknown", "snmp/user/monitor/view unknown",
		)},
		{"", "", "udp:192.168.1.1:161", []string{"snmp/answers/fd00:1::1 fail: no answer", "snmp/listen fail: 192.168.1.1"}},
		{"", "", "udp:161,udp6:[fd00:1::1]:161", []string{"snmp/listen fail: 0.0.0.0 fd00:1::1"}},
	} {
		listen := h.listen
		if b.listen != "" {
			listen = b.listen
		}
		h.restart(t, strings.Replace(h.config, b.old, b.new, 1), listen)
		becomes(t, wrong, b.finds)
	}
	h.restart(t, h.config, h.listen)
	becomes(t, wrong, nil)

	h.daemon.Signal(t, syscall.SIGSTOP)
	without := wrong()
	for _, got := range without {
		if !strings.Contains(got, " unknown: ") {
			t.Errorf("without a processor: %s", got)
		}
	}
	for _, at := range []string{"192.168.1.1", "fd00:1::1"} {
		if id := "snmp/answers/" + at; !slices.ContainsFunc(without, func(f string) bool { return strings.HasPrefix(f, id+" unknown: ") }) {
			t.Errorf("without a processor %s is not unknown: %q", id, without)
		}
	}
	h.daemon.Signal(t, syscall.SIGCONT)
	h.daemon.Stop(t)
	becomes(t, wrong, append(ofOthers("authentication unknown", "privacy unknown", "view unknown"),
		"snmp/answers/192.168.1.1 fail: no answer", "snmp/answers/fd00:1::1 fail: no answer", "snmp/contact unknown", "snmp/listen fail: not there", "snmp/location unknown",
		"snmp/user/monitor/authentication unknown", "snmp/user/monitor/except unknown", "snmp/user/monitor/privacy unknown", "snmp/user/monitor/view unknown",
	))
}

// Other passphrases count from the next start on, and the old ones no more; the engine is the same one,
// and has never started as often before, whatever a power cut has left of its file.
func TestSNMPPassphrasesChange(t *testing.T) {
	t.Parallel()
	h := newSNMPHouse(t)
	h.stage(t)
	h.start(t, h.config, h.listen)
	wrong := func() []string { return unmet(t, h.root, h.router, "snmp") }
	becomes(t, wrong, nil)
	boots, id := h.boots(t)

	const newPhrase = "another passphrase"
	h.root.Write(t, "/var/lib/secrets/auth", newPhrase+"\n")
	unanswered := []string{"snmp/contact unknown", "snmp/location unknown", "snmp/user/monitor/except unknown", "snmp/user/monitor/privacy unknown", "snmp/user/monitor/view unknown"}
	refused := append([]string{"snmp/user/monitor/authentication fail: another passphrase"}, unanswered...)
	becomes(t, wrong, refused)
	h.restart(t, h.config, h.listen)
	becomes(t, wrong, nil)
	if got := h.ask(t, h.host, "snmpget", "192.168.1.1", "monitor", authPhrase, privacyPhrase, ".1.3.6.1.2.1.1.6.0"); !strings.Contains(got, "Authentication failure") {
		t.Errorf("with the old passphrase: %s", got)
	}
	h.root.Write(t, "/var/lib/secrets/privacy", newPhrase+"\n")
	becomes(t, wrong, append(ofOthers("privacy fail: another passphrase", "view unknown"),
		"snmp/contact unknown", "snmp/location unknown", "snmp/user/monitor/except unknown", "snmp/user/monitor/privacy fail: another passphrase", "snmp/user/monitor/view unknown",
	))
	h.restart(t, h.config, h.listen)
	becomes(t, wrong, nil)
	more, same := h.boots(t)
	if more <= boots || same != id {
		t.Errorf("the engine was %s at its start %d, and is %s at its start %d", id, boots, same, more)
	}

	// A power cut loses what snmpd has written since it started.
	h.daemon.Stop(t)
	h.stage(t)
	before, err := os.ReadFile(h.root.Path("/var/lib/snmpd/snmpd.conf"))
	if err != nil {
		t.Fatal(err)
	}
	h.start(t, h.config, h.listen)
	boots, _ = h.boots(t)
	h.daemon.Signal(t, syscall.SIGKILL)
	h.root.Write(t, "/var/lib/snmpd/snmpd.conf", string(before))
	h.stage(t)
	h.start(t, h.config, h.listen)
	becomes(t, wrong, nil)
	if more, same = h.boots(t); more <= boots || same != id {
		t.Errorf("after a power cut the engine was %s at its start %d, and is %s at its start %d", id, boots, same, more)
	}
	// One that has lost how often it has started is another one.
	h.daemon.Stop(t)
	h.root.Write(t, "/var/lib/snmpd/snmpd.conf", "oldEngineID "+id+"\n")
	h.stage(t)
	h.start(t, h.config, h.listen)
	becomes(t, wrong, nil)
	if _, fresh := h.boots(t); fresh == id {
		t.Error("the engine has forgotten how often it has started, and is the same one")
	}

	// A user without a passphrase costs no other user anything.
	for _, p := range []string{"", "short", strings.Repeat("x", 129), "pässwörter"} {
		h.root.Write(t, "/var/lib/secrets/auth", p)
		h.daemon.Stop(t)
		if said := h.stage(t); !strings.Contains(said, "/var/lib/secrets/auth is missing or is no passphrase of 8 to 128 printable ASCII characters\nmonitor gets no answer\n") || p != "" && strings.Contains(said, p) {
			t.Errorf("%q: staging says %q", p, said)
		}
		h.start(t, h.config, h.listen)
		becomes(t, wrong, append([]string{"snmp/user/monitor/authentication fail: no passphrase in the file"}, unanswered...))
	}
	// Nor does one get an answer whose passphrase is gone, although snmpd has written the key.
	h.root.Write(t, "/var/lib/secrets/auth", authPhrase)
	h.restart(t, h.config, h.listen)
	becomes(t, wrong, nil)
	h.boots(t)
	h.root.Run(t, h.router, "rm", "/var/lib/secrets/auth")
	becomes(t, wrong, append([]string{"snmp/user/monitor/authentication fail: no such file"}, unanswered...))
	h.daemon.Stop(t)
	ask := func() string {
		return h.ask(t, h.host, "snmpget", "192.168.1.1", "monitor", authPhrase, newPhrase, ".1.3.6.1.2.1.1.6.0")
	}
	h.root.Run(t, h.router, "bash", "/etc/snmpd-users.sh")
	h.start(t, h.config, h.listen)
	nstest.Wait(t, func() error { // without the other script it does
		if got := ask(); !strings.Contains(got, "attic") {
			return errors.New(got)
		}
		return nil
	})
	h.daemon.Stop(t)
	h.stage(t)
	h.start(t, h.config, h.listen)
	nstest.Wait(t, func() error {
		if got := ask(); !strings.Contains(got, "Unknown user name") {
			return errors.New(got)
		}
		return nil
	})
}

// systemd runs snmpd without root, with the users' file as its own and nothing else of the secrets, and
// starts it again when it dies.
func TestSNMPWithoutRoot(t *testing.T) {
	t.Parallel()
	h := newSNMPHouse(t)
	g := fromText(t, snmpSpec)
	options := g.at("systemd", "services", "snmpd").(map[string]any)
	delete(options, "after")
	settings := options["serviceConfig"].(map[string]any)
	delete(settings, "PrivateDevices") // the bench has no file system of devices
	settings["ExecStartPre"] = []any{"+bash /etc/snmpd-users.sh", "bash /etc/snmpd-engine.sh"}
	files := lab.Files{
		"/etc/systemd/system/snmpd.service":            "[Service]\nExecStart=snmpd -f -Lo -c /etc/snmpd.conf " + h.listen + "\n",
		"/etc/systemd/system/snmpd.service.d/nbr.conf": unitText(t, options),
		"/etc/snmpd.conf":                              h.config,
	}
	for _, name := range []string{"/etc/nbr/spec/router.hcl", "/var/lib/secrets/auth", "/var/lib/secrets/privacy", "/var/lib/secrets/other", "/etc/snmpd-users.sh", "/etc/snmpd-engine.sh"} {
		b, err := os.ReadFile(h.root.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(b)
	}
	m := lab.Boot(t, h.router, files, "snmpd.service")
	defer func() {
		if t.Failed() {
			t.Log(m.Journal(t, "snmpd.service"))
		}
	}()
	installNBR(t, m.Root, "/usr/bin/nbr")
	m.Run(t, "chmod", "0600", "/var/lib/secrets/auth", "/var/lib/secrets/privacy", "/var/lib/secrets/other")
	wrong := func() []string { return unmetOn(t, m, "snmp") }
	becomes(t, wrong, nil)

	pid := strings.TrimSpace(m.Run(t, "systemctl", "show", "-P", "MainPID", "snmpd"))
	status := m.Run(t, "cat", "/proc/"+pid+"/status")
	uid := regexp.MustCompile(`(?m)^Uid:\t(\d+)\t`).FindStringSubmatch(status)
	caps := regexp.MustCompile(`(?m)^Cap(Eff|Prm|Bnd):\t(\w+)$`).FindAllStringSubmatch(status, -1)
	if uid == nil || uid[1] == "0" || len(caps) != 3 {
		t.Fatalf("snmpd is\n%s", status)
	}
	for _, c := range caps {
		if c[2] != "0000000000000400" { // CAP_NET_BIND_SERVICE
			t.Errorf("Cap%s of snmpd is %s", c[1], c[2])
		}
	}
	for path, want := range map[string]string{
		"/run/snmpd": "700 " + uid[1], "/run/snmpd/users.conf": "600 " + uid[1], "/var/lib/snmpd/snmpd.conf": "600 " + uid[1], "/var/lib/secrets/auth": "600 0",
	} {
		if got := strings.TrimSpace(m.Run(t, "stat", "-L", "-c", "%a %u", path)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	m.Run(t, "kill", "-KILL", pid)
	nstest.Wait(t, func() error {
		if now := strings.TrimSpace(m.Run(t, "systemctl", "show", "-P", "MainPID", "snmpd")); now == pid || now == "0" {
			return errors.New("snmpd has not started again")
		}
		return nil
	})
	becomes(t, wrong, nil)
	m.Systemctl(t, "stop", "snmpd.service")
	if out, err := m.Try(t, "ls", "/run/snmpd"); err == nil {
		t.Errorf("after it has stopped there is %s", out)
	}
	if journal := m.Journal(t, "snmpd.service"); strings.Contains(journal, authPhrase) || strings.Contains(journal, "Error") {
		t.Errorf("the journal has\n%s", journal)
	}
	if got := wrong(); len(got) == 0 || !slices.Contains(got, "snmp/unit fail: inactive") {
		t.Errorf("stopped: %q", got)
	}
}
