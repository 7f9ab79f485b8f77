package suricata

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// A def is a setting of Suricata by its path below services.suricata.settings.
type def struct {
	value nixgen.Expr
	path  []string
}

func (b *IDS) settings(r *router.Router) []def {
	var out []def
	set := func(v nixgen.Expr, path ...string) { out = append(out, def{v, path}) }
	text := func(v string) nixgen.Expr { return nixgen.Str(v) }
	list := func(of []string) nixgen.Expr {
		var l nixgen.List
		for _, s := range of {
			l = append(l, text(s))
		}
		return l
	}
	var events []string
	for _, e := range b.Events.All() {
		events = append(events, string(e))
	}
	set(nixgen.List{nixgen.Attrs{nixgen.Bind(nixgen.Attrs{
		nixgen.Bind(nixgen.Bool(true), "enabled"),
		nixgen.Bind(text("syslog"), "filetype"), // to the journal: see namespace
		nixgen.Bind(list(events), "types"),
	}, "eve-log")}}, "outputs")
	set(b.ruleFiles(), "rule-files")
	// The module's default is a file that suricata-update would have made.
	set(nixgen.Concat{nixgen.Var("config.services.suricata.package"), text("/etc/suricata/classification.config")}, "classification-file")
	set(text(b.home(r)), "vars", "address-groups", "HOME_NET")
	set(text("workers"), "runmode")
	set(text("1 MiB"), "stream", "reassembly", "depth") // of suricata.yaml; without it there is no end
	set(nixgen.Bool(true), "unix-command", "enabled")
	set(text(b.exceptionPolicy()), "exception-policy")
	if !b.inline() {
		var links nixgen.List
		for i, d := range router.Devices(b.Capture.All()) {
			links = append(links, nixgen.Attrs{
				nixgen.Bind(text(string(d)), "interface"),
				nixgen.Bind(nixgen.Int(int64(b.Threads.V)), "threads"),
				nixgen.Bind(nixgen.Int(int64(firstCluster+i)), "cluster-id"),
				nixgen.Bind(text("cluster_flow"), "cluster-type"),
			})
		}
		set(links, "af-packet")
		return out
	}
	// The module asserts a link to capture from, and has no option for queues. This one is not used,
	// since ExecStart is nbr's own.
	set(nixgen.List{nixgen.Attrs{nixgen.Bind(text("lo"), "interface")}}, "pcap")
	set(nixgen.Bool(b.Fail.V == open), "nfq", "fail-open")
	set(nixgen.Int(pending), "max-pending-packets")
	// A connection that is older than Suricata is looked at from where it is.
	set(nixgen.Bool(true), "stream", "midstream")
	set(text("ignore"), "stream", "midstream-policy")
	// With packets in its hands Suricata drops, unless told not to, the ones that fit no connection it
	// knows: of a connection that is older than it, or that it has forgotten for want of packets, that is
	// the one that closes it (StreamTcpInitConfig of stream-tcp.c).
	set(nixgen.Bool(false), "stream", "drop-invalid")
	if b.Fail.V == closed { // what is no flow has its packets dropped
		set(text("drop-packet"), "defrag", "memcap-policy")
		set(text("drop-packet"), "flow", "memcap-policy")
	}
	return out
}

// A queue has room for four times the packets that Suricata has in its hands at most (NFQ_BURST_FACTOR
// of source-nfq.c). The kernel does not tell for how many.
const (
	pending   = 1024 // Suricata's own default
	queueRoom = 4 * pending
)

// firstCluster is the fanout group of the first link (packet(7), PACKET_FANOUT); each has its own.
const firstCluster = 90

// exceptionPolicy is what happens to a flow that Suricata has no memory or no understanding for
// (Suricata User Guide, "Exception Policies"). Its own default is to drop, also if it only fails open.
func (b *IDS) exceptionPolicy() string {
	if b.Fail.V == closed {
		return "drop-flow"
	}
	return "ignore"
}

// ruleFiles are the files of rules, those of the block blocks first.
func (b *IDS) ruleFiles() nixgen.List {
	var out nixgen.List
	if rules := b.blockRules(); len(rules) > 0 {
		out = append(out, nixgen.Concat{nixgen.Apply("pkgs.writeText", nixgen.Str(ownFile), nixgen.Lines(strings.Join(rules, "\n")+"\n"))})
	}
	for _, f := range b.Rules.All() {
		out = append(out, nixgen.Concat{nixgen.Path("./spec/" + string(f))})
	}
	return out
}

// lower sets services.suricata.
func (b *IDS) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(b)
	m.Set(from, nixgen.Bool(true), "services", "suricata", "enable")
	for _, d := range b.settings(r) {
		m.Set(from, d.value, append([]string{"services", "suricata", "settings"}, d.path...)...)
	}
	// Rules are those of the spec. The module would load those of ten sources at each boot, before
	// Suricata starts and once the Internet can be reached.
	m.Set(from, nixgen.List{}, "services", "suricata", "enabledSources")
	m.Set(from, nixgen.Bool(false), "systemd", "services", "suricata-update", "enable")

	run := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
	if b.inline() {
		var queues strings.Builder
		for i := range b.Threads.V {
			fmt.Fprintf(&queues, " -q %d", firstQueue+i)
		}
		run(nixgen.Apply("lib.mkForce", nixgen.Concat{
			nixgen.Str("!"), nixgen.Var("config.services.suricata.package"), nixgen.Str("/bin/suricata -c "),
			nixgen.Var("config.services.suricata.configFile"), nixgen.Str(queues.String()),
		}), "serviceConfig", "ExecStart")
	}
	// The rules are read twice before it runs, as a test and for good, which is minutes for many
	// thousands of them on a small board. It is started again for as long as it is needed.
	run(nixgen.Str("5min"), "serviceConfig", "TimeoutStartSec")
	run(nixgen.Str("2s"), "serviceConfig", "RestartSec")
	run(nixgen.Int(0), "unitConfig", "StartLimitIntervalSec")
	run(nixgen.Str(namespace), "serviceConfig", "LogNamespace")
	var lines []string
	for _, s := range b.journal() {
		lines = append(lines, s.name+"="+s.value)
	}
	m.Set(from, nixgen.Lines("[Journal]\n"+strings.Join(lines, "\n")+"\n"), "environment", "etc", journalConf, "text")
	// The unit is systemd's template, which knows of no file of an instance.
	m.Set(from, nixgen.List{nixgen.Str(strings.Join(lines, " "))}, "systemd", "services", "systemd-journald@", "restartTriggers")
}
