package referee_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// A wholeRouter is a router in the middle of its house: what Nix makes of its spec is on its disk,
// systemd is process 1, a client is at lan1 and an ISP at wan.
type wholeRouter struct {
	*lab.Machine
	g           *generated
	router      *nstest.NS
	client, isp *nstest.NS
	elsewhere   map[string]string // the checks that the bench cannot pass
	asks        map[string]bool   // the checks that are answers to questions
	lost        bool              // it could not be mended
}

// The upstream's server gives one address for as long as a test lasts.
const ispKea = `{"Dhcp4": {
  "decline-probation-period": 1,
  "expired-leases-processing": {"reclaim-timer-wait-time": 1},
  "interfaces-config": {"interfaces": ["eth0"]},
  "lease-database": {"type": "memfile", "persist": false},
  "valid-lifetime": 3600,
  "subnet4": [{
    "id": 1, "subnet": "198.51.100.0/24",
    "pools": [{"pool": "198.51.100.50-198.51.100.50"}],
    "option-data": [
      {"name": "routers", "data": "198.51.100.1"},
      {"name": "domain-name-servers", "data": "198.51.100.53"}
    ]
  }]
}}
`

// bootRouter brings the article's router up. Everything is as the spec in testdata has it: the
// resolver trusts another root because Debian's file with the root's key is another.
func bootRouter(t *testing.T) *wholeRouter {
	t.Helper()
	r := &wholeRouter{g: fromDir(t, article), elsewhere: elsewhere, asks: map[string]bool{}, client: nstest.New(t, "client"), isp: nstest.New(t, "isp")}
	r.router = board(t, map[string]*nstest.NS{"wan": r.isp, "lan1": r.client})
	ip(t, r.isp, "addr add 198.51.100.1/24 dev eth0\n")
	listen(t, r.isp, "tcp", 80)
	isp := lab.Rootfs(t, lab.Files{"/etc/kea.conf": ispKea, "/run/kea/": ""})
	hints, err := os.ReadFile(isp.Path("/usr/share/dns/root.hints"))
	if err != nil {
		t.Fatal(err)
	}
	anchor := dnsTree(t, r.isp, string(hints))
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	apply(t, ifstate, r.router, r.g)
	kea := isp.Daemon(t, r.isp, "kea-dhcp4", "-c", "/etc/kea.conf") // wants a cable
	kea.Ready(t, said(kea, "DHCP4_STARTED"))

	files, units := r.disk(t)
	files["/usr/share/dns/root.key"] = anchor
	r.Machine = lab.Boot(t, r.router, files, units...)
	r.furnish(t)
	return r
}

// furnish does what activation and a person do: programs, the system's links, a secret.
func (r *wholeRouter) furnish(t *testing.T) {
	t.Helper()
	installNBR(t, r.Root, "/usr/local/bin/nbr")
	r.Run(t, must("chmod 400 /var/lib/secrets/wg0; mkdir -p /nix/store/system")...)
	r.Run(t, must("ln -sfn /usr/share/zoneinfo /etc/zoneinfo; ln -sfn /etc/zoneinfo/"+r.g.text(t, "time", "timeZone")+" /etc/localtime")...)
	r.Run(t, must("ln -s /nix/store/linux/Image /nix/store/system/kernel")...)
	r.Run(t, must("for s in booted current; do ln -s /nix/store/system /run/$s-system; done")...)
}

// disk is what NixOS would put on the router's disk and have systemd start, in the places that
// Debian's programs read.
func (r *wholeRouter) disk(t *testing.T) (lab.Files, []string) {
	t.Helper()
	files := lab.Files{
		"/etc/hostname":    r.g.text(t, "networking", "hostName") + "\n",
		"/etc/resolv.conf": "nameserver 127.0.0.1\n",

		"/etc/nftables.conf":              ruleset(t, r.g),
		"/etc/kea/kea-dhcp4.conf":         keaJSON(t, r.g),
		knotConf:                          r.g.json(t, "services", "knot-resolver", "settings"),
		"/etc/dhcpcd.conf":                dhcpcdConf(t, r.g),
		"/etc/ssh/sshd_config":            sshdConfig(t, r.g),
		"/etc/chrony/chrony.conf":         chronyConf(t, r.g),
		"/etc/sysctl.d/60-nixos.conf":     sysctlConf(r.g),
		"/etc/ssh/authorized_keys.d/root": lines(r.g.list(t, "users", "users", "root", "openssh", "authorizedKeys", "keys")),
		"/etc/nix/nix.conf":               "experimental-features = " + strings.ReplaceAll(lines(r.g.list(t, "nix", "settings", "experimental-features")), "\n", " "),
		"/boot/extlinux/extlinux.conf":    "DEFAULT nixos-default\nLABEL nixos-default\n",
		"/etc/systemd/journald.conf": "[Journal]\nStorage=" + r.g.text(t, "services", "journald", "storage") + "\n" +
			r.g.text(t, "services", "journald", "extraConfig"),

		"/var/lib/secrets/wg0": "IFBWhXFOEnyYTwwCcTuHY4Fu0WvCDuVgs7ScUvGxLEk=\n",
	}
	for name, lines := range r.g.source {
		files["/etc/nbr/spec/"+name] = strings.Join(lines, "\n")
	}
	maps.Copy(files, etcFiles(t, r.g))
	for name, text := range nixosUnits {
		files["/etc/systemd/system/"+name] = text
	}
	// It takes five seconds to stop, for nothing that a test waits for.
	files["/etc/systemd/system/knot-resolver.service.d/stop.conf"] = "[Service]\nTimeoutStopSec=1\n"
	// Daemons are started more often here than systemd puts up with.
	files["/etc/systemd/system/service.d/often.conf"] = "[Unit]\nStartLimitIntervalSec=0\n"
	units := []string{
		"nftables.service", "dhcpcd.service", "sshd.service", "chronyd.service", "nix-daemon.socket",
		"kea-dhcp4-server.service", "knot-resolver.service", // Debian's are called as NixOS's
	}
	return files, append(units, ownUnits(t, r.g, files)...)
}

// etcFiles are those of environment.etc. A symbolic link of radvd's is made when it starts.
func etcFiles(t *testing.T, g *generated) lab.Files {
	t.Helper()
	files := lab.Files{}
	etc, _ := g.at("environment", "etc").(map[string]any)
	for name, file := range etc {
		if source, ok := file.(map[string]any)["source"].(string); ok {
			files["/etc/systemd/system/radvd.service.d/link.conf"] = fmt.Sprintf("[Service]\nExecStartPre=+ln -sfn %s /etc/%s\n", source, name)
			continue
		}
		files["/etc/"+name] = g.text(t, "environment", "etc", name, "text")
	}
	return files
}

// ownUnits writes what nbr's modules say of units, and returns those that start at boot.
func ownUnits(t *testing.T, g *generated, files lab.Files) (units []string) {
	t.Helper()
	services, _ := g.at("systemd", "services").(map[string]any)
	for name, service := range services {
		options, place := service.(map[string]any), ".service.d/nbr.conf"
		if options["wantedBy"] != nil { // nbr's own; else it adds to the unit
			place = ".service"
			if slices.Contains(options["wantedBy"].([]any), any("multi-user.target")) {
				units = append(units, name+".service")
			}
			maps.Copy(files, pulls(name, options))
		}
		text := unitText(t, options)
		if script, ok := options["script"].(string); ok { // NixOS makes a file of it, and runs it with -e
			file := "/etc/" + name + ".sh"
			files[file] = script
			text += "ExecStart=bash -e " + file + "\n" // the end of [Service]
		}
		files["/etc/systemd/system/"+name+place] = text
	}
	return units
}

// lines are the items of a list, one a line.
func lines(items []any) string {
	var b strings.Builder
	for _, item := range items {
		fmt.Fprintln(&b, item)
	}
	return b.String()
}

// nixosUnits are the units of NixOS that Debian has not or calls otherwise, as far as nbr's
// modules count on what they do.
var nixosUnits = map[string]string{
	"nftables.service": `[Unit]
Before=network-pre.target
Wants=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=nft -f /etc/nftables.conf
ExecStop=nft delete table inet nbr
`,
	"dhcpcd.service": `[Unit]
Wants=network.target
Before=network-online.target
[Service]
Type=forking
PIDFile=/run/dhcpcd/pid
RuntimeDirectory=dhcpcd
# No udev tells dhcpcd of links here.
ExecStart=dhcpcd --quiet --persistent --background --nodev --config /etc/dhcpcd.conf
Restart=always
`,
	// nbr verify says hello and goes, which sshd allows a host once a second on average, and the
	// test asks more often.
	"sshd.service": `[Service]
RuntimeDirectory=sshd
ExecStart=/usr/sbin/sshd -D -e -f /etc/ssh/sshd_config -o PerSourcePenalties=no
KillMode=process
Restart=always
`,
	// -x: the clock is the computer's.
	"chronyd.service": `[Service]
Type=notify
RuntimeDirectory=chrony
RuntimeDirectoryMode=0700
StateDirectory=chrony
ExecStart=chronyd -n -x -u root -f /etc/chrony/chrony.conf
`,
	// There is no Nix on this router: systemd waits for its daemon's clients all the same.
	"nix-daemon.socket": `[Socket]
ListenStream=/run/nix/daemon-socket/socket
Service=nix-daemon.service
`,
	"nix-daemon.service": `[Service]
Type=oneshot
ExecStart=true
`,
}

// storePath is where Nix has a program. systemd finds the ones that have no folder.
var storePath = regexp.MustCompile(`/nix/store/[^/]+/bin/`)

// unitText is a unit file of the options that NixOS writes into one.
func unitText(t *testing.T, options map[string]any) string {
	t.Helper()
	var unit, service strings.Builder
	for _, key := range slices.Sorted(maps.Keys(options)) {
		switch value := options[key]; key {
		case "after", "before", "bindsTo", "conflicts", "partOf", "requisite", "wants":
			fmt.Fprintf(&unit, "%s%s=%s\n", strings.ToUpper(key[:1]), key[1:], words(value))
		case "description":
			fmt.Fprintf(&unit, "Description=%s\n", value)
		case "unitConfig":
			for name, v := range value.(map[string]any) {
				fmt.Fprintf(&unit, "%s=%s\n", name, yesNo(v))
			}
		case "environment":
			variables := value.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(variables)) {
				fmt.Fprintf(&service, "Environment=\"%s=%s\"\n", name, variables[name])
			}
		case "serviceConfig":
			settings := value.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(settings)) {
				lines, several := settings[name].([]any)
				if !several {
					lines = []any{settings[name]}
				}
				for _, line := range lines {
					fmt.Fprintf(&service, "%s=%s\n", name, storePath.ReplaceAllString(yesNo(line), ""))
				}
			}
		case "wantedBy", "requiredBy": // of the other units: see pulls
		case "reloadIfChanged", "reloadTriggers", "restartIfChanged", "restartTriggers": // for switches
		case "script": // see ownUnits
		case "path", "preStart": // ifstate's, which is not run here
		default:
			t.Fatalf("the test does not know what NixOS makes of systemd.services.*.%s", key)
		}
	}
	return "[Unit]\n" + unit.String() + "[Service]\n" + service.String()
}

// pulls are the drop-ins by which other units start a unit.
func pulls(name string, options map[string]any) lab.Files {
	files := lab.Files{}
	for key, how := range map[string]string{"wantedBy": "Wants", "requiredBy": "Requires"} {
		others, _ := options[key].([]any)
		for _, other := range others {
			if other != "multi-user.target" { // the test starts these
				files[fmt.Sprintf("/etc/systemd/system/%s.d/%s.conf", other, name)] = fmt.Sprintf("[Unit]\n%s=%s.service\n", how, name)
			}
		}
	}
	return files
}

// pathUnit is the file of a unit that watches files for a service (systemd.paths.NAME).
func pathUnit(t *testing.T, g *generated, name string) lab.Files {
	t.Helper()
	text := "[Path]\n"
	for _, file := range g.list(t, "systemd", "paths", name, "pathConfig", "PathChanged") {
		text += fmt.Sprintf("PathChanged=%s\n", file)
	}
	return lab.Files{"/etc/systemd/system/" + name + ".path": text}
}

// renewsOften writes a file again and again, and wants the unit that watches it to start its service each
// time: systemd has a limit, after which it would give both up.
func renewsOften(t *testing.T, m *lab.Machine, unit, file string) {
	t.Helper()
	started := func() string {
		return m.Run(t, "systemctl", "show", "-P", "ExecMainStartTimestampMonotonic", unit+".service")
	}
	for range 8 {
		before := started()
		m.Run(t, "sh", "-c", "cp "+file+" /tmp/again && cat /tmp/again >"+file)
		nstest.Wait(t, func() error {
			// While the service runs the files are not watched, and for a moment after it.
			watch := strings.TrimSpace(m.Run(t, "systemctl", "show", "-P", "SubState", unit+".path"))
			if started() == before || watch != "waiting" {
				return fmt.Errorf("%s was written; the path unit is %s:\n%s", file, watch, m.Journal(t, unit+".path", unit+".service"))
			}
			return nil
		})
	}
}

func words(v any) string { return strings.Trim(fmt.Sprint(v), "[]") }

// sysctlConf is what systemd-sysctl reads, as nixos/modules/config/sysctl.nix writes it.
func sysctlConf(g *generated) string {
	set, _ := g.at("boot", "kernel", "sysctl").(map[string]any)
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if value := set[key]; value == false {
			fmt.Fprintf(&b, "%s=0\n", key)
		} else if value != nil {
			fmt.Fprintf(&b, "%s=%v\n", key, value)
		}
	}
	return b.String()
}

// A finding is a check's result in the report of nbr verify -format json.
type finding struct {
	ID, Block, Status, Want, Got string
	Range                        struct {
		File string
		Line int
	}
}

func (f finding) String() string {
	return fmt.Sprintf("%s (%s:%d) %s: want %s, got %s", f.ID, f.Range.File, f.Range.Line, f.Status, f.Want, f.Got)
}

// notPassed are the checks that do not pass in what nbr verify -format json has written, and of which
// there are as many as is said at least.
func notPassed(t *testing.T, text string, err error, least int) []finding {
	t.Helper()
	var report struct{ Results []finding }
	if jsonErr := json.Unmarshal([]byte(text), &report); jsonErr != nil {
		t.Fatalf("nbr verify: %v\n%s", err, text)
	}
	if len(report.Results) < least {
		t.Fatalf("%d checks:\n%s", len(report.Results), text)
	}
	return slices.DeleteFunc(report.Results, func(f finding) bool { return f.Status == "pass" })
}

// elsewhere are the checks of the article's router that the bench's kernel cannot pass, and where
// they are shown.
var elsewhere = map[string]string{
	"firmware/*":            "the bench is no Banana Pi: recorded states have a board",
	"network.vpn/*":         "its link is the tunnel",
	"wireguard.wg0/*":       "the kernel has no WireGuard: the bench with a Debian kernel has",
	"*/port/*/switch":       "the ports are veths: the bench with a switch has real ones",
	"firewall/sysctl/net.*": "neighbours are the kernel's, not a namespace's: the bench cannot have them",
	"*/port/*/mac":          "the ports are veths, whose addresses are not burnt in",
	"time/synchronised":     "the clock is the computer's and chronyd may not touch it",
}

// verify runs nbr verify on the router and returns what is not well, but for the checks that
// the bench cannot pass.
func (r *wholeRouter) verify(t *testing.T, flags ...string) []finding {
	t.Helper()
	out, err := r.Try(t, append([]string{"nbr", "verify", "-format", "json"}, flags...)...)
	var report struct{ Results []finding }
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil {
		t.Fatalf("nbr verify: %v\n%s", err, out)
	}
	left := map[string]bool{}
	wrong := slices.DeleteFunc(report.Results, func(f finding) bool {
		if pattern := leftOut(r.elsewhere, f.ID); pattern != "" {
			left[pattern] = true
			return true
		}
		return f.Status == "pass" || f.Status == "skip" && r.asks[f.ID] && slices.Contains(flags, "-passive")
	})
	for pattern := range r.elsewhere {
		if !left[pattern] {
			t.Errorf("there is no check %s to leave out", pattern)
		}
	}
	return wrong
}

// leftOut is the pattern by which a check is one that the bench cannot pass, if it is.
func leftOut(elsewhere map[string]string, id string) string {
	for pattern := range elsewhere {
		if fits(pattern, id) {
			return pattern
		}
	}
	return ""
}

// fits tells whether a check's name is one of those that the pattern is for: a * stands for
// anything.
func fits(pattern, id string) bool {
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "|"), strings.ReplaceAll(id, "/", "|"))
	return ok && err == nil
}

// settles waits until all is well and returns what is not, if it takes too long.
func (r *wholeRouter) settles(t *testing.T, flags ...string) []finding {
	t.Helper()
	for deadline := time.Now().Add(nstest.Patience); ; time.Sleep(50 * time.Millisecond) {
		wrong := r.verify(t, flags...)
		if len(wrong) == 0 || time.Now().After(deadline) {
			return wrong
		}
	}
}

// works shows that the healthy router is one: a client gets a lease, resolves a name with proof
// of it, is told of none that is forged, and reaches a server through NAT.
func (r *wholeRouter) works(t *testing.T) {
	t.Helper()
	got, err := getLease(t, r.client)
	if err != nil {
		t.Fatal(err)
	}
	// Which one of the pool depends on who has asked before, and nbr verify has.
	if a, err := netip.ParseAddr(got.IP); err != nil || a.Less(netip.MustParseAddr("192.168.178.100")) || netip.MustParseAddr("192.168.178.199").Less(a) {
		t.Errorf("the lease is of %s", got.IP)
	}
	want := lease{IP: got.IP, Mask: "24", Router: "192.168.178.1", DNS: "192.168.178.1", Lease: "43200", Server: "192.168.178.1"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the lease (-want +got):\n%s", d)
	}
	ip(t, r.client, "addr add "+got.IP+"/"+got.Mask+" dev eth0\nroute add default via "+got.Router+"\n")
	for name, want := range map[string]string{
		"www.example.org":   "NOERROR ad 203.0.113.7",
		"nobody.org":        "NXDOMAIN ad",
		"dnssec-failed.org": "SERVFAIL",
	} {
		answers(t, r.client, got.DNS, name, want, "+dnssec", "+time=3")
	}
	check(t, []flow{{"out", r.client, "", "tcp", "198.51.100.1:80", "198.51.100.50 at isp"}})
}

const looks = 10

// The article's router does what its spec says, and nbr verify says so. Then one thing after
// the other goes wrong: each is found, at the line that promised it, and nothing else is.
func TestTheWholeRouter(t *testing.T) {
	t.Parallel()
	r := bootRouter(t)
	if wrong := r.settles(t); len(wrong) > 0 {
		t.Fatalf("nbr verify on a healthy router: %v\n%s", wrong, r.Journal(t))
	}
	if *record {
		r.record(t)
	}
	r.works(t)
	// It stays well: what is red once in a while is a false alarm, too.
	start := time.Now()
	for range looks {
		if wrong := r.verify(t); len(wrong) > 0 {
			t.Errorf("once in a while: %v", wrong)
		}
	}
	t.Logf("nbr verify takes %s", time.Since(start)/looks)
	r.breaksAll(t, breakages)
	if wrong := r.settles(t); len(wrong) > 0 {
		t.Errorf("after all of it: %v", wrong)
	}
}
