package traffic

import (
	"fmt"
	"time"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/throughput"
)

// Look counts. Its time is that of the end of the look.
func Look(files root.Root) (throughput.Sample, error) {
	out := throughput.Sample{Links: map[string]throughput.Link{}, Offloaded: -1}
	if conntrack, err := files.Read("/proc/net/nf_conntrack"); err == nil { // the kernel may not have it
		out.Offloaded = offloaded(conntrack)
	}
	links, err := netlink.LinkList()
	if err != nil {
		return out, fmt.Errorf("links: %w", err)
	}
	drivers, err := ethtool.NewEthtool()
	if err != nil {
		return out, fmt.Errorf("ethtool: %w", err)
	}
	defer drivers.Close()
	for _, l := range links {
		if s := l.Attrs().Statistics; s != nil {
			link := throughput.Link{Kernel: throughput.Octets{Received: s.RxBytes, Sent: s.TxBytes}}
			if l.Type() == "dsa" {
				counters, err := drivers.Stats(l.Attrs().Name)
				if err != nil {
					return out, fmt.Errorf("counters of %s: %w", l.Attrs().Name, err)
				}
				link.Processor, link.Port = ofSwitch(counters, link.Kernel)
			}
			out.Links[l.Attrs().Name] = link
		}
	}
	stat, err := files.Read("/proc/stat")
	if err != nil {
		return out, err
	}
	out.Busy, out.Idle, err = processors(stat)
	out.Time = time.Now()
	return out, err
}
