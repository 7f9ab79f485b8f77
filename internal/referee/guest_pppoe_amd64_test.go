//go:build guest

package referee_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/dhcpv6/server6"
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

// dialIn does what pppd-ppp0.service does, with the options in a file of /etc/ppp/peers.
func dialIn(t *testing.T, router *nstest.NS, peer, password string) *running {
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
	return start(t, router, "/run/pppd.log", "pppd", "call", peer, "nodetach")
}

// What is let in: both have what means something to pppd's files.
const dialInPassword = `pa"ss\w#o rd'`

// accounts has the provider let the users of pppoeRouter and of testdata/routers/german-fibre in.
func accounts(t *testing.T, password string) {
	t.Helper()
	quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(password) + `"`
	text := `"0001#\"x@example.net" * ` + quoted + " *\n" + `"0012345678905501234567890001@t-online.de" * ` + quoted + " *\n"
	for _, file := range []string{"/etc/ppp/pap-secrets", "/etc/ppp/chap-secrets"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// judgedPPPoE are the checks of a spec that say otherwise than "pass", but for those of parts of a
// router that the guest does not have, and the lines of all.
func judgedPPPoE(t *testing.T, router *nstest.NS, spec string) (out []string, lines map[string]int) {
	t.Helper()
	text, _ := router.Try(t, "/bin/nbr", "verify", "-passive", "-format", "json", spec)
	var report struct {
		Results []struct {
			ID, Status, Got string
			Range           struct{ Line int }
		}
	}
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	passed := 0
	lines = map[string]int{}
	for _, f := range report.Results {
		of := slices.ContainsFunc([]string{"pppoe.", "network.dsl/", "network.lan/prefix", "prefix.", "interfaces/foreign/"}, func(p string) bool { return strings.HasPrefix(f.ID, p) }) || strings.HasSuffix(f.ID, "/mtu")
		lines[f.ID] = f.Range.Line
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
	return out, lines
}

// advertise has the provider advertise a network to the router.
func (i *isp) advertise(t *testing.T) *running {
	t.Helper()
	const conf = "interface ppp0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; prefix 2001:db8:f::/64 {}; };\n"
	if err := os.WriteFile("/run/radvd.conf", []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	// What it is to serve is there once the session is.
	nstest.Wait(t, func() error {
		out, err := i.ns.Try(t, "ip", "-6", "addr", "show", "dev", "ppp0")
		if err == nil && !strings.Contains(out, "fe80:") {
			err = errors.New("no link-local address")
		}
		return err
	})
	return start(t, i.ns, "/run/radvd.log", "radvd", "-n", "-C", "/run/radvd.conf", "-m", "stderr", "-u", "root", "-p", "/run/radvd.pid")
}

// delegate has the provider delegate a prefix to the client that asks on the session, until the test
// ends or end is called. (Kea takes the address of the other end of a PPP session for the router's own.)
func (i *isp) delegate(t *testing.T, prefix string) (end func()) {
	t.Helper()
	_, block, err := net.ParseCIDR(prefix)
	if err != nil {
		t.Fatal(err)
	}
	id := &dhcpv6.DUIDEN{EnterpriseNumber: 2495, EnterpriseIdentifier: []byte{1, 2, 3}}
	answer := func(c net.PacketConn, peer net.Addr, m dhcpv6.DHCPv6) {
		q, ok := m.(*dhcpv6.Message)
		if !ok || q.Options.OneIAPD() == nil {
			return
		}
		ia := dhcpv6.WithOption(&dhcpv6.OptIAPD{
			IaId: q.Options.OneIAPD().IaId, T1: 300 * time.Second, T2: 800 * time.Second,
			Options: dhcpv6.PDOptions{Options: dhcpv6.Options{&dhcpv6.OptIAPrefix{PreferredLifetime: 600 * time.Second, ValidLifetime: 900 * time.Second, Prefix: block}}},
		})
		var reply *dhcpv6.Message
		var err error
		if q.MessageType == dhcpv6.MessageTypeSolicit {
			reply, err = dhcpv6.NewAdvertiseFromSolicit(q, dhcpv6.WithServerID(id), ia)
		} else {
			reply, err = dhcpv6.NewReplyFromMessage(q, dhcpv6.WithServerID(id), ia)
		}
		if err == nil {
			_, _ = c.WriteTo(reply.ToBytes(), peer)
		}
	}
	var s *server6.Server
	err = within(i.ns, func() (err error) {
		s, err = server6.NewServer("ppp0", nil, answer)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve() }()
	end = func() { _ = s.Close() }
	t.Cleanup(end)
	return end
}

// hangUp ends the session as a provider does.
func (i *isp) hangUp(t *testing.T) {
	t.Helper()
	i.server.stop()
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		if b, _ := os.ReadFile(p); strings.Contains(string(b), "nic-line.7") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(p)))
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	}
	nstest.Wait(t, func() error {
		if out, err := i.ns.Try(t, "ip", "link", "show", "dev", "ppp0"); err == nil {
			return errors.New("the session is still there: " + out)
		}
		return nil
	})
}

// maxSegment is the segment size of a connection: what the other end has said, as it got here.
func maxSegment(t *testing.T, c net.Conn) (n int) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err == nil {
		var inner error
		err = raw.Control(func(fd uintptr) { n, inner = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG) })
		err = errors.Join(err, inner)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The router dials in by PAP at rp-pppoe's server, over VLAN 7, while the firewall is loaded. The
// session brings an address, router advertisements and a prefix, and nbr verify finds them. TCP
// gets segments that fit the session, both ways.
func TestGuestPPPoE(t *testing.T) {
	i := &isp{ns: nstest.New(t, "isp")}
	client, internet := nstest.New(t, "client"), nstest.New(t, "internet")
	router := boardOf(t, map[string]cable{"wan": {i.ns, "line"}, "lan1": {client, "eth0"}})
	nstest.Link(t, i.ns, "core", internet, "eth0")
	ip(t, i.ns, "link add link line name line.7 type vlan id 7\nlink set line.7 up\naddr add 203.0.113.1/24 dev core\n")
	ip(t, internet, "addr add 203.0.113.80/24 dev eth0\nroute add default via 203.0.113.1\n")
	ip(t, client, "addr add 192.168.1.5/24 dev eth0\nroute add default via 192.168.1.1\n")
	for _, ns := range []*nstest.NS{i.ns, router} {
		ns.Run(t, "sh", "-c", "cd /proc/sys/net; echo 1 >ipv4/conf/all/forwarding; echo 1 >ipv6/conf/all/forwarding; echo 0 >ipv6/conf/default/accept_ra; echo 0 >ipv6/conf/default/autoconf")
	}
	for _, ns := range []*nstest.NS{client, internet} { // which take 12 bytes of each segment
		ns.Run(t, "sh", "-c", "echo 0 >/proc/sys/net/ipv4/tcp_timestamps")
	}
	for _, dir := range []string{"/var/lib/dhcpcd", "/run/dhcpcd"} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	config, err := os.ReadFile("/pppoe/links")
	if err != nil {
		t.Fatal(err)
	}
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	applyConfig(t, ifstate, router, string(config))
	router.Run(t, "nft", "-f", "/pppoe/rules") // the firewall knows the session before there is one

	accounts(t, dialInPassword)
	i.serve(t, "require-pap", "198.51.100.50")
	pppd := dialIn(t, router, "ppp0", dialInPassword)
	radvd := i.advertise(t)
	i.delegate(t, "2001:db8:8000::/56")
	dhcpcd := start(t, router, "/run/dhcpcd.log", "dhcpcd", "-B", "--nodev", "--persistent", "-c", "/bin/true", "--config", "/pppoe/dhcpcd.conf")
	// is wants these addresses, and what nbr verify says of them: it takes the guest many seconds.
	is := func(addresses ...string) func() error {
		return func() error {
			got := router.Run(t, "ip", "-br", "addr")
			d := ""
			for _, a := range addresses {
				if !strings.Contains(got, a) {
					d = "no " + a
				}
			}
			if d == "" {
				failed, _ := judgedPPPoE(t, router, "/pppoe/spec")
				if d = cmp.Diff([]string(nil), failed); d == "" {
					return nil
				}
			}
			return fmt.Errorf("%s\n%s\npppd: %s\nserver: %s\nradvd: %s\ndhcpcd: %s", d, got, pppd.said(), i.server.said(), radvd.said(), dhcpcd.said())
		}
	}
	nstest.Wait(t, is("198.51.100.50", "2001:db8:f:", "2001:db8:8000:1::1/64"))
	if !strings.Contains(pppd.said(), "PAP authentication succeeded") {
		t.Errorf("not by PAP:\n%s", pppd.said())
	}

	served := echo(t, internet, 80)
	web := dial(t, client, "203.0.113.80:80")
	web.says(t, "one")
	if there, here := maxSegment(t, <-served), maxSegment(t, web.Conn); there != 1452 || here != 1452 {
		t.Errorf("segments of %d and %d bytes, and 1452 fit the session", there, here)
	}
}

// A wrong password is told at its line; with the right one the router is let in by CHAP. A session
// that the provider ends begins anew, by PAP and with another address, and nbr verify follows.
func TestGuestPPPoEAgain(t *testing.T) {
	i, router := &isp{ns: nstest.New(t, "isp")}, nstest.New(t, "router")
	nstest.Link(t, i.ns, "line", router, "wan")
	ip(t, i.ns, "link add link line name line.7 type vlan id 7\nlink set line.7 up\n")
	ip(t, router, "link add link wan name internet type vlan id 7\nlink set internet up\n")
	accounts(t, dialInPassword)

	i.serve(t, "require-chap", "198.51.100.50")
	pppd := dialIn(t, router, "ppp0", "wrong")
	said := func(want string) {
		nstest.Wait(t, func() error {
			if got := pppd.said(); !strings.Contains(got, want) {
				return errors.New(got)
			}
			return nil
		})
	}
	said("CHAP authentication failed")
	got, lines := judgedPPPoE(t, router, "/pppoe/spec")
	if !slices.ContainsFunc(got, func(l string) bool {
		return strings.HasPrefix(l, "pppoe.ppp0/login fail: CHAP authentication failed")
	}) {
		t.Errorf("a wrong password: %q\n%s", got, pppd.said())
	}
	spec, err := os.ReadFile("/pppoe/spec/router.hcl")
	if line := strings.Split(string(spec), "\n")[lines["pppoe.ppp0/login"]-1]; err != nil || line != "  password = secret.dsl" {
		t.Errorf("told at %q, %v", line, err)
	}
	pppd.stop()

	pppd = dialIn(t, router, "ppp0", dialInPassword)
	up := func(address string) {
		said("local  IP address " + address)
		nstest.Wait(t, func() error {
			got, _ := judgedPPPoE(t, router, "/pppoe/spec")
			if got = slices.DeleteFunc(got, func(l string) bool {
				return !strings.HasPrefix(l, "pppoe.") && !strings.HasPrefix(l, "network.dsl/ipv4")
			}); len(got) > 0 {
				return fmt.Errorf("%q\n%s", got, pppd.said())
			}
			return nil
		})
	}
	up("198.51.100.50")
	i.hangUp(t)
	i.serve(t, "require-pap", "198.51.100.90")
	up("198.51.100.90")
}

// sendWhole sends a UDP packet of some bytes, with everything of IP, that no router on the way may
// fragment, and wants it to arrive as it is.
func sendWhole(t *testing.T, from, to *nstest.NS, address string, bytes int) error {
	t.Helper()
	var there net.PacketConn
	if err := within(to, func() (err error) {
		there, err = net.ListenPacket("udp4", address+":9")
		return err
	}); err != nil {
		return err
	}
	defer there.Close()
	var here net.Conn
	if err := within(from, func() (err error) {
		here, err = net.Dial("udp4", address+":9")
		return err
	}); err != nil {
		return err
	}
	defer here.Close()
	raw, err := here.(*net.UDPConn).SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) {
		inner = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
	}); err != nil || inner != nil {
		return errors.Join(err, inner)
	}
	if _, err := here.Write(make([]byte, bytes-20-8)); err != nil {
		return err
	}
	if err := there.SetReadDeadline(time.Now().Add(nstest.Patience)); err != nil {
		return err
	}
	got := make([]byte, 2000)
	n, _, err := there.ReadFrom(got)
	if err == nil && n != bytes-20-8 {
		err = fmt.Errorf("%d bytes", n)
	}
	return err
}

// With mtu = 1500 the session carries whole packets of Ethernet where the provider's end takes
// longer frames (RFC 4638). One that does not gets a session of 1492 bytes, which nbr verify tells
// at the line of the MTU.
func TestGuestPPPoEWholePackets(t *testing.T) {
	i := &isp{ns: nstest.New(t, "isp")}
	router := boardOf(t, map[string]cable{"wan": {i.ns, "line"}})
	ip(t, i.ns, "link set line mtu 1508\nlink add link line name line.7 type vlan id 7\nlink set line.7 up\n")
	config, err := os.ReadFile("/pppoe/whole-links")
	if err != nil {
		t.Fatal(err)
	}
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	applyConfig(t, ifstate, router, string(config))
	accounts(t, dialInPassword)
	i.serve(t, "require-pap", "198.51.100.50", "mtu 1500", "mru 1500")
	pppd := dialIn(t, router, "whole", dialInPassword)
	is := func(want ...string) {
		nstest.Wait(t, func() error {
			failed, lines := judgedPPPoE(t, router, "/pppoe/whole")
			failed = slices.DeleteFunc(failed, func(l string) bool { return !strings.Contains(l, "/mtu ") && !strings.HasPrefix(l, "pppoe.") })
			if d := cmp.Diff(append([]string{}, want...), append([]string{}, failed...)); d != "" {
				return fmt.Errorf("%s\npppd: %s\nserver: %s", d, pppd.said(), i.server.said())
			}
			spec, err := os.ReadFile("/pppoe/whole/router.hcl")
			if line := strings.Split(string(spec), "\n")[lines["pppoe.ppp0/mtu"]-1]; err != nil || line != "  mtu      = 1500" {
				t.Errorf("told at %q, %v", line, err)
			}
			return nil
		})
	}
	is()
	if err := sendWhole(t, router, i.ns, "198.51.100.1", 1500); err != nil {
		t.Errorf("a packet of 1500 bytes: %v", err)
	}
	if err := sendWhole(t, router, i.ns, "198.51.100.1", 1501); !errors.Is(err, unix.EMSGSIZE) {
		t.Errorf("a packet of 1501 bytes: %v", err)
	}

	i.hangUp(t)
	ip(t, i.ns, "link set line.7 mtu 1500\n")
	i.serve(t, "require-pap", "198.51.100.50")
	is("pppoe.ppp0/mtu fail: 1492")
}
