package mosquitto

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// The packets are those of MQTT 5.0, byte for byte.
func TestPackets(t *testing.T) {
	for _, c := range []struct {
		name string
		of   packet
		want []byte
	}{
		{"a client without a name", newConnect("", ""), []byte("\x10\x0d\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x00")},
		{"a user", newConnect("ab", "c:d"), []byte("\x10\x16\x00\x04MQTT\x05\xc2\x00\x1e\x00\x00\x00\x00\x02ab\x00\x03c:d")},
		{"a message", newPublish(7, "a/b"), []byte("\x34\x08\x00\x03a/b\x00\x07\x00")},
		{"a subscription", newSubscribe(1, "#", "$SYS/#"), []byte("\x82\x10\x00\x01\x00\x00\x01#\x00\x00\x06$SYS/#\x00")},
		{"a question whether it is there", packet{kind: pingreq}, []byte("\xc0\x00")},
	} {
		if got := c.of.bytes(); !bytes.Equal(got, c.want) {
			t.Errorf("%s is %q, want %q", c.name, got, c.want)
		}
		p, err := readPacket(bufio.NewReader(bytes.NewReader(c.want)))
		if err != nil || p.kind != c.of.kind || !bytes.Equal(p.body, c.of.body) {
			t.Errorf("%s is read as %v (%v)", c.name, p, err)
		}
	}
	long := packet{publish, make([]byte, 200)}
	if got := long.bytes(); !bytes.HasPrefix(got, []byte{publish, 0xc8, 0x01}) {
		t.Errorf("a length of two bytes is %v", got[:3])
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		bytes  string
		reason byte
		err    error
	}{
		{"\x20\x03\x00\x87\x00", notAuthorized, nil},
		{"\x20\x02\x00\x05", 5, nil}, // of MQTT 3.1.1
		{"\x20\x01\x00", 0, errPacket},
		{"\x30\x02\x00\x00", 0, errPacket},
		{"\x20\x03\x00", 0, io.ErrUnexpectedEOF},
		{"", 0, io.EOF},
		{"HTTP/1.1 400 Bad Request\r\n", 0, io.ErrUnexpectedEOF},
		{"\x20\xff\xff\xff\x7f", 0, errPacket},
	} {
		p, err := readPacket(bufio.NewReader(strings.NewReader(c.bytes)))
		var reason byte
		if err == nil {
			reason, err = p.connected()
		}
		if reason != c.reason || !errors.Is(err, c.err) {
			t.Errorf("%q: reason %#x, %v; want %#x, %v", c.bytes, reason, err, c.reason, c.err)
		}
	}
	for _, c := range []struct {
		p          packet
		id         uint16
		reason     byte
		isReceived bool
	}{
		{packet{pubrec, []byte{0, 7}}, 7, accepted, true},
		{packet{pubrec, []byte{1, 7, 0x87, 0}}, 263, notAuthorized, true},
		{packet{pubrec, []byte{0}}, 0, 0, false},
		{packet{connack, []byte{0, 7}}, 0, 0, false},
	} {
		id, reason, err := c.p.received()
		if id != c.id || reason != c.reason || (err == nil) != c.isReceived {
			t.Errorf("%v: %d %#x %v", c.p, id, reason, err)
		}
	}
}

// Of a long message there is its topic, and what follows it is the next packet.
func TestLongMessage(t *testing.T) {
	long := packet{publish, append(appendText(nil, strings.Repeat("a", longest)), make([]byte, 1<<20)...)}
	r := bufio.NewReader(bytes.NewReader(append(long.bytes(), packet{kind: pingresp}.bytes()...)))
	p, err := readPacket(r)
	if err != nil {
		t.Fatal(err)
	}
	if topic, err := p.topic(); err != nil || len(topic) != longest {
		t.Errorf("a topic of %d bytes (%v)", len(topic), err)
	}
	if p, err = readPacket(r); err != nil || p.kind != pingresp {
		t.Errorf("after it there is %v (%v)", p, err)
	}
}

// Mosquitto ends the session of a client whose topic has more levels or bytes.
func TestLongTopics(t *testing.T) {
	for _, f := range []Filter{Filter(strings.Repeat("a/", mostLevels-1) + "b"), Filter(strings.Repeat("a", longest-2) + "/#"), Filter(strings.Repeat("a", longest-1) + "/")} {
		var u User
		u.Write.Items = []conf.Value[Filter]{{V: f}}
		for _, topic := range append(u.others(), u.publishes()...) {
			if len(topic) > longest || strings.Count(topic, "/") >= mostLevels {
				t.Errorf("%.20q: a topic of %d bytes and %d levels is tried", f, len(topic), strings.Count(topic, "/")+1)
			}
		}
		if !f.matches(f.sample()) {
			t.Errorf("%.20q has no %.20q", f, f.sample())
		}
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		f, other Filter
		want     bool
	}{
		{"#", "a/b", true},
		{"#", "a/#", true},
		{"#", "$SYS/#", false},
		{"home/#", "home/+/state", true},
		{"home/+", "home/#", false},
		{"home/lamp", "home/+", false},
		{"+/state", "lamp/state", true},
		{"a/b/#", "#", false},
		{"a", "a", true},
	} {
		if got := c.f.covers(c.other); got != c.want {
			t.Errorf("%s has all of %s: %v", c.f, c.other, got)
		}
	}
}

func TestRules(t *testing.T) {
	const file = "topic readwrite #\npattern read x/#\nuser a\ntopic read b\nuser c\ntopic d\n"
	if got, want := rulesOf(file, "a"), []string{"pattern read x/#", "read b", "topic readwrite #"}; !slices.Equal(got, want) {
		t.Errorf("rules are %q, want %q", got, want)
	}
}

// Whatever a program says, it is read to its end or refused.
func FuzzReadPacket(f *testing.F) {
	for _, p := range []packet{newConnect("a", "b"), newPublish(1, "a/b"), {connack, []byte{0, 0x87, 0}}, {pubrec, []byte{0, 1, 0x87}}} {
		f.Add(p.bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPacket(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		if len(p.body) > mostBytes {
			t.Errorf("a packet of %d bytes is read", len(p.body))
		}
		_, _ = p.topic()
		_, _ = p.connected()
		_, _, _ = p.received()
	})
}

// The examples are those of MQTT 5.0 section 4.7.
func TestFilters(t *testing.T) {
	for _, c := range []struct {
		filter Filter
		has    string
		hasNot string
	}{
		{"sport/tennis/player1/#", "sport/tennis/player1 sport/tennis/player1/ranking sport/tennis/player1/score/wimbledon", "sport/tennis/player2 sport/tennis"},
		{"sport/#", "sport sport/ sport/a", "sports $sport"},
		{"#", "a a/b / /a", "$SYS $SYS/a"},
		{"sport/tennis/+", "sport/tennis/player1 sport/tennis/", "sport/tennis sport/tennis/player1/ranking"},
		{"sport/+", "sport/", "sport"},
		{"+/+", "/finance", "finance"},
		{"/+", "/finance", "finance"},
		{"+", "finance", "/finance $SYS"},
		{"+/monitor/Clients", "a/monitor/Clients", "$SYS/monitor/Clients"},
		{"$SYS/#", "$SYS/ $SYS/monitor/Clients", "SYS/a a"},
		{"$SYS/monitor/+", "$SYS/monitor/Clients", "$SYS/monitor"},
		{"+/tennis/#", "a/tennis a/tennis/b", "tennis"},
		{"ACCOUNTS", "ACCOUNTS", "Accounts /ACCOUNTS ACCOUNTS/"},
	} {
		for topic := range strings.FieldsSeq(c.has) {
			if !c.filter.matches(topic) {
				t.Errorf("%s has no %s", c.filter, topic)
			}
		}
		for topic := range strings.FieldsSeq(c.hasNot) {
			if c.filter.matches(topic) {
				t.Errorf("%s has %s", c.filter, topic)
			}
		}
		if !c.filter.matches(c.filter.sample()) {
			t.Errorf("%s has no %s", c.filter, c.filter.sample())
		}
		var f Filter
		if err := f.UnmarshalText([]byte(c.filter)); err != nil {
			t.Error(err)
		}
	}
	for _, no := range []string{"", "sport/tennis#", "sport/tennis/#/ranking", "sport+", "a/+b", "a\x00b", "a\nb", "\xff", " a", "a ", "$share/g/a", "$a", strings.Repeat("a", longest+1), strings.Repeat("/", mostLevels)} {
		var f Filter
		if err := f.UnmarshalText([]byte(no)); err == nil {
			t.Errorf("%.20q is taken", no)
		}
	}
}

// What is tried beside a user's topics is none of its own.
func TestOthers(t *testing.T) {
	var u User
	for _, f := range []Filter{"home/+/state", "a"} {
		u.Write.Items = append(u.Write.Items, conf.Value[Filter]{V: f})
	}
	u.Read.Items = append(u.Read.Items, conf.Value[Filter]{V: "home/lamp/set"}, conf.Value[Filter]{V: "$SYS/#"})
	want := []string{
		"a/nbr-verify", "home/lamp", "home/lamp/nbr-verify-nbr-verify", "home/lamp/set", "home/lamp/set/nbr-verify", "home/nbr-verify",
		"home/nbr-verify/nbr-verify-nbr-verify", "home/nbr-verify/state/nbr-verify", "nbr-verify",
	}
	if got := u.others(); !slices.Equal(got, want) {
		t.Errorf("others are %q, want %q", got, want)
	}
	u.ReadWrite.Items = append(u.ReadWrite.Items, conf.Value[Filter]{V: "#"})
	if got := u.others(); len(got) > 0 {
		t.Errorf("of all topics others are %q", got)
	}
}
