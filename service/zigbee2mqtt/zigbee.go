// Package zigbee2mqtt makes the router the coordinator of a Zigbee network, whose devices talk to the house over
// MQTT, with Zigbee2MQTT of version 2.
//
// Its configuration is the spec's, written anew at each start; what it learns of devices is its own. The network
// key and the password at the broker reach it by a file in memory. It serves no page, and takes no code over MQTT.
package zigbee2mqtt

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the zigbee block.
func Kind() service.Kind {
	return service.Kind{
		Type: "zigbee", Doc: "A network of Zigbee devices, which talk to the house through the broker of the mqtt block.",
		Software: "Zigbee2MQTT",
		Example: `secret "zigbee-key" {
  path = "/var/lib/secrets/zigbee-key" # 32 hexadecimal digits
}

secret "mqtt-zigbee" {
  path = "/var/lib/secrets/mqtt-zigbee"
}

zigbee {
  port            = "/dev/serial/by-id/usb-Nabu_Casa_ZBT-1_a1b2c3-if00-port0"
  adapter         = "ember"
  baudrate        = 115200
  rtscts          = true
  channel         = 20
  pan_id          = "0x4f2a"
  extended_pan_id = "0x9c1f5d2e8a7b3046"
  network_key     = secret.zigbee-key
  password        = secret.mqtt-zigbee
}

mqtt {
  networks = [network.lan]

  user "zigbee" {
    password  = secret.mqtt-zigbee
    readwrite = ["zigbee2mqtt/#"]
  }
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "mqtt"]
}
`,
		Single: true, Program: service.Alone("zigbee", (*Zigbee).lower),
		Probes: []probe.Any{bridgeOf, keyOf}, New: func() service.Block { return &Zigbee{} },
	}
}

// Zigbee is the zigbee block.
type Zigbee struct {
	conf.Header
	Port        conf.Value[SerialPort]   `hcl:"port,required" doc:"The adapter: a device by its name in /dev/serial/by-id, which is the same whatever it is plugged into, or tcp://ADDRESS:PORT of one in a network of the router's own. What is said to an adapter over TCP, the network key with it, crosses the network as it is."`
	Adapter     conf.Value[Adapter]      `hcl:"adapter,required" doc:"What the adapter's firmware speaks: ember (Silicon Labs), zstack (Texas Instruments), deconz (ConBee, RaspBee), zboss (Nordic) or zigate."`
	Baudrate    conf.Value[Baudrate]     `hcl:"baudrate,optional" doc:"The speed of the serial port, where it is not the one that the firmware usually has."`
	RTSCTS      conf.Value[bool]         `hcl:"rtscts,optional" doc:"The serial port has hardware flow control. What the adapter's firmware wants counts."`
	Channel     conf.Value[Channel]      `hcl:"channel,required" doc:"The channel of the network. Devices find a new one after a change, but not all of them."`
	PAN         conf.Value[PAN]          `hcl:"pan_id,required" doc:"The identifier of the network on its channel, of your choice. With another one devices have to be paired anew."`
	ExtendedPAN conf.Value[ExtendedPAN]  `hcl:"extended_pan_id,required" doc:"The identifier of the network in the world, of your choice: openssl rand -hex 8 has some. With another one devices have to be paired anew."`
	NetworkKey  conf.Ref[*router.Secret] `hcl:"network_key,required" doc:"The secret with the key that all devices of the network share: the first line of its file, 32 hexadecimal digits. With another one devices have to be paired anew; without one the network is off."`
	Topic       conf.Value[Topic]        `hcl:"topic,optional" default:"zigbee2mqtt" doc:"The topic below which the network talks. Who may publish below it to bridge/request can change the network, and gets its key by bridge/request/backup."`
	Password    conf.Ref[*router.Secret] `hcl:"password,required" doc:"The secret with the password of a user of the mqtt block, which Zigbee2MQTT then is. The user publishes and receives all topics below the one of the network."`
	CA          conf.Value[router.Path]  `hcl:"ca,optional" doc:"Where the certificate of the authority is (PEM) by which the broker's is known, where it is none of those that all programs know. It is for a broker with TLS."`
}

// A SerialPort is where an adapter is: a device, or an address and a port.
type SerialPort struct {
	Device string
	Remote netip.AddrPort
}

// deviceRE has what udev writes there: other characters it replaces (60-serial.rules, and UDEV_ALLOWED_CHARS_INPUT of
// systemd's src/shared/device-nodes.c).
var deviceRE = regexp.MustCompile(`^/dev/serial/by-id/[A-Za-z0-9#+.:=@_-]{1,200}$`)

// UnmarshalText wants a name that does not change, or an address: the library of Zigbee2MQTT takes no IPv6 here
// (isTcpPath and parseTcpPath of zigbee-herdsman's adapter/utils).
func (p *SerialPort) UnmarshalText(b []byte) error {
	advice := "write one such as /dev/serial/by-id/usb-…-if00-port0, as ls /dev/serial/by-id shows it, or tcp://192.168.1.40:6638"
	text := string(b)
	if remote, ok := strings.CutPrefix(text, "tcp://"); ok {
		at, err := netip.ParseAddrPort(remote)
		if err != nil || !at.Addr().Is4() || at.Port() == 0 || at.String() != remote {
			return diag.Advise(fmt.Errorf("%q is no IPv4 address with a port after tcp://", b), "%s", advice)
		}
		*p = SerialPort{Remote: at}
		return nil
	}
	if !deviceRE.MatchString(text) || strings.HasSuffix(text, "/.") || strings.HasSuffix(text, "/..") {
		return diag.Advise(fmt.Errorf("%q is no serial port by its identity: names such as ttyUSB0 change with what else is plugged in", b), "%s", advice)
	}
	*p = SerialPort{Device: text}
	return nil
}

// Describe is what the type is in the schema.
func (SerialPort) Describe() string { return "/dev/serial/by-id/NAME or tcp://ADDRESS:PORT" }

// Public says that the long name of a device is no secret.
func (SerialPort) Public() {}

// String is the port as Zigbee2MQTT has it in serial.port.
func (p SerialPort) String() string {
	if p.Device != "" {
		return p.Device
	}
	return "tcp://" + p.Remote.String()
}

// An Adapter is a protocol between Zigbee2MQTT and an adapter (serial.adapter).
type Adapter string

// UnmarshalText wants one that Zigbee2MQTT supports. ezsp is that of ember's old firmware, and zoh is an experiment.
func (a *Adapter) UnmarshalText(b []byte) error {
	return conf.OneOf(a, b, "adapter", "ember", "zstack", "deconz", "zboss", "zigate")
}

// Describe is what the type is in the schema.
func (Adapter) Describe() string { return "ember, zstack, deconz, zboss or zigate" }

// comparesKey tells whether Zigbee2MQTT compares the key in the adapter with its own when it starts, and then makes the
// network anew or ends (initTrustCenter of zigbee-herdsman's ember, determineStrategy of zstack,
// isNetworkConfigurationValid of deconz). The others tell an adapter the key only when they form a network.
func (a Adapter) comparesKey() bool { return a == "ember" || a == "zstack" || a == "deconz" }

// Baudrate is a speed of a serial port, in bits a second.
type Baudrate int

// UnmarshalText wants one that a serial port can have.
func (r *Baudrate) UnmarshalText(b []byte) error {
	return conf.Between(r, b, "speed", 1200, 4000000, " bits in a second")
}

// Describe is what the type is in the schema.
func (Baudrate) Describe() string { return "bits in a second of a serial port, 1200 to 4000000" }

// A Channel is one of IEEE 802.15.4 at 2.4 GHz.
type Channel int

// UnmarshalText wants 11 to 26.
func (c *Channel) UnmarshalText(b []byte) error {
	return conf.Between(c, b, "channel", 11, 26, " of IEEE 802.15.4")
}

// Describe is what the type is in the schema.
func (Channel) Describe() string { return "channel of IEEE 802.15.4, 11 to 26" }

// PAN is a PAN identifier (IEEE 802.15.4).
type PAN uint16

// publicPAN is Zigbee2MQTT's own default, which is that of everyone who has not chosen one.
const publicPAN = 0x1a62

var panRE = regexp.MustCompile(`^0x[0-9A-Fa-f]{4}$`)

// UnmarshalText wants four hexadecimal digits, as Zigbee2MQTT does: neither zero nor that of all networks.
func (p *PAN) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(strings.TrimPrefix(string(b), "0x"), 16, 16)
	switch {
	case err != nil, !panRE.Match(b), n == 0, n == 0xffff:
		return diag.Advise(fmt.Errorf("%q is no PAN identifier", b), "write one from 0x0001 to 0xfffe, as in 0x4f2a")
	case n == publicPAN:
		return diag.Advise(fmt.Errorf("%s is what Zigbee2MQTT has by itself, and so do networks of neighbours", b), "choose another one, as in 0x4f2a")
	}
	*p = PAN(n)
	return nil
}

// Describe is what the type is in the schema.
func (PAN) Describe() string { return "PAN identifier, as in 0x4f2a" }

func (p PAN) String() string { return fmt.Sprintf("0x%04x", uint16(p)) }

// ExtendedPAN is an extended PAN identifier, from its most significant byte on.
type ExtendedPAN [8]byte

// publicExtended is Zigbee2MQTT's own default.
var publicExtended = ExtendedPAN{0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd}

// UnmarshalText wants sixteen hexadecimal digits: neither none nor all bits (Zigbee specification, section 3.2.2.5).
func (p *ExtendedPAN) UnmarshalText(b []byte) error {
	digits, ok := strings.CutPrefix(string(b), "0x")
	var n ExtendedPAN
	if l, err := hex.Decode(n[:], []byte(digits[:min(len(digits), 16)])); !ok || err != nil || l != 8 || len(digits) != 16 ||
		n == (ExtendedPAN{}) || strings.ToLower(digits) == "ffffffffffffffff" {
		return diag.Advise(fmt.Errorf("%q is no extended PAN identifier", b), "write 0x and 16 hexadecimal digits of your choice, as openssl rand -hex 8 has them")
	}
	if n == publicExtended {
		return diag.Advise(fmt.Errorf("%s is what Zigbee2MQTT has by itself, and so do networks of neighbours", b), "write 0x and 16 other hexadecimal digits, as openssl rand -hex 8 has them")
	}
	*p = n
	return nil
}

// Describe is what the type is in the schema.
func (ExtendedPAN) Describe() string { return "extended PAN identifier, as in 0x9c1f5d2e8a7b3046" }

func (p ExtendedPAN) String() string { return "0x" + hex.EncodeToString(p[:]) }

// A Topic is one below which others are.
type Topic string

var topicRE = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$`)

// mostTopic is how long one is: what devices are called comes behind it.
const mostTopic = 128

// UnmarshalText wants levels without wildcards.
func (t *Topic) UnmarshalText(b []byte) error {
	if !topicRE.Match(b) || len(b) > mostTopic {
		return diag.Advise(fmt.Errorf("%q is no topic for a network", b), "write letters, digits, -, . and _ with / between levels, at most %d, as in zigbee2mqtt", mostTopic)
	}
	*t = Topic(b)
	return nil
}

// Describe is what the type is in the schema.
func (Topic) Describe() string { return "topic, as in zigbee2mqtt" }

// all is the filter of what is below the topic.
func (t Topic) all() string { return string(t) + "/#" }

// unit is Zigbee2MQTT's, without .service.
const unit = "zigbee2mqtt"

// networkKey is what the secret is for.
const networkKey router.Purpose = "the network key of Zigbee"

// Claim claims the secrets, and the way to an adapter that is not the router's own.
func (z *Zigbee) Claim(s *router.Scope) {
	s.Secret(z.NetworkKey.Range, router.SecretUse{Secret: z.NetworkKey.Target, For: networkKey, Owner: "root", Unit: unit})
	s.Secret(z.Password.Range, router.SecretUse{Secret: z.Password.Target, For: router.MQTTPassword, Owner: "root", Unit: unit})
	if at := z.Port.V.Remote; at.IsValid() {
		router.Claim(s, z.Port.Range, router.Asks{
			Server: at.Addr(), Packets: []router.Packets{{Protocol: router.TCP, Ports: router.OnePort(router.Port(at.Port()))}},
		})
	}
}

// client is the user of the broker that Zigbee2MQTT is, for no two have one password; nil if there is none.
func (z *Zigbee) client(r *router.Router) *router.MQTTUser {
	users := router.Claimed[router.MQTTUser](r)
	if i := slices.IndexFunc(users, func(u *router.MQTTUser) bool { return u.Password == z.Password.Target }); i >= 0 {
		return users[i]
	}
	return nil
}

// Judge refuses a network without a broker, and an adapter that anyone can reach.
func (z *Zigbee) Judge(r *router.Router) hcl.Diagnostics {
	diags := z.judgePort(r)
	u := z.client(r)
	if u == nil {
		return append(diags, diag.Absent(diag.Help(diag.Error("zigbee-user", z.Password.Range, "Password of no user of the broker",
			"The router has no mqtt block with a user whose password is %s: the network could not talk to anyone.", z.Password.Addr),
			"Add to the mqtt block a user with password = %s and readwrite = [%q].", z.Password.Addr, z.Topic.V.all()), "mqtt"))
	}
	if !u.Owns(z.Topic.V.all()) {
		at := z.Topic.Range
		if !z.Topic.Set {
			at = z.Password.Range
		}
		diags = append(diags, diag.With(diag.Help(diag.Error("zigbee-topic", at, "Topics that are not the user's",
			"%s may not both publish and receive %s: messages would be lost without a word.", u.Name, z.Topic.V.all()),
			"Write readwrite = [%q] in the user's block.", z.Topic.V.all()), u.From, "the user"))
	}
	if z.CA.Set && u.TLS == "" {
		diags = append(diags, diag.With(diag.Help(diag.Error("zigbee-ca", z.CA.Range, "Authority of a broker without TLS",
			"The mqtt block has no tls, so there is no certificate to know by it."),
			"Add tls to the mqtt block, or remove ca."), u.From, "the user"))
	}
	return diags
}

// judgePort judges where the adapter is.
func (z *Zigbee) judgePort(r *router.Router) hcl.Diagnostics {
	at := z.Port.V.Remote
	if !at.IsValid() {
		return nil
	}
	var diags hcl.Diagnostics
	for _, of := range []struct {
		name string
		set  bool
		at   hcl.Range
	}{{"baudrate", z.Baudrate.Set, z.Baudrate.Range}, {"rtscts", z.RTSCTS.Set, z.RTSCTS.Range}} {
		if of.set {
			diags = append(diags, diag.With(diag.Help(diag.Error("zigbee-serial", of.at, "Setting of a serial port that the router does not have",
				"The adapter is reached over TCP: its serial port is that of another machine, which %s does not change.", of.name),
				"Remove it, and set it at the adapter."), z.Port.Range, "the adapter"))
		}
	}
	near := func(n *router.Network) bool {
		return !n.Upstream() && slices.ContainsFunc(r.Sources(n), func(p netip.Prefix) bool { return p.Contains(at.Addr()) })
	}
	if !slices.ContainsFunc(r.Networks, near) {
		diags = append(diags, diag.Absent(diag.Help(diag.Error("zigbee-far", z.Port.Range, "Adapter in no network of the router's own",
			"%s is in none of the router's networks but for upstreams. An adapter obeys any host that connects, and is told the network key in clear text.", at.Addr()),
			"Put it into a network of the router's own, or reach it through a tunnel."), "network"))
	}
	return diags
}
