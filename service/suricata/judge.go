package suricata

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Judge judges where Suricata looks, and what for.
func (b *IDS) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	add := func(d *hcl.Diagnostic, format string, args ...any) {
		diags = append(diags, diag.Help(d, format, args...))
	}
	switch {
	case !b.Capture.Set && !b.Inspect.Set:
		add(diag.Error("ids-nowhere", b.Def, "Suricata that looks at nothing",
			"Neither capture nor inspect says which packets it gets."),
			"Name networks in capture, or policies in inspect.")
	case b.Capture.Set && b.Inspect.Set:
		diags = append(diags, diag.With(diag.Help(diag.Error("ids-both-ways", b.Inspect.Range, "Capture and inspection in one",
			"Suricata gets copies of packets, or the packets themselves: one process does not do both."),
			"Remove one of the two."), b.Capture.Range, "the other"))
	case b.Inspect.Set && !b.Fail.Set:
		add(diag.Error("ids-fail", b.Inspect.Range, "What happens without Suricata is not said",
			"While Suricata does not run, the connections of these policies pass unseen or not at all."),
			"Write fail = %q, if they are to work without it, or fail = %q.", open, closed)
	case b.Capture.Set && b.Fail.Set:
		add(diag.Error("ids-fail", b.Fail.Range, "Copies cannot fail",
			"Suricata gets copies of the packets of capture, which pass with it and without."),
			"Remove fail, or name policies in inspect in place of capture.")
	}
	if b.Threads.V < 1 || b.Threads.V > 16 {
		add(diag.Error("bad-value", b.Threads.Range, "Bad number of threads", "Suricata has 1 to 16 threads for packets here."),
			"Write as many as the board has processors, or remove threads.")
	}
	if b.LogSize.V < leastLog {
		add(diag.Error("bad-value", b.LogSize.Range, "Log too small", "journald needs at least %s for its files.", router.Size(leastLog)),
			"Write log_size = %q or more.", router.Size(leastLog))
	}
	if b.LogKeep.V < 1 || b.LogKeep.V > mostDays {
		add(diag.Error("bad-value", b.LogKeep.Range, "Bad number of days", "Entries are kept for 1 to %d days.", mostDays),
			"Write a number from 1 to %d, or remove log_keep.", mostDays)
	}
	diags = append(diags, b.judgePolicies()...)
	diags = append(diags, b.judgeCapture()...)
	diags = append(diags, b.judgeBlocks()...)
	diags = append(diags, b.judgeRelease(r)...)
	diags = append(diags, b.judgeFiles(r)...)
	if b.home(r) == "" {
		add(diag.Absent(diag.Error("ids-no-home", b.at(b.Home.Range), "No network at home",
			"No network of $HOME_NET has an address that the spec gives it, and Suricata refuses an empty list."), "network"),
			"Name a network with ipv4 or ipv6 of its own in home.")
	}
	return diags
}

// judgeCapture wants links that are always there: Suricata ends, and sees no other network either, when
// it cannot open one.
func (b *IDS) judgeCapture() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range b.Capture.Items {
		if l := n.Target.Link.Target; l != nil && l.Spec().Kind == "ppp" {
			diags = append(diags, diag.With(diag.Help(diag.Error("ids-capture-ppp", n.Range, "Capture of a link that comes and goes",
				"%s is a PPP session, which is there while the provider has it. Without it Suricata ends, and looks at no other network either.", n.Target.Link.Addr),
				"Name the networks behind the router in capture, or policies in inspect in its place."), n.Target.Link.Range, "the link"))
		}
	}
	return diags
}

// newApps are the protocols that Suricata detects since its version 8. NixOS has it since 26.05, and
// 25.11 has 7.0, which refuses rules for others.
var newApps = []App{"ldap", "pop3", "websocket"}

const firstWithNewApps router.Release = "26.05"

// judgeRelease finds protocols that the release's Suricata does not know.
func (b *IDS) judgeRelease(r *router.Router) hcl.Diagnostics {
	if r.Release.V >= firstWithNewApps { // YY.MM sorts as text
		return nil
	}
	var diags hcl.Diagnostics
	for _, k := range b.Blocks {
		for _, a := range k.App.Items {
			if slices.Contains(newApps, a.V) {
				diags = append(diags, diag.With(diag.Help(diag.Error("release-lacks", a.Range, "Not in this release",
					"Suricata detects %s since its version 8, and NixOS %s has an older one.", a.V, r.Release.V),
					"Write release = %q into the router block, or leave it to nbr; or remove the protocol.", firstWithNewApps), r.ReleaseAt(), "the release"))
			}
		}
	}
	return diags
}

// judgePolicies wants policies that let pass what is forwarded.
func (b *IDS) judgePolicies() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range b.Inspect.Items {
		why := ""
		switch {
		case p.Target.Own():
			why = "is about what the router itself sends"
		case p.Target.Action.V != "accept":
			why = "lets nothing pass"
		default:
			continue
		}
		diags = append(diags, diag.With(diag.Help(diag.Error("ids-not-forwarded", p.Range, "Policy without a packet to inspect",
			"%s %s; Suricata gets what is forwarded.", p.Addr, why),
			"Take it out of inspect."), p.Target.Def, "the policy"))
	}
	return diags
}

// judgeBlocks judges what is blocked.
func (b *IDS) judgeBlocks() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, k := range b.Blocks {
		switch {
		case b.Capture.Set && !b.Inspect.Set:
			diags = append(diags, diag.With(diag.Help(diag.Error("ids-block-capture", k.Def, "Block of what only copies are looked at",
				"Suricata gets copies of the packets of capture, and stops none."),
				"Name policies in inspect in place of capture."), b.Capture.Range, "the copies"))
		case len(k.SNI.Items)+len(k.HTTPHost.Items)+len(k.DNS.Items)+len(k.App.Items) == 0:
			diags = append(diags, diag.Help(diag.Error("ids-block-empty", k.Def, "Block of nothing",
				"%s has neither names nor protocols.", k.Addr),
				"Name some in sni, http_host, dns or app, or remove the block."))
		}
	}
	twice := func(at, first hcl.Range, what, by string) {
		diags = append(diags, diag.With(diag.Help(diag.Error("ids-blocked-twice", at, "Blocked already", "%s is blocked by %s already.", what, by),
			"Remove one of the two."), first, "the first"))
	}
	targets := b.targets()
	for i, t := range targets {
		for j, o := range targets {
			if i != j && o.list == t.list && o.name.V.Holds(string(t.name.V)) && (o.name.V != t.name.V || j < i) {
				twice(t.name.Range, o.name.Range, string(t.name.V), fmt.Sprintf("%q", o.name.V))
				break
			}
		}
	}
	first := map[App]hcl.Range{}
	for _, k := range b.Blocks {
		for _, a := range k.App.Items {
			if at, ok := first[a.V]; ok {
				twice(a.Range, at, string(a.V), fmt.Sprintf("%q", a.V))
				continue
			}
			first[a.V] = a.Range
		}
	}
	return diags
}

// judgeFiles judges the files of rules, and that there are rules at all.
func (b *IDS) judgeFiles(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if len(b.Rules.Items)+len(b.Blocks) == 0 {
		return hcl.Diagnostics{diag.Help(diag.Error("ids-no-rules", b.Def, "Suricata without a rule",
			"There is neither a file of rules nor a block, so Suricata tells of nothing."),
			"Name files of the spec's folder in rules, or write a block.")}
	}
	first := map[string]hcl.Range{}
	for i := range b.blockRules() {
		first[fmt.Sprint(firstSID+i)] = b.Blocks[0].Def
	}
	for _, f := range b.Rules.Items {
		text, d := r.File(f)
		if d != nil {
			diags = append(diags, d)
			continue
		}
		rules := readRules(string(f.V), text)
		if len(rules) == 0 {
			diags = append(diags, diag.Help(diag.Error("ids-no-rules", f.Range, "File without a rule",
				"There is no rule in %s.", f.V), "Write one a line, or take the file out."))
		}
		for _, rule := range rules {
			at, known := first[rule.sid]
			switch {
			case rule.sid == "":
				diags = append(diags, diag.With(diag.Help(diag.Error("ids-sid", rule.at, "Rule without a number",
					"Each rule has a number of its own, its sid."),
					"Write one as its option, as in sid:1000001;."), f.Range, "the file"))
			case known:
				diags = append(diags, diag.With(diag.Help(diag.Error("ids-sid", rule.at, "Number of another rule",
					"There is a rule with sid %s already, and Suricata loads one of the two.", rule.sid),
					"Write another number from 1000000 to %d, which are for rules of a site.", firstSID-1), at, "the other"))
			default:
				first[rule.sid] = rule.at
			}
		}
	}
	return diags
}
