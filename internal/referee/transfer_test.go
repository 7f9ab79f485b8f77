package referee_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// A nameServer is a router of testdata/good with Knot DNS, in a namespace of its own.
type nameServer struct {
	g    *generated
	root *lab.Root
	ns   *nstest.NS
	knot *lab.Daemon
}

func newNameServer(t *testing.T, name string) *nameServer {
	t.Helper()
	b, err := os.ReadFile("../../testdata/good/" + name + "/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{ns: nstest.New(t, name), g: generate(t, fstest.MapFS{"router.hcl": {Data: b}})}
	files := knotDNSFiles(t, s.g)
	files["/etc/nbr/spec/router.hcl"] = string(b)
	s.root = lab.Rootfs(t, files)
	installNBR(t, s.root, "/usr/bin/nbr")
	return s
}

// start does what the unit does.
func (s *nameServer) start(t *testing.T) {
	t.Helper()
	s.root.Run(t, s.ns, "bash", "/etc/"+keyStage)
	s.root.Run(t, s.ns, "knotc", "-c", knotDNSConf, "conf-check")
	s.knot = s.root.Daemon(t, s.ns, "knotd", "-c", knotDNSConf)
	s.knot.Ready(t, func() error {
		_, err := s.root.Try(t, s.ns, "knotc", "status")
		return err
	})
}

// reload does what the unit does.
func (s *nameServer) reload(t *testing.T) {
	t.Helper()
	s.root.Run(t, s.ns, "bash", "/etc/"+keyStage)
	s.root.Run(t, s.ns, "knotc", "reload")
}

// becomes waits until these checks of zones, catalogs and other servers do not pass, and all
// others do.
func (s *nameServer) becomes(t *testing.T, want ...string) {
	t.Helper()
	becomes(t, func() []string {
		var got []string
		seen := 0
		for _, block := range []string{"dns_zone.*", "dns_peer.*", "dns_catalog.*"} {
			out, err := s.root.Try(t, s.ns, "/usr/bin/nbr", "verify", "-format", "json", "-only", block, "/etc/nbr/spec")
			var report struct{ Results []finding }
			if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil {
				t.Fatalf("nbr verify: %v\n%s", err, out)
			}
			seen += len(report.Results)
			for _, f := range report.Results {
				if f.Status != "pass" && !strings.HasSuffix(f.ID, "/server") {
					got = append(got, f.ID+" "+f.Status+": "+f.Got)
				}
			}
		}
		if seen < 10 {
			t.Fatalf("%d checks are of zones", seen)
		}
		slices.Sort(got)
		return got
	}, want)
}

// A zone goes from one router to another, by its name and by a catalog, to who has the key and to
// no other; and so does a change. Both start without the key's file.
func TestZonesOfTwoServers(t *testing.T) {
	t.Parallel()
	gate, branch := newNameServer(t, "dns-primary"), newNameServer(t, "dns-secondary")
	nstest.Link(t, gate.ns, "wan", branch.ns, "wan")
	ip(t, gate.ns, "addr add 203.0.113.2/24 dev wan\n")
	ip(t, branch.ns, "addr add 203.0.113.3/24 dev wan\n")
	says := func(from *nstest.NS, want string, args ...string) {
		t.Helper()
		nstest.Wait(t, func() error {
			if got, err := asked(t, from, args...); err != nil || got != want {
				return fmt.Errorf("dig %q says %q, want %q (%w)", args, got, want, err)
			}
			return nil
		})
	}

	gate.start(t)
	branch.start(t)
	says(gate.ns, "NOERROR aa A 192.168.1.10", "+norec", "@127.0.0.2", "nas.home.arpa")
	gate.becomes(t, "dns_peer.branch/key fail: no such file",
		"dns_zone.back/secondary/branch unknown", "dns_zone.home/secondary/branch fail: no zone there: SERVFAIL", "dns_zone.world/secondary/branch unknown")

	// The same key on both sides.
	const key = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="
	for s, name := range map[*nameServer]string{gate: "branch", branch: "gate"} {
		s.root.Write(t, "/var/lib/secrets/"+name, key+"\n")
		s.reload(t)
	}
	branch.root.Run(t, branch.ns, "knotc", "zone-retransfer")
	says(branch.ns, "NOERROR aa A 192.168.1.10", "+norec", "@127.0.0.2", "nas.home.arpa")
	says(branch.ns, "NOERROR aa PTR nas.home.arpa.", "+norec", "@127.0.0.2", "-x", "192.168.1.10")
	says(gate.ns, "NOERROR aa A 203.0.113.2", "+norec", "@203.0.113.3", "ns1.example.org")
	gate.becomes(t)
	branch.becomes(t)

	// Without the key, or with another one, no question gets a zone.
	for _, args := range [][]string{nil, {"-y", "hmac-sha512:gate-branch:" + strings.Repeat("A", 43) + "="}, {"-y", "hmac-sha256:other:" + key}} {
		out, _ := branch.ns.Try(t, "dig", append([]string{"@203.0.113.2", "home.arpa", "AXFR"}, args...)...)
		if strings.Contains(out, "192.168.1.10") {
			t.Errorf("dig %q gets the zone:\n%s", args, out)
		}
	}
	if out := branch.ns.Run(t, "dig", "@203.0.113.2", "home.arpa", "AXFR", "-y", "hmac-sha512:gate-branch:"+key); !strings.Contains(out, "192.168.1.10") {
		t.Errorf("the key does not get the zone:\n%s", out)
	}

	// A change is there at once.
	home := "/etc/knot/zones/home.arpa.zone"
	gate.root.Write(t, home, strings.Replace(gate.g.text(t, "environment", "etc", "knot/zones/home.arpa.zone", "text"), "192.168.1.10", "192.168.1.11", 1))
	gate.root.Run(t, gate.ns, "knotc", "zone-reload", "home.arpa")
	says(branch.ns, "NOERROR aa A 192.168.1.11", "+norec", "@127.0.0.2", "nas.home.arpa")
	gate.becomes(t, "dns_zone.home/record/nas.home.arpa/A fail")
	branch.becomes(t)

	// Another key: what is there stays, and what changes does not come.
	branch.root.Write(t, "/var/lib/secrets/gate", strings.Repeat("E", 43)+"=\n")
	branch.becomes(t, "dns_peer.gate/key fail: another key")
	branch.reload(t)
	gate.root.Write(t, home, gate.g.text(t, "environment", "etc", "knot/zones/home.arpa.zone", "text"))
	gate.root.Run(t, gate.ns, "knotc", "zone-reload", "home.arpa")
	says(gate.ns, "NOERROR aa A 192.168.1.10", "+norec", "@127.0.0.2", "nas.home.arpa")
	branch.becomes(t, "dns_zone.home/primary/gate fail")
	gate.becomes(t, "dns_zone.home/secondary/branch fail")

	// A zone that all may fetch.
	conf := knotDNSFiles(t, gate.g)[knotDNSConf]
	open := strings.Replace(conf, "acl:\n", "acl:\n  - id: open\n    action: transfer\n    address: 127.0.0.0/8\n", 1)
	at := strings.Index(open, `  - domain: "home.arpa"`)
	open = open[:at] + strings.Replace(open[at:], `acl: [ "transfer-branch" ]`, `acl: [ "transfer-branch", "open" ]`, 1)
	gate.root.Write(t, knotDNSConf, open)
	gate.reload(t)
	gate.becomes(t, "dns_zone.home/secondary/branch fail", "dns_zone.home/transfers fail: transfer-branch open", "dns_zone.home/without-key fail: given")
}
