package nstest

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Privileged tells whether this is root of the machine and not of a user namespace,
// where no XDP program may be loaded (user_namespaces(7), bpf(2)).
func Privileged(t testing.TB) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(text))
	return os.Geteuid() == 0 && len(f) == 3 && f[2] == "4294967295"
}

// Run runs a program of this machine, also when the test's context has ended.
func Run(t testing.TB, stdin, name string, args ...string) {
	t.Helper()
	Require(t)
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if _, err := Output(cmd); err != nil {
		t.Error(err)
	}
}

// IP runs lines of ip(8) commands here, and what undoes them when the test ends.
func IP(t testing.TB, do, undo string) {
	t.Helper()
	Run(t, do, "ip", "-batch", "-")
	t.Cleanup(func() { Run(t, undo, "ip", "-batch", "-") })
}

// Filter loads rules for what comes in.
func Filter(t testing.TB, policy, rules string) {
	t.Helper()
	Run(t, "table inet reach {\nchain input {\ntype filter hook input priority 0; policy "+policy+";\niif lo accept\n"+rules+"\n}\n}\n", "nft", "-f", "-")
	t.Cleanup(func() { Run(t, "", "nft", "delete", "table", "inet", "reach") })
}

// Ruleset makes tables of this text and no others, until the test ends.
func Ruleset(t testing.TB, text string) {
	t.Helper()
	Run(t, "flush ruleset\n"+text, "nft", "-f", "-")
	t.Cleanup(func() { Run(t, "flush ruleset\n", "nft", "-f", "-") })
}

// Upstream gives this machine a wan whose gateway is another one.
func Upstream(t testing.TB) *NS {
	t.Helper()
	isp := New(t, "isp")
	Link(t, new(NS), "wan", isp, "eth0")
	isp.Run(t, "ip", "addr", "add", "100.64.0.1/24", "dev", "eth0")
	Run(t, "addr add 100.64.0.2/24 dev wan\nroute add default via 100.64.0.1\n", "ip", "-batch", "-")
	new(NS).Carrier(t, "wan")
	return isp
}

// NeverAccept listens and takes no connection. It has room for one; full fills that.
func NeverAccept(t testing.TB, address string, full bool) {
	t.Helper()
	Require(t)
	to := netip.MustParseAddrPort(address)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		t.Cleanup(func() { _ = unix.Close(fd) })
		err = errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
			unix.Bind(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}),
			unix.Listen(fd, 0),
		)
	}
	if err != nil {
		t.Fatal(err)
	}
	if full {
		c, err := net.Dial("tcp4", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
}
