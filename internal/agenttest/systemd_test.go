package agenttest

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/observe"
	"github.com/nbr-dev/nbr/verify/state"
)

// boot makes a systemd the first process of the router's file system: its own control
// groups, the accounts that NixOS makes, and what waits on sockets. It does not stay in
// a chroot, as lab's programs do: the kernel makes no user namespaces in one.
const boot = `cd "$0"
mount -t proc proc proc
mount -t sysfs sysfs sys
mkdir -p oldroot
pivot_root . oldroot
umount -l /oldroot
mkdir -p /dev/pts
mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts
ln -s pts/ptmx /dev/ptmx
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/systemd/system
for u in nbr-agent:x:990 nbr-look:x:991; do
echo $u:${u##*:}::/var/empty:/usr/sbin/nologin >>/etc/passwd
echo $u: >>/etc/group
done
cat >/run/systemd/system/lab.target <<X
[Unit]
Requires=dbus.socket dbus.service nbr-look.socket systemd-journald.service
After=dbus.service nbr-look.socket
X
cat >/run/systemd/system/waits.service <<X
[Service]
User=nobody
ExecStart=/bin/nc -lk 192.0.2.1 7777
X
exec env -i container=lab PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd --system --unit=lab.target`

// table is a firewall to be compared.
const table = "table inet nbr {\n\tchain input {\n\t\ttype filter hook input priority 0; policy accept;\n\t}\n}\n"

// withSecret is the test's spec with a secret in a folder that only root may enter.
const withSecret = spec + `
secret "key" {
  path = "/var/keys/key"
}
`

// A machine is a router with a real systemd in it.
type machine struct {
	t    *testing.T
	ns   *nstest.NS
	root *lab.Root
}

func newMachine(t *testing.T, settings string) *machine {
	t.Helper()
	m := &machine{t, nstest.New(t, "router"), nil}
	bridge(t, m.ns)
	m.ns.Run(t, "sh", "-ec", "nft -f - <<'X'\n"+table+"X")
	m.root = lab.Rootfs(t, lab.Files{"/etc/nbr/spec/router.hcl": withSecret, "/var/keys/key": "secret"})
	for path, mode := range map[string]os.FileMode{"/var/keys/key": 0o400, "/var/keys": 0o700} {
		if err := os.Chmod(m.root.Path(path), mode); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, binary(t), m.root.Path("/usr/bin/nbr"), 0o755)
	units := evaluated(t, settings)
	for _, name := range slices.Sorted(maps.Keys(units)) {
		m.root.Write(t, "/etc/systemd/system/"+name, unitFile(units[name]))
	}
	for name, more := range map[string]string{
		"nbr-agent": "", "nbr-look@": "",
		// What is wrong here does not get better.
		"nbr-verify": "StandardOutput=append:/run/nbr-verify.log\nExecStart=\nExecStart=/usr/bin/nbr verify /etc/nbr/spec\n",
	} {
		m.root.Write(t, "/run/systemd/system/"+name+".service.d/log.conf", "[Service]\nStandardError=append:/run/"+name+".log\n"+more)
	}
	pid1 := m.ns.Command(t, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--cgroup", "sh", "-ec", boot, m.root.Path("/"))
	if err := pid1.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = pid1.Cancel()
		_ = pid1.Wait()
	})
	m.until(func() error {
		c, err := net.Dial("unix", m.root.Path("/run/nbr-look.sock"))
		if err == nil {
			c.Close()
		}
		return err
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("nbr-agent.service wrote:\n%s\nnbr-look@.service wrote:\n%s", m.said("nbr-agent"), m.said("nbr-look@"))
		}
	})
	m.job((*systemd.Conn).StartUnitContext, "waits.service")
	return m
}

// until waits until a condition holds.
func (m *machine) until(holds func() error) {
	m.t.Helper()
	nstest.Wait(m.t, holds)
}

// said is what a unit has written.
func (m *machine) said(unit string) string {
	b, err := os.ReadFile(m.root.Path("/run/" + unit + ".log"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// systemd is the way to the manager, whose jobs are done when this returns. The bus may hang up
// while it or the manager reads its files again: asking twice does what asking once does.
func (m *machine) systemd(do func(context.Context, *systemd.Conn, chan<- string) error) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), nstest.Patience)
	defer cancel()
	var conn *systemd.Conn
	var done chan string
	nstest.Wait(m.t, func() (err error) {
		conn, err = systemd.NewConnection(func() (*dbus.Conn, error) {
			c, err := dbus.Dial("unix:path="+m.root.Path("/run/dbus/system_bus_socket"), dbus.WithContext(ctx))
			if err == nil {
				if err = c.Auth([]dbus.Auth{dbus.AuthExternal("0")}); err == nil {
					err = c.Hello()
				}
			}
			return c, err
		})
		if err != nil {
			return err
		}
		done = make(chan string, 1)
		if err = do(ctx, conn, done); err != nil {
			conn.Close()
		}
		return err
	})
	defer conn.Close()
	select {
	case result := <-done:
		if result != "done" {
			list, err := conn.ListUnitsByPatternsContext(ctx, nil, []string{"nbr-*"})
			props, _ := conn.GetUnitTypePropertiesContext(ctx, "nbr-agent.service", "Service")
			m.t.Fatalf("the job is %s: %+v %v %v %v", result, list, err, props["Result"], props["ExecMainStatus"])
		}
	case <-ctx.Done():
		m.t.Fatal("the job is not done")
	}
}

// job starts, stops or reloads a unit.
func (m *machine) job(do func(*systemd.Conn, context.Context, string, string, chan<- string) (int, error), unit string) {
	m.t.Helper()
	m.systemd(func(ctx context.Context, conn *systemd.Conn, done chan<- string) error {
		_, err := do(conn, ctx, unit, "replace", done)
		return err
	})
}

func (m *machine) reread() {
	m.t.Helper()
	m.systemd(func(ctx context.Context, conn *systemd.Conn, done chan<- string) error {
		err := conn.ReloadContext(ctx)
		done <- "done"
		return err
	})
}

// look is what the agent gets from the other side of the socket.
func (m *machine) look() *state.State {
	m.t.Helper()
	conn, err := net.Dial("unix", m.root.Path("/run/nbr-look.sock"))
	if err != nil {
		m.t.Fatal(err)
	}
	defer conn.Close()
	st, err := observe.Load(conn)
	if err != nil {
		m.t.Fatal(err)
	}
	return st
}

// What the unit may do is what it needs: with it everything is seen that root sees, and
// with each capability less something is not.
func TestLookNeedsItsCapabilities(t *testing.T) {
	m := newMachine(t, agentOn)
	st := m.look()
	for _, part := range []string{"tables", "listeners", "files", "units", "clock", "wireguard", "kernel", "sysctls", "users"} {
		if why, missed := st.Missed[part]; missed {
			t.Errorf("%s: %s", part, why)
		}
	}
	if st.Files["/var/keys/key"].Mode != "0400" {
		t.Errorf("the secret: %+v", st.Files)
	}
	if !slices.ContainsFunc(st.Listeners, func(l state.Listener) bool { return l.Port == 7777 && l.Program == "nc" }) {
		t.Errorf("a program of another user: %+v", st.Listeners)
	}
	if r := st.Rulesets["inet nbr"]; len(r.Got) == 0 || len(r.Want) == 0 {
		t.Errorf("the ruleset: %d lines, and %d as it should be", len(r.Got), len(r.Want))
	}
	if u := st.Units["waits.service"]; u.Active != "active" {
		t.Errorf("waits.service: %+v", u)
	}

	all := evaluated(t, agentOn)["nbr-look@.service"].Service["CapabilityBoundingSet"].([]any)
	for _, without := range all {
		var rest []string
		for _, c := range all {
			if c != without {
				rest = append(rest, c.(string))
			}
		}
		set := strings.Join(rest, " ")
		m.root.Write(t, "/run/systemd/system/nbr-look@.service.d/less.conf",
			"[Service]\nAmbientCapabilities=\nAmbientCapabilities="+set+"\nCapabilityBoundingSet=\nCapabilityBoundingSet="+set+"\n")
		m.reread()
		less := m.look()
		// Without the right to look at a process there is none to see.
		if slices.ContainsFunc(less.Listeners, func(l state.Listener) bool { return l.Port == 7777 && l.Program == "" }) {
			less.Missed["programs of sockets"] = "hidden"
		}
		lost := slices.DeleteFunc(slices.Sorted(maps.Keys(less.Missed)), func(part string) bool { return st.Missed[part] != "" })
		t.Logf("without %s: no %s", without, strings.Join(lost, ", "))
		if len(lost) == 0 {
			t.Errorf("nothing is lost without %s, so it is not needed", without)
		}
	}
}

// Asking takes two more: that no host outside reaches the resolver is seen by a packet
// that arrives as if from there, and by what goes back. The gateway says its MAC, so what goes back
// gets out.
func TestLookAsksWithItsCapabilities(t *testing.T) {
	m := newMachine(t, strings.Replace(agentOn, "passive = true", "passive = false", 1))
	isp := nstest.New(t, "isp")
	nstest.Link(t, m.ns, "wan", isp, "eth0")
	isp.Run(t, "ip", "addr", "add", "203.0.113.1/24", "dev", "eth0")
	m.ns.Run(t, "sh", "-ec", "ip addr add 203.0.113.2/24 dev wan; ip route add default via 203.0.113.1")
	m.root.Write(t, "/etc/nbr/spec/router.hcl", strings.Replace(spec, "[network.lan]\n}", "[network.lan]\n  allow = [\"dns\"]\n}\n\nresolver {\n  networks = [network.lan]\n}", 1))
	probed := func() state.Probed {
		t.Helper()
		st := m.look()
		r, ok := st.Probes["nftables.port"]["wan udp/53"]
		if !ok {
			t.Fatalf("the port was not probed: %+v %v", st.Probes, st.Missed)
		}
		return r
	}
	// Until udev has given the new link its lasting MAC the look may say that the link has changed.
	m.until(func() error {
		if r := probed(); !strings.Contains(string(r.Answer), `"ICMP port unreachable"`) {
			return fmt.Errorf("a port that is closed: %s %s", r.Answer, r.Error)
		}
		return nil
	})
	for without, why := range map[string]string{
		"CAP_BPF":     "no permission to make a packet arrive",
		"CAP_NET_RAW": "no permission to hear what leaves",
	} {
		set := "CapabilityBoundingSet=~" + without + "\nAmbientCapabilities=~" + without + "\n"
		m.root.Write(t, "/run/systemd/system/nbr-look@.service.d/less.conf", "[Service]\n"+set)
		m.reread()
		if r := probed(); !strings.HasPrefix(r.Error, why) {
			t.Errorf("without %s: %s %q, want %q", without, r.Answer, r.Error, why)
		}
	}
}

// A router that is not what its spec promises is no reason to call the switch failed,
// and is told all the same.
func TestVerifyAfterASwitch(t *testing.T) {
	m := newMachine(t, agentOn)
	m.job((*systemd.Conn).StartUnitContext, "nbr-verify.service")
	if !strings.Contains(m.said("nbr-verify"), "[firmware/kernel]") {
		t.Errorf("it said:\n%s", m.said("nbr-verify"))
	}
	if u := m.look().Units["nbr-verify.service"]; u.Active == "failed" {
		t.Errorf("the unit: %+v", u)
	}
}

// The whole thing, as a router has it: two units, no privilege where pages are served.
func TestAgentAsAUnit(t *testing.T) {
	m := newMachine(t, agentOn)
	m.job((*systemd.Conn).StartUnitContext, "nbr-agent.service") // done when it is ready
	r := &running{t: t, ns: m.ns, ended: make(chan struct{}), socket: m.root.Path("/run/nbr-agent/metrics.sock")}
	r.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", r.socket)
	}}, Timeout: nstest.Patience}

	status := func(check, status string) func() error {
		return func() error {
			block, _, _ := strings.Cut(check, "/")
			if s := fmt.Sprintf(`nbr_check_status{block=%q,check=%q,status=%q}`, block, check, status); r.metric(s) != 1 {
				return fmt.Errorf("%s is not 1", s)
			}
			return nil
		}
	}
	r.until(func() error {
		if code, body, err := r.get("/report"); err != nil || code != 200 {
			return fmt.Errorf("/report: %d %v %s", code, err, body)
		}
		return nil
	})
	r.until(status("network.lan/ipv4", "pass"))
	r.until(status("agent/socket", "pass"))
	r.until(status("agent/unit", "pass"))
	if strings.Contains(m.said("nbr-agent"), "check=agent/unit is=fail") {
		t.Errorf("it saw itself begin:\n%s", m.said("nbr-agent"))
	}
	if n := r.metric("nbr_look_errors_total"); n != 0 {
		t.Errorf("%.0f looks came to nothing", n)
	}

	t.Logf("resident: %.0f kB", r.metric("process_resident_memory_bytes")/1024)

	// It becomes quiet when nothing happens, though each look starts a unit: what the boot has
	// left to do ends, and then two rounds have no look for an event between them.
	before, rounds := -1.0, 0.0
	r.until(func() error {
		n, now := r.metric(`nbr_looks_total{trigger="event"}`), r.metric(`nbr_looks_total{trigger="interval"}`)
		if n != before {
			before, rounds = n, now
		}
		if now < rounds+2 {
			return fmt.Errorf("%.0f looks for events, and %.0f rounds since the last", n, now-rounds)
		}
		return nil
	})

	m.ns.Run(t, "ip", "addr", "del", "192.0.2.1/24", "dev", "br-lan")
	r.until(status("network.lan/ipv4", "fail"))
	m.ns.Run(t, "ip", "addr", "add", "192.0.2.1/24", "dev", "br-lan")
	r.until(status("network.lan/ipv4", "pass"))

	m.root.Write(t, "/etc/nbr/spec/router.hcl", strings.Replace(withSecret, "192.0.2.1/24", "192.0.2.9/24", 1))
	m.job((*systemd.Conn).ReloadUnitContext, "nbr-agent.service")
	r.until(status("network.lan/ipv4", "fail"))
	m.job((*systemd.Conn).StopUnitContext, "nbr-agent.service")
	for _, want := range []string{`was=pass is=fail`, `was=fail is=pass`, `msg="read the spec again"`, "msg=ended"} {
		if !strings.Contains(m.said("nbr-agent"), want) {
			t.Errorf("it did not say %q", want)
		}
	}
}
