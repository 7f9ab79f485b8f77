package observe

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// BenchmarkNetwork compares a look at links, addresses, routes and rules with the
// bare dumps of the same, read and thrown away.
func BenchmarkNetwork(b *testing.B) {
	var add, del strings.Builder
	for i := range 250 {
		fmt.Fprintf(&add, "link add a%d type veth peer name b%d\nlink set a%d up\nlink set b%d up\naddr add 10.%d.0.1/24 dev a%d\n", i, i, i, i, i, i)
		fmt.Fprintf(&del, "link del a%d\n", i)
	}
	for i := range 10_000 {
		fmt.Fprintf(&add, "route add 172.%d.%d.%d/30 via 10.%d.0.2 proto static\n", 16+i>>12, i>>4&0xff, i<<4&0xff, i%250)
	}
	for i := range 100 {
		fmt.Fprintf(&add, "rule add pref %d from 10.0.0.%d lookup 100\n", 1000+i, i)
		fmt.Fprintf(&del, "rule del pref %d\n", 1000+i)
	}
	ip(b, add.String(), del.String())
	all := []collector{{parts: "links addrs routes", look: (*looker).network}, {parts: "rules", look: (*looker).rules}}
	st := look(b.Context(), Options{}, all)
	if len(st.Links) < 500 || len(st.Routes) < 10_000 || len(st.Rules) != 100 || st.Missed != nil {
		b.Fatal(len(st.Links), len(st.Routes), len(st.Rules), st.Missed)
	}
	var raw, looked time.Duration
	for b.Loop() {
		start := time.Now()
		for _, req := range []int{unix.RTM_GETLINK, unix.RTM_GETADDR, unix.RTM_GETROUTE, unix.RTM_GETRULE} {
			if err := rawDump(req); err != nil {
				b.Fatal(err)
			}
		}
		middle := time.Now()
		look(b.Context(), Options{}, all)
		raw, looked = raw+middle.Sub(start), looked+time.Since(middle)
	}
	b.ReportMetric(float64(looked)/float64(raw), "ratio")
	b.ReportMetric(float64(raw.Microseconds())/1000/float64(b.N), "raw-ms/op")
	b.ReportMetric(float64(looked.Microseconds())/1000/float64(b.N), "look-ms/op")
}

// rawDump asks for everything and reads the answers to their end.
func rawDump(req int) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r := nl.NewNetlinkRequest(req, unix.NLM_F_DUMP)
	r.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	if err := unix.Sendto(fd, r.Serialize(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	for buf := make([]byte, 1<<16); ; {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return err
		}
		for b := buf[:n]; len(b) >= unix.SizeofNlMsghdr; {
			size := nl.NativeEndian().Uint32(b)
			if nl.NativeEndian().Uint16(b[4:]) == unix.NLMSG_DONE {
				return nil
			}
			b = b[min(int(size+3)&^3, len(b)):]
		}
	}
}

// BenchmarkLook is all of it, on a machine with nothing in particular.
func BenchmarkLook(b *testing.B) {
	for b.Loop() {
		Look(b.Context(), Options{})
	}
}
