package zigbee2mqtt

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// staging is the unit that makes the file of secrets, and the file is what the settings refer to. Zigbee2MQTT writes
// its settings, so that they are not to be the secrets themselves.
const (
	staging = "nbr-zigbee"
	folder  = "/run/" + staging + "/"
	secrets = folder + "secrets.yaml"
)

// kept is the folder of Zigbee2MQTT: settings, which are made anew at each start, and what it has learnt.
const kept = "/var/lib/zigbee2mqtt/"

// version is that of the settings. A release that has a newer one moves them up when it starts; an older one refuses
// what is newer (settingsMigration of Zigbee2MQTT). It is that of 2.0.
const version = 4

// lower sets services.zigbee2mqtt, and the unit before it.
func (z *Zigbee) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(z)
	set := func(v nixgen.Expr, path ...string) { m.Set(from, v, append([]string{"services", unit}, path...)...) }
	set(nixgen.Bool(true), "enable")
	setting := func(v nixgen.Expr, path ...string) { set(v, append([]string{"settings"}, path...)...) }
	setting(nixgen.Int(version), "version")

	client := z.client(r)
	server := "mqtt://" + client.At[0].String()
	if client.TLS != "" {
		// The name is compared with the certificate's.
		server = fmt.Sprintf("mqtts://%s:%d", client.TLS, client.At[0].Port())
		m.Add(from, []string{"networking", "hosts", client.At[0].Addr().String()}, nixgen.Str(client.TLS))
	}
	setting(nixgen.Str(server), "mqtt", "server")
	setting(nixgen.Str(client.Name), "mqtt", "user")
	setting(nixgen.Str(reference("password")), "mqtt", "password")
	setting(nixgen.Str(z.Topic.V), "mqtt", "base_topic")
	if z.CA.Set {
		setting(nixgen.Str(z.CA.V), "mqtt", "ca")
	}

	setting(nixgen.Str(z.Port.V.String()), "serial", "port")
	setting(nixgen.Str(z.Adapter.V), "serial", "adapter")
	if z.Baudrate.Set {
		setting(nixgen.Int(int64(z.Baudrate.V)), "serial", "baudrate")
	}
	if z.RTSCTS.Set {
		setting(nixgen.Bool(z.RTSCTS.V), "serial", "rtscts")
	}

	setting(nixgen.Int(int64(z.Channel.V)), "advanced", "channel")
	setting(nixgen.Int(int64(z.PAN.V)), "advanced", "pan_id")
	var extended nixgen.List
	for _, b := range z.ExtendedPAN.V {
		extended = append(extended, nixgen.Int(int64(b)))
	}
	setting(extended, "advanced", "ext_pan_id")
	setting(nixgen.Str(reference(networkKeyName)), "advanced", "network_key")
	// Files of its own would be a second journal, which nothing bounds by size.
	setting(service.Strs([]string{"console"}), "advanced", "log_output")
	// Each message of each device would be a line of the journal, and so would be what nbr verify asks.
	setting(nixgen.Attrs{nixgen.Bind(nixgen.Str("warning"), "z2m:mqtt")}, "advanced", "log_namespaced_levels")
	// Else who may publish below the topic brings code that runs on the router.
	setting(nixgen.Bool(false), "advanced", "enable_external_js")
	setting(nixgen.Bool(false), "frontend", "enabled")
	setting(nixgen.Bool(false), "homeassistant", "enabled")

	run := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
	// With settings that it does not take it would serve a page at every address, by which anyone sets others.
	run(nixgen.Str("1"), "environment", "Z2M_ONBOARD_NO_SERVER")
	run(nixgen.Str("10s"), "serviceConfig", "RestartSec") // at systemd's own it is given up on while the adapter is not there
	m.Add(from, []string{"systemd", "services", unit, "after"}, nixgen.Str(client.Unit+".service"))
	script := z.script()
	sum := sha256.Sum256([]byte(script))
	// The file has the same name when other secrets are behind it.
	run(service.Strs([]string{hex.EncodeToString(sum[:])}), "restartTriggers")

	stage := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", staging}, path...)...)
	}
	stage(nixgen.Str("The network key and the password of Zigbee2MQTT"), "description")
	// Nothing else starts it, by hand neither: Zigbee2MQTT goes on with what it has read, and nbr verify takes the file
	// for that.
	stage(nixgen.Bool(true), "unitConfig", "RefuseManualStart")
	stage(service.Strs([]string{unit + ".service"}), "wantedBy")
	stage(service.Strs([]string{unit + ".service"}), "before")
	for _, installer := range z.installers() {
		m.Add(from, []string{"systemd", "services", staging, "after"}, nixgen.Str(installer))
	}
	stage(nixgen.Str("oneshot"), "serviceConfig", "Type")
	stage(nixgen.Str("zigbee2mqtt"), "serviceConfig", "Group")
	stage(nixgen.Str("0027"), "serviceConfig", "UMask")
	stage(nixgen.Str(staging), "serviceConfig", "RuntimeDirectory")
	stage(nixgen.Str("0750"), "serviceConfig", "RuntimeDirectoryMode")
	stage(nixgen.Bool(true), "serviceConfig", "RuntimeDirectoryPreserve")
	stage(nixgen.Lines(script), "script")
}

// reference is what Zigbee2MQTT replaces by the value of a key in the file of secrets (parseValueRef of its settings).
func reference(key string) string { return "!" + secrets + " " + key }

// networkKeyName is the key of the network key in the file of secrets, in its first line.
const networkKeyName = "network_key"

// installers are the units that put the secrets on the disk, in order.
func (z *Zigbee) installers() []string {
	var out []string
	for _, s := range []*router.Secret{z.NetworkKey.Target, z.Password.Target} {
		if i := s.Installer(); i != "" { // else the file is there without a unit
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// publicKey is Zigbee2MQTT's own default (settings.ts), which it takes where the settings have none.
const publicKey = "01030507090b0d0f00020406080a0c0d"

// shortestPassword and longestPassword are the lengths of passwords that the broker takes.
const shortestPassword, longestPassword = 8, 128

// script makes the file of secrets. Without a network key there is no file, and Zigbee2MQTT does not start: it must
// never make one up, or take the public one. A file that is there is replaced as a whole.
func (z *Zigbee) script() string {
	return fmt.Sprintf(`export LC_ALL=C
cd %[1]s
rm -f secrets.yaml
key=
IFS= read -r key <%[2]s || true
if [[ ! $key =~ ^[0-9A-Fa-f]{32}$ || ${key,,} == %[3]s ]]; then
  echo "%[2]s is missing, is no network key of 32 hexadecimal digits, or has the one that everyone knows: Zigbee2MQTT does not start" >&2
  exit 1
fi
bytes=
for ((i = 0; i < 32; i += 2)); do
  bytes+="${bytes:+, }$((16#${key:i:2}))"
done
password=
IFS= read -r password <%[4]s || true
if [[ ! $password =~ ^[\ -~]{%[5]d,%[6]d}$ ]]; then
  echo "%[4]s is missing or is no password of %[5]d to %[6]d printable ASCII characters: the broker refuses Zigbee2MQTT" >&2
  password=
fi
quote="'"
printf "network_key: [%%s]\npassword: '%%s'\n" "$bytes" "${password//$quote/$quote$quote}" >secrets.new
mv secrets.new secrets.yaml
`, folder, z.NetworkKey.Target.Location(), publicKey, z.Password.Target.Location(), shortestPassword, longestPassword)
}
