package macsec

import (
	"fmt"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// dir is the folder of what wpa_supplicant reads, and of its socket.
func (m *MACsec) dir() string { return "/run/" + m.unit() }

// staged is the configuration of wpa_supplicant, with the key.
func (m *MACsec) staged() string { return m.dir() + "/conf" }

// key is the unit that tells wpa_supplicant of another key, without .service.
func (m *MACsec) key() string { return m.unit() + "-key" }

// lower makes the unit of wpa_supplicant, and the one that watches the file of the key.
func (m *MACsec) lower(_ *router.Router, nix *nixgen.Module) {
	from, unit, secret := service.From(m), m.unit(), m.CAK.Target
	at := service.Origin(m.Addr, m.CAK.Range)
	set := func(v nixgen.Expr, path ...string) {
		nix.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
	nix.Set(from, nixgen.Attrs{}, "users", "groups", group)
	set(nixgen.Str("Keys of the MACsec link "+string(m.Name.V)+" (MKA)"), "description")
	// It knows the two links by their indices, and one that is made again has another: the unit stops
	// when the link goes, and starts when there is one.
	device := nixgen.Str(service.DeviceUnit(string(m.Name.V)))
	for _, path := range []string{"after", "bindsTo", "wantedBy"} {
		nix.Add(from, []string{"systemd", "services", unit, path}, device)
	}
	if installer := secret.Installer(); installer != "" {
		nix.Add(at, []string{"systemd", "services", unit, "after"}, nixgen.Str(installer))
	}
	set(nixgen.List{nixgen.Var("pkgs.iproute2")}, "path")
	set(nixgen.Str("15s"), "unitConfig", "JobTimeoutSec")
	set(nixgen.Int(0), "unitConfig", "StartLimitIntervalSec")
	nix.Set(at, nixgen.Lines(m.stage()), "systemd", "services", unit, "preStart")
	run := func(v nixgen.Expr, name string) { set(v, "serviceConfig", name) }
	// systemd reads it, so it can be where the unit itself sees nothing.
	nix.Set(at, nixgen.Str("cak:"+secret.Location()), "systemd", "services", unit, "serviceConfig", "LoadCredential")
	run(nixgen.Concat{nixgen.Var("pkgs.wpa_supplicant"), nixgen.Str(fmt.Sprintf("/bin/wpa_supplicant -D macsec_linux -i %s -c %s", m.Link.Target.LinkName(), m.staged()))}, "ExecStart")
	run(nixgen.Str("always"), "Restart")
	run(nixgen.Str("2s"), "RestartSec")
	run(nixgen.Str(group), "Group")
	run(nixgen.Str(unit), "RuntimeDirectory")
	run(nixgen.Str("0750"), "RuntimeDirectoryMode")
	run(nixgen.List{nixgen.Str("CAP_NET_ADMIN"), nixgen.Str("CAP_NET_RAW")}, "CapabilityBoundingSet")
	run(nixgen.List{nixgen.Str("AF_INET"), nixgen.Str("AF_NETLINK"), nixgen.Str("AF_PACKET"), nixgen.Str("AF_UNIX")}, "RestrictAddressFamilies")
	run(nixgen.Str("native"), "SystemCallArchitectures")
	for _, name := range []string{
		"LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectClock", "ProtectControlGroups",
		"ProtectHome", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces",
		"RestrictRealtime", "RestrictSUIDSGID",
	} {
		run(nixgen.Bool(true), name)
	}
	run(nixgen.Str("strict"), "ProtectSystem")

	restart := func(v nixgen.Expr, path ...string) {
		nix.Set(at, v, append([]string{"systemd", "services", m.key()}, path...)...)
	}
	restart(nixgen.Str("Another key for the MACsec link "+string(m.Name.V)), "description")
	restart(nixgen.Lines("systemctl --no-block try-restart "+unit+".service\n"), "script")
	restart(nixgen.Str("oneshot"), "serviceConfig", "Type")
	service.Watch(nix, at, m.key(), secret.Location())
}

// config is what wpa_supplicant.conf(5) has of the link, but for the key and the last bracket. With this
// policy there is a channel or nothing: that the key server advises against encryption, as MKA has
// it, nbr verify tells.
func (m *MACsec) config() string {
	return fmt.Sprintf(`ctrl_interface=DIR=%s/ctrl
eapol_version=3
ap_scan=0
fast_reauth=1
network={
  key_mgmt=NONE
  eapol_flags=0
  macsec_policy=1
  macsec_integ_only=0
  macsec_replay_protect=1
  macsec_replay_window=%d
  macsec_port=%d
  mka_ckn=%s
  mka_priority=%d
`, m.dir(), m.Window.V, port, m.CKN.V, m.Priority.V)
}

// port is that of the identifier of the channel, by which wpa_supplicant finds the link: IfState
// leaves it to the kernel (MACSEC_PORT_ES in drivers/net/macsec.c).
const port = 1

// stage is the script before wpa_supplicant. One that was killed has left its channels and keys
// behind, and the next one cannot make them again (create_receive_sc: object exists), so that the
// two ends would never agree. Where IfState gives the link below another MAC address, the channel has
// the one before in its identifier, which the kernel never changes, so the link has to be made again.
// printf is the shell's own, so the key is no argument of a program.
// Addresses of instances have quotation marks, so the message is in apostrophes, which no address
// or path has.
func (m *MACsec) stage() string {
	return fmt.Sprintf(`set -eu
export LC_ALL=C
umask 077
cak=
IFS= read -r cak <"$CREDENTIALS_DIRECTORY/cak" || true
if [[ ! $cak =~ ^([0-9A-Fa-f]{32}|[0-9A-Fa-f]{64})$ ]]; then
  echo '%[1]s: the first line of %[2]s is no key of 32 or 64 hexadecimal digits' >&2
  exit 1
fi
read -r mac </sys/class/net/%[6]s/address
there=$(ip macsec show %[3]s)
if [[ $there != *"TXSC: ${mac//:/}%04[7]x "* ]]; then
  echo 'the channel of %[3]s has another MAC address than %[6]s: IfState makes it again' >&2
  ip link delete dev %[3]s
  systemctl --no-block start ifstate.service
  exit 1
fi
while read -r word sci _; do
  if [[ $word == RXSC: ]]; then
    ip macsec del %[3]s rx sci "${sci%%,}"
  fi
done <<<"$there"
for an in 0 1 2 3; do
  ip macsec del %[3]s tx sa "$an" 2>/dev/null || true
done
{
  printf '%%s' '%[4]s'
  printf '  mka_cak=%%s\n}\n' "$cak"
} >%[5]s
`, m.CAK.Target.Addr, m.CAK.Target.Location(), m.Name.V, m.config(), m.staged(), m.Link.Target.LinkName(), port)
}
