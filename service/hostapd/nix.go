package hostapd

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// unit is hostapd's, of all radios, without .service.
const unit = "hostapd"

// group may ask hostapd. Its sockets are wheel's otherwise, whose members may become root.
const group = "hostapd"

// ports is the unit that has the interfaces of SSIDs in their bridges, isolated or not.
const ports = "nbr-wifi"

// again is after how many seconds a client that stays authenticates anew.
const again = 3600

// program is hostapd with all radios.
type program struct{}

// File is the base name of the module.
func (program) File() string { return "wifi" }

// Lower sets services.hostapd.
func (program) Lower(r *router.Router, blocks []service.Block, m *nixgen.Module) {
	all := service.Of[*WiFi](blocks)
	from := service.From(all[0])
	m.Set(from, nixgen.Bool(true), "services", "hostapd", "enable")
	m.Set(from, nixgen.Bool(true), "hardware", "wirelessRegulatoryDatabase")
	m.Set(from, nixgen.Attrs{}, "users", "groups", group)
	// Cards of MediaTek, for example, do nothing without firmware from files.
	m.Set(from, nixgen.Apply("lib.mkDefault", nixgen.Bool(true)), "hardware", "enableRedistributableFirmware")
	// A radio whose driver is not ready yet, or whose bridge is not, would be given up after half a second.
	m.Set(from, nixgen.Str("5s"), "systemd", "services", unit, "serviceConfig", "RestartSec")
	var installers, bridges, calls []string
	for _, b := range all {
		b.lower(r, m)
		for i, n := range b.SSIDs {
			if n.Password.Target != nil {
				installers = append(installers, n.Password.Target.Installer())
			}
			if of := n.RADIUS.Target; of != nil {
				installers = append(installers, of.Authentication().Installer)
			}
			bridge := string(n.Network.Target.Device())
			bridges = append(bridges, bridge)
			calls = append(calls, fmt.Sprintf("  port %s %s %d\n", b.device(i), bridge, map[bool]int{true: 1}[n.Isolate.V]))
		}
	}
	slices.Sort(installers)
	for _, name := range slices.Compact(installers) {
		if name != "" { // the file is there without a unit
			m.Add(from, []string{"systemd", "services", unit, "after"}, nixgen.Str(name))
		}
	}
	slices.Sort(bridges)
	m.Set(from, nixgen.Lines(fmt.Sprintf(bridgesScript, strings.Join(slices.Compact(bridges), " "))), "systemd", "services", unit, "preStart")
	service.OnNews(m, from, ports, "Access points stay in their bridges", fmt.Sprintf(portsScript, strings.Join(calls, "")))
}

// bridgesScript ends the start without the bridges. hostapd would make one that is missing, without address, and
// delete it when it ends.
const bridgesScript = `for bridge in %s; do
  if [[ ! -e /sys/class/net/$bridge/bridge ]]; then
    echo "there is no bridge $bridge" >&2
    exit 1
  fi
done
`

// portsScript puts ports back into a bridge that was made anew, which hostapd does when it starts only, once they
// send. It says of ports, too, that no frame goes from one of them to another: that clients of one SSID do not reach
// each other hostapd sees to, and that of two not. A port is a new one whenever hostapd starts.
const portsScript = `port() { # its bridge, and whether it is isolated
  local link=/sys/class/net/$1
  if [[ ! -e $link/master && -e /sys/class/net/$2/bridge && -r $link/operstate && $(<"$link/operstate") == up ]]; then
    ip link set dev "$1" master "$2"
  fi
  if [[ $3 == 1 && -r $link/brport/isolated && $(<"$link/brport/isolated") == 0 ]]; then
    bridge link set dev "$1" isolated on
  fi
}
again() {
%s}
`

// secretScript puts the secret of the server, whose address is in the file already, into the file of its argument.
// Without one it is a random one that no server has: hostapd serves all radios, and does not start with a script that
// fails, so that this SSID rejects every client and the others are on. printf is the shell's own, so that the secret is an
// argument of no program.
const secretScript = `set -eu
export LC_ALL=C
line=
IFS= read -r line <%[1]s || true
if [[ ! $line =~ ^[\ -~]{16,128}$ || $line == ' '* || $line == *' ' ]]; then
  echo "%[1]s is missing or has no 16 to 128 printable ASCII characters: its SSID rejects every client" >&2
  printf -v line %%08x "$SRANDOM" "$SRANDOM" "$SRANDOM" "$SRANDOM" # bash(1): from the kernel, 32 bits each
fi
printf 'auth_server_shared_secret=%%s
' "$line" >>"$1"
`

// at is the origin of what a line says, or, without one, the block.
func (b *WiFi) at(line hcl.Range) nixgen.Origin { return service.Origin(b.Addr, cmp.Or(line, b.Def)) }

// lower sets one radio.
func (b *WiFi) lower(r *router.Router, m *nixgen.Module) {
	set := func(line hcl.Range, v nixgen.Expr, path ...string) {
		m.Set(b.at(line), v, append([]string{"services", "hostapd", "radios", b.device(0)}, path...)...)
	}
	set(b.Band.Range, nixgen.Str(map[Band]string{twoGHz: "2g", fiveGHz: "5g", sixGHz: "6g"}[b.Band.V]), "band")
	set(b.Country.Range, nixgen.Str(b.Country.V), "countryCode")
	set(b.Channel.Range, nixgen.Int(b.Channel.V), "channel") // 0 is one that hostapd chooses
	if !b.Channel.Set {
		set(b.Channel.Range, nixgen.Bool(true), "settings", "acs_exclude_dfs")
		if b.Band.V == sixGHz {
			set(b.Channel.Range, nixgen.Bool(true), "settings", "acs_exclude_6ghz_non_psc")
		}
	}
	width := b.width()
	w, _ := widen(b.Band.V, int(b.Channel.V), width)
	// wide sets the width of an amendment's channels.
	wide := func(option, words string) {
		operating := "20or40"
		if width > 40 {
			operating = strconv.Itoa(width)
		}
		set(b.Width.Range, nixgen.Str(operating), option, "operatingChannelWidth")
		if b.Channel.Set && (width > 40 || b.Band.V == sixGHz) {
			set(b.Width.Range, nixgen.Int(w.center), "settings", words+"_oper_centr_freq_seg0_idx")
		}
	}
	old, ac, ax := b.Band.V != sixGHz, b.Band.V == fiveGHz && b.Standard.V != n11, b.Standard.V == ax11
	if !old {
		set(b.Band.Range, nixgen.Bool(false), "wifi4", "enable")
	} else {
		capabilities := nixgen.List{nixgen.Str("SHORT-GI-20")}
		if width > 20 {
			second := "HT40+" // the 20 MHz beside the primary channel are above it
			if b.Channel.Set && (int(b.Channel.V)-w.first)%8 == 4 {
				second = "HT40-"
			}
			capabilities = append(capabilities, nixgen.Str("SHORT-GI-40"), nixgen.Str(second))
		}
		set(b.Width.Range, capabilities, "wifi4", "capabilities")
	}
	set(b.Standard.Range, nixgen.Bool(ac), "wifi5", "enable")
	if ac {
		wide("wifi5", "vht")
	}
	if ax {
		set(b.Standard.Range, nixgen.Bool(true), "wifi6", "enable")
		wide("wifi6", "he")
	}
	if b.Band.V == sixGHz { // by its operating class hostapd tells a channel from one of 5 GHz (IEEE 802.11 table E-4)
		set(b.Band.Range, nixgen.Int(map[int]int{20: 131, 40: 132, 80: 133, 160: 134}[width]), "settings", "op_class")
	}
	for i, n := range b.SSIDs {
		b.lowerSSID(r, m, n, b.device(i))
	}
}

// lowerSSID sets one network of a radio.
func (b *WiFi) lowerSSID(r *router.Router, m *nixgen.Module, n *SSID, device string) {
	set := func(line hcl.Range, v nixgen.Expr, path ...string) {
		m.Set(b.at(cmp.Or(line, n.Def)), v, append([]string{"services", "hostapd", "radios", b.device(0), "networks", device}, path...)...)
	}
	set(n.Def, nixgen.Str(n.Name.V), "ssid")
	set(n.Def, nixgen.Str(group), "group")
	set(n.Network.Range, nixgen.Str(n.Network.Target.Device()), "settings", "bridge")
	if n.BSSID.Set {
		set(n.BSSID.Range, nixgen.Str(n.BSSID.V), "bssid")
	}
	if b.Band.V == sixGHz { // a client of one SSID there hears of the others (IEEE 802.11-2020 section 9.4.2.170)
		set(n.Def, nixgen.Bool(true), "settings", "rnr")
	}
	if n.Isolate.V {
		set(n.Isolate.Range, nixgen.Bool(true), "apIsolate")
	}
	s := schemes[n.Security.V]
	set(n.Security.Range, nixgen.Str(s.mode), "authentication", "mode")
	set(n.Security.Range, nixgen.Int(s.protected), "settings", "ieee80211w")
	keys := nixgen.Str(strings.Join(s.keys, " "))
	switch {
	case s.mode == "none" && len(s.keys) > 0: // for which the module has no mode
		set(n.Security.Range, nixgen.Int(2), "settings", "wpa")
		set(n.Security.Range, keys, "settings", "wpa_key_mgmt")
		set(n.Security.Range, nixgen.Str("CCMP"), "settings", "rsn_pairwise")
	case len(s.keys) > 1:
		set(n.Security.Range, nixgen.Apply("lib.mkForce", keys), "settings", "wpa_key_mgmt")
	}
	if n.Security.V == transition { // by hash-to-element, too, as the module has it for SAE alone
		set(n.Security.Range, nixgen.Int(2), "settings", "sae_pwe")
	}
	if of := n.RADIUS.Target; of != nil {
		a := of.Authentication()
		at := n.RADIUS.Range
		set(at, nixgen.Bool(true), "settings", "ieee8021x")
		set(at, nixgen.Str(a.Server.Addr().String()), "settings", "auth_server_addr")
		set(at, nixgen.Int(a.Server.Port()), "settings", "auth_server_port")
		// With the key of the last time a client would get in for 12 hours without the server (dot11RSNAConfigPMKLifetime).
		set(at, nixgen.Bool(true), "settings", "disable_pmksa_caching")
		set(at, nixgen.Int(again), "settings", "eap_reauth_period")
		set(at, nixgen.Str(r.System.Name.V), "settings", "nas_identifier") // RFC 2865 section 4.1 wants it, or an address
		set(at, nixgen.Apply("pkgs.writeShellScript", nixgen.Str("radius-secret"), nixgen.Lines(fmt.Sprintf(secretScript, a.File))), "dynamicConfigScripts", "30-radius")
	}
	if n.Password.Target == nil {
		return
	}
	file := nixgen.Str(n.Password.Target.Location())
	if slices.Contains(s.keys, "SAE") {
		set(n.Password.Range, nixgen.List{nixgen.Attrs{nixgen.Bind(file, "passwordFile")}}, "authentication", "saePasswords")
	}
	if slices.Contains(s.keys, "WPA-PSK") {
		set(n.Password.Range, file, "authentication", "wpaPasswordFile")
	}
}
