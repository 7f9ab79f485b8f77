// Package netstate asks the kernel by netlink for links and what is on them, for routing rules
// and for WireGuard's tunnels.
package netstate

// MostRoutes is more than the full tables of IPv4 and IPv6 together. Where there are more, a
// look fails.
const MostRoutes = 1_500_000
