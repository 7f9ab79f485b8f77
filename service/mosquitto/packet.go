package mosquitto

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The types of control packets (MQTT 5.0 section 2.1.2) that a client of one question sends and hears, with
// the flags that they have.
const (
	connect    = 0x10
	connack    = 0x20
	publish    = 0x30
	pubrec     = 0x50
	subscribe  = 0x82
	suback     = 0x90
	pingreq    = 0xc0
	pingresp   = 0xd0
	disconnect = 0xe0
)

// exactlyOnce are the flags of a PUBLISH of quality of service 2 (section 3.3.1.2).
const exactlyOnce = 0x04

// mostBytes is what is kept of a packet, the longest topic of a PUBLISH with it; of what a message says nothing
// is asked. A packet has at most mostLength bytes (section 2.1.4).
const (
	mostBytes  = 2 + longest
	mostLength = 1<<28 - 1
)

// A packet is a control packet (section 2.1) without the length.
type packet struct {
	kind byte // the type, and the flags of it
	body []byte
}

// errPacket is of bytes that are no packet of MQTT 5.
var errPacket = errors.New("that is no MQTT 5")

// readPacket reads a packet.
func readPacket(r *bufio.Reader) (packet, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return packet{}, err
	}
	n, err := binary.ReadUvarint(r) // section 1.5.5
	if err != nil {
		return packet{}, err
	}
	if n > mostLength || n > mostBytes && kind&0xf0 != publish {
		return packet{}, fmt.Errorf("%w: a packet of %d bytes", errPacket, n)
	}
	body := make([]byte, min(n, mostBytes))
	if _, err := io.ReadFull(r, body); err != nil {
		return packet{}, err
	}
	_, err = io.CopyN(io.Discard, r, int64(n)-int64(len(body)))
	return packet{kind, body}, err
}

// bytes is the packet as it is sent.
func (p packet) bytes() []byte {
	return append(binary.AppendUvarint([]byte{p.kind}, uint64(len(p.body))), p.body...)
}

// appendText appends text or binary data with its length before it (sections 1.5.4 and 1.5.6).
func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// text reads what begins with its length, and what follows.
func text(b []byte) (s string, after []byte, ok bool) {
	if len(b) < 2 {
		return "", nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if b = b[2:]; len(b) < n {
		return "", nil, false
	}
	return string(b[:n]), b[n:], true
}

// keepAlive is for how many seconds the broker would wait for a packet.
const keepAlive = 30

// newConnect makes a CONNECT (section 3.1) of a session that ends with the connection, as a user, or as none if
// name is empty. The broker gives the client a name of its own (section 3.1.3.1).
func newConnect(name, password string) packet {
	b := append(appendText(nil, "MQTT"), 5)
	const cleanStart, hasPassword, hasName = 0x02, 0x40, 0x80
	flags := byte(cleanStart)
	if name != "" {
		flags |= hasName | hasPassword
	}
	b = binary.BigEndian.AppendUint16(append(b, flags), keepAlive)
	b = append(b, 0)      // no properties
	b = appendText(b, "") // the client's name
	if name != "" {
		b = appendText(appendText(b, name), password)
	}
	return packet{connect, b}
}

// newPublish makes a PUBLISH (section 3.3) of quality of service 2 without a payload. It is not delivered
// before the client releases it (section 4.3.3).
func newPublish(id uint16, topic string) packet {
	b := binary.BigEndian.AppendUint16(appendText(nil, topic), id)
	return packet{publish | exactlyOnce, append(b, 0)} // no properties
}

// newSubscribe makes a SUBSCRIBE (section 3.8) to filters, of quality of service 0. The broker sends what it
// retains of them.
func newSubscribe(id uint16, filters ...Filter) packet {
	b := append(binary.BigEndian.AppendUint16(nil, id), 0) // no properties
	for _, f := range filters {
		b = append(appendText(b, string(f)), 0)
	}
	return packet{subscribe, b}
}

// accepted and notAuthorized are reason codes (section 2.4); those from refused on are refusals.
const (
	accepted      = 0x00
	refused       = 0x80
	badPassword   = 0x86 // as some brokers have it
	notAuthorized = 0x87
)

// connected is the reason code of a CONNACK (section 3.2.2.2), which follows its flags.
func (p packet) connected() (byte, error) {
	if p.kind != connack || len(p.body) < 2 {
		return 0, errPacket
	}
	return p.body[1], nil
}

// received are the identifier and the reason code of a PUBREC (section 3.5.2), which may leave out that of
// success.
func (p packet) received() (id uint16, reason byte, err error) {
	switch {
	case p.kind != pubrec, len(p.body) < 2:
		return 0, 0, errPacket
	case len(p.body) > 2:
		reason = p.body[2]
	}
	return binary.BigEndian.Uint16(p.body), reason, nil
}

// topic is that of a PUBLISH.
func (p packet) topic() (string, error) {
	topic, _, ok := text(p.body)
	if p.kind&0xf0 != publish || !ok {
		return "", errPacket
	}
	return topic, nil
}
