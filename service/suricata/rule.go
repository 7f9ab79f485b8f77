package suricata

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
)

// firstSID is the number of the first rule of block blocks, in the upper part of what is for the rules
// of a site (Suricata User Guide, "Meta Keywords": 1000000 to 1999999).
const firstSID = 1_900_000

// A target is a name in one of the lists of a block, and what of a packet the list is about.
type target struct {
	block *Block
	list  string
	name  conf.Value[router.ZoneName]
	shown string // for people, in the rule's message
	rules []match
}

// A match is a protocol and the keyword of its part that has a name.
type match struct {
	protocol, keyword string
	lower             bool // Suricata gives it in lower case, and refuses nocase there
	final             bool // it can have a dot at its end, as in a name that is complete (RFC 1034 section 3.1)
}

var (
	sniMatches  = []match{{"tls", "tls.sni", false, true}, {"quic", "quic.sni", false, true}}
	hostMatches = []match{{"http", "http.host", true, true}}
	dnsMatches  = []match{{"dns", "dns.query", false, false}}
)

// targets are the names of all lists, in the order of the spec.
func (b *IDS) targets() []target {
	var out []target
	for _, k := range b.Blocks {
		for _, l := range []struct {
			list, shown string
			names       conf.List[router.ZoneName]
			rules       []match
		}{
			{"sni", "server name", k.SNI, sniMatches},
			{"http_host", "host of HTTP", k.HTTPHost, hostMatches},
			{"dns", "question of DNS", k.DNS, dnsMatches},
		} {
			for _, n := range l.names.Items {
				out = append(out, target{k, l.list, n, l.shown, l.rules})
			}
		}
	}
	return out
}

// blockRules are the rules of the block blocks. A name has only letters, digits, dots, - and _
// ([router.Domain]), and the label of a block no other ([router.Name]): nothing in a rule has to be
// escaped.
//
// The dot before the name, which dotprefix adds to what the packet has, keeps notads.example from being
// taken for ads.example.
func (b *IDS) blockRules() []string {
	var out []string
	add := func(protocol, why, options string) {
		out = append(out, fmt.Sprintf(`drop %s any any -> any any (msg:"%s"; %ssid:%d; rev:1;)`, protocol, why, options, firstSID+len(out)))
	}
	for _, t := range b.targets() {
		for _, m := range t.rules {
			names := []string{string(t.name.V)}
			if m.final {
				names = append(names, string(t.name.V)+".")
			}
			for _, name := range names {
				options := fmt.Sprintf(`%s; dotprefix; content:".%s"; endswith; `, m.keyword, name)
				if !m.lower {
					options += "nocase; "
				}
				add(m.protocol, fmt.Sprintf("block %s, %s %s", t.block.Name.V, t.shown, name), options)
			}
		}
	}
	for _, k := range b.Blocks {
		for _, a := range k.App.Items {
			add(string(a.V), fmt.Sprintf("block %s, protocol %s", k.Name.V, a.V), "")
		}
	}
	return out
}

// A fileRule is a rule of a file.
type fileRule struct {
	sid string // "" without
	at  hcl.Range
}

var sidRE = regexp.MustCompile(`[(;]\s*sid\s*:\s*([0-9]+)\s*;`)

// readRules reads a file of rules as Suricata does: a line a rule, unless a backslash ends it, and
// comments begin with # (DetectLoadSigFile of detect-engine-loader.c).
func readRules(name string, text []byte) []fileRule {
	var out []fileRule
	var rule strings.Builder
	var begin hcl.Pos
	at, n := 0, 0
	for line := range strings.SplitAfterSeq(string(text), "\n") {
		n++
		start := hcl.Pos{Line: n, Column: 1, Byte: at}
		at += len(line)
		line = strings.TrimRight(line, " \t\r\n")
		if rule.Len() == 0 {
			if line == "" || strings.ContainsRune(" #;", rune(line[0])) {
				continue
			}
			begin = start
		}
		more, continued := strings.CutSuffix(line, `\`)
		rule.WriteString(more)
		if continued {
			continue
		}
		r := fileRule{at: hcl.Range{Filename: name, Start: begin, End: hcl.Pos{Line: n, Column: len(line) + 1, Byte: start.Byte + len(line)}}}
		if m := sidRE.FindStringSubmatch(rule.String()); m != nil {
			r.sid = m[1]
		}
		out = append(out, r)
		rule.Reset()
	}
	return out
}

// A text is a file of rules and where the spec says so.
type text struct {
	name  string
	check string // the part of the check's name that is its own
	text  []byte
	from  hcl.Range
}

// ownFile is the name of the file with the rules of the block blocks.
const ownFile = "nbr.rules"

// texts are the files of rules, those of the block blocks first.
func (b *IDS) texts(r *router.Router) []text {
	var out []text
	if rules := b.blockRules(); len(rules) > 0 {
		out = append(out, text{ownFile, "blocks", []byte(strings.Join(rules, "\n") + "\n"), b.Blocks[0].Def})
	}
	for _, f := range b.Rules.Items {
		content, _ := r.File(f) // judged
		out = append(out, text{string(f.V), "file/" + string(f.V), content, f.Range})
	}
	return out
}

// ruleCount is how many rules there are.
func (b *IDS) ruleCount(r *router.Router) int {
	n := 0
	for _, f := range b.texts(r) {
		n += len(readRules(f.name, f.text))
	}
	return n
}
