package router

// A connection has one mark of 32 bits (ct mark of nft(8), nf_conntrack.h), which these share.
const (
	// UplinkMarks are the bits that tell by which uplink the connection began; packets have these
	// alone. They are those of package failover.
	UplinkMarks = 0xff

	firstScheduled = 8

	// MappedMark is a bit of a packet, not of its connection, from a chain of a service's own to the
	// forward chain after it: a host has asked for the packet (see [Match]).
	MappedMark = 1 << 8

	// MaxScheduled bounds the policies and port forwards with a schedule, each of which has a bit.
	MaxScheduled = 32 - firstScheduled
)

// ScheduledMark is the bit of a policy or a port forward with a schedule, by its place among them.
func ScheduledMark(i int) uint32 { return 1 << (firstScheduled + i) }
