package agenttest

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A manager is what systemd is to a unit of Type=notify-reload.
type manager struct {
	path string
	mu   sync.Mutex
	got  []string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	m := &manager{path: filepath.Join(t.TempDir(), "notify")}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			m.mu.Lock()
			m.got = append(m.got, strings.TrimSpace(string(b[:n])))
			m.mu.Unlock()
		}
	}()
	return m
}

// messages are those that came, without what comes all the time.
func (m *manager) messages() (other []string, beats int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.got {
		if s == "WATCHDOG=1" {
			beats++
		} else {
			other = append(other, s)
		}
	}
	return other, beats
}

// told waits for so many messages and wants the last of them to fit. What an agent has said before
// its end may be read after it.
func (m *manager) told(r *running, n int, pattern string) {
	r.t.Helper()
	nstest.Wait(r.t, func() error {
		if got, _ := m.messages(); len(got) < n {
			return fmt.Errorf("the manager was told %q, not %d things", got, n)
		}
		return nil
	})
	got, _ := m.messages()
	if !regexp.MustCompile("^" + pattern + "$").MatchString(got[n-1]) {
		r.t.Fatalf("the manager was told %q, and the last is not %s", got, pattern)
	}
}

func TestServiceManager(t *testing.T) {
	ns := nstest.New(t, "router")
	bridge(t, ns)
	m := newManager(t)
	r := start(t, ns, func(c *exec.Cmd) {
		c.Env = append(c.Env, "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=400000")
	}, "-listen", "unix:"+"/run/agent-test.sock", "-interval", "1h")
	r.socket = "/run/agent-test.sock"
	m.told(r, 1, "READY=1")
	m.told(r, 2, `STATUS=\d+ pass, .*`)
	r.says("verified for the first time", 1)
	if strings.Contains(strings.Join(r.log(), "\n"), "time=") {
		t.Error("the log has times, and the journal has its own")
	}
	_, before := m.messages()
	r.until(func() error {
		if _, n := m.messages(); n < before+3 {
			return fmt.Errorf("the watchdog was told %d times", n-before)
		}
		return nil
	})

	// A spec that is wrong changes nothing; the next one does.
	r.write(strings.Replace(spec, "192.0.2.1/24", "192.0.2.1/99", 1))
	hup(t, r)
	m.told(r, 3, `RELOADING=1\nMONOTONIC_USEC=\d+`)
	m.told(r, 4, "READY=1")
	r.says("going on with the one before", 1)
	r.says("router.hcl line", 1)
	r.write(strings.Replace(spec, "192.0.2.1/24", "192.0.2.9/24", 1))
	hup(t, r)
	m.told(r, 5, `RELOADING=1\nMONOTONIC_USEC=\d+`)
	m.told(r, 6, "READY=1")
	r.says("check=network.lan/ipv4 was=pass is=fail", 1)
	m.told(r, 7, `STATUS=\d+ pass, .*`)
	if code, body, err := r.get("/health"); err != nil || code != 503 || !strings.Contains(body, "fail network.lan/ipv4 (router.hcl:14): want 192.0.2.9/24") {
		t.Errorf("/health: %d %v\n%s", code, err, body)
	}
	if code, body, err := r.get("/report"); err != nil || code != 200 || !strings.Contains(body, `"id": "network.lan/ipv4"`) {
		t.Errorf("/report: %d %v\n%s", code, err, body)
	}

	r.stop()
	m.told(r, 8, "STOPPING=1")
	if _, err := os.Lstat(r.socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func hup(t *testing.T, r *running) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

func TestSocket(t *testing.T) {
	ns := nstest.New(t, "router")
	r := start(t, ns, nil)
	r.says("verified for the first time", 1)
	if info, err := os.Lstat(r.socket); err != nil || info.Mode() != fs.ModeSocket|0o660 {
		t.Errorf("the socket: %v %v", info.Mode(), err)
	}

	// One that a process listens on is left alone.
	second := ns.Command(t, binary(t), "agent", "-listen", "unix:"+r.socket, r.dir)
	out, err := second.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another process listens there") || second.ProcessState.ExitCode() != 3 {
		t.Errorf("a second agent: %v\n%s", err, out)
	}
	if code, _, err := r.get("/metrics"); err != nil || code != 200 {
		t.Errorf("the first one after that: %d %v", code, err)
	}

	// One that was left behind is replaced.
	_ = r.cmd.Process.Kill()
	<-r.ended
	if _, err := os.Lstat(r.socket); err != nil {
		t.Fatal(err)
	}
	r.again(nil)
	r.says("verified for the first time", 1)
	if code, _, err := r.get("/metrics"); err != nil || code != 200 {
		t.Errorf("after a crash: %d %v", code, err)
	}
	r.stop()

	// What is no socket is a file of the user.
	if err := os.WriteFile(r.socket, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	third := ns.Command(t, binary(t), "agent", "-listen", "unix:"+r.socket, r.dir)
	if out, err := third.CombinedOutput(); err == nil || !strings.Contains(string(out), "no socket") {
		t.Errorf("a file: %v\n%s", err, out)
	}
}

// An address that is gone must not end the agent: it is there to say so.
func TestAddressThatIsNotThere(t *testing.T) {
	ns := nstest.New(t, "router")
	r := start(t, ns, nil, "-listen", "192.0.2.1:9842", "-listen", "[2001:db8::1]:9842")
	r.says("verified for the first time", 1)
	bridge(t, ns)
	ns.Run(t, "ip", "addr", "add", "2001:db8::1/64", "dev", "br-lan", "nodad")
	for _, url := range []string{"http://192.0.2.1:9842/metrics", "http://[2001:db8::1]:9842/metrics"} {
		if out := ns.Run(t, "curl", "-sS", "--noproxy", "*", "-g", url); !strings.Contains(out, "nbr_build_info") {
			t.Errorf("%s: %s", url, out)
		}
	}
	r.stop()
}

func TestSocketThatIsHandedOver(t *testing.T) {
	ns := nstest.New(t, "router")
	path := filepath.Join(t.TempDir(), "s.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l.Close()
	r := start(t, ns, func(c *exec.Cmd) {
		// The number of the process that will be: sh becomes the agent.
		c.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`}, c.Args...)
		c.Path = "/bin/sh"
		c.Env = append(c.Env, "LISTEN_FDS=1")
		c.ExtraFiles = []*os.File{f}
	}, "-interval", "1h")
	r.socket = path
	r.says("verified for the first time", 1)
	if code, body, err := r.get("/metrics"); err != nil || code != 200 || !strings.Contains(body, "nbr_build_info") {
		t.Errorf("%d %v %s", code, err, body)
	}
	r.stop()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the manager's socket was removed: %v", err)
	}
}
