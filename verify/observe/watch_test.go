package observe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// troubles is what a watcher told of its sources.
type troubles struct {
	mu  sync.Mutex
	now map[string]error
}

func (tr *troubles) tell(source string, err error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.now == nil {
		tr.now = map[string]error{}
	}
	tr.now[source] = err
}

func (tr *troubles) of(source string) error {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.now[source]
}

// happens waits for an event.
func happens(t *testing.T, events <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-events:
	case <-time.After(nstest.Patience):
		t.Fatalf("%s is no event", what)
	}
}

// quiet drains what comes until nothing has come for a while.
func quiet(events <-chan struct{}) {
	for {
		select {
		case <-events:
		case <-time.After(200 * time.Millisecond):
			return
		}
	}
}

func TestWatchSeesWhatChanges(t *testing.T) {
	ns := new(nstest.NS)
	var tr troubles
	events := Watch(t.Context(), WatchOptions{Root: t.TempDir(), Trouble: tr.tell})
	happens(t, events, "that it listens")
	quiet(events)
	for _, change := range []string{
		"ip link add w0 type veth peer name w1",
		"ip link set w0 up && ip link set w1 up",
		"ip addr add 192.0.2.1/24 dev w0",
		"ip addr add 2001:db8::1/64 dev w0 nodad",
		"ip route add 198.51.100.0/24 via 192.0.2.2",
		"ip -6 route add 2001:db8:1::/48 via 2001:db8::2",
		"ip rule add priority 1000 from 192.0.2.9 lookup main",
		"ip rule del priority 1000",
		"nft add table inet watched",
		"nft add chain inet watched input",
		"nft add rule inet watched input counter",
		"nft delete table inet watched",
		"ip link del w0",
	} {
		ns.Run(t, "sh", "-ec", change)
		happens(t, events, change)
		quiet(events)
	}
	if tr.of("units") == nil {
		t.Error("there is no bus in an empty folder, and that is not said")
	}
	if err := errors.Join(tr.of("nftables"), tr.of("links, addresses and routes")); err != nil {
		t.Error(err)
	}
}

// A look must not be a reason for the next one: it reads, and what it loads is in a
// network namespace of its own.
func TestALookIsNoEvent(t *testing.T) {
	nstest.Ruleset(t, goodTable)
	nstest.Upstream(t)
	events := Watch(t.Context(), WatchOptions{Root: t.TempDir(), Trouble: func(string, error) {}})
	happens(t, events, "that it listens")
	o := Options{Questions: []probe.Question{glances.Ask("wan"), runs.Ask(capabilities)}, Needs: []state.Need{{Kind: state.NeedRuleset, Name: "inet nbr", Text: goodTable}}}
	noEvent(t, events, func() {
		st := Look(t.Context(), o)
		if _, err := glances.Answer(st, "wan"); len(st.Rulesets["inet nbr"].Want) == 0 || nstest.Privileged(t) && err != nil {
			t.Fatalf("it did not look, or not ask: %v %v", st.Missed, err)
		}
	})
}

// noEvent fails if each look is an event. One or the other may have another reason: new links get
// addresses of their own, a boot goes on.
func noEvent(t *testing.T, events <-chan struct{}, look func()) {
	t.Helper()
	for range 20 {
		quiet(events)
		for range 3 {
			look()
		}
		select {
		case <-events:
		case <-time.After(500 * time.Millisecond):
			return
		}
	}
	t.Error("a look is an event")
}

// A storm is more than fits into the socket. What was lost is an event, and so is
// what comes after it.
func TestWatchSurvivesLostMessages(t *testing.T) {
	ns := new(nstest.NS)
	open := func() *os.File {
		f, err := subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		raw, err := f.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1) }); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	watched, witness := open(), open()
	ns.Run(t, "sh", "-ec", "for i in 1 2 3 4 5; do ip link add w0 type veth peer name w1; ip link del w0; done")
	if _, err := witness.Read(make([]byte, 64)); !errors.Is(err, syscall.ENOBUFS) {
		t.Fatalf("nothing was lost, so nothing is shown: %v", err)
	}
	events := make(chan struct{}, 1)
	ended := make(chan error)
	go func() {
		ended <- drain(watched, func() {
			select {
			case events <- struct{}{}:
			default:
			}
		})
	}()
	happens(t, events, "what was lost")
	quiet(events)
	ns.Run(t, "ip", "link", "add", "w0", "type", "veth", "peer", "name", "w1")
	happens(t, events, "what comes after it")
	ns.Run(t, "ip", "link", "del", "w0")
	if err := watched.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed socket: %v", err)
	}
}

// A reader that does not take events keeps no source waiting, and the end is the end of all.
func TestWatchEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	ctx, stop := context.WithCancel(t.Context())
	events := Watch(ctx, WatchOptions{Root: t.TempDir(), Trouble: func(string, error) {}})
	happens(t, events, "that it listens")
	new(nstest.NS).Run(t, "sh", "-ec", "for i in 1 2 3; do ip link add w0 type veth peer name w1; ip link del w0; done")
	stop()
	nstest.Wait(t, func() error {
		if n := runtime.NumGoroutine(); n > before {
			return fmt.Errorf("%d goroutines, and %d before", n, before)
		}
		return nil
	})
}

func TestWatchARealSystemd(t *testing.T) {
	ns := nstest.New(t, "router")
	root := lab.Rootfs(t, nil)
	d := root.Daemon(t, ns, "unshare", "--cgroup", "sh", "-ec", boot)
	d.Ready(t, func() error {
		st := look(context.WithoutCancel(t.Context()), Options{Root: root.Path("/")}, only("units"))
		if u := st.Units["breaks.service"]; u.Active != "failed" {
			return fmt.Errorf("breaks.service is %s: %v", u.Active, st.Missed)
		}
		return nil
	})
	var tr troubles
	events := Watch(t.Context(), WatchOptions{Root: root.Path("/"), Trouble: tr.tell})
	happens(t, events, "that it listens")
	quiet(events)
	if err := tr.of("units"); err != nil {
		t.Fatal(err)
	}
	noEvent(t, events, func() {
		st := look(t.Context(), Options{Root: root.Path("/")}, only("units"))
		if st.Units == nil {
			t.Fatal(st.Missed)
		}
	})
	start(t, root, "sleeps.service")
	happens(t, events, "a unit that starts")
	quiet(events)

	// The bus ends, and comes back when a client asks for it.
	start(t, root, "kills.service")
	nstest.Wait(t, func() error {
		if tr.of("units") == nil {
			return errors.New("the bus has gone, and it is not said")
		}
		return nil
	})
	nstest.Wait(t, func() error { return tr.of("units") }) // till the bus is back
	happens(t, events, "that the bus is back")
	quiet(events)
	start(t, root, "sleeps2.service")
	happens(t, events, "a unit that starts after that")
}

// start starts a unit of the systemd in root, by its bus.
func start(t *testing.T, root *lab.Root, unit string) {
	t.Helper()
	root.Run(t, new(nstest.NS), "busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "StartUnit", "ss", unit, "replace")
}
