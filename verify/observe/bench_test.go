package observe

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// BenchmarkNetwork compares a look at links, addresses, routes and rules with the
// bare dumps of the same, read and thrown away.
func BenchmarkNetwork(b *testing.B) {
	manyLinks(b)
	all := only("links rules")
	st := look(b.Context(), Options{}, all)
	if len(st.Links) < 500 || len(st.Routes) < 10_000 || len(st.Rules) != 100 || st.Missed != nil {
		b.Fatal(len(st.Links), len(st.Routes), len(st.Rules), st.Missed)
	}
	compare(b, rawNetwork, func() { look(b.Context(), Options{}, all) })
}

// manyLinks makes 500 links, 10,000 routes and 100 rules.
func manyLinks(b *testing.B) {
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
	nstest.IP(b, add.String(), del.String())
}

// compare reports how much longer a look takes than the bare dumps, turn by turn.
func compare(b *testing.B, raw func() error, look func()) {
	var floor, looked time.Duration
	for b.Loop() {
		start := time.Now()
		if err := raw(); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		look()
		floor, looked = floor+middle.Sub(start), looked+time.Since(middle)
	}
	b.ReportMetric(float64(looked)/float64(floor), "ratio")
	b.ReportMetric(float64(floor.Microseconds())/1000/float64(b.N), "raw-ms/op")
	b.ReportMetric(float64(looked.Microseconds())/1000/float64(b.N), "look-ms/op")
}

func rawNetwork() error {
	for _, req := range []int{unix.RTM_GETLINK, unix.RTM_GETADDR, unix.RTM_GETROUTE, unix.RTM_GETRULE} {
		if err := rawDump(req); err != nil {
			return err
		}
	}
	return nil
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

// BenchmarkPassive is a whole look without active probes, at a router with 500 links, 10,000
// routes and 10,000 rules of nftables, beside the bare dumps of these three.
func BenchmarkPassive(b *testing.B) {
	manyLinks(b)
	var rules strings.Builder
	rules.WriteString("table inet nbr {\n\tchain input {\n\t\ttype filter hook input priority filter; policy accept;\n")
	for i := range 10_000 {
		fmt.Fprintf(&rules, "\t\tiifname \"a%d\" ip saddr 10.%d.%d.0/24 tcp dport %d counter accept comment \"router.hcl:%d policy.p%d\"\n", i%250, i%250, i/250, 1+i, i, i)
	}
	rules.WriteString("\t}\n}\n")
	nstest.Ruleset(b, rules.String())
	need := state.Need{Kind: state.NeedRuleset, Name: "inet nbr", Text: rules.String()}
	o := Options{Needs: []state.Need{need}, Passive: true}
	st := Look(b.Context(), o)
	if r := st.Rulesets["inet nbr"]; len(r.Got) < 10_000 || !slices.Equal(r.Want, r.Got) {
		b.Fatal(len(r.Got), len(r.Want), st.Missed)
	}
	compare(b, func() error {
		if err := rawNetwork(); err != nil {
			return err
		}
		cmd := exec.Command("nft", "-j", "list", "ruleset")
		return cmd.Run() // its output goes nowhere
	}, func() { Look(b.Context(), o) })
}
