package referee_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// ruleset is the file that networking.nftables loads for its tables: each is made, deleted and
// made anew, in one transaction.
func ruleset(t *testing.T, g *generated) string {
	t.Helper()
	if g.at("networking", "nftables", "enable") != true || g.at("networking", "firewall", "enable") != false {
		t.Fatal("nftables is off, or NixOS's own firewall is on")
	}
	if g.at("networking", "nftables", "checkRuleset") == false {
		t.Fatal("the build does not check the ruleset")
	}
	tables, _ := g.at("networking", "nftables", "tables").(map[string]any)
	tables = maps.Clone(tables)
	maps.DeleteFunc(tables, func(name string, _ any) bool {
		return g.at("networking", "nftables", "tables", name, "enable") == false
	})
	if len(tables) == 0 {
		t.Fatal("no tables")
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		id := g.text(t, "networking", "nftables", "tables", name, "family") + " " + name
		fmt.Fprintf(&b, "table %s\ndelete table %s\n", id, id)
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		fmt.Fprintf(&b, "table %s %s {\n%s\n}\n",
			g.text(t, "networking", "nftables", "tables", name, "family"), name,
			g.text(t, "networking", "nftables", "tables", name, "content"))
	}
	return b.String()
}

// load loads the ruleset with the nft of this machine.
func load(t *testing.T, ns *nstest.NS, rules string) {
	t.Helper()
	ns.Run(t, "nft", "-f", write(t, rules))
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := nstest.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// A nftRule is a rule as the kernel has it.
type nftRule struct {
	Chain, Comment string
	Expr           []map[string]json.RawMessage
}

func (r nftRule) has(kind string) bool {
	return slices.ContainsFunc(r.Expr, func(e map[string]json.RawMessage) bool { _, ok := e[kind]; return ok })
}

// packets is what the rule's counter shows; -1 if it has none.
func (r nftRule) packets(t *testing.T) int {
	t.Helper()
	for _, e := range r.Expr {
		if raw, ok := e["counter"]; ok {
			var c struct{ Packets int }
			if err := json.Unmarshal(raw, &c); err != nil {
				t.Fatal(err)
			}
			return c.Packets
		}
	}
	return -1
}

func loadedRules(t *testing.T, ns *nstest.NS) []nftRule {
	t.Helper()
	return parseRules(t, ns.Run(t, "nft", "-j", "list", "table", "inet", "nbr"))
}

func parseRules(t *testing.T, listing string) []nftRule {
	t.Helper()
	var out struct {
		Nftables []struct{ Rule *nftRule }
	}
	if err := json.Unmarshal([]byte(listing), &out); err != nil {
		t.Fatal(err)
	}
	var rules []nftRule
	for _, o := range out.Nftables {
		if o.Rule != nil {
			rules = append(rules, *o.Rule)
		}
	}
	return rules
}

// counted is the sum of the counters of a chain's rules whose comment has the given end.
func counted(t *testing.T, ns *nstest.NS, chain, by string) int {
	t.Helper()
	sum, found := 0, false
	for _, r := range loadedRules(t, ns) {
		if n := r.packets(t); r.Chain == chain && strings.HasSuffix(r.Comment, " "+by) && n >= 0 {
			sum, found = sum+n, true
		}
	}
	if !found {
		t.Fatalf("chain %s has no counter of %s", chain, by)
	}
	return sum
}

// Every spec's ruleset is loaded by two generations of nft, and the kernel has the same rules
// afterwards, however often it is loaded.
func TestNftLoads(t *testing.T) {
	t.Parallel()
	root := lab.Rootfs(t, nil)
	for name, g := range specs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := ruleset(t, g)
			file := "/tmp/" + strings.ReplaceAll(name, "/", "-") + ".nft"
			root.Write(t, file, rules)
			// In a namespace without any link: nftables.service starts before there are any.
			empty := nstest.New(t, "empty")
			root.Run(t, empty, "nft", "-c", "-f", file)
			if got := empty.Run(t, "nft", "list", "ruleset"); got != "" {
				t.Fatalf("a check has loaded rules: %s", got)
			}
			root.Run(t, empty, "nft", "-f", file)
			once := root.Run(t, empty, "nft", "list", "ruleset")
			root.Run(t, empty, "nft", "-f", file)
			if d := cmp.Diff(once, root.Run(t, empty, "nft", "list", "ruleset")); d != "" {
				t.Errorf("a second load makes another ruleset (-first +second):\n%s", d)
			}
			old := nstest.New(t, "old")
			local := write(t, rules)
			old.Run(t, "nft", "-c", "-f", local)
			old.Run(t, "nft", "-f", local)
			// The new one shows both: the old one dies (SIGSEGV) of what the new one leaves.
			// The details of an expression are in each one's own words.
			rulesIn := func(ns *nstest.NS) (list []string) {
				for _, r := range parseRules(t, root.Run(t, ns, "nft", "-j", "list", "table", "inet", "nbr")) {
					words := []string{r.Chain, r.Comment}
					for _, e := range r.Expr {
						words = slices.AppendSeq(words, maps.Keys(e))
					}
					list = append(list, strings.Join(words, " "))
				}
				return list
			}
			if d := cmp.Diff(rulesIn(empty), rulesIn(old)); d != "" {
				t.Errorf("two nfts make two rulesets:\n%s", d)
			}
			if loaded, written := len(rulesIn(old)), strings.Count(rules, " comment "); loaded != written {
				t.Errorf("%d rules loaded, %d written", loaded, written)
			}
		})
	}
}

var commentRE = regexp.MustCompile(`^([^: ]+):(\d+) (.+)$`)

// A rule on the router names the line of the spec that wants it.
func TestEveryRuleNamesItsLine(t *testing.T) {
	t.Parallel()
	for name, g := range specs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := nstest.New(t, "router")
			load(t, ns, ruleset(t, g))
			for _, r := range loadedRules(t, ns) {
				m := commentRE.FindStringSubmatch(r.Comment)
				if m == nil {
					t.Errorf("chain %s has a rule with the comment %q", r.Chain, r.Comment)
					continue
				}
				n, _ := strconv.Atoi(m[2])
				if lines := g.source[m[1]]; n < 1 || n > len(lines) || strings.TrimSpace(lines[n-1]) == "" {
					t.Errorf("%q names no line of the spec", r.Comment)
				}
			}
		})
	}
}

// A ruleset that is wrong in its last line leaves the old one as it was: no packet is let in while
// the rules change, and no administrator is locked out by a bad change.
func TestLoadingIsAtomic(t *testing.T) {
	t.Parallel()
	rules := ruleset(t, fromDir(t, article))
	ns := nstest.New(t, "router")
	load(t, ns, rules)
	before := ns.Run(t, "nft", "-s", "list", "ruleset")
	// Only the kernel knows that there is no such chain.
	bad := write(t, rules+"add rule inet nbr nowhere accept\n")
	if _, err := ns.Try(t, "nft", "-f", bad); err == nil {
		t.Fatal("the bad ruleset was loaded")
	}
	if d := cmp.Diff(before, ns.Run(t, "nft", "-s", "list", "ruleset")); d != "" {
		t.Errorf("(-before +after)\n%s", d)
	}
	// Other programs' tables are none of nbr's business.
	ns.Run(t, "nft", "add", "table", "inet", "miniupnpd")
	load(t, ns, rules)
	if got := ns.Run(t, "nft", "list", "tables"); !strings.Contains(got, "miniupnpd") {
		t.Errorf("another program's table is gone: %s", got)
	}
}

// A reload must not open any chain for a moment: what that takes is said where they are
// made, and TestReloadsUnderAFloodLetNothingPass shows it.
func TestEachHookDecides(t *testing.T) {
	t.Parallel()
	for name, g := range specs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := nstest.New(t, "router")
			load(t, ns, ruleset(t, g))
			last := map[string]nftRule{}
			for _, r := range loadedRules(t, ns) {
				last[r.Chain] = r
			}
			for _, c := range hooks(t, ns) {
				r := last[c.Name]
				// What it has beside the verdict is a counter: nothing that could not fit.
				if !r.has("drop") && !r.has("accept") || len(r.Expr) > 1 && !(len(r.Expr) == 2 && r.has("counter")) {
					t.Errorf("the last rule of %s does not decide about all: %v", c.Name, r.Expr)
				}
				if c.Policy != "drop" {
					t.Errorf("the policy of %s is %s", c.Name, c.Policy)
				}
			}
		})
	}
}

// A baseChain is a chain with a hook, as the kernel has it.
type baseChain struct{ Name, Hook, Policy string }

// hooks are the chains of nbr's table that the kernel calls.
func hooks(t *testing.T, ns *nstest.NS) (list []baseChain) {
	t.Helper()
	var out struct {
		Nftables []struct{ Chain *baseChain }
	}
	if err := json.Unmarshal([]byte(ns.Run(t, "nft", "-j", "list", "table", "inet", "nbr")), &out); err != nil {
		t.Fatal(err)
	}
	for _, o := range out.Nftables {
		if o.Chain != nil && o.Chain.Hook != "" {
			list = append(list, *o.Chain)
		}
	}
	if len(list) == 0 {
		t.Fatal("no chain has a hook")
	}
	return list
}

// What the chains drop is counted always, and logged with a limit: a flood must not fill the
// journal.
func TestDropsAreCountedAndLoggedWithALimit(t *testing.T) {
	t.Parallel()
	for name, g := range specs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := nstest.New(t, "router")
			load(t, ns, ruleset(t, g))
			last := map[string]nftRule{}
			logged := map[string]bool{}
			for _, r := range loadedRules(t, ns) {
				last[r.Chain] = r
				if r.has("log") {
					logged[r.Chain] = true
					if !r.has("limit") {
						t.Errorf("%s logs without a limit: %s", r.Chain, r.Comment)
					}
				}
			}
			for _, chain := range []string{"input", "forward"} {
				if last[chain].packets(t) != 0 || len(last[chain].Expr) != 2 || !last[chain].has("drop") {
					t.Errorf("the last rule of %s does not count and drop: %v", chain, last[chain])
				}
				if !logged[chain] && name != "quiet" {
					t.Errorf("%s logs nothing", chain)
				}
			}
		})
	}
}
