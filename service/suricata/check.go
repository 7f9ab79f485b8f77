package suricata

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks ask Suricata which rules it has and what it sees, and the kernel who reads its queues.
// Suricata runs, and answers, with none of its rules and on none of its links.
func (b *IDS) Checks(r *router.Router, p *verify.Plan) {
	p.UnitActive(b.id("unit"), b.Def, unit+".service")
	b.rules(r, p)
	b.files(r, p)
	b.running(p, "home", "what Suricata takes for the networks at home", b.at(b.Home.Range), homeNet, b.home(r))
	b.logged(p)
	if b.inline() {
		b.running(p, "fail", "what becomes of what Suricata cannot judge", b.Fail.Range, exception, b.exceptionPolicy())
		for i := range b.Threads.V {
			b.reads(p, firstQueue+i)
		}
		return
	}
	b.running(p, "threads", "threads that look at packets", b.at(b.Threads.Range), capturing, fmt.Sprint(b.Threads.V))
	for _, n := range b.Capture.Items {
		b.sees(p, n.Target, n.Range)
	}
}

func (b *IDS) id(what string) string { return b.Addr.String() + "/" + what }

func (b *IDS) ask(p *verify.Plan, what, title string, from hcl.Range, want, hint string, judge func(engine) verify.Verdict) {
	c := verify.Check{ID: b.id(what), Title: title, From: from}
	verify.Asked(p, c, engineOf, struct{}{}, want, hint, func(_ *state.State, e engine) verify.Verdict { return judge(e) })
}

// rules adds the check that Suricata has all rules.
func (b *IDS) rules(r *router.Router, p *verify.Plan) {
	at := b.at(b.Rules.Range)
	if len(b.Blocks) > 0 && !b.Rules.Set {
		at = b.Blocks[0].Def
	}
	want, hint := loaded(b.ruleCount(r)), "suricatasc -c ruleset-stats; suricatasc -c ruleset-failed-rules"
	b.ask(p, "loaded", "rules that Suricata has loaded", at, want, hint, func(e engine) verify.Verdict {
		got := loaded(e.Loaded)
		if e.Failed > 0 {
			got += fmt.Sprintf(", %d failed: %s", e.Failed, strings.Join(e.Bad, "; "))
		}
		if e.Skipped > 0 {
			got += fmt.Sprintf(", %d left out", e.Skipped)
		}
		return verify.Compare(want, got, hint)
	})
}

// files adds the checks that the rules are those of the spec: a Suricata that was not started again
// after a switch has the same number of others.
func (b *IDS) files(r *router.Router, p *verify.Plan) {
	for i, f := range b.texts(r) {
		want, hint := digest(f.text), fmt.Sprintf("suricatasc -c 'conf-get rule-files.%d'", i)
		b.ask(p, f.check, "rules of "+f.name, f.from, want, hint, func(e engine) verify.Verdict {
			if i >= len(e.Files) {
				return verify.Missing(want, hint)
			}
			return verify.Compare(want, e.Files[i], hint)
		})
	}
}

func loaded(n int) string {
	if n == 1 {
		return "1 rule"
	}
	return fmt.Sprintf("%d rules", n)
}

// running adds the check of a value of the configuration that Suricata runs with.
func (b *IDS) running(p *verify.Plan, what, title string, from hcl.Range, name, want string) {
	hint := fmt.Sprintf("suricatasc -c 'conf-get %s'", name)
	b.ask(p, what, title, from, want, hint, func(e engine) verify.Verdict {
		return verify.Compare(want, cmp.Or(e.Running[name], "not set"), hint)
	})
}

// logged adds the checks of the log.
func (b *IDS) logged(p *verify.Plan) {
	var events []string
	for _, e := range b.Events.All() {
		events = append(events, string(e))
	}
	want, hint := verify.List(events), "suricatasc -c 'conf-get outputs.0.eve-log.types.0'"
	b.ask(p, "events", "events that are logged", b.at(b.Events.Range), want, hint, func(e engine) verify.Verdict {
		return verify.Compare(want, verify.List(e.Events), hint)
	})
	for _, s := range b.journal() {
		c := verify.Check{ID: b.id("log/" + s.name), Title: "the log's " + s.name, From: s.from}
		hint := "cat /etc/" + journalConf
		verify.Asked(p, c, probe.Settings, probe.Setting{File: "/etc/" + journalConf, Keyword: s.name}, s.value, hint, func(_ *state.State, values []string) verify.Verdict {
			if len(values) == 0 {
				return verify.Missing(s.value, hint)
			}
			return verify.Compare(s.value, values[len(values)-1], hint)
		})
	}
}

// lossy tells whether more than one packet in a hundred was lost.
func lossy(lost, all uint64) bool { return lost*100 > all }

// sees adds the check that Suricata sees a network's packets.
func (b *IDS) sees(p *verify.Plan, n *router.Network, from hcl.Range) {
	link := string(n.Device())
	c := verify.Check{ID: b.id("sees/" + link), Title: "Suricata sees the packets of " + link, From: from}
	want, hint := "it sees them, and loses none", fmt.Sprintf("suricatasc -c 'iface-stat %s'", link)
	verify.AskedOn(p, c, link, sightOf, link, want, hint, func(_ *state.State, s sight) verify.Verdict {
		switch {
		case !s.On:
			return verify.Judge(false, want, "it does not look at "+link, hint)
		case s.New == 0 && s.Came > 0:
			return verify.Judge(false, want, fmt.Sprintf("it has seen none of the %d packets that came", s.Came), hint)
		case lossy(s.Dropped, s.Seen):
			return verify.Judge(false, want, fmt.Sprintf("it has lost %d of %d packets", s.Dropped, s.Seen), hint)
		case s.Seen == 0:
			return verify.Skipped(want, "no packet has come", hint)
		}
		return verify.Compare(want, want, hint)
	})
}

// reads adds the checks that a queue is read by Suricata, and in time. With fail = "open" the kernel
// lets pass what a full queue has no room for, and counts it nowhere: that a queue is close to full is
// what can be known.
func (b *IDS) reads(p *verify.Plan, number int) {
	source := fmt.Sprintf("NFQ#%d", number)
	want, hint := "Suricata reads it, and keeps up", "cat /proc/net/netfilter/nfnetlink_queue; suricatasc -c iface-list"
	from := b.Inspect.Range
	if b.Threads.Set {
		from = b.Threads.Range
	}
	b.ask(p, fmt.Sprintf("reads/%d", number), fmt.Sprintf("queue %d", number), from, want, hint, func(e engine) verify.Verdict {
		return verify.Judge(slices.Contains(e.Sources, source), want, "Suricata reads "+verify.List(e.Sources), hint)
	})
	c := verify.Check{ID: b.id(fmt.Sprintf("queue/%d", number)), Title: fmt.Sprintf("packets of queue %d", number), From: from}
	verify.Asked(p, c, queuesOf, struct{}{}, want, hint, func(_ *state.State, all []queue) verify.Verdict {
		i := slices.IndexFunc(all, func(q queue) bool { return q.Number == number })
		switch {
		case i < 0:
			return verify.Judge(false, want, "no program reads it", hint)
		case all[i].Waiting > queueRoom/2:
			return verify.Judge(false, want, fmt.Sprintf("%d packets wait, and it has room for %d", all[i].Waiting, queueRoom), hint)
		case lossy(all[i].Dropped, all[i].Packets):
			return verify.Judge(false, want, fmt.Sprintf("%d of %d packets are lost", all[i].Dropped, all[i].Packets), hint)
		}
		return verify.Compare(want, want, hint)
	})
}
