package nstest_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

func TestMain(m *testing.M) { nstest.Main(m) }

func TestTheProcessIsAlone(t *testing.T) {
	nstest.Require(t)
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if l.Name != "lo" {
			t.Errorf("there is a %s in a new network namespace", l.Name)
		}
		if l.Name == "lo" && l.Flags&net.FlagUp == 0 {
			t.Error("lo is down")
		}
	}
	sys, err := os.ReadDir("/sys/class/net")
	if err != nil {
		t.Fatal(err)
	}
	if len(sys) != len(links) {
		t.Errorf("/sys shows %d interfaces, the kernel %d: another namespace's", len(sys), len(links))
	}
}

func TestTwoMachinesOnACable(t *testing.T) {
	t.Parallel()
	router, client := nstest.New(t, "router"), nstest.New(t, "client")
	nstest.Link(t, router, "lan1", client, "eth0")
	router.Run(t, "ip", "addr", "add", "192.0.2.1/24", "dev", "lan1")
	client.Run(t, "ip", "addr", "add", "192.0.2.2/24", "dev", "eth0")
	client.Run(t, "ping", "-c1", "-W2", "192.0.2.1")

	router.Run(t, "ip", "addr", "add", "2001:db8::1/64", "dev", "lan1")
	client.Run(t, "ip", "addr", "add", "2001:db8::2/64", "dev", "eth0")
	client.Run(t, "ping", "-c1", "-W2", "2001:db8::1")

	if got := router.Run(t, "ls", "/sys/class/net"); got != "lan1\nlo\n" {
		t.Errorf("router's /sys/class/net: %q", got)
	}
}

func TestACableToTheProcessItself(t *testing.T) {
	self, peer := new(nstest.NS), nstest.New(t, "peer")
	nstest.Link(t, self, "self0", peer, "eth0")
	if _, err := net.InterfaceByName("self0"); err != nil {
		t.Error(err)
	}
	self.Run(t, "ip", "link", "del", "self0")
}

func TestAFailureSaysWhatFailed(t *testing.T) {
	t.Parallel()
	_, err := nstest.New(t, "x").Try(t, "sh", "-c", "echo out; echo err >&2; exit 3")
	if err == nil {
		t.Fatal("exit code 3 is not an error")
	}
	for _, want := range []string{"sh -c", "exit status 3", "out\n", "err\n"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

// A program that is written while other tests start theirs can be run.
func TestWrittenProgramsRun(t *testing.T) {
	t.Parallel()
	var others sync.WaitGroup
	done := make(chan bool)
	for range 4 {
		others.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					_ = exec.Command("true").Run()
				}
			}
		})
	}
	path := t.TempDir() + "/program"
	for range 60 {
		err := nstest.WriteFile(path, []byte("#!/bin/sh\n"), 0o755)
		if err == nil {
			err = exec.Command(path).Run()
		}
		if err != nil {
			t.Error(err)
			break
		}
	}
	close(done)
	others.Wait()
}
