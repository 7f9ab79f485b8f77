//go:build guest

package referee_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// A program that runs until it is stopped, and what it writes.
type running struct {
	*exec.Cmd
	log string
}

// start starts a program in a namespace; its output goes to a file.
func start(t *testing.T, ns *nstest.NS, log string, args ...string) *running {
	t.Helper()
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := ns.Command(t, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &running{cmd, log}
}

// stop ends the program and its children.
func (r *running) stop() {
	_ = syscall.Kill(-r.Process.Pid, syscall.SIGTERM)
	_ = r.Wait()
}

func (r *running) said() string {
	b, _ := os.ReadFile(r.log)
	return string(b)
}

// An isp is the provider's end of the line.
type isp struct {
	ns     *nstest.NS
	server *running
}

// serve has the provider take sessions on its VLAN 7, with addresses from first on.
func (i *isp) serve(t *testing.T, auth, first string, more ...string) {
	t.Helper()
	options := strings.Join(append([]string{auth, "noccp", "+ipv6", "lcp-echo-interval 2", "lcp-echo-failure 3", "debug", "logfile /run/isp-pppd.log"}, more...), "\n") + "\n"
	if err := os.WriteFile("/run/isp-options", []byte(options), 0o600); err != nil {
		t.Fatal(err)
	}
	i.server = start(t, i.ns, "/run/isp.log", "pppoe-server", "-F", "-k", "-g", "/usr/lib/pppd/2.5.2/pppoe.so",
		"-I", "line.7", "-C", "isp", "-L", "198.51.100.1", "-R", first, "-N", "1", "-O", "/run/isp-options")
}

// dialIn does what pppd-ppp0.service does.
func dialIn(t *testing.T, router *nstest.NS, password string) *running {
	t.Helper()
	for _, dir := range []string{"/var/lib/secrets", "/run/pppd", "/creds"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"/var/lib/secrets/dsl", "/creds/password"} {
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stage := router.Command(t, "bash", "-e", "/pppoe/stage")
	stage.Env = append(os.Environ(), "CREDENTIALS_DIRECTORY=/creds")
	if _, err := nstest.Output(stage); err != nil {
		t.Fatal(err)
	}
	return start(t, router, "/run/pppd.log", "pppd", "call", "ppp0", "nodetach")
}

// judgedPPPoE are the checks of a spec that say otherwise than "pass", but for those of parts of a
// router that the guest does not have.
func judgedPPPoE(t *testing.T, router *nstest.NS) (out []string, text string) {
	t.Helper()
	text, _ = router.Try(t, "/bin/nbr", "verify", "-passive", "-format", "json", "/pppoe/spec")
	var report struct {
		Results []struct {
			ID, Status, Got string
			Pos             struct{ Line int }
		}
	}
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	passed := 0
	for _, f := range report.Results {
		of := slices.ContainsFunc([]string{"pppoe.", "network.dsl/", "network.lan/prefix", "prefix.", "interfaces/foreign/"}, func(p string) bool { return strings.HasPrefix(f.ID, p) })
		switch {
		case !of || strings.HasSuffix(f.ID, "/unit") || strings.HasSuffix(f.ID, "/listeners"):
		case f.Status == "pass":
			passed++
		default:
			out = append(out, fmt.Sprintf("%s %s: %s", f.ID, f.Status, f.Got))
		}
	}
	if passed == 0 {
		t.Fatalf("nothing passes:\n%s", text)
	}
	return out, text
}

// The router dials in by PAP and by CHAP at rp-pppoe's server. A wrong password is told at its
// line; a session that the provider ends begins anew, with another address and another prefix,
// and nbr verify follows.
func TestGuestPPPoE(t *testing.T) {
	i := &isp{ns: nstest.New(t, "isp")}
	client, internet := nstest.New(t, "client"), nstest.New(t, "internet")
	router := boardOf(t, map[string]cable{"wan": {i.ns, "line"}, "lan1": {client, "eth0"}})
	nstest.Link(t, i.ns, "core", internet, "eth0")
	ip(t, i.ns, "link add link line name line.7 type vlan id 7\nlink set line.7 up\naddr add 203.0.113.1/24 dev core\n")
	ip(t, internet, "addr add 203.0.113.80/24 dev eth0\nroute add default via 203.0.113.1\n")
	for _, ns := range []*nstest.NS{i.ns, router} {
		ns.Run(t, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/all/forwarding; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; echo 0 >/proc/sys/net/ipv6/conf/default/accept_ra; echo 0 >/proc/sys/net/ipv6/conf/default/autoconf")
	}
	config, err := os.ReadFile("/pppoe/links")
	if err != nil {
		t.Fatal(err)
	}
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	ns := func() { applyConfig(t, ifstate, router, string(config)) }
	ns()
	router.Run(t, "nft", "-f", "/pppoe/rules")

	const password = `pa"ss\w#o rd'`
	for _, file := range []string{"/etc/ppp/pap-secrets", "/etc/ppp/chap-secrets"} {
		if err := os.WriteFile(file, []byte(`"0001#\"x@example.net" * "pa\"ss\\w#o rd'" *`+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	i.serve(t, "require-pap", "198.51.100.50")
	pppd := dialIn(t, router, password)
	trouble := func(err error) error {
		isp, _ := os.ReadFile("/run/isp-pppd.log")
		return fmt.Errorf("%w\npppd: %s\nserver: %s\nits pppd: %s", err, pppd.said(), i.server.said(), isp)
	}
	holds := func(want ...string) func() error {
		return func() error {
			got, _ := judgedPPPoE(t, router)
			if d := cmp.Diff(want, got); d != "" {
				return trouble(errors.New(d))
			}
			return nil
		}
	}
	_ = unix.SIGTERM
	nstest.Wait(t, holds())
}
