package nftables

// portProbeSet is the set that is told of each packet that nbr verify is about to have
// arrive as if a remote host had sent it, by its source's address and port.
const portProbeSet = "port_probes"

// portProbes is that set. What is in it is forgotten by itself.
const portProbes = "set " + portProbeSet + ` {
  type ipv4_addr . inet_service
  flags timeout
  timeout 10s
}
`

// isPortProbe matches what is in the set. It stands where a packet is about to be logged,
// counted and dropped, and nowhere else: a host that guessed an address of the networks for
// documentation and its port within those seconds would be dropped all the same.
const isPortProbe = "meta l4proto { tcp, udp } ip saddr . th sport @" + portProbeSet

// portProbes leaves nbr's own probes to the policy of a base chain, without a log: they are
// no news. A rule that dropped them would hide from the probe that the policy does not.
func (c *chain) portProbes(f *Firewall) { c.add(blockLine(f), "%s return", isPortProbe) }
