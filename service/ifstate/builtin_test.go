package ifstate

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// TestBuiltin compares what IfState leaves alone by itself with its own lists, of routes and of rules.
func TestBuiltin(t *testing.T) {
	for _, of := range []string{"routes", "rules"} {
		out := lab.IfState(t).Python(t, fmt.Sprintf(`import json
from libifstate.parser.base import Parser
ignore = Parser._default_ifstates["parameters"]["ignore"]["%s_builtin"]
print(json.dumps([i["proto"] for i in ignore if list(i) == ["proto"]]))`, of))
		var want []int
		if err := json.Unmarshal([]byte(out), &want); err != nil || len(want) == 0 {
			t.Fatalf("%v in %q", err, out)
		}
		for n := range 256 {
			if builtin(uint8(n)) != slices.Contains(want, n) {
				t.Errorf("%s of protocol %d: %v, and IfState has %v", of, n, builtin(uint8(n)), want)
			}
		}
	}
}
