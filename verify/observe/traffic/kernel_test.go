package traffic_test

import (
	"errors"
	"net"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/observe/traffic"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// What is sent is counted at the link, which is no port of a switch, and takes the processor.
func TestLook(t *testing.T) {
	nstest.Require(t)
	nstest.IP(t, "link add sender type veth peer name receiver\nlink set sender up\nlink set receiver up\naddr add 192.0.2.1/24 dev sender\nneigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev sender\n", "link del sender\n")
	before, err := traffic.Look("")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("udp", "192.0.2.2:9")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const n, size = 100, 1000
	for range n {
		if _, err := c.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	nstest.Wait(t, func() error { // until a tick has passed
		after, err := traffic.Look("")
		if err != nil {
			return err
		}
		sent, received := after.Links["sender"].Kernel.Sent-before.Links["sender"].Kernel.Sent, after.Links["receiver"].Kernel.Received-before.Links["receiver"].Kernel.Received
		if sent < n*size || received < n*size || sent > 2*n*size {
			t.Fatalf("%d bytes sent, %d received", sent, received)
		}
		if l := after.Links["sender"]; l.Processor != nil || l.Port != nil {
			t.Fatalf("a port of a switch: %+v", l)
		}
		if !after.Time.After(before.Time) {
			t.Fatal("time goes back")
		}
		if after.Busy+after.Idle <= before.Busy+before.Idle {
			return errors.New("no tick has passed")
		}
		return nil
	})
}
