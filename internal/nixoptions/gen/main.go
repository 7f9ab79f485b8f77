// Command gen makes the table of options from two lists in JSON: the one that the
// manual of NixOS 25.11 is made of, an object of path to {type, since, status_26_05},
// and what was read of the modules of mid 2026, the line of development that becomes
// 26.11: {type, since, vs_25_11, notes}, with what is gone in _removed.
//
//	go run ./internal/nixoptions/gen OPTIONS.json NEWER.json > table.tsv && mv table.tsv internal/nixoptions/
//
// It takes paths, types and releases, nothing else. Of 26.05 itself no modules were
// read, only its release notes: an option that is the same before and after it is
// assumed to be in it, and one that was not read again in what comes after. A type that
// nixoptions does not understand is an error, so that every option of the table can be
// judged.
package main

import (
	"cmp"
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
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gen OPTIONS.json NEWER.json > table.tsv")
		os.Exit(2)
	}
	table, err := generate(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
	os.Stdout.Write(table)
}

// An entry is what a list says of one option.
type entry struct {
	Type   string `json:"type"`
	Since  string `json:"since"`
	Status string `json:"status_26_05"`
	Versus string `json:"vs_25_11"`
	Notes  string `json:"notes"`
}

func read(file string, v any) error {
	src, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(src, v); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func generate(old, newer string) ([]byte, error) {
	var was, is map[string]entry
	var gone struct {
		Removed map[string]struct{ Since string } `json:"_removed"`
	}
	if err := errors.Join(read(old, &was), read(newer, &is), read(newer, &gone)); err != nil {
		return nil, err
	}
	paths := map[string]bool{}
	for path := range was {
		paths[path] = true
	}
	for path := range is {
		paths[path] = true
	}
	var table []byte
	var errs []error
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if !wanted(path) {
			continue
		}
		since := ""
		for name, r := range gone.Removed {
			if path == name || strings.HasPrefix(path, name+".") {
				since = r.Since
			}
		}
		for _, row := range rows(path, was[path], is[path], since) {
			if _, err := nixoptions.ParseType(row.Type); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", path, err))
			}
			table = row.AppendTo(table)
		}
	}
	return table, errors.Join(errs...)
}

func wanted(path string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool {
		return path == p || strings.HasPrefix(path, p+".")
	})
}

// rows are the lines of the table for an option: two where its type has changed. was
// is what the list of 25.11 says, is what was read of mid 2026, either without a type
// when it does not have the option, and gone is since when the option is no more.
//
// A renamed option still works for a while, with a warning, which is no reason for a
// generator to write it.
func rows(path string, was, is entry, gone string) []nixoptions.Row {
	first := was.Type != "" && !strings.HasPrefix(was.Since, "26.05") && !strings.Contains(was.Since, "not in 25.11")
	seen := is.Type != "" && !(was.Type == "" && strings.Contains(is.Versus, "not in the 25.11 list"))
	// Those of the other inputs were read at a revision of theirs, whatever the release.
	if input, _, _ := strings.Cut(path, "."); first && (input == "sops" || input == "age") {
		return []nixoptions.Row{{Path: path, Type: was.Type, Releases: []string{"25.11", "26.05", "26.11"}}}
	}
	a, b := nixoptions.Row{Path: path, Type: was.Type}, nixoptions.Row{Path: path, Type: curly(is.Type)}
	if is.Versus != "type changed" {
		b.Type = cmp.Or(was.Type, b.Type)
	}
	add := func(r *nixoptions.Row, release string, assumed bool) {
		r.Releases = append(r.Releases, release)
		if assumed {
			r.Assumed = append(r.Assumed, release)
		}
	}
	if first {
		add(&a, "25.11", false)
	}
	switch {
	case strings.HasPrefix(gone, "26.11"):
		add(&a, "26.05", true)
	case first && (gone != "" || was.Status != ""):
	case seen:
		switch {
		case strings.HasPrefix(is.Since, "26.11") || strings.HasPrefix(is.Since, "not in 25.11"):
		case is.Versus == "type changed" && !strings.Contains(is.Notes, "since 26.05"):
			add(&a, "26.05", true)
		default:
			add(&b, "26.05", was.Since != "26.05" && !strings.HasPrefix(is.Since, "26.05 ("))
		}
		add(&b, "26.11", false)
	case strings.HasPrefix(was.Since, "26.05"):
		add(&a, "26.05", was.Since != "26.05")
		add(&a, "26.11", true)
	case first:
		add(&a, "26.05", true)
		add(&a, "26.11", true)
	}
	if a.Type == b.Type {
		b.Releases = append(a.Releases, b.Releases...)
		b.Assumed = append(a.Assumed, b.Assumed...)
		a.Releases = nil
	}
	return slices.DeleteFunc([]nixoptions.Row{a, b}, func(r nixoptions.Row) bool { return len(r.Releases) == 0 })
}

// curly writes the quotes of a type as the manual does.
func curly(t string) string {
	for strings.Count(t, `"`) > 1 {
		t = strings.Replace(strings.Replace(t, `"`, "“", 1), `"`, "”", 1)
	}
	return t
}
