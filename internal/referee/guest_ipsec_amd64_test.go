//go:build guest

package referee_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/observe/host"
	"github.com/nbr-dev/nbr/verify/observe/netstate"
	"github.com/nbr-dev/nbr/verify/state"
)

// An end is one of the two routers of an IPsec tunnel, with a host behind it.
type end struct {
	name     string
	ns, host *nstest.NS
	plan     *verify.Plan
	charon   *running
}

// newEnd is the router of a spec, as its files make it.
func newEnd(t *testing.T, internet *nstest.NS, name, lan string) *end {
	t.Helper()
	e := &end{name: name, host: nstest.New(t, "host")}
	e.ns = boardOf(t, map[string]cable{"wan": {internet, name}, "lan1": {e.host, "eth0"}})
	spec, diags := (&service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}).Load(os.DirFS(ipsecDir+name+"/spec"), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	e.plan = spec.Plan()
	e.ns.Run(t, "sysctl", "-qw", "net.ipv4.conf.all.forwarding=1")
	e.ns.Run(t, "nft", "-f", ipsecDir+name+"/rules")
	e.links(t)
	e.ns.Run(t, "ip", "link", "set", "wan", "address", "02:00:00:00:00:"+lan) // IfState makes both the same
	ip(t, internet, "link set "+name+" master br0\n")
	ip(t, e.host, fmt.Sprintf("addr add 192.168.%s.50/24 dev eth0\nroute add default via 192.168.%[1]s.1\n", lan))
	e.stage(t)
	e.begin(t)
	return e
}

// links has IfState make the links.
func (e *end) links(t *testing.T) {
	t.Helper()
	config, err := os.ReadFile(ipsecDir + e.name + "/ifstate")
	if err != nil {
		t.Fatal(err)
	}
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	applyConfig(t, ifstate, e.ns, string(config))
}

// stage runs what the unit runs before charon, and wants no complaint.
func (e *end) stage(t *testing.T) {
	t.Helper()
	if said := e.ns.Run(t, "bash", ipsecDir+e.name+"/stage"); said != "" {
		t.Error(said)
	}
}

// begin starts charon and has it read the configuration, as the unit does.
func (e *end) begin(t *testing.T) {
	t.Helper()
	e.charon = start(t, e.ns, "/run/"+e.name+".out", "env", "STRONGSWAN_CONF="+ipsecDir+e.name+"/strongswan.conf", "charon-systemd")
	t.Cleanup(e.charon.stop)
	nstest.Wait(t, func() error {
		_, err := e.swanctl(t, "--stats")
		return err
	})
	e.load(t)
}

// swanctl runs swanctl.
func (e *end) swanctl(t *testing.T, args ...string) (string, error) {
	socket := "/run/" + e.name + ".vici"
	if e.name == "hamburg" {
		socket = "/run/charon.vici"
	}
	args = append([]string{"SWANCTL_DIR=" + ipsecDir + e.name + "/swanctl", "STRONGSWAN_CONF=" + ipsecDir + e.name + "/strongswan.conf", "swanctl"}, args...)
	return e.ns.Try(t, "env", append(args, "--uri", "unix://"+socket)...)
}

// load has charon read connections and secrets again.
func (e *end) load(t *testing.T) {
	t.Helper()
	if out, err := e.swanctl(t, "--load-all", "--clear", "--noprompt"); err != nil {
		t.Fatal(out, err)
	}
}

// with has a file of the router be another one, and charon read it.
func (e *end) with(t *testing.T, file, old, new string) {
	t.Helper()
	file = ipsecDir + e.name + "/" + file
	b, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(b), old) {
		t.Fatalf("%s has no %q: %v", file, old, err)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(b), old, new)), 0o600); err != nil {
		t.Fatal(err)
	}
	e.stage(t)
	e.load(t)
}

// verdicts are the failed checks of the tunnel and its link, and how many passed.
func (e *end) verdicts(t *testing.T) (failed []string, passed int) {
	t.Helper()
	st := &state.State{Time: time.Now().Unix()}
	if err := within(e.ns, func() error {
		n, err := netstate.Look(t.Context(), "", nil)
		st.Links = n.Links
		st.Probes = map[string]map[string]state.Probed{}
		h := host.New(context.Background(), "", false)
		for _, q := range e.plan.Questions() {
			if strings.HasPrefix(q.Probe, "ipsec.") {
				st.Probes[q.Probe] = map[string]state.Probed{q.Key: q.Look(t.Context(), h)}
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	results, err := verify.Eval(e.plan, st)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		block, what, _ := strings.Cut(r.ID, "/")
		if block != "ipsec.berlin" && block != "xfrm.ipsec0" || slices.Contains([]string{"unit", "watch", "advertisements", "rules"}, what) || strings.HasPrefix(what, "route/") {
			continue // there is no systemd, and sysctls were not asked for
		}
		switch r.Status {
		case verify.Pass:
			passed++
		case verify.Skip:
		default:
			failed = append(failed, fmt.Sprintf("%s %s: %s", what, r.Status, r.Got))
		}
	}
	return failed, passed
}

// down ends the tunnel without a word to the other end.
func (e *end) down(t *testing.T) {
	t.Helper()
	e.swanctl(t, "--terminate", "--ike", map[string]string{"hamburg": "berlin", "berlin": "hamburg"}[e.name], "--force", "--timeout", "-1")
}

// TestGuestIPsec connects two routers by charon, each from its own spec, and then breaks the tunnel.
func TestGuestIPsec(t *testing.T) {
	internet := nstest.New(t, "internet")
	ip(t, internet, "link add br0 type bridge\nlink set br0 up\naddr add 198.51.100.53/24 dev br0\n")
	hamburg, berlin := newEnd(t, internet, "hamburg", "20"), newEnd(t, internet, "berlin", "10")
	count := func() { // from now on
		internet.Run(t, "nft", `table netdev seen; delete table netdev seen; table netdev seen { chain line { type filter hook ingress device "hamburg" priority 0; ip daddr { 192.168.10.0/24, 10.255.0.0/30 } counter comment "clear"; ip protocol esp counter comment "encrypted"; }; }`)
	}
	count()
	seen := func(what string) bool {
		for line := range strings.Lines(internet.Run(t, "nft", "list", "table", "netdev", "seen")) {
			if strings.Contains(line, what) {
				return !strings.Contains(line, "packets 0 ")
			}
		}
		t.Fatalf("nothing counts %q", what)
		return false
	}
	works := func() {
		t.Helper()
		nstest.Wait(t, func() error {
			hamburg.host.Try(t, "ping", "-c1", "-W2", "192.168.10.50")
			if failed, passed := hamburg.verdicts(t); len(failed) > 0 || passed < 11 {
				log, _ := os.ReadFile("/run/hamburg.log")
				return fmt.Errorf("%d pass, and these do not:\n%s\n%s", passed, strings.Join(failed, "\n"), tail(log))
			}
			return nil
		})
	}
	works()
	pings(t, hamburg.host, "192.168.10.50")
	pings(t, berlin.host, "192.168.20.50")
	pings(t, hamburg.ns, "10.255.0.1")
	echo(t, berlin.host, 80)
	dial(t, hamburg.host, "192.168.10.50:80").says(t, strings.Repeat("a segment of TCP", 1000))
	if !seen("encrypted") || seen("clear") {
		t.Error("packets of the hosts leave as they are")
	}
	if got := hamburg.ns.Run(t, "ip", "-d", "link", "show", "ipsec0"); !strings.Contains(got, "mtu 1390") {
		t.Error(got)
	}
	if got := hamburg.ns.Run(t, "ip", "rule"); strings.Contains(got, "220") {
		t.Errorf("charon has made a rule of its own: %s", got)
	}

	for _, tt := range []struct {
		what string
		on   *end
		file string
		old  string
		new  string
		want []string
	}{
		{"another PSK", berlin, "hamburg", "the secret of both", "the secret of one", []string{"authentication"}},
		{"no PSK here", hamburg, "stage", "printf '  ike-", ": '  ike-", []string{"authentication", "psk"}},
		{"another identity there", berlin, "swanctl/conf", `id = "berlin.example.org"`, `id = "munich.example.org"`, []string{"authentication"}},
		{"another identity here", hamburg, "swanctl/conf", `id = "hamburg.example.org"`, `id = "kiel.example.org"`, []string{"authentication", "connection"}},
		{"no proposal of IKE in common", berlin, "swanctl/conf", "    proposals = aes", "    proposals = aes128-sha512-modp4096 # aes", []string{"ike_proposals"}},
		{"no proposal of ESP in common", berlin, "swanctl/conf", "esp_proposals = ", "esp_proposals = aes192-sha512 # ", []string{"esp_proposals"}},
		{"other subnets there", berlin, "swanctl/conf", "local_ts = 192.168.10.0/24,10.255.0.1/32", "local_ts = 192.168.99.0/24", []string{"subnets"}},
		{"another interface", hamburg, "swanctl/conf", "= 10\n", "= 11\n", []string{"if_id"}},
	} {
		tt.on.with(t, tt.file, tt.old, tt.new)
		berlin.down(t)
		hamburg.down(t)
		nstest.Wait(t, func() error {
			failed, _ := hamburg.verdicts(t)
			var ids []string
			for _, f := range failed {
				if id, _, ok := strings.Cut(f, " fail"); ok {
					ids = append(ids, id)
				}
			}
			slices.Sort(ids)
			if d := cmp.Diff(tt.want, ids); d != "" {
				return fmt.Errorf("%s: %s\n%s", tt.what, d, strings.Join(failed, "\n"))
			}
			t.Logf("%s: %s", tt.what, strings.Join(failed, "; "))
			return nil
		})
		tt.on.with(t, tt.file, tt.new, tt.old)
		berlin.down(t)
		hamburg.down(t)
		works()
	}

	// The link is another one, or none.
	for change, want := range map[string][]string{
		"link del ipsec0\n": {"if_id"},
		"link del ipsec0\nlink add ipsec0 type xfrm if_id 11\nlink set ipsec0 mtu 1390 up\n": {"if_id"},
	} {
		ip(t, hamburg.ns, change)
		failed, _ := hamburg.verdicts(t)
		for _, id := range want {
			if !slices.ContainsFunc(failed, func(f string) bool { return strings.HasPrefix(f, id+" fail") }) {
				t.Errorf("%q: no %s among %q", change, id, failed)
			}
		}
		hamburg.links(t)
		works()
	}

	// Without the link nothing leaves as it is: of connections that are there, of new ones, and of the router itself.
	count()
	echo(t, berlin.host, 81) // it serves one connection
	there := dial(t, hamburg.host, "192.168.10.50:81")
	there.says(t, "before")
	ip(t, hamburg.ns, "link del ipsec0\n")
	if _, err := there.Write([]byte("in between")); err != nil {
		t.Fatal(err)
	}
	for _, from := range []*nstest.NS{hamburg.host, hamburg.ns} {
		for _, to := range []string{"192.168.10.50", "10.255.0.1"} {
			if out, err := from.Try(t, "ping", "-c2", "-W1", to); err == nil {
				t.Errorf("without the link %s answers: %s", to, out)
			}
		}
	}
	if seen("clear") {
		t.Error("without the link packets leave as they are")
	}
	pings(t, hamburg.ns, "198.51.100.53") // what is for the Internet gets there
	hamburg.links(t)
	works()
	_ = there.SetDeadline(time.Now().Add(nstest.Patience))
	there.hears(t, "in between")

	// Nor without the other router.
	count()
	berlin.charon.stop()
	ip(t, berlin.ns, "link set wan down\n")
	hamburg.down(t)
	nstest.Wait(t, func() error {
		failed, _ := hamburg.verdicts(t)
		if !slices.ContainsFunc(failed, func(f string) bool { return strings.HasPrefix(f, "remote fail: ") }) {
			return errors.New(strings.Join(failed, "\n"))
		}
		t.Logf("no other router: %s", strings.Join(failed, "; "))
		return nil
	})
	if out, err := hamburg.host.Try(t, "ping", "-c1", "-W2", "192.168.10.50"); err == nil || seen("clear") {
		t.Errorf("without a tunnel: %s", out)
	}
	_ = syscall.Kill(-hamburg.charon.Process.Pid, syscall.SIGKILL)
	if out, err := hamburg.host.Try(t, "ping", "-c1", "-W2", "192.168.10.50"); err == nil || seen("clear") {
		t.Errorf("without charon: %s", out)
	}
}

// tail is the end of a log.
func tail(log []byte) string { return string(log[max(0, len(log)-3000):]) }
