package knot

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/internal/probetest"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// local is a query to a resolver of this machine.
func local(name, kind string) query { return query{Server: loopback, Name: name, Type: kind} }

func TestAnswersOfUnbound(t *testing.T) {
	unbound := probetest.Unbound(t)
	is := func(a answer) probetest.Answer[answer] { return probetest.Answer[answer]{Answer: a} }
	root := local(".", "SOA")
	var big []string
	for i := range 10 {
		big = append(big, fmt.Sprintf(`"%d%s"`, i, strings.Repeat("x", 200)))
	}
	want := map[query]probetest.Answer[answer]{
		root:                            is(answer{Answered: true, Code: "NOERROR", Records: 1}),
		local("router.home.arpa", "A"):  is(answer{Answered: true, Code: "NOERROR", Records: 2, Data: "192.0.2.1, 192.0.2.2"}),
		local("ROUTER.home.arpa.", "A"): is(answer{Answered: true, Code: "NOERROR", Records: 2, Data: "192.0.2.1, 192.0.2.2"}),
		local("other.home.arpa.", "A"):  is(answer{Answered: true, Code: "NXDOMAIN"}),
		local("www.refused.test.", "A"): is(answer{Answered: true, Code: "REFUSED"}),
		local("big.test.", "TXT"):       is(answer{Answered: true, Code: "NOERROR", Records: 10, Data: strings.Join(big, ", ")}), // over TCP

		{Server: netip.IPv6Loopback(), Name: ".", Type: "SOA"}:             {}, // it has no IPv6
		{Server: netip.MustParseAddr("192.0.2.1"), Name: ".", Type: "SOA"}: {Error: "dial udp 192.0.2.1:53: no address of this machine"},

		local(".", "NONSENSE"): {Error: `"NONSENSE" is no type of a DNS record`},
	}
	var asked []query
	for q := range want {
		asked = append(asked, q)
	}
	if d := cmp.Diff(want, probetest.Ask(t, answerTo, asked...), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
		t.Error(d)
	}
	unbound.Stop(t)
	if d := cmp.Diff(probetest.Answer[answer]{}, probetest.Ask(t, answerTo, root)[root]); d != "" {
		t.Errorf("stopped: %s", d)
	}
}

// Questions that get lost are asked again, and do not take for ever.
func TestQuestionsThatGetLost(t *testing.T) {
	var asked []query
	for _, a := range probetest.Lost(t, 10) {
		asked = append(asked, query{Server: a, Name: ".", Type: "SOA"})
	}
	// One after the other they would take longer than a look may, which says so of each. This
	// computer may take longer, too, when it has much else to do.
	nstest.Wait(t, func() error {
		for q, a := range probetest.Ask(t, answerTo, asked...) {
			if a != (probetest.Answer[answer]{}) {
				return fmt.Errorf("%s: %+v", q.Server, a)
			}
		}
		return nil
	})
}

// What is not an answer to the question is waited over, and a question whose answer
// got lost is asked again.
func TestAnswersOfOthers(t *testing.T) {
	nstest.Require(t)
	c, err := net.ListenPacket("udp4", "127.0.0.9:53")
	if errors.Is(err, os.ErrPermission) {
		t.Fatal("not even root of its own namespace")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		buf := make([]byte, 1500)
		for i := 0; ; i++ {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if i == 0 { // the first is lost, and these answer nothing
				for _, b := range [][]byte{nil, {1, 2, 3}, buf[:n], answered(buf[:n], func(b []byte) { b[0]++ }), loop(buf[:n])} {
					_, _ = c.WriteTo(b, from)
				}
				continue
			}
			_, _ = c.WriteTo(answered(buf[:n], func([]byte) {}), from)
		}
	}()
	q := query{Server: netip.MustParseAddr("127.0.0.9"), Name: ".", Type: "SOA"}
	want := probetest.Answer[answer]{Answer: answer{Answered: true, Code: "NOERROR", Authenticated: true}}
	if d := cmp.Diff(want, probetest.Ask(t, answerTo, q)[q]); d != "" {
		t.Error(d)
	}
}

// A server that has no room for a connection is not taken for silent: nothing is known of it.
func TestAnswersOfFullServers(t *testing.T) {
	nstest.NeverAccept(t, "127.0.0.9:53", true)
	c, err := net.ListenPacket("udp4", "127.0.0.9:53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() { // which answers that there is more by TCP
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(answered(buf[:n], func(b []byte) { b[2] |= 2 }), from)
		}
	}()
	full := query{Server: netip.MustParseAddr("127.0.0.9"), Name: ".", Type: "SOA"}
	if got, want := probetest.Ask(t, answerTo, full)[full].Error, "dial tcp: tcp/53 has not answered yet: its connections wait to be accepted"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Nor is one that gets no processor.
func TestAnswersOfStarvedServers(t *testing.T) {
	unbound := probetest.Unbound(t)
	unbound.Signal(t, syscall.SIGSTOP)
	stopped := local(".", "SOA")
	if got := probetest.Ask(t, answerTo, stopped)[stopped].Error; !strings.HasPrefix(got, "read udp: udp/53 has not answered yet: ") || !strings.HasSuffix(got, " bytes wait to be read") {
		t.Error(got)
	}
	unbound.Signal(t, syscall.SIGCONT)
}
