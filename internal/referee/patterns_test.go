package referee_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/service/ifstate"
)

// compile prints the patterns that IfState's Python does not read.
const compile = `
import json, re, sys, warnings
warnings.simplefilter("ignore")
bad = []
for p in json.load(open(sys.argv[1])):
    try:
        re.compile(p)
    except re.error as e:
        bad.append("%s: %s" % (p, e))
json.dump(bad, sys.stdout)
`

// TestIfStatePatterns makes patterns of everything that has a meaning in one: each that nbr
// takes must be one for IfState, which configures nothing when it cannot read a pattern.
func TestIfStatePatterns(t *testing.T) {
	t.Parallel()
	tool := lab.IfState(t)
	bad := func(patterns ...string) []string {
		text, err := json.Marshal(patterns)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		if err := json.Unmarshal([]byte(tool.Python(t, compile, write(t, string(text)))), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if len(bad("[", "ok", "*")) != 2 {
		t.Fatal("the referee takes anything")
	}
	parts := strings.Fields(`a b [ ] ( ) (?: (? | * + ? {2} {1,2} {1,} {00} {1,02} {, { } ^ $ . \. \d \w \b \A \x41 \pL - [^ [] [[:alpha:]] \] \\ && || -- ~ 0 ü : ,`)
	random := rand.New(rand.NewPCG(1, 2))
	taken := map[string]bool{}
	for range 300000 {
		var s strings.Builder
		for range 1 + random.IntN(7) {
			s.WriteString(parts[random.IntN(len(parts))])
		}
		if p := ifstate.Pattern(""); p.UnmarshalText([]byte(s.String())) == nil {
			taken[s.String()] = true
		}
	}
	if len(taken) < 1000 {
		t.Fatalf("only %d patterns are taken", len(taken))
	}
	var list []string
	for p := range taken {
		list = append(list, p)
	}
	for _, p := range bad(list...) {
		t.Errorf("nbr takes %s", p)
	}
}
