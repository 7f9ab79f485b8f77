package referee_test

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// systemd runs the broker over TLS: a new certificate is taken without ending a connection, other passwords with the
// next start, and what is missing costs no more than what it is for. Secrets are in no file that others read and in
// no log.
func TestMQTTOverTLS(t *testing.T) {
	t.Parallel()
	const name = "mqtt.home.example"
	spec := strings.Replace(strings.Replace(mqttSpec, `allow    = ["mqtt"]`, `allow    = ["mqtts"]`, 1), "mqtt {\n", `secret "key" { path = "/var/lib/secrets/mqtt.key" }
mqtt {
  tls {
    name        = "`+name+`"
    certificate = "/var/lib/mqtt/cert.pem"
    key         = secret.key
  }
`, 1)
	h := newMQTTHouse(t, spec)
	script := write(t, "#!/usr/bin/env bash\nset -e\n"+h.files["/etc/nbr-mqtt.sh"])
	if out, err := exec.CommandContext(t.Context(), "shellcheck", script).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	first, second := newTimeServer(t, name, time.Now().Add(-time.Hour)), newTimeServer(t, name, time.Now().Add(-time.Hour))
	// The files of a renewal come while the script judges the pair before them.
	const key, cert = "/var/lib/secrets/mqtt.key", "/var/lib/mqtt/cert.pem"
	stage := func(during string) (staged string) {
		h.root.Run(t, h.router, "bash", "-ec", "mkdir -p /run/nbr-mqtt\nsystemctl() { :; }\n"+
			`openssl() { command openssl "$@"; if [ "$1" = x509 ]; then `+during+"; fi; }\n"+h.files["/etc/nbr-mqtt.sh"])
		return h.root.Run(t, h.router, "cat", "/run/nbr-mqtt/certificate.pem", "/run/nbr-mqtt/key.pem")
	}
	h.root.Write(t, cert, first.cert)
	h.root.Write(t, key, first.key)
	if got := stage(":"); got != first.cert+first.key {
		t.Errorf("of a pair there is\n%s", got)
	}
	h.root.Write(t, key, second.key)
	if got := stage(":"); got != first.cert+first.key {
		t.Errorf("of half a renewal there is\n%s", got)
	}
	h.root.Write(t, "/var/lib/mqtt/next.pem", second.cert)
	if got := stage("cp /var/lib/mqtt/next.pem " + cert); got != second.cert+second.key {
		t.Errorf("of a renewal in two steps there is\n%s", got)
	}
	g := fromText(t, spec)
	staging := g.at("systemd", "services", "nbr-mqtt").(map[string]any)
	delete(staging, "script")
	staging["serviceConfig"].(map[string]any)["ExecStart"] = "bash -e /etc/nbr-mqtt.sh"
	files := maps.Clone(h.files)
	maps.Copy(files, pulls("nbr-mqtt", staging))
	files["/etc/systemd/system/nbr-mqtt.service"] = unitText(t, staging)
	maps.Copy(files, pathUnit(t, g, "nbr-mqtt"))
	unit := mosquittoUnit
	for credential, file := range h.credentials {
		unit += "LoadCredential=" + credential + ":" + file + "\n"
	}
	files["/etc/systemd/system/mosquitto.service"] = unit
	files["/etc/systemd/system/mosquitto.service.d/nbr.conf"] = unitText(t, g.at("systemd", "services", "mosquitto").(map[string]any))
	files["/var/lib/mosquitto/"] = ""
	files["/var/lib/mqtt/cert.pem"], files["/var/lib/secrets/mqtt.key"] = first.cert, first.key
	m := lab.Boot(t, h.router, files, "mosquitto.service", "nbr-mqtt.path")
	defer func() {
		if t.Failed() {
			t.Log(m.Journal(t, "mosquitto.service", "nbr-mqtt.service"))
		}
	}()
	installNBR(t, m.Root, "/usr/bin/nbr")
	wrong := func() []string { return unmetOn(t, m, "mqtt") }
	becomes(t, wrong, nil)

	h.root.Write(t, "/etc/hosts", "192.168.1.1 "+name+"\nfd00:1::1 "+name+"\n")
	h.root.Write(t, "/etc/test/first.pem", first.ca)
	h.root.Write(t, "/etc/test/second.pem", second.ca)
	publish := func(ca, message string) error {
		_, err := h.client(t, h.host, "mosquitto_pub", "home", "-h", name, "-p", "8883", "--cafile", "/etc/test/"+ca+".pem", "-q", "1", "-t", "home/x", "-m", message)
		return err
	}
	sub := h.root.Daemon(t, h.host, h.words("mosquitto_sub", "home", "-h", name, "-p", "8883", "--cafile", "/etc/test/first.pem", "-t", "home/#", "-v")...)
	sub.Ready(t, func() error {
		if err := publish("first", "ready"); err != nil {
			return err
		}
		if !strings.Contains(sub.Log(), "home/x ready\n") {
			return fmt.Errorf("it hears %q", sub.Log())
		}
		return nil
	})
	const noTLS = "A TLS error occurred|Protocol error" // it depends on when the client hears of it
	for _, c := range []struct {
		args []string
		says string // a regular expression
	}{
		{[]string{"mosquitto_pub", "-V", "5", "-h", name, "-p", "8883", "--cafile", "/etc/test/first.pem"}, "Not authorized"},
		{h.words("mosquitto_pub", "home", "-h", "192.168.1.1", "-p", "8883", "--cafile", "/etc/test/first.pem"), noTLS},
		{h.words("mosquitto_pub", "home", "-h", name, "-p", "8883", "--cafile", "/etc/test/second.pem"), noTLS},
		{h.words("mosquitto_pub", "home", "-h", name, "-p", "8883", "--no-tls"), ""}, // it tries again for ever
		{[]string{"nc", "-v", "-z", "-w", "2", name, "1883"}, "timed out"},
		{[]string{"openssl", "s_client", "-connect", name + ":8883", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"}, "alert protocol version"},
	} {
		// A client tries again for ever where it gets no answer.
		args := slices.Concat([]string{"bash", "-c", `"$@" & (sleep 3; kill $!) >/dev/null 2>&1 & wait %1`, "-"}, c.args)
		if c.args[0] == "mosquitto_pub" {
			args = append(args, "-t", "home/x", "-m", "no")
		}
		out, err := h.root.Command(t, h.host, args...).CombinedOutput()
		if err == nil || !regexp.MustCompile(c.says).Match(out) {
			t.Errorf("%q: %s%v, want %q", c.args, out, err, c.says)
		}
	}

	// The subscriber would not come back: it does not know the second authority.
	m.Root.Write(t, "/var/lib/secrets/mqtt.key", second.key)
	m.Root.Write(t, "/var/lib/mqtt/cert.pem", second.cert)
	nstest.Wait(t, func() error { return publish("second", "renewed") })
	sub.Ready(t, func() error {
		if !strings.Contains(sub.Log(), "home/x renewed\n") {
			return fmt.Errorf("it hears %q", sub.Log())
		}
		return nil
	})
	if heard := sub.Log(); strings.Contains(heard, "home/x no\n") {
		t.Errorf("it hears %q", heard)
	}
	renewsOften(t, m, "nbr-mqtt", "/var/lib/mqtt/cert.pem")
	becomes(t, wrong, nil)

	pid := strings.TrimSpace(m.Run(t, "systemctl", "show", "-P", "MainPID", "mosquitto"))
	m.Root.Write(t, "/var/lib/secrets/mqtt.key", first.key)
	unfit := []string{"mqtt/tls/key fail: is another one, or none"}
	becomes(t, wrong, unfit)
	if err := publish("second", "half renewed"); err != nil { // the pair before stays
		t.Error(err)
	}
	if now := strings.TrimSpace(m.Run(t, "systemctl", "show", "-P", "MainPID", "mosquitto")); now != pid {
		t.Errorf("Mosquitto was %s, and is %s", pid, now)
	}
	m.Root.Write(t, "/var/lib/secrets/lamp", "another password\n")
	m.Run(t, "rm", "/var/lib/mqtt/cert.pem", "/var/lib/secrets/garden")
	m.Systemctl(t, "restart", "mosquitto.service")
	becomes(t, wrong, append([]string{
		"mqtt/user/Garden.1/else unknown", "mqtt/user/Garden.1/login fail: no such file", "mqtt/user/Garden.1/read unknown", "mqtt/user/Garden.1/readwrite unknown",
		"mqtt/tls/certificate/192.168.1.1 fail: another certificate than that of the file", "mqtt/tls/certificate/fd00:1::1 fail: another certificate than that of the file",
	}, unfit...))
	m.Root.Write(t, "/var/lib/secrets/garden", mqttPasswords["garden"])
	m.Root.Write(t, "/var/lib/mqtt/cert.pem", first.cert)
	m.Systemctl(t, "restart", "mosquitto.service")
	becomes(t, wrong, nil)

	if hash := m.Run(t, "cat", "/run/nbr-mqtt/user-lamp"); !strings.HasPrefix(hash, "$7$20000$") {
		t.Errorf("the hash is %.10s", hash)
	}
	pid = strings.TrimSpace(m.Run(t, "systemctl", "show", "-P", "MainPID", "mosquitto"))
	for path, want := range map[string]string{
		"/run/nbr-mqtt": "750 root:mosquitto", "/run/nbr-mqtt/key.pem": "640 root:mosquitto", "/run/nbr-mqtt/user-lamp": "600 root:mosquitto",
		"/var/lib/mosquitto/passwd-0": "600 mosquitto:mosquitto", "/proc/" + pid: "555 mosquitto:mosquitto",
	} {
		if got := strings.TrimSpace(m.Run(t, "stat", "-L", "-c", "%a %U:%G", path)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	m.Run(t, "kill", "-KILL", pid)
	nstest.Wait(t, func() error {
		if now := strings.TrimSpace(m.Run(t, "systemctl", "show", "-P", "MainPID", "mosquitto")); now == pid || now == "0" {
			return errors.New("Mosquitto has not started again")
		}
		return nil
	})
	becomes(t, wrong, nil)
	journal := m.Journal(t, "mosquitto.service", "nbr-mqtt.service")
	if n := strings.Count(journal, "192.168.1."); n > 0 { // of clients
		t.Errorf("%d lines of the journal are of clients:\n%s", n, journal)
	}
	for _, secret := range []string{mqttPasswords["lamp"], mqttPasswords["home"], mqttPasswords["garden"], "another password", "PRIVATE KEY"} {
		if strings.Contains(journal, secret) {
			t.Errorf("the journal has %q:\n%s", secret, journal)
		}
	}
	m.Systemctl(t, "stop", "mosquitto.service")
	if got := wrong(); !slices.Contains(got, "mqtt/unit fail: inactive") || !slices.Contains(got, "mqtt/listen fail: not there") {
		t.Errorf("stopped: %q", got)
	}
}
