package probe

import (
	"net"
	"net/netip"
	"time"
)

// An Exchange is a question by one Ethernet frame and how its answer is known.
type Exchange struct {
	// Link is the name of an Ethernet link that is up, has a carrier and is no port of
	// a bridge.
	Link string
	// Transmit sends the frame to the hosts on the link, and hears what they send. Without
	// it the frame arrives at this machine as if a remote host had sent it, nothing is
	// transmitted, and what this machine sends on the link is heard.
	Transmit bool
	// Frame makes the frame. An error is that of the whole exchange.
	Frame func(own Endpoint) ([]byte, error)
	// Only says which packets are heard.
	Only Filter
	// Answers is given each of them, from the network header on, until it returns true. The
	// bytes are its own.
	Answers func(packet []byte) bool
	// Wait is for how long an answer is waited for.
	Wait time.Duration
}

// An Endpoint is a link as its neighbours know it.
type Endpoint struct {
	MAC   net.HardwareAddr
	Addrs []netip.Addr // usable ones, of both families, without zones
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
