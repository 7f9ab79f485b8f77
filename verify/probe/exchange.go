package probe

import (
	"net"
	"net/netip"
	"time"
)

// An Exchange is a question by one Ethernet frame and how its answer is known.
type Exchange struct {
	// Link is the name of a link that is up, has a carrier and is no port of a bridge. It
	// has MAC addresses, unless Remote is set.
	Link string
	// Transmit sends the frame to the hosts on the link, and hears what they send. Without
	// it the frame arrives at this machine as if a host on the link had sent it, nothing is
	// transmitted, and what this machine sends on the link is heard.
	Transmit bool
	// Remote is of a frame that arrives from a host behind the link: what this machine
	// sends to it may leave on any link, and is heard on all.
	Remote bool
	// Frame makes the frame. An error is that of the whole exchange. Where it makes none, nothing is sent
	// or arrives: for the time of Wait all that passes on the link is heard, whichever side sent it.
	Frame func(own Endpoint) ([]byte, error)
	// Only says which packets are heard.
	Only Filter
	// Answers is given each of them, from the network header on, until it returns true. The
	// bytes are its own.
	Answers func(packet []byte) bool
	// Wait is for how long an answer is waited for. Repeat is when the frame is sent once
	// more, as it or its answer may have got lost; never if it is 0.
	Wait, Repeat time.Duration
	// To is what of this machine the frame is for. If it is given, silence counts only when
	// the programs behind it have taken what came and have had a processor for long enough to
	// answer: they get more time than Wait for that.
	To Socket
}

// A Socket is one of this machine, or those that have one address.
type Socket struct {
	// Protocol is tcp or udp, or packet for the programs that take frames from the link
	// themselves.
	Protocol string
	Addr     netip.AddrPort // of tcp and udp
}

// An Endpoint is a link as its neighbours know it.
type Endpoint struct {
	MAC   net.HardwareAddr // empty on a link without, as of PPP
	Addrs []netip.Addr     // usable ones, of both families, without zones
}

// A Filter is of packets that have all of its values. The kernel applies it: a router
// forwards gigabits, of which a probe wants to see one packet.
type Filter struct {
	EtherType uint16
	Bytes     []Byte
}

// A Byte is a byte of a packet, counted from the network header.
type Byte struct {
	Offset uint32
	Value  uint8
}

// Bytes are those of a value that begins at an offset.
func Bytes(offset uint32, value []byte) []Byte {
	var out []Byte
	for i, v := range value {
		out = append(out, Byte{offset + uint32(i), v})
	}
	return out
}

// A Way is how packets of this machine get to a host.
type Way struct {
	From netip.Addr // this machine's own address, to which a remote host sends
	// Own is of an address that is this machine's, or that of all hosts of a network: no
	// packet leaves for it, and the rest is empty.
	Own  bool
	Link string // on which they leave; it is up and has a carrier
	// Next is the neighbour that they are handed to: a gateway, or the host itself.
	Next    netip.Addr
	Gateway bool
	// ARP is of a link on which the neighbour is asked for its MAC address (by ARP, or by
	// neighbour discovery). Asked is of a neighbour that is asked just now, for something to be
	// sent to it, and Silent of one that was asked once and has not said it: what was sent is lost.
	ARP, Asked, Silent bool
}

// NoWay is why no packet of this machine can get to a host.
type NoWay struct{ Reason error }

func (e NoWay) Error() string { return e.Reason.Error() }
