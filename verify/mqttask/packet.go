// Package mqttask carries questions of MQTT (OASIS MQTT 5.0) to the router's own broker and brings what it sends,
// for the probes of the services that have or use one. What an answer means is theirs to say.
package mqttask

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The types of control packets (section 2.1.2) that a client of one question sends and hears, with the flags
// that they have.
const (
	Connect    = 0x10
	Connack    = 0x20
	Publish    = 0x30
	Pubrec     = 0x50
	Subscribe  = 0x82
	Suback     = 0x90
	Pingreq    = 0xc0
	Pingresp   = 0xd0
	Disconnect = 0xe0
)

// exactlyOnce are the flags of a PUBLISH of quality of service 2 (section 3.3.1.2), and quality those of
// any.
const (
	exactlyOnce = 0x04
	quality     = 0x06
)

// Longest is the longest topic or topic filter, in bytes (section 1.5.4).
const Longest = 65535

// MostBytes is what is kept of a packet: the longest topic of a PUBLISH with it, and a message as long as the
// answers of a bridge are. A packet has at most mostLength bytes (section 2.1.4).
const (
	MostBytes  = 1 << 20
	mostLength = 1<<28 - 1
)

// A Packet is a control packet (section 2.1) without the length.
type Packet struct {
	Kind byte // the type, and the flags of it
	Body []byte
}

// ErrPacket is of bytes that are no packet of MQTT 5.
var ErrPacket = errors.New("that is no MQTT 5")

// Read reads a packet. Of a message that is longer than MostBytes it keeps the beginning; what else is as long
// is no packet that a client of one question hears.
func Read(r *bufio.Reader) (Packet, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return Packet{}, err
	}
	n, err := binary.ReadUvarint(r) // section 1.5.5
	if err != nil {
		return Packet{}, err
	}
	message := kind&0xf0 == Publish
	if n > mostLength || n > 2+Longest && !message {
		return Packet{}, fmt.Errorf("%w: a packet of %d bytes", ErrPacket, n)
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(min(n, MostBytes))))
	if err == nil && uint64(len(body)) < min(n, MostBytes) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return Packet{}, err
	}
	_, err = io.CopyN(io.Discard, r, int64(n)-int64(len(body)))
	return Packet{kind, body}, err
}

// Bytes is the packet as it is sent.
func (p Packet) Bytes() []byte {
	return append(binary.AppendUvarint([]byte{p.Kind}, uint64(len(p.Body))), p.Body...)
}

// AppendText appends text or binary data with its length before it (sections 1.5.4 and 1.5.6).
func AppendText(b []byte, s string) []byte {
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

// NewConnect makes a CONNECT (section 3.1) of a session that ends with the connection, as a user, or as none if
// name is empty. The broker gives the client a name of its own (section 3.1.3.1).
func NewConnect(name, password string) Packet {
	b := append(AppendText(nil, "MQTT"), 5)
	const cleanStart, hasPassword, hasName = 0x02, 0x40, 0x80
	flags := byte(cleanStart)
	if name != "" {
		flags |= hasName | hasPassword
	}
	b = binary.BigEndian.AppendUint16(append(b, flags), keepAlive)
	b = append(b, 0)      // no properties
	b = AppendText(b, "") // the client's name
	if name != "" {
		b = AppendText(AppendText(b, name), password)
	}
	return Packet{Connect, b}
}

// NewUnreleased makes a PUBLISH (section 3.3) of quality of service 2 without a message. It is not delivered
// before the client releases it (section 4.3.3).
func NewUnreleased(id uint16, topic string) Packet {
	b := binary.BigEndian.AppendUint16(AppendText(nil, topic), id)
	return Packet{Publish | exactlyOnce, append(b, 0)} // no properties
}

// NewMessage makes a PUBLISH of quality of service 0, which is not retained.
func NewMessage(topic, message string) Packet {
	return Packet{Publish, append(append(AppendText(nil, topic), 0), message...)} // no properties
}

// NewSubscribe makes a SUBSCRIBE (section 3.8) to filters, of quality of service 0. The broker sends what it
// retains of them.
func NewSubscribe(id uint16, filters ...string) Packet {
	b := append(binary.BigEndian.AppendUint16(nil, id), 0) // no properties
	for _, f := range filters {
		b = append(AppendText(b, f), 0)
	}
	return Packet{Subscribe, b}
}

// Reason codes (section 2.4); those from Refused on are refusals.
const (
	Accepted      = 0x00
	Refused       = 0x80
	BadPassword   = 0x86 // as some brokers have it
	NotAuthorized = 0x87
)

// Connected is the reason code of a CONNACK (section 3.2.2.2), which follows its flags.
func (p Packet) Connected() (byte, error) {
	if p.Kind != Connack || len(p.Body) < 2 {
		return 0, ErrPacket
	}
	return p.Body[1], nil
}

// Received are the identifier and the reason code of a PUBREC (section 3.5.2), which may leave out that of
// success.
func (p Packet) Received() (id uint16, reason byte, err error) {
	switch {
	case p.Kind != Pubrec, len(p.Body) < 2:
		return 0, 0, ErrPacket
	case len(p.Body) > 2:
		reason = p.Body[2]
	}
	return binary.BigEndian.Uint16(p.Body), reason, nil
}

// Topic is that of a PUBLISH.
func (p Packet) Topic() (string, error) {
	topic, _, ok := text(p.Body)
	if p.Kind&0xf0 != Publish || !ok {
		return "", ErrPacket
	}
	return topic, nil
}

// Message are the topic and the message of a PUBLISH of quality of service 0, behind its properties
// (section 3.3.2.3).
func (p Packet) Message() (topic string, message []byte, err error) {
	topic, rest, ok := text(p.Body)
	if p.Kind&(0xf0|quality) != Publish || !ok {
		return "", nil, ErrPacket
	}
	properties, n := binary.Uvarint(rest)
	if n <= 0 || properties > uint64(len(rest)-n) {
		return "", nil, ErrPacket
	}
	return topic, rest[n+int(properties):], nil
}
