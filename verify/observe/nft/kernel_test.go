package nft

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/observe/root"
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

// asNobody, if set, makes the test binary list what a table would be, as the user that runs it.
const asNobody = "NBR_NFT_AS_NOBODY"

func TestMain(m *testing.M) {
	if os.Getenv(asNobody) == "" {
		nstest.Main(m)
	}
	lines, err := throwaway(context.Background(), "nft", state.Need{Name: "inet nbr", Text: goodTable})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(strings.Join(lines, "\n"))
	os.Exit(0)
}

// A user without a privilege may not list the router's tables, but learns all the same what a
// text would make.
func TestAsNobody(t *testing.T) {
	nstest.Require(t)
	want, err := throwaway(t.Context(), "nft", state.Need{Name: "inet nbr", Text: goodTable})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), asNobody+"=1")
	cmd.Dir = "/"
	// The root of another user namespace has no say in the network namespace it is in, and
	// other users have none in it either. This works for root and for all users.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 65534, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 65534, HostID: os.Getegid(), Size: 1}},
	}
	got, err := nstest.Output(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, strings.Split(strings.TrimSpace(got), "\n")); d != "" || len(want) == 0 {
		t.Errorf("%d lines\n%s", len(want), d)
	}
}

// tables are their names, which must be to be had.
func tables(t *testing.T) []string {
	t.Helper()
	nstest.Require(t)
	names, err := Tables(t.Context(), "nft")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// ruleset is what a need is, which must be to be had.
func ruleset(t *testing.T, need state.Need) state.Ruleset {
	t.Helper()
	r, err := Ruleset(t.Context(), "nft", need)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRulesets(t *testing.T) {
	need := state.Need{Kind: state.NeedRuleset, Name: "inet nbr", Text: goodTable}
	if names := tables(t); len(names) > 0 {
		t.Fatalf("nothing is loaded: %v", names)
	}
	if r, err := Ruleset(t.Context(), "nft", need); !errors.Is(err, root.ErrNotThere) {
		t.Fatalf("nothing is loaded: %v %v", r, err)
	}

	nstest.Ruleset(t, goodTable+"table ip other { }\n")
	if d := cmp.Diff([]string{"inet nbr", "ip other"}, tables(t)); d != "" {
		t.Error(d)
	}
	r := ruleset(t, need)
	if d := cmp.Diff(r.Want, r.Got); d != "" || len(r.Got) != 11 {
		t.Errorf("%d lines\n%s", len(r.Got), d)
	}

	// Packets and what they leave in sets are no difference.
	new(nstest.NS).Run(t, "nft", "add element inet nbr seen { 192.0.2.77 }")
	new(nstest.NS).Run(t, "sh", "-c", "nft flush chain inet nbr input; nft 'add rule inet nbr input iifname \"lan*\" tcp dport { 22, 80 } counter packets 7 bytes 700 accept;"+
		"add rule inet nbr input ip saddr @hosts accept; add rule inet nbr input icmpv6 type { nd-neighbor-solicit, nd-router-advert } accept;"+
		"add rule inet nbr input ct state vmap { invalid : drop, established : accept }; add rule inet nbr input limit rate 5/second log prefix \"drop: \"'")
	r = ruleset(t, need)
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
		nstest.Ruleset(t, goodTable)
		new(nstest.NS).Run(t, "nft", change)
		r = ruleset(t, need)
		if slices.Equal(r.Want, r.Got) {
			t.Errorf("%s: no difference", change)
		}
	}

	nstest.Ruleset(t, goodTable)
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
		if r, err := Ruleset(t.Context(), "nft", tt.need); err == nil || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s: %v %v", name, r, err)
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
	nstest.Ruleset(t, text)
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
	r := ruleset(t, need)
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
