package mqttask

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// The packets are those of MQTT 5.0, byte for byte.
func TestPackets(t *testing.T) {
	for _, c := range []struct {
		name string
		of   Packet
		want []byte
	}{
		{"a client without a name", NewConnect("", ""), []byte("\x10\x0d\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x00")},
		{"a user", NewConnect("ab", "c:d"), []byte("\x10\x16\x00\x04MQTT\x05\xc2\x00\x1e\x00\x00\x00\x00\x02ab\x00\x03c:d")},
		{"a message that is not released", NewUnreleased(7, "a/b"), []byte("\x34\x08\x00\x03a/b\x00\x07\x00")},
		{"a message", NewMessage("a/b", "c"), []byte("\x30\x07\x00\x03a/b\x00c")},
		{"a subscription", NewSubscribe(1, "#", "$SYS/#"), []byte("\x82\x10\x00\x01\x00\x00\x01#\x00\x00\x06$SYS/#\x00")},
		{"a question whether it is there", Packet{Kind: Pingreq}, []byte("\xc0\x00")},
	} {
		if got := c.of.Bytes(); !bytes.Equal(got, c.want) {
			t.Errorf("%s is %q, want %q", c.name, got, c.want)
		}
		p, err := Read(bufio.NewReader(bytes.NewReader(c.want)))
		if err != nil || p.Kind != c.of.Kind || !bytes.Equal(p.Body, c.of.Body) {
			t.Errorf("%s is read as %v (%v)", c.name, p, err)
		}
	}
	long := Packet{Publish, make([]byte, 200)}
	if got := long.Bytes(); !bytes.HasPrefix(got, []byte{Publish, 0xc8, 0x01}) {
		t.Errorf("a length of two bytes is %v", got[:3])
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		bytes  string
		reason byte
		err    error
	}{
		{"\x20\x03\x00\x87\x00", NotAuthorized, nil},
		{"\x20\x02\x00\x05", 5, nil}, // of MQTT 3.1.1
		{"\x20\x01\x00", 0, ErrPacket},
		{"\x30\x02\x00\x00", 0, ErrPacket},
		{"\x20\x03\x00", 0, io.ErrUnexpectedEOF},
		{"", 0, io.EOF},
		{"HTTP/1.1 400 Bad Request\r\n", 0, io.ErrUnexpectedEOF},
		{"\x20\xff\xff\xff\x7f", 0, ErrPacket},
	} {
		p, err := Read(bufio.NewReader(strings.NewReader(c.bytes)))
		var reason byte
		if err == nil {
			reason, err = p.Connected()
		}
		if reason != c.reason || !errors.Is(err, c.err) {
			t.Errorf("%q: reason %#x, %v; want %#x, %v", c.bytes, reason, err, c.reason, c.err)
		}
	}
	for _, c := range []struct {
		p          Packet
		id         uint16
		reason     byte
		isReceived bool
	}{
		{Packet{Pubrec, []byte{0, 7}}, 7, Accepted, true},
		{Packet{Pubrec, []byte{1, 7, 0x87, 0}}, 263, NotAuthorized, true},
		{Packet{Pubrec, []byte{0}}, 0, 0, false},
		{Packet{Connack, []byte{0, 7}}, 0, 0, false},
	} {
		id, reason, err := c.p.Received()
		if id != c.id || reason != c.reason || (err == nil) != c.isReceived {
			t.Errorf("%v: %d %#x %v", c.p, id, reason, err)
		}
	}
}

// A message is what follows its properties.
func TestMessages(t *testing.T) {
	for _, c := range []struct {
		body, topic, message string
		is                   bool
	}{
		{"\x00\x03a/b\x00hello", "a/b", "hello", true},
		{"\x00\x01a\x02\x01\x01{}", "a", "{}", true},
		{"\x00\x01a\x00", "a", "", true},
		{"\x00\x01a\x03\x01\x01", "", "", false},
		{"\x00\x01a", "", "", false},
		{"\x00\x02a", "", "", false},
	} {
		topic, message, err := Packet{Publish, []byte(c.body)}.Message()
		if topic != c.topic || string(message) != c.message || (err == nil) != c.is {
			t.Errorf("%q: %q %q (%v)", c.body, topic, message, err)
		}
	}
	if _, _, err := NewUnreleased(1, "a").Message(); err == nil {
		t.Error("a message that has an identifier is read as one without")
	}
}

// Of a long message there is its topic, and what follows it is the next packet.
func TestLongMessage(t *testing.T) {
	long := Packet{Publish, append(AppendText(nil, strings.Repeat("a", Longest)), make([]byte, 2*MostBytes)...)}
	r := bufio.NewReader(bytes.NewReader(append(long.Bytes(), Packet{Kind: Pingresp}.Bytes()...)))
	p, err := Read(r)
	if err != nil {
		t.Fatal(err)
	}
	if topic, err := p.Topic(); err != nil || len(topic) != Longest {
		t.Errorf("a topic of %d bytes (%v)", len(topic), err)
	}
	if p, err = Read(r); err != nil || p.Kind != Pingresp {
		t.Errorf("after it there is %v (%v)", p, err)
	}
}

// Whatever a program says, it is read to its end or refused.
func FuzzRead(f *testing.F) {
	for _, p := range []Packet{NewConnect("a", "b"), NewUnreleased(1, "a/b"), {Connack, []byte{0, 0x87, 0}}, {Pubrec, []byte{0, 1, 0x87}}} {
		f.Add(p.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Read(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		if len(p.Body) > MostBytes {
			t.Errorf("a packet of %d bytes is read", len(p.Body))
		}
		_, _ = p.Topic()
		_, _ = p.Connected()
		_, _, _ = p.Received()
		_, _, _ = p.Message()
	})
}
