package nftables

// KnockSet is the set that a look tells of each packet that it is about to have arrive as
// if a stranger had sent it, by its source's address and port.
const KnockSet = "inet " + Table + " knocks"

// knocks is that set. What is in it is forgotten by itself.
const knocks = `set knocks {
  type ipv4_addr . inet_service
  flags timeout
  timeout 10s
}
`

// knock matches what is in the set. It stands where a packet is about to be logged,
// counted and dropped, and nowhere else: who guessed an address of the networks for
// documentation and its port within those seconds would be dropped all the same.
const knock = "meta l4proto { tcp, udp } ip saddr . th sport @knocks"

// knocks leaves a look's own packets to the policy of a base chain, without a word: they
// are no news. A rule that dropped them would hide from the look that the policy does not.
func (c *chain) knocks(f *Firewall) { c.add(blockLine(f), "%s return", knock) }
