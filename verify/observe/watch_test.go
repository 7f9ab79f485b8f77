package observe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
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

// A tap is a source that forgets nothing, and a witness: a second listener to the same things.
// What the witness has heard the source must tell, and nothing else.
type tap struct {
	told  chan struct{}
	heard func() int // by now, in all
	base  int        // what the source had told before the witness listened
}

// tapped starts a source. Its channel has room for everything that it tells.
func tapped(t *testing.T, s source, o WatchOptions) *tap {
	t.Helper()
	tp := &tap{told: make(chan struct{}, 1<<16)}
	go s.run(t.Context(), o, tp.told)
	nstest.Wait(t, func() error {
		if len(tp.told) == 0 {
			return fmt.Errorf("%s: it does not listen", s.name)
		}
		return nil
	})
	tp.base = len(tp.told)
	return tp
}

// catchUp waits until the source has told all that the witness has heard.
func (tp *tap) catchUp(t *testing.T, what string) {
	t.Helper()
	want := tp.base + tp.heard()
	nstest.Wait(t, func() error {
		if n := len(tp.told); n < want {
			return fmt.Errorf("%s: %d events, and the witness has heard %d", what, n, want)
		}
		return nil
	})
}

// netlinkTap is a tap of a source of netlink messages. The kernel has queued those of a change
// by the time the change is made.
func netlinkTap(t *testing.T, name string, protocol int, groups ...int) *tap {
	t.Helper()
	i := slices.IndexFunc(sources, func(s source) bool { return s.name == name })
	tp := tapped(t, sources[i], WatchOptions{Root: "/", Trouble: func(source string, err error) { t.Errorf("%s: %v", source, err) }})
	f, err := subscribe(protocol, groups...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	tp.heard = func() int {
		err := conn.Control(func(fd uintptr) {
			for {
				switch _, err := unix.Read(int(fd), make([]byte, 64)); {
				case errors.Is(err, unix.EAGAIN):
					return
				case err != nil && !errors.Is(err, unix.EINTR):
					t.Errorf("the witness: %v", err)
					return
				default:
					n++
				}
			}
		})
		if err != nil {
			t.Error(err)
		}
		return n
	}
	return tp
}

func netlinkTaps(t *testing.T) (links, rules *tap) {
	t.Helper()
	return netlinkTap(t, "links, addresses and routes", unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR,
			unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE),
		netlinkTap(t, "nftables", unix.NETLINK_NETFILTER, unix.NFNLGRP_NFTABLES)
}

func TestWatchSeesWhatChanges(t *testing.T) {
	ns := new(nstest.NS)
	links, rules := netlinkTaps(t)
	for _, change := range []string{
		"ip link add w0 type veth peer name w1",
		"ip link set w0 up && ip link set w1 up",
		"ip addr add 192.0.2.1/24 dev w0",
		"ip addr add 2001:db8::1/64 dev w0 nodad",
		"ip route add 198.51.100.0/24 via 192.0.2.2",
		"ip -6 route add 2001:db8:1::/48 via 2001:db8::2",
		"ip rule add priority 1000 from 192.0.2.9 lookup main",
		"ip rule del priority 1000",
		"ip -6 rule add priority 1000 from 2001:db8::9 lookup main",
		"ip -6 rule del priority 1000",
		"nft add table inet watched",
		"nft add chain inet watched input",
		"nft add rule inet watched input counter",
		"nft delete table inet watched",
		"ip link del w0",
	} {
		tp := links
		if strings.HasPrefix(change, "nft") {
			tp = rules
		}
		before := tp.heard()
		ns.Run(t, "sh", "-ec", change)
		if tp.heard() == before {
			t.Errorf("the kernel does not tell of %s", change)
		}
		tp.catchUp(t, change)
	}
}

// Where there is no bus, that is said, and the other sources go on.
func TestWatchSaysWhatItMisses(t *testing.T) {
	var tr troubles
	events := Watch(t.Context(), WatchOptions{Root: t.TempDir(), Trouble: tr.tell})
	happens(t, events, "that it listens")
	nstest.Wait(t, func() error {
		if tr.of("units") == nil {
			return errors.New("there is no bus in an empty folder, and that is not said")
		}
		return nil
	})
	if err := errors.Join(tr.of("nftables"), tr.of("links, addresses and routes")); err != nil {
		t.Error(err)
	}
}

// A look must not be a reason for the next one: it reads, and what it loads is in a
// network namespace of its own.
func TestALookIsNoEvent(t *testing.T) {
	nstest.Ruleset(t, goodTable)
	nstest.Upstream(t)
	links, rules := netlinkTaps(t)
	o := Options{Questions: []probe.Question{glances.Ask("wan"), runs.Ask(capabilities)}, Needs: []state.Need{{Kind: state.NeedRuleset, Name: "inet nbr", Text: goodTable}}}
	look := func() {
		st := Look(t.Context(), o)
		if _, err := glances.Answer(st, "wan"); len(st.Rulesets["inet nbr"].Want) == 0 || nstest.Privileged(t) && err != nil {
			t.Fatalf("it did not look, or not ask: %v %v", st.Missed, err)
		}
	}
	// A look or another may have company: new links get addresses of their own.
	noEvent(t, func() bool {
		quiet := true
		marks := map[*tap]string{links: "ip rule add priority 1000 from 192.0.2.9 lookup main && ip rule del priority 1000", rules: "nft add table inet marker && nft delete table inet marker"}
		var before, after [2]int
		for i, tp := range []*tap{links, rules} {
			tp.catchUp(t, "what was before")
			before[i] = tp.heard()
		}
		told := [2]int{len(links.told), len(rules.told)}
		for range 3 {
			look()
		}
		for i, tp := range []*tap{links, rules} {
			after[i] = tp.heard()
			new(nstest.NS).Run(t, "sh", "-ec", marks[tp])
			tp.catchUp(t, "a marker")
			// What comes before the marker would be the look's.
			quiet = quiet && after[i] == before[i] && len(tp.told)-told[i] == tp.heard()-after[i]
		}
		return quiet
	})
}

// noEvent fails if each round of looks has an event.
func noEvent(t *testing.T, round func() (quiet bool)) {
	t.Helper()
	for range 20 {
		if round() {
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
	told := make(chan struct{}, 1<<16)
	ended := make(chan error)
	go func() { ended <- drain(watched, func() { told <- struct{}{} }) }()
	// The storm's rest fits into the socket. It is read when the last of it is.
	readable := func() bool {
		conn, err := watched.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		ready := 0
		if err := conn.Control(func(fd uintptr) {
			ready, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLERR}}, 0)
		}); err != nil {
			t.Fatal(err)
		}
		return ready > 0
	}
	nstest.Wait(t, func() error {
		if len(told) == 0 || readable() {
			return errors.New("what was lost is no event")
		}
		return nil
	})
	before := len(told)
	ns.Run(t, "ip", "link", "add", "w0", "type", "veth", "peer", "name", "w1")
	// Two links: the first message read before may be told only now, the second is new.
	nstest.Wait(t, func() error {
		if len(told) < before+2 {
			return errors.New("what comes after it is no event")
		}
		return nil
	})
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
	i := slices.IndexFunc(sources, func(s source) bool { return s.name == "units" })
	tp := tapped(t, sources[i], WatchOptions{Root: root.Path("/"), Trouble: tr.tell})
	if err := tr.of("units"); err != nil {
		t.Fatal(err)
	}
	w := witness(t, root)
	tp.heard = w.heard
	start(t, root, "sleeps.service")
	w.waits(t, "the end of the job", isJobOf("sleeps.service"))
	tp.catchUp(t, "a unit that starts")
	noEvent(t, func() bool {
		tp.catchUp(t, "what was before")
		told := len(tp.told)
		w.forget()
		for range 3 {
			if st := look(t.Context(), Options{Root: root.Path("/")}, only("units")); st.Units == nil {
				t.Fatal(st.Missed)
			}
		}
		// The marker: signals of one sender come in order.
		describe(t, root, "sleeps.service")
		w.waits(t, "the marker", isOf("sleeps.service"))
		tp.base = told
		tp.catchUp(t, "the marker")
		return w.count(isOf("sleeps.service")) == w.heard() && len(tp.told) == told+w.heard()
	})

	// The bus ends, and comes back when a client asks for it.
	start(t, root, "kills.service")
	nstest.Wait(t, func() error {
		if tr.of("units") == nil {
			return errors.New("the bus has gone, and it is not said")
		}
		return nil
	})
	told := len(tp.told)
	nstest.Wait(t, func() error { return tr.of("units") }) // till the bus is back
	nstest.Wait(t, func() error {
		if len(tp.told) == told {
			return errors.New("that the bus is back is no event")
		}
		return nil
	})
	again := witness(t, root)
	told = len(tp.told)
	start(t, root, "sleeps2.service")
	again.waits(t, "the end of the job", isJobOf("sleeps2.service"))
	tp.base, tp.heard = told, again.heard
	tp.catchUp(t, "a unit that starts after that")
}

// The bus of a lab's machine, and systemd there.
const (
	systemdName = "org.freedesktop.systemd1"
	systemdPath = dbus.ObjectPath("/org/freedesktop/systemd1")
)

func busOf(root *lab.Root) string {
	return "unix:path=" + dbus.EscapeBusAddressValue(root.Path("/run/dbus/system_bus_socket"))
}

// A busWitness hears of units what the watcher does.
type busWitness struct {
	mu      sync.Mutex
	signals []*dbus.Signal
}

func witness(t *testing.T, root *lab.Root) *busWitness {
	t.Helper()
	w := &busWitness{}
	conn, err := dbus.Connect(busOf(root), dbus.WithContext(t.Context()), dbus.WithSignalHandler(w))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	for _, match := range []string{
		"interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path_namespace='/org/freedesktop/systemd1/unit',arg0='org.freedesktop.systemd1.Unit'",
		"interface='org.freedesktop.systemd1.Manager',member='JobRemoved'",
		"interface='org.freedesktop.systemd1.Manager',member='Reloading'",
	} {
		if err := conn.BusObject().CallWithContext(t.Context(), "org.freedesktop.DBus.AddMatch", 0, match).Err; err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Object(systemdName, systemdPath).CallWithContext(t.Context(), systemdName+".Manager.Subscribe", 0).Err; err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *busWitness) DeliverSignal(_, _ string, s *dbus.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.HasPrefix(string(s.Path), string(systemdPath)) {
		w.signals = append(w.signals, s)
	}
}

func (w *busWitness) heard() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.signals)
}

func (w *busWitness) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.signals = nil
}

// waits waits for a signal.
func (w *busWitness) waits(t *testing.T, what string, is func(*dbus.Signal) bool) {
	t.Helper()
	nstest.Wait(t, func() error {
		if w.count(is) == 0 {
			return fmt.Errorf("%s is not told", what)
		}
		return nil
	})
}

func (w *busWitness) count(is func(*dbus.Signal) bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.signals {
		if is(s) {
			n++
		}
	}
	return n
}

// isJobOf tells of the end of a unit's job, isOf of a change of the unit itself.
func isJobOf(unit string) func(*dbus.Signal) bool {
	return func(s *dbus.Signal) bool { return len(s.Body) == 4 && s.Body[2] == unit }
}

func isOf(unit string) func(*dbus.Signal) bool {
	path := systemdPath + "/unit/" + dbus.ObjectPath(systemd.PathBusEscape(unit))
	return func(s *dbus.Signal) bool { return s.Path == path }
}

// describe changes a unit, and nothing else: what it is called.
func describe(t *testing.T, root *lab.Root, unit string) {
	t.Helper()
	conn, err := dbus.Connect(busOf(root), dbus.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	type property struct {
		Name  string
		Value dbus.Variant
	}
	call := conn.Object(systemdName, systemdPath).CallWithContext(t.Context(), systemdName+".Manager.SetUnitProperties", 0,
		unit, true, []property{{"Description", dbus.MakeVariant("marked")}})
	if call.Err != nil {
		t.Fatal(call.Err)
	}
}

// start starts a unit of the systemd in root, by its bus.
func start(t *testing.T, root *lab.Root, unit string) {
	t.Helper()
	conn, err := dbus.Connect(busOf(root), dbus.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Object(systemdName, systemdPath).CallWithContext(t.Context(), systemdName+".Manager.StartUnit", 0, unit, "replace").Err; err != nil {
		t.Fatal(err)
	}
}
