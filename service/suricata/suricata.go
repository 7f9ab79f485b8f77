// Package suricata looks into the packets that the router forwards: an intrusion detection system on
// named networks, or an intrusion prevention system and a firewall of the application layer in named
// policies, with Suricata.
package suricata

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the ids block.
func Kind() service.Kind {
	return service.Kind{
		Type: "ids", Doc: "Looks into packets: rules that tell of them, or let no more of a connection pass, by names and protocols of the application layer.",
		Software: "Suricata",
		Example: `ids {
  inspect = [policy.internet]
  fail    = "open"

  block "ads" {
    sni       = ["ads.example.com"]
    http_host = ["ads.example.com"]
    app       = ["bittorrent-dht"]
  }
}
`,
		Single: true, Program: service.Alone("ids", (*IDS).lower),
		Probes: []probe.Any{engineOf, sightOf, queuesOf, probe.Settings}, New: func() service.Block { return &IDS{} },
	}
}

// IDS is the ids block.
type IDS struct {
	conf.Header
	Capture conf.Refs[*router.Network] `hcl:"capture,optional" empty:"Suricata looks at no network. Name some, or remove the argument." doc:"Networks whose packets Suricata gets a copy of (af-packet). It tells of them and stops none."`
	Inspect conf.Refs[*router.Policy]  `hcl:"inspect,optional" empty:"Suricata looks at no connection. Name policies, or remove the argument." doc:"Policies whose connections pass through Suricata (NFQUEUE), packet by packet in both directions, for as long as they last. Nothing of them is offloaded."`
	Fail    conf.Value[Fail]           `hcl:"fail,optional" doc:"What becomes of the connections of inspect while Suricata does not run, or has no memory or no understanding for them: \"open\" lets them pass, \"closed\" drops them. With both a packet of TCP passes that fits no connection it knows, such as one that closes an old connection. There is no default."`
	Threads conf.Value[int]            `hcl:"threads,optional" default:"4" doc:"How many threads look at packets; connections are spread over them."`
	Home    conf.Refs[*router.Network] `hcl:"home,optional" empty:"error: no address is at home, and rules for $HOME_NET fit nothing. Name networks, or remove the argument: then they are all but upstreams." doc:"The networks of $HOME_NET, by the addresses that the spec gives them: those of a delegated prefix are not known to rules. Without it all that are no upstream."`
	Rules   conf.List[router.File]     `hcl:"rules,optional" doc:"Files of rules in the spec's folder."`
	Events  conf.List[Event]           `hcl:"events,optional" default:"alert, drop" empty:"error: nothing is logged, and no rule tells of anything. Name events, or remove the argument: then they are alert and drop." doc:"What is logged (EVE). Each event has the addresses of the hosts. alert and drop are of what a rule fits, and alert has what the packets say besides: host names, URLs with their query strings, user agents, questions of DNS. drop has what exception-policy drops as well. dns, http, quic and tls have the names that all hosts ask for, http whole URLs."`
	LogSize conf.Value[router.Size]    `hcl:"log_size,optional" default:"64MiB" doc:"The log takes no more than this of the card; the oldest entries go first."`
	LogKeep conf.Value[int]            `hcl:"log_keep,optional" default:"7" doc:"Days after which entries of the log are removed."`
	Blocks  []*Block                   `hcl:"block,block" doc:"What is not let pass of the connections of inspect."`
}

// Block is what connections are ended for.
type Block struct {
	conf.Header
	Name     conf.Value[router.Name]    `hcl:"name,label"`
	SNI      conf.List[router.ZoneName] `hcl:"sni,optional" empty:"no name of a TLS server is blocked, as it is without the argument. Name some, or remove it." doc:"Names of servers, with all below, that a client asks for in clear (SNI, RFC 6066 section 3): of TLS on whatever port, of QUIC on UDP ports 80 and 443. A client that sends none, or encrypts it, is let pass."`
	HTTPHost conf.List[router.ZoneName] `hcl:"http_host,optional" empty:"no host of HTTP is blocked, as it is without the argument. Name some, or remove it." doc:"Hosts, with all below, that a client of HTTP asks for in clear (RFC 9110 section 7.2)."`
	DNS      conf.List[router.ZoneName] `hcl:"dns,optional" empty:"no name is blocked, as it is without the argument. Name some, or remove it." doc:"Names, with all below, that a client asks another name server for in clear, on port 53; after such a question its whole flow is dropped. What the router's own resolver does not find is for blocklist blocks."`
	App      conf.List[App]             `hcl:"app,optional" empty:"no protocol is blocked, as it is without the argument. Name some, or remove it." doc:"Protocols of the application layer, as Suricata detects them. Some it finds on their own ports alone: ike (500), ldap (389, 3268), mqtt (1883), nfs (2049), pop3 (110), quic (80, 443), rdp (3389), snmp (161, 162) and telnet (23). ldap, pop3 and websocket need NixOS 26.05."`
}

// Fail is what happens to packets that are not judged.
type Fail string

// The two ways to fail.
const (
	open   Fail = "open"
	closed Fail = "closed"
)

// UnmarshalText takes open and closed.
func (f *Fail) UnmarshalText(b []byte) error {
	var word string
	if err := conf.OneOf(&word, b, "way to fail", string(open), string(closed)); err != nil {
		return err
	}
	*f = Fail(word)
	return nil
}

// Describe is what the type is in the schema.
func (Fail) Describe() string { return "open or closed" }

// Event is a kind of entry of the log (Suricata User Guide, "Eve JSON Output").
type Event string

// UnmarshalText takes what the log can have.
func (e *Event) UnmarshalText(b []byte) error {
	var word string
	if err := conf.OneOf(&word, b, "event", "alert", "anomaly", "dns", "drop", "flow", "http", "quic", "tls"); err != nil {
		return err
	}
	*e = Event(word)
	return nil
}

// Describe is what the type is in the schema.
func (Event) Describe() string { return "alert, anomaly, dns, drop, flow, http, quic or tls" }

// App is a protocol as Suricata calls it (suricata --list-app-layer-protos). Those that it detects
// only when its configuration says so are not among them.
type App string

var apps = []string{
	"bittorrent-dht", "dcerpc", "ftp", "ike", "imap", "krb5", "ldap", "mqtt", "nfs", "pop3", "quic", "rdp", "rfb", "sip", "smb", "smtp", "snmp", "ssh", "telnet", "tftp", "websocket",
}

// UnmarshalText takes what Suricata detects.
func (a *App) UnmarshalText(b []byte) error {
	var word string
	if err := conf.OneOf(&word, b, "protocol", apps...); err != nil {
		return err
	}
	*a = App(word)
	return nil
}

// Describe is what the type is in the schema.
func (App) Describe() string { return "protocol of the application layer" }

const unit = "suricata"

// firstQueue is the first of Suricata's queues. No other program of nbr has queues.
const firstQueue = 0

// Claim claims the packets.
func (b *IDS) Claim(s *router.Scope) {
	if networks := b.Capture.All(); len(networks) > 0 {
		s.AfterLinks(b.Capture.Range, unit)
		s.Kernel(b.Capture.Range, "capture of packets", "PACKET")
		router.Claim(s, b.Capture.Range, router.KeepOffOffload{Networks: networks})
	}
	if policies := b.Inspect.All(); len(policies) > 0 {
		s.Inspect(b.Inspect.Range, router.Inspect{
			Policies: policies, First: firstQueue, Queues: uint16(b.Threads.V), FailOpen: b.Fail.V == open,
		})
	}
}

// inline tells whether packets pass through Suricata.
func (b *IDS) inline() bool { return b.Inspect.Set }

// home is the value of $HOME_NET, or "" if no address is known.
func (b *IDS) home(r *router.Router) string {
	var all []string
	for _, n := range r.Networks {
		if b.Home.Set && !conf.Has(b.Home, n) || !b.Home.Set && n.Upstream() {
			continue
		}
		for _, f := range []router.Family{router.IPv4, router.IPv6} {
			if p, ok := n.FixedIn(f); ok {
				all = append(all, p.Masked().String())
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "[" + strings.Join(all, ",") + "]"
}

// The least that journald can rotate files in, and the most days that it keeps entries for.
const (
	leastLog = 32 << 20
	mostDays = 3650
)

// A setting is a line of journald.conf(5) and where the spec says it.
type setting struct {
	name, value string
	from        hcl.Range
}

// namespace is the journal that Suricata alone writes to (systemd.exec(5), LogNamespace=): its own
// bounds keep a flood of events out of the router's journal, and off the card.
const (
	namespace   = "suricata"
	journalConf = "systemd/journald@" + namespace + ".conf"
)

func (b *IDS) journal() []setting {
	return []setting{
		{"Storage", "persistent", b.Def},
		{"SystemMaxUse", fmt.Sprintf("%dM", b.LogSize.V>>20), b.at(b.LogSize.Range)},
		{"MaxRetentionSec", fmt.Sprintf("%dday", b.LogKeep.V), b.at(b.LogKeep.Range)},
		// Whole files are removed: one that is written for a month, journald's default, would be kept
		// for a month longer.
		{"MaxFileSec", "1day", b.at(b.LogKeep.Range)},
	}
}

// at is where an argument is, or the block if it is not written.
func (b *IDS) at(arg hcl.Range) hcl.Range {
	if arg == (hcl.Range{}) {
		return b.Def
	}
	return arg
}
