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

// A cabled router is one of the two at an encrypted cable, with a host behind it.
type cabled struct {
	name     string
	ns, host *nstest.NS
	plan     *verify.Plan
	mka      *running
}

// newCabled is the router of a spec, as its files make it, but for wpa_supplicant.
func newCabled(t *testing.T, name, lan string, cables map[string]cable) *cabled {
	t.Helper()
	c := &cabled{name: name, host: nstest.New(t, "host")}
	cables["lan1"] = cable{c.host, "eth0"}
	c.ns = boardOf(t, cables)
	spec, diags := (&service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}).Load(os.DirFS(macsecDir+name+"/spec"), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	c.plan = spec.Plan()
	c.ns.Run(t, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/all/forwarding")
	c.ns.Run(t, "nft", "-f", macsecDir+name+"/rules")
	ip(t, c.host, fmt.Sprintf("addr add 192.168.%s.50/24 dev eth0\nroute add default via 192.168.%[1]s.1\n", lan))
	return c
}

// links has IfState make the links.
func (c *cabled) links(t *testing.T) {
	t.Helper()
	ifstate, config := c.ifstate(t)
	if _, err := ifstate.Try(t, c.ns, config, "apply"); err != nil {
		t.Fatal(err)
	}
}

// settles has IfState run where a further run must change nothing.
func (c *cabled) settles(t *testing.T) {
	t.Helper()
	ifstate, config := c.ifstate(t)
	applyConfig(t, ifstate, c.ns, config)
}

func (c *cabled) ifstate(t *testing.T) (tool *lab.IfStateTool, config string) {
	t.Helper()
	b, err := os.ReadFile(macsecDir + c.name + "/ifstate")
	if err != nil {
		t.Fatal(err)
	}
	tool = lab.GuestIfState(t)
	tool.Ports = dsaPorts
	return tool, string(b)
}

// begin starts wpa_supplicant as the unit does.
func (c *cabled) begin(t *testing.T) {
	t.Helper()
	args, err := os.ReadFile(macsecDir + c.name + "/args")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(args))
	dir, _, _ := strings.Cut(words[len(words)-1], "/conf")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if said, err := c.stage(t); said != "" || err != nil {
		t.Fatal(said, err)
	}
	c.mka = start(t, c.ns, "/run/"+c.name+".mka", append([]string{"wpa_supplicant"}, words...)...)
}

// stage runs what the unit runs before wpa_supplicant.
func (c *cabled) stage(t *testing.T) (string, error) {
	return c.ns.Try(t, "env", "CREDENTIALS_DIRECTORY="+macsecDir+c.name, "bash", macsecDir+c.name+"/stage")
}

// again ends wpa_supplicant as a crash does, which leaves its keys in the kernel, and starts it.
func (c *cabled) again(t *testing.T) {
	t.Helper()
	c.kill()
	c.begin(t)
}

func (c *cabled) kill() {
	_ = syscall.Kill(-c.mka.Process.Pid, syscall.SIGKILL)
	_ = c.mka.Wait()
}

// with has a file of the router be another one, and wpa_supplicant start with it.
func (c *cabled) with(t *testing.T, file, old, new string) {
	t.Helper()
	file = macsecDir + c.name + "/" + file
	b, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(b), old) {
		t.Fatalf("%s has no %q: %v", file, old, err)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(b), old, new)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.again(t)
}

// fails are the failed and unknown checks of the cable, sorted, each with what was seen, and how many pass.
func (c *cabled) fails(t *testing.T) (failed []string, passed int) {
	t.Helper()
	st := &state.State{Time: time.Now().Unix()}
	if err := within(c.ns, func() error {
		n, err := netstate.Look(t.Context(), "", nil)
		st.Links, st.Addrs, st.Routes = n.Links, n.Addrs, n.Routes
		st.Probes = map[string]map[string]state.Probed{}
		h := host.New(context.Background(), "", false)
		for _, q := range c.plan.Questions() {
			if strings.HasPrefix(q.Probe, "macsec.") {
				st.Probes[q.Probe] = map[string]state.Probed{q.Key: q.Look(t.Context(), h)}
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	results, err := verify.Eval(c.plan, st)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		block, what, _ := strings.Cut(r.ID, "/")
		if !slices.Contains([]string{"macsec.sec0", "bridge.br-barn", "network.barn", "route.barn"}, block) ||
			slices.Contains([]string{"unit", "watch", "alias", "rules"}, what) || strings.Contains(what, "sysctl") || strings.HasPrefix(what, "advertisements") || strings.HasPrefix(what, "port/wan") {
			continue // there is no systemd, sysctls were not asked for, and the port is none
		}
		switch r.Status {
		case verify.Pass:
			passed++
		case verify.Skip:
		default:
			failed = append(failed, fmt.Sprintf("%s %s: %s", what, r.Status, r.Got))
		}
	}
	slices.Sort(failed)
	return failed, passed
}

// TestGuestMACsec connects two routers by a cable, each from its own spec, and then breaks what they have agreed on.
func TestGuestMACsec(t *testing.T) {
	dark := nstest.New(t, "dark")
	barn := newCabled(t, "barn", "10", map[string]cable{"wan": {dark, "unused"}})
	ip(t, barn.ns, "link del wan\n")
	house := newCabled(t, "house", "20", map[string]cable{"wan": {barn.ns, "wan"}})
	ip(t, house.ns, "link set wan address "+wanMACs["house"]+"\n")
	ip(t, barn.ns, "link set wan address "+wanMACs["barn"]+"\n")
	house.links(t)
	barn.links(t)
	barn.ns.Run(t, "nft", `table netdev seen { chain line { type filter hook ingress device "wan" priority 0; ether type 0x88e5 counter comment "encrypted"; ether type 0x888e counter comment "MKA"; ether type { ip, arp } counter comment "clear"; ip6 saddr != fe80::/10 ip6 saddr != :: counter comment "clear6"; }; }`)
	seen := func(what string) bool {
		for line := range strings.Lines(barn.ns.Run(t, "nft", "list", "table", "netdev", "seen")) {
			if strings.Contains(line, `"`+what+`"`) {
				return !strings.Contains(line, "packets 0 ")
			}
		}
		t.Fatalf("nothing counts %q", what)
		return false
	}
	silent := func(why string) {
		t.Helper()
		for _, to := range []string{"10.255.0.2", "192.168.10.50", "fd5c:8a1e:7b40:60::2"} {
			if out, err := house.ns.Try(t, "ping", "-c1", "-W1", to); err == nil {
				t.Errorf("%s, and %s answers: %s", why, to, out)
			}
		}
	}
	works := func() {
		t.Helper()
		nstest.Wait(t, func() error {
			house.ns.Try(t, "ping", "-c1", "-W1", "10.255.0.2")
			if failed, passed := house.fails(t); len(failed) > 0 || passed < 15 {
				return fmt.Errorf("%d pass, and these do not:\n%s\n%s", passed, strings.Join(failed, "\n"), house.mka.said())
			}
			return nil
		})
	}
	silent("there is no key yet")
	house.begin(t)
	barn.begin(t)
	works()
	pings(t, house.host, "192.168.10.50")
	pings(t, barn.host, "192.168.20.50")
	pings(t, house.ns, "fd5c:8a1e:7b40:60::2")
	echo(t, barn.host, 80)
	dial(t, house.host, "192.168.10.50:80").says(t, strings.Repeat("a segment of TCP", 1000))
	if got := house.ns.Run(t, "ip", "-d", "link", "show", "br-barn"); !strings.Contains(got, "mtu 1468") {
		t.Error(got)
	}
	if !seen("encrypted") || !seen("MKA") {
		t.Error("nothing is encrypted")
	}
	house.settles(t) // a switch to another system
	works()

	// The kernel does otherwise, or has no keys.
	for _, tt := range []struct{ change, back, want string }{
		{"link set sec0 type macsec encrypt off", "link set sec0 type macsec encrypt on", "encryption"},
		{"link set sec0 type macsec validate check", "link set sec0 type macsec validate strict", "validation"},
		{"link set sec0 type macsec replay off", "link set sec0 type macsec replay on window 32", "replay_window"},
		{"link set sec0 mtu 1400", "link set sec0 mtu 1468", "mtu"},
		{"macsec del sec0 rx port 1 address " + wanMACs["barn"], "", "channel"},
	} {
		house.ns.Run(t, "ip", strings.Fields(tt.change)...)
		failed, _ := house.fails(t)
		// The bridge has the MTU of the link, too.
		if len(failed) == 0 || slices.ContainsFunc(failed, func(f string) bool { return !strings.HasPrefix(f, tt.want+" fail: ") }) {
			t.Errorf("%s: %q", tt.change, failed)
		}
		if tt.back != "" {
			house.ns.Run(t, "ip", strings.Fields(tt.back)...)
		}
	}
	house.again(t) // it leaves keys behind
	works()

	// The two ends do not agree, or this one has not what the spec says.
	for _, tt := range []struct {
		what, file string
		on         *cabled
		old, new   string
		want       []string
	}{
		{"another key there", "cak", barn, "0011", "1100", []string{"peer"}},
		{"another name of the key here", "stage", house, "mka_ckn=6261726e", "mka_ckn=6261726f", []string{"ckn", "peer"}},
		{"another key here", "cak", house, "0011", "1100", []string{"cak", "peer"}},
		{
			"another configuration", "stage", house, "macsec_integ_only=0\n  macsec_replay_protect=1\n  macsec_replay_window=32\n  macsec_port=1\n  mka_ckn=6261726e\n  mka_priority=16",
			"macsec_integ_only=1\n  macsec_replay_protect=1\n  macsec_replay_window=0\n  macsec_port=1\n  mka_ckn=6261726e\n  mka_priority=17",
			[]string{"encryption", "priority", "replay_window"},
		},
	} {
		tt.on.with(t, tt.file, tt.old, tt.new)
		nstest.Wait(t, func() error {
			house.ns.Try(t, "ping", "-c1", "-W1", "10.255.0.2")
			failed, _ := house.fails(t)
			var ids []string
			for _, f := range failed {
				if id, _, ok := strings.Cut(f, " fail: "); ok {
					ids = append(ids, id)
				}
			}
			if d := cmp.Diff(tt.want, ids); d != "" {
				return fmt.Errorf("%s: %s\n%s", tt.what, d, strings.Join(failed, "\n"))
			}
			t.Logf("%s: %s", tt.what, strings.Join(failed, "; "))
			return nil
		})
		if slices.Contains(tt.want, "peer") {
			silent(tt.what)
		}
		tt.on.with(t, tt.file, tt.new, tt.old)
		works()
	}

	// The MAC address of the port is another one, and the link another.
	ip(t, house.ns, "link set wan address 02:00:00:00:00:21\n")
	if failed, _ := house.fails(t); len(failed) != 1 || !strings.HasPrefix(failed[0], "identifier fail: ") {
		t.Errorf("another MAC address: %q", failed)
	}
	house.kill()
	if _, err := house.stage(t); err == nil || !strings.Contains(err.Error(), "IfState makes it again") {
		t.Errorf("the script before wpa_supplicant: %v", err)
	}
	// As ifstate.service, which there is none of in the guest. While it changes the port's address it gives the link
	// the one before, and the unit has it run once more.
	ip(t, house.ns, "link set wan address "+wanMACs["house"]+"\n")
	house.links(t)
	house.begin(t)
	works()
	ip(t, house.ns, "link del sec0\nlink add sec0 link wan type macsec cipher gcm-aes-256\nlink set sec0 master br-barn up\n")
	if failed, _ := house.fails(t); !slices.Contains(failed, "cipher fail: GCM-AES-256") {
		t.Errorf("another cipher suite: %q", failed)
	}
	ip(t, house.ns, "link del sec0\n")
	if failed, _ := house.fails(t); !slices.Contains(failed, "kind fail: not there") || !slices.Contains(failed, "encryption fail: not there") {
		t.Errorf("no link: %q", failed)
	}
	house.links(t)
	house.again(t)
	works()

	// The other end is away.
	barn.kill()
	nstest.Wait(t, func() error {
		failed, _ := house.fails(t)
		if !slices.Equal(failed, []string{"peer fail: none"}) {
			return errors.New(strings.Join(failed, "\n"))
		}
		return nil
	})
	silent("the other end is away")
	if seen("clear") || seen("clear6") {
		t.Error(barn.ns.Run(t, "nft", "list", "table", "netdev", "seen"))
	}
}
