package nstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// An NS is a network namespace: a machine of a test's little network. The zero value is the
// one that the test binary itself is in.
type NS struct {
	name string // as ip-netns(8) knows it
}

var counter atomic.Int64

// settled sets lo up in a new network namespace and switches duplicate address detection off.
const settled = "ip link set lo up && for i in all default; do echo 0 >/proc/sys/net/ipv6/conf/$i/accept_dad; done"

// New makes a network namespace, with lo up, that lasts as long as the test. The name is for
// messages; tests may use the same ones at the same time.
//
// IPv6 addresses in it are usable at once: duplicate address detection, which nothing on a
// test's wires can fail, would hold each of them back for a second or two.
func New(t testing.TB, name string) *NS {
	t.Helper()
	Require(t)
	ns := &NS{name: fmt.Sprintf("%s-%d", name, counter.Add(1))}
	self := new(NS)
	self.Run(t, "ip", "netns", "add", ns.name)
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "del", ns.name).CombinedOutput(); err != nil {
			t.Errorf("nstest: ip netns del %s: %v: %s", ns.name, err, out)
		}
	})
	ns.Run(t, "sh", "-c", settled)
	return ns
}

// Command is a program to be run in the namespace. It is killed, with the processes of its
// group, when the test ends.
func (ns *NS) Command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	Require(t)
	argv := ns.Args(append([]string{name}, args...)...)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	// Its output stays open in what other tests are starting, too, and that can take a busy machine
	// many seconds: it copies the mounts of all tests.
	cmd.WaitDelay = Patience
	return cmd
}

// Args is the command line that runs argv in the namespace, for callers who start it in a way
// of their own.
func (ns *NS) Args(argv ...string) []string {
	if ns.name == "" {
		return argv
	}
	return append([]string{"ip", "netns", "exec", ns.name}, argv...)
}

// Run runs a program in the namespace and returns what it wrote to standard output; the test
// fails if the program does.
func (ns *NS) Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := ns.Try(t, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Try is [NS.Run] for programs that may fail. The error carries what was written to both
// outputs.
func (ns *NS) Try(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	return Output(ns.Command(t, name, args...))
}

// Link makes a cable: a veth pair with one end in each namespace, both up and with a carrier.
// Until the kernel has noticed that of an end (net/core/link_watch.c), which may take it a second,
// it drops what is sent there.
func Link(t testing.TB, a *NS, aPort string, b *NS, bPort string) {
	t.Helper()
	new(NS).Run(t, "ip", "link", "add", aPort, "netns", a.id(), "type", "veth", "peer", "name", bPort, "netns", b.id())
	for ns, port := range map[*NS]string{a: aPort, b: bPort} {
		if ns.name == "" {
			// The kernel takes its time to remove a namespace, and this end dies with the other.
			t.Cleanup(func() { _ = exec.Command("ip", "link", "del", port).Run() })
		}
		ns.Run(t, "ip", "link", "set", port, "up")
	}
	for ns, port := range map[*NS]string{a: aPort, b: bPort} {
		ns.Carrier(t, port)
	}
}

// Carrier waits until a link is ready to carry packets. It may be a port of a bridge, and a bridge
// is ready when one of its ports is.
func (ns *NS) Carrier(t testing.TB, port string) {
	t.Helper()
	Wait(t, func() error {
		if out := ns.Run(t, "ip", "-o", "link", "show", "dev", port); !carries.MatchString(out) {
			return errors.New("no carrier: " + out)
		}
		return nil
	})
}

// carries is of the flags of a link that is up, and whose carrier the kernel has acted on.
var carries = regexp.MustCompile(`LOWER_UP.* state UP `)

func (ns *NS) id() string {
	if ns.name == "" {
		return strconv.Itoa(os.Getpid())
	}
	return ns.name
}

// Output runs a command and returns its standard output. The error says which command failed
// and how, with both outputs.
func Output(cmd *exec.Cmd) (string, error) {
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w\n%s%s", strings.Join(cmd.Args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}
