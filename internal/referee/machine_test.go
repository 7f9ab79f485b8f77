package referee_test

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// within runs f with the network of another namespace. Sockets stay in the namespace they were
// made in, so f only has to make them.
func within(ns *nstest.NS, f func() error) error {
	done := make(chan error)
	go func() {
		// Never unlocked: the thread ends with the goroutine, and no other goroutine gets it.
		runtime.LockOSThread()
		done <- func() error {
			// What ip-netns(8) is given is the name of a file.
			fd, err := unix.Open("/run/netns/"+ns.Args("true")[3], unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
				return err
			}
			return f()
		}()
	}()
	return <-done
}

// ip runs lines of ip(8) commands in a namespace.
func ip(t *testing.T, ns *nstest.NS, lines string) {
	t.Helper()
	cmd := ns.Command(t, "ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(lines)
	if _, err := nstest.Output(cmd); err != nil {
		t.Fatal(err)
	}
}

// sysctls sets what boot.kernel.sysctl says, as systemd-sysctl does before any link is there,
// and runs what nbr-forwarding.service runs once the firewall is loaded.
func sysctls(t *testing.T, ns *nstest.NS, g *generated) {
	t.Helper()
	set, _ := g.at("boot", "kernel", "sysctl").(map[string]any)
	for key, value := range set {
		if value == nil || strings.Contains(key, ".neigh.default.gc_") { // the whole kernel's
			continue
		}
		ns.Run(t, "sysctl", "-qw", fmt.Sprintf("%s=%v", key, value))
	}
	start, _ := g.at("systemd", "services", "nbr-forwarding", "serviceConfig", "ExecStart").(string)
	_, args, ok := strings.Cut(start, "/bin/sysctl ")
	if !ok {
		t.Fatalf("nbr-forwarding runs %q", start)
	}
	ns.Run(t, "sysctl", strings.Fields(args)...)
}

// listen answers everybody on a port, over IPv4 and IPv6, with the address that it sees and its
// own name: "192.0.2.2 at client".
func listen(t *testing.T, ns *nstest.NS, network string, port int) {
	t.Helper()
	name, _, _ := strings.Cut(ns.Args("true")[3], "-")
	answer := func(from net.Addr) []byte {
		host, _, _ := net.SplitHostPort(from.String())
		return []byte(host + " at " + name)
	}
	if network == "tcp" {
		var l net.Listener
		err := within(ns, func() (err error) {
			l, err = net.Listen("tcp", fmt.Sprintf(":%d", port))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Write(answer(c.RemoteAddr()))
				c.Close()
			}
		}()
		return
	}
	for _, network := range []string{"udp4", "udp6"} {
		var c *net.UDPConn
		err := within(ns, func() (err error) {
			c, err = net.ListenUDP(network, &net.UDPAddr{Port: port})
			return err
		})
		if err == nil {
			err = answerFromWhereAsked(c, network)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		go func() {
			buf, oob := make([]byte, 2048), make([]byte, 128)
			for {
				_, n, _, from, err := c.ReadMsgUDPAddrPort(buf, oob)
				if err != nil {
					return
				}
				c.WriteMsgUDPAddrPort(answer(net.UDPAddrFromAddrPort(from)), oob[:n], from)
			}
		}()
	}
}

// answerFromWhereAsked makes the kernel tell which of a host's addresses a packet was sent to.
// Given back with the answer, that is the address that the answer comes from.
func answerFromWhereAsked(c *net.UDPConn, network string) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	cerr := raw.Control(func(fd uintptr) {
		if network == "udp4" {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		} else {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
	})
	return errors.Join(cerr, err)
}

// becomes waits until a look, which comes sorted, finds what is wanted, or what begins so.
func becomes(t *testing.T, look func() []string, want []string) {
	t.Helper()
	slices.Sort(want)
	nstest.Wait(t, func() error {
		got := look()
		if !slices.EqualFunc(got, want, strings.HasPrefix) {
			time.Sleep(time.Second) // a look takes processor time from what has to happen
			return fmt.Errorf("wrong are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return nil
	})
}
