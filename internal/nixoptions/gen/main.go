// Command gen makes the table of options from the list that the NixOS manual is
// made of, in JSON: an object of path to {type, since, status_26_05}.
//
//	go run ./internal/nixoptions/gen OPTIONS.json > table.tsv && mv table.tsv internal/nixoptions/
//
// It takes paths, types and releases, nothing else. A type that nixoptions does
// not understand is an error, so that every option of the table can be judged.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/internal/nixoptions"
)

// prefixes are the parts of NixOS that a router has to do with.
var prefixes = strings.Fields(`
	age assertions boot console documentation environment fileSystems hardware
	i18n networking nix nixpkgs powerManagement programs security sops
	swapDevices system systemd time users warnings zramSwap
	services.adguardhome services.asterisk services.avahi services.bind
	services.bird services.chrony services.clatd services.corerad services.dbus
	services.ddclient services.dnsmasq services.earlyoom services.fail2ban
	services.freeradius services.frr services.fstrim services.getty
	services.haveged services.hostapd services.inadyn services.iperf3
	services.irqbalance services.jitterentropy-rngd services.journald
	services.kea services.keepalived services.knot services.knot-resolver
	services.kresd services.lldpd services.logind services.logrotate
	services.miniupnpd services.mosquitto services.mstpd services.mtr-exporter
	services.ndppd services.networkd-dispatcher services.nscd services.nsd
	services.ntpd-rs services.openssh services.openvpn services.pppd
	services.prometheus services.radvd services.resolved services.rsyslogd
	services.smokeping services.snmpd services.sshd services.strongswan-swanctl
	services.suricata services.syslog-ng services.tailscale services.tayga
	services.tftpd services.timesyncd services.udev services.unbound
	services.userborn services.vnstat services.watchdogd services.zigbee2mqtt
`)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen OPTIONS.json > table.tsv")
		os.Exit(2)
	}
	table, err := generate(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
	os.Stdout.Write(table)
}

// An entry is what the list says of one option.
type entry struct {
	Type   string `json:"type"`
	Since  string `json:"since"`
	Status string `json:"status_26_05"`
}

func generate(file string) ([]byte, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list map[string]entry
	if err := json.Unmarshal(src, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var table []byte
	var errs []error
	for _, path := range slices.Sorted(maps.Keys(list)) {
		e := list[path]
		r := e.releases()
		if !wanted(path) || len(r) == 0 {
			continue
		}
		if _, err := nixoptions.ParseType(e.Type); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
		}
		table = nixoptions.Row{Path: path, Type: e.Type, Releases: r}.AppendTo(table)
	}
	return table, errors.Join(errs...)
}

func wanted(path string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool {
		return path == p || strings.HasPrefix(path, p+".")
	})
}

// releases tells which releases have the option. The list is that of 25.11;
// it marks what a newer module was seen to add, to remove or to rename. A
// renamed option still works for a while, with a warning, which is no reason
// for a generator to write it.
func (e entry) releases() []string {
	switch {
	case strings.Contains(e.Since, "not in 25.11"):
		return nil // seen in use only: no release is known to declare it
	case strings.HasPrefix(e.Since, "26.05"):
		return []string{"26.05"}
	case e.Status != "":
		return []string{"25.11"}
	}
	return []string{"25.11", "26.05"}
}
