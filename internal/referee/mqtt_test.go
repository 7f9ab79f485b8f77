package referee_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// mqttSpec is a house with a lamp, what drives it, and a garden that has no part in it.
const mqttSpec = `
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
  allow    = ["mqtt"]
}
zone "guests" { networks = [network.guests] }
secret "lamp" { path = "/var/lib/secrets/lamp" }
secret "home" { path = "/var/lib/secrets/home" }
secret "garden" { path = "/var/lib/secrets/garden" }
mqtt {
  networks = [network.lan]

  user "lamp" {
    password = secret.lamp
    read     = ["home/lamp/set", "home/lamp/üb er/+"]
    write    = ["home/lamp/state"]
  }
  user "home" {
    password  = secret.home
    read      = ["$SYS/#"]
    readwrite = ["home/#"]
  }
  user "Garden.1" {
    password  = secret.garden
    read      = ["home/+/state"]
    readwrite = ["garden/+/#", "deny garden"]
  }
}
`

// Passwords with what means something to shells and in Mosquitto's files.
var mqttPasswords = map[string]string{
	"lamp":   `pa:ss "$HOME" \n'x`,
	"home":   ` $7$101$blanks `,
	"garden": "#correct-horse",
}

// mqttUsers are the users, by the secrets of their passwords.
var mqttUsers = map[string]string{"lamp": "lamp", "home": "home", "garden": "Garden.1"}

const plugins = "/usr/lib/x86_64-linux-gnu/mosquitto/"

// mosquittoFiles are what services.mosquitto of NixOS 26.05 makes of its options
// (nixos/modules/services/networking/mosquitto.nix), with Debian's folder of plugins: the configuration, the rules
// of each listener, and what runs before the daemon. credentials are those that the unit loads, by their names.
func mosquittoFiles(t *testing.T, g *generated) (files lab.Files, credentials map[string]string) {
	t.Helper()
	if g.at("services", "mosquitto", "enable") != true {
		t.Fatal("Mosquitto is off")
	}
	conf, start := "per_listener_settings true\npersistence true\nlog_dest stderr\n", "set -eu\ncd /var/lib/mosquitto\n"
	files, credentials = lab.Files{}, map[string]string{}
	global := g.at("services", "mosquitto", "settings").(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(global)) {
		conf += fmt.Sprintf("%s %v\n", key, global[key])
	}
	for i, l := range g.list(t, "services", "mosquitto", "listeners") {
		l := l.(map[string]any)
		conf += fmt.Sprintf("listener %v %s\n", l["port"], l["address"])
		settings := l["settings"].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(settings)) {
			conf += fmt.Sprintf("%s %v\n", key, settings[key])
		}
		conf += fmt.Sprintf("plugin %[1]smosquitto_acl_file.so\nplugin_opt_acl_file /var/lib/mosquitto/acl-%[2]d.conf\n"+
			"plugin %[1]smosquitto_password_file.so\nplugin_opt_password_file /var/lib/mosquitto/passwd-%[2]d\n", plugins, i)
		start += fmt.Sprintf("file=passwd-%[1]d\nrm -f $file\ntouch $file\ninstall -m 0700 /etc/mosquitto/acl-%[1]d acl-%[1]d.conf\n", i)
		rules, users := "", l["users"].(map[string]any)
		for j, name := range slices.Sorted(maps.Keys(users)) {
			user := users[name].(map[string]any)
			rules += "user " + name + "\n"
			for _, rule := range user["acl"].([]any) {
				rules += "topic " + rule.(string) + "\n"
			}
			credential := fmt.Sprintf("listener-%d-user-%d-hashedPasswordFile", i, j)
			credentials[credential] = user["hashedPasswordFile"].(string)
			start += fmt.Sprintf("[ $(wc -l <$CREDENTIALS_DIRECTORY/%[1]s) -le 1 ]\necho \"%[2]s:$(cat $CREDENTIALS_DIRECTORY/%[1]s)\" >>$file\n", credential, name)
		}
		files[fmt.Sprintf("/etc/mosquitto/acl-%d", i)] = rules
	}
	files["/etc/mosquitto/mosquitto.conf"] = conf
	files["/etc/mosquitto-start.sh"] = start
	files["/etc/nbr-mqtt.sh"] = g.text(t, "systemd", "services", "nbr-mqtt", "script")
	for name, lines := range g.source {
		files["/etc/nbr/spec/"+name] = strings.Join(lines, "\n")
	}
	for name, password := range mqttPasswords {
		files["/var/lib/secrets/"+name] = password + "\nmore\n"
	}
	return files, credentials
}

// An mqttHouse is a router with devices and a guest.
type mqttHouse struct {
	router, host, guest *nstest.NS
	root                *lab.Root
	files               lab.Files
	credentials         map[string]string
	daemon              *lab.Daemon
}

func newMQTTHouse(t *testing.T, spec string) *mqttHouse {
	t.Helper()
	g := fromText(t, spec)
	h := &mqttHouse{router: nstest.New(t, "router"), host: nstest.New(t, "host"), guest: nstest.New(t, "guest")}
	nstest.Link(t, h.router, "lan1", h.host, "eth0")
	nstest.Link(t, h.router, "lan2", h.guest, "eth0")
	load(t, h.router, ruleset(t, g))
	sysctls(t, h.router, g)
	ip(t, h.router, "addr add 192.168.1.1/24 dev lan1\naddr add fd00:1::1/64 dev lan1 nodad\naddr add 192.168.2.1/24 dev lan2\nlink set lo up\n")
	ip(t, h.host, "addr add 192.168.1.50/24 dev eth0\naddr add fd00:1::50/64 dev eth0 nodad\nroute add default via 192.168.1.1\n")
	ip(t, h.guest, "addr add 192.168.2.50/24 dev eth0\nroute add default via 192.168.2.1\n")
	h.files, h.credentials = mosquittoFiles(t, g)
	h.root = lab.Rootfs(t, h.files)
	installNBR(t, h.root, "/usr/bin/nbr")
	h.root.Run(t, h.router, "install", "-d", "-m", "0700", "-o", "mosquitto", "-g", "mosquitto", "/var/lib/mosquitto")
	return h
}

// stage does what the units do before Mosquitto starts, and has what is said then.
func (h *mqttHouse) stage(t *testing.T) string {
	t.Helper()
	script := "install -d -m 0750 -g mosquitto /run/nbr-mqtt\numask 0027\nbash -e /etc/nbr-mqtt.sh\n" +
		"rm -rf /run/credentials\ninstall -d -m 0700 -o mosquitto /run/credentials\n"
	for name, file := range h.credentials {
		script += fmt.Sprintf("install -m 0400 -o mosquitto %s /run/credentials/%s\n", file, name)
	}
	out, err := h.root.Command(t, h.router, "bash", "-ec", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if said, err := h.root.Command(t, h.router, h.as("env", "CREDENTIALS_DIRECTORY=/run/credentials", "bash", "-c", "umask 0077; . /etc/mosquitto-start.sh")...).CombinedOutput(); err != nil || len(said) > 0 {
		t.Fatalf("%v: %s", err, said)
	}
	return string(out)
}

// as runs a program as Mosquitto's own user.
func (h *mqttHouse) as(args ...string) []string {
	return append([]string{"setpriv", "--reuid", "mosquitto", "--regid", "mosquitto", "--clear-groups", "--bounding-set", "-all", "--no-new-privs"}, args...)
}

func (h *mqttHouse) start(t *testing.T) {
	t.Helper()
	h.daemon = h.root.Daemon(t, h.router, h.as("sh", "-c", "cd /var/lib/mosquitto && exec mosquitto -c /etc/mosquitto/mosquitto.conf")...)
}

// restart stages and starts it anew, with one change to a file of Mosquitto's.
func (h *mqttHouse) restart(t *testing.T, file, old, new string) {
	t.Helper()
	h.daemon.Stop(t)
	if file != "" && !strings.Contains(h.files[file], old) {
		t.Fatalf("%s has no %q:\n%s", file, old, h.files[file])
	}
	h.root.Write(t, "/etc/mosquitto/mosquitto.conf", h.files["/etc/mosquitto/mosquitto.conf"])
	for _, rules := range []string{"/etc/mosquitto/acl-0", "/etc/mosquitto/acl-1"} {
		h.root.Write(t, rules, h.files[rules])
	}
	h.root.Write(t, "/etc/mosquitto-start.sh", h.files["/etc/mosquitto-start.sh"])
	if file != "" {
		h.root.Write(t, file, strings.Replace(h.files[file], old, new, 1))
	}
	if said := h.stage(t); said != "" {
		t.Errorf("staging says %s", said)
	}
	h.start(t)
}

// client runs a client of Mosquitto's on a host, as a user of the spec.
func (h *mqttHouse) client(t *testing.T, from *nstest.NS, program, secret string, args ...string) (string, error) {
	t.Helper()
	return h.root.Try(t, from, h.words(program, secret, args...)...)
}

func (h *mqttHouse) words(program, secret string, args ...string) []string {
	return append([]string{program, "-V", "5", "-u", mqttUsers[secret], "-P", mqttPasswords[secret]}, args...)
}

// listens starts a subscriber on the host, to everything.
func (h *mqttHouse) listens(t *testing.T, secret string) *lab.Daemon {
	t.Helper()
	return h.root.Daemon(t, h.host, h.words("mosquitto_sub", secret, "-h", "192.168.1.1", "-t", "#", "-v")...)
}

// publishes sends messages from the host, each as TOPIC=TEXT.
func (h *mqttHouse) publishes(t *testing.T, secret string, messages ...string) {
	t.Helper()
	for _, m := range messages {
		topic, text, _ := strings.Cut(m, "=")
		if out, err := h.client(t, h.host, "mosquitto_pub", secret, "-h", "192.168.1.1", "-q", "1", "-t", topic, "-m", text); err != nil {
			t.Errorf("to publish to %s: %s%v", topic, out, err)
		}
	}
}

// hears waits until a subscriber has got a last message, and has what it got before that.
func hears(t *testing.T, d *lab.Daemon, last string) (lines []string) {
	t.Helper()
	d.Ready(t, func() error {
		lines = lines[:0]
		for line := range strings.Lines(d.Log()) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
			if lines[len(lines)-1] == last {
				return nil
			}
		}
		return fmt.Errorf("it hears %q, and no %q", lines, last)
	})
	return lines[:len(lines)-1]
}

// Devices send each other what their topics allow: a subscriber gets nothing else, no client without a user's
// password gets in, and none of another network. nbr verify says what is otherwise, on its line, and itself
// sends no message.
func TestMessagesBetweenDevices(t *testing.T) {
	t.Parallel()
	h := newMQTTHouse(t, mqttSpec)
	if said := h.stage(t); said != "" {
		t.Errorf("staging says %s", said)
	}
	h.start(t)
	wrong := func() []string { return unmet(t, h.root, h.router, "mqtt") }
	becomes(t, wrong, nil)

	home, lamp := h.listens(t, "home"), h.listens(t, "lamp")
	for _, s := range []struct {
		sub   *lab.Daemon
		topic string
	}{{home, "home/ready"}, {lamp, "home/lamp/set"}} {
		s.sub.Ready(t, func() error {
			h.publishes(t, "home", s.topic+"=ready")
			if !strings.Contains(s.sub.Log(), s.topic+" ready\n") {
				return fmt.Errorf("it hears %q", s.sub.Log())
			}
			return nil
		})
	}
	h.publishes(t, "home", "home/begin=1", "home/lamp/set=begin")
	hears(t, home, "home/begin 1")
	hears(t, lamp, "home/lamp/set begin")
	becomes(t, wrong, nil)
	h.publishes(t, "lamp", "home/lamp/state=on", "home/lamp/set=off", "home/lamp/state/deeper=x", "garden/gate=open", "home/lamp=x")
	h.publishes(t, "garden", "garden/gate/left=open", "garden/gate=open", "garden=x", "home/lamp/state=broken", "deny garden=x")
	h.publishes(t, "home", "home/lamp/set=on", "home/lamp/üb er/rot=7", "garden/gate=shut", "home/lamp/set=end", "home/end=1")
	after := func(heard []string, begin string) []string { return heard[slices.Index(heard, begin)+1:] }
	if got, want := after(hears(t, home, "home/end 1"), "home/begin 1"), []string{
		"home/lamp/set begin", "home/lamp/state on", "home/lamp/set on", "home/lamp/üb er/rot 7", "home/lamp/set end",
	}; !slices.Equal(got, want) {
		t.Errorf("home hears %q, want %q", got, want)
	}
	if got, want := after(hears(t, lamp, "home/lamp/set end"), "home/lamp/set begin"), []string{"home/lamp/set on", "home/lamp/üb er/rot 7"}; !slices.Equal(got, want) {
		t.Errorf("the lamp hears %q, want %q", got, want)
	}

	const notAuthorized = "not authorised"
	for _, c := range []struct {
		from  *nstest.NS
		args  []string
		wants string // in what it says when it fails; it does not if it is empty
	}{
		{h.host, []string{"-V", "5", "-h", "192.168.1.1"}, "Not authorized"},
		{h.host, []string{"-V", "311", "-h", "192.168.1.1"}, notAuthorized},
		{h.host, []string{"-V", "5", "-h", "fd00:1::1"}, "Not authorized"},
		{h.host, []string{"-V", "5", "-h", "192.168.1.1", "-u", "lamp"}, "Not authorized"},
		{h.host, []string{"-V", "5", "-h", "192.168.1.1", "-u", "lamp", "-P", "wrong"}, "Not authorized"},
		{h.host, []string{"-V", "5", "-h", "192.168.1.1", "-u", "lamp", "-P", mqttPasswords["home"]}, "Not authorized"},
		{h.host, []string{"-V", "5", "-h", "192.168.1.1", "-u", "nobody", "-P", mqttPasswords["home"]}, "Not authorized"},
		{h.host, h.words("", "lamp", "-h", "fd00:1::1")[1:], ""},
		{h.host, append(h.words("", "lamp", "-h", "192.168.1.1")[1:], "-V", "311"), ""},
	} {
		out, err := h.root.Try(t, c.from, append([]string{"mosquitto_pub", "-t", "home/lamp/state", "-m", "x"}, c.args...)...)
		if (err == nil) != (c.wants == "") || err != nil && !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%q: %s%v, want %q", c.args, out, err, c.wants)
		}
	}
	for _, c := range []struct {
		from *nstest.NS
		at   string
	}{{h.guest, "192.168.1.1"}, {h.guest, "192.168.2.1"}, {h.host, "192.168.2.1"}} {
		if out, err := h.root.Try(t, c.from, "nc", "-z", "-w", "2", c.at, "1883"); err == nil {
			t.Errorf("%v reaches %s: %s", c.from, c.at, out)
		}
	}

	// What is retained outlives the broker.
	if out, err := h.client(t, h.host, "mosquitto_pub", "home", "-h", "192.168.1.1", "-q", "1", "-r", "-t", "home/lamp/last", "-m", "on"); err != nil {
		t.Errorf("%s%v", out, err)
	}
	h.restart(t, "", "", "")
	becomes(t, wrong, nil)
	if out, err := h.client(t, h.host, "mosquitto_sub", "home", "-h", "192.168.1.1", "-C", "1", "-W", "10", "-v", "-t", "home/lamp/last"); err != nil || out != "home/lamp/last on\n" {
		t.Errorf("after a restart there is %q (%v)", out, err)
	}

	const conf, rules, more = "/etc/mosquitto/mosquitto.conf", "/etc/mosquitto/acl-0", "/etc/mosquitto/acl-1"
	everyone := func(of string) (list []string) {
		for _, check := range []string{"Garden.1/else", "Garden.1/login", "Garden.1/read", "Garden.1/readwrite", "home/else", "home/login", "home/read", "home/readwrite", "lamp/else", "lamp/login", "lamp/read", "lamp/write"} {
			list = append(list, "mqtt/user/"+check+" unknown: "+of)
		}
		return list
	}
	const passwords = "plugin " + plugins + "mosquitto_password_file.so\nplugin_opt_password_file /var/lib/mosquitto/passwd-0\n"
	const acl = "plugin " + plugins + "mosquitto_acl_file.so\nplugin_opt_acl_file /var/lib/mosquitto/acl-0.conf\n"
	for _, b := range []struct {
		file, old, new string
		finds          []string
	}{
		{rules, "topic write home/lamp/state\n", "", []string{"mqtt/user/lamp/write fail: not home/lamp/state"}},
		{rules, "topic read home/lamp/set\n", "", []string{"mqtt/user/lamp/read fail: not home/lamp/set"}},
		{rules, "topic readwrite home/#", "topic write home/#", []string{"mqtt/user/home/else fail: write home/#", "mqtt/user/home/readwrite fail: not home/#"}},
		{rules, "topic write home/lamp/state", "topic write home/lamp/state\ntopic write home/lamp/+", []string{"mqtt/user/lamp/else fail: write home/lamp/+"}},
		{rules, "user Garden.1\n", "topic readwrite #\nuser Garden.1\n", []string{ // of those without a name
			"mqtt/user/Garden.1/else fail: topic readwrite # at 192.168.1.1", "mqtt/user/home/else fail: topic readwrite # at 192.168.1.1", "mqtt/user/lamp/else fail: topic readwrite # at 192.168.1.1",
		}},
		{rules, "user lamp\n", "pattern read $SYS/#\nuser lamp\n", []string{
			"mqtt/user/Garden.1/else fail: pattern read $SYS/#", "mqtt/user/home/else fail: pattern read $SYS/#", "mqtt/user/lamp/else fail: pattern read $SYS/#",
		}},
		{rules, "user lamp\n", "pattern readwrite attic/#\nuser lamp\n", []string{ // of which nothing is retained
			"mqtt/user/Garden.1/else fail: pattern readwrite attic/#", "mqtt/user/home/else fail: pattern readwrite attic/#", "mqtt/user/lamp/else fail: pattern readwrite attic/#",
		}},
		{more, "topic write home/lamp/state\n", "topic write home/#\n", []string{
			"mqtt/user/lamp/else fail: write home/# at fd00:1::1", "mqtt/user/lamp/write fail: not home/lamp/state at fd00:1::1",
		}},
		{"/etc/mosquitto-start.sh", `"lamp:$(cat $CREDENTIALS_DIRECTORY/listener-1-user-2-hashedPasswordFile)`, `"lamp:$(cat $CREDENTIALS_DIRECTORY/listener-1-user-0-hashedPasswordFile)`, []string{
			"mqtt/user/lamp/else unknown", "mqtt/user/lamp/login fail: refused at fd00:1::1", "mqtt/user/lamp/read unknown", "mqtt/user/lamp/write unknown",
		}},
		{conf, acl, "", []string{
			"mqtt/user/Garden.1/else fail: write deny garden/nbr-verify", "mqtt/user/home/else fail: write nbr-verify", "mqtt/user/lamp/else fail: write home/lamp",
		}},
		{conf, passwords, "", []string{ // without it Mosquitto knows no user
			"mqtt/user/Garden.1/else unknown", "mqtt/user/Garden.1/login fail: refused", "mqtt/user/Garden.1/read unknown", "mqtt/user/Garden.1/readwrite unknown",
			"mqtt/user/home/else unknown", "mqtt/user/home/login fail: refused", "mqtt/user/home/read unknown", "mqtt/user/home/readwrite unknown",
			"mqtt/user/lamp/else unknown", "mqtt/user/lamp/login fail: refused", "mqtt/user/lamp/read unknown", "mqtt/user/lamp/write unknown",
		}},
		{conf, "allow_anonymous false", "allow_anonymous true", []string{"mqtt/answers/192.168.1.1 fail: clients without a name are taken"}},
		{conf, "listener 1883 fd00:1::1", "listener 1884 fd00:1::1", append(everyone(""), "mqtt/answers/fd00:1::1 fail: no answer", "mqtt/listen fail: 192.168.1.1")},
		{conf, "listener 1883 192.168.1.1", "listener 1883 0.0.0.0", []string{"mqtt/listen fail: 0.0.0.0 fd00:1::1"}},
		{conf, "allow_anonymous false\n", "allow_anonymous false\nprotocol websockets\n", []string{
			"mqtt/answers/192.168.1.1 fail: no answer of MQTT 5",
			"mqtt/user/Garden.1/else unknown", "mqtt/user/Garden.1/login fail: no answer of MQTT 5", "mqtt/user/Garden.1/read unknown", "mqtt/user/Garden.1/readwrite unknown",
			"mqtt/user/home/else unknown", "mqtt/user/home/login fail: no answer of MQTT 5", "mqtt/user/home/read unknown", "mqtt/user/home/readwrite unknown",
			"mqtt/user/lamp/else unknown", "mqtt/user/lamp/login fail: no answer of MQTT 5", "mqtt/user/lamp/read unknown", "mqtt/user/lamp/write unknown",
		}},
	} {
		h.restart(t, b.file, b.old, b.new)
		becomes(t, wrong, b.finds)
	}
	// The rules are those of the spec again, and Mosquitto goes on with the ones that it has read.
	h.restart(t, rules, "topic write home/lamp/state\n", "topic write home/lamp\n")
	becomes(t, wrong, []string{"mqtt/user/lamp/else fail: write home/lamp", "mqtt/user/lamp/write fail: not home/lamp/state"})
	h.root.Write(t, "/var/lib/mosquitto/acl-0.conf", h.files[rules])
	becomes(t, wrong, []string{"mqtt/user/lamp/else fail: write home/lamp", "mqtt/user/lamp/write fail: not home/lamp/state"})
	h.restart(t, "", "", "")
	becomes(t, wrong, nil)

	// Another password counts from the next start on.
	h.root.Write(t, "/var/lib/secrets/lamp", "another password\n")
	unasked := []string{"mqtt/user/lamp/else unknown", "mqtt/user/lamp/read unknown", "mqtt/user/lamp/write unknown"}
	becomes(t, wrong, append([]string{"mqtt/user/lamp/login fail: refused"}, unasked...))
	h.restart(t, "", "", "")
	becomes(t, wrong, nil)
	// A user without one costs no other user anything.
	for _, p := range []string{"", "short", strings.Repeat("x", 129), "pässwörter"} {
		h.root.Write(t, "/var/lib/secrets/lamp", p)
		h.daemon.Stop(t)
		if said := h.stage(t); said != "/var/lib/secrets/lamp is missing or is no password of 8 to 128 printable ASCII characters: lamp cannot connect\n" {
			t.Errorf("%q: staging says %q", p, said)
		}
		h.start(t)
		becomes(t, wrong, append([]string{"mqtt/user/lamp/login fail: no password in the file"}, unasked...))
		if out, err := h.root.Try(t, h.host, "mosquitto_pub", "-V", "5", "-h", "192.168.1.1", "-u", "lamp", "-P", p, "-t", "home/lamp/state", "-m", "x"); err == nil {
			t.Errorf("with %q it is taken: %s", p, out)
		}
	}
	h.root.Run(t, h.router, "rm", "/var/lib/secrets/lamp")
	becomes(t, wrong, append([]string{"mqtt/user/lamp/login fail: no such file"}, unasked...))
	h.root.Write(t, "/var/lib/secrets/lamp", mqttPasswords["lamp"])
	h.restart(t, "", "", "")
	becomes(t, wrong, nil)

	h.daemon.Signal(t, syscall.SIGSTOP)
	becomes(t, wrong, append(everyone(""), "mqtt/answers/192.168.1.1 unknown", "mqtt/answers/fd00:1::1 unknown"))
	h.daemon.Signal(t, syscall.SIGCONT)
	h.daemon.Stop(t)
	becomes(t, wrong, []string{
		"mqtt/answers/192.168.1.1 fail: no answer", "mqtt/answers/fd00:1::1 fail: no answer", "mqtt/listen fail: not there",
		"mqtt/user/Garden.1/else unknown", "mqtt/user/Garden.1/login unknown", "mqtt/user/Garden.1/read unknown", "mqtt/user/Garden.1/readwrite unknown",
		"mqtt/user/home/else unknown", "mqtt/user/home/login unknown", "mqtt/user/home/read unknown", "mqtt/user/home/readwrite unknown",
		"mqtt/user/lamp/else unknown", "mqtt/user/lamp/login unknown", "mqtt/user/lamp/read unknown", "mqtt/user/lamp/write unknown",
	})
}

// mosquittoUnit is the unit of services.mosquitto of NixOS 26.05 but for its programs, which are Debian's, and for
// PrivateDevices, as the bench has no file system of devices. NixOS makes the folder with the user.
const mosquittoUnit = `[Unit]
After=network-online.target
Wants=network-online.target
[Service]
Type=notify
NotifyAccess=main
User=mosquitto
Group=mosquitto
ExecStartPre=+chown mosquitto:mosquitto /var/lib/mosquitto
ExecStartPre=bash /etc/mosquitto-start.sh
ExecStart=mosquitto -c /etc/mosquitto/mosquitto.conf
ExecReload=kill -HUP $MAINPID
WorkingDirectory=/var/lib/mosquitto
RuntimeDirectory=mosquitto
UMask=0077
Restart=on-failure
ReadOnlyPaths=/run/nbr-mqtt/certificate.pem /run/nbr-mqtt/key.pem
ReadWritePaths=/var/lib/mosquitto /tmp
CapabilityBoundingSet=
DevicePolicy=closed
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateTmp=yes
PrivateUsers=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
`
