//go:build guest

package referee_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// shaped are the checks of shapers that do not pass, and how many do.
func shaped(t *testing.T, plan *verify.Plan, router *nstest.NS) (others []string, passed int) {
	t.Helper()
	st := &state.State{Time: time.Now().Unix()}
	// What is asked of is in /sys, which shows the namespace that it was mounted in.
	if err := within(router, func() error { st.Probes = answersTo(t, plan, "shaper."); return nil }); err != nil {
		t.Fatal(err)
	}
	results, err := verify.Eval(plan, st)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		switch {
		case !strings.HasPrefix(r.ID, "shaper."):
		case r.Status == verify.Pass:
			passed++
		default:
			others = append(others, fmt.Sprintf("%s %s: %s", r.ID, r.Status, r.Got))
		}
	}
	return others, passed
}

// transfer sends n bytes by TCP and returns how long they took.
func transfer(t *testing.T, from, to *nstest.NS, address string, n int) time.Duration {
	t.Helper()
	var l net.Listener
	err := within(to, func() (err error) {
		l, err = net.Listen("tcp", address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan int64, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			got <- -1
			return
		}
		defer c.Close()
		n, _ := io.Copy(io.Discard, c)
		got <- n
	}()
	c := dial(t, from, address)
	begin := time.Now()
	if _, err := c.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if g := <-got; g != int64(n) {
		t.Fatalf("%d of %d bytes arrived", g, n)
	}
	return time.Since(begin)
}

// IfState sets up the queues of both directions, a second run has nothing to do, nothing is faster
// than the spec says, and nbr verify finds what was set up and what another hand has changed.
func TestGuestShaper(t *testing.T) {
	isp, guest := nstest.New(t, "isp"), nstest.New(t, "guest")
	router := boardOf(t, map[string]cable{"wan": {isp, "line"}, "lan1": {guest, "eth0"}})
	ip(t, isp, "link add link line name line.7 type vlan id 7\nlink set line.7 up\naddr add 198.51.100.1/24 dev line.7\n")
	ip(t, guest, "addr add 192.168.1.5/24 dev eth0\nroute add default via 192.168.1.1\n")
	config, err := os.ReadFile("/shaper/links")
	if err != nil {
		t.Fatal(err)
	}
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	applyConfig(t, ifstate, router, string(config))
	spec, diags := (&service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}).Load(fstest.MapFS{"router.hcl": {Data: []byte(shapedRouter)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	plan := spec.Plan()
	const all = 2 * (5 + 4 + 1)
	if others, passed := shaped(t, plan, router); len(others) > 0 || passed != all {
		t.Fatalf("%d pass of %d, and these do not:\n%s", passed, all, strings.Join(others, "\n"))
	}

	// What is shaped is never faster. CAKE lets a burst of a few packets through.
	for _, way := range []struct {
		name     string
		from, to *nstest.NS
		address  string
		rate     int // bit/s
	}{
		{"upload", router, isp, "198.51.100.1:5001", 8_000_000},
		{"download", isp, router, "198.51.100.2:5002", 12_000_000},
		{"upload of guests", guest, router, "192.168.1.1:5003", 3_000_000},
		{"download of guests", router, guest, "192.168.1.5:5004", 6_000_000},
	} {
		const n = 500_000
		ideal := time.Duration(n) * 8 * time.Second / time.Duration(way.rate)
		if took := transfer(t, way.from, way.to, way.address, n); took < ideal*9/10 {
			t.Errorf("%s: %d bytes in %s, which take %s at %d bit/s", way.name, n, took, ideal, way.rate)
		}
	}

	for _, tt := range []struct{ change, back, want string }{
		{"qdisc change dev internet root cake bandwidth 9mbit", "qdisc change dev internet root cake bandwidth 8mbit", "shaper.line/upload fail: 9mbit"},
		{"qdisc change dev ifb-internet root cake unlimited", "qdisc change dev ifb-internet root cake bandwidth 12mbit", "shaper.line/download fail: unlimited"},
		{"qdisc change dev ifb-internet root cake overhead 30 atm", "qdisc change dev ifb-internet root cake overhead 34 ptm", "shaper.line/download/framing fail: overhead 30 mpu 0 atm"},
		{"qdisc change dev internet root cake diffserv3", "qdisc change dev internet root cake diffserv4", "shaper.line/upload/priority fail: diffserv3"},
		{"qdisc change dev internet root cake no-ack-filter", "qdisc change dev internet root cake ack-filter", "shaper.line/upload/ack_filter fail: off"},
		{"qdisc change dev lan1 root cake nat", "qdisc change dev lan1 root cake nonat", "shaper.guests/download/shares fail: dual-dsthost nat"},
		{"filter del dev lan1 ingress", "filter add dev lan1 parent ffff: matchall action mirred egress redirect dev ifb-lan1", "shaper.guests/redirect fail: does not wait"},
	} {
		router.Run(t, "tc", strings.Fields(tt.change)...)
		others, _ := shaped(t, plan, router)
		if d := cmp.Diff([]string{tt.want}, others); d != "" {
			t.Error(tt.change, d)
		}
		router.Run(t, "tc", strings.Fields(tt.back)...)
	}
	nstest.Wait(t, func() error {
		if others, _ := shaped(t, plan, router); len(others) > 0 {
			return errors.New(strings.Join(others, "\n"))
		}
		return nil
	})
	ip(t, router, "link del ifb-internet\n")
	others, _ := shaped(t, plan, router)
	if len(others) != 5 || others[0] != "shaper.line/download fail: queue: none" || others[4] != "shaper.line/redirect fail: dropped, for the interface is gone" {
		t.Errorf("without its interface: %q", others)
	}
}
