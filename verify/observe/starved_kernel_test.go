package observe

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// neverAccept listens and takes no connection. It has room for one; full fills that.
func neverAccept(t *testing.T, address string, full bool) {
	t.Helper()
	nstest.Require(t)
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

// A listener without room for one more connection drops what asks for one, as a firewall
// does. It is not closed, and no server is missing: nothing is known of it.
func TestFullQueues(t *testing.T) {
	upstream(t)
	neverAccept(t, "127.0.0.1:8022", true)
	neverAccept(t, "100.64.0.2:8022", true)
	neverAccept(t, "127.0.0.1:8023", false)
	neverAccept(t, "127.0.0.9:53", true)
	dns, err := net.ListenPacket("udp4", "127.0.0.9:53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dns.Close() })
	go func() { // which answers that there is more by TCP
		buf := make([]byte, 1500)
		for {
			n, from, err := dns.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = dns.WriteTo(answerTo(buf[:n], func(b []byte) { b[2] |= 2 }), from)
		}
	}()
	const full = "dial tcp: tcp/8022 has not answered yet: its connections wait to be accepted"
	t.Run("banner", func(t *testing.T) {
		t.Parallel()
		want := map[string]state.Banner{
			"127.0.0.1:8022": {Error: full},
			"127.0.0.1:8023": {Error: "read tcp: tcp/8023 has not answered yet: the connection waits to be accepted"},
		}
		if d := cmp.Diff(want, asked(t, state.NeedBanner, "127.0.0.1:8022", "127.0.0.1:8023").Banners); d != "" {
			t.Error(d)
		}
	})
	t.Run("answer", func(t *testing.T) {
		t.Parallel()
		want := map[string]state.Answer{"127.0.0.9 . SOA": {Error: "dial tcp: tcp/53 has not answered yet: its connections wait to be accepted"}}
		if d := cmp.Diff(want, asked(t, state.NeedAnswer, "127.0.0.9 . SOA").Answers); d != "" {
			t.Error(d)
		}
	})
	t.Run("reach", func(t *testing.T) {
		t.Parallel()
		if !privileged(t) {
			return // TestReachWithoutRules has said it
		}
		wantKnocked(t, map[string]string{"wan tcp/8022": "error: tcp/8022 has not answered yet: its connections wait to be accepted"})
	})
	t.Run("probe", func(t *testing.T) {
		t.Parallel()
		l := &looker{}
		_, err := machine{l, t.Context()}.Dial(t.Context(), "tcp", "127.0.0.1:8022")
		if err == nil || err.Error() != full || probe.Silent(err) {
			t.Error(err)
		}
	})
}

// So it is with a socket of this machine.
func TestFullUnixQueue(t *testing.T) {
	nstest.Require(t)
	path := t.TempDir() + "/vty"
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		t.Cleanup(func() { _ = unix.Close(fd) })
		err = errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 0))
	}
	if err != nil {
		t.Fatal(err)
	}
	m := machine{&looker{}, t.Context()}
	c, err := m.Dial(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := m.Dial(t.Context(), "unix", path); err == nil || probe.Silent(err) || !strings.HasSuffix(err.Error(), "those before wait to be accepted") {
		t.Error(err)
	}
	if _, err := m.Dial(t.Context(), "unix", path+"2"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// A daemon that gets no processor is asked for as long as it may yet answer. When it gets
// one, it does.
func TestStarvedDaemons(t *testing.T) {
	conf := "ListenAddress 127.0.0.1:22\nHostKey /etc/ssh/ssh_host_ed25519_key\nUsePAM no\n"
	sshd := lab.Rootfs(t, lab.Files{"/etc/ssh/sshd_config": conf, "/run/sshd/": ""}).Daemon(t, new(nstest.NS), "/usr/sbin/sshd", "-D", "-e")
	unbound := startUnbound(t)
	sshd.Ready(t, func() error {
		if !strings.Contains(sshd.Log(), "Server listening") {
			return errors.New("it does not listen")
		}
		return nil
	})
	ask := func() (state.Banner, state.Answer) {
		st := look(t.Context(), Options{Needs: append(needs(state.NeedAnswer, "127.0.0.1 . SOA"), needs(state.NeedBanner, "127.0.0.1:22")...)}, []collector{
			{parts: "answers", look: (*looker).answers, asks: true}, {parts: "banners", look: (*looker).banners, asks: true},
		})
		return st.Banners["127.0.0.1:22"], st.Answers["127.0.0.1 . SOA"]
	}
	sshd.Signal(t, syscall.SIGSTOP)
	unbound.Signal(t, syscall.SIGSTOP)
	banner, answer := ask()
	if want := "read tcp: tcp/22 has not answered yet: the connection waits to be accepted"; banner.Error != want {
		t.Errorf("%+v", banner)
	}
	if !strings.HasPrefix(answer.Error, "read udp: udp/53 has not answered yet: ") || !strings.HasSuffix(answer.Error, " bytes wait to be read") {
		t.Errorf("%+v", answer)
	}
	// Who has its turn after the reader's deadline is heard all the same.
	l := &looker{}
	nstest.Wait(t, func() error {
		c, err := l.dial(t.Context(), "tcp", "127.0.0.1:22", time.Now().Add(nstest.Patience))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		sshd.Signal(t, syscall.SIGCONT)
		buf := make([]byte, 4)
		if _, err = io.ReadFull(c, buf); err == nil && string(buf) == "SSH-" {
			return nil
		}
		sshd.Signal(t, syscall.SIGSTOP)
		if err == nil || timedOut(err) || !strings.Contains(err.Error(), "has not answered yet") { // nor had this computer the time
			t.Fatal(string(buf), err)
		}
		return err
	})
}

// So it is with a server of DHCP, which takes frames from the link.
func TestStarvedKea(t *testing.T) {
	lan(t)
	if !privileged(t) {
		return // TestOffersOfKea has said it
	}
	kea := startKea(t, keaConf("br-lan", "10.7.0", "10.7.0.100-10.7.0.199"))
	kea.Signal(t, syscall.SIGSTOP)
	got := asked(t, state.NeedOffer, "br-lan").Offers["br-lan"].Error
	if !strings.HasPrefix(got, "who takes packets from the link has not answered yet: ") || !strings.HasSuffix(got, " bytes wait to be read") {
		t.Error(got)
	}
	kea.Signal(t, syscall.SIGCONT)
}
