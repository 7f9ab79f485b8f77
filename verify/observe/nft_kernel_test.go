package observe

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

const goodTable = `table inet nbr {
	set hosts { type ipv4_addr; flags interval; elements = { 192.0.2.9, 10.0.0.0/8 } }
	set seen { type ipv4_addr; flags dynamic,timeout; timeout 1h; }
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lan*" tcp dport { 80, 22 } counter accept
		ip saddr @hosts accept
		icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept
		ct state vmap { established : accept, invalid : drop }
		limit rate 5/second log prefix "drop: "
	}
}
`

// load makes a table of this text and no others.
func load(t *testing.T, text string) {
	t.Helper()
	nstest.Run(t, "flush ruleset\n"+text, "nft", "-f", "-")
	t.Cleanup(func() { nstest.Run(t, "flush ruleset\n", "nft", "-f", "-") })
}

func TestRulesets(t *testing.T) {
	need := state.Need{Kind: state.NeedRuleset, Name: "inet nbr", Text: goodTable}
	st := seen(t, "tables rulesets", need)
	if len(st.Tables) > 0 || len(st.Rulesets) > 0 {
		t.Fatalf("nothing is loaded: %v %v", st.Tables, st.Rulesets)
	}

	load(t, goodTable+"table ip other { }\n")
	st = seen(t, "tables rulesets", need)
	if d := cmp.Diff([]string{"inet nbr", "ip other"}, st.Tables); d != "" {
		t.Error(d)
	}
	r := st.Rulesets["inet nbr"]
	if d := cmp.Diff(r.Want, r.Got); d != "" || len(r.Got) != 9 {
		t.Errorf("%d lines\n%s", len(r.Got), d)
	}

	// Packets and what they leave in sets are no difference.
	new(nstest.NS).Run(t, "nft", "add element inet nbr seen { 192.0.2.77 }")
	new(nstest.NS).Run(t, "sh", "-c", "nft flush chain inet nbr input; nft 'add rule inet nbr input iifname \"lan*\" tcp dport { 22, 80 } counter packets 7 bytes 700 accept;"+
		"add rule inet nbr input ip saddr @hosts accept; add rule inet nbr input icmpv6 type { nd-neighbor-solicit, nd-router-advert } accept;"+
		"add rule inet nbr input ct state vmap { invalid : drop, established : accept }; add rule inet nbr input limit rate 5/second log prefix \"drop: \"'")
	r = seen(t, "rulesets", need).Rulesets["inet nbr"]
	if d := cmp.Diff(r.Want, r.Got); d != "" {
		t.Errorf("the same, written differently: %s", d)
	}

	for _, change := range []string{
		"add rule inet nbr input tcp dport 23 accept",
		"insert rule inet nbr input accept",
		"flush chain inet nbr input",
		"add element inet nbr hosts { 203.0.113.7 }",
		"add chain inet nbr input { policy accept; }",
		"add set inet nbr more { type ipv4_addr; }",
	} {
		load(t, goodTable)
		new(nstest.NS).Run(t, "nft", change)
		r = seen(t, "rulesets", need).Rulesets["inet nbr"]
		if slices.Equal(r.Want, r.Got) {
			t.Errorf("%s: no difference", change)
		}
	}

	load(t, goodTable)
	for name, tt := range map[string]struct {
		need state.Need
		why  string
	}{
		"a text that nft refuses":    {state.Need{Name: "inet nbr", Text: "table inet nbr {\n lynx\n}\n"}, "syntax error"},
		"a text without the table":   {state.Need{Name: "inet nbr", Text: "table inet x { }\n"}, "No such file"},
		"a second command":           {state.Need{Name: "inet nbr; flush ruleset", Text: goodTable}, "not the name of a table"},
		"a family that is no family": {state.Need{Name: "inex nbr", Text: goodTable}, "not the name of a table"},
	} {
		tt.need.Kind = state.NeedRuleset
		st := seen(t, "tables", tt.need)
		if st.Rulesets != nil || !strings.Contains(st.Missed["rulesets"], tt.why) {
			t.Errorf("%s: %v %q", name, st.Rulesets, st.Missed["rulesets"])
		}
	}
}

// What a table drops is counted by chain: where a rule says so, and where the chain's
// policy does and the rule before the end counts.
func TestDrops(t *testing.T) {
	text := `table inet nbr {
	chain input {
		type filter hook input priority filter; policy drop;
		udp dport 1 counter drop
		udp dport 2 counter accept
		jump more
		counter
	}
	chain more {
		udp dport 3 counter reject
		counter
	}
	chain output {
		type filter hook output priority filter; policy accept;
		udp dport 4 counter drop
		counter
	}
}
`
	load(t, text)
	for port, packets := range map[int]int{1: 2, 2: 1, 3: 1, 4: 3, 5: 1} {
		for range packets {
			s, err := net.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = s.Write([]byte("twelve bytes")) // a rule may refuse it
			s.Close()
		}
	}
	need := state.Need{Kind: state.NeedRuleset, Name: "inet nbr", Text: text}
	r := seen(t, "rulesets", need).Rulesets["inet nbr"]
	// 20 bytes of IP and 8 of UDP; the refusal, an ICMP error, passes the input chain.
	want := map[string]uint64{"input": 3, "more": 1, "output": 3}
	for _, d := range r.Drops {
		if d.Chain == "input" {
			if d.Packets < want["input"] {
				t.Errorf("%+v", d)
			}
		} else if d.Packets != want[d.Chain] || d.Bytes != 40*d.Packets {
			t.Errorf("%+v", d)
		}
		delete(want, d.Chain)
	}
	if len(want) > 0 {
		t.Errorf("not counted: %v", want)
	}
	if d := cmp.Diff(r.Want, r.Got); d != "" {
		t.Error(d)
	}
}

func TestNoNFT(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	root := t.TempDir()
	need := state.Need{Kind: state.NeedRuleset, Name: "inet nbr", Text: goodTable}
	st := look(t.Context(), Options{Root: root, Needs: []state.Need{need}}, collectors)
	for _, part := range []string{"tables", "rulesets"} {
		if !strings.Contains(st.Missed[part], "not found in PATH or /run/current-system/sw/bin") {
			t.Errorf("%s: %v", part, st.Missed[part])
		}
	}
	// One that says too much, and one that does not end.
	dir := filepath.Join(root, "run/current-system/sw/bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for script, why := range map[string]string{
		"#!/bin/sh\nexec /bin/cat /dev/zero\n":         "more than 67108864 bytes",
		"#!/bin/sh\necho '{}'\n":                       `no "nftables"`,
		"#!/bin/sh\necho first >&2; echo 2>&2; exit 3": "exit status 3: first",
	} {
		if err := nstest.WriteFile(dir+"/nft", []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		if st := look(t.Context(), Options{Root: root}, collectors); st.Tables != nil || !strings.Contains(st.Missed["tables"], why) {
			t.Errorf("%q: %v", script, st.Missed["tables"])
		}
	}
}
