package router

import "net/netip"

// Claims of ownership say what may be there at run time because of a block although
// the spec does not list it: a program makes it, or the kernel. The program that makes
// links leaves it alone, and nbr verify does not call it foreign.

// OwnLinks are interfaces that another program makes.
type OwnLinks struct {
	By
	// Pattern is a regular expression over interface names that means the same to RE2
	// and to Python's re.
	Pattern string
}

// OwnAddresses are addresses that another program sets.
type OwnAddresses struct {
	By
	Within netip.Prefix // only addresses in it; the zero prefix is every address
	On     []Link       // only on these links; none is every link
	// Expiring says that only addresses with a lifetime are meant, as DHCP and router
	// advertisements give them.
	Expiring bool
}

// OwnRoutes are routes of one protocol.
type OwnRoutes struct {
	By
	Protocol uint8  // rtm_protocol (rtnetlink(7)): 16 is dhcp
	On       []Link // only on these links; none is every link
	// Nowhere says that routes that lead nowhere (RTN_UNREACHABLE of rtnetlink(7)) are
	// meant, too. They are on no link.
	Nowhere bool
}

// OwnRules are routing rules of one protocol.
type OwnRules struct {
	By
	Protocol uint8 // FRA_PROTOCOL (linux/fib_rules.h)
}

// OwnNetns are network namespaces.
type OwnNetns struct {
	By
	Pattern string // as of OwnLinks, over names in /run/netns
}

// OwnSockets are sockets of a program whose ports the spec does not know.
type OwnSockets struct {
	By
	Program string // comm of the process
}

// OwnPorts are ports on which a program waits although the spec has no use for them, as for a variant
// of a protocol, or from which it sends. The firewall lets no packet there. The names of other users'
// programs cannot always be seen: at a single port a program without a name is taken for this one, and
// in a range it is not.
type OwnPorts struct {
	By
	Program  string // comm of the process
	Protocol IPProtocol
	Ports    PortRange
}
