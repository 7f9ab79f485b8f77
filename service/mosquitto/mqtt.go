// Package mosquitto is a broker of MQTT (OASIS MQTT 5.0) for the house, with Mosquitto of version 2.1 or
// later.
//
// It listens at the router's addresses in the networks of the spec. Each client has a name and a
// password; what a user may publish and receive is what its block names, and nothing else.
package mosquitto

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/mqttask"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the mqtt block.
func Kind() service.Kind {
	return service.Kind{
		Type: "mqtt", Doc: "A broker of messages between devices (MQTT). The zones of its networks allow mqtt, or mqtts with TLS.",
		Software: "Mosquitto",
		Example: `secret "mqtt-lamp" {
  path = "/var/lib/secrets/mqtt-lamp" # a password and nothing else
}

secret "mqtt-home" {
  path = "/var/lib/secrets/mqtt-home"
}

mqtt {
  networks = [network.lan]

  user "lamp" {
    password = secret.mqtt-lamp
    write    = ["home/lamp/state"]
    read     = ["home/lamp/set"]
  }

  user "home" {
    password  = secret.mqtt-home
    readwrite = ["home/#"]
  }
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "mqtt"]
}
`,
		Single: true, Program: service.Alone("mqtt", (*MQTT).lower),
		Probes: append(certificates.Probes(), []probe.Any{anonymous, userOf}...), New: func() service.Block { return &MQTT{} },
	}
}

// MQTT is the mqtt block.
type MQTT struct {
	conf.Header
	Networks conf.Refs[*router.Network] `hcl:"networks,required" empty:"error: no device could connect. Name the networks that devices are in, or remove the block." doc:"The networks at whose addresses the broker listens. Never an upstream."`
	TLS      *TLS                       `hcl:"tls,block" doc:"The broker takes clients over TLS alone, on port 8883, which zones open with allow = [\"mqtts\"]. Without it they connect on port 1883, and passwords cross the network as they are."`
	Users    []*User                    `hcl:"user,block" doc:"A client, or several that may do the same. There are no others: a client without a name and a password is refused."`
}

// TLS is the tls block.
type TLS struct {
	conf.Header
	Name        conf.Value[router.Domain] `hcl:"name,required" doc:"The name in the certificate, which clients are told and compare."`
	Certificate conf.Value[router.Path]   `hcl:"certificate,required" doc:"Where the certificate is on the router, with those above it (PEM). A new one is taken at once, and ends no connection."`
	Key         conf.Ref[*router.Secret]  `hcl:"key,required" doc:"The secret with the private key of the certificate (PEM)."`
}

// User is who may connect, with its topics.
type User struct {
	conf.Header
	Name      conf.Value[UserName]     `hcl:"name,label"`
	Password  conf.Ref[*router.Secret] `hcl:"password,required" doc:"The password it connects with: the first line of the secret's file, 8 to 128 printable ASCII characters. Where it is missing the user cannot connect."`
	Read      conf.List[Filter]        `hcl:"read,optional" empty:"the user receives nothing by it, as without the list. Name topics, or remove it." doc:"Topics whose messages it receives: by name, or by a filter, in which + is one level and # at the end all that follow. $SYS/# is what the broker tells of itself."`
	Write     conf.List[Filter]        `hcl:"write,optional" empty:"the user publishes nothing by it, as without the list. Name topics, or remove it." doc:"Topics that it publishes to."`
	ReadWrite conf.List[Filter]        `hcl:"readwrite,optional" empty:"the user has no topics by it, as without the list. Name topics, or remove it." doc:"Topics for both."`
}

// UserName is the name of a user.
type UserName string

var userNameRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// UnmarshalText wants what has no meaning of its own in Mosquitto's files (mosquitto_passwd(1): no colon;
// a # begins a comment) and in the names of files.
func (n *UserName) UnmarshalText(b []byte) error {
	if !userNameRE.Match(b) {
		return diag.Advise(fmt.Errorf("%q is no name of a user of MQTT", b), "use letters, digits, - . and _, at most 64, and begin with a letter or a digit")
	}
	*n = UserName(b)
	return nil
}

// Describe is what the type is in the schema.
func (UserName) Describe() string { return "name of a user of MQTT" }

// A Filter is a topic filter (MQTT 5.0 section 4.7): levels with / between them.
type Filter string

// The wildcards are a level of their own, and # is the last one. $SYS is what the broker publishes.
const (
	one  = "+"
	rest = "#"
	sys  = "$SYS"
)

// mostLevels is the most levels of a topic that Mosquitto takes (TOPIC_HIERARCHY_LIMIT of its config.h counts the
// slashes between them).
const mostLevels = 201

// UnmarshalText wants a filter of section 4.7.1 without the characters that Mosquitto refuses in topics
// (section 1.5.4), and without blanks at either end, which Mosquitto drops in its files. Of the topics
// that begin with $, which are the broker's own (section 4.7.2), it takes $SYS.
func (f *Filter) UnmarshalText(b []byte) error {
	refuse := func(what, advice string) error {
		return diag.Advise(fmt.Errorf("%q is no topic filter: %s", b, what), "%s", advice)
	}
	text := string(b)
	levels := strings.Split(text, "/")
	switch {
	case text == "":
		return refuse("it has no character", "write a topic, as in home/lamp/state, or # for all")
	case !utf8.ValidString(text), strings.ContainsFunc(text, func(c rune) bool { return unicode.In(c, unicode.Cc, unicode.Noncharacter_Code_Point) }):
		return refuse("it has characters that no topic has", "write text without control characters, in UTF-8")
	case strings.TrimSpace(text) != text:
		return refuse("it has blanks around it", "remove them: Mosquitto does not see them")
	case len(text) > mqttask.Longest, len(levels) > mostLevels:
		return refuse("it is too long", fmt.Sprintf("write at most %d levels and %d bytes", mostLevels, mqttask.Longest))
	case text[0] == '$' && levels[0] != sys:
		return refuse("the broker has no such topics", "of those that begin with $ write $SYS/# or one of its topics, and of a shared subscription the topics alone")
	}
	for i, l := range levels {
		switch {
		case strings.Contains(l, rest) && (l != rest || i != len(levels)-1):
			return refuse("# is not alone in its last level", "write # as the whole of the last level, as in home/#")
		case strings.Contains(l, one) && l != one:
			return refuse("+ is not alone in its level", "write + as the whole of a level, as in home/+/state")
		}
	}
	*f = Filter(b)
	return nil
}

// Describe is what the type is in the schema.
func (Filter) Describe() string { return "topic filter of MQTT, as in home/+/state or home/#" }

// matches tells whether the filter has a topic (section 4.7.1, and of $ section 4.7.2).
func (f Filter) matches(topic string) bool {
	if strings.HasPrefix(topic, "$") != strings.HasPrefix(string(f), "$") {
		return false
	}
	levels := strings.Split(topic, "/")
	for l := range strings.SplitSeq(string(f), "/") {
		if l == rest {
			return true // also of the topic above it
		}
		if len(levels) == 0 || l != one && l != levels[0] {
			return false
		}
		levels = levels[1:]
	}
	return len(levels) == 0
}

// owns tells whether the user both receives and publishes all that a filter has.
func (u *User) owns(filter string) bool {
	covers := func(lists ...conf.List[Filter]) bool {
		for _, l := range lists {
			if slices.ContainsFunc(l.All(), func(f Filter) bool { return f.covers(Filter(filter)) }) {
				return true
			}
		}
		return false
	}
	return covers(u.Read, u.ReadWrite) && covers(u.Write, u.ReadWrite)
}

// unit is Mosquitto's, without .service.
const unit = "mosquitto"

// The ports of MQTT without TLS and with it (mqtt and secure-mqtt of IANA's registry).
const (
	plainPort = 1883
	tlsPort   = 8883
)

// socket is the name of the service for allow of zones, and the port.
func (b *MQTT) socket() (service string, port int) {
	if b.TLS != nil {
		return "mqtts", tlsPort
	}
	return "mqtt", plainPort
}

// Claim claims the sockets, the passwords, and the key, and tells of its users.
func (b *MQTT) Claim(s *router.Scope) {
	word, port := b.socket()
	s.Listen(b.Networks.Range, router.Listen{Service: word, Protocol: router.TCP, Port: port, Networks: b.Networks.All(), Unit: unit})
	for _, n := range b.Networks.Items {
		if _, ok := n.Target.FixedIn(router.IPv6); ok {
			// Without a cable the address stays tentative (RFC 4862 section 5.4), and Mosquitto would not
			// start.
			s.Sysctl(n.Range, "net.ipv6.ip_nonlocal_bind", "1")
		}
	}
	if b.TLS != nil {
		s.Secret(b.TLS.Key.Range, router.SecretUse{Secret: b.TLS.Key.Target, For: router.CertificateKey, Owner: "root", Unit: staging})
	}
	var at []netip.AddrPort
	for _, a := range b.addresses() {
		at = append(at, a.AddrPort)
	}
	name := ""
	if b.TLS != nil {
		name = strings.ToLower(string(b.TLS.Name.V))
	}
	for _, u := range b.Users {
		// Mosquitto reads passwords when it starts, and staging with it.
		s.Secret(u.Password.Range, router.SecretUse{Secret: u.Password.Target, For: router.MQTTPassword, User: string(u.Name.V), Owner: "root", Unit: unit})
		router.Claim(s, u.Def, router.MQTTUser{
			Name: string(u.Name.V), Password: u.Password.Target, At: at, TLS: name, Unit: unit, Owns: u.owns,
		})
	}
}

// An address is one of the router's own, at which the broker listens, with the network that it is of.
type address struct {
	netip.AddrPort
	from hcl.Range
}

// addresses are the fixed ones of the networks, in their order.
func (b *MQTT) addresses() []address {
	var out []address
	_, port := b.socket()
	for _, n := range b.Networks.Items {
		fixed, _ := n.Target.Split()
		for _, p := range fixed {
			out = append(out, address{netip.AddrPortFrom(p.Addr(), uint16(port)), n.Range})
		}
	}
	return out
}

// Judge refuses upstreams, a broker that takes no client, and users that could do nothing.
func (b *MQTT) Judge(*router.Router) hcl.Diagnostics {
	diags := router.JudgeServed(b.Networks, "Mosquitto listens on the router's addresses in the network.", func(n conf.Ref[*router.Network]) *hcl.Diagnostic {
		return diag.Help(diag.Error("open-mqtt", n.Range, "MQTT open to the Internet",
			"%s is an upstream, from which passwords could be guessed without end.", n.Addr),
			"Take it out of networks, and connect through a tunnel.")
	})
	if len(b.Users) == 0 {
		diags = append(diags, diag.Help(diag.Error("mqtt-without-users", b.Def, "Broker that takes no client",
			"Clients without a name and a password are refused, and there are none with them."), "Add a user block, or remove this one."))
	}
	for _, u := range b.Users {
		diags = append(diags, u.judge()...)
	}
	return diags
}

// judge finds what gives a user nothing.
func (u *User) judge() hcl.Diagnostics {
	var diags hcl.Diagnostics
	if len(u.Read.Items)+len(u.Write.Items)+len(u.ReadWrite.Items) == 0 {
		return append(diags, diag.Help(diag.Error("mqtt-user-without-topics", u.Def, "User without a topic",
			"It could connect, and neither publish nor receive anything."), `Add read, write or readwrite, as in readwrite = ["home/#"], or remove the user.`))
	}
	for _, l := range []conf.List[Filter]{u.Write, u.ReadWrite} {
		for _, f := range l.Items {
			if strings.HasPrefix(string(f.V), sys) {
				diags = append(diags, diag.Help(diag.Error("mqtt-sys-write", f.Range, "Topic that no client publishes to",
					"Below $SYS the broker tells of itself, and refuses messages."), "Move it to read, or remove it."))
			}
		}
	}
	for _, l := range []conf.List[Filter]{u.Read, u.Write} {
		for _, f := range l.Items {
			if i := slices.IndexFunc(u.ReadWrite.Items, func(both conf.Value[Filter]) bool { return both.V == f.V }); i >= 0 {
				diags = append(diags, diag.With(diag.Help(diag.Error("mqtt-topic-twice", f.Range, "Topic that readwrite has as well",
					"%s is for reading and writing already.", f.V), "Remove it from one of the two."), u.ReadWrite.Items[i].Range, "in readwrite"))
			}
		}
	}
	for _, f := range u.Read.Items {
		if i := slices.IndexFunc(u.Write.Items, func(w conf.Value[Filter]) bool { return w.V == f.V }); i >= 0 {
			diags = append(diags, diag.With(diag.Help(diag.Error("mqtt-topic-twice", f.Range, "Topic in read and in write",
				"%s is in both lists, where readwrite says it once.", f.V), "Move it to readwrite."), u.Write.Items[i].Range, "in write"))
		}
	}
	return diags
}
