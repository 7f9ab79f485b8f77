package referee_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A conBee is a ConBee II behind a serial server: the serial protocol of deCONZ (dresden elektronik's "deCONZ Serial
// Protocol"), as far as Zigbee2MQTT speaks it. It begins without a network, and then has the one that it is told.
// A frame that is not as it has to be, or of which it knows nothing, fails the test.
type conBee struct {
	mu         sync.Mutex
	parameters map[byte][]byte // little endian
	endpoints  [2][]byte
	network    byte // netOffline or netConnected
	confirms   [][]byte
	indicates  [][]byte
	wrong      []string

	listener net.Listener
	conns    []net.Conn
}

// Commands of the protocol, its parameters, and the two states of the network.
const (
	beeConfirm, beeStatus, beeNetwork, beeRead, beeWrite, beeVersion, beeRequest, beeIndication = 0x04, 0x07, 0x08, 0x0a, 0x0b, 0x0d, 0x12, 0x17

	beeMAC, beePAN, beeExtended, beeMask, beeUseExtended, beeTrustCenter, beeEndpoint                  = 0x01, 0x05, 0x08, 0x0a, 0x0b, 0x0e, 0x13
	beePredefined, beeKey, beeChannel, beeProtocol, beeUpdate, beeWatchdog, beeFrameCounter, beePermit = 0x15, 0x18, 0x1c, 0x22, 0x24, 0x26, 0x27, 0x21

	netOffline, netConnected = 0, 2
)

// beeMACAddress is of dresden elektronik.
const beeMACAddress = 0x00212effff0abcde

// newConBee has the parameters as a stick has them that is new.
func newConBee() *conBee {
	le := binary.LittleEndian
	return &conBee{parameters: map[byte][]byte{
		beeMAC: le.AppendUint64(nil, beeMACAddress), beeTrustCenter: le.AppendUint64(nil, beeMACAddress),
		beePAN: le.AppendUint16(nil, 0xfffe), beeExtended: make([]byte, 8), beeUseExtended: make([]byte, 8),
		beeMask: le.AppendUint32(nil, 1<<11), beePredefined: {0}, beeKey: make([]byte, 16), beeChannel: {11},
		beeProtocol: le.AppendUint16(nil, 0x010e), beeUpdate: {0}, beeWatchdog: make([]byte, 4), beeFrameCounter: make([]byte, 4), beePermit: {0},
	}, endpoints: [2][]byte{{0, 1, 4, 1, 5, 0, 1, 0, 0}, {1, 2, 4, 1, 5, 0, 1, 0, 0}}}
}

// listen waits for connections on a machine, until the test ends or it is unplugged.
func (c *conBee) listen(t *testing.T, on *nstest.NS, at string) {
	t.Helper()
	err := within(on, func() (err error) {
		c.listener, err = net.Listen("tcp", at)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	l := c.listener
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.mu.Lock()
			c.conns = append(c.conns, conn)
			c.mu.Unlock()
			go c.serve(conn)
		}
	}()
	t.Cleanup(func() {
		c.unplug()
		for _, w := range c.wrong {
			t.Error(w)
		}
	})
}

// unplug ends what is connected, and takes no more.
func (c *conBee) unplug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.listener.Close()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

// parameter is what it has been told.
func (c *conBee) parameter(id byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.parameters[id])
}

// The bytes of SLIP (RFC 1055).
const slipEnd, slipEsc, slipEscEnd, slipEscEsc = 0xc0, 0xdb, 0xdc, 0xdd

func (c *conBee) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		frame, err := readSLIP(r)
		if err != nil {
			return
		}
		if len(frame) == 0 {
			continue
		}
		c.mu.Lock()
		answer := c.answer(frame)
		c.mu.Unlock()
		if answer == nil {
			continue
		}
		out := []byte{slipEnd}
		for _, b := range binary.LittleEndian.AppendUint16(answer, checksum(answer)) {
			switch b {
			case slipEnd:
				out = append(out, slipEsc, slipEscEnd)
			case slipEsc:
				out = append(out, slipEsc, slipEscEsc)
			default:
				out = append(out, b)
			}
		}
		if _, err := conn.Write(append(out, slipEnd)); err != nil {
			return
		}
	}
}

func readSLIP(r *bufio.Reader) (frame []byte, err error) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return nil, err
		}
		switch b {
		case slipEnd:
			return frame, nil
		case slipEsc:
			if b, err = r.ReadByte(); err != nil {
				return nil, err
			}
			frame = append(frame, map[byte]byte{slipEscEnd: slipEnd, slipEscEsc: slipEsc}[b])
		default:
			frame = append(frame, b)
		}
	}
}

// checksum is the two's complement of the sum of the bytes.
func checksum(frame []byte) uint16 {
	var sum uint16
	for _, b := range frame {
		sum += uint16(b)
	}
	return -sum
}

// refuse says what is wrong with a frame.
func (c *conBee) refuse(frame []byte, format string, args ...any) []byte {
	c.wrong = append(c.wrong, fmt.Sprintf("the adapter gets % x: %s", frame, fmt.Sprintf(format, args...)))
	return nil
}

// status is the state of the device: there is always room for a request.
func (c *conBee) status() byte {
	const confirm, indication, room = 0x04, 0x08, 0x20
	s := c.network | room
	if len(c.confirms) > 0 {
		s |= confirm
	}
	if len(c.indicates) > 0 {
		s |= indication
	}
	return s
}

// reply is an answer of a command, without its checksum: the length that it has counts the header.
func reply(command, seq byte, body ...byte) []byte {
	out := []byte{command, seq, 0}
	return append(binary.LittleEndian.AppendUint16(out, uint16(5+len(body))), body...)
}

// payload is a body with its length before it.
func payload(body ...byte) []byte {
	return append(binary.LittleEndian.AppendUint16(nil, uint16(len(body))), body...)
}

// answer is what a frame is answered with, nil if it is not.
func (c *conBee) answer(frame []byte) []byte {
	le := binary.LittleEndian
	if len(frame) < 7 {
		return c.refuse(frame, "it is too short")
	}
	end := len(frame) - 2
	body := frame[:end]
	switch {
	case le.Uint16(frame[end:]) != checksum(body):
		return c.refuse(frame, "the checksum is %04x", checksum(body))
	case int(le.Uint16(body[3:])) != len(body):
		return c.refuse(frame, "it has %d bytes", len(body))
	case body[2] != 0:
		return c.refuse(frame, "the byte that is reserved is not zero")
	}
	command, seq, rest := body[0], body[1], body[5:]
	switch command {
	case beeStatus:
		return reply(command, seq, c.status(), 0, 0)
	case beeVersion:
		return reply(command, seq, le.AppendUint32(nil, 0x26780700)...)
	case beeNetwork:
		if len(rest) != 1 || rest[0] != netOffline && rest[0] != netConnected {
			return c.refuse(frame, "no state of a network")
		}
		if c.network = rest[0]; c.network == netConnected {
			for channel := byte(11); channel <= 26; channel++ {
				if le.Uint32(c.parameters[beeMask]) == 1<<channel {
					c.parameters[beeChannel] = []byte{channel}
				}
			}
			c.parameters[beeExtended] = c.parameters[beeUseExtended]
		}
		return reply(command, seq, c.network)
	case beeConfirm:
		if len(c.confirms) == 0 {
			return c.refuse(frame, "there is nothing to confirm")
		}
		next := c.confirms[0]
		c.confirms = c.confirms[1:]
		return reply(command, seq, payload(append([]byte{c.status()}, next...)...)...)
	case beeIndication:
		if len(c.indicates) == 0 {
			return c.refuse(frame, "there is nothing to hear")
		}
		next := c.indicates[0]
		c.indicates = c.indicates[1:]
		return reply(command, seq, payload(append([]byte{c.status()}, next...)...)...)
	}
	if len(rest) < 3 || int(le.Uint16(rest)) != len(rest)-2 {
		return c.refuse(frame, "its payload has another length")
	}
	rest = rest[2:]
	switch command {
	case beeRead:
		value, ok := c.parameters[rest[0]]
		switch {
		case rest[0] == beeEndpoint && len(rest) == 2 && rest[1] < 2:
			value = c.endpoints[rest[1]]
		case rest[0] == beeKey && len(rest) == 2 && rest[1] == 0:
			value = append([]byte{0}, value...)
		case !ok || len(rest) != 1:
			return c.refuse(frame, "no parameter to be read")
		}
		return reply(command, seq, payload(append([]byte{rest[0]}, value...)...)...)
	case beeWrite:
		return c.write(frame, seq, rest[0], rest[1:])
	case beeRequest:
		return c.request(frame, seq, rest)
	}
	return c.refuse(frame, "no command")
}

func (c *conBee) write(frame []byte, seq, id byte, value []byte) []byte {
	before, ok := c.parameters[id]
	switch {
	case id == beeEndpoint && len(value) > 1 && value[0] < 2:
		c.endpoints[value[0]] = slices.Clone(value)
		return reply(beeWrite, seq, payload(id)...)
	case id == beeKey && len(value) == 17 && value[0] == 0:
		value = value[1:]
	case !ok || id == beeMAC || id == beeChannel || len(value) != len(before):
		return c.refuse(frame, "no parameter to be written")
	}
	c.parameters[id] = slices.Clone(value)
	return reply(beeWrite, seq, payload(id)...)
}

// request takes what is to be sent to a device, which is the stick itself or all of them: nothing is paired.
func (c *conBee) request(frame []byte, seq byte, r []byte) []byte {
	le := binary.LittleEndian
	const byNetworkAddress = 2
	if len(r) < 15 || r[2] != byNetworkAddress {
		return c.refuse(frame, "no request to a network address")
	}
	id, to, profile, cluster := r[0], le.Uint16(r[3:]), le.Uint16(r[6:]), le.Uint16(r[8:])
	n := int(le.Uint16(r[11:]))
	const greenPower, greenPowerEndpoint, greenPowerProfile = 0x0021, 242, 0xa1e0
	green := profile == greenPowerProfile && cluster == greenPower && r[5] == greenPowerEndpoint && to == 0xfffd
	if len(r) != 13+n+2 || !green && (profile != 0 || r[5] != 0) || n < 1 {
		return c.refuse(frame, "no request of the Zigbee Device Profile, nor one to all of Green Power")
	}
	asdu := r[13 : 13+n]
	c.confirms = append(c.confirms, []byte{id, byNetworkAddress, r[3], r[4], r[5], r[10], 0, 0, 0, 0, 0})
	heard := func(cluster uint16, asdu ...byte) {
		out := []byte{byNetworkAddress, 0, 0, 0, byNetworkAddress, 0, 0, 0, 0, 0}
		out = le.AppendUint16(le.AppendUint16(out, cluster), uint16(len(asdu)))
		c.indicates = append(c.indicates, append(append(out, asdu...), 0, 0, 0xff, 0xc0))
	}
	// Zigbee specification, sections 2.4.3.1 and 2.4.4.1.
	const simpleDescriptor, activeEndpoints, permitJoining, updateNetwork = 0x0004, 0x0005, 0x0036, 0x0038
	switch {
	case green: // that no one may join that way
	case cluster == activeEndpoints && to == 0 && n == 3:
		heard(0x8000|activeEndpoints, asdu[0], 0, 0, 0, 2, c.endpoints[0][1], c.endpoints[1][1])
	case cluster == simpleDescriptor && to == 0 && n == 4:
		for _, e := range c.endpoints {
			if e[1] != asdu[3] {
				continue
			}
			d := slices.Clone(e[1:6]) // endpoint, profile and device
			d = append(d, 1, 0, 0)    // version, and no clusters
			heard(0x8000|simpleDescriptor, append([]byte{asdu[0], 0, 0, 0, byte(len(d))}, d...)...)
		}
	case cluster == updateNetwork && to == 0xfffd && n == 7: // to all, of another channel
	case cluster == permitJoining && to == 0xfffc && n == 3 && asdu[1] == 0: // to all, that no one may join
	default:
		return c.refuse(frame, "no request that it knows: cluster %04x to %04x", cluster, to)
	}
	return reply(beeRequest, seq, payload(c.status(), id)...)
}
