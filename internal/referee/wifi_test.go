package referee_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

// wifiSpec is a router with two radios, and SSIDs of each kind of security on them.
const wifiSpec = `
port "radio2" {
  mac = "02:00:00:00:00:00"
}

port "radio5" {
  mac = "02:00:00:00:01:00"
}

bridge "home" {
  ports = [port.lan1]
}

bridge "guests" {}

network "lan" {
  link = bridge.home
  ipv4 = "192.168.1.1/24"
}

network "guests" {
  link = bridge.guests
  ipv4 = "192.168.2.1/24"
}

zone "home" {
  networks = [network.lan]
}

zone "guests" {
  networks = [network.guests]
}

secret "home" {
  path = "/var/lib/secrets/wifi_home"
}

secret "old" {
  path = "/var/lib/secrets/wifi_old"
}

wifi "near" {
  radio   = port.radio2
  country = "DE"
  band    = "2.4GHz"
  channel = 6

  ssid "Home" {
    network  = network.lan
    password = secret.home
    bssid    = "02:00:00:00:00:00"
  }

  ssid "Old \"things\" $HOME" {
    network  = network.lan
    security = "wpa2"
    password = secret.old
    bssid    = "02:00:00:00:00:10"
  }

  ssid "Guests" {
    network  = network.guests
    security = "owe"
    isolate  = true
    bssid    = "02:00:00:00:00:20"
  }
}

wifi "far" {
  radio   = port.radio5
  country = "DE"
  band    = "5GHz"
  channel = 36
  width   = "80MHz"

  ssid "Home" {
    network  = network.lan
    password = secret.home
    bssid    = "02:00:00:00:01:00"
  }

  ssid "Both" {
    network  = network.lan
    security = "wpa2-wpa3"
    password = secret.old
    bssid    = "02:00:00:00:01:10"
  }

  ssid "Guests" {
    network  = network.guests
    security = "owe"
    isolate  = true
    bssid    = "02:00:00:00:01:20"
  }
}
`

// hostapdConfs are the files that the unit of NixOS's module puts together before it starts hostapd
// (nixos/modules/services/networking/hostapd.nix of nixpkgs f5c082a4, which flake.lock has), by radio. password is what a secret's file has.
// The module's noscan, which is off, is a word of a patch that Debian's hostapd does not have.
func hostapdConfs(t *testing.T, g *generated, password func(file string) string) map[string]string {
	t.Helper()
	out := map[string]string{}
	radios, _ := g.at("services", "hostapd", "radios").(map[string]any)
	for name, v := range radios {
		radio := v.(map[string]any)
		conf := map[string]any{"driver": "nl80211", "channel": radio["channel"], "hw_mode": map[any]string{"2g": "g", "5g": "a", "6g": "a"}[radio["band"]]}
		if c := radio["countryCode"]; c != nil {
			maps.Copy(conf, map[string]any{"country_code": c, "ieee80211d": true, "ieee80211h": true})
		}
		part := func(option string, enabled bool, set func(o map[string]any, width int)) {
			o, _ := radio[option].(map[string]any)
			if on, said := o["enable"].(bool); said {
				enabled = on
			}
			width, _ := o["operatingChannelWidth"].(string)
			if enabled {
				set(o, map[string]int{"80": 1, "160": 2}[width])
			}
		}
		part("wifi4", true, func(o map[string]any, _ int) {
			capabilities := "[HT40][SHORT-GI-20][SHORT-GI-40]"
			if list, ok := o["capabilities"].([]any); ok {
				capabilities = ""
				for _, c := range list {
					capabilities += fmt.Sprintf("[%s]", c)
				}
			}
			maps.Copy(conf, map[string]any{"ieee80211n": true, "require_ht": false, "ht_capab": capabilities})
		})
		part("wifi5", true, func(_ map[string]any, width int) {
			maps.Copy(conf, map[string]any{"ieee80211ac": true, "require_vht": false, "vht_capab": "", "vht_oper_chwidth": width})
		})
		part("wifi6", false, func(_ map[string]any, width int) {
			maps.Copy(conf, map[string]any{"ieee80211ax": true, "he_oper_chwidth": width, "he_mu_beamformer": false, "he_su_beamformee": false, "he_su_beamformer": false})
		})
		settings, _ := radio["settings"].(map[string]any)
		maps.Copy(conf, settings)
		var b strings.Builder
		keyValues(t, &b, conf)
		networks, _ := radio["networks"].(map[string]any)
		for i, device := range slices.Sorted(maps.Keys(networks)) {
			word := "bss"
			if i == 0 {
				word = "interface"
			}
			fmt.Fprintf(&b, "\n%s=%s\n", word, device)
			bss(t, &b, networks[device].(map[string]any), password)
		}
		out[name] = b.String()
	}
	return out
}

// bss writes the part of one network.
func bss(t *testing.T, b *strings.Builder, n map[string]any, password func(string) string) {
	t.Helper()
	isolate, _ := n["apIsolate"].(bool)
	conf := map[string]any{
		"ap_isolate": isolate, "auth_algs": 1, "ctrl_interface": "/run/hostapd", "ctrl_interface_group": n["group"], "ieee80211w": 1,
		"ignore_broadcast_ssid": 0, "logger_stdout": -1, "logger_stdout_level": 2, "logger_syslog": -1, "logger_syslog_level": 2,
		"macaddr_acl": 0, "sae_require_mfp": 1, "ssid": n["ssid"], "utf8_ssid": true, "wmm_enabled": true,
	}
	if n["bssid"] != nil {
		conf["bssid"] = n["bssid"]
	}
	auth, _ := n["authentication"].(map[string]any)
	keys, known := map[any]string{"wpa3-sae": "SAE", "wpa3-sae-transition": "WPA-PSK-SHA256 SAE", "wpa2-sha256": "WPA-PSK-SHA256", "none": ""}[auth["mode"]]
	switch {
	case !known:
		t.Fatalf("authentication.mode is %v", auth["mode"])
	case keys == "":
		conf["wpa"] = 0
	default:
		maps.Copy(conf, map[string]any{"wpa": 2, "wpa_key_mgmt": keys, "rsn_pairwise": "CCMP", "wpa_pairwise": "CCMP"})
	}
	if auth["mode"] == "wpa3-sae" {
		maps.Copy(conf, map[string]any{"sae_pwe": 2, "transition_disable": "0x01"})
	}
	settings, _ := n["settings"].(map[string]any)
	maps.Copy(conf, settings)
	keyValues(t, b, conf)
	passwords, _ := auth["saePasswords"].([]any)
	for _, p := range passwords {
		fmt.Fprintf(b, "sae_password=%s\n", password(p.(map[string]any)["passwordFile"].(string)))
	}
	if file, ok := auth["wpaPasswordFile"].(string); ok {
		fmt.Fprintf(b, "wpa_passphrase=%s\n", password(file))
	}
	if scripts, ok := n["dynamicConfigScripts"].(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(scripts)) {
			b.WriteString(added(t, strings.TrimPrefix(scripts[name].(string), "text:"), password))
		}
	}
}

// secretFile is the file of a secret that a script reads.
var secretFile = regexp.MustCompile(`(?m)^IFS= read -r line <(\S+) `)

// added is what a script of dynamicConfigScripts adds.
func added(t *testing.T, script string, password func(string) string) string {
	t.Helper()
	dir := t.TempDir()
	conf, secret := filepath.Join(dir, "conf"), filepath.Join(dir, "secret")
	found := secretFile.FindStringSubmatch(script)
	if found == nil {
		t.Fatalf("no file of a secret in\n%s", script)
	}
	file := found[1]
	if err := os.WriteFile(secret, []byte(password(file)+"\nmore\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("bash", "-c", strings.ReplaceAll(script, file, secret), "radius-secret", conf).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// keyValues writes settings as lib.generators.toKeyValue does.
func keyValues(t *testing.T, b *strings.Builder, settings map[string]any) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		switch v := settings[key].(type) {
		case bool:
			fmt.Fprintf(b, "%s=%d\n", key, map[bool]int{true: 1}[v])
		case float64, int, string:
			fmt.Fprintf(b, "%s=%v\n", key, v)
		default:
			t.Fatalf("%s is %v", key, v)
		}
	}
}

// hostapdConf is what hostapd reads, each file after a line with its name. The driver is none: there is
// no radio here.
func hostapdConf(t *testing.T, g *generated) string {
	if g.at("services", "hostapd", "enable") != true {
		return ""
	}
	t.Helper()
	var b strings.Builder
	confs := hostapdConfs(t, g, func(string) string { return "correct horse battery" })
	for _, name := range slices.Sorted(maps.Keys(confs)) {
		fmt.Fprintf(&b, "## %s\n%s", name, strings.Replace(confs[name], "driver=nl80211\n", "driver=none\n", 1))
	}
	return b.String()
}

// The passwords in a guest.
var wifiPasswords = map[string]string{"/var/lib/secrets/wifi_home": "correct horse battery", "/var/lib/secrets/wifi_old": `pass "word" $HOME`}

// wifiFiles are what TestGuestWiFi has in its guest.
func wifiFiles(t *testing.T) map[string]string {
	t.Helper()
	g := fromText(t, wifiSpec)
	tools := lab.Tools(t, "/usr/sbin/hostapd", "/usr/sbin/hostapd_cli", "/usr/sbin/wpa_supplicant", "/usr/sbin/iw", "/usr/bin/ping", "/usr/bin/bash", "/usr/bin/sleep",
		"/usr/lib/firmware/regulatory.db-debian", "/usr/lib/firmware/regulatory.db.p7s-debian")
	files := maps.Clone(tools)
	files["/lib/firmware/regulatory.db"] = tools["/usr/lib/firmware/regulatory.db-debian"]
	files["/lib/firmware/regulatory.db.p7s"] = tools["/usr/lib/firmware/regulatory.db.p7s-debian"]
	files["/wifi/router.hcl"] = write(t, strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1)+wifiSpec)
	for name, conf := range hostapdConfs(t, g, func(file string) string { return wifiPasswords[file] }) {
		files["/wifi/"+name+".conf"] = write(t, conf)
	}
	files["/wifi/isolation"] = write(t, g.text(t, "systemd", "services", "nbr-wifi", "script"))
	return files
}
