package referee_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// entered counts what came from the ISP to the router or through it behind all that may drop it.
const entered = `
table inet entered {
  chain input {
    type filter hook input priority filter + 10
    iifname "wan" udp dport 9 counter comment "to the router"
  }
  chain forward {
    type filter hook forward priority filter + 10
    iifname "wan" udp dport 9 counter comment "to the LAN"
  }
}
`

// forwardings are the two parameters, IPv4's and IPv6's.
func (r *wholeRouter) forwardings(t *testing.T) string {
	t.Helper()
	return r.Run(t, "sysctl", "-n", "net.ipv4.conf.all.forwarding", "net.ipv6.conf.all.forwarding")
}

// In whichever order the firewall, the kernel parameters and the links are set up anew, while the
// world sends: nothing passes that may not, the router is one afterwards, and nbr verify has
// nothing to say.
func TestRestartsInEveryOrder(t *testing.T) {
	t.Parallel()
	r := bootRouter(t)
	// Another program's file: NixOS's own does not say anything about it.
	r.Root.Write(t, "/etc/sysctl.d/99-other.conf", "net.ipv4.conf.all.forwarding=0\nnet.ipv6.conf.all.forwarding=0\n")
	ip(t, r.isp, "route add 192.168.178.0/24 via 198.51.100.50\n")
	ip(t, r.client, "addr add 192.168.178.50/24 dev eth0\nroute add default via 192.168.178.1\n")
	if wrong := r.settles(t); len(wrong) > 0 {
		t.Fatalf("nbr verify on a healthy router: %v", wrong)
	}
	r.Root.Write(t, "/root/entered.nft", entered)
	r.Run(t, "nft", "-f", "/root/entered.nft")
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	steps := map[string]func(){
		"nftables": func() { r.Systemctl(t, "restart", "nftables") },
		"sysctl":   func() { r.Systemctl(t, "restart", "systemd-sysctl") },
		"ifstate":  func() { apply(t, ifstate, r.router, r.g) },
	}
	for _, order := range [][]string{
		{"nftables", "sysctl", "ifstate"},
		{"nftables", "ifstate", "sysctl"},
		{"sysctl", "nftables", "ifstate"},
		{"sysctl", "ifstate", "nftables"},
		{"ifstate", "nftables", "sysctl"},
		{"ifstate", "sysctl", "nftables"},
	} {
		name := strings.Join(order, ", ")
		sent := bombarded(t, r.isp, func() {
			for _, step := range order {
				steps[step]()
			}
		})
		for what, n := range comments(t, r.Run(t, "nft", "-j", "list", "table", "inet", "entered")) {
			if n != 0 || sent == 0 {
				t.Errorf("%s: of %d packets %d came %s", name, sent, n, what)
			}
		}
		if wrong := r.settles(t); len(wrong) > 0 {
			t.Errorf("%s: %v\n%s", name, wrong, r.Journal(t, "nftables", "nbr-forwarding", "nbr-forwarding-again", "nbr-guard-lifted"))
		}
		if got := r.forwardings(t); got != "1\n1\n" {
			t.Errorf("%s: forwarding is %q", name, got)
		}
		check(t, []flow{{name, r.client, "", "tcp", "198.51.100.1:80", "198.51.100.50 at isp"}})
	}
	t.Run("a reload interrupts nothing", func(t *testing.T) { r.reloads(t) })
	t.Run("a failed start", func(t *testing.T) { r.failsToStart(t) })
}

// bombarded does something while the ISP's host sends to the LAN and to the router, and returns how
// much.
func bombarded(t *testing.T, isp *nstest.NS, do func()) (sent int) {
	t.Helper()
	raw, done := rawIPv4(t, isp), make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		sent = flood(raw, 9, [][2]string{{"198.51.100.1", "192.168.178.50"}, {"198.51.100.1", "198.51.100.50"}}, 100*time.Microsecond, done)
	})
	func() {
		defer close(done)
		do()
	}()
	wg.Wait()
	return sent
}

// reloads is what a switch of the system does: the units that stand for the firewall stay as they
// are.
func (r *wholeRouter) reloads(t *testing.T) {
	units := []string{"show", "--property=InvocationID", "nbr-forwarding", "nbr-guard-lifted", "nftables"}
	before := r.Run(t, append([]string{"systemctl"}, units...)...)
	for _, unit := range []string{"nftables", "nbr-forwarding", "nbr-guard-lifted"} {
		r.Systemctl(t, "reload", unit)
	}
	if after := r.Run(t, append([]string{"systemctl"}, units...)...); after != before {
		t.Errorf("units were started anew: %s, before: %s", after, before)
	}
	if got := r.forwardings(t); got != "1\n1\n" {
		t.Errorf("forwarding is %q", got)
	}
}

// failsToStart stops the firewall, starts one that does not load and mends it. Forwarding is off
// until then, whatever happens to the kernel parameters.
func (r *wholeRouter) failsToStart(t *testing.T) {
	r.Run(t, must("cp /etc/nftables.conf /root/good; echo nonsense >>/etc/nftables.conf")...)
	if _, err := r.Try(t, "systemctl", "restart", "nftables"); err == nil {
		t.Fatal("nonsense was loaded")
	}
	r.Systemctl(t, "restart", "systemd-sysctl")
	if got := r.forwardings(t); got != "0\n0\n" {
		t.Errorf("forwarding is %q without a firewall", got)
	}
	if tables := r.Run(t, "nft", "list", "tables"); !strings.Contains(tables, "nbr-guard") {
		t.Errorf("nothing is loaded but %s", tables)
	}
	r.Run(t, must("cp /root/good /etc/nftables.conf; systemctl start nftables")...)
	if wrong := r.settles(t); len(wrong) > 0 {
		t.Errorf("mended, and still: %v", wrong)
	}
}

// A ruleset that does not load must not leave the router open: at boot the minimal one is there
// before the links are, and drops all but ssh from where the spec lets it in.
func TestBootWithoutTheRules(t *testing.T) {
	t.Parallel()
	r := &wholeRouter{g: fromDir(t, article), client: nstest.New(t, "client"), isp: nstest.New(t, "isp")}
	r.router = board(t, map[string]*nstest.NS{"wan": r.isp, "lan1": r.client})
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	apply(t, ifstate, r.router, r.g)
	ip(t, r.router, "addr add 198.51.100.50/24 dev wan\n")
	ip(t, r.isp, "addr add 198.51.100.1/24 dev eth0\nroute add 192.168.178.0/24 via 198.51.100.50\n")
	ip(t, r.client, "addr add 192.168.178.50/24 dev eth0\nroute add default via 192.168.178.1\n")

	files, units := r.disk(t)
	good := files["/etc/nftables.conf"]
	files["/etc/nftables.conf"] += "nonsense\n"
	// It only looks what is loaded when the links would come up.
	files["/etc/systemd/system/ifstate.service"] = "[Unit]\nAfter=network-pre.target\n[Service]\nType=oneshot\nExecStart=sh -c 'nft list tables >/run/loaded'\n"
	var wanted []string
	for _, unit := range append(units, "ifstate.service") {
		if strings.HasPrefix(unit, "nbr-") && unit != "nbr-verify.service" || unit == "nftables.service" || unit == "sshd.service" || unit == "ifstate.service" {
			wanted = append(wanted, unit)
		}
	}
	r.Machine = lab.BootFailing(t, r.router, files, []string{"nftables.service"}, wanted...)
	if got := r.Run(t, "cat", "/run/loaded"); got != "table inet nbr-guard\n" {
		t.Errorf("when the links come up, what is loaded is %q", got)
	}
	if got := r.forwardings(t); got != "0\n0\n" {
		t.Errorf("forwarding is %q", got)
	}
	listen(t, r.router, "tcp", 8080)
	listen(t, r.router, "udp", 8080)
	listen(t, r.isp, "tcp", 80)
	var flows []flow
	for _, to := range []string{"192.168.178.1", "198.51.100.50"} {
		for _, proto := range []string{"tcp", "udp"} {
			flows = append(flows, flow{"from wan", r.isp, "", proto, to + ":22", "drop"},
				flow{"from wan", r.isp, "", proto, to + ":8080", "drop"},
				flow{"from lan", r.client, "", proto, to + ":8080", "drop"})
		}
	}
	check(t, append(flows, flow{"through", r.client, "", "tcp", "198.51.100.1:80", "drop"}))
	if got, err := (flow{from: r.client, proto: "tcp", to: "192.168.178.1:22"}).try(nil); !strings.HasPrefix(got, "SSH-2.0-") {
		t.Errorf("ssh from the LAN: %s %v", got, err)
	}

	r.Root.Write(t, "/etc/nftables.conf", good)
	r.Systemctl(t, "start", "nftables", "nbr-guard-lifted", "nbr-forwarding")
	if got := r.Run(t, "nft", "list", "tables"); got != "table inet nbr\n" {
		t.Errorf("mended, and loaded is %q", got)
	}
	if got := r.forwardings(t); got != "1\n1\n" {
		t.Errorf("mended, and forwarding is %q", got)
	}
	check(t, []flow{{"the router itself", r.router, "", "tcp", "198.51.100.1:80", "198.51.100.50 at isp"}})
}
