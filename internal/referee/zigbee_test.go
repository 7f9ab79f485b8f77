package referee_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// zigbeeSpec is a house whose Zigbee adapter is behind a serial server.
const zigbeeSpec = `
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
secret "mqtt-zigbee" { path = "/var/lib/secrets/mqtt-zigbee" }
secret "hub" { path = "/var/lib/secrets/hub" }
secret "zigbee-key" { path = "/var/lib/secrets/zigbee-key" }
zigbee {
  port            = "tcp://192.168.1.50:6638"
  adapter         = "deconz"
  channel         = 20
  pan_id          = "0x4f2a"
  extended_pan_id = "0x9c1f5d2e8a7b3046"
  network_key     = secret.zigbee-key
  topic           = "house/zigbee"
  password        = secret.mqtt-zigbee
}
mqtt {
  networks = [network.lan]

  user "zigbee" {
    password  = secret.mqtt-zigbee
    readwrite = ["house/#"]
  }
  user "hub" {
    password = secret.hub
    read     = ["#"]
    write    = ["house/zigbee/+/set"]
  }
}
`

// The secrets have what means something to shells and in YAML.
const (
	zigbeeKey      = "00C0dbFF7e112233445566778899aAbB"
	zigbeeKeyBytes = "\x00\xc0\xdb\xff\x7e\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb"
	zigbeePassword = `pa'ss: "x" #!a $HOME \n{`
	hubPassword    = "correct horse"
)

// A zigbeeHouse has Zigbee2MQTT beside the broker, and the adapter at a host.
type zigbeeHouse struct {
	*mqttHouse
	g       *generated
	program []string
	z2m     *lab.Daemon
	adapter *conBee
}

const z2mFolder = "/var/lib/zigbee2mqtt/"

func newZigbeeHouse(t *testing.T, spec string, files ...lab.Files) *zigbeeHouse {
	t.Helper()
	h := &zigbeeHouse{mqttHouse: newMQTTHouse(t, spec), g: fromText(t, spec), adapter: newConBee()}
	h.root.Write(t, "/var/lib/secrets/mqtt-zigbee", zigbeePassword+"\n")
	h.root.Write(t, "/var/lib/secrets/hub", hubPassword+"\n")
	h.root.Write(t, "/var/lib/secrets/zigbee-key", zigbeeKey+"\n")
	h.root.Write(t, "/etc/nbr-zigbee.sh", h.g.text(t, "systemd", "services", "nbr-zigbee", "script"))
	h.root.Run(t, h.router, "sh", "-ec", "chmod 0600 /var/lib/secrets/*; groupadd -r zigbee2mqtt; useradd -r -g zigbee2mqtt -d "+z2mFolder+" zigbee2mqtt; install -d -m 0700 -o zigbee2mqtt -g zigbee2mqtt "+z2mFolder)
	h.program = h.root.Zigbee2MQTT(t)
	// The broker is started by the test.
	h.root.Write(t, "/etc/nbr-mqtt.sh", "systemctl() { :; }\n"+h.files["/etc/nbr-mqtt.sh"])
	for _, f := range files {
		for name, content := range f {
			h.root.Write(t, name, content)
		}
	}
	if said := h.mqttHouse.stage(t); said != "" {
		t.Errorf("staging says %s", said)
	}
	h.root.Run(t, h.router, "sh", "-ec", "chgrp -R mosquitto /run/nbr-mqtt")
	h.mqttHouse.start(t)
	return h
}

// settings are services.zigbee2mqtt.settings with the defaults of the module of NixOS 26.05
// (nixos/modules/services/home-automation/zigbee2mqtt.nix).
func (h *zigbeeHouse) settings(t *testing.T) map[string]any {
	t.Helper()
	if h.g.at("services", "zigbee2mqtt", "enable") != true {
		t.Fatal("Zigbee2MQTT is off")
	}
	var s map[string]any
	if err := json.Unmarshal([]byte(h.g.json(t, "services", "zigbee2mqtt", "settings")), &s); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"permit_join": false, "devices": "devices.yaml", "groups": "groups.yaml"} {
		if s[name] == nil {
			s[name] = v
		}
	}
	return s
}

// stageZigbee does what the unit before Zigbee2MQTT does, and has what is said then.
func (h *zigbeeHouse) stageZigbee(t *testing.T) (said string, err error) {
	t.Helper()
	out, err := h.root.Command(t, h.router, "bash", "-ec", "install -d -m 0750 -g zigbee2mqtt /run/nbr-zigbee\numask 0027\nexec setpriv --regid zigbee2mqtt --clear-groups bash -e /etc/nbr-zigbee.sh\n").CombinedOutput()
	return string(out), err
}

// begin starts Zigbee2MQTT as its unit does, whose module copies the settings over those of before. A setting is changed
// by its path, with / between.
func (h *zigbeeHouse) begin(t *testing.T, changes map[string]any) {
	t.Helper()
	s := h.settings(t)
	for path, v := range changes {
		in := s
		section, name, nested := strings.Cut(path, "/")
		if nested {
			in = s[section].(map[string]any)
		} else {
			name = section
		}
		if in[name] == nil {
			t.Fatalf("there is no setting %s", path)
		}
		in[name] = v
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	h.root.Write(t, "/etc/zigbee2mqtt.yaml", string(text))
	h.run(t, h.environment(t))
}

// environment is that of the unit.
func (h *zigbeeHouse) environment(t *testing.T) []string {
	t.Helper()
	env := []string{"ZIGBEE2MQTT_DATA=" + z2mFolder, "HOME=" + z2mFolder}
	set, ok := h.g.at("systemd", "services", "zigbee2mqtt", "environment").(map[string]any)
	if !ok {
		t.Fatal("the unit has no environment")
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		env = append(env, fmt.Sprintf("%s=%v", name, set[name]))
	}
	return env
}

func (h *zigbeeHouse) run(t *testing.T, environment []string) {
	t.Helper()
	words := append([]string{
		"setpriv", "--reuid", "zigbee2mqtt", "--regid", "zigbee2mqtt", "--clear-groups", "--bounding-set", "-all", "--no-new-privs",
		"sh", "-c", "umask 0077; cd " + z2mFolder + " && cp --no-preserve=mode /etc/zigbee2mqtt.yaml configuration.yaml && exec \"$@\"", "-", "env",
	}, append(environment, h.program...)...)
	h.z2m = h.root.Daemon(t, h.router, words...)
}

// kill ends it as systemd does at last, and as a power cut does: the broker then says that it is offline.
func (h *zigbeeHouse) kill(t *testing.T) {
	t.Helper()
	h.z2m.Signal(t, syscall.SIGKILL)
	h.z2m.Stop(t)
}

// again restarts it with changes.
func (h *zigbeeHouse) again(t *testing.T, changes map[string]any) {
	t.Helper()
	h.kill(t)
	if said, err := h.stageZigbee(t); said != "" || err != nil {
		t.Errorf("staging says %s (%v)", said, err)
	}
	h.begin(t, changes)
}

// listeners are the TCP sockets that wait on the router, by their ports.
func (h *zigbeeHouse) listeners(t *testing.T) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(h.router.Run(t, "ss", "-Hltn")) {
		local := strings.Fields(line)[3]
		out = append(out, local[strings.LastIndexByte(local, ':')+1:])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// tells are the lines of a spec that Zigbee2MQTT itself has to tell of.
func tells(what string) (out []string) {
	for _, check := range []string{"adapter", "channel", "extended_pan_id", "pan_id", "port"} {
		out = append(out, "zigbee/"+check+" unknown: could not ask: "+what)
	}
	return out
}

// leaks are where the secrets can be read by others: in files, and in what the broker has.
func (h *zigbeeHouse) leaks(t *testing.T) (out []string) {
	t.Helper()
	var bytes []string
	for _, b := range []byte(zigbeeKeyBytes) {
		bytes = append(bytes, fmt.Sprint(b))
	}
	secret := func(text string) bool {
		packed := strings.ToLower(strings.NewReplacer(" ", "", "\n", "", "-", ",").Replace(text))
		return strings.Contains(packed, strings.ToLower(zigbeeKey)) || strings.Contains(packed, strings.Join(bytes, ",")) ||
			strings.Contains(text, zigbeePassword) || strings.Contains(text, strings.ReplaceAll(zigbeePassword, "'", "''"))
	}
	known := 0
	for _, folder := range []string{z2mFolder, "/run/nbr-zigbee", "/etc"} {
		err := filepath.WalkDir(h.root.Path(folder), func(name string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(name)
			if err != nil || !secret(string(text)) {
				return err
			}
			known++
			if info, err := e.Info(); err != nil || info.Mode()&0o007 != 0 || filepath.Base(name) == "configuration.yaml" {
				out = append(out, fmt.Sprintf("%s %v", name, info.Mode()))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if known < 2 { // the file of secrets, and the backup of the adapter
		t.Errorf("the secrets are in %d files: the test does not see them", known)
	}
	retained, _ := h.root.Try(t, h.host, "mosquitto_sub", "-V", "5", "-h", "192.168.1.1", "-u", "hub", "-P", hubPassword, "-t", "house/#", "-v", "--retained-only", "-W", "3")
	if !strings.Contains(retained, "house/zigbee/bridge/info {") {
		t.Errorf("the broker retains %.300q", retained)
	}
	if secret(retained) {
		out = append(out, "what the broker retains")
	}
	if secret(h.z2m.Log()) {
		out = append(out, "the log")
	}
	return out
}

// The router's coordinator has the network of the spec on an adapter that is new, and serves no page. Its secrets are
// in no file that others read, in no message and in no log. What is otherwise nbr verify finds, on its line.
func TestZigbeeNetwork(t *testing.T) {
	t.Parallel()
	h := newZigbeeHouse(t, zigbeeSpec)
	if out, err := exec.CommandContext(t.Context(), "shellcheck", write(t, "#!/usr/bin/env bash\nset -e\n"+h.g.text(t, "systemd", "services", "nbr-zigbee", "script"))).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	wrong := func() []string { return unmet(t, h.root, h.router, "zigbee") }
	// Nothing is retained of a program that was never there.
	becomes(t, wrong, append(tells("it does not say"), "zigbee/answers unknown: could not ask: it is not online", "zigbee/network_key unknown: could not ask: Zigbee2MQTT has read no key", "zigbee/online fail: not there"))

	h.adapter.listen(t, h.host, "192.168.1.50:6638")
	if said, err := h.stageZigbee(t); said != "" || err != nil {
		t.Errorf("staging says %s (%v)", said, err)
	}
	h.begin(t, nil)
	becomes(t, wrong, nil)
	for id, want := range map[byte]string{beePAN: "\x2a\x4f", beeUseExtended: "\x46\x30\x7b\x8a\x2e\x5d\x1f\x9c", beeMask: "\x00\x00\x10\x00", beeKey: zigbeeKeyBytes} {
		if got := h.adapter.parameter(id); string(got) != want {
			t.Errorf("parameter %#x of the adapter is % x, want % x", id, got, want)
		}
	}
	if got := h.listeners(t); !slices.Equal(got, []string{"1883"}) {
		t.Errorf("the router listens on %q", got)
	}
	if got := h.leaks(t); len(got) > 0 {
		t.Errorf("secrets are in %q", got)
	}

	for _, b := range []struct {
		path  string
		value any
		finds []string
	}{
		{"advanced/channel", 15, []string{"zigbee/channel fail: 15"}},
		{"advanced/pan_id", 0x1a62, []string{"zigbee/pan_id fail: 0x1a62"}},
		{"advanced/ext_pan_id", []int{0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd}, []string{"zigbee/extended_pan_id fail: 0xdddddddddddddddd"}},
		{"advanced/network_key", []int{1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13}, []string{"zigbee/network_key fail: a key of Zigbee2MQTT's own settings"}},
		{"mqtt/base_topic", "house/other", append(tells("it does not say"), "zigbee/answers unknown: could not ask: it is not online", "zigbee/online fail: offline")},
	} {
		h.again(t, map[string]any{b.path: b.value})
		h.z2m.Ready(t, h.started)
		becomes(t, wrong, b.finds)
	}
	h.again(t, nil)
	becomes(t, wrong, nil)

	// It hangs, and the broker goes on to retain that it is online.
	h.z2m.Signal(t, syscall.SIGSTOP)
	becomes(t, wrong, append(tells("it does not say"), "zigbee/answers fail: no answer"))
	h.z2m.Signal(t, syscall.SIGCONT)
	becomes(t, wrong, nil)

	// It ends when it is told to, and says so.
	off := append(tells("it does not say"), "zigbee/answers unknown: could not ask: it is not online", "zigbee/online fail: offline")
	h.z2m.Stop(t)
	if !strings.Contains(h.z2m.Log(), "Stopped Zigbee2MQTT") {
		t.Errorf("it ends with %s", h.z2m.Log())
	}
	becomes(t, wrong, off)
	h.begin(t, nil)
	becomes(t, wrong, nil)

	// The file has another key, which counts from the next start on.
	h.root.Write(t, "/var/lib/secrets/zigbee-key", strings.Repeat("5a", 16)+"\n")
	becomes(t, wrong, []string{"zigbee/network_key fail: another key than the file's"})

	// Without a key of its own it does not start, and has none that others know.
	h.kill(t)
	for _, key := range []string{"01030507090B0D0F00020406080A0C0D\n", "short\n", ""} {
		h.root.Write(t, "/var/lib/secrets/zigbee-key", key)
		const says = "/var/lib/secrets/zigbee-key is missing, is no network key of 32 hexadecimal digits, or has the one that everyone knows: Zigbee2MQTT does not start\n"
		if said, err := h.stageZigbee(t); err == nil || said != says {
			t.Errorf("%q: staging says %q (%v)", key, said, err)
		}
	}
	h.begin(t, nil)
	refuses := func() error {
		if !strings.Contains(h.z2m.Log(), "Refusing to start because configuration is not valid") {
			return fmt.Errorf("it says %s", h.z2m.Log())
		}
		return nil
	}
	nstest.Wait(t, refuses)
	if got := h.listeners(t); !slices.Equal(got, []string{"1883"}) {
		t.Errorf("without a key the router listens on %q", got)
	}
	becomes(t, wrong, append(slices.Clone(off), "zigbee/network_key fail: no key in the file"))
	// This is what it would do by itself.
	h.run(t, []string{"ZIGBEE2MQTT_DATA=" + z2mFolder, "HOME=" + z2mFolder})
	nstest.Wait(t, func() error {
		if got := h.listeners(t); !slices.Equal(got, []string{"1883", "8080"}) {
			return fmt.Errorf("the router listens on %q", got)
		}
		return nil
	})
	h.z2m.Signal(t, syscall.SIGKILL)

	// The adapter is not there.
	h.root.Write(t, "/var/lib/secrets/zigbee-key", zigbeeKey)
	h.adapter.unplug()
	if said, err := h.stageZigbee(t); said != "" || err != nil {
		t.Errorf("staging says %s (%v)", said, err)
	}
	h.begin(t, nil)
	nstest.Wait(t, func() error {
		if !strings.Contains(h.z2m.Log(), "ECONNREFUSED 192.168.1.50:6638") {
			return fmt.Errorf("it says %s", h.z2m.Log())
		}
		return nil
	})
	becomes(t, wrong, off)
}

// started tells whether Zigbee2MQTT says that it has started.
func (h *zigbeeHouse) started() error {
	if !strings.Contains(h.z2m.Log(), "Zigbee2MQTT started!") {
		return fmt.Errorf("it says %s", h.z2m.Log())
	}
	return nil
}

// Zigbee2MQTT knows a broker over TLS by its name and an authority of the house, and talks to no other.
func TestZigbeeOverTLS(t *testing.T) {
	t.Parallel()
	const name = "mqtt.home.example"
	spec := strings.NewReplacer(`allow    = ["mqtt"]`, `allow    = ["mqtts"]`, "mqtt {\n", `secret "key" { path = "/var/lib/secrets/mqtt.key" }
mqtt {
  tls {
    name        = "`+name+`"
    certificate = "/var/lib/mqtt/cert.pem"
    key         = secret.key
  }
`, "  topic           =", "  ca              = \"/var/lib/mqtt/ca.pem\"\n  topic           =").Replace(zigbeeSpec)
	own, other := newTimeServer(t, name, time.Now().Add(-time.Hour)), newTimeServer(t, name, time.Now().Add(-time.Hour))
	h := newZigbeeHouse(t, spec, lab.Files{"/var/lib/secrets/mqtt.key": own.key, "/var/lib/mqtt/cert.pem": own.cert, "/var/lib/mqtt/ca.pem": own.ca})
	hosts := h.g.at("networking", "hosts").(map[string]any)
	for address, names := range hosts {
		h.root.Write(t, "/etc/hosts", fmt.Sprintf("127.0.0.1 localhost\n%s %v\n", address, names.([]any)[0]))
	}
	h.adapter.listen(t, h.host, "192.168.1.50:6638")
	if said, err := h.stageZigbee(t); said != "" || err != nil {
		t.Errorf("staging says %s (%v)", said, err)
	}
	h.begin(t, nil)
	wrong := func() []string { return unmet(t, h.root, h.router, "zigbee") }
	becomes(t, wrong, nil)
	if got := h.listeners(t); !slices.Equal(got, []string{"8883"}) {
		t.Errorf("the router listens on %q", got)
	}

	h.root.Write(t, "/var/lib/mqtt/ca.pem", other.ca)
	h.again(t, nil)
	nstest.Wait(t, func() error {
		if !strings.Contains(h.z2m.Log(), "MQTT failed to connect") || !strings.Contains(h.z2m.Log(), "certificate") {
			return fmt.Errorf("it says %s", h.z2m.Log())
		}
		return nil
	})
	becomes(t, wrong, append(tells("it does not say"), "zigbee/answers unknown: could not ask: it is not online", "zigbee/ca unknown: could not ask: it does not say", "zigbee/online fail: offline"))
}
