package netstate

import (
	"fmt"
	"net"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// BenchmarkLibrary compares a look at 1,000 links and 1,000 rules with the library's, which reads less:
// see dump.
func BenchmarkLibrary(b *testing.B) {
	const many = 1000
	for i := range many {
		a := netlink.NewLinkAttrs()
		a.Name = fmt.Sprintf("bench%d", i)
		if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: a}); err != nil {
			b.Fatal(err)
		}
		to := &net.IPNet{IP: net.IPv4(10, byte(i>>8), byte(i), 0).To4(), Mask: net.CIDRMask(24, 32)}
		rule := netlink.NewRule()
		rule.Priority, rule.Table, rule.Src = 1000+i, 100, to
		if err := netlink.RuleAdd(rule); err != nil {
			b.Fatal(err)
		}
	}
	for name, look := range map[string]func() (int, error){
		"links":        func() (int, error) { l, _, err := dumpLinks(); return len(l), err },
		"links/theirs": func() (int, error) { l, err := netlink.LinkList(); return len(l), err },
		"rules":        func() (int, error) { l, err := Rules(b.Context()); return len(l), err },
		"rules/theirs": func() (int, error) { l, err := netlink.RuleList(unix.AF_UNSPEC); return len(l), err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if n, err := look(); err != nil || n < many {
					b.Fatal(n, err)
				}
			}
		})
	}
}
