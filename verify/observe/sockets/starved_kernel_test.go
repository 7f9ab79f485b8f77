package sockets

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/probe"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// dial connects to this machine.
func dial(t *testing.T, network, address string) (net.Conn, error) {
	t.Helper()
	return Dial(t.Context(), "", network, address, time.Now().Add(2*time.Second))
}

// A listener without room for one more connection drops what asks for one, as a firewall
// does. It is not closed, and no server is missing: nothing is known of it.
func TestFullQueue(t *testing.T) {
	nstest.NeverAccept(t, "127.0.0.1:8022", true)
	_, err := dial(t, "tcp", "127.0.0.1:8022")
	if err == nil || err.Error() != "dial tcp: tcp/8022 has not answered yet: its connections wait to be accepted" || probe.Silent(err) {
		t.Error(err)
	}
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
	c, err := dial(t, "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := dial(t, "unix", path); err == nil || probe.Silent(err) || !strings.HasSuffix(err.Error(), "those before wait to be accepted") {
		t.Error(err)
	}
	if _, err := dial(t, "unix", path+"2"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// A daemon that has its turn after the reader's deadline is heard all the same.
func TestStarvedDaemon(t *testing.T) {
	conf := "ListenAddress 127.0.0.1:22\nHostKey /etc/ssh/ssh_host_ed25519_key\nUsePAM no\n"
	sshd := lab.Rootfs(t, lab.Files{"/etc/ssh/sshd_config": conf, "/run/sshd/": ""}).Daemon(t, new(nstest.NS), "/usr/sbin/sshd", "-D", "-e")
	sshd.Ready(t, func() error {
		if !strings.Contains(sshd.Log(), "Server listening") {
			return errors.New("it does not listen")
		}
		return nil
	})
	sshd.Signal(t, syscall.SIGSTOP)
	nstest.Wait(t, func() error {
		c, err := Dial(t.Context(), "", "tcp", "127.0.0.1:22", time.Now().Add(nstest.Patience))
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

// While a daemon hands a connection from one process to the next, each of them sleeps at times.
// It is not silent because it sleeps when it is looked at.
func TestDaemonThatHandsOn(t *testing.T) {
	const handsOn = `for i in 1 2 3 4 5 6 7 8 9; do sleep 0.02; done; echo SSH-`
	daemon := lab.Rootfs(t, nil).Daemon(t, new(nstest.NS), "busybox", "nc", "-ll", "-p", "22", "-e", "sh", "-c", handsOn)
	var c net.Conn
	daemon.Ready(t, func() (err error) {
		c, err = Dial(t.Context(), "", "tcp", "127.0.0.1:22", time.Now().Add(nstest.Patience))
		return err
	})
	defer c.Close()
	if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4)
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "SSH-" {
		t.Errorf("%q %v", buf, err)
	}
}
