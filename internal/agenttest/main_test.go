package agenttest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/nstest"
)

func TestMain(m *testing.M) { nstest.Main(m) }

const repo = "../.."

// spec is a router with one network on a bridge, which tests make and break.
const spec = `router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "br-lan" {
  ports = [port.lan1]
}

network "lan" {
  link = bridge.br-lan
  ipv4 = "192.0.2.1/24"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan]
}

zone "wan" {
  networks = [network.wan]
}

agent {
  interval = "5s"
  passive  = true
}
`

// program builds nbr once for all tests, as it is released.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "nbr-agent-test")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "nbr")
	c := exec.Command("go", "build", "-tags", "urfave_cli_no_docs", "-trimpath", "-ldflags", "-s", "-o", bin, "./cmd/nbr")
	c.Dir, c.Env = repo, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
})

func binary(t testing.TB) string {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// A running is an agent that runs in a router's network namespace.
type running struct {
	t      *testing.T
	ns     *nstest.NS
	cmd    *exec.Cmd
	dir    string // of the spec
	socket string
	ended  chan struct{}
	client *http.Client

	mu    sync.Mutex
	lines []string
}

// start runs the agent with the test's spec, a socket of its own, and whatever else the
// command is to have.
func start(t *testing.T, ns *nstest.NS, more func(*exec.Cmd), args ...string) *running {
	t.Helper()
	dir := t.TempDir()
	r := &running{t: t, ns: ns, dir: filepath.Join(dir, "spec"), socket: filepath.Join(dir, "s.sock"), ended: make(chan struct{})}
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.write(spec)
	r.again(more, args...)
	return r
}

func (r *running) write(text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "router.hcl"), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// again starts the agent at the same place.
func (r *running) again(more func(*exec.Cmd), args ...string) {
	t := r.t
	t.Helper()
	if len(args) == 0 {
		args = []string{"-listen", "unix:" + r.socket}
	}
	r.ended, r.lines = make(chan struct{}), nil
	// ip netns exec becomes the program, so that its process is the agent's.
	r.cmd = r.ns.Command(t, binary(t), append(append([]string{"agent"}, args...), r.dir)...)
	r.cmd.Env = append(os.Environ(), "JOURNAL_STREAM=1:2")
	if more != nil {
		more(r.cmd)
	}
	out, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := r.ended
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			r.mu.Lock()
			r.lines = append(r.lines, s.Text())
			r.mu.Unlock()
		}
		_ = r.cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("the agent wrote:\n%s", strings.Join(r.log(), "\n"))
		}
	})
	r.client = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", r.socket)
		},
	}, Timeout: nstest.Patience}
}

func (r *running) log() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.lines...)
}

// says waits for a line of the log, and returns all that fit by then.
func (r *running) says(pattern string, times int) []string {
	r.t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	r.until(func() error {
		found = nil
		for _, l := range r.log() {
			if re.MatchString(l) {
				found = append(found, l)
			}
		}
		if len(found) < times {
			return fmt.Errorf("the log has %q %d times, not %d", pattern, len(found), times)
		}
		return nil
	})
	return found
}

// until waits until a condition holds.
func (r *running) until(holds func() error) {
	r.t.Helper()
	var err error
	for end := time.Now().Add(nstest.Patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = holds(); err == nil {
			return
		}
		select {
		case <-r.ended:
			r.t.Fatalf("the agent has ended (%v): %v", r.cmd.ProcessState, err)
		default:
		}
	}
	r.t.Fatal(err)
}

func (r *running) get(path string) (int, string, error) {
	resp, err := r.client.Get("http://agent" + path)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// metric is the value of one sample.
func (r *running) metric(sample string) float64 {
	r.t.Helper()
	code, body, err := r.get("/metrics")
	if err != nil || code != 200 {
		r.t.Fatalf("/metrics: %d %v", code, err)
	}
	for l := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(l, sample+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				r.t.Fatal(err)
			}
			return v
		}
	}
	r.t.Fatalf("no %s in\n%s", sample, body)
	return 0
}

// resident is VmRSS in kB.
func (r *running) resident() int {
	r.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		r.t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB$`).FindSubmatch(b)
	if m == nil {
		r.t.Fatalf("no VmRSS in\n%s", b)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// stop ends the agent as systemd would.
func (r *running) stop() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-r.ended:
	case <-time.After(nstest.Patience):
		r.t.Fatal("it does not end")
	}
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		r.t.Errorf("it ended with %d", code)
	}
}

// bridge makes the network of the spec.
func bridge(t *testing.T, ns *nstest.NS) {
	t.Helper()
	ns.Run(t, "sh", "-ec", "ip link add br-lan type bridge; ip link set br-lan up; ip addr add 192.0.2.1/24 dev br-lan")
}
